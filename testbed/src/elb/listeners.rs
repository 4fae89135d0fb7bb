//! Listeners.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::Elb;
use super::action::{Action, Kind, invalid_action, parse_list};
use super::balancers::short_id;
use super::certificates;
use super::input::{Input, not_in_enum, validation};
use super::model::{Flavor, Listener, Pairs, Rule, TargetGroup};
use super::paging::page;
use super::plane::Published;
use super::proxy::Door;
use super::tags;
use crate::wire::ApiError;
use crate::world::World;

/// The protocols of network and gateway load balancers.
const OTHER_PROTOCOLS: [&str; 7] = ["TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"];
/// The default policy of an HTTPS listener.
const SSL_POLICY: &str = "ELBSecurityPolicy-2016-08";

/// Listeners of a load balancer, by AWS's default quota.
const MOST_LISTENERS: usize = 50;

/// CreateListener. The port is opened on loopback at once.
pub(super) fn create(world: &mut World, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    let balancer = input.required("LoadBalancerArn")?.to_owned();
    let flavor = world.elb.balancer(&balancer)?.flavor;
    let port = read_port(input)?.ok_or_else(|| validation("A listener port must be specified"))?;
    let protocol =
        input.text("Protocol").ok_or_else(|| validation("A listener protocol must be specified"))?.to_owned();
    check_protocol(flavor, &protocol)?;
    if world.elb.listeners.iter().any(|listener| listener.balancer == balancer && listener.port == port) {
        return Err(duplicate());
    }
    check_quota(&world.elb, &balancer)?;
    let certificates = certificates::read(input);
    let acceptor = certificates::check(&world.acm, &protocol, &certificates, &certificates)?;
    let actions = parse_list(&input.list("DefaultActions").unwrap_or_default(), &[], "defaultActions")?;
    check_actions(&world.elb, &balancer, &protocol, &actions)?;
    let tags = tags::read(input)?;
    let arn = listener_arn(world, &balancer);
    let default = Rule {
        arn: rule_arn(world, &arn),
        priority: None,
        conditions: Vec::new(),
        actions,
        transforms: Vec::new(),
        tags: Pairs::new(),
    };
    let published = Arc::new(Published::default());
    published.set_tls(acceptor);
    let door = open(world, flavor, port, &published)?;
    let ssl_policy =
        input.owned("SslPolicy").or_else(|| (protocol == "HTTPS").then(|| SSL_POLICY.to_owned()));
    let rules: Vec<Rule> = vec![default];
    let listener = Listener {
        arn,
        balancer,
        port,
        protocol,
        certificates,
        ssl_policy,
        attributes: vec![("routing.http.response.server.enabled".to_owned(), "true".to_owned())],
        tags,
        routed: rules.clone().into(),
        rules,
        coming: VecDeque::new(),
        published,
        door,
    };
    let out = json!({"Listeners": [listener.describe()]});
    world.elb.listeners.push(listener);
    world.elb.stale = true;
    world.elb.settle(now);
    Ok(out)
}

/// `TooManyListeners`; the words are unconfirmed.
fn check_quota(elb: &Elb, balancer: &str) -> Result<(), ApiError> {
    if elb.listeners.iter().filter(|listener| listener.balancer == balancer).count() < MOST_LISTENERS {
        return Ok(());
    }
    let text = format!("The maximum number of listeners on load balancer {balancer} has been reached");
    Err(ApiError::new("TooManyListeners", text))
}

/// `DuplicateListener`.
fn duplicate() -> ApiError {
    ApiError::new("DuplicateListener", "A listener already exists on this port for this load balancer")
}

/// Opens the port of an application load balancer's listener.
fn open(
    world: &World,
    flavor: Flavor,
    port: u16,
    published: &Arc<Published>,
) -> Result<Option<Door>, ApiError> {
    if flavor != Flavor::Application {
        return Ok(None);
    }
    let door = Door::open(port, Arc::clone(published), &world.elb.runtime);
    door.map(Some).map_err(|error| {
        ApiError::new(
            "InvalidConfigurationRequest",
            format!("The testbed couldn't listen on 127.0.0.1:{port}: {error}"),
        )
    })
}

/// The ARN of a new listener.
fn listener_arn(world: &mut World, balancer: &str) -> String {
    let id = short_id(world);
    format!("{}/{id}", balancer.replacen(":loadbalancer/", ":listener/", 1))
}

/// The ARN of a new rule of a listener.
pub(super) fn rule_arn(world: &mut World, listener: &str) -> String {
    let id = short_id(world);
    format!("{}/{id}", listener.replacen(":listener/", ":listener-rule/", 1))
}

/// `Port`.
fn read_port(input: Input<'_>) -> Result<Option<u16>, ApiError> {
    Ok(input.number("Port", 1..=65_535)?.and_then(|port| u16::try_from(port).ok()))
}

/// Application load balancers accept HTTP and HTTPS, other kinds do not.
fn check_protocol(flavor: Flavor, protocol: &str) -> Result<(), ApiError> {
    let allowed: &[&str] = match flavor {
        Flavor::Application => &["HTTP", "HTTPS"],
        Flavor::Network => &["TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"],
        Flavor::Gateway => &["GENEVE"],
    };
    if allowed.contains(&protocol) {
        return Ok(());
    }
    if !["HTTP", "HTTPS"].contains(&protocol) && !OTHER_PROTOCOLS.contains(&protocol) {
        let all: Vec<&str> = ["HTTP", "HTTPS"].into_iter().chain(OTHER_PROTOCOLS).collect();
        return Err(not_in_enum(protocol, "protocol", &all));
    }
    Err(validation(format!("Listener protocol '{protocol}' must be one of '{}'", allowed.join(", "))))
}

/// The requirements of actions on other resources: groups that exist, belong to no other load balancer, speak HTTP, and
/// agree about stickiness.
pub(super) fn check_actions(
    elb: &Elb,
    balancer: &str,
    protocol: &str,
    actions: &[Action],
) -> Result<(), ApiError> {
    for action in actions {
        if let Kind::Other { name, .. } = &action.kind
            && protocol != "HTTPS"
        {
            return Err(invalid_action(format!(
                "Actions of type '{name}' are supported only on HTTPS listeners"
            )));
        }
        let Some(forward) = action.forward() else { continue };
        for (arn, _) in &forward.groups {
            check_group(elb, balancer, protocol, arn)?;
        }
        let sticky = |(arn, _): &(String, u32)| elb.group(arn).is_ok_and(TargetGroup::sticky_targets);
        if forward.groups.len() > 1 && !forward.sticky && forward.groups.iter().any(sticky) {
            return Err(ApiError::new(
                "InvalidConfigurationRequest",
                "You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups",
            ));
        }
    }
    Ok(())
}

/// Checks that a listener's actions may name a group.
fn check_group(elb: &Elb, balancer: &str, protocol: &str, arn: &str) -> Result<(), ApiError> {
    let group = elb.group(arn).map_err(|error| match error.code.as_str() {
        "TargetGroupNotFound" => {
            ApiError::new("TargetGroupNotFound", format!("Target group '{arn}' not found"))
        }
        _ => error,
    })?;
    if elb.load_balancer_of(arn).is_some_and(|other| other != balancer) {
        return Err(ApiError::new(
            "TargetGroupAssociationLimit",
            format!(
                "The following target groups cannot be associated with more than one load balancer: {arn}"
            ),
        ));
    }
    let of_application = ["HTTP", "HTTPS"].contains(&protocol);
    match &group.protocol {
        Some(own) if ["HTTP", "HTTPS"].contains(&own.as_str()) != of_application => Err(ApiError::new(
            "InvalidConfigurationRequest",
            format!(
                "Listener protocol '{protocol}' is not supported with a target group with the target protocol '{own}'"
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

/// DescribeListeners: of a load balancer, or by ARN.
pub(super) fn describe(elb: &Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let arns = input.texts("ListenerArns").unwrap_or_default();
    let out: Vec<Value> = match (input.text("LoadBalancerArn"), arns.is_empty()) {
        (Some(balancer), true) => {
            elb.balancer(balancer)?;
            elb.listeners
                .iter()
                .filter(|listener| listener.balancer == balancer)
                .map(Listener::describe)
                .collect()
        }
        (None, false) => {
            arns.iter().map(|arn| elb.listener(arn).map(Listener::describe)).collect::<Result<_, _>>()?
        }
        (Some(_), false) | (None, true) => {
            return Err(validation("You must specify either listener ARNs or a load balancer ARN"));
        }
    };
    page(elb, input, "Listeners", out)
}

/// ModifyListener: given fields replace the old ones, the default actions as a whole.
pub(super) fn modify(world: &mut World, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    let arn = input.required("ListenerArn")?.to_owned();
    let listener = world.elb.listener(&arn)?;
    let (balancer, old_port) = (listener.balancer.clone(), listener.port);
    let protocol = input.owned("Protocol").unwrap_or_else(|| listener.protocol.clone());
    let flavor = world.elb.balancer(&balancer)?.flavor;
    check_protocol(flavor, &protocol)?;
    let mut certificates = listener.certificates.clone();
    let given = certificates::read(input);
    if protocol != "HTTPS" {
        certificates.clear();
    } else if !given.is_empty() {
        // The default is replaced; additional certificates stay.
        let added = certificates.iter().skip(1).filter(|arn| !given.contains(arn));
        certificates = given.iter().chain(added).cloned().collect();
    }
    let acceptor = certificates::check(&world.acm, &protocol, &given, &certificates)?;
    let actions = read_new_actions(&world.elb, listener, input, &protocol)?;
    let port = read_port(input)?.unwrap_or(old_port);
    if port != old_port {
        move_port(world, &arn, &balancer, flavor, port)?;
    }
    let listener = world.elb.listener_mut(&arn)?;
    listener.ssl_policy = (protocol == "HTTPS").then(|| {
        input
            .owned("SslPolicy")
            .or_else(|| listener.ssl_policy.clone())
            .unwrap_or_else(|| SSL_POLICY.to_owned())
    });
    listener.published.set_tls(acceptor);
    (listener.protocol, listener.certificates) = (protocol, certificates);
    if let (Some(actions), Some(rule)) =
        (actions, listener.rules.iter_mut().find(|rule| rule.priority.is_none()))
    {
        rule.actions = actions;
    }
    let out = json!({"Listeners": [listener.describe()]});
    world.elb.route(&arn, world.pace.propagation, now);
    Ok(out)
}

/// The new default actions; none if unchanged.
fn read_new_actions(
    elb: &Elb,
    listener: &Listener,
    input: Input<'_>,
    protocol: &str,
) -> Result<Option<Vec<Action>>, ApiError> {
    let Some(list) = input.list("DefaultActions") else { return Ok(None) };
    let before = listener.default_rule().map(|rule| rule.actions.as_slice()).unwrap_or_default();
    let actions = parse_list(&list, before, "defaultActions")?;
    check_actions(elb, &listener.balancer, protocol, &actions)?;
    Ok(Some(actions))
}

/// Opens the new port and closes the old one.
fn move_port(
    world: &mut World,
    arn: &str,
    balancer: &str,
    flavor: Flavor,
    port: u16,
) -> Result<(), ApiError> {
    if world.elb.listeners.iter().any(|listener| listener.balancer == balancer && listener.port == port) {
        return Err(duplicate());
    }
    let published = Arc::clone(&world.elb.listener(arn)?.published);
    let door = open(world, flavor, port, &published)?;
    let listener = world.elb.listener_mut(arn)?;
    (listener.port, listener.door) = (port, door);
    world.elb.stale = true;
    Ok(())
}

/// DeleteListener: deletes the rules too.
pub(super) fn delete(elb: &mut Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let arn = input.required("ListenerArn")?;
    elb.listener(arn)?;
    elb.listeners.retain(|listener| listener.arn != arn);
    Ok(json!({}))
}
