use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::definition::difference::content_differences;
use crate::plan::definition::model;

fn content(value: Value) -> Content {
    Content::from_described(value).unwrap()
}

/// A definition with one container of these keys, beside its name.
fn with(container: Value) -> Content {
    let mut web = json!({"name": "web", "image": "web:v1"});
    for (key, value) in container.as_object().unwrap() {
        web[key] = value.clone();
    }
    content(json!({"family": "shop", "containerDefinitions": [web]}))
}

/// A definition with these keys, beside a container.
fn top(keys: Value) -> Content {
    let mut definition = json!({"family": "shop", "containerDefinitions": [{"name": "web"}]});
    for (key, value) in keys.as_object().unwrap() {
        definition[key] = value.clone();
    }
    content(definition)
}

/// A definition with one port mapping in a network mode.
fn port(mode: Value, mapping: Value) -> Content {
    content(
        json!({"networkMode": mode, "containerDefinitions": [{"name": "web", "portMappings": [mapping]}]}),
    )
}

#[test]
fn what_aws_writes_into_a_container_is_the_same_content() {
    for (written, described) in [
        (
            json!({}),
            json!({"essential": true, "cpu": 0, "environment": [], "mountPoints": [], "command": null}),
        ),
        (
            json!({"healthCheck": {"command": ["a"]}}),
            json!({"healthCheck": {"command": ["a"], "interval": 30, "timeout": 5, "retries": 3}}),
        ),
        (
            json!({"healthCheck": {"command": ["a"]}}),
            json!({"healthCheck": {"command": ["a"], "startPeriod": 0}}),
        ),
        (json!({"versionConsistency": "enabled"}), json!({})),
        (
            json!({"environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]}),
            json!({"environment": [{"name": "A", "value": "1"}, {"value": "2", "name": "B"}]}),
        ),
        (
            json!({"logConfiguration": {"logDriver": "awslogs", "options": {"a": "1", "b": "2"}}}),
            json!({"logConfiguration": {"options": {"b": "2", "a": "1"}, "logDriver": "awslogs", "secretOptions": []}}),
        ),
        (
            json!({"mountPoints": [{"sourceVolume": "v", "containerPath": "/a"}]}),
            json!({"mountPoints": [{"sourceVolume": "v", "containerPath": "/a", "readOnly": false}]}),
        ),
        (
            json!({"linuxParameters": {"capabilities": {"add": ["A", "B"]}}}),
            json!({"linuxParameters": {"capabilities": {"add": ["B", "A"], "drop": []}, "devices": []}}),
        ),
        (
            json!({"restartPolicy": {"enabled": true, "ignoredExitCodes": [2, 1]}}),
            json!({"restartPolicy": {"enabled": true, "ignoredExitCodes": [1, 2], "restartAttemptPeriod": 300}}),
        ),
        (
            json!({"mountPoints": [{"sourceVolume": "v", "containerPath": "/a"}, {"containerPath": "/b"}]}),
            json!({"mountPoints": [{"containerPath": "/b"}, {"sourceVolume": "v", "containerPath": "/a"}]}),
        ),
        (
            json!({"dependsOn": [{"containerName": "a", "condition": "START"}, {"containerName": "b"}]}),
            json!({"dependsOn": [{"containerName": "b"}, {"containerName": "a", "condition": "START"}]}),
        ),
        (
            json!({"firelensConfiguration": {"type": "fluentbit"}}),
            json!({"firelensConfiguration": {"type": "fluentbit"}, "user": "0"}),
        ),
        (json!({"environment": [{"name": "A"}, {"name": "B", "value": null}]}), json!({"environment": []})),
        (json!({"newField": {"a": 1}}), json!({"newField": {"a": 1, "b": [], "c": null}})),
        (json!({"newField": [{"a": {}}]}), json!({"newField": [{"a": {"b": []}, "c": null}]})),
        (json!({"dockerLabels": {"a": "1"}}), json!({"dockerLabels": {"a": "1", "b": null}})),
        (
            json!({"portMappings": [{"containerPort": 1}, {"containerPort": 2}]}),
            json!({"portMappings": [{"containerPort": 2, "protocol": "tcp"}, {"containerPort": 1, "hostPort": 0}]}),
        ),
    ] {
        let (a, b) = (with(written.clone()), with(described));
        assert!(same_content(&a, &b) && content_differences(&a, &b).is_empty(), "{written}");
    }
}

#[test]
fn what_aws_writes_beside_the_containers_is_the_same_content() {
    for (written, described) in [
        (json!({"cpu": "1 vCPU", "memory": "2 GB"}), json!({"cpu": "1024", "memory": "2048"})),
        (json!({"cpu": 256, "memory": 512}), json!({"cpu": ".25 vCPU", "memory": "512"})),
        (json!({"cpu": ".25vcpu", "memory": "0.5gb"}), json!({"cpu": "256", "memory": "512"})),
        (
            json!({"requiresCompatibilities": ["EC2", "FARGATE"]}),
            json!({"requiresCompatibilities": ["FARGATE", "EC2"]}),
        ),
        (json!({"networkMode": "bridge"}), json!({})),
        (json!({"enableFaultInjection": false}), json!({})),
        (json!({"tags": [{"key": "commit", "value": "a"}]}), json!({})),
        (
            json!({"volumes": [{"name": "b"}, {"name": "a", "host": {}}]}),
            json!({"volumes": [{"name": "a"}, {"name": "b", "host": {}}]}),
        ),
        (
            json!({"volumes": [{"name": "e", "efsVolumeConfiguration": {"fileSystemId": "fs"}}]}),
            json!({"volumes": [{"name": "e", "efsVolumeConfiguration": {"fileSystemId": "fs", "rootDirectory": "/", "transitEncryption": "DISABLED", "authorizationConfig": {"iam": "DISABLED"}}}]}),
        ),
    ] {
        let (a, b) = (top(written.clone()), top(described));
        assert!(same_content(&a, &b) && content_differences(&a, &b).is_empty(), "{written}");
    }
    assert!(same_content(
        &port(json!("awsvpc"), json!({"containerPort": 80})),
        &port(json!("awsvpc"), json!({"containerPort": 80, "hostPort": 80}))
    ));
    assert!(same_content(
        &port(json!("host"), json!({"containerPort": 80})),
        &port(json!("host"), json!({"containerPort": 80, "hostPort": 80}))
    ));
}

#[test]
fn what_makes_a_difference_to_a_task_is_one() {
    for (a, b) in [
        (json!({}), json!({"essential": false})),
        (json!({}), json!({"readonlyRootFilesystem": true})),
        (json!({"command": ["a", "b"]}), json!({"command": ["b", "a"]})),
        (json!({"environment": [{"name": "A", "value": ""}]}), json!({})),
        (json!({"user": "0"}), json!({})),
        (
            json!({"firelensConfiguration": {"type": "fluentbit"}, "user": "1000"}),
            json!({"firelensConfiguration": {"type": "fluentbit"}}),
        ),
        (json!({"healthCheck": {"command": ["a"]}}), json!({})),
        (
            json!({"healthCheck": {"command": ["a"], "interval": 31}}),
            json!({"healthCheck": {"command": ["a"]}}),
        ),
        (json!({"dockerLabels": {"a": "1"}}), json!({"dockerLabels": {"a": "2"}})),
        (
            json!({"extraHosts": [{"hostname": "a", "ipAddress": "1"}, {"hostname": "a", "ipAddress": "2"}]}),
            json!({"extraHosts": [{"hostname": "a", "ipAddress": "2"}, {"hostname": "a", "ipAddress": "1"}]}),
        ),
        (json!({"newField": 1}), json!({"newField": 2})),
        (json!({"newField": 1}), json!({})),
        (json!({"newField": {}}), json!({})),
    ] {
        let told = b.to_string();
        let (a, b) = (with(a), with(b));
        assert!(!same_content(&a, &b) && !content_differences(&a, &b).is_empty(), "{told}");
    }
    for (a, b) in [
        (json!({"networkMode": "awsvpc"}), json!({})),
        (
            json!({"networkMode": "bridge", "runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}),
            json!({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}),
        ),
        (
            json!({"volumes": [{"name": "a", "dockerVolumeConfiguration": {}}]}),
            json!({"volumes": [{"name": "a"}]}),
        ),
        (json!({"cpu": "256"}), json!({"cpu": "512"})),
        (json!({"cpu": "one vCPU"}), json!({"cpu": "1024"})),
    ] {
        let told = b.to_string();
        let (a, b) = (top(a), top(b));
        assert!(!same_content(&a, &b) && !content_differences(&a, &b).is_empty(), "{told}");
    }
    assert!(!same_content(
        &port(json!("bridge"), json!({"containerPort": 80})),
        &port(json!("bridge"), json!({"containerPort": 80, "hostPort": 80}))
    ));
}

proptest! {
    #[test]
    fn what_aws_describes_is_what_was_registered(value in model::definition()) {
        let (written, described) = (content(value.clone()), content(model::as_aws_describes(&value)));
        prop_assert!(same_content(&written, &described), "{:?}", content_differences(&written, &described));
        prop_assert_eq!(content_differences(&written, &described), vec![]);
    }

    #[test]
    fn normalizing_twice_is_as_once(value in prop_oneof![model::definition(), model::any_json()]) {
        if let Ok(content) = Content::from_described(value) {
            let once = normal_form(&content);
            prop_assert_eq!(normalize_definition(once.clone()), once);
        }
    }

    #[test]
    fn the_order_of_keys_means_nothing(value in prop_oneof![model::definition(), model::any_json()]) {
        if let (Ok(a), Ok(b)) = (Content::from_described(value.clone()), Content::from_described(model::reversed(&value))) {
            let lists_apart = model::reversed(&model::reversed(&value)) == value;
            prop_assert!(lists_apart && same_content(&a, &b));
        }
    }
}
