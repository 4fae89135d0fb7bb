//! Invariants 22, 23 and 24: a color's shrinking, and losses.

use super::seen::Seen;
use super::{Found, NAMES};

/// Reason for a smaller service.
enum Shrink {
    /// A writer set the count.
    Count,
    /// A bound was registered.
    Bound,
    /// A policy scaled the service in.
    Policy,
}

/// Reason for a smaller color, by the counters of its scalable target.
fn why(color: usize, before: &Seen, now: &Seen) -> Shrink {
    let counted = |seen: &Seen| {
        let scaling = seen.capacity[color].as_ref().and_then(|capacity| capacity.scaling.as_ref());
        scaling.map_or((0, 0), |scaling| (scaling.clamped, scaling.scaled_in))
    };
    let (old, new) = (counted(before), counted(now));
    if new.0 > old.0 {
        Shrink::Bound
    } else if new.1 > old.1 {
        Shrink::Policy
    } else {
        Shrink::Count
    }
}

/// True if a policy made a service smaller.
pub(super) fn policy_shrank(before: &Seen, now: &Seen) -> bool {
    (0..NAMES.len()).any(|color| matches!(why(color, before, now), Shrink::Policy))
}

/// Invariant 22: a color with weight keeps enough tasks for this weight; the color shrinks further only when no
/// production rule sends users any more. Invariant 23: no bound makes a live color smaller, however large. Policies
/// fall under invariant 19.
pub(super) fn shrinks_last(before: &Seen, now: &Seen, found: &mut Found) {
    let full = before.full_load(before.larger_count());
    for (color, name) in NAMES.iter().enumerate() {
        let (Some(old), Some(new)) = (before.desired(color), now.desired(color)) else { continue };
        let Some(needed) = now.needed(color, full).filter(|_| new < old) else { continue };
        let what = format!("{name} went from {old} to {new} tasks while a production rule sends it users");
        match why(color, before, now) {
            Shrink::Bound => found.push((23, format!("{what}, because its MaxCapacity was registered"))),
            Shrink::Count if new < needed => found.push((22, format!("{what}; it needs {needed}"))),
            Shrink::Count | Shrink::Policy => {}
        }
    }
}

/// Invariant 24: nothing is deleted, and no color is emptied unless requested.
pub(super) fn nothing_lost(may_empty: bool, before: &Seen, now: &Seen, found: &mut Found) {
    for rule in before.rules.keys().filter(|rule| !now.rules.contains_key(*rule)) {
        found.push((24, format!("the production rule {rule} is gone, or lost a color")));
    }
    for (color, name) in NAMES.iter().enumerate() {
        if before.exists[color] && !now.exists[color] {
            found.push((24, format!("the target group of {name} was deleted")));
        }
        if before.desired(color).is_some() && now.desired(color).is_none() {
            found.push((24, format!("the service of {name} was deleted")));
        }
        if may_empty {
            continue;
        }
        if before.desired(color).is_some_and(|old| old > 0) && now.desired(color) == Some(0) {
            found.push((24, format!("{name} was scaled to 0")));
        }
        if now.is_live(color) && before.registered[color] > 0 && now.registered[color] == 0 {
            found.push((
                24,
                format!("the target group of {name} is empty while a production rule sends it users"),
            ));
        }
    }
}
