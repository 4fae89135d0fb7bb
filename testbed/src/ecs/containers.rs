//! AWS's checks on the containers of a task definition. Constraints are those of API_ContainerDefinition,
//! API_ContainerDependency, API_HealthCheck, API_MountPoint and API_PortMapping; the words are AWS's if a public report
//! quotes them.

use super::input::{client, text};
use super::registration::{check_name, must_be_text};
use crate::wire::ApiError;
use serde_json::Value;
use std::ops::RangeInclusive;

/// The conditions of API_ContainerDependency.
const CONDITIONS: [&str; 4] = ["START", "COMPLETE", "SUCCESS", "HEALTHY"];

/// The fields of a health check with their ranges, in seconds but for `retries` (API_HealthCheck).
const HEALTH_CHECK: [(&str, RangeInclusive<i64>); 4] =
    [("interval", 5..=300), ("timeout", 2..=60), ("retries", 1..=10), ("startPeriod", 0..=300)];

/// Checks all containers of a task definition.
pub(super) fn check(input: &Value, containers: &[Value]) -> Result<(), ApiError> {
    for container in containers {
        check_container(container, input)?;
    }
    if containers.iter().all(|container| container["essential"] == false) {
        return Err(client("A task definition must have at least one essential container."));
    }
    for (index, container) in containers.iter().enumerate() {
        if containers[..index].iter().any(|other| other["name"] == container["name"]) {
            return Err(client("Container names must be unique within a task definition."));
        }
    }
    check_dependencies(containers)?;
    check_host_ports(input, containers)
}

/// Checks one container alone.
fn check_container(container: &Value, input: &Value) -> Result<(), ApiError> {
    must_be_text(&container["name"])?;
    must_be_text(&container["image"])?;
    let missing = |key: &str| client(format!("Container.{key} should not be null or empty."));
    let name = text(container, "name").ok_or_else(|| missing("name"))?;
    check_name("Container.name", name)?;
    check_image(text(container, "image").ok_or_else(|| missing("image"))?)?;
    check_memory(container, input, name)?;
    check_environment(container)?;
    check_ports(container, input, name)?;
    check_mounts(container, input)?;
    check_health_check(container)
}

/// Images have up to 255 letters, digits, hyphens, underscores, colons, periods, slashes and number signs, and an `@`
/// before a digest (API_ContainerDefinition). The words for an image that is too long are unconfirmed.
fn check_image(image: &str) -> Result<(), ApiError> {
    if image.len() > 255 {
        return Err(client("Container.image can not be longer than 255 characters."));
    }
    if image.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:./#@".contains(&byte)) {
        return Ok(());
    }
    Err(client("Container.image contains invalid characters."))
}

/// The task or the container has memory.
fn check_memory(container: &Value, input: &Value, name: &str) -> Result<(), ApiError> {
    let all = [&input["memory"], &container["memory"], &container["memoryReservation"]];
    if all.iter().all(|memory| memory.is_null()) {
        let text = "At least one of 'memory' or 'memoryReservation' must be specified.";
        return Err(client(format!("Invalid setting for container '{name}'. {text}")));
    }
    Ok(())
}

/// Variables are texts. A secret has the name of no variable and of no other secret.
fn check_environment(container: &Value) -> Result<(), ApiError> {
    let list = |key: &str| container[key].as_array().map(Vec::as_slice).unwrap_or_default();
    for variable in list("environment") {
        must_be_text(&variable["name"])?;
        must_be_text(&variable["value"])?;
    }
    let secrets = list("secrets");
    for (index, secret) in secrets.iter().enumerate() {
        let taken = |other: &Value| other["name"] == secret["name"];
        if list("environment").iter().any(taken) || secrets[..index].iter().any(taken) {
            let name = secret["name"].as_str().unwrap_or_default();
            return Err(client(format!(
                "The secret name must be unique and not shared with any new or existing environment variables set on \
                 the container, such as '{name}'."
            )));
        }
    }
    Ok(())
}

/// Ports are from 1 to 65535, a host port may be 0, and in `awsvpc` mode equals the container's port.
fn check_ports(container: &Value, input: &Value, name: &str) -> Result<(), ApiError> {
    for mapping in container["portMappings"].as_array().into_iter().flatten() {
        let (port, host) = (&mapping["containerPort"], &mapping["hostPort"]);
        let range = !mapping["containerPortRange"].is_null();
        let given =
            |value: &Value, least: i64| value.as_i64().is_some_and(|port| (least..=65_535).contains(&port));
        if !(given(port, 1) || range && port.is_null()) {
            return Err(client(format!("Invalid 'containerPort' setting for container '{name}'.")));
        }
        if !host.is_null() && !given(host, 0) {
            return Err(client(format!("Invalid 'hostPort' setting for container '{name}'.")));
        }
        if input["networkMode"] == "awsvpc" && !host.is_null() && host != port {
            let text =
                "When networkMode=awsvpc, the host ports and container ports in port mappings must match.";
            return Err(client(text));
        }
        let protocol = text(mapping, "protocol").unwrap_or("tcp");
        if !["tcp", "udp"].contains(&protocol) {
            return Err(client(format!("Invalid 'protocol' setting for container '{name}'.")));
        }
    }
    Ok(())
}

/// No two mappings of a task take the same host port and protocol. In the modes `awsvpc` and `host` the host port is the
/// container's.
fn check_host_ports(input: &Value, containers: &[Value]) -> Result<(), ApiError> {
    let same = input["networkMode"] == "awsvpc" || input["networkMode"] == "host";
    let mappings = containers.iter().filter_map(|container| container["portMappings"].as_array()).flatten();
    let mut taken = Vec::new();
    for mapping in mappings {
        let own = if same { mapping["containerPort"].as_u64() } else { None };
        let Some(host) = mapping["hostPort"].as_u64().or(own).filter(|port| *port > 0) else { continue };
        let one = (host, text(mapping, "protocol").unwrap_or("tcp").to_ascii_uppercase());
        if taken.contains(&one) {
            let (host, protocol) = one;
            return Err(client(format!("{protocol} host port '{host}' is mapped multiple times in task.")));
        }
        taken.push(one);
    }
    Ok(())
}

/// Every mount point names a volume of the task definition.
fn check_mounts(container: &Value, input: &Value) -> Result<(), ApiError> {
    let volumes = input["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
    for mount in container["mountPoints"].as_array().into_iter().flatten() {
        let volume = text(mount, "sourceVolume").unwrap_or("null");
        if !volumes.iter().any(|one| one["name"] == volume) {
            return Err(client(format!("Unknown volume '{volume}'.")));
        }
    }
    Ok(())
}

/// A health check has a command, and its times and tries are in AWS's ranges; the words are unconfirmed.
fn check_health_check(container: &Value) -> Result<(), ApiError> {
    let check = &container["healthCheck"];
    if check.is_null() {
        return Ok(());
    }
    if check["command"].as_array().is_none_or(Vec::is_empty) {
        return Err(client("Container.healthCheck.command should not be null or empty."));
    }
    for (key, range) in HEALTH_CHECK {
        let value = &check[key];
        if !value.is_null() && !value.as_i64().is_some_and(|value| range.contains(&value)) {
            let (least, most) = range.into_inner();
            return Err(client(format!(
                "Container.healthCheck.{key} must be a value between {least} and {most}."
            )));
        }
    }
    Ok(())
}

/// The dependencies of a container: the names of others with their conditions.
fn dependencies(container: &Value) -> impl Iterator<Item = (&str, &str)> {
    let list = container["dependsOn"].as_array().into_iter().flatten();
    list.map(|one| {
        (text(one, "containerName").unwrap_or_default(), text(one, "condition").unwrap_or_default())
    })
}

/// Dependencies name containers of the task definition and AWS's conditions, wait for the end of no essential container,
/// and have no cycle. The words for unknown conditions and cycles are unconfirmed.
fn check_dependencies(containers: &[Value]) -> Result<(), ApiError> {
    for (name, condition) in containers.iter().flat_map(dependencies) {
        let Some(other) = containers.iter().find(|other| other["name"] == name) else {
            return Err(client(format!("Cannot depend on container + '{name}' because it does not exist")));
        };
        if !CONDITIONS.contains(&condition) {
            return Err(client(format!("Container dependency condition '{condition}' is not valid.")));
        }
        if ["COMPLETE", "SUCCESS"].contains(&condition) && other["essential"] != false {
            return Err(client(
                "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
            ));
        }
    }
    if has_cycle(containers) {
        return Err(client("Container dependencies should not have a cycle"));
    }
    Ok(())
}

/// True if a container waits for itself: removes containers that wait for no remaining container, until none is left or
/// none can be removed.
fn has_cycle(containers: &[Value]) -> bool {
    let mut left: Vec<&Value> = containers.iter().collect();
    loop {
        let waits = |one: &Value| dependencies(one).any(|(name, _)| left.iter().any(|o| o["name"] == name));
        let waiting: Vec<&Value> = left.iter().copied().filter(|one| waits(one)).collect();
        if waiting.len() == left.len() {
            return !left.is_empty();
        }
        left = waiting;
    }
}
