//! Counts and bounds that a run lowered (invariant 36). They are restored if another run gives the color users
//! meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::capacity::{ColorCapacity, color_capacity};
use super::facts::Facts;
use super::goal::Goal;
use super::next::SHOWN;
use super::run::{InitialTraffic, Run};
use super::shift::{count_step, live_alarms, scaling_step, suspend_scale_in};
use crate::plan::color::Color;
use crate::plan::step::{Next, Purpose, Step, Wait};
use crate::plan::time::Time;

/// Counts and bounds that a run lowered, by color.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lowered {
    /// The desired count before, and the requested count.
    counts: BTreeMap<Color, (u32, u32)>,
    /// MinCapacity before.
    minima: BTreeMap<Color, u32>,
    /// Colors whose policies or alarms this run wrote.
    rescaled: BTreeSet<Color>,
    /// The requested count, and the count that was restored because users came.
    pub(crate) undone: BTreeMap<Color, (u32, u32)>,
    /// The last requested count, higher or lower: another run may have overwritten the count.
    #[serde(skip)]
    newest: Option<(Color, u32)>,
    /// Visibility of that count in AWS.
    #[serde(skip)]
    shown: Shown,
}

/// Visibility of a requested count in AWS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    /// No count was requested, or the rules were read after AWS showed the count.
    #[default]
    Done,
    /// A count was requested.
    Asked,
    /// The latest snapshot shows the count. The rules of that snapshot may be older.
    Newly,
}

/// The size that a step requests.
#[derive(Clone, Copy, Debug)]
enum Asked {
    /// A desired count.
    Count(Color, u32),
    /// MinCapacity.
    Minimum(Color, u32),
}

impl Asked {
    /// Reads the size of a step; none if the step sets no size.
    fn by(step: &Step) -> Option<Asked> {
        if let Step::Scaling(scaling) = step {
            return Some(Asked::Minimum(scaling.color.production()?, scaling.min?));
        }
        let update = step.update()?;
        Some(Asked::Count(update.color.production()?, update.desired?))
    }
}

impl Lowered {
    /// Notes a step right before it writes a count or lowers MinCapacity.
    pub(super) fn before(&mut self, step: &Step, colors: &[ColorCapacity]) {
        if let Step::Policy(put) | Step::Alarm(put) = step {
            self.rescaled.extend(put.color.production());
        }
        let now = |color: Color| colors.iter().find(|now| now.color == color);
        match Asked::by(step) {
            Some(Asked::Count(color, asked)) => {
                let Some(before) = now(color).map(|now| now.desired) else { return };
                (self.newest, self.shown) = (Some((color, asked)), Shown::Asked);
                if asked < before {
                    let most = self.counts.get(&color).map_or(before, |(known, _)| before.max(*known));
                    self.counts.insert(color, (most, asked));
                }
            }
            Some(Asked::Minimum(color, asked)) => {
                let before = now(color).and_then(|now| Some(now.scaling?.min)).unwrap_or_default();
                if asked < before {
                    self.minima.insert(color, before);
                }
            }
            None => {}
        }
    }

    /// Forgets a lowered size that an accepted step has raised again.
    pub(super) fn took(&mut self, step: &Step) {
        match Asked::by(step) {
            Some(Asked::Count(color, count)) => {
                if let Some((_, asked)) = self.counts.get(&color).copied().filter(|(_, asked)| count > *asked)
                {
                    self.counts.remove(&color);
                    self.undone.insert(color, (asked, count));
                }
            }
            Some(Asked::Minimum(color, min)) => {
                self.minima.retain(|known, before| *known != color || min < *before);
            }
            None => {}
        }
    }

    /// Notes the counts of a snapshot.
    pub(super) fn saw(&mut self, colors: &[ColorCapacity]) {
        let shows = |(color, asked): (Color, u32)| {
            colors.iter().any(|now| now.color == color && now.desired == asked)
        };
        self.shown = match self.shown {
            Shown::Asked if self.newest.is_none_or(shows) => Shown::Newly,
            Shown::Asked => Shown::Asked,
            Shown::Newly | Shown::Done => Shown::Done,
        };
    }

    /// The last requested count, if AWS does not show that count yet.
    pub(super) fn hidden(&self) -> Option<(Color, u32)> {
        self.newest.filter(|_| self.shown == Shown::Asked)
    }

    /// True if this run raised a count again that this run had lowered.
    pub(super) fn was_undone(&self, color: Color) -> bool {
        self.undone.contains_key(&color)
    }

    /// True if the rules must be read once more: only the latest snapshot shows the requested count.
    pub(super) fn is_new(&self) -> bool {
        self.shown == Shown::Newly
    }

    /// The desired count that a color had before this run lowered it.
    pub(super) fn count_before(&self, color: Color) -> Option<u32> {
        self.counts.get(&color).map(|(before, _)| *before)
    }

    /// True if this run's last request lowered the color's count.
    pub(super) fn is_below(&self, color: Color) -> bool {
        self.counts.contains_key(&color)
    }

    /// MinCapacity that a color had before this run lowered it.
    pub(super) fn minimum_before(&self, color: Color) -> Option<u32> {
        self.minima.get(&color).copied()
    }
}

impl Run {
    /// Restores the lowered sizes of every color that has users now, no matter who sent users there: first the count,
    /// then MinCapacity (invariants 23 and 36). An outdated read of the rules costs only a few tasks for a moment, and
    /// no wait.
    pub(super) fn undo_lowering(&self, facts: &Facts<'_>, now: Time) -> Option<Next> {
        let (lowered, found) = (&self.lowered, self.found.as_ref()?);
        facts.colors.iter().find_map(|color| {
            let needed = self.needed_now(color, facts, found)?;
            let small = color.desired < needed;
            let before = lowered.count_before(color.color).filter(|before| small && color.desired < *before);
            let wanted = before.or_else(|| self.refill_before_end(color, needed, found));
            if let Some(wanted) = wanted {
                return Some(Next::Step(count_step(color, wanted, Purpose::Restore)));
            }
            if lowered.was_undone(color.color) && small && now.since(self.acted) < SHOWN {
                let asked = self.known_count(color.color);
                return Some(Next::Wait(Wait::Count { color: color.color.into(), asked }));
            }
            let least = color.scaling?.min;
            let before = lowered.minimum_before(color.color).filter(|before| least < *before)?;
            Some(Next::Step(scaling_step(color, Some(before), None, Purpose::Restore)))
        })
    }

    /// Takes back this run's changes of automatic scaling after another writer moved users: nothing scales in while both
    /// colors have users (invariant 19), and the alarms of a color with users act (invariant 31).
    pub(super) fn undo_scaling(&self, facts: &Facts<'_>, goal: &Goal) -> Option<Next> {
        let found = self.found.as_ref()?;
        let split = facts.colors.iter().all(|color| facts.wiring.split_reaches(color.color));
        let resumed = split && self.scaled.values().any(|suspended| !suspended);
        let suspended = resumed.then(|| suspend_scale_in(facts, self, Purpose::Restore)).flatten();
        let live = facts.colors.iter().filter(|color| self.needed_now(color, facts, found).is_some());
        let mut own = live.filter(|color| self.lowered.rescaled.contains(&color.color));
        suspended
            .or_else(|| own.find_map(|color| live_alarms(facts, goal, color.color, Purpose::Traffic)))
            .map(Next::Step)
    }

    /// Until the rules were read after AWS showed the count that this run wrote last: another run may count on more.
    /// Before every end of a run that changed something.
    pub(super) fn count_shows(&self, goal: &Goal, now: Time) -> Option<Next> {
        if self.lowered.is_new() {
            return Some(Next::Read(goal.look()));
        }
        let young = now.since(self.acted) < SHOWN && self.memory.cancelled.is_none();
        let (color, asked) = self.lowered.hidden().filter(|_| young)?;
        Some(Next::Wait(Wait::Count { color: color.into(), asked }))
    }

    /// The count that an ending run sets for a color with users: another run lowered the count, or two runs wrote counts
    /// without seeing each other's. None if the count suffices, or if this run may not raise the count.
    fn refill_before_end(&self, color: &ColorCapacity, needed: u32, found: &InitialTraffic) -> Option<u32> {
        self.memory.failing.as_ref()?;
        let known = found.counts.get(&color.color).copied().unwrap_or_default();
        let most = if self.counts.contains_key(&color.color) { needed } else { needed.min(known) };
        let wanted = color.scaling.map_or(most, |scaling| most.min(scaling.max));
        (color.desired < wanted).then_some(wanted)
    }

    /// Healthy targets that a color needs for its current users; none without users. The load of a rule outside the
    /// split is unknown, so the count before applies.
    fn needed_now(&self, color: &ColorCapacity, facts: &Facts<'_>, found: &InitialTraffic) -> Option<u32> {
        let load = found.load(facts);
        let rules = facts.wiring.production.iter();
        let live = rules.filter(|rule| rule.split.is_live(color.color));
        let by_split = live.map(|rule| color_capacity(color, rule.split, load, false).needed).max();
        let outside = !facts.wiring.user_rules_of(color.color).is_empty();
        let by_rule = outside.then(|| self.lowered.count_before(color.color).unwrap_or(1));
        by_split.max(by_rule)
    }
}
