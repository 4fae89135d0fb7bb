//! JSON and YAML text to a JSON value, stricter than their parsers: a key given twice is refused, and nothing
//! is converted silently. No message holds a value of the file: it may be a secret.

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
    /// The format that a file's name says; `None` for a name that says neither.
    pub(crate) fn of(path: &str) -> Option<Format> {
        match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "yaml" | "yml" => Some(Format::Yaml),
            _ => None,
        }
    }
}

/// Reads a text, a leading byte order mark left aside.
pub(super) fn read(text: &str, format: Format) -> Result<Value, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(syntax(None, "the file is empty"));
    }
    match format {
        Format::Json => read_json(text),
        Format::Yaml => read_yaml(text),
    }
}

/// The path of a key below a place.
pub(super) fn below(place: &str, key: &str) -> String {
    if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") }
}

/// The place of a path, which is empty at the top.
pub(super) fn named(path: &str) -> &str {
    if path.is_empty() { TOP } else { path }
}

/// A syntax error at its line and column, both counted from 1.
fn syntax(at: Option<(usize, usize)>, what: &str) -> Vec<Problem> {
    let place = at.map_or_else(|| TOP.to_owned(), |(line, column)| format!("line {line}, column {column}"));
    vec![Problem::new(place, what)]
}

/// A text that could not be read: what it is instead, what is wrong with the line, or what the parser says.
fn unreadable(text: &str, format: Format, at: Option<(usize, usize)>, what: &str) -> Vec<Problem> {
    if let Some((line, what)) = mistaken::whole(text, format) {
        let place = line.map_or_else(|| TOP.to_owned(), |line| format!("line {line}"));
        return vec![Problem::new(place, what)];
    }
    let line = at.and_then(|(line, _)| text.lines().nth(line.checked_sub(1)?));
    let of_line = line.and_then(|line| mistaken::line(line, format));
    syntax(at, of_line.as_deref().unwrap_or(what))
}

/// Reads JSON; the value keeps the order of the keys.
fn read_json(text: &str) -> Result<Value, Vec<Problem>> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = error.to_string();
        let what = what.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&what);
        unreadable(text, Format::Json, Some((line, column)), jargon::json(what))
    })
}

/// A JSON value none of whose objects holds a key twice.
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

/// Reads one YAML document. `serde_yaml::Value` refuses duplicate keys by itself; reading straight into a
/// JSON value would keep the last one.
fn read_yaml(text: &str) -> Result<Value, Vec<Problem>> {
    let refuse = |error: serde_yaml::Error| {
        let at = error.location().map(|place| (place.line(), place.column()));
        let what = error.to_string();
        if let Some((_, key)) = what.split_once("duplicate entry with key ") {
            let key = key.rsplit_once(" at line ").map_or(key, |(key, _)| key);
            return syntax(at, &format!("the key `{}` is given twice", key.trim_matches('"')));
        }
        // The message is `PATH: WHAT at line …, while …`; the path says nothing that the line does not.
        let what = what.split(" at line ").next().unwrap_or(&what);
        unreadable(text, Format::Yaml, at, jargon::yaml(what.rsplit(": ").next().unwrap_or(what)))
    };
    if repeat_too_much(text) {
        return Err(syntax(None, TOO_MANY));
    }
    let mut value: serde_yaml::Value = serde_yaml::from_str(text).map_err(refuse)?;
    value
        .apply_merge()
        .map_err(|error| syntax(None, &format!("couldn't apply a merge key `<<`: {error}")))?;
    let mut problems = Vec::new();
    let value = to_json("", value, &mut problems);
    match mistaken::whole(text, Format::Yaml) {
        None if problems.is_empty() => Ok(value),
        Some((line, what)) if !problems.is_empty() => {
            let place = line.map_or_else(|| TOP.to_owned(), |line| format!("line {line}"));
            Err(vec![Problem::new(place, what)])
        }
        Some(_) => Ok(value),
        None => Err(problems),
    }
}

/// A YAML value as JSON; what JSON can't say is a problem, and null in the result.
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
                    problems.push(Problem::new(named(place), not_text(&key)));
                    continue;
                };
                let value = to_json(&below(place, &key), value, problems);
                object.insert(key, value);
            }
            Value::Object(object)
        }
        serde_yaml::Value::Tagged(tagged) => {
            let what = format!("the tag `{}` has no meaning here; write the value itself", tagged.tag);
            problems.push(Problem::new(named(place), what));
            Value::Null
        }
    }
}

/// A YAML number as a JSON one; infinity and not-a-number have none.
fn json_number(place: &str, number: &serde_yaml::Number, problems: &mut Vec<Problem>) -> Value {
    let json = number
        .as_u64()
        .map(Number::from)
        .or_else(|| number.as_i64().map(Number::from))
        .or_else(|| number.as_f64().and_then(Number::from_f64));
    json.map(Value::Number).unwrap_or_else(|| {
        problems.push(Problem::new(named(place), "infinity and not-a-number can't be sent to AWS"));
        Value::Null
    })
}

/// What is said of a key that YAML reads as something else than text.
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
