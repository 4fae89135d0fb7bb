//! Checks a definition against AWS's keys. A near miss is a typo and refused. An unknown key far from all known keys
//! may be new at AWS and passes.

pub(crate) mod keys;

use serde_json::{Map, Value};

use self::keys::Keys;
use super::container_images::one_line;
use super::content::Content;
use super::image::shown_part;
use crate::plan::problem::Problem;
use crate::plan::suggestion::edit_distance;

/// The kind of value that AWS expects for a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ValueKind {
    /// Text that may hold anything, even a secret: never shown.
    Text,
    /// Text that may be shown: an AWS keyword, a size, a name, a path.
    Word,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list of one kind.
    List(&'static ValueKind),
    /// An object with known keys.
    Struct(Keys),
    /// An object with keys of the user's choice and text as values: never shown.
    Map,
}

/// Largest distance, in letters, between a misspelt key and the known key.
const TYPO_DISTANCE: usize = 2;

/// The place of a problem that concerns the definition as a whole.
pub(crate) const TOP: &str = "(top level)";

/// The path of a key below a place.
pub(crate) fn child_path(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// The place of a path. The path is empty at the top.
pub(crate) fn path_or_top(path: &str) -> &str {
    if path.is_empty() { TOP } else { path }
}

/// Misspelt keys and values of the wrong kind, with paths. Null is allowed for a key that may be absent, but not in a
/// pair of a name and a value: AWS would drop the variable or the tag without a word.
pub(crate) fn schema_problems(content: &Content) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, value) in content.object() {
        check_key("", key, value, keys::TASK_DEFINITION, &mut problems);
    }
    problems
}

/// Secrets with the name of a variable of the same container. RegisterTaskDefinition refuses these.
pub(crate) fn shared_names(content: &Content) -> Vec<Problem> {
    content.containers().enumerate().flat_map(|(at, container)| shared_in(at, container)).collect()
}

/// The same, in one container.
fn shared_in(at: usize, container: &Map<String, Value>) -> Vec<Problem> {
    let names = |list: &str| {
        let entries = container.get(list).and_then(Value::as_array).into_iter().flatten();
        entries.map(|entry| entry["name"].as_str()).collect::<Vec<_>>()
    };
    let variables = names("environment");
    let shared = names("secrets").into_iter().enumerate().filter(|(_, name)| variables.contains(name));
    let problem = |(secret, name): (usize, Option<&str>)| {
        let place = format!("containerDefinitions[{at}].secrets[{secret}].name");
        let name = shown_part(&one_line(name?));
        let what = format!("{name} is the name of a variable in `environment` too: keep one of them");
        Some(Problem::new(place, what))
    };
    shared.filter_map(problem).collect()
}

/// The kind of a key. None for an unknown key.
pub(super) fn kind_of(keys: Keys, key: &str) -> Option<ValueKind> {
    keys.iter().find(|(known, _)| *known == key).map(|(_, kind)| *kind)
}

/// The kind of a value, in a word for readers of YAML and JSON.
pub(super) fn value_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Checks one key of a structure at a place, and everything below.
fn check_key(place: &str, key: &str, value: &Value, keys: Keys, problems: &mut Vec<Problem>) {
    let path = child_path(place, key);
    match kind_of(keys, key) {
        Some(_) if value.is_null() && is_pair(keys) => {
            problems.push(Problem::new(path, null_in_pair(key)));
        }
        Some(_) if value.is_null() => {}
        Some(kind) => check_value(&path, value, kind, problems),
        None => {
            if let Some(meant) = misspelt_key(key, keys) {
                problems.push(Problem::new(path, format!("unknown key; did you mean `{meant}`?")));
            }
        }
    }
}

/// True for the keys of a pair: a name, and the value of a variable, secret, tag or setting.
fn is_pair(keys: Keys) -> bool {
    keys.iter().any(|(key, _)| matches!(*key, "value" | "valueFrom"))
}

/// The message for a part of a pair that is null. YAML reads an empty value, `~` and `#fff` as null.
fn null_in_pair(key: &str) -> String {
    let empty = if key == "value" { ", and write \"\" for an empty value" } else { "" };
    format!("must be text, found null; put text that begins with `#` in quotes{empty}")
}

/// The known key at most [`TYPO_DISTANCE`] letters from an unknown key, ignoring case.
fn misspelt_key(key: &str, keys: Keys) -> Option<&'static str> {
    keys.iter()
        .filter_map(|(known, _)| Some((edit_distance(key, known, TYPO_DISTANCE)?, *known)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Checks a value against a kind, and everything below.
fn check_value(path: &str, value: &Value, kind: ValueKind, problems: &mut Vec<Problem>) {
    let mut refuse = |what: String| problems.push(Problem::new(path_or_top(path), what));
    match (kind, value) {
        (ValueKind::Text | ValueKind::Word, Value::String(_)) | (ValueKind::Boolean, Value::Bool(_)) => {}
        (ValueKind::Integer, Value::Number(number)) if !number.is_f64() => {}
        (ValueKind::Text | ValueKind::Word, other) => refuse(not_text(path, other)),
        (ValueKind::Integer, other) => refuse(not_integer(other)),
        (ValueKind::Boolean, other) => refuse(not_boolean(other)),
        (ValueKind::List(kind), Value::Array(items)) => {
            for (i, item) in items.iter().enumerate() {
                check_value(&format!("{path}[{i}]"), item, *kind, problems);
            }
        }
        (ValueKind::Struct(keys), Value::Object(object)) => {
            object.iter().for_each(|(key, value)| check_key(path, key, value, keys, problems));
        }
        (ValueKind::Map, Value::Object(object)) => {
            for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                check_value(&child_path(path, key), value, ValueKind::Text, problems);
            }
        }
        (ValueKind::List(_), other) => refuse(format!("must be a list, found {}", value_kind(other))),
        (ValueKind::Struct(_) | ValueKind::Map, other) => {
            refuse(format!("must be an object, found {}", value_kind(other)))
        }
    }
}

/// The message if text is expected. The message shows the value only for the task's size, which is no secret.
fn not_text(path: &str, value: &Value) -> String {
    let what = format!("must be text, found {}", value_kind(value));
    match value {
        Value::Number(number) if matches!(path, "cpu" | "memory") => {
            format!("{what}; write the task's {path} in quotes: \"{number}\"")
        }
        Value::Number(_) | Value::Bool(_) => format!("{what}; put the value in quotes"),
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => what,
    }
}

/// The message if a whole number is expected.
fn not_integer(value: &Value) -> String {
    match value {
        Value::Number(_) => "must be a whole number, found a fraction".to_owned(),
        Value::String(text) if text.parse::<i64>().is_ok() => {
            "must be a whole number, found text; remove the quotes".to_owned()
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            format!("must be a whole number, found {}", value_kind(value))
        }
    }
}

/// The message if a boolean is expected. YAML 1.2 reads `yes` and `on` as text.
fn not_boolean(value: &Value) -> String {
    let what = format!("must be true or false, found {}", value_kind(value));
    let meant = value.as_str().and_then(|text| match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" | "true" => Some("true"),
        "no" | "off" | "n" | "false" => Some("false"),
        _ => None,
    });
    meant.map(|meant| format!("{what}; write {meant} without quotes")).unwrap_or(what)
}

#[cfg(test)]
mod sdk_tests;
#[cfg(test)]
mod tests;
