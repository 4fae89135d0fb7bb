//! Invariants 19 and 31: automatic scaling of live colors.

use super::seen::Seen;
use super::{Found, NAMES, Scaling};

/// A color's scalable target.
fn target(seen: &Seen, color: usize) -> Option<&Scaling> {
    seen.capacity[color].as_ref()?.scaling.as_ref()
}

/// Invariant 19: while both colors are live, in the control plane or the data plane, nothing scales either color in.
/// Scale-in is suspended when a weight changes and stays suspended, and no policy scales in anyway.
pub(super) fn held(before: &Seen, now: &Seen, found: &mut Found) {
    if !(now.is_live(0) && now.is_live(1)) {
        return;
    }
    let moved = before.rules != now.rules;
    for (color, name) in NAMES.iter().enumerate() {
        let Some(new) = target(now, color) else { continue };
        let old = target(before, color);
        if !new.scale_in_suspended && moved {
            found.push((
                19,
                format!("a weight changed and both colors are live, but scale-in of {name} is on"),
            ));
        } else if !new.scale_in_suspended && old.is_some_and(|old| old.scale_in_suspended) {
            found.push((19, format!("scale-in of {name} was resumed while both colors are live")));
        }
        if old.is_some_and(|old| new.scaled_in > old.scaled_in) {
            found.push((19, format!("a policy scaled {name} in while both colors are live")));
        }
    }
}

/// Invariant 31: if the alarms are managed, a color that gets weight has enabled actions on the alarms of its scale-out
/// policies.
pub(super) fn alarmed(managed: bool, before: &Seen, now: &Seen, found: &mut Found) {
    if !managed {
        return;
    }
    for (color, name) in NAMES.iter().enumerate() {
        if before.has_weight(color) || !now.has_weight(color) {
            continue;
        }
        let alarms = target(now, color).map(|scaling| scaling.out_alarms.as_slice()).unwrap_or_default();
        for (alarm, _) in alarms.iter().filter(|(_, enabled)| !enabled) {
            found.push((
                31,
                format!("{name} got weight while the actions of its scale-out alarm {alarm} are off"),
            ));
        }
    }
}
