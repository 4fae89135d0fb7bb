//! Checks before a deploy: may the deploy begin, and to which color. Every refusal here needs no write.

use super::aws_error::AwsError;
use super::color::{Color, ServiceColor};
use super::snapshot::{Seen, Service, ServiceStatus, Snapshot};
use super::step::{Refusal, SetupPart};
use super::wanted::{Hosts, ListenerChoice, WantedColor};
use super::wiring::{RoutingError, Wired, Wiring, agreed_wiring, apart_of_snapshot};

/// The inputs of a deploy that decide if the deploy may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The color.
    pub(crate) color: WantedColor,
    /// `allow-live`.
    pub(crate) allow_live: bool,
    /// Paths of the probes, perhaps with a query.
    pub(crate) probes: Vec<String>,
    /// The production listener, if the user named a listener.
    pub(crate) listener: Option<ListenerChoice>,
    /// Host names of the colors.
    pub(crate) hosts: Hosts,
}

/// Blocks a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Blocker {
    /// A failed read that may succeed later.
    Retry(AwsError),
    /// A refusal.
    Refuse(Refusal),
}

impl From<Refusal> for Blocker {
    fn from(refusal: Refusal) -> Self {
        Blocker::Refuse(refusal)
    }
}

impl From<&AwsError> for Blocker {
    fn from(trouble: &AwsError) -> Self {
        if trouble.kind.is_transient() {
            Blocker::Retry(trouble.clone())
        } else {
            Blocker::Refuse(Refusal::Unread(trouble.clone()))
        }
    }
}

/// A deploy that may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preconditions {
    /// The color to deploy to.
    pub(crate) color: ServiceColor,
    /// The wiring of the colors. None is possible for develop alone.
    pub(crate) wiring: Option<Wiring>,
}

/// Decides whether the deploy may begin.
pub(crate) fn check_preconditions(snapshot: &Snapshot, request: &Request) -> Result<Preconditions, Blocker> {
    let wired = apart_of_snapshot(snapshot, request.listener.as_ref());
    let (color, wiring) = check_wired(snapshot, request, &wired)?;
    Ok(Preconditions { color, wiring: wiring.cloned() })
}

/// The same with rules that were read already: the color to deploy to, and the wiring of the colors.
pub(super) fn check_wired<'a>(
    snapshot: &Snapshot,
    request: &Request,
    wired: &'a Wired,
) -> Result<(ServiceColor, Option<&'a Wiring>), Blocker> {
    if !snapshot.missing.is_empty() {
        let (services, place) = (snapshot.missing.clone(), snapshot.place.clone());
        return Err(Refusal::Missing { services, place }.into());
    }
    for service in snapshot.services.iter().filter(|service| is_relevant(service, request)) {
        check_supported(service)?;
    }
    let wiring = match require_wiring(snapshot, wired) {
        Err(_) if request.color == WantedColor::Color(ServiceColor::Develop) => None,
        wiring => Some(wiring?),
    };
    let color = choose_color(snapshot, request, wiring)?;
    check_reachable(request, wiring, color)?;
    Ok((color, wiring))
}

/// Develop's setup matters only for a deploy to develop.
fn is_relevant(service: &Service, request: &Request) -> bool {
    service.color.production().is_some() || request.color == WantedColor::Color(service.color)
}

/// Refuses setups that this action does not handle. The order is from the plainest to the most special.
pub(crate) fn check_supported(service: &Service) -> Result<(), Refusal> {
    let status = match service.status {
        ServiceStatus::Active => None,
        ServiceStatus::Draining => Some("DRAINING"),
        ServiceStatus::Inactive => Some("INACTIVE"),
    };
    if let Some(status) = status {
        return Err(Refusal::NotActive { service: service.name.clone(), status });
    }
    let setup = &service.setup;
    let refuse =
        |part, found: &str| Refusal::Setup { service: service.name.clone(), part, found: found.to_owned() };
    if setup.scheduling != "REPLICA" {
        return Err(refuse(SetupPart::Scheduling, &setup.scheduling));
    }
    if setup.controller != "ECS" {
        return Err(refuse(SetupPart::Controller, &setup.controller));
    }
    if setup.strategy != "ROLLING" {
        return Err(refuse(SetupPart::Strategy, &setup.strategy));
    }
    match setup.links.as_slice() {
        [link] if link.group.is_some() => Ok(()),
        [_] => Err(refuse(SetupPart::ClassicBalancer, "loadBalancerName")),
        links => Err(refuse(SetupPart::TargetGroups, &links.len().to_string())),
    }
}

/// The wiring, or the reason that it is unknown.
fn require_wiring<'a>(snapshot: &Snapshot, wired: &'a Wired) -> Result<&'a Wiring, Blocker> {
    for (_, service) in snapshot.production() {
        require_answer(&service.group)?;
    }
    require_answer(&snapshot.balancers)?;
    let unknown = || Err(RoutingError::NoProductionRule(Vec::new()));
    Ok(agreed_wiring(wired).unwrap_or_else(unknown).map_err(Refusal::RoutingError)?)
}

/// Fails if the read of this part failed.
pub(crate) fn require_answer<T>(part: &Seen<T>) -> Result<(), Blocker> {
    match part {
        Some(Err(trouble)) => Err(trouble.into()),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// The color to deploy to.
fn choose_color(
    snapshot: &Snapshot,
    request: &Request,
    wiring: Option<&Wiring>,
) -> Result<ServiceColor, Refusal> {
    let wanted = match request.color {
        WantedColor::Color(color) => color,
        WantedColor::Idle => wiring.ok_or(Refusal::NoDevelop).and_then(idle_color)?.into(),
    };
    let Some(color) = wanted.production() else {
        return snapshot.service(wanted).map(|service| service.color).ok_or(Refusal::NoDevelop);
    };
    match wiring {
        Some(wiring) if wiring.is_live(color) && !request.allow_live => Err(live_refusal(wiring, color)),
        Some(_) | None => Ok(wanted),
    }
}

/// The color without users. If a color without weight gets users by another rule, the refusal names that rule.
fn idle_color(wiring: &Wiring) -> Result<Color, Refusal> {
    let split = wiring.split();
    let unweighted = Color::BOTH.into_iter().find(|color| !split.is_live(*color));
    match (wiring.idle(), unweighted) {
        (Some(color), _) => Ok(color),
        (None, Some(color)) => Err(live_refusal(wiring, color)),
        (None, None) => Err(Refusal::NoIdleColor(split)),
    }
}

/// The refusal of a color that serves users, with the split and rules that send users there.
pub(crate) fn live_refusal(wiring: &Wiring, color: Color) -> Refusal {
    Refusal::LiveColor { color, split: wiring.split(), rules: wiring.user_rules_of(color) }
}

/// Refuses a color without health checks or a probe without an address. The load balancer checks only groups that some
/// rule uses. Each probe needs a rule that sends the probe to this color alone.
fn check_reachable(request: &Request, wiring: Option<&Wiring>, color: ServiceColor) -> Result<(), Refusal> {
    let hosts = &request.hosts;
    let reached =
        |path: &&String| wiring.is_some_and(|wiring| wiring.probe_address(color, path, hosts).is_some());
    if let Some(path) = request.probes.iter().find(|path| !reached(path)) {
        if let Some(listener) = wiring.and_then(|wiring| wiring.hostless_listener(color, hosts)) {
            return Err(Refusal::NoHost { color, listener });
        }
        let host = hosts.of(color).map(str::to_owned);
        return Err(Refusal::NoTestAddress { color, path: path.clone(), host });
    }
    let Some(wiring) = wiring else { return Ok(()) };
    let tested = wiring.tests_of(color).next().is_some();
    if tested || wiring.is_in_production(color) { Ok(()) } else { Err(Refusal::NotChecked(color)) }
}

#[cfg(test)]
#[path = "preconditions_tests.rs"]
mod tests;
