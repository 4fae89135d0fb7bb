//! Target groups.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::balancers::{check_name, short_id};
use super::input::{Input, not_in_enum, validation};
use super::matcher::Matcher;
use super::model::{HealthCheck, Pairs, TargetGroup};
use super::paging::page;
use super::state::group_not_found;
use super::{Elb, TargetType, tags};
use crate::wire::ApiError;
use crate::world::World;

/// Attributes of a new target group of an application load balancer (API_TargetGroupAttribute).
const DEFAULTS: [(&str, &str); 15] = [
    ("stickiness.enabled", "false"),
    ("deregistration_delay.timeout_seconds", "300"),
    ("stickiness.type", "lb_cookie"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("slow_start.duration_seconds", "0"),
    ("load_balancing.algorithm.type", "round_robin"),
    ("load_balancing.algorithm.anomaly_mitigation", "off"),
    ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
    ("target_group_health.dns_failover.minimum_healthy_targets.count", "1"),
    ("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1"),
    ("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off"),
    ("stickiness.app_cookie.cookie_name", ""),
    ("stickiness.app_cookie.duration_seconds", "86400"),
    ("lambda.multi_value_headers.enabled", "false"),
];

/// CreateTargetGroup. A second call with the same settings returns the existing group.
pub(super) fn create(world: &mut World, input: Input<'_>) -> Result<Value, ApiError> {
    let name = input.required("Name")?.to_owned();
    check_name(&name, "Target group")?;
    let target_type = read_type(input)?;
    let lambda = target_type == TargetType::Lambda;
    let protocol = input.owned("Protocol");
    let port = input.number("Port", 1..=65_535)?.and_then(|port| u16::try_from(port).ok());
    check_basics(target_type, protocol.as_deref(), port, input)?;
    let http = protocol.as_deref().is_some_and(|protocol| ["HTTP", "HTTPS"].contains(&protocol));
    let health = read_health(input, initial_health(protocol.as_deref(), lambda), target_type)?;
    if let Some(known) = world.elb.groups.iter().find(|group| group.name == name) {
        let same = known.protocol == protocol
            && known.port == port
            && known.target_type == target_type
            && known.health == health;
        if same {
            return Ok(json!({"TargetGroups": [known.describe(&world.elb.balancers_of(&known.arn))]}));
        }
        return Err(ApiError::new(
            "DuplicateTargetGroupName",
            format!("A target group with the same name '{name}' exists, but with different settings"),
        ));
    }
    let tags = tags::read(input)?;
    let id = short_id(world);
    let group = TargetGroup {
        arn: world.arn("elasticloadbalancing", &format!("targetgroup/{name}/{id}")),
        name,
        protocol_version: http.then(|| input.owned("ProtocolVersion").unwrap_or_else(|| "HTTP1".to_owned())),
        protocol,
        port,
        vpc: (!lambda).then(|| input.owned("VpcId").unwrap_or_else(|| "vpc-0a1b2c3d".to_owned())),
        target_type,
        ipv6: input.text("IpAddressType") == Some("ipv6"),
        health,
        attributes: defaults(target_type, http),
        tags,
        targets: Vec::new(),
        turn: Arc::default(),
        counters: HashMap::new(),
    };
    let out = json!({"TargetGroups": [group.describe(&[])]});
    world.elb.groups.push(group);
    Ok(out)
}

/// `TargetType`.
fn read_type(input: Input<'_>) -> Result<TargetType, ApiError> {
    match input.text("TargetType") {
        None | Some("instance") => Ok(TargetType::Instance),
        Some("ip") => Ok(TargetType::Ip),
        Some("lambda") => Ok(TargetType::Lambda),
        Some("alb") => Ok(TargetType::Alb),
        Some(other) => Err(not_in_enum(other, "targetType", &["instance", "ip", "lambda", "alb"])),
    }
}

/// The requirements of each target type: protocol, port and VPC, or none.
fn check_basics(
    target_type: TargetType,
    protocol: Option<&str>,
    port: Option<u16>,
    input: Input<'_>,
) -> Result<(), ApiError> {
    const PROTOCOLS: [&str; 9] =
        ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"];
    if let Some(protocol) = protocol.filter(|protocol| !PROTOCOLS.contains(protocol)) {
        return Err(not_in_enum(protocol, "protocol", &PROTOCOLS));
    }
    let given = [("protocol", protocol.is_some()), ("port", port.is_some()), ("VPC ID", input.has("VpcId"))];
    match target_type {
        TargetType::Lambda => match given.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(validation(format!(
                "{name} cannot be specified for target groups with target type 'lambda'"
            ))),
            None => Ok(()),
        },
        TargetType::Instance | TargetType::Ip | TargetType::Alb => {
            match given.iter().find(|(_, given)| !given) {
                Some((name, _)) => Err(validation(format!("A {name} must be specified"))),
                None => Ok(()),
            }
        }
    }
}

/// AWS's health check for a new group (API_CreateTargetGroup).
fn initial_health(protocol: Option<&str>, lambda: bool) -> HealthCheck {
    let web = lambda || protocol.is_some_and(|protocol| ["HTTP", "HTTPS"].contains(&protocol));
    HealthCheck {
        enabled: !lambda,
        protocol: if web { protocol.unwrap_or("HTTP") } else { "TCP" }.to_owned(),
        port: "traffic-port".to_owned(),
        path: web.then(|| "/".to_owned()),
        interval: if lambda { 35 } else { 30 },
        timeout: if lambda {
            30
        } else if web {
            5
        } else {
            10
        },
        healthy: 5,
        unhealthy: 2,
        matcher: if web { Matcher::parse("200").ok() } else { None },
    }
}

/// The health check with a request's changes.
fn read_health(
    input: Input<'_>,
    mut health: HealthCheck,
    target_type: TargetType,
) -> Result<HealthCheck, ApiError> {
    health.enabled = input.flag("HealthCheckEnabled")?.unwrap_or(health.enabled);
    if !health.enabled && target_type != TargetType::Lambda {
        return Err(ApiError::new(
            "InvalidConfigurationRequest",
            format!(
                "Health checks must be enabled for target groups with target type '{}'",
                target_type.name()
            ),
        ));
    }
    if let Some(protocol) = input.owned("HealthCheckProtocol") {
        health.protocol = protocol;
    }
    health.port = input.owned("HealthCheckPort").unwrap_or(health.port);
    if health.port != "traffic-port" && health.port.parse::<u16>().map_or(true, |port| port == 0) {
        return Err(validation(format!(
            "Health check port '{}' must be in the range [1, 65535] or 'traffic-port'",
            health.port
        )));
    }
    if ["HTTP", "HTTPS"].contains(&health.protocol.as_str()) {
        health.path = input.owned("HealthCheckPath").or(health.path).or_else(|| Some("/".to_owned()));
        let codes = input.structure("Matcher").and_then(|matcher| matcher.text("HttpCode"));
        health.matcher = codes.map(Matcher::parse).transpose()?.or(health.matcher);
    }
    if health.path.as_deref().is_some_and(|path| !path.starts_with('/')) {
        return Err(validation(format!(
            "Health check path '{}' must start with '/'",
            health.path.unwrap_or_default()
        )));
    }
    health.interval = input.number("HealthCheckIntervalSeconds", 5..=300)?.unwrap_or(health.interval);
    health.timeout = input.number("HealthCheckTimeoutSeconds", 2..=120)?.unwrap_or(health.timeout);
    health.healthy = input.number("HealthyThresholdCount", 2..=10)?.unwrap_or(health.healthy);
    health.unhealthy = input.number("UnhealthyThresholdCount", 2..=10)?.unwrap_or(health.unhealthy);
    if health.timeout >= health.interval
        && health.path.is_some()
        && !(input.text("HealthCheckTimeoutSeconds").is_none() && health.interval == 5)
    {
        return Err(validation(format!(
            "Health check timeout '{}' must be smaller than the interval '{}'",
            health.timeout, health.interval
        )));
    }
    Ok(health)
}

/// Attributes of a new target group.
fn defaults(target_type: TargetType, http: bool) -> Pairs {
    let applies = |key: &str| match (target_type, http) {
        (TargetType::Lambda, _) => {
            ["stickiness.", "lambda.", "target_group_health."].iter().any(|start| key.starts_with(start))
        }
        (_, true) => !key.starts_with("lambda."),
        (_, false) => [
            "deregistration",
            "stickiness.enabled",
            "stickiness.type",
            "load_balancing.cross",
            "target_group_health.",
        ]
        .iter()
        .any(|start| key.starts_with(start)),
    };
    let kept = DEFAULTS.iter().filter(|(key, _)| applies(key));
    kept.map(|(key, value)| {
        let value = if *key == "stickiness.type" && !http && target_type != TargetType::Lambda {
            "source_ip"
        } else {
            value
        };
        ((*key).to_owned(), value.to_owned())
    })
    .collect()
}

/// DescribeTargetGroups: all, of a load balancer, or up to 20 by ARN or name.
pub(super) fn describe(elb: &Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let (arns, names) =
        (input.texts("TargetGroupArns").unwrap_or_default(), input.texts("Names").unwrap_or_default());
    if arns.len() + names.len() > 20 {
        return Err(validation("You cannot describe more than '20' target groups at a time"));
    }
    let of = |group: &TargetGroup| group.describe(&elb.balancers_of(&group.arn));
    let mut out = Vec::new();
    for arn in &arns {
        out.push(of(elb.group(arn)?));
    }
    for name in &names {
        out.push(of(elb.groups.iter().find(|group| group.name == *name).ok_or_else(group_not_found)?));
    }
    match input.text("LoadBalancerArn") {
        Some(balancer) => {
            elb.balancer(balancer)?;
            let used = |group: &&TargetGroup| elb.load_balancer_of(&group.arn).as_deref() == Some(balancer);
            out.extend(elb.groups.iter().filter(used).map(of));
        }
        None if arns.is_empty() && names.is_empty() => out.extend(elb.groups.iter().map(of)),
        None => {}
    }
    page(elb, input, "TargetGroups", out)
}

/// ModifyTargetGroup: the health check.
pub(super) fn modify(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("TargetGroupArn")?;
    let balancers = elb.balancers_of(arn);
    let group = elb.group_mut(arn)?;
    group.health = read_health(input, group.health.clone(), group.target_type)?;
    Ok(json!({"TargetGroups": [group.describe(&balancers)]}))
}

/// DeleteTargetGroup: a missing group is no error, a group in use is.
pub(super) fn delete(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("TargetGroupArn")?;
    if elb.load_balancer_of(arn).is_some() {
        return Err(ApiError::new(
            "ResourceInUse",
            format!("Target group '{arn}' is currently in use by a listener or a rule"),
        ));
    }
    elb.groups.retain(|group| group.arn != arn);
    Ok(json!({}))
}
