//! Error answers of AWS's APIs.

use super::Encoded;

/// An error answer: AWS's code, its message, and the HTTP status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// AWS's code, such as `ClusterNotFoundException`.
    pub code: String,
    /// The message for a person.
    pub message: String,
    /// HTTP status; 400 for most client errors.
    pub status: u16,
}

impl ApiError {
    /// A client error with status 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(code, message, 400)
    }

    /// An error with its own HTTP status.
    pub fn with_status(code: &str, message: impl Into<String>, status: u16) -> Self {
        Self { code: code.to_owned(), message: message.into(), status }
    }

    /// The Query protocol's error document.
    pub(crate) fn xml(&self, request_id: &str, xmlns: &str) -> Encoded {
        let kind = if self.status >= 500 { "Receiver" } else { "Sender" };
        let body = format!(
            "<ErrorResponse xmlns=\"{xmlns}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
             <RequestId>{request_id}</RequestId></ErrorResponse>",
            escape(&self.code),
            escape(&self.message)
        );
        Encoded { status: self.status, content_type: "text/xml", headers: Vec::new(), body: body.into() }
    }

    /// The error's shape, if not named like the code: CloudWatch, whose codes are those of its earlier Query protocol
    /// (`awsQueryCompatible` in its model).
    pub(crate) fn shape(&self) -> &str {
        match self.code.as_str() {
            "InternalServiceError" => "InternalServiceFault",
            "InvalidFormat" => "InvalidFormatFault",
            "InvalidParameterCombination" => "InvalidParameterCombinationException",
            "InvalidParameterValue" => "InvalidParameterValueException",
            "LimitExceeded" => "LimitExceededFault",
            "MissingParameter" => "MissingRequiredParameterException",
            code => code,
        }
    }

    /// The value of `x-amzn-query-error`, which gives SDKs the code.
    pub(crate) fn query_error(&self) -> String {
        format!("{};{}", self.code, if self.status >= 500 { "Receiver" } else { "Sender" })
    }
}

/// Escapes text for an XML element.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
