//! Tokens, with their users and permissions.

use super::model::User;
use std::time::{Duration, Instant, SystemTime};

/// A token's permission in one area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Nothing.
    #[default]
    None,
    /// Read.
    Read,
    /// Read and change.
    Write,
}

/// A token's permissions, by the names of a workflow's `permissions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions {
    /// Commits, branches.
    pub contents: Level,
    /// Issues, their comments and labels.
    pub issues: Level,
    /// Pull requests, their comments and labels.
    pub pull_requests: Level,
    /// Deployments and their statuses.
    pub deployments: Level,
    /// Commit statuses.
    pub statuses: Level,
}

impl Permissions {
    /// The same for every area.
    pub fn all(level: Level) -> Self {
        Self { contents: level, issues: level, pull_requests: level, deployments: level, statuses: level }
    }

    /// The permissions of a run for a fork's pull request: read-only.
    pub fn of_fork() -> Self {
        Self::all(Level::Read)
    }

    /// The level in an area.
    pub(super) fn level(&self, area: Area) -> Level {
        match area {
            Area::Metadata => Level::Read,
            Area::Contents => self.contents,
            Area::Issues => self.issues,
            Area::PullRequests => self.pull_requests,
            Area::Deployments => self.deployments,
            Area::Statuses => self.statuses,
        }
    }
}

/// An area of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// Data that every token with access to the repository may read.
    Metadata,
    /// `contents`.
    Contents,
    /// `issues`.
    Issues,
    /// `pull-requests`.
    PullRequests,
    /// `deployments`.
    Deployments,
    /// `statuses`.
    Statuses,
}

impl Area {
    /// The name in `x-accepted-github-permissions`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Contents => "contents",
            Self::Issues => "issues",
            Self::PullRequests => "pull_requests",
            Self::Deployments => "deployments",
            Self::Statuses => "statuses",
        }
    }
}

/// A token.
#[derive(Debug, Clone)]
pub struct Token {
    /// The name in the record of calls; never on the wire.
    pub name: String,
    /// The secret.
    pub secret: String,
    /// The acting user.
    pub user: User,
    /// True for an Actions token, which acts for the GitHub Actions app.
    pub app: bool,
    /// The permissions.
    pub permissions: Permissions,
    /// The token's repositories, as `owner/name`; empty for all.
    pub repositories: Vec<String>,
    /// True once revoked.
    pub revoked: bool,
    /// Requests an hour; 1,000 for an Actions token, 5,000 for a person's.
    pub limit: u32,
    /// Requests in this hour.
    pub used: u32,
    /// End of the hour.
    pub reset: SystemTime,
    /// Times of new content in the last minute.
    pub(super) writes: Vec<Instant>,
}

impl Token {
    /// A token of a workflow run.
    pub(super) fn of_actions(name: &str, secret: &str, permissions: Permissions) -> Self {
        Self {
            name: name.to_owned(),
            secret: secret.to_owned(),
            user: User::new("github-actions[bot]"),
            app: true,
            permissions,
            repositories: Vec::new(),
            revoked: false,
            limit: 1000,
            used: 0,
            reset: crate::clock::wall() + Duration::from_secs(3600),
            writes: Vec::new(),
        }
    }

    /// Turns this into a person's token.
    pub fn of_user(&mut self, login: &str) -> &mut Self {
        self.user = User::new(login);
        self.app = false;
        self.limit = 5000;
        self
    }

    /// Limits the token to one repository, `owner/name`; may be called again for more.
    pub fn only_for(&mut self, full_name: &str) -> &mut Self {
        self.repositories.push(full_name.to_owned());
        self
    }

    /// True if the token may know of a private repository.
    pub(super) fn sees(&self, full_name: &str) -> bool {
        let named = self.repositories.is_empty()
            || self.repositories.iter().any(|name| name.eq_ignore_ascii_case(full_name));
        named && self.permissions != Permissions::default()
    }
}
