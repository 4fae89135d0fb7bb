//! The inputs of one decision on a change of traffic: the situation of a look, the goal, the run's memory, and the time.

use super::capacity::{ColorCapacity, FullLoad, color_capacity};
use super::facts::Facts;
use super::goal::Goal;
use super::run::Run;
use super::stage::{NextSplit, next_split};
use crate::plan::step::{Capacity, Refusal, Short};
use crate::plan::time::Time;

/// The facts of one look, and the split that the run aims at next: read once, for memory and decision.
#[derive(Clone, Debug)]
pub(super) struct Situation<'a> {
    /// The facts.
    pub(super) facts: Facts<'a>,
    /// The next split, or the reason that no split can follow.
    pub(super) next_split: Result<NextSplit, Refusal>,
}

impl<'a> Situation<'a> {
    /// The situation by these facts.
    pub(super) fn of(facts: Facts<'a>, goal: &Goal, run: &Run) -> Situation<'a> {
        let next_split = next_split(&facts, goal, run);
        Situation { facts, next_split }
    }
}

/// One decision.
#[derive(Clone, Copy)]
pub(super) struct Decision<'a> {
    /// The facts of the look.
    pub(super) facts: &'a Facts<'a>,
    /// The next split.
    pub(super) next_split: NextSplit,
    /// The goal.
    pub(super) goal: &'a Goal,
    /// The run's memory.
    pub(super) run: &'a Run,
    /// The current time.
    pub(super) now: Time,
}

impl<'a> Decision<'a> {
    /// True if a rule does not hold the next split.
    pub(super) fn moves(&self) -> bool {
        !self.facts.hold(self.next_split.split)
    }

    /// The colors with users at the next split.
    pub(super) fn live_colors(&self) -> impl Iterator<Item = &'a ColorCapacity> {
        let split = self.next_split.split;
        self.facts.colors.iter().filter(move |color| split.is_live(color.color))
    }

    /// A color with users at the next split, and no healthy target.
    pub(super) fn unserved_color(&self) -> Option<&'a ColorCapacity> {
        self.live_colors().find(|color| color.healthy == 0)
    }

    /// The full load before the next split.
    pub(super) fn load(&self) -> FullLoad {
        self.run.load(self.next_split.base, self.facts)
    }

    /// Healthy targets of a color, and its need at the next split.
    pub(super) fn capacity(&self, color: &ColorCapacity) -> Capacity {
        color_capacity(color, self.next_split.split, self.load(), self.goal.wish.force)
    }

    /// The refusal of a color with too few healthy targets.
    pub(super) fn not_enough(&self, capacity: Capacity, why: Short) -> Refusal {
        Refusal::NotEnough { capacity, load: self.load().told(), why }
    }
}
