//! Scaling policies: put, described, deleted, refused.

use super::bed::{BLUE, Bed, about};
use serde_json::{Value, json};

/// A step configuration that adds one task.
fn one_more() -> Value {
    json!({
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{ "MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1 }],
        "Cooldown": 60,
        "MetricAggregationType": "Maximum",
    })
}

/// Blue with a scalable target.
fn registered() -> Bed {
    let bed = Bed::new();
    bed.register(json!({ "MinCapacity": 1, "MaxCapacity": 6 }));
    bed
}

#[test]
fn a_policy_is_put_changed_described_and_deleted() {
    let bed = registered();
    let arn = bed.put("out", json!({ "StepScalingPolicyConfiguration": one_more() }));
    assert!(arn.starts_with("arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:"), "{arn}");
    assert!(arn.ends_with(":resource/ecs/service/shop/web-blue:policyName/out"), "{arn}");
    let described =
        || bed.ok("DescribeScalingPolicies", json!({ "ResourceId": BLUE }))["ScalingPolicies"].clone();
    assert_eq!(described()[0]["PolicyType"], "StepScaling");
    assert_eq!(described()[0]["StepScalingPolicyConfiguration"], one_more());
    assert_eq!(described()[0]["Alarms"], json!([]));
    assert_eq!(bed.put("out", json!({})), arn, "what is not given stays");
    assert_eq!(described()[0]["StepScalingPolicyConfiguration"], one_more());
    let changed =
        json!({ "AdjustmentType": "ExactCapacity", "StepAdjustments": one_more()["StepAdjustments"] });
    assert_eq!(bed.put("out", json!({ "StepScalingPolicyConfiguration": changed })), arn);
    assert_eq!(described()[0]["StepScalingPolicyConfiguration"], changed);
    assert_eq!(described().as_array().unwrap().len(), 1);
    bed.ok("DeleteScalingPolicy", about(BLUE, json!({ "PolicyName": "out" })));
    assert_eq!(described(), json!([]));
    assert_eq!(
        bed.refused("DeleteScalingPolicy", about(BLUE, json!({ "PolicyName": "out" }))),
        "ObjectNotFoundException: No scaling policy found for service namespace: ecs, resource ID: \
         service/shop/web-blue, scalable dimension: ecs:service:DesiredCount, policy name: out"
    );
}

#[test]
fn policies_go_with_their_target() {
    let bed = registered();
    bed.step("out", 1, 60);
    bed.ok("DeregisterScalableTarget", about(BLUE, json!({})));
    assert_eq!(bed.ok("DescribeScalingPolicies", json!({}))["ScalingPolicies"], json!([]));
    let input = json!({ "PolicyName": "out", "StepScalingPolicyConfiguration": one_more() });
    assert_eq!(
        bed.refused("PutScalingPolicy", about(BLUE, input)),
        "ObjectNotFoundException: No scalable target registered for service namespace: ecs, resource ID: \
         service/shop/web-blue, scalable dimension: ecs:service:DesiredCount"
    );
}

#[test]
fn policies_come_in_pages_of_ten_and_by_name() {
    let bed = registered();
    (0..11).for_each(|n| drop(bed.step(&format!("p{n}"), 1, 60)));
    let names = |answer: &Value| -> Vec<String> {
        let list = answer["ScalingPolicies"].as_array().unwrap();
        list.iter().map(|one| one["PolicyName"].as_str().unwrap().to_owned()).collect()
    };
    let first = bed.ok("DescribeScalingPolicies", json!({}));
    assert_eq!(names(&first).len(), 10);
    let rest = bed.ok("DescribeScalingPolicies", json!({ "NextToken": first["NextToken"] }));
    assert_eq!(names(&rest), ["p10"]);
    assert!(rest.get("NextToken").is_none());
    let some = bed.ok("DescribeScalingPolicies", json!({ "PolicyNames": ["p3", "p7", "nope"] }));
    assert_eq!(names(&some), ["p3", "p7"]);
}

#[test]
fn what_aws_refuses_of_policies() {
    let bed = registered();
    let refused = |mut input: Value| {
        input["PolicyName"] = json!("p");
        bed.refused("PutScalingPolicy", about(BLUE, input))
    };
    assert_eq!(
        refused(json!({})),
        "ValidationException: StepScalingPolicyConfiguration must be specified for policy type StepScaling"
    );
    let config = json!({ "AdjustmentType": "ChangeInCapacity", "StepAdjustments": [] });
    assert_eq!(
        refused(json!({ "StepScalingPolicyConfiguration": config })),
        "ValidationException: At least one step adjustment must be specified for step scaling policies"
    );
    let words = refused(json!({ "PolicyType": "PredictiveScaling" }));
    assert!(words.starts_with("ValidationException: Unsupported policy type PredictiveScaling"), "{words}");
    bed.step("p", 1, 60);
    let words = refused(json!({ "PolicyType": "TargetTrackingScaling" }));
    assert_eq!(words, "ValidationException: The type of an existing policy cannot be changed");
    (0..49).for_each(|n| drop(bed.step(&format!("p{n}"), 1, 60)));
    let input = json!({ "PolicyName": "one-more", "StepScalingPolicyConfiguration": one_more() });
    let words = bed.refused("PutScalingPolicy", about(BLUE, input));
    assert!(words.starts_with("LimitExceededException: "), "{words}");
}
