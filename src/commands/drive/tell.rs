//! What a drive tells of its way: each thing once, and as a heartbeat what goes on.

use super::Drive;
use crate::clock;
use crate::commands::logs::links;
use crate::commands::session::{HEARTBEAT, alike};
use crate::event::{Answered, Event, Warning};
use crate::plan::course::Course;
use crate::plan::own_targets::group_targets;
use crate::plan::run::Answer;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Step, Wait};
use crate::plan::time::Time;
use crate::plan::trouble::{Read, Trouble};

/// A write that AWS does not take for now, and what was told of it.
pub(super) struct HeldUp {
    /// The write.
    pub(super) step: Step,
    /// AWS's answer.
    trouble: Trouble,
    /// When it was tried first.
    since: Time,
    /// How often it was tried.
    tries: u32,
    /// When that was told last.
    told: Time,
}

impl<C: Course> Drive<'_, C> {
    /// Tells once of targets that no task of a color's service is behind.
    pub(super) fn tell_foreign(&mut self, seen: &Read<Snapshot>) {
        for service in seen.iter().flat_map(|snapshot| &snapshot.services) {
            let targets = self.session.foreign.borrow().of(service.color);
            if targets.iter().any(|target| !self.told_foreign.contains(target)) {
                let healthy = group_targets(service).map(|targets| targets.healthy());
                let (color, desired) = (service.color, service.desired);
                self.told_foreign.extend(targets.iter().cloned());
                let warning = Warning::ForeignTargets {
                    color,
                    service: service.name.clone(),
                    healthy,
                    desired,
                    targets,
                };
                self.session.reporter.emit(&Event::Warning(warning));
            }
        }
    }

    /// Tells once that all users are where they should be, though the run still watches.
    pub(super) fn tell_arrival(&mut self) {
        let Some(moving) = self.course.moving() else { return };
        let run = &moving.run;
        let to = moving.goal.wish.to;
        let ours =
            !run.written.is_empty() && run.written.values().all(|written| written.split.same_ratio(to));
        if run.arrived.is_some() && ours && run.failing.is_none() && !self.told_moved {
            self.told_moved = true;
            self.session.reporter.emit(&Event::Moved(to));
        }
    }

    /// Reports the first task that failed, with its cause, once.
    pub(super) fn tell_failure(&mut self, seen: &Read<Snapshot>) {
        if self.told_failure {
            return;
        }
        let found = seen.as_ref().ok().and_then(|snapshot| self.course.first_failure(snapshot));
        let Some((color, cause)) = found else { return };
        self.told_failure = true;
        let logs = self.course.deploying().map_or(Vec::new(), |deploying| {
            links(&cause, &deploying.goal.content, &self.session.names.place.region)
        });
        self.session.reporter.emit(&Event::TaskFailed { color, cause, logs });
    }

    /// The desired count that somebody else set, of the service that is deployed to.
    pub(super) fn recounted(&self) -> Option<u32> {
        self.course.deploying().and_then(|deploying| deploying.run.recounted)
    }

    /// Tells when somebody else set another desired count than this one.
    pub(super) fn tell_count(&self, before: Option<u32>) {
        if let Some(count) = self.recounted().filter(|count| Some(*count) != before) {
            self.session.reporter.emit(&Event::Recounted(count));
        }
    }

    /// Tells of steps that are about to be done. A write that AWS did not take a moment ago was told of already.
    pub(super) fn tell_steps(&mut self, steps: &[Step]) {
        self.held_up.retain(|held| steps.contains(&held.step));
        let told = |step: &Step| self.held_up.iter().any(|held| held.step == *step);
        for step in steps.iter().filter(|step| !told(step)) {
            self.session.reporter.emit(&Event::Step(step.clone()));
        }
    }

    /// Tells what a step brought.
    pub(super) fn tell(&mut self, step: &Step, answer: &Read<Answer>) {
        let told = match answer {
            Ok(Answer::Found(Some(arn))) => Answered::Found(arn.clone()),
            Ok(Answer::Found(None) | Answer::Probed(Err(_)) | Answer::Weighed(_) | Answer::Changed) => return,
            Ok(Answer::Registered(arn)) => Answered::Registered(arn.clone()),
            Ok(Answer::Updated(service)) => {
                let rollout = matches!(step, Step::Update(update) if update.rolls());
                Answered::Updated(service.primary().filter(|_| rollout).map(|primary| primary.id.clone()))
            }
            Ok(Answer::Probed(Ok(()))) => Answered::ProbesPassed(self.session.settings.probes().len()),
            Err(trouble) if self.is_told(step, trouble) => return,
            Err(trouble) => Answered::Trouble(trouble.clone()),
        };
        self.session.reporter.emit(&Event::Answered(told));
    }

    /// Whether the trouble with a write was told already. One that goes on is told as a heartbeat.
    fn is_told(&mut self, step: &Step, trouble: &Trouble) -> bool {
        let now = clock::now();
        let place = self.held_up.iter().position(|held| held.step == *step);
        let known = place.map(|place| self.held_up.swap_remove(place));
        let Some(held) = known.filter(|held| alike(&held.trouble, trouble)) else {
            let passes = trouble.kind.passes() && !trouble.effect_unknown;
            let (step, trouble) = (step.clone(), trouble.clone());
            self.held_up.extend(passes.then_some(HeldUp { step, trouble, since: now, tries: 1, told: now }));
            return false;
        };
        let (tries, elapsed) = (held.tries + 1, now.since(held.since));
        let tell = now.since(held.told) >= HEARTBEAT;
        if tell {
            let trouble = trouble.clone();
            self.session.reporter.emit(&Event::HeldUp { trouble, elapsed, tries });
        }
        self.held_up.push(HeldUp { tries, told: if tell { now } else { held.told }, ..held });
        true
    }
}

/// Whether two waits are for the same thing: time that runs out is no news.
pub(super) fn same(told: &Wait, wait: &Wait) -> bool {
    match (told, wait) {
        (Wait::Bake { split: a, no_data: old, .. }, Wait::Bake { split: b, no_data: new, .. }) => {
            a == b && old == new
        }
        (Wait::Settle { color: a, .. }, Wait::Settle { color: b, .. })
        | (Wait::Drain { color: a, .. }, Wait::Drain { color: b, .. }) => a == b,
        (told, wait) => told == wait,
    }
}
