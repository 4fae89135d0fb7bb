//! Alarms and policies together: what fires what, how often, and who is named where.

use super::bed::{BLUE, Bed, about};
use serde_json::{Value, json};
use std::time::Duration;
use testbed::{Service, World};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Blue with bounds from 1 to 9.
fn registered() -> Bed {
    let bed = Bed::new();
    bed.register(json!({ "MinCapacity": 1, "MaxCapacity": 9 }));
    bed
}

/// A call of CloudWatch that works.
fn watch(bed: &Bed, operation: &str, input: Value) -> Value {
    bed.bed.call(Service::CloudWatch, operation, input).unwrap()
}

/// Puts an alarm on blue's CPU that fires a policy; a low one goes off below 40, another one above 80.
fn alarm(bed: &Bed, name: &str, policy: &str, enabled: bool) {
    let (comparison, threshold) =
        if name == "low" { ("LessThanThreshold", 40) } else { ("GreaterThanThreshold", 80) };
    let input = json!({
        "AlarmName": name,
        "ActionsEnabled": enabled,
        "AlarmActions": [policy],
        "Namespace": "AWS/ECS",
        "MetricName": "CPUUtilization",
        "Dimensions": [
            { "Name": "ClusterName", "Value": "shop" }, { "Name": "ServiceName", "Value": "web-blue" },
        ],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": threshold,
        "ComparisonOperator": comparison,
        "TreatMissingData": "notBreaching",
    });
    watch(bed, "PutMetricAlarm", input);
}

/// Whether blue has so many tasks to run.
fn wants(count: u32) -> impl FnMut(&mut World) -> bool {
    move |world| world.ecs.service("shop", "web-blue").is_some_and(|blue| blue.desired == count)
}

#[test]
fn an_alarm_acts_once_a_minute_until_it_is_over() {
    let bed = registered();
    alarm(&bed, "high", &bed.step("out", 1, 0), true);
    bed.bed.world(|world| world.cloudwatch.set_cpu("web-blue", Some(95.0)));
    for count in 3..6 {
        assert!(bed.bed.wait_until(PATIENCE, wants(count)), "{count}: {:?}", bed.activities());
    }
    let cause = "monitor alarm high in state ALARM triggered policy out";
    assert!(bed.activities().iter().all(|(why, _)| why == cause), "{:?}", bed.activities());
    bed.bed.world(|world| world.cloudwatch.set_cpu("web-blue", Some(50.0)));
    let is_over = |world: &mut World| {
        world.cloudwatch.alarm("high").is_some_and(|alarm| alarm.state == testbed::cloudwatch::State::Ok)
    };
    assert!(bed.bed.wait_until(PATIENCE, is_over));
    let fired = bed
        .bed
        .world(|world| world.cloudwatch.fired().iter().filter(|action| action.alarm == "high").count());
    assert_eq!(bed.activities().len(), fired, "each firing made one activity");
}

#[test]
fn actions_that_are_turned_on_in_alarm_scale_in_at_once() {
    let bed = registered();
    alarm(&bed, "low", &bed.step("in", -1, 3000), false);
    let input = json!({ "AlarmName": "low", "StateValue": "ALARM", "StateReason": "a test" });
    watch(&bed, "SetAlarmState", input);
    bed.bed.world(|world| world.cloudwatch.set_cpu("web-blue", Some(10.0)));
    assert_eq!(bed.desired(), 2);
    watch(&bed, "EnableAlarmActions", json!({ "AlarmNames": ["low"] }));
    assert!(bed.bed.wait_until(PATIENCE, wants(1)), "{:?}", bed.activities());
}

#[test]
fn policies_name_the_alarms_that_fire_them() {
    let bed = registered();
    let policy = bed.step("out", 1, 60);
    alarm(&bed, "high", &policy, true);
    let named = |answer: &Value| -> Vec<String> {
        let list = answer["Alarms"].as_array().unwrap();
        list.iter().map(|alarm| alarm["AlarmName"].as_str().unwrap().to_owned()).collect()
    };
    let all = bed.ok("DescribeScalingPolicies", json!({ "ResourceId": BLUE }));
    assert_eq!(named(&all["ScalingPolicies"][0]), ["high"]);
    assert!(all["ScalingPolicies"][0]["Alarms"][0]["AlarmARN"].as_str().unwrap().ends_with(":alarm:high"));
    assert_eq!(named(&bed.ok("PutScalingPolicy", about(BLUE, json!({ "PolicyName": "out" })))), ["high"]);
    bed.ok("DeleteScalingPolicy", about(BLUE, json!({ "PolicyName": "out" })));
    assert!(bed.bed.world(|world| world.cloudwatch.alarm("high").is_some()), "alarms of step policies stay");
}

#[test]
fn target_tracking_has_alarms_of_its_own() {
    let bed = registered();
    let config = json!({
        "TargetValue": 50.0,
        "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" },
    });
    let input = json!({
        "PolicyName": "track",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": config,
    });
    let answer = bed.ok("PutScalingPolicy", about(BLUE, input));
    let names = || -> Vec<String> {
        let is_ours = |name: &String| name.starts_with("TargetTracking-");
        let all = bed.bed.world(|world| {
            world.cloudwatch.alarms().iter().map(|alarm| alarm.name.clone()).collect::<Vec<_>>()
        });
        all.into_iter().filter(is_ours).collect()
    };
    assert_eq!(answer["Alarms"].as_array().unwrap().len(), 2);
    let begins = |side: &str| format!("TargetTracking-service/shop/web-blue-Alarm{side}-");
    assert!(names().iter().any(|name| name.starts_with(&begins("High"))), "{:?}", names());
    assert!(names().iter().any(|name| name.starts_with(&begins("Low"))), "{:?}", names());
    bed.ok("DeleteScalingPolicy", about(BLUE, json!({ "PolicyName": "track" })));
    assert_eq!(names(), Vec::<String>::new());
}
