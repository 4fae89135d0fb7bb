//! Where requests go: probes reach the color that is tested, and a color that a rule of a production listener sends users
//! to is live.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may panic; its builder is shared with other tests"
)]

mod common;

use common::look::{others_untouched, wants};
use common::{Action, Done, stack, writes};
use serde_json::{Value, json};
use testbed::sample::Sample;
use testbed::{Effect, Fault, Service, Testbed, World};

/// Carries out an operation of Elastic Load Balancing, to set the stage.
fn elb(bed: &Testbed, operation: &str, input: Value) {
    bed.call(Service::Elb, operation, input).expect("AWS takes it");
}

/// The input of CreateRule on a listener: one condition, all to one group.
fn rule(listener: &str, priority: u32, condition: Value, group: &str) -> Value {
    json!({
        "ListenerArn": listener,
        "Priority": priority.to_string(),
        "Conditions": [condition],
        "Actions": [{ "Type": "forward", "TargetGroupArn": group }],
    })
}

/// A condition on the path.
fn path(pattern: &str) -> Value {
    json!({ "Field": "path-pattern", "PathPatternConfig": { "Values": [pattern] } })
}

/// A condition on the header `X-Color`.
fn header(value: &str) -> Value {
    json!({ "Field": "http-header", "HttpHeaderConfig": { "HttpHeaderName": "X-Color", "Values": [value] } })
}

/// A condition on the host.
fn host(name: &str) -> Value {
    json!({ "Field": "host-header", "HostHeaderConfig": { "Values": [name] } })
}

/// Removes green's own listener.
fn without_test_listener(bed: &Testbed, sample: &Sample) {
    elb(bed, "DeleteListener", json!({ "ListenerArn": sample.green_listener }));
}

/// A deploy of an image that is pushed with this tag, with a probe of `/`.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    bed.world(|world| world.ecr.push("shop/web", tag));
    let action = Action::new(bed, "deploy").input("image", &sample.image(tag)).input("timeout", "20s");
    action.input("probes", "[{ path: / }]")
}

/// Asserts that a run was refused before it wrote anything.
#[track_caller]
fn refused(bed: &Testbed, done: &Done, reason: &str) {
    done.expect(1, "refused", reason, "untouched");
    assert_eq!(writes(bed), [""; 0]);
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_38_a_broken_version_does_not_pass_by_probes_that_production_answers() {
    let (bed, sample) = stack();
    without_test_listener(&bed, &sample);
    // A test rule, as far as its conditions go, that no request of a probe of `/` meets.
    let conditions = json!([header("green"), path("/green/*")]);
    let mut input = rule(&sample.production_listener, 10, path("/"), &sample.green_group);
    input["Conditions"] = conditions;
    elb(&bed, "CreateRule", input);
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v6-fail-users").run();
    refused(&bed, &done, "bad-input");
    done.says("no listener rule sends a request for `/` to green alone");
}

#[test]
fn invariant_39_a_path_rule_of_the_production_listener_makes_a_color_live() {
    let (bed, sample) = stack();
    without_test_listener(&bed, &sample);
    elb(&bed, "CreateRule", rule(&sample.production_listener, 10, path("/shop/*"), &sample.green_group));
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v6-fail-users").run();
    refused(&bed, &done, "live-color");
    done.says(&format!("`HTTP:{} rule 10`", sample.production_port));
}
