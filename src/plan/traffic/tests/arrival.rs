//! What a run looks at until users have arrived, and since when they have.

use super::*;
use crate::plan::course::{Course, Moving};

/// Users on blue, which has 4 tasks, for a green that has 2; both scale automatically.
fn small_receiver() -> Snapshot {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    for color in [Color::Blue, Color::Green] {
        scales(&mut seen, color, (1, 10), true);
    }
    seen
}

/// Whether the run looks at what makes tasks stop, now.
fn looks_at_causes(ride: &mut Ride) -> bool {
    ride.next();
    let (goal, run) = (ride.goal.clone(), ride.run.clone());
    Moving { goal: &goal, run }.look().causes
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
