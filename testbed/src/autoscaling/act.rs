//! Policies at work: what a firing alarm does to a service, and how often.

use super::activity::Cause;
use super::policy::{Policy, Rule};
use super::target::Target;
use super::{input, target};
use crate::cloudwatch::State;
use crate::ecs::RolloutState;
use crate::world::World;
use std::time::Instant;

/// What an alarm tells the policy that it fires.
#[derive(Debug, Clone, Copy)]
pub struct Breach<'a> {
    /// The alarm's name.
    pub alarm: &'a str,
    /// The metric's value.
    pub metric: f64,
    /// The alarm's threshold.
    pub threshold: f64,
}

/// The waiting times after what policies did to one target.
#[derive(Debug, Clone, Default)]
pub(super) struct Cooldowns {
    /// After a scale-out: until when, and the count before it.
    out: Option<(Instant, u32)>,
    /// After a scale-in: until when.
    scale_in: Option<Instant>,
}

/// Carries out what alarms fired since the last tick; CloudWatch fires again every minute while one stays in ALARM. An
/// alarm that was set into ALARM by hand, and has no data yet, counts as just at its threshold.
pub(super) fn tick(world: &mut World, now: Instant) {
    for fired in world.cloudwatch.due_actions() {
        let Some(threshold) = fired.threshold.filter(|_| fired.state == State::Alarm) else { continue };
        let metric = fired.datapoint.unwrap_or(threshold);
        fire(world, &fired.action, Breach { alarm: &fired.alarm, metric, threshold }, now);
    }
}

/// Carries a policy out once. Nothing happens when there is no such policy.
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

/// The count that a policy asks for; none when it changes nothing: the bounds, what is suspended, or a cooldown
/// forbid it. `state` is the desired count, the cooldowns and the time.
fn wanted(
    policy: &Policy,
    target: &Target,
    state: (u32, &Cooldowns, Instant),
    breach: Breach<'_>,
) -> Option<u32> {
    let (current, cooldowns, now) = state;
    // During the cooldown of a scale-out, what it added counts as part of what is asked for now.
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

/// The cooldowns after a change: a scale-out ends that of a scale-in before it. `state` is the cooldowns before and
/// the time.
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

/// Whether an ECS deployment is in progress: scale-in pauses (ECS, "Service auto scaling and deployments").
fn is_deploying(world: &World, resource: &str) -> bool {
    let service = input::split(resource).and_then(|(cluster, name)| world.ecs.service(cluster, name));
    let primary = service.and_then(|service| service.primary());
    primary.is_some_and(|primary| primary.rollout == RolloutState::InProgress)
}
