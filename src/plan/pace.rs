//! The pace of a waiting run: when to look at AWS again. Pure.
//!
//! A look reads many parts of AWS. After a change and near an expected event, a run also glances every second: one call
//! that shows if another look is worth its calls.

mod glance;

use std::time::Duration;

pub(crate) use self::glance::{Glance, Glanced};
use super::color::ServiceColor;
use super::step::Wait;
use super::time::Time;
use super::verdict::Waiting;

/// Time of one call: a waiting run makes two calls per second on average.
const PER_CALL: Duration = Duration::from_millis(500);

/// Shortest wait before a look or a glance.
const SOON: Duration = Duration::from_secs(1);

/// Time after a change, or after an expected event, in which the run glances.
const AFTER_CHANGE: Duration = Duration::from_secs(30);

/// Time before an expected event in which the run glances.
const BEFORE_EVENT: Duration = Duration::from_secs(2);

/// A shorter `poll-interval` is the user's own pace: every wait is this long.
const LEAST_ADAPTED: Duration = Duration::from_secs(5);

/// A waiting run's memory of its calls and changes.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    /// True if the user's `poll-interval` is short, and so every wait.
    is_fixed: bool,
    /// The reason for the current wait.
    waiting: Option<Wait>,
    /// Start of the wait for this reason. Passing numbers, such as the tasks of a deployment, do not change the start.
    since: Time,
    /// Time of the last change that the run made or saw.
    changed: Time,
    /// The last look, after which the run waits.
    look: Look,
    /// Time when the calls so far are two per second.
    paid: Time,
    /// The part of AWS that shows the awaited change.
    glance: Option<Glance>,
    /// True if a glance showed a change that no look has read.
    has_moved: bool,
}

/// A look after which the run waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The end of the look.
    pub(crate) at: Time,
    /// The number of calls.
    pub(crate) calls: u32,
    /// The user's `poll-interval`, with a small random offset.
    pub(crate) interval: Duration,
}

/// The next action of a waiting run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// Wait this long, then look.
    Look(Duration),
    /// Wait this long, then glance.
    Glance(Duration, Glance),
}

impl Pace {
    /// The pace of a run that begins now.
    pub(crate) fn begin(poll_interval: Duration, now: Time) -> Pace {
        Pace {
            is_fixed: poll_interval < LEAST_ADAPTED,
            waiting: None,
            since: now,
            changed: now,
            look: Look { at: now, calls: 0, interval: poll_interval },
            paid: now,
            glance: None,
            has_moved: false,
        }
    }

    /// Notes a write of the run.
    pub(crate) fn note_change(&mut self, now: Time) {
        self.changed = now;
    }

    /// Notes a look that decided to wait. `deploys` is the color of the deployment under way, if any.
    pub(crate) fn note_look(&mut self, wait: &Wait, look: Look, deploys: Option<ServiceColor>) {
        let before = self.waiting.replace(wait.clone());
        if before.as_ref().is_none_or(|before| !before.is_same_kind(wait)) {
            self.since = look.at;
        }
        if before.as_ref().is_none_or(|before| !before.is_same(wait)) {
            self.changed = look.at;
        }
        self.paid = self.paid.max(look.at).after(PER_CALL * look.calls);
        (self.look, self.has_moved) = (look, false);
        self.glance = Glance::of(wait, deploys);
    }

    /// Notes a glance. One that AWS did not answer is the last one before the next look.
    pub(crate) fn note_glance(&mut self, moved: Option<bool>, calls: u32, now: Time) {
        self.paid = self.paid.max(self.look.at).after(PER_CALL * calls);
        match moved {
            Some(moved) => self.has_moved |= moved,
            None => self.glance = None,
        }
        if self.has_moved {
            self.changed = now;
        }
    }

    /// The next action.
    pub(crate) fn next(&self, now: Time) -> Pause {
        let regular = self.look.at.after(self.look.interval);
        if self.is_fixed {
            return Pause::Look(regular.since(now));
        }
        let regular = regular.max(self.paid);
        if self.waiting.as_ref().is_none_or(Wait::is_trouble) {
            return Pause::Look(regular.since(now));
        }
        // An early look is on credit: the calls of one look.
        let early = self.look.at.after(SOON).max(self.paid.before(PER_CALL * self.look.calls));
        if self.has_moved {
            return Pause::Look(early.min(regular).since(now));
        }
        if let Some(event) = self.event().filter(|event| (*event).max(early) <= regular) {
            return Pause::Look(event.max(early).since(now));
        }
        let Some(window) = self.window(now) else { return Pause::Look(regular.since(now)) };
        let Some(glance) = self.glance else {
            let soon = self.look.at.after(SOON).max(self.paid).max(window);
            return Pause::Look(soon.min(regular).since(now));
        };
        let soon = now.after(SOON).max(window);
        if soon < regular {
            return Pause::Glance(soon.since(now), glance);
        }
        Pause::Look(regular.since(now))
    }

    /// Time of an expected event that only a look confirms.
    fn event(&self) -> Option<Time> {
        match self.waiting.as_ref()? {
            Wait::Bake { left, .. }
            | Wait::Counts { left, .. }
            | Wait::Drain { left, .. }
            // `left` has whole seconds, rounded down.
            | Wait::Settle { left, .. } => Some(self.look.at.after(*left).after(SOON)),
            _ => None,
        }
    }

    /// Time from which to glance: now, after a change; soon before the end of the deregistration delay, after which ECS
    /// stops the older tasks. None if no event is expected.
    fn window(&self, now: Time) -> Option<Time> {
        if now < self.changed.after(AFTER_CHANGE) {
            return Some(now);
        }
        let Wait::Deployment(Waiting::Draining { delay: Some(delay), .. }) = self.waiting.as_ref()? else {
            return None;
        };
        let ends = self.since.after(*delay);
        (now < ends.after(AFTER_CHANGE)).then(|| ends.before(BEFORE_EVENT).max(now))
    }
}

#[cfg(test)]
mod tests;
