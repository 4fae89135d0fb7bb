//! Policies at work: steps, bounds, cooldowns, what is suspended, deployments.

use super::bed::Bed;
use serde_json::json;
use std::time::Duration;
use testbed::autoscaling::Breach;
use testbed::{Service, World, sample};

/// A long cooldown, in AWS's seconds: longer than a test.
const LONG: u32 = 3000;

/// Blue with two tasks and bounds.
fn between(min: u32, max: u32) -> Bed {
    let bed = Bed::new();
    bed.register(json!({ "MinCapacity": min, "MaxCapacity": max }));
    bed
}

#[test]
fn a_policy_moves_the_count_and_tells_it() {
    let bed = between(1, 6);
    let out = bed.step("out", 2, 0);
    let back = bed.step("in", -1, 0);
    assert_eq!(bed.fire(&out, 90.0), 4);
    assert_eq!(bed.fire(&out, 70.0), 4, "no step covers it");
    assert_eq!(bed.fire(&back, 30.0), 3);
    let said = |policy: &str, count: u32| {
        let cause = format!("monitor alarm web-blue-cpu in state ALARM triggered policy {policy}");
        (cause, format!("Setting desired count to {count}."))
    };
    assert_eq!(bed.activities(), [said("in", 3), said("out", 4)]);
}

#[test]
fn a_policy_stays_within_the_bounds() {
    let bed = between(2, 5);
    let out = bed.step("out", 2, 0);
    let back = bed.step("in", -3, 0);
    assert_eq!([bed.fire(&out, 90.0), bed.fire(&out, 90.0), bed.fire(&out, 90.0)], [4, 5, 5]);
    assert_eq!([bed.fire(&back, 30.0), bed.fire(&back, 30.0)], [2, 2]);
    bed.count(0);
    assert_eq!(bed.fire(&back, 30.0), 0, "below MinCapacity nothing scales in");
    assert_eq!(bed.fire(&out, 90.0), 2, "and a scale-out comes back to it");
    bed.count(7);
    assert_eq!(bed.fire(&out, 90.0), 7, "above MaxCapacity nothing scales out");
}

#[test]
fn a_cooldown_holds() {
    let bed = between(1, 9);
    let out = bed.step("out", 2, LONG);
    let more = bed.step("more", 3, LONG);
    let back = bed.step("in", -1, LONG);
    assert_eq!(bed.fire(&out, 90.0), 4);
    assert_eq!(bed.fire(&out, 90.0), 4, "the two count as part of what is asked for");
    assert_eq!(bed.fire(&more, 90.0), 5, "a stronger step adds the rest");
    assert_eq!(bed.fire(&back, 30.0), 4);
    assert_eq!(bed.fire(&back, 30.0), 4, "scale-in waits");
    assert_eq!(bed.fire(&bed.step("much", 6, LONG), 90.0), 8, "scale-out does not wait for a scale-in");
    assert_eq!(bed.fire(&back, 30.0), 7, "and ends its cooldown");
}

#[test]
fn a_cooldown_ends() {
    let bed = between(1, 9);
    let out = bed.step("out", 2, 1);
    assert_eq!(bed.fire(&out, 90.0), 4);
    let breach = Breach { alarm: "web-blue-cpu", metric: 90.0, threshold: 80.0 };
    let again = |world: &mut World| {
        world.fire_policy(&out, breach);
        world.ecs.service("shop", "web-blue").is_some_and(|blue| blue.desired == 6)
    };
    assert!(bed.bed.wait_until(Duration::from_secs(10), again), "the cooldown never ended");
}

#[test]
fn what_is_suspended_does_not_happen() {
    let bed = between(1, 9);
    let out = bed.step("out", 1, 0);
    let back = bed.step("in", -1, 0);
    bed.register(json!({ "SuspendedState": { "DynamicScalingInSuspended": true } }));
    assert_eq!([bed.fire(&back, 30.0), bed.fire(&out, 90.0)], [2, 3]);
    bed.register(json!({ "SuspendedState": { "DynamicScalingOutSuspended": true } }));
    assert_eq!([bed.fire(&back, 30.0), bed.fire(&out, 90.0)], [3, 3]);
    bed.register(json!({ "SuspendedState": { "DynamicScalingInSuspended": false } }));
    assert_eq!([bed.fire(&back, 30.0), bed.fire(&out, 90.0)], [2, 2]);
}

#[test]
fn a_deployment_pauses_scale_in_alone() {
    let bed = between(1, 9);
    let out = bed.step("out", 1, 0);
    let back = bed.step("in", -1, 0);
    let input = json!({ "cluster": "shop", "service": "web-blue", "forceNewDeployment": true });
    bed.bed.call(Service::Ecs, "UpdateService", input).unwrap();
    assert_eq!([bed.fire(&back, 30.0), bed.fire(&out, 90.0)], [2, 3]);
    let steady = |world: &mut World| world.ecs.is_steady("shop", "web-blue");
    assert!(bed.bed.wait_until(Duration::from_secs(10), steady));
    assert_eq!(bed.fire(&back, 30.0), 2);
}

#[test]
fn target_tracking_follows_its_value() {
    let bed = between(1, 9);
    let config = json!({
        "TargetValue": 50.0,
        "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" },
        "ScaleOutCooldown": 0,
        "ScaleInCooldown": 0,
    });
    let input =
        json!({ "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": config });
    let policy = bed.put("track", input);
    assert_eq!(bed.fire(&policy, 80.0), 4, "2 × 80 ÷ 50, rounded up");
    assert_eq!(bed.fire(&policy, 20.0), 2);
}

#[test]
fn the_sample_stack_scales_when_told() {
    let bed = Bed::new();
    sample::autoscaled(&bed.bed, 3, 6).unwrap();
    assert_eq!(bed.desired(), 3);
}
