//! Reads parameters, with AWS's errors for invalid values.

use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Value, json};

/// AWS's `InvalidParameterException`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// AWS's `ClientException`.
pub(super) fn client(message: impl Into<String>) -> ApiError {
    ApiError::new("ClientException", message)
}

/// A text parameter; an empty text counts as missing.
pub(super) fn text<'a>(input: &'a Value, key: &str) -> Option<&'a str> {
    input[key].as_str().filter(|text| !text.is_empty())
}

/// A required text parameter.
pub(super) fn required<'a>(input: &'a Value, key: &str) -> Result<&'a str, ApiError> {
    text(input, key).ok_or_else(|| invalid(format!("{key} can not be blank.")))
}

/// A list of texts.
pub(super) fn texts(input: &Value, key: &str) -> Vec<String> {
    input[key].as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// A number that is 0 or more.
pub(super) fn count(input: &Value, key: &str) -> Result<Option<u32>, ApiError> {
    match &input[key] {
        Value::Null => Ok(None),
        Value::Number(number) => match number.as_i64().map(u32::try_from) {
            Some(Ok(count)) => Ok(Some(count)),
            Some(Err(_)) => Err(invalid(format!("{key} cannot be negative."))),
            None => Err(serialization("Expected an integer")),
        },
        Value::String(_) => Err(serialization("STRING_VALUE cannot be converted to Integer")),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(serialization("Expected an integer")),
    }
}

/// The error for a value of the wrong JSON type.
pub(super) fn serialization(message: &str) -> ApiError {
    ApiError::new("SerializationException", message)
}

/// One page of a list: from `nextToken` on, at most `maxResults`, by default `default`.
pub(super) fn page(items: Vec<Value>, input: &Value, default: u32, key: &str) -> Result<Value, ApiError> {
    let size = count(input, "maxResults")?.unwrap_or(default).clamp(1, 100) as usize;
    let from = match text(input, "nextToken") {
        None => 0,
        Some(token) => token
            .parse()
            .map_err(|_| invalid("Invalid token provided. The token has expired or is not valid."))?,
    };
    let rest = items.len().saturating_sub(from + size);
    let page: Vec<Value> = items.into_iter().skip(from).take(size).collect();
    let mut answer = json!({ key: page });
    if rest > 0 {
        answer["nextToken"] = json!((from + size).to_string());
    }
    Ok(answer)
}

/// The last part of an ARN, or the name itself.
pub(super) fn last_part(name_or_arn: &str) -> &str {
    if name_or_arn.starts_with("arn:") {
        name_or_arn.rsplit('/').next().unwrap_or(name_or_arn)
    } else {
        name_or_arn
    }
}

/// The name in an ARN of this region, account and cluster, or the name itself.
///
/// The answers about the region and the cluster are public reports of `DescribeServices`. ECS has no resource policies,
/// so the ARN of another account gets the words of IAM's reference (unconfirmed for ECS).
pub(super) fn local<'a>(world: &World, name_or_arn: &'a str, cluster: &str) -> Result<&'a str, ApiError> {
    let name = last_part(name_or_arn);
    let fields: Vec<&str> = name_or_arn.splitn(6, ':').collect();
    let ["arn", partition, _, region, account, resource] = fields.as_slice() else { return Ok(name) };
    if (*partition, *region) != ("aws", world.region.as_str()) {
        return Err(invalid("Invalid Region in ARN"));
    }
    if *account != world.account {
        return Err(ApiError::new(
            "AccessDeniedException",
            format!(
                "User is not authorized to perform this action on resource: {name_or_arn} because no \
                 resource-based policy allows it"
            ),
        ));
    }
    match resource.split('/').collect::<Vec<_>>().as_slice() {
        [_, other, _] if *other != last_part(cluster) => Err(invalid(format!(
            "Invalid identifier: Identifier is for cluster {other}. Your cluster is {}",
            last_part(cluster)
        ))),
        _ => Ok(name),
    }
}
