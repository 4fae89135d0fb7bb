//! The look that decides the end is the look that is told (invariant 42): it holds all that a report tells, and what it
//! shows against the end is no success.

use super::*;
use crate::plan::operation::TrafficOperation;

/// A run that moved all users to green, which has 2 tasks as blue has, and would end at its next look.
fn arrived() -> Ride {
    let mut ride = Ride::new(world(100, 0), wish(goal(0, 100), |wish| wish.settle = Duration::ZERO));
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default green", "HTTPS:443 default green"]);
    ride
}

/// The decision of the operation at a look.
fn decided(ride: &mut Ride, seen: Snapshot) -> Next {
    let mut moving = TrafficOperation { goal: &ride.goal, run: ride.run.clone() };
    let next = moving.decide(&Ok(seen), ride.now);
    ride.run = moving.run;
    next
}

/// The decision of the course at a look without task definitions, as it looks while it is under way.
fn under_way(ride: &mut Ride) -> Next {
    let mut partial = ride.seen.clone();
    partial.services.iter_mut().for_each(|service| service.definition = None);
    decided(ride, partial)
}

/// The decision of the course at a whole look, in short words.
fn at_the_end(ride: &mut Ride) -> String {
    match decided(ride, ride.seen.clone()) {
        Next::Step(step) => short(&step),
        Next::Restore(failing, _) => format!("{failing:?}").chars().take(24).collect(),
        Next::Done(End::Good { healthy, .. }) => format!("good {healthy}"),
        Next::Wait(wait) => format!("{wait:?}").chars().take_while(|c| c.is_alphanumeric()).collect(),
        other => format!("{other:?}"),
    }
}

/// What another writer, or a failure, changes between two looks.
type Change = fn(&mut Snapshot);

#[test]
fn invariant_42_a_change_of_traffic_succeeds_at_a_whole_look_alone() {
    let whole = |ride: &Ride| Next::Read(ReadScope { develop: true, ..ride.goal.look() });
    let contradictions: [(Change, &str); 5] = [
        (|_| {}, "good 2"),
        (|seen| rules(seen)[0].rules[0] = production(80, 50, 50), "Traffic(Overtaken { rule"),
        (|seen| tasks(seen, Color::Green, 2, 1, "unhealthy"), "Capacity"),
        (|seen| tasks(seen, Color::Green, 2, 0, "unhealthy"), "Traffic(Sick(Capacity { "),
        (|seen| tasks(seen, Color::Green, 1, 1, ""), "green to 2"),
    ];
    for (change, decided) in contradictions {
        let mut ride = arrived();
        assert_eq!(under_way(&mut ride), whole(&ride), "nothing is told of a look without versions");
        change(&mut ride.seen);
        assert_eq!(at_the_end(&mut ride), decided);
    }
}

#[test]
fn invariant_42_a_change_of_traffic_fails_at_a_whole_look_and_a_cancelled_one_at_any() {
    for (cancelled, whole) in [(false, true), (true, false)] {
        let mut ride = arrived();
        under_way(&mut ride);
        let stuck = RunFailure::Traffic(TrafficFailure::Blind(trouble(AwsErrorKind::Unreachable)));
        ride.run.start_restore(if cancelled { RunFailure::Cancelled } else { stuck }, ride.now);
        let looks = matches!(under_way(&mut ride), Next::Read(_));
        assert_eq!(looks, whole, "a cancelled run has no time");
    }
}
