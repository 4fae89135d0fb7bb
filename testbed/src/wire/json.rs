//! AWS JSON 1.0 and 1.1: the target header names the operation, body and answer are JSON.

use super::{ApiError, Encoded};
use serde_json::{Value, json};

/// `Content-Type` of JSON 1.0 answers.
pub(super) const VERSION_1_0: &str = "application/x-amz-json-1.0";
/// `Content-Type` of JSON 1.1 answers.
pub(super) const VERSION_1_1: &str = "application/x-amz-json-1.1";

/// A good answer.
pub(super) fn success(output: &Value, content_type: &'static str) -> Encoded {
    Encoded { status: 200, content_type, headers: Vec::new(), body: output.to_string().into() }
}

/// An error: `__type` holds the code.
pub(super) fn failure(error: &ApiError, shape: &str, content_type: &'static str) -> Encoded {
    let body = json!({ "__type": shape, "message": error.message });
    Encoded { status: error.status, content_type, headers: Vec::new(), body: body.to_string().into() }
}

/// Reads a request's body; an empty body is `{}`.
pub(super) fn decode(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body)
        .map_err(|error| ApiError::new("SerializationException", format!("couldn't read the body: {error}")))
}
