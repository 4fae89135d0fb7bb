//! One request: its path without prefix, its query, its JSON body, and its caller.

use super::access::Token;
use super::answer::Refusal;
use super::model::User;
use serde_json::Value;

/// The prefix of the API on an Enterprise Server.
pub(super) const ENTERPRISE: &str = "/api/v3";

/// The path of GraphQL.
const GRAPHQL: &str = "/graphql";

/// True if a request with this method and path changes nothing. GraphQL uses POST, and its only known query reads.
pub(super) fn reads(method: &str, path: &str) -> bool {
    matches!(method, "GET" | "HEAD") || path == GRAPHQL
}

/// A request, read from the wire.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// `GET`, `POST`, `PATCH`, `PUT`, `DELETE`.
    pub(crate) method: String,
    /// The path as sent, without prefix and query.
    pub(crate) path: String,
    /// Parts of the path, decoded.
    pub(super) parts: Vec<String>,
    /// The query, decoded, in order.
    pub(super) query: Vec<(String, String)>,
    /// The query as sent.
    pub(super) raw_query: String,
    /// The body; `Null` if missing or no JSON.
    pub(super) body: Value,
    /// True for a body that isn't JSON.
    pub(super) malformed: bool,
    /// The token as sent.
    pub(crate) secret: Option<String>,
    /// `User-Agent` as sent.
    pub(super) agent: String,
    /// Base of the API's links: the host with the prefix of the request.
    pub(super) api: String,
    /// Base of links for people.
    pub(super) html: String,
}

/// Decodes `%20`; a plus stays.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let pair = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        let value = pair.filter(|_| *byte == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(value.unwrap_or(*byte));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Ask {
    /// Reads a request to the host at `origin`.
    pub(super) fn read(head: &hyper::http::request::Parts, body: &[u8], origin: &str) -> Self {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let sent = head.uri.path();
        let stripped = sent.strip_prefix(ENTERPRISE).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let graphql = (sent == "/api/graphql").then_some(GRAPHQL);
        let path = stripped.or(graphql).unwrap_or(sent).to_owned();
        let raw_query = head.uri.query().unwrap_or_default().to_owned();
        let parsed = serde_json::from_slice(body);
        let secret = header("authorization").and_then(|value| {
            let (scheme, secret) = value.split_once(' ')?;
            let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
            known.then(|| secret.trim().to_owned())
        });
        Self {
            method: head.method.to_string(),
            parts: path.split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            path,
            query: url::form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect(),
            raw_query,
            malformed: !body.is_empty() && parsed.is_err(),
            body: parsed.unwrap_or(Value::Null),
            secret,
            agent: header("user-agent").unwrap_or_default().to_owned(),
            api: format!("{origin}{}", if stripped.is_some() { ENTERPRISE } else { "" }),
            html: origin.to_owned(),
        }
    }

    /// A parameter of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A text of the body; `None` if missing or null.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field).and_then(Value::as_str)
    }

    /// A flag of the body.
    pub(super) fn flag(&self, field: &str) -> Option<bool> {
        self.body.get(field).and_then(Value::as_bool)
    }
}

/// The caller, once known: anonymous, or a token's user.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The token; `None` for an anonymous request.
    pub(super) token: Option<Token>,
}

impl Caller {
    /// The author of new content.
    pub(super) fn user(&self) -> User {
        self.token.as_ref().map_or_else(|| User::new("ghost"), |token| token.user.clone())
    }

    /// True if the Actions app writes.
    pub(super) fn app(&self) -> bool {
        self.token.as_ref().is_some_and(|token| token.app)
    }
}

/// A number in the path; GitHub has no page for other text.
pub(super) fn number(text: &str) -> Result<u64, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}
