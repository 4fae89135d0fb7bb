//! The run's progress towards the goal, by the looks so far. A restore leaves the progress as it was.

use std::collections::BTreeMap;

use super::capacity::{ColorCapacity, color_capacity};
use super::decision::Decision;
use crate::plan::color::Color;
use crate::plan::time::Time;

/// The progress of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    /// The phase at the newest look.
    pub(crate) phase: Phase,
    /// True once all rules were seen at the split that was written last.
    pub(super) together: bool,
    /// The last step that was reached.
    pub(super) stage: Option<Stage>,
    /// Steps that were held completely, by share in percent.
    pub(super) baked: Vec<u32>,
    /// Healthy targets that each color with users needs at the target split, by the load before this run's first write.
    pub(super) needs: BTreeMap<Color, u32>,
    /// Time since when such a color has too few healthy targets.
    pub(super) lacking: Option<Time>,
}

/// The state of the rules at a look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A rule does not hold the next split, and a color that gets users has too few healthy targets.
    Prepare,
    /// A rule does not hold the next split.
    #[default]
    Shift,
    /// All rules hold a step.
    Bake,
    /// All rules hold the target split, since this time.
    Arrived(Time),
}

/// A step that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    /// The share of the color that gains users, in percent.
    pub(super) share: u32,
    /// Time when every rule first held the step.
    pub(super) since: Time,
    /// Healthy targets that the color needs at this step. A later scale-out does not raise the number.
    pub(super) needed: u32,
}

impl Progress {
    /// Time when all rules first held the target split. None if a rule does not hold that split.
    pub(crate) fn arrived(&self) -> Option<Time> {
        match self.phase {
            Phase::Arrived(since) => Some(since),
            Phase::Prepare | Phase::Shift | Phase::Bake => None,
        }
    }

    /// True if all rules held the next split at the newest look.
    pub(super) fn is_at_target(&self) -> bool {
        matches!(self.phase, Phase::Bake | Phase::Arrived(_))
    }
}

impl Decision<'_> {
    /// The progress with this look.
    pub(super) fn progress(&self) -> Progress {
        let mut progress = self.run.progress.clone();
        if self.moves() {
            let lacks = |color: &ColorCapacity| color.healthy < self.needed(color);
            progress.phase = if self.live_colors().any(lacks) { Phase::Prepare } else { Phase::Shift };
            return progress;
        }
        progress.together = true;
        if let Some(share) = self.next_split.hold {
            // An arrival stays known at a step.
            progress.phase = progress.arrived().map_or(Phase::Bake, Phase::Arrived);
            self.hold_step(share, &mut progress);
        } else {
            progress.phase = Phase::Arrived(progress.arrived().unwrap_or(self.now));
            self.arrive(&mut progress);
        }
        progress
    }

    /// Notes that a step is reached, or was held completely.
    fn hold_step(&self, share: u32, progress: &mut Progress) {
        let receiver = self.facts.capacity_of(self.next_split.receiver);
        let Some(stage) = progress.stage.filter(|stage| stage.share == share) else {
            progress.stage = Some(Stage { share, since: self.now, needed: self.needed(receiver) });
            return;
        };
        let is_over = self.now.since(stage.since) >= self.goal.wish.bake;
        if is_over && self.facts.firing().is_empty() && receiver.healthy >= stage.needed {
            progress.baked.push(share);
        }
    }

    /// Notes the needs at the target split, and whether they are met.
    fn arrive(&self, progress: &mut Progress) {
        if !self.run.written.values().any(|written| !written.split.same_ratio(written.before)) {
            return;
        }
        if progress.needs.is_empty() {
            progress.needs = self.live_colors().map(|color| (color.color, self.needed(color))).collect();
        }
        let short = |(color, needed): (&Color, &u32)| self.facts.capacity_of(*color).healthy < *needed;
        progress.lacking = progress.needs.iter().any(short).then(|| progress.lacking.unwrap_or(self.now));
    }

    /// Healthy targets that a color needs at the next split, by the load before the rules were written: new weights do
    /// not raise the load.
    fn needed(&self, color: &ColorCapacity) -> u32 {
        let split = self.next_split.split;
        let before = self.run.written.values().find(|written| written.split.same_ratio(split));
        let load = self.run.load(before.map_or(self.next_split.base, |written| written.before), self.facts);
        color_capacity(color, split, load, self.goal.wish.force).needed
    }

    /// Healthy targets below which a color with users counts as unserved: by the load before this run's first write. If
    /// this run wrote no weights, at most the color's known count.
    pub(super) fn need(&self, color: &ColorCapacity) -> u32 {
        self.run.progress.needs.get(&color.color).copied().unwrap_or_else(|| {
            let needed = color_capacity(color, self.next_split.split, self.load(), false).needed;
            needed.min(self.run.known_count(color.color))
        })
    }
}
