//! A job without an id token, or without the wanted role.

use super::aws_error::{error_code, error_message, render_denied};
use crate::failure::{Failure, Reason};
use crate::plan::aws_error::{ASSUME_ROLE, AwsError, AwsErrorKind, ID_TOKEN};
use crate::report::names::{in_backticks, one_line};
use crate::report::paste::{arn_argument, paste_block};

/// The permission that an id token needs.
const PERMISSION: &str = "  permissions:
    id-token: write # to assume the AWS role without stored keys
    contents: read";

/// A role is wanted, and GitHub gives the job no id token. `role` is its ARN.
pub(crate) fn no_id_token(role: &str) -> Failure {
    let name = role.split_once(":role/").map_or(role, |(_, name)| name);
    Failure::new(
        Reason::CredentialsMissing,
        format!(
            "This job may not have an id token (ACTIONS_ID_TOKEN_REQUEST_URL is not set), so the role {} can't be assumed.",
            in_backticks(name)
        ),
        format!(
            "Add the permission to the job; a workflow that is called needs it in the calling job, too:\n{PERMISSION}\n\
             A pull request from a fork gets no id token."
        ),
    )
}

/// An AWS error on the way to the role as a failure; none for other errors.
pub(super) fn sign_in_failure(trouble: &AwsError) -> Option<Failure> {
    let (what, hint) = match trouble.action {
        ID_TOKEN => no_token(trouble)?,
        ASSUME_ROLE => no_role(trouble)?,
        _ => return None,
    };
    Some(Failure::new(Reason::of_trouble(trouble.kind), what, hint))
}

/// GitHub gave no token.
fn no_token(trouble: &AwsError) -> Option<(String, String)> {
    let what = format!("GitHub gave this job no id token{}.", error_message(trouble));
    let hint = match trouble.kind {
        AwsErrorKind::NoCredentials => format!(
            "The right to ask for it ends with the job. Run the job again; it needs\n{PERMISSION}"
        ),
        AwsErrorKind::Unreachable | AwsErrorKind::TimedOut => {
            "Run again; https://www.githubstatus.com tells whether GitHub Actions has trouble. A self-hosted runner \
             needs a way to *.actions.githubusercontent.com."
                .to_owned()
        }
        AwsErrorKind::Denied
        | AwsErrorKind::Expired
        | AwsErrorKind::Throttled
        | AwsErrorKind::Missing
        | AwsErrorKind::Refused => return None,
    };
    Some((what, hint))
}

/// STS did not let the job assume the role. None if the text for any other call fits.
fn no_role(trouble: &AwsError) -> Option<(String, String)> {
    let (message, claims) = Claims::split(&trouble.message);
    let said = AwsError { message: message.to_owned(), ..trouble.clone() };
    let role = in_backticks(&trouble.resource);
    match trouble.kind {
        AwsErrorKind::Denied if message.contains("explicit deny") => Some(render_denied(&said)),
        AwsErrorKind::Denied if trouble.code.as_deref() == Some("InvalidIdentityToken") => {
            let what = format!(
                "AWS does not take GitHub's id token for {role}{}{}.",
                error_code(trouble),
                error_message(&said)
            );
            Some((what, provider_hint(message, &trouble.resource, &claims)))
        }
        AwsErrorKind::Denied => {
            let what = format!(
                "AWS does not let this job assume {role}{}{}.",
                error_code(trouble),
                error_message(&said)
            );
            let hint = format!(
                "Let the role's trust policy name this job's subject; a role that does not exist is refused in the same words. Either form alone is enough:\n{}",
                trust_statement(&trouble.resource, &claims)
            );
            Some((what, hint))
        }
        AwsErrorKind::Expired => {
            let what = format!(
                "AWS takes GitHub's id token for expired{}{}.",
                error_code(trouble),
                error_message(&said)
            );
            let hint = "It was new: either the request took minutes, or a clock is off. Run again.";
            Some((what, hint.to_owned()))
        }
        AwsErrorKind::NoCredentials
        | AwsErrorKind::Throttled
        | AwsErrorKind::Unreachable
        | AwsErrorKind::TimedOut
        | AwsErrorKind::Missing
        | AwsErrorKind::Refused => None,
    }
}

/// The id token's claims about the job, if readable.
struct Claims<'a> {
    /// The issuer without `https://`.
    issuer: &'a str,
    /// The audience of the token.
    audience: &'a str,
    /// The job's subject, in both forms if both are known.
    subjects: Vec<&'a str>,
}

impl<'a> Claims<'a> {
    /// AWS's message and the claims behind it: `…; the id token says iss=… aud=… sub=… also=…`.
    fn split(message: &'a str) -> (&'a str, Self) {
        let unknown = Claims {
            issuer: "token.actions.githubusercontent.com",
            audience: "sts.amazonaws.com",
            subjects: vec![
                "repo:OWNER/REPO:ref:refs/heads/BRANCH",
                "repo:OWNER@OWNER_ID/REPO@REPO_ID:ref:refs/heads/BRANCH",
            ],
        };
        let Some((message, said)) = message.split_once("; the id token says iss=") else {
            return (message, unknown);
        };
        let parts = said.split_once(" aud=").and_then(|(issuer, rest)| {
            let (audience, subjects) = rest.split_once(" sub=")?;
            let issuer = issuer.strip_prefix("https://").unwrap_or(issuer);
            Some(Claims { issuer, audience, subjects: subjects.split(" also=").collect() })
        });
        (message, parts.unwrap_or(unknown))
    }
}

/// Partition and account of a role's ARN.
fn partition_and_account(role: &str) -> (&str, &str) {
    let mut parts = role.split(':').skip(1);
    (parts.next().unwrap_or("aws"), parts.nth(2).unwrap_or("ACCOUNT_ID"))
}

/// A text inside a JSON string.
fn json_text(text: &str) -> String {
    one_line(text).replace(['"', '\\'], "")
}

/// The ARN of the identity provider in the role's account.
fn provider_arn(role: &str, claims: &Claims<'_>) -> String {
    let (partition, account) = partition_and_account(role);
    format!(
        "arn:{}:iam::{}:oidc-provider/{}",
        json_text(partition),
        json_text(account),
        json_text(claims.issuer)
    )
}

/// The statement of the trust policy that admits this job.
fn trust_statement(role: &str, claims: &Claims<'_>) -> String {
    let subjects: Vec<String> =
        claims.subjects.iter().map(|subject| format!("        \"{}\"", json_text(subject))).collect();
    let issuer = json_text(claims.issuer);
    format!(
        r#"  {{
    "Effect": "Allow",
    "Principal": {{ "Federated": "{}" }},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {{ "StringEquals": {{
      "{issuer}:aud": "{}",
      "{issuer}:sub": [
{}
      ]
    }} }}
  }}"#,
        provider_arn(role, claims),
        json_text(claims.audience),
        subjects.join(",\n")
    )
}

/// The remedy if the account does not know the token's issuer or audience, or could not fetch the keys.
fn provider_hint(message: &str, role: &str, claims: &Claims<'_>) -> String {
    let (issuer, audience) = (json_text(claims.issuer), json_text(claims.audience));
    if message.contains("audience") {
        let arn = arn_argument(&provider_arn(role, claims));
        let command = format!(
            "  aws iam add-client-id-to-open-id-connect-provider --client-id {audience} --open-id-connect-provider-arn {arn}"
        );
        return format!(
            "The identity provider in the role's account has to know the audience:\n{}",
            paste_block(&[command], None)
        );
    }
    if message.contains("verification key") {
        return "AWS could not ask the issuer for its keys. Run again.".to_owned();
    }
    format!(
        "The role's account needs GitHub as an identity provider, once:\n  aws iam create-open-id-connect-provider --url https://{issuer} --client-id-list {audience}"
    )
}
