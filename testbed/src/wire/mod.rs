//! What travels on the wire: a request of any AWS service, its answer and its error, in JSON 1.1 or Query form.

mod error;
mod json;
pub mod query;
mod request;

pub use error::ApiError;
pub use request::{Credential, Request, Service};

use serde_json::Value;

/// An answer's content type and body.
pub(crate) struct Encoded {
    /// HTTP status.
    pub(crate) status: u16,
    /// `Content-Type` as AWS sends it.
    pub(crate) content_type: &'static str,
    /// The body.
    pub(crate) body: String,
}

/// Writes an answer in the protocol of the service that was called.
pub(crate) fn encode(request: &Request, answer: &Result<Value, ApiError>, request_id: &str) -> Encoded {
    match (request.service.is_query(), answer) {
        (false, Ok(output)) => json::success(output),
        (false, Err(error)) => json::failure(error),
        (true, Ok(output)) => Encoded {
            status: 200,
            content_type: "text/xml",
            body: query::encode(&request.operation, output, request_id, request.service.xmlns()),
        },
        (true, Err(error)) => error.xml(request_id, request.service.xmlns()),
    }
}

/// Writes an error for a request that could not be read.
pub(crate) fn encode_error(error: &ApiError, request_id: &str, as_json: bool) -> Encoded {
    if as_json { json::failure(error) } else { error.xml(request_id, Service::Elb.xmlns()) }
}
