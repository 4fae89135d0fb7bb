//! The meaning of the SDK's errors, for every protocol of AWS.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::refused_keys::KeyRefused;
use crate::plan::aws_error::{AwsError, AwsErrorKind};

/// Reason why the role's credentials could not be loaded, carried through the SDK's own errors.
#[derive(Debug)]
pub(super) struct SignInFailed(pub(super) AwsError);

impl fmt::Display for SignInFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.action, self.0.message)
    }
}

impl Error for SignInFailed {}

/// Turns the error of a read into `AwsError`. `action` is the IAM action, `resource` the user's name for the resource.
pub(super) fn read_error<E>(
    action: &'static str,
    resource: &str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| error_from_sdk(action, resource, &error)
}

/// The same for a write, which may have taken effect anyway.
pub(super) fn write_error<E>(
    action: &'static str,
    resource: &str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| {
        let trouble = error_from_sdk(action, resource, &error);
        AwsError { effect_unknown: effect_unknown(trouble.kind, &error), ..trouble }
    }
}

/// An answer that was no error but lacks the requested data.
pub(super) fn unexpected_response(
    kind: AwsErrorKind,
    action: &'static str,
    resource: &str,
    message: &str,
) -> AwsError {
    let (resource, message) = (resource.to_owned(), message.to_owned());
    AwsError { kind, action, resource, code: None, message, effect_unknown: false }
}

/// The error in the plan's terms.
fn error_from_sdk<E>(action: &'static str, resource: &str, error: &SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(SignInFailed(trouble)) = error_causes(error).find_map(|cause| cause.downcast_ref()) {
        return trouble.clone();
    }
    let refused = error_causes(error).find_map(|cause| cause.downcast_ref::<KeyRefused>());
    AwsError {
        kind: error_kind(error),
        action,
        resource: resource.to_owned(),
        code: error.code().or(refused.map(|refused| refused.code.as_str())).map(str::to_owned),
        message: error.message().map_or_else(|| cause_message(error), str::to_owned),
        effect_unknown: false,
    }
}

/// The meaning of an error: AWS's code if there is one, else the kind of failure.
fn error_kind<E>(error: &SdkError<E, HttpResponse>) -> AwsErrorKind
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(known) = error.code().and_then(kind_of_code) {
        return known;
    }
    if error_causes(error).any(|cause| cause.is::<KeyRefused>()) {
        return AwsErrorKind::Expired;
    }
    if let Some(credentials) = error_causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())
    {
        return kind_of_credentials(credentials);
    }
    match error {
        SdkError::TimeoutError(_) => AwsErrorKind::TimedOut,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => AwsErrorKind::TimedOut,
        SdkError::DispatchFailure(_) => AwsErrorKind::Unreachable,
        SdkError::ResponseError(_) | SdkError::ServiceError(_) => match http_status(error) {
            Some(400..=499) => AwsErrorKind::Refused,
            _ => AwsErrorKind::Unreachable,
        },
        _ => AwsErrorKind::Refused,
    }
}

/// The meaning of an error code. The JSON and the Query protocol have different codes for the same error.
fn kind_of_code(code: &str) -> Option<AwsErrorKind> {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized"
        // Application Auto Scaling may not read a policy's alarms, or could not for a moment (see `Patience`).
        | "FailedResourceAccessException" => Some(AwsErrorKind::Denied),
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
        | "MissingAuthenticationTokenException" => Some(AwsErrorKind::Expired),
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        // Application Auto Scaling still applies an earlier change of the same resource.
        | "ConcurrentUpdateException" => Some(AwsErrorKind::Throttled),
        _ if code.contains("NotFound") => Some(AwsErrorKind::Missing),
        _ => None,
    }
}

/// The meaning of credentials that could not be loaded, before anything was sent.
fn kind_of_credentials(error: &CredentialsError) -> AwsErrorKind {
    let refused =
        error_causes(error).find_map(|cause| cause.downcast_ref::<AssumeRoleWithWebIdentityError>());
    if let Some(known) = refused.and_then(|refused| refused.code()).and_then(kind_of_code) {
        return known;
    }
    let unconnected = error_causes(error).any(|cause| cause.is::<ConnectorError>());
    match error {
        CredentialsError::ProviderTimedOut(_) => AwsErrorKind::TimedOut,
        CredentialsError::ProviderError(_) if unconnected => AwsErrorKind::Unreachable,
        _ => AwsErrorKind::NoCredentials,
    }
}

/// True if a failed write may have taken effect: the write was sent, and AWS did not refuse it.
fn effect_unknown<E>(kind: AwsErrorKind, error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let never_sent = matches!(error, SdkError::ConstructionFailure(_))
        || kind == AwsErrorKind::NoCredentials
        || error_causes(error).any(|cause| cause.is::<KeyRefused>())
        || error_causes(error).any(|cause| cause.is::<CredentialsError>());
    !never_sent && !matches!(http_status(error), Some(400..=499))
}

/// The status of the answer, if any.
fn http_status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|answer| answer.status().as_u16())
}

/// An error and its causes, outermost first.
fn error_causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + use<'a> {
    std::iter::successors(Some(error), |cause| (**cause).source())
}

/// The causes in words on one line, without repetitions: from the credentials on if these are the cause, else without
/// the SDK's own outermost words ("dispatch failure").
fn cause_message(error: &(dyn Error + 'static)) -> String {
    let outer = error.source().unwrap_or(error);
    let first = error_causes(error).find(|cause| cause.is::<CredentialsError>()).unwrap_or(outer);
    let mut told: Vec<String> = Vec::new();
    for cause in error_causes(first) {
        let text = cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !told.iter().any(|earlier| earlier.contains(&text)) {
            told.push(text);
        }
    }
    told.join(": ")
}
