//! What a deploy notes of what it sees, each typed by hand. Green ran revision 1 with two tasks; the run brought
//! revision 2 at second 1.

use super::*;
use crate::plan::color::Color;
use crate::plan::sample::{arn, at, balancer, deployment, goal, snapshot, target, tasks, trouble};
use crate::plan::trouble::TroubleKind;
use crate::plan::verdict::{Limits, Verdict, Waiting, verdict};

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
    let mine = Mine { kind, id, task_definition, desired, started: at(1), seen: false };
    Run { changed: true, asked: Some(desired), mine: Some(mine), ..Run::begin(at(0)) }
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
    run.saw(seen, &goal(), at(seconds));
    let mine = run.mine.as_ref().unwrap();
    verdict(seen.service(Color::Green), mine, at(seconds), &LIMITS)
}

#[test]
fn invariant_12_a_count_that_somebody_else_lowers_is_what_is_waited_for() {
    let mut run = waiting(Kind::Rollout, 2);
    assert_eq!(judged(&mut run, &healthy("web-green:2", 1), 10), Verdict::Good { healthy: 1 });
    assert_eq!(run.recounted, Some(1));
    assert_eq!(run.asked, Some(2), "what the run itself asked for is not forgotten");
}

#[test]
fn invariant_12_a_count_that_somebody_else_raises_is_what_is_waited_for() {
    let mut run = waiting(Kind::Rollout, 2);
    assert_eq!(judged(&mut run, &healthy("web-green:2", 2), 10), Verdict::Good { healthy: 2 });
    assert_eq!(run.recounted, None);
    let mut more = healthy("web-green:2", 2);
    more.services[1].desired = 6;
    let short = Verdict::Wait(Waiting::Unhealthy { healthy: 2, needed: 6 });
    assert_eq!(judged(&mut run, &more, 20), short);
    assert_eq!(run.recounted, Some(6));
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
    assert_eq!(run.recounted, Some(1));
}

#[test]
fn no_tasks_at_all_and_another_definition_are_no_other_count() {
    let mut run = waiting(Kind::Rollout, 2);
    let drained = Verdict::Failed { ended: Ended::Drained, recovery: Recovery::Theirs };
    assert_eq!(judged(&mut run, &healthy("web-green:2", 0), 10), drained);
    judged(&mut run, &healthy("web-green:1", 1), 20);
    assert_eq!(run.recounted, None);
    let mut back = Run { restoring: Some(at(20)), ..waiting(Kind::Rollout, 2) };
    judged(&mut back, &healthy("web-green:2", 1), 21);
    assert_eq!(back.recounted, None, "on the way back the count is the run's own again");
}

#[test]
fn a_count_that_somebody_else_set_before_aws_went_back_is_told_of() {
    let mut run = waiting(Kind::Rollout, 2);
    judged(&mut run, &healthy("web-green:2", 2), 5);
    run.found = Some(Found { task_definition: arn("web-green:1"), desired: 2 });
    judged(&mut run, &healthy("web-green:1", 2), 10);
    assert_eq!(run.recounted, None, "AWS keeps the count");
    judged(&mut run, &healthy("web-green:1", 6), 15);
    assert_eq!(run.recounted, Some(6));
}

#[test]
fn what_users_reach_is_noted_until_the_color_is_changed() {
    let at_green = |blue, green| Snapshot { balancers: Some(Ok(vec![balancer(blue, green)])), ..snapshot() };
    let mut run = Run::begin(at(0));
    run.saw(&at_green(80, 20), &goal(), at(0));
    assert!(run.was_live);
    run.saw(&at_green(100, 0), &goal(), at(0));
    assert!(!run.was_live);
    let mut lost = Run { changed: false, mine: None, ..run.clone() };
    let update = Update {
        color: Color::Green,
        service: "web-green".to_owned(),
        task_definition: Some(arn("web-green:2")),
        desired: None,
        force: false,
        purpose: Purpose::Deploy,
    };
    let trouble = trouble(TroubleKind::TimedOut);
    lost.unanswered = Some(Unanswered { step: Step::Update(update), trouble, sent: at(1) });
    for mut changed in [waiting(Kind::Rollout, 2), lost] {
        changed.saw(&at_green(0, 100), &goal(), at(5));
        assert!(!changed.was_live, "users who came later");
    }
}
