//! For tests: definitions made up by chance, and a small model of what AWS makes of a definition that it
//! registers.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Any JSON, with keys that a definition has, too.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-9i64..9).prop_map(|n| json!(n)),
        Just(json!(1.5)),
        "[a-zé \"]{0,4}".prop_map(Value::String),
        prop_oneof![Just("1 vCPU"), Just("awsvpc"), Just("e9 GB"), Just("inf vcpu")].prop_map(|t| json!(t)),
    ];
    let key = prop_oneof![
        "[a-z]{1,4}",
        prop::sample::select(vec![
            "containerDefinitions",
            "taskDefinition",
            "name",
            "image",
            "environment",
            "secrets",
            "portMappings",
            "hostPort",
            "containerPort",
            "healthCheck",
            "volumes",
            "tags",
            "cpu",
            "memory",
            "networkMode",
            "family",
            "dockerVolumeConfiguration",
            "efsVolumeConfiguration",
            "runtimePlatform",
            "requiresCompatibilities",
            "key",
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Puts a value into an object if there is one.
fn put(object: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut(), value) {
        object.insert(key.to_owned(), value);
    }
}

/// One container, without its name.
fn container() -> impl Strategy<Value = Value> {
    let variable = ("[A-D]", "[a-z]{0,3}").prop_map(|(name, value)| json!({"name": name, "value": value}));
    let environment = prop::collection::vec(variable, 0..4).prop_map(|mut list| {
        list.sort_by_key(|entry| entry["name"].to_string());
        list.dedup_by_key(|entry| entry["name"].to_string());
        list
    });
    let port =
        (1u16..4, prop::option::of(Just(0u16)), prop::option::of(prop_oneof![Just("tcp"), Just("udp")]));
    let ports = prop::collection::vec(port, 0..2).prop_map(|ports| {
        let mapping = |(port, host, protocol): (u16, Option<u16>, Option<&str>)| {
            let mut mapping = json!({"containerPort": port});
            put(&mut mapping, "hostPort", host.map(Value::from));
            put(&mut mapping, "protocol", protocol.map(Value::from));
            mapping
        };
        Value::from(ports.into_iter().map(mapping).collect::<Vec<_>>())
    });
    let health = (prop::option::of(29u8..31), prop::option::of(2u8..4), prop::option::of(0u8..2)).prop_map(
        |(interval, retries, start)| {
            let mut health = json!({"command": ["CMD", "true"]});
            put(&mut health, "interval", interval.map(Value::from));
            put(&mut health, "retries", retries.map(Value::from));
            put(&mut health, "startPeriod", start.map(Value::from));
            health
        },
    );
    let option = prop::option::of::<BoxedStrategy<Value>>;
    (
        "[a-z]{1,3}(:v[12])?",
        option(environment.prop_map(Value::from).boxed()),
        option(ports.boxed()),
        option(health.boxed()),
        option(any::<bool>().prop_map(Value::from).boxed()),
        option((0u16..2).prop_map(Value::from).boxed()),
        option(Just(json!([])).boxed()),
    )
        .prop_map(|(image, environment, ports, health, essential, cpu, empty)| {
            let mut container = json!({ "image": image });
            put(&mut container, "environment", environment);
            put(&mut container, "portMappings", ports);
            put(&mut container, "healthCheck", health);
            put(&mut container, "essential", essential);
            put(&mut container, "cpu", cpu);
            put(&mut container, "systemControls", empty.clone());
            put(&mut container, "command", empty);
            container
        })
}

/// A definition as a user may write it, with containers `c0`, `c1`, ….
pub(crate) fn definition() -> impl Strategy<Value = Value> {
    let word = |words: &'static [&'static str]| prop::option::of(prop::sample::select(words));
    (
        prop::collection::vec(container(), 1..4),
        word(&["256", "1 vCPU", ".5 vcpu", "1024"]),
        word(&["1GB", "0.5 gb", "1024", "512"]),
        word(&["bridge", "awsvpc", "host", "none"]),
        prop::collection::vec(word(&["EC2", "FARGATE"]), 0..3),
        prop::collection::vec(word(&["DISABLED", "ENABLED"]), 0..3),
    )
        .prop_map(|(mut containers, cpu, memory, mode, compatibilities, volumes)| {
            for (i, container) in containers.iter_mut().enumerate() {
                put(container, "name", Some(json!(format!("c{i}"))));
            }
            let volume = |(i, transit): (usize, Option<&str>)| {
                let mut efs = json!({"fileSystemId": "fs-1"});
                put(&mut efs, "transitEncryption", transit.map(Value::from));
                json!({"name": format!("v{i}"), "efsVolumeConfiguration": efs})
            };
            let mut definition = json!({"family": "shop", "containerDefinitions": containers});
            put(&mut definition, "cpu", cpu.map(Value::from));
            put(&mut definition, "memory", memory.map(Value::from));
            put(&mut definition, "networkMode", mode.map(Value::from));
            let mut words: Vec<_> = compatibilities.into_iter().flatten().collect();
            words.dedup();
            put(&mut definition, "requiresCompatibilities", (!words.is_empty()).then(|| json!(words)));
            let volumes: Vec<_> = volumes.into_iter().enumerate().map(volume).collect();
            put(&mut definition, "volumes", (!volumes.is_empty()).then(|| json!(volumes)));
            definition
        })
}

/// What DescribeTaskDefinition answers for a definition that was registered: defaults and empty lists written
/// out, sizes in units, lists without order the other way round, and the fields that only AWS writes. Written
/// from the API reference, not from the product's tables.
pub(crate) fn as_aws_describes(registered: &Value) -> Value {
    let mut described = registered.clone();
    let own_ports = matches!(registered["networkMode"].as_str(), Some("awsvpc" | "host"));
    for container in described["containerDefinitions"].as_array_mut().into_iter().flatten() {
        describe_container(container, own_ports);
    }
    for key in ["containerDefinitions", "requiresCompatibilities"] {
        if let Some(list) = described[key].as_array_mut() {
            list.reverse();
        }
    }
    for volume in described["volumes"].as_array_mut().into_iter().flatten() {
        fill(volume, "host", json!({}));
        fill(&mut volume["efsVolumeConfiguration"], "rootDirectory", json!("/"));
    }
    for key in ["volumes", "placementConstraints"] {
        if described[key].is_null() {
            described[key] = json!([]);
        }
    }
    for (key, words) in
        [("cpu", [("1 vCPU", "1024"), (".5 vcpu", "512")]), ("memory", [("1GB", "1024"), ("0.5 gb", "512")])]
    {
        if let Some((_, units)) = words.iter().find(|(text, _)| described[key] == *text) {
            described[key] = json!(units);
        }
    }
    if described["requiresCompatibilities"].is_null()
        && let Some(object) = described.as_object_mut()
    {
        object.remove("requiresCompatibilities");
    }
    described["revision"] = json!(7);
    described["status"] = json!("ACTIVE");
    described["taskDefinitionArn"] = json!("arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:7");
    described["compatibilities"] = json!(["EC2"]);
    described
}

/// Writes a default where nothing is given.
fn fill(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.entry(key).or_insert(value);
    }
}

/// A container as AWS describes it.
fn describe_container(container: &mut Value, own_ports: bool) {
    for list in ["portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"] {
        fill(container, list, json!([]));
    }
    fill(container, "cpu", json!(0));
    fill(container, "essential", json!(true));
    if let Some(list) = container["environment"].as_array_mut() {
        list.reverse();
    }
    for mapping in container["portMappings"].as_array_mut().into_iter().flatten() {
        fill(mapping, "protocol", json!("tcp"));
        let port = if own_ports { mapping["containerPort"].clone() } else { json!(0) };
        put(mapping, "hostPort", Some(port));
    }
    if container.get("healthCheck").is_some() {
        for (key, default) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            fill(&mut container["healthCheck"], key, json!(default));
        }
    }
}

/// The object with its keys in the opposite order: order of keys means nothing.
pub(crate) fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect::<Map<_, _>>(),
        ),
        Value::Array(items) => items.iter().map(reversed).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
