use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::definition::model;
use crate::plan::definition::normal::same_content;

/// A definition from JSON.
fn content(value: Value) -> Content {
    Content::from_described(value).unwrap()
}

/// The differences as they are read.
fn told(before: Value, after: Value) -> Vec<String> {
    content_differences(&content(before), &content(after)).iter().map(ContentChange::to_string).collect()
}

#[test]
fn differences_are_told_by_name() {
    let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web";
    let before = json!({"family": "shop", "cpu": "256", "requiresCompatibilities": ["EC2"], "containerDefinitions": [
        {"name": "web", "image": format!("{ecr}:v1"), "essential": false, "stopTimeout": 5, "command": ["a"],
         "environment": [{"name": "A", "value": "1"}, {"name": "GONE", "value": "1"}],
         "portMappings": [{"containerPort": 80}],
         "healthCheck": {"command": ["x"], "interval": 10}},
        {"name": "old", "image": "old:v1"},
    ]});
    let after = json!({"family": "shop", "cpu": "0.5 vCPU", "memory": "1024", "requiresCompatibilities": ["FARGATE", "EC2"], "containerDefinitions": [
        {"name": "web", "image": format!("{ecr}:v2"), "command": ["b"],
         "environment": [{"name": "A", "value": "2"}, {"name": "NEW", "value": "1"}],
         "secrets": [{"name": "S", "valueFrom": "arn"}],
         "portMappings": [{"containerPort": 80, "name": "http"}, {"containerPort": 81, "protocol": "udp"}],
         "healthCheck": {"command": ["x"]}, "newField": "y"},
        {"name": "envoy", "image": "ghcr.io/envoy:v3"},
    ]});
    assert_eq!(
        told(before, after),
        [
            "cpu: 256 → 512",
            "requiresCompatibilities: EC2 → EC2, FARGATE",
            "containerDefinitions[old]: old:v1 → (none)",
            "containerDefinitions[web].image: shop/web:v1 → shop/web:v2",
            "containerDefinitions[web].essential: false → true",
            "containerDefinitions[web].stopTimeout: 5 → (none)",
            "containerDefinitions[web].command: (changed)",
            "containerDefinitions[web].environment[A]: (changed)",
            "containerDefinitions[web].environment[GONE]: (removed)",
            "containerDefinitions[web].environment[NEW]: (added)",
            "containerDefinitions[web].portMappings[80/tcp].name: (none) → http",
            "containerDefinitions[web].portMappings[81/udp]: (added)",
            "containerDefinitions[web].healthCheck.interval: 10 → 30",
            "containerDefinitions[web].secrets[S]: (added)",
            "containerDefinitions[web].newField: (added)",
            "containerDefinitions[envoy]: (none) → ghcr.io/envoy:v3",
            "memory: (none) → 1024",
        ]
    );
}

#[test]
fn images_of_two_registries_are_told_without_account_ids() {
    let image = |account: &str| json!({"containerDefinitions": [{"name": "web", "image": format!("{account}.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1")}]});
    assert_eq!(
        told(image("123456789012"), image("210987654321")),
        ["containerDefinitions[web].image: (changed)"]
    );
}

#[test]
fn what_is_no_list_where_aws_has_one_is_told_as_a_whole() {
    let volumes = |value: Value| json!({"family": "shop", "volumes": value});
    let list = || json!([{"name": "a"}, {"name": "b"}]);
    let changed = ["volumes: (changed)"];
    assert_eq!(told(volumes(json!("x")), volumes(json!("y"))), changed);
    assert_eq!(told(volumes(json!("x")), volumes(list())), changed);
    assert_eq!(told(volumes(list()), volumes(json!("x"))), changed);
    assert_eq!(
        told(volumes(list()), volumes(json!(null))),
        ["volumes[a]: (removed)", "volumes[b]: (removed)"]
    );
}

#[test]
fn elements_without_a_name_of_their_own_are_told_by_place() {
    let hosts = |ip: &str| json!({"containerDefinitions": [{"name": "web", "extraHosts": [{"hostname": "a", "ipAddress": ip}]}]});
    assert_eq!(
        told(hosts("1"), hosts("2")),
        ["containerDefinitions[web].extraHosts[0].ipAddress: (changed)"]
    );
    let twice = |value: &str| json!({"containerDefinitions": [{"name": "web", "environment": [{"name": "A", "value": "1"}, {"name": "A", "value": value}]}]});
    assert_eq!(told(twice("2"), twice("3")), ["containerDefinitions[web].environment[1]: (changed)"]);
}

#[test]
fn invariant_32_a_side_reads_as_its_text_or_as_hidden() {
    let before = json!({"family": "shop", "cpu": "256", "taskRoleArn": "hunter2"});
    let after = json!({"family": "shop", "cpu": "512", "taskRoleArn": "hunter3"});
    let sides: Vec<String> = content_differences(&content(before), &content(after))
        .into_iter()
        .flat_map(|change| [change.before, change.after])
        .flatten()
        .map(|side| side.to_string())
        .collect();
    assert_eq!(sides, ["256", "512", "(hidden)", "(hidden)"]);
}

#[test]
fn invariant_32_a_difference_holds_no_value() {
    let secret = |text: &str| {
        json!({"taskRoleArn": text, "proxyConfiguration": {"containerName": "web", "properties": [{"name": "p", "value": text}]},
            "volumes": [{"name": "v", "dockerVolumeConfiguration": {"driverOpts": {"password": text}}}], "newField": {"x": [text]},
            "containerDefinitions": [{
            "name": "web", "environment": [{"name": "A", "value": text}], "secrets": [{"name": "B", "valueFrom": text}],
            "command": [text], "entryPoint": [text], "dockerLabels": {"user": text}, "healthCheck": {"command": [text]},
            "logConfiguration": {"logDriver": "splunk", "options": {"token": text}, "secretOptions": [{"name": "o", "valueFrom": text}]},
            "firelensConfiguration": {"type": "fluentd", "options": {"o": text}}, "environmentFiles": [{"value": text}],
        }]})
    };
    let told = told(secret("hunter2"), secret("hunter3"));
    assert_eq!(told.len(), 14, "{told:?}");
    assert!(!told.join("\n").contains("hunter"), "{told:?}");
    assert!(told.iter().all(|line| line.ends_with(": (changed)")), "{told:?}");
}

proptest! {
    #[test]
    fn there_is_a_difference_exactly_when_the_content_is_not_the_same(
        a in prop_oneof![model::definition(), model::any_json()],
        b in prop_oneof![model::definition(), model::any_json()],
    ) {
        if let (Ok(a), Ok(b)) = (Content::from_described(a), Content::from_described(b)) {
            prop_assert!(same_content(&a, &a) && content_differences(&a, &a).is_empty());
            prop_assert_eq!(same_content(&a, &b), same_content(&b, &a));
            prop_assert_eq!(content_differences(&a, &b).is_empty(), same_content(&a, &b));
        }
    }
}
