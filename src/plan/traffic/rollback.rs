//! The target of a rollback: all users on the other color.

use super::facts::{FactsError, read_facts};
use super::goal::Goal;
use super::stage::split_at;
use crate::plan::color::{Color, Split};
use crate::plan::preconditions::Blocker;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Refusal;
use crate::plan::wiring::disagreement_error;

/// The split of a rollback: all users on `color`, or on the color without users if the user named none.
pub(crate) fn rollback_split(
    snapshot: &Snapshot,
    goal: &Goal,
    color: Option<Color>,
) -> Result<Split, Blocker> {
    if let Some(color) = color {
        return Ok(split_at(color, 100));
    }
    let facts = read_facts(snapshot, goal).map_err(|lacking| match lacking {
        FactsError::Blocker(hindrance) => hindrance,
        FactsError::NeedsRead(_) => Blocker::Refuse(Refusal::WhichColor(Split { blue: 0, green: 0 })),
    })?;
    let now = facts.wiring.split();
    if facts.base(now).is_none_or(|base| !base.same_ratio(now)) {
        return Err(Refusal::RoutingError(disagreement_error(&facts.wiring.production)).into());
    }
    facts.wiring.idle().map(|idle| split_at(idle, 100)).ok_or_else(|| Refusal::WhichColor(now).into())
}
