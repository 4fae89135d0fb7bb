//! `redirect-traffic` in steps: shares that are held, alarms and health that are watched meanwhile, and the way back.
//!
//! What has to wait a minute or two is ignored: `cargo test --test it redirect_steps:: -- --ignored`.

use std::time::Duration;

use crate::common::here::{at, stack};
use crate::common::traffic::{
    alarm, arrived, composite, moves, redirect_with, refused, runs, scaled, second_listener, set_alarm, sick,
    sicken, somebody_writes, splits, until_at,
};
use crate::common::users::with_users;
use crate::common::{Action, Done};
use testbed::sample::{self, Sample};
use testbed::{Effect, Fault, Service, Testbed};

/// A stepped run to green with a short bake.
const SHORT: [(&str, &str); 2] = [("steps", "20"), ("bake-time", "300ms")];

/// A stepped run to green that holds at 20 % until something happens.
const LONG: [(&str, &str); 2] = [("steps", "20"), ("bake-time", "1m")];

/// A stepped run to green that watches an alarm.
fn watching(bed: &Testbed, steps: &[(&str, &str)], alarms: &str) -> Action {
    redirect_with(bed, "green", steps).input("rollback-alarms", alarms)
}

/// Asserts that a run failed for this reason after it had written this, and that users are back at blue.
#[track_caller]
fn went_back(bed: &Testbed, sample: &Sample, done: &Done, reason: &str, written: &[&str]) {
    done.expect(1, "failed", reason, "restored");
    assert_eq!(moves(bed, sample), written, "{}", done.log);
    assert!(splits(bed, sample).iter().all(|split| split == "100/0"));
    assert_eq!((done.output("traffic"), done.output("previous-traffic")), ("blue", "blue"));
    assert_eq!(bed.violations(), []);
}

#[test]
fn steps_are_passed_through_and_held_for_the_bake_time() {
    let (bed, sample) = stack();
    let done = redirect_with(&bed, "green", &[("steps", "20, 50, 80"), ("bake-time", "400ms")]).run();
    arrived(&bed, &done, "green");
    let written = ["production 80/20", "production 50/50", "production 20/80", "production 0/100"];
    assert_eq!(moves(&bed, &sample), written);
    let times: Vec<Duration> = bed.writes().iter().map(|call| call.at).collect();
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(400), "held too short: {times:?}");
    }
}

#[test]
fn steps_are_shares_of_the_color_that_gains_users_and_those_behind_are_left_out() {
    let (bed, sample) = at(0, 100);
    let steps = [("steps", "20, 50"), ("bake-time", "100ms")];
    arrived(&bed, &redirect_with(&bed, "blue", &steps).run(), "blue");
    assert_eq!(moves(&bed, &sample), ["production 20/80", "production 50/50", "production 100/0"]);
    let (bed, sample) = at(60, 40);
    arrived(&bed, &redirect_with(&bed, "green", &steps).run(), "green");
    assert_eq!(moves(&bed, &sample), ["production 50/50", "production 0/100"]);
    let (bed, sample) = at(0, 100);
    redirect_with(&bed, "green", &steps).run().expect(0, "unchanged", "", "untouched");
    assert_eq!(moves(&bed, &sample), [""; 0]);
}

#[test]
fn a_step_beyond_the_end_is_refused() {
    let (bed, _sample) = stack();
    refused(&bed, redirect_with(&bed, "blue-80", &[("steps", "50")]), "bad-input").says("50").says("20");
    let (bed, sample) = at(0, 100);
    let down = redirect_with(&bed, "blue-80", &[("steps", "50"), ("bake-time", "100ms")]).run();
    arrived(&bed, &down, "blue-80");
    assert_eq!(moves(&bed, &sample), ["production 50/50", "production 80/20"]);
}

#[test]
fn each_step_scales_up_for_its_own_share() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 10);
    arrived(&bed, &redirect_with(&bed, "split", &[("steps", "40"), ("bake-time", "100ms")]).run(), "split");
    let written = ["web-green desired=4", "production 60/40", "web-green desired=5", "production 50/50"];
    assert_eq!(moves(&bed, &sample), written);
}

#[test]
fn a_version_that_fails_users_is_sent_back_by_the_composite_alarm_that_watches_them() {
    let (bed, sample) = crate::common::stack();
    runs(&bed, &sample, "web-green", "v6-fail-users", true);
    let (done, failed) = with_users(sample.production_port, || watching(&bed, &LONG, "web-5xx").run());
    went_back(&bed, &sample, &done, "alarm", &["production 80/20", "production 100/0"]);
    done.says("web-5xx");
    assert!(failed > 0, "the bad version answered nobody");
}

#[test]
fn a_metric_alarm_in_a_bake_sends_all_rules_back() {
    let (bed, sample) = stack();
    second_listener(&bed, &sample, 100, 0);
    alarm(&bed, "latency");
    set_alarm(&bed, "latency", "OK");
    let run = watching(&bed, &LONG, "latency").spawn();
    until_at(&bed, &sample, &["80/20", "80/20"]);
    set_alarm(&bed, "latency", "ALARM");
    let done = run.wait();
    let written = ["production 80/20", "HTTPS 80/20", "production 100/0", "HTTPS 100/0"];
    went_back(&bed, &sample, &done, "alarm", &written);
    done.says("latency").says("5 errors in 1 minute");
}

#[test]
fn a_composite_alarm_in_a_bake_sends_users_back() {
    let (bed, sample) = stack();
    alarm(&bed, "child");
    composite(&bed, "parent", "child");
    let run = watching(&bed, &LONG, "web-5xx, parent").spawn();
    until_at(&bed, &sample, &["80/20"]);
    set_alarm(&bed, "child", "ALARM");
    went_back(&bed, &sample, &run.wait(), "alarm", &["production 80/20", "production 100/0"]);
}

#[test]
fn invariant_30_an_alarm_that_fires_before_refuses_only_a_run_with_steps() {
    let (bed, sample) = stack();
    alarm(&bed, "latency");
    set_alarm(&bed, "latency", "ALARM");
    refused(&bed, watching(&bed, &SHORT, "latency"), "alarm").says("latency").says("5 errors in 1 minute");
    arrived(&bed, &watching(&bed, &[], "latency").run(), "green");
    assert_eq!(moves(&bed, &sample), ["production 0/100"]);
}

#[test]
fn an_alarm_that_does_not_exist_is_refused_by_name() {
    let (bed, _sample) = stack();
    for steps in [&SHORT[..], &[]] {
        refused(&bed, watching(&bed, steps, "web-5xx, web-6xx"), "alarm-missing").says("web-6xx");
    }
}

#[test]
fn an_alarm_without_data_is_said_and_no_alarm() {
    let (bed, sample) = stack();
    alarm(&bed, "latency");
    let done = watching(&bed, &SHORT, "latency").run();
    arrived(&bed, &done, "green");
    assert_eq!(moves(&bed, &sample), ["production 80/20", "production 0/100"]);
    done.says("latency");
}

#[test]
fn alarms_that_can_not_be_read_refuse_a_run_that_names_some_and_no_other() {
    let (bed, _sample) = stack();
    bed.fault(Fault::on("DescribeAlarms", Effect::Deny));
    refused(&bed, watching(&bed, &SHORT, "web-5xx"), "access-denied").says("cloudwatch:DescribeAlarms");
    arrived(&bed, &redirect_with(&bed, "green", &SHORT).run(), "green");
}

#[test]
fn alarms_that_can_not_be_read_any_more_in_a_bake_send_users_back() {
    let (bed, sample) = stack();
    let run = watching(&bed, &LONG, "web-5xx").spawn();
    until_at(&bed, &sample, &["80/20"]);
    bed.fault(Fault::on("DescribeAlarms", Effect::Deny));
    let done = run.wait();
    went_back(&bed, &sample, &done, "access-denied", &["production 80/20", "production 100/0"]);
}

#[test]
fn an_alarm_that_is_deleted_in_a_bake_sends_users_back() {
    let (bed, sample) = stack();
    alarm(&bed, "latency");
    let run = watching(&bed, &LONG, "latency").spawn();
    until_at(&bed, &sample, &["80/20"]);
    let names = serde_json::json!({ "AlarmNames": ["latency"] });
    bed.call(Service::CloudWatch, "DeleteAlarms", names).expect("deleted");
    let done = run.wait();
    went_back(&bed, &sample, &done, "alarm-missing", &["production 80/20", "production 100/0"]);
}

#[test]
fn a_receiver_that_sickens_in_a_bake_sends_users_back() {
    let (bed, sample) = stack();
    let run = redirect_with(&bed, "green", &LONG).spawn();
    until_at(&bed, &sample, &["80/20"]);
    bed.call(Service::Elb, "ModifyTargetGroup", sick(&sample.green_group)).expect("AWS takes it");
    let done = run.wait();
    went_back(&bed, &sample, &done, "unhealthy-targets", &["production 80/20", "production 100/0"]);
    done.says("green");
}

#[test]
fn invariant_06_somebody_elses_weights_in_a_bake_stand() {
    let (bed, sample) = stack();
    let run = redirect_with(&bed, "green", &LONG).spawn();
    until_at(&bed, &sample, &["80/20"]);
    bed.world(|world| somebody_writes(world, &sample, &sample.production_listener, (50, 50)));
    let done = run.wait();
    done.expect(1, "superseded", "superseded", "changed");
    assert_eq!(moves(&bed, &sample), ["production 80/20"]);
    assert_eq!((done.output("traffic"), splits(&bed, &sample)), ("split", vec!["50/50".to_owned()]));
    assert_eq!(bed.violations(), []);
}

#[test]
fn a_run_that_overtakes_a_baking_one_wins() {
    let (bed, sample) = stack();
    let baking = redirect_with(&bed, "green", &LONG).spawn();
    until_at(&bed, &sample, &["80/20"]);
    arrived(&bed, &redirect_with(&bed, "blue", &[]).run(), "blue");
    baking.wait().expect(1, "superseded", "superseded", "changed");
    assert_eq!(moves(&bed, &sample), ["production 80/20", "production 100/0"]);
}

#[test]
fn scale_in_stays_suspended_through_the_bakes() {
    let (bed, sample) = stack();
    sample::autoscaled(&bed, 1, 10).expect("it scales");
    bed.clear_calls();
    arrived(&bed, &redirect_with(&bed, "green", &SHORT).input("settle", "200ms").run(), "green");
    let written = [
        "web-blue scale-in off",
        "web-green scale-in off",
        "production 80/20",
        // Two tasks of blue carry 80 %: two and a half carry all.
        "web-green desired=3",
        "production 0/100",
        "web-green scale-in on",
    ];
    assert_eq!(moves(&bed, &sample), written);
}

#[test]
#[ignore = "two minutes: users wait for a color that could take them back; run with `-- --ignored`"]
fn invariant_27_nobody_is_sent_back_to_a_sick_color() {
    let (bed, sample) = stack();
    let run = redirect_with(&bed, "green", &LONG).spawn();
    until_at(&bed, &sample, &["80/20"]);
    for group in [&sample.blue_group, &sample.green_group] {
        bed.call(Service::Elb, "ModifyTargetGroup", sick(group)).expect("AWS takes it");
    }
    let done = run.wait();
    done.expect(1, "failed", "unhealthy-targets", "changed");
    assert_eq!(moves(&bed, &sample), ["production 80/20"]);
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_09_reads_that_keep_failing_in_a_bake_send_users_back() {
    let (bed, sample) = stack();
    let run = redirect_with(&bed, "green", &LONG).input("timeout", "3s").spawn();
    until_at(&bed, &sample, &["80/20"]);
    bed.fault(Fault::on("DescribeTargetHealth", Effect::ServerError(503)));
    testbed::clock::pause(Duration::from_secs(8));
    bed.clear_faults();
    let done = run.wait();
    went_back(&bed, &sample, &done, "blind", &["production 80/20", "production 100/0"]);
}

#[test]
#[ignore = "two minutes: reads have to fail for so long; run with `-- --ignored`"]
fn reads_that_fail_for_good_leave_what_is_not_known_and_say_so() {
    let (bed, sample) = stack();
    let run = redirect_with(&bed, "green", &LONG).spawn();
    until_at(&bed, &sample, &["80/20"]);
    bed.fault(Fault::always(Effect::ServerError(503)));
    let done = run.wait();
    done.expect(1, "failed", "blind", "unknown");
    assert_eq!(moves(&bed, &sample), ["production 80/20"]);
}

#[test]
fn a_read_that_fails_for_a_moment_in_a_bake_is_waited_out() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("DescribeRules", Effect::Throttle).nth(14..=19));
    bed.fault(Fault::on("DescribeTargetHealth", Effect::ServerError(500)).nth(12..=16));
    let done = watching(&bed, &[("steps", "20"), ("bake-time", "1s")], "web-5xx").run();
    arrived(&bed, &done, "green");
    assert_eq!(moves(&bed, &sample), ["production 80/20", "production 0/100"]);
}

#[test]
fn a_color_that_is_sick_before_the_run_gets_nobody() {
    let (bed, sample) = stack();
    sicken(&bed, &sample.green_group);
    refused(&bed, redirect_with(&bed, "green", &SHORT), "not-enough-targets");
}
