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
    /// The account that wrote the comment.
    pub(crate) user: Option<User>,
    /// The GitHub App that wrote for the account; none for a person's own token.
    performed_via_github_app: Option<GithubApp>,
    /// Time of the last change, in ISO 8601.
    #[serde(default)]
    updated_at: String,
}

impl Comment {
    /// Time of the last change; none if GitHub does not name it.
    pub(crate) fn updated(&self) -> Option<Time> {
        Time::of_iso(&self.updated_at)
    }

    /// The author; none for a deleted account.
    pub(crate) fn author(&self) -> Option<Author> {
        let user = self.user.as_ref()?;
        let app = self.performed_via_github_app.as_ref().filter(|_| !user.is_bot());
        Some(Author { login: user.login.clone(), app: app.map(|app| app.slug.clone()) })
    }
}

/// The author of a comment: an account, and the app that wrote for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Author {
    /// The account's name.
    pub(crate) login: String,
    /// The app's name in addresses; none for an app's own account and for a person without an app.
    app: Option<String>,
}

/// A GitHub App.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct GithubApp {
    /// The name in addresses.
    #[serde(default)]
    slug: String,
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
    /// The matching comments by the token's own author, oldest first. GitHub lets a token change comments of others, so
    /// the author decides: `own`, if a comment of this token told it. Otherwise the token's account without an app
    /// between; none if GitHub does not name the account.
    pub(crate) async fn marked_comments(
        &self,
        pull: u64,
        own: Option<&Author>,
        own_text: impl Fn(&str) -> bool,
    ) -> GithubResult<Vec<Comment>> {
        let all: Vec<Comment> = self.list(&format!("/issues/{pull}/comments"), "").await?;
        let mut marked: Vec<Comment> = all.into_iter().filter(|comment| own_text(&comment.body)).collect();
        if let Some(own) = own {
            marked.retain(|comment| comment.author().as_ref() == Some(own));
        } else if !marked.is_empty() {
            let login = self.own_login().await?;
            let is_own = |user: &User| login.as_ref().is_some_and(|login| user.is_named(login));
            marked.retain(|comment| {
                comment.user.as_ref().is_some_and(is_own)
                    && comment.author().is_some_and(|author| author.app.is_none())
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
