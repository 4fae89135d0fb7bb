//! The source of a workflow run's OpenID Connect tokens, as the runner names the endpoint in
//! `ACTIONS_ID_TOKEN_REQUEST_URL` and `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.

use crate::github::{Ask, Refusal, Reply};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The issuer of GitHub's tokens.
pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The path of the endpoint; the runner's path contains ids as well.
const PATH: &str = "/7OQ1ZcdaN/00000000-0000-0000-0000-000000000000/_apis/distributedtask/hubs/Actions/plans/\
                    6f3a1c1e/jobs/93e07c1a/idtoken";

/// The key of the signatures; only STS here checks them.
const KEY: &str = "the testbed's own";

/// The run that requests tokens.
pub struct Oidc {
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub bearer: String,
    /// The `sub` claim.
    pub subject: String,
    /// Lifetime of a token; five minutes on GitHub.
    pub lifetime: Duration,
    /// Claims in addition to the registered ones, or instead of them.
    pub claims: Map<String, Value>,
}

impl Default for Oidc {
    /// A run of `octo-org/octo-repo` on its branch `main`.
    fn default() -> Self {
        let mut oidc = Self {
            bearer: "runner-oidc-request-token".to_owned(),
            subject: String::new(),
            lifetime: Duration::from_secs(300),
            claims: Map::new(),
        };
        oidc.run_of("octo-org/octo-repo", "ref:refs/heads/main");
        oidc
    }
}

impl Oidc {
    /// Turns this into a run of a repository; `context` is the end of the subject, such as `ref:refs/heads/main`,
    /// `environment:production` or `pull_request`.
    pub fn run_of(&mut self, repository: &str, context: &str) -> &mut Self {
        self.subject = format!("repo:{repository}:{context}");
        let owner = repository.split('/').next().unwrap_or_default();
        let reference = context.strip_prefix("ref:").unwrap_or("refs/heads/main");
        let claims = json!({
            "repository": repository, "repository_owner": owner, "repository_id": "74",
            "repository_owner_id": "65", "repository_visibility": "private", "ref": reference,
            "ref_type": "branch", "sha": "0123456789abcdef0123456789abcdef01234567", "run_id": "9876543210",
            "run_number": "10", "run_attempt": "1", "actor": "octocat", "actor_id": "12",
            "workflow": "deploy", "event_name": "push", "head_ref": "", "base_ref": "",
            "job_workflow_ref": format!("{repository}/.github/workflows/deploy.yml@{reference}"),
            "runner_environment": "github-hosted",
        });
        if let Value::Object(claims) = claims {
            self.claims = claims;
        }
        if let Some(name) = context.strip_prefix("environment:") {
            self.claims.insert("environment".to_owned(), json!(name));
        }
        self
    }

    /// The same run with the immutable form of the subject: `repo:OWNER@ID/REPO@ID:…`.
    pub fn with_ids(&mut self) -> &mut Self {
        let claim = |name: &str| self.claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let repository = claim("repository");
        let (owner, name) = repository.split_once('/').unwrap_or((repository, ""));
        let with_ids = format!("{owner}@{}/{name}@{}", claim("repository_owner_id"), claim("repository_id"));
        self.subject = self.subject.replacen(repository, &with_ids, 1);
        self
    }

    /// A token for an audience, issued at this time.
    pub fn token(&self, audience: &str, now: SystemTime) -> String {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut claims = json!({
            "jti": format!("{:x}", Sha256::digest(format!("{audience} {now:?}"))),
            "sub": self.subject,
            "aud": audience,
            "iss": ISSUER,
            "nbf": seconds.saturating_sub(600),
            "exp": seconds + self.lifetime.as_secs(),
            "iat": seconds,
        });
        if let Value::Object(claims) = &mut claims {
            claims.extend(self.claims.clone());
        }
        let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": "testbed", "kid": "testbed" });
        let signed =
            format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()));
        format!("{signed}.{}", sign(&signed))
    }
}

/// The path and query for a run.
pub(crate) fn request_path() -> String {
    format!("{PATH}?api-version=2.0")
}

/// Answers one request for a token.
pub(crate) fn handle(oidc: &Oidc, ask: &Ask) -> Reply {
    if ask.method != "GET" || ask.path != PATH || ask.param("api-version") != Some("2.0") {
        return Refusal::new(404, "Not Found").into();
    }
    if ask.secret.as_deref() != Some(oidc.bearer.as_str()) {
        return Refusal::new(401, "Unauthorized").into();
    }
    let owner = oidc.claims.get("repository_owner").and_then(Value::as_str).unwrap_or_default();
    let default = format!("https://github.com/{owner}");
    let token = oidc.token(ask.param("audience").unwrap_or(&default), crate::clock::wall());
    Reply::json(200, &json!({ "count": token.len(), "value": token }))
}

/// The claims of a token, unless invalid; and true if the signature is valid.
pub(crate) fn read(token: &str) -> Option<(Value, bool)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let _: Value = serde_json::from_slice(&unbase64(header)?).ok()?;
    let claims = serde_json::from_slice(&unbase64(claims)?).ok()?;
    Some((claims, sign(signed) == signature))
}

/// The testbed's own signature.
fn sign(text: &str) -> String {
    base64(&Sha256::digest(format!("{KEY}.{text}.{KEY}")))
}

/// The alphabet of base64 in addresses.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 for addresses, without padding.
fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number =
            group.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..=group.len() {
            out.push(char::from(ALPHABET[number >> (18 - 6 * at) & 63]));
        }
    }
    out
}

/// The bytes of such a text.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let mut number = 0usize;
        for byte in group {
            number = number << 6 | ALPHABET.iter().position(|known| known == byte)?;
        }
        number <<= 6 * (4 - group.len());
        let bytes = [number >> 16, number >> 8, number].map(|byte| u8::try_from(byte & 255).unwrap_or(0));
        out.extend(bytes.iter().take(group.len().saturating_sub(1)));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_goes_there_and_back() {
        for text in ["", "a", "ab", "abc", "abcd", "ä€😀?>"] {
            assert_eq!(unbase64(&base64(text.as_bytes())).unwrap(), text.as_bytes());
        }
        assert_eq!(base64(b"light work."), "bGlnaHQgd29yay4");
        assert_eq!(unbase64("a!"), None);
    }
}
