//! Shapes of AWS's APIs as JSON with the keys of the API, and back. A shape that is written as a whole must not lose a
//! field.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

/// A value of the SDK with a form in JSON.
pub(super) trait Json: Sized {
    /// The value in JSON.
    fn write(&self) -> Value;

    /// The value from JSON, or the unknown part as an error.
    fn read(value: &Value) -> Result<Self, String>;
}

/// Takes a member out of an object; none if missing.
pub(super) fn take_member<T: Json>(object: &mut Map<String, Value>, key: &str) -> Result<Option<T>, String> {
    match object.shift_remove(key) {
        Some(value) => T::read(&value).map(Some).map_err(|why| format!("{key}: {why}")),
        None => Ok(None),
    }
}

/// A structure: members by key, each with the SDK's field and setter. An unknown key is an error.
macro_rules! structure {
    ($sdk:ident { $($key:literal $field:ident $set:ident,)* }) => {
        impl Json for $sdk {
            fn write(&self) -> Value {
                let mut object = Map::new();
                $(if let Some(value) = &self.$field {
                    object.insert($key.to_owned(), value.write());
                })*
                Value::Object(object)
            }

            fn read(value: &Value) -> Result<Self, String> {
                let mut object = value.as_object().ok_or("not an object")?.clone();
                let built = $sdk::builder()$(.$set(take_member(&mut object, $key)?))*.build();
                match object.keys().next() {
                    Some(key) => Err(format!("unknown key {key}")),
                    None => Ok(built),
                }
            }
        }
    };
}

/// An enumeration, a text in JSON. A value that is new to the SDK stays unchanged.
macro_rules! word {
    ($($sdk:ident),*) => { $(impl Json for $sdk {
        fn write(&self) -> Value {
            self.as_str().into()
        }

        fn read(value: &Value) -> Result<Self, String> {
            value.as_str().map($sdk::from).ok_or_else(|| "not a text".to_owned())
        }
    })* };
}

pub(super) use {structure, word};

impl Json for String {
    fn write(&self) -> Value {
        self.as_str().into()
    }

    fn read(value: &Value) -> Result<Self, String> {
        value.as_str().map(str::to_owned).ok_or_else(|| "not a text".to_owned())
    }
}

impl Json for bool {
    fn write(&self) -> Value {
        (*self).into()
    }

    fn read(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| "neither true nor false".to_owned())
    }
}

impl Json for f64 {
    fn write(&self) -> Value {
        (*self).into()
    }

    fn read(value: &Value) -> Result<Self, String> {
        value.as_f64().ok_or_else(|| "not a number".to_owned())
    }
}

impl Json for i64 {
    fn write(&self) -> Value {
        (*self).into()
    }

    fn read(value: &Value) -> Result<Self, String> {
        value.as_i64().ok_or_else(|| "not a whole number".to_owned())
    }
}

impl Json for i32 {
    fn write(&self) -> Value {
        (*self).into()
    }

    fn read(value: &Value) -> Result<Self, String> {
        i64::read(value)?.try_into().map_err(|_| "too large a number".to_owned())
    }
}

impl<T: Json> Json for Vec<T> {
    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }

    fn read(value: &Value) -> Result<Self, String> {
        value.as_array().ok_or("not a list")?.iter().map(T::read).collect()
    }
}

/// Sorted by key, so that the same actions always give the same JSON.
impl Json for HashMap<String, String> {
    fn write(&self) -> Value {
        self.iter()
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .map(|(key, value)| (key.clone(), value.write()))
            .collect()
    }

    fn read(value: &Value) -> Result<Self, String> {
        let object = value.as_object().ok_or("not an object")?;
        object.iter().map(|(key, value)| Ok((key.clone(), String::read(value)?))).collect()
    }
}
