//! Maps by ARN in the saved state, stored by column. A value that all entries share is stored once. Each ARN is stored
//! from the first byte that differs from the previous ARN. The runner passes the state in an environment variable,
//! which Linux limits to 128 KiB (`MAX_ARG_STRLEN`).

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// The ARNs in order. Each is stored as the number of bytes shared with the previous ARN, a space, and the rest.
    arns: Vec<String>,
    /// The values of each field, by path. A single value holds for all entries.
    fields: BTreeMap<String, Vec<Value>>,
}

/// The stored form, or the plain map of an older version.
#[derive(Deserialize)]
#[serde(untagged)]
enum Readable<T> {
    /// By column.
    Stored(Stored),
    /// The plain map.
    Plain(BTreeMap<String, T>),
}

/// Writes the map. Errors: a value is no object, or the fields of two values differ.
pub(crate) fn serialize<T: Serialize, S: Serializer>(
    map: &BTreeMap<String, T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut stored = Stored { arns: Vec::new(), fields: BTreeMap::new() };
    let mut last = "";
    for (arn, value) in map {
        let same = last.bytes().zip(arn.bytes()).take_while(|(one, other)| one == other).count();
        let same = arn.floor_char_boundary(same);
        stored.arns.push(format!("{same} {}", &arn[same..]));
        last = arn;
        split_columns(&serde_json::to_value(value).map_err(S::Error::custom)?, "", &mut stored.fields);
    }
    if stored.fields.values().any(|column| column.len() != map.len()) {
        return Err(S::Error::custom("the entries have different fields"));
    }
    for column in stored.fields.values_mut() {
        if column.iter().all(|value| Some(value) == column.first()) {
            column.truncate(1);
        }
    }
    stored.serialize(serializer)
}

/// Reads the map. Errors: an unknown form, or missing parts.
pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, T>, D::Error> {
    let stored = match Readable::deserialize(deserializer)? {
        Readable::Plain(map) => return Ok(map),
        Readable::Stored(stored) => stored,
    };
    let (mut map, mut last) = (BTreeMap::new(), String::new());
    for (at, text) in stored.arns.iter().enumerate() {
        last = expand_arn(&last, text).ok_or_else(|| D::Error::custom("an ARN is not understood"))?;
        let value = join_columns(&stored.fields, (at, stored.arns.len()))
            .ok_or_else(|| D::Error::custom("a value is missing"))?;
        map.insert(last.clone(), serde_json::from_value(value).map_err(D::Error::custom)?);
    }
    Ok(map)
}

/// Adds each field of a value to the column of that field.
fn split_columns(value: &Value, path: &str, fields: &mut BTreeMap<String, Vec<Value>>) {
    let Value::Object(object) = value else {
        fields.entry(path.to_owned()).or_default().push(value.clone());
        return;
    };
    for (name, inner) in object {
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        split_columns(inner, &path, fields);
    }
}

/// An ARN from the previous ARN and the stored text.
fn expand_arn(last: &str, text: &str) -> Option<String> {
    let (same, rest) = text.split_once(' ')?;
    Some(format!("{}{rest}", last.get(..same.parse().ok()?)?))
}

/// The value at this place among this number of entries. None if a column has neither a single value nor a value for
/// each entry.
fn join_columns(fields: &BTreeMap<String, Vec<Value>>, (at, entries): (usize, usize)) -> Option<Value> {
    let mut whole = Map::new();
    for (path, column) in fields {
        let value = match column.as_slice() {
            [one] => one,
            all if all.len() == entries => all.get(at)?,
            _ => return None,
        };
        let mut names = path.split('/').rev();
        let leaf = names.next()?;
        let mut object = &mut whole;
        for name in names.rev() {
            let inner = object.entry(name).or_insert_with(|| Value::Object(Map::new()));
            object = inner.as_object_mut()?;
        }
        object.insert(leaf.to_owned(), value.clone());
    }
    Some(Value::Object(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Split;
    use crate::plan::time::Time;
    use crate::plan::traffic::Written;

    /// A map as the saved state holds it.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Held(#[serde(with = "super")] BTreeMap<String, Written>);

    /// The rule ARN of a number: 100 rules for each load balancer, as ELB's default limit says.
    fn rule(number: u64) -> String {
        let (balancer, listener) = (number / 100, number / 50);
        format!(
            "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/a-name-of-thirty-two-characters/{balancer:016x}/{listener:016x}/{:016x}",
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        )
    }

    /// So many rules, each written at its own time; every third held another split.
    fn rules(count: u64) -> Held {
        let one = |number: u64| Written {
            split: Split { blue: 0, green: 100 },
            before: Split { blue: 100, green: u32::from(number.is_multiple_of(3)) },
            at: Time(1_796_000_000_000 + 37 * number),
            shown: number < 900,
        };
        Held((0..count).map(|number| (rule(number), one(number))).collect())
    }

    #[test]
    fn a_thousand_rules_fit_twice_into_an_environment_variable() {
        let all = rules(1_000);
        let text = serde_json::to_string(&all).unwrap();
        assert!(text.len() < 60_000, "{} bytes", text.len());
        assert_eq!(serde_json::from_str::<Held>(&text).unwrap(), all);
    }

    #[test]
    fn few_rules_come_back_as_they_were() {
        for count in [0, 1, 2] {
            let text = serde_json::to_string(&rules(count)).unwrap();
            assert_eq!(serde_json::from_str::<Held>(&text).unwrap(), rules(count), "{text}");
        }
    }

    #[test]
    fn the_plain_map_of_an_older_version_is_understood() {
        let older = serde_json::to_string(&rules(3).0).unwrap();
        assert_eq!(serde_json::from_str::<Held>(&older).unwrap(), rules(3));
    }

    #[test]
    fn a_damaged_map_is_an_error() {
        let text = serde_json::to_string(&rules(3)).unwrap();
        for (from, to) in
            [("\"0 arn", "\"7 arn"), ("\"0 arn", "\"arn"), ("[1,0,0]", "[1,0]"), ("\"at\"", "\"when\"")]
        {
            let damaged = text.replacen(from, to, 1);
            assert!(damaged != text && serde_json::from_str::<Held>(&damaged).is_err(), "{from}: {damaged}");
        }
    }
}
