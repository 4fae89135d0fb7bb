//! A deploy's memory of earlier steps, and the change by each answer. Pure.

mod answers;
mod phase;

pub(crate) use self::phase::{
    DeployPhase, Followed, OwnCount, Prepare, RestoreProgress, RestoreWrite, ScalingWrites, UsersBefore,
};
use super::deploy::{Goal, Situation};
use super::restore::is_without_trace;
use super::run_memory::{RunMemory, UnansweredWrite};
use super::snapshot::Service;
use super::step::{Follow, InitialService, RunFailure, Step, Update};
use super::time::Time;
use super::verdict::{OwnDeployment, Restorer, judge_deployment, taken_away};

/// The run's memory. AWS's current state always takes precedence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The memory that every run has.
    pub(crate) memory: RunMemory,
    /// The color's state right before the first change. None if unknown.
    pub(crate) found: Option<InitialService>,
    /// The users of the color before the run's change.
    pub(crate) users: UsersBefore,
    /// The phase.
    pub(crate) phase: DeployPhase,
    /// The desired count that the run wrote.
    pub(crate) count: OwnCount,
    /// The run's writes to the service's scaling.
    pub(crate) scaling: ScalingWrites,
    /// The progress of the restore.
    pub(crate) restore: RestoreProgress,
}

impl Run {
    /// Begins a run now.
    pub(crate) fn begin(now: Time) -> Self {
        Run { memory: RunMemory::begin(now), ..Run::default() }
    }

    /// A run that continues another one, which changed the service.
    pub(crate) fn begin_changed(now: Time) -> Self {
        let mut run = Run::begin(now);
        run.memory.changed = true;
        run
    }

    /// Makes this deployment the run's own.
    pub(crate) fn follow(&mut self, follow: Follow) {
        let writes = std::mem::take(&mut self.memory.unanswered);
        let by_this_run = writes.iter().any(|write| self.stands(&write.step, &follow.awaited));
        self.memory.changed |= by_this_run;
        self.follow_deployment(follow.awaited, follow.adopted && !by_this_run);
        self.found = self.found.take().or(follow.found);
    }

    /// Begins to follow a deployment.
    pub(crate) fn follow_deployment(&mut self, awaited: OwnDeployment, adopted: bool) {
        self.phase = DeployPhase::Follow(Box::new(Followed::new(awaited, adopted)));
    }

    /// The deployment that the run follows, with the memory of it.
    pub(crate) fn followed(&self) -> Option<&Followed> {
        match &self.phase {
            DeployPhase::Follow(followed) => Some(followed),
            DeployPhase::Prepare(_) => None,
        }
    }

    /// The same, to note something.
    pub(crate) fn followed_mut(&mut self) -> Option<&mut Followed> {
        match &mut self.phase {
            DeployPhase::Follow(followed) => Some(followed),
            DeployPhase::Prepare(_) => None,
        }
    }

    /// The deployment that the run waits for.
    pub(crate) fn awaited(&self) -> Option<&OwnDeployment> {
        self.followed().map(|followed| &followed.awaited)
    }

    /// True if the run follows a deployment that another run or user began.
    pub(crate) fn has_adopted(&self) -> bool {
        self.followed().is_some_and(|followed| followed.adopted)
    }

    /// The desired count that another user set later.
    pub(crate) fn recounted(&self) -> Option<u32> {
        self.followed()?.recounted
    }

    /// The memory before a deployment is known. None once the run follows one.
    pub(crate) fn prepare(&self) -> Option<&Prepare> {
        match &self.phase {
            DeployPhase::Prepare(prepare) => Some(prepare),
            DeployPhase::Follow(_) => None,
        }
    }

    /// The same, to note something.
    fn prepare_mut(&mut self) -> Option<&mut Prepare> {
        match &mut self.phase {
            DeployPhase::Prepare(prepare) => Some(prepare),
            DeployPhase::Follow(_) => None,
        }
    }

    /// The ids of the service's deployments right before the run's own update is sent.
    pub(crate) fn expected_before(&self) -> &[String] {
        let expected = self.prepare().and_then(|prepare| prepare.expected.as_ref());
        expected.map_or(&[], |expected| &expected.before)
    }

    /// True if an unanswered update may have made the followed deployment. A count-only update is excluded if the count
    /// is as found, or another than the update's: then another writer set the count.
    fn stands(&self, step: &Step, awaited: &OwnDeployment) -> bool {
        let Step::Update(update) = step else { return false };
        let as_found = || self.found.as_ref().is_some_and(|found| found.desired == awaited.desired);
        update.rolls() || (update.desired == Some(awaited.desired) && !as_found())
    }

    /// After a poll interval, repeats the search for a revision after an unanswered register, and repeats probes after
    /// a wrong answer.
    pub(crate) fn waited(&mut self) {
        let registering = self.unanswered().is_some_and(|write| matches!(write.step, Step::Register(_)));
        match &mut self.phase {
            DeployPhase::Prepare(prepare) if registering && prepare.sought == Some(None) => {
                prepare.sought = None
            }
            DeployPhase::Prepare(_) => {}
            DeployPhase::Follow(followed) => followed.probes.is_due = true,
        }
    }

    /// Starts the restore.
    pub(crate) fn start_restore(&mut self, failing: RunFailure, recovery: Restorer, at: Time) {
        self.memory.start_restore(failing, recovery, at);
        self.memory.throttled = None;
    }

    /// Notes the first sight of the run's own change (a seen change stays seen), a count from another user, and the
    /// run's own unhealthy targets.
    pub(crate) fn saw(&mut self, situation: &Situation<'_>, goal: &Goal, now: Time) {
        self.note_users(situation);
        self.doubted(situation.service, goal, now);
        let traceless = self.memory.failing.is_some() && is_without_trace(situation.service, self);
        self.restore.traceless.note(traceless, now);
        let Some(service) = situation.service else { return };
        if let Some(followed) = self.followed_mut() {
            let is_late = now.since(followed.awaited.started) >= goal.limits.visibility;
            followed.note_visible(service, is_late);
        }
        let shown = |update: &Update| {
            let definition = update.task_definition.as_ref();
            definition.is_none_or(|wanted| *wanted == service.task_definition)
                && update.desired.is_none_or(|wanted| wanted == service.desired)
        };
        self.memory.repeats.saw(|step| step.update().is_some_and(shown));
        self.recount(situation, service);
        let is_lowered = self.needed_count(service).is_some() && situation.snapshot.balancers.is_some();
        self.count.lowered_looks = if is_lowered { self.count.lowered_looks + 1 } else { 0 };
        if let Some(followed) = self.followed_mut() {
            followed.note_unhealthy(service);
            followed.failures.saw(service, &followed.awaited);
        }
    }

    /// The count that the color needs for newly arrived users, if this run lowered the count (invariant 36): the higher
    /// of the found and the requested count.
    pub(crate) fn needed_count(&self, service: &Service) -> Option<u32> {
        let found = self.found.as_ref()?.desired;
        let needed = found.max(self.count.asked.unwrap_or_default());
        let is_restored = self.restore.written.is_some() && service.desired == found;
        let ours = is_restored || self.count.asked == Some(service.desired);
        (ours && service.desired < needed).then_some(needed)
    }

    /// Notes the users of the color, while the run can't have changed the color.
    pub(crate) fn note_users(&mut self, situation: &Situation<'_>) {
        if self.is_before() {
            let share = situation.user_share().unwrap_or_default();
            self.users = UsersBefore { was_live: situation.is_live(), share };
        }
    }

    /// Counts looks in a row that show the service as removed or taken over by another user. ECS is eventually
    /// consistent, so a single look proves nothing.
    fn doubted(&mut self, service: Option<&Service>, goal: &Goal, now: Time) {
        let Some(followed) = self.followed_mut() else { return };
        service.into_iter().for_each(|service| followed.find_own(service));
        let awaited = &followed.awaited;
        let away = taken_away(&judge_deployment(service, awaited, now, &goal.limits), awaited);
        followed.doubt.note(away, now);
    }

    /// True if enough looks over enough time show another user's change.
    pub(crate) fn is_sure(&self, now: Time) -> bool {
        self.followed().is_some_and(|followed| followed.doubt.is_proven(now))
    }

    /// True if enough looks, over enough time, showed the color without a trace of this run. A run that must end soon after
    /// a signal believes the second look. None if the newest look shows a trace.
    pub(crate) fn shows_no_trace(&self, now: Time) -> Option<bool> {
        let seen = &self.restore.traceless;
        let is_short = self.memory.cancelled.is_some() && seen.is_repeated();
        seen.is_newest().then(|| seen.is_proven(now) || is_short)
    }

    /// The run's own change of the service, or the one that an update without an answer was to bring.
    pub(crate) fn own_change(&self) -> Option<&OwnDeployment> {
        match &self.phase {
            DeployPhase::Follow(followed) => Some(&followed.awaited),
            DeployPhase::Prepare(prepare) => {
                prepare.expected.as_ref().filter(|_| self.unanswered_update().is_some())
            }
        }
    }

    /// The write without an answer, if there is one. A deploy never sends two writes at the same time.
    pub(crate) fn unanswered(&self) -> Option<&UnansweredWrite> {
        self.memory.unanswered.first()
    }

    /// The unanswered update, if there is one.
    pub(crate) fn unanswered_update(&self) -> Option<(&UnansweredWrite, &Update)> {
        let unanswered = self.unanswered()?;
        let Step::Update(update) = &unanswered.step else { return None };
        Some((unanswered, update))
    }

    /// True while the run can't have changed the color.
    fn is_before(&self) -> bool {
        self.awaited().is_none() && self.memory.failing.is_none() && self.unanswered_update().is_none()
    }

    /// Accepts another user's desired count: from now on, that count of tasks is expected. A count of zero is left to
    /// the verdict, and a smaller one of a live color to the decision.
    fn recount(&mut self, situation: &Situation<'_>, service: &Service) {
        if self.restore.written.is_some() {
            return;
        }
        if self.count.raised.is_some() && self.count.asked == Some(service.desired) {
            // An old answer: this run has raised its own count since.
            return;
        }
        let DeployPhase::Follow(followed) = &mut self.phase else { return };
        let (awaited, found) = (&mut followed.awaited, self.found.as_ref());
        // A count other than the found and the requested count is no stale answer.
        let is_foreign = found.is_some_and(|found| found.desired != service.desired);
        if !awaited.seen && (!is_foreign || service.desired == awaited.desired) {
            return;
        }
        // AWS's own rollback to the found state keeps the count, too.
        let back = found.is_some_and(|found| found.task_definition == service.task_definition);
        let known = back || service.task_definition == awaited.task_definition;
        if situation.is_cut(service, awaited) {
            return;
        }
        if known && service.desired > 0 && service.desired != awaited.desired {
            awaited.desired = service.desired;
            followed.recounted = Some(service.desired);
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
