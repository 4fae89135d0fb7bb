//! Comments of a pull request.

use serde::Deserialize;
use serde_json::json;

use super::{Answer, GitHub};

/// A comment, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Comment {
    /// Its id; a later comment has a larger one.
    pub(crate) id: u64,
    /// Its text.
    #[serde(default)]
    pub(crate) body: String,
    /// Its page.
    #[serde(default)]
    pub(crate) html_url: String,
    /// Who wrote it.
    pub(crate) user: Option<User>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct User {
    /// Its name.
    #[serde(default)]
    pub(crate) login: String,
    /// `User`, `Bot`, …
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
}

impl User {
    /// Whether it is an app's, such as that of GitHub Actions.
    fn is_bot(&self) -> bool {
        self.kind == "Bot"
    }
}

impl GitHub {
    /// The comments whose text is one of these and that were written by the token's own account, oldest first. A person's
    /// token may ask who it is; an app's may not, and its comments are a bot's.
    pub(crate) async fn marked_comments(
        &self,
        pull: u64,
        own_text: impl Fn(&str) -> bool,
    ) -> Answer<Vec<Comment>> {
        let all: Vec<Comment> = self.list(&format!("/issues/{pull}/comments"), "").await?;
        let mut marked: Vec<Comment> = all.into_iter().filter(|comment| own_text(&comment.body)).collect();
        if !marked.is_empty() {
            let own = self.own_account().await?;
            marked.retain(|comment| match (&own, &comment.user) {
                (Some(own), Some(user)) => user.login == own.login,
                (None, Some(user)) => user.is_bot(),
                (_, None) => false,
            });
        }
        marked.sort_by_key(|comment| comment.id);
        Ok(marked)
    }

    /// The account of a person's token; none for an app's.
    async fn own_account(&self) -> Answer<Option<User>> {
        match self.get_root("/user").await {
            Ok(user) => Ok(Some(user)),
            Err(trouble) if matches!(trouble.status, Some(403 | 404)) && !trouble.kind.ends_all() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Writes a new comment.
    pub(crate) async fn create_comment(&self, pull: u64, text: &str) -> Answer<Comment> {
        self.post(&format!("/issues/{pull}/comments"), &json!({ "body": text })).await
    }

    /// Replaces a comment's text.
    pub(crate) async fn update_comment(&self, id: u64, text: &str) -> Answer<Comment> {
        self.patch(&format!("/issues/comments/{id}"), &json!({ "body": text })).await
    }

    /// Removes a comment.
    pub(crate) async fn delete_comment(&self, id: u64) -> Answer<()> {
        self.delete(&format!("/issues/comments/{id}")).await
    }
}
