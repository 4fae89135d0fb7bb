//! Registered targets: their states, and AWS's descriptions.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::input::{Input, validation};
use super::model::TargetGroup;
use super::{Elb, State, Target, TargetState, TargetType};
use crate::wire::ApiError;

/// A target in its group.
#[derive(Debug)]
pub(super) struct Registered {
    /// The target.
    pub(super) target: Target,
    /// The health.
    pub(super) health: TargetState,
    /// Passed checks in a row.
    pub(super) passed: u32,
    /// Failed checks in a row.
    pub(super) failed: u32,
    /// Time of the next check.
    pub(super) next_check: Instant,
    /// True while a check is in progress.
    pub(super) checking: bool,
    /// Distinguishes two registrations of the same target.
    pub(super) registration: u64,
    /// Time of deregistration.
    pub(super) deregistered: Option<Instant>,
}

impl State {
    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Draining => "draining",
            Self::UnhealthyDraining => "unhealthy.draining",
            Self::Unused => "unused",
            Self::Unavailable => "unavailable",
        }
    }
}

impl TargetState {
    /// A state with its reason and description.
    fn new(state: State, reason: &str, description: impl Into<String>) -> Self {
        Self { state, reason: Some(reason.to_owned()), description: Some(description.into()) }
    }

    /// Passing its checks; AWS gives no reason.
    pub(super) fn healthy() -> Self {
        Self { state: State::Healthy, reason: None, description: None }
    }

    /// Just registered.
    pub(super) fn registering() -> Self {
        Self::new(State::Initial, "Elb.RegistrationInProgress", "Target registration is in progress")
    }

    /// Waiting for its first good answer.
    pub(super) fn first_checks() -> Self {
        Self::new(State::Initial, "Elb.InitialHealthChecking", "Initial health checks in progress")
    }

    /// Answered with a status that the matcher does not accept.
    pub(super) fn wrong_code(status: u16) -> Self {
        Self::new(
            State::Unhealthy,
            "Target.ResponseCodeMismatch",
            format!("Health checks failed with these codes: [{status}]"),
        )
    }

    /// Did not answer in time.
    pub(super) fn timed_out() -> Self {
        Self::new(State::Unhealthy, "Target.Timeout", "Request timed out")
    }

    /// Refused the connection, or gave an invalid answer.
    pub(super) fn unreachable() -> Self {
        Self::new(State::Unhealthy, "Target.FailedHealthChecks", "Health checks failed")
    }

    /// Deregistered, before the end of the delay.
    pub(super) fn draining() -> Self {
        Self::new(State::Draining, "Target.DeregistrationInProgress", "Target deregistration is in progress")
    }

    /// No rule uses the group.
    pub(super) fn not_in_use() -> Self {
        Self::new(
            State::Unused,
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        )
    }

    /// The load balancer has no node in the target's zone.
    pub(super) fn zone_not_enabled() -> Self {
        Self::new(
            State::Unused,
            "Target.NotInUse",
            "Target is in an Availability Zone that is not enabled for the load balancer",
        )
    }

    /// Requested, but not registered.
    pub(super) fn not_registered() -> Self {
        Self::new(State::Unused, "Target.NotRegistered", "Target is not registered to the target group")
    }

    /// The group's checks are off.
    pub(super) fn checks_off() -> Self {
        Self::new(
            State::Unavailable,
            "Target.HealthCheckDisabled",
            "Health checks are not enabled for this target",
        )
    }

    /// The state as DescribeTargetHealth returns it.
    fn describe(&self) -> Value {
        json!({"State": self.state.name(), "Reason": self.reason, "Description": self.description})
    }
}

impl TargetGroup {
    /// The registration of a target.
    pub(super) fn find(&self, id: &str, port: u16) -> Option<&Registered> {
        self.targets.iter().find(|entry| entry.target.id == id && entry.target.port == port)
    }

    /// The first state of a target that is registered or whose group comes into use.
    pub(super) fn first_state(&self, zone: &str, zones: Option<&[(String, String)]>) -> TargetState {
        match zones {
            None => TargetState::not_in_use(),
            Some(zones) if zone != "all" && !zones.iter().any(|(name, _)| name == zone) => {
                TargetState::zone_not_enabled()
            }
            Some(_) if !self.health.enabled => TargetState::checks_off(),
            Some(_) => TargetState::registering(),
        }
    }

    /// Forgets targets whose deregistration delay is over; returns true if there were any.
    pub(super) fn forget_drained(&mut self, now: Instant, delay: Duration) -> bool {
        let before = self.targets.len();
        self.targets.retain(|entry| entry.deregistered.is_none_or(|since| now < since + delay));
        self.targets.len() != before
    }
}

/// RegisterTargets. An address in 127.0.0.0/8 is the real destination; any other target registered by hand is
/// unreachable.
pub(super) fn register(elb: &mut Elb, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    let arn = input.required("TargetGroupArn")?.to_owned();
    let group = elb.group(&arn)?;
    let (target_type, port) = (group.target_type, group.port);
    let mut targets = Vec::new();
    for entry in input.list("Targets").unwrap_or_default() {
        targets.push(read_target(entry, target_type, port)?);
    }
    if targets.is_empty() {
        return Err(validation("You must specify at least one target"));
    }
    for mut target in targets {
        // The same address and port is the same machine in every group.
        let known = elb.groups.iter().flat_map(|group| &group.targets);
        let same = known
            .map(|known| &known.target)
            .find(|known| (&known.id, known.port) == (&target.id, target.port));
        if let Some(same) = same {
            (target.address, target.zone) = (same.address, same.zone.clone());
        }
        elb.register(&arn, target, now);
    }
    Ok(json!({}))
}

/// Reads one entry of RegisterTargets. `default_port` is the group's port.
fn read_target(
    entry: Input<'_>,
    target_type: TargetType,
    default_port: Option<u16>,
) -> Result<Target, ApiError> {
    let id = entry.required("Id")?.to_owned();
    let port = read_port(entry)?.or(default_port).unwrap_or(0);
    let zone = entry.owned("AvailabilityZone");
    let loopback = match target_type {
        TargetType::Ip => {
            let address: IpAddr = id
                .parse()
                .map_err(|_| validation(format!("The IP address '{id}' is not a valid IPv4 address")))?;
            address.is_loopback()
        }
        TargetType::Instance if !id.starts_with("i-") => {
            return Err(ApiError::new(
                "InvalidTarget",
                format!("The following targets are not in a running state and cannot be registered: '{id}'"),
            ));
        }
        TargetType::Instance | TargetType::Lambda | TargetType::Alb => false,
    };
    let address = match id.parse() {
        Ok(address) if loopback => SocketAddr::new(address, port),
        Ok(_) | Err(_) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
    };
    let zone = zone.unwrap_or_else(|| if loopback { "all".to_owned() } else { "eu-west-1a".to_owned() });
    Ok(Target { id, port, address, zone })
}

/// The port of a target description.
fn read_port(entry: Input<'_>) -> Result<Option<u16>, ApiError> {
    Ok(entry.number("Port", 1..=65_535)?.and_then(|port| u16::try_from(port).ok()))
}

/// DeregisterTargets; a target without a port means all of its ports.
pub(super) fn deregister(elb: &mut Elb, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    let arn = input.required("TargetGroupArn")?.to_owned();
    elb.group(&arn)?;
    for entry in input.list("Targets").unwrap_or_default() {
        let (id, port) = (entry.required("Id")?, read_port(entry)?);
        let ports: Vec<u16> = elb
            .group(&arn)?
            .targets
            .iter()
            .filter(|known| known.target.id == id)
            .map(|known| known.target.port)
            .collect();
        for known in ports.into_iter().filter(|known| port.is_none_or(|port| port == *known)) {
            elb.deregister(&arn, id, known, now);
        }
    }
    Ok(json!({}))
}

/// DescribeTargetHealth; a request for certain targets returns each of them, registered or not.
pub(super) fn describe_health(elb: &Elb, input: Input<'_>) -> Result<Value, ApiError> {
    let group = elb.group(input.required("TargetGroupArn")?)?;
    let mut out = Vec::new();
    match input.list("Targets").filter(|list| !list.is_empty()) {
        None => out.extend(group.targets.iter().map(|entry| describe_one(group, entry))),
        Some(asked) => {
            for entry in asked {
                let id = entry.required("Id")?;
                let port = read_port(entry)?.or(group.port).unwrap_or(0);
                out.push(group.find(id, port).map_or_else(
                    || json!({"Target": {"Id": id, "Port": port}, "TargetHealth": TargetState::not_registered().describe()}),
                    |known| describe_one(group, known),
                ));
            }
        }
    }
    Ok(json!({"TargetHealthDescriptions": out}))
}

/// One entry of the answer; instances carry no zone.
fn describe_one(group: &TargetGroup, entry: &Registered) -> Value {
    let target = &entry.target;
    let zone = (group.target_type == TargetType::Ip).then_some(&target.zone);
    let port =
        if group.health.port == "traffic-port" { target.port.to_string() } else { group.health.port.clone() };
    json!({
        "Target": {"Id": target.id, "Port": target.port, "AvailabilityZone": zone},
        "HealthCheckPort": port,
        "TargetHealth": entry.health.describe(),
    })
}
