//! All rules hold the next split: health is watched. At the final split, users settle, and capacity follows.

use std::time::Duration;

use super::capacity::{ColorCapacity, color_capacity, full_load};
use super::facts::{Facts, read_facts};
use super::finish::settle_capacity;
use super::goal::Goal;
use super::lowered::count_shows;
use super::next::{FAILED, PATIENCE, restore_after};
use super::run::Run;
use super::shift::{count_step, ensure_capacity, live_alarms, resume_scale_in, suspend_scale_in};
use super::stage::NextSplit;
use crate::plan::cause::failed_since;
use crate::plan::color::Color;
use crate::plan::promote::other_color;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Capacity, End, Next, Purpose, Refusal, Short, Step, TrafficFailure, Wait};
use crate::plan::time::Time;

/// Decides while every rule holds the next split.
pub(super) fn at_target(facts: &Facts<'_>, at: (&Goal, &Run, Time), next_split: &NextSplit) -> Next {
    let (goal, run, now) = at;
    if let Some(share) = next_split.hold {
        return hold_at_step(facts, (goal, run, now), next_split, share);
    }
    if let Some(next) = next_if_unserved(facts, (goal, run, now), next_split) {
        return next;
    }
    if let Some(step) = short_of_load(facts, goal, run, next_split) {
        return Next::Step(step);
    }
    if let Some(step) = alarms_of_live(facts, goal, run, next_split) {
        return Next::Step(step);
    }
    if next_split.split.blue > 0 && next_split.split.green > 0 {
        if let Some(step) = suspend_scale_in(facts, run, Purpose::Traffic) {
            return Next::Step(step);
        }
    } else if let Some(next) = all_on_one_color(facts, at, next_split) {
        return next;
    }
    if let Some(next) = count_shows(run, goal, now) {
        return next;
    }
    Next::Done(End::Good { changed: run.changed, healthy: facts.capacity_of(next_split.receiver).healthy })
}

/// Users moved to a color that can't serve them: the requested split alone is no success.
fn next_if_unserved(facts: &Facts<'_>, at: (&Goal, &Run, Time), next_split: &NextSplit) -> Option<Next> {
    let (goal, run, now) = at;
    let load = run.load(next_split.base, facts);
    let live = facts.colors.iter();
    let live = live.filter(|color| next_split.split.is_live(color.color) && !scales_by_itself(color, run));
    if let Some(next) =
        live.clone().find_map(|color| ensure_count(facts, at, color, run.need(color, facts, next_split)))
    {
        return Some(next);
    }
    if let Some(next) = short_from_the_start(facts, at, next_split) {
        return Some(next);
    }
    if let Some(dead) = unserved_color(facts, next_split) {
        return Some(restore_after(TrafficFailure::Sick(color_capacity(dead, next_split.split, load, true))));
    }
    let (since, arrived) = (run.lacking?, run.arrived?);
    let (color, needed) = run.needs.iter().find(|(color, needed)| {
        let color = facts.capacity_of(**color);
        color.healthy < **needed && !scales_by_itself(color, run)
    })?;
    let numbers = color_capacity(facts.capacity_of(*color), next_split.split, load, goal.wish.force);
    let lacking = Capacity { needed: *needed, ..numbers };
    // A task replaced late, while the run only waits for scale-in, is no reason to restore the split.
    let late = since.since(arrived) > goal.wish.settle;
    let patience = if late { goal.timeout } else { PATIENCE.min(goal.timeout) };
    Some(match now.since(since) < patience {
        true => Next::Wait(Wait::Capacity(lacking)),
        false if late => restore_after(TrafficFailure::NotEnough(lacking)),
        false => restore_after(TrafficFailure::Sick(lacking)),
    })
}

/// A run that finds its split in place changes nothing, but says that users are served only if they are: it waits for
/// tasks that are starting, and is refused if none is.
fn short_from_the_start(facts: &Facts<'_>, at: (&Goal, &Run, Time), next_split: &NextSplit) -> Option<Next> {
    let (goal, run, now) = at;
    if run.changed || !run.unanswered.is_empty() || goal.wish.force || goal.finish.is_some() {
        return None;
    }
    let load = run.load(next_split.base, facts);
    let mut live = facts.colors.iter().filter(|color| next_split.split.is_live(color.color));
    let short = live.find(|color| color.healthy < run.need(color, facts, next_split))?;
    let needed = run.need(short, facts, next_split);
    let capacity = Capacity { needed, ..color_capacity(short, next_split.split, load, false) };
    let waits = short.coming && now.since(run.acted) < goal.timeout;
    Some(match waits {
        true => Next::Wait(Wait::Capacity(capacity)),
        false => Next::Refuse(Refusal::NotEnough { capacity, load: load.told(), why: Short::Unhealthy }),
    })
}

/// Raises a count of a color with users that fell below the need, then waits for the tasks. None if the count is not
/// the cause, or if raising did not help.
fn ensure_count(
    facts: &Facts<'_>,
    at: (&Goal, &Run, Time),
    color: &ColorCapacity,
    needed: u32,
) -> Option<Next> {
    let (goal, run, now) = at;
    if color.healthy >= needed {
        return None;
    }
    let most = if goal.wish.scale_up { needed } else { needed.min(run.known_count(color.color)) };
    let wanted = color.scaling.map_or(most, |scaling| most.min(scaling.max));
    if color.desired < wanted {
        return Some(Next::Step(count_step(color, wanted, Purpose::Traffic)));
    }
    let since = *run.refilled.get(&color.color)?;
    let failed = failed_since(facts.service(color.color), since);
    // A single look without a new task is no proof that none will come.
    let comes = color.coming || now.since(since) < PATIENCE;
    let helps = comes && failed < FAILED && now.since(since) < goal.timeout;
    helps.then(|| {
        let load = full_load(facts.wiring.split(), &facts.colors);
        let numbers = color_capacity(color, facts.wiring.split(), load, false);
        Next::Wait(Wait::Capacity(Capacity { needed, ..numbers }))
    })
}

/// True if this run allowed scale-in again, and the count is within the bounds of that time: it is automatic scaling's
/// from then on. A count below a MinCapacity that was lowered later is another writer's.
fn scales_by_itself(color: &ColorCapacity, run: &Run) -> bool {
    let allowed = run.scaled.get(&color.color) == Some(&false);
    let least = run.allowed.get(&color.color).copied().unwrap_or_default();
    allowed && color.scaling.is_some_and(|bounds| color.desired >= bounds.min.max(least))
}

/// A color with users and no healthy target.
pub(super) fn unserved_color<'a>(facts: &'a Facts<'_>, next_split: &NextSplit) -> Option<&'a ColorCapacity> {
    facts.colors.iter().find(|color| next_split.split.is_live(color.color) && color.healthy == 0)
}

/// Holds a step while alarms and the receiver's health are watched.
fn hold_at_step(facts: &Facts<'_>, at: (&Goal, &Run, Time), next_split: &NextSplit, share: u32) -> Next {
    let (goal, run, now) = at;
    let stage = run.stage.filter(|stage| stage.share == share);
    let color = facts.capacity_of(next_split.receiver);
    let other = facts.capacity_of(other_color(next_split.receiver));
    if let Some(next) = ensure_count(facts, at, other, run.need(other, facts, next_split)) {
        return next;
    }
    if let Some(stage) = stage.filter(|stage| color.healthy < stage.needed) {
        let load = run.load(next_split.base, facts);
        let numbers = color_capacity(color, next_split.split, load, goal.wish.force);
        let capacity = Capacity { needed: stage.needed, ..numbers };
        // Users were here before this run, and a killed run may have requested capacity for them.
        let helped = run.written.is_empty() && (color.coming || color.desired < stage.needed);
        let help = match helped {
            true => ensure_capacity(facts, at, next_split, &[(color, capacity)], load),
            false => ensure_count(facts, at, color, stage.needed),
        };
        return help.unwrap_or_else(|| {
            if run.changed || !run.unanswered.is_empty() {
                return restore_after(TrafficFailure::Sick(capacity));
            }
            Next::Refuse(Refusal::NotEnough { capacity, load: load.told(), why: Short::Unhealthy })
        });
    }
    if let Some(step) = suspend_scale_in(facts, run, Purpose::Traffic) {
        return Next::Step(step);
    }
    let held = now.since(stage.map_or(now, |stage| stage.since));
    let left = Duration::from_secs(goal.wish.bake.saturating_sub(held).as_secs());
    Next::Wait(Wait::Bake { split: next_split.split, left, no_data: facts.no_data() })
}

/// A color that this run gave users has alarms that act, whatever another run wrote meanwhile (invariant 31).
fn alarms_of_live(facts: &Facts<'_>, goal: &Goal, run: &Run, next_split: &NextSplit) -> Option<Step> {
    let live = facts.colors.iter().map(|color| color.color).filter(|color| next_split.split.is_live(*color));
    let mut own = live.filter(|color| !run.written.is_empty() && !run.unscalable.contains(color));
    own.find_map(|color| live_alarms(facts, goal, color, Purpose::Traffic))
}

/// A forced run scales up after the weight moved.
fn short_of_load(facts: &Facts<'_>, goal: &Goal, run: &Run, next_split: &NextSplit) -> Option<Step> {
    if !goal.wish.force || !goal.wish.scale_up {
        return None;
    }
    // A killed run continues here, but counts alone give the load.
    if !run.changed && facts.colors.iter().any(|color| color.scaling.is_some()) {
        return None;
    }
    let load = run.load(run.found.as_ref().map_or(next_split.base, |found| found.split), facts);
    facts.colors.iter().filter(|color| next_split.split.is_live(color.color)).find_map(|color| {
        let needs = color_capacity(color, next_split.split, load, false);
        let wanted = needs.most.map_or(needs.needed, |most| needs.needed.min(most));
        (color.desired < wanted).then(|| count_step(color, wanted, Purpose::Traffic))
    })
}

/// All users are on one color: that color settles, and a promote settles capacity. After enough time with all users,
/// scale-in is allowed again; the other steps of a promote do not wait for that.
fn all_on_one_color(facts: &Facts<'_>, at: (&Goal, &Run, Time), next_split: &NextSplit) -> Option<Next> {
    let (goal, run, _) = at;
    let live = if next_split.split.blue > 0 { Color::Blue } else { Color::Green };
    let color = facts.capacity_of(live);
    let held = color.scaling.filter(|scaling| scaling.in_suspended && !run.unscalable.contains(&live));
    if held.is_none() {
        return settle_capacity(facts, at, next_split);
    }
    let resumed = || Next::Step(resume_scale_in(color, Purpose::Traffic));
    let settled = wait_for_settle(at, live);
    if goal.has_next_phase {
        return settled;
    }
    let carried = goal.carries().map(|time| wait_for_load(at, live, time));
    match (settled, carried) {
        (Some(wait), _) => Some(wait),
        (None, Some(None)) => Some(resumed()),
        (None, carried) => settle_capacity(facts, at, next_split).or(carried.flatten()),
    }
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

/// Waits until the live color has carried all users for `settle`.
pub(super) fn wait_for_settle(at: (&Goal, &Run, Time), live: Color) -> Option<Next> {
    wait_for_load(at, live, at.0.wish.settle)
}

/// Waits until the live color has carried all users for `time`.
fn wait_for_load(at: (&Goal, &Run, Time), live: Color, time: Duration) -> Option<Next> {
    let (_, run, now) = at;
    let left = time.saturating_sub(now.since(run.arrived.unwrap_or(now)));
    let told = Duration::from_secs(left.as_secs());
    (!left.is_zero()).then_some(Next::Wait(Wait::Settle { color: live, left: told }))
}
