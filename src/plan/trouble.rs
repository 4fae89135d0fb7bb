//! What kept a read or a write from being answered, without AWS's types.

/// The answer of a read, or what kept it from being one. Unknown is not good: a trouble holds, it never passes.
pub(crate) type Read<T> = Result<T, Trouble>;

/// [`Trouble::action`] of a job that got no id token from GitHub.
pub(crate) const ID_TOKEN: &str = "the job's id token";
/// [`Trouble::action`] of a job that was refused the role to assume.
pub(crate) const ASSUME_ROLE: &str = "sts:AssumeRoleWithWebIdentity";

/// Why AWS did not answer, as far as it changes what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    /// A missing permission: final.
    Denied,
    /// The credentials expired or are not valid: final.
    Expired,
    /// No credentials were found: final.
    NoCredentials,
    /// Too many calls: try again.
    Throttled,
    /// No connection, or AWS answered 5xx: try again.
    Unreachable,
    /// No answer in time: try again.
    TimedOut,
    /// The thing does not exist: final.
    Missing,
    /// AWS refused the call for another reason: final.
    Refused,
}

impl TroubleKind {
    /// Whether the same read may be answered when it is tried again.
    pub(crate) fn passes(self) -> bool {
        match self {
            TroubleKind::Throttled | TroubleKind::Unreachable | TroubleKind::TimedOut => true,
            TroubleKind::Denied
            | TroubleKind::Expired
            | TroubleKind::NoCredentials
            | TroubleKind::Missing
            | TroubleKind::Refused => false,
        }
    }
}

/// A call that was not answered as hoped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What it means.
    pub(crate) kind: TroubleKind,
    /// The IAM action of the call: `ecs:DescribeServices`.
    pub(crate) action: &'static str,
    /// What it was about, as a user would name it: an ARN, or a name.
    pub(crate) resource: String,
    /// AWS's error code, where there was an answer.
    pub(crate) code: Option<String>,
    /// AWS's message, or the error chain, with no secret in it.
    pub(crate) message: String,
    /// For a write: whether it may have had its effect all the same (no answer, or a 5xx).
    pub(crate) effect_unknown: bool,
}
