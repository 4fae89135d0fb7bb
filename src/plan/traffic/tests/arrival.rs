//! What a run looks at until users have arrived, and since when they have.

use super::*;
use crate::plan::operation::TrafficOperation;

/// Users on blue, which has 4 tasks, for a green that has 2; both scale automatically.
fn small_receiver() -> Snapshot {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), true);
    }
    seen
}

/// Whether the run looks at what makes tasks stop, now.
fn looks_at_causes(ride: &mut Ride) -> bool {
    ride.next();
    let (goal, run) = (ride.goal.clone(), ride.run.clone());
    TrafficOperation { goal: &goal, run }.look().causes
}

#[test]
fn what_makes_tasks_stop_is_looked_at_while_some_are_waited_for() {
    let mut ride = Ride::new(small_receiver(), goal(0, 100));
    assert!(looks_at_causes(&mut ride), "2 of 4");
    assert_eq!([ride.go(), ride.go()], ["green to 4", "Capacity"]);
    assert!(looks_at_causes(&mut ride), "asked for");
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default green", "HTTPS:443 default green"]);
    assert!(!looks_at_causes(&mut ride), "arrived");
    let mut ride = Ride::new(world(100, 0), goal(0, 100));
    assert!(!looks_at_causes(&mut ride), "enough");
}

#[test]
fn invariant_19_users_are_carried_from_their_arrival_on() {
    let mut ride = Ride::new(small_receiver(), goal(0, 100));
    assert_eq!([ride.go(), ride.go()], ["green to 4", "Capacity"]);
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    let moved = [ride.later(300).go(), ride.later(5).go(), ride.later(5).go()];
    assert_eq!(moved, ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]);
    assert_eq!([ride.later(119).go(), ride.later(1).go()], ["Settle", "resume green"]);
}

#[test]
fn a_bake_begins_once_all_rules_are_at_its_step() {
    let mut seen = small_receiver();
    tasks(&mut seen, Color::Green, 1, 1, "");
    let mut ride = Ride::new(seen, wish(goal(0, 100), |wish| wish.steps = vec![50]));
    assert_eq!([ride.go(), ride.go()], ["green to 2", "Capacity"]);
    tasks(&mut ride.seen, Color::Green, 2, 2, "");
    let held = [ride.later(300).go(), ride.later(5).go(), ride.later(5).go()];
    assert_eq!(held, ["HTTP:80 default split", "HTTPS:443 default split", "Bake"]);
    assert_eq!([ride.later(299).go(), ride.later(1).go()], ["Bake", "green to 4"]);
}

#[test]
fn invariant_19_a_rule_that_is_new_after_the_arrival_begins_it_anew() {
    let mut ride = Ride::new(small_receiver(), goal(0, 100));
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]
    );
    rules(&mut ride.seen)[0].rules.push(production(8443, 100, 0));
    assert_eq!([ride.later(60).go(), ride.go()], ["HTTP:8443 default green", "Settle"]);
    assert_eq!([ride.later(119).go(), ride.later(1).go()], ["Settle", "resume green"]);
}

#[test]
fn invariant_09_policies_that_stay_unread_are_not_waited_for_without_end() {
    let mut seen = unarmed();
    service(&mut seen, Color::Green).scalers = Some(Err(trouble(AwsErrorKind::Throttled)));
    let mut ride = Ride::new(seen, managed(goal(50, 50)));
    assert_eq!([ride.go(), ride.later(599).go()], ["AwsError", "AwsError"]);
    let end = ride.later(1).go();
    assert!(end.starts_with("Refuse(Unread"), "{end}");
}

#[test]
fn a_target_that_sickens_after_the_arrival_has_a_minute_of_its_own() {
    let mut seen = small_receiver();
    tasks(&mut seen, Color::Green, 4, 4, "");
    let mut ride = Ride::new(seen, goal(0, 100));
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]
    );
    ride.later(40);
    tasks(&mut ride.seen, Color::Green, 4, 3, "unhealthy");
    assert_eq!([ride.go(), ride.later(59).go()], ["Capacity", "Capacity"]);
    assert!(ride.later(1).go().starts_with("Traffic(Sick"));
}

#[test]
fn invariant_30_what_goes_wrong_at_the_end_of_a_bake_is_no_held_step() {
    let firing = Alarm { state: AlarmState::Firing, ..quiet("web-5xx") };
    for (alarm, healthy, end) in [(firing, 2, "Traffic(Alarm"), (quiet("web-5xx"), 0, "Traffic(Sick")] {
        let mut ride = holding();
        ride.seen.alarms = Some(Ok(vec![alarm]));
        tasks(&mut ride.seen, Color::Green, 2, healthy, "unhealthy");
        let next = ride.later(300).go();
        assert!(next.starts_with(end), "{next}");
    }
}
