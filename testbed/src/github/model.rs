//! The content of a repository: branches, commits, issues and pull requests, labels, comments.

use super::deployments::Deployment;
use super::statuses::Status;
use crate::elb::time::iso8601;
use sha2::{Digest, Sha256};
use std::time::SystemTime;

/// `2026-11-21T08:44:55Z`, GitHub's form of a time.
pub(super) fn date(time: SystemTime) -> String {
    let text = iso8601(time);
    format!("{}Z", text.get(..19).unwrap_or(&text))
}

/// A person or a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Such as `octocat` or `github-actions[bot]`.
    pub login: String,
    /// GitHub's number of the account.
    pub id: u64,
}

impl User {
    /// An account; the same login always has the same id. The Actions bot has its real id.
    pub fn new(login: &str) -> Self {
        let hash = Sha256::digest(login.to_lowercase());
        let number = hash.iter().take(3).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        let id = if login == "github-actions[bot]" { 41_898_282 } else { 1_000_000 + number };
        Self { login: login.to_owned(), id }
    }

    /// True if GitHub calls the account a `Bot`.
    pub fn is_bot(&self) -> bool {
        self.login.ends_with("[bot]")
    }
}

/// A commit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// 40 hexadecimal digits.
    pub sha: String,
    /// The ids of its parents.
    pub parents: Vec<String>,
    /// The message.
    pub message: String,
    /// The author.
    pub author: User,
    /// Time of writing.
    pub at: SystemTime,
    /// True if the default branch contains the commit.
    pub on_default_branch: bool,
}

/// A label of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// A unique id.
    pub id: u64,
    /// The name; case is kept, but does not distinguish two labels.
    pub name: String,
    /// Six hexadecimal digits.
    pub color: String,
    /// At most 100 characters.
    pub description: Option<String>,
}

/// A comment on an issue or a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// A unique id.
    pub id: u64,
    /// The number of the issue.
    pub issue: u64,
    /// The Markdown.
    pub body: String,
    /// The author.
    pub user: User,
    /// True if an Actions token wrote the comment.
    pub by_app: bool,
    /// Time of writing.
    pub created_at: SystemTime,
    /// Time of the last edit.
    pub updated_at: SystemTime,
}

/// The additional fields of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branches {
    /// The head's commit.
    pub head_sha: String,
    /// The head's branch.
    pub head_ref: String,
    /// The branch to merge into.
    pub base: String,
    /// The owner of the head's fork; `None` for the repository itself.
    pub fork: Option<String>,
    /// Further commits, in addition to the head.
    pub commits: Vec<String>,
    /// The merge commit on the base, and its time.
    pub merged: Option<(String, SystemTime)>,
    /// True for a draft.
    pub draft: bool,
}

/// An issue, or a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// A unique id.
    pub id: u64,
    /// The number in the repository.
    pub number: u64,
    /// The title.
    pub title: String,
    /// The description.
    pub body: Option<String>,
    /// The author.
    pub user: User,
    /// True if open.
    pub open: bool,
    /// True if the conversation is locked.
    pub locked: bool,
    /// Names of the labels, in order of addition.
    pub labels: Vec<String>,
    /// Time of opening.
    pub created_at: SystemTime,
    /// Time of the last change.
    pub updated_at: SystemTime,
    /// The branches of a pull request.
    pub pull: Option<Branches>,
}

impl Issue {
    /// Moves the head of a pull request into a fork of this owner.
    pub fn from_fork(&mut self, owner: &str) -> &mut Self {
        if let Some(branches) = &mut self.pull {
            branches.fork = Some(owner.to_owned());
        }
        self
    }

    /// Closes the issue.
    pub fn close(&mut self) -> &mut Self {
        self.open = false;
        self
    }

    /// Merges a pull request; `sha` is the merge commit on the base.
    pub fn merge(&mut self, sha: &str) -> &mut Self {
        if let Some(branches) = &mut self.pull {
            branches.merged = Some((sha.to_owned(), crate::clock::wall()));
        }
        self.close()
    }

    /// Adds a further commit to a pull request.
    pub fn contains(&mut self, sha: &str) -> &mut Self {
        if let Some(branches) = &mut self.pull {
            branches.commits.push(sha.to_owned());
        }
        self
    }
}

/// A repository and its content.
#[derive(Debug, Clone)]
pub struct Repository {
    /// The owner's account.
    pub owner: User,
    /// The name.
    pub name: String,
    /// GitHub's number of the repository.
    pub id: u64,
    /// True if only tokens with a permission see the repository.
    pub private: bool,
    /// Such as `main`.
    pub default_branch: String,
    /// Branches, each with its commit.
    pub branches: Vec<(String, String)>,
    /// The known commits.
    pub commits: Vec<Commit>,
    /// Issues and pull requests.
    pub issues: Vec<Issue>,
    /// The repository's labels.
    pub labels: Vec<Label>,
    /// Comments on all issues, in the order of their ids.
    pub comments: Vec<Comment>,
    /// Deployments, oldest first.
    pub deployments: Vec<Deployment>,
    /// Commit statuses, oldest first.
    pub statuses: Vec<Status>,
    /// Branches that lack commits of the default branch; true if a merge would conflict.
    pub behind: Vec<(String, bool)>,
    /// Source of ids.
    serial: u64,
}

impl Repository {
    /// An empty public repository whose default branch is `main`.
    pub(super) fn new(owner: &str, name: &str, id: u64) -> Self {
        Self {
            owner: User::new(owner),
            name: name.to_owned(),
            id,
            private: false,
            default_branch: "main".to_owned(),
            branches: Vec::new(),
            commits: Vec::new(),
            issues: Vec::new(),
            labels: Vec::new(),
            comments: Vec::new(),
            deployments: Vec::new(),
            statuses: Vec::new(),
            behind: Vec::new(),
            serial: 0,
        }
    }

    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner.login, self.name)
    }

    /// A new unique id on this GitHub.
    pub(super) fn new_id(&mut self) -> u64 {
        self.serial += 1;
        self.id * 1_000_000 + self.serial
    }

    /// Makes the repository private.
    pub fn private(&mut self) -> &mut Self {
        self.private = true;
        self
    }

    /// Adds a commit outside of the default branch; an existing commit stays.
    pub fn commit(&mut self, sha: &str) -> &mut Commit {
        let at = self.commits.iter().position(|commit| commit.sha == sha).unwrap_or_else(|| {
            let author = User::new("octocat");
            let (message, at) = ("Change the greeting".to_owned(), crate::clock::wall());
            let sha = sha.to_owned();
            let parents = Vec::new();
            self.commits.push(Commit { sha, parents, message, author, at, on_default_branch: false });
            self.commits.len() - 1
        });
        &mut self.commits[at]
    }

    /// Adds a commit with its parents, which were added before, and its message.
    pub fn commit_on(&mut self, parents: &[&str], sha: &str, message: &str) -> &mut Self {
        let commit = self.commit(sha);
        commit.parents = parents.iter().map(|&parent| parent.to_owned()).collect();
        commit.message = message.to_owned();
        self
    }

    /// Puts a branch at a commit.
    pub fn branch(&mut self, name: &str, sha: &str) -> &mut Self {
        let on_default = name == self.default_branch;
        let commit = self.commit(sha);
        commit.on_default_branch |= on_default;
        self.branches.retain(|(branch, _)| branch != name);
        self.branches.push((name.to_owned(), sha.to_owned()));
        self
    }

    /// Opens an issue.
    pub fn issue(&mut self, number: u64) -> &mut Issue {
        let now = crate::clock::wall();
        let issue = Issue {
            id: self.new_id(),
            number,
            title: "Change the greeting".to_owned(),
            body: None,
            user: User::new("octocat"),
            open: true,
            locked: false,
            labels: Vec::new(),
            created_at: now,
            updated_at: now,
            pull: None,
        };
        self.issues.retain(|other| other.number != number);
        self.issues.push(issue);
        let last = self.issues.len() - 1;
        &mut self.issues[last]
    }

    /// Opens a pull request from a branch of this repository; `from_fork` on the result moves its head.
    pub fn pull(&mut self, number: u64, head_sha: &str, head_ref: &str, base: &str) -> &mut Issue {
        self.commit(head_sha);
        let issue = self.issue(number);
        issue.pull = Some(Branches {
            head_sha: head_sha.to_owned(),
            head_ref: head_ref.to_owned(),
            base: base.to_owned(),
            fork: None,
            commits: Vec::new(),
            merged: None,
            draft: false,
        });
        issue
    }

    /// Writes a comment as this user; returns its id.
    pub fn write_comment(&mut self, issue: u64, login: &str, body: &str) -> u64 {
        let (id, now) = (self.new_id(), crate::clock::wall());
        let user = User::new(login);
        let by_app = user.login == "github-actions[bot]";
        let body = body.to_owned();
        self.comments.push(Comment { id, issue, body, user, by_app, created_at: now, updated_at: now });
        id
    }

    /// The comments on an issue, oldest first.
    pub fn comments(&self, issue: u64) -> Vec<Comment> {
        self.comments.iter().filter(|comment| comment.issue == issue).cloned().collect()
    }

    /// The names of an issue's labels.
    pub fn labels_of(&self, number: u64) -> Vec<String> {
        self.find_issue(number).map(|issue| issue.labels.clone()).unwrap_or_default()
    }

    /// An issue or pull request by its number.
    pub fn find_issue(&self, number: u64) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.number == number)
    }

    /// The same, mutable.
    pub fn find_issue_mut(&mut self, number: u64) -> Option<&mut Issue> {
        self.issues.iter_mut().find(|issue| issue.number == number)
    }

    /// A label by its name, case-insensitive.
    pub fn find_label(&self, name: &str) -> Option<&Label> {
        self.labels.iter().find(|label| same_name(&label.name, name))
    }

    /// The commit of a branch, of its `refs/` form, or of a SHA with at least seven digits.
    pub fn resolve(&self, reference: &str) -> Option<&Commit> {
        let name = reference.strip_prefix("refs/").unwrap_or(reference);
        let name = name.strip_prefix("heads/").unwrap_or(name);
        let of_pull = |issue: &&Issue| {
            issue.pull.as_ref().is_some_and(|pull| pull.fork.is_none() && pull.head_ref == name)
        };
        let branch = self.branches.iter().find(|(branch, _)| branch == name).map(|(_, sha)| sha);
        let head = || self.issues.iter().find(of_pull)?.pull.as_ref().map(|pull| &pull.head_sha);
        let sha = branch.or_else(head).map_or(reference, String::as_str);
        self.commits
            .iter()
            .find(|commit| commit.sha == sha || (sha.len() >= 7 && commit.sha.starts_with(sha)))
    }
}

/// True if GitHub treats two label names as the same.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}
