//! The definition to deploy: the base with the run's images, environment and secrets. No problem reported here holds a
//! value.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::content::Content;
use super::facts::{container_names, missing_container};
use super::schema::value_kind;
use crate::plan::problem::Problem;

/// A container's name, if one is given, and its image.
pub(crate) type Image = (Option<String>, String);
/// A container's name, if given; the name of a variable; its value, or `None` to remove the variable. The value of a
/// secret is the ARN or name that ECS reads.
pub(crate) type Variable = (Option<String>, String, Option<String>);

/// A run's changes to the base definition.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    /// Images per container.
    pub(crate) images: Vec<Image>,
    /// Environment variables to set or remove.
    pub(crate) environment: Vec<Variable>,
    /// Secrets to set or remove.
    pub(crate) secrets: Vec<Variable>,
    /// The container that the service's load balancer names: the default if a change names no container.
    pub(crate) load_balanced_container: Option<String>,
}

/// One of the two lists that hold a container's variables.
#[derive(Clone, Copy)]
struct Variables {
    /// The key of the list in a container definition, and the name of the input.
    list: &'static str,
    /// The key of the value in an entry.
    value: &'static str,
}

/// Values in the open: KeyValuePair.
const ENVIRONMENT: Variables = Variables { list: "environment", value: "value" };
/// Values read by ECS from Secrets Manager or SSM: Secret.
const SECRETS: Variables = Variables { list: "secrets", value: "valueFrom" };

/// Most tags that a resource may have (API_Tag).
const MAX_TAGS: usize = 50;
/// Longest value of a tag, in characters (API_Tag).
const MAX_TAG_VALUE: usize = 256;

/// The base with the changes, or every problem. AWS refuses a name in both lists, so a name set in one list leaves the
/// other.
pub(crate) fn build_content(base: Content, changes: &Changes) -> Result<Content, Vec<Problem>> {
    let mut content = base;
    let mut problems = set_images(&mut content, changes);
    let mut set = HashSet::new();
    for (kind, other, variables) in
        [(ENVIRONMENT, SECRETS, &changes.environment), (SECRETS, ENVIRONMENT, &changes.secrets)]
    {
        let mut seen = HashSet::new();
        for (container, name, value) in variables {
            let changed = target_container(&content, changes, container.as_deref()).and_then(|container| {
                let once = (container.clone(), name.clone());
                if !seen.insert(once.clone()) {
                    return Err(format!("`{name}` is given twice for the container `{container}`"));
                }
                if value.is_some() && !set.insert(once) {
                    return Err(format!(
                        "`{name}` of the container `{container}` is in the input environment, too"
                    ));
                }
                set_variable(&mut content, &container, (kind, other), (name, value.as_deref()))
            });
            problems.extend(changed.err().map(|what| Problem::new(input_place(kind.list), what)));
        }
    }
    if problems.is_empty() { Ok(content) } else { Err(problems) }
}

/// Adds tags to the revision, for display. A tag replaces the tag with the same key. Characters that AWS does not take
/// in a value become `_` (API_Tag), a long value is cut, and a tag after the fiftieth is left out: no tag may make a
/// deployment fail.
pub(crate) fn add_tags(content: &mut Content, tags: &[(&'static str, String)]) {
    let list = content.object_mut().entry("tags").or_insert_with(|| json!([]));
    if list.is_null() {
        *list = json!([]);
    }
    let Some(list) = list.as_array_mut() else { return };
    for (key, value) in tags {
        let value: String = value.chars().take(MAX_TAG_VALUE).map(tag_character).collect();
        let tag = json!({"key": key, "value": value});
        match list.iter().position(|other| other["key"] == **key) {
            Some(place) => list[place] = tag,
            None if list.len() < MAX_TAGS => list.push(tag),
            None => {}
        }
    }
    // AWS refuses an empty list ("Tags can not be empty").
    if list.is_empty() {
        content.object_mut().shift_remove("tags");
    }
}

/// The character itself, or `_` if a tag can't hold the character.
fn tag_character(c: char) -> char {
    if c.is_alphanumeric() || " +-=._:/@".contains(c) { c } else { '_' }
}

/// Writes the images. Returns the problems.
fn set_images(content: &mut Content, changes: &Changes) -> Vec<Problem> {
    let mut seen = HashSet::new();
    let mut problems = Vec::new();
    for (container, image) in &changes.images {
        match target_container(content, changes, container.as_deref()) {
            Ok(name) if !seen.insert(name.clone()) => {
                problems.push(Problem::new(
                    input_place("image"),
                    format!("the container `{name}` is given two images"),
                ));
            }
            Ok(name) => {
                if let Some(container) = content.container_mut(&name) {
                    container.insert("image".to_owned(), Value::String(image.clone()));
                }
            }
            Err(what) => problems.push(Problem::new(input_place("image"), what)),
        }
    }
    problems
}

/// The place of a problem with an input.
fn input_place(name: &str) -> String {
    format!("input {name}")
}

/// The container to change: the named container, else the load balancer's, else the only container.
fn target_container(content: &Content, changes: &Changes, named: Option<&str>) -> Result<String, String> {
    if let Some(name) = named {
        return match content.container(name) {
            Some(_) => Ok(name.to_owned()),
            None => Err(missing_container(content, name)),
        };
    }
    if let Some(name) = &changes.load_balanced_container {
        return match content.container(name) {
            Some(_) => Ok(name.clone()),
            None => Err(format!(
                "no container is named, so the load balancer's is meant, but {}",
                missing_container(content, name)
            )),
        };
    }
    match container_names(content).as_slice() {
        [] => Err("the task definition has no container".to_owned()),
        [only] => Ok((*only).to_owned()),
        several => {
            let list = several.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Err(format!(
                "no container is named, and the task definition has several: {list}; name the one you mean"
            ))
        }
    }
}

/// Sets a variable in one list and removes the variable from the other list, or only removes. The kinds are the list to
/// change and the other list.
fn set_variable(
    content: &mut Content,
    container: &str,
    (kind, other): (Variables, Variables),
    (name, value): (&str, Option<&str>),
) -> Result<(), String> {
    let Some(definition) = content.container_mut(container) else {
        return Err(missing_container(content, container));
    };
    match value {
        None => remove_variable(definition, kind, name),
        Some(value) => {
            put_variable(definition, kind, name, value).map_err(|found| {
                format!("{} of the container `{container}` must be a list, found {found}", kind.list)
            })?;
            remove_variable(definition, other, name);
        }
    }
    Ok(())
}

/// Writes a value into the entry of this name, or into a new last entry. Of several entries with this name, the first
/// stays.
fn put_variable(
    container: &mut Map<String, Value>,
    kind: Variables,
    name: &str,
    value: &str,
) -> Result<(), &'static str> {
    let list = container.entry(kind.list).or_insert(Value::Null);
    if list.is_null() {
        *list = json!([]);
    }
    let wrong = value_kind(list);
    let Some(list) = list.as_array_mut() else { return Err(wrong) };
    let mut written = false;
    list.retain_mut(|entry| {
        if entry["name"].as_str() != Some(name) {
            return true;
        }
        if !written && let Some(entry) = entry.as_object_mut() {
            entry.insert(kind.value.to_owned(), Value::String(value.to_owned()));
            written = true;
            return true;
        }
        false
    });
    if !written {
        list.push(json!({"name": name, kind.value: value}));
    }
    Ok(())
}

/// Removes every entry of this name.
fn remove_variable(container: &mut Map<String, Value>, kind: Variables, name: &str) {
    if let Some(list) = container.get_mut(kind.list).and_then(Value::as_array_mut) {
        list.retain(|entry| entry["name"].as_str() != Some(name));
    }
}

#[cfg(test)]
mod tests;
