//! Where a rollback goes: all users to the other color.

use super::facts::{Lacking, facts};
use super::goal::Goal;
use super::stage::split_at;
use crate::plan::admit::Hindrance;
use crate::plan::color::{Color, Split};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Refusal;
use crate::plan::wiring::disagreement;

/// The split that a rollback is for: all users at `color`, or, where none was said, at the color that has none now.
pub(crate) fn rollback(snapshot: &Snapshot, goal: &Goal, color: Option<Color>) -> Result<Split, Hindrance> {
    if let Some(color) = color {
        return Ok(split_at(color, 100));
    }
    let facts = facts(snapshot, goal).map_err(|lacking| match lacking {
        Lacking::Hindrance(hindrance) => hindrance,
        Lacking::Look(_) => Hindrance::Refuse(Refusal::WhichColor(Split { blue: 0, green: 0 })),
    })?;
    let now = facts.wiring.split();
    if facts.base(now).is_none_or(|base| !base.same_ratio(now)) {
        return Err(Refusal::Tangle(disagreement(&facts.wiring.production)).into());
    }
    facts.wiring.idle().map(|idle| split_at(idle, 100)).ok_or_else(|| Refusal::WhichColor(now).into())
}
