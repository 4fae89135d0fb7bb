//! Smithy RPC v2 CBOR, the first protocol of CloudWatch's SDKs: the path names the operation, body and answer are CBOR
//! (RFC 8949). <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>

use super::{ApiError, Encoded};
use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value, json};

/// `Content-Type` of every answer.
const CONTENT_TYPE: &str = "application/cbor";
/// The tag of a time, in seconds since 1970.
const EPOCH_TIME: u64 = 1;

/// The service's shape name and the operation in `/service/NAME/operation/NAME`; none for any other path.
pub(super) fn target(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix("/service/")?.split_once("/operation/")
}

/// A good answer.
pub(super) fn success(output: &Value) -> Encoded {
    encoded(200, output)
}

/// An error: `__type` holds the code.
pub(super) fn failure(error: &ApiError, shape: &str) -> Encoded {
    encoded(error.status, &json!({ "__type": shape, "message": error.message }))
}

/// An answer with this body.
fn encoded(status: u16, body: &Value) -> Encoded {
    let mut bytes = Vec::new();
    // Writing to memory does not fail.
    let _ = ciborium::into_writer(&to_cbor(body, false), &mut bytes);
    let headers = vec![("smithy-protocol", "rpc-v2-cbor".to_owned())];
    Encoded { status, content_type: CONTENT_TYPE, headers, body: bytes.into() }
}

/// Reads a request's body; an empty body is `{}`.
pub(super) fn decode(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let value: Cbor = ciborium::from_reader(body).map_err(|error| {
        ApiError::new("SerializationException", format!("couldn't read the body: {error}"))
    })?;
    Ok(to_json(value))
}

/// A value as JSON: times become numbers, bytes become null, which no operation here accepts.
fn to_json(value: Cbor) -> Value {
    match value {
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Text(text) => Value::String(text),
        Cbor::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
        Cbor::Integer(number) => i64::try_from(number).map_or(Value::Null, Value::from),
        Cbor::Tag(_, inner) => to_json(*inner),
        Cbor::Array(items) => items.into_iter().map(to_json).collect(),
        Cbor::Map(entries) => {
            let named = entries.into_iter().filter_map(|(key, value)| Some((key.into_text().ok()?, value)));
            Value::Object(named.map(|(key, value)| (key, to_json(value))).collect())
        }
        _ => Value::Null,
    }
}

/// A value as CBOR. Fields named `…Timestamp` and `…Timestamps` hold times, which carry a tag; null is left out.
fn to_cbor(value: &Value, time: bool) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(flag) => Cbor::Bool(*flag),
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Number(number) if time => {
            Cbor::Tag(EPOCH_TIME, Box::new(Cbor::Float(number.as_f64().unwrap_or_default())))
        }
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Cbor::Integer(whole.into()),
            None => Cbor::Float(number.as_f64().unwrap_or_default()),
        },
        Value::Array(items) => Cbor::Array(items.iter().map(|item| to_cbor(item, time)).collect()),
        Value::Object(fields) => Cbor::Map(entries(fields)),
    }
}

/// The fields of an object that are not null.
fn entries(fields: &Map<String, Value>) -> Vec<(Cbor, Cbor)> {
    let there = fields.iter().filter(|(_, value)| !value.is_null());
    there
        .map(|(name, value)| {
            let time = name.ends_with("Timestamp") || name.ends_with("Timestamps");
            (Cbor::Text(name.clone()), to_cbor(value, time))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_names_service_and_operation() {
        let path = "/service/GraniteServiceVersion20100801/operation/PutMetricAlarm";
        assert_eq!(target(path), Some(("GraniteServiceVersion20100801", "PutMetricAlarm")));
        assert_eq!(target("/"), None);
    }

    #[test]
    fn a_body_is_read_as_json() {
        // {_ "A": 1(1.5), "B": [2, true], "C": 60.0}: an indefinite map, a tagged time, a definite list.
        let body = b"\xbf\x61A\xc1\xfb\x3f\xf8\0\0\0\0\0\0\x61B\x82\x02\xf5\x61C\xf9\x53\x80\xff";
        assert_eq!(decode(body).unwrap(), json!({ "A": 1.5, "B": [2, true], "C": 60.0 }));
        assert_eq!(decode(b"").unwrap(), json!({}));
        assert_eq!(decode(b"\xbf\x61").unwrap_err().code, "SerializationException");
    }

    #[test]
    fn times_are_tagged_and_doubles_are_floats() {
        let answer = json!({ "Timestamps": [1.0], "StateUpdatedTimestamp": 2, "Threshold": 5.0, "Period": 60, "No": null });
        let bytes = encoded(200, &answer).body;
        let read: Cbor = ciborium::from_reader(&bytes[..]).unwrap();
        let time = |seconds: f64| Cbor::Tag(1, Box::new(Cbor::Float(seconds)));
        let field = |name: &str, value| (Cbor::Text(name.to_owned()), value);
        assert_eq!(
            read,
            Cbor::Map(vec![
                field("Timestamps", Cbor::Array(vec![time(1.0)])),
                field("StateUpdatedTimestamp", time(2.0)),
                field("Threshold", Cbor::Float(5.0)),
                field("Period", Cbor::Integer(60.into())),
            ])
        );
        assert_eq!(to_json(read)["Threshold"], json!(5.0));
    }
}
