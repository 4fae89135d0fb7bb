//! Reads parameters: every leaf is text, as in the Query protocol. Errors use AWS's own words.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::wire::ApiError;

/// One structure of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a>(pub(super) &'a Value);

impl<'a> Input<'a> {
    /// A text; none if absent or empty.
    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// An optional text, owned.
    pub(super) fn owned(self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// A required text.
    pub(super) fn required(self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name).ok_or_else(|| missing(name))
    }

    /// A whole number within AWS's range.
    pub(super) fn number(self, name: &str, range: RangeInclusive<u32>) -> Result<Option<u32>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number: i64 =
            text.parse().map_err(|_| validation(format!("'{text}' is not a valid value for '{name}'")))?;
        match u32::try_from(number) {
            Ok(number) if range.contains(&number) => Ok(Some(number)),
            Ok(_) | Err(_) => Err(validation(format!(
                "{name} '{number}' must be between {} and {} inclusive",
                range.start(),
                range.end()
            ))),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(validation(format!("'{other}' is not a valid value for '{name}'"))),
        }
    }

    /// A structure; none if absent.
    pub(super) fn structure(self, name: &str) -> Option<Input<'a>> {
        self.0.get(name).filter(|value| value.is_object()).map(Input)
    }

    /// A list of structures; none if absent, empty if given empty.
    pub(super) fn list(self, name: &str) -> Option<Vec<Input<'a>>> {
        match self.0.get(name)? {
            Value::Array(list) => Some(list.iter().map(Input).collect()),
            Value::String(text) if text.is_empty() => Some(Vec::new()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => None,
        }
    }

    /// A list of texts; none if absent.
    pub(super) fn texts(self, name: &str) -> Option<Vec<String>> {
        let list = self.list(name)?;
        Some(list.iter().filter_map(|item| item.0.as_str().map(str::to_owned)).collect())
    }

    /// True if the parameter was given at all.
    pub(super) fn has(self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }
}

/// The same tree with every number and flag as text, as in the Query protocol; callers within the process may send
/// JSON.
pub(super) fn as_text(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(flag) => Value::String(flag.to_string()),
        Value::Number(number) => Value::String(number.to_string()),
        Value::String(text) => Value::String(text.clone()),
        Value::Array(list) => Value::Array(list.iter().map(as_text).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), as_text(value))).collect())
        }
    }
}

/// `ValidationError` with AWS's status.
pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

/// The answer to a missing parameter.
fn missing(name: &str) -> ApiError {
    let member = lower_first(name);
    validation(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

/// The answer to a value outside an enumeration.
pub(super) fn not_in_enum(value: &str, member: &str, allowed: &[&str]) -> ApiError {
    validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         Member must satisfy enum value set: [{}]",
        allowed.join(", ")
    ))
}

/// A parameter's name as AWS's messages write it.
fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}
