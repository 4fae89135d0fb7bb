//! AWS's checks on a task definition as a whole. Constraints are those of API_RegisterTaskDefinition; the words are
//! AWS's if a public report quotes them.

use super::containers;
use super::input::{client, serialization, text, texts};
use crate::wire::ApiError;
use serde_json::Value;

/// The network modes of API_RegisterTaskDefinition; `default` belongs to Windows containers.
const NETWORK_MODES: [&str; 5] = ["awsvpc", "bridge", "default", "host", "none"];

/// Checks the input of `RegisterTaskDefinition`.
///
/// # Errors AWS's `ClientException` for the first broken constraint, or `SerializationException`.
pub(super) fn check(input: &Value) -> Result<(), ApiError> {
    for key in ["family", "cpu", "memory", "networkMode", "executionRoleArn", "taskRoleArn"] {
        must_be_text(&input[key])?;
    }
    let family = text(input, "family").ok_or_else(|| client("Family should not be null or empty."))?;
    check_name("Family", family)?;
    check_network_mode(input)?;
    check_tags(input)?;
    let list = input["containerDefinitions"].as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| client("Container list cannot be empty."))?;
    containers::check(input, list)?;
    for key in ["cpu", "memory"] {
        if text(input, key).is_some_and(|given| size(given).is_none()) {
            return Err(client(format!("Invalid '{key}' setting for task.")));
        }
    }
    check_cpu(input, list)?;
    let fargate = texts(input, "requiresCompatibilities").iter().any(|item| item == "FARGATE");
    if fargate { check_fargate(input, list) } else { Ok(()) }
}

/// A value that must be a text if given.
pub(super) fn must_be_text(value: &Value) -> Result<(), ApiError> {
    match value {
        Value::Null | Value::String(_) => Ok(()),
        Value::Number(_) => Err(serialization("NUMBER_VALUE can not be converted to a String")),
        Value::Bool(true) => Err(serialization("TRUE_VALUE can not be converted to a String")),
        Value::Bool(false) => Err(serialization("FALSE_VALUE can not be converted to a String")),
        Value::Array(_) | Value::Object(_) => {
            Err(serialization("Start of structure or map found where not expected."))
        }
    }
}

/// Families, containers and volumes have up to 255 letters, digits, hyphens and underscores. The words for a name that is
/// too long are unconfirmed.
pub(super) fn check_name(kind: &str, name: &str) -> Result<(), ApiError> {
    if name.len() > 255 {
        return Err(client(format!("{kind} can not be longer than 255 characters.")));
    }
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Ok(());
    }
    Err(client(format!("{kind} contains invalid characters.")))
}

/// The network mode is one of AWS's modes; the words are unconfirmed.
fn check_network_mode(input: &Value) -> Result<(), ApiError> {
    match text(input, "networkMode") {
        Some(mode) if !NETWORK_MODES.contains(&mode) => {
            Err(client(format!("Network mode '{mode}' is not valid.")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Refuses an empty list of tags, and more than 50 tags.
fn check_tags(input: &Value) -> Result<(), ApiError> {
    match input["tags"].as_array().map(Vec::len) {
        Some(0) => Err(client("Tags can not be empty.")),
        Some(51..) => Err(client("Too many tags. A resource can have at most 50 tags.")),
        Some(_) | None => Ok(()),
    }
}

/// The containers together have no more CPU units than the task.
fn check_cpu(input: &Value, containers: &[Value]) -> Result<(), ApiError> {
    let of_containers: u64 = containers.iter().filter_map(|container| container["cpu"].as_u64()).sum();
    if text(input, "cpu").and_then(size).is_some_and(|task| of_containers > u64::from(task)) {
        return Err(client(
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        ));
    }
    Ok(())
}

/// CPU units or MiB of a task: a whole number, or a decimal number with `vCPU` or `GB`.
pub(super) fn size(given: &str) -> Option<u32> {
    let lower = given.trim().to_ascii_lowercase();
    let Some(number) = lower.strip_suffix("vcpu").or_else(|| lower.strip_suffix("gb")) else {
        return lower.parse().ok();
    };
    let units = number.trim().parse::<f64>().ok()? * 1024.0;
    let whole = units.is_finite() && units.fract() == 0.0;
    if whole { format!("{units:.0}").parse().ok() } else { None }
}

/// The requirements of Fargate.
fn check_fargate(input: &Value, containers: &[Value]) -> Result<(), ApiError> {
    if input["networkMode"] != "awsvpc" {
        return Err(client("Fargate only supports network mode \u{2018}awsvpc\u{2019}."));
    }
    let given = |key: &str| {
        let missing = || client(format!("Fargate requires that '{key}' be defined at the task level."));
        text(input, key).ok_or_else(missing)
    };
    let (cpu, memory) = (given("cpu")?, given("memory")?);
    if let (Some(cpu), Some(memory)) = (size(cpu), size(memory))
        && !fargate_sizes(cpu, memory)
    {
        return Err(client(format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."
        )));
    }
    let from_ecr =
        containers.iter().any(|c| c["image"].as_str().is_some_and(|image| image.contains(".dkr.ecr.")));
    if from_ecr && text(input, "executionRoleArn").is_none() {
        return Err(client(
            "Fargate requires task definition to have execution role ARN to support ECR images.",
        ));
    }
    Ok(())
}

/// True if Fargate offers this pair of CPU units and MiB.
fn fargate_sizes(cpu: u32, memory: u32) -> bool {
    let gib = |from: u32, to: u32, step: u32| {
        memory.is_multiple_of(1024 * step) && (1024 * from..=1024 * to).contains(&memory)
    };
    match cpu {
        256 => memory == 512 || gib(1, 2, 1),
        512 => gib(1, 4, 1),
        1024 => gib(2, 8, 1),
        2048 => gib(4, 16, 1),
        4096 => gib(8, 30, 1),
        8192 => gib(16, 60, 4),
        16384 => gib(32, 120, 8),
        _ => false,
    }
}

#[cfg(test)]
#[path = "registration/tests.rs"]
mod tests;
