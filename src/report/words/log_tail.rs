//! The last lines of a failed container's log, and why there are none.

use super::render_aws_error;
use crate::plan::aws_error::{AwsError, AwsErrorKind};
use crate::report::names::in_backticks;

/// `The last 20 lines of the log of CONTAINER`. `container` is ready for its place.
pub(crate) fn last_lines_title(container: &str, count: usize) -> String {
    match count {
        1 => format!("The last line of the log of {container}"),
        count => format!("The last {count} lines of the log of {container}"),
    }
}

/// A log without lines.
pub(crate) fn log_is_empty(container: &str) -> String {
    format!("The log of {} is empty.", in_backticks(container))
}

/// An unread log, with the statement that grants the permission if denied.
pub(crate) fn log_not_shown(container: &str, trouble: &AwsError) -> String {
    let failure = render_aws_error(trouble);
    let hint = match trouble.kind {
        AwsErrorKind::Denied => format!("\n{}", failure.hint),
        AwsErrorKind::Expired
        | AwsErrorKind::NoCredentials
        | AwsErrorKind::Throttled
        | AwsErrorKind::Unreachable
        | AwsErrorKind::TimedOut
        | AwsErrorKind::Missing
        | AwsErrorKind::Refused => String::new(),
    };
    format!("The log of {} is not shown. {}{hint}", in_backticks(container), failure.what)
}
