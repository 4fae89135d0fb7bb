//! The restore after a failed or cancelled deploy: writes the color's old state once, and reads the result.
//!
//! AWS's own rollback is not repeated (invariant 13). Another user's changes meanwhile stay: content, count, and users
//! who were moved to the color.

mod users;

use std::time::Duration;

pub(super) use self::users::{Users, find_newcomers, find_users};

use super::aws_error::{AwsError, AwsResult};
use super::deploy::Goal;
use super::preconditions::Blocker;
use super::read_scope::ReadScope;
use super::run::{RestoreStarted, Run};
use super::snapshot::{Deployment, Rollout, Service, Snapshot};
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

/// Decides the next action of a restore. Ends once AWS has throttled the writes for too long.
pub(crate) fn next_restore_action(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    let next = decide_restore(seen, goal, run, now);
    if let (Next::Step(_), Some(turned), Some((since, trouble))) = (&next, &run.failing, &run.throttled)
        && now.since(*since) >= PATIENCE
    {
        return bad_end(turned.failing.clone(), Left::Unknown, EndStateReason::AwsError(trouble.clone()));
    }
    next
}

/// Decides the next action of a restore whose writes AWS accepts.
fn decide_restore(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    let Some(turned) = &run.failing else {
        return bad_end(RunFailure::Cancelled, Left::Unknown, EndStateReason::NotConfirmed);
    };
    let failing = turned.failing.clone();
    let started = run.changed || run.adopted || run.unanswered_update().is_some();
    if !started {
        return end_untouched(failing, run);
    }
    if let Some(trouble) = &run.restore_trouble {
        return bad_end(failing, Left::Unknown, EndStateReason::AwsError(trouble.clone()));
    }
    if let Some(next) = tasks_first(seen, (goal, run), turned, now) {
        return next;
    }
    if only_drained(&failing) {
        return bad_end(failing, Left::Changed, EndStateReason::OnlyDrains);
    }
    if failing == RunFailure::Cancelled && !goal.restore_on_cancel && !in_doubt(seen, goal, run) {
        return bad_end(failing, Left::Changed, EndStateReason::Asked);
    }
    let came = matches!(failing, RunFailure::Deployment(DeploymentFailure::UsersCame { .. }));
    if turned.recovery == Restorer::NoOne && !came {
        return bad_end(failing, Left::Changed, EndStateReason::ChangedExternally);
    }
    match seen {
        Err(trouble) => no_answer(trouble, turned, now),
        Ok(snapshot) if run.shows_no_trace(now) == Some(false) => {
            Next::Wait(rollback_wait(snapshot.service(goal.color)))
        }
        Ok(snapshot) => match snapshot.service(goal.color) {
            None => bad_end(failing, Left::Changed, EndStateReason::ChangedExternally),
            Some(service) if came => under_users(service, run, turned, now),
            Some(service) if run.was_live => match keeps_count(snapshot, service, goal, run) {
                Some(keeps) => restore_service(service, run, turned, (now, keeps)),
                None => Next::Read(USERS),
            },
            Some(service) => {
                let next = restore_service(service, run, turned, (now, false));
                let writes = matches!(next, Next::Step(_));
                let asks = writes || run.raised.is_some();
                let stays =
                    if asks { because_of_users((snapshot, service), (goal, run), turned, now) } else { None };
                stays.unwrap_or(next)
            }
        },
    }
}

/// True if a healthy version timed out only because old tasks still drained. Such a version needs no restore.
fn only_drained(failing: &RunFailure) -> bool {
    let RunFailure::Deployment(DeploymentFailure::TimedOut(waiting)) = failing else { return false };
    matches!(**waiting, Waiting::Draining { .. })
}

/// Before any end, gives tasks back that this run took from newly arrived users (invariant 36).
fn tasks_first(
    seen: &AwsResult<Snapshot>,
    (goal, run): (&Goal, &Run),
    turned: &RestoreStarted,
    now: Time,
) -> Option<Next> {
    let snapshot = seen.as_ref().ok()?;
    let service = snapshot.service(goal.color).filter(|service| needed_count(service, run).is_some())?;
    (find_newcomers(snapshot, goal, run) == Users::Here).then(|| under_users(service, run, turned, now))
}

/// True if a color that was live keeps the count that this run raised: more users came since, or may have come
/// (invariants 16 and 44). The version goes back in any case. None if the rules must be read first.
fn keeps_count(snapshot: &Snapshot, service: &Service, goal: &Goal, run: &Run) -> Option<bool> {
    if run.kept_count || run.raised.is_some() {
        return Some(true);
    }
    let back = run.found.as_ref().and_then(|found| count_back(service, run, found));
    if back.is_none_or(|count| count >= service.desired) {
        return Some(false);
    }
    match find_newcomers(snapshot, goal, run) {
        Users::Elsewhere => Some(false),
        Users::Here | Users::Unknown(_) => Some(true),
        Users::Unseen => None,
    }
}

/// The count that the color needs for newly arrived users, if this run lowered the count (invariant 36): the higher of
/// the found and the requested count.
pub(super) fn needed_count(service: &Service, run: &Run) -> Option<u32> {
    let found = run.found.as_ref()?.desired;
    let needed = found.max(run.asked.unwrap_or_default());
    let ours = run.asked == Some(service.desired) || (run.restoring.is_some() && service.desired == found);
    (ours && service.desired < needed).then_some(needed)
}

/// The next action on a color with users. No version and no task is taken away. A count that this run lowered is raised
/// before any other end.
fn under_users(service: &Service, run: &Run, turned: &RestoreStarted, now: Time) -> Next {
    let failing = turned.failing.clone();
    if let Some(count) = needed_count(service, run) {
        return match run.raised {
            None => Next::Step(Step::Update(raise_count(service, count))),
            Some(written) if now.since(written) < UNANSWERED => restore_wait(service, run),
            Some(_) => bad_end(failing, Left::Unknown, EndStateReason::NotConfirmed),
        };
    }
    if run.restoring.is_some() {
        return bad_end(failing, Left::Changed, EndStateReason::CountKept { count: service.desired });
    }
    let because = match &failing {
        RunFailure::Deployment(DeploymentFailure::UsersCame { version, .. }) => {
            EndStateReason::UsersCameMeanwhile { version: version.clone() }
        }
        RunFailure::Deployment(_)
        | RunFailure::Probe(_)
        | RunFailure::Cancelled
        | RunFailure::Traffic(_)
        | RunFailure::Repeated(_) => EndStateReason::UsersCame,
    };
    bad_end(failing, Left::Changed, because)
}

/// The update that raises the count of a color with users.
pub(super) fn raise_count(service: &Service, count: u32) -> Update {
    Update {
        color: service.color,
        service: service.name.clone(),
        task_definition: None,
        desired: Some(count),
        force: false,
        purpose: Purpose::Traffic,
    }
}

/// Stops the restore of a color that users may have reached meanwhile. Checked right before the restore's write, and
/// after a write that removed tasks (invariants 6 and 36). The check needs the rules.
fn because_of_users(
    (snapshot, service): (&Snapshot, &Service),
    (goal, run): (&Goal, &Run),
    turned: &RestoreStarted,
    now: Time,
) -> Option<Next> {
    let failing = || turned.failing.clone();
    match find_users(snapshot, goal) {
        Users::Elsewhere => None,
        Users::Unseen => Some(Next::Read(USERS)),
        Users::Here => Some(under_users(service, run, turned, now)),
        Users::Unknown(Blocker::Retry(trouble)) if now.since(turned.at) < PATIENCE => {
            Some(Next::Wait(Wait::AwsError(trouble)))
        }
        Users::Unknown(hindrance) => {
            let why = match hindrance {
                Blocker::Retry(trouble) => Refusal::Unread(trouble),
                Blocker::Refuse(refusal) => refusal,
            };
            Some(bad_end(failing(), Left::Changed, EndStateReason::UsersNotKnown(Box::new(why))))
        }
    }
}

/// True if a look shows no trace of this run's change: the service is gone, or looks as before the run's update,
/// without a later deployment. A stale answer looks the same.
pub(super) fn is_without_trace(service: Option<&Service>, run: &Run) -> bool {
    let (Some(awaited), Some(found)) = (run.own_change(), &run.found) else { return false };
    let wrote = run.changed || run.unanswered_update().is_some();
    if !wrote || run.restoring.is_some() || awaited.before.is_empty() {
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

/// True if only an unanswered update may have changed the color, and AWS does not show the change.
fn in_doubt(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run) -> bool {
    if run.changed || run.adopted {
        return false;
    }
    let (Ok(snapshot), Some(unanswered)) = (seen, &run.unanswered) else { return true };
    !snapshot.service(goal.color).is_some_and(|service| has_taken_effect(service, run, unanswered))
}

/// The end without a change of the color. Scaling policies and alarms may have changed before.
fn end_untouched(failing: RunFailure, run: &Run) -> Next {
    if run.managed {
        return bad_end(failing, Left::Changed, EndStateReason::ScalingStays);
    }
    bad_end(failing, Left::Untouched, EndStateReason::NothingChanged)
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

/// Compares a service that can be read with the found state. `keeps`: a larger count stays.
fn restore_service(
    service: &Service,
    run: &Run,
    turned: &RestoreStarted,
    (now, keeps): (Time, bool),
) -> Next {
    let failing = turned.failing.clone();
    let Some(found) = &run.found else {
        let nothing = run.awaited.is_some() && !run.changed;
        let because =
            if nothing { EndStateReason::NothingToGoBackTo } else { EndStateReason::SameDefinition };
        return bad_end(failing, Left::Changed, because);
    };
    let count = count_back(service, run, found).filter(|_| !keeps);
    if service.task_definition == found.task_definition && count.is_none() {
        return as_found(service, run, found, &(turned, now));
    }
    if let Some(unanswered) = &run.unanswered
        && now.since(unanswered.ended) < UNANSWERED
        && !has_taken_effect(service, run, unanswered)
    {
        return Next::Wait(Wait::UnansweredWrite(unanswered.trouble.clone()));
    }
    if run.restoring.is_some_and(|written| now.since(written) < UNANSWERED) {
        return restore_wait(service, run);
    }
    if run.restoring.is_some() {
        return bad_end(failing, Left::Unknown, EndStateReason::NotConfirmed);
    }
    let awaited = run.own_change().map(|awaited| awaited.task_definition.as_str());
    let of_mine = awaited.is_none_or(|awaited| awaited == service.task_definition);
    if !of_mine && service.task_definition != found.task_definition {
        let because = if turned.recovery == Restorer::Aws {
            EndStateReason::AwsElsewhere
        } else {
            EndStateReason::ChangedExternally
        };
        return bad_end(failing, Left::Changed, because);
    }
    if turned.recovery == Restorer::Aws && of_mine && now.since(turned.at) < run_patience(run, turned) {
        return restore_wait(service, run);
    }
    Next::Step(Step::Update(restore_update(service, found, count)))
}

/// The count to restore, only if the current count is from this run's own update. A count from another user or a
/// scaling policy stays.
fn count_back(service: &Service, run: &Run, found: &InitialService) -> Option<u32> {
    let ours = run.asked == Some(service.desired);
    (ours && service.desired != found.desired).then_some(found.desired)
}

/// Longest time for AWS to begin an automatic rollback. A cancelled run does not wait.
fn run_patience(run: &Run, turned: &RestoreStarted) -> Duration {
    if run.cancelled.is_some() || turned.failing == RunFailure::Cancelled {
        return Duration::ZERO;
    }
    Duration::from_secs(30)
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

/// The restore or AWS's rollback is under way.
fn restore_wait(service: &Service, run: &Run) -> Next {
    let primary = service.primary();
    let running = primary.map_or(service.running, |deployment| deployment.running);
    let desired = service.desired;
    Next::Wait(if run.restoring.is_some() {
        Wait::Restore { running, desired }
    } else {
        Wait::Rollback { running, desired }
    })
}

/// Content and count equal the found state. Watches for a while as the old tasks return.
fn as_found(service: &Service, run: &Run, found: &InitialService, at: &(&RestoreStarted, Time)) -> Next {
    let (turned, now) = *at;
    let failing = turned.failing.clone();
    let same = run.awaited.as_ref().is_some_and(|awaited| awaited.task_definition == found.task_definition);
    let shown = run.unanswered.as_ref().is_some_and(|unanswered| has_taken_effect(service, run, unanswered));
    let rolled = run.awaited.as_ref().map_or(shown, |awaited| same && awaited.id.is_some());
    if rolled && run.restoring.is_none() {
        return bad_end(failing, Left::Changed, EndStateReason::SameDefinition);
    }
    if run.unanswered_update().is_some() && run.awaited.is_none() && run.restoring.is_none() {
        return unseen_update(run, turned, now);
    }
    let kept = count_back(service, run, found).is_some();
    if same && run.restoring.is_none() && service.desired != found.desired && !kept {
        return bad_end(failing, Left::Changed, EndStateReason::ChangedExternally);
    }
    let because =
        if run.restoring.is_some() { EndStateReason::RestoredByRun } else { EndStateReason::RestoredByAws };
    let settled = service.primary().is_some_and(|primary| {
        primary.rollout != Rollout::InProgress || (primary.running >= primary.desired && primary.pending == 0)
    });
    let waited = now.since(run.restoring.unwrap_or(turned.at));
    let ends = settled || waited >= WATCH || run.cancelled.is_some();
    if ends && run.lowered_looks == 1 && run.cancelled.is_none() {
        // The rules are read once more after AWS shows a lowered count (invariant 36).
        return Next::Read(USERS);
    }
    if ends && kept {
        return bad_end(failing, Left::Changed, EndStateReason::CountKept { count: service.desired });
    }
    if ends {
        return bad_end(failing, Left::Restored, because);
    }
    restore_wait(service, run)
}

/// An unanswered update does not show. After a moment, the color counts as untouched.
fn unseen_update(run: &Run, turned: &RestoreStarted, now: Time) -> Next {
    let Some(unanswered) = &run.unanswered else {
        return end_untouched(turned.failing.clone(), run);
    };
    if now.since(unanswered.ended) < UNANSWERED {
        return Next::Wait(Wait::UnansweredWrite(unanswered.trouble.clone()));
    }
    end_untouched(turned.failing.clone(), run)
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
