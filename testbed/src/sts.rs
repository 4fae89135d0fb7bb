//! Security Token Service: the caller's identity, and roles that a workflow run assumes with its web identity.

use crate::elb::time::iso8601;
use crate::faults::expired;
use crate::github::glob;
use crate::oidc;
use crate::wire::{ApiError, Request, Service};
use crate::world::World;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Prefix of the ids of all minted keys; other keys are accepted unchecked.
const PREFIX: &str = "ASIATESTBED";

/// A role that trusts GitHub's tokens.
#[derive(Debug, Clone)]
struct Role {
    /// Such as `arn:aws:iam::123456789012:role/deploy`.
    arn: String,
    /// The audience in the trust policy.
    audience: String,
    /// Subjects in the trust policy; `*` is any text.
    subjects: Vec<String>,
    /// Longest session, in seconds.
    longest: u64,
}

/// A session of an assumed role.
#[derive(Debug, Clone)]
struct Session {
    /// The access key id.
    key: String,
    /// The names of the role and the session, `deploy/ci`.
    name: String,
    /// Expiry of the keys.
    expires: SystemTime,
}

/// Trust and sessions.
pub struct Sts {
    /// Audiences that the account's identity provider for GitHub accepts.
    pub audiences: Vec<String>,
    /// Shortest session that can be requested, in seconds; 900 at AWS.
    pub shortest: u64,
    /// Real length of sessions, for any requested length.
    pub lifetime: Option<Duration>,
    /// True if STS can't reach the identity provider.
    pub unreachable: bool,
    /// Roles.
    roles: Vec<Role>,
    /// Sessions so far.
    sessions: Vec<Session>,
    /// The access key id that signed the current call.
    pub(crate) caller: Option<String>,
}

impl Default for Sts {
    /// GitHub is a known identity provider, but no role trusts GitHub.
    fn default() -> Self {
        Self {
            audiences: vec!["sts.amazonaws.com".to_owned()],
            shortest: 900,
            lifetime: None,
            unreachable: false,
            roles: Vec::new(),
            sessions: Vec::new(),
            caller: None,
        }
    }
}

impl Sts {
    /// Lets a role trust GitHub's tokens for an audience and subjects (`repo:octo-org/*`); `longest` is the role's
    /// longest session in seconds.
    pub fn role(&mut self, arn: &str, audience: &str, subjects: &[&str], longest: u64) {
        let subjects = subjects.iter().map(|subject| (*subject).to_owned()).collect();
        self.roles.retain(|role| role.arn != arn);
        self.roles.push(Role { arn: arn.to_owned(), audience: audience.to_owned(), subjects, longest });
    }

    /// Ends all sessions now.
    pub fn expire_sessions(&mut self) {
        for session in &mut self.sessions {
            session.expires = crate::clock::wall();
        }
    }

    /// The refusal of a call that was signed with an expired or unknown minted key.
    pub(crate) fn refuse(&self, request: &Request) -> Option<ApiError> {
        let key = &request.credential.as_ref()?.access_key;
        if !key.starts_with(PREFIX) {
            return None;
        }
        match self.session(key) {
            None => Some(unknown(request.service)),
            Some(session) if session.expires <= crate::clock::wall() => Some(expired(request.service)),
            Some(_) => None,
        }
    }

    /// The session of an access key id.
    fn session(&self, key: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.key == key)
    }
}

/// The error for an unknown key.
fn unknown(service: Service) -> ApiError {
    let text = "The security token included in the request is invalid.";
    if service.is_query() {
        ApiError::with_status("InvalidClientTokenId", text, 403)
    } else {
        ApiError::new("UnrecognizedClientException", text)
    }
}

/// Answers one call of STS, 2011-06-15.
///
/// # Errors
/// AWS's for AssumeRoleWithWebIdentity; `InvalidAction` for an operation that the testbed does not have.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "GetCallerIdentity" => Ok(identity(world)),
        "AssumeRoleWithWebIdentity" => assume(world, input),
        _ => {
            let text = format!("Could not find operation {operation} for version 2011-06-15");
            Err(ApiError::new("InvalidAction", text))
        }
    }
}

/// The caller's identity: the assumed role of a minted key, else the role `deploy`.
fn identity(world: &World) -> Value {
    let sts = &world.sts;
    let session = sts.caller.as_ref().and_then(|key| sts.session(key));
    let name = session.map_or("deploy/ci", |session| session.name.as_str());
    let own = name.split_once('/').map_or(name, |(_, own)| own);
    json!({
        "UserId": format!("AROAEXAMPLEEXAMPLEEXA:{own}"),
        "Account": world.account,
        "Arn": format!("arn:aws:sts::{}:assumed-role/{name}", world.account),
    })
}

/// AssumeRoleWithWebIdentity, with AWS's checks in AWS's order.
fn assume(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let text = |field: &str| input.get(field).and_then(Value::as_str).unwrap_or_default();
    let (arn, name, token) = (text("RoleArn"), text("RoleSessionName"), text("WebIdentityToken"));
    let seconds = duration(input, world.sts.shortest)?;
    validate(arn, name, token)?;
    let claims = verify(&world.sts, token)?;
    let (audience, subject) = (claim(&claims, "aud"), claim(&claims, "sub"));
    let role = world.sts.roles.iter().find(|role| role.arn == arn).filter(|role| {
        role.audience == audience && role.subjects.iter().any(|pattern| glob(pattern, subject))
    });
    let role = role.ok_or_else(|| {
        ApiError::with_status("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
    })?;
    if seconds > role.longest {
        let text = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(ApiError::new("ValidationError", text));
    }
    let name = format!("{}/{name}", arn.rsplit('/').next().unwrap_or_default());
    let credentials = mint(world, &name, seconds);
    let own = name.rsplit('/').next().unwrap_or_default();
    Ok(json!({
        "Credentials": credentials,
        "SubjectFromWebIdentityToken": subject,
        "AssumedRoleUser": {
            "AssumedRoleId": format!("AROAEXAMPLEEXAMPLEEXA:{own}"),
            "Arn": format!("arn:aws:sts::{}:assumed-role/{name}", world.account),
        },
        "Provider": format!(
            "arn:aws:iam::{}:oidc-provider/{}", world.account, oidc::ISSUER.trim_start_matches("https://")
        ),
        "Audience": audience,
    }))
}

/// The requested seconds: 3600 by default, from `shortest` to 43200.
fn duration(input: &Value, shortest: u64) -> Result<u64, ApiError> {
    let Some(text) = input.get("DurationSeconds").and_then(Value::as_str) else { return Ok(3600) };
    let word = match text.parse::<u64>() {
        Ok(seconds) if seconds < shortest => format!("value greater than or equal to {shortest}"),
        Ok(seconds) if seconds > 43_200 => "value less than or equal to 43200".to_owned(),
        Ok(seconds) => return Ok(seconds),
        Err(_) => return Err(ApiError::new("MalformedInput", "")),
    };
    Err(invalid("durationSeconds", text, &word))
}

/// The form of the parameters.
fn validate(arn: &str, name: &str, token: &str) -> Result<(), ApiError> {
    let good = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    if arn.len() < 20 {
        return Err(invalid("roleArn", arn, "length greater than or equal to 20"));
    }
    if name.len() < 2 {
        return Err(invalid("roleSessionName", name, "length greater than or equal to 2"));
    }
    if name.len() > 64 {
        return Err(invalid("roleSessionName", name, "length less than or equal to 64"));
    }
    if !name.chars().all(good) {
        let text = format!(
            "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: Member \
             must satisfy regular expression pattern: [\\w+=,.@-]*"
        );
        return Err(ApiError::new("ValidationError", text));
    }
    if token.len() < 4 {
        return Err(invalid("webIdentityToken", token, "length greater than or equal to 4"));
    }
    if !arn.starts_with("arn:aws:iam::") || !arn.contains(":role/") {
        return Err(ApiError::new("ValidationError", format!("{arn} is invalid")));
    }
    Ok(())
}

/// A parameter that breaks its constraint.
fn invalid(field: &str, value: &str, must: &str) -> ApiError {
    let text = format!(
        "1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: Member must have {must}"
    );
    ApiError::new("ValidationError", text)
}

/// The claims of a token that GitHub issued, for a known audience, and before its expiry.
fn verify(sts: &Sts, token: &str) -> Result<Value, ApiError> {
    let wrong = |text: String| ApiError::new("InvalidIdentityToken", text);
    let (claims, signed) = oidc::read(token).ok_or_else(|| {
        wrong(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
                .to_owned(),
        )
    })?;
    let issuer = claim(&claims, "iss");
    if issuer != oidc::ISSUER {
        return Err(wrong(format!("No OpenIDConnect provider found in your account for {issuer}")));
    }
    if sts.unreachable {
        let text = "Couldn't retrieve verification key from your identity provider, please reference \
                    AssumeRoleWithWebIdentity documentation for requirements";
        return Err(ApiError::new("IDPCommunicationError", text));
    }
    if !sts.audiences.iter().any(|audience| audience == claim(&claims, "aud")) {
        return Err(wrong("Incorrect token audience".to_owned()));
    }
    if !signed {
        return Err(wrong("The web identity token that was passed could not be validated by AWS".to_owned()));
    }
    let now = crate::clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let end = claims.get("exp").and_then(Value::as_u64).unwrap_or(0);
    if now >= end {
        let text =
            format!("Token expired: current date/time {now} must be before the expiration date/time {end}");
        return Err(ApiError::new("ExpiredTokenException", text));
    }
    Ok(claims)
}

/// A text claim.
fn claim<'a>(claims: &'a Value, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Creates keys for a session of this length.
fn mint(world: &mut World, name: &str, seconds: u64) -> Value {
    let serial = world.new_number();
    let secret = format!("{:x}", Sha256::digest(format!("secret {serial}")));
    let lasts = world.sts.lifetime.unwrap_or(Duration::from_secs(seconds));
    let expires = crate::clock::wall() + lasts;
    let key = format!("{PREFIX}{serial:09}");
    world.sts.sessions.push(Session { key: key.clone(), name: name.to_owned(), expires });
    json!({
        "AccessKeyId": key,
        "SecretAccessKey": secret.get(..40),
        "SessionToken": format!("IQoJb3JpZ2luX2VjE{}", secret.to_uppercase()),
        "Expiration": iso8601(expires),
    })
}
