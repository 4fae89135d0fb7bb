//! What stops no promote and is better known before it: how the color scales that is to be production.

use super::other;
use crate::plan::color::Color;
use crate::plan::snapshot::{Scalable, Service, Snapshot};

/// Something to know before a color is production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caution {
    /// It can't grow as far as the other color could.
    LowerMax {
        /// The color.
        color: Color,
        /// Its MaxCapacity.
        most: u32,
        /// The other color's.
        other: u32,
    },
    /// It does not scale automatically, and the other color does.
    NotScaled(Color),
    /// A part of its automatic scaling is suspended, and no run takes that back.
    Suspended {
        /// The color.
        color: Color,
        /// Its service.
        service: String,
        /// Whether scale-out by policies is (`DynamicScalingOutSuspended`).
        out: bool,
        /// Whether scheduled scaling is (`ScheduledScalingSuspended`).
        scheduled: bool,
    },
}

/// What there is to know of a color that is to be production. Where scaling is managed, its bounds are the config's.
pub(crate) fn cautions(snapshot: &Snapshot, color: Color, managed: bool) -> Vec<Caution> {
    let (Some(winner), Some(loser)) = (snapshot.service(color), snapshot.service(other(color))) else {
        return Vec::new();
    };
    let bounds = lower(winner, loser).filter(|_| !managed);
    bounds.into_iter().chain(suspended(winner)).collect()
}

/// Whether a service's scale-out or scheduled scaling is suspended.
pub(crate) fn suspended(service: &Service) -> Option<Caution> {
    let Scalable { out_suspended: out, scheduled_suspended: scheduled, .. } = target(service)??;
    let (color, service) = (service.color, service.name.clone());
    (out || scheduled).then_some(Caution::Suspended { color, service, out, scheduled })
}

/// How far the winner can't grow where the loser could.
fn lower(winner: &Service, loser: &Service) -> Option<Caution> {
    let (color, of_winner, of_loser) = (winner.color, target(winner)?, target(loser)??);
    match of_winner {
        None => Some(Caution::NotScaled(color)),
        Some(own) if own.max < of_loser.max => {
            Some(Caution::LowerMax { color, most: own.max, other: of_loser.max })
        }
        Some(_) => None,
    }
}

/// A service's scalable target, where it was read; it may have none.
fn target(service: &Service) -> Option<Option<Scalable>> {
    service.scaling.as_ref()?.as_ref().ok().copied()
}
