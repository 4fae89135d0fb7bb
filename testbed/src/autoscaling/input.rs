//! Reads parameters, with AWS's errors for invalid values.

use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Value, json};

/// The only namespace in the testbed.
pub(super) const NAMESPACE: &str = "ecs";

/// The only dimension of that namespace.
pub(super) const DIMENSION: &str = "ecs:service:DesiredCount";

/// Default entries of a page: targets and activities, then policies (API reference).
pub(super) const PAGE: usize = 50;

/// AWS's `ValidationException`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

/// AWS's `ObjectNotFoundException`.
pub(super) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ObjectNotFoundException", message)
}

/// The beginning of AWS's message about one invalid parameter.
pub(super) fn constraint(value: &str, key: &str, rule: &str) -> ApiError {
    let mut start = key.chars();
    let key: String = start.next().into_iter().flat_map(char::to_lowercase).chain(start).collect();
    invalid(format!(
        "1 validation error detected: Value {value} at '{key}' failed to satisfy constraint: {rule}"
    ))
}

/// A required text parameter.
pub(super) fn required<'a>(input: &'a Value, key: &str) -> Result<&'a str, ApiError> {
    match input[key].as_str() {
        Some("") => Err(constraint("''", key, "Member must have length greater than or equal to 1")),
        Some(text) => Ok(text),
        None => Err(constraint("null", key, "Member must not be null")),
    }
}

/// A whole number of at least 0; none if not given.
pub(super) fn count(input: &Value, key: &str) -> Result<Option<u32>, ApiError> {
    if input[key].is_null() {
        return Ok(None);
    }
    let Some(number) = input[key].as_i64() else {
        return Err(ApiError::new("SerializationException", "Expected an integer"));
    };
    let rule = "Member must have value greater than or equal to 0";
    let bad = || constraint(&format!("'{number}'"), key, rule);
    u32::try_from(number).map(Some).map_err(|_| bad())
}

/// Texts of a list; none if not given or empty.
pub(super) fn texts<'a>(input: &'a Value, key: &str) -> Option<Vec<&'a str>> {
    let list = input[key].as_array().filter(|list| !list.is_empty())?;
    Some(list.iter().filter_map(Value::as_str).collect())
}

/// Checks the namespace and, if given, the dimension.
pub(super) fn check_namespace(input: &Value) -> Result<(), ApiError> {
    let namespace = required(input, "ServiceNamespace")?;
    let dimension = input["ScalableDimension"].as_str().unwrap_or(DIMENSION);
    if namespace != NAMESPACE || dimension != DIMENSION {
        return Err(unsupported());
    }
    Ok(())
}

/// The error for a resource that AWS does not scale, or the testbed does not have.
fn unsupported() -> ApiError {
    invalid("Unsupported service namespace, resource type or scalable dimension")
}

/// The resource in a call, such as `service/shop/web-blue`, with checked namespace and dimension.
pub(super) fn resource(input: &Value) -> Result<&str, ApiError> {
    check_namespace(input)?;
    required(input, "ScalableDimension")?;
    let resource = required(input, "ResourceId")?;
    split(resource).ok_or_else(unsupported)?;
    Ok(resource)
}

/// Cluster and service of a resource id.
pub(super) fn split(resource: &str) -> Option<(&str, &str)> {
    let (cluster, service) = resource.strip_prefix("service/")?.split_once('/')?;
    (!cluster.is_empty() && !service.is_empty() && !service.contains('/')).then_some((cluster, service))
}

/// `service namespace: ecs, resource ID: …, scalable dimension: …`, as AWS's messages name a target.
pub(super) fn named(resource: &str) -> String {
    format!("service namespace: {NAMESPACE}, resource ID: {resource}, scalable dimension: {DIMENSION}")
}

/// One page under `key`: from `NextToken` on, at most `MaxResults`, by default `default`.
pub(super) fn page(
    world: &World,
    items: Vec<Value>,
    input: &Value,
    at: (&str, usize),
) -> Result<Value, ApiError> {
    let (key, default) = at;
    let asked = count(input, "MaxResults")?.map_or(default, |size| size as usize).clamp(1, default);
    let size = world.autoscaling.page_limit.map_or(asked, |limit| limit.clamp(1, asked));
    let from = match input["NextToken"].as_str() {
        None => 0,
        Some(token) => {
            token.strip_prefix("page-").and_then(|from| from.parse::<usize>().ok()).ok_or_else(|| {
                ApiError::new("InvalidNextTokenException", "The next token supplied was invalid")
            })?
        }
    };
    let rest = items.len().saturating_sub(from + size);
    let page: Vec<Value> = items.into_iter().skip(from).take(size).collect();
    let mut answer = json!({ key: page });
    if rest > 0 {
        answer["NextToken"] = json!(format!("page-{}", from + size));
    }
    Ok(answer)
}
