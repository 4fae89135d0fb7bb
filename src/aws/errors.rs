//! What the SDK's errors mean, over every protocol that AWS speaks.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::refused_keys::KeyRefused;
use crate::plan::trouble::{Trouble, TroubleKind};

/// Why the role's credentials could not be had, on its way through the SDK's own errors.
#[derive(Debug)]
pub(super) struct SignInFailed(pub(super) Trouble);

impl fmt::Display for SignInFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.action, self.0.message)
    }
}

impl Error for SignInFailed {}

/// Turns the error of a read into trouble. `action` is the IAM action, `resource` what a user would call the thing.
pub(super) fn unread<E>(
    action: &'static str,
    resource: &str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| trouble(action, resource, &error)
}

/// The same for a write, which may have had its effect all the same.
pub(super) fn unwritten<E>(
    action: &'static str,
    resource: &str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| {
        let trouble = trouble(action, resource, &error);
        Trouble { effect_unknown: effect_unknown(trouble.kind, &error), ..trouble }
    }
}

/// Trouble with an answer that was no error but lacks what was asked for.
pub(super) fn odd(kind: TroubleKind, action: &'static str, resource: &str, message: &str) -> Trouble {
    let (resource, message) = (resource.to_owned(), message.to_owned());
    Trouble { kind, action, resource, code: None, message, effect_unknown: false }
}

/// The error in plan's words.
fn trouble<E>(action: &'static str, resource: &str, error: &SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(SignInFailed(trouble)) = causes(error).find_map(|cause| cause.downcast_ref()) {
        return trouble.clone();
    }
    let refused = causes(error).find_map(|cause| cause.downcast_ref::<KeyRefused>());
    Trouble {
        kind: kind(error),
        action,
        resource: resource.to_owned(),
        code: error.code().or(refused.map(|refused| refused.code.as_str())).map(str::to_owned),
        message: error.message().map_or_else(|| chain(error), str::to_owned),
        effect_unknown: false,
    }
}

/// What the error means: AWS's code where it gave one, then the kind of failure.
fn kind<E>(error: &SdkError<E, HttpResponse>) -> TroubleKind
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(known) = error.code().and_then(kind_of_code) {
        return known;
    }
    if causes(error).any(|cause| cause.is::<KeyRefused>()) {
        return TroubleKind::Expired;
    }
    if let Some(credentials) = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
        return kind_of_credentials(credentials);
    }
    match error {
        SdkError::TimeoutError(_) => TroubleKind::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => TroubleKind::TimedOut,
        SdkError::DispatchFailure(_) => TroubleKind::Unreachable,
        SdkError::ResponseError(_) | SdkError::ServiceError(_) => match status(error) {
            Some(400..=499) => TroubleKind::Refused,
            _ => TroubleKind::Unreachable,
        },
        _ => TroubleKind::Refused,
    }
}

/// What an error code means by itself. The same thing has other codes in the JSON and in the Query protocol.
fn kind_of_code(code: &str) -> Option<TroubleKind> {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized"
        // Application Auto Scaling may not read the alarms of a policy, or could not for a moment (see `Patience`).
        | "FailedResourceAccessException" => Some(TroubleKind::Denied),
        "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidIdentityToken"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => Some(TroubleKind::Expired),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        // Application Auto Scaling is at work on an earlier change of the same thing.
        | "ConcurrentUpdateException" => Some(TroubleKind::Throttled),
        _ if code.contains("NotFound") => Some(TroubleKind::Missing),
        _ => None,
    }
}

/// What it means that no credentials could be loaded. They are asked for before anything is sent.
fn kind_of_credentials(error: &CredentialsError) -> TroubleKind {
    let refused = causes(error).find_map(|cause| cause.downcast_ref::<AssumeRoleWithWebIdentityError>());
    if let Some(known) = refused.and_then(|refused| refused.code()).and_then(kind_of_code) {
        return known;
    }
    let unconnected = causes(error).any(|cause| cause.is::<ConnectorError>());
    match error {
        CredentialsError::ProviderTimedOut(_) => TroubleKind::TimedOut,
        CredentialsError::ProviderError(_) if unconnected => TroubleKind::Unreachable,
        _ => TroubleKind::NoCredentials,
    }
}

/// Whether a failed write may have had its effect: it was sent, and AWS did not say that it refused it.
fn effect_unknown<E>(kind: TroubleKind, error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let never_sent = matches!(error, SdkError::ConstructionFailure(_))
        || kind == TroubleKind::NoCredentials
        || causes(error).any(|cause| cause.is::<KeyRefused>())
        || causes(error).any(|cause| cause.is::<CredentialsError>());
    !never_sent && !matches!(status(error), Some(400..=499))
}

/// The status of the answer, where there was one.
fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// An error and what caused it, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> + use<'a> {
    std::iter::successors(Some(error), |cause| (**cause).source())
}

/// The causes in words and on one line: from the credentials on where they are the cause, else without the SDK's
/// own outermost words ("dispatch failure"), and without repetitions.
fn chain(error: &(dyn Error + 'static)) -> String {
    let outer = error.source().unwrap_or(error);
    let first = causes(error).find(|cause| cause.is::<CredentialsError>()).unwrap_or(outer);
    let mut told: Vec<String> = Vec::new();
    for cause in causes(first) {
        let text = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !told.iter().any(|earlier| earlier.contains(&text)) {
            told.push(text);
        }
    }
    told.join(": ")
}
