//! All rules hold the next split: users are watched there, settle at the last one, and then capacity follows.

use std::time::Duration;

use super::capacity::{Force, capacity, full_load};
use super::facts::{Facts, facts};
use super::finish::finish;
use super::goal::Goal;
use super::lowered::count_shows;
use super::next::{FAILED, PATIENCE, stuck};
use super::run::Run;
use super::shift::{count, raise, resume, suspend};
use super::stage::Target;
use crate::plan::cause::failed_since;
use crate::plan::color::Color;
use crate::plan::promote::other;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Capacity, End, Next, Purpose, Refusal, Short, Step, Stuck, Wait};
use crate::plan::time::Time;

/// Every rule holds the next split.
pub(super) fn at_target(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target) -> Next {
    let (goal, run, now) = at;
    if let Some(share) = aim.hold {
        return bake(facts, (goal, run, now), aim, share);
    }
    if let Some(next) = unserved(facts, (goal, run, now), aim) {
        return next;
    }
    if let Some(step) = short_of_load(facts, goal, run, aim) {
        return Next::Step(step);
    }
    if aim.split.blue > 0 && aim.split.green > 0 {
        if let Some(step) = suspend(facts, run, Purpose::Traffic) {
            return Next::Step(step);
        }
    } else if let Some(next) = alone(facts, at, aim) {
        return next;
    }
    if let Some(next) = count_shows(run, goal, now) {
        return next;
    }
    Next::Done(End::Good { changed: run.changed, healthy: facts.force(aim.receiver).healthy })
}

/// Users were moved to a color that can't serve them after all: that is no success, though it is what was asked for.
fn unserved(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target) -> Option<Next> {
    let (goal, run, now) = at;
    let load = run.load(aim.base, facts);
    let live = facts.colors.iter().filter(|color| aim.split.is_live(color.color));
    if let Some(next) = live.clone().find_map(|color| refill(facts, at, color, run.need(color, facts, aim))) {
        return Some(next);
    }
    if let Some(dead) = dead(facts, aim) {
        return Some(stuck(Stuck::Sick(capacity(dead, aim.split, load, true))));
    }
    let (since, arrived) = (run.lacking?, run.arrived?);
    let (color, needed) = run.needs.iter().find(|(color, needed)| facts.force(**color).healthy < **needed)?;
    let numbers = capacity(facts.force(*color), aim.split, load, goal.wish.force);
    let lacking = Capacity { needed: *needed, ..numbers };
    // A task that is replaced later on, while only scale-in is waited for, is no reason to move everybody.
    let late = since.since(arrived) > goal.wish.settle;
    let patience = if late { goal.timeout } else { PATIENCE.min(goal.timeout) };
    Some(match now.since(since) < patience {
        true => Next::Wait(Wait::Capacity(lacking)),
        false if late => stuck(Stuck::NotEnough(lacking)),
        false => stuck(Stuck::Sick(lacking)),
    })
}

/// A count of a color with users that fell below the need: one write fixes it, and then its tasks are waited for. None
/// where that is not the fault, or did not help.
fn refill(facts: &Facts<'_>, at: (&Goal, &Run, Time), color: &Force, needed: u32) -> Option<Next> {
    let (goal, run, now) = at;
    if color.healthy >= needed {
        return None;
    }
    let most = if goal.wish.scale_up { needed } else { needed.min(run.known_count(color.color)) };
    let wanted = color.scaling.map_or(most, |scaling| most.min(scaling.max));
    if color.desired < wanted {
        return Some(Next::Step(count(color, wanted, Purpose::Traffic)));
    }
    let since = *run.refilled.get(&color.color)?;
    let failed = failed_since(facts.service(color.color), since);
    let helps = color.coming && failed < FAILED && now.since(since) < goal.timeout;
    helps.then(|| {
        let load = full_load(facts.wiring.split(), &facts.colors);
        let numbers = capacity(color, facts.wiring.split(), load, false);
        Next::Wait(Wait::Capacity(Capacity { needed, ..numbers }))
    })
}

/// A color that has users and nobody to serve them.
pub(super) fn dead<'a>(facts: &'a Facts<'_>, aim: &Target) -> Option<&'a Force> {
    facts.colors.iter().find(|color| aim.split.is_live(color.color) && color.healthy == 0)
}

/// Users are held at a step while alarms and the receiver's health are watched.
fn bake(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target, share: u32) -> Next {
    let (goal, run, now) = at;
    let stage = run.stage.filter(|stage| stage.share == share);
    let color = facts.force(aim.receiver);
    let other = facts.force(other(aim.receiver));
    if let Some(next) = refill(facts, at, other, run.need(other, facts, aim)) {
        return next;
    }
    if let Some(stage) = stage.filter(|stage| color.healthy < stage.needed) {
        let load = run.load(aim.base, facts);
        let numbers = capacity(color, aim.split, load, goal.wish.force);
        let capacity = Capacity { needed: stage.needed, ..numbers };
        // Users were here already, and capacity for them may be on its way: a run that was killed had asked for it.
        let helped = run.written.is_empty() && (color.coming || color.desired < stage.needed);
        let help = match helped {
            true => raise(facts, at, aim, &[(color, capacity)], load),
            false => refill(facts, at, color, stage.needed),
        };
        return help.unwrap_or_else(|| {
            if run.changed || !run.unanswered.is_empty() {
                return stuck(Stuck::Sick(capacity));
            }
            Next::Refuse(Refusal::NotEnough { capacity, load: load.told(), why: Short::Unhealthy })
        });
    }
    if let Some(step) = suspend(facts, run, Purpose::Traffic) {
        return Next::Step(step);
    }
    let held = now.since(stage.map_or(now, |stage| stage.since));
    let left = Duration::from_secs(goal.wish.bake.saturating_sub(held).as_secs());
    Next::Wait(Wait::Bake { split: aim.split, left, no_data: facts.no_data() })
}

/// A forced run scales up after the weight has moved.
fn short_of_load(facts: &Facts<'_>, goal: &Goal, run: &Run, aim: &Target) -> Option<Step> {
    if !goal.wish.force || !goal.wish.scale_up {
        return None;
    }
    // A run that was killed before it came to this goes on here, where counts alone tell the load.
    if !run.changed && facts.colors.iter().any(|color| color.scaling.is_some()) {
        return None;
    }
    let load = run.load(run.found.as_ref().map_or(aim.base, |found| found.split), facts);
    facts.colors.iter().filter(|color| aim.split.is_live(color.color)).find_map(|color| {
        let needs = capacity(color, aim.split, load, false);
        let wanted = needs.most.map_or(needs.needed, |most| needs.needed.min(most));
        (color.desired < wanted).then(|| count(color, wanted, Purpose::Traffic))
    })
}

/// A color has all users: it settles, and a promote settles capacity. Once it has carried them for long enough, it may
/// scale in again; the other steps of a promote do not wait for that.
fn alone(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target) -> Option<Next> {
    let (goal, run, _) = at;
    let winner = if aim.split.blue > 0 { Color::Blue } else { Color::Green };
    let color = facts.force(winner);
    let held = color.scaling.filter(|scaling| scaling.in_suspended && !run.unscalable.contains(&winner));
    if held.is_none() {
        return finish(facts, at, aim);
    }
    let resumed = || Next::Step(resume(color, Purpose::Traffic));
    let settled = settling(at, winner);
    if goal.onward {
        return settled;
    }
    let carried = goal.carries().map(|time| carrying(at, winner, time));
    match (settled, carried) {
        (Some(wait), _) => Some(wait),
        (None, Some(None)) => Some(resumed()),
        (None, carried) => finish(facts, at, aim).or(carried.flatten()),
    }
}

/// The color alone at 100 that stays without scale-in, because its low alarm looks back for longer than the run may
/// wait, and how long that is.
pub(crate) fn stays_suspended(snapshot: &Snapshot, goal: &Goal) -> Option<(Color, Duration)> {
    let window = goal.managed.filter(|_| goal.carries().is_none())?.scale_in_after;
    let facts = facts(snapshot, goal).ok()?;
    let split = facts.wiring.split();
    let alone = |color: &&Force| split.weight(color.color) == split.blue + split.green;
    let color = facts.colors.iter().find(alone)?;
    color.scaling.filter(|scaling| scaling.in_suspended).map(|_| (color.color, window))
}

/// Until the winner has carried all users for `settle`.
pub(super) fn settling(at: (&Goal, &Run, Time), winner: Color) -> Option<Next> {
    carrying(at, winner, at.0.wish.settle)
}

/// Until the winner has carried all users for so long.
fn carrying(at: (&Goal, &Run, Time), winner: Color, time: Duration) -> Option<Next> {
    let (_, run, now) = at;
    let left = time.saturating_sub(now.since(run.arrived.unwrap_or(now)));
    let told = Duration::from_secs(left.as_secs());
    (!left.is_zero()).then_some(Next::Wait(Wait::Settle { color: winner, left: told }))
}
