//! The differences between two definitions, for people. Values that may hold a secret are never shown.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

use super::content::Content;
use super::image;
use super::normal::{api_default, element_identity, normal_form};
use super::schema::keys::{Keys, TASK_DEFINITION};
use super::schema::{ValueKind, kind_of};

/// Lists whose elements appear by name alone, because the rest is a value.
const NAME_ONLY: [&str; 4] = ["environment", "secrets", "secretOptions", "properties"];

/// A side of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DisplayValue {
    /// A number, an AWS keyword, or an image without the account id.
    Text(String),
    /// A value that is never shown: the value may be a secret, or is too large to be of use.
    Hidden,
}

/// The text, or `(hidden)`.
impl fmt::Display for DisplayValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DisplayValue::Text(text) => f.write_str(text),
            DisplayValue::Hidden => f.write_str("(hidden)"),
        }
    }
}

/// One difference between two definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContentChange {
    /// The path, with names in place of indices: `containerDefinitions[web].environment[LOG_LEVEL]`.
    pub(crate) path: String,
    /// The old value; `None` if absent.
    pub(crate) before: Option<DisplayValue>,
    /// The new value; `None` if absent.
    pub(crate) after: Option<DisplayValue>,
}

/// `cpu: 256 → 512`, `containerDefinitions[web].environment[LOG_LEVEL]: (changed)`.
impl fmt::Display for ContentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match (&self.before, &self.after) {
            (Some(DisplayValue::Text(before)), Some(DisplayValue::Text(after))) => {
                write!(f, "{before} → {after}")
            }
            (None, Some(DisplayValue::Text(after))) => write!(f, "(none) → {after}"),
            (Some(DisplayValue::Text(before)), None) => write!(f, "{before} → (none)"),
            (None, Some(DisplayValue::Hidden)) => f.write_str("(added)"),
            (Some(DisplayValue::Hidden), None) => f.write_str("(removed)"),
            (Some(_), Some(_)) | (None, None) => f.write_str("(changed)"),
        }
    }
}

/// The changes from `before` to `after`, after AWS's defaults and ordering. Empty if both have the same content.
pub(crate) fn content_differences(before: &Content, after: &Content) -> Vec<ContentChange> {
    let mut changes = Vec::new();
    compare_structures(("", ""), &normal_form(before), &normal_form(after), TASK_DEFINITION, &mut changes);
    changes
}

/// Compares two structures. The first argument is the path of both structures, and the key that holds them.
fn compare_structures(
    (path, parent): (&str, &str),
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    keys: Keys,
    changes: &mut Vec<ContentChange>,
) {
    let added = after.keys().filter(|key| !before.contains_key(*key));
    for key in before.keys().chain(added) {
        let (old, new) = (before.get(key), after.get(key));
        if old == new {
            continue;
        }
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (kind_of(keys, key), old, new) {
            (Some(ValueKind::Struct(keys)), Some(Value::Object(old)), Some(Value::Object(new))) => {
                compare_structures((&path, key), old, new, keys, changes);
            }
            (Some(ValueKind::List(ValueKind::Struct(keys))), old, new) if is_list(old) && is_list(new) => {
                compare_lists((&path, key), list_items(old), list_items(new), keys, changes);
            }
            (kind, old, new) => {
                let assumed = api_default(parent, key).map(|default| default.value());
                let side = |value: Option<&Value>| Some(shown_value(kind, value.or(assumed.as_ref())?));
                changes.push(change_entry(path, side(old), side(new)));
            }
        }
    }
}

/// Compares two lists of structures: by name if every element has a unique name, else by place.
fn compare_lists(
    (path, list): (&str, &str),
    old: &[Value],
    new: &[Value],
    keys: Keys,
    changes: &mut Vec<ContentChange>,
) {
    let by_name = unique_names(list, old).zip(unique_names(list, new));
    let (old_names, new_names) = by_name.unwrap_or_else(|| (item_indices(old), item_indices(new)));
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
                compare_structures((&path, list), old, new, keys, changes);
            }
            (old, new) => {
                changes.push(change_entry(path, shown_element(old.as_ref()), shown_element(new.as_ref())))
            }
        }
    }
}

/// A change. If both sides read the same, both are hidden: the difference is in the part of an image that is left out.
fn change_entry(path: String, before: Option<DisplayValue>, after: Option<DisplayValue>) -> ContentChange {
    if before == after {
        return ContentChange { path, before: Some(DisplayValue::Hidden), after: Some(DisplayValue::Hidden) };
    }
    ContentChange { path, before, after }
}

/// An element that was added or removed. A container appears as its image.
fn shown_element(element: Option<&Value>) -> Option<DisplayValue> {
    let image = element?["image"].as_str();
    Some(image.map_or(DisplayValue::Hidden, |text| DisplayValue::Text(image::shorten_image(text))))
}

/// A value for display: only kinds that hold no secret, and an image without the account id.
fn shown_value(kind: Option<ValueKind>, value: &Value) -> DisplayValue {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let text = match (kind, value) {
        (Some(ValueKind::Word), Value::String(text)) => Some(image::shorten_image(text)),
        (Some(ValueKind::Integer), Value::Number(number)) => Some(number.to_string()),
        (Some(ValueKind::Boolean), Value::Bool(value)) => Some(value.to_string()),
        (Some(ValueKind::List(ValueKind::Word)), Value::Array(items)) => {
            items.iter().map(word).collect::<Option<Vec<_>>>().map(|words| words.join(", "))
        }
        (Some(_) | None, _) => None,
    };
    text.map_or(DisplayValue::Hidden, DisplayValue::Text)
}

/// True if a value is a list or absent.
fn is_list(value: Option<&Value>) -> bool {
    value.is_none_or(Value::is_array)
}

/// The elements of a list that may be absent.
fn list_items(list: Option<&Value>) -> &[Value] {
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The name of each element. None if an element has no name or two share a name.
fn unique_names(list: &str, items: &[Value]) -> Option<Vec<String>> {
    let names = items.iter().map(|item| element_identity(list, item)).collect::<Option<Vec<_>>>()?;
    let all_differ = names.iter().collect::<HashSet<_>>().len() == names.len();
    all_differ.then_some(names)
}

/// The index of each element, in place of a name.
fn item_indices(items: &[Value]) -> Vec<String> {
    (0..items.len()).map(|i| i.to_string()).collect()
}

#[cfg(test)]
mod tests;
