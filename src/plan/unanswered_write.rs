//! The fate of an unanswered write: did the write take effect, and is the effect already over?

use std::time::Duration;

use super::aws_error::AwsError;
use super::run::Run;
use super::run_memory::UnansweredWrite;
use super::snapshot::{Deployment, Service, ServiceDeployment};
use super::step::{Follow, Step};
use super::time::Time;
use super::verdict::{Kind, OwnDeployment};

/// Largest assumed difference between AWS's clock and the runner's.
const SLACK: Duration = Duration::from_secs(5);

/// True if AWS shows the effect of an unanswered write. For an update with a deployment, only the deployment counts:
/// another user may have changed the count since.
pub(super) fn has_taken_effect(service: &Service, run: &Run, unanswered: &UnansweredWrite) -> bool {
    match &unanswered.step {
        Step::Update(update) => {
            let definition =
                update.task_definition.as_ref().is_none_or(|wanted| *wanted == service.task_definition);
            let count = update.rolls() || update.desired.is_none_or(|wanted| wanted == service.desired);
            let forced =
                !update.force || service.primary().is_some_and(|primary| is_new(primary, run, unanswered));
            definition && count && forced
        }
        Step::Register(_) => run.prepare().is_none_or(|prepare| prepare.sought != Some(None)),
        Step::Find(_)
        | Step::Probe(_)
        | Step::Weights(_)
        | Step::Scaling(_)
        | Step::Policy(_)
        | Step::Alarm(_) => true,
    }
}

/// The deployment of an unanswered update that took effect and is listed as PRIMARY.
pub(super) fn completed_update(service: &Service, run: &Run) -> Option<Follow> {
    let (unanswered, update) = run.unanswered_update()?;
    let primary =
        service.primary().filter(|_| update.rolls() && has_taken_effect(service, run, unanswered))?;
    let awaited = update_deployment(run, (&service.task_definition, service.desired), unanswered);
    Some(Follow {
        awaited: OwnDeployment { id: Some(primary.id.clone()), ..awaited },
        adopted: false,
        found: None,
    })
}

/// The fate of an unanswered update when a newer deployment with another task definition is PRIMARY.
pub(super) enum Replaced {
    /// The service deployments were not read.
    Unseen,
    /// The read of the service deployments failed.
    Unread(AwsError),
    /// The update's deployment began and ended: AWS rolled the deployment back, or another deployment superseded it.
    By(Follow),
}

/// Finds an unanswered update that took effect and was already replaced. None if nothing hints at a replacement.
pub(super) fn replaced_update(service: &Service, run: &Run) -> Option<Replaced> {
    let (unanswered, update) = run.unanswered_update()?;
    let wanted = update.task_definition.as_ref().filter(|wanted| **wanted != service.task_definition)?;
    service.primary().filter(|primary| is_created_since(primary.created, unanswered))?;
    let of_it = |entry: &&ServiceDeployment| {
        entry.target.as_ref() == Some(wanted) && is_created_since(entry.created, unanswered)
    };
    match &service.history {
        None => Some(Replaced::Unseen),
        Some(Err(trouble)) => Some(Replaced::Unread(trouble.clone())),
        Some(Ok(history)) => history.iter().find(of_it).map(|_| {
            let desired = update.desired.unwrap_or(service.desired);
            let awaited = update_deployment(run, (wanted, desired), unanswered);
            Replaced::By(Follow { awaited, adopted: false, found: None })
        }),
    }
}

/// True if a deployment began after the write was sent. The service did not have it right before.
fn is_new(deployment: &Deployment, run: &Run, unanswered: &UnansweredWrite) -> bool {
    is_created_since(deployment.created, unanswered) && !run.expected_before().contains(&deployment.id)
}

/// True if creation came after the write was sent.
fn is_created_since(created: Time, unanswered: &UnansweredWrite) -> bool {
    created.after(SLACK) >= unanswered.sent
}

/// The update's deployment, without an id because the answer is missing.
fn update_deployment(
    run: &Run,
    (task_definition, desired): (&str, u32),
    unanswered: &UnansweredWrite,
) -> OwnDeployment {
    OwnDeployment {
        kind: Kind::Rollout,
        id: None,
        task_definition: task_definition.to_owned(),
        desired,
        started: unanswered.sent,
        seen: true,
        before: run.expected_before().to_vec(),
    }
}
