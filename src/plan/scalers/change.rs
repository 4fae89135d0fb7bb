//! Differences between AWS's content and the wanted content, field by field.

use std::collections::BTreeMap;

use serde_json::Value;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldChange {
    /// `Threshold`, `StepAdjustments[0].ScalingAdjustment`, `Metrics[cpu].MetricStat.Period`.
    pub(crate) path: String,
    /// AWS's value; none if AWS has no value.
    pub(crate) before: Option<String>,
    /// The wanted value; none if the field is removed.
    pub(crate) after: Option<String>,
}

/// Every field that differs, by path. An absent value, an empty text and an empty list are equal. Numbers are compared
/// by value. List entries are matched by name or id, if present. AWS's defaults count as absent, because AWS does not
/// document the stored form of a policy or an alarm.
pub(crate) fn field_differences(observed: &Value, wanted: &Value) -> Vec<FieldChange> {
    let (before, after) = (without_defaults(observed), without_defaults(wanted));
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    paths
        .into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| FieldChange {
            path: path.clone(),
            before: before.get(path).cloned(),
            after: after.get(path).cloned(),
        })
        .collect()
}

/// Fields without which a policy or an alarm does the same, by the last part of the path: texts, and what is the default.
const MAY_BE_LEFT_OUT: [&str; 3] = ["AlarmDescription", "Label", "MinAdjustmentMagnitude"];

/// True if AWS may store the wanted content in this form: with more fields, with a word in other letters, or without a
/// field that changes nothing. Other numbers, metrics, list entries or actions are another content.
pub(crate) fn is_other_form(observed: &Value, wanted: &Value) -> bool {
    let known = flatten_value(wanted);
    let entry = |path: &str| path.rfind(']').map_or(String::new(), |end| path[..=end].to_owned());
    let more =
        |path: &str| !path.contains("Actions") && known.keys().any(|known| known.starts_with(&entry(path)));
    field_differences(observed, wanted).iter().all(|change| match (&change.before, &change.after) {
        (Some(before), Some(after)) => before.eq_ignore_ascii_case(after),
        (None, _) => MAY_BE_LEFT_OUT.contains(&change.path.rsplit('.').next().unwrap_or_default()),
        (Some(_), None) => more(&change.path),
    })
}

/// Defaults by the last part of the path (API_StepScalingPolicyConfiguration, API_MetricDataQuery, API_PutMetricAlarm).
const DEFAULTS: [(&str, &str); 3] =
    [("MetricAggregationType", "Average"), ("ReturnData", "true"), ("Unit", "None")];

/// The leaves of a value that differ from AWS's defaults. Without `DatapointsToAlarm`, all evaluated periods count.
fn without_defaults(value: &Value) -> BTreeMap<String, String> {
    let mut leaves = flatten_value(value);
    if leaves.get("DatapointsToAlarm") == leaves.get("EvaluationPeriods") {
        leaves.remove("DatapointsToAlarm");
    }
    leaves.retain(|path, leaf| {
        let last = path.rsplit('.').next().unwrap_or_default();
        !DEFAULTS.contains(&(last, leaf.as_str()))
    });
    leaves
}

/// The leaves of a value by their paths.
fn flatten_value(value: &Value) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    collect_leaves(value, String::new(), &mut leaves);
    leaves
}

/// Adds the leaves below a path.
fn collect_leaves(value: &Value, path: String, leaves: &mut BTreeMap<String, String>) {
    let leaf = match value {
        Value::Null => return,
        Value::Object(fields) => {
            let dot = if path.is_empty() { "" } else { "." };
            return fields
                .iter()
                .for_each(|(key, field)| collect_leaves(field, format!("{path}{dot}{key}"), leaves));
        }
        Value::Array(entries) => {
            let each = entries.iter().enumerate();
            return each.for_each(|(at, entry)| {
                collect_leaves(entry, format!("{path}[{}]", entry_key(at, entry)), leaves)
            });
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

/// The key of a list entry: id, name, or position.
fn entry_key(at: usize, entry: &Value) -> String {
    let named = ["Id", "Name"].iter().find_map(|key| entry.get(key)?.as_str());
    named.map_or_else(|| at.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn invariant_40_a_default_that_aws_adds_or_leaves_out_is_no_difference() {
        for (one, other) in [
            (json!({ "MetricAggregationType": "Average", "Cooldown": 60 }), json!({ "Cooldown": 60.0 })),
            (json!({ "EvaluationPeriods": 2, "DatapointsToAlarm": 2 }), json!({ "EvaluationPeriods": 2 })),
            (
                json!({ "Metrics": [{ "Id": "larger", "ReturnData": true }] }),
                json!({ "Metrics": [{ "Id": "larger" }] }),
            ),
            (json!({ "OKActions": [], "Unit": "None" }), json!({})),
        ] {
            assert_eq!(
                (field_differences(&one, &other), field_differences(&other, &one)),
                (vec![], vec![]),
                "{one}"
            );
        }
        for (one, other) in [
            (json!({ "Cooldown": 60 }), json!({})),
            (json!({ "EvaluationPeriods": 3, "DatapointsToAlarm": 2 }), json!({ "EvaluationPeriods": 3 })),
            (json!({ "ActionsEnabled": false }), json!({ "ActionsEnabled": true })),
            (
                json!({ "Metrics": [{ "Id": "cpu", "ReturnData": false }] }),
                json!({ "Metrics": [{ "Id": "cpu" }] }),
            ),
        ] {
            assert!(
                !field_differences(&one, &other).is_empty() && !field_differences(&other, &one).is_empty(),
                "{one}"
            );
        }
    }
}
