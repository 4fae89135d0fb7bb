//! Failures around a run: no HTTP client, the wrong account, a file of the runner that can't be written.

use std::time::Duration;

use crate::failure::{Failure, Reason};
use crate::plan::problem::Problem;

/// No HTTP client is possible: almost always, no CA certificates were found.
pub(crate) fn no_http_client(why: &str) -> Failure {
    Failure::new(
        Reason::Unreachable,
        format!("couldn't set up HTTPS: {why}"),
        "The CA certificates could not be read. The published image has them at \
         /etc/ssl/certs/ca-certificates.crt; in an image of your own, install ca-certificates or set SSL_CERT_FILE.",
    )
}

/// The credentials belong to an account that is not allowed.
pub(crate) fn wrong_account(account: &str, allowed: &[String]) -> Failure {
    Failure::new(
        Reason::WrongAccount,
        format!(
            "the AWS credentials belong to account {account}; `allowed-account-ids` allows {}",
            allowed.join(", ")
        ),
        "Assume a role of an allowed account in the step before, or correct `allowed-account-ids`.",
    )
}

/// ARNs of another account than the credentials' account; at least one.
pub(crate) fn foreign_arns(foreign: &[Problem]) -> Failure {
    let lines: Vec<String> = foreign.iter().map(Problem::to_string).collect();
    Failure::new(
        Reason::WrongAccount,
        format!("{}.", lines.join(".\n")),
        "Correct the ARN, or assume a role of its account in the step before. Nothing was changed.",
    )
}

/// A file of the runner that can't be written.
pub(crate) fn file_trouble(what: &str, error: &str) -> String {
    format!("couldn't write {what}: {error}. What happens in AWS is not affected.")
}

/// One attempt of a call, for debugging: the answer, its time, and the request id for AWS Support.
pub(crate) fn render_attempt(
    call: &str,
    status: Option<u16>,
    request: Option<&str>,
    took: Duration,
) -> String {
    let answer = status.map_or("no answer".to_owned(), |status| format!("HTTP {status}"));
    let request = request.map(|id| format!(", request {id}")).unwrap_or_default();
    format!("{call}: {answer} after {} ms{request}", took.as_millis())
}
