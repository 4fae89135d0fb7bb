//! The table of a promote, typed by hand: where users are × what the other color is like, for swap and for copy.

mod killed;

use std::time::Duration;

use serde_json::json;

use super::sim::{DeploymentFailure, Sim};
use super::tests::goal;
use super::{Goal, plan_phases, predict_promote};
use crate::plan::color::Color;
use crate::plan::definition::Content;
use crate::plan::sample::{arn, at, content, deployment, rule, snapshot, target};
use crate::plan::snapshot::{Rollout, Scalable, Service, Snapshot};
use crate::plan::step::{End, Left, Refusal, Short, Step};
use crate::plan::traffic::Prediction;
use crate::plan::wanted::Mode;

/// Where users are: live blue, live green, split on the way up to green, split on the way back to blue.
const SPLITS: [(u32, u32); 4] = [(100, 0), (0, 100), (80, 20), (50, 50)];

/// What green is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Green {
    /// It runs a newer version.
    New,
    /// It runs an older version.
    Old,
    /// It runs what blue runs.
    Same,
    /// It runs blue's image with another variable.
    Settings,
    /// It has no tasks.
    Empty,
    /// Its tasks are there and sick.
    Sick,
    /// It is being replaced.
    InFlight,
    /// A deploy failed, and what was there before was put back.
    Restored,
    /// A deploy failed and stands; the tasks of before still serve.
    Failed,
}

/// A promote of blue or of green.
fn to(color: Color, mode: Mode) -> Goal {
    let mut goal = goal(mode);
    goal.promotion.color = color;
    if color == Color::Green {
        (goal.promotion.traffic.to.blue, goal.promotion.traffic.to.green) = (0, 100);
    }
    goal
}

/// Swap to green, swap to blue, copy to blue.
fn goals() -> [Goal; 3] {
    [to(Color::Green, Mode::Swap), to(Color::Blue, Mode::Swap), to(Color::Blue, Mode::Copy)]
}

/// Blue and green at this split, and green like this.
fn world((blue, green): (u32, u32), like: Green) -> Snapshot {
    let mut seen = snapshot();
    let balancer = &mut seen.balancers.as_mut().unwrap().as_mut().unwrap()[0];
    let mut production = rule(80, None, &[("tg-blue", blue), ("tg-green", green)]);
    production.whole = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": "tg-blue", "Weight": blue}, {"TargetGroupArn": "tg-green", "Weight": green}]}}])
    .into();
    balancer.rules[0] = production;
    for service in &mut seen.services {
        service.scaling = Some(Ok(None));
        for task in service.tasks.iter_mut().flatten().flatten() {
            task.task_definition.clone_from(&service.task_definition);
        }
    }
    become_like(&mut seen.services[1], like);
    seen
}

/// Makes green so.
fn become_like(green: &mut Service, like: Green) {
    let held = |green: &mut Service, content: Content| {
        green.definition.as_mut().unwrap().as_mut().unwrap().content = content;
    };
    held(green, content("web-green", "v2"));
    match like {
        Green::New => {}
        Green::Old => held(green, content("web-green", "v0")),
        Green::Same => held(green, content("web-green", "v1")),
        Green::Settings => {
            let mut other = content("web-green", "v1");
            other.object_mut()["containerDefinitions"][0]["environment"] =
                json!([{"name": "LOG", "value": "1"}]);
            held(green, other);
        }
        Green::Empty => {
            (green.desired, green.running) = (0, 0);
            (green.tasks, green.targets) = (Some(Ok(Vec::new())), Some(Ok(Vec::new())));
            (green.deployments[0].desired, green.deployments[0].running) = (0, 0);
        }
        Green::Sick => {
            green.targets = Some(Ok(vec![target(1, "unhealthy"), target(2, "unhealthy")]));
        }
        Green::InFlight | Green::Failed => {
            let mut new = deployment("new", &arn("web-green:2"), 2);
            new.running = 0;
            new.rollout = if like == Green::Failed { Rollout::Failed } else { Rollout::InProgress };
            green.deployments[0].primary = false;
            green.deployments.insert(0, new);
            green.task_definition = arn("web-green:2");
            green.definition.as_mut().unwrap().as_mut().unwrap().arn = arn("web-green:2");
        }
        Green::Restored => {
            green.deployments = vec![deployment("restored", &arn("web-green:1"), 2)];
        }
    }
}

/// The plan in short words: the steps, or why it is refused.
fn plan(seen: &Snapshot, goal: &Goal) -> Vec<String> {
    let all = match plan_phases(seen, goal) {
        Ok(all) => all,
        Err(crate::plan::preconditions::Blocker::Refuse(refusal)) => return vec![refused(&refusal)],
        Err(other) => panic!("{other:?}"),
    };
    match predict_promote(seen, &all, at(0)).0 {
        Prediction::Plan(traffic_plan) => traffic_plan.steps.iter().map(short).collect(),
        Prediction::Refuse(refusal) => vec![refused(&refusal)],
        Prediction::Unknown => vec!["unknown".to_owned()],
    }
}

/// A step in short words.
fn short(step: &Step) -> String {
    match step {
        Step::Weights(weights) => format!("all to {}", weights.after),
        Step::Register(wanted) => format!("register {}", wanted.family()),
        Step::Update(update) => {
            let what = if update.rolls() { "deploy " } else { "" };
            let count = update.desired.map(|count| format!(" to {count}")).unwrap_or_default();
            format!("{what}{}{count}", update.color)
        }
        other => format!("{other:?}"),
    }
}

/// A refusal in short words.
fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotEnough { capacity, why: Short::Unhealthy, .. } => {
            format!("refused: {} is sick", capacity.color)
        }
        Refusal::FailedThere { color, .. } => format!("refused: what {color} is to run has failed"),
        Refusal::InFlight { service, .. } => format!("refused: {service} is in flight"),
        other => format!("refused: {other:?}"),
    }
}

/// What is planned from each of the four splits.
#[track_caller]
fn table(goal: &Goal, like: Green, expected: [&[&str]; 4]) {
    for (split, expected) in SPLITS.into_iter().zip(expected) {
        assert_eq!(plan(&world(split, like), goal), expected, "{split:?} {like:?}");
    }
}

#[test]
fn a_swap_goes_all_the_way_from_any_split_whatever_the_version_is() {
    let swap = to(Color::Green, Mode::Swap);
    let move_and_shrink: &[&str] = &["all to green", "blue to 1"];
    for like in [Green::New, Green::Old, Green::Same, Green::Settings, Green::Restored] {
        table(&swap, like, [move_and_shrink, &["blue to 1"], move_and_shrink, move_and_shrink]);
    }
}

#[test]
fn invariant_18_a_swap_to_a_color_without_tasks_starts_them_first() {
    let up: &[&str] = &["green to 2", "all to green", "blue to 1"];
    // With all users there already nobody serves them: that is not production.
    let dead: &[&str] = &["refused: green is sick"];
    table(&to(Color::Green, Mode::Swap), Green::Empty, [up, dead, up, up]);
}

#[test]
fn invariant_16_a_swap_to_a_sick_color_is_refused() {
    let sick: &[&str] = &["refused: green is sick"];
    table(&to(Color::Green, Mode::Swap), Green::Sick, [sick, sick, sick, sick]);
}

#[test]
fn a_swap_to_a_color_that_is_being_replaced_or_could_not_be_is_refused() {
    let flying: &[&str] = &["refused: web-green is in flight"];
    table(&to(Color::Green, Mode::Swap), Green::InFlight, [flying; 4]);
    let failed: &[&str] = &["refused: what green is to run has failed"];
    table(&to(Color::Green, Mode::Swap), Green::Failed, [failed; 4]);
}

#[test]
fn invariant_21_a_swap_away_from_a_color_requires_nothing_of_it() {
    let swap = to(Color::Blue, Mode::Swap);
    let back: &[&str] = &["all to blue", "green to 1"];
    let all = [
        Green::New,
        Green::Old,
        Green::Same,
        Green::Settings,
        Green::Restored,
        Green::Failed,
        Green::Sick,
        Green::Empty,
    ];
    for like in all {
        table(&swap, like, [&["green to 1"], back, back, back]);
    }
    // Users leave a color that is being deployed to, and its tasks are left to its deployment.
    let away: &[&str] = &["all to blue"];
    table(&swap, Green::InFlight, [&[], away, away, away]);
}

#[test]
fn a_copy_brings_users_away_deploys_and_brings_them_back() {
    let whole: &[&str] = &["all to green", "register web-blue", "deploy blue", "all to blue", "green to 1"];
    let there = &whole[1..];
    for like in [Green::New, Green::Old, Green::Settings, Green::Restored] {
        table(&to(Color::Blue, Mode::Copy), like, [whole, there, whole, whole]);
    }
}

#[test]
fn invariant_14_a_copy_of_the_same_content_only_moves_users() {
    let back: &[&str] = &["all to blue", "green to 1"];
    table(&to(Color::Blue, Mode::Copy), Green::Same, [&["green to 1"], back, back, back]);
}

#[test]
fn invariant_26_a_copy_from_a_color_that_can_not_serve_users_scales_it_up_or_is_refused() {
    let copy = to(Color::Blue, Mode::Copy);
    let up: &[&str] =
        &["green to 2", "all to green", "register web-blue", "deploy blue", "all to blue", "green to 1"];
    let sick: &[&str] = &["refused: green is sick"];
    table(&copy, Green::Empty, [up, sick, up, up]);
    table(&copy, Green::Sick, [sick, sick, sick, sick]);
}

#[test]
fn a_copy_of_what_is_not_proven_is_refused() {
    let flying: &[&str] = &["refused: web-green is in flight"];
    for like in [Green::InFlight, Green::Failed] {
        table(&to(Color::Blue, Mode::Copy), like, [flying, flying, flying, flying]);
    }
}

#[test]
fn a_copy_onto_a_color_that_somebody_deploys_to_is_refused_before_users_are_sent_away() {
    for split in SPLITS {
        let mut seen = world(split, Green::New);
        let blue = &mut seen.services[0];
        blue.deployments[0].rollout = Rollout::InProgress;
        assert_eq!(
            plan(&seen, &to(Color::Blue, Mode::Copy)),
            ["refused: web-blue is in flight"],
            "{split:?}"
        );
    }
}

#[test]
fn what_a_copy_does_on_the_way_is_told() {
    let told = |split| {
        let (seen, copy) = (world(split, Green::New), to(Color::Blue, Mode::Copy));
        let all = plan_phases(&seen, &copy).unwrap();
        let Prediction::Plan(traffic_plan) = predict_promote(&seen, &all, at(0)).0 else {
            panic!("it can be told")
        };
        let capacity: Vec<Color> = traffic_plan.capacity.iter().map(|capacity| capacity.color).collect();
        let copy = traffic_plan.copy.unwrap();
        assert_eq!((copy.color, copy.tested), (Color::Blue, Color::Green));
        assert_eq!(copy.before, arn("web-blue:1"));
        (copy.away, capacity)
    };
    assert_eq!(told((100, 0)), (true, vec![Color::Green]), "who serves them meanwhile");
    assert_eq!(told((80, 20)), (true, vec![Color::Green]));
    assert_eq!(told((0, 100)), (false, vec![Color::Blue]));
    let swap = plan_phases(&world((100, 0), Green::New), &to(Color::Green, Mode::Swap)).unwrap();
    let Prediction::Plan(traffic_plan) = predict_promote(&world((100, 0), Green::New), &swap, at(0)).0 else {
        panic!("told")
    };
    assert_eq!(traffic_plan.copy, None);
}

#[test]
fn a_plan_knows_that_stickiness_will_keep_the_loser_at_its_size() {
    for (seconds, stays) in [(0, false), (600, false), (3600, true)] {
        let mut seen = world((100, 0), Green::New);
        let rules = &mut seen.balancers.as_mut().unwrap().as_mut().unwrap()[0].rules;
        rules[0].stickiness = Some(Duration::from_secs(seconds));
        for goal in goals() {
            let all = plan_phases(&seen, &goal).unwrap();
            assert_eq!(predict_promote(&seen, &all, at(0)).1, stays, "{seconds} {:?}", goal.promotion.mode);
        }
    }
}
