//! Policies at work: the effect of a firing alarm on a service, and its rate.

use super::activity::Cause;
use super::policy::{Policy, Rule};
use super::target::Target;
use super::{input, target};
use crate::cloudwatch::State;
use crate::ecs::RolloutState;
use crate::world::World;
use std::time::Instant;

/// An alarm's facts for the policy to fire.
#[derive(Debug, Clone, Copy)]
pub struct Breach<'a> {
    /// The alarm's name.
    pub alarm: &'a str,
    /// The metric's value.
    pub metric: f64,
    /// The alarm's threshold.
    pub threshold: f64,
}

/// The cooldowns after policies changed one target.
#[derive(Debug, Clone, Default)]
pub(super) struct Cooldowns {
    /// After a scale-out: the end, and the count before.
    out: Option<(Instant, u32)>,
    /// After a scale-in: the end.
    scale_in: Option<Instant>,
}

/// Runs the actions of alarms since the last tick; CloudWatch fires again every minute while an alarm stays in ALARM.
/// An alarm that was set into ALARM by hand, without data yet, counts as just at its threshold.
pub(super) fn tick(world: &mut World, now: Instant) {
    for fired in world.cloudwatch.due_actions() {
        let Some(threshold) = fired.threshold.filter(|_| fired.state == State::Alarm) else { continue };
        let metric = fired.datapoint.unwrap_or(threshold);
        fire(world, &fired.action, Breach { alarm: &fired.alarm, metric, threshold }, now);
    }
}

/// Runs a policy once. Nothing happens without such a policy.
pub(super) fn fire(world: &mut World, policy_arn: &str, breach: Breach<'_>, now: Instant) {
    let scaling = &world.autoscaling;
    let Some(policy) = scaling.policies.iter().find(|policy| policy.arn == policy_arn).cloned() else {
        return;
    };
    let Some(target) = scaling.target(&policy.resource).cloned() else { return };
    let Some(current) = super::desired(world, &policy.resource) else { return };
    let cooldowns = world.autoscaling.cooldowns.get(&policy.resource).cloned().unwrap_or_default();
    let Some(wanted) = wanted(&policy, &target, (current, &cooldowns, now), breach) else { return };
    if wanted < current && is_deploying(world, &policy.resource) {
        return;
    }
    let after = cool_down(world, &policy, (current, wanted), (cooldowns, now));
    world.autoscaling.cooldowns.insert(policy.resource.clone(), after);
    let cause = format!("monitor alarm {} in state ALARM triggered policy {}", breach.alarm, policy.name);
    target::set_count(world, &policy.resource, wanted, Cause::Policy(cause));
}

/// The count that a policy requests; none if nothing changes: the bounds, a suspension, or a cooldown forbid the
/// change. `state` is the desired count, the cooldowns and the time.
fn wanted(
    policy: &Policy,
    target: &Target,
    state: (u32, &Cooldowns, Instant),
    breach: Breach<'_>,
) -> Option<u32> {
    let (current, cooldowns, now) = state;
    // During the cooldown of a scale-out, the added tasks count as part of the new request.
    let base =
        cooldowns.out.filter(|(until, _)| now < *until).map_or(current, |(_, before)| before.min(current));
    let asked = |from: u32| match &policy.rule {
        Rule::Steps(steps) => steps.apply(from, breach.metric, breach.threshold),
        Rule::Tracking(tracking) => tracking.apply(from, breach.metric),
    };
    let is_out = asked(current)? > i64::from(current);
    let asked = if is_out { asked(base)? } else { asked(current)? };
    let within = asked.clamp(target.min.into(), target.max.into());
    let wanted = u32::try_from(within).ok()?;
    let may = if is_out {
        wanted > current && !target.suspended.scale_out
    } else {
        wanted < current && !target.suspended.scale_in && cooldowns.scale_in.is_none_or(|until| until <= now)
    };
    may.then_some(wanted)
}

/// The cooldowns after a change: a scale-out ends the cooldown of an earlier scale-in. `state` is the cooldowns before
/// and the time.
fn cool_down(world: &World, policy: &Policy, change: (u32, u32), state: (Cooldowns, Instant)) -> Cooldowns {
    let (old, now) = state;
    let (out, scale_in) = match &policy.rule {
        Rule::Steps(steps) => (steps.cooldown, steps.cooldown),
        Rule::Tracking(tracking) => (tracking.out_cooldown, tracking.in_cooldown),
    };
    let until = |seconds: u64| now + world.pace.seconds(seconds);
    let (current, wanted) = change;
    if wanted > current {
        let before =
            old.out.filter(|(until, _)| now < *until).map_or(current, |(_, before)| before.min(current));
        Cooldowns { out: Some((until(out), before)), scale_in: None }
    } else {
        Cooldowns { out: old.out, scale_in: Some(until(scale_in)) }
    }
}

/// True if an ECS deployment is in progress: scale-in pauses (ECS, "Service auto scaling and deployments").
fn is_deploying(world: &World, resource: &str) -> bool {
    let service = input::split(resource).and_then(|(cluster, name)| world.ecs.service(cluster, name));
    let primary = service.and_then(|service| service.primary());
    primary.is_some_and(|primary| primary.rollout == RolloutState::InProgress)
}
