//! JSON and YAML text to a JSON value, stricter than the parsers: a duplicate key is refused, and nothing is converted
//! silently. No message holds a value of the file: a value may be a secret.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::mistaken;
use crate::plan::aliases::{TOO_MANY, repeat_too_much};
use crate::plan::jargon;
use crate::plan::problem::Problem;

/// The place of a problem that concerns the file as a whole.
pub(super) const TOP: &str = "(top level)";

/// The language of a task-definition file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 8259, without comments.
    Json,
    /// YAML 1.2 (`yes` and `on` are text), with anchors and merge keys.
    Yaml,
}

impl Format {
    /// The format by a file's extension. `None` for any other extension.
    pub(crate) fn of(path: &str) -> Option<Format> {
        match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "yaml" | "yml" => Some(Format::Yaml),
            _ => None,
        }
    }
}

/// Reads a text. A leading byte order mark is ignored.
pub(super) fn read_text(text: &str, format: Format) -> Result<Value, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(syntax_problem(None, "the file is empty"));
    }
    match format {
        Format::Json => read_json(text),
        Format::Yaml => read_yaml(text),
    }
}

/// The path of a key below a place.
pub(super) fn child_path(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// The place of a path. The path is empty at the top.
pub(super) fn path_or_top(path: &str) -> &str {
    if path.is_empty() { TOP } else { path }
}

/// A syntax error at this line and column, both counted from 1.
fn syntax_problem(at: Option<(usize, usize)>, what: &str) -> Vec<Problem> {
    let place = at.map_or_else(|| TOP.to_owned(), |(line, column)| format!("line {line}, column {column}"));
    vec![Problem::new(place, what)]
}

/// The problem of an unreadable text: the actual kind of the file, the fault in the line, or the parser's message.
fn unreadable_text(text: &str, format: Format, at: Option<(usize, usize)>, what: &str) -> Vec<Problem> {
    if let Some((line, what)) = mistaken::explain_text(text, format) {
        let place = line.map_or_else(|| TOP.to_owned(), |line| format!("line {line}"));
        return vec![Problem::new(place, what)];
    }
    let line = at.and_then(|(line, _)| text.lines().nth(line.checked_sub(1)?));
    let of_line = line.and_then(|line| mistaken::explain_line(line, format));
    syntax_problem(at, of_line.as_deref().unwrap_or(what))
}

/// Reads JSON. The value keeps the order of the keys.
fn read_json(text: &str) -> Result<Value, Vec<Problem>> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = error.to_string();
        let what = what.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&what);
        unreadable_text(text, Format::Json, Some((line, column)), jargon::explain_json_error(what))
    })
}

/// A JSON value in which no object holds a key twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StrictSeed.deserialize(deserializer).map(Strict)
    }
}

/// Builds a [`Value`] and refuses a second key of the same name.
struct StrictSeed;

impl<'de> DeserializeSeed<'de> for StrictSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(StrictSeed)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(de::Error::custom(format!("the key `{key}` is given twice")));
            }
            let value = entries.next_value_seed(StrictSeed)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Reads one YAML document. `serde_yaml::Value` refuses duplicate keys. A direct read into a JSON value would keep the
/// last duplicate.
fn read_yaml(text: &str) -> Result<Value, Vec<Problem>> {
    let refuse = |error: serde_yaml::Error| {
        let at = error.location().map(|place| (place.line(), place.column()));
        let what = error.to_string();
        if let Some((_, key)) = what.split_once("duplicate entry with key ") {
            let key = key.rsplit_once(" at line ").map_or(key, |(key, _)| key);
            return syntax_problem(at, &format!("the key `{}` is given twice", key.trim_matches('"')));
        }
        // The message is `PATH: WHAT at line …, while …`. The path adds nothing to the line.
        let what = what.split(" at line ").next().unwrap_or(&what);
        unreadable_text(
            text,
            Format::Yaml,
            at,
            jargon::explain_yaml_error(what.rsplit(": ").next().unwrap_or(what)),
        )
    };
    if repeat_too_much(text) {
        return Err(syntax_problem(None, TOO_MANY));
    }
    let mut value: serde_yaml::Value = serde_yaml::from_str(text).map_err(refuse)?;
    value
        .apply_merge()
        .map_err(|error| syntax_problem(None, &format!("couldn't apply a merge key `<<`: {error}")))?;
    let mut problems = Vec::new();
    let value = to_json("", value, &mut problems);
    match mistaken::explain_text(text, Format::Yaml) {
        None if problems.is_empty() => Ok(value),
        Some((line, what)) if !problems.is_empty() => {
            let place = line.map_or_else(|| TOP.to_owned(), |line| format!("line {line}"));
            Err(vec![Problem::new(place, what)])
        }
        Some(_) => Ok(value),
        None => Err(problems),
    }
}

/// A YAML value as JSON. A value that JSON can't express is a problem, and null in the result.
fn to_json(place: &str, value: serde_yaml::Value, problems: &mut Vec<Problem>) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(value) => Value::Bool(value),
        serde_yaml::Value::Number(number) => json_number(place, &number, problems),
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Sequence(items) => {
            let item = |(i, item)| to_json(&format!("{place}[{i}]"), item, problems);
            Value::Array(items.into_iter().enumerate().map(item).collect())
        }
        serde_yaml::Value::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let serde_yaml::Value::String(key) = key else {
                    problems.push(Problem::new(path_or_top(place), not_text(&key)));
                    continue;
                };
                let value = to_json(&child_path(place, &key), value, problems);
                object.insert(key, value);
            }
            Value::Object(object)
        }
        serde_yaml::Value::Tagged(tagged) => {
            let what = format!("the tag `{}` has no meaning here; write the value itself", tagged.tag);
            problems.push(Problem::new(path_or_top(place), what));
            Value::Null
        }
    }
}

/// A YAML number as a JSON number. Infinity and not-a-number are problems.
fn json_number(place: &str, number: &serde_yaml::Number, problems: &mut Vec<Problem>) -> Value {
    let json = number
        .as_u64()
        .map(Number::from)
        .or_else(|| number.as_i64().map(Number::from))
        .or_else(|| number.as_f64().and_then(Number::from_f64));
    json.map(Value::Number).unwrap_or_else(|| {
        problems.push(Problem::new(path_or_top(place), "infinity and not-a-number can't be sent to AWS"));
        Value::Null
    })
}

/// The message for a key that YAML does not read as text.
fn not_text(key: &serde_yaml::Value) -> String {
    match key {
        serde_yaml::Value::Number(number) => {
            format!("the key {number} is a number; put it in quotes: \"{number}\"")
        }
        serde_yaml::Value::Bool(value) => {
            format!("the key {value} is a boolean; put it in quotes: \"{value}\"")
        }
        serde_yaml::Value::Null
        | serde_yaml::Value::String(_)
        | serde_yaml::Value::Sequence(_)
        | serde_yaml::Value::Mapping(_)
        | serde_yaml::Value::Tagged(_) => "a key is not text; put it in quotes".to_owned(),
    }
}
