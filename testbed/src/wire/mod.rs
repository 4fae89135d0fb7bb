//! The wire formats: a request of any AWS service, its answer and its error, in the protocols of AWS's SDKs and CLI.

mod cbor;
mod error;
mod form;
mod json;
pub mod query;
mod request;
pub(crate) mod time;

pub use error::ApiError;
pub use request::{Credential, Protocol, Request, Service};

use bytes::Bytes;
use serde_json::Value;

/// An answer's status, headers and body.
pub(crate) struct Encoded {
    /// HTTP status.
    pub(crate) status: u16,
    /// `Content-Type` as AWS sends it.
    pub(crate) content_type: &'static str,
    /// Further headers that the protocol requires.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body.
    pub(crate) body: Bytes,
}

/// Writes an answer in the request's protocol.
pub(crate) fn encode(request: &Request, answer: &Result<Value, ApiError>, request_id: &str) -> Encoded {
    let xmlns = request.service.xmlns();
    match (answer, request.protocol) {
        (Ok(output), Protocol::Json11) => json::success(output, json::VERSION_1_1),
        (Ok(output), Protocol::Json10) => json::success(output, json::VERSION_1_0),
        (Ok(output), Protocol::Cbor) => cbor::success(output),
        (Ok(output), Protocol::Query) => Encoded {
            status: 200,
            content_type: "text/xml",
            headers: Vec::new(),
            body: answer_xml(request, output, request_id, xmlns).into(),
        },
        (Err(error), Protocol::Query) => error.xml(request_id, xmlns),
        (Err(error), Protocol::Json11) => json::failure(error, &error.code, json::VERSION_1_1),
        (Err(error), Protocol::Json10) => {
            compatible(request, error, json::failure(error, error.shape(), json::VERSION_1_0))
        }
        (Err(error), Protocol::Cbor) => compatible(request, error, cbor::failure(error, error.shape())),
    }
}

/// The whole answer of a Query operation. Times of a service that speaks other protocols too become dates.
fn answer_xml(request: &Request, output: &Value, request_id: &str, xmlns: &str) -> String {
    if request.service.is_query() {
        return query::encode(&request.operation, output, request_id, xmlns);
    }
    if form::has_no_output(&request.operation) {
        return query::encode_nothing(&request.operation, request_id, xmlns);
    }
    query::encode(&request.operation, &form::dated(output), request_id, xmlns)
}

/// Adds the header with the Query protocol's code, for clients that request this header.
fn compatible(request: &Request, error: &ApiError, mut encoded: Encoded) -> Encoded {
    if request.query_mode {
        encoded.headers.push(("x-amzn-query-error", error.query_error()));
    }
    encoded
}

/// Writes an error for a request that could not be read.
pub(crate) fn encode_error(error: &ApiError, request_id: &str, protocol: Protocol) -> Encoded {
    match protocol {
        Protocol::Json11 => json::failure(error, &error.code, json::VERSION_1_1),
        Protocol::Json10 => json::failure(error, &error.code, json::VERSION_1_0),
        Protocol::Cbor => cbor::failure(error, &error.code),
        Protocol::Query => error.xml(request_id, Service::Elb.xmlns()),
    }
}
