//! Users moved from color to color: steps, and what is waited for.

mod brief;
mod drift;
mod end;
mod failed;
mod left;
mod refused;
mod undo;

use crate::plan::scalers::Change;
use crate::plan::step::{Capacity, Purpose, Put, Scaling, Update, Wait, Weights};
use crate::report::names::{change, count, duration, one_line, quoted, shares};

pub(crate) use brief::{
    PROPAGATION, capacity, held, hidden_steps, job_time, load, more_steps, needed, rule, scaled_first,
    silent, stickiness, versions,
};
pub(super) use brief::{kept, serves, shortfall, suspended};
pub(super) use drift::foreign_targets;
pub(crate) use drift::{command, drift, unserved};
pub(super) use end::{since, unscaled};
pub(crate) use end::{users, way};
pub(super) use failed::stuck;
pub(super) use left::because;
pub(super) use refused::{in_flight, refused};
pub(super) use undo::undo;

/// A change of a rule's weights.
pub(super) fn weights(weights: &Weights) -> String {
    let (rule, change) = (quoted(&weights.name), change(weights.before, weights.after));
    match (weights.adopts, weights.purpose) {
        (Some(color), _) if !weights.after.is_live(color) => {
            format!("Bring {color}'s target group into {rule} with weight 0")
        }
        (Some(color), _) => format!("Bring {color}'s target group into {rule}: {change}"),
        (None, Purpose::Restore) => format!("Put back the weights of {rule}: {change}"),
        (None, Purpose::Traffic | Purpose::Deploy) => {
            format!("Set the weights of {rule}: {change}")
        }
    }
}

/// A change of a scalable target.
pub(super) fn scaling(scaling: &Scaling) -> String {
    let name = format!("{} ({})", quoted(&scaling.service), scaling.color);
    let again = match scaling.purpose {
        Purpose::Restore => ", as it was found",
        Purpose::Traffic | Purpose::Deploy => "",
    };
    let bounds = [("MinCapacity", scaling.min), ("MaxCapacity", scaling.max)];
    let bounds: Vec<String> =
        bounds.iter().filter_map(|(bound, value)| Some(format!("{bound} {}", (*value)?))).collect();
    let bounds = bounds.join(" and ");
    if scaling.new {
        let held = if scaling.in_suspended == Some(true) { ", with scale-in suspended" } else { "" };
        return format!("Create the scalable target of {name} with {bounds}{held}");
    }
    match (scaling.in_suspended, bounds.is_empty()) {
        (Some(true), true) => format!("Suspend scale-in of {name}{again}"),
        (Some(true), false) => format!("Suspend scale-in of {name} and set its {bounds}{again}"),
        (Some(false), true) => format!("Allow scale-in of {name} again{again}"),
        (Some(false), false) => format!("Allow scale-in of {name} again and set its {bounds}{again}"),
        (None, _) => format!("Set {bounds} of {name}{again}"),
    }
}

/// A scaling policy or an alarm that is written, and which of its fields change.
pub(super) fn put(what: &str, put: &Put) -> String {
    let (name, service) = (quoted(&put.name), format!("{} ({})", quoted(&put.service), put.color));
    if put.new {
        return format!("Create the {what} {name} of {service}");
    }
    let value = |value: &Option<String>| value.as_deref().map_or("none".to_owned(), one_line);
    let change = |change: &Change| {
        format!("{} {} -> {}", one_line(&change.path), value(&change.before), value(&change.after))
    };
    let changes: Vec<String> = put.changes.iter().map(change).collect();
    format!("Change the {what} {name} of {service}: {}", changes.join(", "))
}

/// A count-only update for users.
pub(super) fn scaled(update: &Update, desired: u32) -> String {
    format!("Scale {} ({}) to {}", quoted(&update.service), update.color, count(desired, "task"))
}

/// What a change of traffic waits for; none for a wait of something else.
pub(super) fn waiting(wait: &Wait) -> Option<String> {
    Some(match wait {
        Wait::Capacity(capacity) => healthy(capacity),
        Wait::Count { color, asked } => {
            format!("AWS does not show {} for {color} yet", count(*asked, "task"))
        }
        Wait::Weights { rule } => format!("AWS does not show the new weights of {} yet", quoted(rule)),
        Wait::Bake { split, left, no_data } => {
            let silent = silent(no_data).map(|text| format!("; {text}")).unwrap_or_default();
            format!("users are held at {split} ({}), {} left{silent}", shares(*split), duration(*left))
        }
        Wait::Settle { color, left } => format!(
            "all users are at {color}; the rules are watched for another {} before anything shrinks",
            duration(*left)
        ),
        Wait::Drain { color, left } => format!(
            "{color} keeps its size for another {}: stickiness may keep clients there although it has weight 0",
            duration(*left)
        ),
        Wait::Trouble(_)
        | Wait::Unanswered(_)
        | Wait::Deployment(_)
        | Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Repeat(_)
        | Wait::Probe => return None,
    })
}

/// The title of the group that a wait of a change of traffic belongs to; none where it belongs to any.
pub(crate) fn watched(wait: &Wait) -> Option<String> {
    Some(match wait {
        Wait::Capacity(capacity) => format!("Wait for healthy targets of {}", capacity.color),
        Wait::Bake { split, .. } => format!("Hold users at {split} and watch"),
        Wait::Settle { color, .. } => {
            format!("Users have been moved to {color}: watch before anything shrinks")
        }
        Wait::Drain { color, .. } => format!("Wait for clients that stickiness keeps at {color}"),
        Wait::Weights { .. }
        | Wait::Count { .. }
        | Wait::Repeat(_)
        | Wait::Trouble(_)
        | Wait::Unanswered(_)
        | Wait::Deployment(_)
        | Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Probe => return None,
    })
}

/// Healthy targets, and how many are needed for what.
fn healthy(capacity: &Capacity) -> String {
    format!(
        "{}: {} of {} healthy, needed for {} % of the users",
        capacity.color, capacity.healthy, capacity.needed, capacity.share
    )
}
