//! A document as a JSON value. Nothing is converted silently: a value that JSON can't express is a problem. No message
//! holds a value of the file: a value may be a secret.

use serde_json::{Map, Number, Value};

use crate::config::document::{Format, Tree};
use crate::config::jargon::TAG;
use crate::plan::definition::schema::{TOP, child_path, path_or_top};
use crate::plan::problem::Problem;

/// Turns a document into JSON. A merge key `<<` is applied in YAML, and plain text in JSON.
pub(super) fn to_json(document: Tree, format: Format) -> Result<Value, Vec<Problem>> {
    let mut conversion = Conversion { format, problems: Vec::new() };
    let value = conversion.value("", document);
    if conversion.problems.is_empty() { Ok(value) } else { Err(conversion.problems) }
}

/// A conversion under way.
struct Conversion {
    /// The document's language.
    format: Format,
    /// Problems so far, in the order of the document.
    problems: Vec<Problem>,
}

impl Conversion {
    /// Notes a problem. The value becomes null.
    fn refuse(&mut self, place: &str, what: impl Into<String>) -> Value {
        self.problems.push(Problem::new(path_or_top(place), what));
        Value::Null
    }

    /// A node as JSON, or null with a problem.
    fn value(&mut self, place: &str, tree: Tree) -> Value {
        match tree {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::Bool(value),
            Tree::Whole(number) => {
                let json = u64::try_from(number).map(Number::from);
                json.or_else(|_| i64::try_from(number).map(Number::from)).map_or_else(
                    |_| self.refuse(place, "a number of more than 64 bits can't be sent to AWS"),
                    Value::Number,
                )
            }
            Tree::Fraction(number) => Number::from_f64(number)
                .map(Value::Number)
                .unwrap_or_else(|| self.refuse(place, "infinity and not-a-number can't be sent to AWS")),
            Tree::Text(text) => Value::String(text),
            Tree::List(items) => {
                let item = |(i, item)| self.value(&format!("{place}[{i}]"), item);
                Value::Array(items.into_iter().enumerate().map(item).collect())
            }
            Tree::Map(entries) => Value::Object(self.object(place, entries)),
            Tree::Tagged(..) => self.refuse(place, TAG),
        }
    }

    /// A mapping as a JSON object in the same order. The keys of merged mappings come last and replace none.
    fn object(&mut self, place: &str, entries: Vec<(Tree, Tree)>) -> Map<String, Value> {
        let mut object = Map::new();
        let mut merged = None;
        for (key, value) in entries {
            let Tree::Text(key) = key else {
                self.refuse(place, not_text(&key));
                continue;
            };
            if self.format == Format::Yaml && key == "<<" {
                merged = Some(self.value(place, value));
            } else {
                let value = self.value(&child_path(place, &key), value);
                object.insert(key, value);
            }
        }
        if let Some(found) = merged.and_then(|value| merge(&mut object, value, true).err()) {
            let what = format!("couldn't apply a merge key `<<`: expected a mapping {found}");
            self.problems.push(Problem::new(TOP, what));
        }
        object
    }
}

/// Adds the absent keys of a mapping, or of each mapping in a list. An error says what was expected and found instead.
fn merge(object: &mut Map<String, Value>, value: Value, list_allowed: bool) -> Result<(), &'static str> {
    match value {
        Value::Object(other) => {
            other.into_iter().for_each(|(key, value)| {
                object.entry(key).or_insert(value);
            });
            Ok(())
        }
        Value::Array(items) if list_allowed => {
            items.into_iter().try_for_each(|item| merge(object, item, false))
        }
        Value::Array(_) => Err("for merging, but found sequence"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) if list_allowed => {
            Err("or list of mappings for merging, but found scalar")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err("for merging, but found scalar")
        }
    }
}

/// The message for a key that YAML does not read as text.
fn not_text(key: &Tree) -> String {
    let kind = match key {
        Tree::Whole(number) => Some((number.to_string(), "a number")),
        Tree::Fraction(number) => Number::from_f64(*number).map(|number| (number.to_string(), "a number")),
        Tree::Bool(value) => Some((value.to_string(), "a boolean")),
        Tree::Null | Tree::Text(_) | Tree::List(_) | Tree::Map(_) | Tree::Tagged(..) => None,
    };
    kind.map_or_else(
        || "a key is not text; put it in quotes".to_owned(),
        |(key, kind)| format!("the key {key} is {kind}; put it in quotes: \"{key}\""),
    )
}
