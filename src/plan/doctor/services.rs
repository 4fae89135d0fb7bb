//! The services themselves: existence, setup, room for a deployment, circuit breaker and grace period.

use std::time::Duration;

use super::{Finding, Mistake, SetupFacts, stops, warns};
use crate::plan::preconditions::check_supported;
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{Refusal, SetupPart};
use crate::plan::verdict::{drain_delay, has_room};

/// Deregistration delay of a target group that sets none, in AWS ("Edit target group attributes", ELB User Guide). Each
/// deployment waits that long for its old tasks.
const DEFAULT_DELAY: Duration = Duration::from_secs(300);

/// The mistakes of all services.
pub(super) fn check_services(snapshot: &Snapshot, facts: &SetupFacts<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    if !snapshot.missing.is_empty() {
        let (services, place) = (snapshot.missing.clone(), snapshot.place.clone());
        found.push(refused("service-missing", Refusal::Missing { services, place }));
    }
    for service in &snapshot.services {
        found.extend(check_supported(service).err().map(|refusal| refused(setup_id(&refusal), refusal)));
        found.extend(check_room(service));
        found.extend(check_breaker(service));
        found.extend(check_grace(service, facts));
        found.extend(check_delay(service, facts));
    }
    found
}

/// A setup that a command refuses.
fn refused(id: &'static str, refusal: Refusal) -> Finding {
    stops(Mistake::Refused { id, refusal })
}

/// The id of an unsupported service.
fn setup_id(refusal: &Refusal) -> &'static str {
    let Refusal::Setup { part, .. } = refusal else { return "service-inactive" };
    match part {
        SetupPart::Controller => "controller",
        SetupPart::Strategy => "strategy",
        SetupPart::Scheduling => "scheduling",
        SetupPart::TargetGroups | SetupPart::ClassicBalancer => "load-balancers",
    }
}

/// Percentages that leave no room for a deployment. A deploy raises a count of 0 to 1.
fn check_room(service: &Service) -> Option<Finding> {
    let (desired, setup) = (service.desired.max(1), &service.setup);
    let (minimum, maximum) = (setup.minimum_percent, setup.maximum_percent);
    let service = service.name.clone();
    (!has_room(desired, minimum, maximum))
        .then(|| refused("no-room", Refusal::NoRoom { service, desired, minimum, maximum }))
}

/// No circuit breaker: ECS starts the tasks of a failing version again and again.
fn check_breaker(service: &Service) -> Option<Finding> {
    let service_name = service.name.clone();
    service.setup.breaker.is_none().then(|| warns(Mistake::CircuitBreaker { service: service_name }))
}

/// A grace period in which a failing version is not found before the time-out.
fn check_grace(service: &Service, facts: &SetupFacts<'_>) -> Option<Finding> {
    let (grace, timeout) = (service.setup.grace, facts.timeout);
    let service = service.name.clone();
    (grace >= timeout).then(|| warns(Mistake::GracePeriod { service, grace, timeout }))
}

/// A deregistration delay as long as AWS's default. A deploy fails if the delay is not shorter than the time-out.
fn check_delay(service: &Service, facts: &SetupFacts<'_>) -> Option<Finding> {
    let (timeout, delay) = (facts.timeout, drain_delay(service)?);
    let name = service.name.clone();
    let mistake = Mistake::DeregistrationDelay { service: name, delay, timeout };
    if delay >= timeout {
        return Some(stops(mistake));
    }
    (delay >= DEFAULT_DELAY).then(|| warns(mistake))
}
