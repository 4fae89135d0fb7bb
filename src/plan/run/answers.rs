//! The change of a deploy's memory right before a write, and by its answer.

use super::Run;
use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::deploy::previous_version;
use crate::plan::run_memory::{Answer, UnansweredWrite};
use crate::plan::snapshot::{Rollout, Service};
use crate::plan::step::{InitialService, Purpose, RunFailure, Step, Update};
use crate::plan::time::{CallTime, Time};
use crate::plan::verdict::{DeploymentFailure, Kind, OwnDeployment, Restorer};

impl Run {
    /// Notes the color's state before the first change. The same content again after a failed deployment, perhaps of a
    /// killed run, restores the version before that deployment: a failed version is never restored.
    pub(crate) fn before_update(&mut self, service: &Service, update: &Update) {
        if update.purpose != Purpose::Deploy || self.awaited.is_some() {
            return;
        }
        let before = service.deployments.iter().map(|deployment| deployment.id.clone()).collect();
        self.expected = Some(own_deployment(update, service, (Time::default(), before)));
        self.asked = Some(update.desired.unwrap_or(service.desired));
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
            self.lowered_min = self.lowered_min.max(Some(now.min));
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
        if self.awaited.is_some() && matches!(step, Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_)) {
            self.bounding += 1;
            self.managed |= answer.is_ok();
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

    /// Notes an update of the service: the run's own deployment or the restore has begun.
    pub(crate) fn updated(&mut self, update: &Update, service: &Service, call: CallTime) {
        self.memory.changed = true;
        self.unanswered = None;
        match update.purpose {
            Purpose::Restore => {
                self.restoring = Some(call.ended);
                let asked =
                    self.asked.filter(|asked| Some(*asked) != self.found.as_ref().map(|found| found.desired));
                self.kept_count = update.desired.is_none() && asked == Some(service.desired);
            }
            Purpose::Traffic => {
                self.raised = Some(call.ended);
                let awaited = self.awaited.as_mut().filter(|_| self.memory.failing.is_none());
                if let (Some(awaited), Some(count)) = (awaited, update.desired) {
                    awaited.desired = count;
                }
            }
            Purpose::Deploy => {
                let before = self.expected.as_ref().map(|expected| expected.before.clone());
                self.awaited = Some(own_deployment(update, service, (call.sent, before.unwrap_or_default())));
            }
        }
    }

    /// Notes a refusal or a missing answer.
    fn bad_answer(&mut self, step: &Step, trouble: AwsError, call: CallTime) {
        let scaler = matches!(step, Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_));
        self.managed |= scaler && trouble.effect_unknown;
        let write = matches!(step, Step::Register(_) | Step::Update(_));
        if write && trouble.effect_unknown {
            if matches!(step, Step::Register(_)) {
                self.sought = None;
            }
            let CallTime { sent, ended } = call;
            self.unanswered = Some(UnansweredWrite { step: step.clone(), trouble, sent, ended });
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
