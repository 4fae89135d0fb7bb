//! Tags of alarms.

use serde_json::{Value, json};

use super::CloudWatch;
use super::input::{list, required, text, texts};
use crate::wire::ApiError;

/// Reads `Tags`.
pub(super) fn read(input: &Value) -> Result<Vec<(String, String)>, ApiError> {
    let tags = list(input, "Tags")?.map(Vec::as_slice).unwrap_or_default();
    let pair = |tag: &Value| {
        Ok((required(tag, "Key", 128)?.to_owned(), text(tag, "Value")?.unwrap_or_default().to_owned()))
    };
    tags.iter().map(pair).collect()
}

/// The tags of the alarm that `ResourceARN` names.
fn of<'a>(watch: &'a mut CloudWatch, input: &Value) -> Result<&'a mut Vec<(String, String)>, ApiError> {
    let arn = required(input, "ResourceARN", 1024)?;
    let found = watch.alarms.iter_mut().find(|alarm| alarm.arn == arn);
    let unknown = || ApiError::with_status("ResourceNotFoundException", format!("{arn} does not exist"), 404);
    found.map(|alarm| &mut alarm.tags).ok_or_else(unknown)
}

/// TagResource: adds tags, and replaces tags with the same key.
pub(super) fn tag(watch: &mut CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let new = read(input)?;
    let tags = of(watch, input)?;
    tags.retain(|(key, _)| new.iter().all(|(other, _)| other != key));
    tags.extend(new);
    Ok(json!({}))
}

/// UntagResource.
pub(super) fn untag(watch: &mut CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let keys = texts(input, "TagKeys", 50)?;
    of(watch, input)?.retain(|(key, _)| !keys.contains(key));
    Ok(json!({}))
}

/// ListTagsForResource.
pub(super) fn list_tags(watch: &mut CloudWatch, input: &Value) -> Result<Value, ApiError> {
    let tags = of(watch, input)?.iter();
    let tags: Vec<Value> = tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}
