//! One run as the loop drives it: phases in sequence. A deploy and a change of traffic have one phase, a copy three.

mod deploy;
mod traffic;

pub(crate) use self::deploy::DeployOperation;
pub(crate) use self::traffic::TrafficOperation;
use super::aws_error::AwsResult;
use super::cause::Cause;
use super::color::{Color, ServiceColor, Split};
use super::definition::Content;
use super::promote::Phase;
use super::read_scope::ReadScope;
use super::repeats::Repeats;
use super::run;
use super::run_memory::{Answer, RunMemory};
use super::snapshot::{Service, Snapshot};
use super::step::{End, Follow, Next, RunFailure, Step, TrafficFailure};
use super::time::{CallTime, Time};
use super::traffic::InitialTraffic;
use super::verdict::Restorer;
use super::wiring::{apart_of_snapshot, rule_name};

/// A running operation: the current phase, and the facts that outlast a phase.
#[derive(Clone, Debug)]
pub(crate) struct Operation<'a> {
    /// The current phase.
    current: CurrentPhase<'a>,
    /// The phases that follow.
    rest: &'a [Phase],
    /// True if an earlier phase changed something.
    pub(crate) changed: bool,
    /// The split that an earlier phase left. Any other split is another user's.
    left: Option<Split>,
    /// The deployment of an earlier phase.
    deployment: Option<String>,
    /// The color and the task definition of that deployment.
    deployed: Option<(Color, String)>,
}

/// The current phase.
#[derive(Clone, Debug)]
pub(crate) enum CurrentPhase<'a> {
    /// A change of traffic.
    Traffic(Box<TrafficOperation<'a>>),
    /// A deploy.
    Deploy(Box<DeployOperation<'a>>),
}

use CurrentPhase::{Deploy, Traffic};

impl<'a> CurrentPhase<'a> {
    /// Begins a phase. The budget for equal writes is the run's, not the phase's.
    fn begin(phase: &'a Phase, now: Time, repeats: Repeats) -> CurrentPhase<'a> {
        let memory = RunMemory { repeats, ..RunMemory::begin(now) };
        match phase {
            Phase::Move(goal) => {
                let run = super::traffic::Run { memory, ..super::traffic::Run::begin(now) };
                Traffic(Box::new(TrafficOperation { goal, run }))
            }
            Phase::Deploy(goal, service) => {
                let run = run::Run { memory, ..run::Run::begin(now) };
                Deploy(Box::new(DeployOperation { goal, service, run }))
            }
        }
    }
}

impl<'a> From<DeployOperation<'a>> for Operation<'a> {
    fn from(deploying: DeployOperation<'a>) -> Operation<'a> {
        Operation::of_one(Deploy(Box::new(deploying)))
    }
}

impl<'a> From<TrafficOperation<'a>> for Operation<'a> {
    fn from(moving: TrafficOperation<'a>) -> Operation<'a> {
        Operation::of_one(Traffic(Box::new(moving)))
    }
}

impl<'a> Operation<'a> {
    /// An operation of one phase.
    fn of_one(current: CurrentPhase<'a>) -> Operation<'a> {
        Operation { current, rest: &[], changed: false, left: None, deployment: None, deployed: None }
    }

    /// Begins a promote. None without a phase.
    pub(crate) fn begin(phases: &'a [Phase], now: Time) -> Option<Operation<'a>> {
        let (first, rest) = phases.split_first()?;
        let current = CurrentPhase::begin(first, now, Repeats::default());
        Some(Operation { rest, ..Operation::of_one(current) })
    }

    /// The current phase.
    pub(crate) fn current(&self) -> &CurrentPhase<'a> {
        &self.current
    }

    /// The current phase's memory.
    fn memory(&self) -> &RunMemory {
        match &self.current {
            Traffic(moving) => &moving.run.memory,
            Deploy(deploying) => &deploying.run.memory,
        }
    }

    /// Notes a new look, and decides the next action.
    pub(crate) fn decide(&mut self, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        let next = match &mut self.current {
            Traffic(moving) => moving.decide(seen, now),
            Deploy(deploying) => deploying.decide(seen, now),
        };
        self.ended_by_others(seen).unwrap_or(next)
    }

    /// Ends the run if another user changed what an earlier phase left.
    fn ended_by_others(&self, seen: &AwsResult<Snapshot>) -> Option<Next> {
        self.overtaken(seen).or_else(|| self.redeployed(seen))
    }

    /// Ends the run if another user deployed to the color since this run's own deployment: users would get a version that
    /// this run did not prove.
    fn redeployed(&self, seen: &AwsResult<Snapshot>) -> Option<Next> {
        let (Traffic(moving), Ok(snapshot)) = (&self.current, seen) else { return None };
        let (color, expected) = self.deployed.as_ref().filter(|_| moving.run.memory.failing.is_none())?;
        let found = &snapshot.service(*color)?.task_definition;
        let failure =
            || TrafficFailure::Redeployed { color: *color, expected: expected.clone(), found: found.clone() };
        (found != expected).then(|| Next::Restore(RunFailure::Traffic(failure()), Restorer::ThisRun))
    }

    /// Ends the run if another user changed the split since an earlier phase (invariant 6).
    fn overtaken(&self, seen: &AwsResult<Snapshot>) -> Option<Next> {
        let (Traffic(moving), Ok(snapshot)) = (&self.current, seen) else { return None };
        let run = &moving.run;
        let expected = self.left.filter(|_| run.written.is_empty() && run.memory.failing.is_none())?;
        let wiring = apart_of_snapshot(snapshot, moving.goal.listener.as_ref())?.ok()?;
        let rule = wiring.production.iter().find(|rule| !rule.split.same_ratio(expected))?;
        let rule = TrafficFailure::Overtaken { rule: rule_name(&rule.rule), expected, found: rule.split };
        Some(Next::Restore(RunFailure::Traffic(rule), Restorer::ThisRun))
    }

    /// True if the rules alone, read with the last write, decide another write of weights. The memory does not change.
    pub(crate) fn goes_on_with_weights(&self, seen: &AwsResult<Snapshot>, now: Time) -> bool {
        match &self.current {
            Traffic(moving) => self.ended_by_others(seen).is_none() && moving.goes_on_with_weights(seen, now),
            Deploy(_) => false,
        }
    }

    /// The parts of AWS to read for the next decision.
    pub(crate) fn look(&self) -> ReadScope {
        match &self.current {
            Traffic(moving) => moving.look(),
            Deploy(deploying) => deploying.look(),
        }
    }

    /// The parts to read for the end of the run and the report.
    pub(crate) fn last_look(&self) -> ReadScope {
        match &self.current {
            Traffic(moving) => moving.last_look(),
            Deploy(deploying) => deploying.last_look(),
        }
    }

    /// True if the rules must be read once more right before a step. The read behind the decision may be old.
    pub(crate) fn is_bound_to_rules(&self, step: &Step) -> bool {
        match &self.current {
            Traffic(_) => false,
            Deploy(deploying) => deploying.is_bound_to_rules(step),
        }
    }

    /// The decision that new rules put in place of a step. None: the step is allowed.
    pub(crate) fn stopped_by_rules(&self, seen: &Snapshot, now: Time) -> Option<Next> {
        match &self.current {
            Traffic(_) => None,
            Deploy(deploying) => Some(deploying.stopped_by_rules(seen, now)),
        }
    }

    /// A step that was decided, and up to `most` steps in all that may be done with it: writes of other rules of the same
    /// change.
    pub(crate) fn ahead(&self, step: &Step, seen: &Snapshot, at: (usize, Time)) -> Vec<Step> {
        match &self.current {
            Traffic(moving) => moving.ahead(step, seen, at),
            Deploy(_) => vec![step.clone()],
        }
    }

    /// Notes the state right before a write.
    pub(crate) fn before(&mut self, step: &Step, seen: &Snapshot) {
        match &mut self.current {
            Traffic(moving) => moving.before(step, seen),
            Deploy(deploying) => deploying.before(step, seen),
        }
    }

    /// Notes the answer of a step.
    pub(crate) fn answered(&mut self, step: &Step, answer: AwsResult<Answer>, call: CallTime) {
        match &mut self.current {
            Traffic(moving) => moving.run.answered(step, &answer, moving.goal, call),
            Deploy(deploying) => deploying.run.answered(step, answer, call),
        }
    }

    /// Makes this deployment the run's own. Only a deploy decides that.
    pub(crate) fn follow(&mut self, follow: Follow) {
        match &mut self.current {
            Traffic(_) => {}
            Deploy(deploying) => deploying.run.follow(follow),
        }
    }

    /// Starts the restore.
    pub(crate) fn start_restore(&mut self, failing: RunFailure, recovery: Restorer, at: Time) {
        match &mut self.current {
            Traffic(moving) => moving.run.start_restore(failing, at),
            Deploy(deploying) => deploying.run.start_restore(failing, recovery, at),
        }
    }

    /// Notes that a poll interval passed.
    pub(crate) fn waited(&mut self) {
        match &mut self.current {
            Traffic(_) => {}
            Deploy(deploying) => deploying.run.waited(),
        }
    }

    /// Notes that a signal arrived.
    pub(crate) fn cancel(&mut self, at: Time) {
        let memory = match &mut self.current {
            Traffic(moving) => &mut moving.run.memory,
            Deploy(deploying) => &mut deploying.run.memory,
        };
        memory.cancelled = Some(at);
    }

    /// True if the current phase changed something.
    pub(crate) fn has_changed(&self) -> bool {
        self.memory().changed
    }

    /// True after a signal.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.memory().cancelled.is_some()
    }

    /// The color and cause of the first task that failed since the awaited change, if this look shows such a task.
    pub(crate) fn first_failure(&self, seen: &Snapshot) -> Option<(ServiceColor, Cause)> {
        match &self.current {
            Traffic(moving) => moving.first_failure(seen),
            Deploy(deploying) => deploying.first_failure(seen),
        }
    }

    /// Start of the awaited change.
    pub(crate) fn started(&self) -> Time {
        match &self.current {
            Traffic(moving) => moving.run.memory.began,
            Deploy(deploying) => deploying.started(),
        }
    }

    /// Begins the next phase after a good end. False after the last phase, or a bad end.
    pub(crate) fn goes_on(&mut self, end: &End, now: Time) -> bool {
        let (End::Good { changed, .. }, Some((phase, rest))) = (end, self.rest.split_first()) else {
            return false;
        };
        self.changed |= changed;
        match &self.current {
            Traffic(moving) => self.left = Some(moving.goal.wish.to),
            Deploy(deploying) => {
                let awaited = deploying.run.awaited();
                let version = awaited.map(|awaited| awaited.task_definition.clone());
                self.deployed = deploying.goal.color.production().zip(version);
                self.deployment = self.deployment();
            }
        }
        self.current = CurrentPhase::begin(phase, now, self.memory().repeats.clone());
        self.rest = rest;
        true
    }
}

/// The facts for the loop's reports.
impl Operation<'_> {
    /// True during the last phase.
    pub(crate) fn is_last(&self) -> bool {
        self.rest.is_empty()
    }

    /// The split that an earlier phase left.
    pub(crate) fn left(&self) -> Option<Split> {
        self.left
    }

    /// The id of the deployment that the run followed.
    pub(crate) fn deployment(&self) -> Option<String> {
        let now = match &self.current {
            Traffic(_) => None,
            Deploy(deploying) => deploying.run.awaited().and_then(|awaited| awaited.id.clone()),
        };
        now.or_else(|| self.deployment.clone())
    }

    /// The split that the run itself wrote. None if the written rules differ.
    pub(crate) fn split(&self) -> Option<Split> {
        match &self.current {
            Traffic(moving) => moving.written_split().unwrap_or(self.left),
            Deploy(_) => self.left,
        }
    }

    /// The target split, once this run's writes brought all users there, and until a restore.
    pub(crate) fn arrived(&self) -> Option<Split> {
        match &self.current {
            Traffic(moving) => moving.arrived(),
            Deploy(_) => None,
        }
    }

    /// The desired count that another writer set on the deployed service.
    pub(crate) fn recounted(&self) -> Option<u32> {
        match &self.current {
            Traffic(_) => None,
            Deploy(deploying) => deploying.run.recounted(),
        }
    }

    /// The state of traffic at the first read.
    pub(crate) fn initial_traffic(&self) -> Option<&InitialTraffic> {
        match &self.current {
            Traffic(moving) => moving.run.found.as_ref(),
            Deploy(_) => None,
        }
    }

    /// The content that is deployed.
    pub(crate) fn content(&self) -> Option<&Content> {
        match &self.current {
            Traffic(_) => None,
            Deploy(deploying) => Some(&deploying.goal.content),
        }
    }

    /// The color to read for the cause of a failure. None if the failure has no cause in a color's tasks.
    pub(crate) fn failed_color(&self, failing: &RunFailure) -> Option<ServiceColor> {
        match &self.current {
            Traffic(_) => TrafficOperation::short_color(failing).map(ServiceColor::from),
            Deploy(deploying) => deploying.has_begun().then_some(deploying.goal.color),
        }
    }

    /// The cause of a failure by a look at the failed color, and the content of the failed tasks, if known.
    pub(crate) fn cause<'s>(
        &'s self,
        service: Option<&'s Service>,
        failing: &RunFailure,
    ) -> Option<(Cause, Option<&'s Content>)> {
        match &self.current {
            Traffic(moving) => {
                let service = service?;
                let revision = service.definition.as_ref().and_then(|read| read.as_ref().ok());
                Some((moving.cause(service, failing), revision.map(|revision| &revision.content)))
            }
            Deploy(deploying) => Some((deploying.cause(service, failing), Some(&deploying.goal.content))),
        }
    }
}
