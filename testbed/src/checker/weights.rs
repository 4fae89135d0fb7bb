//! Invariants 10, 16 and 17: changes of production weights.

use super::seen::{Seen, say};
use super::{Found, NAMES};

/// Invariant 10: a deploy never changes a production weight.
pub(super) fn kept(frozen: bool, before: &Seen, now: &Seen, found: &mut Found) {
    if !frozen {
        return;
    }
    for (rule, old) in &before.rules {
        let new = now.rules.get(rule);
        if new != Some(old) {
            let new = new.map_or_else(|| "nothing".to_owned(), say);
            found.push((
                10,
                format!("a deploy is running and the weights of {rule} went from {} to {new}", say(old)),
            ));
        }
    }
}

/// Invariants 16 and 17: a color with weight after a change has enough healthy targets. The live colors and their
/// shares are those before the change.
pub(super) fn carried(forced: bool, before: &Seen, now: &Seen, found: &mut Found) {
    let full = before.full_load(now.larger_count());
    for (rule, split) in now.rules.iter().filter(|(rule, split)| before.rules.get(*rule) != Some(*split)) {
        for (color, name) in NAMES.iter().enumerate() {
            let Some(share) = split[color].filter(|(weight, _)| *weight > 0) else { continue };
            let needed = full.targets_for(share).max(now.minimum[color]);
            let needed = if forced { 1 } else { needed };
            let healthy = now.healthy[color];
            if healthy < needed {
                let what = format!("{name} got weight on {rule} ({})", say(split));
                found.push((16, format!("{what} with {healthy} healthy targets; it needs {needed}")));
            }
        }
    }
}
