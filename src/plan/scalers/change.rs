//! How what AWS holds differs from what is wanted, field by field.

use std::collections::BTreeMap;

use serde_json::Value;

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// `Threshold`, `StepAdjustments[0].ScalingAdjustment`, `Metrics[cpu].MetricStat.Period`.
    pub(crate) path: String,
    /// What AWS holds; none where it holds nothing.
    pub(crate) before: Option<String>,
    /// What is wanted; none where it goes.
    pub(crate) after: Option<String>,
}

/// Every field that differs, by path. Nothing, an empty text and an empty list mean the same, numbers go by their value,
/// and lists whose entries have a name or an id go by these.
pub(crate) fn differences(observed: &Value, wanted: &Value) -> Vec<Change> {
    let (before, after) = (flat(observed), flat(wanted));
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| Change {
            path: path.clone(),
            before: before.get(path).cloned(),
            after: after.get(path).cloned(),
        })
        .collect()
}

/// The leaves of a value by their paths.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    collect(value, String::new(), &mut leaves);
    leaves
}

/// Adds the leaves below a path.
fn collect(value: &Value, path: String, leaves: &mut BTreeMap<String, String>) {
    let leaf = match value {
        Value::Null => return,
        Value::Object(fields) => {
            let dot = if path.is_empty() { "" } else { "." };
            return fields
                .iter()
                .for_each(|(key, field)| collect(field, format!("{path}{dot}{key}"), leaves));
        }
        Value::Array(entries) => {
            let each = entries.iter().enumerate();
            return each
                .for_each(|(at, entry)| collect(entry, format!("{path}[{}]", key(at, entry)), leaves));
        }
        Value::String(text) if text.is_empty() => return,
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => {
            number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string())
        }
    };
    leaves.insert(path, leaf);
}

/// What an entry of a list is known by: its id, its name, or its place.
fn key(at: usize, entry: &Value) -> String {
    let named = ["Id", "Name"].iter().find_map(|key| entry.get(key)?.as_str());
    named.map_or_else(|| at.to_string(), str::to_owned)
}
