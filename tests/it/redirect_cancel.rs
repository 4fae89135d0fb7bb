//! `redirect-traffic` that is cancelled or killed, and the post step after it.

use std::time::Duration;

use crate::common::here::stack;
use crate::common::look::until_called;
use crate::common::traffic::{
    counts, many_rules, moves, redirect_with, scaled, second_listener, somebody_writes, splits, suspended,
    until_at,
};
use crate::common::{Action, Done, Running};
use rustix::process::Signal;
use testbed::sample::{self, Sample};
use testbed::{Effect, Fault, Testbed};

/// A stepped run to green that holds at 20 % until a signal comes.
fn held(bed: &Testbed, on_cancel: &str) -> Action {
    redirect_with(bed, "green", &[("steps", "20"), ("bake-time", "1m"), ("on-cancel", on_cancel)])
}

/// Sends a signal and waits for the end, which has to come in time.
#[track_caller]
fn cancel(run: Running, signal: Signal) -> Done {
    run.signal(signal);
    let sent = testbed::clock::now();
    let done = run.wait();
    assert!(
        (testbed::clock::now() - sent) < Duration::from_millis(7500),
        "out after {:?}:\n{}",
        (testbed::clock::now() - sent),
        done.log
    );
    done
}

/// Asserts a cancelled run, what it left and what it wrote.
#[track_caller]
fn cancelled(bed: &Testbed, sample: &Sample, done: &Done, left: &str, written: &[&str]) {
    done.expect(1, "cancelled", "cancelled", left);
    assert_eq!(moves(bed, sample), written, "{}", done.log);
    assert_eq!(bed.violations(), []);
}

/// The post step of a stepped run that left this.
fn post(bed: &Testbed, main: &Done, on_cancel: &str) -> Done {
    bed.clear_calls();
    held(bed, on_cancel).post(&main.state).run()
}

/// Asserts a post step that had nothing to do.
#[track_caller]
fn silent(bed: &Testbed, done: &Done) {
    assert_eq!((done.code, done.log.as_str()), (0, ""));
    assert_eq!(bed.calls().len(), 0);
}

#[test]
fn a_signal_before_the_first_write_leaves_everything_untouched() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("DescribeTargetHealth", Effect::Delay(Duration::from_secs(5))));
    let run = held(&bed, "restore").spawn();
    until_called(&bed, "DescribeTargetHealth", 1);
    let done = cancel(run, Signal::INT);
    cancelled(&bed, &sample, &done, "untouched", &[]);
    silent(&bed, &post(&bed, &done, "restore"));
}

#[test]
fn a_signal_in_a_bake_leaves_users_where_they_are_or_sends_them_back_as_asked() {
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let (bed, sample) = stack();
        let run = held(&bed, "leave").spawn();
        until_at(&bed, &sample, &["80/20"]);
        let done = cancel(run, signal);
        cancelled(&bed, &sample, &done, "changed", &["production 80/20"]);
        assert_eq!((done.output("traffic"), done.output("live-color")), ("blue-80", "both"));
        done.says(&format!("{name} came"));
        let after = post(&bed, &done, "leave");
        assert_eq!(
            (moves(&bed, &sample), splits(&bed, &sample)),
            (vec![], vec!["80/20".to_owned()]),
            "{}",
            after.log
        );
        let (bed, sample) = stack();
        let run = held(&bed, "restore").spawn();
        until_at(&bed, &sample, &["80/20"]);
        let done = cancel(run, signal);
        cancelled(&bed, &sample, &done, "restored", &["production 80/20", "production 100/0"]);
        let after = post(&bed, &done, "restore");
        assert_eq!(moves(&bed, &sample), [""; 0], "{}", after.log);
    }
}

#[test]
fn to_leave_users_where_they_are_is_the_default() {
    let (bed, sample) = stack();
    let run = redirect_with(&bed, "green", &[("steps", "20"), ("bake-time", "1m")]).spawn();
    until_at(&bed, &sample, &["80/20"]);
    cancelled(&bed, &sample, &cancel(run, Signal::INT), "changed", &["production 80/20"]);
}

#[test]
fn invariant_08_a_signal_between_rules_puts_the_first_ones_back_whatever_was_asked() {
    for on_cancel in ["leave", "restore"] {
        let (bed, sample) = stack();
        many_rules(&bed, &sample, 6);
        bed.fault(Fault::on("ModifyRule", Effect::Delay(Duration::from_millis(700))).times(1));
        let run = held(&bed, on_cancel).spawn();
        until_called(&bed, "ModifyRule", 1);
        let done = cancel(run, Signal::INT);
        let there_and_back = ["rule 80/20", "rule 100/0"].map(|told| vec![told; 5]).concat();
        cancelled(&bed, &sample, &done, "restored", &there_and_back);
        assert_eq!(splits(&bed, &sample), ["100/0"; 7]);
    }
}

#[test]
fn a_signal_while_capacity_comes_leaves_the_count_or_gives_it_back() {
    for (on_cancel, left, written, count) in [
        ("leave", "changed", vec!["web-green desired=8"], 8),
        ("restore", "restored", vec!["web-green desired=8", "web-green desired=2"], 2),
    ] {
        let (bed, sample) = stack();
        scaled(&bed, "web-blue", 8);
        bed.world(|world| world.pace.launch = Duration::from_secs(600));
        let run = redirect_with(&bed, "green", &[("on-cancel", on_cancel)]).spawn();
        until_called(&bed, "UpdateService", 1);
        testbed::clock::pause(Duration::from_millis(300));
        let done = cancel(run, Signal::INT);
        cancelled(&bed, &sample, &done, left, &written);
        assert_eq!((counts(&bed), splits(&bed, &sample)), ((8, count), vec!["100/0".to_owned()]));
    }
}

#[test]
fn a_signal_while_users_settle_leaves_them_where_they_should_be() {
    let (bed, sample) = stack();
    sample::autoscaled(&bed, 1, 10).expect("it scales");
    bed.clear_calls();
    let run = redirect_with(&bed, "green", &[("settle", "1m")]).spawn();
    until_at(&bed, &sample, &["0/100"]);
    testbed::clock::pause(Duration::from_millis(300));
    let done = cancel(run, Signal::TERM);
    let written = ["web-blue scale-in off", "web-green scale-in off", "production 0/100"];
    cancelled(&bed, &sample, &done, "changed", &written);
    assert_eq!(suspended(&bed), (true, true));
    bed.clear_calls();
    redirect_with(&bed, "green", &[("settle", "0s")]).run().expect(0, "succeeded", "", "changed");
    assert_eq!(moves(&bed, &sample), ["web-green scale-in on"], "running again finishes");
}

#[test]
fn a_second_signal_changes_nothing() {
    let (bed, sample) = stack();
    let run = held(&bed, "restore").spawn();
    until_at(&bed, &sample, &["80/20"]);
    run.signal(Signal::INT);
    testbed::clock::pause(Duration::from_millis(20));
    let done = cancel(run, Signal::TERM);
    cancelled(&bed, &sample, &done, "restored", &["production 80/20", "production 100/0"]);
}

#[test]
fn an_endpoint_that_hangs_at_the_cancel_leaves_what_is_not_known_and_post_puts_it_back() {
    let (bed, sample) = stack();
    let run = held(&bed, "restore").spawn();
    until_at(&bed, &sample, &["80/20"]);
    testbed::clock::pause(Duration::from_millis(300));
    bed.fault(Fault::always(Effect::Delay(Duration::from_secs(60))));
    let done = cancel(run, Signal::INT);
    done.expect(1, "cancelled", "cancelled", "unknown").says("NOT KNOWN");
    bed.clear_faults();
    let after = post(&bed, &done, "restore");
    after.expect(1, "cancelled", "cancelled", "restored");
    assert_eq!(moves(&bed, &sample), ["production 100/0"]);
    assert_eq!(bed.violations(), []);
}

#[test]
fn the_post_step_of_a_killed_run_puts_back_what_was_asked_to_be_and_half_written_rules() {
    for (on_cancel, written) in [("restore", vec!["production 100/0"]), ("leave", vec![])] {
        let (bed, sample) = stack();
        let run = held(&bed, on_cancel).spawn();
        until_at(&bed, &sample, &["80/20"]);
        testbed::clock::pause(Duration::from_millis(300));
        run.signal(Signal::KILL);
        let done = run.wait();
        let after = post(&bed, &done, on_cancel);
        assert_eq!(moves(&bed, &sample), written, "{}", after.log);
        assert_eq!(after.output("left"), if written.is_empty() { "changed" } else { "restored" });
    }
    let (bed, sample) = stack();
    second_listener(&bed, &sample, 100, 0);
    bed.fault(Fault::on("ModifyListener", Effect::KillBefore).nth(2..=2));
    let run = held(&bed, "leave").spawn();
    run.is_victim(&bed);
    let done = run.wait();
    bed.clear_faults();
    let mut halfway = splits(&bed, &sample);
    halfway.sort();
    assert_eq!(halfway, ["100/0", "80/20"], "which of the two was written first is open");
    let after = post(&bed, &done, "leave");
    after.expect(1, "cancelled", "cancelled", "restored");
    assert_eq!(splits(&bed, &sample), ["100/0", "100/0"]);
}

#[test]
fn the_post_step_leaves_what_somebody_else_wrote_since() {
    let (bed, sample) = stack();
    let run = held(&bed, "restore").spawn();
    until_at(&bed, &sample, &["80/20"]);
    testbed::clock::pause(Duration::from_millis(300));
    run.signal(Signal::KILL);
    let done = run.wait();
    bed.world(|world| somebody_writes(world, &sample, &sample.production_listener, (50, 50)));
    let after = post(&bed, &done, "restore");
    after.expect(1, "cancelled", "cancelled", "changed");
    assert_eq!((moves(&bed, &sample), splits(&bed, &sample)), (vec![], vec!["50/50".to_owned()]));
}

#[test]
fn the_post_step_after_a_run_that_ended_by_itself_is_silent() {
    let (bed, _sample) = stack();
    let done = redirect_with(&bed, "green", &[("steps", "20"), ("bake-time", "100ms")]).run();
    done.expect(0, "succeeded", "", "changed");
    silent(&bed, &post(&bed, &done, "restore"));
}
