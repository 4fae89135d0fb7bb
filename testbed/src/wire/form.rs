//! The Query protocol for a service that speaks typed protocols too: CloudWatch, whose alarms older clients write as a
//! form. Every leaf of a form is a text; a member's name says its type, as CloudWatch's model has it.

use super::time::iso8601;
use serde_json::{Map, Value, json};
use std::time::{Duration, UNIX_EPOCH};

/// Whole numbers.
const NUMBERS: [&str; 6] = [
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "MaxRecords",
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
];
/// Numbers that may have a fraction.
const DOUBLES: [&str; 1] = ["Threshold"];
/// `true` or `false`.
const FLAGS: [&str; 2] = ["ActionsEnabled", "ReturnData"];
/// Lists, which clients send as `Name=` when they are empty.
const LISTS: [&str; 10] = [
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "Dimensions",
    "Tags",
    "TagKeys",
    "Metrics",
    "AlarmNames",
    "AlarmTypes",
    "MetricData",
];

/// Operations whose model has no output.
const WITHOUT_OUTPUT: [&str; 7] = [
    "PutMetricAlarm",
    "PutCompositeAlarm",
    "DeleteAlarms",
    "EnableAlarmActions",
    "DisableAlarmActions",
    "SetAlarmState",
    "PutMetricData",
];

/// Whether an operation answers without a result.
pub(super) fn has_no_output(operation: &str) -> bool {
    WITHOUT_OUTPUT.contains(&operation)
}

/// A form's tree with types. A leaf that can't be read stays a text, which the service then refuses.
pub(super) fn typed(tree: Value) -> Value {
    match tree {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name.clone(), leaf(&name, typed(value))))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(typed).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => tree,
    }
}

/// A member with the type that its name says.
fn leaf(name: &str, value: Value) -> Value {
    let Some(text) = value.as_str() else { return value };
    let read = if NUMBERS.contains(&name) {
        text.parse::<i64>().ok().map(Value::from)
    } else if DOUBLES.contains(&name) {
        text.parse::<f64>().ok().map(Value::from)
    } else if FLAGS.contains(&name) {
        text.parse::<bool>().ok().map(Value::from)
    } else {
        (LISTS.contains(&name) && text.is_empty()).then(|| json!([]))
    };
    read.unwrap_or(value)
}

/// An answer whose times, seconds since 1970, are dates as XML has them.
pub(super) fn dated(output: &Value) -> Value {
    match output {
        Value::Object(fields) => {
            let named = fields.iter().map(|(name, value)| match value.as_f64() {
                Some(seconds) if name.ends_with("Timestamp") => (name.clone(), date(seconds)),
                Some(_) | None => (name.clone(), dated(value)),
            });
            named.collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(dated).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => output.clone(),
    }
}

/// A date.
fn date(seconds: f64) -> Value {
    json!(iso8601(UNIX_EPOCH + Duration::try_from_secs_f64(seconds).unwrap_or_default()))
}
