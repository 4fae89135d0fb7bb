//! Repositories: making and deleting them, their tags, and their lifecycle policies.

use super::repository;
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Value, json};
use std::time::SystemTime;

/// One repository.
#[derive(Debug)]
pub(super) struct Repository {
    /// Its name, such as `shop/web`.
    pub(super) name: String,
    /// When it was made.
    created: SystemTime,
    /// `imageTagMutability`: `MUTABLE` or `IMMUTABLE`.
    mutability: String,
    /// `scanOnPush`.
    scan: bool,
    /// Its tags, as sent.
    tags: Vec<Value>,
    /// The text of its lifecycle policy. Nothing expires here.
    lifecycle: Option<String>,
}

impl Repository {
    /// A repository as AWS makes it when nothing else is said.
    pub(super) fn new(name: &str) -> Self {
        let mutability = "MUTABLE".to_owned();
        let created = crate::clock::wall();
        Self { name: name.to_owned(), created, mutability, scan: false, tags: Vec::new(), lifecycle: None }
    }

    /// Whether a tag stays on the image that has it.
    pub(super) fn is_immutable(&self) -> bool {
        self.mutability == "IMMUTABLE"
    }
}

/// `CreateRepository`.
pub(super) fn create(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = input["repositoryName"].as_str().unwrap_or_default();
    if world.ecr.has_repository(name) {
        let text = format!(
            "The repository with name '{name}' already exists in the registry with id '{}'",
            world.account
        );
        return Err(ApiError::new("RepositoryAlreadyExistsException", text));
    }
    let mut made = Repository::new(name);
    made.scan = input["imageScanningConfiguration"]["scanOnPush"].as_bool().unwrap_or(false);
    made.tags = input["tags"].as_array().cloned().unwrap_or_default();
    if let Some(mutability) = input["imageTagMutability"].as_str() {
        made.mutability = mutability.to_owned();
    }
    let answer = describe_one(world, &made);
    world.ecr.repositories.push(made);
    Ok(json!({ "repository": answer }))
}

/// `DescribeRepositories`: all, or those named.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let mut found = Vec::new();
    match input["repositoryNames"].as_array() {
        None => found.extend(world.ecr.repositories.iter().map(|one| describe_one(world, one))),
        Some(names) => {
            for name in names.iter().filter_map(Value::as_str) {
                let known = world.ecr.repositories.iter().find(|one| one.name == name);
                found.push(describe_one(world, known.ok_or_else(|| super::no_repository(world, name))?));
            }
        }
    }
    Ok(json!({ "repositories": found }))
}

/// `DeleteRepository`; one that holds images goes only with `force`.
pub(super) fn delete(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = repository(world, input)?;
    let is_empty = world.ecr.images.iter().all(|image| image.repository != name);
    if !is_empty && input["force"] != json!(true) {
        let text = format!(
            "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains \
             images",
            world.account
        );
        return Err(ApiError::new("RepositoryNotEmptyException", text));
    }
    let answer = named(world, name).map(|one| describe_one(world, one));
    world.ecr.images.retain(|image| image.repository != name);
    world.ecr.repositories.retain(|one| one.name != name);
    Ok(json!({ "repository": answer }))
}

/// The repository of a name.
fn named<'a>(world: &'a World, name: &str) -> Option<&'a Repository> {
    world.ecr.repositories.iter().find(|one| one.name == name)
}

/// A repository as AWS describes it.
fn describe_one(world: &World, one: &Repository) -> Value {
    json!({
        "repositoryArn": world.arn("ecr", &format!("repository/{}", one.name)),
        "registryId": world.account,
        "repositoryName": one.name,
        "repositoryUri": format!("{}/{}", world.registry(), one.name),
        "createdAt": epoch(one.created),
        "imageTagMutability": one.mutability,
        "imageScanningConfiguration": { "scanOnPush": one.scan },
        "encryptionConfiguration": { "encryptionType": "AES256" },
    })
}

/// The tags of the repository that a call names by its ARN.
fn tags_of<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Vec<Value>, ApiError> {
    let prefix = world.arn("ecr", "repository/");
    let name = input["resourceArn"].as_str().and_then(|arn| arn.strip_prefix(&prefix));
    let invalid = ApiError::new("InvalidParameterException", "Invalid parameter at 'resourceArn'");
    let name = name.ok_or(invalid)?;
    let missing = super::no_repository(world, name);
    let found = world.ecr.repositories.iter_mut().find(|one| one.name == name);
    found.map(|one| &mut one.tags).ok_or(missing)
}

/// `ListTagsForResource`.
pub(super) fn list_tags(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({ "tags": tags_of(world, input)? }))
}

/// `TagResource`: adds tags, and replaces those with the same key.
pub(super) fn tag(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let tags = tags_of(world, input)?;
    for tag in input["tags"].as_array().into_iter().flatten() {
        tags.retain(|other| other["Key"] != tag["Key"]);
        tags.push(tag.clone());
    }
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn untag(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let keys = input["tagKeys"].as_array().cloned().unwrap_or_default();
    tags_of(world, input)?.retain(|tag| !keys.contains(&tag["Key"]));
    Ok(json!({}))
}

/// The place of the lifecycle policy of the repository that a call names.
fn lifecycle<'a>(world: &'a mut World, input: &Value) -> Result<&'a mut Option<String>, ApiError> {
    let name = repository(world, input)?;
    let missing = super::no_repository(world, name);
    let found = world.ecr.repositories.iter_mut().find(|one| one.name == name);
    found.map(|one| &mut one.lifecycle).ok_or(missing)
}

/// A lifecycle policy as AWS answers it.
fn lifecycle_json(world: &World, input: &Value, text: &str) -> Value {
    json!({ "registryId": world.account, "repositoryName": input["repositoryName"], "lifecyclePolicyText": text })
}

/// `PutLifecyclePolicy`: the text must be JSON with rules.
pub(super) fn put_lifecycle(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let text = input["lifecyclePolicyText"].as_str().unwrap_or_default().to_owned();
    let policy: Option<Value> = serde_json::from_str(&text).ok();
    if policy.is_none_or(|policy| policy["rules"].as_array().is_none_or(Vec::is_empty)) {
        let text = "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation \
                    failure: string must have at least one rule'";
        return Err(ApiError::new("InvalidParameterException", text));
    }
    *lifecycle(world, input)? = Some(text.clone());
    Ok(lifecycle_json(world, input, &text))
}

/// The error for a repository without a lifecycle policy.
fn no_lifecycle(world: &World, input: &Value) -> ApiError {
    let name = input["repositoryName"].as_str().unwrap_or_default();
    let text = format!(
        "Lifecycle policy does not exist for the repository with name '{name}' in the registry with id '{}'",
        world.account
    );
    ApiError::new("LifecyclePolicyNotFoundException", text)
}

/// `GetLifecyclePolicy`.
pub(super) fn get_lifecycle(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let text = lifecycle(world, input)?.clone();
    text.map(|text| lifecycle_json(world, input, &text)).ok_or_else(|| no_lifecycle(world, input))
}

/// `DeleteLifecyclePolicy`.
pub(super) fn delete_lifecycle(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let text = lifecycle(world, input)?.take();
    text.map(|text| lifecycle_json(world, input, &text)).ok_or_else(|| no_lifecycle(world, input))
}
