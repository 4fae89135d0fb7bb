//! Conditions of a rule, and the matching of requests.

use std::net::IpAddr;

use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::input::{Input, validation};
use crate::wire::ApiError;

/// AWS's fields, each with the structure of its values (API_RuleCondition).
const FIELDS: [(&str, &str); 6] = [
    ("http-header", "HttpHeaderConfig"),
    ("http-request-method", "HttpRequestMethodConfig"),
    ("host-header", "HostHeaderConfig"),
    ("path-pattern", "PathPatternConfig"),
    ("query-string", "QueryStringConfig"),
    ("source-ip", "SourceIpConfig"),
];

/// One condition; any of its values satisfies the condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// `Field`.
    pub field: String,
    /// The name of the header, for `http-header`.
    pub header: Option<String>,
    /// Patterns, methods or networks.
    pub values: Vec<String>,
    /// Key and value patterns, for `query-string`; without a key: any key.
    pub pairs: Vec<(Option<String>, String)>,
    /// Regular expressions: kept as data, without any match here.
    pub regexes: Vec<String>,
}

impl Condition {
    /// Reads and checks one condition.
    pub(super) fn parse(input: Input<'_>) -> Result<Self, ApiError> {
        let field = input.required("Field")?;
        let Some((_, structure)) = FIELDS.iter().find(|(name, _)| *name == field) else {
            let allowed: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
            return Err(validation(format!(
                "Condition field '{field}' must be one of '[{}]'",
                allowed.join(", ")
            )));
        };
        let plain = ["host-header", "path-pattern"].contains(&field);
        if input.has("Values") && !plain {
            return Err(validation(format!("The 'Values' field is not compatible with '{field}'")));
        }
        let config = input.structure(structure);
        if config.is_some() && input.has("Values") {
            return Err(validation(format!(
                "You cannot provide both Values and '{structure}' for a condition of type '{field}'"
            )));
        }
        if config.is_none() && !plain {
            return Err(validation(format!("A '{structure}' must be specified with '{field}'")));
        }
        let mut condition = Self::empty(field);
        match config {
            Some(config) => condition.read(config)?,
            None => {
                condition.values = input.texts("Values").unwrap_or_default();
                condition.regexes = input.texts("RegexValues").unwrap_or_default();
            }
        }
        condition.check()?;
        Ok(condition)
    }

    /// A condition without values.
    fn empty(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            header: None,
            values: Vec::new(),
            pairs: Vec::new(),
            regexes: Vec::new(),
        }
    }

    /// Takes over the values of the field's own structure.
    fn read(&mut self, config: Input<'_>) -> Result<(), ApiError> {
        self.header = config.owned("HttpHeaderName");
        self.regexes = config.texts("RegexValues").unwrap_or_default();
        if self.field == "query-string" {
            for pair in config.list("Values").unwrap_or_default() {
                let value = pair
                    .text("Value")
                    .ok_or_else(|| validation("A 'Value' must be specified in 'QueryStringKeyValuePair'"))?;
                self.pairs.push((pair.owned("Key"), value.to_owned()));
            }
        } else {
            self.values = config.texts("Values").unwrap_or_default();
        }
        Ok(())
    }

    /// AWS's bounds: at least one value, none longer than 128 characters (methods and header names 40).
    fn check(&self) -> Result<(), ApiError> {
        if self.values.is_empty() && self.pairs.is_empty() && self.regexes.is_empty() {
            return Err(validation("A condition value must be specified"));
        }
        let most = if self.field == "http-request-method" { 40 } else { 128 };
        if self.values.iter().any(|value| value.chars().count() > most) {
            return Err(validation(format!("The '{}' value is too long; the limit is '{most}'", self.field)));
        }
        if self.field == "http-header" && self.header.is_none() {
            return Err(validation("A 'HttpHeaderName' must be specified with 'http-header'"));
        }
        let wrong = self.values.iter().find(|value| self.field == "source-ip" && network(value).is_none());
        match wrong {
            Some(value) => Err(validation(format!("'{value}' is not a valid CIDR block"))),
            None => Ok(()),
        }
    }

    /// The condition as AWS describes it: host and path patterns in both forms.
    pub(super) fn describe(&self) -> Value {
        let mut config = Map::new();
        if let Some(header) = &self.header {
            config.insert("HttpHeaderName".into(), json!(header));
        }
        if !self.pairs.is_empty() {
            let pairs: Vec<Value> =
                self.pairs.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
            config.insert("Values".into(), json!(pairs));
        } else if !self.values.is_empty() {
            config.insert("Values".into(), json!(self.values));
        }
        if !self.regexes.is_empty() {
            config.insert("RegexValues".into(), json!(self.regexes));
        }
        let mut out = json!({"Field": self.field});
        if ["host-header", "path-pattern"].contains(&self.field.as_str()) && !self.values.is_empty() {
            out["Values"] = json!(self.values);
        }
        if let Some((_, structure)) = FIELDS.iter().find(|(name, _)| *name == self.field) {
            out[*structure] = Value::Object(config);
        }
        out
    }

    /// True if a request from `client` satisfies the condition.
    pub(super) fn matches(&self, parts: &Parts, client: IpAddr) -> bool {
        match self.field.as_str() {
            "path-pattern" => self.values.iter().any(|pattern| wildcard(pattern, parts.uri.path())),
            "host-header" => {
                let host = host_of(parts).to_ascii_lowercase();
                self.values.iter().any(|pattern| wildcard(&pattern.to_ascii_lowercase(), &host))
            }
            "http-request-method" => self.values.iter().any(|method| method == parts.method.as_str()),
            "http-header" => self.header.as_deref().is_some_and(|name| {
                parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|value| {
                    let value = value.to_ascii_lowercase();
                    self.values.iter().any(|pattern| wildcard(&pattern.to_ascii_lowercase(), &value))
                })
            }),
            "query-string" => self.matches_query(parts.uri.query().unwrap_or_default()),
            "source-ip" => {
                self.values.iter().filter_map(|value| network(value)).any(|network| contains(network, client))
            }
            _ => false,
        }
    }

    /// Keys and values are compared case-insensitively (Listener rules: query string conditions).
    fn matches_query(&self, query: &str) -> bool {
        let given: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(key, value)| (key.to_ascii_lowercase(), value.to_ascii_lowercase()))
            .collect();
        self.pairs.iter().any(|(wanted, pattern)| {
            given.iter().any(|(key, value)| {
                wanted.as_ref().is_none_or(|wanted| wildcard(&wanted.to_ascii_lowercase(), key))
                    && wildcard(&pattern.to_ascii_lowercase(), value)
            })
        })
    }
}

/// The host of a request, without its port.
pub(super) fn host_of(parts: &Parts) -> &str {
    let header = parts.headers.get("host").and_then(|host| host.to_str().ok());
    let host = header.or_else(|| parts.uri.host()).unwrap_or_default();
    host.rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(name, _)| name)
}

/// True if a text matches a pattern: `*` is any number of characters and `?` exactly one.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen, mut retry) = (0, 0, None);
    while seen < text.len() {
        if pattern.get(at) == Some(&'*') {
            retry = Some((at, seen));
            at += 1;
        } else if pattern.get(at).is_some_and(|&wanted| wanted == '?' || wanted == text[seen]) {
            at += 1;
            seen += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            at = star + 1;
            seen = from + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&left| left == '*')
}

/// An address and the number of its significant leading bits.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.parse().ok().filter(|bits| *bits <= most).map(|bits| (address, bits))
}

/// True if an address is in a network.
fn contains((network, bits): (IpAddr, u32), client: IpAddr) -> bool {
    match (network, client) {
        (IpAddr::V4(network), IpAddr::V4(client)) => {
            let shift = 32 - bits;
            bits == 0 || network.to_bits() >> shift == client.to_bits() >> shift
        }
        (IpAddr::V6(network), IpAddr::V6(client)) => {
            let shift = 128 - bits;
            bits == 0 || network.to_bits() >> shift == client.to_bits() >> shift
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_on_the_load_balancer() {
        for (pattern, text, fits) in [
            ("/img/*", "/img/a/b.png", true),
            ("/img/*", "/images", false),
            ("*.example.com", "test.example.com", true),
            ("*.example.com", "example.com", false),
            ("/a?c", "/abc", true),
            ("/a?c", "/ac", false),
            ("*a*b", "xxaxxab", true),
            ("*", "", true),
        ] {
            assert_eq!(wildcard(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn networks_hold_their_addresses() {
        let client: IpAddr = [127, 0, 0, 1].into();
        for (block, inside) in [
            ("127.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("10.0.0.0/8", false),
            ("127.0.0.1/32", true),
            ("::1/128", false),
        ] {
            assert_eq!(network(block).map(|network| contains(network, client)), Some(inside), "{block}");
        }
        assert_eq!(network("127.0.0.1/33"), None);
    }
}
