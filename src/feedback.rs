//! What GitHub is to show of a run, and what it answered, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What shall stand on GitHub. Kept for the post step where a run ended before all of it was posted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Showing {
    /// The comment's text.
    pub(crate) comment: Option<String>,
    /// The commits whose pull requests it stands on, unless one is named; where there is none, that of the run.
    pub(crate) about: Vec<String>,
    /// The labels.
    pub(crate) labels: Option<Labels>,
    /// The deployment of GitHub's.
    pub(crate) deployment: Option<Deployment>,
    /// The commit status.
    pub(crate) status: Option<Status>,
}

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// Its name.
    pub(crate) name: String,
    /// Six hexadecimal digits.
    pub(crate) color: String,
    /// One line, at most 100 characters.
    pub(crate) description: String,
}

/// Labels by commit: each stands on the pull request of its commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Labels {
    /// Commits that run, or ran when the run began, with what their pull requests shall carry.
    pub(crate) commits: Vec<(String, Vec<Label>)>,
    /// Beginnings of the names of labels that say what runs: what is ours and not wanted of them is removed.
    pub(crate) families: Vec<String>,
    /// Whether the run's own pull request shall carry the label of a failed deploy; none leaves it as it is.
    pub(crate) failed: Option<bool>,
    /// The label of a failed deploy.
    pub(crate) failure: Option<Label>,
}

/// A deployment of GitHub's, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deployment {
    /// The environment: `web-green`, `web-production`.
    pub(crate) environment: String,
    /// Whether users are there.
    pub(crate) production: bool,
    /// The commit that runs there; none means that of the run.
    pub(crate) commit: Option<String>,
    /// Which run and step made it; no other deployment has the same.
    pub(crate) key: String,
    /// The short sum of its account, region, cluster and app; empty if the account is not known.
    #[serde(default)]
    pub(crate) place: String,
    /// `in_progress`, `success`, `failure`.
    pub(crate) state: String,
    /// One line, at most 140 characters.
    pub(crate) description: String,
    /// Where the color answers.
    pub(crate) url: Option<String>,
    /// The page of the run.
    pub(crate) log_url: Option<String>,
    /// Whether it may be made, or only found again.
    pub(crate) create: bool,
}

/// A commit status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The commit that runs there; none means that of the run.
    pub(crate) commit: Option<String>,
    /// The stable name, for branch rules: `ecs-blue-green/web eu-west-1 1a2b3c4d`.
    pub(crate) context: String,
    /// `pending`, `success`, `failure`, `error`.
    pub(crate) state: String,
    /// One line, at most 140 characters.
    pub(crate) description: String,
    /// The page of the run.
    pub(crate) url: Option<String>,
}

/// What a run can post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The sticky comment.
    Comment,
    /// The labels.
    Labels,
    /// The deployment of GitHub's.
    Deployment,
    /// The commit status.
    Status,
}

/// Why GitHub did not do what it was asked to. Never holds a token or a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GithubTrouble {
    /// The kind.
    pub(crate) kind: GithubKind,
    /// The HTTP status, where there was an answer.
    pub(crate) status: Option<u16>,
    /// Whether a write may have been carried out all the same.
    pub(crate) effect_unknown: bool,
}

/// The kinds of trouble with GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GithubKind {
    /// 401: the token is wrong, expired or revoked.
    Unauthorized,
    /// 403: the token may not.
    Forbidden,
    /// 403: nobody may, since the conversation is locked or the repository archived.
    Locked,
    /// 404: it is not there, or the token may not see it.
    NotFound,
    /// 422 and other answers to what was sent.
    Refused,
    /// Too many requests; when to ask again, where GitHub says so.
    Limited(Option<Duration>),
    /// 5xx.
    Failing,
    /// No whole answer in time.
    Slow,
    /// No connection, or it broke off.
    Down,
    /// An answer that could not be read.
    Odd,
    /// The time for it ended before it was GitHub's turn.
    NoTime,
}

impl GithubKind {
    /// Whether asking for something else now would end the same way.
    pub(crate) fn ends_all(self) -> bool {
        match self {
            GithubKind::Unauthorized
            | GithubKind::Limited(_)
            | GithubKind::Slow
            | GithubKind::Down
            | GithubKind::NoTime => true,
            GithubKind::Forbidden
            | GithubKind::Locked
            | GithubKind::NotFound
            | GithubKind::Refused
            | GithubKind::Failing
            | GithubKind::Odd => false,
        }
    }

    /// Whether the same may be taken when it is asked for later.
    pub(crate) fn passes(self) -> bool {
        match self {
            GithubKind::Limited(_)
            | GithubKind::Failing
            | GithubKind::Slow
            | GithubKind::Down
            | GithubKind::Odd
            | GithubKind::NoTime => true,
            GithubKind::Unauthorized
            | GithubKind::Forbidden
            | GithubKind::Locked
            | GithubKind::NotFound
            | GithubKind::Refused => false,
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posted {
    /// Where the comment is.
    pub(crate) comment_url: Option<String>,
    /// The pull request that is named and that GitHub does not show.
    pub(crate) missing_pull: Option<u64>,
    /// Whether no pull request belongs to the run.
    pub(crate) no_pull_request: bool,
    /// What could not be posted, and why.
    pub(crate) troubles: Vec<(Part, GithubTrouble)>,
}

/// How labels look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelStyle {
    /// Before each name, such as `web `.
    pub(crate) prefix: String,
    /// Color of what is about blue: six hexadecimal digits.
    pub(crate) blue: String,
    /// Color of what is about green.
    pub(crate) green: String,
    /// Color of a split between both.
    pub(crate) split: String,
    /// Color of what is about develop.
    pub(crate) develop: String,
    /// Color of a failure.
    pub(crate) failed: String,
}

impl Default for LabelStyle {
    fn default() -> Self {
        LabelStyle {
            prefix: String::new(),
            blue: "1d76db".to_owned(),
            green: "0e8a16".to_owned(),
            split: "fbca04".to_owned(),
            develop: "8250df".to_owned(),
            failed: "d73a4a".to_owned(),
        }
    }
}
