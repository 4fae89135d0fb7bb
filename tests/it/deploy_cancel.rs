//! `deploy` that is cancelled or killed, and the post step after it.

use std::time::Duration;

use crate::common::here::{stack, stack_with};
use crate::common::look::{frozen, hurry_at_update, others_untouched, until_called, wanted, wants};
use crate::common::{Action, Done, Running, writes};
use rustix::process::Signal;
use serde_json::Value;
use testbed::sample::{Sample, Stack};
use testbed::{Effect, Fault, Testbed};

/// What is written by a run that updated the service and put it back.
const THERE_AND_BACK: [&str; 3] = [
    "ecs RegisterTaskDefinition web-green",
    "ecs UpdateService web-green web-green:2",
    "ecs UpdateService web-green web-green:1",
];

/// The same where nothing was put back.
const THERE: [&str; 2] = ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"];

/// The usual testbed, whose tasks take so long to start.
fn stage(launch: Duration) -> (Testbed, Sample) {
    let (bed, sample) = stack();
    frozen(&bed);
    bed.world(|world| world.pace.launch = launch);
    (bed, sample)
}

/// A deploy of an image of the sample's repository.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    Action::new(bed, "deploy").input("image", &sample.image(tag))
}

/// Waits until green wants this, such as `web-green:2`.
#[track_caller]
fn until(bed: &Testbed, wants: &str) {
    let so = bed.wait_until(Duration::from_secs(20), |world| wanted(world, "web-green").starts_with(wants));
    assert!(so, "green never wanted {wants}");
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

/// The phase in the state that a run left; empty without.
fn phase(done: &Done) -> String {
    let saved = done.state.get("run").filter(|text| !text.is_empty());
    let state = saved.map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
    state.and_then(|state| state["phase"].as_str().map(str::to_owned)).unwrap_or_default()
}

/// The post step with the inputs of a deploy of v2 and what main left.
fn post(bed: &Testbed, sample: &Sample, main: &Done) -> Done {
    bed.clear_calls();
    hurry_at_update(bed);
    deploy(bed, sample, "v2").post(&main.state).run()
}

/// Asserts that green is as it was found.
#[track_caller]
fn as_found(bed: &Testbed) {
    assert_eq!(wants(bed, "web-green"), "web-green:1 × 2");
    others_untouched(bed);
}

/// Asserts a post step that had nothing to do: not a word, not a call.
#[track_caller]
fn silent(bed: &Testbed, done: &Done) {
    assert_eq!((done.code, done.log.as_str()), (0, ""));
    assert_eq!(bed.calls().len(), 0);
}

#[test]
fn a_signal_before_the_first_write_leaves_everything_untouched() {
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let (bed, sample) = stage(Duration::from_secs(60));
        bed.fault(Fault::on("DescribeTargetHealth", Effect::Delay(Duration::from_secs(5))));
        let run = deploy(&bed, &sample, "v2").spawn();
        until_called(&bed, "DescribeTargetHealth", 1);
        let done = cancel(run, signal);
        done.expect(1, "cancelled", "cancelled", "untouched");
        assert_eq!(writes(&bed), [""; 0], "{name}");
        as_found(&bed);
        let after = post(&bed, &sample, &done);
        assert_eq!((after.code, after.log.as_str()), (0, ""));
    }
}

#[test]
fn a_signal_while_credentials_are_asked_for_leaves_everything_untouched() {
    let (bed, sample) = stage(Duration::from_secs(60));
    bed.fault(Fault::always(Effect::Delay(Duration::from_secs(60))));
    let run = deploy(&bed, &sample, "v2").spawn();
    until_called(&bed, "GetCallerIdentity", 1);
    cancel(run, Signal::INT).expect(1, "cancelled", "cancelled", "untouched");
    assert_eq!(writes(&bed), [""; 0]);
}

#[test]
fn a_signal_between_register_and_update_leaves_the_service_untouched() {
    let (bed, sample) = stage(Duration::from_secs(60));
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Delay(Duration::from_millis(500))));
    let run = deploy(&bed, &sample, "v2").spawn();
    until_called(&bed, "RegisterTaskDefinition", 1);
    let done = cancel(run, Signal::TERM);
    done.expect(1, "cancelled", "cancelled", "untouched");
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
    as_found(&bed);
    silent(&bed, &post(&bed, &sample, &done));
}

#[test]
fn a_signal_while_the_update_is_on_its_way_puts_the_color_back() {
    let (bed, sample) = stage(Duration::from_secs(60));
    bed.fault(Fault::on("UpdateService", Effect::Delay(Duration::from_millis(500))).times(1));
    let run = deploy(&bed, &sample, "v2").spawn();
    until_called(&bed, "UpdateService", 1);
    let done = cancel(run, Signal::INT);
    done.expect(1, "cancelled", "cancelled", "restored");
    assert_eq!(writes(&bed), THERE_AND_BACK);
    as_found(&bed);
}

#[test]
fn a_signal_while_waiting_puts_the_color_back_and_the_post_step_confirms_it() {
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let (bed, sample) = stage(Duration::from_secs(60));
        let run = deploy(&bed, &sample, "v2").spawn();
        until(&bed, "web-green:2");
        testbed::clock::pause(Duration::from_millis(300));
        let done = cancel(run, signal);
        done.expect(1, "cancelled", "cancelled", "restored")
            .says(&format!("{name} came: the run is cancelled"));
        assert_eq!(writes(&bed), THERE_AND_BACK);
        assert_eq!(phase(&done), "restoring");
        as_found(&bed);
        let after = post(&bed, &sample, &done);
        after.says("Restored:");
        assert_eq!((after.code, writes(&bed)), (1, vec![]));
        as_found(&bed);
    }
}

#[test]
fn a_second_signal_changes_nothing() {
    let (bed, sample) = stage(Duration::from_secs(60));
    let run = deploy(&bed, &sample, "v2").spawn();
    until(&bed, "web-green:2");
    run.signal(Signal::INT);
    testbed::clock::pause(Duration::from_millis(20));
    cancel(run, Signal::TERM).expect(1, "cancelled", "cancelled", "restored");
    assert_eq!(writes(&bed), THERE_AND_BACK);
}

#[test]
fn a_signal_while_aws_rolls_back_writes_nothing_more() {
    let (bed, sample) = stack_with(&Stack { rollback: true, ..Stack::default() });
    bed.world(|world| world.pace.launch = Duration::from_millis(700));
    let run = deploy(&bed, &sample, "v3-crash").spawn();
    until(&bed, "web-green:2");
    until(&bed, "web-green:1");
    let done = cancel(run, Signal::INT);
    assert_eq!((done.code, done.output("left")), (1, "restored"), "{}", done.log);
    assert_eq!(writes(&bed), THERE);
    as_found(&bed);
}

#[test]
fn a_signal_while_restoring_does_not_restore_twice() {
    let (bed, sample) = stage(Duration::from_millis(700));
    let run = deploy(&bed, &sample, "v3-crash").spawn();
    until(&bed, "web-green:2");
    until(&bed, "web-green:1");
    let done = cancel(run, Signal::INT);
    done.expect(1, "failed", "circuit-breaker", "restored");
    assert_eq!(writes(&bed), THERE_AND_BACK);
    as_found(&bed);
}

#[test]
fn a_cancelled_run_can_be_asked_to_leave_the_color() {
    let (bed, sample) = stage(Duration::from_secs(60));
    let leave = |action: Action| action.input("on-cancel", "leave");
    let run = leave(deploy(&bed, &sample, "v2")).spawn();
    until(&bed, "web-green:2");
    testbed::clock::pause(Duration::from_millis(300));
    let done = cancel(run, Signal::INT);
    done.expect(1, "cancelled", "cancelled", "changed").says("`on-cancel` is `leave`");
    assert_eq!(writes(&bed), THERE);
    bed.clear_calls();
    let after = leave(deploy(&bed, &sample, "v2").post(&done.state)).run();
    assert_eq!(writes(&bed), [""; 0], "{}", after.log);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
}

#[test]
fn an_endpoint_that_hangs_at_the_cancel_leaves_the_color_unknown_and_post_puts_it_back() {
    let (bed, sample) = stage(Duration::from_secs(60));
    let run = deploy(&bed, &sample, "v2").spawn();
    until(&bed, "web-green:2");
    testbed::clock::pause(Duration::from_millis(300));
    bed.fault(Fault::always(Effect::Delay(Duration::from_secs(60))));
    let done = cancel(run, Signal::INT);
    done.expect(1, "cancelled", "cancelled", "unknown").says("NOT KNOWN how");
    assert_eq!(phase(&done), "deploying");
    bed.clear_faults();
    let after = post(&bed, &sample, &done);
    after.says("Restored:");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green web-green:1"]);
    as_found(&bed);
}

#[test]
fn the_post_step_puts_back_what_a_killed_run_left() {
    let (bed, sample) = stage(Duration::from_secs(60));
    let run = deploy(&bed, &sample, "v2").spawn();
    until(&bed, "web-green:2");
    testbed::clock::pause(Duration::from_millis(300));
    run.signal(Signal::KILL);
    let done = run.wait();
    assert_eq!(phase(&done), "deploying");
    let state: Value = serde_json::from_str(&done.state["run"]).expect("JSON");
    let id = done.output("ecs-deployment-id");
    assert!(id.starts_with("ecs-svc/"), "known before the wait: {:?}", done.outputs);
    assert_eq!(state["deployment"], id);
    let after = post(&bed, &sample, &done);
    after.expect(1, "cancelled", "cancelled", "restored");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green web-green:1"]);
    as_found(&bed);
    for (output, expected) in [
        ("task-definition-arn", "/web-green:1"),
        ("previous-task-definition-arn", "/web-green:1"),
        ("attempted-task-definition-arn", "/web-green:2"),
        ("image", "shop/web:v1"),
        ("live-color", "blue"),
    ] {
        assert!(after.output(output).ends_with(expected), "{output}: {:?}", after.outputs);
    }
    let seen: Value = serde_json::from_str(after.output("status-json")).expect("JSON");
    assert_eq!(seen["colors"][1]["task_definition"], "web-green:1", "{seen}");
}

#[test]
fn the_post_step_puts_back_what_a_run_left_that_was_killed_before_the_answer() {
    let (bed, sample) = stage(Duration::from_secs(60));
    bed.fault(Fault::on("UpdateService", Effect::KillAfter));
    let run = deploy(&bed, &sample, "v2").spawn();
    run.is_victim(&bed);
    let done = run.wait();
    assert_eq!((done.code, phase(&done).as_str()), (-1, "deploying"));
    bed.clear_faults();
    let after = post(&bed, &sample, &done);
    after.expect(1, "cancelled", "cancelled", "restored");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green web-green:1"]);
    as_found(&bed);
}

#[test]
fn the_post_step_finds_nothing_to_put_back_where_the_update_never_arrived() {
    let (bed, sample) = stage(Duration::from_secs(60));
    bed.fault(Fault::on("UpdateService", Effect::KillBefore));
    let run = deploy(&bed, &sample, "v2").spawn();
    run.is_victim(&bed);
    let done = run.wait();
    bed.clear_faults();
    let after = post(&bed, &sample, &done);
    assert_eq!(writes(&bed), [""; 0], "{}", after.log);
    as_found(&bed);
}

#[test]
fn the_post_step_leaves_what_somebody_else_wrote_since() {
    let (bed, sample) = stage(Duration::from_secs(60));
    let run = deploy(&bed, &sample, "v2").spawn();
    until(&bed, "web-green:2");
    testbed::clock::pause(Duration::from_millis(300));
    run.signal(Signal::KILL);
    let done = run.wait();
    let other = testbed::sample::task_definition("web-green", &sample.image("v5-slow-200ms"), false);
    bed.call(testbed::Service::Ecs, "RegisterTaskDefinition", other).expect("registered");
    crate::common::look::ecs(
        &bed,
        "UpdateService",
        serde_json::json!({ "service": "web-green", "taskDefinition": "web-green:3" }),
    );
    let after = post(&bed, &sample, &done);
    after.expect(1, "cancelled", "cancelled", "changed").says("someone else changed");
    assert_eq!(writes(&bed), [""; 0]);
    assert_eq!(wants(&bed, "web-green"), "web-green:3 × 2");
}

#[test]
fn the_post_step_after_a_run_that_ended_by_itself_is_silent() {
    for tag in ["v2", "v3-crash"] {
        let (bed, sample) = stage(Duration::from_millis(50));
        let done = deploy(&bed, &sample, tag).run();
        assert_eq!(done.state["run"], "", "nothing is left to the post step");
        silent(&bed, &post(&bed, &sample, &done));
    }
}

#[test]
fn the_post_step_can_not_run_main() {
    let (bed, sample) = stage(Duration::from_millis(50));
    let nothing = std::collections::BTreeMap::new();
    silent(&bed, &deploy(&bed, &sample, "v2").post(&nothing).run());
    let nonsense = [("run".to_owned(), "{\"phase\":\"deploy me\"}".to_owned())].into();
    let after = deploy(&bed, &sample, "v2").post(&nonsense).run();
    after.expect(1, "cancelled", "cancelled", "unknown").says("the state that it saved is not understood");
    assert_eq!(writes(&bed), [""; 0]);
}
