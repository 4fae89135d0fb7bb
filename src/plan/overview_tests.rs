//! The overview of what stands, and of what may be done.

use super::*;
use crate::plan::sample::{arn, balancer, snapshot, target, trouble};
use crate::plan::snapshot::Container;
use crate::plan::trouble::TroubleKind;

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
    let live = [Color::Blue, Color::Green].map(|color| (color, Err(WhyNot::Live)));
    assert_eq!(seen.deployable, live);
}

#[test]
fn the_idle_color_is_deployable_unless_a_deployment_is_in_flight() {
    assert_eq!(overview(&snapshot(), None).deployable[1], (Color::Green, Ok(())));
    let mut flying = snapshot();
    flying.services[1].deployments[0].rollout = Rollout::InProgress;
    assert_eq!(overview(&flying, None).deployable[1], (Color::Green, Err(WhyNot::InFlight)));
    flying.services[1].deployments[0].rollout = Rollout::Failed;
    assert_eq!(overview(&flying, None).deployable[1], (Color::Green, Ok(())));
}

#[test]
fn develop_has_no_share_and_is_deployable_whatever_the_rules_say() {
    let mut all = snapshot();
    let mut develop = all.services[1].clone();
    develop.color = Color::Develop;
    all.services.push(develop);
    all.balancers = Some(Err(trouble(TroubleKind::Denied)));
    let seen = overview(&all, None);
    assert_eq!(seen.colors[2].percent, None);
    let unknown = Err(WhyNot::Unknown);
    assert_eq!(seen.deployable, [(Color::Blue, unknown), (Color::Green, unknown), (Color::Develop, Ok(()))]);
}

#[test]
fn what_could_not_be_read_is_named_once() {
    let mut all = snapshot();
    for service in &mut all.services {
        service.targets = Some(Err(trouble(TroubleKind::Denied)));
    }
    let seen = overview(&all, None);
    assert_eq!(seen.unread, [trouble(TroubleKind::Denied)]);
    assert_eq!(seen.colors[0].healthy, None);
}

#[test]
fn rules_that_disagree_are_shown_with_their_splits() {
    let mut all = snapshot();
    let mut two = balancer(100, 0);
    two.rules.push(crate::plan::sample::rule(443, None, &[("tg-blue", 1), ("tg-green", 1)]));
    all.balancers = Some(Ok(vec![two]));
    let seen = overview(&all, None);
    assert!(matches!(seen.split, Some(Err(Tangle::Disagree(_)))));
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
    sick.services[1].targets = Some(Err(trouble(TroubleKind::Denied)));
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
    all.services[1].scaling = Some(Err(trouble(TroubleKind::Denied)));
    let seen = overview(&all, None);
    assert_eq!((seen.drift, seen.colors[1].scaling), (Vec::new(), None));
}
