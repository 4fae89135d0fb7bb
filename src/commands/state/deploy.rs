//! The saved state of a deploy.

use serde::{Deserialize, Serialize};

use super::Phase;
use crate::commands::pending_write::PendingWrite;
use crate::plan::color::{ServiceColor, Split};
use crate::plan::operation::DeployOperation;
use crate::plan::run::{DeployPhase, OwnCount, Prepare, RestoreWrite, Run, UsersBefore};
use crate::plan::step::{InitialService, Purpose, RunFailure, Step};
use crate::plan::time::Time;
use crate::plan::verdict::{Kind, OwnDeployment, Restorer};

/// A deploy in flight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeployState {
    /// The run's progress.
    pub(crate) phase: Phase,
    /// The color.
    pub(crate) color: ServiceColor,
    /// The service.
    pub(crate) service: String,
    /// Task definition at the start.
    pub(crate) found_task_definition: Option<String>,
    /// Desired count at the start.
    pub(crate) found_desired: u32,
    /// True if the color served users at the start.
    pub(crate) was_live: bool,
    /// The color's share of users at the start.
    #[serde(default)]
    user_share: u64,
    /// The new task definition.
    pub(crate) task_definition: String,
    /// The requested desired count.
    pub(crate) desired: u32,
    /// The deployment's id, once known.
    pub(crate) deployment: Option<String>,
    /// Time of the update, in milliseconds since the Unix epoch.
    pub(crate) started: u64,
    /// True if the update starts a deployment of its own; none in the state of an older version.
    #[serde(default)]
    rolls: Option<bool>,
    /// The ids of the deployments that the service had right before the update: none of them is its own.
    #[serde(default)]
    before: Vec<String>,
    /// The update, until its answer came.
    #[serde(default)]
    pub(super) sending: Option<PendingWrite>,
    /// True if a cancel was to restore the color.
    #[serde(default)]
    pub(crate) restore: Option<bool>,
    /// The split that an earlier phase of a promote reached.
    #[serde(default)]
    pub(crate) users: Option<Split>,
    /// True if the run was restoring.
    #[serde(default)]
    pub(super) turned: bool,
}

impl DeployState {
    /// The facts of a run that is about to change something.
    pub(super) fn of(
        deploying: &DeployOperation<'_>,
        users: Option<Split>,
        (phase, sending): (Phase, Option<(&Step, Time)>),
    ) -> Option<DeployState> {
        let DeployOperation { goal, service, run } = deploying;
        if run.found.is_none() && run.awaited().is_none() {
            return None;
        }
        let unanswered = run.unanswered().map(|write| (&write.step, write.sent));
        let update = |step: &Step| matches!(step, Step::Update(update) if update.purpose == Purpose::Deploy);
        let sending = sending.or(unanswered).filter(|(step, _)| run.awaited().is_none() && update(step));
        let expected = run.prepare().and_then(|prepare| prepare.expected.as_ref());
        let awaited = run.awaited().or(expected.filter(|_| sending.is_some()));
        let found = run.found.as_ref();
        let counts =
            [run.count.asked, awaited.map(|awaited| awaited.desired), found.map(|found| found.desired)];
        let desired = counts.into_iter().flatten().next();
        Some(DeployState {
            phase,
            color: goal.color,
            service: (*service).to_owned(),
            found_task_definition: found.map(|found| found.task_definition.clone()),
            found_desired: found.map_or(0, |found| found.desired),
            was_live: run.users.was_live,
            user_share: run.users.share,
            task_definition: awaited.map(|awaited| awaited.task_definition.clone()).unwrap_or_default(),
            desired: desired.unwrap_or_default(),
            deployment: awaited.and_then(|awaited| awaited.id.clone()),
            started: sending
                .map_or(awaited.map_or(run.memory.began, |awaited| awaited.started), |(_, at)| at)
                .0,
            rolls: awaited.map(|awaited| awaited.kind == Kind::Rollout),
            before: awaited.map(|awaited| awaited.before.clone()).unwrap_or_default(),
            sending: sending.and_then(|(step, at)| PendingWrite::of(step, at)),
            restore: Some(goal.restore_on_cancel),
            turned: run.memory.failing.is_some()
                || (run.memory.cancelled.is_some() && goal.restore_on_cancel),
            users,
        })
    }

    /// The run as it has to continue: restoring.
    pub(crate) fn run(&self, now: Time) -> Run {
        let mut run = self.forward(now);
        if let Some(sending) = &self.sending {
            // Whether it had its effect is not known.
            (run.memory.changed, run.memory.unanswered) = (false, vec![sending.unanswered()]);
            let expected = run.awaited().cloned();
            run.phase = DeployPhase::Prepare(Prepare { sought: None, expected });
        }
        run.start_restore(RunFailure::Cancelled, Restorer::ThisRun, now);
        if self.phase == Phase::Restoring {
            run.restore.written = Some(RestoreWrite { at: now, keeps_count: false });
        }
        run
    }

    /// The run as it would continue towards its goal.
    pub(crate) fn forward(&self, now: Time) -> Run {
        let found = self
            .found_task_definition
            .as_ref()
            .map(|arn| InitialService { task_definition: arn.clone(), desired: self.found_desired });
        let awaited = (!self.task_definition.is_empty()).then(|| OwnDeployment {
            kind: match self.rolls.unwrap_or(self.deployment.is_some()) {
                true => Kind::Rollout,
                false => Kind::CountOnly,
            },
            id: self.deployment.clone(),
            task_definition: self.task_definition.clone(),
            desired: self.desired,
            started: Time(self.started),
            seen: self.sending.is_none(),
            before: self.before.clone(),
        });
        let users = UsersBefore { was_live: self.was_live, share: self.user_share };
        let count = OwnCount { asked: Some(self.desired), ..OwnCount::default() };
        let mut run = Run { found, users, count, ..Run::begin_changed(now) };
        awaited.into_iter().for_each(|awaited| run.follow_deployment(awaited, false));
        run
    }
}
