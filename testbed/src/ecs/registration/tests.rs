//! Each kind of task definition that AWS refuses, with AWS's words, next to its limits that AWS takes.

use super::check;
use serde_json::{Value, json};

/// A task definition that AWS takes: `app` waits for `init`, and mounts a volume.
fn good() -> Value {
    json!({
        "family": "web-blue_1",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "tags": [{ "key": "team", "value": "shop" }],
        "volumes": [{ "name": "data" }],
        "containerDefinitions": [
            {
                "name": "app",
                "image": "ghcr.io/octo-org/shop:v1@sha256:0123",
                "cpu": 200,
                "portMappings": [{ "containerPort": 8080 }, { "containerPort": 8080, "protocol": "udp" }],
                "environment": [{ "name": "A", "value": "" }],
                "secrets": [{ "name": "B", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/b" }],
                "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data" }],
                "dependsOn": [{ "containerName": "init", "condition": "SUCCESS" }],
                "healthCheck": {
                    "command": ["CMD", "true"], "interval": 5, "timeout": 2, "retries": 10, "startPeriod": 300,
                },
            },
            { "name": "init", "image": "busybox", "essential": false },
        ],
    })
}

/// The answer to the good task definition with another value at this place.
fn refusal(place: &str, value: Value) -> Option<String> {
    let mut input = good();
    let (parent, key) = place.rsplit_once('/').expect("a place");
    input.pointer_mut(parent).expect("the parent")[key] = value;
    check(&input).err().map(|error| format!("{}: {}", error.code, error.message))
}

/// Asserts that each value at a place of the task definition is refused in these words.
#[track_caller]
fn refused(place: &str, values: &[Value], words: &str) {
    for value in values {
        assert_eq!(
            refusal(place, value.clone()),
            Some(format!("ClientException: {words}")),
            "{place} {value}"
        );
    }
}

/// Asserts that AWS takes each value at a place of the task definition.
#[track_caller]
fn taken(place: &str, values: &[Value]) {
    for value in values {
        assert_eq!(refusal(place, value.clone()), None, "{place} {value}");
    }
}

/// The place of the first container.
const APP: &str = "/containerDefinitions/0";

/// A field of the first container.
fn app(field: &str) -> String {
    format!("{APP}/{field}")
}

#[test]
fn a_good_task_definition_is_taken() {
    assert_eq!(check(&good()), Ok(()));
}

#[test]
fn names_have_letters_digits_hyphens_and_underscores() {
    let odd = ["web.blue", "web blue", "web/blue", "wéb", "$FAMILY"].map(Value::from);
    refused("/family", &odd, "Family contains invalid characters.");
    refused("/family", &[json!("a".repeat(256))], "Family can not be longer than 255 characters.");
    taken("/family", &[json!("a".repeat(255))]);
    refused(&app("name"), &odd, "Container.name contains invalid characters.");
    refused(&app("name"), &[json!(""), Value::Null], "Container.name should not be null or empty.");
    refused(&app("name"), &[json!("init")], "Container names must be unique within a task definition.");
}

#[test]
fn network_modes_are_those_of_aws() {
    refused("/networkMode", &[json!("vpc")], "Network mode 'vpc' is not valid.");
    let words = "Fargate only supports network mode \u{2018}awsvpc\u{2019}.";
    refused("/networkMode", &[json!("bridge"), json!("host"), Value::Null], words);
}

#[test]
fn images_have_the_characters_of_a_reference() {
    refused(&app("image"), &[json!(""), Value::Null], "Container.image should not be null or empty.");
    let odd = ["$IMAGE:$TAG", "shop:v1 ", "<IMAGE>", "shop:{{ tag }}"].map(Value::from);
    refused(&app("image"), &odd, "Container.image contains invalid characters.");
}

#[test]
fn an_empty_list_of_tags_is_refused() {
    refused("/tags", &[json!([])], "Tags can not be empty.");
    taken("/tags", &[Value::Null]);
}

#[test]
fn a_secret_has_a_name_of_its_own() {
    let words = "The secret name must be unique and not shared with any new or existing environment variables set on \
                 the container, such as 'A'.";
    let secret = json!({ "name": "A", "valueFrom": "a" });
    refused(&app("secrets"), &[json!([secret])], words);
}

#[test]
fn dependencies_name_other_containers_without_a_cycle() {
    let on = |name: &str, condition: &str| json!([{ "containerName": name, "condition": condition }]);
    refused(
        &app("dependsOn"),
        &[on("db", "START")],
        "Cannot depend on container + 'db' because it does not exist",
    );
    refused(&app("dependsOn"), &[on("init", "DONE")], "Container dependency condition 'DONE' is not valid.");
    refused(
        "/containerDefinitions/1/essential",
        &[json!(true), Value::Null],
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
    );
    let cycle = "Container dependencies should not have a cycle";
    refused(&app("dependsOn"), &[on("app", "START")], cycle);
    refused("/containerDefinitions/1/dependsOn", &[on("app", "START")], cycle);
    taken(&app("dependsOn"), &[on("init", "START"), on("init", "COMPLETE"), on("init", "HEALTHY")]);
}

#[test]
fn a_mount_point_names_a_volume() {
    refused("/volumes", &[json!([]), Value::Null], "Unknown volume 'data'.");
    refused(&app("mountPoints"), &[json!([{ "containerPath": "/data" }])], "Unknown volume 'null'.");
}

#[test]
fn ports_are_in_range_and_taken_once() {
    let mapping = |port: i64| json!([{ "containerPort": port }]);
    let words = "Invalid 'containerPort' setting for container 'app'.";
    refused(&app("portMappings"), &[mapping(0), mapping(65_536), mapping(-1), json!([{}])], words);
    taken(&app("portMappings"), &[mapping(1), mapping(65_535), json!([{ "containerPortRange": "80-90" }])]);
    let host = json!([{ "containerPort": 80, "hostPort": 65_536 }]);
    refused(&app("portMappings"), &[host], "Invalid 'hostPort' setting for container 'app'.");
    let twice = "TCP host port '8080' is mapped multiple times in task.";
    refused("/containerDefinitions/1/portMappings", &[mapping(8080)], twice);
    taken("/containerDefinitions/1/portMappings", &[mapping(8081)]);
    let other = json!([{ "containerPort": 8080, "hostPort": 80 }]);
    let words = "When networkMode=awsvpc, the host ports and container ports in port mappings must match.";
    refused(&app("portMappings"), &[other], words);
    let words = "Invalid 'protocol' setting for container 'app'.";
    refused(&app("portMappings"), &[json!([{ "containerPort": 80, "protocol": "http" }])], words);
}

#[test]
fn health_checks_are_in_range() {
    for (key, least, most) in
        [("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)]
    {
        let place = app(&format!("healthCheck/{key}"));
        let words = format!("Container.healthCheck.{key} must be a value between {least} and {most}.");
        refused(&place, &[json!(least - 1), json!(most + 1)], &words);
        taken(&place, &[json!(least), json!(most), Value::Null]);
    }
    let words = "Container.healthCheck.command should not be null or empty.";
    refused(&app("healthCheck/command"), &[json!([]), Value::Null], words);
}

#[test]
fn fargate_takes_its_own_pairs_of_cpu_and_memory() {
    for (cpu, memory) in [("256", "768"), ("256", "4096"), ("300", "512"), ("8192", "17408")] {
        let mut input = good();
        (input["cpu"], input["memory"]) = (json!(cpu), json!(memory));
        let words = format!("No Fargate configuration exists for given values: {cpu} CPU, {memory} memory.");
        assert_eq!(check(&input).map_err(|error| error.message), Err(words));
    }
    refused("/cpu", &[Value::Null], "Fargate requires that 'cpu' be defined at the task level.");
    let words = "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.";
    refused("/memory", &[Value::Null], words);
}

#[test]
fn sizes_may_have_units() {
    taken("/cpu", &[json!(".25 vCPU"), json!("0.25vcpu")]);
    taken("/memory", &[json!("0.5 GB"), json!("1GB"), json!("1024")]);
    refused("/cpu", &[json!("much"), json!("vCPU"), json!("-1")], "Invalid 'cpu' setting for task.");
    refused("/memory", &[json!("2 TB")], "Invalid 'memory' setting for task.");
    let words = "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.";
    refused(&app("cpu"), &[json!(257)], words);
}
