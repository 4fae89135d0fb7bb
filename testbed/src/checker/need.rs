//! Invariants 36 and 44: at every moment, a live color has the count that its users need.

use super::seen::{Load, Seen};
use super::{Found, NAMES};
use std::time::{Duration, Instant};

/// The users' load, and each color's shortage of tasks for its share.
#[derive(Debug, Default)]
pub(super) struct Need {
    /// The load; none before the first live color.
    load: Option<Load>,
    /// The shortages of blue and green.
    short: [Option<Shortage>; 2],
}

/// A live color with fewer tasks than needed.
#[derive(Debug, Clone, Copy)]
struct Shortage {
    /// Start of the shortage.
    since: Instant,
    /// The last call before the observation.
    call: u64,
    /// True once reported.
    told: bool,
}

impl Need {
    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes the current load as the users' load: accepted, or reported already.
    pub(super) fn accept(&mut self, now: &Seen) {
        self.load = now.served_load();
    }

    /// Learns the load from a color with all users: its count if not smaller than the known load, or if its own policy
    /// made the count smaller.
    pub(super) fn learn(&mut self, now: &Seen, policy_shrank: bool) {
        let known = self.load;
        match (now.alone_load(), known) {
            (Some(alone), Some(known)) if alone.is_below(known) && !policy_shrank => {}
            (Some(alone), _) => self.load = Some(alone),
            (None, None) => self.load = now.served_load(),
            (None, Some(_)) => {}
        }
    }

    /// Invariant 36: a live color whose count is below its need is restored in time. Returns the call before each
    /// longer shortage, with the text.
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

    /// Invariant 44: after the end of every run, live colors have the counts and healthy targets that they need.
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

    /// A live color's count and need, if the count is too small.
    fn lacking(&self, now: &Seen, color: usize) -> Option<(u32, u32)> {
        let needed = now.needed(color, self.load?)?;
        let count = now.desired(color)?;
        (count < needed).then_some((count, needed))
    }
}
