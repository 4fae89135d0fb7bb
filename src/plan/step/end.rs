//! The end of a run, and its failures.

use serde::{Deserialize, Serialize};

use super::{Capacity, Refusal};
use crate::plan::aws_error::AwsError;
use crate::plan::color::{Color, Split};
use crate::plan::compare::Comparison;
use crate::plan::repeats::Unkept;
use crate::plan::verdict::DeploymentFailure;

/// The failure of a deployment or a change of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RunFailure {
    /// The deployment itself.
    Deployment(DeploymentFailure),
    /// A probe got a wrong answer or none.
    Probe(ProbeFailure),
    /// A signal ended the run.
    Cancelled,
    /// A change of traffic.
    Traffic(TrafficFailure),
    /// A write did not last, even after repeats.
    Repeated(Box<Unkept>),
}

/// The failure of a change of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrafficFailure {
    /// Rollback alarms fired during a bake. Each has the name and AWS's reason.
    Alarm(Vec<(String, String)>),
    /// The color that gained users lost healthy targets during a bake.
    Sick(Capacity),
    /// A color did not become healthy enough for the coming share in time.
    NotEnough(Capacity),
    /// AWS was unreachable for too long to continue safely.
    Blind(AwsError),
    /// Another user changed a production rule meanwhile.
    Overtaken {
        /// The rule's name for people.
        rule: String,
        /// The expected split.
        expected: Split,
        /// The found split.
        found: Split,
    },
    /// Another user deleted a production rule meanwhile, or took a color's group out of it. Holds the rule's name.
    RuleGone(String),
    /// Another user deployed to the color after this run's own deployment.
    Redeployed {
        /// The color.
        color: Color,
        /// The task definition of this run's deployment.
        expected: String,
        /// The current task definition.
        found: String,
    },
    /// A rule does not show the written split, although AWS accepted the write.
    NotShown {
        /// The rule's name for people.
        rule: String,
        /// The written split.
        written: Split,
    },
    /// The color that gained users fails more often than the other in the same minutes.
    Worse(Box<Comparison>),
    /// AWS refused a write.
    AwsError(AwsError),
    /// The current state would have been refused at the start.
    Refused(Box<Refusal>),
}

/// A probe's wrong answer. Holds no body: a body may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbeFailure {
    /// The whole URL of the probe.
    pub(crate) url: String,
    /// The kind of failure.
    pub(crate) kind: ProbeFailureKind,
}

/// The kinds of probe failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeFailureKind {
    /// No rule sends the probe to the color alone any more. The probe was not sent.
    NoRule,
    /// Another status code.
    Status {
        /// The found value.
        found: u16,
        /// The status code that passes.
        wanted: u16,
    },
    /// The body lacks a text.
    Body {
        /// The text.
        wanted: String,
    },
    /// The listener's certificate is for other names. No request was sent.
    Certificate {
        /// The names in the certificate.
        names: Vec<String>,
        /// The requested host.
        host: String,
    },
    /// Not sent: the proxy on the way looks the host up itself, and no lookup here leads the host to the load balancer.
    Elsewhere {
        /// The proxy by host and port.
        proxy: String,
        /// The host.
        host: String,
    },
    /// No answer at all: the cause is more often the network between runner and load balancer than the version.
    Unreachable {
        /// The error chain.
        why: String,
    },
}

/// The state in AWS after a run without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Left {
    /// No service was changed. (A registered, unused revision may exist.)
    Untouched,
    /// Every change is restored to the found state, as read back from AWS.
    Restored,
    /// Deliberately left changed, as the message explains.
    Changed,
    /// Unknown. The message gives the check to make.
    Unknown,
}

impl Left {
    /// The word in the output `left`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Left::Untouched => "untouched",
            Left::Restored => "restored",
            Left::Changed => "changed",
            Left::Unknown => "unknown",
        }
    }
}

/// Reason for the state that a run leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndStateReason {
    /// Nothing was changed.
    NothingChanged,
    /// This run restored the color.
    RestoredByRun,
    /// AWS restored the color.
    RestoredByAws,
    /// AWS rolled back to another task definition than the found one: the last that AWS saw complete.
    AwsElsewhere,
    /// `on-cancel: leave`.
    Asked,
    /// Another user changed the service meanwhile. That change stays.
    ChangedExternally,
    /// The service already had this version at the start, and the earlier version is unknown.
    NothingToGoBackTo,
    /// The same task definition was rolled out again (an image tag that moved), so there is no other version to
    /// restore.
    SameDefinition,
    /// The new version is healthy. Only old tasks still drain.
    OnlyDrains,
    /// Users were moved to the color during the deploy. The restore does not remove capacity in use.
    UsersCame,
    /// Users were moved to the color during a deployment without fault. AWS continues the deployment.
    UsersCameMeanwhile {
        /// ARN of the new task definition.
        version: String,
    },
    /// The version was restored. Users arrived meanwhile, or may have, so the color keeps the larger count.
    CountKept {
        /// The desired count.
        count: u32,
    },
    /// The reason that the run can't exclude users on the color.
    UsersNotKnown(Box<Refusal>),
    /// The service was not changed. Scaling policies and alarms were.
    ScalingStays,
    /// AWS refused the restore, or did not answer.
    AwsError(AwsError),
    /// The restore was requested and not confirmed in time.
    NotConfirmed,
    /// The color to restore users to has too few healthy targets.
    NotEnough(Capacity),
    /// A promote of several phases: changes of earlier phases stay, and users stay on the current color.
    Midway,
    /// All users were moved as wanted. Only the watch afterwards did not finish.
    Arrived,
    /// Users are on the wanted color, which has no healthy target.
    NotServed,
    /// The restore did not last, even after repeats.
    Repeated(Box<Unkept>),
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The goal is reached.
    Good {
        /// True if this run changed something, or adopted a change that was under way.
        changed: bool,
        /// Healthy targets of the color's own tasks. For traffic: of the color that gained users.
        healthy: u32,
    },
    /// The goal is not reached.
    Bad {
        /// The failure.
        failing: RunFailure,
        /// The state that the run leaves.
        left: Left,
        /// Reason for that state.
        because: EndStateReason,
    },
}
