//! The pace of a waiting run with the default `poll-interval`: glances, looks, and calls per second.

use std::time::Duration;

use crate::common::Action;
use crate::common::here::stack;
use crate::common::traffic::{redirect_with, splits};
use serde_json::json;
use testbed::{Call, Effect, Fault, Service, Testbed};

/// Calls of a run that are no looks of a wait, and of a look on credit: at most four looks.
const OTHERS: usize = 4 * 18;

/// Number of glances at a service: a look describes both colors.
fn glances(calls: &[Call]) -> usize {
    let alone = |call: &&Call| call.input["services"].as_array().is_some_and(|names| names.len() == 1);
    calls.iter().filter(|call| call.operation == "DescribeServices").filter(alone).count()
}

/// The calls after the first write of this kind. While the run waited, it made two calls per second at most.
#[track_caller]
fn waited(bed: &Testbed, write: &str) -> Vec<Call> {
    let calls: Vec<Call> = bed.calls().into_iter().skip_while(|call| call.operation != write).collect();
    let (Some(first), Some(last)) = (calls.first(), calls.last()) else { panic!("no {write}") };
    let seconds = (last.at - first.at).as_secs();
    println!("{} calls in {seconds} s, {} glances", calls.len(), glances(&calls));
    let allowed = usize::try_from(2 * seconds).expect("few seconds") + OTHERS;
    assert!(calls.len() <= allowed, "{} calls in {seconds} s", calls.len());
    calls
}

/// The stack where AWS's seconds last a second, and old tasks of green drain for 90 s.
fn slow_stage() -> (Testbed, testbed::sample::Sample) {
    let (bed, sample) = stack();
    let delay = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "90" }]);
    let change = json!({ "TargetGroupArn": sample.green_group, "Attributes": delay });
    bed.call(Service::Elb, "ModifyTargetGroupAttributes", change).expect("AWS takes it");
    bed.world(|world| world.pace.second = Duration::from_secs(1));
    bed.clear_calls();
    (bed, sample)
}

/// A deploy of version 2 with the default `poll-interval`.
fn deploy(bed: &Testbed, sample: &testbed::sample::Sample) -> Action {
    Action::new(bed, "deploy").input("image", &sample.image("v2")).without("INPUT_POLL-INTERVAL")
}

#[test]
fn a_deploy_glances_after_its_update_and_when_old_tasks_are_about_to_stop() {
    let (bed, sample) = slow_stage();
    deploy(&bed, &sample).run().expect(0, "succeeded", "", "changed");
    let calls = waited(&bed, "UpdateService");
    assert!(glances(&calls) > 10, "{} glances", glances(&calls));
    assert_eq!(bed.violations(), []);
}

#[test]
fn a_short_poll_interval_is_the_users_own_pace() {
    let (bed, sample) = slow_stage();
    deploy(&bed, &sample).input("poll-interval", "3s").run().expect(0, "succeeded", "", "changed");
    assert_eq!(glances(&bed.calls()), 0);
}

#[test]
fn a_throttled_glance_is_the_last_one_before_the_next_look() {
    let (bed, sample) = slow_stage();
    let run = deploy(&bed, &sample).spawn();
    crate::common::look::until_called(&bed, "UpdateService", 1);
    bed.fault(Fault::on("DescribeServices", Effect::Throttle).nth(2..=4));
    run.wait().expect(0, "succeeded", "", "changed");
    waited(&bed, "UpdateService");
}

#[test]
fn a_bake_ends_with_a_look_at_its_end() {
    let (bed, sample) = stack();
    let steps = [("steps", "20"), ("bake-time", "63s"), ("settle", "0s")];
    let done = redirect_with(&bed, "green", &steps).without("INPUT_POLL-INTERVAL").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(splits(&bed, &sample), ["0/100"]);
    waited(&bed, "ModifyListener");
}
