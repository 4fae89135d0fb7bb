//! The comparison during a run's bakes: when to look at the counts, and how long a step is held for its last minutes.

use std::time::Duration;

use super::minutes::last_minute_complete;
use super::{CompareMode, Minute};
use crate::plan::color::{Color, Split};
use crate::plan::step::{End, Next, Wait};
use crate::plan::time::Time;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(60);

/// A run's memory of its looks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// The current bake, until its last look.
    bake: Option<Bake>,
    /// Time of the last look, or of the start of the bake.
    looked: Time,
}

/// A step that holds users.
#[derive(Clone, Copy, Debug)]
struct Bake {
    /// The split.
    split: Split,
    /// The start.
    began: Time,
    /// The earliest end.
    ends: Time,
    /// The end, once the run wants to go on.
    over: Option<Time>,
}

/// What a decision needs before the run follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// True if a look at the counts is due.
    pub(crate) look: bool,
    /// The wait until the last minutes of the step are complete, if they are not.
    pub(crate) hold: Option<Wait>,
}

impl Due {
    /// Nothing.
    const NOTHING: Due = Due { look: false, hold: None };
}

impl Watch {
    /// Notes a decision of the run, and gives what it needs.
    pub(crate) fn due(&mut self, next: &Next, mode: CompareMode, now: Time) -> Due {
        match (mode, next) {
            (CompareMode::Back | CompareMode::Watch, Next::Wait(Wait::Bake { split, left, .. })) => {
                self.hold(*split, *left, now)
            }
            (CompareMode::Back, Next::Step(_) | Next::Done(End::Good { .. })) => self.after_bake(now),
            (CompareMode::Back | CompareMode::Watch | CompareMode::Off, _) => Due::NOTHING,
        }
    }

    /// During a bake: one look per minute.
    fn hold(&mut self, split: Split, left: Duration, now: Time) -> Due {
        if self.bake.is_none_or(|bake| bake.split != split || bake.over.is_some()) {
            self.bake = Some(Bake { split, began: now, ends: now.after(left), over: None });
            self.looked = now;
        }
        Due { look: self.is_due(now), hold: None }
    }

    /// After a bake: a last look, once the step's last whole minute is complete.
    fn after_bake(&mut self, now: Time) -> Due {
        let Some(bake) = self.bake.as_mut().filter(|bake| now >= bake.ends) else { return Due::NOTHING };
        let is_first = bake.over.is_none();
        let over = *bake.over.get_or_insert(now);
        let Some(complete) = last_minute_complete(bake.began, over) else {
            self.bake = None;
            return Due::NOTHING;
        };
        if now >= complete {
            (self.bake, self.looked) = (None, now);
            return Due { look: true, hold: None };
        }
        let left = Duration::from_secs(complete.since(now).as_secs());
        let hold = Some(Wait::Counts { split: bake.split, left });
        let is_due = self.is_due(now);
        Due { look: is_first || is_due, hold }
    }

    /// True if a minute passed since the last look.
    fn is_due(&mut self, now: Time) -> bool {
        let is_due = now.since(self.looked) >= EVERY;
        if is_due {
            self.looked = now;
        }
        is_due
    }

    /// True if the color had requests since the bake began. A step without requests is not held.
    pub(crate) fn had_requests(&self, minutes: &[Minute], color: Color) -> bool {
        let Some(bake) = self.bake else { return false };
        let in_step = minutes.iter().filter(|minute| minute.start.after(EVERY) > bake.began);
        in_step
            .map(|minute| minute.colors.facing(color).0)
            .any(|own| own.counts.is_some_and(|it| it.requests > 0))
    }

    /// Ends the bake without a last look.
    pub(crate) fn release(&mut self) {
        self.bake = None;
    }
}
