//! The phases of a deploy, and what the run remembers in each. A restore leaves the phase as it was.

use crate::plan::failures::Failures;
use crate::plan::own_targets::group_targets;
use crate::plan::sighting::Sighting;
use crate::plan::snapshot::{Service, Target};
use crate::plan::step::ProbeFailure;
use crate::plan::time::Time;
use crate::plan::verdict::{OwnDeployment, is_own};

/// The phase of a deploy.
#[derive(Clone, Debug)]
pub(crate) enum DeployPhase {
    /// The run looks for the revision, and sends the update.
    Prepare(Prepare),
    /// The run follows a deployment, and then asks the probes.
    Follow(Box<Followed>),
}

impl Default for DeployPhase {
    fn default() -> Self {
        DeployPhase::Prepare(Prepare::default())
    }
}

/// The memory before a deployment is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prepare {
    /// Result of the search for a revision with the wanted content.
    pub(crate) sought: Option<Option<String>>,
    /// The change that the run's own update is to bring, from right before it is sent.
    pub(crate) expected: Option<OwnDeployment>,
}

/// The memory of a deployment that the run follows.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    /// The deployment.
    pub(crate) awaited: OwnDeployment,
    /// True if another run or user began the deployment.
    pub(crate) adopted: bool,
    /// Looks in a row that show the service as removed or taken over by another user.
    pub(super) doubt: Sighting,
    /// The desired count that another user set later.
    pub(super) recounted: Option<u32>,
    /// The run's own unhealthy targets, each as last seen. A target vanishes from the target group once ECS replaces
    /// the task.
    pub(crate) unhealthy: Vec<Target>,
    /// The run's own tasks that failed.
    pub(crate) failures: Failures,
    /// The answers of the probes.
    pub(crate) probes: Probes,
}

/// The answers of the probes so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probes {
    /// The last answer. None before the first attempt.
    pub(crate) answer: Option<Result<(), ProbeFailure>>,
    /// Number of attempts.
    pub(crate) tries: u32,
    /// True if the run has waited since a wrong answer.
    pub(crate) is_due: bool,
}

impl Probes {
    /// Notes an answer.
    pub(super) fn answered(&mut self, answer: Result<(), ProbeFailure>) {
        *self = Probes { answer: Some(answer), tries: self.tries + 1, is_due: false };
    }

    /// The last answer, if that answer was wrong.
    pub(crate) fn wrong(&self) -> Option<&ProbeFailure> {
        self.answer.as_ref()?.as_ref().err()
    }
}

impl Followed {
    /// The memory of a deployment at the begin of the phase.
    pub(crate) fn new(awaited: OwnDeployment, adopted: bool) -> Followed {
        Followed {
            awaited,
            adopted,
            doubt: Sighting::default(),
            recounted: None,
            unhealthy: Vec::new(),
            failures: Failures::default(),
            probes: Probes::default(),
        }
    }

    /// Notes the first sight of the change (a seen change stays seen), or that the time for it has passed.
    pub(super) fn note_visible(&mut self, service: &Service, is_late: bool) {
        self.awaited.seen |= self.awaited.shows(service) || is_late;
    }

    /// Finds the run's own deployment if the update's answer gave no id.
    pub(super) fn find_own(&mut self, service: &Service) {
        if self.awaited.id.is_some() || self.awaited.before.is_empty() {
            return;
        }
        let found = service.deployments.iter().find(|one| self.awaited.can_be(one));
        self.awaited.id = found.map(|deployment| deployment.id.clone());
    }

    /// Notes the run's own targets that the load balancer finds unhealthy.
    pub(super) fn note_unhealthy(&mut self, service: &Service) {
        let Some(targets) = group_targets(service) else { return };
        for (task, target) in targets.own {
            if is_own(task, &self.awaited) && target.state == "unhealthy" {
                self.unhealthy.retain(|known| (&known.id, known.port) != (&target.id, target.port));
                self.unhealthy.push(target.clone());
            }
        }
    }
}

/// The users of the color in the last look before the run's change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UsersBefore {
    /// True if users reached the color.
    pub(crate) was_live: bool,
    /// The color's share of users, by `Wiring::user_share`.
    pub(crate) share: u64,
}

/// The color's desired count, as this run wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnCount {
    /// The count after the run's own update. None before the update.
    pub(crate) asked: Option<u32>,
    /// Time at which a count that this run had lowered was raised for newly arrived users.
    pub(crate) raised: Option<Time>,
    /// Looks in a row, with the rules, that show a count which this run lowered.
    pub(crate) lowered_looks: u32,
}

/// The run's writes to a scalable target, scaling policies and alarms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScalingWrites {
    /// True if the run wrote any of these.
    pub(crate) any: bool,
    /// Number of writes after the version was good.
    pub(crate) after_good: u32,
    /// MinCapacity before this run lowered it.
    pub(crate) lowered_min: Option<u32>,
}

/// The progress of a restore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RestoreProgress {
    /// The restore's write, once AWS accepted it.
    pub(crate) written: Option<RestoreWrite>,
    /// Looks in a row that show the service without a trace of this run.
    pub(crate) traceless: Sighting,
}

/// The write of a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RestoreWrite {
    /// Time of the answer.
    pub(crate) at: Time,
    /// True if the write left a larger count to users who came.
    pub(crate) keeps_count: bool,
}
