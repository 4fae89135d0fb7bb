//! Credentials of a role by the job's id token, renewed as long as the run lasts.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_types::base64;
use serde_json::Value;

use super::clients::time_outs;
use super::errors::{SignInFailed, odd, unread};
use crate::clock;
use crate::id_token::{IdTokens, NoToken};
use crate::plan::time::Time;
use crate::plan::trouble::{ASSUME_ROLE, ID_TOKEN, Read, Trouble, TroubleKind};

/// The name of this source of credentials in the SDK's own words.
const NAME: &str = "GitHub OIDC";
/// Credentials that can't be renewed are used on while they have this long to live.
const LAST_USE: Duration = Duration::from_secs(3);
/// How long to wait after a renewal that failed, or that brought credentials without a life, before the next one.
const AGAIN: Duration = Duration::from_secs(15);

/// The pauses before another id token is tried.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(300), Duration::from_millis(900), Duration::from_millis(1800)];
/// No id token is tried again after this time: the SDK waits ten seconds for credentials.
const TRYING: Duration = Duration::from_secs(5);

/// How a job becomes a role.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    /// The role's ARN.
    pub(crate) role: String,
    /// The audience that the role's partition expects in the id token.
    pub(crate) audience: &'static str,
    /// The session's name, 2–64 of STS's letters.
    pub(crate) session: String,
    /// Where id tokens come from.
    pub(crate) tokens: IdTokens,
    /// Has a value hidden in all that is printed; called before the value is used.
    pub(crate) mask: fn(&str),
}

/// The credentials of a role. Asked again by the SDK when half of their life is over, so that an outage of GitHub in
/// the other half does no harm.
#[derive(Debug)]
pub(super) struct WebIdentity {
    /// How.
    sign_in: SignIn,
    /// Security Token Service, called without credentials.
    sts: aws_sdk_sts::Client,
    /// The newest credentials, with their true end.
    newest: Mutex<Option<Credentials>>,
}

impl WebIdentity {
    /// Over a configuration that has no credentials.
    pub(super) fn new(sign_in: SignIn, config: &SdkConfig) -> Self {
        let limits = time_outs()
            .to_builder()
            .operation_attempt_timeout(Duration::from_secs(3))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let sts = aws_sdk_sts::Client::new(&config.to_builder().timeout_config(limits).build());
        WebIdentity { sign_in, sts, newest: Mutex::default() }
    }

    /// New credentials; where they can't be had, the last ones while they are good.
    async fn credentials(&self) -> Result<Credentials, CredentialsError> {
        let now = clock::now();
        match self.assume().await {
            Ok(fresh) => {
                *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(fresh.clone());
                Ok(until(&fresh, renewal(&fresh, now)))
            }
            Err(trouble) => {
                let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // Even where it is denied for good: the run may end well before they do, or put back what it changed.
                let usable = newest.filter(|last| left(last, clock::now()) > LAST_USE);
                let last = usable.ok_or_else(|| CredentialsError::provider_error(SignInFailed(trouble)))?;
                Ok(until(&last, clock::now().after(AGAIN)))
            }
        }
    }

    /// The role's credentials. What STS takes back soon is tried again, each time with a fresh id token.
    async fn assume(&self) -> Read<Credentials> {
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

    /// The id token, and the role's credentials for it.
    async fn assume_once(&self) -> Read<Credentials> {
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
            .map_err(unread(ASSUME_ROLE, &self.sign_in.role))
            .map_err(|trouble| explained(trouble, &token))?;
        let nothing =
            || odd(TroubleKind::Refused, ASSUME_ROLE, &self.sign_in.role, "AWS sent no credentials");
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

/// How long credentials have to live.
fn left(credentials: &Credentials, now: Time) -> Duration {
    let end = credentials.expiry().and_then(|end| end.duration_since(SystemTime::UNIX_EPOCH).ok());
    end.map_or(Duration::ZERO, |end| Time::default().after(end).since(now))
}

/// When to renew credentials that were got now: at half of their life. Those that are over by this machine's clock are
/// AWS's to judge: it may be the clock that is wrong, and renewing them at each call would bring the same again.
fn renewal(credentials: &Credentials, now: Time) -> Time {
    let left = left(credentials, now);
    now.after(if left <= LAST_USE { AGAIN } else { left / 2 })
}

/// The same credentials, which the SDK renews at this time.
fn until(credentials: &Credentials, time: Time) -> Credentials {
    let mut kept = credentials.clone();
    *kept.expiry_mut() = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(time.0));
    kept
}

/// What it means that GitHub gave no token.
fn no_token(why: NoToken) -> Trouble {
    let (kind, message) = match why {
        NoToken::Status(status) if status >= 500 || status == 429 => {
            (TroubleKind::Unreachable, format!("it answered with HTTP {status}"))
        }
        NoToken::Status(status) => (TroubleKind::NoCredentials, format!("it answered with HTTP {status}")),
        NoToken::TimedOut => (TroubleKind::TimedOut, "it did not answer in time".to_owned()),
        NoToken::Unreachable(why) => (TroubleKind::Unreachable, why),
        NoToken::NotAToken => (TroubleKind::Unreachable, "its answer holds no token".to_owned()),
    };
    odd(kind, ID_TOKEN, "", &message)
}

/// STS's refusal with what the token says of the job, as the role's trust policy has to name it; and in no case with the
/// token, should the message repeat it.
fn explained(trouble: Trouble, token: &str) -> Trouble {
    let sporadic = is_sporadic(&trouble);
    let message = token.split('.').chain([token]).filter(|part| part.len() > 8);
    let message = message.fold(trouble.message, |text, secret| text.replace(secret, "***"));
    let kind = match trouble.code.as_deref() {
        // The issuer's keys could not be fetched.
        _ if sporadic => TroubleKind::Unreachable,
        // Of a call that has no credentials yet, this one is about the role's account: it does not know the issuer,
        // or not the audience.
        Some("InvalidIdentityToken" | "IDPRejectedClaim") => TroubleKind::Denied,
        _ => trouble.kind,
    };
    let said = claims(token).filter(|_| kind == TroubleKind::Denied);
    let said = said.map_or(String::new(), |claims| format!("{SAYS}{claims}"));
    Trouble { kind, message: message + &said, ..trouble }
}

/// Whether STS takes this refusal back soon: it could not get the issuer's keys for a moment, though its code says that
/// the token is wrong. Source: API_AssumeRoleWithWebIdentity, and aws-cli issue 7194.
fn is_sporadic(trouble: &Trouble) -> bool {
    match trouble.code.as_deref() {
        Some("InvalidIdentityToken") => trouble.message.contains("retrieve verification key"),
        code => code == Some("IDPCommunicationError"),
    }
}

/// Between AWS's message and what the token says.
const SAYS: &str = "; the id token says ";

/// Issuer, audience and subject of a token, and the subject in its other form: `iss=… aud=… sub=… also=…`.
fn claims(token: &str) -> Option<String> {
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
