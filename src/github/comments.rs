//! Comments of a pull request.

use serde::Deserialize;
use serde_json::json;

use super::{GitHub, GithubResult};
use crate::plan::time::Time;

/// The relevant fields of a comment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Comment {
    /// The id; a later comment has a larger id.
    pub(crate) id: u64,
    /// The text.
    #[serde(default)]
    pub(crate) body: String,
    /// The page.
    #[serde(default)]
    pub(crate) html_url: String,
    /// The author.
    pub(crate) user: Option<User>,
    /// Time of the last change, in ISO 8601.
    #[serde(default)]
    updated_at: String,
}

impl Comment {
    /// Time of the last change; none if GitHub does not name it.
    pub(crate) fn updated(&self) -> Option<Time> {
        Time::of_iso(&self.updated_at)
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct User {
    /// The name.
    #[serde(default)]
    pub(crate) login: String,
    /// `User`, `Bot`, …
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
}

impl User {
    /// True for an app's account, such as GitHub Actions.
    fn is_bot(&self) -> bool {
        self.kind == "Bot"
    }

    /// True if the account has this name. GraphQL may name an app's account without the `[bot]` that REST adds.
    fn is_named(&self, login: &str) -> bool {
        let name = if self.is_bot() { self.login.trim_end_matches("[bot]") } else { self.login.as_str() };
        self.login == login || self.is_bot() && name == login
    }
}

/// The answer to [`VIEWER`].
#[derive(Deserialize)]
struct Viewed {
    /// None if GitHub refuses the query.
    data: Option<Data>,
}

/// The data of the answer to [`VIEWER`].
#[derive(Deserialize)]
struct Data {
    /// The token's account.
    viewer: Viewer,
}

/// A token's account.
#[derive(Deserialize)]
struct Viewer {
    /// The name.
    login: String,
}

/// Reads the token's account. Needs no permission, and also works for an app's token, which may not use REST's `GET
/// /user`: `github-actions[bot]` for the token of a job.
const VIEWER: &str = "query { viewer { login } }";

impl GitHub {
    /// The matching comments by the token's own account, oldest first. GitHub lets a token change comments of others,
    /// so the author decides. If GitHub does not name the token's account, the token counts as an app's, and all
    /// comments of apps count.
    pub(crate) async fn marked_comments(
        &self,
        pull: u64,
        own_text: impl Fn(&str) -> bool,
    ) -> GithubResult<Vec<Comment>> {
        let all: Vec<Comment> = self.list(&format!("/issues/{pull}/comments"), "").await?;
        let mut marked: Vec<Comment> = all.into_iter().filter(|comment| own_text(&comment.body)).collect();
        if !marked.is_empty() {
            let own = self.own_login().await?;
            marked.retain(|comment| match (&own, &comment.user) {
                (Some(own), Some(user)) => user.is_named(own),
                (None, Some(user)) => user.is_bot(),
                (_, None) => false,
            });
        }
        marked.sort_by_key(|comment| comment.id);
        Ok(marked)
    }

    /// The name of the token's account; none if GitHub refuses.
    async fn own_login(&self) -> GithubResult<Option<String>> {
        match self.query::<Viewed>(VIEWER).await {
            Ok(viewed) => Ok(viewed.data.map(|data| data.viewer.login)),
            Err(trouble) if matches!(trouble.status, Some(403 | 404)) && !trouble.kind.ends_all() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Writes a new comment.
    pub(crate) async fn create_comment(&self, pull: u64, text: &str) -> GithubResult<Comment> {
        self.post(&format!("/issues/{pull}/comments"), &json!({ "body": text })).await
    }

    /// Replaces a comment's text.
    pub(crate) async fn update_comment(&self, id: u64, text: &str) -> GithubResult<Comment> {
        self.patch(&format!("/issues/comments/{id}"), &json!({ "body": text })).await
    }

    /// Removes a comment.
    pub(crate) async fn delete_comment(&self, id: u64) -> GithubResult<()> {
        self.delete(&format!("/issues/comments/{id}")).await
    }
}
