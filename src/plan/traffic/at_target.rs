//! All rules hold the next split: health is watched. At the final split, users settle, and capacity follows.

use std::time::Duration;

use super::capacity::{ColorCapacity, color_capacity, full_load};
use super::decision::Decision;
use super::facts::read_facts;
use super::goal::Goal;
use super::next::{FAILED, PATIENCE, restore_after};
use super::run::Run;
use super::shift::{count_step, live_alarms, scaling_step, suspend_scale_in};
use crate::plan::cause::failed_since;
use crate::plan::color::Color;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Capacity, End, Next, Purpose, Short, Step, TrafficFailure, Wait};

impl Decision<'_> {
    /// Decides while every rule holds the next split.
    pub(super) fn at_target(&self) -> Next {
        let split = self.next_split.split;
        if let Some(share) = self.next_split.hold {
            return self.hold_at_step(share);
        }
        if let Some(next) = self.next_if_unserved() {
            return next;
        }
        if let Some(step) = self.short_of_load().or_else(|| self.alarms_of_live()) {
            return Next::Step(step);
        }
        if split.blue > 0 && split.green > 0 {
            if let Some(step) = suspend_scale_in(self.facts, self.run, Purpose::Traffic) {
                return Next::Step(step);
            }
        } else if let Some(next) = self.all_on_one_color() {
            return next;
        }
        if let Some(next) = self.run.count_shows(self.goal, self.now) {
            return next;
        }
        let healthy = self.facts.capacity_of(self.next_split.receiver).healthy;
        Next::Done(End::Good { changed: self.run.memory.changed, healthy })
    }

    /// Users moved to a color that can't serve them: the requested split alone is no success.
    fn next_if_unserved(&self) -> Option<Next> {
        let run = self.run;
        let mut live = self.live_colors().filter(|color| !scales_by_itself(color, run));
        if let Some(next) = live.find_map(|color| self.ensure_count(color, self.need(color))) {
            return Some(next);
        }
        if let Some(next) = self.short_from_the_start() {
            return Some(next);
        }
        if let Some(unserved) = self.unserved_color() {
            let capacity = color_capacity(unserved, self.next_split.split, self.load(), true);
            return Some(restore_after(TrafficFailure::Sick(capacity)));
        }
        let (since, arrived) = (run.progress.lacking?, run.progress.arrived()?);
        let (color, needed) = run.progress.needs.iter().find_map(|(color, needed)| {
            let color = self.facts.capacity_of(*color);
            (color.healthy < *needed && !scales_by_itself(color, run)).then_some((color, *needed))
        })?;
        let lacking = Capacity { needed, ..self.capacity(color) };
        // A task replaced late, while the run only waits for scale-in, is no reason to restore the split.
        let late = since.since(arrived) > self.goal.wish.settle;
        let patience = if late { self.goal.timeout } else { PATIENCE.min(self.goal.timeout) };
        Some(match self.now.since(since) < patience {
            true => Next::Wait(Wait::Capacity(lacking)),
            false if late => restore_after(TrafficFailure::NotEnough(lacking)),
            false => restore_after(TrafficFailure::Sick(lacking)),
        })
    }

    /// A run that finds its split in place changes nothing, but says that users are served only if they are: it waits
    /// for tasks that are starting, and is refused if none is.
    fn short_from_the_start(&self) -> Option<Next> {
        let (goal, run) = (self.goal, self.run);
        if run.memory.may_have_changed() || goal.wish.force || goal.finish.is_some() {
            return None;
        }
        let short = self.live_colors().find(|color| color.healthy < self.need(color))?;
        let capacity = color_capacity(short, self.next_split.split, self.load(), false);
        let capacity = Capacity { needed: self.need(short), ..capacity };
        let waits = short.coming && self.now.since(run.acted) < goal.timeout;
        Some(match waits {
            true => Next::Wait(Wait::Capacity(capacity)),
            false => Next::Refuse(self.not_enough(capacity, Short::Unhealthy)),
        })
    }

    /// Raises a count of a color with users that fell below the need, then waits for the tasks. None if the count is
    /// not the cause, or if raising did not help.
    fn ensure_count(&self, color: &ColorCapacity, needed: u32) -> Option<Next> {
        if color.healthy >= needed {
            return None;
        }
        let known = self.run.known_count(color.color);
        let most = if self.goal.wish.scale_up { needed } else { needed.min(known) };
        let wanted = color.scaling.map_or(most, |scaling| most.min(scaling.max));
        if color.desired < wanted {
            return Some(Next::Step(count_step(color, wanted, Purpose::Traffic)));
        }
        let since = *self.run.refilled.get(&color.color)?;
        let failed = failed_since(self.facts.service(color.color), since);
        // A single look without a new task is no proof that none will come.
        let comes = color.coming || self.now.since(since) < PATIENCE;
        let helps = comes && failed < FAILED && self.now.since(since) < self.goal.timeout;
        helps.then(|| {
            let split = self.facts.wiring.split();
            let numbers = color_capacity(color, split, full_load(split, &self.facts.colors), false);
            Next::Wait(Wait::Capacity(Capacity { needed, ..numbers }))
        })
    }

    /// Holds a step while alarms and the receiver's health are watched.
    fn hold_at_step(&self, share: u32) -> Next {
        let (run, receiver) = (self.run, self.next_split.receiver);
        let stage = run.progress.stage.filter(|stage| stage.share == share);
        let (color, other) = (self.facts.capacity_of(receiver), self.facts.capacity_of(receiver.other()));
        if let Some(next) = self.ensure_count(other, self.need(other)) {
            return next;
        }
        if let Some(stage) = stage.filter(|stage| color.healthy < stage.needed) {
            let capacity = Capacity { needed: stage.needed, ..self.capacity(color) };
            // Users were here before this run, and a killed run may have requested capacity for them.
            let helped = run.written.is_empty() && (color.coming || color.desired < stage.needed);
            let help = match helped {
                true => self.ensure_capacity(&[(color, capacity)]),
                false => self.ensure_count(color, stage.needed),
            };
            return help.unwrap_or_else(|| {
                if run.memory.may_have_changed() {
                    return restore_after(TrafficFailure::Sick(capacity));
                }
                Next::Refuse(self.not_enough(capacity, Short::Unhealthy))
            });
        }
        if let Some(step) = suspend_scale_in(self.facts, run, Purpose::Traffic) {
            return Next::Step(step);
        }
        let held = self.now.since(stage.map_or(self.now, |stage| stage.since));
        let left = Duration::from_secs(self.goal.wish.bake.saturating_sub(held).as_secs());
        Next::Wait(Wait::Bake { split: self.next_split.split, left, no_data: self.facts.no_data() })
    }

    /// A color that this run gave users has alarms that act, whatever another run wrote meanwhile (invariant 31).
    fn alarms_of_live(&self) -> Option<Step> {
        let run = self.run;
        let live = self.live_colors().map(|color| color.color);
        let mut own = live.filter(|color| !run.written.is_empty() && !run.unscalable.contains(color));
        own.find_map(|color| live_alarms(self.facts, self.goal, color, Purpose::Traffic))
    }

    /// A forced run scales up after the weight moved.
    fn short_of_load(&self) -> Option<Step> {
        let (facts, run, split) = (self.facts, self.run, self.next_split.split);
        if !self.goal.wish.force || !self.goal.wish.scale_up {
            return None;
        }
        // A killed run continues here, but counts alone give the load.
        if !run.memory.changed && facts.colors.iter().any(|color| color.scaling.is_some()) {
            return None;
        }
        let load = run.load(run.found.as_ref().map_or(self.next_split.base, |found| found.split), facts);
        self.live_colors().find_map(|color| {
            let needs = color_capacity(color, split, load, false);
            let wanted = needs.most.map_or(needs.needed, |most| needs.needed.min(most));
            (color.desired < wanted).then(|| count_step(color, wanted, Purpose::Traffic))
        })
    }

    /// All users are on one color: that color settles, and a promote settles capacity. After enough time with all
    /// users, scale-in is allowed again; the other steps of a promote do not wait for that.
    fn all_on_one_color(&self) -> Option<Next> {
        let live = if self.next_split.split.blue > 0 { Color::Blue } else { Color::Green };
        let color = self.facts.capacity_of(live);
        let held =
            color.scaling.filter(|scaling| scaling.in_suspended && !self.run.unscalable.contains(&live));
        if held.is_none() {
            return self.settle_capacity();
        }
        let settled = self.wait_for_settle(live);
        if self.goal.has_next_phase {
            return settled;
        }
        let carried = self.goal.carries().map(|time| self.wait_for_load(live, time));
        match (settled, carried) {
            (Some(wait), _) => Some(wait),
            (None, Some(None)) => Some(Next::Step(scaling_step(color, None, Some(false), Purpose::Traffic))),
            (None, carried) => self.settle_capacity().or(carried.flatten()),
        }
    }

    /// Waits until the live color has carried all users for `settle`.
    pub(super) fn wait_for_settle(&self, live: Color) -> Option<Next> {
        self.wait_for_load(live, self.goal.wish.settle)
    }

    /// Waits until the live color has carried all users for `time`.
    fn wait_for_load(&self, live: Color, time: Duration) -> Option<Next> {
        let left = time.saturating_sub(self.now.since(self.run.progress.arrived().unwrap_or(self.now)));
        let told = Duration::from_secs(left.as_secs());
        (!left.is_zero()).then_some(Next::Wait(Wait::Settle { color: live, left: told }))
    }
}

/// True if this run allowed scale-in again, and the count is within the bounds of that time: it is automatic scaling's
/// from then on. A count below a MinCapacity that was lowered later is another writer's.
fn scales_by_itself(color: &ColorCapacity, run: &Run) -> bool {
    let allowed = run.scaled.get(&color.color) == Some(&false);
    let least = run.allowed.get(&color.color).copied().unwrap_or_default();
    allowed && color.scaling.is_some_and(|bounds| color.desired >= bounds.min.max(least))
}

/// The color at 100 whose scale-in stays suspended, because its low alarm looks back longer than the run may wait, with
/// the alarm's window.
pub(crate) fn stays_suspended(snapshot: &Snapshot, goal: &Goal) -> Option<(Color, Duration)> {
    let window = goal.managed.filter(|_| goal.carries().is_none())?.scale_in_after;
    let facts = read_facts(snapshot, goal).ok()?;
    let split = facts.wiring.split();
    let alone = |color: &&ColorCapacity| split.weight(color.color) == split.blue + split.green;
    let color = facts.colors.iter().find(alone)?;
    color.scaling.filter(|scaling| scaling.in_suspended).map(|_| (color.color, window))
}
