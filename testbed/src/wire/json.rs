//! AWS JSON 1.1: the target header names the operation, body and answer are JSON.

use super::{ApiError, Encoded};
use serde_json::{Value, json};

/// `Content-Type` of every answer.
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// A good answer.
pub(super) fn success(output: &Value) -> Encoded {
    Encoded { status: 200, content_type: CONTENT_TYPE, body: output.to_string() }
}

/// An error: `__type` holds the code.
pub(super) fn failure(error: &ApiError) -> Encoded {
    let body = json!({ "__type": error.code, "message": error.message });
    Encoded { status: error.status, content_type: CONTENT_TYPE, body: body.to_string() }
}

/// Reads a request's body; an empty one is `{}`.
pub(super) fn decode(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body)
        .map_err(|error| ApiError::new("SerializationException", format!("couldn't read the body: {error}")))
}
