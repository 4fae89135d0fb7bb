//! Capacity after a promote's change of traffic: the live color gets production's bounds. Once the live color has
//! settled, and no user is kept on the idle color by stickiness, the idle color shrinks (invariants 22 to 24).

use std::time::Duration;

use super::capacity::{ColorCapacity, FullLoad, color_capacity};
use super::decision::Decision;
use super::facts::{Facts, read_facts};
use super::goal::{Finish, Goal};
use super::next::{restore_after, rolling_deployment};
use super::shift::{count_step, scaling_step};
use crate::plan::color::Color;
use crate::plan::scalers::{Role, next_step};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Capacity, Next, Purpose, Refusal, Short, Step, TrafficFailure, Wait};

impl Decision<'_> {
    /// The next step; none once capacity is as requested.
    pub(super) fn settle_capacity(&self) -> Option<Next> {
        let (facts, split, wanted) = (self.facts, self.next_split.split, self.goal.finish?);
        let (live, idle) = match split.blue {
            0 => (facts.capacity_of(Color::Green), facts.capacity_of(Color::Blue)),
            _ => (facts.capacity_of(Color::Blue), facts.capacity_of(Color::Green)),
        };
        let load = self.run.load(split, facts);
        let needs = color_capacity(live, split, load, false);
        if let Some(next) = self.scale_up_live(live, idle, (needs, load)) {
            return Some(next);
        }
        if let Some(next) = self.as_live(live.color) {
            return Some(next);
        }
        if let Some(step) = as_production(live, idle, wanted) {
            return Some(Next::Step(step));
        }
        // A rule outside the split still sends users to the idle color (invariant 39), so that color stays unchanged.
        let has_users = !facts.wiring.user_rules_of(idle.color).is_empty();
        if has_users || rolling_deployment(facts.service(idle.color)).is_some() {
            return None;
        }
        let quiet = self.ensure_scaling(idle.color, Role::Idle);
        let shrink = quiet.or_else(|| as_idle(idle, wanted).map(Next::Step))?;
        if needs.healthy < required_healthy(live, needs).max(self.need(live)) {
            return Some(self.await_capacity(live, (needs, load)));
        }
        if let Some(wait) = self.wait_for_settle(live.color) {
            return Some(wait);
        }
        let arrived = self.run.progress.arrived().unwrap_or(self.now);
        let carried = self.now.since(arrived).saturating_sub(self.goal.wish.settle);
        match drain_time(facts, wanted) {
            Drain::TooLong => None,
            Drain::For(time) if carried < time => {
                let left = Duration::from_secs(time.saturating_sub(carried).as_secs());
                Some(Next::Wait(Wait::Drain { color: idle.color, left }))
            }
            Drain::For(_) => Some(shrink),
        }
    }

    /// If scaling is managed: the live color gets production's bounds, policies and alarms.
    fn as_live(&self, live: Color) -> Option<Next> {
        let wanted = self.goal.managed.as_ref().filter(|_| !self.run.unscalable.contains(&live))?;
        let service = (self.facts.cluster, self.facts.service(live));
        self.next_for_scaling(next_step(service, wanted, Role::Live, Purpose::Traffic))
    }

    /// Before any other change, a live color with too few tasks gets the count for the full load. If too few tasks of
    /// the live color are healthy, and none is starting, the promote is refused.
    fn scale_up_live(
        &self,
        live: &ColorCapacity,
        idle: &ColorCapacity,
        (needs, load): (Capacity, FullLoad),
    ) -> Option<Next> {
        let least = self.goal.finish.map_or(0, |wanted| wanted.idle_count);
        let wanted = needs.most.map_or(needs.needed, |most| needs.needed.min(most));
        if self.goal.wish.scale_up && idle.desired > least && live.desired < wanted {
            return Some(Next::Step(count_step(live, wanted, Purpose::Traffic)));
        }
        let sick = needs.healthy < required_healthy(live, needs) && !live.coming && !self.run.memory.changed;
        sick.then(|| self.await_capacity(live, (needs, load)))
    }

    /// The live color can't carry all users yet: neither color shrinks.
    fn await_capacity(&self, live: &ColorCapacity, (needs, load): (Capacity, FullLoad)) -> Next {
        if !live.coming && !self.run.memory.changed {
            let (load, why) = (load.told(), Short::Unhealthy);
            return Next::Refuse(Refusal::NotEnough { capacity: needs, load, why });
        }
        if self.now.since(self.run.acted) < self.goal.timeout {
            return Next::Wait(Wait::Capacity(needs));
        }
        restore_after(TrafficFailure::NotEnough(needs))
    }
}

/// Healthy targets that the live color must have before the idle color shrinks.
fn required_healthy(live: &ColorCapacity, needs: Capacity) -> u32 {
    needs.needed.min(live.desired.max(1))
}

/// The live color's MinCapacity: the config's, or the larger of both colors'.
fn as_production(live: &ColorCapacity, loser: &ColorCapacity, wanted: Finish) -> Option<Step> {
    let now = live.scaling?;
    let of_loser = loser.scaling.map_or(0, |scaling| scaling.min);
    let min = wanted.bounds.map_or(now.min.max(of_loser).min(now.max), |bounds| bounds.live);
    (now.min != min).then(|| scaling_step(live, Some(min), None, Purpose::Traffic))
}

/// Shrinks the idle color to its bounds, then to its idle count.
fn as_idle(loser: &ColorCapacity, wanted: Finish) -> Option<Step> {
    let idle = wanted.bounds.map_or(wanted.idle_count, |bounds| bounds.idle.min(wanted.idle_count));
    if let Some(now) = loser.scaling
        && (now.min != idle.min(now.max) || now.in_suspended)
    {
        return Some(scaling_step(loser, Some(idle.min(now.max)), Some(false), Purpose::Traffic));
    }
    (loser.desired != wanted.idle_count).then(|| count_step(loser, wanted.idle_count, Purpose::Traffic))
}

/// Longest time that stickiness may keep users on the idle color.
enum Drain {
    /// At most this time.
    For(Duration),
    /// Longer than the run may wait: the idle color stays at its size.
    TooLong,
}

/// Stickiness of the production rules: a cookie expires this long after the last request.
fn drain_time(facts: &Facts<'_>, wanted: Finish) -> Drain {
    let longest = facts.wiring.production.iter().filter_map(|rule| rule.rule.stickiness).max();
    match longest.unwrap_or_default() {
        time if time > wanted.max_drain => Drain::TooLong,
        time => Drain::For(time),
    }
}

/// The color without users.
fn idle_color<'a>(facts: &'a Facts<'_>) -> &'a ColorCapacity {
    facts.capacity_of(if facts.wiring.split().blue == 0 { Color::Blue } else { Color::Green })
}

/// The color without users that keeps its size because of a running deployment, which uses its tasks.
pub(crate) fn stays_busy(snapshot: &Snapshot, goal: &Goal) -> Option<Color> {
    let (Ok(facts), Some(wanted)) = (read_facts(snapshot, goal), goal.finish) else { return None };
    let loser = idle_color(&facts);
    let stays = as_idle(loser, wanted).is_some() && rolling_deployment(facts.service(loser.color)).is_some();
    stays.then_some(loser.color)
}

/// True if the idle color keeps its size because stickiness may keep users there longer than the run may wait.
pub(crate) fn stays_at_size(snapshot: &Snapshot, goal: &Goal) -> bool {
    let (Ok(facts), Some(wanted)) = (read_facts(snapshot, goal), goal.finish) else { return false };
    let loser = idle_color(&facts);
    as_idle(loser, wanted).is_some() && matches!(drain_time(&facts, wanted), Drain::TooLong)
}
