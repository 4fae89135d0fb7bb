//! What a deploy remembers of its own steps, and how an answer changes that. Pure.

use super::deploy::Goal;
use super::failures::Failures;
use super::own_targets::group_targets;
use super::recover::is_without_trace;
use super::repeats::Repeats;
use super::sighting::Sighting;
use super::snapshot::{Rule, Service, Snapshot, Target};
use super::step::{Failing, Follow, Found, ProbeFailure, Purpose, Step, Update};
use super::time::{CallTime, Time};
use super::trouble::{Read, Trouble};
use super::verdict::{Ended, Kind, Mine, Recovery, is_own, taken_away, verdict};
use super::wiring::apart_of_snapshot;

/// What the run remembers. It never decides against what AWS shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// When the run began to decide.
    pub(crate) began: Time,
    /// The color as it was found, from the moment of the first change; none where that is not known.
    pub(crate) found: Option<Found>,
    /// Whether users reached the color when it was seen last before the run changed it.
    pub(crate) was_live: bool,
    /// The change that the run's own update is to bring, from right before it is sent.
    pub(crate) expected: Option<Mine>,
    /// Since when, and at how many looks in a row, the service was seen as if somebody had taken it away.
    pub(crate) doubt: Sighting,
    /// Since when, and at how many looks in a row, the service was seen on the way back without a trace of this run.
    pub(crate) traceless: Sighting,
    /// The desired count that the color has after the run's own update; none before it.
    pub(crate) asked: Option<u32>,
    /// The desired count that somebody else set after that.
    pub(crate) recounted: Option<u32>,
    /// What the search for a revision with the wanted content brought.
    pub(crate) sought: Option<Option<String>>,
    /// The deployment that is waited for.
    pub(crate) mine: Option<Mine>,
    /// Whether the run changed a service.
    pub(crate) changed: bool,
    /// Whether it wrote a scalable target, a scaling policy or an alarm.
    pub(crate) managed: bool,
    /// How often a scalable target was written once the version was good.
    pub(crate) bounding: u32,
    /// Whether it adopted a deployment that was under way.
    pub(crate) adopted: bool,
    /// The run's own targets that the load balancer found unhealthy, as they were seen last: they vanish from the
    /// target group once ECS replaces their tasks.
    pub(crate) unhealthy: Vec<Target>,
    /// The run's own tasks that failed.
    pub(crate) failures: Failures,
    /// A write without an answer.
    pub(crate) unanswered: Option<Unanswered>,
    /// What the probes answered last.
    pub(crate) probes: Option<Result<(), ProbeFailure>>,
    /// The last wrong answer that they got.
    pub(crate) wrong_probe: Option<ProbeFailure>,
    /// How often they were asked.
    pub(crate) probe_tries: u32,
    /// What this run wrote, and how often.
    pub(crate) repeats: Repeats,
    /// What failed, when, and who puts the color back.
    pub(crate) failing: Option<Turned>,
    /// When the way back was written.
    pub(crate) restoring: Option<Time>,
    /// When a count that this run had lowered was raised for users who came.
    pub(crate) raised: Option<Time>,
    /// AWS's refusal of the way back.
    pub(crate) restore_trouble: Option<Trouble>,
    /// When a signal came.
    pub(crate) cancelled: Option<Time>,
}

/// The turn from forward to back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turned {
    /// What failed.
    pub(crate) failing: Failing,
    /// Who puts the color back.
    pub(crate) recovery: Recovery,
    /// When it was known.
    pub(crate) at: Time,
}

/// A write without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// The write.
    pub(crate) step: Step,
    /// What AWS or the network said.
    pub(crate) trouble: Trouble,
    /// When it was sent.
    pub(crate) sent: Time,
    /// When no answer came any more: AWS is read for a while from then on.
    pub(crate) ended: Time,
}

/// What a step brought.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The revision that holds the content, if one does.
    Found(Option<String>),
    /// The ARN of the new revision.
    Registered(String),
    /// The service, as UpdateService answered.
    Updated(Box<Service>),
    /// What the probes got.
    Probed(Result<(), ProbeFailure>),
    /// AWS took new weights; the rule as it was read back right after.
    Weighed(Box<Rule>),
    /// AWS took a change that is seen at the next look.
    Changed,
}

impl Run {
    /// A run that begins now.
    pub(crate) fn begin(now: Time) -> Self {
        Run { began: now, ..Run::default() }
    }

    /// From now on this deployment is the run's own.
    pub(crate) fn follow(&mut self, follow: Follow) {
        let by_this_run = self.unanswered.take().is_some_and(|write| self.stands(&write.step, &follow.mine));
        self.mine = Some(follow.mine);
        self.changed |= by_this_run;
        self.adopted = follow.adopted && !by_this_run;
        self.found = self.found.take().or(follow.found);
    }

    /// Whether an update without an answer may have made what is followed. One of the count alone has not where the count
    /// is as it was found.
    fn stands(&self, step: &Step, mine: &Mine) -> bool {
        let Step::Update(update) = step else { return false };
        update.rolls() || self.found.as_ref().is_none_or(|found| found.desired != mine.desired)
    }

    /// A poll interval passed: a revision that was not found after an unanswered register is looked for again, and
    /// probes that got a wrong answer are asked again.
    pub(crate) fn waited(&mut self) {
        let registering =
            self.unanswered.as_ref().is_some_and(|write| matches!(write.step, Step::Register { .. }));
        if registering && self.sought == Some(None) {
            self.sought = None;
        }
        if matches!(self.probes, Some(Err(_))) {
            self.probes = None;
        }
    }

    /// Forward became back.
    pub(crate) fn turn(&mut self, failing: Failing, recovery: Recovery, at: Time) {
        self.failing = Some(Turned { failing, recovery, at });
    }

    /// Notes the sight of the run's own change (once seen, it can't be invisible any more), a count that somebody else
    /// set, and the run's own unhealthy targets.
    pub(crate) fn saw(&mut self, snapshot: &Snapshot, goal: &Goal, now: Time) {
        if self.is_before() {
            let wiring = apart_of_snapshot(snapshot, goal.request.listener.as_ref());
            self.was_live = wiring.is_some_and(|wired| wired.is_ok_and(|wiring| wiring.is_live(goal.color)));
        }
        self.find_own(snapshot.service(goal.color));
        self.doubted(snapshot.service(goal.color), goal, now);
        let traceless = self.failing.is_some() && is_without_trace(snapshot.service(goal.color), self);
        self.traceless.note(traceless, now);
        let Some(service) = snapshot.service(goal.color) else { return };
        if let Some(mine) = &mut self.mine {
            mine.seen |= mine.shows(service) || now.since(mine.started) >= goal.limits.visibility;
        }
        self.repeats.saw(|step| {
            let shown = |update: &Update| {
                let definition = update.task_definition.as_ref();
                definition.is_none_or(|wanted| *wanted == service.task_definition)
                    && update.desired.is_none_or(|wanted| wanted == service.desired)
            };
            matches!(step, Step::Update(update) if shown(update))
        });
        self.recount(service);
        self.note_unhealthy(service);
        if let Some(mine) = &self.mine {
            self.failures.saw(service, mine);
        }
    }

    /// A deployment whose id the answer of the update did not tell.
    fn find_own(&mut self, service: Option<&Service>) {
        let Some(mine) = self.mine.as_mut().filter(|mine| mine.id.is_none() && !mine.before.is_empty())
        else {
            return;
        };
        let found = service.and_then(|service| service.deployments.iter().find(|one| mine.can_be(one)));
        mine.id = found.map(|deployment| deployment.id.clone());
    }

    /// Counts the looks in a row that show the service as if somebody had taken it away: ECS is eventually consistent, and
    /// one of them proves nothing.
    fn doubted(&mut self, service: Option<&Service>, goal: &Goal, now: Time) {
        let away = self
            .mine
            .as_ref()
            .is_some_and(|mine| taken_away(&verdict(service, mine, now, &goal.limits), mine));
        self.doubt.note(away, now);
    }

    /// Whether that was seen often and long enough to be believed.
    pub(crate) fn is_sure(&self, now: Time) -> bool {
        self.doubt.is_proven(now)
    }

    /// Whether the color without a trace of this run was seen so often and long enough to be believed; a run that has to
    /// be gone soon after a signal believes the second look. None if the newest look shows a trace.
    pub(crate) fn shows_no_trace(&self, now: Time) -> Option<bool> {
        let seen = &self.traceless;
        let is_short = self.cancelled.is_some() && seen.is_repeated();
        seen.is_newest().then(|| seen.is_proven(now) || is_short)
    }

    /// The run's own change of the service, or the one that an update without an answer was to bring.
    pub(crate) fn own_change(&self) -> Option<&Mine> {
        let in_doubt = self.expected.as_ref().filter(|_| self.unanswered_update().is_some());
        self.mine.as_ref().or(in_doubt)
    }

    /// The update that had no answer, where one had none.
    pub(crate) fn unanswered_update(&self) -> Option<(&Unanswered, &Update)> {
        let unanswered = self.unanswered.as_ref()?;
        let Step::Update(update) = &unanswered.step else { return None };
        Some((unanswered, update))
    }

    /// Whether the run can't have changed the color yet.
    fn is_before(&self) -> bool {
        self.mine.is_none() && self.failing.is_none() && self.unanswered_update().is_none()
    }

    /// A desired count that is not what the run's own update left is somebody else's wish: from now on it says how many
    /// tasks there have to be. No tasks at all is another matter, which the verdict tells.
    fn recount(&mut self, service: &Service) {
        // A count that is neither what was found nor what was asked for is no stale answer.
        let found = self.found.as_ref().map(|found| found.desired);
        let foreign = |mine: &Mine| {
            found.is_some_and(|found| found != service.desired) && service.desired != mine.desired
        };
        let Some(mine) =
            self.mine.as_mut().filter(|mine| (mine.seen || foreign(mine)) && self.restoring.is_none())
        else {
            return;
        };
        // AWS's own way back to what was found keeps the count, too.
        let back = self.found.as_ref().is_some_and(|found| found.task_definition == service.task_definition);
        let known = back || service.task_definition == mine.task_definition;
        if known && service.desired > 0 && service.desired != mine.desired {
            mine.desired = service.desired;
            self.recounted = Some(service.desired);
        }
    }

    /// Notes the run's own targets that the load balancer finds unhealthy.
    fn note_unhealthy(&mut self, service: &Service) {
        let (Some(mine), Some(targets)) = (&self.mine, group_targets(service)) else { return };
        for (task, target) in targets.own {
            if is_own(task, mine) && target.state == "unhealthy" {
                self.unhealthy.retain(|known| (&known.id, known.port) != (&target.id, target.port));
                self.unhealthy.push(target.clone());
            }
        }
    }

    /// Notes what the color was before the first change of it. The same content once more after a failed deployment,
    /// perhaps of a run that was killed, goes back to what ran before that one: there is no going back to a failure.
    pub(crate) fn before_update(&mut self, service: &Service, update: &Update) {
        if update.purpose != Purpose::Deploy || self.mine.is_some() {
            return;
        }
        let before = service.deployments.iter().map(|deployment| deployment.id.clone()).collect();
        self.expected = Some(own(update, service, (Time::default(), before)));
        self.asked = Some(update.desired.unwrap_or(service.desired));
        if let Some(found) = &mut self.found {
            // Another try: the count may be another one by now.
            found.desired = service.desired;
            return;
        }
        let failed =
            service.primary().is_some_and(|primary| primary.rollout == super::snapshot::Rollout::Failed);
        let again = failed && update.task_definition.is_none();
        let older = if again { super::deploy::before(service, &service.task_definition) } else { None };
        let current = Found { task_definition: service.task_definition.clone(), desired: service.desired };
        self.found = older.or(Some(current));
    }

    /// Notes the answer of a step.
    pub(crate) fn answered(&mut self, step: &Step, answer: Read<Answer>, call: impl Into<CallTime>) {
        let call = call.into();
        if answer.as_ref().map_or_else(|trouble| trouble.effect_unknown, |_| true) {
            self.repeats.sent(step, call.sent);
        }
        if self.mine.is_some() && matches!(step, Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_)) {
            self.bounding += 1;
            self.managed |= answer.is_ok();
            return;
        }
        match answer {
            Ok(answer) => self.good_answer(step, answer, call),
            Err(trouble) => self.bad_answer(step, trouble, call),
        }
    }

    /// AWS did what it was asked for.
    fn good_answer(&mut self, step: &Step, answer: Answer, call: CallTime) {
        if !matches!(answer, Answer::Found(None)) {
            self.unanswered = None;
        }
        match answer {
            Answer::Found(arn) => self.sought = Some(arn),
            Answer::Registered(arn) => self.sought = Some(Some(arn)),
            Answer::Probed(result) => {
                self.wrong_probe = result.as_ref().err().cloned();
                self.probes = Some(result);
                self.probe_tries += 1;
            }
            Answer::Updated(service) => {
                if let Step::Update(update) = step {
                    self.updated(update, &service, call);
                }
            }
            Answer::Changed => self.managed = true,
            Answer::Weighed(_) => {}
        }
    }

    /// The service was updated: this is the run's own deployment from now on, or the way back is on its way.
    pub(crate) fn updated(&mut self, update: &Update, service: &Service, call: CallTime) {
        self.changed = true;
        self.unanswered = None;
        match update.purpose {
            Purpose::Restore => self.restoring = Some(call.ended),
            Purpose::Traffic => self.raised = Some(call.ended),
            Purpose::Deploy => {
                let before = self.expected.as_ref().map(|expected| expected.before.clone());
                self.mine = Some(own(update, service, (call.sent, before.unwrap_or_default())));
            }
        }
    }

    /// AWS refused, or did not answer.
    fn bad_answer(&mut self, step: &Step, trouble: Trouble, call: CallTime) {
        let scaler = matches!(step, Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_));
        self.managed |= scaler && trouble.effect_unknown;
        let write = matches!(step, Step::Register { .. } | Step::Update(_));
        if write && trouble.effect_unknown {
            if matches!(step, Step::Register { .. }) {
                self.sought = None;
            }
            let CallTime { sent, ended } = call;
            self.unanswered = Some(Unanswered { step: step.clone(), trouble, sent, ended });
            return;
        }
        if trouble.kind.passes() {
            return;
        }
        match step {
            Step::Update(Update { purpose: Purpose::Restore | Purpose::Traffic, .. }) => {
                self.restore_trouble = Some(trouble)
            }
            Step::Update(_)
            | Step::Register { .. }
            | Step::Find { .. }
            | Step::Probe
            | Step::Weights(_)
            | Step::Scaling(_)
            | Step::Policy(_)
            | Step::Alarm(_) => {
                self.turn(Failing::Deployment(Ended::Trouble(trouble)), Recovery::Ours, call.ended);
            }
        }
    }
}

/// The deployment that an update started. A count-only update answers with the old id, which is not the run's own, and
/// a stale answer may hold the old PRIMARY: the id stays unknown then, until a look shows the deployment.
fn own(update: &Update, service: &Service, (sent, before): (Time, Vec<String>)) -> Mine {
    let rollout = update.rolls();
    let mut mine = Mine {
        kind: if rollout { Kind::Rollout } else { Kind::CountOnly },
        id: None,
        task_definition: update.task_definition.clone().unwrap_or_else(|| service.task_definition.clone()),
        desired: update.desired.unwrap_or(service.desired),
        started: sent,
        seen: false,
        before,
    };
    mine.id = service.primary().filter(|primary| mine.can_be(primary)).map(|primary| primary.id.clone());
    mine
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
