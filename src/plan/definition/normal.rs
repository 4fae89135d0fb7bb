//! Compares definitions as AWS sees them. AWS adds defaults and empty lists to stored definitions and keeps the order
//! of some lists only by chance. So both are removed before the comparison.

use serde_json::{Map, Number, Value};

use super::content::Content;
use super::schema::keys::{Keys, TASK_DEFINITION};
use super::schema::{ValueKind, kind_of};

/// A default value of the API.
#[derive(Clone, Copy)]
pub(super) enum ApiDefault {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(u64),
    /// An AWS keyword.
    Word(&'static str),
}

impl ApiDefault {
    /// The default as JSON.
    pub(super) fn value(self) -> Value {
        match self {
            ApiDefault::Boolean(value) => Value::Bool(value),
            ApiDefault::Integer(value) => Value::Number(Number::from(value)),
            ApiDefault::Word(value) => Value::String(value.to_owned()),
        }
    }
}

/// Defaults by the key of the structure (or of the list of structures) and the key inside, each from the API reference.
/// `false` for a missing boolean is listed only if AWS documents or writes that default.
const DEFAULTS: [(&str, &str, ApiDefault); 18] = [
    ("", "enableFaultInjection", ApiDefault::Boolean(false)),
    ("containerDefinitions", "essential", ApiDefault::Boolean(true)),
    ("containerDefinitions", "cpu", ApiDefault::Integer(0)),
    ("containerDefinitions", "versionConsistency", ApiDefault::Word("enabled")),
    ("portMappings", "protocol", ApiDefault::Word("tcp")),
    ("portMappings", "hostPort", ApiDefault::Integer(0)),
    ("healthCheck", "interval", ApiDefault::Integer(30)),
    ("healthCheck", "timeout", ApiDefault::Integer(5)),
    ("healthCheck", "retries", ApiDefault::Integer(3)),
    ("healthCheck", "startPeriod", ApiDefault::Integer(0)),
    ("restartPolicy", "restartAttemptPeriod", ApiDefault::Integer(300)),
    ("mountPoints", "readOnly", ApiDefault::Boolean(false)),
    ("volumesFrom", "readOnly", ApiDefault::Boolean(false)),
    ("efsVolumeConfiguration", "rootDirectory", ApiDefault::Word("/")),
    ("efsVolumeConfiguration", "transitEncryption", ApiDefault::Word("DISABLED")),
    ("authorizationConfig", "iam", ApiDefault::Word("DISABLED")),
    ("s3filesVolumeConfiguration", "rootDirectory", ApiDefault::Word("/")),
    ("volumes", "configuredAtLaunch", ApiDefault::Boolean(false)),
];

/// Lists of structures whose order means nothing, with the key that identifies an element.
const UNORDERED: [(&str, &str); 14] = [
    ("containerDefinitions", "name"),
    ("volumes", "name"),
    ("placementConstraints", "expression"),
    ("inferenceAccelerators", "deviceName"),
    ("properties", "name"),
    ("environment", "name"),
    ("secrets", "name"),
    ("secretOptions", "name"),
    ("mountPoints", "containerPath"),
    ("volumesFrom", "sourceContainer"),
    ("dependsOn", "containerName"),
    ("ulimits", "name"),
    ("systemControls", "namespace"),
    ("resourceRequirements", "type"),
];

/// Lists of words or numbers whose order means nothing.
const SETS: [&str; 4] = ["requiresCompatibilities", "add", "drop", "ignoredExitCodes"];

/// True if AWS treats both as the same definition. Tags are for display and don't count.
pub(crate) fn same_content(a: &Content, b: &Content) -> bool {
    normal_form(a) == normal_form(b)
}

/// The definition without tags, defaults and empty values. Unordered lists are sorted, and sizes are in units.
pub(super) fn normal_form(content: &Content) -> Map<String, Value> {
    normalize_definition(content.object().clone())
}

/// The normal form of a raw definition.
fn normalize_definition(mut definition: Map<String, Value>) -> Map<String, Value> {
    definition.shift_remove("tags");
    normalize_size(&mut definition, "cpu", "vcpu");
    normalize_size(&mut definition, "memory", "gb");
    normalize_ports(&mut definition);
    containers_mut(&mut definition).for_each(normalize_container);
    network_mode(&mut definition);
    remove_defaults("", &mut definition, TASK_DEFINITION);
    definition
}

/// The containers of a definition.
fn containers_mut(definition: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let containers = definition.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    containers.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Applies AWS's changes at registration: the router of FireLens runs as root by default ("Send Amazon ECS logs to an
/// AWS service or AWS Partner"), and a variable without a value is dropped.
fn normalize_container(container: &mut Map<String, Value>) {
    let is_router = container.get("firelensConfiguration").is_some_and(|config| !config.is_null());
    if is_router && container.get("user").is_some_and(|user| user == "0") {
        container.shift_remove("user");
    }
    if let Some(variables) = container.get_mut("environment").and_then(Value::as_array_mut) {
        variables.retain(|variable| {
            !variable.is_object() || variable.get("value").is_some_and(|it| !it.is_null())
        });
    }
}

/// `1 vCPU` is 1024 CPU units and `1 GB` is 1024 MiB once registered (API_RegisterTaskDefinition, `cpu` and
/// `memory`). A number is taken as its text.
fn normalize_size(definition: &mut Map<String, Value>, key: &str, unit: &str) {
    let Some(value) = definition.get_mut(key) else { return };
    if value.is_u64() {
        *value = Value::String(value.to_string());
    }
    let Value::String(text) = value else { return };
    let lower = text.to_ascii_lowercase();
    let Some(number) = lower.trim().strip_suffix(unit).and_then(|number| number.trim().parse::<f64>().ok())
    else {
        return;
    };
    let units = number * 1024.0;
    if units.fract() == 0.0 {
        *text = format!("{units}");
    }
}

/// In the network modes `awsvpc` and `host` the host port is the container's, given or not (API_PortMapping).
fn normalize_ports(definition: &mut Map<String, Value>) {
    if !matches!(definition.get("networkMode").and_then(Value::as_str), Some("awsvpc" | "host")) {
        return;
    }
    for container in containers_mut(definition) {
        let mappings = container.get_mut("portMappings").and_then(Value::as_array_mut);
        for mapping in mappings.into_iter().flatten().filter_map(Value::as_object_mut) {
            if mapping.get("hostPort").is_some_and(|port| Some(port) == mapping.get("containerPort")) {
                mapping.shift_remove("hostPort");
            }
        }
    }
}

/// `bridge` is the default on Linux. Windows has another default (API_RegisterTaskDefinition, `networkMode`).
fn network_mode(definition: &mut Map<String, Value>) {
    let system =
        definition.get("runtimePlatform").and_then(|platform| platform["operatingSystemFamily"].as_str());
    let windows = system.is_some_and(|system| system.starts_with("WINDOWS"));
    if !windows && definition.get("networkMode").and_then(Value::as_str) == Some("bridge") {
        definition.shift_remove("networkMode");
    }
}

/// Removes defaults and empty values from a structure and everything below, and sorts unordered lists. `parent` is the
/// key that holds the structure.
fn remove_defaults(parent: &str, object: &mut Map<String, Value>, keys: Keys) {
    for (key, value) in object.iter_mut() {
        match (kind_of(keys, key), &mut *value) {
            (Some(ValueKind::Struct(keys)), Value::Object(below)) => remove_defaults(key, below, keys),
            (Some(ValueKind::List(ValueKind::Struct(keys))), Value::Array(items)) => {
                items
                    .iter_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(|item| remove_defaults(key, item, keys));
                items.sort_by_cached_key(|item| element_identity(key, item));
            }
            (Some(ValueKind::List(_)), Value::Array(items)) if SETS.contains(&key.as_str()) => {
                items.sort_by_cached_key(Value::to_string);
            }
            (_, other) => prune_empty(other),
        }
    }
    object.retain(|key, value| !(is_empty(value) || is_empty_object(value) && means_nothing(key, keys)));
    object.retain(|key, value| api_default(parent, key).is_none_or(|default| default.value() != *value));
}

/// Removes empty values from all objects in a value whose keys are not known.
fn prune_empty(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(prune_empty);
            object.retain(|_, value| !is_empty(value));
        }
        Value::Array(items) => items.iter_mut().for_each(prune_empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// True if AWS treats the value of a key like an absent key: AWS writes empty lists in place of absent lists.
fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// True if a value is an object without keys.
fn is_empty_object(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// True if an empty object under this key equals an absent key, like the `host` that AWS writes into a volume. False
/// for a Docker volume, which would otherwise be a bind mount, and for an unknown key.
fn means_nothing(key: &str, keys: Keys) -> bool {
    key != "dockerVolumeConfiguration" && kind_of(keys, key).is_some()
}

/// The default of a key in the structure under `parent`.
pub(super) fn api_default(parent: &str, key: &str) -> Option<ApiDefault> {
    DEFAULTS.iter().find(|(p, k, _)| *p == parent && *k == key).map(|(_, _, default)| *default)
}

/// The identity of an element of an unordered list: name, path, or port and protocol. None in a list whose order means
/// something; sorting by none keeps the order.
pub(super) fn element_identity(list: &str, item: &Value) -> Option<String> {
    if list == "portMappings" {
        let port = item["containerPort"].as_u64().map(|port| port.to_string());
        let port = port.or_else(|| item["containerPortRange"].as_str().map(str::to_owned))?;
        return Some(format!("{port}/{}", item["protocol"].as_str().unwrap_or("tcp")));
    }
    let (_, key) = UNORDERED.iter().find(|(unordered, _)| *unordered == list)?;
    item[*key].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
