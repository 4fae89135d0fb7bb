//! What a deploy notes of what it sees, each typed by hand. Green ran revision 1 with two tasks; the run brought
//! revision 2 at second 1.

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::{Color, ServiceColor};
use crate::plan::sample::{
    arn, at, balancer, deployment, goal, snapshot, target, tasks, trouble, update, without_answer,
};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Purpose;
use crate::plan::verdict::{DeploymentFailure, Kind, Limits, Verdict, Waiting, judge_deployment};

/// The limits of every test.
const LIMITS: Limits = Limits {
    timeout: std::time::Duration::from_secs(600),
    visibility: std::time::Duration::from_secs(30),
    rollback: std::time::Duration::from_secs(30),
};

/// A run that waits for this kind of change, with so many tasks, which no look has shown yet.
fn waiting(kind: Kind, desired: u32) -> Run {
    let (revision, id) = match kind {
        Kind::Rollout => ("web-green:2", Some("ecs-svc/mine".to_owned())),
        Kind::CountOnly | Kind::Nothing => ("web-green:1", None),
    };
    let task_definition = arn(revision);
    let awaited =
        OwnDeployment { kind, id, task_definition, desired, started: at(1), seen: false, before: Vec::new() };
    let mut run = Run::begin_changed(at(0));
    run.count.asked = Some(desired);
    run.follow_deployment(awaited, false);
    run
}

/// Green with this revision and count: all of its tasks run and are healthy.
fn healthy(revision: &str, desired: u32) -> Snapshot {
    let mut all = snapshot();
    let green = &mut all.services[1];
    (green.desired, green.running) = (desired, desired);
    green.task_definition = arn(revision);
    green.deployments = vec![deployment("mine", &arn(revision), desired)];
    green.tasks = Some(Ok(tasks(&green.deployments[0], desired, 1)));
    green.targets = Some(Ok((1..=desired).map(|number| target(number, "healthy")).collect()));
    all
}

/// How it stands once the run saw this.
fn judged(run: &mut Run, seen: &Snapshot, seconds: u64) -> Verdict {
    run.saw(&Situation::of(seen, &goal()), &goal(), at(seconds));
    let awaited = run.awaited().unwrap();
    judge_deployment(seen.service(Color::Green), awaited, at(seconds), &LIMITS)
}

#[test]
fn invariant_12_a_count_that_somebody_else_lowers_is_what_is_waited_for() {
    let mut run = waiting(Kind::Rollout, 2);
    assert_eq!(judged(&mut run, &healthy("web-green:2", 1), 10), Verdict::Good { healthy: 1 });
    assert_eq!(run.recounted(), Some(1));
    assert_eq!(run.count.asked, Some(2), "what the run itself asked for is not forgotten");
}

#[test]
fn invariant_12_a_count_that_somebody_else_raises_is_what_is_waited_for() {
    let mut run = waiting(Kind::Rollout, 2);
    assert_eq!(judged(&mut run, &healthy("web-green:2", 2), 10), Verdict::Good { healthy: 2 });
    assert_eq!(run.recounted(), None);
    let mut more = healthy("web-green:2", 2);
    more.services[1].desired = 6;
    let short = Verdict::Wait(Waiting::Unhealthy { healthy: 2, needed: 6 });
    assert_eq!(judged(&mut run, &more, 20), short);
    assert_eq!(run.recounted(), Some(6));
    assert_eq!(judged(&mut run, &healthy("web-green:2", 6), 30), Verdict::Good { healthy: 6 });
}

#[test]
fn invariant_12_a_count_is_somebody_elses_only_once_the_runs_own_one_was_seen() {
    let mut run = waiting(Kind::CountOnly, 4);
    let before = healthy("web-green:1", 2);
    assert!(matches!(judged(&mut run, &before, 2), Verdict::Wait(_)), "AWS may answer from before");
    assert!(matches!(judged(&mut run, &before, 30), Verdict::Wait(_)));
    assert_eq!(judged(&mut run, &before, 31), Verdict::Good { healthy: 2 }, "but not for half a minute");
    let mut run = waiting(Kind::CountOnly, 4);
    let mut own = healthy("web-green:1", 2);
    own.services[1].desired = 4;
    assert!(matches!(judged(&mut run, &own, 2), Verdict::Wait(_)));
    assert_eq!(judged(&mut run, &healthy("web-green:1", 1), 3), Verdict::Good { healthy: 1 });
    assert_eq!(run.recounted(), Some(1));
}

#[test]
fn no_tasks_at_all_and_another_definition_are_no_other_count() {
    let mut run = waiting(Kind::Rollout, 2);
    let drained = Verdict::Failed { ended: DeploymentFailure::Drained, recovery: Restorer::NoOne };
    assert_eq!(judged(&mut run, &healthy("web-green:2", 0), 10), drained);
    judged(&mut run, &healthy("web-green:1", 1), 20);
    assert_eq!(run.recounted(), None);
    let mut back = waiting(Kind::Rollout, 2);
    back.restore.written = Some(RestoreWrite { at: at(20), keeps_count: false });
    judged(&mut back, &healthy("web-green:2", 1), 21);
    assert_eq!(back.recounted(), None, "on the way back the count is the run's own again");
}

#[test]
fn a_count_that_somebody_else_set_before_aws_went_back_is_told_of() {
    let mut run = waiting(Kind::Rollout, 2);
    judged(&mut run, &healthy("web-green:2", 2), 5);
    run.found = Some(InitialService { task_definition: arn("web-green:1"), desired: 2 });
    judged(&mut run, &healthy("web-green:1", 2), 10);
    assert_eq!(run.recounted(), None, "AWS keeps the count");
    judged(&mut run, &healthy("web-green:1", 6), 15);
    assert_eq!(run.recounted(), Some(6));
}

#[test]
fn what_users_reach_is_noted_until_the_color_is_changed() {
    let at_green = |blue, green| Snapshot { balancers: Some(Ok(vec![balancer(blue, green)])), ..snapshot() };
    let mut run = Run::begin(at(0));
    run.saw(&Situation::of(&at_green(80, 20), &goal()), &goal(), at(0));
    assert!(run.users.was_live);
    run.saw(&Situation::of(&at_green(100, 0), &goal()), &goal(), at(0));
    assert!(!run.users.was_live);
    let mut lost = Run { phase: DeployPhase::default(), ..run.clone() };
    lost.memory.changed = false;
    let update = update(Some("web-green:2"), None, Purpose::Deploy);
    let trouble = trouble(AwsErrorKind::TimedOut);
    lost.memory.unanswered =
        vec![UnansweredWrite { step: Step::Update(update), trouble, sent: at(1), ended: at(1) }];
    for mut changed in [waiting(Kind::Rollout, 2), lost] {
        changed.saw(&Situation::of(&at_green(0, 100), &goal()), &goal(), at(5));
        assert!(!changed.users.was_live, "users who came later");
    }
}

/// A run that is about to bring revision 2, or a count, to green as it is.
fn updating(task_definition: Option<&str>, desired: Option<u32>) -> (Run, Update) {
    let update = Update {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        task_definition: task_definition.map(arn),
        desired,
        force: false,
        purpose: Purpose::Deploy,
    };
    let mut run = Run::begin(at(0));
    run.before_update(snapshot().service(Color::Green).unwrap(), &update);
    (run, update)
}

/// Green with a new deployment of revision 2, complete, its two targets healthy.
fn rolled() -> Snapshot {
    let mut all = healthy("web-green:2", 2);
    all.services[1].deployments[0].created = at(0);
    all
}

#[test]
fn invariant_12_an_old_primary_in_the_answer_of_an_update_is_not_the_runs_own() {
    let (mut run, update) = updating(Some("web-green:2"), None);
    let old = snapshot().services[1].clone();
    run.updated(&update, &old, at(1).into());
    assert_eq!(run.awaited().unwrap().id, None, "what was there before the write can't be what it started");
    let stale = judged(&mut run, &snapshot(), 2);
    assert_eq!(stale, Verdict::Wait(Waiting::NotVisible));
    assert_eq!(judged(&mut run, &rolled(), 5), Verdict::Good { healthy: 2 }, "whatever the clocks say");
    assert_eq!(run.awaited().unwrap().id.as_deref(), Some("ecs-svc/mine"));
    let (mut run, update) = updating(Some("web-green:2"), None);
    run.updated(&update, &rolled().services[1], at(9).into());
    assert_eq!(
        run.awaited().unwrap().id.as_deref(),
        Some("ecs-svc/mine"),
        "a new one of the wanted version is"
    );
}

#[test]
fn invariant_06_a_deployment_of_somebody_elses_right_after_the_write_is_no_late_sight_of_the_runs_own() {
    let (mut run, update) = updating(Some("web-green:2"), None);
    run.updated(&update, &rolled().services[1], at(9).into());
    let mut theirs = healthy("web-green:3", 2);
    theirs.services[1].deployments[0] =
        crate::plan::snapshot::Deployment { created: at(1), ..deployment("theirs", &arn("web-green:3"), 2) };
    assert_eq!(judged(&mut run, &theirs, 10), Verdict::LookCloser, "AWS's clock may be behind");
    theirs.services[1].history = Some(Ok(Vec::new()));
    let over = Verdict::Failed {
        ended: DeploymentFailure::Superseded { by: arn("web-green:3") },
        recovery: Restorer::NoOne,
    };
    assert_eq!(judged(&mut run, &theirs, 10), over);
    let (mut run, update) = updating(None, Some(4));
    run.updated(&update, &healthy("web-green:1", 4).services[1], at(1).into());
    assert_eq!(judged(&mut run, &healthy("web-green:1", 3), 3), Verdict::Good { healthy: 3 });
    assert_eq!(run.recounted(), Some(3), "neither found nor asked for: somebody else set it");
}

#[test]
fn invariant_09_one_read_that_shows_the_service_taken_away_ends_nothing() {
    use crate::plan::deploy::next_deploy_action;
    use crate::plan::step::{Next, Wait};
    let not_sure = Next::Wait(Wait::Deployment(Waiting::NotVisible));
    let gone = Snapshot { services: vec![snapshot().services[0].clone()], ..snapshot() };
    let mut counting = waiting(Kind::CountOnly, 2);
    counting.followed_mut().unwrap().awaited.seen = true;
    for (run, away, back) in [
        (counting.clone(), healthy("web-green:1", 0), healthy("web-green:1", 2)),
        (counting, healthy("web-green:9", 2), healthy("web-green:1", 2)),
        (waiting(Kind::Rollout, 2), gone, rolled()),
    ] {
        let decide = |run: &mut Run, seen: &Snapshot, seconds| {
            run.saw(&Situation::of(seen, &goal()), &goal(), at(seconds));
            next_deploy_action(&Ok(Situation::of(seen, &goal())), &goal(), run, at(seconds))
        };
        let mut once = run.clone();
        for second in [10, 11, 12, 14] {
            assert_eq!(decide(&mut once, &away, second), not_sure, "{second}");
        }
        let mut stale = once.clone();
        assert_ne!(decide(&mut stale, &back, 15), not_sure);
        assert_eq!(decide(&mut stale, &away, 16), not_sure, "it is counted from anew");
        let ended = decide(&mut once, &away, 15);
        assert!(matches!(ended, Next::Restore(_, Restorer::NoOne)), "{ended:?}");
    }
}

#[test]
fn invariant_13_a_count_that_another_user_set_is_no_effect_of_a_lost_update() {
    let follow = |count| {
        let step = Step::Update(update(None, Some(1), Purpose::Deploy));
        let lost =
            UnansweredWrite { step, trouble: trouble(AwsErrorKind::TimedOut), sent: at(1), ended: at(1) };
        let found = InitialService { task_definition: arn("web-green:1"), desired: 0 };
        let mut run = without_answer(lost, Run { found: Some(found), ..Run::begin(at(0)) });
        let awaited = waiting(Kind::Nothing, count).awaited().cloned().unwrap();
        run.follow(Follow { awaited, adopted: false, found: None });
        run.memory.changed
    };
    assert!(follow(1), "the update's own count");
    assert!(!follow(2), "another user's count");
    assert!(!follow(0), "the count as found");
}
