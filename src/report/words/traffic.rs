//! Users moved from color to color: steps, waits, failures, refusals.

use crate::plan::step::{Capacity, Refusal, Scaling, Stuck, Wait, Weights};
use crate::report::names::{one_line, quoted};

/// A change of a rule's weights.
pub(crate) fn weights(weights: &Weights) -> String {
    format!("Change {} from {} to {}", quoted(&weights.name), weights.before, weights.after)
}

/// A change of a scalable target.
pub(crate) fn scaling(scaling: &Scaling) -> String {
    let verb = match scaling.in_suspended {
        Some(true) => "Suspend scale-in of",
        Some(false) => "Allow scale-in again of",
        None => "Change the bounds of",
    };
    format!("{verb} {} ({})", quoted(&scaling.service), scaling.color)
}

/// What a change of traffic waits for.
pub(crate) fn waiting(wait: &Wait) -> String {
    match wait {
        Wait::Capacity(capacity) => enough(capacity),
        Wait::Weights { rule } => format!("AWS does not show the new weights of {} yet", quoted(rule)),
        Wait::Bake { split, left, .. } => format!("holding at {split}, {} s left", left.as_secs()),
        Wait::Drain { color, left } => {
            format!("users whom stickiness keeps at {color} have {} s left to go", left.as_secs())
        }
        Wait::Settle { color, left } => {
            format!("{color} carries all users; scale-in is allowed again in {} s", left.as_secs())
        }
        Wait::Trouble(_)
        | Wait::Unanswered(_)
        | Wait::Deployment(_)
        | Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Probe => String::new(),
    }
}

/// The numbers.
pub(crate) fn enough(capacity: &Capacity) -> String {
    format!(
        "{}: {} of {} healthy targets for {} %",
        capacity.color, capacity.healthy, capacity.needed, capacity.share
    )
}

/// What failed, and what to do.
pub(crate) fn stuck(stuck: &Stuck) -> (String, String) {
    (one_line(&format!("{stuck:?}")), String::new())
}

/// Why it was not begun, and what to do.
pub(crate) fn refused(refusal: &Refusal) -> (String, String) {
    (one_line(&format!("{refusal:?}")), String::new())
}
