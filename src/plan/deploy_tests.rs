//! The decision of a deploy, state by state, each typed by hand.

use super::*;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::disturbed::as_read;
use crate::plan::operation::DeployOperation;
use crate::plan::preconditions::check_preconditions;
use crate::plan::predict::{NEW_REVISION, Plan, predict_plan};
use crate::plan::run::{DeployPhase, Prepare};
use crate::plan::run_memory::{Answer, UnansweredWrite};
use crate::plan::sample::{
    arn, at, balancer, content, deployment, goal, snapshot, target, tasks, trouble, update, without_answer,
};
use crate::plan::snapshot::{
    Deployment, Revision, Rollout, ServiceDeployment, ServiceDeploymentStatus, ServiceStatus, Snapshot,
    Target,
};
use crate::plan::step::{
    EndStateReason, InitialService, Left, ProbeFailure, ProbeFailureKind, Purpose, SetupPart, Update,
};
use crate::plan::wanted::{DesiredCount, WantedColor};
use crate::plan::wiring::RoutingError;

/// The decision at a look.
fn decide(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    let look = seen.as_ref().map(|snapshot| Situation::of(snapshot, goal));
    next_deploy_action(&look, goal, run, now)
}

/// The revision that a deploy looks for.
fn wanted(goal: &Goal) -> Box<WantedRevision> {
    Box::new(WantedRevision { content: goal.content.clone(), origin: None })
}

/// The decision at the beginning.
fn first(snapshot: &Snapshot, goal: &Goal) -> Next {
    decide(&Ok(snapshot.clone()), goal, &Run::begin(at(0)), at(0))
}

/// The green service of a snapshot, to be changed.
fn green(snapshot: &mut Snapshot) -> &mut Service {
    snapshot.services.iter_mut().find(|service| service.color == Color::Green).unwrap()
}

/// An update of green for the deploy.
fn step(task_definition: Option<String>, desired: Option<u32>, force: bool) -> Next {
    Next::Step(Step::Update(Update {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        task_definition,
        desired,
        force,
        purpose: Purpose::Deploy,
    }))
}

/// Green's service as UpdateService answers: my deployment is the primary, nothing runs yet.
fn updated() -> Service {
    let mut all = snapshot();
    let green = green(&mut all);
    green.task_definition = arn("web-green:2");
    let old = Deployment { primary: false, ..green.deployments[0].clone() };
    let awaited = Deployment {
        rollout: Rollout::InProgress,
        running: 0,
        created: at(1),
        ..deployment("mine", &arn("web-green:2"), 2)
    };
    green.deployments = vec![awaited, old];
    green.clone()
}

/// The step that brings revision 2 to green as it was found.
fn brings_2(run: &mut Run, found: &Service) -> Step {
    let Next::Step(update) = step(Some(arn("web-green:2")), None, false) else { unreachable!() };
    let Step::Update(change) = &update else { unreachable!() };
    run.before_update(found, change);
    update
}

/// A run that has searched for the revision, with this result.
fn searched(sought: Option<Option<String>>) -> Run {
    let phase = DeployPhase::Prepare(Prepare { sought, ..Prepare::default() });
    Run { phase, ..Run::begin(at(0)) }
}

/// A run that updated green one second after the beginning.
fn after_update() -> Run {
    let mut run = Run::begin(at(0));
    let update = brings_2(&mut run, snapshot().service(Color::Green).unwrap());
    run.answered(&update, Ok(Answer::Updated(Box::new(updated()))), at(1));
    run
}

/// The snapshot with this green service in it.
fn with(green_service: Service) -> Snapshot {
    let mut all = snapshot();
    *green(&mut all) = green_service;
    all
}

/// The snapshot in which green's deployment is complete and healthy.
fn healthy() -> Snapshot {
    let mut green = updated();
    let awaited = Deployment { running: 2, rollout: Rollout::Completed, ..green.deployments[0].clone() };
    green.tasks = Some(Ok(tasks(&awaited, 2, 1)));
    green.deployments = vec![awaited];
    with(green)
}

#[test]
fn invariant_39_a_healthy_version_that_users_reached_meanwhile_is_no_success() {
    let seen = Snapshot { balancers: Some(Ok(vec![balancer(50, 50)])), ..healthy() };
    let ended = DeploymentFailure::UsersCame { version: arn("web-green:2"), lacks: None };
    let next = decide(&Ok(seen), &goal(), &after_update(), at(10));
    assert_eq!(next, Next::Restore(RunFailure::Deployment(ended), Restorer::NoOne));
}

#[test]
fn invariant_09_rules_that_can_not_be_read_delay_success_and_end_the_deploy_at_last() {
    let (throttled, denied) = (trouble(AwsErrorKind::Throttled), trouble(AwsErrorKind::Denied));
    let after = |trouble: &AwsError, seconds: u64| {
        let seen = Snapshot { balancers: Some(Err(trouble.clone())), ..healthy() };
        decide(&Ok(seen), &goal(), &after_update(), at(seconds))
    };
    let failed = |ended| Next::Restore(RunFailure::Deployment(ended), Restorer::ThisRun);
    assert_eq!(after(&throttled, 10), Next::Wait(Wait::AwsError(throttled.clone())));
    let late = DeploymentFailure::TimedOut(Box::new(Waiting::Unknown(throttled.clone())));
    assert_eq!(after(&throttled, 700), failed(late));
    assert_eq!(after(&denied, 10), failed(DeploymentFailure::AwsError(denied.clone())));
}

#[test]
fn the_rules_are_read_before_a_probe() {
    let mut goal = goal();
    goal.request.probes = vec!["/".to_owned()];
    let unread = Snapshot { balancers: None, ..healthy() };
    assert_eq!(decide(&Ok(unread), &goal, &after_update(), at(10)), Next::Read(goal.look()));
    let throttled = trouble(AwsErrorKind::Throttled);
    let seen = Snapshot { balancers: Some(Err(throttled)), ..healthy() };
    assert!(matches!(decide(&Ok(seen), &goal, &after_update(), at(10)), Next::Wait(_)));
}

#[test]
fn a_new_version_is_looked_for_registered_and_rolled_out() {
    let goal = goal();
    assert_eq!(first(&snapshot(), &goal), Next::Step(Step::Find(wanted(&goal))));
    let mut run = searched(Some(None));
    assert_eq!(decide(&Ok(snapshot()), &goal, &run, at(0)), Next::Step(Step::Register(wanted(&goal))));
    run.answered(&Step::Register(wanted(&goal)), Ok(Answer::Registered(arn("web-green:2"))), at(0));
    assert_eq!(decide(&Ok(snapshot()), &goal, &run, at(0)), step(Some(arn("web-green:2")), None, false));
}

#[test]
fn invariant_14_a_revision_with_the_same_content_is_used_and_none_registered() {
    let run = searched(Some(Some(arn("web-green:7"))));
    assert_eq!(decide(&Ok(snapshot()), &goal(), &run, at(0)), step(Some(arn("web-green:7")), None, false));
}

#[test]
fn invariant_14_a_revision_that_was_named_and_stays_as_it_is_is_used() {
    let goal = Goal { revision: Some(arn("web-green:3")), ..goal() };
    assert_eq!(first(&snapshot(), &goal), step(Some(arn("web-green:3")), None, false));
}

#[test]
fn invariant_14_the_same_content_that_is_healthy_needs_no_write() {
    let goal = Goal { content: content("web-green", "v1"), ..goal() };
    let Next::Follow(follow) = first(&snapshot(), &goal) else { panic!("{:?}", first(&snapshot(), &goal)) };
    assert!(!follow.adopted);
    let mut run = Run::begin(at(0));
    run.follow(follow);
    let good = Next::Done(End::Good { changed: false, healthy: 2 });
    assert_eq!(decide(&Ok(snapshot()), &goal, &run, at(1)), good);
}

#[test]
fn a_tag_that_may_have_moved_forces_a_deployment_of_the_same_content() {
    let goal = Goal { content: content("web-green", "v1"), force: true, ..goal() };
    assert_eq!(first(&snapshot(), &goal), step(None, None, true));
}

#[test]
fn an_empty_color_gets_one_task_and_a_count_is_followed() {
    let mut empty = snapshot();
    (green(&mut empty).desired, green(&mut empty).running) = (0, 0);
    let same = Goal { content: content("web-green", "v1"), ..goal() };
    assert_eq!(first(&empty, &same), step(None, Some(1), false));
    let five = Goal { desired: Some(DesiredCount::Count(5)), ..same.clone() };
    assert_eq!(first(&snapshot(), &five), step(None, Some(5), false));
    let mut busy = snapshot();
    busy.services[0].desired = 7;
    let matched = Goal { desired: Some(DesiredCount::Match), ..same };
    assert_eq!(first(&busy, &matched), step(None, Some(7), false));
}

#[test]
fn invariant_22_a_live_color_gets_no_fewer_tasks_than_it_has() {
    let mut live = snapshot();
    live.balancers = Some(Ok(vec![balancer(50, 50)]));
    green(&mut live).desired = 6;
    let mut same = Goal { content: content("web-green", "v1"), ..goal() };
    same.request.allow_live = true;
    for (asked, counts, kept) in [
        (None, None, None),
        (Some(DesiredCount::Count(2)), None, Some((2, 6))),
        (Some(DesiredCount::Count(6)), None, None),
        (Some(DesiredCount::Count(8)), Some(8), None),
        (Some(DesiredCount::Match), None, Some((2, 6))),
    ] {
        let goal = Goal { desired: asked, ..same.clone() };
        let next = first(&live, &goal);
        match counts {
            None => assert!(matches!(next, Next::Follow(_)), "{asked:?}: {next:?}"),
            Some(_) => assert_eq!(next, step(None, counts, false), "{asked:?}"),
        }
        assert_eq!(kept_count(&live, &goal), kept, "{asked:?}");
    }
    let two = Goal { desired: Some(DesiredCount::Count(2)), ..same };
    let mut idle = live;
    idle.balancers = Some(Ok(vec![balancer(100, 0)]));
    assert_eq!(first(&idle, &two), step(None, Some(2), false), "without users it may shrink");
    assert_eq!(kept_count(&idle, &two), None);
}

#[test]
fn invariant_35_an_update_that_had_its_effect_is_followed_even_if_users_came_meanwhile() {
    let Next::Step(update) = step(Some(arn("web-green:2")), None, false) else { unreachable!() };
    let lost =
        UnansweredWrite { step: update, trouble: trouble(AwsErrorKind::TimedOut), sent: at(1), ended: at(1) };
    let run = without_answer(lost, searched(Some(Some(arn("web-green:2")))));
    let live = |green| Snapshot { balancers: Some(Ok(vec![balancer(0, 100)])), ..with(green) };
    let Next::Follow(follow) = decide(&Ok(live(updated())), &goal(), &run, at(5)) else { panic!() };
    assert_eq!(follow.awaited.id.as_deref(), Some("ecs-svc/mine"));
    let as_found = live(snapshot().services[1].clone());
    assert!(matches!(
        decide(&Ok(as_found.clone()), &goal(), &run, at(5)),
        Next::Wait(Wait::UnansweredWrite(_))
    ));
    assert!(matches!(decide(&Ok(as_found), &goal(), &run, at(11)), Next::Refuse(Refusal::LiveColor { .. })));
}

#[test]
fn invariant_35_an_update_without_an_answer_is_not_called_untouched_where_nothing_can_be_read() {
    let Next::Step(update) = step(Some(arn("web-green:2")), None, false) else { unreachable!() };
    let lost =
        UnansweredWrite { step: update, trouble: trouble(AwsErrorKind::TimedOut), sent: at(1), ended: at(1) };
    let sought = Some(Some(arn("web-green:2")));
    let before = searched(sought);
    let sent = without_answer(lost, before.clone());
    let (denied, down) = (trouble(AwsErrorKind::Denied), trouble(AwsErrorKind::Unreachable));
    let unread = |trouble: &AwsError| {
        let mut green = snapshot().services[1].clone();
        green.tasks = Some(Err(trouble.clone()));
        [Err(trouble.clone()), Ok(with(green))]
    };
    let turned = |ended| Next::Restore(RunFailure::Deployment(ended), Restorer::ThisRun);
    let late = turned(DeploymentFailure::TimedOut(Box::new(Waiting::Unknown(down.clone()))));
    for seen in unread(&denied) {
        assert_eq!(decide(&seen, &goal(), &before, at(2)), Next::Refuse(Refusal::Unread(denied.clone())));
        assert_eq!(decide(&seen, &goal(), &sent, at(2)), turned(DeploymentFailure::AwsError(denied.clone())));
    }
    let [seen, _] = unread(&down);
    assert_eq!(decide(&seen, &goal(), &sent, at(599)), Next::Wait(Wait::AwsError(down.clone())));
    assert_eq!(decide(&seen, &goal(), &sent, at(600)), late);
    assert_eq!(decide(&seen, &goal(), &before, at(600)), Next::Refuse(Refusal::Unread(down)));
}

#[test]
fn invariant_11_a_live_color_is_refused_unless_allowed() {
    let mut live = snapshot();
    live.balancers = Some(Ok(vec![balancer(80, 20)]));
    let split = Split { blue: 80, green: 20 };
    assert_eq!(
        first(&live, &goal()),
        Next::Refuse(Refusal::LiveColor { color: Color::Green, split, rules: Vec::new() })
    );
    let mut allowed = goal();
    allowed.request.allow_live = true;
    assert_eq!(first(&live, &allowed), Next::Step(Step::Find(wanted(&goal()))));
}

#[test]
fn invariant_06_a_color_that_became_live_after_the_register_is_not_updated() {
    let mut live = snapshot();
    live.balancers = Some(Ok(vec![balancer(99, 1)]));
    let run = searched(Some(Some(arn("web-green:2"))));
    let refused = decide(&Ok(live), &goal(), &run, at(3));
    assert!(matches!(refused, Next::Refuse(Refusal::LiveColor { color: Color::Green, .. })), "{refused:?}");
}

#[test]
fn idle_is_found_and_a_split_has_none() {
    let mut goal = goal();
    goal.request.color = WantedColor::Idle;
    let mut split = snapshot();
    split.balancers = Some(Ok(vec![balancer(50, 50)]));
    assert_eq!(first(&split, &goal), Next::Refuse(Refusal::NoIdleColor(Split { blue: 50, green: 50 })));
    let admitted = check_preconditions(&snapshot(), &goal.request).unwrap();
    assert_eq!(admitted.color, Color::Green);
}

#[test]
fn every_setup_that_is_not_handled_is_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Service)| {
        let mut all = snapshot();
        change(green(&mut all));
        match first(&all, &goal()) {
            Next::Refuse(Refusal::Setup { part, found, .. }) => (part, found),
            other => panic!("{other:?}"),
        }
    };
    let daemon = refused(&|service| service.setup.scheduling = "DAEMON".to_owned());
    assert_eq!(daemon, (SetupPart::Scheduling, "DAEMON".to_owned()));
    let deploy = refused(&|service| service.setup.controller = "CODE_DEPLOY".to_owned());
    assert_eq!(deploy, (SetupPart::Controller, "CODE_DEPLOY".to_owned()));
    let native = refused(&|service| service.setup.strategy = "BLUE_GREEN".to_owned());
    assert_eq!(native, (SetupPart::Strategy, "BLUE_GREEN".to_owned()));
    let none = refused(&|service| service.setup.links.clear());
    assert_eq!(none, (SetupPart::TargetGroups, "0".to_owned()));
    let two = refused(&|service| service.setup.links.push(service.setup.links[0].clone()));
    assert_eq!(two, (SetupPart::TargetGroups, "2".to_owned()));
    let classic = refused(&|service| service.setup.links[0].group = None);
    assert_eq!(classic, (SetupPart::ClassicBalancer, "loadBalancerName".to_owned()));
}

#[test]
fn missing_draining_and_tangled_services_are_refused() {
    let mut gone = snapshot();
    gone.missing = vec![(ServiceColor::Green, "web-green".to_owned())];
    assert!(matches!(first(&gone, &goal()), Next::Refuse(Refusal::Missing { .. })));
    let mut draining = snapshot();
    green(&mut draining).status = ServiceStatus::Draining;
    let refusal = Refusal::NotActive { service: "web-green".to_owned(), status: "DRAINING" };
    assert_eq!(first(&draining, &goal()), Next::Refuse(refusal));
    let mut unwired = snapshot();
    unwired.balancers = Some(Ok(vec![{
        let mut balancer = balancer(100, 0);
        balancer.rules.remove(0);
        balancer
    }]));
    let listeners = vec!["HTTP:8080".to_owned(), "HTTP:8081".to_owned()];
    assert_eq!(
        first(&unwired, &goal()),
        Next::Refuse(Refusal::RoutingError(RoutingError::NoProductionRule(listeners)))
    );
}

#[test]
fn another_deployment_in_flight_is_refused_and_one_of_the_same_content_is_adopted() {
    let mut flying = with(updated());
    let refused = first(&flying, &goal());
    assert!(matches!(refused, Next::Refuse(Refusal::InFlight { .. })), "{refused:?}");
    let definition = Revision {
        arn: arn("web-green:2"),
        content: content("web-green", "v2"),
        tags: Vec::new(),
        active: true,
    };
    green(&mut flying).definition = Some(Ok(definition));
    assert_eq!(first(&flying, &goal()), Next::Read(goal().closer_look()));
    green(&mut flying).history = Some(Ok(Vec::new()));
    let Next::Follow(follow) = first(&flying, &goal()) else { panic!() };
    assert!(follow.adopted);
    assert_eq!(follow.awaited.id.as_deref(), Some("ecs-svc/mine"));
    assert_eq!(follow.found, Some(InitialService { task_definition: arn("web-green:1"), desired: 2 }));
}

#[test]
fn an_adopted_deployment_is_superseded_by_a_newer_one_whatever_the_clock_of_the_runner_says() {
    let mut flying = with(updated());
    let green = green(&mut flying);
    green.definition.as_mut().unwrap().as_mut().unwrap().content = content("web-green", "v2");
    green.history = Some(Ok(Vec::new()));
    let mut run = Run::begin(at(1_000));
    let Next::Follow(follow) = decide(&Ok(flying), &goal(), &run, at(1_000)) else { panic!() };
    run.follow(follow);
    let mut newer = updated();
    newer.task_definition = arn("web-green:3");
    newer.deployments = vec![Deployment { created: at(500), ..deployment("newer", &arn("web-green:3"), 2) }];
    newer.history = Some(Ok(Vec::new()));
    let next = decide(&Ok(with(newer)), &goal(), &run, at(1_010));
    let superseded = DeploymentFailure::Superseded { by: arn("web-green:3") };
    assert_eq!(next, Next::Restore(RunFailure::Deployment(superseded), Restorer::NoOne));
}

#[test]
fn no_room_for_a_rolling_update_is_seen_before_writing() {
    let mut tight = snapshot();
    (green(&mut tight).setup.minimum_percent, green(&mut tight).setup.maximum_percent) = (100, 100);
    let refusal = Refusal::NoRoom { service: "web-green".to_owned(), desired: 2, minimum: 100, maximum: 100 };
    assert_eq!(first(&tight, &goal()), Next::Refuse(refusal));
}

#[test]
fn invariant_09_before_the_first_write_a_throttle_waits_and_a_missing_permission_refuses() {
    let run = Run::begin(at(0));
    let throttled = trouble(AwsErrorKind::Throttled);
    let waiting = decide(&Err(throttled.clone()), &goal(), &run, at(5));
    assert_eq!(waiting, Next::Wait(Wait::AwsError(throttled.clone())));
    let late = decide(&Err(throttled.clone()), &goal(), &run, at(600));
    assert_eq!(late, Next::Refuse(Refusal::Unread(throttled)));
    for part in 0..4 {
        let mut all = snapshot();
        let denied = trouble(AwsErrorKind::Denied);
        match part {
            0 => all.balancers = Some(Err(denied.clone())),
            1 => green(&mut all).group = Some(Err(denied.clone())),
            2 => green(&mut all).targets = Some(Err(denied.clone())),
            _ => green(&mut all).tasks = Some(Err(denied.clone())),
        }
        assert_eq!(first(&all, &goal()), Next::Refuse(Refusal::Unread(denied)), "part {part}");
    }
}

#[test]
fn a_failed_deployment_turns_and_puts_back_what_was_found() {
    let mut run = after_update();
    let mut failed = updated();
    failed.deployments[0].rollout = Rollout::Failed;
    let turn = decide(&Ok(with(failed.clone())), &goal(), &run, at(20));
    assert_eq!(
        turn,
        Next::Restore(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), Restorer::ThisRun)
    );
    run.start_restore(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), Restorer::ThisRun, at(20));
    let restore = update(Some("web-green:1"), None, Purpose::Restore);
    assert_eq!(decide(&Ok(with(failed)), &goal(), &run, at(21)), Next::Step(Step::Update(restore.clone())));
    let back = snapshot().service(Color::Green).unwrap().clone();
    run.answered(&Step::Update(restore), Ok(Answer::Updated(Box::new(back))), at(21));
    let end = End::Bad {
        failing: RunFailure::Deployment(DeploymentFailure::CircuitBreaker),
        left: Left::Restored,
        because: EndStateReason::RestoredByRun,
    };
    assert_eq!(decide(&Ok(snapshot()), &goal(), &run, at(22)), Next::Done(end));
}

#[test]
fn invariant_13_a_rollback_by_aws_is_waited_for_and_not_done_twice() {
    let mut run = after_update();
    run.start_restore(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), Restorer::Aws, at(20));
    let waiting = decide(&Ok(with(updated())), &goal(), &run, at(25));
    assert!(matches!(waiting, Next::Wait(Wait::Rollback { .. })), "{waiting:?}");
    let end = decide(&Ok(snapshot()), &goal(), &run, at(26));
    let Next::Done(End::Bad { left, because, .. }) = end else { panic!("{end:?}") };
    assert_eq!((left, because), (Left::Restored, EndStateReason::RestoredByAws));
}

#[test]
fn invariant_13_a_rollback_that_aws_never_begins_is_done_by_the_run() {
    let mut run = after_update();
    run.start_restore(RunFailure::Deployment(DeploymentFailure::CircuitBreaker), Restorer::Aws, at(20));
    let stalled = decide(&Ok(with(updated())), &goal(), &run, at(51));
    assert!(
        matches!(stalled, Next::Step(Step::Update(Update { purpose: Purpose::Restore, .. }))),
        "{stalled:?}"
    );
}

#[test]
fn what_somebody_else_wrote_meanwhile_stands() {
    let mut run = after_update();
    run.start_restore(RunFailure::Cancelled, Restorer::ThisRun, at(20));
    let mut theirs = updated();
    theirs.task_definition = arn("web-green:9");
    let end = decide(&Ok(with(theirs)), &goal(), &run, at(21));
    let Next::Done(End::Bad { left, because, .. }) = end else { panic!("{end:?}") };
    assert_eq!((left, because), (Left::Changed, EndStateReason::ChangedExternally));
}

#[test]
fn a_cancelled_run_restores_or_leaves_as_asked() {
    let mut run = after_update();
    run.memory.cancelled = Some(at(5));
    assert_eq!(
        decide(&Ok(with(updated())), &goal(), &run, at(5)),
        Next::Restore(RunFailure::Cancelled, Restorer::ThisRun)
    );
    run.start_restore(RunFailure::Cancelled, Restorer::ThisRun, at(5));
    let restore = decide(&Ok(with(updated())), &goal(), &run, at(5));
    assert!(matches!(restore, Next::Step(Step::Update(Update { purpose: Purpose::Restore, .. }))));
    let leave = Goal { restore_on_cancel: false, ..goal() };
    let end = decide(&Ok(with(updated())), &leave, &run, at(5));
    let Next::Done(End::Bad { left, because, .. }) = end else { panic!("{end:?}") };
    assert_eq!((left, because), (Left::Changed, EndStateReason::Asked));
}

#[test]
fn a_run_that_changed_nothing_leaves_everything_untouched() {
    let mut run = Run::begin(at(0));
    run.start_restore(RunFailure::Cancelled, Restorer::ThisRun, at(1));
    let end = decide(&Ok(snapshot()), &goal(), &run, at(1));
    let bad = End::Bad {
        failing: RunFailure::Cancelled,
        left: Left::Untouched,
        because: EndStateReason::NothingChanged,
    };
    assert_eq!(end, Next::Done(bad));
}

#[test]
fn when_aws_refuses_the_way_back_it_is_said_that_nothing_is_known() {
    let mut run = after_update();
    run.start_restore(
        RunFailure::Deployment(DeploymentFailure::TasksFailing { failed: 3 }),
        Restorer::ThisRun,
        at(20),
    );
    let expired = trouble(AwsErrorKind::Expired);
    let end = decide(&Err(expired.clone()), &goal(), &run, at(21));
    let Next::Done(End::Bad { left, because, .. }) = end else { panic!("{end:?}") };
    assert_eq!((left, because), (Left::Unknown, EndStateReason::AwsError(expired)));
}

#[test]
fn invariant_35_an_update_without_an_answer_is_looked_for_before_it_is_sent_again() {
    let lost =
        crate::plan::aws_error::AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
    let mut run = searched(Some(Some(arn("web-green:2"))));
    let update = brings_2(&mut run, snapshot().service(Color::Green).unwrap());
    run.answered(&update, Err(lost.clone()), at(1));
    assert_eq!(decide(&Ok(snapshot()), &goal(), &run, at(2)), Next::Wait(Wait::UnansweredWrite(lost)));
    assert_eq!(decide(&Ok(snapshot()), &goal(), &run, at(11)), Next::Step(update), "it never had its effect");
    let mut shown = with(updated());
    let definition = Revision {
        arn: arn("web-green:2"),
        content: content("web-green", "v2"),
        tags: Vec::new(),
        active: true,
    };
    green(&mut shown).definition = Some(Ok(definition));
    green(&mut shown).history = Some(Ok(Vec::new()));
    let Next::Follow(follow) = decide(&Ok(shown), &goal(), &run, at(3)) else { panic!() };
    run.follow(follow);
    assert!(run.memory.changed && !run.has_adopted(), "it is the run's own deployment");
    assert_eq!(run.found, Some(InitialService { task_definition: arn("web-green:1"), desired: 2 }));
}

#[test]
fn invariant_35_a_register_without_an_answer_is_looked_for_before_it_is_sent_again() {
    let lost =
        crate::plan::aws_error::AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
    let register = Step::Register(wanted(&goal()));
    let find = Step::Find(wanted(&goal()));
    let mut run = searched(Some(None));
    run.answered(&register, Err(lost.clone()), at(1));
    assert_eq!(decide(&Ok(snapshot()), &goal(), &run, at(1)), Next::Step(find.clone()));
    run.answered(&find, Ok(Answer::Found(None)), at(1));
    assert_eq!(decide(&Ok(snapshot()), &goal(), &run, at(2)), Next::Wait(Wait::UnansweredWrite(lost)));
    run.waited();
    assert_eq!(decide(&Ok(snapshot()), &goal(), &run, at(3)), Next::Step(find.clone()));
    run.answered(&find, Ok(Answer::Found(None)), at(12));
    assert_eq!(decide(&Ok(snapshot()), &goal(), &run, at(12)), Next::Step(register));
}

#[test]
fn invariant_07_the_same_content_again_after_a_failure_goes_back_to_what_ran_before_it() {
    let mut failed = updated();
    failed.deployments[0].rollout = Rollout::Failed;
    let definition = Revision {
        arn: arn("web-green:2"),
        content: content("web-green", "v2"),
        tags: Vec::new(),
        active: true,
    };
    failed.definition = Some(Ok(definition));
    failed.history = Some(Ok(Vec::new()));
    let again = step(None, None, true);
    let mut run = Run::begin(at(0));
    assert_eq!(decide(&Ok(with(failed.clone())), &goal(), &run, at(0)), again);
    let Next::Step(Step::Update(update)) = again else { unreachable!() };
    run.before_update(&failed, &update);
    assert_eq!(run.found, Some(InitialService { task_definition: arn("web-green:1"), desired: 2 }));
    let mut alone = Run::begin(at(0));
    failed.deployments.truncate(1);
    alone.before_update(&failed, &update);
    assert_eq!(
        alone.found.map(|found| found.task_definition),
        Some(arn("web-green:2")),
        "nothing else is known"
    );
}

#[test]
fn probes_are_asked_three_times_before_they_turn_the_run() {
    let mut goal = goal();
    goal.request.probes = vec!["/".to_owned()];
    let mut run = after_update();
    let healthy = Ok(healthy());
    let wrong = ProbeFailure {
        url: "http://x/".to_owned(),
        kind: ProbeFailureKind::Status { found: 500, wanted: 200 },
    };
    for tries in 1..=3 {
        assert_eq!(
            decide(&healthy, &goal, &run, at(10)),
            Next::Step(Step::Probe(ServiceColor::Green)),
            "try {tries}"
        );
        run.answered(&Step::Probe(ServiceColor::Green), Ok(Answer::Probed(Err(wrong.clone()))), at(10));
        if tries < 3 {
            assert_eq!(decide(&healthy, &goal, &run, at(10)), Next::Wait(Wait::Probe), "after try {tries}");
            run.waited();
        }
    }
    assert_eq!(
        decide(&healthy, &goal, &run, at(10)),
        Next::Restore(RunFailure::Probe(wrong), Restorer::ThisRun)
    );
    run.answered(&Step::Probe(ServiceColor::Green), Ok(Answer::Probed(Ok(()))), at(10));
    assert_eq!(decide(&healthy, &goal, &run, at(10)), Next::Done(End::Good { changed: true, healthy: 2 }));
}

#[test]
fn the_plan_is_the_decision_iterated() {
    let steps = predict_plan(&snapshot(), &goal(), None, at(0));
    let update = |definition: &str| {
        Step::Update(Update {
            color: ServiceColor::Green,
            service: "web-green".to_owned(),
            task_definition: Some(definition.to_owned()),
            desired: None,
            force: false,
            purpose: Purpose::Deploy,
        })
    };
    let register = Step::Register(wanted(&goal()));
    assert_eq!(steps, Plan::Steps(vec![register, update(NEW_REVISION)]));
    let known = arn("web-green:2");
    assert_eq!(predict_plan(&snapshot(), &goal(), Some(&known), at(0)), Plan::Steps(vec![update(&known)]));
    let same = Goal { content: content("web-green", "v1"), ..goal() };
    assert_eq!(predict_plan(&snapshot(), &same, None, at(0)), Plan::Steps(Vec::new()));
    let mut live = snapshot();
    live.balancers = Some(Ok(vec![balancer(0, 100)]));
    assert!(matches!(predict_plan(&live, &goal(), None, at(0)), Plan::Refuse(Refusal::LiveColor { .. })));
}

#[test]
fn the_plan_of_another_try_of_a_failed_version_is_one_forced_update() {
    let same = Goal { content: content("web-green", "v1"), ..goal() };
    let mut failed = snapshot();
    green(&mut failed).deployments[0].rollout = Rollout::Failed;
    let Next::Step(again) = step(None, None, true) else { unreachable!() };
    assert_eq!(predict_plan(&failed, &same, None, at(0)), Plan::Steps(vec![again]));
}

#[test]
fn a_deployment_that_is_gone_is_looked_at_with_what_tells_why() {
    let Next::Read(look) = decide(&Ok(snapshot()), &goal(), &after_update(), at(60)) else { panic!() };
    assert!(look.causes, "else the next decision would ask for the same again");
    assert_eq!(
        (look.only, look.health),
        (Some(ServiceColor::Green), true),
        "nor is the verdict blind meanwhile"
    );
}

#[test]
fn a_closer_look_reads_all_that_the_decision_after_it_needs() {
    let managed = managed();
    let mut adopted = with(updated());
    green(&mut adopted).definition.as_mut().unwrap().as_mut().unwrap().content = content("web-green", "v2");
    let mut counting = snapshot();
    green(&mut counting).deployments[0].rollout = Rollout::InProgress;
    for seen in [adopted, counting] {
        let Next::Read(look) = first(&seen, &managed) else { panic!() };
        assert_eq!(
            look,
            ReadScope { causes: true, ..managed.look() },
            "else two looks follow each other for ever"
        );
    }
}

/// A service deployment of this revision in place of others.
fn entry(target: &str, sources: &[&str], status: ServiceDeploymentStatus) -> ServiceDeployment {
    ServiceDeployment {
        arn: "arn:service-deployment/1".to_owned(),
        number: None,
        status,
        reason: String::new(),
        created: at(1),
        target: Some(arn(target)),
        sources: sources.iter().map(|source| arn(source)).collect(),
        alarms: Vec::new(),
    }
}

#[test]
fn what_ran_before_is_told_by_the_older_deployment_then_by_what_was_replaced_then_by_what_succeeded() {
    use ServiceDeploymentStatus::{InProgress, RolledBack, Successful};
    let found =
        |service: &Service| previous_version(service, &arn("web-green:2")).map(|found| found.task_definition);
    assert_eq!(found(&updated()), Some(arn("web-green:1")), "the older deployment is still listed");
    let mut alone = updated();
    alone.deployments.truncate(1);
    assert_eq!(found(&alone), None);
    let own = entry("web-green:2", &["web-green:2", "web-green:5"], InProgress);
    alone.history = Some(Ok(vec![own, entry("web-green:9", &["web-green:8"], Successful)]));
    assert_eq!(found(&alone), Some(arn("web-green:5")));
    let failed = entry("web-green:7", &[], RolledBack);
    let awaited = entry("web-green:2", &[], Successful);
    alone.history = Some(Ok(vec![awaited, failed, entry("web-green:6", &[], Successful)]));
    assert_eq!(found(&alone), Some(arn("web-green:6")), "the newest that succeeded and is another");
    let mut twice = updated();
    twice.deployments[1].task_definition = arn("web-green:2");
    assert_eq!(found(&twice), None, "the same revision rolled out twice tells nothing");
}

#[test]
fn the_effect_of_an_unanswered_update_is_its_deployment_or_else_its_count() {
    let lost = |task_definition: Option<&str>, desired, force| UnansweredWrite {
        step: match step(task_definition.map(arn), desired, force) {
            Next::Step(step) => step,
            other => panic!("{other:?}"),
        },
        trouble: trouble(AwsErrorKind::TimedOut),
        sent: at(1),
        ended: at(1),
    };
    let run = Run::begin(at(0));
    let green = updated();
    assert!(has_taken_effect(&green, &run, &lost(Some("web-green:2"), None, false)));
    assert!(!has_taken_effect(&green, &run, &lost(Some("web-green:3"), None, false)));
    assert!(
        has_taken_effect(&green, &run, &lost(None, Some(2), false))
            && !has_taken_effect(&green, &run, &lost(None, Some(3), false))
    );
    let recounted = lost(Some("web-green:2"), Some(3), false);
    assert!(has_taken_effect(&green, &run, &recounted), "somebody else may have set the count since");
    assert!(has_taken_effect(&green, &run, &lost(None, None, true)));
    let old = snapshot().service(Color::Green).unwrap().clone();
    assert!(!has_taken_effect(&old, &run, &lost(None, None, true)), "its primary is an hour old");
}

#[test]
fn no_room_matters_only_while_something_runs() {
    let mut stopped = snapshot();
    let service = green(&mut stopped);
    (service.setup.minimum_percent, service.setup.maximum_percent) = (100, 100);
    (service.running, service.pending) = (0, 0);
    assert!(matches!(first(&stopped, &goal()), Next::Step(Step::Find(_))));
    green(&mut stopped).pending = 1;
    assert!(matches!(first(&stopped, &goal()), Next::Refuse(Refusal::NoRoom { .. })));
}

#[test]
fn the_failed_deployment_of_the_same_content_is_tried_again() {
    let same = Goal { content: content("web-green", "v1"), ..goal() };
    let mut failed = snapshot();
    green(&mut failed).deployments[0].rollout = Rollout::Failed;
    assert_eq!(first(&failed, &same), Next::Read(goal().closer_look()));
    green(&mut failed).history = Some(Ok(Vec::new()));
    assert_eq!(first(&failed, &same), step(None, None, true));
}

#[test]
fn nothing_begun_at_the_time_out_ends_untouched() {
    let run = searched(Some(None));
    let turn = decide(&Ok(snapshot()), &goal(), &run, at(600));
    let never = DeploymentFailure::TimedOut(Box::new(Waiting::NotBegun));
    assert_eq!(turn, Next::Restore(RunFailure::Deployment(never), Restorer::ThisRun));
    assert!(matches!(decide(&Ok(snapshot()), &goal(), &run, at(599)), Next::Step(Step::Register(_))));
}

#[test]
fn a_run_remembers_only_its_own_deployment_as_seen() {
    let mut run = after_update();
    run.saw(&Situation::of(&snapshot(), &goal()), &goal(), at(2));
    assert!(!run.awaited().unwrap().seen);
    run.saw(&Situation::of(&with(updated()), &goal()), &goal(), at(2));
    assert!(run.awaited().unwrap().seen);
    run.saw(&Situation::of(&snapshot(), &goal()), &goal(), at(2));
    assert!(run.awaited().unwrap().seen, "once seen is seen");
}

#[test]
fn what_was_found_is_noted_once() {
    let Next::Step(Step::Update(update)) = step(Some(arn("web-green:2")), None, false) else {
        unreachable!()
    };
    let mut run = Run::begin(at(0));
    run.before_update(snapshot().service(Color::Green).unwrap(), &update);
    run.before_update(&updated(), &update);
    assert_eq!(run.found, Some(InitialService { task_definition: arn("web-green:1"), desired: 2 }));
    let mut followed = after_update();
    followed.found = None;
    followed.before_update(&updated(), &update);
    assert_eq!(followed.found, None, "what runs now is the run's own, not what was found");
}

#[test]
fn a_run_remembers_the_last_sight_of_its_own_unhealthy_targets() {
    let mut run = after_update();
    let awaited = updated().deployments[0].clone();
    let sick = |reason: &str| Target { reason: Some(reason.to_owned()), ..target(11, "unhealthy") };
    let mut service = updated();
    service.tasks = Some(Ok(tasks(&awaited, 2, 11)));
    service.targets = Some(Ok(vec![sick("first"), target(12, "healthy"), target(1, "unhealthy")]));
    run.saw(&Situation::of(&with(service.clone()), &goal()), &goal(), at(2));
    service.targets = Some(Ok(vec![sick("last"), target(12, "initial")]));
    run.saw(&Situation::of(&with(service.clone()), &goal()), &goal(), at(2));
    assert_eq!(run.followed().unwrap().unhealthy, [sick("last")], "its own, once, as seen last");
    let other_port = Target { port: 9090, ..sick("other port") };
    service.targets = Some(Ok(vec![target(12, "unhealthy"), other_port]));
    run.saw(&Situation::of(&with(service), &goal()), &goal(), at(2));
    assert_eq!(
        run.followed().unwrap().unhealthy,
        [sick("last"), target(12, "unhealthy")],
        "a target is own by its port, too"
    );
}

#[test]
fn only_the_same_content_after_a_failure_goes_back_further() {
    let mut failed = snapshot().services[1].clone();
    failed.deployments[0].rollout = Rollout::Failed;
    failed.deployments.push(Deployment { primary: false, ..deployment("older", &arn("web-green:0"), 2) });
    let found = |service: &Service, task_definition: Option<&str>| {
        let Next::Step(Step::Update(update)) = step(task_definition.map(arn), None, true) else {
            unreachable!()
        };
        let mut run = Run::begin(at(0));
        run.before_update(service, &update);
        run.found.unwrap().task_definition
    };
    assert_eq!(found(&failed, None), arn("web-green:0"));
    assert_eq!(
        found(&failed, Some("web-green:2")),
        arn("web-green:1"),
        "another version: back to what was found"
    );
    failed.deployments[0].rollout = Rollout::Completed;
    assert_eq!(found(&failed, None), arn("web-green:1"), "a good one that is rolled out again");
}

#[test]
fn only_a_write_can_be_unanswered() {
    let lost = crate::plan::aws_error::AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    let mut run = Run::begin(at(0));
    run.answered(&Step::Find(wanted(&goal())), Err(lost), at(1));
    assert_eq!((run.unanswered(), &run.memory.failing), (None, &None));
    let mut run = Run::begin(at(0));
    run.answered(&Step::Register(wanted(&goal())), Err(trouble(AwsErrorKind::Denied)), at(1));
    assert_eq!(run.unanswered(), None);
    let denied = RunFailure::Deployment(DeploymentFailure::AwsError(trouble(AwsErrorKind::Denied)));
    assert_eq!(run.memory.failing.map(|turned| turned.failing), Some(denied));
}

#[test]
fn a_wait_forgets_a_search_only_after_an_unanswered_register() {
    let mut run = searched(Some(None));
    run.waited();
    assert_eq!(run.prepare().unwrap().sought, Some(None));
    let mut found = searched(Some(Some(arn("web-green:2"))));
    found.memory.unanswered = vec![UnansweredWrite {
        step: Step::Register(wanted(&goal())),
        trouble: trouble(AwsErrorKind::TimedOut),
        sent: at(0),
        ended: at(0),
    }];
    found.waited();
    assert_eq!(found.prepare().unwrap().sought, Some(Some(arn("web-green:2"))));
}

#[test]
fn an_adopted_deployment_that_goes_well_is_a_change() {
    let mut run = after_update();
    run.memory.changed = false;
    run.followed_mut().unwrap().adopted = true;
    let mut healthy = updated();
    let awaited = Deployment { running: 2, rollout: Rollout::Completed, ..healthy.deployments[0].clone() };
    healthy.tasks = Some(Ok(tasks(&awaited, 2, 1)));
    healthy.deployments = vec![awaited];
    let good = Next::Done(End::Good { changed: true, healthy: 2 });
    assert_eq!(decide(&Ok(with(healthy.clone())), &goal(), &run, at(10)), good);
    let mut probed = goal();
    probed.request.probes = vec!["/".to_owned()];
    run.followed_mut().unwrap().probes.answer = Some(Ok(()));
    assert_eq!(decide(&Ok(with(healthy)), &probed, &run, at(10)), good);
}

#[test]
fn invariant_35_an_update_without_an_answer_that_is_over_already_is_followed_and_not_sent_again() {
    let lost =
        crate::plan::aws_error::AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
    let forced = Goal { force: true, ..goal() };
    let mut run = searched(Some(Some(arn("web-green:2"))));
    let update = brings_2(&mut run, snapshot().service(Color::Green).unwrap());
    run.answered(&update, Err(lost), at(1));
    let mut over = updated();
    over.deployments.truncate(1);
    over.deployments[0].rollout = Rollout::Completed;
    let definition = Revision {
        arn: arn("web-green:2"),
        content: content("web-green", "v2"),
        tags: Vec::new(),
        active: true,
    };
    over.definition = Some(Ok(definition));
    let Next::Follow(follow) = decide(&Ok(with(over)), &forced, &run, at(2)) else { panic!() };
    assert_eq!((follow.awaited.id.as_deref(), follow.adopted), (Some("ecs-svc/mine"), false));
}

#[test]
fn invariant_35_an_update_without_an_answer_that_aws_took_back_is_followed_and_not_sent_again() {
    let lost =
        crate::plan::aws_error::AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
    let mut run = searched(Some(Some(arn("web-green:2"))));
    let update = brings_2(&mut run, snapshot().service(Color::Green).unwrap());
    run.answered(&update, Err(lost), at(1));
    let mut back = snapshot();
    let service = green(&mut back);
    (service.deployments[0].created, service.deployments[0].rollout) = (at(20), Rollout::InProgress);
    let next = |back: &Snapshot, now| decide(&Ok(back.clone()), &goal(), &run, at(now));
    assert_eq!(next(&back, 40), Next::Read(goal().closer_look()));
    let rolled = entry("web-green:2", &["web-green:1"], ServiceDeploymentStatus::RolledBack);
    let entry = |created, target: &str| ServiceDeployment {
        created: at(created),
        target: Some(arn(target)),
        ..rolled.clone()
    };
    green(&mut back).history = Some(Err(trouble(AwsErrorKind::Throttled)));
    assert!(matches!(next(&back, 40), Next::Wait(Wait::AwsError(_))));
    green(&mut back).history = Some(Ok(vec![entry(2, "web-green:3"), entry(2, "web-green:2")]));
    let Next::Follow(follow) = next(&back, 40) else { panic!() };
    assert_eq!((follow.awaited.id, follow.awaited.task_definition), (None, arn("web-green:2")));
    let (began, adopted) = (follow.awaited.started, follow.adopted);
    assert_eq!((began, adopted, follow.awaited.seen), (at(1), false, true));
    assert_eq!(follow.awaited.before, ["ecs-svc/green-old"], "all others are newer, whatever the clocks say");
    for others in [vec![], vec![entry(2, "web-green:3")]] {
        green(&mut back).history = Some(Ok(others));
        assert!(matches!(next(&back, 40), Next::Refuse(Refusal::InFlight { .. })), "it is somebody else's");
    }
}

/// A deploy with scaling in the config.
fn managed() -> Goal {
    let managed = super::Managed {
        min: 2,
        max: 10,
        idle_min: 1,
        cpu: 80,
        memory: 80,
        scale_in_below: 40,
        scale_in_after: std::time::Duration::from_secs(900),
    };
    Goal { managed: Some(managed), ..goal() }
}

/// Blue live, green idle, nothing of scaling there.
fn unscaled() -> Snapshot {
    let mut seen = snapshot();
    for service in &mut seen.services {
        (service.scaling, service.scalers) =
            (Some(Ok(None)), Some(Ok(crate::plan::scalers::Scalers::default())));
    }
    seen
}

/// A plan in short words.
fn in_short(seen: &Snapshot, goal: &Goal) -> Vec<String> {
    let crate::plan::predict::Plan::Steps(steps) =
        crate::plan::predict::predict_plan(seen, goal, None, at(0))
    else {
        panic!("no plan");
    };
    steps.iter().map(short_step).collect()
}

/// A step in short words.
fn short_step(step: &Step) -> String {
    match step {
        Step::Scaling(scaling) => format!("bounds {:?} {:?}", scaling.min, scaling.max),
        Step::Policy(put) | Step::Alarm(put) => {
            let on = put.content.get("ActionsEnabled").map(|on| format!(" {on}")).unwrap_or_default();
            format!("{}{on}", put.name.rsplit('/').next().unwrap())
        }
        Step::Register(_) => "register".to_owned(),
        Step::Update(_) => "update".to_owned(),
        Step::Find(_) | Step::Probe(_) | Step::Weights(_) => "other".to_owned(),
    }
}

#[test]
fn where_scaling_is_managed_an_idle_color_gets_alarms_that_do_not_act_before_it_is_touched() {
    assert_eq!(
        in_short(&unscaled(), &managed()),
        [
            "bounds Some(1) Some(10)",
            "out",
            "in",
            "cpu-high false",
            "memory-high false",
            "low false",
            "register",
            "update"
        ]
    );
}

#[test]
fn bounds_of_an_idle_color_follow_its_count_once_it_stands() {
    let mut seen = unscaled();
    seen.services[1].desired = 0;
    seen.services[1].running = 0;
    let steps = in_short(&seen, &managed());
    assert_eq!(
        (steps[0].as_str(), steps.last().unwrap().as_str()),
        ("bounds Some(0) Some(10)", "bounds Some(1) None")
    );
}

#[test]
fn a_live_color_gets_alarms_that_act_and_keeps_its_bounds() {
    let live =
        Request { color: WantedColor::Color(ServiceColor::Blue), allow_live: true, ..managed().request };
    let goal =
        Goal { color: ServiceColor::Blue, content: content("web-blue", "v1"), request: live, ..managed() };
    let mut seen = unscaled();
    seen.services[0].scaling =
        Some(Ok(Some(crate::plan::snapshot::Scalable { min: 1, max: 4, ..Default::default() })));
    assert_eq!(in_short(&seen, &goal), ["out", "in", "cpu-high true", "memory-high true", "low true"]);
}

#[test]
fn scaling_that_can_not_be_read_refuses_before_the_first_write() {
    let mut seen = unscaled();
    seen.services[1].scalers = Some(Err(trouble(AwsErrorKind::Denied)));
    let first = decide(&Ok(seen), &managed(), &Run::begin(at(0)), at(0));
    assert_eq!(first, Next::Refuse(Refusal::Unread(trouble(AwsErrorKind::Denied))));
}

/// The first decision that is no read, if looks hold only the parts that were asked for, and the number of looks.
fn by_looks(all: &Snapshot, goal: &Goal, run: &Run) -> (Next, usize) {
    let (mut look, mut looks) = (goal.look(), 0);
    loop {
        looks += 1;
        let seen = Ok(as_read(all.clone(), look));
        match decide(&seen, goal, run, at(40)) {
            Next::Read(closer) if looks < 9 => look = closer,
            next => return (next, looks),
        }
    }
}

/// Revision 2 of green, as AWS describes it.
fn revision_2() -> Option<AwsResult<Revision>> {
    let (arn, content) = (arn("web-green:2"), content("web-green", "v2"));
    Some(Ok(Revision { arn, content, tags: Vec::new(), active: true }))
}

#[test]
fn invariant_40_a_decision_that_needs_causes_and_scaling_finds_both_in_one_look() {
    let mut flying = unscaled();
    let scaling = green(&mut flying).clone();
    *green(&mut flying) = Service {
        definition: revision_2(),
        history: Some(Ok(Vec::new())),
        scaling: scaling.scaling,
        scalers: scaling.scalers,
        ..updated()
    };
    let mut failed = flying.clone();
    green(&mut failed).deployments[0].rollout = Rollout::Failed;
    let mut replaced = flying.clone();
    let entry = entry("web-green:2", &["web-green:1"], ServiceDeploymentStatus::RolledBack);
    green(&mut replaced).history = Some(Ok(vec![ServiceDeployment { created: at(2), ..entry }]));
    green(&mut replaced).task_definition = arn("web-green:1");
    green(&mut replaced).deployments[0].task_definition = arn("web-green:1");
    let begun = Run::begin(at(0));
    let mut lost = begun.clone();
    let update = brings_2(&mut lost, snapshot().service(Color::Green).unwrap());
    lost.answered(&update, Err(AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) }), at(1));
    for (all, run) in [(flying, &begun), (failed, &begun), (replaced, &lost)] {
        let (next, looks) = by_looks(&all, &managed(), run);
        assert!(matches!(next, Next::Step(Step::Scaling(_))) && looks == 2, "{looks}: {next:?}");
        let (next, looks) = by_looks(&all, &goal(), run);
        assert!(
            matches!(next, Next::Follow(_) | Next::Step(Step::Update(_))) && looks == 2,
            "{looks}: {next:?}"
        );
    }
}

/// Green with this count of healthy tasks of its current deployment, and this split of users.
fn counted(count: u32, healthy: u32, (blue, green_weight): (u32, u32)) -> Snapshot {
    let mut all = Snapshot { balancers: Some(Ok(vec![balancer(blue, green_weight)])), ..snapshot() };
    let service = green(&mut all);
    (service.desired, service.running) = (count, healthy);
    (service.deployments[0].desired, service.deployments[0].running) = (count, healthy);
    service.tasks = Some(Ok(tasks(&service.deployments[0], healthy, 1)));
    service.targets = Some(Ok((1..=healthy).map(|number| target(number, "healthy")).collect()));
    all
}

/// The decision at a look, which the run notes first.
fn noted(operation: &mut DeployOperation<'_>, seen: Snapshot, seconds: u64) -> Next {
    let seen = Ok(seen);
    operation.decide(&seen, at(seconds))
}

/// The update that gives green so many tasks for users.
fn raised(count: u32) -> Next {
    Next::Step(Step::Update(Update::of_count(Color::Green, "web-green", count, Purpose::Traffic)))
}

/// A deploy of the same content to green, with users or without, and this count.
fn counting(count: u32) -> Goal {
    let mut goal =
        Goal { content: content("web-green", "v1"), desired: Some(DesiredCount::Count(count)), ..goal() };
    goal.request.allow_live = true;
    goal
}

#[test]
fn invariant_36_a_deploy_that_may_go_to_a_live_color_lowers_no_count_under_users_who_came() {
    let goal = counting(1);
    let begin = || DeployOperation { goal: &goal, service: "web-green", run: Run::begin(at(0)) };
    let mut deploy = begin();
    let Next::Step(lower) = noted(&mut deploy, counted(4, 4, (100, 0)), 0) else { panic!("no update") };
    assert!(deploy.is_bound_to_rules(&lower), "the rules are read right before");
    let kept = deploy.stopped_by_rules(&counted(4, 4, (0, 100)), at(1));
    assert!(matches!(kept, Next::Follow(_)), "{kept:?}");
    assert_eq!(deploy.stopped_by_rules(&counted(4, 4, (100, 0)), at(1)), Next::Step(lower.clone()));
    let update = |deploy: &mut DeployOperation<'_>, step: &Step, count| {
        let seen = counted(count, count, (100, 0));
        deploy.before(step, &counted(4, 4, (100, 0)));
        let answer = Answer::Updated(Box::new(seen.services[1].clone()));
        deploy.run.answered(step, Ok(answer), at(1));
    };
    update(&mut deploy, &lower, 1);
    let mut alone = deploy.clone();
    assert_eq!(
        noted(&mut alone, counted(1, 1, (100, 0)), 2),
        Next::Read(goal.look()),
        "once more, and newer"
    );
    let good = |healthy| Next::Done(End::Good { changed: true, healthy });
    assert_eq!(noted(&mut alone, counted(1, 1, (100, 0)), 3), good(1));
    let Next::Step(raise) = noted(&mut deploy, counted(1, 1, (0, 100)), 2) else { panic!("no raise") };
    assert_eq!(Next::Step(raise.clone()), raised(4));
    update(&mut deploy, &raise, 4);
    let waits = |next: Next| assert!(matches!(next, Next::Wait(_)), "{next:?}");
    waits(noted(&mut deploy, counted(1, 1, (0, 100)), 3));
    waits(noted(&mut deploy, counted(4, 1, (0, 100)), 4));
    assert_eq!(noted(&mut deploy, counted(4, 4, (0, 100)), 5), good(4));
    assert_eq!(deploy.run.recounted(), None, "no other writer set these counts");
    let mut users_first = begin();
    users_first.before(&lower, &counted(4, 4, (0, 100)));
    assert!(users_first.run.users.was_live, "by the rules right before the update");
}

#[test]
fn invariant_44_a_count_that_another_writer_lowers_under_users_is_raised_and_not_accepted() {
    let goal = counting(4);
    let mut deploy = DeployOperation { goal: &goal, service: "web-green", run: Run::begin(at(0)) };
    let found = counted(2, 2, (50, 50));
    let Next::Step(raise) = noted(&mut deploy, found.clone(), 0) else { panic!("no update") };
    deploy.before(&raise, &found);
    let four = counted(4, 4, (50, 50));
    deploy.run.answered(&raise, Ok(Answer::Updated(Box::new(four.services[1].clone()))), at(1));
    waits_or_good(noted(&mut deploy, counted(4, 2, (50, 50)), 2));
    let scaling = Next::Read(ReadScope { scaling: true, ..goal.look() });
    assert_eq!(noted(&mut deploy.clone(), counted(1, 1, (50, 50)), 3), scaling);
    let cut = |target: AwsResult<Option<u32>>| {
        let mut cut = counted(1, 1, (50, 50));
        let bounds = |min| crate::plan::snapshot::Scalable { min, max: 10, ..Default::default() };
        green(&mut cut).scaling = Some(target.map(|min| min.map(bounds)));
        noted(&mut deploy.clone(), cut, 3)
    };
    assert_eq!(cut(Ok(None)), raised(4));
    assert_eq!(cut(Ok(Some(2))), raised(4), "scaling keeps two");
    let good = Next::Done(End::Good { changed: true, healthy: 1 });
    assert_eq!(cut(Ok(Some(1))), good, "scaling may have done it");
    assert_eq!(cut(Err(trouble(AwsErrorKind::Denied))), good);
    let idle = noted(&mut deploy, counted(1, 1, (100, 0)), 3);
    assert_eq!(idle, good, "no user needs the others");
}

/// Whether a deploy goes on.
fn waits_or_good(next: Next) {
    assert!(matches!(next, Next::Wait(_) | Next::Done(End::Good { .. })), "{next:?}");
}

#[test]
fn invariant_31_a_color_that_users_came_to_has_the_alarms_and_bounds_of_a_live_one_before_success() {
    use crate::plan::scalers::{apply_bounds, put_alarm, put_policy};
    let mut goal = Goal { content: content("web-green", "v1"), ..managed() };
    goal.request.allow_live = true;
    let mut deploy = DeployOperation { goal: &goal, service: "web-green", run: Run::begin(at(0)) };
    let mut seen = unscaled();
    green(&mut seen).scaling =
        Some(Ok(Some(crate::plan::snapshot::Scalable { min: 2, max: 10, ..Default::default() })));
    let mut steps = Vec::new();
    for second in 0..40 {
        match noted(&mut deploy, seen.clone(), second) {
            Next::Step(step) => {
                assert!(deploy.is_bound_to_rules(&step), "{step:?}");
                deploy.before(&step, &seen);
                match &step {
                    Step::Scaling(scaling) => apply_bounds(green(&mut seen), scaling),
                    Step::Policy(put) => put_policy(green(&mut seen), put),
                    Step::Alarm(put) => put_alarm(green(&mut seen), put),
                    other => panic!("{other:?}"),
                }
                deploy.run.answered(&step, Ok(Answer::Changed), at(second));
                steps.push(short_step(&step));
            }
            Next::Follow(follow) => deploy.run.follow(follow),
            Next::Done(End::Good { .. }) => break,
            other => panic!("{other:?}"),
        }
        if steps.last().is_some_and(|step| step == "bounds Some(1) None") {
            // A redirect that read the bounds and alarms before they changed.
            seen.balancers = Some(Ok(vec![balancer(0, 100)]));
        }
    }
    assert_eq!(
        steps.join(", "),
        "out, in, cpu-high false, memory-high false, low false, bounds Some(1) None, bounds Some(2) None, \
         cpu-high true, memory-high true, low true"
    );
}
