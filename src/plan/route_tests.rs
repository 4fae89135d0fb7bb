//! Conditions as AWS's documentation describes them, typed by hand.

use super::*;
use crate::plan::sample;

/// One pattern.
fn one(pattern: &str) -> Vec<Pattern> {
    vec![Pattern::Wildcards(pattern.to_owned())]
}

/// A rule with this priority and one condition.
fn rule(priority: u32, condition: Condition) -> Rule {
    Rule { conditions: vec![condition], ..sample::rule(80, Some(priority), &[]) }
}

/// `GET` of this path by this host.
fn get(host: &str, path: &str) -> RoutedRequest {
    RoutedRequest { path: path.to_owned(), ..RoutedRequest::to(host) }
}

/// Whether a request meets a condition.
fn meets(condition: Condition, request: &RoutedRequest) -> Option<bool> {
    let rule = rule(1, condition);
    match find_route([&rule], request) {
        Route::Rule(_) => Some(true),
        Route::Nowhere => Some(false),
        Route::Unknown(_) => None,
    }
}

#[test]
fn hosts_are_compared_without_case_and_with_wildcards() {
    for (pattern, host, met) in [
        ("example.com", "example.com", true),
        ("Example.COM", "eXample.com", true),
        ("*.example.com", "test.example.com", true),
        ("*.example.com", "example.com", false),
        ("t?st.example.com", "test.example.com", true),
        ("t?st.example.com", "tst.example.com", false),
        ("*", "shop.example.com", true),
        ("example.com", "example.com.evil.net", false),
    ] {
        assert_eq!(meets(Condition::Host(one(pattern)), &get(host, "/")), Some(met), "{pattern} {host}");
    }
}

#[test]
fn paths_are_compared_with_case_and_without_the_query() {
    for (pattern, path, met) in [
        ("/img/*", "/img/a.png", true),
        ("/img/*", "/img/", true),
        ("/img/*", "/img", false),
        ("/img/*", "/IMG/a.png", false),
        ("/img/*/pics", "/img/a/b/pics", true),
        ("/img/*/pics", "/img/pics", false),
        ("/a?c", "/abc", true),
        ("/a?c", "/ac", false),
        ("*", "/anything", true),
        ("/*a*b", "/xxaxxab", true),
        ("/a\\*", "/a\\b", true),
    ] {
        let asked = RoutedRequest { query: "v=/img/x".to_owned(), ..get("h.example.com", path) };
        assert_eq!(meets(Condition::Path(one(pattern)), &asked), Some(met), "{pattern} {path}");
    }
}

#[test]
fn methods_are_compared_exactly() {
    let method = |wanted: &str| Condition::Method(vec!["POST".to_owned(), wanted.to_owned()]);
    for (wanted, met) in [("GET", true), ("get", false), ("*", false), ("HEAD", false)] {
        assert_eq!(meets(method(wanted), &get("h", "/")), Some(met), "{wanted}");
    }
}

#[test]
fn headers_are_compared_without_case() {
    let header = |name: &str, value: &str| Condition::Header { name: name.to_owned(), values: one(value) };
    let headers = vec![("X-Color".to_owned(), "Green-1".to_owned())];
    let asked = RoutedRequest { headers, ..get("h", "/") };
    for (name, value, met) in [
        ("x-color", "green-1", Some(true)),
        ("X-Color", "GREEN*", Some(true)),
        ("X-Color", "green", Some(false)),
        ("X-Other", "*", Some(false)),
        ("User-Agent", "*Chrome*", None),
    ] {
        assert_eq!(meets(header(name, value), &asked), met, "{name}: {value}");
    }
}

#[test]
fn queries_are_compared_pair_by_pair() {
    let pair = |key: Option<&str>, value: &str| {
        Condition::Query(vec![QueryPair { key: key.map(str::to_owned), value: value.to_owned() }])
    };
    let asked = |query: &str| RoutedRequest { query: query.to_owned(), ..get("h", "/") };
    for (key, value, query, met) in [
        (Some("version"), "v1", "a=b&version=v1", Some(true)),
        (Some("VERSION"), "V1", "version=v1", Some(true)),
        (Some("version"), "v1", "version=v12", Some(false)),
        (Some("v*"), "*", "version=v1", Some(true)),
        (None, "example", "any=example", Some(true)),
        (None, "example", "example=any", Some(false)),
        (None, "\\*", "a=*", Some(true)),
        (None, "\\*", "a=b", Some(false)),
        (None, "*", "", Some(false)),
        (Some("a"), "b c", "a=b%20c", None),
    ] {
        assert_eq!(meets(pair(key, value), &asked(query)), met, "{key:?}={value} {query}");
    }
}

#[test]
fn a_source_is_compared_by_block_and_unknown_without_one() {
    let source = |block: &str| Condition::SourceIp(vec![block.to_owned()]);
    for (block, client, met) in [
        ("10.0.0.0/8", Some("10.9.8.7"), Some(true)),
        ("10.0.0.0/8", Some("11.0.0.1"), Some(false)),
        ("0.0.0.0/0", Some("11.0.0.1"), Some(true)),
        ("10.0.0.1/32", Some("10.0.0.1"), Some(true)),
        ("::/0", Some("11.0.0.1"), Some(false)),
        ("2001:db8::/32", Some("2001:db8::1"), Some(true)),
        ("::1/128", Some("::2"), Some(false)),
        ("10.0.0.0/33", Some("10.0.0.1"), None),
        ("10.0.0.0/8", None, None),
    ] {
        let asked = RoutedRequest { source: client.map(|client| client.parse().unwrap()), ..get("h", "/") };
        assert_eq!(meets(source(block), &asked), met, "{block} {client:?}");
    }
}

#[test]
fn a_field_that_is_not_known_and_a_regular_expression_are_not_evaluated() {
    let asked = get("h", "/");
    assert_eq!(meets(Condition::Unknown { field: "cookie".to_owned() }, &asked), None);
    assert_eq!(meets(Condition::Path(vec![Pattern::Regex("^/".to_owned())]), &asked), None);
    let or_literal = vec![Pattern::Regex("^/".to_owned()), Pattern::Wildcards("/".to_owned())];
    assert_eq!(meets(Condition::Path(or_literal), &asked), Some(true), "one value is enough");
}

#[test]
fn the_lowest_priority_number_answers_and_the_default_last() {
    let default = sample::rule(80, None, &[]);
    let (first, second) = (rule(7, Condition::Path(one("/a*"))), rule(50_000, Condition::Path(one("/*"))));
    let rules = [&default, &second, &first];
    assert_eq!(find_route(rules, &get("h", "/abc")), Route::Rule(&first));
    assert_eq!(find_route(rules, &get("h", "/b")), Route::Rule(&second));
    assert_eq!(find_route([&default, &first], &get("h", "/b")), Route::Rule(&default));
    assert_eq!(find_route([&first], &get("h", "/b")), Route::Nowhere);
}

#[test]
fn every_condition_of_a_rule_counts_and_one_missed_is_enough_to_know() {
    let missed = Condition::Path(one("/other"));
    let unknown = Condition::SourceIp(vec!["10.0.0.0/8".to_owned()]);
    let both = Rule { conditions: vec![unknown.clone(), missed], ..rule(1, unknown.clone()) };
    assert_eq!(find_route([&both], &get("h", "/")), Route::Nowhere);
    let open = Rule { conditions: vec![unknown, Condition::Path(one("/"))], ..both };
    assert_eq!(find_route([&open], &get("h", "/")), Route::Unknown(&open));
}

/// Whether a host fits a pattern, by trying every way: the meaning of `*` and `?` in ELB's documentation, word by word.
fn fits_by_trying(pattern: &str, host: &str) -> bool {
    let Some(sign) = pattern.chars().next() else { return host.is_empty() };
    let (rest, first) = (&pattern[1..], host.chars().next());
    match sign {
        '*' => (0..=host.len()).any(|taken| fits_by_trying(rest, &host[taken..])),
        '?' => first.is_some() && fits_by_trying(rest, &host[1..]),
        letter => {
            first.is_some_and(|found| found.eq_ignore_ascii_case(&letter)) && fits_by_trying(rest, &host[1..])
        }
    }
}

proptest::proptest! {
    #[test]
    fn a_host_is_routed_by_the_first_pattern_that_it_fits(
        patterns in proptest::collection::vec("[abB.*?]{1,7}", 1..4),
        host in "[aAb.]{0,8}",
    ) {
        let by_host = |(at, pattern): (usize, &String)| {
            rule(u32::try_from(at).unwrap() + 1, Condition::Host(one(pattern)))
        };
        let rules: Vec<Rule> = patterns.iter().enumerate().map(by_host).collect();
        let first = patterns.iter().position(|pattern| fits_by_trying(pattern, &host));
        let wanted = first.map_or(Route::Nowhere, |at| Route::Rule(&rules[at]));
        assert_eq!(find_route(&rules, &get(&host, "/")), wanted, "{patterns:?} {host}");
    }
}
