//! Tables of a promote: which phases, and what is copied.

use std::time::Duration;

use serde_json::json;

use super::{
    Caution, Goal, Phase, copy_content, find_cautions, plan_phases, traffic_goal, unpinned_containers,
};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::definition::{Content, same_content};
use crate::plan::operation::Operation;
use crate::plan::preconditions::Blocker;
use crate::plan::sample::{arn, at, balancer, content, deployment, own_deployment, snapshot, tasks, update};
use crate::plan::snapshot::{
    Container, Deployment, Revision, Rollout, Scalable, Service, ServiceDeployment, ServiceDeploymentStatus,
    Snapshot, Task,
};
use crate::plan::step::{End, Follow, Next, Purpose, Refusal, RunFailure, Step, TrafficFailure};
use crate::plan::traffic::TrafficRequest;
use crate::plan::verdict::{Limits, Restorer};
use crate::plan::wanted::{Mode, Promotion};

/// A promote of blue in this mode, all else as by default.
pub(super) fn goal(mode: Mode) -> Goal {
    let traffic = TrafficRequest {
        to: Split { blue: 100, green: 0 },
        steps: Vec::new(),
        bake: Duration::from_secs(300),
        alarms: Vec::new(),
        scale_up: true,
        force: false,
        adopt: false,
        expect: None,
        settle: Duration::from_secs(120),
    };
    Goal {
        promotion: Promotion {
            color: Color::Blue,
            mode,
            idle_count: 1,
            max_drain: Duration::from_secs(600),
            per_color: Vec::new(),
            expect: None,
            traffic,
        },
        listener: None,
        managed: None,
        bounds: None,
        limits: Limits::with_timeout(Duration::from_secs(600)),
        restore_on_cancel: false,
    }
}

/// The phases in short words.
fn told(seen: &Snapshot, goal: &Goal) -> Vec<String> {
    let short = |phase: &Phase| match phase {
        Phase::Move(goal) if goal.finish.is_some() => format!("{} and settle", goal.wish.to),
        Phase::Move(goal) => goal.wish.to.to_string(),
        Phase::Deploy(goal, service) => format!("deploy to {} ({service})", goal.color),
    };
    plan_phases(seen, goal).unwrap().iter().map(short).collect()
}

/// Blue runs v1, green runs v2.
fn world() -> Snapshot {
    let mut seen = snapshot();
    let green = seen.services.iter_mut().find(|service| service.color == Color::Green).unwrap();
    green.definition.as_mut().unwrap().as_mut().unwrap().content = content("web-green", "v2");
    seen
}

/// The service deployment of a service's PRIMARY, which succeeded.
fn succeeded(service: &Service) -> ServiceDeployment {
    ServiceDeployment {
        arn: "arn:service-deployment/1".to_owned(),
        number: None,
        status: ServiceDeploymentStatus::Successful,
        reason: String::new(),
        created: service.deployments[0].created,
        target: Some(service.task_definition.clone()),
        sources: Vec::new(),
        alarms: Vec::new(),
    }
}

/// The service of a color.
fn service(seen: &mut Snapshot, color: impl Into<ServiceColor>) -> &mut Service {
    let color = color.into();
    seen.services.iter_mut().find(|service| service.color == color).unwrap()
}

#[test]
fn the_color_without_users_never_gets_more_tasks_than_production() {
    let with = |seen: &Snapshot, idle| {
        let mut goal = goal(Mode::Swap);
        goal.promotion.idle_count = idle;
        plan_phases(seen, &goal).map(|phases| phases.len())
    };
    let mut seen = world();
    assert_eq!(with(&seen, 2).ok(), Some(1), "both have 2");
    let refusal = Refusal::IdleAbove { color: Color::Green, idle: 3, production: 2 };
    assert_eq!(with(&seen, 3), Err(Blocker::Refuse(refusal)));
    let scaling =
        Scalable { min: 1, max: 4, in_suspended: false, out_suspended: false, scheduled_suspended: false };
    service(&mut seen, Color::Blue).scaling = Some(Ok(Some(scaling)));
    assert_eq!(with(&seen, 4).ok(), Some(1), "MaxCapacity says how far production can grow");
    assert!(with(&seen, 5).is_err());
    let mut none = world();
    service(&mut none, Color::Blue).desired = 0;
    service(&mut none, Color::Green).desired = 0;
    assert_eq!(with(&none, 1).ok(), Some(1), "what else is wrong with it is said by the change of traffic");
}

#[test]
fn a_swap_is_one_phase_and_a_copy_three() {
    assert_eq!(told(&world(), &goal(Mode::Swap)), ["blue and settle"]);
    assert_eq!(told(&world(), &goal(Mode::Copy)), ["green", "deploy to blue (web-blue)", "blue and settle"]);
}

#[test]
fn invariant_07_a_copy_that_was_done_is_not_done_twice() {
    let mut seen = world();
    let blue = service(&mut seen, Color::Blue);
    blue.definition.as_mut().unwrap().as_mut().unwrap().content = content("web-blue", "v2");
    assert_eq!(told(&seen, &goal(Mode::Copy)), ["blue and settle"]);
    let blue = service(&mut seen, Color::Blue);
    blue.deployments[0].rollout = Rollout::InProgress;
    blue.history = Some(Ok(vec![succeeded(blue)]));
    assert_eq!(told(&seen, &goal(Mode::Copy)), ["blue and settle"], "only the count of blue changes");
    let blue = service(&mut seen, Color::Blue);
    blue.deployments.push(Deployment { primary: false, ..deployment("older", &arn("web-blue:0"), 2) });
    let all = ["green", "deploy to blue (web-blue)", "blue and settle"];
    assert_eq!(told(&seen, &goal(Mode::Copy)), all, "a deployment is waited for with users elsewhere");
    let blue = service(&mut seen, Color::Blue);
    blue.deployments.truncate(1);
    blue.deployments[0].rollout = Rollout::Failed;
    assert_eq!(told(&seen, &goal(Mode::Copy)), all, "a failed version is deployed again");
}

#[test]
fn what_was_approved_is_what_the_tested_color_runs() {
    let mut copy = goal(Mode::Copy);
    copy.promotion.expect = Some("web-green:1".to_owned());
    assert_eq!(told(&world(), &copy).len(), 3);
    copy.promotion.expect = Some("web-green:2".to_owned());
    let Err(Blocker::Refuse(refusal)) = plan_phases(&world(), &copy) else { panic!("refused") };
    let (found, expected) = (arn("web-green:1"), "web-green:2".to_owned());
    assert_eq!(refusal, Refusal::OtherTaskDefinition { color: Color::Green, found, expected });
}

/// A definition with these containers.
fn definition(family: &str, containers: serde_json::Value) -> Content {
    Content::from_described(json!({"family": family, "cpu": "256", "containerDefinitions": containers}))
        .unwrap()
}

/// A service whose tasks run these digests of the container `app`.
fn runs(digests: &[&str]) -> Service {
    let task = |digest: &&str| Task {
        task_definition: arn("web-green:2"),
        containers: vec![Container {
            name: "app".to_owned(),
            digest: Some((*digest).to_owned()),
            ..Container::default()
        }],
        ..Task::default()
    };
    let tasks = Some(Ok(digests.iter().map(task).collect()));
    Service { tasks, ..service(&mut snapshot(), Color::Green).clone() }
}

/// The revision that holds a content.
fn revision(content: Content) -> Revision {
    Revision { arn: arn("web-green:2"), content, tags: Vec::new(), active: true }
}

#[test]
fn what_was_tested_is_what_is_copied_by_digest_and_the_family_stays() {
    let tested = revision(definition("web-green", json!([{"name": "app", "image": "shop/web:v2"}])));
    let own = definition("web-blue", json!([{"name": "app", "image": "shop/web:v1"}]));
    let digest = format!("sha256:{}", "0".repeat(64));
    let copy = copy_content((&runs(&[&digest, &digest]), &tested), &own, &[]);
    let pinned = json!([{"name": "app", "image": format!("shop/web@{digest}")}]);
    assert!(same_content(&copy, &definition("web-blue", pinned)), "{:?}", copy.object());
    let other = format!("sha256:{}", "1".repeat(64));
    let loose = copy_content((&runs(&[&digest, &other]), &tested), &own, &[]);
    assert_eq!(unpinned_containers(&loose), ["shop/web:v2"], "tasks that run two digests pin nothing");
}

#[test]
fn variables_of_a_color_stay_its_own() {
    let tested = revision(definition(
        "web-green",
        json!([{"name": "app", "image": "shop/web:v2", "environment": [
            {"name": "COLOR", "value": "green"}, {"name": "ONLY_GREEN", "value": "1"}, {"name": "SHARED", "value": "2"}]}]),
    ));
    let own = definition(
        "web-blue",
        json!([{"name": "app", "image": "shop/web:v1", "environment": [{"name": "COLOR", "value": "blue"}],
            "secrets": [{"name": "KEY", "valueFrom": "arn:blue"}]}]),
    );
    let names = ["COLOR", "ONLY_GREEN", "KEY"].map(str::to_owned);
    let copy = copy_content((&runs(&[]), &tested), &own, &names);
    let wanted = definition(
        "web-blue",
        json!([{"name": "app", "image": "shop/web:v2",
            "environment": [{"name": "SHARED", "value": "2"}, {"name": "COLOR", "value": "blue"}],
            "secrets": [{"name": "KEY", "valueFrom": "arn:blue"}]}]),
    );
    assert!(same_content(&copy, &wanted), "{:?}", copy.object());
}

/// Green runs `shop/web:v2` by its tag with this many tasks, and blue runs these images of `app`.
fn by_tag(tasks: u32, own: &str) -> Snapshot {
    let mut seen = world();
    let digest = format!("sha256:{}", "0".repeat(64));
    let tested = definition("web-green", json!([{"name": "app", "image": "shop/web:v2"}]));
    let own = definition("web-blue", json!([{"name": "app", "image": own}]));
    service(&mut seen, Color::Blue).definition.as_mut().unwrap().as_mut().unwrap().content = own;
    let green = service(&mut seen, Color::Green);
    green.definition.as_mut().unwrap().as_mut().unwrap().content = tested;
    let mut running = green.tasks.clone().unwrap().unwrap();
    running.truncate(tasks as usize);
    for task in &mut running {
        task.task_definition.clone_from(&green.task_definition);
        task.containers =
            vec![Container { name: "app".to_owned(), digest: Some(digest.clone()), ..Container::default() }];
    }
    green.tasks = Some(Ok(running));
    seen
}

/// What a copy comes to, in short words.
fn copy_of(seen: &Snapshot) -> String {
    match plan_phases(seen, &goal(Mode::Copy)) {
        Ok(all) if all.len() == 1 => "the same".to_owned(),
        Ok(all) => all
            .iter()
            .find_map(|phase| match phase {
                Phase::Deploy(goal, _) => crate::plan::definition::image_of(&goal.content, "app"),
                Phase::Move(_) => None,
            })
            .unwrap(),
        Err(Blocker::Refuse(Refusal::NoDigest { color, images })) => {
            format!("{color} does not tell {}", images.join(", "))
        }
        Err(Blocker::Refuse(Refusal::Images { color, problems })) => {
            format!("{color}: {}", problems.iter().map(ToString::to_string).collect::<String>())
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_copy_checks_images_as_a_deploy_does() {
    let mut seen = by_tag(2, "shop/web:v1");
    let content =
        &mut service(&mut seen, Color::Green).definition.as_mut().unwrap().as_mut().unwrap().content;
    content.object_mut()["containerDefinitions"][0]["image"] = serde_json::json!("<IMAGE1_NAME>");
    assert_eq!(
        copy_of(&seen),
        "green: containerDefinitions[0].image: `<IMAGE1_NAME>` is a placeholder; write the image itself, or give the input `image`"
    );
}

#[test]
fn invariant_14_a_color_without_tasks_does_not_tell_what_its_tag_stands_for() {
    let pinned = |digit: &str| format!("shop/web@sha256:{}", digit.repeat(64));
    for (tasks, own, told) in [
        (2, pinned("0"), "the same".to_owned()),
        (2, pinned("1"), pinned("0")),
        (2, "shop/web:v1".to_owned(), pinned("0")),
        // Whether it is the same can't be told, and production is not unpinned for it.
        (0, pinned("0"), "green does not tell shop/web:v2".to_owned()),
        (0, pinned("1"), "green does not tell shop/web:v2".to_owned()),
        // Neither is by digest: a tag is a tag.
        (0, "shop/web:v1".to_owned(), "shop/web:v2".to_owned()),
        (0, "shop/web:v2".to_owned(), "the same".to_owned()),
    ] {
        assert_eq!(copy_of(&by_tag(tasks, &own)), told, "{tasks} {own}");
    }
}

#[test]
fn a_color_whose_tasks_start_does_not_tell_it_either_and_one_whose_platform_does_not_is_copied() {
    let pinned = format!("shop/web@sha256:{}", "0".repeat(64));
    let mut seen = by_tag(2, &pinned);
    let tasks = service(&mut seen, Color::Green).tasks.as_mut().unwrap().as_mut().unwrap();
    for task in tasks.iter_mut() {
        task.containers[0].digest = None;
    }
    assert_eq!(copy_of(&seen), "shop/web:v2", "they run, and AWS does not tell their digests");
    let tasks = service(&mut seen, Color::Green).tasks.as_mut().unwrap().as_mut().unwrap();
    for task in tasks.iter_mut() {
        task.status = "PENDING".to_owned();
    }
    assert_eq!(copy_of(&seen), "green does not tell shop/web:v2");
}

#[test]
fn names_that_neither_color_has_keep_nothing_and_are_refused() {
    let mut seen = world();
    let held = |family, name: &str, list: &str| {
        let mut container = json!({"name": "app", "image": "shop/web:v1"});
        container[list] = json!([{"name": name, "value": "1"}]);
        definition(family, json!([container]))
    };
    service(&mut seen, Color::Blue).definition.as_mut().unwrap().as_mut().unwrap().content =
        held("web-blue", "DATABASE_URL", "environment");
    service(&mut seen, Color::Green).definition.as_mut().unwrap().as_mut().unwrap().content =
        held("web-green", "TOKEN", "secrets");
    let refused = |names: &[&str]| {
        let mut copy = goal(Mode::Copy);
        copy.promotion.per_color = names.iter().map(|name| (*name).to_owned()).collect();
        match plan_phases(&seen, &copy) {
            Ok(_) => None,
            Err(Blocker::Refuse(Refusal::NoVariable(names))) => Some(names),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&["DATABASE_URL", "TOKEN"]), None, "one color alone may have it");
    let (suggestion, far) = ("DATABSE_URL".to_owned(), "COLOR".to_owned());
    assert_eq!(
        refused(&["DATABSE_URL", "TOKEN", "COLOR"]),
        Some(vec![(suggestion, Some("DATABASE_URL".to_owned())), (far, None)])
    );
}

#[test]
fn a_copy_gives_the_color_at_least_the_full_load_of_the_beginning() {
    let count = |seen: &Snapshot| {
        let all = plan_phases(seen, &goal(Mode::Copy)).unwrap();
        all.iter().find_map(|phase| match phase {
            Phase::Deploy(goal, _) => goal.desired,
            Phase::Move(_) => None,
        })
    };
    let mut seen = world();
    for color in Color::BOTH {
        service(&mut seen, color).scaling = Some(Ok(None));
    }
    let least = |count| Some(crate::plan::wanted::DesiredCount::MatchAtLeast(count));
    assert_eq!(count(&seen), least(2));
    service(&mut seen, Color::Blue).desired = 5;
    assert_eq!(count(&seen), least(5), "what production has");
    let scaling = Some(Ok(Some(Scalable { min: 1, max: 10, ..Scalable::default() })));
    for color in Color::BOTH {
        service(&mut seen, color).scaling.clone_from(&scaling);
    }
    service(&mut seen, Color::Green).desired = 9;
    assert_eq!(count(&seen), least(5), "where both scale, what carries the users");
}

#[test]
fn a_cancelled_copy_brings_users_back_only_to_where_it_found_them() {
    let restores = |split: (u32, u32)| {
        let mut seen = world();
        for color in Color::BOTH {
            service(&mut seen, color).scaling = Some(Ok(None));
        }
        seen.balancers = Some(Ok(vec![crate::plan::sample::balancer(split.0, split.1)]));
        let copy = Goal { restore_on_cancel: true, ..goal(Mode::Copy) };
        let all = plan_phases(&seen, &copy).unwrap();
        all.iter()
            .map(|phase| match phase {
                Phase::Move(goal) => goal.restore_on_cancel,
                Phase::Deploy(goal, _) => goal.restore_on_cancel,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(restores((100, 0)), [true, true, false], "blue had all users, and has them again");
    assert_eq!(restores((0, 100)), [true, true, true], "green had all users, and runs the same");
    assert_eq!(restores((80, 20)), [true, true, true]);
}

#[test]
fn what_a_winner_lacks_of_the_losers_scaling_is_known_before() {
    let told = |winner: Option<Scalable>, loser: Option<Scalable>, managed| {
        let mut seen = world();
        service(&mut seen, Color::Green).scaling = Some(Ok(winner));
        service(&mut seen, Color::Blue).scaling = Some(Ok(loser));
        find_cautions(&seen, Color::Green, managed)
    };
    let to = |max| Some(Scalable { min: 1, max, ..Scalable::default() });
    let lower = Caution::LowerMax { color: Color::Green, most: 2, other: 20 };
    assert_eq!(told(to(2), to(20), false), [lower]);
    assert_eq!(told(to(2), to(20), true), [], "the config says it, and the run writes it");
    assert_eq!(told(None, to(20), false), [Caution::NotScaled(Color::Green)]);
    assert_eq!(told(None, to(20), true), []);
    for (winner, loser) in [(to(20), to(20)), (to(20), to(2)), (to(2), None), (None, None)] {
        assert_eq!(told(winner, loser, false), []);
    }
    for (out, scheduled) in [(true, false), (false, true), (true, true)] {
        let off =
            Scalable { max: 20, out_suspended: out, scheduled_suspended: scheduled, ..Scalable::default() };
        let service = "web-green".to_owned();
        let caution = Caution::Suspended { color: Color::Green, service, out, scheduled };
        assert_eq!(told(Some(off), to(20), false), std::slice::from_ref(&caution));
        assert_eq!(told(Some(off), to(20), true), [caution], "no run takes it back");
        assert_eq!(told(to(20), Some(off), false), [], "the loser's is the loser's");
    }
}

#[test]
fn invariant_11_a_copy_reads_the_rules_right_before_it_updates_the_color() {
    let phases = [Phase::Deploy(Box::new(crate::plan::sample::goal()), "web-green".to_owned())];
    let operation = Operation::begin(&phases, at(0)).unwrap();
    let update = Step::Update(update(Some("web-green:2"), None, Purpose::Deploy));
    assert!(operation.is_bound_to_rules(&update));
    let with = |blue, green| Snapshot { balancers: Some(Ok(vec![balancer(blue, green)])), ..snapshot() };
    let stopped = operation.stopped_by_rules(&with(0, 100), at(1));
    assert!(matches!(stopped, Some(Next::Refuse(Refusal::LiveColor { .. }))), "{stopped:?}");
    let idle = operation.stopped_by_rules(&with(100, 0), at(1));
    assert!(matches!(idle, None | Some(Next::Step(_))), "{idle:?}");
}

/// Green as it is after a deploy of this revision.
fn green_runs(revision: &str, (blue, green): (u32, u32)) -> Snapshot {
    let mut balancer = balancer(blue, green);
    let weighted = |(color, weight)| json!({"TargetGroupArn": format!("tg-{color}"), "Weight": weight});
    let groups = [("blue", blue), ("green", green)].map(weighted);
    balancer.rules[0].whole = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]).into();
    let mut seen = Snapshot { balancers: Some(Ok(vec![balancer])), ..world() };
    for color in Color::BOTH {
        service(&mut seen, color).scaling = Some(Ok(None));
    }
    let service = service(&mut seen, Color::Green);
    service.task_definition = arn(revision);
    service.deployments = vec![deployment("mine", &arn(revision), 2)];
    service.tasks = Some(Ok(tasks(&service.deployments[0], 2, 1)));
    seen
}

#[test]
fn invariant_44_a_copy_moves_users_only_to_the_version_that_it_deployed_itself() {
    let mut copy = goal(Mode::Copy);
    copy.promotion.color = Color::Green;
    let last = traffic_goal(&copy, Color::Green, true);
    let phases = [
        Phase::Deploy(Box::new(crate::plan::sample::goal()), "web-green".to_owned()),
        Phase::Move(Box::new(last)),
    ];
    let mut operation = Operation::begin(&phases, at(0)).unwrap();
    operation.follow(Follow { awaited: own_deployment(at(0)), adopted: false, found: None });
    assert!(operation.goes_on(&End::Good { changed: true, healthy: 2 }, at(60)));
    let next = |operation: &Operation<'_>, revision, split| {
        let seen = Ok(green_runs(revision, split));
        let mut operation = operation.clone();
        operation.decide(&seen, at(60))
    };
    let forward = next(&operation, "web-green:2", (100, 0));
    assert!(matches!(forward, Next::Step(Step::Weights(_))), "{forward:?}");
    let (expected, found) = (arn("web-green:2"), arn("web-green:3"));
    let failure = TrafficFailure::Redeployed { color: Color::Green, expected, found };
    let ends = Next::Restore(RunFailure::Traffic(failure.clone()), Restorer::ThisRun);
    assert_eq!(next(&operation, "web-green:3", (100, 0)), ends, "before users move");
    assert_eq!(next(&operation, "web-green:3", (0, 100)), ends, "after users moved");
    operation.start_restore(RunFailure::Traffic(failure), Restorer::ThisRun, at(60));
    assert!(matches!(next(&operation, "web-green:3", (100, 0)), Next::Done(_)), "the restore goes on");
}
