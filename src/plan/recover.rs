//! The way back after a failed or cancelled deploy: put the color back as it was found, once, and read it back.
//!
//! A restore that AWS already does is not done twice (invariant 13); what somebody else wrote meanwhile stands: content,
//! count, and users who were moved to the color.

mod users;

use std::time::Duration;

pub(super) use self::users::{Users, users};

use super::admit::Hindrance;
use super::deploy::Goal;
use super::look::Look;
use super::lost::shows;
use super::run::{Run, Turned};
use super::snapshot::{Deployment, Rollout, Service, Snapshot};
use super::step::{Because, End, Failing, Found, Left, Next, Purpose, Refusal, Step, Update, Wait};
use super::time::Time;
use super::trouble::{Read, Trouble};
use super::verdict::{Ended, Recovery, Waiting};

/// How long the run watches the old tasks come back. The way back itself is confirmed at once.
const WATCH: Duration = Duration::from_secs(120);

/// How long AWS is asked again when it does not answer while the color has to be put back.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an unanswered restore is looked for before it is written again.
const UNANSWERED: Duration = Duration::from_secs(5);

/// Decides what is still to do on the way back.
pub(crate) fn next(seen: &Read<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    let Some(turned) = &run.failing else {
        return bad(Failing::Cancelled, Left::Unknown, Because::NotConfirmed);
    };
    let failing = turned.failing.clone();
    let started = run.changed || run.adopted || run.unanswered_update().is_some();
    if !started {
        return untouched(failing, run);
    }
    if let Some(trouble) = &run.restore_trouble {
        return bad(failing, Left::Unknown, Because::Trouble(trouble.clone()));
    }
    if let Some(next) = tasks_first(seen, (goal, run), turned, now) {
        return next;
    }
    if only_drained(&failing) {
        return bad(failing, Left::Changed, Because::OnlyDrains);
    }
    if failing == Failing::Cancelled && !goal.restore_on_cancel && !in_doubt(seen, goal, run) {
        return bad(failing, Left::Changed, Because::Asked);
    }
    let came = matches!(failing, Failing::Deployment(Ended::UsersCame { .. }));
    if turned.recovery == Recovery::Theirs && !came {
        return bad(failing, Left::Changed, Because::Theirs);
    }
    match seen {
        Err(trouble) => no_answer(trouble, turned, now),
        Ok(snapshot) if run.shows_no_trace(now) == Some(false) => {
            Next::Wait(unproven(snapshot.service(goal.color)))
        }
        Ok(snapshot) => match snapshot.service(goal.color) {
            None => bad(failing, Left::Changed, Because::Theirs),
            Some(service) if came => under_users(service, run, turned, now),
            Some(service) => {
                let next = back(service, run, turned, now);
                let writes = matches!(next, Next::Step(_));
                let asks = (writes || run.raised.is_some()) && !run.was_live;
                let stays =
                    if asks { because_of_users((snapshot, service), (goal, run), turned, now) } else { None };
                stays.unwrap_or(next)
            }
        },
    }
}

/// Whether a healthy version timed out because old tasks still drained: it is no version to go back from.
fn only_drained(failing: &Failing) -> bool {
    let Failing::Deployment(Ended::TimedOut(waiting)) = failing else { return false };
    matches!(**waiting, Waiting::Draining { .. })
}

/// Before any end: tasks that this run took from users who came meanwhile (invariant 36).
fn tasks_first(
    seen: &Read<Snapshot>,
    (goal, run): (&Goal, &Run),
    turned: &Turned,
    now: Time,
) -> Option<Next> {
    let snapshot = seen.as_ref().ok().filter(|_| !run.was_live)?;
    let service = snapshot.service(goal.color).filter(|service| short(service, run).is_some())?;
    (users(snapshot, goal) == Users::Here).then(|| under_users(service, run, turned, now))
}

/// The count that the color needs for users who came, if this run lowered it (invariant 36): what it had, or what this run
/// had asked for.
fn short(service: &Service, run: &Run) -> Option<u32> {
    let found = run.found.as_ref()?.desired;
    let needed = found.max(run.asked.unwrap_or_default());
    let ours = run.asked == Some(service.desired) || (run.restoring.is_some() && service.desired == found);
    (ours && service.desired < needed).then_some(needed)
}

/// Users are on the color: no version and no task is taken from them, and a count that this run lowered is raised again
/// before anything else is said.
fn under_users(service: &Service, run: &Run, turned: &Turned, now: Time) -> Next {
    let failing = turned.failing.clone();
    if let Some(count) = short(service, run) {
        return match run.raised {
            None => Next::Step(Step::Update(raise(service, count))),
            Some(written) if now.since(written) < UNANSWERED => watching(service, run),
            Some(_) => bad(failing, Left::Unknown, Because::NotConfirmed),
        };
    }
    if run.restoring.is_some() {
        return bad(failing, Left::Changed, Because::CountKept { count: service.desired });
    }
    let because = match &failing {
        Failing::Deployment(Ended::UsersCame { version, .. }) => {
            Because::UsersCameMeanwhile { version: version.clone() }
        }
        Failing::Deployment(_)
        | Failing::Probe(_)
        | Failing::Cancelled
        | Failing::Traffic(_)
        | Failing::Repeated(_) => Because::UsersCame,
    };
    bad(failing, Left::Changed, because)
}

/// The update that gives a color with users its tasks again.
fn raise(service: &Service, count: u32) -> Update {
    Update {
        color: service.color,
        service: service.name.clone(),
        task_definition: None,
        desired: Some(count),
        force: false,
        purpose: Purpose::Traffic,
    }
}

/// Right before the write of the way back, and after one that took tasks (invariants 6 and 36): what users may have been
/// moved to meanwhile stays as it is. Where users are has to be known for it.
fn because_of_users(
    (snapshot, service): (&Snapshot, &Service),
    (goal, run): (&Goal, &Run),
    turned: &Turned,
    now: Time,
) -> Option<Next> {
    let failing = || turned.failing.clone();
    match users(snapshot, goal) {
        Users::Elsewhere => None,
        Users::Unseen => Some(Next::Look(Look { health: false, definitions: false, ..Look::WHOLE })),
        Users::Here => Some(under_users(service, run, turned, now)),
        Users::Unknown(Hindrance::Hold(trouble)) if now.since(turned.at) < PATIENCE => {
            Some(Next::Wait(Wait::Trouble(trouble)))
        }
        Users::Unknown(hindrance) => {
            let why = match hindrance {
                Hindrance::Hold(trouble) => Refusal::Unread(trouble),
                Hindrance::Refuse(refusal) => refusal,
            };
            Some(bad(failing(), Left::Changed, Because::UsersNotKnown(Box::new(why))))
        }
    }
}

/// Whether a look shows no trace of what this run changed: the service is gone, or it is as it was before the run's
/// update, with no deployment that came after that. A stale answer looks the same.
pub(super) fn is_without_trace(service: Option<&Service>, run: &Run) -> bool {
    let (Some(mine), Some(found)) = (run.own_change(), &run.found) else { return false };
    let wrote = run.changed || run.unanswered_update().is_some();
    if !wrote || run.restoring.is_some() || mine.before.is_empty() {
        return false;
    }
    let Some(service) = service else { return true };
    let as_found =
        service.task_definition == found.task_definition && count_back(service, run, found).is_none();
    let rolled_back = |one: &Deployment| one.reason.to_lowercase().contains("rolling back");
    let known = |one: &Deployment| mine.before.contains(&one.id) && !rolled_back(one);
    as_found && service.deployments.iter().all(known)
}

/// The wait until that was seen often enough.
fn unproven(service: Option<&Service>) -> Wait {
    let (running, desired) = service.map_or((0, 0), |service| (service.running, service.desired));
    Wait::Rollback { running, desired }
}

/// Whether nothing but an update without an answer may have changed the color, and AWS shows no change of it.
fn in_doubt(seen: &Read<Snapshot>, goal: &Goal, run: &Run) -> bool {
    if run.changed || run.adopted {
        return false;
    }
    let (Ok(snapshot), Some(unanswered)) = (seen, &run.unanswered) else { return true };
    !snapshot.service(goal.color).is_some_and(|service| shows(service, run, unanswered))
}

/// The color was not changed. Policies and alarms for its scaling may have been, before.
fn untouched(failing: Failing, run: &Run) -> Next {
    if run.managed {
        return bad(failing, Left::Changed, Because::ScalingStays);
    }
    bad(failing, Left::Untouched, Because::NothingChanged)
}

/// Short for a bad end.
fn bad(failing: Failing, left: Left, because: Because) -> Next {
    Next::Done(End::Bad { failing, left, because })
}

/// AWS can't be asked: try again for a while, then say loudly that nothing is known.
fn no_answer(trouble: &Trouble, turned: &Turned, now: Time) -> Next {
    if trouble.kind.passes() && now.since(turned.at) < PATIENCE {
        return Next::Wait(Wait::Trouble(trouble.clone()));
    }
    bad(turned.failing.clone(), Left::Unknown, Because::Trouble(trouble.clone()))
}

/// The service can be read: compare it with what was found.
fn back(service: &Service, run: &Run, turned: &Turned, now: Time) -> Next {
    let failing = turned.failing.clone();
    let Some(found) = &run.found else {
        let nothing = run.mine.is_some() && !run.changed;
        let because = if nothing { Because::NothingToGoBackTo } else { Because::SameDefinition };
        return bad(failing, Left::Changed, because);
    };
    if service.task_definition == found.task_definition && count_back(service, run, found).is_none() {
        return as_found(service, run, found, &(turned, now));
    }
    if let Some(unanswered) = &run.unanswered
        && now.since(unanswered.ended) < UNANSWERED
        && !shows(service, run, unanswered)
    {
        return Next::Wait(Wait::Unanswered(unanswered.trouble.clone()));
    }
    if run.restoring.is_some_and(|written| now.since(written) < UNANSWERED) {
        return watching(service, run);
    }
    if run.restoring.is_some() {
        return bad(failing, Left::Unknown, Because::NotConfirmed);
    }
    let mine = run.own_change().map(|mine| mine.task_definition.as_str());
    let of_mine = mine.is_none_or(|mine| mine == service.task_definition);
    if !of_mine && service.task_definition != found.task_definition {
        let because = if turned.recovery == Recovery::Aws { Because::AwsElsewhere } else { Because::Theirs };
        return bad(failing, Left::Changed, because);
    }
    if turned.recovery == Recovery::Aws && of_mine && now.since(turned.at) < run_patience(run, turned) {
        return watching(service, run);
    }
    Next::Step(Step::Update(restore(service, run, found)))
}

/// The count to go back to: only from the count that this run's own update left. One that somebody else set since, or a
/// scaling policy, stays.
fn count_back(service: &Service, run: &Run, found: &Found) -> Option<u32> {
    let ours = run.asked == Some(service.desired);
    (ours && service.desired != found.desired).then_some(found.desired)
}

/// How long AWS may take to begin a rollback of its own. On a cancelled run there is no time for it.
fn run_patience(run: &Run, turned: &Turned) -> Duration {
    if run.cancelled.is_some() || turned.failing == Failing::Cancelled {
        return Duration::ZERO;
    }
    Duration::from_secs(30)
}

/// The update that puts the color back.
fn restore(service: &Service, run: &Run, found: &Found) -> Update {
    Update {
        color: service.color,
        service: service.name.clone(),
        task_definition: (service.task_definition != found.task_definition)
            .then(|| found.task_definition.clone()),
        desired: count_back(service, run, found),
        force: false,
        purpose: Purpose::Restore,
    }
}

/// Still on the way back.
fn watching(service: &Service, run: &Run) -> Next {
    let primary = service.primary();
    let running = primary.map_or(service.running, |deployment| deployment.running);
    let desired = service.desired;
    Next::Wait(if run.restoring.is_some() {
        Wait::Restore { running, desired }
    } else {
        Wait::Rollback { running, desired }
    })
}

/// Content and count are as found. The old tasks are watched on their way back, for a while.
fn as_found(service: &Service, run: &Run, found: &Found, at: &(&Turned, Time)) -> Next {
    let (turned, now) = *at;
    let failing = turned.failing.clone();
    let same = run.mine.as_ref().is_some_and(|mine| mine.task_definition == found.task_definition);
    let shown = run.unanswered.as_ref().is_some_and(|unanswered| shows(service, run, unanswered));
    let rolled = run.mine.as_ref().map_or(shown, |mine| same && mine.id.is_some());
    if rolled && run.restoring.is_none() {
        return bad(failing, Left::Changed, Because::SameDefinition);
    }
    if run.unanswered_update().is_some() && run.mine.is_none() && run.restoring.is_none() {
        return unseen_update(run, turned, now);
    }
    if same && run.restoring.is_none() && service.desired != found.desired {
        return bad(failing, Left::Changed, Because::Theirs);
    }
    let because = if run.restoring.is_some() { Because::PutBack } else { Because::AwsPutBack };
    let settled = service.primary().is_some_and(|primary| {
        primary.rollout != Rollout::InProgress || (primary.running >= primary.desired && primary.pending == 0)
    });
    let waited = now.since(run.restoring.unwrap_or(turned.at));
    if settled || waited >= WATCH || run.cancelled.is_some() {
        return bad(failing, Left::Restored, because);
    }
    watching(service, run)
}

/// An update without an answer does not show. It is given a moment; then the color counts as untouched.
fn unseen_update(run: &Run, turned: &Turned, now: Time) -> Next {
    let Some(unanswered) = &run.unanswered else {
        return untouched(turned.failing.clone(), run);
    };
    if now.since(unanswered.ended) < UNANSWERED {
        return Next::Wait(Wait::Unanswered(unanswered.trouble.clone()));
    }
    untouched(turned.failing.clone(), run)
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
