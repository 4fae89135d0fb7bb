//! The failure of a deployment, and the actor of the restore.

use super::Waiting;
use crate::plan::aws_error::AwsError;

/// Reason that the deployment can't become good any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeploymentFailure {
    /// The circuit breaker ended the deployment.
    CircuitBreaker,
    /// A deployment alarm ended the deployment.
    Alarm(Vec<String>),
    /// The deployment's tasks keep failing, and no breaker is enabled.
    TasksFailing {
        /// Failed tasks in a row.
        failed: u32,
    },
    /// A user stopped the deployment.
    Stopped,
    /// A newer deployment superseded this deployment.
    Superseded {
        /// ARN of the service's current task definition.
        by: String,
    },
    /// The service was deleted, or set to zero tasks.
    Drained,
    /// Users were moved to the color during the deploy.
    UsersCame {
        /// ARN of the task definition that these users will get.
        version: String,
        /// The missing condition at that time. None if all targets were healthy.
        lacks: Option<Box<Waiting>>,
    },
    /// Minimum and maximum percent leave no room, so ECS can't replace any task.
    NoRoom,
    /// The time-out passed.
    TimedOut(Box<Waiting>),
    /// AWS refuses a read permanently.
    AwsError(AwsError),
}

/// The actor of the restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restorer {
    /// This run, if there is anything to restore.
    ThisRun,
    /// AWS, whose rollback is under way or complete.
    Aws,
    /// None: someone else changed the service, and that change is kept.
    NoOne,
}
