//! Tags of clusters, services, task definitions and tasks.

use super::input::{invalid, required, texts};
use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Value, json};

/// The tags of the resource in a call.
fn of<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Vec<Value>, ApiError> {
    let arn = required(input, "resourceArn")?;
    let ecs = &mut world.ecs;
    let clusters = ecs.clusters.iter_mut().map(|one| (&one.arn, &mut one.tags));
    let services = ecs.services.iter_mut().map(|one| (&one.arn, &mut one.tags));
    let definitions = ecs.definitions.iter_mut().map(|one| (&one.arn, &mut one.tags));
    let tasks = ecs.tasks.iter_mut().map(|one| (&one.arn, &mut one.tags));
    let mut all = clusters.chain(services).chain(definitions).chain(tasks);
    let found = all.find(|(other, _)| *other == arn).map(|(_, tags)| tags);
    found.ok_or_else(|| invalid("The specified resource does not exist."))
}

/// `TagResource`: adds tags, and replaces tags with the same key.
pub(super) fn tag(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let tags = of(world, input)?;
    for tag in input["tags"].as_array().into_iter().flatten() {
        tags.retain(|other| other["key"] != tag["key"]);
        tags.push(tag.clone());
    }
    if tags.len() > 50 {
        tags.truncate(50);
        return Err(invalid("The maximum number of tags that can be applied to a resource is 50."));
    }
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn untag(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let keys = texts(input, "tagKeys");
    of(world, input)?.retain(|tag| !keys.iter().any(|key| tag["key"] == *key));
    Ok(json!({}))
}

/// `ListTagsForResource`.
pub(super) fn list(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({ "tags": of(world, input)? }))
}
