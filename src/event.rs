//! Events of a run, as data. Commands emit events; the reporter renders events.

mod report;
mod warning;

use std::time::Duration;

use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::cause::Cause;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::compare::{Comparison, Minute};
use crate::plan::doctor::Finding;
use crate::plan::going_live::GoingLive;
use crate::plan::overview::Overview;
use crate::plan::step::{InitialService, Refusal, RunFailure, Step, Wait};
use crate::plan::traffic::TrafficPlan;

pub(crate) use self::report::{PutBack, Report};
pub(crate) use self::warning::Warning;

/// An event of a run.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The run begins: command and place.
    Started {
        /// `deploy`, `status`, `post`.
        command: &'static str,
        /// The cluster as given.
        cluster: String,
        /// The region.
        region: String,
    },
    /// AWS returned the account of the credentials.
    SignedIn {
        /// 12 digits.
        account: String,
    },
    /// A warning; the run goes on.
    Warning(Warning),
    /// It is unknown whether a rollback of the last hour sent all users to this color, which they leave now.
    RollbackUnchecked(Color),
    /// The state before the run.
    Seen(Box<Overview>),
    /// The mistakes that `doctor` found.
    Examined(Vec<Finding>),
    /// IAM did not simulate the role's policies, so its permissions to write are unknown.
    Unsimulated(AwsError),
    /// The plan of the run.
    Plan(Box<Planned>),
    /// The plan of a change of traffic.
    TrafficPlan(Box<TrafficPlan>),
    /// All rules hold the final split; the run may still have to watch.
    Moved(Split),
    /// The run follows a deployment that was already running.
    Adopted {
        /// The deployment's id.
        id: String,
    },
    /// Another writer set the desired count of the followed service.
    Recounted(u32),
    /// A step begins.
    Step(Step),
    /// A probe is sent.
    Probing {
        /// The URL.
        url: String,
        /// The rule that answers.
        rule: String,
    },
    /// AWS answered a step.
    Answered(Answered),
    /// The run waits; emitted on each change, and as a heartbeat.
    Waiting {
        /// The kind of wait.
        wait: Wait,
        /// Time since the run began to wait for this deployment.
        elapsed: Duration,
        /// True if nothing changed since the last line; a sign that the run is not stuck.
        heartbeat: bool,
    },
    /// The first of the awaited tasks failed.
    TaskFailed {
        /// The color.
        color: ServiceColor,
        /// The cause.
        cause: Cause,
        /// Links to the task's logs.
        logs: Vec<LogLink>,
    },
    /// AWS still refuses a write that the run retries; emitted as a heartbeat.
    HeldUp {
        /// AWS's answer.
        trouble: AwsError,
        /// Time since the first try.
        elapsed: Duration,
        /// Number of tries.
        tries: u32,
    },
    /// A deployment failed: the cause, before any restore.
    RunFailure {
        /// The failure.
        failing: RunFailure,
        /// The cause.
        cause: Cause,
        /// Links to the logs of the failed tasks.
        logs: Vec<LogLink>,
    },
    /// The commits that go live with the run.
    GoingLive(Box<GoingLive>),
    /// A look at the load balancer's counts.
    Compared(Box<CountsLook>),
    /// A signal arrived.
    Signal {
        /// `SIGINT` or `SIGTERM`.
        name: &'static str,
    },
    /// The end.
    Ended(Box<Report>),
}

/// A look at the load balancer's counts, during a change of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CountsLook {
    /// The comparison of the colors.
    pub(crate) read: AwsResult<Comparison>,
    /// The minutes that were read; empty if the read failed.
    pub(crate) minutes: Vec<Minute>,
    /// True if the verdict differs from that of the last look.
    pub(crate) is_new: bool,
}

/// The missing part of a killed run's goal, found by its post step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lacks {
    /// The steps left.
    Steps(Vec<Step>),
    /// The run would still wait.
    Wait(Box<Wait>),
    /// A promote by copy has not yet brought the version to this color.
    Copy(Color),
    /// The run would refuse to start now.
    Refused(Box<Refusal>),
    /// The goal fails now.
    Fails(Box<RunFailure>),
    /// AWS was unreadable.
    Unread(AwsError),
    /// There was no time to find out, or the inputs are not those of the run.
    Unknown,
}

/// The answer to a step, if worth a line.
#[derive(Clone, Debug)]
pub(crate) enum Answered {
    /// A revision with the same content exists.
    Found(String),
    /// A revision was registered.
    Registered(String),
    /// The service was updated; the id of the new deployment, if any.
    Updated(Option<String>),
    /// The probes passed, with their number.
    ProbesPassed(usize),
    /// AWS returned an error, or no answer.
    AwsError(AwsError),
}

/// The plan of a run, before the run starts.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// The color.
    pub(crate) color: ServiceColor,
    /// The service.
    pub(crate) service: String,
    /// The color's current state.
    pub(crate) now: InitialService,
    /// The steps.
    pub(crate) steps: Vec<Step>,
    /// Differences between the running task definition and the wanted one; never the values of variables.
    pub(crate) changes: Vec<Difference>,
    /// Longest possible duration of the run; none if the following change of traffic includes that.
    pub(crate) longest: Option<Duration>,
}

/// A difference between two task definitions, safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// `containerDefinitions[app].image`
    pub(crate) path: String,
    /// Value before; none if absent.
    pub(crate) before: Option<String>,
    /// Value after; none if removed.
    pub(crate) after: Option<String>,
}

/// The end of a failed container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogTail {
    /// The container.
    pub(crate) container: String,
    /// The texts of the newest events, oldest first.
    pub(crate) events: AwsResult<Vec<String>>,
}

/// A link to a task's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLink {
    /// The task's id.
    pub(crate) task: String,
    /// The container.
    pub(crate) container: String,
    /// The log group.
    pub(crate) group: String,
    /// The log stream.
    pub(crate) stream: String,
    /// The region of the log group.
    pub(crate) region: String,
}
