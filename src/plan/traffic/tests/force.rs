//! What a color can carry, and whether the effect of a write shows.

use super::*;
use crate::plan::traffic::capacity::ColorCapacity;
use crate::plan::traffic::facts::read_facts;
use crate::plan::traffic::run::has_taken_effect;

/// What is read of green: desired, running and pending count, the states of its targets, and the count and percentage
/// that its group asks for.
type Read = ((u32, u32, u32), &'static str, (u32, u32));

/// Its healthy targets, the fewest that its group asks for, whether it is sick, and whether more may come.
type Told = (u32, u32, bool, bool);

#[test]
fn a_color_is_as_strong_as_its_targets() {
    let cases: [(Read, Told); 12] = [
        (((2, 2, 0), "healthy healthy", (1, 0)), (2, 1, false, false)),
        (((0, 0, 0), "", (0, 0)), (0, 1, false, false)),
        (((2, 2, 0), "unhealthy unhealthy", (1, 0)), (0, 1, true, false)),
        (((2, 2, 0), "healthy unhealthy", (1, 0)), (1, 1, false, false)),
        (((0, 0, 0), "unhealthy", (1, 0)), (0, 1, false, false)),
        (((2, 2, 0), "initial unhealthy", (1, 0)), (0, 1, true, true)),
        (((2, 1, 0), "healthy", (1, 0)), (1, 1, false, true)),
        (((2, 2, 1), "healthy healthy", (1, 0)), (2, 1, false, true)),
        (((2, 3, 0), "healthy healthy", (1, 0)), (2, 1, false, false)),
        (((2, 2, 0), "healthy healthy", (3, 0)), (2, 3, false, false)),
        (
            ((4, 4, 0), "healthy healthy healthy unhealthy draining unhealthy.draining", (1, 60)),
            (3, 3, false, false),
        ),
        (((1, 1, 0), "healthy draining draining", (1, 100)), (1, 1, false, false)),
    ];
    for (read, told) in cases {
        let ((desired, running, pending), states, (minimum_count, minimum_percent)) = read;
        let mut seen = world(100, 0);
        let green = service(&mut seen, Color::Green);
        (green.desired, green.running, green.pending) = (desired, running, pending);
        let states = states.split_whitespace().zip(1..);
        let targets: Vec<_> = states.map(|(state, number)| target(number, state)).collect();
        let deregistration_delay = Duration::from_secs(300);
        let group = GroupAttributes { deregistration_delay, minimum_count, minimum_percent };
        let own: Vec<_> = targets.iter().collect();
        let force = ColorCapacity::of((Color::Green, green), (&own, &targets), Some(&group), None);
        assert_eq!((force.healthy, force.minimum, force.sick, force.coming), told, "{read:?}");
    }
}

/// Whether the effect of a step shows here.
fn shown(seen: &Snapshot, step: &Step) -> bool {
    has_taken_effect(step, &read_facts(seen, &goal(0, 100)).expect("all that is needed"))
}

#[test]
fn invariant_35_a_write_of_scaling_shows_when_all_of_it_does() {
    let mut seen = world(100, 0);
    scales(&mut seen, Color::Green, (2, 6), true);
    let step = |min, max, in_suspended| {
        let service = "web-green".to_owned();
        let (new, purpose) = (false, Purpose::Traffic);
        Step::Scaling(Scaling { color: ServiceColor::Green, service, min, max, in_suspended, new, purpose })
    };
    for (min, max, suspended, shows) in [
        (None, None, Some(true), true),
        (None, None, Some(false), false),
        (Some(2), None, None, true),
        (Some(3), None, None, false),
        (None, Some(6), None, true),
        (None, Some(7), None, false),
        (Some(2), Some(6), Some(true), true),
        (Some(3), Some(6), Some(true), false),
        (Some(2), Some(7), Some(true), false),
        (Some(2), Some(6), Some(false), false),
    ] {
        assert_eq!(shown(&seen, &step(min, max, suspended)), shows, "{min:?} {max:?} {suspended:?}");
    }
    scales(&mut seen, Color::Blue, (2, 6), true);
    service(&mut seen, Color::Green).scaling = Some(Ok(None));
    assert!(!shown(&seen, &step(None, None, Some(true))), "there is no scalable target");
}

#[test]
fn invariant_35_a_count_shows_when_it_is_the_desired_one() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    let Next::Step(step) = first(&seen, &goal(0, 100)) else { panic!("a step") };
    assert_eq!(short(&step), "green to 4");
    assert!(!shown(&seen, &step));
    tasks(&mut seen, Color::Green, 4, 1, "initial");
    assert!(shown(&seen, &step));
}

#[test]
fn invariant_16_a_color_at_count_0_tells_nothing_of_the_load() {
    let mut seen = world(50, 50);
    tasks(&mut seen, Color::Blue, 0, 0, "");
    tasks(&mut seen, Color::Green, 6, 6, "");
    for color in Color::BOTH {
        scales(&mut seen, color, (0, 40), true);
    }
    assert_eq!(planned(&seen, &goal(0, 100)).first().unwrap(), "green to 12", "6 for half of the users");
}
