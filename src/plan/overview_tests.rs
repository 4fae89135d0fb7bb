//! The overview of what stands, and of what may be done.

use super::*;
use std::time::Duration;

use crate::plan::aws_error::AwsErrorKind;
use crate::plan::sample::{arn, at, balancer, snapshot, target, trouble};
use crate::plan::scalers::{
    Managed, Managing, Role, Scalers, apply_bounds, next_step, put_alarm, put_policy,
};
use crate::plan::snapshot::{Container, ServiceDeployment, ServiceDeploymentStatus, Target};
use crate::plan::step::{Purpose, Step};

/// The overview without hosts in the config file.
fn overview(snapshot: &Snapshot, listener: Option<&ListenerChoice>) -> Overview {
    super::build_overview(snapshot, listener, &Hosts::default())
}

#[test]
fn both_colors_are_seen_with_their_share_and_health() {
    let mut all = snapshot();
    all.balancers = Some(Ok(vec![balancer(95, 5)]));
    all.services[1].targets =
        Some(Ok(vec![target(1, "healthy"), target(2, "initial"), target(3, "draining")]));
    let seen = overview(&all, None);
    assert_eq!(seen.split, Some(Ok(Split { blue: 95, green: 5 })));
    assert_eq!(seen.production_url.as_deref(), Some("http://shop.example.com"));
    let green = &seen.colors[1];
    assert_eq!((green.percent, green.healthy, green.running, green.desired), (Some(5), Some((1, 3)), 2, 2));
    assert_eq!(green.revision, "web-green:1");
    assert_eq!(green.test_url.as_deref(), Some("http://shop.example.com:8080"));
    assert_eq!(green.image.as_deref(), Some("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1"));
    let live = [ServiceColor::Blue, ServiceColor::Green].map(|color| (color, Err(WhyNot::Live)));
    assert_eq!(seen.deployable, live);
}

#[test]
fn the_idle_color_is_deployable_unless_a_deployment_is_in_flight() {
    assert_eq!(overview(&snapshot(), None).deployable[1], (ServiceColor::Green, Ok(())));
    let mut flying = snapshot();
    flying.services[1].deployments[0].rollout = Rollout::InProgress;
    assert_eq!(overview(&flying, None).deployable[1], (ServiceColor::Green, Err(WhyNot::RolloutUnknown)));
    assert_eq!(overview(&flying, None).colors[1].rollout, None, "AWS may call a changed count so");
    assert!(needs_history(&flying) && !needs_history(&snapshot()));
    flying.services[1].history = Some(Ok(Vec::new()));
    flying.services[1].deployments[0].running = 0;
    assert_eq!(overview(&flying, None).deployable[1], (ServiceColor::Green, Err(WhyNot::InFlight)));
    assert_eq!(overview(&flying, None).colors[1].rollout, Some(Rollout::InProgress));
    flying.services[1].deployments[0].rollout = Rollout::Failed;
    assert_eq!(overview(&flying, None).deployable[1], (ServiceColor::Green, Ok(())));
}

#[test]
fn a_change_of_the_count_alone_is_no_deployment_in_flight() {
    let mut counting = snapshot();
    let green = &mut counting.services[1];
    green.deployments[0].rollout = Rollout::InProgress;
    green.history = Some(Ok(vec![ServiceDeployment {
        arn: "arn:service-deployment/1".to_owned(),
        number: None,
        status: ServiceDeploymentStatus::Successful,
        reason: String::new(),
        created: green.deployments[0].created,
        target: Some(green.task_definition.clone()),
        sources: Vec::new(),
        alarms: Vec::new(),
    }]));
    let seen = overview(&counting, None);
    assert_eq!(seen.deployable[1], (ServiceColor::Green, Ok(())));
    assert_eq!(seen.colors[1].rollout, Some(Rollout::Completed));
}

#[test]
fn develop_has_no_share_and_is_deployable_whatever_the_rules_say() {
    let mut all = snapshot();
    let mut develop = all.services[1].clone();
    develop.color = ServiceColor::Develop;
    all.services.push(develop);
    all.balancers = Some(Err(trouble(AwsErrorKind::Denied)));
    let seen = overview(&all, None);
    assert_eq!(seen.colors[2].percent, None);
    let unknown = Err(WhyNot::Unknown);
    assert_eq!(
        seen.deployable,
        [(ServiceColor::Blue, unknown), (ServiceColor::Green, unknown), (ServiceColor::Develop, Ok(()))]
    );
}

#[test]
fn what_could_not_be_read_is_named_once() {
    let mut all = snapshot();
    for service in &mut all.services {
        service.targets = Some(Err(trouble(AwsErrorKind::Denied)));
    }
    let seen = overview(&all, None);
    assert_eq!(seen.unread, [trouble(AwsErrorKind::Denied)]);
    assert_eq!(seen.colors[0].healthy, None);
}

#[test]
fn rules_that_disagree_are_shown_with_their_splits() {
    let mut all = snapshot();
    let mut two = balancer(100, 0);
    two.rules.push(crate::plan::sample::rule(443, None, &[("tg-blue", 1), ("tg-green", 1)]));
    all.balancers = Some(Ok(vec![two]));
    let seen = overview(&all, None);
    assert!(matches!(seen.split, Some(Err(RoutingError::Disagree(_)))));
    assert_eq!(seen.rules.len(), 2);
}

#[test]
fn digest_and_commit_come_from_the_tasks_and_the_tags() {
    let mut all = snapshot();
    let green = &mut all.services[1];
    for task in green.tasks.as_mut().unwrap().as_mut().unwrap() {
        let container = |name: &str, digest: &str| Container {
            name: name.to_owned(),
            digest: Some(digest.to_owned()),
            ..Container::default()
        };
        task.containers = vec![container("app", "sha256:aa"), container("sidecar", "sha256:bb")];
    }
    let tags = &mut green.definition.as_mut().unwrap().as_mut().unwrap().tags;
    tags.push(("team".to_owned(), "shop".to_owned()));
    tags.push((COMMIT_TAG.to_owned(), "0123abc".to_owned()));
    let view = &overview(&all, None).colors[1];
    assert_eq!(view.digests, ["sha256:aa"], "each once, and of the container with traffic alone");
    assert_eq!(view.commit.as_deref(), Some("0123abc"));
    assert_eq!(view.revision, arn("web-green:1").rsplit('/').next().unwrap());
}

#[test]
fn what_runs_after_a_failed_deployment_is_shown_and_not_what_it_brought() {
    let mut all = snapshot();
    let green = &mut all.services[1];
    green.task_definition = arn("web-green:2");
    green.deployments[0].rollout = Rollout::Failed;
    green.definition.as_mut().unwrap().as_mut().unwrap().tags =
        vec![(COMMIT_TAG.to_owned(), "0123abc".to_owned())];
    let container = |image: &str, digest: Option<&str>| Container {
        name: "app".to_owned(),
        image: image.to_owned(),
        digest: digest.map(str::to_owned),
        ..Container::default()
    };
    let tasks = green.tasks.as_mut().unwrap().as_mut().unwrap();
    tasks.iter_mut().for_each(|task| task.containers = vec![container("shop/web:v1", Some("sha256:aa"))]);
    let started = Task {
        task_definition: arn("web-green:2"),
        status: "PENDING".to_owned(),
        containers: vec![container("shop/web:v2", None)],
        ..Task::default()
    };
    tasks.push(started);
    let view = |all: &Snapshot| overview(all, None).colors[1].clone();
    let seen = view(&all);
    assert_eq!((seen.revision.as_str(), seen.runs.as_deref()), ("web-green:2", Some("web-green:1")));
    assert_eq!((seen.image.as_deref(), seen.digests), (Some("shop/web:v1"), vec!["sha256:aa".to_owned()]));
    assert_eq!(seen.commit, None, "of what does not run");
    let tasks = all.services[1].tasks.as_mut().unwrap().as_mut().unwrap();
    tasks[2].status = "RUNNING".to_owned();
    tasks[2].containers = vec![container("shop/web:v2", Some("sha256:bb"))];
    let seen = view(&all);
    assert_eq!(
        (seen.runs, seen.digests),
        (None, vec!["sha256:bb".to_owned()]),
        "the image with its own digest"
    );
    assert_eq!(seen.commit.as_deref(), Some("0123abc"));
    all.services[1].tasks = Some(Ok(Vec::new()));
    assert_eq!((view(&all).runs, view(&all).digests), (None, Vec::new()));
}

/// Bounds of a service.
fn scaled(service: &mut Service, max: u32, in_suspended: bool) {
    service.scaling = Some(Ok(Some(Scalable { min: 1, max, in_suspended, ..Scalable::default() })));
}

/// What a command is told for green.
fn to_green(seen: &Overview, command: Move) -> Result<(), WhyNot> {
    let one = seen.movable.iter().find(|one| one.color == Color::Green && one.command == command);
    one.unwrap().valid
}

#[test]
fn users_can_be_moved_to_a_color_that_runs_or_has_no_task_yet() {
    assert_eq!(to_green(&overview(&snapshot(), None), Move::Redirect), Ok(()));
    let mut empty = snapshot();
    (empty.services[1].desired, empty.services[1].running) = (0, 0);
    empty.services[1].targets = Some(Ok(Vec::new()));
    assert_eq!(to_green(&overview(&empty, None), Move::Rollback), Ok(()));
    let mut sick = snapshot();
    sick.services[1].targets = Some(Ok(vec![target(1, "unhealthy"), target(2, "unhealthy")]));
    assert_eq!(to_green(&overview(&sick, None), Move::Promote), Err(WhyNot::NoneHealthy));
    sick.services[1].targets = Some(Ok(vec![target(1, "initial")]));
    assert_eq!(to_green(&overview(&sick, None), Move::Promote), Ok(()));
    sick.services[1].targets = Some(Err(trouble(AwsErrorKind::Denied)));
    assert_eq!(to_green(&overview(&sick, None), Move::Redirect), Err(WhyNot::Unread));
}

#[test]
fn a_color_with_all_users_can_still_be_promoted() {
    let mut all = snapshot();
    all.balancers = Some(Ok(vec![balancer(0, 100)]));
    let seen = overview(&all, None);
    assert_eq!(to_green(&seen, Move::Redirect), Err(WhyNot::AllThere));
    assert_eq!(to_green(&seen, Move::Promote), Ok(()));
}

#[test]
fn bounds_too_low_for_a_held_split_are_drift() {
    let mut all = snapshot();
    scaled(&mut all.services[0], 10, true);
    scaled(&mut all.services[1], 2, true);
    assert_eq!(overview(&all, None).drift, [], "one color has all users");
    all.balancers = Some(Ok(vec![balancer(50, 50)]));
    let bounds = Drift::Bounds { color: Color::Green, share: 50, most: 2, largest: 10, needed: 5 };
    assert_eq!(overview(&all, None).drift, [bounds]);
    assert_eq!(overview(&all, None).colors[1].scaling.map(|scaling| scaling.max), Some(2));
    all.balancers = Some(Ok(vec![balancer(80, 20)]));
    assert_eq!(overview(&all, None).drift, [], "a fifth of 10 is 2");
}

#[test]
fn invariant_19_a_live_color_that_may_scale_in_beside_another_is_drift() {
    let mut all = snapshot();
    all.balancers = Some(Ok(vec![balancer(50, 50)]));
    scaled(&mut all.services[0], 10, true);
    scaled(&mut all.services[1], 10, false);
    let open = Drift::ScaleIn { color: Color::Green, service: "web-green".to_owned() };
    assert_eq!(overview(&all, None).drift, [open]);
    all.services[1].scaling = Some(Err(trouble(AwsErrorKind::Denied)));
    let seen = overview(&all, None);
    assert_eq!((seen.drift, seen.colors[1].scaling), (Vec::new(), None));
}

/// Production rules with these splits, green's and blue's tasks well.
fn rules_with(splits: &[(u32, u32)]) -> Snapshot {
    let mut all = snapshot();
    let mut many = balancer(100, 0);
    many.rules.retain(|rule| rule.forward.len() < 2);
    for (at, (blue, green)) in splits.iter().enumerate() {
        let port = 9000 + u16::try_from(at).unwrap();
        many.rules.push(crate::plan::sample::rule(port, None, &[("tg-blue", *blue), ("tg-green", *green)]));
    }
    all.balancers = Some(Ok(vec![many]));
    all
}

#[test]
fn rules_that_disagree_leave_the_way_to_the_color_that_settles_them() {
    let told = |splits: &[(u32, u32)]| {
        let seen = overview(&rules_with(splits), None);
        (to_green(&seen, Move::Rollback), to_green(&seen, Move::Redirect), to_green(&seen, Move::Promote))
    };
    let (yes, no) = (Ok(()), Err(WhyNot::Disagree));
    assert_eq!(told(&[(100, 0), (0, 1)]), (yes, yes, no));
    assert_eq!(told(&[(100, 0), (70, 30)]), (no, no, no));
    assert_eq!(told(&[(100, 0), (70, 30), (1, 2)]), (yes, yes, no));
    let mut sick = rules_with(&[(100, 0), (0, 1)]);
    sick.services[1].targets = Some(Ok(vec![target(1, "unhealthy")]));
    assert_eq!(to_green(&overview(&sick, None), Move::Rollback), Err(WhyNot::NoneHealthy));
}

#[test]
fn users_whom_nobody_serves_are_the_first_drift_and_nobody_is_promoted_there() {
    let mut all = snapshot();
    scaled(&mut all.services[0], 10, true);
    all.services[0].scaling =
        Some(Ok(Some(Scalable { out_suspended: true, max: 10, ..Scalable::default() })));
    all.services[0].targets = Some(Ok(vec![target(1, "unhealthy"), target(2, "draining")]));
    let seen = overview(&all, None);
    let (color, service) = (Color::Blue, "web-blue".to_owned());
    let dead = Drift::Dead { color, share: Some(100), registered: 2, running: 2, desired: 2 };
    let held = Drift::Suspended { color, service, out: true, scheduled: false };
    assert_eq!(seen.drift, [dead, held]);
    let one = seen.movable.iter().find(|one| one.color == Color::Blue && one.command == Move::Promote);
    assert_eq!(one.unwrap().valid, Err(WhyNot::NoneHealthy));
    let mut apart = rules_with(&[(100, 0), (50, 50)]);
    apart.services[1].targets = Some(Ok(Vec::new()));
    let dead = Drift::Dead { color: Color::Green, share: None, registered: 0, running: 2, desired: 2 };
    assert_eq!(overview(&apart, None).drift, [dead], "a share of some rules is no share of the users");
    apart.services[1].targets = Some(Err(trouble(AwsErrorKind::Denied)));
    assert_eq!(overview(&apart, None).drift, []);
}

/// What the config's `scaling` asks for.
const MANAGED: Managed = Managed {
    min: 2,
    max: 10,
    idle_min: 1,
    cpu: 80,
    memory: 75,
    scale_in_below: 40,
    scale_in_after: Duration::from_secs(300),
};

/// Differences of scaling in short.
fn differing(all: &Snapshot) -> Vec<String> {
    let short = |drift: Drift| match drift {
        Drift::NoTarget { color, .. } => format!("{color} no target"),
        Drift::Scaler(scaler) => {
            let fields: Vec<&str> = scaler.changes.iter().map(|change| change.path.as_str()).collect();
            let name = scaler.name.rsplit('/').next().unwrap_or_default();
            format!(
                "{} {name} {}{}",
                scaler.color,
                if scaler.missing { "missing" } else { "" },
                fields.join(" ")
            )
        }
        other => format!("{other:?}"),
    };
    find_scaling_drift(all, None, &MANAGED).into_iter().map(short).collect()
}

#[test]
fn scaling_that_is_not_as_the_config_asks_for_is_drift() {
    let mut all = snapshot();
    for service in &mut all.services {
        (service.scaling, service.scalers) = (Some(Ok(None)), Some(Ok(Scalers::default())));
    }
    let missing =
        ["no target", "out missing", "in missing", "cpu-high missing", "memory-high missing", "low missing"];
    assert_eq!(
        differing(&all),
        missing.map(|what| format!("blue {what}")),
        "green, without users, may lack it"
    );
    // As a deploy would write it for production, then somebody's hand.
    for service in &mut all.services {
        while let Managing::Step(step) = next_step(("shop", service), &MANAGED, Role::Live, Purpose::Deploy) {
            match &step {
                Step::Scaling(scaling) => apply_bounds(service, scaling),
                Step::Policy(put) => put_policy(service, put),
                Step::Alarm(put) => put_alarm(service, put),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(differing(&all), [""; 0], "green's alarms may act: it is the way back");
    for service in &mut all.services {
        let alarms = &mut service.scalers.as_mut().unwrap().as_mut().unwrap().alarms;
        alarms[0].content["Threshold"] = 70.into();
        alarms[0].content["ActionsEnabled"] = false.into();
    }
    assert_eq!(differing(&all), ["blue cpu-high ActionsEnabled Threshold", "green cpu-high Threshold"]);
    all.services[0].scalers = Some(Err(trouble(AwsErrorKind::Denied)));
    assert_eq!(differing(&all), ["green cpu-high Threshold"], "what can't be read is named as such");
}

#[test]
fn what_a_later_look_did_not_look_at_is_taken_from_an_earlier_one() {
    let mut all = snapshot();
    let mut develop = all.services[1].clone();
    develop.color = ServiceColor::Develop;
    all.services.push(develop);
    let tags = &mut all.services[1].definition.as_mut().unwrap().as_mut().unwrap().tags;
    tags.push((COMMIT_TAG.to_owned(), "0123abc".to_owned()));
    let earlier = overview(&all, None);
    let mut later = all.clone();
    later.services.pop();
    later.services.iter_mut().for_each(|service| service.definition = None);
    later.services[1].running = 1;
    let seen = overview(&later, None).with_rest_of(&earlier);
    assert_eq!(seen.colors[2], earlier.colors[2]);
    let green = &seen.colors[1];
    assert_eq!(
        (green.commit.as_deref(), green.running),
        (Some("0123abc"), 1),
        "the rest is of the later look"
    );
    assert_eq!(green.image, earlier.colors[1].image);
    later.services[1].task_definition = arn("web-green:2");
    assert_eq!(overview(&later, None).with_rest_of(&earlier).colors[1].commit, None, "that is another one");
}

#[test]
fn invariant_37_targets_of_others_are_named_and_do_not_count() {
    let mut all = snapshot();
    let mut targets: Vec<Target> = (1..=2).map(|number| target(number, "unhealthy")).collect();
    targets.extend([8, 9].map(|number| target(number, "healthy")));
    all.services[1].targets = Some(Ok(targets));
    let mut foreign = ForeignTargets::default();
    foreign.saw(&all, at(0));
    let once = overview(&all, None).with_foreign(&foreign);
    assert_eq!((once.colors[1].healthy, once.colors[1].foreign.len()), (Some((0, 2)), 0));
    foreign.saw(&all, at(0));
    let twice = overview(&all, None).with_foreign(&foreign);
    let named = vec!["10.0.0.8:8080".to_owned(), "10.0.0.9:8080".to_owned()];
    assert_eq!(twice.colors[1].foreign, named);
    let service = "web-green".to_owned();
    let drift = Drift::Foreign { color: ServiceColor::Green, service, targets: named, has_users: false };
    assert_eq!(twice.drift, [drift]);
    assert_eq!(to_green(&twice, Move::Redirect), Err(WhyNot::NoneHealthy), "nobody of green's own");
}
