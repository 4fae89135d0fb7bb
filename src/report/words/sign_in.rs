//! A job that gets no id token, or not the role that it wants to assume.

use super::trouble::{code, denied, told};
use crate::failure::{Failure, Reason};
use crate::plan::trouble::{ASSUME_ROLE, ID_TOKEN, Trouble, TroubleKind};
use crate::report::names::{one_line, quoted};
use crate::report::paste::{arn_argument, block};

/// The permission that an id token needs.
const PERMISSION: &str = "  permissions:
    id-token: write # to assume the AWS role without stored keys
    contents: read";

/// There is a role to assume, and GitHub gives the job no id token. `role` is its ARN.
pub(crate) fn no_id_token(role: &str) -> Failure {
    let name = role.split_once(":role/").map_or(role, |(_, name)| name);
    Failure::new(
        Reason::CredentialsMissing,
        format!(
            "This job may not have an id token (ACTIONS_ID_TOKEN_REQUEST_URL is not set), so the role {} can't be assumed.",
            quoted(name)
        ),
        format!(
            "Add the permission to the job; a workflow that is called needs it in the calling job, too:\n{PERMISSION}\n\
             A pull request from a fork gets no id token."
        ),
    )
}

/// The failure that a trouble on the way to the role is; none for a trouble of another kind.
pub(super) fn refused(trouble: &Trouble) -> Option<Failure> {
    let (what, hint) = match trouble.action {
        ID_TOKEN => no_token(trouble)?,
        ASSUME_ROLE => no_role(trouble)?,
        _ => return None,
    };
    Some(Failure::new(Reason::of_trouble(trouble.kind), what, hint))
}

/// GitHub gave no token.
fn no_token(trouble: &Trouble) -> Option<(String, String)> {
    let what = format!("GitHub gave this job no id token{}.", told(trouble));
    let hint = match trouble.kind {
        TroubleKind::NoCredentials => format!(
            "The right to ask for it ends with the job. Run the job again; it needs\n{PERMISSION}"
        ),
        TroubleKind::Unreachable | TroubleKind::TimedOut => {
            "Run again; https://www.githubstatus.com tells whether GitHub Actions has trouble. A self-hosted runner \
             needs a way to *.actions.githubusercontent.com."
                .to_owned()
        }
        TroubleKind::Denied
        | TroubleKind::Expired
        | TroubleKind::Throttled
        | TroubleKind::Missing
        | TroubleKind::Refused => return None,
    };
    Some((what, hint))
}

/// STS did not let the job assume the role. None where the words for any other call fit.
fn no_role(trouble: &Trouble) -> Option<(String, String)> {
    let (message, claims) = Claims::split(&trouble.message);
    let said = Trouble { message: message.to_owned(), ..trouble.clone() };
    let role = quoted(&trouble.resource);
    match trouble.kind {
        TroubleKind::Denied if message.contains("explicit deny") => Some(denied(&said)),
        TroubleKind::Denied if trouble.code.as_deref() == Some("InvalidIdentityToken") => {
            let what =
                format!("AWS does not take GitHub's id token for {role}{}{}.", code(trouble), told(&said));
            Some((what, provider(message, &trouble.resource, &claims)))
        }
        TroubleKind::Denied => {
            let what = format!("AWS does not let this job assume {role}{}{}.", code(trouble), told(&said));
            let hint = format!(
                "Let the role's trust policy name this job's subject; a role that does not exist is refused in the same words. Either form alone is enough:\n{}",
                statement(&trouble.resource, &claims)
            );
            Some((what, hint))
        }
        TroubleKind::Expired => {
            let what = format!("AWS takes GitHub's id token for expired{}{}.", code(trouble), told(&said));
            let hint = "It was new: either the request took minutes, or a clock is off. Run again.";
            Some((what, hint.to_owned()))
        }
        TroubleKind::NoCredentials
        | TroubleKind::Throttled
        | TroubleKind::Unreachable
        | TroubleKind::TimedOut
        | TroubleKind::Missing
        | TroubleKind::Refused => None,
    }
}

/// What the id token says of the job, as far as it could be read.
struct Claims<'a> {
    /// The issuer without `https://`.
    issuer: &'a str,
    /// For whom the token is.
    audience: &'a str,
    /// The job's subject, in one form and in the other where both are known.
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
fn home(role: &str) -> (&str, &str) {
    let mut parts = role.split(':').skip(1);
    (parts.next().unwrap_or("aws"), parts.nth(2).unwrap_or("ACCOUNT_ID"))
}

/// A text inside a JSON string.
fn inner(text: &str) -> String {
    one_line(text).replace(['"', '\\'], "")
}

/// The ARN of the identity provider in the role's account.
fn provider_arn(role: &str, claims: &Claims<'_>) -> String {
    let (partition, account) = home(role);
    format!("arn:{}:iam::{}:oidc-provider/{}", inner(partition), inner(account), inner(claims.issuer))
}

/// The statement of the trust policy that lets this job in.
fn statement(role: &str, claims: &Claims<'_>) -> String {
    let subjects: Vec<String> =
        claims.subjects.iter().map(|subject| format!("        \"{}\"", inner(subject))).collect();
    let issuer = inner(claims.issuer);
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
        inner(claims.audience),
        subjects.join(",\n")
    )
}

/// What to do when the account does not know the token's issuer, or not its audience, or could not ask for the keys.
fn provider(message: &str, role: &str, claims: &Claims<'_>) -> String {
    let (issuer, audience) = (inner(claims.issuer), inner(claims.audience));
    if message.contains("audience") {
        let arn = arn_argument(&provider_arn(role, claims));
        let command = format!(
            "  aws iam add-client-id-to-open-id-connect-provider --client-id {audience} --open-id-connect-provider-arn {arn}"
        );
        return format!(
            "The identity provider in the role's account has to know the audience:\n{}",
            block(&[command], None)
        );
    }
    if message.contains("verification key") {
        return "AWS could not ask the issuer for its keys. Run again.".to_owned();
    }
    format!(
        "The role's account needs GitHub as an identity provider, once:\n  aws iam create-open-id-connect-provider --url https://{issuer} --client-id-list {audience}"
    )
}
