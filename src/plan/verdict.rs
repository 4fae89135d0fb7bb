//! How one deployment of one service stands: a pure function of what was seen, whose deployment it is, and the time.
//!
//! Success is told only by what is there: this deployment complete, its own tasks' targets healthy (invariant 12).
//! Everything unknown holds (invariant 9).

use std::time::Duration;

pub(crate) use self::history::entry_of;
use self::history::{gone, replaced, was_stopped};
pub(crate) use self::own::{Kind, Mine, is_own, own_tasks};
pub(crate) use self::room::{has_room, threshold};
use super::own_targets::group_targets;
use super::snapshot::{Deployment, Rollout, Service, ServiceStatus, Target, Task};
use super::time::Time;
use super::trouble::Trouble;

mod history;
mod own;
mod room;

/// How long the verdict has patience for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The input `timeout`.
    pub(crate) timeout: Duration,
    /// How long a new deployment may stay invisible (ECS is eventually consistent).
    pub(crate) visibility: Duration,
    /// How long AWS may take to begin its own rollback of a failed deployment.
    pub(crate) rollback: Duration,
}

impl Limits {
    /// The limits of a run with this time-out.
    pub(crate) fn with_timeout(timeout: Duration) -> Self {
        Limits { timeout, visibility: Duration::from_secs(30), rollback: Duration::from_secs(30) }
    }
}

/// Why the deployment is not good yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Nothing was asked for yet.
    NotBegun,
    /// AWS does not show it yet.
    NotVisible,
    /// Its tasks are on their way.
    RollingOut {
        /// Running tasks of this deployment.
        running: u32,
        /// Pending ones.
        pending: u32,
        /// Healthy targets of its own tasks, where they could be counted.
        healthy: Option<u32>,
        /// Tasks that should run.
        desired: u32,
        /// Failures one after the other.
        failed: u32,
        /// Running and pending tasks of older deployments, which still have to go.
        old: u32,
    },
    /// All its tasks run and are healthy; ECS still waits for older tasks, whose targets finish their requests first.
    Draining {
        /// Healthy targets of its own tasks.
        healthy: u32,
        /// Older tasks that still run, or targets that drain if those are more.
        old: u32,
        /// The target group's deregistration delay, if it was read.
        delay: Option<Duration>,
    },
    /// Complete, but the load balancer does not find enough of its targets healthy.
    Unhealthy {
        /// Healthy targets of its own tasks.
        healthy: u32,
        /// How many there have to be.
        needed: u32,
    },
    /// AWS could not be asked; what is unknown holds.
    Unknown(Trouble),
}

/// Why the deployment can't become good any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The circuit breaker ended it.
    CircuitBreaker,
    /// A deployment alarm ended it.
    Alarm(Vec<String>),
    /// Its tasks keep failing, and no breaker is on.
    TasksFailing {
        /// Failures one after the other.
        failed: u32,
    },
    /// Somebody stopped it.
    Stopped,
    /// A newer deployment took over.
    Superseded {
        /// ARN of the task definition that the service wants now.
        by: String,
    },
    /// The service was deleted, or set to no tasks.
    Drained,
    /// Users were moved to the color while the run deployed to it.
    UsersCame {
        /// ARN of the task definition that they are going to get.
        version: String,
        /// What it still lacked then; none if all its targets were healthy.
        lacks: Option<Box<Waiting>>,
    },
    /// Minimum and maximum percent leave no room: nothing will ever move.
    NoRoom,
    /// The time-out passed.
    TimedOut(Box<Waiting>),
    /// AWS refuses to answer for good.
    Trouble(Trouble),
}

/// Who puts the color back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// The run does, if anything is to be put back.
    Ours,
    /// AWS is at it, or has done it.
    Aws,
    /// Nobody: what stands there is somebody else's wish.
    Theirs,
}

/// How the deployment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Complete, and its own targets healthy.
    Good {
        /// Healthy targets of its own tasks.
        healthy: u32,
    },
    /// Not yet.
    Wait(Waiting),
    /// What tells a rollback from a newer deployment has to be looked at before anything can be said.
    LookCloser,
    /// Never.
    Failed {
        /// Why.
        ended: Ended,
        /// Who puts the color back.
        recovery: Recovery,
    },
}

/// Judges. `service` is none when the cluster no longer has it.
pub(crate) fn verdict(service: Option<&Service>, mine: &Mine, now: Time, limits: &Limits) -> Verdict {
    let Some(service) = service else { return failed(Ended::Drained, Recovery::Theirs) };
    if service.status != ServiceStatus::Active
        || (service.desired == 0 && mine.desired > 0 && mine.seen && is_mine(service, mine))
    {
        return failed(Ended::Drained, Recovery::Theirs);
    }
    let verdict = match mine.kind {
        Kind::Rollout => rollout(service, mine, now, limits),
        Kind::CountOnly | Kind::Nothing => without_deployment(service, mine),
    };
    match verdict {
        Verdict::Wait(waiting) if now.since(mine.started) >= limits.timeout => {
            failed(Ended::TimedOut(Box::new(waiting)), Recovery::Ours)
        }
        other => other,
    }
}

/// Whether a verdict says that somebody took the service away, and nothing but this one read tells so: no deployment
/// that is newer than the run's own.
pub(crate) fn taken_away(verdict: &Verdict, mine: &Mine) -> bool {
    match verdict {
        Verdict::Failed { ended: Ended::Drained, .. } => true,
        Verdict::Failed { ended: Ended::Superseded { .. }, .. } => mine.kind != Kind::Rollout,
        Verdict::Failed { .. } | Verdict::Good { .. } | Verdict::Wait(_) | Verdict::LookCloser => false,
    }
}

/// Judges a whole look that AWS did not answer: final troubles end the run, the others hold until the time-out.
pub(crate) fn on_trouble(trouble: &Trouble, mine: &Mine, now: Time, limits: &Limits) -> Verdict {
    if !trouble.kind.passes() {
        return failed(Ended::Trouble(trouble.clone()), Recovery::Ours);
    }
    let waiting = Waiting::Unknown(trouble.clone());
    if now.since(mine.started) >= limits.timeout {
        return failed(Ended::TimedOut(Box::new(waiting)), Recovery::Ours);
    }
    Verdict::Wait(waiting)
}

/// Short for a failed verdict.
fn failed(ended: Ended, recovery: Recovery) -> Verdict {
    Verdict::Failed { ended, recovery }
}

/// Whether the service still wants what this run asked for.
fn is_mine(service: &Service, mine: &Mine) -> bool {
    service.task_definition == mine.task_definition
}

/// A deployment of its own: found by its id, and by nothing else.
fn rollout(service: &Service, mine: &Mine, now: Time, limits: &Limits) -> Verdict {
    let found = service.deployments.iter().find(|deployment| Some(&deployment.id) == mine.id.as_ref());
    match found {
        Some(deployment) if deployment.primary => primary(service, deployment, mine),
        Some(deployment) => replaced(service, Some(deployment), mine),
        None => {
            let newer = service.primary().is_some_and(|primary| is_newer(primary, mine));
            if newer {
                replaced(service, None, mine)
            } else if mine.seen || now.since(mine.started) >= limits.visibility {
                gone(service, mine)
            } else {
                Verdict::Wait(Waiting::NotVisible)
            }
        }
    }
}

/// Whether a deployment came after this run's own. Clocks differ by a little, ids do not.
fn is_newer(primary: &Deployment, mine: &Mine) -> bool {
    let known = mine.before.contains(&primary.id) || Some(&primary.id) == mine.id.as_ref();
    // Where what was there before is known, every other deployment came after it, whatever the clocks say.
    !known && (!mine.before.is_empty() || primary.created > mine.started)
}

/// My deployment is what the service wants.
fn primary(service: &Service, deployment: &Deployment, mine: &Mine) -> Verdict {
    match deployment.rollout {
        Rollout::Failed => primary_failed(service, deployment, mine),
        Rollout::Completed => healthy_enough(service, mine),
        Rollout::InProgress | Rollout::Unknown => in_progress(service, deployment, mine),
    }
}

/// My deployment failed and is still what the service wants. Where its reason names neither breaker nor alarm, the
/// service deployments tell whether somebody stopped it: then AWS does not roll back.
fn primary_failed(service: &Service, deployment: &Deployment, mine: &Mine) -> Verdict {
    let reason = deployment.reason.to_lowercase();
    let named = reason.is_empty() || reason.contains("circuit breaker") || reason.contains("alarm");
    match &service.history {
        None if !named => return Verdict::LookCloser,
        Some(Ok(history)) if !named && was_stopped(service, history, mine) => {
            return failed(Ended::Stopped, Recovery::Ours);
        }
        None | Some(_) => {}
    }
    let recovery = if rolls_back(service) { Recovery::Aws } else { Recovery::Ours };
    failed(why_failed(service, deployment), recovery)
}

/// Still rolling out: give up early only where it is certain that it can't succeed.
fn in_progress(service: &Service, deployment: &Deployment, mine: &Mine) -> Verdict {
    if service.setup.breaker.is_none() && deployment.failed >= threshold(service, mine.desired) {
        return failed(Ended::TasksFailing { failed: deployment.failed }, Recovery::Ours);
    }
    let idle = deployment.running + deployment.pending + deployment.failed == 0;
    if idle
        && !has_room(mine.desired, service.setup.minimum_percent, service.setup.maximum_percent)
        && !alone(service)
    {
        return failed(Ended::NoRoom, Recovery::Ours);
    }
    if let Some(trouble) = part_trouble(service) {
        return held(trouble);
    }
    let old = (service.running + service.pending).saturating_sub(deployment.running + deployment.pending);
    let healthy = healthy_targets(service, mine);
    let draining = old.max(leaving_targets(service));
    let needed = mine.desired.max(1);
    if let Some(healthy) = healthy.filter(|healthy| *healthy >= needed && draining > 0) {
        return Verdict::Wait(Waiting::Draining { healthy, old: draining, delay: drain_delay(service) });
    }
    Verdict::Wait(Waiting::RollingOut {
        running: deployment.running,
        pending: deployment.pending,
        healthy,
        desired: mine.desired,
        failed: deployment.failed,
        old,
    })
}

/// Targets of the group that take no new requests any more.
fn leaving_targets(service: &Service) -> u32 {
    let targets = service.targets.iter().flatten().flatten();
    u32::try_from(targets.filter(|target| target.state.ends_with("draining")).count()).unwrap_or(u32::MAX)
}

/// The deregistration delay of the service's target group: ECS stops an old task only after it.
/// Source: Amazon ECS, "Load balancer connection draining".
pub(crate) fn drain_delay(service: &Service) -> Option<Duration> {
    let group = service.group.as_ref()?.as_ref().ok()?;
    Some(group.attributes.as_ref()?.as_ref().ok()?.deregistration_delay)
}

/// Whether no other deployment has tasks that stand in the way.
fn alone(service: &Service) -> bool {
    service
        .deployments
        .iter()
        .filter(|deployment| !deployment.primary)
        .all(|deployment| deployment.running == 0)
}

/// A change without a deployment of its own: the service wants it, and its targets are healthy.
fn without_deployment(service: &Service, mine: &Mine) -> Verdict {
    if mine.kind == Kind::CountOnly && !mine.seen && !mine.shows(service) && is_mine(service, mine) {
        return Verdict::Wait(Waiting::NotVisible);
    }
    if !is_mine(service, mine) {
        return failed(Ended::Superseded { by: service.task_definition.clone() }, Recovery::Theirs);
    }
    if service.running < mine.desired {
        let failed_tasks = service.primary().map_or(0, |deployment| deployment.failed);
        if let Some(trouble) = part_trouble(service) {
            return held(trouble);
        }
        return Verdict::Wait(Waiting::RollingOut {
            running: service.running,
            pending: service.pending,
            healthy: healthy_targets(service, mine),
            desired: mine.desired,
            failed: failed_tasks,
            old: 0,
        });
    }
    healthy_enough(service, mine)
}

/// Complete is not enough: its own targets have to be healthy, at least one and at least the desired count.
fn healthy_enough(service: &Service, mine: &Mine) -> Verdict {
    if let Some(trouble) = part_trouble(service) {
        return held(trouble);
    }
    let needed = mine.desired.max(1);
    match healthy_targets(service, mine) {
        Some(healthy) if healthy >= needed => Verdict::Good { healthy },
        Some(healthy) => Verdict::Wait(Waiting::Unhealthy { healthy, needed }),
        None => Verdict::Wait(Waiting::NotVisible),
    }
}

/// A trouble with a part: final ones end, the others hold.
fn held(trouble: &Trouble) -> Verdict {
    if trouble.kind.passes() {
        Verdict::Wait(Waiting::Unknown(trouble.clone()))
    } else {
        failed(Ended::Trouble(trouble.clone()), Recovery::Ours)
    }
}

/// The first part that success needs and that could not be read.
fn part_trouble(service: &Service) -> Option<&Trouble> {
    let tasks = service.tasks.as_ref().and_then(|read| read.as_ref().err());
    let targets = service.targets.as_ref().and_then(|read| read.as_ref().err());
    let group = service.group.as_ref().and_then(|read| read.as_ref().err());
    [tasks, targets, group].into_iter().flatten().next()
}

/// Whether AWS rolls this service's failed deployments back by itself.
fn rolls_back(service: &Service) -> bool {
    service.setup.breaker.is_some_and(|breaker| breaker.rollback) || service.setup.alarms_roll_back
}

/// Who puts the color back whose tasks failed so often in a row: AWS if its circuit breaker is about to.
pub(super) fn recovery_of_failing(service: &Service, mine: &Mine, failed: u32) -> Recovery {
    let own = service.primary().filter(|primary| Some(&primary.id) == mine.id.as_ref());
    let watched = own.is_some_and(|primary| primary.rollout == Rollout::InProgress);
    let rolls_back = service.setup.breaker.is_some_and(|breaker| breaker.rollback);
    let trips = failed >= threshold(service, mine.desired);
    if watched && rolls_back && trips { Recovery::Aws } else { Recovery::Ours }
}

/// Breaker or alarm, by AWS's reason.
fn why_failed(service: &Service, deployment: &Deployment) -> Ended {
    if deployment.reason.to_lowercase().contains("alarm") {
        Ended::Alarm(service.setup.alarms.clone())
    } else {
        Ended::CircuitBreaker
    }
}

/// Healthy targets of the deployment's own running tasks; none where tasks or targets are not known.
pub(super) fn healthy_targets(service: &Service, mine: &Mine) -> Option<u32> {
    let targets = group_targets(service)?;
    let counts = |(task, target): &&(&Task, &Target)| {
        is_own(task, mine) && task.status == "RUNNING" && target.is_healthy()
    };
    u32::try_from(targets.own.iter().filter(counts).count()).ok()
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
