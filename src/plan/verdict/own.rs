//! The deployment that a run waits for, and the tasks of that deployment.

use crate::plan::snapshot::{Deployment, Service, Task};
use crate::plan::time::Time;

/// The kind of change that the run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A deployment of the run.
    Rollout,
    /// A change of the count alone: AWS starts no deployment and returns the old id.
    CountOnly,
    /// No change; the running tasks must be healthy all the same.
    Nothing,
}

/// The deployment or count change that the run waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnDeployment {
    /// The kind of change.
    pub(crate) kind: Kind,
    /// `ecs-svc/…`; none for a change without a deployment of its own.
    pub(crate) id: Option<String>,
    /// ARN of the task definition.
    pub(crate) task_definition: String,
    /// Desired count: the requested count, until another writer sets a new count.
    pub(crate) desired: u32,
    /// Time of the request.
    pub(crate) started: Time,
    /// True once a snapshot has shown the deployment.
    pub(crate) seen: bool,
    /// Ids of the deployments before the change: none of them belongs to the change, or is newer. Of an adopted
    /// deployment: ids of the deployments that were listed then.
    pub(crate) before: Vec<String>,
}

impl OwnDeployment {
    /// A change of the count alone, requested at `started`.
    pub(crate) fn of_count(service: &Service, started: Time) -> OwnDeployment {
        OwnDeployment {
            kind: Kind::CountOnly,
            id: None,
            task_definition: service.task_definition.clone(),
            desired: service.desired,
            started,
            seen: true,
            before: Vec::new(),
        }
    }

    /// True if a deployment can be the result of this change. Ids decide, not times: AWS's clock and the runner's
    /// differ.
    pub(crate) fn can_be(&self, deployment: &Deployment) -> bool {
        let new = !self.before.contains(&deployment.id);
        self.kind == Kind::Rollout && new && deployment.task_definition == self.task_definition
    }

    /// True if the service shows this change: the deployment, or the count alone.
    pub(crate) fn shows(&self, service: &Service) -> bool {
        match self.kind {
            Kind::Rollout => {
                service.deployments.iter().any(|deployment| Some(&deployment.id) == self.id.as_ref())
            }
            Kind::CountOnly | Kind::Nothing => service.desired == self.desired,
        }
    }
}

/// The tasks that count for this change.
pub(crate) fn own_tasks<'a>(tasks: &'a [Task], awaited: &'a OwnDeployment) -> impl Iterator<Item = &'a Task> {
    tasks.iter().filter(|task| is_own(task, awaited))
}

/// True if a task counts for this change: the deployment started the task, or the task runs its task definition. ECS
/// names the deployment in `startedBy` (API_Task); if `startedBy` names something else, the task definition decides.
pub(crate) fn is_own(task: &Task, awaited: &OwnDeployment) -> bool {
    match (awaited.kind, &awaited.id) {
        (Kind::Rollout, Some(id)) if task.started_by.starts_with("ecs-svc/") => task.started_by == *id,
        (Kind::Rollout | Kind::CountOnly | Kind::Nothing, _) => {
            task.task_definition == awaited.task_definition
        }
    }
}
