//! A job that gets no id token, or not its role.

use super::read;
use crate::plan::aws_error::{ASSUME_ROLE, AwsError, AwsErrorKind, ID_TOKEN};
use crate::report::fixtures::trouble;
use crate::report::words;

/// The role of these tests.
const ROLE: &str = "arn:aws-cn:iam::123456789012:role/ci/deploy";

/// What the id token says of the job.
const SAYS: &str = "; the id token says iss=https://token.actions.githubusercontent.com aud=sts.amazonaws.com.cn \
                    sub=repo:shop/web:environment:a \"b\" also=repo:shop@17/web@42:environment:a \"b\"";

/// A refusal of the role, as it is read.
fn no_role(kind: AwsErrorKind, code: &str, message: &str) -> String {
    let refused = trouble(kind, code, message);
    read(&words::render_aws_error(&AwsError { action: ASSUME_ROLE, resource: ROLE.to_owned(), ..refused }))
}

#[test]
fn a_job_without_an_id_token_reads_the_lines_to_paste() {
    insta::assert_snapshot!(read(&words::no_id_token(ROLE)), @r"
    [credentials-missing] This job may not have an id token (ACTIONS_ID_TOKEN_REQUEST_URL is not set), so the role `ci/deploy` can't be assumed.
    Add the permission to the job; a workflow that is called needs it in the calling job, too:
      permissions:
        id-token: write # to assume the AWS role without stored keys
        contents: read
    A pull request from a fork gets no id token.
    ");
    let none = |kind, message| {
        let missing = trouble(kind, "", message);
        read(&words::render_aws_error(&AwsError { action: ID_TOKEN, resource: String::new(), ..missing }))
    };
    let all = [
        none(AwsErrorKind::NoCredentials, "it answered with HTTP 401"),
        none(AwsErrorKind::Unreachable, "it answered with HTTP 503"),
        none(AwsErrorKind::TimedOut, "it did not answer in time"),
    ];
    insta::assert_snapshot!(all.join("\n"), @r"
    [credentials-missing] GitHub gave this job no id token: it answered with HTTP 401.
    The right to ask for it ends with the job. Run the job again; it needs
      permissions:
        id-token: write # to assume the AWS role without stored keys
        contents: read

    [unreachable] GitHub gave this job no id token: it answered with HTTP 503.
    Run again; https://www.githubstatus.com tells whether GitHub Actions has trouble. A self-hosted runner needs a way to *.actions.githubusercontent.com.

    [unreachable] GitHub gave this job no id token: it did not answer in time.
    Run again; https://www.githubstatus.com tells whether GitHub Actions has trouble. A self-hosted runner needs a way to *.actions.githubusercontent.com.
    ");
}

#[test]
fn a_role_that_does_not_trust_the_job_is_told_with_the_statement() {
    let message = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
    insta::assert_snapshot!(no_role(AwsErrorKind::Denied, "AccessDenied", &format!("{message}{SAYS}")), @r#"
    [access-denied] AWS does not let this job assume `arn:aws-cn:iam::123456789012:role/ci/deploy` (AccessDenied): Not authorized to perform sts:AssumeRoleWithWebIdentity.
    Let the role's trust policy name this job's subject; a role that does not exist is refused in the same words. Either form alone is enough:
      {
        "Effect": "Allow",
        "Principal": { "Federated": "arn:aws-cn:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": {
          "token.actions.githubusercontent.com:aud": "sts.amazonaws.com.cn",
          "token.actions.githubusercontent.com:sub": [
            "repo:shop/web:environment:a b",
            "repo:shop@17/web@42:environment:a b"
          ]
        } }
      }
    "#);
    insta::assert_snapshot!(no_role(AwsErrorKind::Denied, "AccessDenied", message), @r#"
    [access-denied] AWS does not let this job assume `arn:aws-cn:iam::123456789012:role/ci/deploy` (AccessDenied): Not authorized to perform sts:AssumeRoleWithWebIdentity.
    Let the role's trust policy name this job's subject; a role that does not exist is refused in the same words. Either form alone is enough:
      {
        "Effect": "Allow",
        "Principal": { "Federated": "arn:aws-cn:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" },
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": { "StringEquals": {
          "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
          "token.actions.githubusercontent.com:sub": [
            "repo:OWNER/REPO:ref:refs/heads/BRANCH",
            "repo:OWNER@OWNER_ID/REPO@REPO_ID:ref:refs/heads/BRANCH"
          ]
        } }
      }
    "#);
}

#[test]
fn a_token_that_aws_does_not_take_says_what_to_set_up() {
    let told = |code: &str, message: &str, kind| no_role(kind, code, &format!("{message}{SAYS}"));
    let invalid = |message: &str| told("InvalidIdentityToken", message, AwsErrorKind::Denied);
    let all = [
        invalid(
            "No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com",
        ),
        invalid("Incorrect token audience"),
        invalid("Couldn't retrieve verification key from your identity provider"),
        told("ExpiredTokenException", "Token expired", AwsErrorKind::Expired),
        told("Throttling", "Rate exceeded", AwsErrorKind::Throttled),
        told(
            "AccessDenied",
            "User: x is not authorized to perform: sts:AssumeRoleWithWebIdentity on resource: y with an explicit deny in a service control policy",
            AwsErrorKind::Denied,
        ),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    [access-denied] AWS does not take GitHub's id token for `arn:aws-cn:iam::123456789012:role/ci/deploy` (InvalidIdentityToken): No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com.
    The role's account needs GitHub as an identity provider, once:
      aws iam create-open-id-connect-provider --url https://token.actions.githubusercontent.com --client-id-list sts.amazonaws.com.cn

    [access-denied] AWS does not take GitHub's id token for `arn:aws-cn:iam::123456789012:role/ci/deploy` (InvalidIdentityToken): Incorrect token audience.
    The identity provider in the role's account has to know the audience:
      ACCOUNT_ID=$(aws sts get-caller-identity --query Account --output text)
      aws iam add-client-id-to-open-id-connect-provider --client-id sts.amazonaws.com.cn --open-id-connect-provider-arn arn:aws-cn:iam::"$ACCOUNT_ID":oidc-provider/token.actions.githubusercontent.com

    [access-denied] AWS does not take GitHub's id token for `arn:aws-cn:iam::123456789012:role/ci/deploy` (InvalidIdentityToken): Couldn't retrieve verification key from your identity provider.
    AWS could not ask the issuer for its keys. Run again.

    [credentials-expired] AWS takes GitHub's id token for expired (ExpiredTokenException): Token expired.
    It was new: either the request took minutes, or a clock is off. Run again.

    [unreachable] AWS throttled `sts:AssumeRoleWithWebIdentity` on `arn:aws-cn:iam::123456789012:role/ci/deploy` until the time was up (Throttling).
    Something in this account and region makes many calls. Run again; raise `poll-interval` if many runs share the account.

    [access-denied] AWS denied `sts:AssumeRoleWithWebIdentity` on `y` to `x` (AccessDenied): with an explicit deny in a service control policy.
    An explicit deny (service control policy, permissions boundary or a Deny statement) forbids it: another Allow does not help. Ask who owns that policy.
    "#);
}
