//! Tags of scalable targets.

use super::input::{invalid, required, texts};
use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Value, json};

/// Most tags on one scalable target.
const MOST: usize = 50;

/// Reads a map of tags, which may be missing.
pub(super) fn read(tags: &Value) -> Result<Vec<(String, String)>, ApiError> {
    let pairs: Vec<(String, String)> = (tags.as_object().into_iter().flatten())
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect();
    check(&pairs)?;
    Ok(pairs)
}

/// `TooManyTagsException` beyond AWS's limit.
fn check(tags: &[(String, String)]) -> Result<(), ApiError> {
    if tags.len() > MOST {
        let text = format!("The number of tags exceeds the maximum of {MOST}");
        return Err(ApiError::new("TooManyTagsException", text));
    }
    Ok(())
}

/// The tags of the target named by ARN in a call.
fn tags_of<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Vec<(String, String)>, ApiError> {
    let arn = required(input, "ResourceARN")?;
    let found = world.autoscaling.targets.iter_mut().find(|target| target.arn == arn);
    found.map(|target| &mut target.tags).ok_or_else(|| {
        ApiError::new("ResourceNotFoundException", format!("The resource doesn't exist: {arn}"))
    })
}

/// `TagResource`: overwrites existing keys.
pub(super) fn tag(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let new = read(&input["Tags"])?;
    let known = tags_of(world, input)?;
    let mut all = known.clone();
    all.retain(|(key, _)| new.iter().all(|(other, _)| other != key));
    all.extend(new);
    check(&all)?;
    *known = all;
    Ok(json!({}))
}

/// `UntagResource`: a missing key is no error.
pub(super) fn untag(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let keys = texts(input, "TagKeys").ok_or_else(|| invalid("Tag keys must be provided"))?;
    tags_of(world, input)?.retain(|(key, _)| !keys.contains(&key.as_str()));
    Ok(json!({}))
}

/// `ListTagsForResource`.
pub(super) fn list(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let tags = tags_of(world, input)?.iter().map(|(key, value)| (key.clone(), json!(value)));
    Ok(json!({ "Tags": Value::Object(tags.collect()) }))
}
