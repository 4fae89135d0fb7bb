//! A task definition's content: the registered keys, without the keys that AWS adds to the description of a revision.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use super::facts;
use super::schema::{TOP, value_kind};
use crate::plan::problem::Problem;

/// Keys that DescribeTaskDefinition returns and RegisterTaskDefinition does not take (both in the API model
/// of ECS).
const DESCRIBE_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// The registrable content of a task definition as a raw JSON object. The content holds environment values, so there is
/// no `Display`, and `Debug` shows the family alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Content(Map<String, Value>);

impl Content {
    /// The content of a described revision. The input is the task definition itself, or DescribeTaskDefinition's whole
    /// answer, whose tags are then kept.
    pub(crate) fn from_described(value: Value) -> Result<Content, Problem> {
        match value {
            Value::Object(object) => Ok(Content(without_describe_keys(unwrap_description(object)))),
            other => Err(Problem::new(TOP, format!("must be an object, found {}", value_kind(&other)))),
        }
    }

    /// The object to send to RegisterTaskDefinition.
    pub(crate) fn object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The same, mutable.
    pub(crate) fn object_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// The container definitions that are objects, in order.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let list = self.0.get("containerDefinitions").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_object)
    }

    /// The values of the environment variables of all containers, secret or not.
    pub(crate) fn environment_values(&self) -> impl Iterator<Item = &str> {
        let variables = self.containers().filter_map(|container| container.get("environment")?.as_array());
        variables.flatten().filter_map(|variable| variable.get("value")?.as_str())
    }

    /// The names of the environment variables of all containers whose values ECS reads from a secret or parameter.
    pub(crate) fn secret_names(&self) -> impl Iterator<Item = &str> {
        let secrets = self.containers().filter_map(|container| container.get("secrets")?.as_array());
        secrets.flatten().filter_map(|secret| secret.get("name")?.as_str())
    }

    /// The container definitions, mutable.
    pub(super) fn containers_mut(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        let list = self.0.get_mut("containerDefinitions").and_then(Value::as_array_mut);
        list.into_iter().flatten().filter_map(Value::as_object_mut)
    }

    /// The container definition of this name.
    pub(super) fn container(&self, name: &str) -> Option<&Map<String, Value>> {
        self.containers().find(|container| is_named(container, name))
    }

    /// The same, mutable.
    pub(super) fn container_mut(&mut self, name: &str) -> Option<&mut Map<String, Value>> {
        self.containers_mut().find(|container| is_named(container, name))
    }
}

/// The family alone: a panic or a log line must not show environment values.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({})", facts::family_name(self))
    }
}

/// True if a container definition has this name.
fn is_named(container: &Map<String, Value>, name: &str) -> bool {
    container.get("name").and_then(Value::as_str) == Some(name)
}

/// The task definition inside DescribeTaskDefinition's answer, `{"taskDefinition": {…}, "tags": […]}`, with the tags
/// that may be registered again: AWS reserves the prefix `aws:` (API_Tag). Any other object is returned unchanged.
fn unwrap_description(mut object: Map<String, Value>) -> Map<String, Value> {
    if object.contains_key("containerDefinitions")
        || !object.get("taskDefinition").is_some_and(Value::is_object)
    {
        return object;
    }
    let tags = object.shift_remove("tags");
    let Some(Value::Object(mut inner)) = object.shift_remove("taskDefinition") else { return object };
    if let Some(Value::Array(mut tags)) = tags {
        let reserved = |tag: &Value| tag["key"].as_str().is_some_and(|key| key.starts_with("aws:"));
        tags.retain(|tag| !reserved(tag));
        if !tags.is_empty() {
            inner.insert("tags".to_owned(), Value::Array(tags));
        }
    }
    inner
}

/// The object without the describe-only keys; the others keep their order.
fn without_describe_keys(mut object: Map<String, Value>) -> Map<String, Value> {
    object.retain(|key, _| !DESCRIBE_ONLY.contains(&key.as_str()));
    object
}

/// Missing required parts: the family, containers, and a unique name for each container.
pub(crate) fn missing_fields(content: &Content) -> Vec<Problem> {
    let mut problems = Vec::new();
    match content.0.get("family") {
        None | Some(Value::Null) => {
            problems.push(Problem::new("family", "is missing; it names the task definition"))
        }
        Some(Value::String(family)) if family.is_empty() => {
            problems.push(Problem::new("family", "is empty; it names the task definition"));
        }
        // The schema's check reports a wrong kind.
        Some(_) => {}
    }
    match content.0.get("containerDefinitions") {
        None | Some(Value::Null) => {
            problems.push(Problem::new(
                "containerDefinitions",
                "is missing; a task needs at least one container",
            ));
        }
        Some(Value::Array(list)) if list.is_empty() => {
            problems
                .push(Problem::new("containerDefinitions", "is empty; a task needs at least one container"));
        }
        Some(Value::Array(list)) => problems.extend(unnamed_containers(list)),
        Some(_) => {}
    }
    problems
}

/// Containers without a name, or with the name of an earlier container.
fn unnamed_containers(containers: &[Value]) -> Vec<Problem> {
    let mut seen = HashSet::new();
    let mut problems = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        let Some(container) = container.as_object() else { continue };
        let place = format!("containerDefinitions[{i}].name");
        match container.get("name") {
            None | Some(Value::Null) => {
                problems.push(Problem::new(place, "is missing; each container has one"))
            }
            Some(Value::String(name)) if !seen.insert(name) => {
                problems
                    .push(Problem::new(place, format!("`{name}` is the name of an earlier container, too")));
            }
            Some(_) => {}
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::plan::definition::model;

    #[test]
    fn invariant_32_debug_shows_no_value() {
        let definition =
            json!({"family": "shop", "containerDefinitions": [{"environment": [{"value": "hunter2"}]}]});
        assert_eq!(format!("{:?}", Content::from_described(definition).unwrap()), "Content(shop)");
    }

    proptest! {
        #[test]
        fn no_json_makes_it_panic(value in model::any_json()) {
            let _ = Content::from_described(value);
        }
    }
}
