//! Each mistake alone in a good setup: the ids and severities of what is found.

use std::time::Duration;

use super::{Finding, SetupFacts, Severity, find_mistakes, missing_grants, needed_grants, principal_arn};
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::ServiceColor;
use crate::plan::sample::{balancer, rule, service, snapshot, trouble};
use crate::plan::scalers::{Managed, SCALE_IN_AFTER};
use crate::plan::snapshot::{Breaker, GroupAttributes, Rule, Service, Snapshot};
use crate::plan::wanted::Hosts;

/// A good setup.
fn good() -> Snapshot {
    let mut good = snapshot();
    for service in &mut good.services {
        service.setup.breaker = Some(Breaker { rollback: false, threshold: None });
        group(service, 30);
    }
    good
}

/// Gives the service's target group this deregistration delay, in seconds.
fn group(service: &mut Service, delay: u64) {
    let Some(Ok(group)) = &mut service.group else { panic!("a group") };
    group.attributes = Some(Ok(GroupAttributes {
        deregistration_delay: Duration::from_secs(delay),
        minimum_count: 1,
        minimum_percent: 0,
    }));
}

/// Blue's service.
fn blue(snapshot: &mut Snapshot) -> &mut Service {
    &mut snapshot.services[0]
}

/// All rules.
fn rules(snapshot: &mut Snapshot) -> &mut Vec<Rule> {
    let Some(Ok(balancers)) = &mut snapshot.balancers else { panic!("balancers") };
    &mut balancers[0].rules
}

/// The findings as words: `stops no-room`.
fn told(found: &[Finding]) -> Vec<String> {
    found.iter().map(|one| format!("{} {}", one.severity.word(), one.mistake.id())).collect()
}

/// The findings without probes and without scaling, with a time-out of 30 minutes.
fn found(snapshot: &Snapshot) -> Vec<String> {
    told(&find_mistakes(snapshot, &facts(&Hosts::default(), false, None)))
}

/// The facts outside AWS.
fn facts<'a>(hosts: &'a Hosts, probes: bool, scaling: Option<&'a Managed>) -> SetupFacts<'a> {
    SetupFacts { listener: None, hosts, probes, scaling, alarms: &[], timeout: Duration::from_secs(1800) }
}

/// A mistake, planted.
type Plant = fn(&mut Snapshot);

#[test]
fn each_mistake_is_found_alone() {
    let table: [(Plant, &[&str]); 18] = [
        (|_| {}, &[]),
        (|seen| blue(seen).setup.breaker = None, &["warns circuit-breaker"]),
        (|seen| blue(seen).setup.maximum_percent = 100, &["stops no-room"]),
        (|seen| blue(seen).setup.grace = Duration::from_secs(1800), &["warns grace-period"]),
        (|seen| blue(seen).setup.grace = Duration::from_secs(1799), &[]),
        (|seen| group(blue(seen), 300), &["warns deregistration-delay"]),
        (|seen| group(blue(seen), 1800), &["stops deregistration-delay"]),
        (|seen| group(blue(seen), 299), &[]),
        (|seen| blue(seen).setup.controller = "CODE_DEPLOY".to_owned(), &["stops controller"]),
        (|seen| blue(seen).setup.links.clear(), &["stops load-balancers"]),
        (|seen| seen.missing.push((ServiceColor::Develop, "web-dev".to_owned())), &["stops service-missing"]),
        (|seen| rules(seen).retain(|rule| rule.port != 8080), &["warns test-listener"]),
        (|seen| rules(seen)[1].protocol = "HTTPS".to_owned(), &["warns test-host"]),
        (|seen| rules(seen)[0].stickiness = Some(Duration::from_secs(60)), &["warns stickiness"]),
        (
            |seen| {
                let third = rule(80, None, &[("tg-blue", 1), ("tg-green", 0), ("tg-other", 0)]);
                rules(seen)[0] = third;
            },
            &["stops third-group"],
        ),
        (
            |seen| {
                let mut lone = rule(80, Some(5), &[("tg-green", 1)]);
                lone.conditions = vec![crate::plan::snapshot::Condition::Method(vec!["POST".to_owned()])];
                rules(seen).push(lone);
            },
            &["stops lone-rule"],
        ),
        (
            |seen| rules(seen).push(rule(443, None, &[("tg-blue", 1), ("tg-green", 1)])),
            &["stops rules-disagree"],
        ),
        (|seen| blue(seen).tasks = Some(Err(trouble(AwsErrorKind::Denied))), &["stops permission"]),
    ];
    for (index, (plant, expected)) in table.into_iter().enumerate() {
        let mut seen = good();
        plant(&mut seen);
        assert_eq!(found(&seen), expected, "row {index}");
    }
}

#[test]
fn a_config_with_probes_or_scaling_asks_for_more() {
    let hosts = Hosts::default();
    let mut seen = good();
    rules(&mut seen).retain(|rule| rule.port != 8080);
    assert_eq!(told(&find_mistakes(&seen, &facts(&hosts, true, None))), ["stops test-listener"]);
    let mut seen = good();
    rules(&mut seen)[1].protocol = "HTTPS".to_owned();
    assert_eq!(told(&find_mistakes(&seen, &facts(&hosts, true, None))), ["stops test-host"]);
    let named = Hosts { green: Some("green.example.com".to_owned()), ..Hosts::default() };
    assert_eq!(told(&find_mistakes(&seen, &facts(&named, true, None))), [""; 0]);
    let managed = Managed {
        min: 2,
        max: 10,
        idle_min: 1,
        cpu: 80,
        memory: 80,
        scale_in_below: 40,
        scale_in_after: SCALE_IN_AFTER,
    };
    let mut seen = good();
    seen.services[1].scaling = Some(Ok(None));
    let found = find_mistakes(&seen, &facts(&hosts, false, Some(&managed)));
    assert_eq!(told(&found), ["warns scalable-target"]);
    assert_eq!(told(&find_mistakes(&seen, &facts(&hosts, false, None))), [""; 0]);
}

#[test]
fn what_stops_a_command_comes_first() {
    let mut seen = good();
    blue(&mut seen).setup.breaker = None;
    seen.services[1].setup.maximum_percent = 100;
    let found = find_mistakes(&seen, &facts(&Hosts::default(), false, None));
    assert_eq!(found.first().map(|one| one.severity), Some(Severity::Stops));
    assert_eq!(told(&found), ["stops no-room", "warns circuit-breaker"]);
}

#[test]
fn develop_needs_a_listener_of_its_own() {
    let mut seen = good();
    let mut develop = service(ServiceColor::Develop);
    develop.setup.breaker = Some(Breaker { rollback: false, threshold: None });
    seen.services.push(develop);
    assert_eq!(found(&seen), ["stops test-listener"]);
    let mut all = balancer(100, 0);
    all.rules.push(rule(9090, None, &[("tg-develop", 1)]));
    seen.balancers = Some(Ok(vec![all]));
    assert_eq!(found(&seen), [""; 0]);
}

/// The denied actions that are a mistake, if the role may do these.
fn lacking(allowed: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let grants = needed_grants(&good(), &facts(&Hosts::default(), false, None));
    let answers: Vec<bool> = grants.iter().map(|grant| allowed(grant.action, &grant.resource)).collect();
    missing_grants(&grants, &answers, "arn:aws:iam::123456789012:role/deploy")
        .into_iter()
        .map(|found| match found.mistake {
            super::Mistake::Grant { action, resource, .. } => {
                format!("{action} {}", resource.rsplit(':').next().unwrap_or_default())
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_role_lacks_what_it_was_made_for() {
    let deploys = |action: &str| {
        ["ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UpdateService"].contains(&action)
    };
    let moves = |action: &str| ["elasticloadbalancing:ModifyListener", "ecs:UpdateService"].contains(&action);
    // A role that may only read, one for deploys, one for deploys to green, and one for traffic.
    assert_eq!(lacking(|_, _| false), [""; 0]);
    assert_eq!(lacking(|action, _| deploys(action)), [""; 0]);
    assert_eq!(lacking(|action, on| deploys(action) && on.contains("green")), [""; 0]);
    assert_eq!(lacking(|action, _| moves(action)), [""; 0]);
    // The same without an action.
    let without = |lost: &'static str| {
        move |action: &str, _: &str| action != lost && (deploys(action) || moves(action))
    };
    assert_eq!(
        lacking(without("ecs:UpdateService")),
        ["ecs:UpdateService service/shop/web-blue", "ecs:UpdateService service/shop/web-green"]
    );
    assert_eq!(lacking(without("ecs:TagResource")).len(), 2);
    assert_eq!(
        lacking(|action, on| moves(action) && !on.ends_with("web-green")),
        ["ecs:UpdateService service/shop/web-green"]
    );
}

#[test]
fn the_role_of_a_session_is_known_by_name() {
    for (caller, principal) in [
        ("arn:aws:sts::123456789012:assumed-role/deploy/ci", Some("arn:aws:iam::123456789012:role/deploy")),
        ("arn:aws-cn:sts::123456789012:assumed-role/a/b", Some("arn:aws-cn:iam::123456789012:role/a")),
        ("arn:aws:iam::123456789012:user/ci/bot", Some("arn:aws:iam::123456789012:user/ci/bot")),
        ("arn:aws:iam::123456789012:root", None),
    ] {
        assert_eq!(principal_arn(caller).as_deref(), principal, "{caller}");
    }
}

#[test]
fn a_rollback_alarm_that_does_not_exist_is_found() {
    let mut seen = good();
    seen.alarms = Some(Ok(Vec::new()));
    let names = ["web-5xx".to_owned()];
    let hosts = Hosts::default();
    let facts = SetupFacts { alarms: &names, ..facts(&hosts, false, None) };
    assert_eq!(told(&find_mistakes(&seen, &facts)), ["stops alarm-missing"]);
}
