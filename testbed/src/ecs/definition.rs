//! Task definitions: kept as sent, with AWS's defaults filled in.

use super::input::{client, page, text, texts};
use super::registration;
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Map, Value, json};
use std::time::SystemTime;

/// One revision of a family.
#[derive(Debug)]
pub struct Definition {
    /// The ARN.
    pub arn: String,
    /// The family.
    pub family: String,
    /// The number in the family, from 1.
    pub revision: u32,
    /// False once deregistered.
    pub active: bool,
    /// The sent content, with AWS's defaults.
    pub body: Map<String, Value>,
    /// The tags, as sent.
    pub tags: Vec<Value>,
    /// Time of registration.
    registered_at: SystemTime,
    /// Time of deregistration.
    deregistered_at: Option<SystemTime>,
}

/// Descriptive fields that a caller can't set; AWS's answer to these fields is unconfirmed, here they are dropped.
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

impl Definition {
    /// The containers.
    pub fn containers(&self) -> &[Value] {
        self.body.get("containerDefinitions").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The container of this name.
    pub(super) fn container(&self, name: &str) -> Option<&Value> {
        self.containers().iter().find(|container| container["name"] == name)
    }

    /// The network mode; `bridge` if none is given.
    pub(super) fn network_mode(&self) -> &str {
        self.body.get("networkMode").and_then(Value::as_str).unwrap_or("bridge")
    }

    /// True if the revision can run on this launch type.
    pub(super) fn supports(&self, launch_type: &str) -> bool {
        let wanted = self.body.get("requiresCompatibilities").and_then(Value::as_array);
        match wanted {
            Some(list) if !list.is_empty() => list.iter().any(|item| item == launch_type),
            Some(_) | None => launch_type != "FARGATE" || self.fits_fargate(),
        }
    }

    /// True if the revision meets Fargate's requirements.
    fn fits_fargate(&self) -> bool {
        self.network_mode() == "awsvpc" && self.body.contains_key("cpu") && self.body.contains_key("memory")
    }

    /// The revision as AWS describes it.
    fn describe(&self, account: &str) -> Value {
        let mut body = self.body.clone();
        body.insert("taskDefinitionArn".into(), json!(self.arn));
        body.insert("revision".into(), json!(self.revision));
        body.insert("status".into(), json!(if self.active { "ACTIVE" } else { "INACTIVE" }));
        body.insert("requiresAttributes".into(), self.required_attributes());
        let compatibilities = if self.fits_fargate() { json!(["EC2", "FARGATE"]) } else { json!(["EC2"]) };
        body.insert("compatibilities".into(), compatibilities);
        body.insert("registeredAt".into(), json!(epoch(self.registered_at)));
        body.insert("registeredBy".into(), json!(format!("arn:aws:sts::{account}:assumed-role/deploy/ci")));
        if let Some(at) = self.deregistered_at {
            body.insert("deregisteredAt".into(), json!(epoch(at)));
        }
        Value::Object(body)
    }

    /// The capabilities that AWS derives from the content; only a few.
    fn required_attributes(&self) -> Value {
        let mut names = Vec::new();
        let any = |key: &str| self.containers().iter().any(|container| !container[key].is_null());
        if any("logConfiguration") {
            names.push("com.amazonaws.ecs.capability.logging-driver.awslogs");
        }
        if self.body.contains_key("executionRoleArn") {
            names.push("ecs.capability.execution-role-ecr-pull");
        }
        if self.body.contains_key("taskRoleArn") {
            names.push("com.amazonaws.ecs.capability.task-iam-role");
        }
        if self.network_mode() == "awsvpc" {
            names.push("ecs.capability.task-eni");
        }
        names.push("com.amazonaws.ecs.capability.docker-remote-api.1.18");
        json!(names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>())
    }
}

/// Finds a revision by ARN, `family:revision` or `family` (the latest active revision).
pub(super) fn find<'a>(world: &'a World, name: &str) -> Option<&'a Definition> {
    let prefix = world.arn("ecs", "task-definition/");
    let name = name.strip_prefix(&prefix).unwrap_or(name);
    let (family, revision) = match name.split_once(':') {
        Some((family, revision)) => (family, Some(revision.parse::<u32>().ok()?)),
        None => (name, None),
    };
    let mut all = world.ecs.definitions.iter().rev().filter(|definition| definition.family == family);
    match revision {
        Some(revision) => all.find(|definition| definition.revision == revision),
        None => all.find(|definition| definition.active),
    }
}

/// Finds an active revision for a service or task.
pub(super) fn usable<'a>(world: &'a World, name: &str) -> Result<&'a Definition, ApiError> {
    let definition = find(world, name).ok_or_else(|| client("TaskDefinition not found."))?;
    if definition.active { Ok(definition) } else { Err(client("TaskDefinition is inactive")) }
}

/// `RegisterTaskDefinition`.
pub(super) fn register(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let mut body = input.as_object().cloned().unwrap_or_default();
    for key in DESCRIBE_ONLY {
        body.shift_remove(key);
    }
    let tags = body.shift_remove("tags").and_then(|tags| tags.as_array().cloned()).unwrap_or_default();
    let family =
        text(input, "family").ok_or_else(|| client("Family should not be null or empty."))?.to_owned();
    registration::check(input)?;
    fill_defaults(&mut body);
    let last = world.ecs.definitions.iter().filter(|definition| definition.family == family);
    let revision = last.map(|definition| definition.revision).max().unwrap_or(0) + 1;
    let arn = world.arn("ecs", &format!("task-definition/{family}:{revision}"));
    let registered_at = crate::clock::wall();
    let definition =
        Definition { arn, family, revision, active: true, body, tags, registered_at, deregistered_at: None };
    let answer = json!({ "taskDefinition": definition.describe(&world.account), "tags": definition.tags });
    world.ecs.definitions.push(definition);
    Ok(answer)
}

/// Fills in AWS's default values.
fn fill_defaults(body: &mut Map<String, Value>) {
    let awsvpc = body.get("networkMode").and_then(Value::as_str) == Some("awsvpc");
    for key in ["volumes", "placementConstraints"] {
        body.entry(key).or_insert(json!([]));
    }
    for key in ["cpu", "memory"] {
        let units = body.get(key).and_then(Value::as_str).and_then(registration::size);
        if let Some(units) = units {
            body.insert(key.into(), json!(units.to_string()));
        }
    }
    let containers = body.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
        fill_container(container, awsvpc);
    }
}

/// Fills in a container's defaults. The environment comes back in another order than sent, as AWS's may, and without
/// variables that have no value; a log router runs as root (reports to terraform-provider-aws).
fn fill_container(container: &mut Map<String, Value>, awsvpc: bool) {
    container.entry("cpu").or_insert(json!(0));
    container.entry("essential").or_insert(json!(true));
    for key in ["portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"] {
        container.entry(key).or_insert(json!([]));
    }
    if container.contains_key("firelensConfiguration") {
        container.entry("user").or_insert(json!("0"));
    }
    if let Some(Value::Array(variables)) = container.get_mut("environment") {
        variables.retain(|variable| variable["value"].is_string());
        variables.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    }
    let mappings = container.get_mut("portMappings").and_then(Value::as_array_mut);
    for mapping in mappings.into_iter().flatten().filter_map(Value::as_object_mut) {
        mapping.entry("protocol").or_insert(json!("tcp"));
        let host = if awsvpc { mapping.get("containerPort").cloned() } else { None };
        mapping.entry("hostPort").or_insert(host.unwrap_or(json!(0)));
    }
    if let Some(Value::Object(check)) = container.get_mut("healthCheck") {
        for (key, value) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            check.entry(key).or_insert(json!(value));
        }
    }
}

/// `DescribeTaskDefinition`; tags only if requested.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name =
        text(input, "taskDefinition").ok_or_else(|| client("Invalid revision number. Number: null"))?;
    let definition = find(world, name).ok_or_else(|| client("Unable to describe task definition."))?;
    let mut answer = json!({ "taskDefinition": definition.describe(&world.account) });
    if texts(input, "include").iter().any(|part| part == "TAGS") {
        answer["tags"] = json!(definition.tags);
    }
    Ok(answer)
}

/// `DeregisterTaskDefinition`; services that use the revision continue.
pub(super) fn deregister(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "taskDefinition").unwrap_or_default();
    if !name.contains(':') {
        return Err(client("Task definition revision is required."));
    }
    let missing = || client("The specified task definition does not exist.");
    let arn = find(world, name).ok_or_else(missing)?.arn.clone();
    let account = world.account.clone();
    let found =
        world.ecs.definitions.iter_mut().find(|definition| definition.arn == arn).ok_or_else(missing)?;
    found.active = false;
    found.deregistered_at.get_or_insert_with(crate::clock::wall);
    Ok(json!({ "taskDefinition": found.describe(&account) }))
}

/// `ListTaskDefinitions`: ARNs by family and number.
pub(super) fn list(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let family = text(input, "familyPrefix");
    let active = text(input, "status").unwrap_or("ACTIVE") == "ACTIVE";
    let mut found: Vec<&Definition> = (world.ecs.definitions.iter())
        .filter(|definition| {
            definition.active == active && family.is_none_or(|name| definition.family == name)
        })
        .collect();
    found.sort_by(|a, b| (&a.family, a.revision).cmp(&(&b.family, b.revision)));
    if text(input, "sort") == Some("DESC") {
        found.reverse();
    }
    page(found.iter().map(|definition| json!(definition.arn)).collect(), input, 100, "taskDefinitionArns")
}

/// `ListTaskDefinitionFamilies`.
pub(super) fn families(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let prefix = text(input, "familyPrefix").unwrap_or_default();
    let status = text(input, "status").unwrap_or("ALL");
    let is_active = |family: &str| world.ecs.definitions.iter().any(|d| d.family == family && d.active);
    let mut names: Vec<&str> = (world.ecs.definitions.iter().map(|definition| definition.family.as_str()))
        .filter(|family| family.starts_with(prefix))
        .filter(|family| status == "ALL" || is_active(family) == (status == "ACTIVE"))
        .collect();
    names.sort_unstable();
    names.dedup();
    page(names.into_iter().map(|name| json!(name)).collect(), input, 100, "families")
}
