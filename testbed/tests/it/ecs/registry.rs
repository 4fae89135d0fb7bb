//! What Terraform asks of ECR and of capacity providers.

use super::bed::Bed;
use serde_json::{Value, json};
use testbed::Service;

/// An operation of ECR: its answer, or code and message.
fn ecr(bed: &Bed, operation: &str, input: Value) -> Result<Value, String> {
    bed.bed.call(Service::Ecr, operation, input).map_err(|error| format!("{}: {}", error.code, error.message))
}

#[test]
fn a_repository_keeps_its_settings_tags_and_lifecycle_policy() {
    let bed = Bed::new();
    let name = json!("stage/web");
    let made = ecr(
        &bed,
        "CreateRepository",
        json!({ "repositoryName": name, "imageTagMutability": "IMMUTABLE", "tags": [{ "Key": "a", "Value": "1" }],
                "imageScanningConfiguration": { "scanOnPush": true } }),
    );
    let repository = made.unwrap()["repository"].clone();
    assert_eq!(repository["imageTagMutability"], "IMMUTABLE");
    assert_eq!(repository["imageScanningConfiguration"]["scanOnPush"], true);
    let arn = &repository["repositoryArn"];
    ecr(&bed, "TagResource", json!({ "resourceArn": arn, "tags": [{ "Key": "b", "Value": "2" }] })).unwrap();
    ecr(&bed, "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["a"] })).unwrap();
    let tags = ecr(&bed, "ListTagsForResource", json!({ "resourceArn": arn })).unwrap();
    assert_eq!(tags, json!({ "tags": [{ "Key": "b", "Value": "2" }] }));

    let policy = json!({ "rules": [{ "rulePriority": 1 }] }).to_string();
    let input = json!({ "repositoryName": name, "lifecyclePolicyText": policy });
    let missing = ecr(&bed, "GetLifecyclePolicy", json!({ "repositoryName": name })).unwrap_err();
    assert!(missing.starts_with("LifecyclePolicyNotFoundException: "), "{missing}");
    ecr(&bed, "PutLifecyclePolicy", input.clone()).unwrap();
    let found = ecr(&bed, "GetLifecyclePolicy", json!({ "repositoryName": name })).unwrap();
    assert_eq!(found["lifecyclePolicyText"], input["lifecyclePolicyText"]);
    ecr(&bed, "DeleteLifecyclePolicy", json!({ "repositoryName": name })).unwrap();
    assert!(ecr(&bed, "GetLifecyclePolicy", json!({ "repositoryName": name })).is_err());
}

#[test]
fn immutable_tags_stay_and_a_repository_with_images_does_too() {
    let bed = Bed::new();
    let name = json!("stage/web");
    ecr(&bed, "CreateRepository", json!({ "repositoryName": name, "imageTagMutability": "IMMUTABLE" }))
        .unwrap();
    let image = json!({ "repositoryName": name, "imageTag": "v1", "imageManifest": "{}" });
    ecr(&bed, "PutImage", image.clone()).unwrap();
    let again = ecr(&bed, "PutImage", image).unwrap_err();
    assert!(again.starts_with("ImageTagAlreadyExistsException: The image tag 'v1'"), "{again}");
    let full = ecr(&bed, "DeleteRepository", json!({ "repositoryName": name })).unwrap_err();
    assert!(full.starts_with("RepositoryNotEmptyException: "), "{full}");
    let ids = json!([{ "imageTag": "v1" }, { "imageTag": "v9" }]);
    let gone = ecr(&bed, "BatchDeleteImage", json!({ "repositoryName": name, "imageIds": ids })).unwrap();
    assert_eq!(gone["imageIds"][0]["imageTag"], "v1");
    assert_eq!(gone["failures"][0]["failureCode"], "ImageNotFound");
    ecr(&bed, "DeleteRepository", json!({ "repositoryName": name })).unwrap();
    let missing = ecr(&bed, "DescribeRepositories", json!({ "repositoryNames": [name] })).unwrap_err();
    assert!(missing.starts_with("RepositoryNotFoundException: "), "{missing}");
}

#[test]
fn a_capacity_provider_stays_while_a_cluster_has_it() {
    let bed = Bed::new();
    let group = "arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:1:autoScalingGroupName/shop";
    let provider = json!({ "name": "shop-instances", "autoScalingGroupProvider": {
        "autoScalingGroupArn": group, "managedScaling": { "status": "ENABLED" } } });
    let made = bed.ecs("CreateCapacityProvider", provider.clone())["capacityProvider"].clone();
    assert_eq!(made["autoScalingGroupProvider"]["managedScaling"]["targetCapacity"], 100);
    assert!(bed.refused("CreateCapacityProvider", provider).starts_with("ClientException: "));
    let strategy = json!([{ "capacityProvider": "shop-instances", "weight": 1 }]);
    let put = |names: Value, strategy: &Value| json!({ "cluster": "shop", "capacityProviders": names, "defaultCapacityProviderStrategy": strategy });
    let unknown = bed.refused("PutClusterCapacityProviders", put(json!(["other"]), &json!([])));
    assert!(unknown.starts_with("InvalidParameterException: "), "{unknown}");
    let apart = bed.refused("PutClusterCapacityProviders", put(json!(["FARGATE"]), &strategy));
    assert!(apart.contains("not associated with the cluster"), "{apart}");
    let both = put(json!(["FARGATE", "shop-instances"]), &strategy);
    let cluster = bed.ecs("PutClusterCapacityProviders", both)["cluster"].clone();
    assert_eq!(cluster["defaultCapacityProviderStrategy"], strategy);
    let held = bed.refused("DeleteCapacityProvider", json!({ "capacityProvider": "shop-instances" }));
    assert!(held.contains("is associated with cluster: shop"), "{held}");
    bed.ecs("PutClusterCapacityProviders", put(json!(["FARGATE"]), &json!([])));
    bed.ecs("DeleteCapacityProvider", json!({ "capacityProvider": "shop-instances" }));
    let found =
        bed.ecs("DescribeCapacityProviders", json!({ "capacityProviders": ["FARGATE", "shop-instances"] }));
    assert_eq!(found["capacityProviders"][0]["status"], "ACTIVE");
    assert_eq!(found["capacityProviders"][1]["status"], "INACTIVE");
    let all = bed.ecs("DescribeCapacityProviders", json!({}))["capacityProviders"].clone();
    assert_eq!(all.as_array().map(Vec::len), Some(2), "FARGATE and FARGATE_SPOT: {all}");
    let unknown = bed.refused("PutClusterCapacityProviders", put(json!(["shop-instances"]), &json!([])));
    assert!(unknown.starts_with("InvalidParameterException: "), "{unknown}");
}

#[test]
fn a_container_instance_leaves_its_cluster() {
    let bed = Bed::new();
    let document = json!({ "instanceId": "i-0a1b2c3d4e5f67890" }).to_string();
    let made = bed
        .ecs("RegisterContainerInstance", json!({ "cluster": "shop", "instanceIdentityDocument": document }));
    let arn = made["containerInstance"]["containerInstanceArn"].clone();
    let leave = json!({ "cluster": "shop", "containerInstance": arn });
    let gone = bed.ecs("DeregisterContainerInstance", leave.clone())["containerInstance"].clone();
    assert_eq!(gone["status"], "INACTIVE");
    let listed = bed.ecs("ListContainerInstances", json!({ "cluster": "shop" }));
    assert_eq!(listed["containerInstanceArns"], json!([]));
    let again = bed.refused("DeregisterContainerInstance", leave);
    assert!(again.starts_with("InvalidParameterException: "), "{again}");
}
