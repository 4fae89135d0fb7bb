//! The commits between two commits.

use serde::Deserialize;

use super::client::path_segment;
use super::{GitHub, GithubResult};
use crate::plan::going_live::{Commit, Commits};

/// The relevant fields of a comparison.
#[derive(Debug, Deserialize)]
struct Compared {
    /// Number of commits that only the head has.
    ahead_by: u64,
    /// Number of commits that only the base has. GitHub does not list these.
    behind_by: u64,
    /// The commits that only the head has, oldest first; at most 250 without a page.
    #[serde(default)]
    commits: Vec<Listed>,
}

/// A commit of the list.
#[derive(Debug, Deserialize)]
struct Listed {
    /// The id.
    sha: String,
    /// The content.
    commit: CommitContent,
    /// The parents.
    #[serde(default)]
    parents: Vec<Parent>,
}

/// The content of a commit.
#[derive(Debug, Deserialize)]
struct CommitContent {
    /// The message.
    #[serde(default)]
    message: String,
    /// The author; none for a commit without.
    author: Option<CommitAuthor>,
}

/// The author of a commit.
#[derive(Debug, Deserialize)]
struct CommitAuthor {
    /// Time of writing, in ISO 8601.
    #[serde(default)]
    date: String,
}

/// A parent.
#[derive(Debug, Deserialize)]
struct Parent {
    /// The id.
    sha: String,
}

impl From<Listed> for Commit {
    fn from(listed: Listed) -> Self {
        Commit {
            sha: listed.sha,
            parents: listed.parents.into_iter().map(|parent| parent.sha).collect(),
            message: listed.commit.message,
            written: listed.commit.author.map(|author| author.date).unwrap_or_default(),
        }
    }
}

impl GitHub {
    /// The commits that the head has and the base lacks, and the number of commits that the base has and the head lacks.
    /// 404 for an unknown commit, and for two commits without a common one. Source: GitHub's docs, "Compare two
    /// commits": without a page, the newest 250 commits.
    pub(crate) async fn compare(&self, base: &str, head: &str) -> GithubResult<(Commits, u64)> {
        let path = format!("/compare/{}...{}", path_segment(base), path_segment(head));
        let found: Compared = self.get(&path).await?;
        let listed = found.commits.into_iter().map(Commit::from).collect();
        Ok((Commits { total: found.ahead_by, listed }, found.behind_by))
    }
}
