//! Tables of the decision about traffic: what is next, from each state.

mod arrival;
mod disturbed;
mod force;
mod forms;
mod last_look;
mod meanwhile;
mod restore;
mod steps;
mod together;
mod traffic_plan;

use std::time::Duration;

use serde_json::json;

use super::{
    Finish, Goal, Minima, Prediction, Run, TrafficRequest, next_traffic_action, predict_traffic, stays_busy,
    stays_suspended,
};
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::earlier_rules::EarlierRules;
use crate::plan::read_scope::ReadScope;
use crate::plan::run_memory::Answer;
use crate::plan::sample::{arn, at, rule, snapshot, target, trouble};
use crate::plan::scalers::{Managed, Scalers};
use crate::plan::snapshot::*;
use crate::plan::step::*;
use crate::plan::time::Time;
use crate::plan::wiring::RoutingError;

/// A split.
fn split(blue: u32, green: u32) -> Split {
    Split { blue, green }
}

/// A wish for this split, all else as by default.
fn goal(blue: u32, green: u32) -> Goal {
    Goal {
        wish: TrafficRequest {
            to: split(blue, green),
            steps: Vec::new(),
            bake: Duration::from_secs(300),
            alarms: Vec::new(),
            scale_up: true,
            force: false,
            adopt: false,
            expect: None,
            settle: Duration::from_secs(120),
        },
        listener: None,
        timeout: Duration::from_secs(600),
        restore_on_cancel: false,
        finish: None,
        has_next_phase: false,
        managed: None,
    }
}

/// A goal with its wish changed.
fn wish(goal: Goal, change: impl FnOnce(&mut TrafficRequest)) -> Goal {
    let mut goal = goal;
    change(&mut goal.wish);
    goal
}

/// Blue and green at this split on HTTP:80 and HTTPS:443, nothing scales automatically.
fn world(blue: u32, green: u32) -> Snapshot {
    let mut seen = snapshot();
    for service in &mut seen.services {
        service.scaling = Some(Ok(None));
    }
    let balancer = &mut rules(&mut seen)[0];
    balancer.rules[0] = production(80, blue, green);
    balancer.rules.push(production(443, blue, green));
    seen.alarms = Some(Ok(Vec::new()));
    seen
}

/// A production rule with the actions as AWS writes them.
fn production(port: u16, blue: u32, green: u32) -> Rule {
    let whole = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [
        {"TargetGroupArn": "tg-blue", "Weight": blue}, {"TargetGroupArn": "tg-green", "Weight": green}]}}]);
    let protocol = if port == 443 { "HTTPS" } else { "HTTP" }.to_owned();
    Rule { whole: whole.into(), protocol, ..rule(port, None, &[("tg-blue", blue), ("tg-green", green)]) }
}

#[test]
fn a_plan_of_more_than_400_steps_is_made() {
    let mut seen = world(100, 0);
    let balancer = &mut rules(&mut seen)[0];
    balancer.rules.extend((3..=5).map(|number| Rule {
        arn: format!("rule-443-{number}"),
        priority: Some(number),
        ..production(443, 100, 0)
    }));
    let shares = wish(goal(0, 100), |wish| wish.steps = (1..=90).collect());
    let Prediction::Plan(traffic_plan) = predict_traffic(&seen, &shares, at(0)) else {
        panic!("the plan is lost")
    };
    let weights = traffic_plan.steps.iter().filter(|step| matches!(step, Step::Weights(_)));
    assert_eq!(weights.count(), 5 * 91);
}

#[test]
fn a_plan_of_more_than_2000_steps_is_kept_without_its_steps() {
    let mut seen = world(100, 0);
    let balancer = &mut rules(&mut seen)[0];
    balancer.rules.extend((3..=100).map(|number| Rule {
        arn: format!("rule-443-{number}"),
        priority: Some(number),
        ..production(443, 100, 0)
    }));
    let shares = wish(goal(0, 100), |wish| wish.steps = (1..=20).collect());
    let Prediction::Plan(traffic_plan) = predict_traffic(&seen, &shares, at(0)) else {
        panic!("the plan is lost")
    };
    assert!(traffic_plan.too_long && traffic_plan.steps.is_empty());
    assert!(
        traffic_plan.rules.len() >= 99 && traffic_plan.bakes.len() == 20 && !traffic_plan.capacity.is_empty()
    );
}

/// The load balancers of a snapshot.
fn rules(seen: &mut Snapshot) -> &mut Vec<Balancer> {
    seen.balancers.as_mut().unwrap().as_mut().unwrap()
}

/// The service of a color.
fn service(seen: &mut Snapshot, color: impl Into<ServiceColor>) -> &mut Service {
    let color = color.into();
    seen.services.iter_mut().find(|service| service.color == color).unwrap()
}

/// This many tasks, of which so many are healthy and the others are in `state`.
fn tasks(seen: &mut Snapshot, color: Color, desired: u32, healthy: u32, state: &str) {
    let service = service(seen, color);
    (service.desired, service.running) = (desired, desired);
    let all = (1..=desired).map(|number| target(number, if number <= healthy { "healthy" } else { state }));
    service.targets = Some(Ok(all.collect()));
    service.tasks = Some(Ok(crate::plan::sample::tasks(&service.deployments[0], desired, 1)));
}

/// A scalable target for a color.
fn scales(seen: &mut Snapshot, color: Color, (min, max): (u32, u32), in_suspended: bool) {
    service(seen, color).scaling = Some(Ok(Some(Scalable { min, max, in_suspended, ..Scalable::default() })));
}

/// What the decision says at the beginning.
fn first(seen: &Snapshot, goal: &Goal) -> Next {
    next_traffic_action(&Ok(seen.clone()), goal, &mut Run::begin(at(0)), at(0))
}

/// The steps of a plan in short words.
fn planned(seen: &Snapshot, goal: &Goal) -> Vec<String> {
    match predict_traffic(seen, goal, at(0)) {
        Prediction::Plan(traffic_plan) => traffic_plan.steps.iter().map(short).collect(),
        other => vec![format!("{other:?}")],
    }
}

/// A step in short words.
fn short(step: &Step) -> String {
    match step {
        Step::Weights(weights) => format!("{} {}", weights.name, weights.after),
        Step::Update(update) => format!("{} to {}", update.color, update.desired.unwrap()),
        Step::Scaling(scaling) => {
            let word = match scaling.in_suspended {
                Some(true) => "suspend",
                Some(false) => "resume",
                None => "bounds of",
            };
            let most = scaling.max.map(|max| format!(" max {max}")).unwrap_or_default();
            format!("{word} {}{most}", scaling.color)
        }
        Step::Policy(put) | Step::Alarm(put) => put.name.clone(),
        Step::Find(_) | Step::Register(_) | Step::Probe(_) => "other".to_owned(),
    }
}

#[test]
fn invariant_08_every_rule_is_written_once_and_the_same_ratio_needs_no_write() {
    assert_eq!(
        planned(&world(100, 0), &goal(80, 20)),
        ["HTTP:80 default blue-80", "HTTPS:443 default blue-80"]
    );
    for (blue, green) in [(80, 20), (4, 1), (400, 100)] {
        assert_eq!(planned(&world(blue, green), &goal(80, 20)), [""; 0], "{blue}/{green}");
        let unchanged = Next::Done(End::Good { changed: false, healthy: 2 });
        assert_eq!(first(&world(blue, green), &goal(80, 20)), unchanged);
    }
}

#[test]
fn invariant_03_a_write_carries_all_actions_and_both_groups() {
    let mut seen = world(100, 0);
    let oidc = json!({"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"ClientId": "c"}});
    let forward = json!({"Type": "forward", "Order": 2, "TargetGroupArn": "tg-blue", "ForwardConfig": {
        "TargetGroups": [{"TargetGroupArn": "tg-blue", "Weight": 1}],
        "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 60}}});
    rules(&mut seen)[0].rules[0].whole = json!([oidc, forward]).into();
    let Next::Step(Step::Weights(weights)) = first(&seen, &goal(0, 100)) else { panic!("a write") };
    let expected = json!([oidc, {"Type": "forward", "Order": 2, "ForwardConfig": {
        "TargetGroups": [
            {"TargetGroupArn": "tg-blue", "Weight": 0}, {"TargetGroupArn": "tg-green", "Weight": 100}],
        "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 60}}}]);
    assert_eq!(weights.actions, expected);
}

#[test]
fn invariant_18_a_color_with_too_few_tasks_is_scaled_up_first() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 5, 5, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    assert_eq!(
        planned(&seen, &goal(50, 50)),
        ["green to 3", "HTTP:80 default split", "HTTPS:443 default split"],
        "half of 5, rounded up"
    );
    assert_eq!(planned(&seen, &goal(0, 100)).first().unwrap(), "green to 5");
    let stays = wish(goal(0, 100), |wish| wish.scale_up = false);
    let Next::Refuse(Refusal::NotEnough { capacity, load, why }) = first(&seen, &stays) else { panic!("no") };
    assert_eq!((capacity.healthy, capacity.needed, load.targets, why), (1, 5, 5, Short::NoScaleUp));
}

#[test]
fn invariant_16_the_load_of_services_that_scale_is_the_smallest_quotient() {
    let mut seen = world(80, 20);
    tasks(&mut seen, Color::Blue, 8, 8, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 40), true);
    }
    // 1 / 20 % is 5 in all, where 8 / 80 % would be 10 and the larger count 8.
    assert_eq!(planned(&seen, &goal(50, 50)).first().unwrap(), "green to 3");
    // A held split that grew: 8 / 50 % and 6 / 50 %: 12 in all, and the larger count would be 8.
    let mut seen = world(50, 50);
    tasks(&mut seen, Color::Blue, 8, 8, "");
    tasks(&mut seen, Color::Green, 6, 6, "");
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 40), true);
    }
    assert_eq!(planned(&seen, &goal(0, 100)).first().unwrap(), "green to 12");
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), true);
    }
    assert_eq!(planned(&seen, &goal(0, 100)).first().unwrap(), "green to 10", "never more than MaxCapacity");
}

#[test]
fn a_color_whose_bounds_are_too_low_is_refused_with_the_numbers() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 8, 8, "");
    scales(&mut seen, Color::Blue, (2, 10), false);
    scales(&mut seen, Color::Green, (1, 4), false);
    let Next::Refuse(Refusal::NotEnough { capacity, why, .. }) = first(&seen, &goal(0, 100)) else {
        panic!()
    };
    assert_eq!((capacity.most, capacity.needed, why), (Some(4), 8, Short::MaxCapacity));
}

#[test]
fn invariant_19_scale_in_is_suspended_before_weight_moves_and_allowed_again_at_the_end() {
    let mut seen = world(100, 0);
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), false);
    }
    assert_eq!(
        planned(&seen, &goal(0, 100)),
        ["suspend blue", "suspend green", "HTTP:80 default green", "HTTPS:443 default green", "resume green"]
    );
    let held = ["suspend blue", "suspend green", "HTTP:80 default split", "HTTPS:443 default split"];
    assert_eq!(planned(&seen, &goal(50, 50)), held);
}

#[test]
fn invariant_23_a_count_above_max_capacity_is_not_cut_by_suspending() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 6, 6, "");
    tasks(&mut seen, Color::Green, 6, 6, "");
    scales(&mut seen, Color::Blue, (1, 4), false);
    assert_eq!(planned(&seen, &goal(80, 20)).first().unwrap(), "suspend blue max 6");
}

#[test]
fn invariant_17_the_color_that_keeps_users_needs_targets_too_and_leaving_needs_none() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 2, 0, "unhealthy");
    let Next::Refuse(Refusal::NotEnough { capacity, why, .. }) = first(&seen, &goal(50, 50)) else {
        panic!()
    };
    assert_eq!((capacity.color, why), (Color::Blue, Short::Unhealthy));
    assert_eq!(planned(&seen, &goal(0, 100)), ["HTTP:80 default green", "HTTPS:443 default green"], "21");
}

#[test]
fn a_groups_own_minimum_counts() {
    let mut seen = world(100, 0);
    let Some(Ok(group)) = &mut service(&mut seen, Color::Green).group else { panic!() };
    group.attributes = Some(Ok(GroupAttributes {
        deregistration_delay: Duration::from_secs(300),
        minimum_count: 3,
        minimum_percent: 0,
    }));
    assert_eq!(planned(&seen, &goal(99, 1)).first().unwrap(), "green to 3");
}

#[test]
fn force_needs_one_healthy_target_and_scales_up_afterwards() {
    let forced = wish(goal(0, 100), |wish| wish.force = true);
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 0, "unhealthy");
    tasks(&mut seen, Color::Green, 1, 1, "");
    assert_eq!(planned(&seen, &forced), ["HTTP:80 default green", "HTTPS:443 default green", "green to 4"]);
    tasks(&mut seen, Color::Green, 1, 0, "unhealthy");
    let Next::Refuse(Refusal::NotEnough { capacity, why, .. }) = first(&seen, &forced) else { panic!() };
    assert_eq!((capacity.healthy, capacity.needed, why), (0, 1, Short::Unhealthy), "27");
}

#[test]
fn steps_are_passed_through_and_held() {
    let stepped = wish(goal(0, 100), |wish| wish.steps = vec![20, 50]);
    let all = ["HTTP:80 default blue-80", "HTTPS:443 default blue-80", "HTTP:80 default split"];
    let planned_steps = planned(&world(100, 0), &stepped);
    assert_eq!(planned_steps[..3], all);
    assert_eq!(
        planned_steps[3..],
        ["HTTPS:443 default split", "HTTP:80 default green", "HTTPS:443 default green"]
    );
    // From the middle, and back.
    assert_eq!(planned(&world(50, 50), &stepped), ["HTTP:80 default green", "HTTPS:443 default green"]);
    let down = wish(goal(100, 0), |wish| wish.steps = vec![20, 50]);
    assert_eq!(planned(&world(0, 100), &down).first().unwrap(), "HTTP:80 default green-80");
    let beyond = wish(goal(80, 20), |wish| wish.steps = vec![20, 50]);
    let refusal = Refusal::StepBeyond { step: 50, color: Color::Green, target: 20 };
    assert_eq!(first(&world(100, 0), &beyond), Next::Refuse(refusal));
}

#[test]
fn invariant_05_rules_that_disagree_are_refused_unless_the_goal_is_one_of_their_splits() {
    let mut seen = world(100, 0);
    rules(&mut seen)[0].rules[0] = production(80, 80, 20);
    assert_eq!(planned(&seen, &goal(80, 20)), ["HTTPS:443 default blue-80"], "7: half-way is gone on with");
    assert_eq!(planned(&seen, &goal(100, 0)), ["HTTP:80 default blue"]);
    let Next::Refuse(Refusal::RoutingError(RoutingError::Disagree(held))) = first(&seen, &goal(0, 100))
    else {
        panic!()
    };
    assert_eq!(held.len(), 2);
    let stepped = wish(goal(0, 100), |wish| wish.steps = vec![20]);
    assert_eq!(planned(&seen, &stepped).first().unwrap(), "HTTPS:443 default blue-80", "a step of the way");
}

#[test]
fn invariant_05_three_splits_are_settled_by_one_color_or_by_force() {
    let mut seen = world(100, 0);
    rules(&mut seen)[0].rules = vec![production(80, 100, 0), production(443, 80, 20)];
    let forced = |goal: Goal| wish(goal, |wish| wish.force = true);
    assert!(matches!(first(&seen, &forced(goal(0, 100))), Next::Step(_)));
    rules(&mut seen)[0].rules.push(production(8443, 50, 50));
    for to in [goal(100, 0), goal(0, 100), goal(80, 20)] {
        assert!(matches!(first(&seen, &to), Next::Step(_)), "{:?}", to.wish.to);
    }
    assert!(matches!(
        first(&seen, &goal(20, 80)),
        Next::Refuse(Refusal::RoutingError(RoutingError::Disagree(_)))
    ));
}

#[test]
fn what_was_approved_has_to_run_there() {
    let expects = |what: &str| wish(goal(0, 100), |wish| wish.expect = Some(what.to_owned()));
    for right in ["web-green:1".to_owned(), arn("web-green:1")] {
        assert!(matches!(first(&world(100, 0), &expects(&right)), Next::Step(_)), "{right}");
    }
    let Next::Refuse(refusal) = first(&world(100, 0), &expects("web-green:2")) else { panic!() };
    let found = arn("web-green:1");
    assert_eq!(
        refusal,
        Refusal::OtherTaskDefinition { color: Color::Green, found, expected: "web-green:2".to_owned() }
    );
}

#[test]
fn invariant_30_alarms_stop_only_a_run_with_steps_and_have_to_exist() {
    let alarm = |state| Alarm { name: "web-5xx".to_owned(), state, reason: "5 over 1".to_owned() };
    let watched = wish(goal(0, 100), |wish| wish.alarms = vec!["web-5xx".to_owned()]);
    let stepped = wish(watched.clone(), |wish| wish.steps = vec![20]);
    let mut seen = world(100, 0);
    assert_eq!(first(&seen, &watched), Next::Refuse(Refusal::NoAlarm(vec!["web-5xx".to_owned()])));
    seen.alarms = Some(Ok(vec![alarm(AlarmState::Firing)]));
    assert!(matches!(first(&seen, &watched), Next::Step(_)));
    let firing = vec![("web-5xx".to_owned(), "5 over 1".to_owned())];
    assert_eq!(first(&seen, &stepped), Next::Refuse(Refusal::AlarmFiring(firing)));
    seen.alarms = Some(Ok(vec![alarm(AlarmState::NoData)]));
    assert!(matches!(first(&seen, &stepped), Next::Step(_)), "no data is said, and no alarm");
}

#[test]
fn day_one_needs_adopt_and_brings_the_group_in_without_users_first() {
    let mut seen = world(100, 0);
    let lone = json!([{"Type": "forward", "TargetGroupArn": "tg-blue"}]);
    let one = |port| Rule { whole: lone.clone().into(), ..rule(port, None, &[("tg-blue", 1)]) };
    rules(&mut seen)[0].rules = vec![one(80), rule(8080, None, &[("tg-green", 1)])];
    let named = Goal {
        listener: Some(crate::plan::wanted::ListenerChoice::Port { protocol: None, port: 80 }),
        ..goal(80, 20)
    };
    let refusal = Refusal::NotAdopted { rule: "HTTP:80 default".to_owned(), lacks: Color::Green };
    assert_eq!(first(&seen, &named), Next::Refuse(refusal));
    let adopting = wish(named, |wish| wish.adopt = true);
    assert_eq!(planned(&seen, &adopting), ["HTTP:80 default blue", "HTTP:80 default blue-80"]);
}

#[test]
fn invariant_09_what_can_not_be_read_holds_and_is_refused_in_the_end() {
    let mut seen = world(100, 0);
    service(&mut seen, Color::Green).targets = Some(Err(trouble(AwsErrorKind::Throttled)));
    assert!(matches!(first(&seen, &goal(0, 100)), Next::Wait(Wait::AwsError(_))));
    service(&mut seen, Color::Green).targets = Some(Err(trouble(AwsErrorKind::Denied)));
    assert!(matches!(first(&seen, &goal(0, 100)), Next::Refuse(Refusal::Unread(_))));
    service(&mut seen, Color::Green).targets = None;
    assert_eq!(first(&seen, &goal(0, 100)), Next::Read(ReadScope::TRAFFIC));
}

/// A run that follows the decision over a world, with its answers.
struct Ride {
    /// What AWS shows.
    seen: Snapshot,
    /// What is wanted.
    goal: Goal,
    /// What the run remembers.
    run: Run,
    /// Now.
    now: Time,
    /// The production rules so far.
    rules: EarlierRules,
}

impl Ride {
    /// A run that begins.
    fn new(seen: Snapshot, goal: Goal) -> Ride {
        Ride { seen, goal, run: Run::begin(at(0)), now: at(0), rules: EarlierRules::default() }
    }

    /// The next decision.
    fn next(&mut self) -> Next {
        self.rules.note(&mut self.seen, None, self.now);
        next_traffic_action(&Ok(self.seen.clone()), &self.goal, &mut self.run, self.now)
    }

    /// Does what is next and gives it in short words.
    fn go(&mut self) -> String {
        match self.next() {
            Next::Step(step) => {
                self.run.before(&step, &self.seen.clone(), &self.goal);
                self.run.answered(&step, &Ok(Answer::Changed), &self.goal, self.now);
                if let Step::Weights(weights) = &step {
                    let (blue, green) = (weights.after.blue, weights.after.green);
                    for rule in
                        rules(&mut self.seen)[0].rules.iter_mut().filter(|rule| rule.arn == weights.rule)
                    {
                        *rule = production(rule.port, blue, green);
                    }
                }
                if matches!(step, Step::Policy(_) | Step::Alarm(_)) {
                    super::predict::predict_step(&mut self.seen, &step);
                }
                if let Step::Update(update) = &step {
                    service(&mut self.seen, update.color).desired = update.desired.unwrap();
                }
                if let Step::Scaling(scaling) = &step
                    && let Some(Ok(Some(target))) = &mut service(&mut self.seen, scaling.color).scaling
                {
                    target.in_suspended = scaling.in_suspended.unwrap_or(target.in_suspended);
                    target.min = scaling.min.unwrap_or(target.min);
                }
                short(&step)
            }
            Next::Restore(failing, _) => {
                let told = format!("{failing:?}");
                self.run.start_restore(failing, self.now);
                told.chars().take(24).collect()
            }
            // The world shows everything: the next look is as good as this one.
            Next::Read(look) if look == self.goal.look() => self.go(),
            Next::Done(End::Good { changed, .. }) => format!("good {changed}"),
            Next::Done(End::Bad { left, because, .. }) => format!("{} {because:?}", left.word()),
            Next::Wait(wait) => format!("{wait:?}").chars().take_while(|c| c.is_alphanumeric()).collect(),
            other => format!("{other:?}"),
        }
    }

    /// Lets time pass.
    fn later(&mut self, seconds: u64) -> &mut Self {
        self.now = self.now.after(Duration::from_secs(seconds));
        self
    }
}

/// An alarm that does not fire.
fn quiet(name: &str) -> Alarm {
    Alarm { name: name.to_owned(), state: AlarmState::Fine, reason: String::new() }
}

/// A stepped run that holds at 20 %.
fn holding() -> Ride {
    let alarms = vec!["web-5xx".to_owned()];
    let mut seen = world(100, 0);
    seen.alarms = Some(Ok(vec![quiet("web-5xx")]));
    let stepped = wish(goal(0, 100), |wish| (wish.steps, wish.alarms) = (vec![20], alarms));
    let mut ride = Ride::new(seen, stepped);
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default blue-80", "HTTPS:443 default blue-80", "Bake"]
    );
    ride
}

#[test]
fn a_bake_is_held_to_its_end() {
    let mut ride = holding();
    assert_eq!(ride.later(299).go(), "Bake");
    assert_eq!(ride.later(1).go(), "HTTP:80 default green");
    assert_eq!([ride.go(), ride.go()], ["HTTPS:443 default green", "good true"]);
}

#[test]
fn an_alarm_in_a_bake_sends_users_back_to_where_the_run_found_them() {
    let mut ride = holding();
    ride.seen.alarms.as_mut().unwrap().as_mut().unwrap()[0].state = AlarmState::Firing;
    assert!(ride.later(60).go().starts_with("Traffic(Alarm"));
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default blue", "HTTPS:443 default blue"]);
    assert_eq!(ride.go(), "restored RestoredByRun");
}

#[test]
fn a_receiver_that_sickens_in_a_bake_sends_users_back_and_nobody_goes_to_a_sick_color() {
    let mut ride = holding();
    tasks(&mut ride.seen, Color::Green, 2, 0, "unhealthy");
    assert!(ride.later(60).go().starts_with("Traffic(Sick"));
    tasks(&mut ride.seen, Color::Blue, 2, 1, "unhealthy");
    assert_eq!(ride.go(), "Capacity", "invariant 27");
    assert!(ride.later(200).go().starts_with("changed NotEnough"));
}

#[test]
fn invariant_06_somebody_elses_weights_stand() {
    let mut ride = holding();
    rules(&mut ride.seen)[0].rules[0] = production(80, 50, 50);
    assert!(ride.later(60).go().starts_with("Traffic(Overtaken"));
    assert_eq!(ride.go(), "changed ChangedExternally", "and nothing is written");
}

#[test]
fn somebody_who_puts_back_what_was_there_before_is_somebody_else() {
    let mut ride = holding();
    for port in [80, 443] {
        let rule = rules(&mut ride.seen)[0].rules.iter_mut().find(|rule| rule.port == port).unwrap();
        *rule = production(port, 100, 0);
    }
    assert_eq!(ride.later(5).go(), "Weights", "an answer of AWS may be old");
    assert!(ride.later(5).go().starts_with("Traffic(Overtaken"));
    assert_eq!(ride.go(), "changed ChangedExternally");
}

#[test]
fn invariant_08_half_written_rules_go_back_when_somebody_else_writes_another() {
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    assert_eq!(ride.go(), "HTTP:80 default blue-80");
    let theirs = rules(&mut ride.seen)[0].rules.iter_mut().find(|rule| rule.port == 443).unwrap();
    *theirs = production(443, 50, 50);
    assert!(ride.go().starts_with("Traffic(Overtaken"));
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default blue", "changed ChangedExternally"]);
}

#[test]
fn a_refused_second_rule_sends_the_first_back() {
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    assert_eq!(ride.go(), "HTTP:80 default blue-80");
    let Next::Step(step) = ride.next() else { panic!() };
    ride.run.answered(&step, &Err(trouble(AwsErrorKind::Denied)), &ride.goal.clone(), ride.now);
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default blue", "restored RestoredByRun"]);
}

#[test]
fn weights_that_do_not_show_are_waited_for_and_then_put_back() {
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    ride.go();
    rules(&mut ride.seen)[0].rules[0] = production(80, 100, 0);
    assert_eq!(ride.go(), "Weights");
    assert!(ride.later(10).go().starts_with("Traffic(NotShown"));
}

#[test]
fn invariant_35_a_write_without_an_answer_is_looked_for_before_it_is_decided_anew() {
    let lost = crate::plan::aws_error::AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    for shown in [false, true] {
        let mut ride = Ride::new(world(100, 0), goal(80, 20));
        let Next::Step(step) = ride.next() else { panic!() };
        ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
        ride.run.answered(&step, &Err(lost.clone()), &ride.goal.clone(), ride.now);
        assert_eq!(ride.go(), "UnansweredWrite");
        if shown {
            rules(&mut ride.seen)[0].rules[0] = production(80, 80, 20);
            assert_eq!(ride.go(), "HTTPS:443 default blue-80");
        } else {
            assert_eq!(ride.later(10).go(), "HTTP:80 default blue-80", "sent again once it is certain");
        }
    }
}

#[test]
fn invariant_18_a_scale_up_that_fails_gives_the_old_count_and_scale_in_back() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), false);
    }
    let mut ride = Ride::new(seen, goal(0, 100));
    assert_eq!([ride.go(), ride.go(), ride.go()], ["suspend blue", "suspend green", "green to 4"]);
    assert_eq!(ride.go(), "Capacity");
    assert!(ride.later(600).go().starts_with("Traffic(NotEnough"));
    assert_eq!([ride.go(), ride.go(), ride.go()], ["resume blue", "resume green", "green to 1"]);
    assert_eq!(ride.go(), "restored RestoredByRun");
}

#[test]
fn invariant_09_a_winner_that_dies_while_it_settles_is_no_success() {
    let mut seen = world(100, 0);
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), false);
    }
    let mut ride = Ride::new(seen, goal(0, 100));
    let done = [ride.go(), ride.go(), ride.go(), ride.go(), ride.go()];
    assert_eq!(done[2..], ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]);
    for target in service(&mut ride.seen, Color::Green).targets.as_mut().unwrap().as_mut().unwrap() {
        target.state = "unhealthy".to_owned();
    }
    assert!(ride.later(5).go().starts_with("Traffic(Sick"));
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default blue", "HTTPS:443 default blue"], "blue still can");
}

#[test]
fn a_winner_that_keeps_too_few_healthy_targets_is_no_success_and_one_that_gets_them_is() {
    for recovers in [false, true] {
        let mut ride = Ride::new(world(100, 0), goal(0, 100));
        assert_eq!([ride.go(), ride.go()], ["HTTP:80 default green", "HTTPS:443 default green"]);
        let state = |ride: &mut Ride, to: &str| {
            let targets = service(&mut ride.seen, Color::Green).targets.as_mut().unwrap();
            to.clone_into(&mut targets.as_mut().unwrap()[0].state);
        };
        state(&mut ride, "unhealthy");
        assert_eq!(ride.go(), "Capacity");
        if recovers {
            state(&mut ride, "healthy");
            assert_eq!(ride.later(20).go(), "good true");
        } else {
            assert_eq!(ride.later(59).go(), "Capacity");
            assert!(ride.later(1).go().starts_with("Traffic(Sick"));
            assert_eq!(ride.go(), "HTTP:80 default blue");
        }
    }
}

#[test]
fn invariant_06_what_somebody_else_writes_before_the_first_write_stands() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 4, 0, "initial");
    let mut ride = Ride::new(seen, goal(0, 100));
    assert_eq!(ride.go(), "Capacity");
    for rule in &mut rules(&mut ride.seen)[0].rules {
        *rule = production(rule.port, 50, 50);
    }
    assert!(ride.go().starts_with("Traffic(Overtaken"));
    assert_eq!(ride.go(), "untouched NothingChanged");
}

#[test]
fn invariant_08_a_rule_that_holds_what_we_wrote_goes_back_when_the_other_one_is_somebody_elses() {
    let mut ride = Ride::new(world(100, 0), goal(0, 100));
    assert_eq!(ride.go(), "HTTP:80 default green");
    assert_eq!(ride.go(), "HTTPS:443 default green");
    rules(&mut ride.seen)[0].rules[0] = production(80, 50, 50);
    assert!(ride.go().starts_with("Traffic(Overtaken"));
    assert_eq!([ride.go(), ride.go()], ["HTTPS:443 default blue", "changed ChangedExternally"]);
}

#[test]
fn invariant_08_a_rule_that_is_new_goes_there_and_back_with_the_others() {
    let mut ride = holding();
    rules(&mut ride.seen)[0].rules.push(production(8443, 100, 0));
    assert_eq!(ride.go(), "HTTP:8443 default blue-80");
    for target in service(&mut ride.seen, Color::Green).targets.as_mut().unwrap().as_mut().unwrap() {
        target.state = "unhealthy".to_owned();
    }
    assert!(ride.go().starts_with("Traffic(Sick"));
    let back = [ride.go(), ride.go(), ride.go()];
    assert_eq!(back, ["HTTP:80 default blue", "HTTPS:443 default blue", "HTTP:8443 default blue"]);
}

#[test]
fn a_loser_that_is_being_deployed_to_keeps_its_tasks() {
    let mut seen = world(0, 100);
    let finish = Finish { idle_count: 1, max_drain: Duration::ZERO, bounds: None };
    let promote = Goal { finish: Some(finish), ..goal(0, 100) };
    assert_eq!(planned(&seen, &promote), ["blue to 1"]);
    let blue = service(&mut seen, Color::Blue);
    let older = Deployment { primary: false, running: 2, ..blue.deployments[0].clone() };
    blue.deployments[0].rollout = Rollout::InProgress;
    blue.deployments.push(older);
    assert_eq!(planned(&seen, &promote), [""; 0]);
    assert_eq!(stays_busy(&seen, &promote), Some(Color::Blue));
}

#[test]
fn a_promote_listens_to_its_alarms_until_the_other_color_shrinks() {
    let finish = Finish { idle_count: 1, max_drain: Duration::from_secs(600), bounds: None };
    for shrunk in [false, true] {
        let mut ride = holding();
        ride.goal.finish = Some(finish);
        assert_eq!(ride.later(300).go(), "HTTP:80 default green");
        assert_eq!([ride.go(), ride.go()], ["HTTPS:443 default green", "Settle"]);
        if shrunk {
            assert_eq!(ride.later(120).go(), "blue to 1");
        }
        let firing = Alarm { state: AlarmState::Firing, ..quiet("web-5xx") };
        ride.seen.alarms = Some(Ok(vec![firing]));
        let next = ride.go();
        assert_eq!(next.starts_with("Traffic(Alarm"), !shrunk, "{next}");
    }
}

#[test]
fn invariant_25_users_go_back_only_until_the_other_color_shrinks() {
    let finish = Finish { idle_count: 1, max_drain: Duration::ZERO, bounds: None };
    for shrunk in [false, true] {
        let mut ride = Ride::new(world(100, 0), Goal { finish: Some(finish), ..goal(0, 100) });
        ride.goal.restore_on_cancel = true;
        assert_eq!([ride.go(), ride.go()], ["HTTP:80 default green", "HTTPS:443 default green"]);
        assert_eq!(ride.go(), "Settle");
        if shrunk {
            assert_eq!(ride.later(120).go(), "blue to 1");
        }
        ride.run.memory.cancelled = Some(ride.now);
        assert_eq!(ride.go(), "Cancelled");
        assert_eq!(ride.go(), if shrunk { "changed Arrived" } else { "HTTP:80 default blue" });
    }
}

#[test]
fn invariant_21_a_color_that_is_left_need_not_be_there_any_more() {
    let mut seen = world(0, 100);
    service(&mut seen, Color::Green).status = ServiceStatus::Inactive;
    assert!(matches!(first(&seen, &goal(100, 0)), Next::Step(Step::Weights(_))));
    assert!(matches!(first(&seen, &goal(80, 20)), Next::Refuse(Refusal::NotActive { .. })));
}

#[test]
fn a_color_whose_deployment_failed_gets_nobody_unless_users_are_failing() {
    let mut seen = world(100, 0);
    service(&mut seen, Color::Green).deployments[0].rollout = Rollout::Failed;
    assert!(matches!(first(&seen, &goal(0, 100)), Next::Refuse(Refusal::FailedThere { .. })));
    assert!(matches!(first(&seen, &wish(goal(0, 100), |wish| wish.force = true)), Next::Step(_)));
    assert_eq!(planned(&seen, &goal(100, 0)), [""; 0]);
}

#[test]
fn invariant_18_more_tasks_of_a_version_that_is_sick_are_not_tried() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 1, 0, "unhealthy");
    let Next::Refuse(Refusal::NotEnough { why, .. }) = first(&seen, &goal(0, 100)) else { panic!() };
    assert_eq!(why, Short::Unhealthy);
}

#[test]
fn invariant_09_writes_without_an_answer_are_not_sent_for_ever() {
    let lost = crate::plan::aws_error::AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    let mut sent = 0;
    let ended = loop {
        match ride.next() {
            Next::Step(step) => {
                sent += 1;
                ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
                ride.run.answered(&step, &Err(lost.clone()), &ride.goal.clone(), ride.now);
            }
            Next::Wait(_) => drop(ride.later(5)),
            other => break other,
        }
        assert!(sent < 100, "it goes on for ever");
    };
    assert!(matches!(ended, Next::Restore(RunFailure::Traffic(TrafficFailure::AwsError(_)), _)), "{ended:?}");
}

#[test]
fn invariant_09_a_part_that_can_not_be_read_in_a_bake_ends_it() {
    let mut ride = holding();
    service(&mut ride.seen, Color::Green).targets = Some(Err(trouble(AwsErrorKind::Throttled)));
    assert_eq!([ride.go(), ride.later(59).go()], ["AwsError", "AwsError"]);
    assert!(ride.later(1).go().starts_with("Traffic(Blind"));
}

#[test]
fn invariant_09_what_was_not_watched_was_not_held() {
    let mut ride = holding();
    let bake = ride.goal.wish.bake.as_secs();
    ride.seen.alarms = Some(Err(trouble(AwsErrorKind::Throttled)));
    assert_eq!([ride.go(), ride.later(50).go()], ["AwsError", "AwsError"]);
    ride.seen.alarms = Some(Ok(vec![quiet("web-5xx")]));
    assert_eq!(ride.later(bake - 50).go(), "Bake");
}

#[test]
fn a_signal_leaves_users_where_they_are_unless_the_rules_are_half_written() {
    let mut ride = holding();
    ride.run.memory.cancelled = Some(ride.now);
    assert_eq!([ride.go(), ride.go()], ["Cancelled", "changed Asked"]);
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    ride.go();
    ride.run.memory.cancelled = Some(ride.now);
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["Cancelled", "HTTP:80 default blue", "restored RestoredByRun"]
    );
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    ride.run.memory.cancelled = Some(ride.now);
    assert_eq!([ride.go(), ride.go()], ["Cancelled", "untouched NothingChanged"]);
    let mut ride = holding();
    ride.goal.restore_on_cancel = true;
    ride.run.memory.cancelled = Some(ride.now);
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["Cancelled", "HTTP:80 default blue", "HTTPS:443 default blue"]
    );
}

#[test]
fn reads_that_keep_failing_in_a_bake_send_users_back() {
    let mut ride = holding();
    let blind = Err(trouble(AwsErrorKind::Throttled));
    for (seconds, turns) in [(0, false), (59, false), (1, true)] {
        ride.later(seconds);
        let next = next_traffic_action(&blind, &ride.goal, &mut ride.run, ride.now);
        assert_eq!(
            matches!(next, Next::Restore(RunFailure::Traffic(TrafficFailure::Blind(_)), _)),
            turns,
            "{next:?}"
        );
    }
}

#[test]
fn a_killed_run_is_gone_on_with_from_what_is_live() {
    // Killed after everything but the last call.
    let mut seen = world(0, 100);
    scales(&mut seen, Color::Blue, (1, 10), true);
    scales(&mut seen, Color::Green, (1, 10), true);
    assert_eq!(planned(&seen, &goal(0, 100)), ["resume green"]);
}

#[test]
fn a_receiver_in_the_middle_of_a_deployment_is_refused_unless_forced() {
    let mut seen = world(100, 0);
    let green = service(&mut seen, Color::Green);
    let older = green.deployments[0].clone();
    green.deployments[0].rollout = Rollout::InProgress;
    assert!(
        matches!(first(&seen, &goal(0, 100)), Next::Step(_)),
        "a count alone that changes is no deployment"
    );
    let green = service(&mut seen, Color::Green);
    green.deployments.push(Deployment { primary: false, ..older });
    assert!(matches!(first(&seen, &goal(0, 100)), Next::Refuse(Refusal::InFlight { .. })));
    assert!(matches!(first(&seen, &wish(goal(0, 100), |wish| wish.force = true)), Next::Step(_)));
    assert_eq!(planned(&seen, &goal(100, 0)), [""; 0]);
}

#[test]
fn a_scale_up_whose_tasks_keep_failing_is_given_up_at_once() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    let mut ride = Ride::new(seen, goal(0, 100));
    assert_eq!([ride.go(), ride.go()], ["green to 4", "Capacity"]);
    let failed = |seconds: u64, code: &str| Task {
        stop_code: Some(code.to_owned()),
        stopped_at: Some(at(seconds)),
        ..Task::default()
    };
    let old = crate::plan::sample::T0;
    let earlier = Task { stopped_at: Some(Time(old.0 - 1)), ..failed(0, "EssentialContainerExited") };
    let scaled_in = failed(5, "ServiceSchedulerInitiated");
    let two = vec![earlier, scaled_in, failed(5, "EssentialContainerExited"), failed(6, "TaskFailedToStart")];
    service(&mut ride.seen, Color::Green).stopped = Some(Ok(two.clone()));
    assert_eq!(ride.later(7).go(), "Capacity", "two of its own tasks failed, and one is a chance more");
    let three = two.into_iter().chain([failed(8, "EssentialContainerExited")]).collect();
    service(&mut ride.seen, Color::Green).stopped = Some(Ok(three));
    assert!(ride.later(2).go().starts_with("Traffic(NotEnough"));
    assert_eq!([ride.go(), ride.go()], ["green to 1", "restored RestoredByRun"]);
}

/// What the config says in these tests.
const MANAGED: Managed = Managed {
    min: 2,
    max: 10,
    idle_min: 1,
    cpu: 80,
    memory: 80,
    scale_in_below: 40,
    scale_in_after: Duration::from_secs(300),
};

/// A goal with scaling in the config.
fn managed(goal: Goal) -> Goal {
    Goal { managed: Some(MANAGED), ..goal }
}

/// Both colors with scalable targets, and no policy and no alarm; blue has all users.
fn unarmed() -> Snapshot {
    unarmed_at(100, 0)
}

/// The same at this split.
fn unarmed_at(blue: u32, green: u32) -> Snapshot {
    let mut seen = world(blue, green);
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), false);
        service(&mut seen, color).scalers = Some(Ok(Scalers::default()));
    }
    seen
}

/// Steps with names cut to what tells them apart.
fn armed(steps: &[String]) -> Vec<String> {
    steps.iter().map(|step| step.replace("ecs-blue-green/shop/web-", "")).collect()
}

#[test]
fn invariant_31_alarms_act_before_their_color_gets_weight_and_scale_in_is_off_by_then() {
    let mut wanted = vec!["suspend blue".to_owned(), "suspend green".to_owned()];
    for color in ["blue", "green"] {
        let names = ["out", "in", "cpu-high", "memory-high", "low"];
        wanted.extend(names.map(|name| format!("{color}/{name}")));
    }
    wanted.extend(["HTTP:80 default split".to_owned(), "HTTPS:443 default split".to_owned()]);
    assert_eq!(armed(&planned(&unarmed(), &managed(goal(50, 50)))), wanted);
    assert_eq!(planned(&unarmed(), &goal(50, 50))[2], "HTTP:80 default split");
}

#[test]
fn what_the_config_allows_is_written_before_users_need_it_and_more_is_refused() {
    let mut seen = unarmed();
    scales(&mut seen, Color::Green, (1, 2), false);
    tasks(&mut seen, Color::Blue, 6, 6, "healthy");
    let to_green = managed(goal(0, 100));
    let steps = planned(&seen, &to_green);
    let at = |step: &str| steps.iter().position(|found| found == step).unwrap_or_else(|| panic!("{steps:?}"));
    assert!(at("bounds of green max 10") < at("green to 6"), "{steps:?}");
    assert!(at("green to 6") < at("HTTP:80 default green"), "{steps:?}");
    assert!(!steps.contains(&"bounds of blue max 10".to_owned()), "{steps:?}");
    let less = Goal { managed: Some(Managed { max: 5, ..MANAGED }), ..to_green };
    let why = |goal: &Goal| match first(&seen, goal) {
        Next::Refuse(Refusal::NotEnough { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&less), Short::ConfigMax);
    assert_eq!(why(&goal(0, 100)), Short::MaxCapacity, "without a config, nobody may raise it");
}

#[test]
fn a_color_that_ends_without_users_gets_no_alarms() {
    let steps = armed(&planned(&unarmed(), &managed(goal(0, 100))));
    assert!(!steps.iter().any(|step| step.starts_with("blue/")), "{steps:?}");
}

#[test]
fn policies_that_can_not_be_read_or_have_our_names_stop_all_but_a_forced_run() {
    let denied = trouble(AwsErrorKind::Denied);
    let mut seen = unarmed();
    service(&mut seen, Color::Green).scalers = Some(Err(denied.clone()));
    assert_eq!(first(&seen, &managed(goal(50, 50))), Next::Refuse(Refusal::Unread(denied)));
    let forced = wish(managed(goal(50, 50)), |wish| wish.force = true);
    assert!(planned(&seen, &forced).contains(&"HTTP:80 default split".to_owned()));

    let mut seen = unarmed();
    let name = "ecs-blue-green/shop/web-green/low".to_owned();
    let taken = crate::plan::scalers::ScalingAlarm { name, composite: true, content: json!(null) };
    service(&mut seen, Color::Green).scalers =
        Some(Ok(Scalers { alarms: vec![taken], ..Scalers::default() }));
    let Next::Refuse(Refusal::NameTaken { .. }) = first(&seen, &managed(goal(50, 50))) else {
        panic!("{:?}", first(&seen, &managed(goal(50, 50))));
    };
}

#[test]
fn what_was_not_looked_at_is_looked_at() {
    let mut seen = unarmed();
    service(&mut seen, Color::Blue).scalers = None;
    let goal = managed(goal(50, 50));
    assert_eq!(first(&seen, &goal), Next::Read(ReadScope { scalers: true, ..ReadScope::TRAFFIC }));
}

#[test]
fn a_promote_ends_with_productions_alarms_on_and_the_losers_off() {
    let finish = Finish {
        idle_count: 1,
        max_drain: Duration::from_secs(600),
        bounds: Some(Minima { live: 2, idle: 1 }),
    };
    let goal = Goal { finish: Some(finish), ..managed(goal(0, 100)) };
    let mut seen = unarmed();
    let Prediction::Plan(traffic_plan) = predict_traffic(&seen, &goal, at(0)) else { panic!() };
    let acts: Vec<(String, bool)> = (traffic_plan.steps.iter())
        .filter_map(|step| match step {
            Step::Alarm(put) => Some((
                armed(std::slice::from_ref(&put.name))[0].clone(),
                put.content["ActionsEnabled"] == true,
            )),
            _ => None,
        })
        .collect();
    let of = |color: &str, on: bool| {
        ["cpu-high", "memory-high", "low"].map(|name| (format!("{color}/{name}"), on))
    };
    assert_eq!(acts, [of("green", true), of("blue", false)].concat());
    for step in &traffic_plan.steps {
        super::predict::predict_step(&mut seen, step);
    }
    for (color, min, desired) in [(Color::Green, 2, 2), (Color::Blue, 1, 1)] {
        let service = service(&mut seen, color);
        let target = service.scaling.clone().unwrap().unwrap().unwrap();
        assert_eq!((target.min, target.max, service.desired), (min, 10, desired), "{color}");
    }
    assert_eq!(planned(&seen, &goal), [""; 0]);
}

#[test]
fn invariant_31_an_alarm_of_the_live_color_that_was_turned_off_meanwhile_is_turned_on_again() {
    let mut ride = Ride::new(unarmed(), managed(goal(0, 100)));
    while ride.go() != "Settle" {}
    let scalers = service(&mut ride.seen, Color::Green).scalers.as_mut().unwrap().as_mut().unwrap();
    let alarm = scalers.alarms.iter_mut().find(|alarm| alarm.name.ends_with("cpu-high")).unwrap();
    alarm.content["ActionsEnabled"] = json!(false);
    let again = ride.later(1).go();
    assert_eq!(armed(&[again]), ["green/cpu-high"]);
    assert_eq!(ride.go(), "Settle");
}

#[test]
fn invariant_23_a_promote_gives_the_live_color_the_minimum_that_production_had() {
    let finish = Finish { idle_count: 1, max_drain: Duration::from_secs(600), bounds: None };
    let mut seen = world(100, 0);
    scales(&mut seen, Color::Blue, (2, 10), false);
    scales(&mut seen, Color::Green, (1, 10), false);
    let goal = Goal { finish: Some(finish), ..goal(0, 100) };
    let steps = planned(&seen, &goal);
    assert!(steps.contains(&"bounds of green".to_owned()), "{steps:?}");
}

/// Green alone at 100 with its scale-in suspended.
fn carried() -> Snapshot {
    let mut seen = unarmed_at(0, 100);
    scales(&mut seen, Color::Green, (1, 10), true);
    seen
}

#[test]
fn invariant_19_scale_in_waits_until_the_low_alarm_has_seen_nothing_but_the_winners_load() {
    let mut ride = Ride::new(carried(), managed(goal(0, 100)));
    assert_eq!([ride.go(), ride.later(120).go(), ride.later(179).go()], ["Settle"; 3]);
    assert_eq!([ride.later(1).go(), ride.go()], ["resume green", "good true"]);

    let mut ride = Ride::new(carried(), goal(0, 100));
    assert_eq!([ride.later(0).go(), ride.later(120).go()], ["Settle", "resume green"]);

    let long = wish(managed(goal(0, 100)), |wish| wish.settle = Duration::from_secs(900));
    let mut ride = Ride::new(carried(), long);
    assert_eq!([ride.go(), ride.later(899).go(), ride.later(1).go()], ["Settle", "Settle", "resume green"]);
}

#[test]
fn invariant_19_scale_in_stays_suspended_where_the_run_may_not_wait_for_it() {
    let goal = Goal { timeout: Duration::from_secs(299), ..managed(goal(0, 100)) };
    let mut ride = Ride::new(carried(), goal.clone());
    assert_eq!([ride.go(), ride.later(120).go()], ["Settle", "good false"]);
    assert_eq!(stays_suspended(&ride.seen, &goal), Some((Color::Green, Duration::from_secs(300))));
    let enough = Goal { timeout: Duration::from_secs(300), ..goal };
    assert_eq!(stays_suspended(&ride.seen, &enough), None);
}

#[test]
fn the_loser_does_not_keep_its_size_until_the_winner_may_scale_in() {
    let finish = Finish { idle_count: 1, max_drain: Duration::from_secs(600), bounds: None };
    let steps = planned(&carried(), &Goal { finish: Some(finish), ..managed(goal(0, 100)) });
    assert!(steps.ends_with(&["blue to 1".to_owned(), "resume green".to_owned()]), "{steps:?}");
}
