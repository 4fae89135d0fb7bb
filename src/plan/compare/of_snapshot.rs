//! The evidence in a snapshot.

use super::{Comparison, Evidence, Routing, compare};
use crate::plan::color::Color;
use crate::plan::snapshot::{Rollout, Seen, Service, Snapshot};
use crate::plan::time::Time;
use crate::plan::wanted::ListenerChoice;
use crate::plan::wiring::{Wiring, apart_of_snapshot};

/// The comparison of the colors in a snapshot with minutes. None if the minutes were not requested, or if only one color
/// has users. Without `tested`, the color with the newer deployment has the new version.
pub(crate) fn compare_snapshot(
    snapshot: &Snapshot,
    (listener, tested): (Option<&ListenerChoice>, Option<Color>),
    tolerance: u32,
    now: Time,
) -> Seen<Comparison> {
    let minutes = snapshot.minutes.as_ref()?;
    let wiring = split_wiring(snapshot, listener)?;
    let (blue, green) = (snapshot.service(Color::Blue)?, snapshot.service(Color::Green)?);
    let newer = if completed(green) >= completed(blue) { Color::Green } else { Color::Blue };
    let evidence = |minutes| Evidence {
        minutes,
        now,
        since: completed(blue).max(completed(green)),
        routing: routing(&wiring, [blue, green]),
        tested: tested.unwrap_or(newer),
        tolerance,
    };
    Some(minutes.as_ref().map(|minutes| compare(&evidence(minutes))).map_err(Clone::clone))
}

/// True if both colors have users by the production rules.
pub(crate) fn are_both_live(snapshot: &Snapshot, listener: Option<&ListenerChoice>) -> bool {
    split_wiring(snapshot, listener).is_some()
}

/// The wiring, if both colors have users by the production rules.
fn split_wiring(snapshot: &Snapshot, listener: Option<&ListenerChoice>) -> Option<Wiring> {
    let wiring = apart_of_snapshot(snapshot, listener)?.ok()?;
    (wiring.split_reaches(Color::Blue) && wiring.split_reaches(Color::Green)).then_some(wiring)
}

/// When the color's running deployment completed, as far as AWS shows: its last change. Later than any minute if unknown.
fn completed(service: &Service) -> Time {
    service.primary().map_or(Time(u64::MAX), |deployment| deployment.updated)
}

/// The configured routing.
fn routing(wiring: &Wiring, services: [&Service; 2]) -> Routing {
    let split = wiring.split();
    let done = |service: &&Service| {
        service.deployments.len() == 1
            && service.primary().is_some_and(|deployment| deployment.rollout == Rollout::Completed)
    };
    if !wiring.production.iter().all(|rule| rule.split.same_ratio(split)) {
        Routing::Apart
    } else if wiring.production.iter().any(|rule| rule.rule.stickiness.is_some()) {
        Routing::Sticky(split)
    } else if !services.iter().all(done) {
        Routing::Deploying(split)
    } else {
        Routing::Split(split)
    }
}
