//! The verdict on one deployment of one service: a pure function of the snapshot, the deployment's owner, and the time.
//!
//! Success requires observed facts: this deployment complete, and healthy targets of the run's own tasks (invariant
//! 12). Everything unknown blocks progress (invariant 9).

use std::time::Duration;

pub(crate) use self::failure::{DeploymentFailure, Restorer};
pub(crate) use self::history::{entry_by_number, entry_of};
use self::history::{judge_missing, judge_replaced, was_stopped};
pub(crate) use self::own::{Kind, OwnDeployment, is_own, own_tasks};
pub(crate) use self::room::{breaker_threshold, has_room};
use super::aws_error::AwsError;
use super::own_targets::group_targets;
use super::snapshot::{Deployment, Rollout, Service, ServiceStatus, Target, Task};
use super::time::Time;

mod failure;
mod history;
mod own;
mod room;

/// Time limits of the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The input `timeout`.
    pub(crate) timeout: Duration,
    /// Longest time for a new deployment to become visible (ECS is eventually consistent).
    pub(crate) visibility: Duration,
    /// Longest time for AWS to begin a rollback of a failed deployment.
    pub(crate) rollback: Duration,
}

impl Limits {
    /// The limits of a run with this time-out.
    pub(crate) fn with_timeout(timeout: Duration) -> Self {
        Limits { timeout, visibility: Duration::from_secs(30), rollback: Duration::from_secs(30) }
    }
}

/// Reason that the deployment is not good yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Nothing was requested yet.
    NotBegun,
    /// AWS does not show the deployment yet.
    NotVisible,
    /// The deployment's tasks are starting.
    RollingOut {
        /// Running tasks of this deployment.
        running: u32,
        /// Pending tasks of this deployment.
        pending: u32,
        /// Healthy targets of this deployment's tasks, if known.
        healthy: Option<u32>,
        /// Tasks that should run.
        desired: u32,
        /// Failed tasks in a row.
        failed: u32,
        /// Running and pending tasks of older deployments, which must still stop.
        old: u32,
    },
    /// All tasks of the deployment run and are healthy. ECS still waits for older tasks, whose targets first finish
    /// open requests.
    Draining {
        /// Healthy targets of the deployment's own tasks.
        healthy: u32,
        /// Older tasks that still run; draining targets, or tasks that are stopping, if there are more of these.
        old: u32,
        /// The target group's deregistration delay, if it was read.
        delay: Option<Duration>,
    },
    /// Complete, but the load balancer finds too few of the deployment's targets healthy.
    Unhealthy {
        /// Healthy targets of the deployment's own tasks.
        healthy: u32,
        /// Number of healthy targets that the deployment needs.
        needed: u32,
    },
    /// AWS could not be read. The unknown state blocks progress.
    Unknown(AwsError),
}

/// The state of the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Complete, with healthy targets of the deployment's own tasks.
    Good {
        /// Healthy targets of the deployment's own tasks.
        healthy: u32,
    },
    /// Not yet.
    Wait(Waiting),
    /// Undecided: a closer look must first tell a rollback from a newer deployment.
    LookCloser,
    /// Never.
    Failed {
        /// The reason.
        ended: DeploymentFailure,
        /// The actor of the restore.
        recovery: Restorer,
    },
}

/// Judges the deployment. `service` is none if the cluster no longer has the service.
pub(crate) fn judge_deployment(
    service: Option<&Service>,
    awaited: &OwnDeployment,
    now: Time,
    limits: &Limits,
) -> Verdict {
    let Some(service) = service else { return failed_verdict(DeploymentFailure::Drained, Restorer::NoOne) };
    if service.status != ServiceStatus::Active
        || (service.desired == 0 && awaited.desired > 0 && awaited.seen && is_mine(service, awaited))
    {
        return failed_verdict(DeploymentFailure::Drained, Restorer::NoOne);
    }
    let verdict = match awaited.kind {
        Kind::Rollout => judge_rollout(service, awaited, now, limits),
        Kind::CountOnly | Kind::Nothing => without_deployment(service, awaited),
    };
    match verdict {
        Verdict::Wait(waiting) if now.since(awaited.started) >= limits.timeout => {
            failed_verdict(DeploymentFailure::TimedOut(Box::new(waiting)), Restorer::ThisRun)
        }
        other => other,
    }
}

/// True if a verdict says that another user took over or removed the service, and this single read is the only
/// evidence: there is no deployment newer than the run's own.
pub(crate) fn taken_away(verdict: &Verdict, awaited: &OwnDeployment) -> bool {
    match verdict {
        Verdict::Failed { ended: DeploymentFailure::Drained, .. } => true,
        Verdict::Failed { ended: DeploymentFailure::Superseded { .. }, .. } => awaited.kind != Kind::Rollout,
        Verdict::Failed { .. } | Verdict::Good { .. } | Verdict::Wait(_) | Verdict::LookCloser => false,
    }
}

/// Judges a failed look. Final troubles end the run. Others block progress until the time-out.
pub(crate) fn on_trouble(trouble: &AwsError, awaited: &OwnDeployment, now: Time, limits: &Limits) -> Verdict {
    if !trouble.kind.is_transient() {
        return failed_verdict(DeploymentFailure::AwsError(trouble.clone()), Restorer::ThisRun);
    }
    let waiting = Waiting::Unknown(trouble.clone());
    if now.since(awaited.started) >= limits.timeout {
        return failed_verdict(DeploymentFailure::TimedOut(Box::new(waiting)), Restorer::ThisRun);
    }
    Verdict::Wait(waiting)
}

/// A failed verdict.
fn failed_verdict(ended: DeploymentFailure, recovery: Restorer) -> Verdict {
    Verdict::Failed { ended, recovery }
}

/// True if the service still has this run's task definition.
fn is_mine(service: &Service, awaited: &OwnDeployment) -> bool {
    service.task_definition == awaited.task_definition
}

/// Judges a change with a deployment, found only by id.
fn judge_rollout(service: &Service, awaited: &OwnDeployment, now: Time, limits: &Limits) -> Verdict {
    let found = service.deployments.iter().find(|deployment| Some(&deployment.id) == awaited.id.as_ref());
    match found {
        Some(deployment) if deployment.primary => judge_primary(service, deployment, awaited),
        Some(deployment) => judge_replaced(service, Some(deployment), awaited),
        None => {
            let newer = service.primary().is_some_and(|primary| is_newer(primary, awaited));
            if newer {
                judge_replaced(service, None, awaited)
            } else if awaited.seen || now.since(awaited.started) >= limits.visibility {
                judge_missing(service, awaited)
            } else {
                Verdict::Wait(Waiting::NotVisible)
            }
        }
    }
}

/// True if a deployment came after this run's own. Clocks differ by a little, ids do not.
fn is_newer(primary: &Deployment, awaited: &OwnDeployment) -> bool {
    let known = awaited.before.contains(&primary.id) || Some(&primary.id) == awaited.id.as_ref();
    // If the earlier deployments are known, every other deployment is newer, whatever the clocks say.
    !known && (!awaited.before.is_empty() || primary.created > awaited.started)
}

/// Judges the run's own deployment while it is PRIMARY.
fn judge_primary(service: &Service, deployment: &Deployment, awaited: &OwnDeployment) -> Verdict {
    match deployment.rollout {
        Rollout::Failed => primary_failed(service, deployment, awaited),
        Rollout::Completed => healthy_enough(service, awaited),
        Rollout::InProgress | Rollout::Unknown => in_progress(service, deployment, awaited),
    }
}

/// Judges the run's own failed deployment while it is PRIMARY. If the reason names neither breaker nor alarm, the
/// service deployments show if a user stopped the deployment. AWS then does not roll back.
fn primary_failed(service: &Service, deployment: &Deployment, awaited: &OwnDeployment) -> Verdict {
    let reason = deployment.reason.to_lowercase();
    let named = reason.is_empty() || reason.contains("circuit breaker") || reason.contains("alarm");
    match &service.history {
        None if !named => return Verdict::LookCloser,
        Some(Ok(history)) if !named && was_stopped(service, history, awaited) => {
            return failed_verdict(DeploymentFailure::Stopped, Restorer::ThisRun);
        }
        None | Some(_) => {}
    }
    let recovery = if rolls_back(service) { Restorer::Aws } else { Restorer::ThisRun };
    failed_verdict(why_failed(service, deployment), recovery)
}

/// Judges a deployment under way. Ends early only if success is impossible.
fn in_progress(service: &Service, deployment: &Deployment, awaited: &OwnDeployment) -> Verdict {
    if service.setup.breaker.is_none() && deployment.failed >= breaker_threshold(service, awaited.desired) {
        return failed_verdict(
            DeploymentFailure::TasksFailing { failed: deployment.failed },
            Restorer::ThisRun,
        );
    }
    let idle = deployment.running + deployment.pending + deployment.failed == 0;
    if idle
        && !has_room(awaited.desired, service.setup.minimum_percent, service.setup.maximum_percent)
        && !has_no_other_tasks(service)
    {
        return failed_verdict(DeploymentFailure::NoRoom, Restorer::ThisRun);
    }
    if let Some(trouble) = part_trouble(service) {
        return judge_error(trouble);
    }
    let old = (service.running + service.pending).saturating_sub(deployment.running + deployment.pending);
    let healthy = healthy_targets(service, awaited);
    let draining = old.max(leaving_targets(service)).max(stopping_tasks(service, awaited));
    let needed = awaited.desired.max(1);
    if let Some(healthy) = healthy.filter(|healthy| *healthy >= needed && draining > 0) {
        return Verdict::Wait(Waiting::Draining { healthy, old: draining, delay: drain_delay(service) });
    }
    Verdict::Wait(Waiting::RollingOut {
        running: deployment.running,
        pending: deployment.pending,
        healthy,
        desired: awaited.desired,
        failed: deployment.failed,
        old,
    })
}

/// Number of the group's targets that take no new requests.
fn leaving_targets(service: &Service) -> u32 {
    let targets = service.targets.iter().flatten().flatten();
    u32::try_from(targets.filter(|target| target.state.ends_with("draining")).count()).unwrap_or(u32::MAX)
}

/// Number of older tasks that are stopping. ECS lists a task that is to stop among the stopped tasks, before the task's
/// `lastStatus` is STOPPED. Source: Amazon ECS, "Task lifecycle".
fn stopping_tasks(service: &Service, awaited: &OwnDeployment) -> u32 {
    let stopping = |task: &&Task| task.status != "STOPPED" && !is_own(task, awaited);
    let count = service.stopped.iter().flatten().flatten().filter(stopping).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The deregistration delay of the service's target group. ECS stops an old task only after this delay. Source: Amazon
/// ECS, "Load balancer connection draining".
pub(crate) fn drain_delay(service: &Service) -> Option<Duration> {
    let group = service.group.as_ref()?.as_ref().ok()?;
    Some(group.attributes.as_ref()?.as_ref().ok()?.deregistration_delay)
}

/// True if no other deployment has running tasks.
fn has_no_other_tasks(service: &Service) -> bool {
    service
        .deployments
        .iter()
        .filter(|deployment| !deployment.primary)
        .all(|deployment| deployment.running == 0)
}

/// Judges a change without a deployment: the service must have this task definition, and healthy targets.
fn without_deployment(service: &Service, awaited: &OwnDeployment) -> Verdict {
    if awaited.kind == Kind::CountOnly
        && !awaited.seen
        && !awaited.shows(service)
        && is_mine(service, awaited)
    {
        return Verdict::Wait(Waiting::NotVisible);
    }
    if !is_mine(service, awaited) {
        return failed_verdict(
            DeploymentFailure::Superseded { by: service.task_definition.clone() },
            Restorer::NoOne,
        );
    }
    if service.running < awaited.desired {
        let failed_tasks = service.primary().map_or(0, |deployment| deployment.failed);
        if let Some(trouble) = part_trouble(service) {
            return judge_error(trouble);
        }
        return Verdict::Wait(Waiting::RollingOut {
            running: service.running,
            pending: service.pending,
            healthy: healthy_targets(service, awaited),
            desired: awaited.desired,
            failed: failed_tasks,
            old: 0,
        });
    }
    healthy_enough(service, awaited)
}

/// Requires healthy own targets in addition to completion: at least one and at least the desired count.
fn healthy_enough(service: &Service, awaited: &OwnDeployment) -> Verdict {
    if let Some(trouble) = part_trouble(service) {
        return judge_error(trouble);
    }
    let needed = awaited.desired.max(1);
    match healthy_targets(service, awaited) {
        Some(healthy) if healthy >= needed => Verdict::Good { healthy },
        Some(healthy) => Verdict::Wait(Waiting::Unhealthy { healthy, needed }),
        None => Verdict::Wait(Waiting::NotVisible),
    }
}

/// Judges a part with a trouble. Final troubles end the run, others block progress.
fn judge_error(trouble: &AwsError) -> Verdict {
    if trouble.kind.is_transient() {
        Verdict::Wait(Waiting::Unknown(trouble.clone()))
    } else {
        failed_verdict(DeploymentFailure::AwsError(trouble.clone()), Restorer::ThisRun)
    }
}

/// The first part that success requires and whose read failed.
fn part_trouble(service: &Service) -> Option<&AwsError> {
    let tasks = service.tasks.as_ref().and_then(|read| read.as_ref().err());
    let targets = service.targets.as_ref().and_then(|read| read.as_ref().err());
    let group = service.group.as_ref().and_then(|read| read.as_ref().err());
    [tasks, targets, group].into_iter().flatten().next()
}

/// True if AWS rolls back this service's failed deployments automatically.
fn rolls_back(service: &Service) -> bool {
    service.setup.breaker.is_some_and(|breaker| breaker.rollback) || service.setup.alarms_roll_back
}

/// The actor of a restore after this number of failed tasks in a row: AWS if the circuit breaker is about to trip.
pub(super) fn recovery_of_failing(service: &Service, awaited: &OwnDeployment, failed: u32) -> Restorer {
    let own = service.primary().filter(|primary| Some(&primary.id) == awaited.id.as_ref());
    let watched = own.is_some_and(|primary| primary.rollout == Rollout::InProgress);
    let rolls_back = service.setup.breaker.is_some_and(|breaker| breaker.rollback);
    let trips = failed >= breaker_threshold(service, awaited.desired);
    if watched && rolls_back && trips { Restorer::Aws } else { Restorer::ThisRun }
}

/// Breaker or alarm, by AWS's reason.
fn why_failed(service: &Service, deployment: &Deployment) -> DeploymentFailure {
    if deployment.reason.to_lowercase().contains("alarm") {
        DeploymentFailure::Alarm(service.setup.alarms.clone())
    } else {
        DeploymentFailure::CircuitBreaker
    }
}

/// Healthy targets of the deployment's own running tasks. None if tasks or targets are unknown.
pub(super) fn healthy_targets(service: &Service, awaited: &OwnDeployment) -> Option<u32> {
    let targets = group_targets(service)?;
    let counts = |(task, target): &&(&Task, &Target)| {
        is_own(task, awaited) && task.status == "RUNNING" && target.is_healthy()
    };
    u32::try_from(targets.own.iter().filter(counts).count()).ok()
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
