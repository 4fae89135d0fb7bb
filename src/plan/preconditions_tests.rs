//! Who may begin: what is refused for how the color is reached.

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::sample::{balancer, rule, snapshot, trouble};
use crate::plan::snapshot::Balancer;

/// A deploy to this color, with or without probes.
fn request(color: WantedColor, probes: bool) -> Request {
    let probes = probes.then(|| "/".to_owned()).into_iter().collect();
    Request { color, allow_live: false, probes, listener: None, hosts: Hosts::default() }
}

/// The refusal of a probe of `/`.
fn no_test(color: ServiceColor) -> Refusal {
    Refusal::NoTestAddress { color, path: "/".to_owned(), host: None }
}

/// The sample with these rules at its balancer.
fn with(rules: Vec<crate::plan::snapshot::Rule>) -> Snapshot {
    Snapshot { balancers: Some(Ok(vec![Balancer { rules, ..balancer(100, 0) }])), ..snapshot() }
}

/// Production with blue at 100 on port 80.
fn production() -> crate::plan::snapshot::Rule {
    rule(80, None, &[("tg-blue", 100), ("tg-green", 0)])
}

/// The sample with develop, tested on port 8082.
fn with_develop(tested: bool) -> Snapshot {
    let mut rules = vec![production()];
    if tested {
        rules.push(rule(8082, None, &[("tg-dev", 1)]));
    }
    let mut all = with(rules);
    let mut develop = all.services[1].clone();
    develop.color = ServiceColor::Develop;
    develop.group.as_mut().unwrap().as_mut().unwrap().arn = "tg-dev".to_owned();
    all.services.push(develop);
    all
}

/// What is refused.
fn refused(snapshot: &Snapshot, request: &Request) -> Refusal {
    match check_preconditions(snapshot, request) {
        Err(Blocker::Refuse(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn weight_0_in_production_is_enough_for_health_checks_but_not_for_probes() {
    let only = with(vec![production()]);
    assert_eq!(
        check_preconditions(&only, &request(WantedColor::Idle, false)).unwrap().color,
        ServiceColor::Green
    );
    assert_eq!(refused(&only, &request(WantedColor::Idle, true)), no_test(ServiceColor::Green));
    assert!(check_preconditions(&snapshot(), &request(WantedColor::Idle, true)).is_ok());
}

#[test]
fn invariant_38_probes_over_https_need_a_host() {
    let https =
        crate::plan::snapshot::Rule { protocol: "HTTPS".to_owned(), ..rule(8443, None, &[("tg-green", 1)]) };
    let all = with(vec![production(), https]);
    assert!(check_preconditions(&all, &request(WantedColor::Idle, false)).is_ok());
    let asked = request(WantedColor::Idle, true);
    let no_host = Refusal::NoHost { color: ServiceColor::Green, listener: "HTTPS:8443".to_owned() };
    assert_eq!(refused(&all, &asked), no_host);
    let hosts = Hosts { green: Some("green.example.com".to_owned()), ..Hosts::default() };
    assert!(check_preconditions(&all, &Request { hosts, ..asked }).is_ok());
}

#[test]
fn on_day_one_a_color_that_no_rule_uses_is_refused() {
    let listener = Some(ListenerChoice::Port { protocol: None, port: 80 });
    let asked = Request { listener, ..request(WantedColor::Idle, false) };
    let alone = with(vec![rule(80, None, &[("tg-blue", 1)])]);
    assert_eq!(refused(&alone, &asked), Refusal::NotChecked(ServiceColor::Green));
    let tested = with(vec![rule(80, None, &[("tg-blue", 1)]), rule(8080, None, &[("tg-green", 1)])]);
    assert_eq!(check_preconditions(&tested, &asked).unwrap().color, ServiceColor::Green);
}

#[test]
fn develop_needs_a_rule_of_its_own_and_never_the_production_rules() {
    let develop = WantedColor::Color(ServiceColor::Develop);
    assert_eq!(
        check_preconditions(&with_develop(true), &request(develop, true)).unwrap().color,
        ServiceColor::Develop
    );
    assert_eq!(
        refused(&with_develop(false), &request(develop, false)),
        Refusal::NotChecked(ServiceColor::Develop)
    );
    assert_eq!(refused(&snapshot(), &request(develop, false)), Refusal::NoDevelop);
    let mut unread = with_develop(true);
    unread.balancers = Some(Err(trouble(AwsErrorKind::Denied)));
    assert_eq!(check_preconditions(&unread, &request(develop, false)).unwrap().wiring, None);
    assert_eq!(refused(&unread, &request(develop, true)), no_test(ServiceColor::Develop));
}

#[test]
fn develops_setup_matters_for_develop_alone() {
    let mut odd = with_develop(true);
    odd.services[2].setup.scheduling = "DAEMON".to_owned();
    assert!(check_preconditions(&odd, &request(WantedColor::Idle, false)).is_ok());
    let refusal = refused(&odd, &request(WantedColor::Color(ServiceColor::Develop), false));
    assert!(matches!(refusal, Refusal::Setup { part: SetupPart::Scheduling, .. }));
}

#[test]
fn invariant_09_a_read_that_may_be_answered_later_holds_and_one_that_never_will_refuses() {
    let mut all = snapshot();
    all.services[0].group = Some(Err(trouble(AwsErrorKind::Throttled)));
    assert_eq!(
        check_preconditions(&all, &request(WantedColor::Idle, false)),
        Err(Blocker::Retry(trouble(AwsErrorKind::Throttled)))
    );
    all.services[0].group = Some(Err(trouble(AwsErrorKind::Denied)));
    let unread = Refusal::Unread(trouble(AwsErrorKind::Denied));
    assert_eq!(refused(&all, &request(WantedColor::Idle, false)), unread);
}
