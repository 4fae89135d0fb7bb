//! Credentials of a role by the job's id token, renewed for the whole run.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_types::base64;
use serde_json::Value;

use super::clients::time_outs;
use super::errors::{SignInFailed, read_error, unexpected_response};
use crate::clock;
use crate::id_token::{IdTokens, NoToken};
use crate::plan::aws_error::{ASSUME_ROLE, AwsError, AwsErrorKind, AwsResult, ID_TOKEN};
use crate::plan::time::Time;

/// The name of this credentials provider.
const NAME: &str = "GitHub OIDC";
/// Credentials that can't be renewed stay in use until this time before the end.
const LAST_USE: Duration = Duration::from_secs(3);
/// Pause before the next renewal after a failed renewal or after expired credentials.
const AGAIN: Duration = Duration::from_secs(15);

/// The pauses before the next id token.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(900), Duration::from_millis(1800)];
/// Longest time to try further id tokens: the SDK waits ten seconds for credentials.
const TRYING: Duration = Duration::from_secs(5);

/// A job's way to a role.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    /// The role's ARN.
    pub(crate) role: String,
    /// The audience that the role's partition expects in the id token.
    pub(crate) audience: &'static str,
    /// The session's name, 2–64 of STS's letters.
    pub(crate) session: String,
    /// The source of id tokens.
    pub(crate) tokens: IdTokens,
    /// Hides a value in all output; called before the first use of the value.
    pub(crate) mask: fn(&str),
}

/// The credentials of a role. The SDK renews the credentials at half of their life, so that an outage of GitHub in the
/// second half does no harm.
#[derive(Debug)]
pub(super) struct WebIdentity {
    /// The role and the source of its id tokens.
    sign_in: SignIn,
    /// Security Token Service, called without credentials.
    sts: aws_sdk_sts::Client,
    /// The newest credentials, with the real expiry.
    newest: Mutex<Option<Credentials>>,
}

impl WebIdentity {
    /// Uses a configuration without credentials.
    pub(super) fn new(sign_in: SignIn, config: &SdkConfig) -> Self {
        let limits = time_outs()
            .to_builder()
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let sts = aws_sdk_sts::Client::new(&config.to_builder().timeout_config(limits).build());
        WebIdentity { sign_in, sts, newest: Mutex::default() }
    }

    /// New credentials; if unavailable, the last credentials while still valid.
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let now = clock::now();
        match self.assume().await {
            Ok(fresh) => {
                *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
                Ok(with_expiry(&fresh, renewal_time(&fresh, now)))
            }
            Err(trouble) => {
                let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // Even after a final refusal: the run may end well before the credentials do, or restore its changes.
                let usable = newest.filter(|last| remaining_lifetime(last, clock::now()) > LAST_USE);
                let last = usable.ok_or_else(|| CredentialsError::provider_error(SignInFailed(trouble)))?;
                Ok(with_expiry(&last, clock::now().after(AGAIN)))
            }
        }
    }

    /// The role's credentials. A transient refusal of STS is retried, each time with a fresh id token.
    async fn assume(&self) -> AwsResult<Credentials> {
        let began = clock::now();
        let mut pauses = PAUSES.into_iter();
        loop {
            let answer = self.assume_once().await;
            let again = answer.as_ref().is_err_and(is_sporadic) && clock::now().since(began) < TRYING;
            match pauses.next().filter(|_| again) {
                Some(pause) => clock::sleep(pause).await,
                None => return answer,
            }
        }
    }

    /// The id token, and the role's credentials for this token.
    async fn assume_once(&self) -> AwsResult<Credentials> {
        let token = self.sign_in.tokens.mint(self.sign_in.audience).await.map_err(no_token)?;
        (self.sign_in.mask)(&token);
        let answer = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&self.sign_in.role)
            .role_session_name(&self.sign_in.session)
            .web_identity_token(&token)
            .send()
            .await
            .map_err(read_error(ASSUME_ROLE, &self.sign_in.role))
            .map_err(|trouble| explain_refusal(trouble, &token))?;
        let nothing = || {
            unexpected_response(
                AwsErrorKind::Refused,
                ASSUME_ROLE,
                &self.sign_in.role,
                "AWS sent no credentials",
            )
        };
        let found = answer.credentials().ok_or_else(nothing)?;
        for secret in [found.access_key_id(), found.secret_access_key(), found.session_token()] {
            (self.sign_in.mask)(secret);
        }
        let end = SystemTime::try_from(*found.expiration()).map_err(|_| nothing())?;
        let session = Some(found.session_token().to_owned());
        Ok(Credentials::new(found.access_key_id(), found.secret_access_key(), session, Some(end), NAME))
    }
}

impl ProvideCredentials for WebIdentity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.credentials())
    }
}

/// Remaining life of credentials.
fn remaining_lifetime(credentials: &Credentials, now: Time) -> Duration {
    let end = credentials.expiry().and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
    end.map_or(Duration::ZERO, |end| Time::default().after(end).since(now))
}

/// Time to renew new credentials: at half of their life. AWS decides about credentials that are expired by this
/// machine's clock: the clock may be wrong, and a renewal at each call would give the same credentials again.
fn renewal_time(credentials: &Credentials, now: Time) -> Time {
    let left = remaining_lifetime(credentials, now);
    now.after(if left <= LAST_USE { AGAIN } else { left / 2 })
}

/// The same credentials, with this time of renewal for the SDK.
fn with_expiry(credentials: &Credentials, time: Time) -> Credentials {
    let mut kept = credentials.clone();
    *kept.expiry_mut() = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(time.0));
    kept
}

/// The meaning of a missing token.
fn no_token(why: NoToken) -> AwsError {
    let (kind, message) = match why {
        NoToken::Status(status) if status >= 500 || status == 429 => {
            (AwsErrorKind::Unreachable, format!("it answered with HTTP {status}"))
        }
        NoToken::Status(status) => (AwsErrorKind::NoCredentials, format!("it answered with HTTP {status}")),
        NoToken::TimedOut => (AwsErrorKind::TimedOut, "it did not answer in time".to_owned()),
        NoToken::Unreachable(why) => (AwsErrorKind::Unreachable, why),
        NoToken::NotAToken => (AwsErrorKind::Unreachable, "its answer holds no token".to_owned()),
    };
    unexpected_response(kind, ID_TOKEN, "", &message)
}

/// STS's refusal with the token's claims about the job, which the role's trust policy has to name; never with the
/// token, even if AWS's message repeats the token.
fn explain_refusal(trouble: AwsError, token: &str) -> AwsError {
    let sporadic = is_sporadic(&trouble);
    let message = token.split('.').chain([token]).filter(|part| part.len() > 8);
    let message = message.fold(trouble.message, |text, secret| text.replace(secret, "***"));
    let kind = match trouble.code.as_deref() {
        // The issuer's keys could not be fetched.
        _ if sporadic => AwsErrorKind::Unreachable,
        // Before any credentials exist, these codes concern the role's account: the account does not know the issuer or
        // the audience.
        Some("InvalidIdentityToken" | "IDPRejectedClaim") => AwsErrorKind::Denied,
        _ => trouble.kind,
    };
    let said = token_claims(token).filter(|_| kind == AwsErrorKind::Denied);
    let said = said.map_or(String::new(), |claims| format!("{SAYS}{claims}"));
    AwsError { kind, message: message + &said, ..trouble }
}

/// True if this refusal passes soon: STS could not fetch the issuer's keys for a moment, though the code names an
/// invalid token. Source: API_AssumeRoleWithWebIdentity, and aws-cli issue 7194.
fn is_sporadic(trouble: &AwsError) -> bool {
    match trouble.code.as_deref() {
        Some("InvalidIdentityToken") => trouble.message.contains("retrieve verification key"),
        code => code == Some("IDPCommunicationError"),
    }
}

/// Separates AWS's message from the token's claims.
const SAYS: &str = "; the id token says ";

/// Issuer, audience and subject of a token, and the subject in the other form: `iss=… aud=… sub=… also=…`.
fn token_claims(token: &str) -> Option<String> {
    let body = token.split('.').nth(1)?.replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - body.len() % 4) % 4);
    let body: Value = serde_json::from_slice(&base64::decode(body + &padding).ok()?).ok()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let (issuer, audience, subject) = (text("iss")?, text("aud")?, text("sub")?);
    let ids = || Some((text("repository_owner_id")?, text("repository_id")?));
    let other = other_form(subject, ids()).map_or(String::new(), |other| format!(" also={other}"));
    Some(format!("iss={issuer} aud={audience} sub={subject}{other}"))
}

/// The other form of a subject: `repo:OWNER@ID/REPO@ID:…` for `repo:OWNER/REPO:…`, and the other way round.
fn other_form(subject: &str, ids: Option<(&str, &str)>) -> Option<String> {
    let (repository, rest) = subject.strip_prefix("repo:")?.split_once(':')?;
    let (owner, name) = repository.split_once('/')?;
    match (owner.split_once('@'), name.split_once('@')) {
        (Some((owner, _)), Some((name, _))) => Some(format!("repo:{owner}/{name}:{rest}")),
        (None, None) => {
            let (owner_id, id) = ids?;
            Some(format!("repo:{owner}@{owner_id}/{name}@{id}:{rest}"))
        }
        (Some(_), None) | (None, Some(_)) => None,
    }
}
