//! What happened, as data. Commands emit events; the reporter renders them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::failure::{Failure, Outcome, Reason};
use crate::plan::cause::Cause;
use crate::plan::color::{Color, Split};
use crate::plan::overview::Overview;
use crate::plan::problem::Problem;
use crate::plan::promote::Caution;
use crate::plan::step::{Because, Capacity, End, Failing, Found, Left, Refusal, Step, Wait};
use crate::plan::traffic::Brief;
use crate::plan::trouble::Trouble;

/// One thing that happened.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The run begins: command and where.
    Started {
        /// `deploy`, `status`, `post`.
        command: &'static str,
        /// The cluster as given.
        cluster: String,
        /// The region.
        region: String,
    },
    /// AWS named the account of the credentials.
    SignedIn {
        /// 12 digits.
        account: String,
    },
    /// Something to know that stops nothing.
    Warning(Warning),
    /// What stands before the run.
    Seen(Box<Overview>),
    /// What the run is going to do.
    Plan(Box<Planned>),
    /// How users are going to be moved.
    Moving(Box<Brief>),
    /// All rules hold the split that was wanted; the run may still have to watch.
    Moved(Split),
    /// A deployment that was under way already is followed.
    Adopted {
        /// Its id.
        id: String,
    },
    /// Somebody else set the desired count of the service whose deployment is followed.
    Recounted(u32),
    /// A step begins.
    Step(Step),
    /// A probe is sent.
    Probing {
        /// Its URL.
        url: String,
        /// The rule that answers.
        rule: String,
    },
    /// A step was answered.
    Answered(Answered),
    /// The run waits; told when it changes, and as a heartbeat.
    Waiting {
        /// For what.
        wait: Wait,
        /// Since the run began to wait for this deployment.
        elapsed: Duration,
        /// Nothing changed since the last line; said so that nobody thinks the run hangs.
        heartbeat: bool,
    },
    /// The first task failed of those that the run waits for.
    TaskFailed {
        /// Its color.
        color: Color,
        /// Why.
        cause: Cause,
        /// The link to its log.
        logs: Vec<LogLink>,
    },
    /// AWS still does not take a write that it is sent again and again; told as a heartbeat.
    HeldUp {
        /// Its answer.
        trouble: Trouble,
        /// Since the first try.
        elapsed: Duration,
        /// How often it was tried.
        tries: u32,
    },
    /// A deployment failed: the cause, before anything is put back.
    Failing {
        /// What failed.
        failing: Failing,
        /// Why.
        cause: Cause,
        /// Links to the logs of the tasks that failed.
        logs: Vec<LogLink>,
    },
    /// A signal came.
    Signal {
        /// `SIGINT` or `SIGTERM`.
        name: &'static str,
    },
    /// The end.
    Ended(Box<Report>),
}

/// What the goal of a killed run lacks, as its post step found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lacks {
    /// These steps are left.
    Steps(Vec<Step>),
    /// This is still waited for.
    Wait(Box<Wait>),
    /// A promote by copy has not brought the version to this color.
    Copy(Color),
    /// It would not be started now.
    Refused(Box<Refusal>),
    /// It fails now.
    Fails(Box<Failing>),
    /// AWS could not be read.
    Unread(Trouble),
    /// There was no time to find out, or the inputs are not the run's.
    Unknown,
}

/// The answer of a step that is worth a line.
#[derive(Clone, Debug)]
pub(crate) enum Answered {
    /// A revision with the same content exists.
    Found(String),
    /// A revision was registered.
    Registered(String),
    /// The service was updated; its new deployment's id, where it has one.
    Updated(Option<String>),
    /// The probes passed; how many.
    ProbesPassed(usize),
    /// AWS said no, or nothing.
    Trouble(Trouble),
}

/// Something to know that stops nothing.
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
    /// A live color is deployed to because `allow-live` is true.
    LiveColor {
        /// The color.
        color: Color,
        /// The split.
        split: Split,
        /// The rules outside the split that send users there, by name.
        rules: Vec<String>,
    },
    /// A lower desired count was asked for than that of a live color, which keeps its own.
    CountKept {
        /// The color.
        color: Color,
        /// What was asked for.
        asked: u32,
        /// What stays.
        count: u32,
    },
    /// An image tag that can't be resolved to a digest: what runs may differ from task to task.
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
        /// How long ago.
        ago: Duration,
    },
    /// Somebody else's scaling policies on a service that the config wants to scale.
    ForeignPolicies {
        /// The service.
        service: String,
        /// Their names.
        names: Vec<String>,
    },
    /// Targets of a color's group that no task of its service is behind.
    ForeignTargets {
        /// The color.
        color: Color,
        /// Its service.
        service: String,
        /// Healthy targets of its own tasks; none if they could not be counted.
        healthy: Option<u32>,
        /// Its desired count.
        desired: u32,
        /// The foreign targets, each `ADDRESS:PORT`.
        targets: Vec<String>,
    },
    /// How a color scales that is to be production.
    Promote(Caution),
    /// Any other text from the edge: one plain sentence.
    Text(String),
}

/// What the run is going to do, before it does it.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// The color.
    pub(crate) color: Color,
    /// Its service.
    pub(crate) service: String,
    /// What the color runs now.
    pub(crate) now: Found,
    /// The steps.
    pub(crate) steps: Vec<Step>,
    /// What differs between the task definition that runs and the wanted one. Values of variables are never in it.
    pub(crate) changes: Vec<Difference>,
    /// How long the run may last at most; none if the change of traffic that follows tells it.
    pub(crate) longest: Option<Duration>,
}

/// One difference between two task definitions, fit to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// `containerDefinitions[app].image`
    pub(crate) path: String,
    /// Before; none where it was absent.
    pub(crate) before: Option<String>,
    /// After; none where it is removed.
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

/// What a change of traffic put back of what it had changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PutBack {
    /// Whether it had written weights.
    pub(crate) weights: bool,
    /// The colors whose desired count it had changed.
    pub(crate) counts: Vec<Color>,
    /// The colors whose scale-in it had suspended or allowed.
    pub(crate) scaling: Vec<Color>,
    /// The counts that it had lowered, and what it raised them to again since users came.
    pub(crate) undone: BTreeMap<Color, (u32, u32)>,
}

/// Everything that the end of a run tells: the source of summary, outputs and the last log line.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// `deploy`, `status`.
    pub(crate) command: &'static str,
    /// The outcome.
    pub(crate) outcome: Outcome,
    /// The word for machines, unless it went well.
    pub(crate) reason: Option<Reason>,
    /// Account, region and cluster, where no overview tells them.
    pub(crate) place: Option<crate::plan::snapshot::Place>,
    /// What is left.
    pub(crate) left: Left,
    /// Why it is left so, where a deployment was begun.
    pub(crate) because: Option<Because>,
    /// What failed, where a deployment was begun.
    pub(crate) failing: Option<Failing>,
    /// Why it was not begun.
    pub(crate) refusal: Option<Refusal>,
    /// What is wrong with the inputs.
    pub(crate) problems: Vec<Problem>,
    /// Any other failure, in words.
    pub(crate) failure: Option<Failure>,
    /// The color that was deployed to.
    pub(crate) color: Option<Color>,
    /// Its service.
    pub(crate) service: Option<String>,
    /// The split when the run ended; none where the rules disagree, or could not be read.
    pub(crate) split: Option<Split>,
    /// Whether the overview is older than the end: AWS could not be asked again, or a signal left no time for it.
    pub(crate) stale: bool,
    /// ARN of the task definition that the run brought or wanted to bring.
    pub(crate) task_definition: Option<String>,
    /// ARN of the task definition that the color ran before.
    pub(crate) previous_task_definition: Option<String>,
    /// The deployment's id.
    pub(crate) deployment: Option<String>,
    /// Whether the input `image` was empty and no other input changed anything.
    pub(crate) empty_image: bool,
    /// The rollback of the last hour that this one undoes: the color that it sent users to, and how long ago.
    pub(crate) undoes: Option<(Color, Duration)>,
    /// What was planned.
    pub(crate) plan: Option<Planned>,
    /// What the goal of a killed run lacks, as its post step found it.
    pub(crate) lacks: Option<Box<Lacks>>,
    /// The cause of a failure.
    pub(crate) cause: Cause,
    /// Links to logs.
    pub(crate) logs: Vec<LogLink>,
    /// Healthy targets at a good end.
    pub(crate) healthy: Option<u32>,
    /// The change of traffic, where there is one.
    pub(crate) traffic: Option<Box<Brief>>,
    /// ARNs of the production rules that a killed run had found, for its post step.
    pub(crate) rules: Vec<String>,
    /// Whether a promote left the color without users at its size, because stickiness may hold users there for longer
    /// than the run may wait.
    pub(crate) stays_at_size: bool,
    /// The color without users that a promote left at its size, because a deployment is under way there.
    pub(crate) stays_busy: Option<Color>,
    /// The color with all users that does not scale in again yet, because its low alarm looks back for so long, which is
    /// longer than the run may wait.
    pub(crate) stays_suspended: Option<(Color, Duration)>,
    /// What a forced change left short of healthy targets.
    pub(crate) shortfall: Vec<Capacity>,
    /// The colors whose automatic scaling a forced change had to leave as it was.
    pub(crate) unscaled: Vec<Color>,
    /// What a change of traffic put back, where that is known.
    pub(crate) put_back: Option<PutBack>,
    /// What stands at the end.
    pub(crate) overview: Option<Overview>,
    /// How long the run took.
    pub(crate) duration: Duration,
}

impl Report {
    /// A report with nothing in it yet: refused and untouched, until the run says otherwise.
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

    /// Takes over what was seen: the overview, and the split in it, where there is one.
    pub(crate) fn see(&mut self, overview: Overview) {
        self.split = overview.known_split();
        (self.stale, self.overview) = (false, Some(overview));
    }

    /// Takes over what was seen before the end. Where it is not known what the run left, nor is the split.
    pub(crate) fn see_before_the_end(&mut self, overview: Overview) {
        self.see(overview);
        self.stale = true;
        let unread = matches!(self.refusal, Some(Refusal::Unread(_)));
        if self.left == Left::Unknown || unread {
            self.split = None;
        }
    }

    /// Not begun: why.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.outcome = Outcome::Refused;
        self.reason = Some(Reason::of_refusal(&refusal));
        self.refusal = Some(refusal);
    }

    /// Not begun: what is wrong with what the user wrote.
    pub(crate) fn problems(&mut self, problems: Vec<Problem>) {
        self.outcome = Outcome::Refused;
        self.reason = Some(Reason::BadInput);
        self.problems = problems;
    }

    /// Not begun: a failure in words.
    pub(crate) fn fail(&mut self, failure: Failure) {
        self.outcome = Outcome::Refused;
        self.reason = Some(failure.reason);
        self.failure = Some(failure);
    }

    /// The action itself failed: what the run left is not known.
    pub(crate) fn break_off(&mut self, failure: Failure) {
        self.fail(failure);
        (self.outcome, self.left) = (Outcome::Failed, Left::Unknown);
    }

    /// A signal ended the run before it changed anything.
    pub(crate) fn cancel(&mut self) {
        self.outcome = Outcome::Cancelled;
        self.reason = Some(Reason::Cancelled);
        self.failing = Some(Failing::Cancelled);
    }

    /// How a deploy that was begun ended.
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
