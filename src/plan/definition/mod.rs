//! A task definition's content.

use serde_json::Value;

/// A task definition's registrable content: raw JSON without the describe-only fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Content(pub(crate) Value);
