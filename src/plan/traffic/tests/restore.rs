//! The way back where AWS did more than the run asked for, or did it later.

use super::*;
use crate::plan::aws_error::AwsError;

/// A change of two held colors that scale automatically, whose scale-in is not suspended yet; blue has fewer tasks than
/// its MinCapacity.
fn below_its_minimum() -> Ride {
    let mut seen = world(80, 20);
    tasks(&mut seen, Color::Blue, 2, 2, "");
    tasks(&mut seen, Color::Green, 4, 4, "");
    scales(&mut seen, Color::Blue, (4, 10), false);
    scales(&mut seen, Color::Green, (1, 10), false);
    Ride::new(seen, goal(20, 80))
}

/// What the run does after the second rule was refused.
fn refused_at_the_second_rule(ride: &mut Ride) -> String {
    let Next::Step(step) = ride.next() else { panic!("the other rule") };
    ride.run.answered(&step, &Err(trouble(AwsErrorKind::Denied)), &ride.goal.clone(), ride.now);
    ride.go()
}

#[test]
fn invariant_16_a_count_that_aws_raised_to_min_capacity_asks_for_no_more_than_was_there() {
    let mut ride = below_its_minimum();
    assert_eq!(ride.go(), "suspend blue");
    // RegisterScalableTarget clamps: the two new tasks are not there yet.
    tasks(&mut ride.seen, Color::Blue, 4, 2, "initial");
    assert_eq!([ride.go(), ride.go()], ["suspend green", "HTTP:80 default green-80"]);
    assert_eq!(refused_at_the_second_rule(&mut ride), "HTTP:80 default blue-80", "2 targets carried 80 %");
}

#[test]
fn invariant_13_a_write_that_a_forced_run_left_alone_and_that_shows_late_is_a_change() {
    let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    for shows in [false, true] {
        let mut seen = world(100, 0);
        for color in Color::BOTH {
            scales(&mut seen, color, (1, 10), false);
        }
        tasks(&mut seen, Color::Green, 2, 1, "initial");
        let mut ride = Ride::new(seen, wish(goal(80, 20), |wish| wish.force = true));
        let Next::Step(step) = ride.next() else { panic!("a step") };
        assert_eq!(short(&step), "suspend blue");
        ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
        ride.run.answered(&step, &Err(lost.clone()), &ride.goal.clone(), ride.now);
        scales(&mut ride.seen, Color::Blue, (1, 10), shows);
        ride.run.memory.cancelled = Some(ride.now);
        let end = if shows { "changed Asked" } else { "untouched NothingChanged" };
        assert_eq!([ride.go(), ride.go()], ["Cancelled", end]);
    }
}

#[test]
fn invariant_25_a_winner_that_sickens_after_the_other_color_shrank_keeps_its_users() {
    let finish = Finish { idle_count: 1, max_drain: Duration::ZERO, bounds: None };
    let mut ride = Ride::new(world(100, 0), Goal { finish: Some(finish), ..goal(0, 100) });
    let moved = [ride.go(), ride.go(), ride.go()];
    assert_eq!(moved, ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]);
    assert_eq!(ride.later(120).go(), "blue to 1");
    tasks(&mut ride.seen, Color::Green, 2, 0, "unhealthy");
    assert!(ride.go().starts_with("Traffic(Sick"));
    assert_eq!(ride.go(), "changed NotServed");
}

#[test]
fn users_who_arrived_stay_where_scaling_can_not_be_given_back() {
    let mut seen = world(100, 0);
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), false);
    }
    let mut ride = Ride::new(seen, goal(0, 100));
    let moved = [ride.go(), ride.go(), ride.go(), ride.go(), ride.go()];
    assert_eq!(moved[2..], ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]);
    let Next::Step(step) = ride.later(120).next() else { panic!("a step") };
    assert_eq!(short(&step), "resume green");
    ride.run.answered(&step, &Err(trouble(AwsErrorKind::Denied)), &ride.goal.clone(), ride.now);
    assert_eq!(ride.go(), "changed Arrived");
}

#[test]
fn users_who_all_go_back_to_one_color_wait_for_no_scaling() {
    let mut seen = world(100, 0);
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), false);
    }
    let mut ride = Ride::new(seen, goal(80, 20));
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["suspend blue", "suspend green", "HTTP:80 default blue-80"]
    );
    // Somebody allows it again, and the other rule can't be written.
    for color in Color::BOTH {
        scales(&mut ride.seen, color, (1, 10), false);
    }
    ride.run.memory.cancelled = Some(ride.now);
    assert_eq!([ride.go(), ride.go()], ["Cancelled", "HTTP:80 default blue"]);
}

#[test]
fn invariant_06_a_rule_that_somebody_else_put_back_is_not_written_again() {
    let mut ride = holding();
    ride.seen.alarms.as_mut().unwrap().as_mut().unwrap()[0].state = AlarmState::Firing;
    assert!(ride.later(60).go().starts_with("Traffic(Alarm"));
    rules(&mut ride.seen)[0].rules[0] = production(80, 100, 0);
    assert_eq!([ride.go(), ride.go()], ["HTTPS:443 default blue", "restored RestoredByRun"]);
}

#[test]
fn invariant_16_a_count_that_grew_by_itself_asks_for_what_it_grew_to() {
    let mut ride = below_its_minimum();
    scales(&mut ride.seen, Color::Blue, (1, 10), false);
    assert_eq!(ride.go(), "suspend blue");
    tasks(&mut ride.seen, Color::Blue, 6, 3, "initial");
    assert_eq!([ride.go(), ride.go(), ride.go()], ["suspend green", "green to 6", "Capacity"]);
    tasks(&mut ride.seen, Color::Green, 6, 6, "");
    assert_eq!(ride.go(), "HTTP:80 default green-80");
    assert_eq!(refused_at_the_second_rule(&mut ride), "Capacity", "3 of the 6 that 80 % came to need");
}

#[test]
fn invariant_16_a_count_that_the_run_raised_asks_for_no_more_than_was_there() {
    let mut seen = world(80, 20);
    tasks(&mut seen, Color::Blue, 5, 4, "unhealthy");
    tasks(&mut seen, Color::Green, 1, 1, "");
    for color in Color::BOTH {
        scales(&mut seen, color, (1, 10), true);
    }
    let mut ride = Ride::new(seen, goal(50, 50));
    assert_eq!(ride.go(), "green to 3", "1 target for 20 % is 5 for all");
    tasks(&mut ride.seen, Color::Green, 3, 3, "");
    assert_eq!(ride.go(), "green to 4", "5 targets for 80 % are more");
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    assert_eq!(ride.go(), "HTTP:80 default split");
    assert_eq!(refused_at_the_second_rule(&mut ride), "HTTP:80 default blue-80", "4 of 5 are 80 %");
}

#[test]
fn invariants_09_and_35_a_write_without_an_answer_is_no_reason_to_wait_blindly_or_to_say_untouched() {
    let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::Unreachable) };
    for (kind, patient) in [(AwsErrorKind::Unreachable, true), (AwsErrorKind::Denied, false)] {
        let mut ride = Ride::new(world(100, 0), goal(80, 20));
        let Next::Step(step) = ride.next() else { panic!("a step") };
        ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
        ride.run.answered(&step, &Err(lost.clone()), &ride.goal.clone(), ride.now);
        service(&mut ride.seen, Color::Green).targets = Some(Err(trouble(kind)));
        rules(&mut ride.seen)[0].rules[0] = production(80, 80, 20);
        ride.seen.balancers = Some(Err(trouble(kind)));
        if patient {
            assert_eq!([ride.go(), ride.later(59).go()], ["AwsError", "AwsError"]);
        }
        let turned = ride.later(1).go();
        assert!(turned.starts_with(if patient { "Traffic(Blind" } else { "Traffic(AwsError" }), "{turned}");
        if patient {
            assert_eq!([ride.go(), ride.later(59).go()], ["AwsError", "AwsError"]);
        }
        let end = ride.later(1).go();
        assert!(end.starts_with("unknown AwsError"), "{end}");
    }
}
