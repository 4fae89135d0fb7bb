//! The shape of an answer: its fields and their kinds. A shape holds no values, so it is safe to share.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Fields with the user's own words as keys.
const OPEN: [&str; 6] = ["dockerLabels", "options", "driverOpts", "labels", "systemControls", "Values"];

/// The kinds of each field, by its path, such as `services[].deployments[].id`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape(pub(super) BTreeMap<String, BTreeSet<&'static str>>);

/// The differences between two shapes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    /// Fields of two kinds, with both.
    pub(super) kinds: Vec<String>,
    /// Fields of only the first.
    pub(super) first: Vec<String>,
    /// Fields of only the second.
    pub(super) second: Vec<String>,
}

impl Shape {
    /// Adds the fields of another answer.
    pub(super) fn add(&mut self, value: &Value) {
        self.walk(String::new(), value);
    }

    /// Adds a value at a path.
    fn walk(&mut self, path: String, value: &Value) {
        let kind = match value {
            // An empty element or a null does not show its kind.
            Value::Null => return,
            Value::Bool(_) => "truth value",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "map",
        };
        if !path.is_empty() {
            self.0.entry(path.clone()).or_default().insert(kind);
        }
        if OPEN.iter().any(|name| path.ends_with(name)) {
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.walk(format!("{path}[]"), item)),
            Value::Object(map) => {
                for (key, value) in map {
                    self.walk(if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The differences from another shape. A field below a missing field is not listed separately.
    pub(super) fn difference(&self, other: &Shape) -> Difference {
        let mut kinds = Vec::new();
        for (path, mine) in &self.0 {
            if let Some(theirs) = other.0.get(path).filter(|theirs| *theirs != mine) {
                kinds.push(format!("{path}: {} | {}", words(mine), words(theirs)));
            }
        }
        Difference { kinds, first: missing(&self.0, &other.0), second: missing(&other.0, &self.0) }
    }
}

/// The kinds, in words.
fn words(kinds: &BTreeSet<&'static str>) -> String {
    kinds.iter().copied().collect::<Vec<_>>().join(" or ")
}

/// The topmost paths of the first that are missing in the second.
fn missing<T>(first: &BTreeMap<String, T>, second: &BTreeMap<String, T>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for path in first.keys().filter(|path| !second.contains_key(*path)) {
        let below = |top: &String| {
            path.strip_prefix(top.as_str()).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('['))
        };
        if !found.iter().any(below) {
            found.push(path.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The shape of one value.
    fn shape(value: &Value) -> Shape {
        let mut shape = Shape::default();
        shape.add(value);
        shape
    }

    #[test]
    fn a_difference_names_kinds_and_the_topmost_missing_fields() {
        let first = shape(&json!({"a": [{"b": 1, "c": {"d": "x"}}], "n": null}));
        let second = shape(&json!({"a": [{"b": "1"}], "e": true}));
        let difference = first.difference(&second);
        assert_eq!(difference.kinds, ["a[].b: number | text"]);
        assert_eq!(difference.first, ["a[].c"]);
        assert_eq!(difference.second, ["e"]);
    }

    #[test]
    fn the_users_own_keys_and_all_values_stay_out() {
        let shape = shape(&json!({"dockerLabels": {"secret": "hunter2"}}));
        assert_eq!(shape.0.keys().collect::<Vec<_>>(), ["dockerLabels"]);
    }
}
