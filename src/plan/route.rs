//! Finds the rule of a listener that answers a request, as Elastic Load Balancing does: by priority, the default last.
//! Source: ELB User Guide for Application Load Balancers, "Listener rules" and "Condition types for listener rules".

use std::net::IpAddr;

use super::snapshot::{Condition, Pattern, QueryPair, Rule};

/// The parts of a request that conditions look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoutedRequest {
    /// `GET`, in capitals.
    pub(crate) method: String,
    /// The host without a port.
    pub(crate) host: String,
    /// The path, beginning with `/`.
    pub(crate) path: String,
    /// The query as sent, without `?`. Empty without a query.
    pub(crate) query: String,
    /// Headers by name and value. Clients also send other headers, with unknown values.
    pub(crate) headers: Vec<(String, String)>,
    /// The client's address. None if unknown.
    pub(crate) source: Option<IpAddr>,
}

/// The destination of a request at a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// This rule answers.
    Rule(&'a Rule),
    /// This rule may answer: one condition can't be evaluated here.
    Unknown(&'a Rule),
    /// No rule answers. A listener from AWS always has a default.
    Nowhere,
}

/// Finds the rule that answers. `rules` are the rules of one listener, in any order.
pub(crate) fn find_route<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
    request: &RoutedRequest,
) -> Route<'a> {
    let mut rules: Vec<&Rule> = rules.into_iter().collect();
    rules.sort_by_key(|rule| rule.priority.unwrap_or(u32::MAX));
    for rule in rules {
        match all_met(rule.conditions.iter().map(|condition| meets_condition(condition, request))) {
            Some(true) => return Route::Rule(rule),
            Some(false) => {}
            None => return Route::Unknown(rule),
        }
    }
    Route::Nowhere
}

/// True if the request meets every condition of a rule. None if unknown.
fn all_met(conditions: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any_met(conditions.map(|met| met.map(|met| !met))).map(|missed| !missed)
}

/// True if any value of a condition fits. None if unknown.
fn any_met(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(false);
    for value in values {
        match value {
            Some(true) => return Some(true),
            Some(false) => {}
            None => known = None,
        }
    }
    known
}

/// True if a request meets a condition. None if unknown. Comparison as AWS says: methods exactly, hosts, headers and
/// queries without regard to case, paths with regard to case.
fn meets_condition(condition: &Condition, request: &RoutedRequest) -> Option<bool> {
    match condition {
        Condition::Host(patterns) => fits_any(patterns, &request.host, Case::Ignored),
        Condition::Path(patterns) => fits_any(patterns, &request.path, Case::Counts),
        Condition::Method(methods) => Some(methods.contains(&request.method)),
        Condition::Header { name, values } => header_matches(name, values, request),
        Condition::Query(pairs) => query_matches(pairs, &request.query),
        Condition::SourceIp(networks) => {
            let client = request.source?;
            any_met(networks.iter().map(|network| block_contains(network, client)))
        }
        Condition::Unknown { .. } => None,
    }
}

/// Treatment of capital and small letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// Capital and small letters differ.
    Counts,
    /// Capital and small letters are the same.
    Ignored,
}

/// True if a text fits a pattern. Only AWS can evaluate a regular expression.
fn fits_any(patterns: &[Pattern], text: &str, case: Case) -> Option<bool> {
    any_met(patterns.iter().map(|pattern| match pattern {
        Pattern::Wildcards(pattern) => Some(matches_signs(&pattern_signs(pattern, Escape::None), text, case)),
        Pattern::Regex(_) => None,
    }))
}

/// Headers that every client adds, with values unknown here.
const OWN_HEADERS: [&str; 8] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "connection",
    "content-length",
    "cookie",
    "host",
    "user-agent",
];

/// True if a header fits. A header that this request does not name is absent, unless clients add that header.
fn header_matches(name: &str, values: &[Pattern], request: &RoutedRequest) -> Option<bool> {
    let mut given = request.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name)).peekable();
    let added = OWN_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name));
    if given.peek().is_none() && added {
        return None;
    }
    any_met(given.map(|(_, value)| fits_any(values, value, Case::Ignored)))
}

/// True if a query holds a pair. A pair without a key fits any key. AWS does not document if escapes are decoded before
/// the comparison, so a query with escapes is not evaluated.
fn query_matches(pairs: &[QueryPair], query: &str) -> Option<bool> {
    if query.contains(['%', '+']) {
        return None;
    }
    let given = query.split('&').filter(|pair| !pair.is_empty());
    let given: Vec<(&str, &str)> = given.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
    let fits = |pattern: &str, text: &str| {
        matches_signs(&pattern_signs(pattern, Escape::Backslash), text, Case::Ignored)
    };
    Some(pairs.iter().any(|wanted| {
        given.iter().any(|(key, value)| {
            wanted.key.as_ref().is_none_or(|wanted| fits(wanted, key)) && fits(&wanted.value, value)
        })
    }))
}

/// One sign of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// `*`: any number of characters.
    Any,
    /// `?`: exactly one character.
    One,
    /// This character.
    Letter(char),
}

/// The escape for a literal `*` or `?` in a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    /// No escape.
    None,
    /// After a `\`, as QueryStringConditionConfig says.
    Backslash,
}

/// The signs of a pattern.
fn pattern_signs(pattern: &str, escape: Escape) -> Vec<Sign> {
    let mut letters = pattern.chars();
    let mut signs = Vec::new();
    while let Some(letter) = letters.next() {
        signs.push(match letter {
            '\\' if escape == Escape::Backslash => Sign::Letter(letters.next().unwrap_or('\\')),
            '*' => Sign::Any,
            '?' => Sign::One,
            other => Sign::Letter(other),
        });
    }
    signs
}

/// The text of a pattern without wildcards. None for a pattern with a wildcard.
fn literal_text(pattern: &str, escape: Escape) -> Option<String> {
    let letter = |sign: Sign| match sign {
        Sign::Letter(letter) => Some(letter),
        Sign::Any | Sign::One => None,
    };
    pattern_signs(pattern, escape).into_iter().map(letter).collect()
}

/// True if a text fits a pattern. After each sign, the loop keeps every prefix of the text that fits so far.
fn matches_signs(signs: &[Sign], text: &str, case: Case) -> bool {
    let text: Vec<char> = text.chars().collect();
    let same = |one: char, other: char| match case {
        Case::Counts => one == other,
        Case::Ignored => one.eq_ignore_ascii_case(&other),
    };
    let mut ends: Vec<bool> = std::iter::once(true).chain(text.iter().map(|_| false)).collect();
    for sign in signs {
        ends = match *sign {
            Sign::Any => ends
                .iter()
                .scan(false, |earlier, end| {
                    *earlier |= *end;
                    Some(*earlier)
                })
                .collect(),
            Sign::One => std::iter::once(false).chain(ends.iter().copied().take(text.len())).collect(),
            Sign::Letter(letter) => {
                let next = ends.iter().zip(&text).map(|(end, found)| *end && same(letter, *found));
                std::iter::once(false).chain(next).collect()
            }
        };
    }
    ends.last().copied().unwrap_or_default()
}

/// True if an address is in a CIDR block. None for an invalid block.
fn block_contains(block: &str, client: IpAddr) -> Option<bool> {
    let (network, bits) = block.split_once('/')?;
    let (network, bits): (IpAddr, u32) = (network.parse().ok()?, bits.parse().ok()?);
    match (network, client) {
        (IpAddr::V4(network), IpAddr::V4(client)) => {
            let shift = 32_u32.checked_sub(bits)?;
            let high = |bits: u32| bits.checked_shr(shift).unwrap_or_default();
            Some(high(network.to_bits()) == high(client.to_bits()))
        }
        (IpAddr::V6(network), IpAddr::V6(client)) => {
            let shift = 128_u32.checked_sub(bits)?;
            let high = |bits: u128| bits.checked_shr(shift).unwrap_or_default();
            Some(high(network.to_bits()) == high(client.to_bits()))
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Some(false),
    }
}

impl RoutedRequest {
    /// `GET /` to this host from an unknown address.
    pub(crate) fn to(host: &str) -> RoutedRequest {
        RoutedRequest {
            method: "GET".to_owned(),
            host: host.to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            source: None,
        }
    }

    /// Path and query as sent.
    pub(crate) fn target(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    /// A request to `host` that meets a rule's other conditions: header and query by the first literal value, the path
    /// by the first pattern unless `target` (a path, perhaps with a query) is given. [`find_route`] then tells if the rule
    /// answers.
    pub(crate) fn for_rule(rule: &Rule, host: &str, target: Option<&str>) -> Option<RoutedRequest> {
        let mut request = RoutedRequest::to(host);
        for condition in &rule.conditions {
            request.meet(condition)?;
        }
        if let Some(target) = target {
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            path.clone_into(&mut request.path);
            let queries = [query, &request.query].into_iter().filter(|query| !query.is_empty());
            request.query = queries.collect::<Vec<_>>().join("&");
        }
        Some(request)
    }

    /// Makes the request meet a condition. None if a client has no control over the condition.
    fn meet(&mut self, condition: &Condition) -> Option<()> {
        match condition {
            Condition::Host(_) => {}
            Condition::Path(patterns) => self.path = patterns.iter().find_map(shortest_path)?,
            Condition::Method(methods) => methods.contains(&self.method).then_some(())?,
            Condition::Header { name, values } => {
                let value = literal_values(values).find(|value| is_plain(value))?;
                self.headers.push((name.clone(), value));
            }
            Condition::Query(pairs) => {
                let pair = pairs.iter().find_map(QueryPair::sent)?;
                let all = [std::mem::take(&mut self.query), pair];
                self.query = all.into_iter().filter(|pair| !pair.is_empty()).collect::<Vec<_>>().join("&");
            }
            Condition::SourceIp(_) | Condition::Unknown { .. } => return None,
        }
        Some(())
    }
}

impl QueryPair {
    /// The pair as sent in a query, if the pair is literal and needs no escape.
    fn sent(&self) -> Option<String> {
        let key =
            self.key.as_deref().map_or(Some("rule".to_owned()), |key| literal_text(key, Escape::Backslash));
        let (key, value) = (key?, literal_text(&self.value, Escape::Backslash)?);
        let safe = |text: &str| text.chars().all(|l| l.is_ascii_alphanumeric() || "-._~".contains(l));
        (safe(&key) && safe(&value)).then(|| format!("{key}={value}"))
    }
}

/// The hosts that a rule's conditions name without wildcards. None without a condition on the host.
pub(crate) fn named_hosts(rule: &Rule) -> Option<Vec<String>> {
    let of_host = |condition: &Condition| match condition {
        Condition::Host(patterns) => Some(literal_values(patterns).collect::<Vec<_>>()),
        Condition::Path(_)
        | Condition::Method(_)
        | Condition::Header { .. }
        | Condition::Query(_)
        | Condition::SourceIp(_)
        | Condition::Unknown { .. } => None,
    };
    rule.conditions.iter().filter_map(of_host).reduce(|all, more| [all, more].concat())
}

/// The values without wildcards.
fn literal_values(patterns: &[Pattern]) -> impl Iterator<Item = String> {
    patterns.iter().filter_map(|pattern| match pattern {
        Pattern::Wildcards(pattern) => literal_text(pattern, Escape::None),
        Pattern::Regex(_) => None,
    })
}

/// The shortest path that fits a pattern: `*` becomes empty.
fn shortest_path(pattern: &Pattern) -> Option<String> {
    match pattern {
        Pattern::Wildcards(pattern) => literal_text(&pattern.replace('*', ""), Escape::None)
            .map(|path| if path.is_empty() { "/".to_owned() } else { path })
            .filter(|path| path.starts_with('/') && is_plain(path) && !path.contains(['#', ' '])),
        Pattern::Regex(_) => None,
    }
}

/// True if a text can be sent without encoding.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
