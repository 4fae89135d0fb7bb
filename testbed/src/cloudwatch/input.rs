//! Reads parameters, with AWS's errors for invalid values.

use serde_json::Value;

use super::metric::MetricId;
use crate::wire::ApiError;

/// `ValidationError`.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

/// `InvalidParameterValue`.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", message)
}

/// `InvalidParameterCombination`.
pub(super) fn combination(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterCombination", message)
}

/// `MissingParameter`.
pub(super) fn missing(name: &str) -> ApiError {
    ApiError::new("MissingParameter", format!("The parameter {name} is required."))
}

/// AWS's words for a member that breaks a constraint.
pub(super) fn constraint(value: &str, name: &str, rule: &str) -> ApiError {
    let mut letters = name.chars();
    let member: String =
        letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default();
    validation(format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: {rule}"
    ))
}

/// The error for a value of the wrong type.
fn wrong_type(name: &str) -> ApiError {
    ApiError::new("SerializationException", format!("{name} has a value of an unexpected type"))
}

/// A text, which may be empty.
pub(super) fn text<'a>(input: &'a Value, name: &str) -> Result<Option<&'a str>, ApiError> {
    match &input[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(wrong_type(name)),
    }
}

/// A required text of 1 to `most` characters.
pub(super) fn required<'a>(input: &'a Value, name: &str, most: usize) -> Result<&'a str, ApiError> {
    let text = text(input, name)?.ok_or_else(|| constraint("null", name, "Member must not be null"))?;
    match text.chars().count() {
        0 => Err(constraint("''", name, "Member must have length greater than or equal to 1")),
        count if count > most => {
            let rule = format!("Member must have length less than or equal to {most}");
            Err(constraint(&format!("'{text}'"), name, &rule))
        }
        _ => Ok(text),
    }
}

/// A text of an enumeration.
pub(super) fn one_of<'a>(input: &'a Value, name: &str, all: &[&str]) -> Result<Option<&'a str>, ApiError> {
    match text(input, name)? {
        Some(text) if !all.contains(&text) => {
            let rule = format!("Member must satisfy enum value set: [{}]", all.join(", "));
            Err(constraint(&format!("'{text}'"), name, &rule))
        }
        text => Ok(text),
    }
}

/// `true` or `false`.
pub(super) fn flag(input: &Value, name: &str) -> Result<Option<bool>, ApiError> {
    match &input[name] {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(*flag)),
        _ => Err(wrong_type(name)),
    }
}

/// A whole number of at least 1.
pub(super) fn number(input: &Value, name: &str) -> Result<Option<u64>, ApiError> {
    match &input[name] {
        Value::Null => Ok(None),
        value => match (value.as_u64(), value.as_i64()) {
            (Some(number @ 1..), _) => Ok(Some(number)),
            (None, None) => Err(wrong_type(name)),
            (_, other) => {
                let rule = "Member must have value greater than or equal to 1";
                Err(constraint(&format!("'{}'", other.unwrap_or_default()), name, rule))
            }
        },
    }
}

/// A number that may have a fraction.
pub(super) fn double(input: &Value, name: &str) -> Result<Option<f64>, ApiError> {
    match &input[name] {
        Value::Null => Ok(None),
        value => value.as_f64().map(Some).ok_or_else(|| wrong_type(name)),
    }
}

/// A list; none if not given.
pub(super) fn list<'a>(input: &'a Value, name: &str) -> Result<Option<&'a Vec<Value>>, ApiError> {
    match &input[name] {
        Value::Null => Ok(None),
        Value::Array(list) => Ok(Some(list)),
        _ => Err(wrong_type(name)),
    }
}

/// A list of at most `most` texts; empty if not given.
pub(super) fn texts(input: &Value, name: &str, most: usize) -> Result<Vec<String>, ApiError> {
    let list = list(input, name)?.map(Vec::as_slice).unwrap_or_default();
    if list.len() > most {
        let rule = format!("Member must have length less than or equal to {most}");
        return Err(constraint(&format!("'{}'", Value::from(list)), name, &rule));
    }
    list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong_type(name))).collect()
}

/// A period in seconds: 1, 5, 10, 20, 30 or a multiple of 60.
pub(super) fn period(input: &Value) -> Result<Option<u64>, ApiError> {
    match number(input, "Period")? {
        Some(period) if !matches!(period, 1 | 5 | 10 | 20 | 30) && period % 60 != 0 => {
            Err(validation("Period must be 1, 5, 10, 20, 30 or a multiple of 60"))
        }
        period => Ok(period),
    }
}

/// The metric by `Namespace`, `MetricName` and `Dimensions`.
pub(super) fn metric(input: &Value) -> Result<MetricId, ApiError> {
    let namespace = required(input, "Namespace", 255)?;
    let name = required(input, "MetricName", 255)?;
    let mut id = MetricId::new(namespace, name, &[]);
    let dimensions = list(input, "Dimensions")?.map(Vec::as_slice).unwrap_or_default();
    if dimensions.len() > 30 {
        return Err(constraint("'[…]'", "Dimensions", "Member must have length less than or equal to 30"));
    }
    for dimension in dimensions {
        let (name, value) = (required(dimension, "Name", 255)?, required(dimension, "Value", 1024)?);
        if id.dimensions.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!("The dimension {name} is given twice.")));
        }
    }
    Ok(id)
}

/// One page of a list: from `NextToken` on, at most `size`; and the next token.
pub(super) fn page(
    items: Vec<Value>,
    input: &Value,
    size: usize,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let start = match text(input, "NextToken")? {
        None => 0,
        Some(token) => token
            .strip_prefix("cGFnZQ")
            .and_then(|start| start.parse().ok())
            .filter(|start| *start < items.len())
            .ok_or_else(|| ApiError::new("InvalidNextToken", "The next token specified is invalid."))?,
    };
    let end = start + size;
    let next = (end < items.len()).then(|| format!("cGFnZQ{end}"));
    Ok((items.into_iter().skip(start).take(size).collect(), next))
}
