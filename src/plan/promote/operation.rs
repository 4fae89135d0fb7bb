//! The phases in sequence, as one operation.

use super::Phase;
use crate::plan::aws_error::AwsResult;
use crate::plan::cause::Cause;
use crate::plan::color::{Color, Split};
use crate::plan::operation::{DeployOperation, Operation, TrafficOperation};
use crate::plan::read_scope::ReadScope;
use crate::plan::repeats::Repeats;
use crate::plan::run::{self, Answer};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{End, Follow, Next, RunFailure, Step, TrafficFailure};
use crate::plan::time::{CallTime, Time};
use crate::plan::traffic;
use crate::plan::verdict::Restorer;
use crate::plan::wiring::{apart_of_snapshot, rule_name};

/// A running promote.
#[derive(Clone, Debug)]
pub(crate) struct PromoteOperation<'a> {
    /// The phases.
    phases: &'a [Phase],
    /// Index of the current phase.
    at: usize,
    /// State of the current phase.
    current: Current<'a>,
    /// True if an earlier phase changed something.
    pub(crate) changed: bool,
    /// The split after the last change of traffic. Any other split is another user's.
    left: Option<Split>,
    /// The deployment of an earlier phase.
    deployment: Option<String>,
    /// The color and the task definition of that deployment.
    deployed: Option<(Color, String)>,
}

/// The current phase.
#[derive(Clone, Debug)]
enum Current<'a> {
    /// A change of traffic.
    Move(Box<TrafficOperation<'a>>),
    /// A deploy.
    Deploy(Box<DeployOperation<'a>>),
}

impl<'a> Current<'a> {
    /// Begins a phase. The budget for equal writes is the run's, not the phase's.
    fn begin(phase: &'a Phase, now: Time, repeats: Repeats) -> Current<'a> {
        match phase {
            Phase::Move(goal) => {
                let run = traffic::Run { repeats, ..traffic::Run::begin(now) };
                Current::Move(Box::new(TrafficOperation { goal, run }))
            }
            Phase::Deploy(goal, service) => {
                let run = run::Run { repeats, ..run::Run::begin(now) };
                Current::Deploy(Box::new(DeployOperation { goal, service, run }))
            }
        }
    }

    /// The writes of the run so far.
    fn repeats(&self) -> Repeats {
        match self {
            Current::Move(moving) => moving.run.repeats.clone(),
            Current::Deploy(deploying) => deploying.run.repeats.clone(),
        }
    }
}

impl<'a> PromoteOperation<'a> {
    /// Begins a promote. None without a phase.
    pub(crate) fn begin(phases: &'a [Phase], now: Time) -> Option<PromoteOperation<'a>> {
        let current = Current::begin(phases.first()?, now, Repeats::default());
        let (left, deployment, deployed) = (None, None, None);
        Some(PromoteOperation { phases, at: 0, current, changed: false, left, deployment, deployed })
    }

    /// True during the last phase.
    pub(crate) fn is_last(&self) -> bool {
        self.at + 1 == self.phases.len()
    }

    /// The id of the deployment that the run followed.
    pub(crate) fn deployment(&self) -> Option<String> {
        let now = self.deploying().and_then(|deploying| deploying.run.awaited.as_ref()?.id.clone());
        now.or_else(|| self.deployment.clone())
    }

    /// The split that the run itself wrote. None if the written rules differ.
    pub(crate) fn split(&self) -> Option<Split> {
        let Current::Move(moving) = &self.current else { return self.left };
        let mut written = moving.run.written.values().map(|written| written.split);
        let first = written.next();
        let same = first.filter(|first| written.all(|split| split.same_ratio(*first)));
        if first.is_some() { same } else { self.left }
    }

    /// Ends the run if another user changed the split since an earlier phase (invariant 6).
    fn overtaken(&self, seen: &AwsResult<Snapshot>) -> Option<Next> {
        let (Current::Move(moving), Ok(snapshot)) = (&self.current, seen) else { return None };
        let run = &moving.run;
        let expected = self.left.filter(|_| run.written.is_empty() && run.failing.is_none())?;
        let wiring = apart_of_snapshot(snapshot, moving.goal.listener.as_ref())?.ok()?;
        let rule = wiring.production.iter().find(|rule| !rule.split.same_ratio(expected))?;
        let rule = TrafficFailure::Overtaken { rule: rule_name(&rule.rule), expected, found: rule.split };
        Some(Next::Restore(RunFailure::Traffic(rule), Restorer::ThisRun))
    }

    /// Ends the run if another user changed what an earlier phase left.
    fn ended_by_others(&self, seen: &AwsResult<Snapshot>) -> Option<Next> {
        self.overtaken(seen).or_else(|| self.redeployed(seen))
    }

    /// Ends the run if another user deployed to the color since this run's own deployment: users would get a version that
    /// this run did not prove.
    fn redeployed(&self, seen: &AwsResult<Snapshot>) -> Option<Next> {
        let (Current::Move(moving), Ok(snapshot)) = (&self.current, seen) else { return None };
        let (color, expected) = self.deployed.as_ref().filter(|_| moving.run.failing.is_none())?;
        let found = &snapshot.service(*color)?.task_definition;
        let failure =
            || TrafficFailure::Redeployed { color: *color, expected: expected.clone(), found: found.clone() };
        (found != expected).then(|| Next::Restore(RunFailure::Traffic(failure()), Restorer::ThisRun))
    }

    /// The current phase.
    fn operation(&self) -> &dyn Operation {
        match &self.current {
            Current::Move(moving) => moving.as_ref(),
            Current::Deploy(deploying) => deploying.as_ref(),
        }
    }

    /// The current phase, mutable.
    fn operation_mut(&mut self) -> &mut (dyn Operation + 'a) {
        match &mut self.current {
            Current::Move(moving) => moving.as_mut(),
            Current::Deploy(deploying) => deploying.as_mut(),
        }
    }
}

impl Operation for PromoteOperation<'_> {
    fn decide(&mut self, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        let next = self.operation_mut().decide(seen, now);
        self.ended_by_others(seen).unwrap_or(next)
    }

    fn goes_on_with_weights(&self, seen: &AwsResult<Snapshot>, now: Time) -> bool {
        self.ended_by_others(seen).is_none() && self.operation().goes_on_with_weights(seen, now)
    }

    fn look(&self) -> ReadScope {
        self.operation().look()
    }

    fn last_look(&self) -> ReadScope {
        self.operation().last_look()
    }

    fn is_bound_to_rules(&self, step: &Step) -> bool {
        self.operation().is_bound_to_rules(step)
    }

    fn stopped_by_rules(&self, seen: &Snapshot, now: Time) -> Option<Next> {
        self.operation().stopped_by_rules(seen, now)
    }

    fn ahead(&self, step: &Step, seen: &Snapshot, at: (usize, Time)) -> Vec<Step> {
        self.operation().ahead(step, seen, at)
    }

    fn before(&mut self, step: &Step, seen: &Snapshot) {
        self.operation_mut().before(step, seen);
    }

    fn answered(&mut self, step: &Step, answer: AwsResult<Answer>, call: CallTime) {
        self.operation_mut().answered(step, answer, call);
    }

    fn follow(&mut self, follow: Follow) {
        self.operation_mut().follow(follow);
    }

    fn start_restore(&mut self, failing: RunFailure, recovery: Restorer, at: Time) {
        self.operation_mut().start_restore(failing, recovery, at);
    }

    fn waited(&mut self) {
        self.operation_mut().waited();
    }

    fn cancel(&mut self, at: Time) {
        self.operation_mut().cancel(at);
    }

    fn is_cancelled(&self) -> bool {
        self.operation().is_cancelled()
    }

    fn first_failure(&self, seen: &Snapshot) -> Option<(Color, Cause)> {
        self.operation().first_failure(seen)
    }

    fn started(&self) -> Time {
        self.operation().started()
    }

    fn goes_on(&mut self, end: &End, now: Time) -> bool {
        let End::Good { changed, .. } = end else { return false };
        let Some(phase) = self.phases.get(self.at + 1) else { return false };
        self.changed |= changed;
        match &self.current {
            Current::Move(moving) => self.left = Some(moving.goal.wish.to),
            Current::Deploy(deploying) => {
                let awaited = deploying.run.awaited.as_ref();
                self.deployed =
                    awaited.map(|awaited| (deploying.goal.color, awaited.task_definition.clone()));
                self.deployment = self.deployment();
            }
        }
        self.at += 1;
        self.current = Current::begin(phase, now, self.current.repeats());
        true
    }

    fn left(&self) -> Option<Split> {
        self.left
    }

    fn deploying(&self) -> Option<&DeployOperation<'_>> {
        match &self.current {
            Current::Deploy(deploying) => Some(deploying),
            Current::Move(_) => None,
        }
    }

    fn moving(&self) -> Option<&TrafficOperation<'_>> {
        match &self.current {
            Current::Move(moving) => Some(moving),
            Current::Deploy(_) => None,
        }
    }
}
