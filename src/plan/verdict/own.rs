//! The deployment that a run waits for, and the tasks that count for it.

use crate::plan::snapshot::{Deployment, Service, Task};
use crate::plan::time::Time;

/// What kind of change the run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A deployment of its own.
    Rollout,
    /// A count-only change: it has no deployment of its own and answers with the old id.
    CountOnly,
    /// Nothing was changed; what runs has to be healthy all the same.
    Nothing,
}

/// The deployment that the run waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mine {
    /// What kind of change it is.
    pub(crate) kind: Kind,
    /// `ecs-svc/…`; none for a change without a deployment of its own.
    pub(crate) id: Option<String>,
    /// ARN of its task definition.
    pub(crate) task_definition: String,
    /// Tasks that it should run: as asked for, until somebody else sets another count.
    pub(crate) desired: u32,
    /// When it was asked for.
    pub(crate) started: Time,
    /// Whether a snapshot has shown it yet.
    pub(crate) seen: bool,
    /// The ids of the deployments that were there before it: none of them is it, and none is newer.
    pub(crate) before: Vec<String>,
}

impl Mine {
    /// A change of the count alone, as it was asked for at `started`.
    pub(crate) fn of_count(service: &Service, started: Time) -> Mine {
        Mine {
            kind: Kind::CountOnly,
            id: None,
            task_definition: service.task_definition.clone(),
            desired: service.desired,
            started,
            seen: true,
            before: Vec::new(),
        }
    }

    /// Whether a deployment can be the one that this change started. Ids tell, not clocks: AWS's and the runner's differ.
    pub(crate) fn can_be(&self, deployment: &Deployment) -> bool {
        let new = !self.before.contains(&deployment.id);
        self.kind == Kind::Rollout && new && deployment.task_definition == self.task_definition
    }

    /// Whether the service shows this change: its deployment, or the count alone.
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
pub(crate) fn own_tasks<'a>(tasks: &'a [Task], mine: &'a Mine) -> impl Iterator<Item = &'a Task> {
    tasks.iter().filter(|task| is_own(task, mine))
}

/// Whether a task counts for this change: its deployment started it, or it runs its task definition. ECS names the
/// deployment in `startedBy` (API_Task); if something else is named, the task definition decides.
pub(crate) fn is_own(task: &Task, mine: &Mine) -> bool {
    match (mine.kind, &mine.id) {
        (Kind::Rollout, Some(id)) if task.started_by.starts_with("ecs-svc/") => task.started_by == *id,
        (Kind::Rollout | Kind::CountOnly | Kind::Nothing, _) => task.task_definition == mine.task_definition,
    }
}
