//! Whether users can be moved to a color now, and what about traffic is not as it should be.

use super::{WhyNot, known};
use crate::plan::color::Color;
use crate::plan::snapshot::{Rollout, Scalable, Service, Snapshot};
use crate::plan::wiring::{Tangle, Wiring};

/// The commands that move users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// `redirect-traffic`.
    Redirect,
    /// `rollback`.
    Rollback,
    /// `promote`.
    Promote,
}

/// What a command that moves all users to a color would be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Movable {
    /// The command.
    pub(crate) command: Move,
    /// Where to.
    pub(crate) color: Color,
    /// Whether it would be begun.
    pub(crate) valid: Result<(), WhyNot>,
}

/// Something about traffic that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Drift {
    /// Both colors serve users, and one can't grow to its share of what the largest can grow to.
    Bounds {
        /// The color.
        color: Color,
        /// Its share in percent.
        share: u32,
        /// Its MaxCapacity.
        most: u32,
        /// The largest MaxCapacity.
        largest: u32,
        /// Its share of that, rounded up.
        needed: u32,
    },
    /// Both colors serve users, and one may scale in.
    ScaleIn {
        /// The color.
        color: Color,
        /// Its service.
        service: String,
    },
}

/// What each command is told for blue and for green.
pub(super) fn movable(snapshot: &Snapshot, wired: Option<&Result<Wiring, Tangle>>) -> Vec<Movable> {
    let colors = snapshot.services.iter().filter(|service| service.color != Color::Develop);
    colors
        .flat_map(|service| {
            let to = redirectable(service, wired);
            let promoted = if to == Err(WhyNot::AllThere) { Ok(()) } else { to };
            [(Move::Redirect, to), (Move::Rollback, to), (Move::Promote, promoted)]
                .map(|(command, valid)| Movable { command, color: service.color, valid })
        })
        .collect()
}

/// Whether all users can be moved to this color. A run scales up what is too small, so only what does not run well counts.
fn redirectable(service: &Service, wired: Option<&Result<Wiring, Tangle>>) -> Result<(), WhyNot> {
    let wiring = match wired {
        Some(Ok(wiring)) => wiring,
        Some(Err(Tangle::Disagree(_))) => return Err(WhyNot::Disagree),
        Some(Err(_)) | None => return Err(WhyNot::Unread),
    };
    let lacks = wiring.production.iter().any(|rule| rule.lacks == Some(service.color));
    let split = wiring.split();
    if split.weight(service.color) == split.blue + split.green {
        return Err(WhyNot::AllThere);
    }
    if lacks {
        return Err(WhyNot::NotAdopted);
    }
    let older = service.deployments.iter().any(|deployment| !deployment.primary && deployment.running > 0);
    match service.primary().map(|deployment| deployment.rollout) {
        Some(Rollout::InProgress | Rollout::Unknown) if older => return Err(WhyNot::InFlight),
        Some(_) | None => {}
    }
    let Some(targets) = known(&service.targets) else { return Err(WhyNot::Unread) };
    let any = |state: &str| targets.iter().any(|target| target.state == state);
    let coming = service.pending > 0 || service.running < service.desired || any("initial");
    if service.desired > 0 && !coming && !any("healthy") { Err(WhyNot::NoneHealthy) } else { Ok(()) }
}

/// What is not as it should be while both colors serve users (invariants 16 and 19).
pub(super) fn drift(snapshot: &Snapshot, wiring: Option<&Wiring>) -> Vec<Drift> {
    let Some(split) = wiring.map(Wiring::split).filter(|split| split.blue > 0 && split.green > 0) else {
        return Vec::new();
    };
    let scaled: Vec<(&Service, Scalable)> = snapshot
        .services
        .iter()
        .filter(|service| split.is_live(service.color))
        .filter_map(|service| Some((service, (*known(&service.scaling)?)?)))
        .collect();
    let largest = scaled.iter().map(|(_, scaling)| scaling.max).max().unwrap_or_default();
    let (blue, green) = split.percent();
    let sum = u64::from(split.blue + split.green);
    let bounds = scaled.iter().filter_map(|(service, scaling)| {
        let share = u64::from(split.weight(service.color)) * u64::from(largest);
        let needed = u32::try_from(share.div_ceil(sum)).unwrap_or(u32::MAX);
        (scaling.max < needed).then_some(Drift::Bounds {
            color: service.color,
            share: if service.color == Color::Blue { blue } else { green },
            most: scaling.max,
            largest,
            needed,
        })
    });
    let open = scaled
        .iter()
        .filter(|(_, scaling)| !scaling.in_suspended)
        .map(|(service, _)| Drift::ScaleIn { color: service.color, service: service.name.clone() });
    bounds.chain(open).collect()
}
