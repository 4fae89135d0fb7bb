//! The fate of a deployment that is no longer current. Ids alone can't tell a rollback from a newer deployment by
//! another writer: the service deployments can, or the service's own events if service deployments are unreadable.

use std::time::Duration;

use super::{
    DeploymentFailure, OwnDeployment, Restorer, Verdict, Waiting, failed_verdict, is_newer, judge_error,
    why_failed,
};
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::snapshot::{Deployment, Rollout, Service, ServiceDeployment, ServiceDeploymentStatus};

/// The run's deployment is gone, and no newer deployment exists: a stale answer, or a rollback that is not visible yet.
pub(super) fn judge_missing(service: &Service, awaited: &OwnDeployment) -> Verdict {
    match &service.history {
        None => Verdict::LookCloser,
        Some(Err(trouble)) => judge_error(trouble),
        Some(Ok(history)) => match mine_in(service, history, awaited) {
            Some(found) => by_history(service, found, awaited),
            None => Verdict::Wait(Waiting::NotVisible),
        },
    }
}

/// Another deployment is the primary: a rollback by AWS, a stop by a user, or another writer's newer deployment.
pub(super) fn judge_replaced(
    service: &Service,
    own: Option<&Deployment>,
    awaited: &OwnDeployment,
) -> Verdict {
    match &service.history {
        None => Verdict::LookCloser,
        Some(Ok(history)) => match mine_in(service, history, awaited) {
            Some(found) => by_history(service, found, awaited),
            None => by_deployments(service, own, awaited),
        },
        Some(Err(trouble)) if trouble.kind == AwsErrorKind::Denied => by_deployments(service, own, awaited),
        Some(Err(trouble)) => judge_error(trouble),
    }
}

/// True if a user stopped the run's deployment.
pub(super) fn was_stopped(service: &Service, history: &[ServiceDeployment], awaited: &OwnDeployment) -> bool {
    let entry =
        mine_in(service, history, awaited).filter(|entry| entry.status == ServiceDeploymentStatus::Stopped);
    entry.map(why_rolled_back) == Some(DeploymentFailure::Stopped)
}

/// Largest difference between AWS's times for a service deployment and for the deployment.
const SLACK: Duration = Duration::from_secs(5);

/// The run's entry among the service deployments, by the deployment's number, which AWS does not document. Without that
/// number, target and time decide: AWS's time if the deployment is still listed, or else the time of the write.
fn mine_in<'a>(
    service: &Service,
    history: &'a [ServiceDeployment],
    awaited: &OwnDeployment,
) -> Option<&'a ServiceDeployment> {
    let own = service.deployments.iter().find(|deployment| Some(&deployment.id) == awaited.id.as_ref());
    let since = own.map_or(awaited.started, |deployment| deployment.created);
    let numbered = awaited.id.as_ref().and_then(|id| entry_by_number(history, id));
    numbered.or_else(|| {
        history
            .iter()
            .filter(|entry| entry.target.as_ref().is_none_or(|target| *target == awaited.task_definition))
            .filter(|entry| entry.created.after(SLACK) >= since)
            .min_by_key(|entry| entry.created)
    })
}

/// The entry of a listed deployment.
pub(crate) fn entry_of<'a>(
    history: &'a [ServiceDeployment],
    deployment: &Deployment,
) -> Option<&'a ServiceDeployment> {
    let at_its_time = |entry: &&ServiceDeployment| {
        let suggestion =
            entry.created.since(deployment.created) + deployment.created.since(entry.created) <= SLACK;
        suggestion && entry.target.as_ref() == Some(&deployment.task_definition)
    };
    entry_by_number(history, &deployment.id).or_else(|| history.iter().find(at_its_time))
}

/// The entry with the service revision of this deployment's number, `ecs-svc/NUMBER`.
pub(crate) fn entry_by_number<'a>(
    history: &'a [ServiceDeployment],
    id: &str,
) -> Option<&'a ServiceDeployment> {
    let number = id.strip_prefix("ecs-svc/")?;
    history.iter().find(|entry| entry.number.as_deref() == Some(number))
}

/// The verdict by the run's entry among the service deployments.
fn by_history(service: &Service, entry: &ServiceDeployment, awaited: &OwnDeployment) -> Verdict {
    match entry.status {
        ServiceDeploymentStatus::RolledBack
        | ServiceDeploymentStatus::RollingBack
        | ServiceDeploymentStatus::RollbackFailed => failed_verdict(why_rolled_back(entry), Restorer::Aws),
        ServiceDeploymentStatus::Stopped if newer_wish(service, awaited) => superseded_verdict(service),
        ServiceDeploymentStatus::Stopped => failed_verdict(DeploymentFailure::Stopped, Restorer::ThisRun),
        ServiceDeploymentStatus::Successful
        | ServiceDeploymentStatus::InProgress
        | ServiceDeploymentStatus::Unknown
            if newer_wish(service, awaited) =>
        {
            superseded_verdict(service)
        }
        ServiceDeploymentStatus::Successful
        | ServiceDeploymentStatus::InProgress
        | ServiceDeploymentStatus::Unknown => Verdict::Wait(Waiting::NotVisible),
    }
}

/// True if another writer's deployment came after the run's.
fn newer_wish(service: &Service, awaited: &OwnDeployment) -> bool {
    service.primary().is_some_and(|primary| is_newer(primary, awaited))
}

/// Another writer's newer deployment is current.
fn superseded_verdict(service: &Service) -> Verdict {
    failed_verdict(DeploymentFailure::Superseded { by: service.task_definition.clone() }, Restorer::NoOne)
}

/// A breaker, an alarm, or a user who asked for the rollback.
fn why_rolled_back(entry: &ServiceDeployment) -> DeploymentFailure {
    let reason = entry.reason.to_lowercase();
    if !entry.alarms.is_empty() || reason.contains("alarm") {
        DeploymentFailure::Alarm(entry.alarms.clone())
    } else if reason.contains("user")
        || reason.contains("stopservicedeployment")
        || reason.contains("stop service")
    {
        DeploymentFailure::Stopped
    } else {
        DeploymentFailure::CircuitBreaker
    }
}

/// Without service deployments: the run's own failed entry, or AWS's event, means a rollback. Otherwise another writer
/// took over.
fn by_deployments(service: &Service, own: Option<&Deployment>, awaited: &OwnDeployment) -> Verdict {
    let own_failed = own.is_some_and(|deployment| deployment.rollout == Rollout::Failed);
    let told = awaited.id.as_ref().is_some_and(|id| {
        let of_mine = |message: &str| message.contains(id.as_str()) && message.contains("deployment failed");
        service.events.iter().any(|event| of_mine(&event.message))
    });
    if own_failed || told {
        let ended =
            own.map_or(DeploymentFailure::CircuitBreaker, |deployment| why_failed(service, deployment));
        return failed_verdict(ended, Restorer::Aws);
    }
    superseded_verdict(service)
}
