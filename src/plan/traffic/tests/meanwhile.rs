//! What another run does at the same time: it cuts a count, or gives the color that shrinks the users.

use super::*;
use crate::plan::aws_error::AwsError;
use crate::plan::operation::TrafficOperation;
use crate::plan::shown_instead::ShownInstead;
use crate::plan::time::CallTime;

/// A promote of green with four tasks on each color, which scale automatically.
fn promote() -> Ride {
    let mut seen = world(100, 0);
    for color in Color::BOTH {
        tasks(&mut seen, color, 4, 4, "");
        scales(&mut seen, color, (1, 10), true);
    }
    let finish = Finish { idle_count: 1, max_drain: Duration::ZERO, bounds: None };
    Ride::new(seen, Goal { finish: Some(finish), ..goal(0, 100) })
}

/// All rules at this split, by another writer.
fn moved(seen: &mut Snapshot, blue: u32, green: u32) {
    for rule in rules(seen)[0].rules.iter_mut().filter(|rule| [80, 443].contains(&rule.port)) {
        *rule = production(rule.port, blue, green);
    }
}

/// The steps of a promote until blue has shrunk.
fn shrunk() -> Ride {
    let mut ride = promote();
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]
    );
    assert_eq!([ride.later(120).go(), ride.go()], ["resume green", "resume blue"]);
    assert_eq!(ride.go(), "blue to 1");
    ride
}

#[test]
fn invariant_36_a_count_that_the_run_lowered_is_restored_when_the_color_has_users_again() {
    let mut ride = shrunk();
    moved(&mut ride.seen, 100, 0);
    assert_eq!(ride.go(), "blue to 4", "first the tasks that blue's users need");
    assert!(ride.go().starts_with("Traffic(Overtaken"));
    assert_eq!(ride.go(), "changed ChangedExternally");
    assert_eq!(ride.run.lowered.undone.into_iter().collect::<Vec<_>>(), [(Color::Blue, (1, 4))]);
}

/// HTTP:80 forwards to blue alone, by another writer.
fn taken_out(seen: &mut Snapshot) {
    rules(seen)[0].rules[0] = rule(80, None, &[("tg-blue", 1)]);
}

#[test]
fn invariants_36_and_39_a_rule_that_loses_a_color_during_a_promote_stops_the_shrink() {
    let mut ride = promote();
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]
    );
    taken_out(&mut ride.seen);
    assert_eq!(ride.later(120).go(), "Rule", "a single look is no proof");
    assert_eq!(ride.later(3).go(), "Traffic(RuleGone(\"HTTP:8");
    assert_eq!(ride.go(), "changed ChangedExternally");
}

#[test]
fn invariants_36_and_39_a_rule_that_is_deleted_at_the_first_write_ends_the_run() {
    let mut ride = promote();
    assert_eq!(ride.go(), "HTTP:80 default green");
    rules(&mut ride.seen)[0].rules.remove(0);
    assert_eq!([ride.go(), ride.later(3).go()], ["Rule", "Traffic(RuleGone(\"HTTP:8"]);
    assert_eq!(ride.go(), "changed ChangedExternally", "HTTPS:443 was never changed");
}

#[test]
fn invariants_36_and_39_a_count_goes_back_for_users_of_a_rule_that_lost_the_other_color() {
    let mut ride = shrunk();
    taken_out(&mut ride.seen);
    assert_eq!(ride.go(), "blue to 4", "users of HTTP:80 are at blue again");
    assert_eq!([ride.go(), ride.later(3).go()], ["Rule", "Traffic(RuleGone(\"HTTP:8"]);
    assert_eq!(ride.go(), "changed ChangedExternally");
}

#[test]
fn invariant_36_a_promote_does_not_shrink_a_color_that_a_new_rule_gives_users() {
    let mut ride = promote();
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]
    );
    let paths = Condition::Path(vec![Pattern::Wildcards("/old/*".to_owned())]);
    let new = Rule { conditions: vec![paths], ..rule(80, Some(5), &[("tg-blue", 1)]) };
    rules(&mut ride.seen)[0].rules.push(new);
    assert_eq!(ride.later(120).go(), "resume green");
    assert_eq!(ride.go(), "good true", "blue keeps its size");
}

#[test]
fn invariant_19_scale_in_that_a_promote_allowed_is_suspended_again_when_both_colors_have_users() {
    let mut ride = promote();
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]
    );
    assert_eq!([ride.later(120).go(), ride.go()], ["resume green", "resume blue"]);
    moved(&mut ride.seen, 50, 50);
    assert_eq!([ride.go(), ride.go()], ["suspend blue", "suspend green"], "nothing scales in during a split");
    assert!(ride.go().starts_with("Traffic(Overtaken"));
}

/// The next writes of policies and alarms, without the names' common part.
fn alarms(ride: &mut Ride) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let next = armed(&[ride.go()]).remove(0);
        match next.contains('/') {
            true => all.push(next),
            false => return [all, vec![next]].concat(),
        }
    }
}

/// Turns the actions of a color's alarms on or off, by another writer.
fn switch(seen: &mut Snapshot, color: Color, on: bool) {
    let scalers = service(seen, color).scalers.as_mut().unwrap().as_mut().unwrap();
    scalers.alarms.iter_mut().for_each(|alarm| alarm.content["ActionsEnabled"] = json!(on));
}

#[test]
fn invariant_31_alarms_that_another_run_turned_off_act_again_before_a_run_that_moved_users_ends() {
    let mut ride = Ride::new(unarmed(), managed(goal(0, 100)));
    while ride.go() != "HTTPS:443 default green" {}
    switch(&mut ride.seen, Color::Green, false);
    assert_eq!(alarms(&mut ride), ["green/cpu-high", "green/memory-high", "green/low", "Settle"]);
}

#[test]
fn invariant_31_alarms_that_a_promote_turned_off_act_again_when_the_color_has_users() {
    let mut ride = promote();
    ride.goal.managed = Some(MANAGED);
    for color in Color::BOTH {
        service(&mut ride.seen, color).scalers = Some(Ok(Scalers::default()));
    }
    while ride.go() != "HTTPS:443 default green" {}
    assert_eq!(ride.go(), "Settle");
    while !armed(&[ride.later(300).go()])[0].ends_with("blue/low") {}
    switch(&mut ride.seen, Color::Blue, false);
    moved(&mut ride.seen, 100, 0);
    assert_eq!(alarms(&mut ride)[..2], ["blue/cpu-high", "blue/memory-high"]);
}

#[test]
fn invariant_36_a_count_below_a_min_capacity_that_was_lowered_after_scale_in_was_allowed_is_raised() {
    let mut ride = Ride::new(promote().seen, goal(0, 100));
    scales(&mut ride.seen, Color::Green, (4, 10), true);
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]
    );
    assert_eq!(ride.later(120).go(), "resume green");
    scales(&mut ride.seen, Color::Green, (1, 10), false);
    tasks(&mut ride.seen, Color::Green, 1, 1, "");
    assert_eq!(ride.go(), "green to 4", "no automatic scaling goes below the minimum of that time");
}

#[test]
fn invariant_44_a_split_in_place_is_no_success_while_users_lack_tasks() {
    let mut ride = Ride::new(promote().seen, goal(100, 0));
    for color in Color::BOTH {
        scales(&mut ride.seen, color, (1, 10), false);
    }
    assert_eq!(ride.go(), "good false");
    tasks(&mut ride.seen, Color::Blue, 4, 1, "initial");
    assert_eq!(ride.go(), "Capacity", "three are starting");
    tasks(&mut ride.seen, Color::Blue, 4, 1, "unhealthy");
    assert!(ride.go().starts_with("Refuse(NotEnough"), "exit 0 would say that users are served");
}

#[test]
fn users_do_not_move_to_a_deployment_that_began_after_the_count_was_raised() {
    let mut ride = Ride::new(promote().seen, goal(0, 100));
    tasks(&mut ride.seen, Color::Green, 1, 1, "");
    assert_eq!(ride.go(), "green to 4");
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    let green = service(&mut ride.seen, Color::Green);
    let old = Deployment { primary: false, ..green.deployments[0].clone() };
    green.deployments[0].rollout = Rollout::InProgress;
    green.deployments.push(old);
    assert!(ride.go().starts_with("Traffic(Refused(InFlight"));
}

#[test]
fn invariant_36_the_run_waits_until_aws_shows_the_restored_count() {
    let mut ride = shrunk();
    moved(&mut ride.seen, 100, 0);
    assert_eq!(ride.go(), "blue to 4");
    service(&mut ride.seen, Color::Blue).desired = 1;
    assert_eq!([ride.go(), ride.later(9).go()], ["Count", "Count"], "a stale read");
    service(&mut ride.seen, Color::Blue).desired = 4;
    assert!(ride.later(1).go().starts_with("Traffic(Overtaken"));
    assert_eq!(ride.go(), "changed ChangedExternally");
}

#[test]
fn invariant_36_the_rules_are_read_once_more_after_aws_shows_the_lower_count() {
    let mut ride = shrunk();
    let next = ride.next();
    assert_eq!(next, Next::Read(ride.goal.look()), "the rules of this look may be older than the count");
    assert_eq!(ride.go(), "good true");
}

#[test]
fn invariant_36_min_capacity_goes_back_too() {
    let mut ride = promote();
    scales(&mut ride.seen, Color::Blue, (4, 10), true);
    scales(&mut ride.seen, Color::Green, (4, 10), true);
    ride.goal.finish =
        ride.goal.finish.map(|finish| Finish { bounds: Some(Minima { live: 4, idle: 1 }), ..finish });
    let mut all: Vec<String> = Vec::new();
    while all.last().is_none_or(|last| last != "blue to 1") {
        all.push(ride.later(60).go());
        if let Some(Ok(Some(target))) = &mut service(&mut ride.seen, Color::Blue).scaling
            && all.last().is_some_and(|last| last == "resume blue")
        {
            target.min = 1;
        }
    }
    moved(&mut ride.seen, 100, 0);
    assert_eq!(ride.go(), "blue to 4");
    let Next::Step(Step::Scaling(scaling)) = ride.next() else { panic!("{:?}", ride.next()) };
    assert_eq!((scaling.color, scaling.min, scaling.in_suspended), (ServiceColor::Blue, Some(4), None));
}

#[test]
fn invariant_44_a_count_that_fell_at_the_target_is_raised_and_nobody_is_sent_back() {
    let mut ride = Ride::new(promote().seen, goal(0, 100));
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default green", "HTTPS:443 default green", "Settle"]
    );
    tasks(&mut ride.seen, Color::Green, 1, 1, "");
    assert_eq!(ride.go(), "green to 4", "the load before the move is the measure");
    tasks(&mut ride.seen, Color::Green, 4, 1, "initial");
    assert_eq!(
        [ride.go(), ride.later(300).go()],
        ["Capacity", "Capacity"],
        "longer than a sick color is waited for"
    );
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    assert_eq!(ride.go(), "resume green");
    assert_eq!(ride.go(), "good true");
}

#[test]
fn invariant_44_a_count_of_zero_at_the_target_is_raised_too() {
    let mut ride = Ride::new(promote().seen, goal(0, 100));
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default green", "HTTPS:443 default green"]);
    tasks(&mut ride.seen, Color::Green, 0, 0, "");
    assert_eq!(ride.go(), "green to 4");
    tasks(&mut ride.seen, Color::Green, 4, 0, "initial");
    assert_eq!(ride.go(), "Capacity");
}

#[test]
fn invariant_44_a_count_that_fell_during_a_bake_is_raised_of_either_color() {
    for (color, raised) in [(Color::Green, "green to 2"), (Color::Blue, "blue to 2")] {
        let mut ride = Ride::new(promote().seen, wish(goal(0, 100), |wish| wish.steps = vec![50]));
        assert_eq!(
            [ride.go(), ride.go(), ride.go()],
            ["HTTP:80 default split", "HTTPS:443 default split", "Bake"]
        );
        tasks(&mut ride.seen, color, 1, 1, "");
        assert_eq!(ride.go(), raised);
        tasks(&mut ride.seen, color, 2, 1, "initial");
        assert_eq!(ride.later(5).go(), "Capacity");
        tasks(&mut ride.seen, color, 2, 2, "");
        assert_eq!(ride.later(5).go(), "Bake");
    }
}

#[test]
fn invariant_44_a_restore_raises_a_count_that_fell_before_users_go_back() {
    let mut ride = Ride::new(promote().seen, wish(goal(0, 100), |wish| wish.steps = vec![50]));
    ride.goal.wish.alarms = vec!["web-5xx".to_owned()];
    ride.seen.alarms = Some(Ok(vec![quiet("web-5xx")]));
    assert_eq!(
        [ride.go(), ride.go(), ride.go()],
        ["HTTP:80 default split", "HTTPS:443 default split", "Bake"]
    );
    tasks(&mut ride.seen, Color::Blue, 2, 2, "");
    ride.seen.alarms = Some(Ok(vec![Alarm { state: AlarmState::Firing, ..quiet("web-5xx") }]));
    assert!(ride.go().starts_with("Traffic(Alarm"));
    assert_eq!(ride.go(), "blue to 4", "all users need four");
    tasks(&mut ride.seen, Color::Blue, 4, 4, "");
    assert_eq!([ride.go(), ride.go()], ["HTTP:80 default blue", "HTTPS:443 default blue"]);
}

#[test]
fn a_rule_that_showed_our_weights_right_after_the_write_was_changed_by_another_writer() {
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    let Next::Step(step) = ride.next() else { panic!("a write") };
    ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
    let read_back = production(80, 80, 20);
    ride.run.answered(&step, &Ok(Answer::Weighed(Box::new(read_back))), &ride.goal.clone(), ride.now);
    assert_eq!([ride.go(), ride.later(9).go()], ["Weights", "Weights"], "perhaps a stale read");
    assert!(ride.later(1).go().starts_with("Traffic(Overtaken"));
}

#[test]
fn invariant_40_a_write_that_another_writer_undoes_is_repeated_five_times_with_pauses() {
    let mut ride = Ride::new(promote().seen, goal(0, 100));
    tasks(&mut ride.seen, Color::Green, 1, 1, "");
    let mut told = Vec::new();
    for _ in 0..200 {
        ride.now = ride.now.after(Duration::from_secs(1));
        let mut moving = TrafficOperation { goal: &ride.goal, run: ride.run };
        let next = moving.decide(&Ok(ride.seen.clone()), ride.now);
        ride.run = moving.run;
        match next {
            Next::Step(step) => {
                told.push(short(&step));
                ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
                ride.run.answered(&step, &Ok(Answer::Changed), &ride.goal.clone(), ride.now);
            }
            Next::Wait(_) => {}
            Next::Restore(RunFailure::Repeated(unkept), _) => {
                assert_eq!((unkept.times, unkept.shown), (5, false));
                assert_eq!(unkept.instead, Some(ShownInstead::Count(1)));
                assert!(ride.now >= at(20), "{:?}", ride.now);
                assert_eq!(told, ["green to 4"; 5]);
                return;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("no end: {told:?}");
}

#[test]
fn invariant_37_a_target_of_another_service_carries_nobody() {
    let mut ride = Ride::new(world(100, 0), goal(80, 20));
    tasks(&mut ride.seen, Color::Green, 1, 1, "unhealthy");
    service(&mut ride.seen, Color::Green).tasks = Some(Ok(Vec::new()));
    let Next::Refuse(Refusal::NotEnough { capacity, .. }) = ride.next() else { panic!("{:?}", ride.next()) };
    assert_eq!(
        (capacity.color, capacity.healthy),
        (Color::Green, 0),
        "the healthy target is no task of green's"
    );
}

#[test]
fn invariant_44_another_writers_weights_right_after_ours_may_be_the_older_ones() {
    let mut ride = Ride::new(world(100, 0), goal(0, 100));
    assert_eq!(ride.go(), "HTTP:80 default green");
    let written = rules(&mut ride.seen)[0].rules[0].clone();
    rules(&mut ride.seen)[0].rules[0] = production(80, 50, 50);
    assert!(ride.go().starts_with("Traffic(Overtaken"));
    assert_eq!(ride.go(), "Weights", "AWS shows both writes late");
    rules(&mut ride.seen)[0].rules[0] = written;
    assert_eq!([ride.later(2).go(), ride.go()], ["HTTP:80 default blue", "restored RestoredByRun"]);
}

#[test]
fn invariant_44_a_superseded_run_raises_a_count_that_both_runs_wrote() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    let mut ride = Ride::new(seen, goal(50, 50));
    assert_eq!(ride.go(), "green to 2");
    tasks(&mut ride.seen, Color::Green, 2, 2, "");
    assert!(ride.go().starts_with("HTTP:80 default"));
    rules(&mut ride.seen)[0].rules[0] = production(80, 0, 100);
    assert!(ride.later(5).go().starts_with("Traffic(Overtaken"));
    assert_eq!(ride.go(), "green to 4", "all users of this rule are there");
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    assert_eq!(ride.go(), "changed ChangedExternally");
}

#[test]
fn invariant_44_a_superseded_run_ends_after_aws_shows_its_count() {
    let mut seen = world(100, 0);
    tasks(&mut seen, Color::Blue, 4, 4, "");
    tasks(&mut seen, Color::Green, 1, 1, "");
    let mut ride = Ride::new(seen, goal(50, 50));
    assert_eq!(ride.go(), "green to 2");
    // The other run had written 4 before, and AWS still shows that.
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    moved(&mut ride.seen, 0, 100);
    assert!(ride.go().starts_with("Traffic(Overtaken"));
    assert_eq!([ride.go(), ride.later(2).go()], ["Count", "Count"]);
    tasks(&mut ride.seen, Color::Green, 2, 2, "");
    assert_eq!(ride.go(), "green to 4");
    tasks(&mut ride.seen, Color::Green, 4, 4, "");
    assert_eq!(ride.go(), "changed ChangedExternally");
}

#[test]
fn invariant_44_what_aws_shows_late_is_waited_for_from_the_end_of_the_call() {
    let mut ride = Ride::new(world(100, 0), goal(0, 100));
    let Next::Step(step) = ride.next() else { panic!("the rule is written") };
    ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
    let call = CallTime { sent: ride.now, ended: ride.now.after(Duration::from_secs(25)) };
    ride.run.answered(&step, &Ok(Answer::Changed), &ride.goal.clone(), call);
    assert_eq!(
        [ride.later(25).go(), ride.later(9).go()],
        ["Weights", "Weights"],
        "the old weights, shown late"
    );
    let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    let call = CallTime { sent: ride.now, ended: ride.now.after(Duration::from_secs(25)) };
    let mut ride = Ride::new(world(100, 0), goal(0, 100));
    ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
    ride.run.answered(&step, &Err(lost), &ride.goal.clone(), call);
    ride.now = call.ended;
    assert_eq!(
        [ride.go(), ride.later(9).go()],
        ["UnansweredWrite", "UnansweredWrite"],
        "no write before AWS had time to show it"
    );
}

#[test]
fn invariant_44_a_lost_write_is_not_known_though_another_run_put_the_rule_back() {
    let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    let mut ride = Ride::new(world(80, 20), goal(100, 0));
    let found = ride.seen.clone();
    let Next::Step(step) = ride.next() else { panic!("the rule is written") };
    ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
    ride.run.answered(&step, &Err(lost), &ride.goal.clone(), ride.now);
    rules(&mut ride.seen)[0].rules[0] = production(80, 50, 50);
    assert!(ride.later(11).go().starts_with("Traffic(Overtaken"));
    ride.seen = found;
    assert_eq!(ride.later(11).go(), "unknown ChangedExternally");
}

#[test]
fn invariant_44_whether_a_lost_write_came_before_another_writers_is_not_known() {
    let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    let mut ride = Ride::new(world(80, 20), goal(100, 0));
    let Next::Step(step) = ride.next() else { panic!("the rule is written") };
    ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
    ride.run.answered(&step, &Err(lost), &ride.goal.clone(), ride.now);
    rules(&mut ride.seen)[0].rules[0] = production(80, 50, 50);
    let mut ends = (0..4).map(|_| ride.later(11).go());
    assert_eq!(
        ends.find(|end| end.ends_with("ChangedExternally")).as_deref(),
        Some("unknown ChangedExternally")
    );
}

#[test]
fn invariant_44_a_lost_write_between_rules_that_differ_is_not_known_either() {
    let lost = AwsError { effect_unknown: true, ..trouble(AwsErrorKind::TimedOut) };
    let mut ride = Ride::new(world(80, 20), goal(0, 100));
    rules(&mut ride.seen)[0].rules[0] = production(80, 0, 100);
    let Next::Step(step) = ride.next() else { panic!("the other rule is written") };
    ride.run.before(&step, &ride.seen.clone(), &ride.goal.clone());
    ride.run.answered(&step, &Err(lost), &ride.goal.clone(), ride.now);
    rules(&mut ride.seen)[0].rules[0] = production(80, 80, 20);
    let mut ends = (0..4).map(|_| ride.later(11).go());
    assert_eq!(
        ends.find(|end| end.ends_with("ChangedExternally")).as_deref(),
        Some("unknown ChangedExternally")
    );
}

#[test]
fn invariant_16_tasks_that_ecs_is_about_to_stop_do_not_count() {
    let mut seen = world(0, 100);
    tasks(&mut seen, Color::Blue, 2, 2, "");
    tasks(&mut seen, Color::Green, 2, 2, "");
    service(&mut seen, Color::Blue).desired = 0;
    let mut ride = Ride::new(seen, goal(100, 0));
    assert_eq!(ride.go(), "blue to 2", "before users come, though two targets are healthy still");
}

#[test]
fn a_count_that_automatic_scaling_lowers_after_scale_in_was_allowed_stays() {
    let mut ride = shrunk();
    service(&mut ride.seen, Color::Green).desired = 0;
    assert_eq!(ride.go(), "green to 4", "below MinCapacity it was no automatic scaling");
    let mut ride = shrunk();
    tasks(&mut ride.seen, Color::Green, 3, 3, "");
    assert_eq!(ride.go(), "good true", "the fourth task is not asked for again");
}
