//! Pull requests of a commit.

use serde::Deserialize;

use super::{Answer, GitHub};
use crate::feedback::GithubKind;

/// A pull request, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Pull {
    /// Its number.
    pub(crate) number: u64,
    /// `open` or `closed`.
    #[serde(default)]
    pub(crate) state: String,
    /// The commit that merging it made, or would make.
    pub(crate) merge_commit_sha: Option<String>,
    /// Where it comes from.
    pub(crate) head: Option<Head>,
}

/// Where a pull request comes from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Head {
    /// The branch.
    #[serde(rename = "ref", default)]
    pub(crate) branch: String,
    /// Its newest commit.
    #[serde(default)]
    pub(crate) sha: String,
}

impl GitHub {
    /// A pull request by its number.
    pub(crate) async fn pull(&self, number: u64) -> Answer<Pull> {
        self.get(&format!("/pulls/{number}")).await
    }

    /// The pull requests that a commit belongs to; none for a commit that GitHub does not know.
    pub(crate) async fn pulls_of(&self, commit: &str) -> Answer<Vec<Pull>> {
        match self.list(&format!("/commits/{commit}/pulls"), "").await {
            Err(trouble) if trouble.kind == GithubKind::Refused => Ok(Vec::new()),
            answer => answer,
        }
    }
}
