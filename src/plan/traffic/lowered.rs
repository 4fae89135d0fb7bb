//! Counts and bounds that a run lowered (invariant 36): a color that another run gave users meanwhile gets them back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::capacity::{Force, capacity};
use super::facts::Facts;
use super::finish::bounds;
use super::goal::Goal;
use super::next::SHOWN;
use super::run::{Found, Run};
use super::shift::count;
use crate::plan::color::Color;
use crate::plan::step::{Next, Purpose, Step, Wait};
use crate::plan::time::Time;

/// What a run lowered, by color.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Lowered {
    /// The desired count before, and the count that was asked for.
    counts: BTreeMap<Color, (u32, u32)>,
    /// MinCapacity before.
    minima: BTreeMap<Color, u32>,
    /// The count that was asked for, and the count that was restored because users came.
    pub(crate) undone: BTreeMap<Color, (u32, u32)>,
    /// The count that was asked for last, higher or lower: another run may have written another one over it.
    #[serde(skip)]
    newest: Option<(Color, u32)>,
    /// How far AWS has shown that count.
    #[serde(skip)]
    shown: Shown,
}

/// How far AWS has shown a count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    /// No count was asked for, or the rules were read after AWS showed it.
    #[default]
    Done,
    /// It was asked for.
    Asked,
    /// The newest look shows it. The rules of that look may have been read before.
    Newly,
}

/// The size that a step asks for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    /// A desired count.
    Count(Color, u32),
    /// MinCapacity.
    Minimum(Color, u32),
}

impl Asked {
    /// None for a step that sets neither.
    fn by(step: &Step) -> Option<Asked> {
        match step {
            Step::Update(update) => update.desired.map(|count| Asked::Count(update.color, count)),
            Step::Scaling(scaling) => scaling.min.map(|least| Asked::Minimum(scaling.color, least)),
            Step::Find { .. }
            | Step::Register { .. }
            | Step::Probe
            | Step::Weights(_)
            | Step::Policy(_)
            | Step::Alarm(_) => None,
        }
    }
}

impl Lowered {
    /// Notes a step that is about to write a count or to lower MinCapacity.
    pub(super) fn before(&mut self, step: &Step, colors: &[Force]) {
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

    /// Forgets what a step that AWS took has raised again.
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

    /// Notes what a look shows.
    pub(super) fn saw(&mut self, colors: &[Force]) {
        let shows = |(color, asked): (Color, u32)| {
            colors.iter().any(|now| now.color == color && now.desired == asked)
        };
        self.shown = match self.shown {
            Shown::Asked if self.newest.is_none_or(shows) => Shown::Newly,
            Shown::Asked => Shown::Asked,
            Shown::Newly | Shown::Done => Shown::Done,
        };
    }

    /// The count that was asked for last, if AWS does not show it yet.
    pub(super) fn hidden(&self) -> Option<(Color, u32)> {
        self.newest.filter(|_| self.shown == Shown::Asked)
    }

    /// Whether this run raised the count again that it had lowered.
    pub(super) fn was_undone(&self, color: Color) -> bool {
        self.undone.contains_key(&color)
    }

    /// Whether the rules have to be read once more: the count that was asked for shows only since the newest look.
    pub(super) fn is_new(&self) -> bool {
        self.shown == Shown::Newly
    }

    /// The desired count that a color had before this run lowered it.
    pub(super) fn count_before(&self, color: Color) -> Option<u32> {
        self.counts.get(&color).map(|(before, _)| *before)
    }

    /// Whether this run asked for a lower count of a color last.
    pub(super) fn is_below(&self, color: Color) -> bool {
        self.counts.contains_key(&color)
    }

    /// MinCapacity that a color had before this run lowered it.
    pub(super) fn minimum_before(&self, color: Color) -> Option<u32> {
        self.minima.get(&color).copied()
    }
}

/// What this run lowered of a color that has users now goes back first, whoever gave it the users: first the count, then
/// MinCapacity (invariants 23 and 36). A stale read of the rules costs a few tasks for a moment, and nobody waits for it.
pub(super) fn undo_lowering(facts: &Facts<'_>, run: &Run, now: Time) -> Option<Next> {
    let (lowered, found) = (&run.lowered, run.found.as_ref()?);
    facts.colors.iter().find_map(|color| {
        let small = color.desired < needed_now(color, facts, (run, found))?;
        let before = lowered.count_before(color.color).filter(|before| small && color.desired < *before);
        if let Some(before) = before {
            return Some(Next::Step(count(color, before, Purpose::Restore)));
        }
        if let Some(wanted) = refill_before_end(color, needed_now(color, facts, (run, found))?, (run, found))
        {
            return Some(Next::Step(count(color, wanted, Purpose::Restore)));
        }
        if lowered.was_undone(color.color) && small && now.since(run.acted) < SHOWN {
            return Some(Next::Wait(Wait::Count { color: color.color, asked: run.known_count(color.color) }));
        }
        let least = color.scaling?.min;
        let before = lowered.minimum_before(color.color).filter(|before| least < *before)?;
        Some(Next::Step(bounds(color, before, None, Purpose::Restore)))
    })
}

/// Until the rules were read after AWS showed the count that this run wrote last: another run may count on more. Before
/// every end of a run that changed something.
pub(super) fn count_shows(run: &Run, goal: &Goal, now: Time) -> Option<Next> {
    if run.lowered.is_new() {
        return Some(Next::Look(goal.look()));
    }
    let young = now.since(run.acted) < SHOWN && run.cancelled.is_none();
    let (color, asked) = run.lowered.hidden().filter(|_| young)?;
    Some(Next::Wait(Wait::Count { color, asked }))
}

/// The count of a color that a run which ends gives its users: another run lowered it, or each of both runs wrote a count
/// without the other's in sight. None if the count suffices, or is not for this run to raise.
fn refill_before_end(color: &Force, needed: u32, (run, found): (&Run, &Found)) -> Option<u32> {
    run.failing.as_ref()?;
    let known = found.counts.get(&color.color).copied().unwrap_or_default();
    let most = if run.counts.contains_key(&color.color) { needed } else { needed.min(known) };
    let wanted = color.scaling.map_or(most, |scaling| most.min(scaling.max));
    (color.desired < wanted).then_some(wanted)
}

/// Healthy targets that a color needs for the users that it has now; none without users. How many users a rule outside
/// the split sends is not known: they get the count that the color had.
fn needed_now(color: &Force, facts: &Facts<'_>, (run, found): (&Run, &Found)) -> Option<u32> {
    let load = found.load(facts);
    let rules = facts.wiring.production.iter();
    let live = rules.filter(|rule| rule.split.is_live(color.color));
    let by_split = live.map(|rule| capacity(color, rule.split, load, false).needed).max();
    let outside = !facts.wiring.user_rules_of(color.color).is_empty();
    let by_rule = outside.then(|| run.lowered.count_before(color.color).unwrap_or(1));
    by_split.max(by_rule)
}
