//! After a promote's change of traffic: the winner gets production's bounds, and once it has settled and users whom
//! stickiness kept are gone, the loser shrinks (invariants 22 to 24).

use std::time::Duration;

use super::at_target::settling;
use super::capacity::{Force, FullLoad, capacity};
use super::facts::{Facts, facts};
use super::goal::{Finish, Goal};
use super::next::rolling;
use super::run::Run;
use super::shift::{count, managed, managing};
use super::stage::Target;
use crate::plan::color::Color;
use crate::plan::scalers::{Role, next_step};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Capacity, Failing, Next, Purpose, Refusal, Scaling, Short, Step, Stuck, Wait};
use crate::plan::time::Time;
use crate::plan::verdict::Recovery;

/// What is still to do; none when capacity is as it shall be.
pub(super) fn finish(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target) -> Option<Next> {
    let (goal, run, now) = at;
    let wanted = goal.finish?;
    let (winner, loser) = match aim.split.blue {
        0 => (facts.force(Color::Green), facts.force(Color::Blue)),
        _ => (facts.force(Color::Blue), facts.force(Color::Green)),
    };
    let load = run.load(aim.split, facts);
    let needs = capacity(winner, aim.split, load, false);
    if let Some(next) = strengthen(winner, loser, (needs, load), at) {
        return Some(next);
    }
    if let Some(next) = as_live(facts, at, winner.color) {
        return Some(next);
    }
    if let Some(step) = as_production(winner, loser, wanted) {
        return Some(Next::Step(step));
    }
    // A rule outside the split still sends users there (invariant 39): the color stays as it is.
    let has_users = !facts.wiring.user_rules_of(loser.color).is_empty();
    if has_users || rolling(facts.service(loser.color)).is_some() {
        return None;
    }
    let quiet = managed(facts, at, (loser.color, Role::Idle));
    let shrink = quiet.or_else(|| as_idle(loser, wanted).map(Next::Step))?;
    if needs.healthy < enough(winner, needs).max(run.need(winner, facts, aim)) {
        return Some(short(winner, (needs, load), at));
    }
    if let Some(wait) = settling(at, winner.color) {
        return Some(wait);
    }
    let carried = now.since(run.arrived.unwrap_or(now)).saturating_sub(goal.wish.settle);
    match drain(facts, wanted) {
        Drain::TooLong => None,
        Drain::For(time) if carried < time => {
            let left = Duration::from_secs(time.saturating_sub(carried).as_secs());
            Some(Next::Wait(Wait::Drain { color: loser.color, left }))
        }
        Drain::For(_) => Some(shrink),
    }
}

/// Where scaling is managed: the winner's bounds, policies and alarms as production's.
fn as_live(facts: &Facts<'_>, at: (&Goal, &Run, Time), winner: Color) -> Option<Next> {
    let (goal, run, _) = at;
    let wanted = goal.managed.as_ref().filter(|_| !run.unscalable.contains(&winner))?;
    let service = (facts.cluster, facts.service(winner));
    managing(next_step(service, wanted, Role::Live, Purpose::Traffic), at)
}

/// Before anything else changes: a winner that has all users and too few tasks for them gets those of the full load,
/// and one whose tasks are there and sick is not production.
fn strengthen(
    winner: &Force,
    loser: &Force,
    (needs, load): (Capacity, FullLoad),
    at: (&Goal, &Run, Time),
) -> Option<Next> {
    let (goal, run, _) = at;
    let idle = goal.finish.map_or(0, |wanted| wanted.idle_count);
    let wanted = needs.most.map_or(needs.needed, |most| needs.needed.min(most));
    if goal.wish.scale_up && loser.desired > idle && winner.desired < wanted {
        return Some(Next::Step(count(winner, wanted, Purpose::Traffic)));
    }
    let sick = needs.healthy < enough(winner, needs) && !winner.coming && !run.changed;
    sick.then(|| short(winner, (needs, load), at))
}

/// Healthy targets that the winner has to have before the loser shrinks.
fn enough(winner: &Force, needs: Capacity) -> u32 {
    needs.needed.min(winner.desired.max(1))
}

/// The winner can't carry all users yet: nobody shrinks.
fn short(winner: &Force, (needs, load): (Capacity, FullLoad), at: (&Goal, &Run, Time)) -> Next {
    let (goal, run, now) = at;
    if !winner.coming && !run.changed {
        return Next::Refuse(Refusal::NotEnough {
            capacity: needs,
            load: load.told(),
            why: Short::Unhealthy,
        });
    }
    if now.since(run.acted) < goal.timeout {
        return Next::Wait(Wait::Capacity(needs));
    }
    Next::Turn(Failing::Traffic(Stuck::NotEnough(needs)), Recovery::Ours)
}

/// The winner's MinCapacity: the config's, or the larger of the two that were there.
fn as_production(winner: &Force, loser: &Force, wanted: Finish) -> Option<Step> {
    let now = winner.scaling?;
    let of_loser = loser.scaling.map_or(0, |scaling| scaling.min);
    let min = wanted.bounds.map_or(now.min.max(of_loser).min(now.max), |bounds| bounds.live);
    (now.min != min).then(|| bounds(winner, min, None, Purpose::Traffic))
}

/// The loser at idle bounds, and then at its idle count.
fn as_idle(loser: &Force, wanted: Finish) -> Option<Step> {
    let idle = wanted.bounds.map_or(wanted.idle_count, |bounds| bounds.idle.min(wanted.idle_count));
    if let Some(now) = loser.scaling
        && (now.min != idle.min(now.max) || now.in_suspended)
    {
        return Some(bounds(loser, idle.min(now.max), Some(false), Purpose::Traffic));
    }
    (loser.desired != wanted.idle_count).then(|| count(loser, wanted.idle_count, Purpose::Traffic))
}

/// One change of a scalable target. MaxCapacity never cuts a count (invariant 23).
pub(super) fn bounds(color: &Force, min: u32, in_suspended: Option<bool>, purpose: Purpose) -> Step {
    let over = color.scaling.is_some_and(|scaling| color.desired > scaling.max);
    Step::Scaling(Scaling {
        color: color.color,
        service: color.service.clone(),
        min: Some(min),
        max: over.then_some(color.desired),
        in_suspended,
        new: false,
        purpose,
    })
}

/// How long users may be kept at the loser.
enum Drain {
    /// For so long at most.
    For(Duration),
    /// Longer than the run may wait: the loser stays at its size.
    TooLong,
}

/// Stickiness of the production rules: a cookie lives so long after each request.
fn drain(facts: &Facts<'_>, wanted: Finish) -> Drain {
    let longest = facts.wiring.production.iter().filter_map(|rule| rule.rule.stickiness).max();
    match longest.unwrap_or_default() {
        time if time > wanted.max_drain => Drain::TooLong,
        time => Drain::For(time),
    }
}

/// The color without users.
fn loser<'a>(facts: &'a Facts<'_>) -> &'a Force {
    facts.force(if facts.wiring.split().blue == 0 { Color::Blue } else { Color::Green })
}

/// The color without users that stays at its size because a deployment is under way there, which counts its tasks.
pub(crate) fn stays_busy(snapshot: &Snapshot, goal: &Goal) -> Option<Color> {
    let (Ok(facts), Some(wanted)) = (facts(snapshot, goal), goal.finish) else { return None };
    let loser = loser(&facts);
    let stays = as_idle(loser, wanted).is_some() && rolling(facts.service(loser.color)).is_some();
    stays.then_some(loser.color)
}

/// Whether the loser stays at its size because stickiness may hold users there for longer than the run may wait.
pub(crate) fn stays_at_size(snapshot: &Snapshot, goal: &Goal) -> bool {
    let (Ok(facts), Some(wanted)) = (facts(snapshot, goal), goal.finish) else { return false };
    let loser = loser(&facts);
    as_idle(loser, wanted).is_some() && matches!(drain(&facts, wanted), Drain::TooLong)
}
