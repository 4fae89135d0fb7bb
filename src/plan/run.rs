//! A deploy's memory of earlier steps, and the change by each answer. Pure.

mod answers;

use super::deploy::{Goal, Situation};
use super::failures::Failures;
use super::own_targets::group_targets;
use super::restore::is_without_trace;
use super::run_memory::{RunMemory, UnansweredWrite};
use super::sighting::Sighting;
use super::snapshot::{Service, Target};
use super::step::{Follow, InitialService, ProbeFailure, RunFailure, Step, Update};
use super::time::Time;
use super::verdict::{OwnDeployment, Restorer, is_own, judge_deployment, taken_away};

/// The run's memory. AWS's current state always takes precedence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// The memory that every run has.
    pub(crate) memory: RunMemory,
    /// The color's state right before the first change. None if unknown.
    pub(crate) found: Option<InitialService>,
    /// True if users reached the color in the last look before the run's change.
    pub(crate) was_live: bool,
    /// The color's share of users in that look, by `Wiring::user_share`.
    pub(crate) user_share: u64,
    /// The change that the run's own update is to bring, from right before it is sent.
    pub(crate) expected: Option<OwnDeployment>,
    /// Looks in a row that show the service as removed or taken over by another user.
    pub(crate) doubt: Sighting,
    /// Looks in a row during a restore that show the service without a trace of this run.
    pub(crate) traceless: Sighting,
    /// The color's desired count after the run's own update. None before the update.
    pub(crate) asked: Option<u32>,
    /// The desired count that another user set later.
    pub(crate) recounted: Option<u32>,
    /// Result of the search for a revision with the wanted content.
    pub(crate) sought: Option<Option<String>>,
    /// The deployment that the run waits for.
    pub(crate) awaited: Option<OwnDeployment>,
    /// True if the run wrote a scalable target, a scaling policy or an alarm.
    pub(crate) managed: bool,
    /// Number of writes to a scalable target after the version was good.
    pub(crate) bounding: u32,
    /// True if the run adopted a deployment that was under way.
    pub(crate) adopted: bool,
    /// The run's own unhealthy targets, each as last seen. A target vanishes from the target group once ECS replaces
    /// the task.
    pub(crate) unhealthy: Vec<Target>,
    /// The run's own tasks that failed.
    pub(crate) failures: Failures,
    /// An unanswered write.
    pub(crate) unanswered: Option<UnansweredWrite>,
    /// The last answer of the probes.
    pub(crate) probes: Option<Result<(), ProbeFailure>>,
    /// The last wrong answer of a probe.
    pub(crate) wrong_probe: Option<ProbeFailure>,
    /// Number of probe attempts.
    pub(crate) probe_tries: u32,
    /// Time of the restore's write.
    pub(crate) restoring: Option<Time>,
    /// Time at which a count that this run had lowered was raised for newly arrived users.
    pub(crate) raised: Option<Time>,
    /// True once the restore's write left a larger count to users who came.
    pub(crate) kept_count: bool,
    /// Looks in a row, with the rules, that show a count which this run lowered.
    pub(crate) lowered_looks: u32,
    /// MinCapacity before this run lowered it.
    pub(crate) lowered_min: Option<u32>,
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
        let by_this_run =
            self.unanswered.take().is_some_and(|write| self.stands(&write.step, &follow.awaited));
        self.awaited = Some(follow.awaited);
        self.memory.changed |= by_this_run;
        self.adopted = follow.adopted && !by_this_run;
        self.found = self.found.take().or(follow.found);
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
        let registering =
            self.unanswered.as_ref().is_some_and(|write| matches!(write.step, Step::Register(_)));
        if registering && self.sought == Some(None) {
            self.sought = None;
        }
        if matches!(self.probes, Some(Err(_))) {
            self.probes = None;
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
        self.find_own(situation.service);
        self.doubted(situation.service, goal, now);
        let traceless = self.memory.failing.is_some() && is_without_trace(situation.service, self);
        self.traceless.note(traceless, now);
        let Some(service) = situation.service else { return };
        if let Some(awaited) = &mut self.awaited {
            awaited.seen |= awaited.shows(service) || now.since(awaited.started) >= goal.limits.visibility;
        }
        let shown = |update: &Update| {
            let definition = update.task_definition.as_ref();
            definition.is_none_or(|wanted| *wanted == service.task_definition)
                && update.desired.is_none_or(|wanted| wanted == service.desired)
        };
        self.memory.repeats.saw(|step| step.update().is_some_and(shown));
        self.recount(situation, service);
        let is_lowered = self.needed_count(service).is_some() && situation.snapshot.balancers.is_some();
        self.lowered_looks = if is_lowered { self.lowered_looks + 1 } else { 0 };
        self.note_unhealthy(service);
        if let Some(awaited) = &self.awaited {
            self.failures.saw(service, awaited);
        }
    }

    /// The count that the color needs for newly arrived users, if this run lowered the count (invariant 36): the higher
    /// of the found and the requested count.
    pub(crate) fn needed_count(&self, service: &Service) -> Option<u32> {
        let found = self.found.as_ref()?.desired;
        let needed = found.max(self.asked.unwrap_or_default());
        let ours =
            self.asked == Some(service.desired) || (self.restoring.is_some() && service.desired == found);
        (ours && service.desired < needed).then_some(needed)
    }

    /// Notes the users of the color, while the run can't have changed the color.
    pub(crate) fn note_users(&mut self, situation: &Situation<'_>) {
        if self.is_before() {
            self.was_live = situation.is_live();
            self.user_share = situation.user_share().unwrap_or_default();
        }
    }

    /// Finds the run's own deployment if the update's answer gave no id.
    fn find_own(&mut self, service: Option<&Service>) {
        let Some(awaited) =
            self.awaited.as_mut().filter(|awaited| awaited.id.is_none() && !awaited.before.is_empty())
        else {
            return;
        };
        let found = service.and_then(|service| service.deployments.iter().find(|one| awaited.can_be(one)));
        awaited.id = found.map(|deployment| deployment.id.clone());
    }

    /// Counts looks in a row that show the service as removed or taken over by another user. ECS is eventually
    /// consistent, so a single look proves nothing.
    fn doubted(&mut self, service: Option<&Service>, goal: &Goal, now: Time) {
        let away = self.awaited.as_ref().is_some_and(|awaited| {
            taken_away(&judge_deployment(service, awaited, now, &goal.limits), awaited)
        });
        self.doubt.note(away, now);
    }

    /// True if enough looks over enough time show another user's change.
    pub(crate) fn is_sure(&self, now: Time) -> bool {
        self.doubt.is_proven(now)
    }

    /// True if enough looks, over enough time, showed the color without a trace of this run. A run that must end soon after
    /// a signal believes the second look. None if the newest look shows a trace.
    pub(crate) fn shows_no_trace(&self, now: Time) -> Option<bool> {
        let seen = &self.traceless;
        let is_short = self.memory.cancelled.is_some() && seen.is_repeated();
        seen.is_newest().then(|| seen.is_proven(now) || is_short)
    }

    /// The run's own change of the service, or the one that an update without an answer was to bring.
    pub(crate) fn own_change(&self) -> Option<&OwnDeployment> {
        let in_doubt = self.expected.as_ref().filter(|_| self.unanswered_update().is_some());
        self.awaited.as_ref().or(in_doubt)
    }

    /// The unanswered update, if there is one.
    pub(crate) fn unanswered_update(&self) -> Option<(&UnansweredWrite, &Update)> {
        let unanswered = self.unanswered.as_ref()?;
        let Step::Update(update) = &unanswered.step else { return None };
        Some((unanswered, update))
    }

    /// True while the run can't have changed the color.
    fn is_before(&self) -> bool {
        self.awaited.is_none() && self.memory.failing.is_none() && self.unanswered_update().is_none()
    }

    /// Accepts another user's desired count: from now on, that count of tasks is expected. A count of zero is left to
    /// the verdict, and a smaller one of a live color to the decision.
    fn recount(&mut self, situation: &Situation<'_>, service: &Service) {
        // A count other than the found and the requested count is no stale answer.
        let found = self.found.as_ref().map(|found| found.desired);
        let foreign = |awaited: &OwnDeployment| {
            found.is_some_and(|found| found != service.desired) && service.desired != awaited.desired
        };
        if self.raised.is_some() && self.asked == Some(service.desired) {
            // An old answer: this run has raised its own count since.
            return;
        }
        let Some(awaited) = self
            .awaited
            .as_mut()
            .filter(|awaited| (awaited.seen || foreign(awaited)) && self.restoring.is_none())
        else {
            return;
        };
        // AWS's own rollback to the found state keeps the count, too.
        let back = self.found.as_ref().is_some_and(|found| found.task_definition == service.task_definition);
        let known = back || service.task_definition == awaited.task_definition;
        if situation.is_cut(service, awaited) {
            return;
        }
        if known && service.desired > 0 && service.desired != awaited.desired {
            awaited.desired = service.desired;
            self.recounted = Some(service.desired);
        }
    }

    /// Notes the run's own targets that the load balancer finds unhealthy.
    fn note_unhealthy(&mut self, service: &Service) {
        let (Some(awaited), Some(targets)) = (&self.awaited, group_targets(service)) else { return };
        for (task, target) in targets.own {
            if is_own(task, awaited) && target.state == "unhealthy" {
                self.unhealthy.retain(|known| (&known.id, known.port) != (&target.id, target.port));
                self.unhealthy.push(target.clone());
            }
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
