//! A deploy as an operation.

use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::cause::{Cause, gather_cause};
use crate::plan::color::ServiceColor;
use crate::plan::deploy::{Goal, Situation, next_deploy_action};
use crate::plan::failures::first_of_deployment;
use crate::plan::read_scope::ReadScope;
use crate::plan::run::Run;
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{Next, Purpose, RunFailure, Step, Update};
use crate::plan::time::Time;

/// A running deploy.
#[derive(Clone, Debug)]
pub(crate) struct DeployOperation<'a> {
    /// The goal.
    pub(crate) goal: &'a Goal,
    /// The service's name.
    pub(crate) service: &'a str,
    /// The run's memory.
    pub(crate) run: Run,
}

impl DeployOperation<'_> {
    /// Notes a new look, and decides the next action.
    pub(crate) fn decide(&mut self, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        if let Ok(snapshot) = seen {
            self.run.memory.repeats.saw_forms(snapshot, now);
        }
        let seen = &*self.run.memory.repeats.with_own_forms(seen, now);
        let look = seen.as_ref().map(|snapshot| Situation::of(snapshot, self.goal));
        if let Ok(situation) = &look {
            self.run.saw(situation, self.goal, now);
        }
        self.next(&look, seen, now)
    }

    /// Decides the next action in this situation, by the memory so far.
    fn next(&self, look: &Result<Situation<'_>, &AwsError>, seen: &AwsResult<Snapshot>, now: Time) -> Next {
        let next = next_deploy_action(look, self.goal, &self.run, now);
        self.run.memory.guard(next, (seen, now), self.last_look())
    }

    /// The parts of AWS to read for the next decision.
    pub(crate) fn look(&self) -> ReadScope {
        if self.run.awaited().is_none() && self.run.memory.failing.is_none() {
            return self.goal.look();
        }
        ReadScope::following(self.goal.color)
    }

    /// The parts to read for the end of the run and the report.
    pub(super) fn last_look(&self) -> ReadScope {
        self.goal.look()
    }

    /// True if the rules must be read once more right before a step. The read behind the decision may be old.
    pub(crate) fn is_bound_to_rules(&self, step: &Step) -> bool {
        // A live color, deployed to as the user allowed, may keep its users: only its count depends on them.
        let depends = |update: &Update| !self.goal.request.allow_live || update.desired.is_some();
        let bound = match step {
            Step::Update(update) => update.purpose == Purpose::Deploy && depends(update),
            Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_) => true,
            Step::Find(_) | Step::Register(_) | Step::Probe(_) | Step::Weights(_) => false,
        };
        bound && self.goal.color != ServiceColor::Develop
    }

    /// The decision by new rules, without a note in the memory.
    pub(crate) fn stopped_by_rules(&self, seen: &Snapshot, now: Time) -> Next {
        let seen = Ok(seen.clone());
        let seen = &*self.run.memory.repeats.with_own_forms(&seen, now);
        let look = seen.as_ref().map(|snapshot| Situation::of(snapshot, self.goal));
        self.next(&look, seen, now)
    }

    /// Notes the state right before a write.
    pub(crate) fn before(&mut self, step: &Step, seen: &Snapshot) {
        let situation = Situation::of(seen, self.goal);
        let Some(service) = situation.service else { return };
        if let Step::Update(update) = step {
            self.run.note_users(&situation);
            self.run.before_update(service, update);
        }
        self.run.before_bounds(service, step);
    }

    /// The color and cause of the first task that failed in the awaited deployment, if this look shows such a task.
    pub(super) fn first_failure(&self, seen: &Snapshot) -> Option<(ServiceColor, Cause)> {
        let awaited = self.run.awaited().filter(|_| self.run.memory.failing.is_none())?;
        first_of_deployment(seen, self.goal.color, awaited)
    }

    /// Start of the awaited deployment.
    pub(super) fn started(&self) -> Time {
        self.run.awaited().map_or(self.run.memory.began, |awaited| awaited.started)
    }

    /// True once the deploy has begun to change the service, or may have.
    pub(super) fn has_begun(&self) -> bool {
        self.run.awaited().is_some() || self.run.unanswered().is_some()
    }

    /// The cause of a failure, by a look at the service.
    pub(super) fn cause(&self, service: Option<&Service>, failing: &RunFailure) -> Cause {
        let followed = self.run.followed();
        let unhealthy = followed.map_or(&[][..], |followed| &followed.unhealthy);
        gather_cause(service, self.run.awaited(), unhealthy, failing)
    }
}
