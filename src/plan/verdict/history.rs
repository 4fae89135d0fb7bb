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
        Some(Ok(history)) => match mine_in(history, mine) {
            Some(found) => by_history(service, found, mine),
            None => Verdict::Wait(Waiting::NotVisible),
        },
    }
}

/// Another deployment is the primary: a rollback by AWS, somebody's stop, or somebody's newer deployment.
pub(super) fn replaced(service: &Service, own: Option<&Deployment>, mine: &Mine) -> Verdict {
    match &service.history {
        None => Verdict::LookCloser,
        Some(Ok(history)) => match mine_in(history, mine) {
            Some(found) => by_history(service, found, mine),
            None => by_deployments(service, own, mine),
        },
        Some(Err(trouble)) if trouble.kind == TroubleKind::Denied => by_deployments(service, own, mine),
        Some(Err(trouble)) => held(trouble),
    }
}

/// Whether somebody stopped my deployment.
pub(super) fn was_stopped(history: &[ServiceDeployment], mine: &Mine) -> bool {
    let entry = mine_in(history, mine).filter(|entry| entry.status == ServiceDeploymentStatus::Stopped);
    entry.map(why_rolled_back) == Some(Ended::Stopped)
}

/// My entry among the service deployments. There is no join by id: the target and the time have to do.
/// AWS stamps it a moment before or after the deployment, so a little slack is given backwards.
fn mine_in<'a>(history: &'a [ServiceDeployment], mine: &Mine) -> Option<&'a ServiceDeployment> {
    let slack = Duration::from_secs(5);
    history
        .iter()
        .filter(|entry| entry.target.as_ref().is_none_or(|target| *target == mine.task_definition))
        .filter(|entry| entry.created.after(slack) >= mine.started)
        .min_by_key(|entry| entry.created)
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
