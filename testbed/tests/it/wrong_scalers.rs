//! Drivers of services that scale automatically, each of which forgets one thing. The checker must notice; a driver
//! that forgets nothing stays unnoticed.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::autoscaling::Breach;
use testbed::elb::State;
use testbed::sample::{self, Sample};
use testbed::{Options, Service, Testbed, World};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sample stack with blue live at three tasks and green idle at one; both scale up to six.
struct Scene {
    /// The testbed.
    bed: Testbed,
    /// Names and ports.
    sample: Sample,
}

impl Scene {
    /// Everything is steady and nothing is suspended.
    fn start() -> Self {
        let bed = Testbed::start(Options::default()).expect("a testbed");
        let sample = sample::create(&bed).expect("the sample stack");
        sample::autoscaled(&bed, 1, 6).expect("scaling");
        let scene = Self { bed, sample };
        scene.count("web-blue", 3);
        scene.count("web-green", 1);
        scene.healthy(&scene.sample.blue_group, 3);
        scene.healthy(&scene.sample.green_group, 1);
        assert_eq!(scene.bed.violations(), []);
        scene
    }

    /// Registers a change of a service's scalable target.
    fn register(&self, service: &str, change: Value) {
        let mut input = change;
        input["ServiceNamespace"] = json!("ecs");
        input["ResourceId"] = json!(format!("service/shop/{service}"));
        input["ScalableDimension"] = json!("ecs:service:DesiredCount");
        self.bed.call(Service::AutoScaling, "RegisterScalableTarget", input).expect("the scalable target");
    }

    /// Suspends or resumes scale-in of both.
    fn suspend(&self, services: &[&str], on: bool) {
        for service in services {
            self.register(service, json!({ "SuspendedState": { "DynamicScalingInSuspended": on } }));
        }
    }

    /// Sets a service's desired count.
    fn count(&self, service: &str, count: u32) {
        let input = json!({ "cluster": "shop", "service": service, "desiredCount": count });
        self.bed.call(Service::Ecs, "UpdateService", input).expect("the count");
    }

    /// Waits until a group has so many healthy targets.
    fn healthy(&self, group: &str, count: usize) {
        let there = |world: &mut World| world.elb.count(group, State::Healthy) == count;
        assert!(self.bed.wait_until(PATIENCE, there), "{group} never had {count} healthy targets");
    }

    /// Sets the weights of the production listener.
    fn weights(&self, blue: u32, green: u32) {
        let groups = json!([{ "TargetGroupArn": self.sample.blue_group, "Weight": blue },
            { "TargetGroupArn": self.sample.green_group, "Weight": green }]);
        let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
        let input = json!({ "ListenerArn": self.sample.production_listener, "DefaultActions": actions });
        self.bed.call(Service::Elb, "ModifyListener", input).expect("the weights");
    }

    /// Puts a step policy on a service that changes its count by one task; gives its ARN.
    fn policy(&self, service: &str, by: i32) -> String {
        let bound = if by > 0 { "MetricIntervalLowerBound" } else { "MetricIntervalUpperBound" };
        let config = json!({
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{ bound: 0, "ScalingAdjustment": by }],
        });
        let input = json!({
            "ServiceNamespace": "ecs",
            "ResourceId": format!("service/shop/{service}"),
            "ScalableDimension": "ecs:service:DesiredCount",
            "PolicyName": format!("by {by}"),
            "StepScalingPolicyConfiguration": config,
        });
        let answer = self.bed.call(Service::AutoScaling, "PutScalingPolicy", input).expect("the policy");
        answer["PolicyARN"].as_str().expect("its ARN").to_owned()
    }

    /// Lets a policy scale a service in by one task.
    fn scale_in(&self, service: &str) {
        let arn = self.policy(service, -1);
        let breach = Breach { alarm: "low", metric: 10.0, threshold: 40.0 };
        self.bed.world(|world| {
            world.fire_policy(&arn, breach);
            world.check(world.last_call());
        });
    }

    /// Puts an alarm that fires green's scale-out policy, with its actions on or off.
    fn alarm(&self, enabled: bool) {
        let input = json!({
            "AlarmName": "web-green-cpu",
            "ActionsEnabled": enabled,
            "AlarmActions": [self.policy("web-green", 1)],
            "Namespace": "AWS/ECS",
            "MetricName": "CPUUtilization",
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 80,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        });
        self.bed.call(Service::CloudWatch, "PutMetricAlarm", input).expect("the alarm");
    }

    /// Numbers of the invariants that the checker named.
    fn named(&self) -> Vec<u8> {
        self.bed.violations().iter().map(|violation| violation.invariant).collect()
    }
}

#[test]
fn invariant_19_capacity_suspended_weight_settled_resumed_stays_unnoticed() {
    let scene = Scene::start();
    scene.suspend(&["web-blue", "web-green"], true);
    scene.count("web-green", 2);
    scene.healthy(&scene.sample.green_group, 2);
    scene.weights(50, 50);
    // As soon as green has more than it had, it is blue whose count ÷ share is the smallest: 3 ÷ ½.
    scene.count("web-green", 6);
    scene.healthy(&scene.sample.green_group, 6);
    scene.weights(0, 100);
    scene.suspend(&["web-green"], false);
    scene.scale_in("web-green");
    scene.register("web-blue", json!({ "MinCapacity": 1, "MaxCapacity": 1 }));
    scene.healthy(&scene.sample.blue_group, 1);
    assert_eq!(scene.bed.violations(), []);
}

#[test]
fn invariant_16_weight_before_capacity_is_noticed() {
    let scene = Scene::start();
    scene.suspend(&["web-blue", "web-green"], true);
    scene.weights(50, 50);
    assert_eq!(scene.named(), [16], "{:?}", scene.bed.violations());
    assert!(scene.bed.violations()[0].text.contains("with 1 healthy targets; it needs 2"));
}

#[test]
fn invariant_19_scale_in_that_is_not_suspended_is_noticed() {
    let scene = Scene::start();
    scene.suspend(&["web-green"], true);
    scene.weights(67, 33);
    assert_eq!(scene.named(), [19], "{:?}", scene.bed.violations());
    assert!(scene.bed.violations()[0].text.contains("scale-in of blue is on"));
    scene.scale_in("web-blue");
    assert_eq!(scene.named(), [19, 19]);
    assert!(scene.bed.violations()[1].text.contains("a policy scaled blue in"));
}

#[test]
fn invariant_19_scale_in_that_is_resumed_too_early_is_noticed() {
    let scene = Scene::start();
    scene.suspend(&["web-blue", "web-green"], true);
    scene.weights(67, 33);
    scene.suspend(&["web-blue"], false);
    assert_eq!(scene.named(), [19], "{:?}", scene.bed.violations());
    assert!(scene.bed.violations()[0].text.contains("resumed"));
}

#[test]
fn invariant_22_shrink_of_a_live_color_is_noticed() {
    let scene = Scene::start();
    scene.count("web-blue", 2);
    assert_eq!(scene.named(), [22], "{:?}", scene.bed.violations());
}

#[test]
fn invariant_23_max_capacity_below_the_count_of_a_live_color_is_noticed() {
    let scene = Scene::start();
    scene.register("web-green", json!({ "MaxCapacity": 1 }));
    assert_eq!(scene.bed.violations(), [], "green is idle");
    scene.register("web-blue", json!({ "MaxCapacity": 2 }));
    assert_eq!(scene.named(), [23], "{:?}", scene.bed.violations());
}

#[test]
fn invariant_23_a_call_that_names_no_bound_is_noticed_too() {
    let scene = Scene::start();
    scene.count("web-blue", 7);
    scene.healthy(&scene.sample.blue_group, 7);
    scene.suspend(&["web-blue"], true);
    assert_eq!(scene.named(), [23], "{:?}", scene.bed.violations());
}

#[test]
fn invariant_31_weight_before_the_alarms_is_noticed() {
    for (managed, enabled, named) in [(true, false, vec![31]), (true, true, vec![]), (false, false, vec![])] {
        let scene = Scene::start();
        scene.bed.world(|world| world.checker.expect_managed_alarms(managed));
        scene.suspend(&["web-blue", "web-green"], true);
        scene.alarm(enabled);
        scene.weights(67, 33);
        assert_eq!(scene.named(), named, "{:?}", scene.bed.violations());
    }
}
