//! The final report of a run, as data.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Lacks, LogLink, LogTail, Planned};
use crate::failure::{Failure, Outcome, Reason};
use crate::plan::cause::Cause;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::doctor::Finding;
use crate::plan::going_live::GoingLive;
use crate::plan::overview::Overview;
use crate::plan::problem::Problem;
use crate::plan::step::{Capacity, End, EndStateReason, Left, Refusal, RunFailure};
use crate::plan::traffic::TrafficPlan;

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
    pub(crate) color: Option<ServiceColor>,
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
    /// The last lines of the newest failed container, if read.
    pub(crate) log_tail: Option<LogTail>,
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
    /// The commits that go live with the run; none if no version of users changes.
    pub(crate) going_live: Option<Box<GoingLive>>,
    /// The final state.
    pub(crate) overview: Option<Overview>,
    /// The mistakes that `doctor` found; none for other commands.
    pub(crate) findings: Option<Vec<Finding>>,
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
            log_tail: None,
            healthy: None,
            traffic: None,
            rules: Vec::new(),
            stays_at_size: false,
            stays_busy: None,
            stays_suspended: None,
            shortfall: Vec::new(),
            unscaled: Vec::new(),
            put_back: None,
            going_live: None,
            overview: None,
            findings: None,
            duration: Duration::ZERO,
        }
    }

    /// True if the color of the deploy has users, as far as it is known: a deploy there needs `allow-live`.
    pub(crate) fn deploys_to_users(&self) -> bool {
        let color = self.color.and_then(ServiceColor::production);
        self.overview.as_ref().zip(color).is_some_and(|(overview, color)| overview.is_live(color, self.split))
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
