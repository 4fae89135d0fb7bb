//! Whether a deploy may begin, and to which color: every refusal that needs no write.

use super::color::Color;
use super::snapshot::{Seen, Service, ServiceStatus, Snapshot};
use super::step::{Refusal, SetupPart};
use super::trouble::Trouble;
use super::wanted::{Hosts, ListenerChoice, WantedColor};
use super::wiring::{Wiring, of_snapshot};

/// What a deploy asks for, as far as it decides whether it may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The color.
    pub(crate) color: WantedColor,
    /// `allow-live`.
    pub(crate) allow_live: bool,
    /// Paths of the probes, perhaps with a query.
    pub(crate) probes: Vec<String>,
    /// The production listener, where it is named.
    pub(crate) listener: Option<ListenerChoice>,
    /// Host names of the colors.
    pub(crate) hosts: Hosts,
}

/// What stands in the way of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// A read that may be answered when it is tried again.
    Hold(Trouble),
    /// A refusal.
    Refuse(Refusal),
}

impl From<Refusal> for Hindrance {
    fn from(refusal: Refusal) -> Self {
        Hindrance::Refuse(refusal)
    }
}

impl From<&Trouble> for Hindrance {
    fn from(trouble: &Trouble) -> Self {
        if trouble.kind.passes() {
            Hindrance::Hold(trouble.clone())
        } else {
            Hindrance::Refuse(Refusal::Unread(trouble.clone()))
        }
    }
}

/// A deploy that may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admitted {
    /// The color to deploy to.
    pub(crate) color: Color,
    /// How the colors are wired; develop alone can do without.
    pub(crate) wiring: Option<Wiring>,
}

/// Decides whether the deploy may begin.
pub(crate) fn admit(snapshot: &Snapshot, request: &Request) -> Result<Admitted, Hindrance> {
    if !snapshot.missing.is_empty() {
        let (services, place) = (snapshot.missing.clone(), snapshot.place.clone());
        return Err(Refusal::Missing { services, place }.into());
    }
    for service in snapshot.services.iter().filter(|service| matters(service, request)) {
        supported(service)?;
    }
    let wiring = match wiring(snapshot, request) {
        Err(_) if request.color == WantedColor::Color(Color::Develop) => None,
        wiring => Some(wiring?),
    };
    let color = choose(snapshot, request, wiring.as_ref())?;
    reachable(request, wiring.as_ref(), color)?;
    Ok(Admitted { color, wiring })
}

/// Develop's setup matters only for a deploy to develop.
fn matters(service: &Service, request: &Request) -> bool {
    service.color != Color::Develop || request.color == WantedColor::Color(Color::Develop)
}

/// Refuses what this action does not handle. The order is from the plainest to the most special.
pub(crate) fn supported(service: &Service) -> Result<(), Refusal> {
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

/// The wiring, or what keeps it from being read.
fn wiring(snapshot: &Snapshot, request: &Request) -> Result<Wiring, Hindrance> {
    for color in [Color::Blue, Color::Green] {
        if let Some(service) = snapshot.service(color) {
            answered(&service.group)?;
        }
    }
    answered(&snapshot.balancers)?;
    match of_snapshot(snapshot, request.listener.as_ref()) {
        Some(Ok(wiring)) => Ok(wiring),
        Some(Err(tangle)) => Err(Refusal::Tangle(tangle).into()),
        None => Err(Refusal::Tangle(super::wiring::Tangle::NoProductionRule(Vec::new())).into()),
    }
}

/// The trouble of a part as a hindrance.
pub(crate) fn answered<T>(part: &Seen<T>) -> Result<(), Hindrance> {
    match part {
        Some(Err(trouble)) => Err(trouble.into()),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// The color to deploy to.
fn choose(snapshot: &Snapshot, request: &Request, wiring: Option<&Wiring>) -> Result<Color, Refusal> {
    let color = match (request.color, wiring) {
        (WantedColor::Color(Color::Develop), _) => {
            return snapshot.service(Color::Develop).map(|service| service.color).ok_or(Refusal::NoDevelop);
        }
        (WantedColor::Color(color), _) => color,
        (WantedColor::Idle, Some(wiring)) => idle(wiring)?,
        (WantedColor::Idle, None) => return Err(Refusal::NoDevelop),
    };
    match wiring {
        Some(wiring) if wiring.is_live(color) && !request.allow_live => Err(live_refusal(wiring, color)),
        Some(_) | None => Ok(color),
    }
}

/// The color without users. One that has none by weight and some by a rule of its own is refused for that rule.
fn idle(wiring: &Wiring) -> Result<Color, Refusal> {
    let split = wiring.split();
    let unweighted = [Color::Blue, Color::Green].into_iter().find(|color| !split.is_live(*color));
    match (wiring.idle(), unweighted) {
        (Some(color), _) => Ok(color),
        (None, Some(color)) => Err(live_refusal(wiring, color)),
        (None, None) => Err(Refusal::NoIdleColor(split)),
    }
}

/// The refusal of a color that serves users, with what sends them there.
pub(crate) fn live_refusal(wiring: &Wiring, color: Color) -> Refusal {
    Refusal::LiveColor { color, split: wiring.split(), rules: wiring.user_rules_of(color) }
}

/// The load balancer has to check the color's health, which it does for a group that some rule uses, and each probe needs
/// a rule that sends it to this color alone.
fn reachable(request: &Request, wiring: Option<&Wiring>, color: Color) -> Result<(), Refusal> {
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
    let in_production =
        color != Color::Develop && wiring.production.iter().any(|rule| rule.lacks != Some(color));
    if tested || in_production { Ok(()) } else { Err(Refusal::NotChecked(color)) }
}

#[cfg(test)]
#[path = "admit_tests.rs"]
mod tests;
