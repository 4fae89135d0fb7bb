//! Labels of the repository and of a pull request.

use serde::Deserialize;
use serde_json::{Value, json};

use super::client::path_segment;
use super::{GitHub, GithubResult};
use crate::feedback::{GithubKind, Label};

/// A label's name.
#[derive(Clone, Debug, Deserialize)]
struct Name {
    /// The name.
    name: String,
}

impl GitHub {
    /// The names of a pull request's labels.
    pub(crate) async fn labels(&self, pull: u64) -> GithubResult<Vec<String>> {
        let all: Vec<Name> = self.list(&format!("/issues/{pull}/labels"), "").await?;
        Ok(all.into_iter().map(|label| label.name).collect())
    }

    /// Makes sure that the repository has a label. An existing label keeps its color.
    pub(crate) async fn provide_label(&self, label: &Label) -> GithubResult<()> {
        let found: GithubResult<Value> = self.get(&format!("/labels/{}", path_segment(&label.name))).await;
        match found {
            Ok(_) => return Ok(()),
            Err(trouble) if trouble.kind == GithubKind::NotFound => {}
            Err(trouble) => return Err(trouble),
        }
        let body = json!({ "name": label.name, "color": label.color, "description": label.description });
        let made: GithubResult<Value> = self.post("/labels", &body).await;
        match made {
            Ok(_) => Ok(()),
            // Another run was faster.
            Err(trouble) if trouble.kind == GithubKind::Refused => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Adds labels to a pull request; existing labels stay.
    pub(crate) async fn add_labels(&self, pull: u64, names: &[&str]) -> GithubResult<()> {
        let made: GithubResult<Value> =
            self.post(&format!("/issues/{pull}/labels"), &json!({ "labels": names })).await;
        made.map(drop)
    }

    /// Removes a label from a pull request.
    pub(crate) async fn remove_label(&self, pull: u64, name: &str) -> GithubResult<()> {
        self.delete(&format!("/issues/{pull}/labels/{}", path_segment(name))).await
    }
}
