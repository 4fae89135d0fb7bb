//! A failed AWS call.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::sign_in;
use super::statement::iam_statement;
use crate::failure::{Failure, Reason};
use crate::plan::aws_error::{AwsError, AwsErrorKind};
use crate::report::names::{in_backticks, one_line};
use crate::report::secrets::{mask_line, mask_secrets};

/// An AWS error as a failure.
pub(crate) fn render_aws_error(trouble: &AwsError) -> Failure {
    // Values are hidden before the message is split: a value can contain the separator.
    let trouble = &AwsError { message: mask_secrets(&trouble.message), ..trouble.clone() };
    if let Some(failure) = sign_in::sign_in_failure(trouble) {
        return failure;
    }
    let (what, hint) = match trouble.kind {
        AwsErrorKind::Denied => render_denied(trouble),
        AwsErrorKind::Expired => (
            format!("The AWS credentials have expired or are not valid{}: {} was refused.", error_code(trouble), call_phrase(trouble)),
            EXPIRED.to_owned(),
        ),
        AwsErrorKind::NoCredentials => (no_credentials(trouble), NO_CREDENTIALS.to_owned()),
        AwsErrorKind::Throttled => (
            format!("AWS throttled {} until the time was up{}.", call_phrase(trouble), error_code(trouble)),
            "Something in this account and region makes many calls. Run again; raise `poll-interval` if many runs share the account.".to_owned(),
        ),
        AwsErrorKind::Unreachable => render_unreachable(trouble),
        AwsErrorKind::TimedOut => (
            format!("AWS did not answer {} in time{}.", call_phrase(trouble), error_message(trouble)),
            "Check the runner's way to the AWS endpoints (proxy, VPC endpoint, firewall), then run again.".to_owned(),
        ),
        AwsErrorKind::Missing => (
            format!("AWS does not find {} ({}{}){}.", in_backticks(&trouble.resource), in_backticks(trouble.action), comma_code(trouble), error_message(trouble)),
            "Check the name, the region and the account.".to_owned(),
        ),
        AwsErrorKind::Refused => (
            format!("AWS refused {}{}{}.", call_phrase(trouble), error_code(trouble), error_message(trouble)),
            "Correct what AWS names, then run again.".to_owned(),
        ),
    };
    let unknown = if trouble.effect_unknown { " It may have had its effect all the same." } else { "" };
    Failure::new(Reason::of_trouble(trouble.kind), what + unknown, hint)
}

/// Proxies by the service that they lead to, as IAM names it (`ecs`), each by host and port. The process is one run.
static PROXIES: RwLock<BTreeMap<String, String>> = RwLock::new(BTreeMap::new());

/// Has these proxies named from here on.
pub(crate) fn name_proxies(proxies: BTreeMap<String, String>) {
    *PROXIES.write().unwrap_or_else(PoisonError::into_inner) = proxies;
}

/// The proxy on the way to a call, if AWS could not be reached for it.
fn proxy_of(trouble: &AwsError, proxies: &BTreeMap<String, String>) -> Option<String> {
    let unanswered = matches!(trouble.kind, AwsErrorKind::Unreachable | AwsErrorKind::TimedOut);
    let (service, _) = trouble.action.split_once(':').filter(|_| unanswered)?;
    proxies.get(service).cloned()
}

/// The remedy for expired credentials.
const EXPIRED: &str =
    "Let the credentials outlive the run; the role's maximum session duration has to allow it:
  - uses: aws-actions/configure-aws-credentials@v6
    with:
      role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
      aws-region: REGION
      role-duration-seconds: 7200
Or give this action `role-to-assume`: it renews the role's credentials itself.";

/// The remedy for missing credentials.
const NO_CREDENTIALS: &str = "Add a step before this one that brings credentials:
  permissions:
    id-token: write
    contents: read
  steps:
    - uses: aws-actions/configure-aws-credentials@v6
      with:
        role-to-assume: arn:aws:iam::ACCOUNT_ID:role/ROLE
        aws-region: REGION";

/// Another remedy for an unreadable repository.
const OTHER_REPOSITORY: &str = "A repository of another account needs a repository policy, too, that allows `ecr:DescribeImages` to this role.\n";

/// No credentials, with the credential chain's message if there is one.
fn no_credentials(trouble: &AwsError) -> String {
    format!("There are no AWS credentials in this job{}.", error_message(trouble))
}

/// A call for a sentence: `` `ecs:UpdateService` on `web-green` ``.
fn call_phrase(trouble: &AwsError) -> String {
    if trouble.resource.is_empty() {
        return in_backticks(trouble.action);
    }
    format!("{} on {}", in_backticks(trouble.action), in_backticks(&trouble.resource))
}

/// AWS's code in parentheses.
pub(super) fn error_code(trouble: &AwsError) -> String {
    trouble.code.as_ref().map(|code| format!(" ({})", mask_line(code))).unwrap_or_default()
}

/// AWS's code after a comma.
fn comma_code(trouble: &AwsError) -> String {
    trouble.code.as_ref().map(|code| format!(", {}", mask_line(code))).unwrap_or_default()
}

/// AWS's message after a colon, and the proxy that kept the call from AWS.
pub(super) fn error_message(trouble: &AwsError) -> String {
    told_with(trouble, &PROXIES.read().unwrap_or_else(PoisonError::into_inner))
}

/// The same with these proxies.
fn told_with(trouble: &AwsError, proxies: &BTreeMap<String, String>) -> String {
    let message = one_line(&trouble.message);
    let message = Some(message.trim_end_matches('.').to_owned()).filter(|message| !message.is_empty());
    let proxy = proxy_of(trouble, proxies).map(|proxy| format!("requests go through the proxy `{proxy}`"));
    let parts: Vec<String> = message.into_iter().chain(proxy).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join("; ")) }
}

/// No connection: a certificate error has its own remedy.
fn render_unreachable(trouble: &AwsError) -> (String, String) {
    let what = format!(
        "AWS could not be reached for {}{}{}.",
        call_phrase(trouble),
        error_code(trouble),
        error_message(trouble)
    );
    let certificate = ["UnknownIssuer", "certificate", "CertNotValid"];
    let hint = if certificate.iter().any(|word| trouble.message.contains(word)) {
        "The runner does not trust the certificate that it was shown, as behind a proxy that opens TLS. Give the step its CA bundle, as a path inside the workspace:
  env:
    SSL_CERT_FILE: /github/workspace/ca-bundle.pem"
    } else {
        "Check the region, the runner's way to the AWS endpoints (proxy, VPC endpoint, firewall) and the AWS Health Dashboard, then run again."
    };
    (what, hint.to_owned())
}

/// A missing permission with the statement that grants it.
pub(super) fn render_denied(trouble: &AwsError) -> (String, String) {
    let denial = Denial::read(&trouble.message);
    let action = denial.as_ref().map_or(trouble.action, |denial| denial.action);
    let resource = denial.as_ref().and_then(|denial| denial.resource).unwrap_or(&trouble.resource);
    let (who, why) = match &denial {
        Some(denial) => (format!(" to {}", in_backticks(denial.who)), one_line(denial.why)),
        None => (String::new(), one_line(&trouble.message)),
    };
    let why = why.trim_start_matches("because ").trim_end_matches('.');
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    let what = format!(
        "AWS denied {} on {}{who}{}{why}.",
        in_backticks(action),
        in_backticks(resource),
        error_code(trouble)
    );
    if trouble.message.contains("explicit deny") {
        let hint = "An explicit deny (service control policy, permissions boundary or a Deny statement) forbids it: another Allow does not help. Ask who owns that policy.";
        return (what, hint.to_owned());
    }
    let other = if action == "ecr:DescribeImages" { OTHER_REPOSITORY } else { "" };
    (what, format!("{other}Add this statement to the role's policy:\n{}", iam_statement(action, resource)))
}

/// The parts of AWS's message about a denied call: action and resource can differ from the call's, as with
/// iam:PassRole.
struct Denial<'a> {
    /// The ARN of the denied caller.
    who: &'a str,
    /// The IAM action.
    action: &'a str,
    /// The resource, if the message names one.
    resource: Option<&'a str>,
    /// The rest: the kind of policy.
    why: &'a str,
}

impl<'a> Denial<'a> {
    /// Reads `User: WHO is not authorized to perform: ACTION on resource: RESOURCE because …`.
    fn read(message: &'a str) -> Option<Self> {
        let (who, rest) = message.strip_prefix("User: ")?.split_once(" is not authorized to perform: ")?;
        let (action, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_action = action.contains(':') && !action.contains(['"', '\\']);
        let (resource, why) = match rest.strip_prefix("on resource: ") {
            Some(rest) => {
                let (resource, why) = rest.split_once(' ').unwrap_or((rest, ""));
                (Some(resource.trim_matches(['"', '\''])), why)
            }
            None => (None, rest),
        };
        is_action.then_some(Denial { who, action, resource, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aws_that_a_proxy_hides_names_the_proxy_of_each_service() {
        let proxies = BTreeMap::from([("ecs".to_owned(), "proxy.corp:3128".to_owned())]);
        let of = |kind, action, message: &str| {
            let (resource, message, code) = (String::new(), message.to_owned(), None);
            told_with(&AwsError { kind, action, resource, code, message, effect_unknown: false }, &proxies)
        };
        let refused = "Connection refused";
        assert_eq!(
            of(AwsErrorKind::Unreachable, "ecs:UpdateService", refused),
            ": Connection refused; requests go through the proxy `proxy.corp:3128`"
        );
        assert_eq!(
            of(AwsErrorKind::TimedOut, "ecs:ListTasks", ""),
            ": requests go through the proxy `proxy.corp:3128`"
        );
        assert_eq!(of(AwsErrorKind::Unreachable, "ecr:DescribeImages", refused), ": Connection refused");
        assert_eq!(of(AwsErrorKind::Denied, "ecs:UpdateService", "no"), ": no");
        assert_eq!(of(AwsErrorKind::TimedOut, "the job's id token", ""), "");
    }
}
