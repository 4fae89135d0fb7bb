//! The content that a run posts on GitHub, and GitHub's answers, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The wanted state on GitHub. Stored for the post step if a run ends before posting everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PullRequestView {
    /// The comment's text.
    pub(crate) comment: Option<String>,
    /// The commits whose pull requests get the comment, unless a pull request is named. If empty, the run's commit.
    pub(crate) about: Vec<String>,
    /// The labels.
    pub(crate) labels: Option<Labels>,
    /// GitHub's deployment.
    pub(crate) deployment: Option<GithubDeployment>,
    /// The commit status.
    pub(crate) status: Option<Status>,
}

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    /// The name.
    pub(crate) name: String,
    /// Six hexadecimal digits.
    pub(crate) color: String,
    /// One line, at most 100 characters.
    pub(crate) description: String,
}

/// Labels by commit: the pull request of each commit gets that commit's labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Labels {
    /// Commits that run, or ran when the run began, with the labels for their pull requests.
    pub(crate) commits: Vec<(String, Vec<Label>)>,
    /// Name prefixes of the labels for running versions: the action's labels that are no longer wanted are removed.
    pub(crate) families: Vec<String>,
    /// True if the run's own pull request gets the label of a failed deploy, false if not; none leaves the label
    /// unchanged.
    pub(crate) failed: Option<bool>,
    /// The label of a failed deploy.
    pub(crate) failure: Option<Label>,
    /// The label of pull requests whose commits users have.
    #[serde(default)]
    pub(crate) live: Option<Label>,
    /// Commits that users lost: their pull requests lose the label `live`.
    #[serde(default)]
    pub(crate) lost: Vec<String>,
    /// Pull requests that are in one version alone, and if users have that version.
    #[serde(default)]
    pub(crate) live_pulls: Vec<(u64, bool)>,
}

/// GitHub's deployment, with its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GithubDeployment {
    /// The environment: `web-green`, `web-production`.
    pub(crate) environment: String,
    /// True if the color has users.
    pub(crate) production: bool,
    /// The running commit; none means the run's commit.
    pub(crate) commit: Option<String>,
    /// The run and step that created the deployment; unique among deployments.
    pub(crate) key: String,
    /// Short hash of account, region, cluster and app; empty if the account is unknown.
    #[serde(default)]
    pub(crate) place: String,
    /// `in_progress`, `success`, `failure`.
    pub(crate) state: String,
    /// One line, at most 140 characters.
    pub(crate) description: String,
    /// The address of the color.
    pub(crate) url: Option<String>,
    /// The page of the run.
    pub(crate) log_url: Option<String>,
    /// True if the deployment may be created; false if only an existing deployment is used.
    pub(crate) create: bool,
}

/// A commit status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Status {
    /// The running commit; none means the run's commit.
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

/// A part of the wanted state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The sticky comment.
    Comment,
    /// The labels.
    Labels,
    /// GitHub's deployment.
    Deployment,
    /// The commit status.
    Status,
}

/// An error from GitHub; never contains a token or a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GithubError {
    /// The kind.
    pub(crate) kind: GithubKind,
    /// The HTTP status, if GitHub answered.
    pub(crate) status: Option<u16>,
    /// True if a write may have taken effect anyway.
    pub(crate) effect_unknown: bool,
}

/// The kinds of errors from GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GithubKind {
    /// 401: the token is wrong, expired or revoked.
    Unauthorized,
    /// 403: the token lacks the permission.
    Forbidden,
    /// 403: no token may write, because the conversation is locked or the repository archived.
    Locked,
    /// 404: missing, or invisible to the token.
    NotFound,
    /// 422 and other answers to a bad request.
    Refused,
    /// Too many requests; time until the next try, if GitHub returned one.
    Limited(Option<Duration>),
    /// 5xx.
    RunFailure,
    /// No complete answer in time.
    Slow,
    /// No connection, or a broken connection.
    Down,
    /// An unreadable answer.
    Odd,
    /// The time ran out before the request was sent.
    NoTime,
}

impl GithubKind {
    /// True if another request now would fail the same way.
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
            | GithubKind::RunFailure
            | GithubKind::Odd => false,
        }
    }

    /// True if the same request may succeed later.
    pub(crate) fn is_transient(self) -> bool {
        match self {
            GithubKind::Limited(_)
            | GithubKind::RunFailure
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

/// The result of posting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Posted {
    /// The URL of the comment.
    pub(crate) comment_url: Option<String>,
    /// The named pull request, if GitHub does not show it.
    pub(crate) missing_pull: Option<u64>,
    /// True if the run has no pull request.
    pub(crate) no_pull_request: bool,
    /// The parts that were not posted, with the errors.
    pub(crate) troubles: Vec<(Part, GithubError)>,
}

/// The style of labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LabelStyle {
    /// Prefix of each name, such as `web `.
    pub(crate) prefix: String,
    /// Color of labels for blue: six hexadecimal digits.
    pub(crate) blue: String,
    /// Color of labels for green.
    pub(crate) green: String,
    /// Color of a split between both.
    pub(crate) split: String,
    /// Color of labels for develop.
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
