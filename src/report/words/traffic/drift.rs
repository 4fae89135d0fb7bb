//! Deviations of the traffic setup, and the commands that move users.

use crate::plan::color::{Color, ServiceColor};
use crate::plan::overview::{Drift, Misscaled, Move};
use crate::plan::scalers::{FieldChange, Role};
use crate::plan::user_rules::UserRule;
use crate::report::names::{in_backticks, one_line};

/// The finding, its meaning, and the remedy.
pub(crate) fn render_drift(drift: &Drift) -> String {
    match drift {
        Drift::Dead { color, share, registered, running, desired } => {
            let other = color.other();
            format!(
                "{} ({registered} registered, {running} of {desired} tasks running), so they get errors. Send them to {other} with `command: rollback`, `color: {other}`, and `force: true` where one healthy target has to do. The events of {color}'s service and the logs of its tasks tell why.",
                render_unserved(*color, *share)
            )
        }
        Drift::UserRule(UserRule { color, rule }) => format!(
            "The rule {} of a production listener sends users to {color} outside the split, so {color} is live whatever the weights say, and no command moves those users. Delete the rule, bring both colors into it (`redirect-traffic` with `listener` and `adopt: true`), or give it a condition on a header, the query or the source if it is for tests.",
            in_backticks(rule)
        ),
        Drift::Suspended { color, service, out, scheduled } => format!(
            "{color} has users, and {} of {} is suspended: it does not grow with them. This action never suspends that; see who did, and resume it.",
            match (out, scheduled) {
                (true, true) => "scale-out and scheduled scaling",
                (true, false) => "scale-out",
                (false, _) => "scheduled scaling",
            },
            in_backticks(service)
        ),
        Drift::NoTarget { color, service } => format!(
            "{color} has users, and {} has no scalable target, which `scaling` in the config asks for: it does not grow with them. {}",
            in_backticks(service),
            written_by(Role::Live)
        ),
        Drift::Scaler(scaler) => render_scaling_drift(scaler),
        Drift::Bounds { color, share, most, largest, needed } => format!(
            "{color} serves {share} % of the users, and its MaxCapacity {most} is lower than {needed}, that share of the largest MaxCapacity ({largest}): it can't grow as its users may need. Raise it to at least {needed} where it is defined."
        ),
        Drift::Foreign { color, service, targets, has_users } => {
            let (they, them, do_) =
                if targets.len() == 1 { ("It", "it", "does") } else { ("They", "them", "do") };
            let get = match (has_users, targets.len()) {
                (true, 1) => " gets requests of users, and",
                (true, _) => " get requests of users, and",
                (false, _) => "",
            };
            format!(
                "{}. {they}{get} {do_} not count for {color}. Deregister {them}, or remove {color}'s target group from the service that registers {them}.",
                foreign_targets(*color, service, targets)
            )
        }
        Drift::ScaleIn { color, service } => format!(
            "Both colors serve users, and scale-in of {} ({color}) is not suspended: it can shrink below what its share needs. `redirect-traffic` to the split that is held suspends it.",
            in_backticks(service)
        ),
    }
}

/// Most foreign targets that are named.
const MOST_NAMED: usize = 10;

/// Targets without a task of the color's service, as one sentence without its end.
pub(crate) fn foreign_targets(color: ServiceColor, service: &str, targets: &[String]) -> String {
    let named: Vec<String> = targets.iter().take(MOST_NAMED).map(|target| one_line(target)).collect();
    let more = targets.len().saturating_sub(MOST_NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (number, belong) = match targets.len() {
        1 => ("1 more target".to_owned(), "belongs"),
        many => (format!("{many} more targets"), "belong"),
    };
    format!(
        "{number} in {color}'s target group {belong} to no task of {}: {}{rest}",
        in_backticks(service),
        named.join(", ")
    )
}

/// Users without a healthy target, as one sentence without its end.
fn render_unserved(color: Color, share: Option<u32>) -> String {
    let users = share.map_or("users".to_owned(), |share| format!("{share} % of the users"));
    format!("{color} has {users} and no healthy target")
}

/// The same sentence for this kind of deviation; none for any other.
pub(crate) fn unserved_sentence(drift: &Drift) -> Option<String> {
    match drift {
        Drift::Dead { color, share, .. } => Some(render_unserved(*color, *share)),
        Drift::UserRule(_)
        | Drift::Suspended { .. }
        | Drift::NoTarget { .. }
        | Drift::Scaler(_)
        | Drift::Bounds { .. }
        | Drift::Foreign { .. }
        | Drift::ScaleIn { .. } => None,
    }
}

/// A policy or an alarm that differs from the config.
fn render_scaling_drift(scaler: &Misscaled) -> String {
    let Misscaled { color, role, alarm, name, missing, changes } = scaler;
    let what = if *alarm { "alarm" } else { "scaling policy" };
    let by = written_by(*role);
    if *missing {
        return format!(
            "{color} has users, and the {what} {} does not exist, which `scaling` in the config asks for. {by}",
            in_backticks(name)
        );
    }
    let value = |value: &Option<String>| value.as_deref().map_or("nothing".to_owned(), one_line);
    let change = |change: &FieldChange| match (change.path.as_str(), change.after.as_deref()) {
        ("ActionsEnabled", Some("true")) => format!("its actions are off while {color} has users"),
        ("ActionsEnabled", _) => format!("its actions are on while {color} has none"),
        (path, _) => {
            format!("{} {}, the config says {}", one_line(path), value(&change.before), value(&change.after))
        }
    };
    let changes: Vec<String> = changes.iter().map(change).collect();
    format!(
        "The {what} {} of {color} is not what `scaling` in the config asks for: {}. {by}",
        in_backticks(name),
        changes.join("; ")
    )
}

/// The command that writes the policy or alarm again.
fn written_by(role: Role) -> &'static str {
    match role {
        Role::Live | Role::Idle => "`promote`, or the next change of traffic, writes it.",
        Role::Develop => "The next deploy to develop writes it.",
    }
}

/// A command that moves users, by name.
pub(crate) fn command_name(command: Move) -> &'static str {
    match command {
        Move::Redirect => "redirect-traffic",
        Move::Rollback => "rollback",
        Move::Promote => "promote",
    }
}
