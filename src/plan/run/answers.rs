//! The change of a deploy's memory right before a write, and by its answer.

use super::{DeployPhase, RestoreWrite, Run};
use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::deploy::previous_version;
use crate::plan::run_memory::Answer;
use crate::plan::snapshot::{Rollout, Service};
use crate::plan::step::{InitialService, Purpose, RunFailure, Step, Update};
use crate::plan::time::{CallTime, Time};
use crate::plan::verdict::{DeploymentFailure, Kind, OwnDeployment, Restorer};

impl Run {
    /// Notes the color's state before the first change. The same content again after a failed deployment, perhaps of a
    /// killed run, restores the version before that deployment: a failed version is never restored.
    pub(crate) fn before_update(&mut self, service: &Service, update: &Update) {
        if update.purpose != Purpose::Deploy {
            return;
        }
        let DeployPhase::Prepare(prepare) = &mut self.phase else { return };
        let before = service.deployments.iter().map(|deployment| deployment.id.clone()).collect();
        prepare.expected = Some(own_deployment(update, service, (Time::default(), before)));
        self.count.asked = Some(update.desired.unwrap_or(service.desired));
        if let Some(found) = &mut self.found {
            // A new attempt: the count may have changed.
            found.desired = service.desired;
            return;
        }
        let failed = service.primary().is_some_and(|primary| primary.rollout == Rollout::Failed);
        let again = failed && update.task_definition.is_none();
        let older = if again { previous_version(service, &service.task_definition) } else { None };
        let current =
            InitialService { task_definition: service.task_definition.clone(), desired: service.desired };
        self.found = older.or(Some(current));
    }

    /// Notes MinCapacity right before this run lowers it.
    pub(crate) fn before_bounds(&mut self, service: &Service, step: &Step) {
        let (Step::Scaling(scaling), Some(Ok(Some(now)))) = (step, service.scaling.as_ref()) else { return };
        if scaling.min.is_some_and(|min| min < now.min) {
            self.scaling.lowered_min = self.scaling.lowered_min.max(Some(now.min));
        }
    }

    /// Notes the answer of a step.
    pub(crate) fn answered(&mut self, step: &Step, answer: AwsResult<Answer>, call: impl Into<CallTime>) {
        let call = call.into();
        if answer.as_ref().map_or_else(|trouble| trouble.effect_unknown, |_| true) {
            self.memory.repeats.sent(step, call.sent);
        }
        if answer.is_ok() && step.is_write() {
            self.memory.throttled = None;
        }
        if self.awaited().is_some() && matches!(step, Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_)) {
            self.scaling.after_good += 1;
            self.scaling.any |= answer.is_ok();
            return;
        }
        match answer {
            Ok(answer) => self.good_answer(step, answer, call),
            Err(trouble) => self.bad_answer(step, trouble, call),
        }
    }

    /// Notes a success.
    fn good_answer(&mut self, step: &Step, answer: Answer, call: CallTime) {
        if !matches!(answer, Answer::Found(None)) {
            self.memory.end_unanswered(call.sent);
        }
        match answer {
            Answer::Found(arn) => self.note_revision(Some(arn)),
            Answer::Registered(arn) => self.note_revision(Some(Some(arn))),
            Answer::Probed(result) => {
                if let Some(followed) = self.followed_mut() {
                    followed.probes.answered(result);
                }
            }
            Answer::Updated(service) => {
                if let Step::Update(update) = step {
                    self.updated(update, &service, call);
                }
            }
            Answer::Changed => self.scaling.any = true,
            Answer::Weighed(_) => {}
        }
    }

    /// Notes the result of the search for a revision, or that it is open again.
    fn note_revision(&mut self, sought: Option<Option<String>>) {
        if let Some(prepare) = self.prepare_mut() {
            prepare.sought = sought;
        }
    }

    /// Notes an update of the service: the run's own deployment or the restore has begun.
    pub(crate) fn updated(&mut self, update: &Update, service: &Service, call: CallTime) {
        self.memory.changed = true;
        self.memory.end_unanswered(call.sent);
        match update.purpose {
            Purpose::Restore => {
                let found = self.found.as_ref().map(|found| found.desired);
                let asked = self.count.asked.filter(|asked| Some(*asked) != found);
                let keeps_count = update.desired.is_none() && asked == Some(service.desired);
                self.restore.written = Some(RestoreWrite { at: call.ended, keeps_count });
            }
            Purpose::Traffic => {
                self.count.raised = Some(call.ended);
                let is_failing = self.memory.failing.is_some();
                let followed = self.followed_mut().filter(|_| !is_failing);
                if let (Some(followed), Some(count)) = (followed, update.desired) {
                    followed.awaited.desired = count;
                }
            }
            Purpose::Deploy => {
                let own = own_deployment(update, service, (call.sent, self.expected_before().to_vec()));
                self.follow_deployment(own, false);
            }
        }
    }

    /// Notes a refusal or a missing answer.
    fn bad_answer(&mut self, step: &Step, trouble: AwsError, call: CallTime) {
        let scaler = matches!(step, Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_));
        self.scaling.any |= scaler && trouble.effect_unknown;
        let write = matches!(step, Step::Register(_) | Step::Update(_));
        if write && trouble.effect_unknown {
            if matches!(step, Step::Register(_)) {
                self.note_revision(None);
            }
            self.memory.note_unanswered(step, trouble, call);
            return;
        }
        if trouble.kind.is_transient() {
            if step.is_write() {
                self.memory.throttled.get_or_insert((call.sent, trouble));
            }
            return;
        }
        if step.update().is_some_and(|update| update.purpose != Purpose::Deploy) {
            self.memory.restore_trouble = Some(trouble);
        } else {
            let failing = RunFailure::Deployment(DeploymentFailure::AwsError(trouble));
            self.start_restore(failing, Restorer::ThisRun, call.ended);
        }
    }
}

/// The deployment that an update started. A count-only update answers with the old id, which is not the run's own, and
/// a stale answer may hold the old PRIMARY. In both cases the id stays unknown until a look shows the deployment.
fn own_deployment(update: &Update, service: &Service, (sent, before): (Time, Vec<String>)) -> OwnDeployment {
    let rollout = update.rolls();
    let mut awaited = OwnDeployment {
        kind: if rollout { Kind::Rollout } else { Kind::CountOnly },
        id: None,
        task_definition: update.task_definition.clone().unwrap_or_else(|| service.task_definition.clone()),
        desired: update.desired.unwrap_or(service.desired),
        started: sent,
        seen: false,
        before,
    };
    awaited.id =
        service.primary().filter(|primary| awaited.can_be(primary)).map(|primary| primary.id.clone());
    awaited
}
