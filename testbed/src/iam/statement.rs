//! Statements of IAM policies.

use super::needs::Need;
use serde_json::{Map, Value};

/// The evaluated condition operators.
const OPERATORS: [&str; 5] = ["ArnEquals", "ArnLike", "Bool", "StringEquals", "StringLike"];

/// The evaluated elements of a statement.
const ELEMENTS: [&str; 5] = ["Sid", "Effect", "Action", "Resource", "Condition"];

/// One statement of a policy; its effect is `Allow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The name; may be empty.
    pub sid: String,
    /// The patterns of the actions.
    pub actions: Vec<String>,
    /// The patterns of the resources.
    pub resources: Vec<String>,
    /// Operators, condition keys and values, one of which is enough.
    pub conditions: Vec<(String, String, Vec<String>)>,
}

impl Statement {
    /// Reads a statement.
    ///
    /// # Errors For a statement that does not allow, and for elements and conditions that are not evaluated.
    pub fn read(from: &Value) -> Result<Self, String> {
        let object = from.as_object().ok_or("a statement must be an object")?;
        if let Some(odd) = object.keys().find(|key| !ELEMENTS.contains(&key.as_str())) {
            return Err(format!("`{odd}` is not evaluated"));
        }
        if from["Effect"] != "Allow" {
            return Err("only statements with the effect `Allow` are evaluated".to_owned());
        }
        Ok(Self {
            sid: from["Sid"].as_str().unwrap_or_default().to_owned(),
            actions: required(from, "Action")?,
            resources: required(from, "Resource")?,
            conditions: conditions(&from["Condition"])?,
        })
    }

    /// True if the statement allows this action on this resource.
    pub fn allows(&self, need: &Need) -> bool {
        // IAM compares actions case-insensitively.
        let action = need.action.to_ascii_lowercase();
        self.actions.iter().any(|pattern| fits(&pattern.to_ascii_lowercase(), &action))
            && self.resources.iter().any(|pattern| fits(pattern, &need.resource))
            && self.conditions.iter().all(|condition| holds(condition, need))
    }

    /// True if the statement allows everything that another statement allows.
    pub fn covers(&self, other: &Statement) -> bool {
        let all = |own: &[String], theirs: &[String]| {
            theirs.iter().all(|text| own.iter().any(|pattern| fits(pattern, text)))
        };
        all(&self.actions, &other.actions)
            && all(&self.resources, &other.resources)
            && self.conditions.iter().all(|condition| other.conditions.contains(condition))
    }
}

/// True if the call sends the condition's key with one of the condition's values. Values of `ArnEquals` and of the `Like`
/// operators are patterns.
fn holds((operator, key, values): &(String, String, Vec<String>), need: &Need) -> bool {
    need.context.as_ref().is_some_and(|(sent, found)| {
        let pattern = operator.starts_with("Arn") || operator.ends_with("Like");
        let one = |value: &String| if pattern { fits(value, found) } else { found == value };
        sent == key && values.iter().any(one)
    })
}

/// The conditions of a statement.
fn conditions(from: &Value) -> Result<Vec<(String, String, Vec<String>)>, String> {
    let mut all = Vec::new();
    for (operator, pairs) in from.as_object().unwrap_or(&Map::new()) {
        if !OPERATORS.contains(&operator.as_str()) {
            return Err(format!("the condition operator `{operator}` is not evaluated"));
        }
        for (key, value) in pairs.as_object().unwrap_or(&Map::new()) {
            let values = texts(value);
            if values.is_empty() {
                return Err(format!("the condition `{key}` must have a text"));
            }
            all.push((operator.clone(), key.clone(), values));
        }
    }
    Ok(all)
}

/// A required element with at least one text.
fn required(from: &Value, element: &str) -> Result<Vec<String>, String> {
    let all = texts(&from[element]);
    if all.is_empty() { Err(format!("a statement needs `{element}`")) } else { Ok(all) }
}

/// The texts of a text or of a list of texts.
pub fn texts(value: &Value) -> Vec<String> {
    let one = value.as_str().map(str::to_owned);
    let list = value.as_array().into_iter().flatten().filter_map(|item| item.as_str().map(str::to_owned));
    one.into_iter().chain(list).collect()
}

/// True if a text matches an IAM pattern: `*` is any text and `?` any character.
fn fits(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| fits(rest.as_str(), &text[at..]))
        }
        Some(wanted) => {
            let mut found = text.chars();
            found.next().is_some_and(|one| wanted == '?' || wanted == one)
                && fits(rest.as_str(), found.as_str())
        }
    }
}
