//! The load balancer: production rules, rules of one color, test listeners and stickiness.

use super::{Finding, Mistake, SetupFacts, stops, warns};
use crate::plan::color::{Color, ServiceColor};
use crate::plan::snapshot::{Balancer, Service, Snapshot, TargetGroup};
use crate::plan::step::Refusal;
use crate::plan::wiring::{ProductionRule, RoutingError, Wiring, apart_of_snapshot, of_snapshot, rule_name};

/// The mistakes of all rules. Nothing if the rules could not be read.
pub(super) fn check_rules(snapshot: &Snapshot, facts: &SetupFacts<'_>) -> Vec<Finding> {
    let error = of_snapshot(snapshot, facts.listener).and_then(Result::err);
    let mut found: Vec<Finding> = error.into_iter().map(routing_finding).collect();
    if let Some(Ok(wiring)) = apart_of_snapshot(snapshot, facts.listener) {
        found.extend(wiring.production.iter().filter_map(|rule| check_both(rule, &wiring)));
        found.extend(user_rules(&wiring));
        found.extend(wiring.production.iter().filter_map(check_stickiness));
        found.extend(snapshot.services.iter().filter_map(|service| {
            check_test_listener(service, &wiring, (snapshot, facts))
                .or_else(|| check_test_host(service.color, &wiring, facts))
        }));
    }
    found
}

/// Rules that can't be read as blue and green, or that disagree.
fn routing_finding(error: RoutingError) -> Finding {
    let id = match &error {
        RoutingError::ThirdGroup { .. } => "third-group",
        RoutingError::Disagree(_) => "rules-disagree",
        RoutingError::NoProductionRule(_) | RoutingError::NoSuchListener(_) => "no-production-rule",
        RoutingError::NoWeight(_) => "no-weight",
        RoutingError::UnknownAction { .. } => "unknown-action",
        RoutingError::TwoBalancers(_)
        | RoutingError::Unattached(_)
        | RoutingError::NotApplication(_)
        | RoutingError::TargetType(..)
        | RoutingError::SameGroup(_) => "target-groups",
    };
    stops(Mistake::Refused { id, refusal: Refusal::RoutingError(error) })
}

/// A production rule of the named listener without the group of the other color: no command moves users by this rule.
fn check_both(rule: &ProductionRule, wiring: &Wiring) -> Option<Finding> {
    let lacks = rule.lacks?;
    let group = if lacks == Color::Blue { &wiring.groups.blue } else { &wiring.groups.green };
    let (rule, group) = (rule_name(&rule.rule), group.clone());
    Some(stops(Mistake::LoneRule { rule, lacks, group }))
}

/// The rules of a production listener that send users to one color, outside the split. A promote refuses such rules.
fn user_rules(wiring: &Wiring) -> Vec<Finding> {
    let one = |color: Color, rule: &String| stops(Mistake::UserRule { color, rule: rule.clone() });
    wiring.user_rules.iter().map(|found| one(found.color, &found.rule)).collect()
}

/// Stickiness: users stay on a color after its weight is 0.
fn check_stickiness(rule: &ProductionRule) -> Option<Finding> {
    let lasts = rule.rule.stickiness?;
    Some(warns(Mistake::Stickiness { rule: rule_name(&rule.rule), lasts }))
}

/// A color without a test listener. A deploy with probes refuses that; so does each deploy if the load balancer does not
/// check the color's targets, which is the case without any rule.
fn check_test_listener(
    service: &Service,
    wiring: &Wiring,
    (snapshot, facts): (&Snapshot, &SetupFacts<'_>),
) -> Option<Finding> {
    if wiring.tests_of(service.color).next().is_some() {
        return None;
    }
    let color = service.color;
    let group = service.group.as_ref()?.as_ref().ok()?;
    let balancer = balancer_of(group, snapshot)?;
    let port = free_port(color, balancer);
    let (group, balancer) = (group.arn.clone(), balancer.arn.clone());
    let checked = wiring.is_in_production(color);
    let mistake = Mistake::TestListener { color, group, balancer, port };
    Some(if facts.probes || !checked { stops(mistake) } else { warns(mistake) })
}

/// The load balancer of a target group; without one, the load balancer of production.
fn balancer_of<'a>(group: &TargetGroup, snapshot: &'a Snapshot) -> Option<&'a Balancer> {
    let all = snapshot.balancers.as_ref()?.as_ref().ok()?;
    all.iter().find(|balancer| group.balancers.contains(&balancer.arn)).or_else(|| all.first())
}

/// A port for a new test listener: 8080 for green, 8081 for blue, 9090 for develop, or the next free one.
fn free_port(color: ServiceColor, balancer: &Balancer) -> u16 {
    let first = match color {
        ServiceColor::Green => 8080,
        ServiceColor::Blue => 8081,
        ServiceColor::Develop => 9090,
    };
    let taken = |port: &u16| balancer.rules.iter().any(|rule| rule.port == *port);
    (first..u16::MAX).find(|port| !taken(port)).unwrap_or(first)
}

/// A test listener that no request can be sent to: HTTPS, and no host is known.
fn check_test_host(color: ServiceColor, wiring: &Wiring, facts: &SetupFacts<'_>) -> Option<Finding> {
    let listener = wiring.hostless_listener(color, facts.hosts)?;
    if wiring.probe_address(color, "/", facts.hosts).is_some() {
        return None;
    }
    let mistake = Mistake::TestHost { color, listener };
    Some(if facts.probes { stops(mistake) } else { warns(mistake) })
}
