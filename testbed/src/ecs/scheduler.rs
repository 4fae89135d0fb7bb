//! The service scheduler: starts, replaces and stops tasks until a service has its wanted state.

use super::lifecycle::{self, Verdict, judge};
use super::service::{Deployment, RolloutState, Service, ServiceStatus};
use super::task::{Phase, Task};
use super::{breaker, place};
use crate::world::World;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Instant;

/// Looks after every service.
pub(super) fn run(world: &mut World, now: Instant) {
    for index in 0..world.ecs.services.len() {
        let mut service = std::mem::take(&mut world.ecs.services[index]);
        look_after(world, &mut service, now);
        world.ecs.services[index] = service;
    }
}

/// Looks after one service.
fn look_after(world: &mut World, service: &mut Service, now: Instant) {
    if service.shadow.as_ref().is_some_and(|(until, _)| *until <= now) {
        service.shadow = None;
    }
    match service.status {
        ServiceStatus::Inactive => return,
        ServiceStatus::Draining => return drain(world, service, now),
        ServiceStatus::Active => {}
    }
    if service.is_daemon() {
        service.desired = place::instances(world, &service.cluster);
    }
    count_failures(world, service, now);
    tell_registered(world, service);
    replace_unhealthy(world, service, now);
    breaker::check(world, service);
    if let Some(primary) = service.deployments.first_mut() {
        primary.desired = service.desired;
    }
    roll(world, service, now);
    drop_ended(world, service);
    complete(world, service, now);
    tell_steady(world, service, now);
}

/// Stops all tasks of a deleted service; the service is INACTIVE when no task is left.
fn drain(world: &mut World, service: &mut Service, now: Instant) {
    let reason = "Scaling activity initiated by service deletion";
    stop_tasks(world, service, &Order { now, reason, limit: usize::MAX }, |_| true);
    if tasks(world, service).all(|task| task.phase == Phase::Stopped) {
        service.status = ServiceStatus::Inactive;
        service.deployments.clear();
    }
}

/// The tasks of a service.
pub(super) fn tasks<'a>(world: &'a World, service: &Service) -> impl Iterator<Item = &'a Task> {
    let arn = service.arn.clone();
    world.ecs.tasks.iter().filter(move |task| task.service.as_deref() == Some(arn.as_str()))
}

/// Adds an event to a service.
pub(super) fn tell(world: &mut World, service: &mut Service, message: &str) {
    let id = world.new_uuid();
    service.tell(id, message);
}

/// Counts failed tasks, and restarts from 0 after a healthy task.
fn count_failures(world: &mut World, service: &mut Service, now: Instant) {
    let healthy: Vec<String> = tasks(world, service)
        .filter(|task| {
            !task.was_healthy && task.is_wanted() && matches!(judge(world, task, now), Verdict::Healthy)
        })
        .map(|task| task.id.clone())
        .collect();
    let resets = service.config()["deploymentCircuitBreaker"]["resetOnHealthyTask"] != false;
    let second = world.pace.second;
    let mut struggles = false;
    for task in &mut world.ecs.tasks {
        if task.service.as_deref() != Some(service.arn.as_str()) {
            continue;
        }
        let Some(deployment) = service.deployments.iter_mut().find(|one| one.id == task.started_by) else {
            continue;
        };
        if healthy.contains(&task.id) {
            task.was_healthy = true;
            if resets {
                deployment.failed = 0;
            }
        }
        if task.failed && !task.counted {
            task.counted = true;
            deployment.failed += 1;
            deployment.updated_at = crate::clock::wall();
            deployment.retry_at = Some(now + second * deployment.failed.min(10));
            service.steady = false;
            struggles |= deployment.failed == 10;
        }
    }
    if struggles {
        tell(world, service, STRUGGLES);
    }
}

/// AWS's words for a service whose tasks fail again and again.
const STRUGGLES: &str = "is unable to consistently start tasks successfully. For more information, see the \
                         Troubleshooting section of the Amazon ECS Developer Guide.";

/// Adds an event for new registrations of tasks in target groups.
fn tell_registered(world: &mut World, service: &mut Service) {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for task in &mut world.ecs.tasks {
        let ours = task.service.as_deref() == Some(service.arn.as_str());
        if ours && !task.told_registered && !task.registrations.is_empty() {
            task.told_registered = true;
            for registration in &task.registrations {
                *groups.entry(registration.group.clone()).or_default() += 1;
            }
        }
    }
    for (group, count) in groups {
        tell(world, service, &format!("registered {count} targets in (target-group {group})"));
    }
}

/// Finds the tasks that the load balancer or their own health check report as unhealthy after their grace period. A
/// task that was never healthy is stopped at once; another task is first replaced, within the maximum.
fn replace_unhealthy(world: &mut World, service: &mut Service, now: Instant) {
    let grace = world.pace.seconds(service.grace());
    let mut sick = Vec::new();
    for task in tasks(world, service).filter(|task| task.is_wanted()) {
        let old_enough = task.running.is_some_and(|running| now.duration_since(running) >= grace);
        match judge(world, task, now) {
            Verdict::Unhealthy(reason, event) if old_enough => {
                sick.push((task.id.clone(), Some((reason, event))))
            }
            Verdict::Unhealthy(..) => {}
            Verdict::Healthy | Verdict::Waiting if task.sick.is_some() => sick.push((task.id.clone(), None)),
            Verdict::Healthy | Verdict::Waiting => {}
        }
    }
    for (id, found) in sick {
        let Some(task) = world.ecs.tasks.iter_mut().find(|task| task.id == id) else { continue };
        let (is_new, at_once) = (task.sick.is_none() && found.is_some(), !task.was_healthy);
        task.sick = found.as_ref().map(|(reason, _)| reason.clone());
        if let (true, Some((_, event))) = (is_new, &found) {
            tell(world, service, event);
        }
        if let (true, Some(_)) = (at_once, found) {
            stop_sick(world, service, now, |task| task.id == id, 1);
        }
    }
}

/// Stops unhealthy tasks, and counts them as failed.
fn stop_sick(
    world: &mut World,
    service: &mut Service,
    now: Instant,
    which: impl Fn(&Task) -> bool,
    limit: usize,
) {
    let ours: Vec<(String, String)> = tasks(world, service)
        .filter(|task| task.is_wanted() && which(task))
        .filter_map(|task| Some((task.id.clone(), task.sick.clone()?)))
        .take(limit)
        .collect();
    for (id, reason) in ours {
        if let Some(task) = world.ecs.tasks.iter_mut().find(|task| task.id == id) {
            task.failed = true;
        }
        stop_tasks(world, service, &Order { now, reason: &reason, limit: 1 }, |task| task.id == id);
    }
}

/// A service's running tasks: of the PRIMARY deployment and of older ones.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    /// Tasks of PRIMARY that should run, without tasks that wait for their replacement.
    new: u32,
    /// The healthy tasks among these.
    new_healthy: u32,
    /// Tasks of older deployments that should run.
    old: u32,
    /// The healthy tasks among these.
    old_healthy: u32,
    /// Tasks of PRIMARY that are unhealthy and wait for their replacement.
    sick: u32,
}

/// Counts a service's tasks.
fn count(world: &World, service: &Service, now: Instant) -> Counts {
    let mut counts = Counts::default();
    let primary = service.primary().map(|primary| primary.id.as_str());
    for task in tasks(world, service).filter(|task| task.is_wanted()) {
        let healthy = u32::from(matches!(judge(world, task, now), Verdict::Healthy));
        if Some(task.started_by.as_str()) == primary && task.sick.is_some() {
            counts.sick += 1;
        } else if Some(task.started_by.as_str()) == primary {
            counts.new += 1;
            counts.new_healthy += healthy;
        } else {
            counts.old += 1;
            counts.old_healthy += healthy;
        }
    }
    counts
}

/// One step of a rolling update within minimum and maximum percent.
fn roll(world: &mut World, service: &mut Service, now: Instant) {
    let Some(primary) = service.primary().cloned() else { return };
    let counts = count(world, service, now);
    let desired = service.desired;
    if counts.new > desired {
        shrink(world, service, &primary, counts.new - desired, now);
    }
    let room = service.maximum().saturating_sub(counts.new + counts.old + counts.sick);
    let missing = desired.saturating_sub(counts.new);
    if counts.sick > 0 {
        let replaced = counts.new_healthy >= desired;
        let limit = if replaced { counts.sick } else { u32::from(missing > 0 && room == 0) };
        let of_primary = |task: &Task| task.started_by == primary.id;
        stop_sick(world, service, now, of_primary, limit as usize);
    }
    if primary.rollout == RolloutState::Failed {
        keep_old(world, service, now);
    } else {
        place::start(world, service, &primary, missing.min(room), now);
    }
    stop_old(world, service, &primary, counts, (missing > 0 && room == 0, now));
}

/// Stops surplus tasks of the PRIMARY deployment, the youngest first.
fn shrink(world: &mut World, service: &mut Service, primary: &Deployment, many: u32, now: Instant) {
    let reason = format!("Scaling activity initiated by (deployment {})", primary.id);
    let of_primary = |task: &Task| task.started_by == primary.id;
    stop_tasks(world, service, &Order { now, reason: &reason, limit: many as usize }, of_primary);
}

/// After a failure without rollback, the older deployment keeps its tasks.
fn keep_old(world: &mut World, service: &mut Service, now: Instant) {
    let Some(old) = service.deployments.get(1).cloned() else { return };
    let alive = tasks(world, service).filter(|task| task.is_wanted() && task.started_by == old.id).count();
    let missing = old.desired.saturating_sub(u32::try_from(alive).unwrap_or(u32::MAX));
    place::start(world, service, &old, missing, now);
}

/// Stops tasks of older deployments within the minimum. `(stuck, now)`: stuck means that no new task can start before
/// an old task stops.
fn stop_old(
    world: &mut World,
    service: &mut Service,
    primary: &Deployment,
    counts: Counts,
    at: (bool, Instant),
) {
    let (stuck, now) = at;
    let reason = format!("Scaling activity initiated by (deployment {})", primary.id);
    let failed: Vec<String> = (service.deployments.iter().skip(1))
        .filter(|old| old.rollout == RolloutState::Failed)
        .map(|old| old.id.clone())
        .collect();
    let is_old = |task: &Task| task.started_by != primary.id;
    let never_ran =
        |task: &Task| is_old(task) && (task.phase.is_pending() || failed.contains(&task.started_by));
    if primary.rollout != RolloutState::Failed {
        stop_tasks(world, service, &Order { now, reason: &reason, limit: usize::MAX }, never_ran);
    }
    let floor = if stuck { service.minimum() } else { service.desired };
    let spare = (counts.new_healthy + counts.old_healthy).saturating_sub(floor).min(counts.old_healthy);
    let mut stoppable = spare;
    if counts.new_healthy >= service.desired {
        stoppable = counts.old;
    } else if stuck && counts.old > counts.old_healthy {
        stoppable = stoppable.max(1);
    }
    let order = Order { now, reason: &reason, limit: stoppable as usize };
    let stopped = stop_tasks(world, service, &order, is_old);
    for old in service.deployments.iter_mut().skip(1) {
        old.desired = old.desired.saturating_sub(u32::try_from(stopped).unwrap_or(u32::MAX));
    }
}

/// An order to stop tasks.
pub(super) struct Order<'a> {
    /// The time.
    pub(super) now: Instant,
    /// `stoppedReason`.
    pub(super) reason: &'a str,
    /// The largest number of tasks.
    pub(super) limit: usize,
}

/// Stops a service's wanted tasks, unhealthy tasks first, then the youngest; adds events. Returns the number of tasks.
pub(super) fn stop_tasks(
    world: &mut World,
    service: &mut Service,
    order: &Order<'_>,
    which: impl Fn(&Task) -> bool,
) -> usize {
    let mut chosen: Vec<(bool, Instant, String, bool)> = tasks(world, service)
        .filter(|task| task.is_wanted() && which(task))
        .map(|task| {
            let healthy = matches!(judge(world, task, order.now), Verdict::Healthy);
            (healthy, task.created.unwrap_or(order.now), task.id.clone(), !task.registrations.is_empty())
        })
        .collect();
    chosen.sort_by_key(|(healthy, created, ..)| (*healthy, std::cmp::Reverse(*created)));
    chosen.truncate(order.limit);
    for (_, _, id, _) in &chosen {
        stop_one(world, id, order);
    }
    if chosen.is_empty() {
        return 0;
    }
    service.steady = false;
    let draining = chosen.iter().filter(|(_, _, _, registered)| *registered).count();
    if draining > 0 {
        tell(world, service, &format!("has begun draining connections on {draining} tasks."));
    }
    let ids: Vec<String> = chosen.iter().map(|(_, _, id, _)| format!("(task {id})")).collect();
    tell(world, service, &format!("has stopped {} running tasks: {}.", ids.len(), ids.join(" ")));
    chosen.len()
}

/// Stops one task on behalf of the scheduler.
fn stop_one(world: &mut World, id: &str, order: &Order<'_>) {
    let Some(index) = world.ecs.tasks.iter().position(|task| task.id == *id) else { return };
    let mut task = std::mem::take(&mut world.ecs.tasks[index]);
    lifecycle::stop(world, &mut task, "ServiceSchedulerInitiated", order.reason, order.now);
    world.ecs.tasks[index] = task;
}

/// Removes older deployments without tasks.
fn drop_ended(world: &World, service: &mut Service) {
    let alive: Vec<String> = tasks(world, service)
        .filter(|task| task.phase != Phase::Stopped)
        .map(|task| task.started_by.clone())
        .collect();
    let mut first = true;
    service.deployments.retain(|deployment| {
        let primary = std::mem::take(&mut first);
        // A deployment that was superseded in progress ends with its last task; a complete one stays until replaced.
        let over = deployment.desired == 0 || deployment.rollout != RolloutState::Completed;
        primary || !over || alive.contains(&deployment.id)
    });
}

/// Completes the PRIMARY deployment: its tasks are healthy, and the older ones are gone with their connections.
fn complete(world: &mut World, service: &mut Service, now: Instant) {
    let Some(primary) = service.primary().filter(|primary| primary.rollout == RolloutState::InProgress)
    else {
        return;
    };
    let id = primary.id.clone();
    let counts = count(world, service, now);
    let old_left = tasks(world, service).any(|task| task.started_by != id && task.phase != Phase::Stopped);
    let early = early_success(&service.config(), service.desired);
    let (enough, deferred) = early.unwrap_or((service.desired, false));
    let all = early.is_some() || counts.new == service.desired;
    if !all || counts.new_healthy < enough || (old_left && !deferred) {
        return;
    }
    if let Some(primary) = service.deployments.first_mut() {
        primary.rollout = RolloutState::Completed;
        primary.reason = format!("ECS deployment {id} completed.");
        primary.updated_at = crate::clock::wall();
        service.completed = Some(primary.revision.clone());
    }
    if !old_left {
        service.deployments.truncate(1);
    }
    breaker::succeed(service);
    tell(world, service, &format!("(deployment {id}) deployment completed."));
}

/// The early success criteria: the sufficient number of tasks, and true if older tasks may still exist.
fn early_success(config: &Value, desired: u32) -> Option<(u32, bool)> {
    let early = &config["earlySuccessCriteria"];
    if early["enable"] != true {
        return None;
    }
    let percent = early["healthyPercent"].as_u64().unwrap_or(100);
    let enough = (u64::from(desired) * percent).div_ceil(100);
    Some((u32::try_from(enough).unwrap_or(desired), early["sourceServiceRevisionCleanup"] == "DEFERRED"))
}

/// Adds one event when a service reaches its steady state.
fn tell_steady(world: &mut World, service: &mut Service, now: Instant) {
    let counts = count(world, service, now);
    let stopping = tasks(world, service).any(|task| !task.is_wanted() && task.phase != Phase::Stopped);
    let settled = service.primary().is_none_or(|primary| primary.rollout == RolloutState::Completed);
    let is_steady = settled && !stopping && counts.new == service.desired && counts.new_healthy == counts.new;
    if is_steady && counts.old == 0 && !service.steady {
        service.steady = true;
        tell(world, service, "has reached a steady state.");
    }
}
