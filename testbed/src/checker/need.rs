//! Invariants 36 and 44: at every moment, a live color has the count that its users need.

use super::seen::{Load, Seen};
use super::{Found, NAMES};
use std::time::{Duration, Instant};

/// The load that the users put, as remembered, and since when a color lacks the count for its share of it.
#[derive(Debug, Default)]
pub(super) struct Need {
    /// The load; none: no color was live yet.
    load: Option<Load>,
    /// The shortages of blue and green.
    short: [Option<Shortage>; 2],
}

/// A live color that has fewer tasks than it needs.
#[derive(Debug, Clone, Copy)]
struct Shortage {
    /// Since when.
    since: Instant,
    /// The last call before it was seen.
    call: u64,
    /// Whether it was reported.
    told: bool,
}

impl Need {
    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes the load that is there now as what the users put: it is accepted, or was reported already.
    pub(super) fn accept(&mut self, now: &Seen) {
        self.load = now.served_load();
    }

    /// Learns the load from a color that is alone: its count if it is not smaller than what is known, or if its own
    /// policy made it smaller.
    pub(super) fn learn(&mut self, now: &Seen, policy_shrank: bool) {
        let known = self.load;
        match (now.alone_load(), known) {
            (Some(alone), Some(known)) if alone.is_below(known) && !policy_shrank => {}
            (Some(alone), _) => self.load = Some(alone),
            (None, None) => self.load = now.served_load(),
            (None, Some(_)) => {}
        }
    }

    /// Invariant 36: a live color whose count is below its need gets it back within the time for that. Gives the
    /// call before each shortage that lasted longer, with what to say of it.
    pub(super) fn overdue(&mut self, now: &Seen, call: u64, patience: Duration) -> Vec<(u64, String)> {
        let mut found = Vec::new();
        for (color, name) in NAMES.iter().enumerate() {
            let Some((count, needed)) = self.lacking(now, color) else {
                self.short[color] = None;
                continue;
            };
            let new = Shortage { since: crate::clock::now(), call, told: false };
            let short = self.short[color].get_or_insert(new);
            if !short.told && crate::clock::now() - short.since >= patience {
                short.told = true;
                found.push((
                    short.call,
                    format!(
                        "{name} is to have {count} tasks while a production rule sends it users, and nobody \
                         raises it; it needs {needed}"
                    ),
                ));
            }
        }
        found
    }

    /// Invariant 44: once every run has ended, live colors have the counts and the healthy targets that they need.
    pub(super) fn ended(&self, now: &Seen, found: &mut Found) {
        let Some(load) = self.load else { return };
        for (color, name) in NAMES.iter().enumerate() {
            let Some(needed) = now.needed(color, load) else { continue };
            let (count, healthy) = (now.desired(color).unwrap_or(0), now.healthy[color]);
            if count < needed || healthy < needed {
                let what = format!("every run has ended and {name} has {healthy} healthy targets of its own");
                found.push((44, format!("{what} and a count of {count}; its users need {needed}")));
            }
        }
    }

    /// A live color's count and its need, if the count is below it.
    fn lacking(&self, now: &Seen, color: usize) -> Option<(u32, u32)> {
        let needed = now.needed(color, self.load?)?;
        let count = now.desired(color)?;
        (count < needed).then_some((count, needed))
    }
}
