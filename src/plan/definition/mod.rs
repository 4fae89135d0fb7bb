//! A task definition's content.

use serde_json::Value;

/// A task definition's registrable content: raw JSON without the describe-only fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Content(pub(crate) Value);
impl Content {
    pub(crate) fn family(&self) -> &str {
        self.0["family"].as_str().unwrap_or_default()
    }
}
pub(crate) fn same_content(a: &Content, b: &Content) -> bool {
    a == b
}
impl Content {
    pub(crate) fn image_of(&self, _container: &str) -> Option<String> {
        None
    }
}
