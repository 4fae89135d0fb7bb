//! The progress reports of a drive: each fact once, and ongoing waits as a heartbeat.

use super::Drive;
use crate::clock;
use crate::commands::logs::log_links;
use crate::commands::session::{HEARTBEAT, is_same_error};
use crate::event::{Answered, Event, Warning};
use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::own_targets::group_targets;
use crate::plan::run_memory::Answer;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Step;
use crate::plan::time::Time;

/// A write that AWS refuses for now, and the reports about the write.
pub(super) struct HeldUp {
    /// The write.
    pub(super) step: Step,
    /// AWS's answer.
    trouble: AwsError,
    /// Time of the first attempt.
    since: Time,
    /// Number of attempts.
    tries: u32,
    /// Time of the last report.
    told: Time,
}

impl Drive<'_> {
    /// Reports once that targets of a color belong to no task of its service.
    pub(super) fn tell_foreign(&mut self, seen: &AwsResult<Snapshot>) {
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

    /// Reports once that all users reached the wanted split, while the run still watches.
    pub(super) fn tell_arrival(&mut self) {
        if let Some(to) = self.operation.arrived().filter(|_| !self.told_moved) {
            self.told_moved = true;
            self.session.reporter.emit(&Event::Moved(to));
        }
    }

    /// Reports the first task that failed, with its cause, once.
    pub(super) fn tell_failure(&mut self, seen: &AwsResult<Snapshot>) {
        if self.told_failure {
            return;
        }
        let found = seen.as_ref().ok().and_then(|snapshot| self.operation.first_failure(snapshot));
        let Some((color, cause)) = found else { return };
        self.told_failure = true;
        let region = &self.session.names.place.region;
        let logs = self.operation.content().map_or(Vec::new(), |content| log_links(&cause, content, region));
        self.session.reporter.emit(&Event::TaskFailed { color, cause, logs });
    }

    /// Reports a desired count of another writer, if different from `before`.
    pub(super) fn tell_count(&self, before: Option<u32>) {
        if let Some(count) = self.operation.recounted().filter(|count| Some(*count) != before) {
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

    /// Reports the result of a step.
    pub(super) fn tell(&mut self, step: &Step, answer: &AwsResult<Answer>) {
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
            Err(trouble) => Answered::AwsError(trouble.clone()),
        };
        self.session.reporter.emit(&Event::Answered(told));
    }

    /// True if the error of a write was reported already. An ongoing error is reported as a heartbeat.
    fn is_told(&mut self, step: &Step, trouble: &AwsError) -> bool {
        let now = clock::now();
        let place = self.held_up.iter().position(|held| held.step == *step);
        let known = place.map(|place| self.held_up.swap_remove(place));
        let Some(held) = known.filter(|held| is_same_error(&held.trouble, trouble)) else {
            let passes = trouble.kind.is_transient() && !trouble.effect_unknown;
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
