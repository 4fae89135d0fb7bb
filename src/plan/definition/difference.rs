//! Where two definitions differ, for people. Values that may hold a secret are never shown.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use super::content::Content;
use super::image;
use super::normal::{default, identity, normal};
use super::schema::keys::{Keys, TASK_DEFINITION};
use super::schema::{Kind, kind_of};

/// Lists whose elements are told by their name alone: what else they hold is a value.
const NAME_ONLY: [&str; 4] = ["environment", "secrets", "secretOptions", "properties"];

/// A side of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A number, a word of AWS's, or an image without its account id.
    Text(String),
    /// There is a value, and it is never shown: it may be a secret, or is too large to be of use.
    Hidden,
}

/// The text, or `(hidden)`.
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Text(text) => f.write_str(text),
            Shown::Hidden => f.write_str("(hidden)"),
        }
    }
}

/// One difference between two definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Where, with names in place of indices: `containerDefinitions[web].environment[LOG_LEVEL]`.
    pub(crate) path: String,
    /// What was there; `None` if nothing.
    pub(crate) before: Option<Shown>,
    /// What is there; `None` if nothing.
    pub(crate) after: Option<Shown>,
}

/// `cpu: 256 → 512`, `containerDefinitions[web].environment[LOG_LEVEL]: (changed)`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match (&self.before, &self.after) {
            (Some(Shown::Text(before)), Some(Shown::Text(after))) => write!(f, "{before} → {after}"),
            (None, Some(Shown::Text(after))) => write!(f, "(none) → {after}"),
            (Some(Shown::Text(before)), None) => write!(f, "{before} → (none)"),
            (None, Some(Shown::Hidden)) => f.write_str("(added)"),
            (Some(Shown::Hidden), None) => f.write_str("(removed)"),
            (Some(_), Some(_)) | (None, None) => f.write_str("(changed)"),
        }
    }
}

/// What differs from `before` to `after`, after AWS's defaults and ordering; empty when both have the same
/// content.
pub(crate) fn difference(before: &Content, after: &Content) -> Vec<Change> {
    let mut changes = Vec::new();
    structures(("", ""), &normal(before), &normal(after), TASK_DEFINITION, &mut changes);
    changes
}

/// Compares two structures. The first argument is their path, and the key under which they stand.
fn structures(
    (path, parent): (&str, &str),
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    keys: Keys,
    changes: &mut Vec<Change>,
) {
    let added = after.keys().filter(|key| !before.contains_key(*key));
    for key in before.keys().chain(added) {
        let (old, new) = (before.get(key), after.get(key));
        if old == new {
            continue;
        }
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (kind_of(keys, key), old, new) {
            (Some(Kind::Struct(keys)), Some(Value::Object(old)), Some(Value::Object(new))) => {
                structures((&path, key), old, new, keys, changes);
            }
            (Some(Kind::List(Kind::Struct(keys))), old, new) if is_list(old) && is_list(new) => {
                elements((&path, key), items(old), items(new), keys, changes);
            }
            (kind, old, new) => {
                let assumed = default(parent, key).map(|default| default.value());
                let side = |value: Option<&Value>| Some(shown(kind, value.or(assumed.as_ref())?));
                changes.push(change(path, side(old), side(new)));
            }
        }
    }
}

/// Compares two lists of structures: by name where their elements have one of their own, else by place.
fn elements((path, list): (&str, &str), old: &[Value], new: &[Value], keys: Keys, changes: &mut Vec<Change>) {
    let by_name = names(list, old).zip(names(list, new));
    let (old_names, new_names) = by_name.unwrap_or_else(|| (indices(old), indices(new)));
    let find = |names: &[String], items: &'_ [Value], name: &String| {
        names.iter().position(|other| other == name).and_then(|i| items.get(i).cloned())
    };
    let added = new_names.iter().filter(|name| !old_names.contains(name));
    for name in old_names.iter().chain(added) {
        let (old, new) = (find(&old_names, old, name), find(&new_names, new, name));
        if old == new {
            continue;
        }
        let path = format!("{path}[{name}]");
        match (&old, &new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) if !NAME_ONLY.contains(&list) => {
                structures((&path, list), old, new, keys, changes);
            }
            (old, new) => changes.push(change(path, element(old.as_ref()), element(new.as_ref()))),
        }
    }
}

/// A change whose sides, if they read the same, are not shown: they differ in what was left out of an image.
fn change(path: String, before: Option<Shown>, after: Option<Shown>) -> Change {
    if before == after {
        return Change { path, before: Some(Shown::Hidden), after: Some(Shown::Hidden) };
    }
    Change { path, before, after }
}

/// A whole element that was added or removed: a container is told by its image.
fn element(element: Option<&Value>) -> Option<Shown> {
    let image = element?["image"].as_str();
    Some(image.map_or(Shown::Hidden, |text| Shown::Text(image::short(text))))
}

/// A value as it may be shown: only of kinds that hold no secret, and an image without its account id.
fn shown(kind: Option<Kind>, value: &Value) -> Shown {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let text = match (kind, value) {
        (Some(Kind::Word), Value::String(text)) => Some(image::short(text)),
        (Some(Kind::Integer), Value::Number(number)) => Some(number.to_string()),
        (Some(Kind::Boolean), Value::Bool(value)) => Some(value.to_string()),
        (Some(Kind::List(Kind::Word)), Value::Array(items)) => {
            items.iter().map(word).collect::<Option<Vec<_>>>().map(|words| words.join(", "))
        }
        (Some(_) | None, _) => None,
    };
    text.map_or(Shown::Hidden, Shown::Text)
}

/// Whether a value is a list or absent.
fn is_list(value: Option<&Value>) -> bool {
    value.is_none_or(Value::is_array)
}

/// The elements of a list that may be absent.
fn items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The name of each element, if each has one and no two have the same.
fn names(list: &str, items: &[Value]) -> Option<Vec<String>> {
    let names = items.iter().map(|item| identity(list, item)).collect::<Option<Vec<_>>>()?;
    let all_differ = names.iter().collect::<HashSet<_>>().len() == names.len();
    all_differ.then_some(names)
}

/// The index of each element, in place of a name.
fn indices(items: &[Value]) -> Vec<String> {
    (0..items.len()).map(|i| i.to_string()).collect()
}

#[cfg(test)]
mod tests;
