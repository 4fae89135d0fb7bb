//! The restore after a failed or cancelled deploy: writes the color's old state once, and reads the result.
//!
//! AWS's own rollback is not repeated (invariant 13). Another user's changes meanwhile stay: content, count, and users
//! who were moved to the color.

use std::time::Duration;

use super::aws_error::AwsError;
use super::deploy::{Goal, Situation, Users};
use super::preconditions::Blocker;
use super::read_scope::ReadScope;
use super::run::Run;
use super::run_memory::RestoreStarted;
use super::snapshot::{Deployment, Rollout, Service};
use super::step::{
    End, EndStateReason, InitialService, Left, Next, Purpose, Refusal, RunFailure, Step, Update, Wait,
};
use super::time::Time;
use super::unanswered_write::has_taken_effect;
use super::verdict::{DeploymentFailure, Restorer, Waiting};

/// Longest time to watch the old tasks return. The restore itself is confirmed at once.
const WATCH: Duration = Duration::from_secs(120);

/// Longest time to retry while AWS does not answer during a restore.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Time to look for the effect of an unanswered restore before the next write.
const UNANSWERED: Duration = Duration::from_secs(5);

/// The look for the users of the color.
const USERS: ReadScope = ReadScope { health: false, definitions: false, ..ReadScope::WHOLE };

/// All inputs of a restore decision.
#[derive(Clone, Copy)]
pub(super) struct Restore<'a> {
    /// The goal.
    pub(super) goal: &'a Goal,
    /// The run's memory.
    pub(super) run: &'a Run,
    /// The failure.
    pub(super) turned: &'a RestoreStarted,
    /// The current time.
    pub(super) now: Time,
}

impl Restore<'_> {
    /// Decides the next action of a restore. Ends once AWS has throttled the writes for too long.
    pub(super) fn next(&self, look: &Result<Situation<'_>, &AwsError>) -> Next {
        match (self.decide(look), &self.run.memory.throttled) {
            (Next::Step(_), Some((since, trouble))) if self.now.since(*since) >= PATIENCE => {
                self.end(Left::Unknown, EndStateReason::AwsError(trouble.clone()))
            }
            (next, _) => next,
        }
    }

    /// Decides the next action of a restore whose writes AWS accepts.
    fn decide(&self, look: &Result<Situation<'_>, &AwsError>) -> Next {
        let (run, failing) = (self.run, &self.turned.failing);
        let started = run.memory.changed || run.has_adopted() || run.unanswered_update().is_some();
        if !started {
            return self.end_untouched();
        }
        if let Some(trouble) = &run.memory.restore_trouble {
            return self.end(Left::Unknown, EndStateReason::AwsError(trouble.clone()));
        }
        if let Some(next) = self.tasks_first(look) {
            return next;
        }
        let in_doubt = self.in_doubt(look);
        let changed = if in_doubt { Left::Unknown } else { Left::Changed };
        if only_drained(failing) {
            return self.end(changed, EndStateReason::OnlyDrains);
        }
        if *failing == RunFailure::Cancelled && !self.goal.restore_on_cancel && !in_doubt {
            return self.end(Left::Changed, EndStateReason::Asked);
        }
        let came = matches!(failing, RunFailure::Deployment(DeploymentFailure::UsersCame { .. }));
        if self.turned.recovery == Restorer::NoOne && !came {
            return self.end(changed, EndStateReason::ChangedExternally);
        }
        let situation = match look {
            Err(trouble) => return no_answer(trouble, self.turned, self.now),
            Ok(situation) => situation,
        };
        if run.shows_no_trace(self.now) == Some(false) {
            return Next::Wait(rollback_wait(situation.service));
        }
        match situation.service {
            None => self.end(Left::Changed, EndStateReason::ChangedExternally),
            Some(service) if came => self.under_users(service),
            Some(service) if run.users.was_live => match self.keeps_count(situation, service) {
                Some(keeps) => self.restore_service(service, keeps),
                None => Next::Read(USERS),
            },
            Some(service) => {
                let next = self.restore_service(service, false);
                let asks = matches!(next, Next::Step(_)) || run.count.raised.is_some();
                let stays = if asks { self.because_of_users(situation, service) } else { None };
                stays.unwrap_or(next)
            }
        }
    }

    /// A bad end by this failure.
    fn end(&self, left: Left, because: EndStateReason) -> Next {
        bad_end(self.turned.failing.clone(), left, because)
    }

    /// Before any end, gives tasks back that this run took from newly arrived users (invariant 36).
    fn tasks_first(&self, look: &Result<Situation<'_>, &AwsError>) -> Option<Next> {
        let situation = look.as_ref().ok()?;
        let service = situation.service.filter(|service| self.run.needed_count(service).is_some())?;
        (situation.newcomers(self.run) == Users::Here).then(|| self.under_users(service))
    }

    /// True if a color that was live keeps the count that this run raised: more users came since, or may have come
    /// (invariants 16 and 44). The version goes back in any case. None if the rules must be read first.
    fn keeps_count(&self, situation: &Situation<'_>, service: &Service) -> Option<bool> {
        let run = self.run;
        let keeps = run.restore.written.is_some_and(|written| written.keeps_count);
        if keeps || run.count.raised.is_some() {
            return Some(true);
        }
        let back = run.found.as_ref().and_then(|found| count_back(service, run, found));
        if back.is_none_or(|count| count >= service.desired) {
            return Some(false);
        }
        match situation.newcomers(run) {
            Users::Elsewhere => Some(false),
            Users::Here | Users::Unknown(_) => Some(true),
            Users::Unseen => None,
        }
    }

    /// The next action on a color with users. No version and no task is taken away. A count that this run lowered is
    /// raised before any other end.
    fn under_users(&self, service: &Service) -> Next {
        if let Some(count) = self.run.needed_count(service) {
            return match self.run.count.raised {
                None => {
                    let raised = Update::of_count(service.color, &service.name, count, Purpose::Traffic);
                    Next::Step(Step::Update(raised))
                }
                Some(written) if self.now.since(written) < UNANSWERED => self.wait(service),
                Some(_) => self.end(Left::Unknown, EndStateReason::NotConfirmed),
            };
        }
        if self.run.restore.written.is_some() {
            return self.end(Left::Changed, EndStateReason::CountKept { count: service.desired });
        }
        let failing = &self.turned.failing;
        if let RunFailure::Deployment(DeploymentFailure::UsersCame { version, .. }) = failing {
            return self.end(Left::Changed, EndStateReason::UsersCameMeanwhile { version: version.clone() });
        }
        self.end(Left::Changed, EndStateReason::UsersCame)
    }

    /// Stops the restore of a color that users may have reached meanwhile. Checked right before the restore's write, and
    /// after a write that removed tasks (invariants 6 and 36). The check needs the rules.
    fn because_of_users(&self, situation: &Situation<'_>, service: &Service) -> Option<Next> {
        match situation.users() {
            Users::Elsewhere => None,
            Users::Unseen => Some(Next::Read(USERS)),
            Users::Here => Some(self.under_users(service)),
            Users::Unknown(Blocker::Retry(trouble)) if self.now.since(self.turned.at) < PATIENCE => {
                Some(Next::Wait(Wait::AwsError(trouble)))
            }
            Users::Unknown(hindrance) => {
                let why = match hindrance {
                    Blocker::Retry(trouble) => Refusal::Unread(trouble),
                    Blocker::Refuse(refusal) => refusal,
                };
                Some(self.end(Left::Changed, EndStateReason::UsersNotKnown(Box::new(why))))
            }
        }
    }

    /// True if only an unanswered update may have changed the color, and AWS does not show the change.
    fn in_doubt(&self, look: &Result<Situation<'_>, &AwsError>) -> bool {
        if self.run.memory.changed || self.run.has_adopted() {
            return false;
        }
        let (Ok(situation), Some(unanswered)) = (look, self.run.unanswered()) else { return true };
        !situation.service.is_some_and(|service| has_taken_effect(service, self.run, unanswered))
    }

    /// The end without a change of the color. Scaling policies and alarms may have changed before.
    fn end_untouched(&self) -> Next {
        if self.run.scaling.any {
            return self.end(Left::Changed, EndStateReason::ScalingStays);
        }
        self.end(Left::Untouched, EndStateReason::NothingChanged)
    }

    /// Compares a service that can be read with the found state. `keeps`: a larger count stays.
    fn restore_service(&self, service: &Service, keeps: bool) -> Next {
        let (run, now, turned) = (self.run, self.now, self.turned);
        let Some(found) = &run.found else {
            let nothing = run.awaited().is_some() && !run.memory.changed;
            let because =
                if nothing { EndStateReason::NothingToGoBackTo } else { EndStateReason::SameDefinition };
            return self.end(Left::Changed, because);
        };
        let count = count_back(service, run, found).filter(|_| !keeps);
        if service.task_definition == found.task_definition && count.is_none() {
            return self.as_found(service, found);
        }
        if let Some(unanswered) = run.unanswered()
            && now.since(unanswered.ended) < UNANSWERED
            && !has_taken_effect(service, run, unanswered)
        {
            return Next::Wait(Wait::UnansweredWrite(unanswered.trouble.clone()));
        }
        match run.restore.written {
            Some(written) if now.since(written.at) < UNANSWERED => return self.wait(service),
            Some(_) => return self.end(Left::Unknown, EndStateReason::NotConfirmed),
            None => {}
        }
        let awaited = run.own_change().map(|awaited| awaited.task_definition.as_str());
        let of_mine = awaited.is_none_or(|awaited| awaited == service.task_definition);
        if !of_mine && service.task_definition != found.task_definition {
            let because = match turned.recovery {
                Restorer::Aws => EndStateReason::AwsElsewhere,
                Restorer::ThisRun | Restorer::NoOne => EndStateReason::ChangedExternally,
            };
            return self.end(Left::Changed, because);
        }
        if turned.recovery == Restorer::Aws && of_mine && now.since(turned.at) < self.patience() {
            return self.wait(service);
        }
        Next::Step(Step::Update(restore_update(service, found, count)))
    }

    /// Longest time for AWS to begin an automatic rollback. A cancelled run does not wait.
    fn patience(&self) -> Duration {
        if self.run.memory.cancelled.is_some() || self.turned.failing == RunFailure::Cancelled {
            return Duration::ZERO;
        }
        Duration::from_secs(30)
    }

    /// The restore or AWS's rollback is under way.
    fn wait(&self, service: &Service) -> Next {
        let running = service.primary().map_or(service.running, |deployment| deployment.running);
        let desired = service.desired;
        Next::Wait(if self.run.restore.written.is_some() {
            Wait::Restore { running, desired }
        } else {
            Wait::Rollback { running, desired }
        })
    }

    /// Content and count equal the found state. Watches for a while as the old tasks return.
    fn as_found(&self, service: &Service, found: &InitialService) -> Next {
        let run = self.run;
        let same = run.awaited().is_some_and(|awaited| awaited.task_definition == found.task_definition);
        let shown = run.unanswered().is_some_and(|unanswered| has_taken_effect(service, run, unanswered));
        let rolled = run.awaited().map_or(shown, |awaited| same && awaited.id.is_some());
        if rolled && run.restore.written.is_none() {
            return self.end(Left::Changed, EndStateReason::SameDefinition);
        }
        if run.unanswered_update().is_some() && run.awaited().is_none() && run.restore.written.is_none() {
            return self.unseen_update();
        }
        let kept = count_back(service, run, found).is_some();
        if same && run.restore.written.is_none() && service.desired != found.desired && !kept {
            return self.end(Left::Changed, EndStateReason::ChangedExternally);
        }
        let because = match run.restore.written {
            Some(_) => EndStateReason::RestoredByRun,
            None => EndStateReason::RestoredByAws,
        };
        let settled = service.primary().is_some_and(|primary| {
            primary.rollout != Rollout::InProgress
                || (primary.running >= primary.desired && primary.pending == 0)
        });
        let waited = self.now.since(run.restore.written.map_or(self.turned.at, |written| written.at));
        let ends = settled || waited >= WATCH || run.memory.cancelled.is_some();
        if ends && run.count.lowered_looks == 1 && run.memory.cancelled.is_none() {
            // The rules are read once more after AWS shows a lowered count (invariant 36).
            return Next::Read(USERS);
        }
        if ends && kept {
            return self.end(Left::Changed, EndStateReason::CountKept { count: service.desired });
        }
        if ends {
            return self.end(Left::Restored, because);
        }
        self.wait(service)
    }

    /// An unanswered update does not show. After a moment, the color counts as untouched.
    fn unseen_update(&self) -> Next {
        match self.run.unanswered() {
            Some(unanswered) if self.now.since(unanswered.ended) < UNANSWERED => {
                Next::Wait(Wait::UnansweredWrite(unanswered.trouble.clone()))
            }
            Some(_) | None => self.end_untouched(),
        }
    }
}

/// True if a healthy version timed out only because old tasks still drained. Such a version needs no restore.
fn only_drained(failing: &RunFailure) -> bool {
    let RunFailure::Deployment(DeploymentFailure::TimedOut(waiting)) = failing else { return false };
    matches!(**waiting, Waiting::Draining { .. })
}

/// True if a look shows no trace of this run's change: the service is gone, or looks as before the run's update,
/// without a later deployment. A stale answer looks the same.
pub(super) fn is_without_trace(service: Option<&Service>, run: &Run) -> bool {
    let (Some(awaited), Some(found)) = (run.own_change(), &run.found) else { return false };
    let wrote = run.memory.changed || run.unanswered_update().is_some();
    if !wrote || run.restore.written.is_some() || awaited.before.is_empty() {
        return false;
    }
    let Some(service) = service else { return true };
    let as_found =
        service.task_definition == found.task_definition && count_back(service, run, found).is_none();
    let rolled_back = |one: &Deployment| one.reason.to_lowercase().contains("rolling back");
    let known = |one: &Deployment| awaited.before.contains(&one.id) && !rolled_back(one);
    as_found && service.deployments.iter().all(known)
}

/// The wait until enough looks agree.
fn rollback_wait(service: Option<&Service>) -> Wait {
    let (running, desired) = service.map_or((0, 0), |service| (service.running, service.desired));
    Wait::Rollback { running, desired }
}

/// A bad end, of a deploy or of a change of traffic.
pub(super) fn bad_end(failing: RunFailure, left: Left, because: EndStateReason) -> Next {
    Next::Done(End::Bad { failing, left, because })
}

/// Retries for a while if AWS does not answer. Then the run ends with an unknown state.
pub(super) fn no_answer(trouble: &AwsError, turned: &RestoreStarted, now: Time) -> Next {
    if trouble.kind.is_transient() && now.since(turned.at) < PATIENCE {
        return Next::Wait(Wait::AwsError(trouble.clone()));
    }
    bad_end(turned.failing.clone(), Left::Unknown, EndStateReason::AwsError(trouble.clone()))
}

/// The count to restore, only if the current count is from this run's own update. A count from another user or a
/// scaling policy stays.
fn count_back(service: &Service, run: &Run, found: &InitialService) -> Option<u32> {
    let ours = run.count.asked == Some(service.desired);
    (ours && service.desired != found.desired).then_some(found.desired)
}

/// The update that restores the color.
fn restore_update(service: &Service, found: &InitialService, desired: Option<u32>) -> Update {
    Update {
        color: service.color,
        service: service.name.clone(),
        task_definition: (service.task_definition != found.task_definition)
            .then(|| found.task_definition.clone()),
        desired,
        force: false,
        purpose: Purpose::Restore,
    }
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
