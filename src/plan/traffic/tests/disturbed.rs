//! Tables of what disturbed runs found: what has to hold once something went wrong.

use super::*;

/// Both colors with so many tasks, scaling between 1 and 20.
fn scaled(blue: u32, green: u32, at: (u32, u32), in_suspended: bool) -> Snapshot {
    let mut seen = world(at.0, at.1);
    for (color, count) in [(Color::Blue, blue), (Color::Green, green)] {
        tasks(&mut seen, color, count, count, "");
        scales(&mut seen, color, (1, 20), in_suspended);
    }
    seen
}

#[test]
fn what_would_be_refused_in_the_middle_is_refused_before_the_first_write() {
    // Day one: the group could be brought in, and then its count would be too small.
    let mut seen = world(100, 0);
    let lone = json!([{"Type": "forward", "TargetGroupArn": "tg-blue"}]);
    rules(&mut seen)[0].rules[0] = Rule { whole: lone.into(), ..rule(80, None, &[("tg-blue", 1)]) };
    rules(&mut seen)[0].rules.truncate(1);
    tasks(&mut seen, Color::Green, 1, 0, "unused");
    let listener = Some(crate::plan::wanted::ListenerChoice::Port { protocol: None, port: 80 });
    let adopting = |scale_up| {
        wish(Goal { listener: listener.clone(), ..goal(0, 100) }, |wish| {
            (wish.adopt, wish.scale_up) = (true, scale_up);
        })
    };
    assert!(matches!(first(&seen, &adopting(true)), Next::Step(Step::Weights(_))));
    let Next::Refuse(Refusal::NotEnough { why, .. }) = first(&seen, &adopting(false)) else { panic!() };
    assert_eq!(why, Short::NoScaleUp);
    tasks(&mut seen, Color::Green, 2, 0, "unused");
    assert!(matches!(first(&seen, &adopting(false)), Next::Step(_)), "its health is not known before");
    // A last step that is too large.
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    let stepped = wish(goal(0, 100), |wish| (wish.steps, wish.scale_up) = (vec![20], false));
    let Prediction::Refuse(Refusal::NotEnough { capacity, why, .. }) =
        predict_traffic(&seen, &stepped, at(0))
    else {
        panic!()
    };
    assert_eq!((capacity.needed, why), (4, Short::NoScaleUp));
}

#[test]
fn invariant_12_a_color_with_users_and_no_healthy_target_is_refused_before_scale_in_is_suspended() {
    let mut seen = scaled(2, 2, (50, 50), false);
    tasks(&mut seen, Color::Green, 2, 0, "unhealthy");
    let Next::Refuse(Refusal::NotEnough { capacity, why, .. }) = first(&seen, &goal(50, 50)) else {
        panic!()
    };
    assert_eq!((capacity.color, why), (Color::Green, Short::Unhealthy));
}

#[test]
fn invariant_07_a_step_that_a_killed_run_had_left_is_not_gone_back_to() {
    let mut seen = world(70, 30);
    rules(&mut seen)[0].rules[0] = production(80, 40, 60);
    let stepped = wish(goal(0, 100), |wish| wish.steps = vec![30, 60]);
    assert_eq!(planned(&seen, &stepped).first().unwrap(), "HTTPS:443 default 40/60");
}

#[test]
fn a_step_that_was_found_waits_for_tasks_on_their_way_and_refuses_sick_ones() {
    let stepped = wish(goal(0, 100), |wish| wish.steps = vec![50]);
    let mut seen = world(50, 50);
    tasks(&mut seen, Color::Green, 4, 1, "initial");
    let mut ride = Ride::new(seen.clone(), stepped.clone());
    assert_eq!(ride.go(), "Capacity");
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    assert_eq!(ride.go(), "Bake");
    tasks(&mut seen, Color::Green, 4, 1, "unhealthy");
    let mut ride = Ride::new(seen.clone(), stepped.clone());
    assert!(ride.go().starts_with("Refuse(NotEnough"));
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    assert_eq!(
        Ride::new(seen, stepped).go(),
        "green to 2",
        "too small for a step that a killed run had reached"
    );
}

#[test]
fn what_a_step_needs_is_reckoned_by_the_load_before_it() {
    let mut seen = scaled(5, 5, (60, 40), true);
    tasks(&mut seen, Color::Blue, 5, 4, "unhealthy");
    scales(&mut seen, Color::Blue, (1, 6), true);
    scales(&mut seen, Color::Green, (1, 6), true);
    tasks(&mut seen, Color::Green, 2, 2, "");
    // 2 ÷ 40 % is 5, of which 70 % are 4; after it, 2 ÷ 30 % would be 6, of which 70 % are 5.
    let mut ride = Ride::new(seen, wish(goal(80, 20), |wish| wish.steps = vec![70]));
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default 70/30", "HTTPS:443 default 70/30", "Bake"]
    );
}

#[test]
fn the_way_back_asks_for_no_more_than_what_carried_users_before() {
    let mut seen = scaled(2, 2, (100, 0), false);
    let alarm = |state| Some(Ok(vec![Alarm { name: "web-5xx".to_owned(), state, reason: String::new() }]));
    seen.alarms = alarm(AlarmState::Fine);
    let mut ride = Ride::new(
        seen,
        wish(goal(0, 100), |wish| (wish.steps, wish.alarms) = (vec![20], vec!["web-5xx".to_owned()])),
    );
    let begun = [ride.go(), ride.go(), ride.go(), ride.go(), ride.go()];
    let rules = ["HTTP:80 default blue-80", "HTTPS:443 default blue-80"];
    assert_eq!(begun, ["suspend blue", "suspend green", rules[0], rules[1], "Bake"]);
    ride.seen.alarms = alarm(AlarmState::Firing);
    assert!(ride.go().starts_with("Traffic(Alarm"));
    // 2 ÷ 80 % would be 2.5, and blue has 2, which carried all users.
    tasks(&mut ride.seen, Color::Blue, 2, 1, "unhealthy");
    assert_eq!(ride.go(), "Capacity");
    tasks(&mut ride.seen, Color::Blue, 2, 2, "");
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default blue", "HTTPS:443 default blue", "Settle"]
    );
    assert_eq!([ride.later(119).go(), ride.later(1).go()], ["Settle", "resume blue"]);
    assert_eq!([ride.go(), ride.go()], ["resume green", "restored RestoredByRun"]);
}

#[test]
fn invariant_19_users_go_back_to_a_held_split_only_with_scale_in_suspended() {
    let mut ride = Ride::new(scaled(8, 2, (80, 20), true), goal(100, 0));
    ride.goal.restore_on_cancel = true;
    ride.goal.wish.settle = Duration::ZERO;
    tasks(&mut ride.seen, Color::Blue, 10, 10, "");
    let rules = ["HTTP:80 default blue", "HTTPS:443 default blue"];
    assert_eq!([ride.go(), ride.go(), ride.go()], [rules[0], rules[1], "resume blue"]);
    ride.run.memory.cancelled = Some(ride.now);
    assert_eq!([ride.go(), ride.go()], ["Cancelled", "suspend blue"]);
    // Rules that disagree serve both colors too.
    let mut seen = scaled(2, 2, (80, 20), false);
    rules_at(&mut seen, 80, (100, 0));
    let mut ride = Ride::new(seen, goal(80, 20));
    assert_eq!([ride.go(), ride.go()], ["suspend blue", "suspend green"]);
    ride.run.start_restore(RunFailure::Cancelled, ride.now);
    assert_eq!(ride.go(), "restored RestoredByRun", "scale-in stays off");
}

/// A production rule of a snapshot with other weights.
fn rules_at(seen: &mut Snapshot, port: u16, (blue, green): (u32, u32)) {
    let rule = rules(seen)[0].rules.iter_mut().find(|rule| rule.port == port).unwrap();
    *rule = production(port, blue, green);
}

#[test]
fn invariant_02_the_way_back_ends_only_when_it_shows() {
    // A signal: the way back was written and does not show yet. It is not taken for somebody else's write.
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    ride.goal.restore_on_cancel = true;
    ride.go();
    ride.run.memory.cancelled = Some(ride.now);
    assert_eq!([ride.go(), ride.go()], ["Cancelled", "HTTP:80 default blue"]);
    rules_at(&mut ride.seen, 80, (80, 20));
    assert_eq!(ride.go(), "Weights");
    rules_at(&mut ride.seen, 80, (100, 0));
    assert_eq!(ride.go(), "restored RestoredByRun");
    // What never showed may show later: it is written over.
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    ride.go();
    rules_at(&mut ride.seen, 80, (100, 0));
    assert!(ride.later(10).go().starts_with("Traffic(NotShown"));
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default blue", "restored RestoredByRun"]);
}

#[test]
fn invariant_35_a_signal_does_not_make_an_unanswered_write_known() {
    let lost = crate::plan::aws_error::AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    let Next::Step(step) = ride.next() else { panic!() };
    ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
    ride.run.answered(&step, &Err(lost), &ride.goal.clone(), ride.now);
    ride.run.memory.cancelled = Some(ride.now);
    assert_eq!([ride.go(), ride.go()], ["Cancelled", "UnansweredWrite"]);
    assert_eq!(ride.later(10).go(), "untouched NothingChanged");
}

#[test]
fn a_way_back_that_is_throttled_for_long_ends_as_unknown() {
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    ride.go();
    ride.run.start_restore(RunFailure::Cancelled, ride.now);
    let Next::Step(step) = ride.next() else { panic!() };
    ride.run.answered(&step, &Err(trouble(AwsErrorKind::Throttled)), &ride.goal.clone(), ride.now);
    assert!(matches!(ride.later(59).next(), Next::Step(_)));
    assert!(ride.later(1).go().starts_with("unknown AwsError"));
}

#[test]
fn invariant_07_a_forced_run_that_was_killed_scales_up_when_it_is_repeated() {
    let forced = wish(goal(0, 100), |wish| wish.force = true);
    let mut seen = world(0, 100);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    assert_eq!(planned(&seen, &forced), ["green to 4"]);
    scales(&mut seen, Color::Green, (1, 9), false);
    assert_eq!(planned(&seen, &forced), [""; 0], "what it has is the load that it tells of");
}

/// A run that moved one of two rules and turned back.
fn turned() -> Ride {
    let mut ride = Ride::new(scaled(4, 4, (100, 0), true), goal(50, 50));
    assert_eq!(ride.go(), "HTTP:80 default split");
    ride.run.start_restore(RunFailure::Cancelled, ride.now);
    ride
}

#[test]
fn invariant_09_the_way_back_waits_for_reads_that_may_be_answered_and_says_loudly_when_they_are_not() {
    for (kind, seconds, begins) in [
        (AwsErrorKind::Throttled, 59, "AwsError"),
        (AwsErrorKind::Throttled, 60, "unknown AwsError"),
        (AwsErrorKind::Denied, 0, "unknown AwsError"),
    ] {
        let mut ride = turned();
        service(&mut ride.seen, Color::Green).targets = Some(Err(trouble(kind)));
        let told = ride.later(seconds).go();
        assert!(told.starts_with(begins), "{kind:?} after {seconds} s: {told}");
    }
}

#[test]
fn users_go_back_without_what_scaling_says() {
    let mut ride = turned();
    for color in Color::BOTH {
        service(&mut ride.seen, color).scaling = Some(Err(trouble(AwsErrorKind::Denied)));
    }
    assert_eq!(ride.go(), "HTTP:80 default blue");
    assert!(ride.go().starts_with("unknown AwsError"), "scale-in is not known");
}
