//! The operation that one loop drives: a goal, and the run's memory of earlier steps.

use super::aws_error::{AwsError, AwsResult};
use super::cause::Cause;
use super::color::{Color, Split};
use super::deploy::{self, Situation};
use super::failures::{first_of_deployment, first_of_scale_up};
use super::overview::needs_history;
use super::read_scope::ReadScope;
use super::repeats::{Budget, Repeats};
use super::run::{self, Answer, RestoreStarted};
use super::snapshot::Snapshot;
use super::step::{
    End, EndStateReason, Follow, Left, Next, Purpose, RunFailure, Step, Update, Wait, Weights,
};
use super::time::{CallTime, Time};
use super::traffic;
use super::verdict::Restorer;

/// A running operation.
pub(crate) trait Operation {
    /// Notes a new look, and decides the next action.
    fn decide(&mut self, seen: &AwsResult<Snapshot>, now: Time) -> Next;

    /// True if the rules alone, read with the last write, decide another write of weights. The memory does not change.
    fn goes_on_with_weights(&self, _seen: &AwsResult<Snapshot>, _now: Time) -> bool {
        false
    }

    /// The parts of AWS to read for the next decision.
    fn look(&self) -> ReadScope;

    /// The parts to read for the end of the run and the report.
    fn last_look(&self) -> ReadScope;

    /// True if the rules must be read once more right before a step. The read behind the decision may be old.
    fn is_bound_to_rules(&self, _step: &Step) -> bool {
        false
    }

    /// The decision that new rules put in place of a step. None: the step is allowed.
    fn stopped_by_rules(&self, _seen: &Snapshot, _now: Time) -> Option<Next> {
        None
    }

    /// A step that was decided, and up to `most` steps in all that may be done with it: writes of other rules of the same
    /// change. Each is what would be decided next if the ones before it had their effect, and needs nothing of them.
    fn ahead(&self, step: &Step, _seen: &Snapshot, _at: (usize, Time)) -> Vec<Step> {
        vec![step.clone()]
    }

    /// Notes the state right before a write.
    fn before(&mut self, step: &Step, seen: &Snapshot);

    /// Notes the answer of a step.
    fn answered(&mut self, step: &Step, answer: AwsResult<Answer>, call: CallTime);

    /// Makes this deployment the run's own.
    fn follow(&mut self, follow: Follow);

    /// Starts the restore.
    fn start_restore(&mut self, failing: RunFailure, recovery: Restorer, at: Time);

    /// Notes that a poll interval passed.
    fn waited(&mut self);

    /// Notes that a signal arrived.
    fn cancel(&mut self, at: Time);

    /// True after a signal.
    fn is_cancelled(&self) -> bool;

    /// The color and cause of the first task that failed since the awaited change, if this look shows such a task.
    fn first_failure(&self, _seen: &Snapshot) -> Option<(Color, Cause)> {
        None
    }

    /// Start of the awaited change.
    fn started(&self) -> Time;

    /// True if another part follows this end. The next part has then begun.
    fn goes_on(&mut self, _end: &End, _now: Time) -> bool {
        false
    }

    /// The split that an earlier part of the operation left.
    fn left(&self) -> Option<Split> {
        None
    }

    /// The deploy under way, if the operation is a deploy.
    fn deploying(&self) -> Option<&DeployOperation<'_>> {
        None
    }

    /// The change of traffic under way, if the operation changes traffic.
    fn moving(&self) -> Option<&TrafficOperation<'_>> {
        None
    }
}

/// Limits repeated writes to a budget. A restore without budget ends.
fn within_budget(
    next: Next,
    (repeats, turned): (&Repeats, Option<&RestoreStarted>),
    (seen, now): (&AwsResult<Snapshot>, Time),
) -> Next {
    let Next::Step(step) = &next else { return next };
    match repeats.budget(step, seen.as_ref().ok(), now) {
        Budget::Send => next,
        Budget::Pause => Next::Wait(Wait::Repeat(Box::new(step.clone()))),
        Budget::Spent(unkept) => match turned {
            None => Next::Restore(RunFailure::Repeated(unkept), Restorer::ThisRun),
            Some(turned) => Next::Done(End::Bad {
                failing: turned.failing.clone(),
                left: Left::Unknown,
                because: EndStateReason::Repeated(unkept),
            }),
        },
    }
}

/// True if the run restores because of a cancellation.
fn is_cancelled(turned: Option<&RestoreStarted>) -> bool {
    turned.is_some_and(|turned| turned.failing == RunFailure::Cancelled)
}

/// Requires a whole look for an end. The look holds all facts of the report, so that no later read contradicts the
/// report (invariant 42): also the service deployments, if only they tell a deployment from a changed count. A cancelled
/// run has no time for another look.
fn on_whole_look(next: Next, seen: &AwsResult<Snapshot>, (look, is_cancelled): (ReadScope, bool)) -> Next {
    let ends = matches!(next, Next::Done(_) | Next::Refuse(_));
    let is_partial = seen.as_ref().is_ok_and(|snapshot| !snapshot.is_whole());
    let causes = seen.as_ref().is_ok_and(needs_history);
    let reads = ends && (is_partial || causes) && !is_cancelled;
    if reads { Next::Read(ReadScope { causes: look.causes || causes, ..look }) } else { next }
}

/// A running deploy.
#[derive(Clone, Debug)]
pub(crate) struct DeployOperation<'a> {
    /// The goal.
    pub(crate) goal: &'a deploy::Goal,
    /// The service's name.
    pub(crate) service: &'a str,
    /// The run's memory.
    pub(crate) run: run::Run,
}

impl DeployOperation<'_> {
    /// Decides the next action in this situation, by the memory so far.
    fn next(&self, look: &Result<Situation<'_>, &AwsError>, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        let next = deploy::next_deploy_action(look, self.goal, &self.run, now);
        let next = within_budget(next, (&self.run.repeats, self.run.failing.as_ref()), (seen, now));
        on_whole_look(next, seen, (self.last_look(), is_cancelled(self.run.failing.as_ref())))
    }
}

impl Operation for DeployOperation<'_> {
    fn decide(&mut self, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        if let Ok(snapshot) = seen {
            self.run.repeats.saw_forms(snapshot, now);
        }
        let seen = &*self.run.repeats.with_own_forms(seen, now);
        let look = seen.as_ref().map(|snapshot| Situation::of(snapshot, self.goal));
        if let Ok(situation) = &look {
            self.run.saw(situation, self.goal, now);
        }
        self.next(&look, seen, now)
    }

    fn look(&self) -> ReadScope {
        if self.run.awaited.is_none() && self.run.failing.is_none() {
            return self.goal.look();
        }
        ReadScope::following(self.goal.color)
    }

    fn last_look(&self) -> ReadScope {
        self.goal.look()
    }

    fn is_bound_to_rules(&self, step: &Step) -> bool {
        // A live color, deployed to as the user allowed, may keep its users: only its count depends on them.
        let depends = |update: &Update| !self.goal.request.allow_live || update.desired.is_some();
        let bound = match step {
            Step::Update(update) => update.purpose == Purpose::Deploy && depends(update),
            Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_) => true,
            Step::Find { .. } | Step::Register { .. } | Step::Probe | Step::Weights(_) => false,
        };
        bound && self.goal.color != Color::Develop
    }

    fn stopped_by_rules(&self, seen: &Snapshot, now: Time) -> Option<Next> {
        let seen = Ok(seen.clone());
        let seen = &*self.run.repeats.with_own_forms(&seen, now);
        let look = seen.as_ref().map(|snapshot| Situation::of(snapshot, self.goal));
        Some(self.next(&look, seen, now))
    }

    fn before(&mut self, step: &Step, seen: &Snapshot) {
        let situation = Situation::of(seen, self.goal);
        let Some(service) = situation.service else { return };
        if let Step::Update(update) = step {
            self.run.note_users(&situation);
            self.run.before_update(service, update);
        }
        self.run.before_bounds(service, step);
    }

    fn answered(&mut self, step: &Step, answer: AwsResult<Answer>, call: CallTime) {
        self.run.answered(step, answer, call);
    }

    fn follow(&mut self, follow: Follow) {
        self.run.follow(follow);
    }

    fn start_restore(&mut self, failing: RunFailure, recovery: Restorer, at: Time) {
        self.run.start_restore(failing, recovery, at);
    }

    fn waited(&mut self) {
        self.run.waited();
    }

    fn cancel(&mut self, at: Time) {
        self.run.cancelled = Some(at);
    }

    fn is_cancelled(&self) -> bool {
        self.run.cancelled.is_some()
    }

    fn first_failure(&self, seen: &Snapshot) -> Option<(Color, Cause)> {
        let awaited = self.run.awaited.as_ref().filter(|_| self.run.failing.is_none())?;
        first_of_deployment(seen, self.goal.color, awaited)
    }

    fn started(&self) -> Time {
        self.run.awaited.as_ref().map_or(self.run.began, |awaited| awaited.started)
    }

    fn deploying(&self) -> Option<&DeployOperation<'_>> {
        Some(self)
    }
}

/// The kind of a write, equal for all writes of one change: weights or an adopted group, forward or restore.
fn kind(weights: &Weights) -> (bool, Purpose) {
    (weights.adopts.is_some(), weights.purpose)
}

/// A running change of traffic.
#[derive(Clone, Debug)]
pub(crate) struct TrafficOperation<'a> {
    /// The goal.
    pub(crate) goal: &'a traffic::Goal,
    /// The run's memory.
    pub(crate) run: traffic::Run,
}

impl TrafficOperation<'_> {
    /// Applies the rules of every operation to a decision.
    fn guard(&self, next: Next, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        let next = within_budget(next, (&self.run.repeats, self.run.failing.as_ref()), (seen, now));
        on_whole_look(next, seen, (self.last_look(), is_cancelled(self.run.failing.as_ref())))
    }
}

impl Operation for TrafficOperation<'_> {
    fn decide(&mut self, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        if let Ok(snapshot) = seen {
            self.run.repeats.saw_forms(snapshot, now);
        }
        let seen = &*self.run.repeats.with_own_forms(seen, now);
        let next = traffic::next_traffic_action(seen, self.goal, &mut self.run, now);
        self.guard(next, seen, now)
    }

    fn goes_on_with_weights(&self, seen: &AwsResult<Snapshot>, now: Time) -> bool {
        let seen = &*self.run.repeats.with_own_forms(seen, now);
        let next = traffic::peek_traffic_action(seen, self.goal, &self.run, now);
        matches!(self.guard(next, seen, now), Next::Step(Step::Weights(_)))
    }

    fn look(&self) -> ReadScope {
        // A run that waits for tasks also reads the reasons of stopped tasks.
        let starting = match self.run.progress.phase {
            traffic::Phase::Prepare => true,
            traffic::Phase::Shift | traffic::Phase::Bake => !self.run.counts.is_empty(),
            traffic::Phase::Arrived(_) => false,
        };
        let alarms = !self.goal.wish.alarms.is_empty();
        ReadScope { alarms, causes: starting, definitions: false, ..self.goal.look() }
    }

    fn last_look(&self) -> ReadScope {
        ReadScope { develop: true, ..self.goal.look() }
    }

    fn ahead(&self, step: &Step, seen: &Snapshot, (most, now): (usize, Time)) -> Vec<Step> {
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

    fn before(&mut self, step: &Step, seen: &Snapshot) {
        self.run.before(step, seen, self.goal);
    }

    fn answered(&mut self, step: &Step, answer: AwsResult<Answer>, call: CallTime) {
        self.run.answered(step, &answer, self.goal, call);
    }

    fn follow(&mut self, _follow: Follow) {}

    fn start_restore(&mut self, failing: RunFailure, _recovery: Restorer, at: Time) {
        self.run.start_restore(failing, at);
    }

    fn waited(&mut self) {}

    fn cancel(&mut self, at: Time) {
        self.run.cancelled = Some(at);
    }

    fn is_cancelled(&self) -> bool {
        self.run.cancelled.is_some()
    }

    fn first_failure(&self, seen: &Snapshot) -> Option<(Color, Cause)> {
        self.run.failing.is_none().then(|| first_of_scale_up(seen, self.run.acted))?
    }

    fn started(&self) -> Time {
        self.run.began
    }

    fn moving(&self) -> Option<&TrafficOperation<'_>> {
        Some(self)
    }
}
