//! The kinds of failure: the reason for machines, the exit code, and the state that is left.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::plan::aws_error::AwsErrorKind;
use crate::plan::step::{ProbeFailureKind, Refusal, RunFailure, TrafficFailure};
use crate::plan::verdict::{DeploymentFailure, Waiting};
use crate::plan::wiring::RoutingError;

/// The end of a run: the output `result`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// The goal was reached by this run.
    Succeeded,
    /// The goal was already reached, and confirmed.
    Unchanged,
    /// `plan-only`: the plan was printed, nothing was written.
    Planned,
    /// Not started: bad input, or a state in which a start would be wrong.
    Refused,
    /// Started, but the goal was not reached.
    Failed,
    /// Another writer changed the same thing meanwhile, and that change is kept.
    Superseded,
    /// A signal ended the run.
    Cancelled,
}

impl Outcome {
    /// The word in the output `result`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Unchanged => "unchanged",
            Outcome::Planned => "planned",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::Superseded => "superseded",
            Outcome::Cancelled => "cancelled",
        }
    }

    /// A failure, a newer change by another writer, or a signal.
    pub(crate) fn of_failing(failing: &RunFailure) -> Outcome {
        match failing {
            RunFailure::Cancelled => Outcome::Cancelled,
            RunFailure::Deployment(
                DeploymentFailure::Superseded { .. } | DeploymentFailure::UsersCame { .. },
            )
            | RunFailure::Traffic(
                TrafficFailure::Overtaken { .. }
                | TrafficFailure::RuleGone(_)
                | TrafficFailure::Redeployed { .. },
            ) => Outcome::Superseded,
            RunFailure::Repeated(unkept) if unkept.shown => Outcome::Superseded,
            RunFailure::Deployment(_)
            | RunFailure::Probe(_)
            | RunFailure::Traffic(_)
            | RunFailure::Repeated(_) => Outcome::Failed,
        }
    }

    /// The exit code of the process: 0 only if the goal is reached, or was only planned.
    pub(crate) fn exit_code(self) -> u8 {
        match self {
            Outcome::Succeeded | Outcome::Unchanged | Outcome::Planned => 0,
            Outcome::Refused | Outcome::Failed | Outcome::Superseded | Outcome::Cancelled => 1,
        }
    }
}

/// Declares [`Reason`] with its word and its line in the documentation, so all three stay consistent.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $told:literal;)*) => {
        /// The reason that a run did not succeed, in one word for machines: the output `reason`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum Reason { $(#[doc = $told] $name,)* }

        impl Reason {
            /// Every reason, in the order of the documentation.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Reason] = &[$(Reason::$name,)*];

            /// The word in the output `reason`.
            pub(crate) fn word(self) -> &'static str {
                match self { $(Reason::$name => $word,)* }
            }

            /// One line for the documentation.
            #[cfg(test)]
            pub(crate) fn told(self) -> &'static str {
                match self { $(Reason::$name => $told,)* }
            }
        }
    };
}

reasons! {
    BadInput = "bad-input", "An input, the config file or a task-definition file is wrong.";
    CredentialsMissing = "credentials-missing", "No AWS credentials could be found.";
    CredentialsExpired = "credentials-expired", "The AWS credentials expired during the run.";
    AccessDenied = "access-denied", "AWS refused a call; the message names the action and the resource.";
    WrongAccount = "wrong-account", "The credentials belong to an account that is not in `allowed-account-ids`, or that an ARN contradicts.";
    Unreachable = "unreachable", "AWS could not be reached, or kept failing.";
    ClusterMissing = "cluster-missing", "The cluster does not exist in this account and region.";
    ServiceMissing = "service-missing", "A service does not exist in the cluster, or is being deleted.";
    Unsupported = "unsupported", "The services or the load balancer are set up in a way that this action does not handle.";
    NoProductionRule = "no-production-rule", "No listener rule could be read as the production rule.";
    RulesDisagree = "rules-disagree", "The production rules hold different splits.";
    LiveColor = "live-color", "The color serves users and `allow-live` is not true, or it got users during the deploy.";
    NoIdleColor = "no-idle-color", "Both colors serve users, so there is no idle color.";
    InFlight = "in-flight", "Another deployment of the service is in progress.";
    NoRoom = "no-room", "The minimum and maximum healthy percent leave no room for a deployment.";
    ImageMissing = "image-missing", "The image tag or digest does not exist in ECR.";
    CircuitBreaker = "circuit-breaker", "The deployment circuit breaker of ECS ended the deployment.";
    Alarm = "alarm", "A CloudWatch alarm ended the deployment or the change of traffic, or fires before a run with steps.";
    Worse = "worse", "The color that gained users, or would gain them, fails more often than the other in the same minutes.";
    TakesBack = "takes-back", "The version lacks commits that users have now, and `refuse-takes-back` is true.";
    NotEnoughTargets = "not-enough-targets", "A color has too few healthy targets for its coming share of the users.";
    NotAdopted = "not-adopted", "A production rule holds one color alone and `adopt` is not true.";
    OtherTaskDefinition = "other-task-definition", "The color does not run what `expect-task-definition` names.";
    AlarmMissing = "alarm-missing", "A rollback alarm does not exist.";
    Blind = "blind", "AWS could not be asked for so long that going on would have been blind.";
    NotShown = "not-shown", "AWS took new weights and does not show them.";
    TasksFailing = "tasks-failing", "The new tasks fail to start or stop again.";
    UnhealthyTargets = "unhealthy-targets", "The tasks run, but the load balancer does not find them healthy.";
    Probe = "probe", "A probe got a wrong answer.";
    ProbeUnreachable = "probe-unreachable", "The runner could not reach the test listener.";
    TimedOut = "timed-out", "The time-out passed before the goal was reached.";
    Stopped = "stopped", "Somebody stopped the deployment.";
    Superseded = "superseded", "Another deployment or change of traffic took over.";
    Drained = "drained", "The service was set to no tasks, or deleted, meanwhile.";
    Cancelled = "cancelled", "The workflow run was cancelled.";
    Findings = "findings", "`doctor` found a mistake that would stop a command; the output `findings` has the fix.";
    Internal = "internal", "The action itself failed; the message says what to check in AWS.";
    Aws = "aws", "AWS answered with an error that has no word of its own.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A failure in words for the user: the facts, and advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The word for machines.
    pub(crate) reason: Reason,
    /// The thing, its state and the expected state: one or two sentences.
    pub(crate) what: String,
    /// Advice; may contain lines to paste.
    pub(crate) hint: String,
}

impl Failure {
    /// A failure with its cause and advice.
    pub(crate) fn new(reason: Reason, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Failure { reason, what: what.into(), hint: hint.into() }
    }
}

impl Reason {
    /// The reason for an error from AWS.
    pub(crate) fn of_trouble(kind: AwsErrorKind) -> Reason {
        match kind {
            AwsErrorKind::Denied => Reason::AccessDenied,
            AwsErrorKind::Expired => Reason::CredentialsExpired,
            AwsErrorKind::NoCredentials => Reason::CredentialsMissing,
            AwsErrorKind::Throttled | AwsErrorKind::Unreachable | AwsErrorKind::TimedOut => {
                Reason::Unreachable
            }
            AwsErrorKind::Missing | AwsErrorKind::Refused => Reason::Aws,
        }
    }

    /// The reason for a failed deploy.
    pub(crate) fn of_failing(failing: &RunFailure) -> Reason {
        match failing {
            RunFailure::Cancelled => Reason::Cancelled,
            RunFailure::Traffic(stuck) => match stuck {
                TrafficFailure::Alarm(_) => Reason::Alarm,
                TrafficFailure::Sick(_) => Reason::UnhealthyTargets,
                TrafficFailure::NotEnough(_) => Reason::NotEnoughTargets,
                TrafficFailure::Blind(_) => Reason::Blind,
                TrafficFailure::Overtaken { .. }
                | TrafficFailure::RuleGone(_)
                | TrafficFailure::Redeployed { .. } => Reason::Superseded,
                TrafficFailure::NotShown { .. } => Reason::NotShown,
                TrafficFailure::Worse(_) => Reason::Worse,
                TrafficFailure::AwsError(trouble) => Reason::of_trouble(trouble.kind),
                TrafficFailure::Refused(refusal) => Reason::of_refusal(refusal),
            },
            RunFailure::Repeated(unkept) if unkept.shown => Reason::Superseded,
            RunFailure::Repeated(_) => Reason::TimedOut,
            RunFailure::Probe(failure) => match failure.kind {
                ProbeFailureKind::Status { .. } | ProbeFailureKind::Body { .. } => Reason::Probe,
                ProbeFailureKind::Unreachable { .. }
                | ProbeFailureKind::Certificate { .. }
                | ProbeFailureKind::Elsewhere { .. }
                | ProbeFailureKind::NoRule => Reason::ProbeUnreachable,
            },
            RunFailure::Deployment(ended) => match ended {
                DeploymentFailure::CircuitBreaker => Reason::CircuitBreaker,
                DeploymentFailure::Alarm(_) => Reason::Alarm,
                DeploymentFailure::TasksFailing { .. } => Reason::TasksFailing,
                DeploymentFailure::Stopped => Reason::Stopped,
                DeploymentFailure::Superseded { .. } => Reason::Superseded,
                DeploymentFailure::Drained => Reason::Drained,
                DeploymentFailure::UsersCame { .. } => Reason::LiveColor,
                DeploymentFailure::NoRoom => Reason::NoRoom,
                DeploymentFailure::TimedOut(waiting) => Reason::of_time_out(waiting),
                DeploymentFailure::AwsError(trouble) => Reason::of_trouble(trouble.kind),
            },
        }
    }

    /// A time-out gets the reason of the last wait, if that is more precise.
    fn of_time_out(waiting: &Waiting) -> Reason {
        match waiting {
            Waiting::Unhealthy { .. } => Reason::UnhealthyTargets,
            Waiting::RollingOut { running, desired, healthy: Some(healthy), .. }
                if running >= desired && healthy < desired =>
            {
                Reason::UnhealthyTargets
            }
            Waiting::Unknown(trouble) => Reason::of_trouble(trouble.kind),
            Waiting::NotBegun
            | Waiting::NotVisible
            | Waiting::RollingOut { .. }
            | Waiting::Draining { .. } => Reason::TimedOut,
        }
    }

    /// The reason for a refusal.
    pub(crate) fn of_refusal(refusal: &Refusal) -> Reason {
        match refusal {
            Refusal::Missing { .. } | Refusal::NotActive { .. } | Refusal::NoDevelop => {
                Reason::ServiceMissing
            }
            Refusal::Setup { .. } | Refusal::NotChecked(_) | Refusal::NameTaken { .. } => Reason::Unsupported,
            Refusal::RoutingError(tangle) => match tangle {
                RoutingError::NoProductionRule(_) | RoutingError::NoSuchListener(_) => {
                    Reason::NoProductionRule
                }
                RoutingError::Disagree(_) => Reason::RulesDisagree,
                RoutingError::TwoBalancers(_)
                | RoutingError::Unattached(_)
                | RoutingError::NotApplication(_)
                | RoutingError::TargetType(..)
                | RoutingError::SameGroup(_)
                | RoutingError::ThirdGroup { .. }
                | RoutingError::UnknownAction { .. }
                | RoutingError::NoWeight(_) => Reason::Unsupported,
            },
            Refusal::LiveColor { .. } | Refusal::UserRules { .. } => Reason::LiveColor,
            Refusal::NoIdleColor(_) => Reason::NoIdleColor,
            Refusal::InFlight { .. } => Reason::InFlight,
            Refusal::NoRoom { .. } => Reason::NoRoom,
            Refusal::NoTestAddress { .. } | Refusal::NoHost { .. } => Reason::BadInput,
            Refusal::NoCluster(_) => Reason::ClusterMissing,
            Refusal::Unread(trouble) => Reason::of_trouble(trouble.kind),
            Refusal::NotEnough { .. } | Refusal::NoDigest { .. } => Reason::NotEnoughTargets,
            Refusal::NoVariable(_) | Refusal::Images { .. } => Reason::BadInput,
            Refusal::NotAdopted { .. } => Reason::NotAdopted,
            Refusal::Worse(_) => Reason::Worse,
            Refusal::TakesBack(_) => Reason::TakesBack,
            Refusal::OtherTaskDefinition { .. } => Reason::OtherTaskDefinition,
            Refusal::NoAlarm(_) => Reason::AlarmMissing,
            Refusal::AlarmFiring(_) | Refusal::AlarmAt { .. } => Reason::Alarm,
            Refusal::FailedThere { .. } => Reason::TasksFailing,
            Refusal::StepBeyond { .. } | Refusal::IdleAbove { .. } | Refusal::WhichColor(_) => {
                Reason::BadInput
            }
        }
    }
}
