//! A change of traffic as an operation.

use crate::plan::aws_error::AwsResult;
use crate::plan::cause::{Cause, gather_cause};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::failures::first_of_scale_up;
use crate::plan::read_scope::ReadScope;
use crate::plan::run_memory::Answer;
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{Next, Purpose, RunFailure, Step, TrafficFailure, Weights};
use crate::plan::time::Time;
use crate::plan::traffic::{self, Goal, Run};
use crate::plan::verdict::OwnDeployment;

/// A running change of traffic.
#[derive(Clone, Debug)]
pub(crate) struct TrafficOperation<'a> {
    /// The goal.
    pub(crate) goal: &'a Goal,
    /// The run's memory.
    pub(crate) run: Run,
}

impl TrafficOperation<'_> {
    /// Notes a new look, and decides the next action.
    pub(crate) fn decide(&mut self, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        if let Ok(snapshot) = seen {
            self.run.memory.repeats.saw_forms(snapshot, now);
        }
        let seen = &*self.run.memory.repeats.with_own_forms(seen, now);
        let next = traffic::next_traffic_action(seen, self.goal, &mut self.run, now);
        self.run.memory.guard(next, (seen, now), self.last_look())
    }

    /// True if the rules alone, read with the last write, decide another write of weights. The memory does not change.
    pub(super) fn goes_on_with_weights(&self, seen: &AwsResult<Snapshot>, now: Time) -> bool {
        let seen = &*self.run.memory.repeats.with_own_forms(seen, now);
        let next = traffic::peek_traffic_action(seen, self.goal, &self.run, now);
        let next = self.run.memory.guard(next, (seen, now), self.last_look());
        matches!(next, Next::Step(Step::Weights(_)))
    }

    /// The parts of AWS to read for the next decision.
    pub(crate) fn look(&self) -> ReadScope {
        // A run that waits for tasks also reads the reasons of stopped tasks.
        let starting = match self.run.progress.phase {
            traffic::Phase::Prepare => true,
            traffic::Phase::Shift | traffic::Phase::Bake => !self.run.counts.is_empty(),
            traffic::Phase::Arrived(_) => false,
        };
        let alarms = !self.goal.wish.alarms.is_empty();
        ReadScope { alarms, causes: starting, definitions: false, ..self.goal.look() }
    }

    /// The parts to read for the end of the run and the report.
    pub(super) fn last_look(&self) -> ReadScope {
        ReadScope { develop: true, ..self.goal.look() }
    }

    /// A step that was decided, and up to `most` steps in all that may be done with it: writes of other rules of the same
    /// change. Each is what would be decided next if the ones before it had their effect, and needs nothing of them.
    pub(crate) fn ahead(&self, step: &Step, seen: &Snapshot, (most, now): (usize, Time)) -> Vec<Step> {
        let (mut ahead, mut seen, mut all) = (self.clone(), seen.clone(), vec![step.clone()]);
        while let (Some(step @ Step::Weights(last)), true) = (all.last(), all.len() < most) {
            ahead.before(step, &seen);
            ahead.run.answered(step, &Ok(Answer::Changed), self.goal, now);
            traffic::predict_step(&mut seen, step);
            let read = Ok(seen);
            let Next::Step(Step::Weights(next)) = ahead.decide(&read, now) else { break };
            let known = |step: &Step| matches!(step, Step::Weights(one) if one.rule == next.rule);
            if kind(last) != kind(&next) || all.iter().any(known) {
                break;
            }
            all.push(Step::Weights(next));
            let Ok(predicted) = read else { break };
            seen = predicted;
        }
        all
    }

    /// Notes the state right before a write.
    pub(crate) fn before(&mut self, step: &Step, seen: &Snapshot) {
        self.run.before(step, seen, self.goal);
    }

    /// The color and cause of the first task that failed since the last change, if this look shows such a task.
    pub(super) fn first_failure(&self, seen: &Snapshot) -> Option<(ServiceColor, Cause)> {
        self.run.memory.failing.is_none().then(|| first_of_scale_up(seen, self.run.acted))?
    }

    /// The target split, once this run's writes brought all users there, and until a restore.
    pub(super) fn arrived(&self) -> Option<Split> {
        let (run, to) = (&self.run, self.goal.wish.to);
        let ours =
            !run.written.is_empty() && run.written.values().all(|written| written.split.same_ratio(to));
        (run.progress.arrived().is_some() && ours && run.memory.failing.is_none()).then_some(to)
    }

    /// The split that this run wrote last: none without a write, and no split if the written rules differ.
    pub(super) fn written_split(&self) -> Option<Option<Split>> {
        let mut written = self.run.written.values().map(|written| written.split);
        let first = written.next()?;
        Some(written.all(|split| split.same_ratio(first)).then_some(first))
    }

    /// The color whose tasks a failure is about.
    pub(super) fn short_color(failing: &RunFailure) -> Option<Color> {
        match failing {
            RunFailure::Traffic(TrafficFailure::NotEnough(short) | TrafficFailure::Sick(short)) => {
                Some(short.color)
            }
            RunFailure::Traffic(_)
            | RunFailure::Deployment(_)
            | RunFailure::Probe(_)
            | RunFailure::Cancelled
            | RunFailure::Repeated(_) => None,
        }
    }

    /// The reason why a color's tasks are not healthy, by a look at the service.
    pub(super) fn cause(&self, service: &Service, failing: &RunFailure) -> Cause {
        let awaited = OwnDeployment::of_count(service, self.run.acted);
        gather_cause(Some(service), Some(&awaited), &[], failing)
    }
}

/// The kind of a write, equal for all writes of one change: weights or an adopted group, forward or restore.
fn kind(weights: &Weights) -> (bool, Purpose) {
    (weights.adopts.is_some(), weights.purpose)
}
