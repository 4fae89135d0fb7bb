//! What one loop drives to its end: a goal together with what the run remembers of its own steps.

use super::cause::Cause;
use super::color::{Color, Split};
use super::deploy;
use super::failures::{first_of_deployment, first_of_scale_up};
use super::look::Look;
use super::repeats::{Budget, Repeats};
use super::run::{self, Answer, Turned};
use super::snapshot::Snapshot;
use super::step::{Because, End, Failing, Follow, Left, Next, Purpose, Step, Wait, Weights};
use super::time::{CallTime, Time};
use super::traffic;
use super::trouble::Read;
use super::verdict::Recovery;

/// A goal on its way.
pub(crate) trait Course {
    /// Decides what is next.
    fn next(&self, seen: &Read<Snapshot>, now: Time) -> Next;

    /// What the next decision needs to see.
    fn look(&self) -> Look;

    /// What the end of the run is decided on and told from.
    fn last_look(&self) -> Look;

    /// Notes what was seen.
    fn saw(&mut self, seen: &Read<Snapshot>, now: Time);

    /// Whether the rules are read once more right before a step: the look that decided it may have taken long.
    fn is_bound_to_rules(&self, _step: &Step) -> bool {
        false
    }

    /// What new rules make of a step; none: it may be done.
    fn stopped_by_rules(&self, _seen: &Snapshot, _now: Time) -> Option<Next> {
        None
    }

    /// A step that was decided, and up to `most` steps in all that may be done with it: writes of other rules of the same
    /// change. Each is what would be decided next if the ones before it had their effect, and needs nothing of them.
    fn ahead(&self, step: &Step, _seen: &Snapshot, _at: (usize, Time)) -> Vec<Step> {
        vec![step.clone()]
    }

    /// Notes what is found right before a write.
    fn before(&mut self, step: &Step, seen: &Snapshot);

    /// Notes the answer of a step.
    fn answered(&mut self, step: &Step, answer: Read<Answer>, call: CallTime);

    /// From now on this deployment is the run's own.
    fn follow(&mut self, follow: Follow);

    /// Forward became back.
    fn turn(&mut self, failing: Failing, recovery: Recovery, at: Time);

    /// A poll interval passed.
    fn waited(&mut self);

    /// Notes that a signal came.
    fn cancel(&mut self, at: Time);

    /// Whether a signal came.
    fn is_cancelled(&self) -> bool;

    /// The first task that failed since what is waited for was begun, if this look shows one: its color and the cause.
    fn first_failure(&self, _seen: &Snapshot) -> Option<(Color, Cause)> {
        None
    }

    /// When what is waited for was begun.
    fn started(&self) -> Time;

    /// Whether there is more to do after this end; the next part has begun then.
    fn goes_on(&mut self, _end: &End, _now: Time) -> bool {
        false
    }

    /// Where an earlier part of it left users.
    fn left(&self) -> Option<Split> {
        None
    }

    /// The deploy that is under way, where it is one.
    fn deploying(&self) -> Option<&Deploying<'_>> {
        None
    }

    /// The change of traffic that is under way, where it is one.
    fn moving(&self) -> Option<&Moving<'_>> {
        None
    }
}

/// A decision within the budget for repeated writes. A way back whose budget is spent ends there.
fn within_budget(
    next: Next,
    (repeats, turned): (&Repeats, Option<&Turned>),
    (seen, now): (&Read<Snapshot>, Time),
) -> Next {
    let Next::Step(step) = &next else { return next };
    match repeats.budget(step, seen.as_ref().ok(), now) {
        Budget::Send => next,
        Budget::Pause => Next::Wait(Wait::Repeat(Box::new(step.clone()))),
        Budget::Spent(unkept) => match turned {
            None => Next::Turn(Failing::Repeated(unkept), Recovery::Ours),
            Some(turned) => Next::Done(End::Bad {
                failing: turned.failing.clone(),
                left: Left::Unknown,
                because: Because::Repeated(unkept),
            }),
        },
    }
}

/// Whether a run goes back because it was cancelled.
fn is_cancelled(turned: Option<&Turned>) -> bool {
    turned.is_some_and(|turned| turned.failing == Failing::Cancelled)
}

/// An end is decided on a look that holds all that a report tells, so that nothing read later contradicts the report
/// (invariant 42). A cancelled run has no time for one more look.
fn on_whole_look(next: Next, seen: &Read<Snapshot>, (look, is_cancelled): (Look, bool)) -> Next {
    let ends = matches!(next, Next::Done(_) | Next::Refuse(_));
    let is_partial = seen.as_ref().is_ok_and(|snapshot| !snapshot.is_whole());
    if ends && is_partial && !is_cancelled { Next::Look(look) } else { next }
}

/// A deploy on its way.
#[derive(Clone, Debug)]
pub(crate) struct Deploying<'a> {
    /// What is wanted.
    pub(crate) goal: &'a deploy::Goal,
    /// The service's name.
    pub(crate) service: &'a str,
    /// What the run remembers.
    pub(crate) run: run::Run,
}

impl Course for Deploying<'_> {
    fn next(&self, seen: &Read<Snapshot>, now: Time) -> Next {
        let seen = &*self.run.repeats.with_own_forms(seen, now);
        let next = deploy::next(seen, self.goal, &self.run, now);
        let next = within_budget(next, (&self.run.repeats, self.run.failing.as_ref()), (seen, now));
        on_whole_look(next, seen, (self.last_look(), is_cancelled(self.run.failing.as_ref())))
    }

    fn look(&self) -> Look {
        if self.run.mine.is_none() && self.run.failing.is_none() {
            return self.goal.look();
        }
        Look::following(self.goal.color)
    }

    fn last_look(&self) -> Look {
        self.goal.look()
    }

    fn saw(&mut self, seen: &Read<Snapshot>, now: Time) {
        if let Ok(snapshot) = seen {
            self.run.repeats.saw_forms(snapshot, now);
            self.run.saw(snapshot, self.goal, now);
        }
    }

    fn is_bound_to_rules(&self, step: &Step) -> bool {
        let update = matches!(step, Step::Update(update) if update.purpose == Purpose::Deploy);
        update && !self.goal.request.allow_live && self.goal.color != Color::Develop
    }

    fn stopped_by_rules(&self, seen: &Snapshot, now: Time) -> Option<Next> {
        deploy::before_update(seen, self.goal, &self.run, now)
    }

    fn before(&mut self, step: &Step, seen: &Snapshot) {
        if let (Step::Update(update), Some(service)) = (step, seen.service(self.goal.color)) {
            self.run.before_update(service, update);
        }
    }

    fn answered(&mut self, step: &Step, answer: Read<Answer>, call: CallTime) {
        self.run.answered(step, answer, call);
    }

    fn follow(&mut self, follow: Follow) {
        self.run.follow(follow);
    }

    fn turn(&mut self, failing: Failing, recovery: Recovery, at: Time) {
        self.run.turn(failing, recovery, at);
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
        let mine = self.run.mine.as_ref().filter(|_| self.run.failing.is_none())?;
        first_of_deployment(seen, self.goal.color, mine)
    }

    fn started(&self) -> Time {
        self.run.mine.as_ref().map_or(self.run.began, |mine| mine.started)
    }

    fn deploying(&self) -> Option<&Deploying<'_>> {
        Some(self)
    }
}

/// What two writes of one change have in common: weights, or a group that is brought in; forward or back.
fn kind(weights: &Weights) -> (bool, Purpose) {
    (weights.adopts.is_some(), weights.purpose)
}

/// A change of traffic on its way.
#[derive(Clone, Debug)]
pub(crate) struct Moving<'a> {
    /// What is wanted.
    pub(crate) goal: &'a traffic::Goal,
    /// What the run remembers.
    pub(crate) run: traffic::Run,
}

impl Course for Moving<'_> {
    fn next(&self, seen: &Read<Snapshot>, now: Time) -> Next {
        let seen = &*self.run.repeats.with_own_forms(seen, now);
        let next = traffic::next(seen, self.goal, &self.run, now);
        let next = within_budget(next, (&self.run.repeats, self.run.failing.as_ref()), (seen, now));
        on_whole_look(next, seen, (self.last_look(), is_cancelled(self.run.failing.as_ref())))
    }

    fn look(&self) -> Look {
        // While tasks are waited for, what makes them stop is watched too.
        let starting = (self.run.short || !self.run.counts.is_empty()) && self.run.arrived.is_none();
        let alarms = !self.goal.wish.alarms.is_empty();
        Look { alarms, causes: starting, definitions: false, ..self.goal.look() }
    }

    fn last_look(&self) -> Look {
        Look { develop: true, ..self.goal.look() }
    }

    fn saw(&mut self, seen: &Read<Snapshot>, now: Time) {
        if let Ok(snapshot) = seen {
            self.run.repeats.saw_forms(snapshot, now);
        }
        let seen = self.run.repeats.with_own_forms(seen, now);
        self.run.saw(&seen, self.goal, now);
    }

    fn ahead(&self, step: &Step, seen: &Snapshot, (most, now): (usize, Time)) -> Vec<Step> {
        let (mut ahead, mut seen, mut all) = (self.clone(), seen.clone(), vec![step.clone()]);
        while let (Some(step @ Step::Weights(last)), true) = (all.last(), all.len() < most) {
            ahead.before(step, &seen);
            ahead.run.answered(step, &Ok(Answer::Changed), self.goal, now);
            traffic::apply(&mut seen, step);
            let read = Ok(seen);
            ahead.saw(&read, now);
            let Next::Step(Step::Weights(next)) = ahead.next(&read, now) else { break };
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

    fn answered(&mut self, step: &Step, answer: Read<Answer>, call: CallTime) {
        self.run.answered(step, &answer, self.goal, call);
    }

    fn follow(&mut self, _follow: Follow) {}

    fn turn(&mut self, failing: Failing, _recovery: Recovery, at: Time) {
        self.run.turn(failing, at);
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

    fn moving(&self) -> Option<&Moving<'_>> {
        Some(self)
    }
}
