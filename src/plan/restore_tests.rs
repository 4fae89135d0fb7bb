//! The way back, state by state, each typed by hand. Green ran revision 1 with two tasks; the run brought revision 2.

use super::*;
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::color::{Color, ServiceColor};
use crate::plan::deploy::next_deploy_action;
use crate::plan::run::{DeployPhase, Prepare, RestoreWrite, UsersBefore};
use crate::plan::run_memory::{Answer, UnansweredWrite};
use crate::plan::sample::{
    arn, at, balancer, deployment, goal, rule, snapshot, trouble, update, without_answer,
};
use crate::plan::snapshot::{Balancer, Deployment, Snapshot};
use crate::plan::verdict::{DeploymentFailure, Kind, OwnDeployment};

/// The failure that every test goes back from.
fn failing() -> RunFailure {
    RunFailure::Deployment(DeploymentFailure::CircuitBreaker)
}

/// A run that brought revision 2 at second 1 and failed at second 20.
fn run(recovery: Restorer) -> Run {
    let found = Some(InitialService { task_definition: arn("web-green:1"), desired: 2 });
    let mut run = asking(2, Run { found, ..Run::begin_changed(at(0)) });
    let awaited = OwnDeployment {
        kind: Kind::Rollout,
        id: Some("ecs-svc/mine".to_owned()),
        task_definition: arn("web-green:2"),
        desired: 2,
        started: at(1),
        seen: true,
        before: Vec::new(),
    };
    run.follow_deployment(awaited, false);
    run.start_restore(failing(), recovery, at(20));
    run
}

/// The run after its update asked for this count.
fn asking(count: u32, mut run: Run) -> Run {
    run.count.asked = Some(count);
    run
}

/// The run after it raised the count for users at this second.
fn raising(seconds: u64, mut run: Run) -> Run {
    run.count.raised = Some(at(seconds));
    run
}

/// The run after it wrote the old state at this second.
fn writing(seconds: u64, mut run: Run) -> Run {
    run.restore.written = Some(RestoreWrite { at: at(seconds), keeps_count: false });
    run
}

/// The run after it wrote to the scaling.
fn scaled(mut run: Run) -> Run {
    run.scaling.any = true;
    run
}

/// The run after its update of the count alone.
fn counting(desired: u32, mut run: Run) -> Run {
    let awaited = OwnDeployment {
        kind: Kind::CountOnly,
        id: None,
        task_definition: arn("web-green:1"),
        desired,
        ..run.awaited().unwrap().clone()
    };
    run.follow_deployment(awaited, false);
    run
}

/// The run after a signal at second 20.
fn cancelled(mut run: Run) -> Run {
    run.memory.cancelled = Some(at(20));
    run
}

/// Green wanting this revision and count, its primary running so many tasks of it.
fn green(revision: &str, desired: u32, (running, rollout): (u32, Rollout)) -> AwsResult<Snapshot> {
    let mut all = snapshot();
    let green = &mut all.services[1];
    green.task_definition = arn(revision);
    green.desired = desired;
    green.deployments = vec![Deployment { running, rollout, ..deployment("now", &arn(revision), desired) }];
    Ok(all)
}

/// The decision at a look.
fn decide(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    let look = seen.as_ref().map(|snapshot| Situation::of(snapshot, goal));
    next_deploy_action(&look, goal, run, now)
}

/// The decision at this second.
fn back_at(seconds: u64, seen: &AwsResult<Snapshot>, run: &Run) -> Next {
    decide(seen, &goal(), run, at(seconds))
}

/// The update that goes back.
fn restore(task_definition: Option<&str>, desired: Option<u32>) -> Next {
    Next::Step(Step::Update(Update {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        task_definition: task_definition.map(arn),
        desired,
        force: false,
        purpose: Purpose::Restore,
    }))
}

/// The end.
fn end(left: Left, because: EndStateReason) -> Next {
    Next::Done(End::Bad { failing: failing(), left, because })
}

/// Revision 2, still wanted.
fn still_mine() -> AwsResult<Snapshot> {
    green("web-green:2", 2, (0, Rollout::Failed))
}

/// Revision 1 again, with its tasks.
fn as_before() -> AwsResult<Snapshot> {
    green("web-green:1", 2, (2, Rollout::Completed))
}

#[test]
fn what_differs_is_put_back_and_nothing_else() {
    let run = run(Restorer::ThisRun);
    assert_eq!(back_at(20, &still_mine(), &run), restore(Some("web-green:1"), None));
    let run = asking(5, run);
    let more = green("web-green:2", 5, (0, Rollout::Failed));
    assert_eq!(back_at(20, &more, &run), restore(Some("web-green:1"), Some(2)));
    let count = green("web-green:1", 5, (2, Rollout::Completed));
    assert_eq!(back_at(20, &count, &run), restore(None, Some(2)));
}

#[test]
fn invariant_13_a_count_that_somebody_else_set_stays() {
    let crashed = |desired| green("web-green:2", desired, (0, Rollout::Failed));
    for (found, asked, now, back) in [
        (2, 2, 2, None),
        (2, 2, 6, None),
        (2, 2, 1, None),
        (2, 4, 4, Some(2)),
        (2, 4, 6, None),
        (0, 1, 1, Some(0)),
        (0, 1, 3, None),
    ] {
        let found = Some(InitialService { task_definition: arn("web-green:1"), desired: found });
        let run = asking(asked, Run { found, ..run(Restorer::ThisRun) });
        assert_eq!(back_at(20, &crashed(now), &run), restore(Some("web-green:1"), back), "{asked} -> {now}");
    }
}

#[test]
fn invariant_13_what_aws_put_back_is_as_found_with_a_count_that_somebody_else_set() {
    let scaled = green("web-green:1", 6, (6, Rollout::Completed));
    assert_eq!(back_at(30, &scaled, &run(Restorer::Aws)), end(Left::Restored, EndStateReason::RestoredByAws));
    let written = writing(21, run(Restorer::ThisRun));
    assert_eq!(back_at(22, &scaled, &written), end(Left::Restored, EndStateReason::RestoredByRun));
}

/// The decision at a look, which the run notes first.
fn noted(seconds: u64, seen: &AwsResult<Snapshot>, run: &mut Run) -> Next {
    run.saw(&Situation::of(seen.as_ref().unwrap(), &goal()), &goal(), at(seconds));
    back_at(seconds, seen, run)
}

#[test]
fn invariant_13_a_restore_is_not_needless_by_one_stale_read() {
    let known = |mut run: Run| {
        run.memory.changed = true;
        run.followed_mut().unwrap().awaited.before = vec!["ecs-svc/now".to_owned()];
        run
    };
    let stale = Next::Wait(Wait::Rollback { running: 2, desired: 2 });
    let mut run_once = known(run(Restorer::ThisRun));
    assert_eq!(noted(20, &as_before(), &mut run_once), stale);
    assert_eq!(noted(21, &still_mine(), &mut run_once), restore(Some("web-green:1"), None));
    let mut run_twice = known(run(Restorer::ThisRun));
    for seconds in [20, 22, 24] {
        assert_eq!(noted(seconds, &as_before(), &mut run_twice), stale, "{seconds}");
    }
    assert_eq!(noted(26, &as_before(), &mut run_twice), end(Left::Restored, EndStateReason::RestoredByAws));
    let mut gone = known(run(Restorer::ThisRun));
    let mut without = as_before().unwrap();
    without.services.retain(|service| service.color != Color::Green);
    assert!(matches!(noted(20, &Ok(without), &mut gone), Next::Wait(Wait::Rollback { .. })));
    let mut rolled_back = as_before().unwrap();
    rolled_back.services[1].deployments[0].reason = "rolling back to deploymentId ecs-svc/now".to_owned();
    let by_aws = noted(20, &Ok(rolled_back), &mut known(run(Restorer::Aws)));
    assert_eq!(by_aws, end(Left::Restored, EndStateReason::RestoredByAws), "no stale answer says so");
}

#[test]
fn invariant_41_a_cancelled_run_believes_the_second_look() {
    let mut cancelled = run(Restorer::ThisRun);
    cancelled.memory.changed = true;
    cancelled.start_restore(RunFailure::Cancelled, Restorer::ThisRun, at(20));
    cancelled.memory.cancelled = Some(at(20));
    cancelled.followed_mut().unwrap().awaited.before = vec!["ecs-svc/now".to_owned()];
    let restoring = Goal { restore_on_cancel: true, ..goal() };
    let mut looks = Vec::new();
    for seconds in [20, 21] {
        cancelled.saw(&Situation::of(as_before().as_ref().unwrap(), &restoring), &restoring, at(seconds));
        looks.push(matches!(decide(&as_before(), &restoring, &cancelled, at(seconds)), Next::Wait(_)));
    }
    assert_eq!(looks, [true, false]);
}

#[test]
fn invariant_13_a_count_alone_that_somebody_else_changed_is_theirs() {
    let run = counting(4, asking(4, run(Restorer::ThisRun)));
    let count = |desired| green("web-green:1", desired, (2, Rollout::Completed));
    assert_eq!(back_at(20, &count(4), &run), restore(None, Some(2)));
    assert_eq!(back_at(20, &count(6), &run), end(Left::Changed, EndStateReason::ChangedExternally));
}

/// A snapshot in which production holds these weights.
fn split(blue: u32, green: u32) -> AwsResult<Snapshot> {
    let seen = still_mine();
    seen.map(|snapshot| Snapshot { balancers: Some(Ok(vec![balancer(blue, green)])), ..snapshot })
}

/// The look that the way back needs before it is written.
fn where_users_are() -> Next {
    Next::Read(ReadScope { health: false, definitions: false, ..ReadScope::WHOLE })
}

#[test]
fn invariant_16_a_color_that_users_came_to_is_not_put_back() {
    let run = run(Restorer::ThisRun);
    let unseen = still_mine().map(|snapshot| Snapshot { balancers: None, ..snapshot });
    assert_eq!(back_at(20, &unseen, &run), where_users_are());
    assert_eq!(back_at(20, &split(100, 0), &run), restore(Some("web-green:1"), None));
    let stays = end(Left::Changed, EndStateReason::UsersCame);
    for (blue, green) in [(99, 1), (50, 50), (0, 100)] {
        assert_eq!(back_at(20, &split(blue, green), &run), stays, "{blue}/{green}");
    }
    let was_live = Run { users: UsersBefore { was_live: true, share: 0 }, ..run };
    assert_eq!(back_at(20, &split(0, 100), &was_live), restore(Some("web-green:1"), None), "as was allowed");
    assert_eq!(back_at(20, &unseen, &was_live), restore(Some("web-green:1"), None), "no look more");
}

/// Green wanting this, with all users there.
fn with_users(revision: &str, desired: u32) -> AwsResult<Snapshot> {
    let seen = green(revision, desired, (desired, Rollout::Completed));
    seen.map(|snapshot| Snapshot { balancers: Some(Ok(vec![balancer(0, 100)])), ..snapshot })
}

#[test]
fn invariant_36_tasks_that_the_run_took_from_users_who_came_are_given_back_before_any_end() {
    let raised = |count| Next::Step(Step::Update(update(None, Some(count), Purpose::Traffic)));
    let found = |desired| Some(InitialService { task_definition: arn("web-green:1"), desired });
    let came = DeploymentFailure::UsersCame { version: arn("web-green:2"), lacks: None };
    for (failing, recovery) in [
        (RunFailure::Deployment(came), Restorer::NoOne),
        (failing(), Restorer::ThisRun),
        (failing(), Restorer::Aws),
        (RunFailure::Deployment(DeploymentFailure::Superseded { by: arn("web-green:3") }), Restorer::NoOne),
        (RunFailure::Cancelled, Restorer::ThisRun),
    ] {
        let mut run = asking(1, Run { found: found(6), ..run(Restorer::ThisRun) });
        run.start_restore(failing, recovery, at(20));
        for restore_on_cancel in [true, false] {
            let goal = Goal { restore_on_cancel, ..goal() };
            assert_eq!(decide(&with_users("web-green:2", 1), &goal, &run, at(20)), raised(6), "{run:?}");
            let ended = decide(&with_users("web-green:2", 6), &goal, &raising(20, run.clone()), at(21));
            let is_kept = matches!(&ended, Next::Done(End::Bad { left: Left::Changed, .. }));
            assert!(is_kept, "{ended:?}");
        }
        let never = raising(20, run.clone());
        let waits = back_at(21, &with_users("web-green:2", 1), &never);
        assert!(matches!(waits, Next::Wait(_)), "it is not sent again at once: {waits:?}");
    }
    let restored = writing(21, asking(6, Run { found: found(1), ..run(Restorer::ThisRun) }));
    assert_eq!(back_at(22, &with_users("web-green:1", 1), &restored), raised(6), "after the way back, too");
    let kept = raising(22, restored);
    let why = end(Left::Changed, EndStateReason::CountKept { count: 6 });
    assert_eq!(back_at(23, &with_users("web-green:1", 6), &kept), why);
}

/// Green live at 20 % before a deploy that asked for four tasks in place of two, and failed.
fn raised_under_users() -> Run {
    let users = UsersBefore { was_live: true, share: 200_000 };
    asking(4, Run { users, ..run(Restorer::ThisRun) })
}

/// Green wanting this, with this share of users; none if the rules were not read.
fn shared(revision: &str, desired: u32, split: Option<(u32, u32)>) -> AwsResult<Snapshot> {
    let balancers = split.map(|(blue, green)| Ok(vec![balancer(blue, green)]));
    green(revision, desired, (desired, Rollout::Completed)).map(|seen| Snapshot { balancers, ..seen })
}

#[test]
fn invariant_44_a_restore_under_users_leaves_the_count_to_users_who_came_meanwhile() {
    let run = raised_under_users();
    for (users, back) in [
        (Some((80, 20)), restore(Some("web-green:1"), Some(2))),
        (Some((90, 10)), restore(Some("web-green:1"), Some(2))),
        (Some((50, 50)), restore(Some("web-green:1"), None)),
        (Some((0, 100)), restore(Some("web-green:1"), None)),
        (None, where_users_are()),
    ] {
        assert_eq!(back_at(20, &shared("web-green:2", 4, users), &run), back, "{users:?}");
    }
    let unread = |kind| {
        shared("web-green:2", 4, None).map(|seen| Snapshot { balancers: Some(Err(trouble(kind))), ..seen })
    };
    for kind in [AwsErrorKind::Throttled, AwsErrorKind::Denied] {
        assert_eq!(
            back_at(20, &unread(kind), &run),
            restore(Some("web-green:1"), None),
            "not known, so needed"
        );
    }
    let kept = end(Left::Changed, EndStateReason::CountKept { count: 4 });
    let mut written = run.clone();
    written.restore.written = Some(RestoreWrite { at: at(21), keeps_count: true });
    for users in [(0, 100), (80, 20)] {
        assert_eq!(back_at(22, &shared("web-green:1", 4, Some(users)), &written), kept, "{users:?}");
    }
    let counted = counting(4, run);
    assert_eq!(back_at(20, &shared("web-green:1", 4, Some((0, 100))), &counted), kept, "no write is needed");
    assert_eq!(back_at(20, &shared("web-green:1", 4, Some((80, 20))), &counted), restore(None, Some(2)));
}

#[test]
fn invariant_36_a_restore_under_users_gives_back_the_tasks_that_it_took() {
    let raised = |count| Next::Step(Step::Update(update(None, Some(count), Purpose::Traffic)));
    let cut = writing(21, raised_under_users());
    let restored = end(Left::Restored, EndStateReason::RestoredByRun);
    assert_eq!(back_at(22, &shared("web-green:1", 2, Some((80, 20))), &cut), restored);
    assert_eq!(back_at(22, &shared("web-green:1", 2, Some((0, 100))), &cut), raised(4));
    let again = raising(22, cut);
    let kept = end(Left::Changed, EndStateReason::CountKept { count: 4 });
    for users in [(0, 100), (80, 20)] {
        assert_eq!(back_at(23, &shared("web-green:1", 4, Some(users)), &again), kept, "{users:?}");
    }
}

#[test]
fn invariant_40_a_way_back_that_is_throttled_for_a_minute_ends_as_unknown() {
    let throttled = || Err(trouble(AwsErrorKind::Throttled));
    let unknown = end(Left::Unknown, EndStateReason::AwsError(trouble(AwsErrorKind::Throttled)));
    let found = Some(InitialService { task_definition: arn("web-green:1"), desired: 6 });
    let lowered = asking(1, Run { found, ..run(Restorer::ThisRun) });
    for (seen, run) in [(still_mine(), run(Restorer::ThisRun)), (with_users("web-green:2", 1), lowered)] {
        let Next::Step(step) = back_at(20, &seen, &run) else { panic!("no write") };
        let mut tried = run;
        tried.answered(&step, throttled(), at(20));
        for second in [21, 50, 79] {
            assert_eq!(back_at(second, &seen, &tried), Next::Step(step.clone()), "{second}");
            tried.answered(&step, throttled(), at(second));
        }
        assert_eq!(back_at(80, &seen, &tried), unknown);
        let Ok(snapshot) = &seen else { unreachable!() };
        let mut taken = tried.clone();
        taken.answered(&step, Ok(Answer::Updated(Box::new(snapshot.services[1].clone()))), at(70));
        assert_eq!(taken.memory.throttled, None, "an accepted write ends the count");
        let mut later = tried;
        later.memory.failing = None;
        later.start_restore(failing(), Restorer::ThisRun, at(200));
        assert_eq!(back_at(200, &seen, &later), Next::Step(step), "each way back has its own minute");
    }
}

#[test]
fn invariant_16_rules_half_way_through_a_change_count_one_by_one() {
    let mut half = balancer(100, 0);
    half.rules.push(rule(443, None, &[("tg-blue", 80), ("tg-green", 20)]));
    let seen = still_mine().map(|snapshot| Snapshot { balancers: Some(Ok(vec![half])), ..snapshot });
    assert_eq!(back_at(20, &seen, &run(Restorer::ThisRun)), end(Left::Changed, EndStateReason::UsersCame));
}

#[test]
fn invariant_16_a_lost_restore_is_not_sent_again_once_users_came() {
    let Next::Step(step) = restore(Some("web-green:1"), None) else { unreachable!() };
    let lost =
        UnansweredWrite { step, trouble: trouble(AwsErrorKind::TimedOut), sent: at(21), ended: at(21) };
    let run = without_answer(lost, run(Restorer::ThisRun));
    assert_eq!(back_at(26, &split(0, 100), &run), end(Left::Changed, EndStateReason::UsersCame));
}

#[test]
fn invariant_09_where_users_are_has_to_be_known_for_the_way_back() {
    let run = run(Restorer::ThisRun);
    let unread =
        |kind| still_mine().map(|snapshot| Snapshot { balancers: Some(Err(trouble(kind))), ..snapshot });
    let silent = unread(AwsErrorKind::Unreachable);
    assert_eq!(back_at(79, &silent, &run), Next::Wait(Wait::AwsError(trouble(AwsErrorKind::Unreachable))));
    let unknown = |kind| {
        let why = EndStateReason::UsersNotKnown(Box::new(Refusal::Unread(trouble(kind))));
        end(Left::Changed, why)
    };
    assert_eq!(back_at(80, &silent, &run), unknown(AwsErrorKind::Unreachable));
    assert_eq!(back_at(20, &unread(AwsErrorKind::Denied), &run), unknown(AwsErrorKind::Denied));
    let third = Balancer {
        rules: vec![rule(80, None, &[("tg-blue", 1), ("tg-green", 0), ("tg-red", 1)])],
        ..balancer(100, 0)
    };
    let tangled = still_mine().map(|snapshot| Snapshot { balancers: Some(Ok(vec![third])), ..snapshot });
    let Next::Done(End::Bad { left, because, .. }) = back_at(20, &tangled, &run) else { panic!() };
    assert_eq!(left, Left::Changed);
    assert!(matches!(because, EndStateReason::UsersNotKnown(_)), "{because:?}");
}

#[test]
fn develop_never_has_users_and_needs_no_look_at_the_rules() {
    let mut seen = still_mine().unwrap();
    seen.balancers = None;
    seen.services[1].color = ServiceColor::Develop;
    let goal = Goal { color: ServiceColor::Develop, ..goal() };
    let next = decide(&Ok(seen), &goal, &run(Restorer::ThisRun), at(20));
    assert!(matches!(next, Next::Step(Step::Update(_))), "{next:?}");
}

#[test]
fn what_was_written_for_scaling_is_not_left_untouched() {
    let mut run = scaled(Run::begin(at(0)));
    run.start_restore(failing(), Restorer::ThisRun, at(2));
    assert_eq!(back_at(2, &as_before(), &run), end(Left::Changed, EndStateReason::ScalingStays));
    run.scaling.any = false;
    assert_eq!(back_at(2, &as_before(), &run), end(Left::Untouched, EndStateReason::NothingChanged));
    let lost = scaled(unanswered());
    assert_eq!(back_at(24, &as_before(), &lost), end(Left::Changed, EndStateReason::ScalingStays));
}

#[test]
fn a_written_restore_is_looked_for_a_moment_and_then_not_known() {
    let run = writing(21, run(Restorer::ThisRun));
    let watching = Next::Wait(Wait::Restore { running: 0, desired: 2 });
    assert_eq!(back_at(22, &still_mine(), &run), watching);
    assert_eq!(back_at(25, &still_mine(), &run), watching);
    assert_eq!(back_at(26, &still_mine(), &run), end(Left::Unknown, EndStateReason::NotConfirmed));
}

#[test]
fn the_old_tasks_are_watched_coming_back_for_two_minutes_at_most() {
    let run = writing(21, run(Restorer::ThisRun));
    let half = green("web-green:1", 2, (1, Rollout::InProgress));
    assert_eq!(back_at(22, &half, &run), Next::Wait(Wait::Restore { running: 1, desired: 2 }));
    let restored = end(Left::Restored, EndStateReason::RestoredByRun);
    assert_eq!(back_at(140, &half, &run), Next::Wait(Wait::Restore { running: 1, desired: 2 }));
    assert_eq!(
        back_at(141, &half, &run),
        restored,
        "content and count are as found; the tasks are AWS's part"
    );
    assert_eq!(back_at(22, &as_before(), &run), restored);
    let draining = green("web-green:1", 2, (2, Rollout::InProgress));
    assert_eq!(back_at(22, &draining, &run), restored, "enough that they run");
    let mut pending = draining;
    pending.as_mut().unwrap().services[1].deployments[0].pending = 1;
    assert_eq!(back_at(22, &pending, &run), Next::Wait(Wait::Restore { running: 2, desired: 2 }));
}

#[test]
fn a_cancelled_run_does_not_watch() {
    let run = writing(21, cancelled(run(Restorer::ThisRun)));
    let half = green("web-green:1", 2, (1, Rollout::InProgress));
    assert_eq!(back_at(22, &half, &run), end(Left::Restored, EndStateReason::RestoredByRun));
}

#[test]
fn invariant_13_aws_has_half_a_minute_to_begin_its_rollback() {
    let run = run(Restorer::Aws);
    let waiting = Next::Wait(Wait::Rollback { running: 0, desired: 2 });
    assert_eq!(back_at(20, &still_mine(), &run), waiting);
    assert_eq!(back_at(49, &still_mine(), &run), waiting);
    assert_eq!(back_at(50, &still_mine(), &run), restore(Some("web-green:1"), None));
    let cancelled = cancelled(run.clone());
    assert_eq!(
        back_at(20, &still_mine(), &cancelled),
        restore(Some("web-green:1"), None),
        "there is no time"
    );
    assert_eq!(back_at(30, &as_before(), &run), end(Left::Restored, EndStateReason::RestoredByAws));
    let rolling = green("web-green:1", 2, (0, Rollout::InProgress));
    assert_eq!(back_at(30, &rolling, &run), waiting);
    assert_eq!(back_at(140, &rolling, &run), end(Left::Restored, EndStateReason::RestoredByAws));
}

#[test]
fn aws_may_go_back_further_than_to_what_was_found() {
    let elsewhere = green("web-green:0", 2, (2, Rollout::Completed));
    assert_eq!(
        back_at(30, &elsewhere, &run(Restorer::Aws)),
        end(Left::Changed, EndStateReason::AwsElsewhere)
    );
    assert_eq!(
        back_at(30, &elsewhere, &run(Restorer::ThisRun)),
        end(Left::Changed, EndStateReason::ChangedExternally)
    );
}

#[test]
fn somebody_elses_wish_stands() {
    let theirs = run(Restorer::NoOne);
    assert_eq!(back_at(20, &still_mine(), &theirs), end(Left::Changed, EndStateReason::ChangedExternally));
    let mut deleted = snapshot();
    deleted.services.truncate(1);
    assert_eq!(
        back_at(20, &Ok(deleted), &run(Restorer::ThisRun)),
        end(Left::Changed, EndStateReason::ChangedExternally)
    );
}

#[test]
fn invariant_13_after_a_write_without_an_answer_alone_the_color_is_not_known_to_be_changed() {
    let drained = Waiting::Draining { healthy: 2, old: 1, delay: None };
    let drained = RunFailure::Deployment(DeploymentFailure::TimedOut(Box::new(drained)));
    for (failing, because) in
        [(failing(), EndStateReason::ChangedExternally), (drained, EndStateReason::OnlyDrains)]
    {
        let lost = UnansweredWrite {
            step: Step::Update(update(None, Some(4), Purpose::Traffic)),
            trouble: trouble(AwsErrorKind::TimedOut),
            sent: at(19),
            ended: at(19),
        };
        let mut run = without_answer(lost, counting(4, run(Restorer::NoOne)));
        run.memory.changed = false;
        run.start_restore(failing.clone(), Restorer::NoOne, at(20));
        let count = |desired| green("web-green:3", desired, (desired, Rollout::Completed));
        for (desired, left) in [(2, Left::Unknown), (4, Left::Changed)] {
            let next = bad_end(failing.clone(), left, because.clone());
            assert_eq!(back_at(60, &count(desired), &run), next, "{desired}");
        }
        let silent = Err(trouble(AwsErrorKind::Unreachable));
        assert_eq!(back_at(60, &silent, &run), bad_end(failing, Left::Unknown, because));
    }
}

#[test]
fn aws_is_asked_again_for_a_minute() {
    let run = run(Restorer::ThisRun);
    let silent = || Err(trouble(AwsErrorKind::Unreachable));
    let waiting = Next::Wait(Wait::AwsError(trouble(AwsErrorKind::Unreachable)));
    assert_eq!(back_at(20, &silent(), &run), waiting);
    assert_eq!(back_at(79, &silent(), &run), waiting);
    let unknown = end(Left::Unknown, EndStateReason::AwsError(trouble(AwsErrorKind::Unreachable)));
    assert_eq!(back_at(80, &silent(), &run), unknown);
    let denied = Err(trouble(AwsErrorKind::Denied));
    assert_eq!(
        back_at(20, &denied, &run),
        end(Left::Unknown, EndStateReason::AwsError(trouble(AwsErrorKind::Denied)))
    );
}

#[test]
fn a_refused_way_back_is_not_known() {
    let mut refused = run(Restorer::ThisRun);
    refused.memory.restore_trouble = Some(trouble(AwsErrorKind::Denied));
    let unknown = end(Left::Unknown, EndStateReason::AwsError(trouble(AwsErrorKind::Denied)));
    assert_eq!(back_at(20, &still_mine(), &refused), unknown);
}

#[test]
fn without_anything_to_go_back_to_it_is_left_as_it_is() {
    let mut adopted = Run { found: None, ..run(Restorer::ThisRun) };
    adopted.followed_mut().unwrap().adopted = true;
    adopted.memory.changed = false;
    assert_eq!(back_at(20, &still_mine(), &adopted), end(Left::Changed, EndStateReason::NothingToGoBackTo));
    let retried = Run { found: None, ..run(Restorer::ThisRun) };
    assert_eq!(back_at(20, &still_mine(), &retried), end(Left::Changed, EndStateReason::SameDefinition));
}

#[test]
fn the_same_definition_rolled_out_again_has_no_other_one_to_go_back_to() {
    let mut same = run(Restorer::ThisRun);
    same.followed_mut().unwrap().awaited.task_definition = arn("web-green:1");
    assert_eq!(back_at(20, &as_before(), &same), end(Left::Changed, EndStateReason::SameDefinition));
    same.followed_mut().unwrap().awaited.id = None;
    assert_eq!(
        back_at(20, &as_before(), &same),
        end(Left::Restored, EndStateReason::RestoredByAws),
        "only the count changed"
    );
}

/// A run whose first update had no answer at second 19.
fn unanswered() -> Run {
    let update = update(Some("web-green:2"), None, Purpose::Deploy);
    let lost = UnansweredWrite {
        step: Step::Update(update),
        trouble: trouble(AwsErrorKind::TimedOut),
        sent: at(19),
        ended: at(19),
    };
    let mut run = without_answer(lost, Run { phase: DeployPhase::default(), ..run(Restorer::ThisRun) });
    run.memory.changed = false;
    run
}

/// The same, with what the update was to bring and the deployments that were there before it.
fn expecting() -> Run {
    let mut run = unanswered();
    let awaited = OwnDeployment {
        id: None,
        before: vec!["ecs-svc/now".to_owned()],
        ..self::run(Restorer::ThisRun).awaited().unwrap().clone()
    };
    run.phase = DeployPhase::Prepare(Prepare { sought: None, expected: Some(awaited) });
    run
}

#[test]
fn invariant_13_a_version_of_another_writer_is_not_put_back_for_an_update_without_an_answer() {
    let mut theirs = green("web-green:7", 2, (0, Rollout::InProgress));
    theirs.as_mut().unwrap().services[1].deployments[0].id = "ecs-svc/theirs".to_owned();
    assert_eq!(back_at(60, &theirs, &expecting()), end(Left::Changed, EndStateReason::ChangedExternally));
}

#[test]
fn invariant_35_a_color_without_a_trace_of_an_update_is_looked_at_until_looks_agree() {
    let mut run = expecting();
    let sent = run.unanswered().unwrap().sent;
    let late = sent.0 / 1000 + 60;
    for seconds in [late, late + 2] {
        assert!(matches!(noted(seconds, &as_before(), &mut run), Next::Wait(_)), "{seconds}");
    }
    // The update shows after all: it is put back.
    assert_eq!(noted(late + 3, &still_mine(), &mut run), restore(Some("web-green:1"), None));
    for seconds in [late + 4, late + 6] {
        assert!(matches!(noted(seconds, &as_before(), &mut run), Next::Wait(_)), "{seconds}");
    }
    assert_eq!(noted(late + 9, &as_before(), &mut run), end(Left::Untouched, EndStateReason::NothingChanged));
}

#[test]
fn invariant_35_an_update_without_an_answer_is_looked_for_before_the_color_counts_as_untouched() {
    let waiting = Next::Wait(Wait::UnansweredWrite(trouble(AwsErrorKind::TimedOut)));
    assert_eq!(back_at(20, &as_before(), &unanswered()), waiting);
    assert_eq!(back_at(23, &as_before(), &unanswered()), waiting);
    assert_eq!(
        back_at(24, &as_before(), &unanswered()),
        end(Left::Untouched, EndStateReason::NothingChanged)
    );
    assert_eq!(
        back_at(20, &still_mine(), &unanswered()),
        restore(Some("web-green:1"), None),
        "it had its effect"
    );
}

#[test]
fn invariant_35_a_restore_without_an_answer_is_looked_for_before_it_is_sent_again() {
    let Next::Step(step) = restore(Some("web-green:1"), None) else { unreachable!() };
    let lost =
        UnansweredWrite { step, trouble: trouble(AwsErrorKind::TimedOut), sent: at(21), ended: at(21) };
    let run = without_answer(lost, run(Restorer::ThisRun));
    assert_eq!(
        back_at(22, &still_mine(), &run),
        Next::Wait(Wait::UnansweredWrite(trouble(AwsErrorKind::TimedOut)))
    );
    assert_eq!(back_at(26, &still_mine(), &run), restore(Some("web-green:1"), None));
}

/// A run whose update to revision 2 had no answer at second 1, and that a signal ended at second 2.
fn cancelled_in_doubt(force: bool) -> Run {
    let update = Update {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        task_definition: (!force).then(|| arn("web-green:2")),
        desired: None,
        force,
        purpose: Purpose::Deploy,
    };
    let trouble = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
    let lost = UnansweredWrite { step: Step::Update(update), trouble, sent: at(1), ended: at(1) };
    let mut run = Run {
        found: Some(InitialService { task_definition: arn("web-green:1"), desired: 2 }),
        ..without_answer(lost, Run::begin(at(0)))
    };
    run.start_restore(RunFailure::Cancelled, Restorer::ThisRun, at(2));
    run
}

#[test]
fn invariant_35_a_color_counts_as_left_changed_only_once_the_change_shows() {
    let leave = Goal { restore_on_cancel: false, ..goal() };
    let run = cancelled_in_doubt(false);
    let as_found = green("web-green:1", 2, (2, Rollout::Completed));
    let changed = green("web-green:2", 2, (0, Rollout::InProgress));
    assert!(matches!(decide(&as_found, &leave, &run, at(3)), Next::Wait(Wait::UnansweredWrite(_))));
    let cancelled = |left, because| bad_end(RunFailure::Cancelled, left, because);
    assert_eq!(
        decide(&as_found, &leave, &run, at(7)),
        cancelled(Left::Untouched, EndStateReason::NothingChanged)
    );
    assert_eq!(decide(&changed, &leave, &run, at(3)), cancelled(Left::Changed, EndStateReason::Asked));
}

#[test]
fn invariant_35_a_forced_deployment_that_shows_is_no_color_untouched() {
    let run = cancelled_in_doubt(true);
    let mut rolled = green("web-green:1", 2, (2, Rollout::Completed));
    if let Ok(snapshot) = &mut rolled {
        snapshot.services[1].deployments[0].created = at(1);
    }
    let left = bad_end(RunFailure::Cancelled, Left::Changed, EndStateReason::SameDefinition);
    assert_eq!(decide(&rolled, &goal(), &run, at(3)), left);
}

#[test]
fn invariant_35_a_deployment_from_before_a_forced_update_is_not_its_effect() {
    let mut run = cancelled_in_doubt(true);
    let before = vec!["ecs-svc/now".to_owned()];
    let expected =
        OwnDeployment { id: None, before, ..self::run(Restorer::ThisRun).awaited().unwrap().clone() };
    run.phase = DeployPhase::Prepare(Prepare { sought: None, expected: Some(expected) });
    let mut young = green("web-green:1", 2, (2, Rollout::Completed));
    if let Ok(snapshot) = &mut young {
        snapshot.services[1].deployments[0].created = at(0);
    }
    assert!(matches!(decide(&young, &goal(), &run, at(3)), Next::Wait(Wait::UnansweredWrite(_))));
    let untouched = bad_end(RunFailure::Cancelled, Left::Untouched, EndStateReason::NothingChanged);
    assert_eq!(decide(&young, &goal(), &run, at(7)), untouched);
}
