//! Texts about moving users: steps and waits.

mod drift;
mod end;
mod failed;
mod left;
mod refused;
mod traffic_plan;
mod undo;

use crate::plan::scalers::FieldChange;
use crate::plan::step::{Capacity, Purpose, Put, Scaling, Update, Wait, Weights};
use crate::report::names::{
    count_noun, format_change, format_duration, format_shares, in_backticks, one_line,
};

pub(super) use drift::foreign_targets;
pub(crate) use drift::{command_name, render_drift, unserved_sentence};
pub(super) use end::{render_later_change, render_unscaled};
pub(crate) use end::{render_split_change, render_users};
pub(super) use failed::render_traffic_failure;
pub(super) use left::render_traffic_end_state;
pub(super) use refused::{in_flight, render_traffic_refusal};
pub(crate) use traffic_plan::{
    PROPAGATION, hidden_steps, job_time, more_steps, no_steps, render_bake_steps, render_capacity,
    render_load, render_needed, render_rule, render_silent_alarms, render_stickiness, render_versions,
    scaled_first,
};
pub(super) use traffic_plan::{render_kept_size, render_serving, render_shortfall, render_suspended};
pub(super) use undo::render_undo;

/// A change of a rule's weights.
pub(super) fn render_weights(weights: &Weights) -> String {
    let (rule, change) = (in_backticks(&weights.name), format_change(weights.before, weights.after));
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
pub(super) fn render_scaling(scaling: &Scaling) -> String {
    let name = format!("{} ({})", in_backticks(&scaling.service), scaling.color);
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

/// A scaling policy or an alarm to write, with its changed fields.
pub(super) fn render_put(what: &str, put: &Put) -> String {
    let (name, service) =
        (in_backticks(&put.name), format!("{} ({})", in_backticks(&put.service), put.color));
    if put.new {
        return format!("Create the {what} {name} of {service}");
    }
    let value = |value: &Option<String>| value.as_deref().map_or("none".to_owned(), one_line);
    let change = |change: &FieldChange| {
        format!("{} {} -> {}", one_line(&change.path), value(&change.before), value(&change.after))
    };
    let changes: Vec<String> = put.changes.iter().map(change).collect();
    format!("Change the {what} {name} of {service}: {}", changes.join(", "))
}

/// A count-only update for users.
pub(super) fn render_count_change(update: &Update, desired: u32) -> String {
    format!("Scale {} ({}) to {}", in_backticks(&update.service), update.color, count_noun(desired, "task"))
}

/// The subject of a change of traffic's wait; none for other waits.
pub(super) fn render_traffic_wait(wait: &Wait) -> Option<String> {
    Some(match wait {
        Wait::Capacity(capacity) => render_healthy(capacity),
        Wait::Count { color, asked } => {
            format!("AWS does not show {} for {color} yet", count_noun(*asked, "task"))
        }
        Wait::Rule { rule } => {
            format!("AWS does not show the production rule {} any more", in_backticks(rule))
        }
        Wait::Weights { rule } => format!("AWS does not show the new weights of {} yet", in_backticks(rule)),
        Wait::Bake { split, left, no_data } => {
            let silent = render_silent_alarms(no_data).map(|text| format!("; {text}")).unwrap_or_default();
            format!(
                "users are held at {split} ({}), {} left{silent}",
                format_shares(*split),
                format_duration(*left)
            )
        }
        Wait::Counts { split, left } => format!(
            "users stay at {split} ({}) for another {}, until the load balancer's counts of this step are complete",
            format_shares(*split),
            format_duration(*left)
        ),
        Wait::Settle { color, left } => format!(
            "all users are at {color}; the rules are watched for another {} before anything shrinks",
            format_duration(*left)
        ),
        Wait::Drain { color, left } => format!(
            "{color} keeps its size for another {}: stickiness may keep clients there although it has weight 0",
            format_duration(*left)
        ),
        Wait::AwsError(_)
        | Wait::UnansweredWrite(_)
        | Wait::Deployment(_)
        | Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Repeat(_)
        | Wait::Probe => return None,
    })
}

/// The title of the group for a wait of a change of traffic; none for a wait that fits any group.
pub(crate) fn wait_title(wait: &Wait) -> Option<String> {
    Some(match wait {
        Wait::Capacity(capacity) => format!("Wait for healthy targets of {}", capacity.color),
        Wait::Bake { split, .. } | Wait::Counts { split, .. } => format!("Hold users at {split} and watch"),
        Wait::Settle { color, .. } => {
            format!("Users have been moved to {color}: watch before anything shrinks")
        }
        Wait::Drain { color, .. } => format!("Wait for clients that stickiness keeps at {color}"),
        Wait::Rule { .. }
        | Wait::Weights { .. }
        | Wait::Count { .. }
        | Wait::Repeat(_)
        | Wait::AwsError(_)
        | Wait::UnansweredWrite(_)
        | Wait::Deployment(_)
        | Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Probe => return None,
    })
}

/// Number of healthy targets, and the number needed for the share of users.
fn render_healthy(capacity: &Capacity) -> String {
    format!(
        "{}: {} of {} healthy, needed for {} % of the users",
        capacity.color, capacity.healthy, capacity.needed, capacity.share
    )
}
