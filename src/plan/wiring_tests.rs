//! The wiring over every shape of rules, each typed by hand.

use super::*;
use crate::plan::sample::{balancer, rule, snapshot};
use crate::plan::snapshot::{Condition, Pattern, QueryPair};
use crate::plan::wanted::Protocol;

/// The groups of the sample.
fn groups() -> Groups {
    Groups { blue: "tg-blue".to_owned(), green: "tg-green".to_owned(), develop: Some("tg-dev".to_owned()) }
}

/// The wiring of these rules, with no listener named.
fn wired(rules: Vec<Rule>) -> Result<Wiring, RoutingError> {
    let balancer = Balancer { rules, ..balancer(100, 0) };
    let wired = build_wiring(Count::Both, &groups(), &balancer, (None, &[]));
    agreed_wiring(&Some(wired)).unwrap().cloned()
}

/// The wiring of these rules with a listener named.
fn wired_with(rules: Vec<Rule>, listener: &ListenerChoice) -> Result<Wiring, RoutingError> {
    let balancer = Balancer { rules, ..balancer(100, 0) };
    let wired = build_wiring(Count::Both, &groups(), &balancer, (Some(listener), &[]));
    agreed_wiring(&Some(wired)).unwrap().cloned()
}

/// A production rule on this port.
fn both(port: u16, blue: u32, green: u32) -> Rule {
    rule(port, None, &[("tg-blue", blue), ("tg-green", green)])
}

/// A listener by its port.
fn port(port: u16) -> ListenerChoice {
    ListenerChoice::Port { protocol: None, port }
}

#[test]
fn every_rule_that_holds_both_groups_is_production() {
    let wiring =
        wired(vec![both(80, 80, 20), both(443, 8, 2), rule(8080, None, &[("tg-green", 1)])]).unwrap();
    assert_eq!(wiring.production.len(), 2);
    assert_eq!(wiring.split(), Split { blue: 80, green: 20 });
    assert_eq!(wiring.idle(), None);
    assert!(wiring.is_live(Color::Blue) && wiring.is_live(Color::Green));
}

#[test]
fn the_color_with_weight_0_on_every_rule_is_idle() {
    assert_eq!(wired(vec![both(80, 100, 0)]).unwrap().idle(), Some(Color::Green));
    assert_eq!(wired(vec![both(80, 0, 100)]).unwrap().idle(), Some(Color::Blue));
}

#[test]
fn invariant_05_rules_that_disagree_are_refused_and_shown() {
    let shown = vec![
        ("HTTP:80 default".to_owned(), Split { blue: 100, green: 0 }),
        ("HTTP:443 default".to_owned(), Split { blue: 50, green: 50 }),
    ];
    assert_eq!(wired(vec![both(80, 100, 0), both(443, 50, 50)]), Err(RoutingError::Disagree(shown)));
    let third = wired(vec![both(80, 1, 1), both(81, 5, 5), both(82, 5, 6)]);
    assert!(
        matches!(third, Err(RoutingError::Disagree(rules)) if rules.len() == 3),
        "the last pair counts too"
    );
}

#[test]
fn invariant_04_a_third_group_or_no_weight_is_refused() {
    let third = rule(80, Some(7), &[("tg-blue", 1), ("tg-green", 1), ("tg-else", 1)]);
    let refusal = RoutingError::ThirdGroup { rule: "HTTP:80 rule 7".to_owned(), group: "tg-else".to_owned() };
    assert_eq!(wired(vec![third]), Err(refusal));
    assert_eq!(wired(vec![both(80, 0, 0)]), Err(RoutingError::NoWeight("HTTP:80 default".to_owned())));
}

#[test]
fn an_action_type_that_is_not_known_is_refused_and_known_ones_are_kept() {
    let with =
        |action: &str| Rule { actions: vec![action.to_owned(), "forward".to_owned()], ..both(80, 1, 0) };
    let refusal =
        RoutingError::UnknownAction { rule: "HTTP:80 default".to_owned(), action: "teleport".to_owned() };
    assert_eq!(wired(vec![with("teleport")]), Err(refusal));
    assert!(wired(vec![with("authenticate-oidc")]).is_ok());
}

#[test]
fn day_one_needs_the_listener_and_reads_as_all_on_the_known_group() {
    let rules = || vec![rule(80, None, &[("tg-blue", 1)]), rule(8080, None, &[("tg-green", 1)])];
    let found = vec!["HTTP:80".to_owned(), "HTTP:8080".to_owned()];
    assert_eq!(wired(rules()), Err(RoutingError::NoProductionRule(found.clone())));
    let wiring = wired_with(rules(), &port(80)).unwrap();
    assert_eq!(wiring.split(), Split { blue: 100, green: 0 });
    assert_eq!(wiring.production[0].lacks, Some(Color::Green));
    assert_eq!(
        wiring.test_address(Color::Green, &Hosts::default()).map(|address| address.url()).as_deref(),
        Some("http://shop.example.com:8080")
    );
    let other = wired_with(rules(), &port(8080)).unwrap();
    assert_eq!(
        (other.split(), other.production[0].lacks),
        (Split { blue: 0, green: 100 }, Some(Color::Blue))
    );
    assert_eq!(wired_with(rules(), &port(443)), Err(RoutingError::NoSuchListener(found)));
}

#[test]
fn a_listener_is_named_by_arn_by_port_or_by_protocol_and_port() {
    let rules = || vec![rule(80, None, &[("tg-blue", 1)])];
    let of = |protocol| ListenerChoice::Port { protocol: Some(protocol), port: 80 };
    assert!(wired_with(rules(), &of(Protocol::Http)).is_ok());
    assert!(wired_with(rules(), &of(Protocol::Https)).is_err());
    assert!(wired_with(rules(), &ListenerChoice::Arn("listener-80".to_owned())).is_ok());
    assert!(wired_with(rules(), &ListenerChoice::Arn("listener-81".to_owned())).is_err());
}

#[test]
fn a_named_listener_does_not_hide_rules_that_hold_both_groups() {
    let rules = vec![both(80, 50, 50), rule(8080, None, &[("tg-green", 1)])];
    assert_eq!(wired_with(rules, &port(8080)).unwrap().split(), Split { blue: 50, green: 50 });
}

#[test]
fn a_run_that_brings_groups_in_goes_on_with_every_rule_of_the_named_listener() {
    let rules = || {
        let path = rule(80, Some(10), &[("tg-blue", 1)]);
        vec![both(80, 100, 0), path, rule(8080, None, &[("tg-green", 1)])]
    };
    let balancer = || Balancer { rules: rules(), ..balancer(100, 0) };
    let lacks = |wiring: &Wiring| wiring.production.iter().map(|rule| rule.lacks).collect::<Vec<_>>();
    let apart = build_wiring(Count::Both, &groups(), &balancer(), (Some(&port(80)), &[])).unwrap();
    assert_eq!((lacks(&apart), apart.tests.len()), (vec![None], 2), "a rule like any that tests blue");
    let adopting = build_wiring(Count::BothAndLone, &groups(), &balancer(), (Some(&port(80)), &[])).unwrap();
    assert_eq!((lacks(&adopting), adopting.tests.len()), (vec![None, Some(Color::Green)], 1));
    let elsewhere = build_wiring(Count::BothAndLone, &groups(), &balancer(), (None, &[])).unwrap();
    assert_eq!(lacks(&elsewhere), [None], "only a listener that was named");
}

/// One value of a condition.
fn one(value: &str) -> Vec<Pattern> {
    vec![Pattern::Wildcards(value.to_owned())]
}

/// Production at blue with a rule of its listener that forwards to green alone under these conditions.
fn with_rule(conditions: Vec<Condition>) -> Wiring {
    let test = Rule { conditions, ..rule(80, Some(5), &[("tg-green", 1)]) };
    wired(vec![both(80, 100, 0), test]).unwrap()
}

/// A condition on the header `X-Color`.
fn header(value: &str) -> Condition {
    Condition::Header { name: "X-Color".to_owned(), values: one(value) }
}

#[test]
fn invariant_38_an_address_takes_host_path_and_query_from_the_conditions() {
    let url = |conditions: Vec<Condition>| {
        with_rule(conditions).test_address(Color::Green, &Hosts::default()).map(|address| address.url())
    };
    let host = || Condition::Host(one("green.example.com"));
    assert_eq!(url(vec![host()]).as_deref(), Some("http://green.example.com"));
    assert_eq!(
        url(vec![host(), Condition::Path(one("/v2/*"))]).as_deref(),
        Some("http://green.example.com/v2/")
    );
    let query = |key: Option<&str>, value: &str| {
        Condition::Query(vec![QueryPair { key: key.map(str::to_owned), value: value.to_owned() }])
    };
    assert_eq!(
        url(vec![query(Some("color"), "green")]).as_deref(),
        Some("http://shop.example.com/?color=green")
    );
    assert_eq!(url(vec![query(Some("color"), "g*")]), None);
    assert_eq!(url(vec![header("green")]), None, "no browser sends it");
    assert_eq!(url(vec![Condition::Host(one("*.example.com"))]), None, "a pattern is no name");
    assert_eq!(url(vec![Condition::SourceIp(vec!["10.0.0.0/8".to_owned()])]), None);
    assert_eq!(url(vec![Condition::Unknown { field: "new".to_owned() }]), None);
    assert_eq!(url(vec![Condition::Method(vec!["POST".to_owned()])]), None);
}

#[test]
fn invariant_38_a_probe_goes_only_where_its_rule_answers() {
    let probe = |conditions: Vec<Condition>, path: &str| {
        with_rule(conditions)
            .probe_address(Color::Green, path, &Hosts::default())
            .map(|found| (found.probe_url(), found.rule))
    };
    let rule = "HTTP:80 rule 5".to_owned();
    let path = || Condition::Path(one("/v2/*"));
    assert_eq!(probe(vec![path()], "/healthz"), None, "production answers it");
    assert_eq!(probe(vec![path()], "/V2/healthz"), None, "paths are compared exactly");
    let url = "http://shop.example.com/v2/healthz".to_owned();
    assert_eq!(probe(vec![path()], "/v2/healthz"), Some((url, rule.clone())));
    let sent = with_rule(vec![header("green")]).probe_address(Color::Green, "/", &Hosts::default()).unwrap();
    assert_eq!(sent.request.headers, [("X-Color".to_owned(), "green".to_owned())]);
    assert_eq!(probe(vec![header("g*")], "/"), None);
    let signed = Rule {
        actions: vec!["authenticate-oidc".to_owned(), "forward".to_owned()],
        ..super::super::sample::rule(80, Some(5), &[("tg-green", 1)])
    };
    let signed = Rule { conditions: vec![header("green")], ..signed };
    let wiring = wired(vec![both(80, 100, 0), signed]).unwrap();
    assert_eq!(
        wiring.probe_address(Color::Green, "/", &Hosts::default()),
        None,
        "whoever did not sign in gets a redirect"
    );
}

#[test]
fn invariant_38_a_rule_behind_another_one_is_no_way_and_a_default_action_comes_first() {
    let green = |port, priority, conditions| Rule { conditions, ..rule(port, priority, &[("tg-green", 1)]) };
    let all =
        |condition: Condition| Rule { conditions: vec![condition], ..rule(80, Some(1), &[("tg-blue", 1)]) };
    let by_header = || green(80, Some(5), vec![header("green")]);
    let hidden = wired(vec![both(80, 100, 0), by_header(), all(Condition::Path(one("/*")))]).unwrap();
    assert_eq!(hidden.probe_address(Color::Green, "/", &Hosts::default()), None);
    let unsure = all(Condition::SourceIp(vec!["10.0.0.0/8".to_owned()]));
    let unsure = wired(vec![both(80, 100, 0), by_header(), unsure]).unwrap();
    assert_eq!(unsure.probe_address(Color::Green, "/", &Hosts::default()), None, "the runner may be there");
    assert_eq!(
        unsure.production_address(&Hosts::default()).map(|found| found.url()).as_deref(),
        Some("http://shop.example.com")
    );
    let two = wired(vec![both(80, 100, 0), by_header(), green(8080, None, vec![])]).unwrap();
    assert_eq!(two.probe_address(Color::Green, "/", &Hosts::default()).unwrap().rule, "HTTP:8080 default");
}

#[test]
fn invariant_39_a_color_that_a_rule_of_a_production_listener_sends_users_to_is_live() {
    let path = |pattern: &str| Condition::Path(one(pattern));
    let regex = Condition::Path(vec![Pattern::Regex("^/a".to_owned())]);
    for users in [path("/a/*"), Condition::Host(one("a.b")), Condition::Method(vec!["GET".to_owned()]), regex]
    {
        let wiring = with_rule(vec![users]);
        assert!(wiring.is_live(Color::Green), "{wiring:?}");
        assert_eq!(
            (wiring.idle(), wiring.user_rules_of(Color::Green)),
            (None, vec!["HTTP:80 rule 5".to_owned()])
        );
    }
    let query = Condition::Query(vec![QueryPair { key: None, value: "green".to_owned() }]);
    let source = Condition::SourceIp(vec!["10.0.0.0/8".to_owned()]);
    for test in [header("green"), query, source] {
        assert_eq!(with_rule(vec![path("/a/*"), test]).user_rules, []);
    }
}

#[test]
fn invariant_39_only_rules_that_users_meet_count() {
    let user_rules = |rules: Vec<Rule>| wired(rules).unwrap().user_rules;
    let green = |port, priority| rule(port, priority, &[("tg-green", 1)]);
    assert_eq!(user_rules(vec![both(80, 100, 0), green(8080, None)]), [], "a test listener");
    let split = rule(80, Some(1), &[("tg-blue", 100), ("tg-green", 0)]);
    assert_eq!(user_rules(vec![split.clone(), green(80, None)]), [], "no request gets past rule 1");
    let by_host = Rule { conditions: vec![Condition::Host(one("a.b"))], ..split.clone() };
    let rest = user_rules(vec![by_host, green(80, None)]);
    assert_eq!(rest, [UserRule { color: Color::Green, rule: "HTTP:80 default".to_owned() }]);
    // Two values of a field whose values are not read.
    let unknown = || vec![Condition::Unknown { field: "new-field".to_owned() }];
    let first = Rule { conditions: unknown(), ..split };
    let second = Rule { conditions: unknown(), ..green(80, Some(2)) };
    assert_eq!(user_rules(vec![both(80, 100, 0), first, second]).len(), 1, "rule 2 may answer, too");
    let no_weight = rule(80, Some(5), &[("tg-green", 0), ("tg-else", 1)]);
    assert_eq!(user_rules(vec![both(80, 100, 0), no_weight]), []);
    let shared = rule(80, Some(5), &[("tg-green", 1), ("tg-else", 1)]);
    assert_eq!(user_rules(vec![both(80, 100, 0), shared]).len(), 1, "in a split too");
    assert_eq!(user_rules(vec![both(80, 100, 0), rule(80, Some(5), &[("tg-dev", 1)])]), []);
}

/// Green's host in the config file.
fn green_host(host: &str) -> Hosts {
    Hosts { green: Some(host.to_owned()), ..Hosts::default() }
}

#[test]
fn invariant_38_https_is_asked_by_a_host_of_the_rule_or_of_the_config() {
    let wiring = |conditions: Vec<Condition>| {
        let green = Rule { conditions, ..rule(8443, None, &[("tg-green", 1)]) };
        wired(vec![both(80, 100, 0), Rule { protocol: "HTTPS".to_owned(), ..green }]).unwrap()
    };
    let asked = |conditions: Vec<Condition>, hosts: &Hosts| {
        let wiring = wiring(conditions);
        let probe = wiring.probe_address(Color::Green, "/", hosts);
        let shown = wiring.test_address(Color::Green, hosts);
        assert_eq!(probe.as_ref().map(Address::url), shown.as_ref().map(Address::url), "one name for both");
        probe.map(|address| address.url()).ok_or_else(|| wiring.hostless_listener(Color::Green, hosts))
    };
    let (none, named) = (Hosts::default(), green_host("green.example.com"));
    let no_host = || Err(Some("HTTPS:8443".to_owned()));
    let url = |host: &str| Ok(format!("https://{host}:8443"));
    let host = |pattern: &str| vec![Condition::Host(one(pattern))];
    assert_eq!(asked(vec![], &none), no_host());
    assert_eq!(asked(vec![], &named), url("green.example.com"));
    assert_eq!(asked(host("a.b"), &none), url("a.b"));
    assert_eq!(asked(host("a.b"), &named), url("a.b"), "the config's name does not meet the rule");
    assert_eq!(asked(host("*.example.com"), &none), no_host());
    assert_eq!(asked(host("*.example.com"), &named), url("green.example.com"));
    assert_eq!(asked(host("*.b"), &named), Err(None), "a name is there and does not lead to green");
}

#[test]
fn invariant_38_the_host_of_the_config_is_used_over_http_only_if_it_leads_to_the_color() {
    let url = |wiring: &Wiring, hosts: &Hosts| {
        wiring.test_address(Color::Green, hosts).map(|address| address.url())
    };
    let green = || rule(8080, None, &[("tg-green", 1)]);
    let alone = wired(vec![both(80, 100, 0), green()]).unwrap();
    let named = green_host("green.example.com");
    assert_eq!(url(&alone, &named).as_deref(), Some("http://green.example.com:8080"));
    let taken = Condition::Host(one("green.*"));
    let taken = Rule { conditions: vec![taken], ..rule(8080, Some(1), &[("tg-blue", 1)]) };
    let taken = wired(vec![both(80, 100, 0), green(), taken]).unwrap();
    assert_eq!(
        url(&taken, &named).as_deref(),
        Some("http://shop.example.com:8080"),
        "blue answers that host"
    );
}

#[test]
fn users_over_https_get_no_address_without_a_host() {
    let https = |port| Rule { protocol: "HTTPS".to_owned(), ..both(port, 100, 0) };
    let url = |rules: Vec<Rule>| {
        wired(rules).unwrap().production_address(&Hosts::default()).map(|address| address.url())
    };
    assert_eq!(url(vec![https(443)]), None);
    assert_eq!(url(vec![https(443), both(80, 100, 0)]).as_deref(), Some("http://shop.example.com"));
}

#[test]
fn default_ports_are_left_out_of_a_url() {
    let hosts = Hosts { production: Some("www.example.com".to_owned()), ..Hosts::default() };
    let url = |protocol: &str, port| {
        let production = Rule { protocol: protocol.to_owned(), ..both(port, 100, 0) };
        wired(vec![production]).unwrap().production_address(&hosts).unwrap().url()
    };
    assert_eq!(url("HTTP", 80), "http://www.example.com");
    assert_eq!(url("HTTPS", 443), "https://www.example.com");
    assert_eq!(url("HTTP", 443), "http://www.example.com:443");
}

#[test]
fn a_network_load_balancer_is_refused() {
    let network = Balancer { arn: "arn:loadbalancer/net/shop/1".to_owned(), ..balancer(100, 0) };
    assert_eq!(
        build_wiring(Count::Both, &groups(), &network, (None, &[])),
        Err(RoutingError::NotApplication(network.arn.clone()))
    );
}

#[test]
fn a_snapshot_is_refused_for_what_no_rule_can_mend() {
    let tangled = |change: &dyn Fn(&mut Snapshot)| {
        let mut all = snapshot();
        change(&mut all);
        of_snapshot(&all, None).unwrap().unwrap_err()
    };
    fn group(all: &mut Snapshot, index: usize) -> &mut crate::plan::snapshot::TargetGroup {
        all.services[index].group.as_mut().unwrap().as_mut().unwrap()
    }
    let lambda = tangled(&|all| group(all, 1).target_type = "lambda".to_owned());
    assert_eq!(lambda, RoutingError::TargetType(ServiceColor::Green, "lambda".to_owned()));
    let same = tangled(&|all| {
        let blue = group(all, 0).clone();
        *group(all, 1) = blue;
    });
    assert_eq!(same, RoutingError::SameGroup("web-blue".to_owned()));
    let two = tangled(&|all| group(all, 1).balancers = vec!["arn:loadbalancer/app/other/2".to_owned()]);
    let (one, other) = ("arn:loadbalancer/app/shop/1".to_owned(), "arn:loadbalancer/app/other/2".to_owned());
    assert_eq!(two, RoutingError::TwoBalancers(vec![one, other]));
    assert_eq!(tangled(&|all| group(all, 0).balancers.clear()), RoutingError::Unattached(ServiceColor::Blue));
    assert_eq!(
        tangled(&|all| group(all, 1).balancers.clear()),
        RoutingError::Unattached(ServiceColor::Green)
    );
}

#[test]
fn what_could_not_be_read_is_not_guessed() {
    let mut all = snapshot();
    all.balancers = None;
    assert_eq!(of_snapshot(&all, None), None);
    let mut all = snapshot();
    all.services[0].group = None;
    assert_eq!(of_snapshot(&all, None), None);
}

#[test]
fn develop_may_sit_behind_a_load_balancer_of_its_own() {
    let mut all = snapshot();
    let mut develop = all.services[1].clone();
    develop.color = ServiceColor::Develop;
    let group = develop.group.as_mut().unwrap().as_mut().unwrap();
    group.arn = "tg-dev".to_owned();
    group.balancers = vec!["arn:loadbalancer/app/dev/9".to_owned()];
    all.services.push(develop);
    let other = Balancer {
        arn: "arn:loadbalancer/app/dev/9".to_owned(),
        dns: "dev.example.com".to_owned(),
        rules: vec![rule(81, None, &[("tg-dev", 1)])],
        ..balancer(0, 0)
    };
    all.balancers.as_mut().unwrap().as_mut().unwrap().push(other);
    let wiring = of_snapshot(&all, None).unwrap().unwrap();
    assert_eq!(
        wiring.test_address(ServiceColor::Develop, &Hosts::default()).map(|address| address.url()).as_deref(),
        Some("http://dev.example.com:81")
    );
}

#[test]
fn rules_of_other_groups_are_nobodys_business() {
    let other = rule(81, None, &[("tg-else", 1), ("tg-other", 1)]);
    let wiring = wired(vec![other, both(80, 100, 0)]).unwrap();
    assert_eq!(wiring.production.len(), 1);
    assert_eq!(wiring.tests, []);
}
