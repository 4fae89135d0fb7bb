//! Warnings before a promote about the scaling of the color that is to be production. A caution stops no promote.

use crate::plan::color::Color;
use crate::plan::snapshot::{Scalable, Service, Snapshot};

/// A warning about a color that is to be production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caution {
    /// The color's limit is lower than the other color's.
    LowerMax {
        /// The color.
        color: Color,
        /// The color's MaxCapacity.
        most: u32,
        /// The other color's MaxCapacity.
        other: u32,
    },
    /// The color does not scale automatically, and the other color does.
    NotScaled(Color),
    /// A part of the automatic scaling is suspended, and no run resumes that part.
    Suspended {
        /// The color.
        color: Color,
        /// The service's name.
        service: String,
        /// True if scale-out by policies is suspended (`DynamicScalingOutSuspended`).
        out: bool,
        /// True if scheduled scaling is suspended (`ScheduledScalingSuspended`).
        scheduled: bool,
    },
}

/// The warnings for a color that is to be production. With managed scaling, the config sets the bounds.
pub(crate) fn find_cautions(snapshot: &Snapshot, color: Color, managed: bool) -> Vec<Caution> {
    let (Some(winner), Some(loser)) = (snapshot.service(color), snapshot.service(color.other())) else {
        return Vec::new();
    };
    let bounds = lower_max_caution((color, winner), loser).filter(|_| !managed);
    bounds.into_iter().chain(suspended_caution((color, winner))).collect()
}

/// The caution if a service's scale-out or scheduled scaling is suspended.
pub(crate) fn suspended_caution((color, service): (Color, &Service)) -> Option<Caution> {
    let Scalable { out_suspended: out, scheduled_suspended: scheduled, .. } = scalable_target(service)??;
    let service = service.name.clone();
    (out || scheduled).then_some(Caution::Suspended { color, service, out, scheduled })
}

/// The caution if the new production color can't grow like the other color.
fn lower_max_caution((color, winner): (Color, &Service), loser: &Service) -> Option<Caution> {
    let (of_winner, of_loser) = (scalable_target(winner)?, scalable_target(loser)??);
    match of_winner {
        None => Some(Caution::NotScaled(color)),
        Some(own) if own.max < of_loser.max => {
            Some(Caution::LowerMax { color, most: own.max, other: of_loser.max })
        }
        Some(_) => None,
    }
}

/// A service's scalable target. The outer none means unread, the inner none means no target.
fn scalable_target(service: &Service) -> Option<Option<Scalable>> {
    service.scaling.as_ref()?.as_ref().ok().copied()
}
