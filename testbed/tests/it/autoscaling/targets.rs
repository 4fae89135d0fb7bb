//! Scalable targets: registering, bounds, suspending, paging, refusals.

use super::bed::{BLUE, Bed, about};
use serde_json::json;
use testbed::{Effect, Fault, Service, sample};

#[test]
fn a_target_is_registered_described_and_gone() {
    let bed = Bed::new();
    let arn = bed.register(json!({ "MinCapacity": 1, "MaxCapacity": 4 }))["ScalableTargetARN"].clone();
    let text = arn.as_str().unwrap();
    assert!(
        text.starts_with("arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/"),
        "{text}"
    );
    let target = bed.target();
    assert_eq!((&target["MinCapacity"], &target["MaxCapacity"]), (&json!(1), &json!(4)));
    assert_eq!(target["ScalableTargetARN"], arn);
    assert!(
        target["RoleARN"].as_str().unwrap().ends_with("/AWSServiceRoleForApplicationAutoScaling_ECSService")
    );
    assert!(target["CreationTime"].is_f64());
    assert_eq!(bed.register(json!({ "MaxCapacity": 6 }))["ScalableTargetARN"], arn, "an upsert");
    bed.ok("DeregisterScalableTarget", about(BLUE, json!({})));
    assert_eq!(bed.ok("DescribeScalableTargets", json!({}))["ScalableTargets"], json!([]));
    assert_eq!(
        bed.refused("DeregisterScalableTarget", about(BLUE, json!({}))),
        "ObjectNotFoundException: No scalable target found for service namespace: ecs, resource ID: \
         service/shop/web-blue, scalable dimension: ecs:service:DesiredCount"
    );
    assert_eq!(bed.desired(), 2, "the count stays");
}

#[test]
fn every_call_moves_the_count_into_the_bounds() {
    let bed = Bed::new();
    bed.register(json!({ "MinCapacity": 3, "MaxCapacity": 6 }));
    assert_eq!(bed.desired(), 3);
    bed.count(1);
    assert_eq!(bed.desired(), 1, "UpdateService may go below MinCapacity");
    bed.register(json!({ "SuspendedState": { "DynamicScalingInSuspended": true } }));
    assert_eq!(bed.desired(), 3, "a call without bounds too");
    bed.count(8);
    bed.register(json!({ "MinCapacity": 1 }));
    assert_eq!(bed.desired(), 6);
    bed.register(json!({ "MaxCapacity": 2 }));
    assert_eq!(bed.desired(), 2);
    bed.register(json!({}));
    assert_eq!(bed.desired(), 2);
    let said = |text: &str, count: u32| (text.to_owned(), format!("Setting desired count to {count}."));
    assert_eq!(
        bed.activities(),
        [
            said("maximum capacity was set to 2", 2),
            said("maximum capacity was set to 6", 6),
            said("minimum capacity was set to 3", 3),
            said("minimum capacity was set to 3", 3),
        ]
    );
}

#[test]
fn an_activity_says_what_became_of_it() {
    let bed = Bed::new();
    bed.register(json!({ "MinCapacity": 3, "MaxCapacity": 6 }));
    let answer = bed.ok("DescribeScalingActivities", json!({}));
    let one = &answer["ScalingActivities"][0];
    assert_eq!(one["StatusCode"], "Successful");
    let done = "Successfully set desired count to 3. Change successfully fulfilled by ecs.";
    assert_eq!(one["StatusMessage"], done);
    assert_eq!((&one["ResourceId"], &one["ServiceNamespace"]), (&json!(BLUE), &json!("ecs")));
    assert!(one["StartTime"].is_f64() && one["EndTime"].is_f64() && one["ActivityId"].is_string());
}

#[test]
fn members_of_the_suspended_state_that_are_left_out_stay() {
    let bed = Bed::new();
    let state = |scale_in: bool, scale_out: bool, scheduled: bool| {
        json!({
            "DynamicScalingInSuspended": scale_in,
            "DynamicScalingOutSuspended": scale_out,
            "ScheduledScalingSuspended": scheduled,
        })
    };
    bed.register(json!({ "MinCapacity": 1, "MaxCapacity": 4 }));
    assert_eq!(bed.target()["SuspendedState"], state(false, false, false));
    bed.register(json!({ "SuspendedState": { "DynamicScalingInSuspended": true } }));
    assert_eq!(bed.target()["SuspendedState"], state(true, false, false));
    bed.register(json!({ "SuspendedState": { "ScheduledScalingSuspended": true } }));
    assert_eq!(bed.target()["SuspendedState"], state(true, false, true));
    bed.register(json!({ "MinCapacity": 2 }));
    bed.register(json!({ "SuspendedState": { "DynamicScalingInSuspended": false } }));
    assert_eq!(bed.target()["SuspendedState"], state(false, false, true));
}

#[test]
fn targets_come_in_pages() {
    let bed = Bed::new();
    sample::autoscaled(&bed.bed, 1, 4).unwrap();
    let first = bed.ok("DescribeScalableTargets", json!({ "MaxResults": 1 }));
    assert_eq!(first["ScalableTargets"][0]["ResourceId"], BLUE);
    let input = json!({ "MaxResults": 1, "NextToken": first["NextToken"] });
    let second = bed.ok("DescribeScalableTargets", input);
    assert_eq!(second["ScalableTargets"][0]["ResourceId"], "service/shop/web-green");
    assert!(second.get("NextToken").is_none());
    bed.bed.world(|world| world.autoscaling.page_limit = Some(1));
    assert!(bed.ok("DescribeScalableTargets", json!({})).get("NextToken").is_some());
    assert_eq!(
        bed.refused("DescribeScalableTargets", json!({ "NextToken": "x" })),
        "InvalidNextTokenException: The next token supplied was invalid"
    );
}

#[test]
fn what_aws_refuses_of_targets() {
    let bed = Bed::new();
    let refused = |resource: &str, input| bed.refused("RegisterScalableTarget", about(resource, input));
    let words = "ValidationException: Minimum capacity and maximum capacity must be provided for a new scalable target";
    assert_eq!(refused(BLUE, json!({ "MinCapacity": 1 })), words);
    let words = "ValidationException: Maximum capacity cannot be less than minimum capacity";
    assert_eq!(refused(BLUE, json!({ "MinCapacity": 3, "MaxCapacity": 2 })), words);
    let words = "ValidationException: 1 validation error detected: Value '-1' at 'minCapacity' failed to satisfy \
                 constraint: Member must have value greater than or equal to 0";
    assert_eq!(refused(BLUE, json!({ "MinCapacity": -1, "MaxCapacity": 2 })), words);
    let words = "ValidationException: ECS service doesn't exist: service/shop/nope";
    assert_eq!(refused("service/shop/nope", json!({ "MinCapacity": 1, "MaxCapacity": 2 })), words);
    let words = "ValidationException: Unsupported service namespace, resource type or scalable dimension";
    assert_eq!(refused("web-blue", json!({ "MinCapacity": 1, "MaxCapacity": 2 })), words);
    bed.register(json!({ "MinCapacity": 1, "MaxCapacity": 2 }));
    let words = "ValidationException: Maximum capacity cannot be less than minimum capacity";
    assert_eq!(refused(BLUE, json!({ "MinCapacity": 3 })), words, "against the bound that stays");
}

#[test]
fn the_service_linked_role_is_made_at_first_use_or_missed() {
    let bed = Bed::new();
    bed.bed.world(|world| {
        world.autoscaling.linked_role = false;
        world.autoscaling.may_create_role = false;
    });
    let input = || about(BLUE, json!({ "MinCapacity": 1, "MaxCapacity": 2 }));
    assert_eq!(
        bed.refused("RegisterScalableTarget", input()),
        "ValidationException: User is missing the following permissions: iam:CreateServiceLinkedRole"
    );
    bed.bed.world(|world| world.autoscaling.may_create_role = true);
    bed.ok("RegisterScalableTarget", input());
    assert!(bed.bed.world(|world| world.autoscaling.linked_role));
}

#[test]
fn a_denial_names_the_action_and_the_scalable_targets() {
    let bed = Bed::new();
    assert_eq!(Service::AutoScaling.prefix(), "application-autoscaling");
    bed.bed.fault(Fault::on("RegisterScalableTarget", Effect::Deny));
    let words = bed.refused("RegisterScalableTarget", about(BLUE, json!({})));
    let action = "is not authorized to perform: application-autoscaling:RegisterScalableTarget on resource: \
                  arn:aws:application-autoscaling:eu-west-1:123456789012:scalable-target/* because";
    assert!(words.starts_with("AccessDeniedException: ") && words.contains(action), "{words}");
}

#[test]
fn a_target_has_tags() {
    let bed = Bed::new();
    let input = json!({ "MinCapacity": 1, "MaxCapacity": 2, "Tags": { "team": "shop" } });
    let arn = bed.register(input)["ScalableTargetARN"].clone();
    bed.ok("TagResource", json!({ "ResourceARN": arn, "Tags": { "stage": "live" } }));
    let tags = || bed.ok("ListTagsForResource", json!({ "ResourceARN": arn }))["Tags"].clone();
    assert_eq!(tags(), json!({ "team": "shop", "stage": "live" }));
    bed.ok("UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["team"] }));
    assert_eq!(tags(), json!({ "stage": "live" }));
    let words = bed.refused("ListTagsForResource", json!({ "ResourceARN": "arn:aws:nope" }));
    assert!(words.starts_with("ResourceNotFoundException: "), "{words}");
}
