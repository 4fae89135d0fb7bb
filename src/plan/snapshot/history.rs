//! Service deployments.

use crate::plan::time::Time;

/// One service deployment (`ListServiceDeployments`). Distinguishes a rollback from another user's newer deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceDeployment {
    /// The ARN.
    pub(crate) arn: String,
    /// The number at the end of the service revision's ARN, equal to the number in the deployment's id
    /// `ecs-svc/NUMBER`.
    pub(crate) number: Option<String>,
    /// The status.
    pub(crate) status: ServiceDeploymentStatus,
    /// AWS's reason, including names of alarms.
    pub(crate) reason: String,
    /// Time of creation.
    pub(crate) created: Time,
    /// The new task definition. None if the service revision could not be read.
    pub(crate) target: Option<String>,
    /// The replaced task definitions.
    pub(crate) sources: Vec<String>,
    /// Names of deployment alarms that fired.
    pub(crate) alarms: Vec<String>,
}

/// A service deployment's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceDeploymentStatus {
    /// Waiting or running.
    InProgress,
    /// Done.
    Successful,
    /// A user stopped the deployment.
    Stopped,
    /// The rollback is under way.
    RollingBack,
    /// The rollback is complete.
    RolledBack,
    /// The rollback failed.
    RollbackFailed,
    /// An unknown status.
    Unknown,
}
