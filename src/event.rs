//! Events of a run, as data. Commands emit events; the reporter renders events.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::failure::{Failure, Outcome, Reason};
use crate::plan::aws_error::AwsError;
use crate::plan::cause::Cause;
use crate::plan::color::{Color, Split};
use crate::plan::overview::Overview;
use crate::plan::problem::Problem;
use crate::plan::promote::Caution;
use crate::plan::step::{
    Capacity, End, EndStateReason, InitialService, Left, Refusal, RunFailure, Step, Wait,
};
use crate::plan::traffic::TrafficPlan;

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
    /// The state before the run.
    Seen(Box<Overview>),
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
        color: Color,
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
    /// A signal arrived.
    Signal {
        /// `SIGINT` or `SIGTERM`.
        name: &'static str,
    },
    /// The end.
    Ended(Box<Report>),
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
        color: Color,
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
        color: Color,
        /// The service.
        service: String,
        /// Healthy targets of the service's own tasks; none if unknown.
        healthy: Option<u32>,
        /// The desired count.
        desired: u32,
        /// The foreign targets, each `ADDRESS:PORT`.
        targets: Vec<String>,
    },
    /// A caution about the scaling of the color that becomes production.
    Promote(Caution),
    /// Another warning from the edge of the process: one plain sentence.
    Text(String),
}

/// The plan of a run, before the run starts.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// The color.
    pub(crate) color: Color,
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

/// The changes that a change of traffic restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PutBack {
    /// True if the run had written weights.
    pub(crate) weights: bool,
    /// The colors with a desired count that the run had changed.
    pub(crate) counts: Vec<Color>,
    /// The colors with scale-in that the run had suspended or allowed.
    pub(crate) scaling: Vec<Color>,
    /// Counts that the run had lowered, and the counts restored because users came.
    pub(crate) undone: BTreeMap<Color, (u32, u32)>,
}

/// The final report of a run: the source of summary, outputs and the last log line.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// `deploy`, `status`.
    pub(crate) command: &'static str,
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// The reason for machines; none after a success.
    pub(crate) reason: Option<Reason>,
    /// Account, region and cluster, if no overview holds them.
    pub(crate) place: Option<crate::plan::snapshot::Place>,
    /// The state that the run left.
    pub(crate) left: Left,
    /// The reason for that state, if the run began.
    pub(crate) because: Option<EndStateReason>,
    /// The failure, if the run began.
    pub(crate) failing: Option<RunFailure>,
    /// The reason to refuse, if the run did not begin.
    pub(crate) refusal: Option<Refusal>,
    /// Problems with the inputs.
    pub(crate) problems: Vec<Problem>,
    /// Any other failure, in words.
    pub(crate) failure: Option<Failure>,
    /// The color of the deploy.
    pub(crate) color: Option<Color>,
    /// The service.
    pub(crate) service: Option<String>,
    /// The final split; none if the rules disagree or were unreadable.
    pub(crate) split: Option<Split>,
    /// True if the overview is older than the end: AWS did not answer again, or a signal left no time.
    pub(crate) stale: bool,
    /// ARN of the task definition that the run deployed, or wanted to deploy.
    pub(crate) task_definition: Option<String>,
    /// ARN of the color's previous task definition.
    pub(crate) previous_task_definition: Option<String>,
    /// The deployment's id.
    pub(crate) deployment: Option<String>,
    /// True if the input `image` was empty and no other input changed anything.
    pub(crate) empty_image: bool,
    /// The rollback of the last hour that this one undoes: the color that it sent users to, and how long ago.
    pub(crate) undoes: Option<(Color, Duration)>,
    /// The plan.
    pub(crate) plan: Option<Planned>,
    /// The missing part of a killed run's goal, found by its post step.
    pub(crate) lacks: Option<Box<Lacks>>,
    /// The cause of a failure.
    pub(crate) cause: Cause,
    /// Links to logs.
    pub(crate) logs: Vec<LogLink>,
    /// Healthy targets after a success.
    pub(crate) healthy: Option<u32>,
    /// The change of traffic, if any.
    pub(crate) traffic: Option<Box<TrafficPlan>>,
    /// ARNs of the production rules at the first read of a killed run, for its post step.
    pub(crate) rules: Vec<String>,
    /// True if a promote left the idle color at its size, because stickiness may keep users there longer than the run
    /// may wait.
    pub(crate) stays_at_size: bool,
    /// The idle color that a promote left at its size, because a deployment is running there.
    pub(crate) stays_busy: Option<Color>,
    /// The color with all users that may not scale in yet: its low alarm looks back this long, longer than the run may
    /// wait.
    pub(crate) stays_suspended: Option<(Color, Duration)>,
    /// Missing healthy targets after a forced change.
    pub(crate) shortfall: Vec<Capacity>,
    /// The colors with automatic scaling that a forced change had to skip.
    pub(crate) unscaled: Vec<Color>,
    /// The changes that a change of traffic restored, if known.
    pub(crate) put_back: Option<PutBack>,
    /// The final state.
    pub(crate) overview: Option<Overview>,
    /// Duration of the run.
    pub(crate) duration: Duration,
}

impl Report {
    /// An empty report: refused and untouched, until the run reports otherwise.
    pub(crate) fn new(command: &'static str) -> Self {
        Report {
            command,
            outcome: Outcome::Refused,
            reason: None,
            left: Left::Untouched,
            place: None,
            because: None,
            failing: None,
            refusal: None,
            problems: Vec::new(),
            failure: None,
            color: None,
            service: None,
            split: None,
            stale: false,
            task_definition: None,
            previous_task_definition: None,
            deployment: None,
            empty_image: false,
            undoes: None,
            plan: None,
            lacks: None,
            cause: Cause::default(),
            logs: Vec::new(),
            healthy: None,
            traffic: None,
            rules: Vec::new(),
            stays_at_size: false,
            stays_busy: None,
            stays_suspended: None,
            shortfall: Vec::new(),
            unscaled: Vec::new(),
            put_back: None,
            overview: None,
            duration: Duration::ZERO,
        }
    }

    /// Takes over the overview, and its split if known.
    pub(crate) fn see(&mut self, overview: Overview) {
        self.split = overview.known_split();
        (self.stale, self.overview) = (false, Some(overview));
    }

    /// Takes over an overview from before the end. If the final state is unknown, so is the split.
    pub(crate) fn see_before_the_end(&mut self, overview: Overview) {
        self.see(overview);
        self.stale = true;
        let unread = matches!(self.refusal, Some(Refusal::Unread(_)));
        if self.left == Left::Unknown || unread {
            self.split = None;
        }
    }

    /// Not started, with the reason.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.outcome = Outcome::Refused;
        self.reason = Some(Reason::of_refusal(&refusal));
        self.refusal = Some(refusal);
    }

    /// Not started, because of problems in the user's inputs.
    pub(crate) fn problems(&mut self, problems: Vec<Problem>) {
        self.outcome = Outcome::Refused;
        self.reason = Some(Reason::BadInput);
        self.problems = problems;
    }

    /// Not started, because of a failure.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.outcome = Outcome::Refused;
        self.reason = Some(failure.reason);
        self.failure = Some(failure);
    }

    /// The action itself failed: the state that the run left is unknown.
    pub(crate) fn break_off(&mut self, failure: Failure) {
        self.fail(failure);
        (self.outcome, self.left) = (Outcome::Failed, Left::Unknown);
    }

    /// A signal ended the run before it changed anything.
    pub(crate) fn cancel(&mut self) {
        self.outcome = Outcome::Cancelled;
        self.reason = Some(Reason::Cancelled);
        self.failing = Some(RunFailure::Cancelled);
    }

    /// The end of a deploy that began.
    pub(crate) fn end(&mut self, end: End) {
        match end {
            End::Good { changed, healthy } => {
                self.outcome = if changed { Outcome::Succeeded } else { Outcome::Unchanged };
                self.left = if changed { Left::Changed } else { Left::Untouched };
                self.healthy = Some(healthy);
            }
            End::Bad { failing, left, because } => {
                self.outcome = Outcome::of_failing(&failing);
                self.reason = Some(Reason::of_failing(&failing));
                (self.left, self.because) = (left, Some(because));
                self.failing = Some(failing);
            }
        }
    }
}
