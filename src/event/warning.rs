//! Warnings of a run, as data.

use std::time::Duration;

use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::compare::ProbeDifference;
use crate::plan::promote::Caution;

/// A problem that does not stop the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Warning {
    /// The grace period is as long as the time-out: a failing version can't be found in time.
    GraceTooLong {
        /// The service's health-check grace period.
        grace: Duration,
        /// The time-out.
        timeout: Duration,
    },
    /// Old tasks drain for longer than the time-out: the run ends before ECS completes the deployment.
    DrainTooLong {
        /// The target group's deregistration delay.
        delay: Duration,
        /// The time-out.
        timeout: Duration,
    },
    /// The deploy goes to a live color because `allow-live` is true.
    LiveColor {
        /// The color.
        color: Color,
        /// The split.
        split: Split,
        /// Names of the rules outside the split that send users to the color.
        rules: Vec<String>,
    },
    /// The requested desired count is lower than the live color's count, which stays.
    CountKept {
        /// The color.
        color: ServiceColor,
        /// The requested count.
        asked: u32,
        /// The current count.
        count: u32,
    },
    /// An image tag that can't be resolved to a digest: tasks may run different images.
    UnresolvedTag {
        /// The image.
        image: String,
    },
    /// The input `image` is empty, and no other input changes anything.
    EmptyImage,
    /// A rollback that would undo one of the last hour.
    UndoesRollback {
        /// The color that the earlier one sent users to.
        color: Color,
        /// Time since then.
        ago: Duration,
    },
    /// Scaling policies that the action does not manage, on a service that the config wants to scale.
    ForeignPolicies {
        /// The service.
        service: String,
        /// Names of the policies.
        names: Vec<String>,
    },
    /// Targets of a color's group without a task of the service.
    ForeignTargets {
        /// The color.
        color: ServiceColor,
        /// The service.
        service: String,
        /// Healthy targets of the service's own tasks; none if unknown.
        healthy: Option<u32>,
        /// The desired count.
        desired: u32,
        /// The foreign targets, each `ADDRESS:PORT`.
        targets: Vec<String>,
    },
    /// The colors answer a probe differently.
    ProbesDiffer(ProbeDifference),
    /// A caution about the scaling of the color that becomes production.
    Promote(Caution),
    /// Another warning from the edge of the process: one plain sentence.
    Text(String),
}
