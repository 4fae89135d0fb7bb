//! GitHub's answers: a status with JSON, or a refusal in GitHub's error form.

use serde_json::{Value, json};

/// The documentation link in GitHub's errors.
const DOCS: &str = "https://docs.github.com/rest";

/// The result of an operation: its answer, or GitHub's refusal.
pub(super) type Outcome = Result<Answer, Refusal>;

/// A good answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// The body; `None` for 204.
    pub(super) body: Option<Value>,
    /// Further headers, such as `link`.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// 200 with a body.
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body), headers: Vec::new() }
    }

    /// 201 with a body, and its address in `location`.
    pub(super) fn created(body: Value) -> Self {
        let location = body.get("url").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { status: 201, body: Some(body), headers: vec![("location", location)] }
    }

    /// 204 without a body.
    pub(super) fn none() -> Self {
        Self { status: 204, body: None, headers: Vec::new() }
    }
}

/// A refusal: status, GitHub's words, and the errors in detail.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `message` of the body.
    pub message: String,
    /// `errors` of the body; left out if empty.
    pub errors: Vec<Value>,
    /// Further headers, such as `retry-after`.
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    /// A refusal with this message.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// 404, for a missing resource and for a resource hidden from the caller.
    pub fn not_found() -> Self {
        Self::new(404, "Not Found")
    }

    /// 403 for a token without the permission.
    pub fn not_accessible() -> Self {
        Self::new(403, "Resource not accessible by integration")
    }

    /// 422 with one error: the resource's kind, the field, GitHub's code and, for `custom` and `unprocessable`, the
    /// message.
    pub fn invalid(resource: &str, field: &str, code: &str, message: &str) -> Self {
        let mut error = json!({ "resource": resource, "code": code, "field": field });
        if !message.is_empty() {
            error["message"] = json!(message);
        }
        Self { errors: vec![error], ..Self::new(422, "Validation Failed") }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The refusal as an answer.
    pub(super) fn into_answer(self) -> Answer {
        let mut body = json!({ "message": self.message });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        body["documentation_url"] = json!(DOCS);
        body["status"] = json!(self.status.to_string());
        Answer { status: self.status, body: Some(body), headers: self.headers }
    }
}
