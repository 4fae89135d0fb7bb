//! Failed reads and writes, without AWS's types.

/// The answer of a read, or the reason for the failure. An unknown state is never good: a trouble always blocks
/// progress.
pub(crate) type AwsResult<T> = Result<T, AwsError>;

/// [`AwsError::action`] of a job that got no id token from GitHub.
pub(crate) const ID_TOKEN: &str = "the job's id token";
/// [`AwsError::action`] of a job that was refused the role to assume.
pub(crate) const ASSUME_ROLE: &str = "sts:AssumeRoleWithWebIdentity";

/// The kind of failure, by the effect on the next action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AwsErrorKind {
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
    /// The resource does not exist: final.
    Missing,
    /// AWS refused the call for another reason: final.
    Refused,
}

impl AwsErrorKind {
    /// True if a retry of the same read may succeed.
    pub(crate) fn is_transient(self) -> bool {
        match self {
            AwsErrorKind::Throttled | AwsErrorKind::Unreachable | AwsErrorKind::TimedOut => true,
            AwsErrorKind::Denied
            | AwsErrorKind::Expired
            | AwsErrorKind::NoCredentials
            | AwsErrorKind::Missing
            | AwsErrorKind::Refused => false,
        }
    }
}

/// A failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    /// The kind of failure.
    pub(crate) kind: AwsErrorKind,
    /// The IAM action of the call: `ecs:DescribeServices`.
    pub(crate) action: &'static str,
    /// The resource of the call, as a user would name it: an ARN, or a name.
    pub(crate) resource: String,
    /// AWS's error code, if AWS answered.
    pub(crate) code: Option<String>,
    /// AWS's message, or the error chain, without secrets.
    pub(crate) message: String,
    /// True if a failed write may still have taken effect (no answer, or a 5xx).
    pub(crate) effect_unknown: bool,
}
