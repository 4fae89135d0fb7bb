//! Pull requests of a commit.

use serde::Deserialize;

use super::{GitHub, GithubResult};
use crate::feedback::GithubKind;

/// The relevant fields of a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Pull {
    /// The number.
    pub(crate) number: u64,
    /// `open` or `closed`.
    #[serde(default)]
    pub(crate) state: String,
    /// True if merged. Lists of pull requests lack the field.
    #[serde(default)]
    pub(crate) merged: bool,
    /// The commit that a merge of the pull request created, or would create.
    pub(crate) merge_commit_sha: Option<String>,
    /// The source branch.
    pub(crate) head: Option<Head>,
}

/// A pull request's source branch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Head {
    /// The branch.
    #[serde(rename = "ref", default)]
    pub(crate) branch: String,
    /// The newest commit.
    #[serde(default)]
    pub(crate) sha: String,
    /// The repository; none if deleted.
    pub(crate) repo: Option<HeadRepository>,
}

/// The repository of a pull request's source branch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct HeadRepository {
    /// `owner/name`.
    #[serde(default)]
    pub(crate) full_name: String,
}

impl GitHub {
    /// A pull request by its number.
    pub(crate) async fn pull(&self, number: u64) -> GithubResult<Pull> {
        self.get(&format!("/pulls/{number}")).await
    }

    /// The pull requests of a commit; none for a commit that GitHub does not know.
    pub(crate) async fn pulls_of(&self, commit: &str) -> GithubResult<Vec<Pull>> {
        match self.list(&format!("/commits/{commit}/pulls"), "").await {
            Err(trouble) if trouble.kind == GithubKind::Refused => Ok(Vec::new()),
            answer => answer,
        }
    }
}
