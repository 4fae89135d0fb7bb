//! What became of a deployment that is not what the service wants any more. Ids alone can't tell a rollback from
//! somebody's newer deployment: the service deployments do, or where they may not be read, the service's own words.

use std::time::Duration;

use super::{Ended, Mine, Recovery, Verdict, Waiting, failed, held, is_newer, why_failed};
use crate::plan::snapshot::{Deployment, Rollout, Service, ServiceDeployment, ServiceDeploymentStatus};
use crate::plan::trouble::TroubleKind;

/// My deployment is nowhere, and no newer one is seen: a stale answer, or a rollback that is not visible yet.
pub(super) fn gone(service: &Service, mine: &Mine) -> Verdict {
    match &service.history {
        None => Verdict::LookCloser,
        Some(Err(trouble)) => held(trouble),
        Some(Ok(history)) => match mine_in(service, history, mine) {
            Some(found) => by_history(service, found, mine),
            None => Verdict::Wait(Waiting::NotVisible),
        },
    }
}

/// Another deployment is the primary: a rollback by AWS, somebody's stop, or somebody's newer deployment.
pub(super) fn replaced(service: &Service, own: Option<&Deployment>, mine: &Mine) -> Verdict {
    match &service.history {
        None => Verdict::LookCloser,
        Some(Ok(history)) => match mine_in(service, history, mine) {
            Some(found) => by_history(service, found, mine),
            None => by_deployments(service, own, mine),
        },
        Some(Err(trouble)) if trouble.kind == TroubleKind::Denied => by_deployments(service, own, mine),
        Some(Err(trouble)) => held(trouble),
    }
}

/// Whether somebody stopped my deployment.
pub(super) fn was_stopped(service: &Service, history: &[ServiceDeployment], mine: &Mine) -> bool {
    let entry =
        mine_in(service, history, mine).filter(|entry| entry.status == ServiceDeploymentStatus::Stopped);
    entry.map(why_rolled_back) == Some(Ended::Stopped)
}

/// AWS stamps a service deployment a moment before or after the deployment.
const SLACK: Duration = Duration::from_secs(5);

/// My entry among the service deployments: by the number of its deployment, which AWS does not document. Without it, the
/// target and the time have to do: AWS's own where the deployment is still listed, or that of the write.
fn mine_in<'a>(
    service: &Service,
    history: &'a [ServiceDeployment],
    mine: &Mine,
) -> Option<&'a ServiceDeployment> {
    let own = service.deployments.iter().find(|deployment| Some(&deployment.id) == mine.id.as_ref());
    let since = own.map_or(mine.started, |deployment| deployment.created);
    let numbered = mine.id.as_ref().and_then(|id| numbered(history, id));
    numbered.or_else(|| {
        history
            .iter()
            .filter(|entry| entry.target.as_ref().is_none_or(|target| *target == mine.task_definition))
            .filter(|entry| entry.created.after(SLACK) >= since)
            .min_by_key(|entry| entry.created)
    })
}

/// The entry of a deployment that is listed.
pub(crate) fn entry_of<'a>(
    history: &'a [ServiceDeployment],
    deployment: &Deployment,
) -> Option<&'a ServiceDeployment> {
    let at_its_time = |entry: &&ServiceDeployment| {
        let near = entry.created.since(deployment.created) + deployment.created.since(entry.created) <= SLACK;
        near && entry.target.as_ref() == Some(&deployment.task_definition)
    };
    numbered(history, &deployment.id).or_else(|| history.iter().find(at_its_time))
}

/// The entry whose service revision has the number of this deployment id, `ecs-svc/NUMBER`.
fn numbered<'a>(history: &'a [ServiceDeployment], id: &str) -> Option<&'a ServiceDeployment> {
    let number = id.strip_prefix("ecs-svc/")?;
    history.iter().find(|entry| entry.number.as_deref() == Some(number))
}

/// What my entry among the service deployments says.
fn by_history(service: &Service, entry: &ServiceDeployment, mine: &Mine) -> Verdict {
    match entry.status {
        ServiceDeploymentStatus::RolledBack
        | ServiceDeploymentStatus::RollingBack
        | ServiceDeploymentStatus::RollbackFailed => failed(why_rolled_back(entry), Recovery::Aws),
        ServiceDeploymentStatus::Stopped if newer_wish(service, mine) => superseded(service),
        ServiceDeploymentStatus::Stopped => failed(Ended::Stopped, Recovery::Ours),
        ServiceDeploymentStatus::Successful
        | ServiceDeploymentStatus::InProgress
        | ServiceDeploymentStatus::Unknown
            if newer_wish(service, mine) =>
        {
            superseded(service)
        }
        ServiceDeploymentStatus::Successful
        | ServiceDeploymentStatus::InProgress
        | ServiceDeploymentStatus::Unknown => Verdict::Wait(Waiting::NotVisible),
    }
}

/// Whether a deployment that is not mine came after mine.
fn newer_wish(service: &Service, mine: &Mine) -> bool {
    service.primary().is_some_and(|primary| is_newer(primary, mine))
}

/// Somebody's newer deployment stands.
fn superseded(service: &Service) -> Verdict {
    failed(Ended::Superseded { by: service.task_definition.clone() }, Recovery::Theirs)
}

/// A breaker, an alarm, or a person who asked for the rollback.
fn why_rolled_back(entry: &ServiceDeployment) -> Ended {
    let reason = entry.reason.to_lowercase();
    if !entry.alarms.is_empty() || reason.contains("alarm") {
        Ended::Alarm(entry.alarms.clone())
    } else if reason.contains("user")
        || reason.contains("stopservicedeployment")
        || reason.contains("stop service")
    {
        Ended::Stopped
    } else {
        Ended::CircuitBreaker
    }
}

/// Without history: my own failed entry, or AWS's event, tells a rollback; otherwise somebody took over.
fn by_deployments(service: &Service, own: Option<&Deployment>, mine: &Mine) -> Verdict {
    let own_failed = own.is_some_and(|deployment| deployment.rollout == Rollout::Failed);
    let told = mine.id.as_ref().is_some_and(|id| {
        let of_mine = |message: &str| message.contains(id.as_str()) && message.contains("deployment failed");
        service.events.iter().any(|event| of_mine(&event.message))
    });
    if own_failed || told {
        let ended = own.map_or(Ended::CircuitBreaker, |deployment| why_failed(service, deployment));
        return failed(ended, Recovery::Aws);
    }
    superseded(service)
}
