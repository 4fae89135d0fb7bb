//! The pace of a waiting run.

use proptest::prelude::*;

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::{Color, Split};
use crate::plan::sample::{T0, at, service, target, trouble};
use crate::plan::snapshot::{Rollout, Service};
use crate::plan::step::Capacity;

/// The default of `poll-interval`.
const DEFAULT: Duration = Duration::from_secs(5);

/// The color that is deployed to.
const GREEN: ServiceColor = ServiceColor::Green;

/// A deployment with this many running tasks.
fn rolling(running: u32) -> Wait {
    let (pending, healthy) = (2 - running.min(2), Some(0));
    Wait::Deployment(Waiting::RollingOut { running, pending, healthy, desired: 2, failed: 0, old: 2 })
}

/// A deployment whose older tasks stop after this many seconds.
fn draining(delay: u64) -> Wait {
    let delay = Some(Duration::from_secs(delay));
    Wait::Deployment(Waiting::Draining { healthy: 2, old: 2, delay })
}

/// A bake that ends after this many seconds.
fn bake(left: u64) -> Wait {
    let split = Split { blue: 80, green: 20 };
    Wait::Bake { split, left: Duration::from_secs(left), no_data: Vec::new() }
}

/// A wait for healthy targets of green.
fn capacity() -> Wait {
    let (share, healthy, needed, desired) = (50, 0, 2, 2);
    Wait::Capacity(Capacity { color: Color::Green, share, healthy, needed, desired, most: None })
}

/// A pace after a look of this many calls at the beginning, with a change at this second.
fn waiting(wait: &Wait, calls: u32, changed: Option<u64>) -> Pace {
    let mut pace = Pace::begin(DEFAULT, T0);
    pace.note_look(wait, Look { at: T0, calls, interval: DEFAULT }, Some(GREEN));
    pace.changed = changed.map_or(T0.before(AFTER_CHANGE), at);
    pace
}

/// The seconds of the next actions after a look at the beginning, until the next look: `g` for a glance. The glance at
/// second `moves` shows a change.
fn actions(mut pace: Pace, moves: Option<u64>) -> String {
    let (mut now, mut all) = (T0, Vec::new());
    loop {
        match pace.next(now) {
            Pause::Look(wait) => {
                all.push(format!("{}", now.after(wait).since(T0).as_secs_f64()));
                return all.join(" ");
            }
            Pause::Glance(wait, _) => {
                now = now.after(wait);
                all.push(format!("g{}", now.since(T0).as_secs_f64()));
                pace.note_glance(Some(moves.is_some_and(|moves| now >= at(moves))), 1, now);
            }
        }
    }
}

#[test]
fn a_look_follows_after_the_poll_interval_and_after_a_change_glances_come_first() {
    for (wait, calls, changed, moves, expected) in [
        // No change, and no event in sight.
        (rolling(0), 10, None, None, "5"),
        (draining(300), 10, None, None, "5"),
        // A glance shows a change: a look at once.
        (rolling(0), 10, Some(0), Some(3), "g1 g2 g3 3"),
        (capacity(), 10, Some(0), Some(2), "g1 g2 2"),
        // None does: looks and glances together are two calls per second.
        (rolling(0), 4, Some(0), None, "g1 g2 g3 g4 5"),
        (rolling(0), 10, Some(0), None, "g1 g2 g3 g4 g5 g6 g7 g8 9"),
        // No single call shows the change: looks as early as their calls allow.
        (Wait::Probe, 4, Some(0), None, "2"),
        (Wait::Probe, 1, Some(0), None, "1"),
        (Wait::Probe, 14, Some(0), None, "7"),
        // The end of a wait is known. An early look is on credit.
        (bake(3), 10, None, None, "4"),
        (bake(0), 18, None, None, "1"),
        (bake(60), 10, None, None, "5"),
        (bake(6), 14, None, None, "7"),
        // AWS did not answer: no glance.
        (Wait::AwsError(trouble(AwsErrorKind::Throttled)), 1, Some(0), None, "5"),
    ] {
        assert_eq!(actions(waiting(&wait, calls, changed), moves), expected, "{wait:?} {calls} {changed:?}");
    }
}

#[test]
fn a_run_glances_when_older_tasks_are_about_to_stop() {
    let mut pace = waiting(&draining(60), 8, None);
    for (second, expected) in
        [(50, "5"), (54, "g4 5"), (55, "g3 g4 5"), (70, "g1 g2 g3 g4 g5 g6 7"), (100, "5")]
    {
        pace.note_look(&draining(60), Look { at: at(second), calls: 8, interval: DEFAULT }, Some(GREEN));
        (pace.changed, pace.paid) = (T0.before(AFTER_CHANGE), at(second).after(PER_CALL * 8));
        let (mut copy, mut now, mut all) = (pace.clone(), at(second), Vec::new());
        let last = loop {
            match copy.next(now) {
                Pause::Look(wait) => break now.after(wait),
                Pause::Glance(wait, _) => now = now.after(wait),
            }
            all.push(format!("g{}", now.since(at(second)).as_secs()));
            copy.note_glance(Some(false), 1, now);
        };
        all.push(last.since(at(second)).as_secs().to_string());
        assert_eq!(all.join(" "), expected, "at second {second}");
    }
}

#[test]
fn a_glance_without_an_answer_is_the_last_one() {
    let mut pace = waiting(&rolling(0), 4, Some(0));
    assert_eq!(pace.next(T0), Pause::Glance(SOON, Glance::Service(GREEN)));
    pace.note_glance(None, 3, at(1));
    assert_eq!(pace.next(at(1)), Pause::Look(Duration::from_millis(2_500)), "calls 4 and 3");
}

#[test]
fn other_numbers_of_the_same_wait_are_a_change_and_passing_time_is_none() {
    let mut pace = waiting(&rolling(0), 10, None);
    let look = |second| Look { at: at(second), calls: 10, interval: DEFAULT };
    pace.note_look(&rolling(1), look(5), Some(GREEN));
    assert_eq!((pace.since, pace.changed), (T0, at(5)));
    pace.note_look(&bake(60), look(10), None);
    pace.note_look(&bake(55), look(15), None);
    assert_eq!((pace.since, pace.changed), (at(10), at(10)));
}

#[test]
fn a_glance_moves_if_the_facts_can_end_a_wait() {
    let before = service(GREEN);
    let same = |change: fn(&mut Service)| {
        let mut now = before.clone();
        change(&mut now);
        Glanced::Service(Some(Box::new(now))).has_moved(&before)
    };
    assert!(!same(|_| ()));
    assert!(!same(|now| now.events.clear()), "events decide nothing");
    assert!(same(|now| now.desired = 3));
    assert!(same(|now| now.deployments.clear()));
    for deployment in [
        |now: &mut Service| now.deployments[0].rollout = Rollout::Failed,
        |now: &mut Service| now.deployments[0].failed = 1,
        |now: &mut Service| now.deployments[0].running = 1,
    ] {
        assert!(same(deployment));
    }
    assert!(Glanced::Service(None).has_moved(&before), "the service is gone");
    let targets = |states: &[&str]| {
        Glanced::Targets((1..).zip(states).map(|(number, state)| target(number, state)).collect())
    };
    let known =
        Service { targets: Some(Ok(vec![target(1, "healthy"), target(2, "initial")])), ..service(GREEN) };
    assert!(!targets(&["healthy", "unhealthy"]).has_moved(&known));
    assert!(targets(&["healthy", "healthy"]).has_moved(&known));
    assert!(targets(&["healthy"]).has_moved(&Service { targets: None, ..known }));
}

/// Any wait.
fn any_wait() -> impl Strategy<Value = Wait> {
    prop_oneof![
        (0..3_u32).prop_map(rolling),
        (0..40_u64).prop_map(draining),
        (0..40_u64).prop_map(bake),
        Just(capacity()),
        Just(Wait::Probe),
        Just(Wait::AwsError(trouble(AwsErrorKind::Throttled))),
    ]
}

proptest! {
    #[test]
    fn a_waiting_run_makes_two_calls_per_second_and_waits_no_longer_than_asked(
        interval in prop_oneof![100..5_000_u64, 5_000..60_001_u64],
        looks in prop::collection::vec((any_wait(), 1..40_u32, any::<bool>(), any::<u8>()), 1..40),
    ) {
        let interval = Duration::from_millis(interval);
        let mut pace = Pace::begin(interval, T0);
        let (mut now, mut calls) = (T0, 0);
        let most = looks.iter().map(|(_, calls, ..)| *calls).max().unwrap_or(0);
        for (wait, cost, writes, moves) in &looks {
            if *writes {
                pace.note_change(now);
            }
            let began = now;
            calls += cost;
            pace.note_look(wait, Look { at: now, calls: *cost, interval }, Some(GREEN));
            let mut glances = 0;
            while let Pause::Glance(wait, _) = pace.next(now) {
                prop_assert!(wait >= SOON);
                now = now.after(wait);
                (calls, glances) = (calls + 1, glances + 1);
                pace.note_glance(Some(glances == *moves), 1, now);
            }
            let Pause::Look(wait) = pace.next(now) else { unreachable!() };
            now = now.after(wait);
            let waited = now.since(began);
            if interval < LEAST_ADAPTED {
                prop_assert_eq!((waited, glances), (interval, 0), "the user's own pace");
                continue;
            }
            prop_assert!(waited >= SOON);
            prop_assert!(waited <= interval || now <= pace.paid, "{waited:?}");
            let allowed = now.since(T0).as_secs_f64() * 2.0 + f64::from(2 * most);
            prop_assert!(f64::from(calls) <= allowed + 1.0, "{calls} calls in {:?}", now.since(T0));
        }
    }
}
