//! `deploy`: one pure decision. It reads a snapshot, the goal and what the run remembers, and says what is next.
//!
//! - May it begin? Asked again on every snapshot before a write.
//! - Is the content there already: in the service, in flight, in a revision?
//! - Register, update, follow this deployment to its verdict, ask the probes.
//! - Whatever fails turns into the way back, in `plan/recover.rs`.

mod change;

use std::time::Duration;

use self::change::change;
pub(crate) use self::change::{before, kept_count};
use super::admit::{Hindrance, Request, admit, answered, live_refusal};
use super::color::Color;
use super::definition::Content;
use super::look::Look;
use super::lost::{Replaced, arrived, replaced, shows};
use super::recover::{self, Users, users};
use super::run::Run;
use super::scalers::{Managed, Managing, Role, next_step, serving};
use super::snapshot::{Service, Snapshot};
use super::step::{End, Failing, Follow, Next, Purpose, Refusal, Step, Wait};
use super::time::Time;
use super::trouble::{Read, Trouble};
use super::verdict::{Ended, Limits, Mine, Recovery, Verdict, Waiting, on_trouble, taken_away, verdict};
use super::wanted::DesiredCount;
use super::wiring::Wiring;

/// How long an unanswered write is looked for before it is decided anew: ECS is eventually consistent.
const UNANSWERED: Duration = Duration::from_secs(10);

/// How often the probes are asked before their answer counts as wrong: a new weight or task may take a moment.
const PROBE_TRIES: u32 = 3;

/// How often the bounds of a color are written, where AWS does not take them.
const BOUND_TRIES: u32 = 3;

/// What the user wants; fixed for the run.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// What was asked for; its color is what it was resolved to.
    pub(crate) request: Request,
    /// The color to deploy to.
    pub(crate) color: Color,
    /// What it shall run.
    pub(crate) content: Content,
    /// The revision that was named and holds exactly this content, where there is one.
    pub(crate) revision: Option<String>,
    /// Tags of the revision that is copied: its commit and branch are the content's. None: the run's own are.
    pub(crate) origin: Option<Vec<(String, String)>>,
    /// Start a deployment even if the content is the same: a tag whose image may have moved.
    pub(crate) force: bool,
    /// The count, where one was asked for.
    pub(crate) desired: Option<DesiredCount>,
    /// Limits of patience.
    pub(crate) limits: Limits,
    /// `on-cancel: restore`.
    pub(crate) restore_on_cancel: bool,
    /// How the service scales, where the config says so.
    pub(crate) managed: Option<Managed>,
}

impl Goal {
    /// All that a decision to write needs to see.
    pub(crate) fn look(&self) -> Look {
        let managed = self.managed.is_some();
        Look { scaling: managed, scalers: managed, ..Look::WHOLE }
    }
}

/// Decides.
pub(crate) fn next(seen: &Read<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    if run.failing.is_some() {
        return recover::next(seen, goal, run, now);
    }
    if run.cancelled.is_some() {
        return Next::Turn(Failing::Cancelled, Recovery::Ours);
    }
    if seen.is_ok() && run.mine.is_none() && now.since(run.began) >= goal.limits.timeout {
        let never = Ended::TimedOut(Box::new(Waiting::NotBegun));
        return Next::Turn(Failing::Deployment(never), Recovery::Ours);
    }
    match (seen, &run.mine) {
        (Err(trouble), None) => hold(trouble, run, goal, now),
        (Err(trouble), Some(mine)) => judged(on_trouble(trouble, mine, now, &goal.limits), goal, run),
        (Ok(snapshot), None) => begin(snapshot, goal, run, now),
        (Ok(snapshot), Some(mine)) => followed(snapshot, mine, (goal, run), now),
    }
}

/// While the deployment is followed. Success is said only by a whole look, which is what the run reports then.
fn followed(snapshot: &Snapshot, mine: &Mine, (goal, run): (&Goal, &Run), now: Time) -> Next {
    let service = snapshot.service(goal.color);
    let verdict = run.failures.judge(verdict(service, mine, now, &goal.limits), service, mine);
    if taken_away(&verdict, mine) && !run.is_sure(now) {
        return Next::Wait(Wait::Deployment(Waiting::NotVisible));
    }
    if let Some(next) = users_came(snapshot, mine, &verdict, (goal, run)) {
        return next;
    }
    let next = judged(verdict, goal, run);
    if next == Next::Step(Step::Probe) {
        return unseen_rules(snapshot, mine, (goal, run, now)).unwrap_or(next);
    }
    if !matches!(next, Next::Done(End::Good { .. })) {
        return next;
    }
    if !snapshot.is_whole() {
        return Next::Look(goal.look());
    }
    let unknown = users_unknown(snapshot, mine, goal, now);
    unknown.or_else(|| bounded(snapshot, goal, run)).unwrap_or(next)
}

/// Users on a color that was without them when the update was written (invariant 39). A deployment that failed is told
/// as that; the way back leaves alone what has users.
fn users_came(
    snapshot: &Snapshot,
    mine: &Mine,
    verdict: &Verdict,
    (goal, run): (&Goal, &Run),
) -> Option<Next> {
    if goal.request.allow_live || users(snapshot, goal) != Users::Here {
        return None;
    }
    if let (Verdict::Good { .. }, Some(failure)) = (verdict, &run.wrong_probe) {
        return Some(Next::Turn(Failing::Probe(failure.clone()), Recovery::Ours));
    }
    let lacks = match verdict {
        Verdict::Wait(waiting) => Some(Box::new(waiting.clone())),
        Verdict::Good { .. } => None,
        Verdict::LookCloser | Verdict::Failed { .. } => return None,
    };
    let ended = Ended::UsersCame { version: mine.task_definition.clone(), lacks };
    Some(Next::Turn(Failing::Deployment(ended), Recovery::Theirs))
}

/// What keeps a run from knowing that no users came: it holds success, and ends it at the time-out (invariant 9).
fn users_unknown(snapshot: &Snapshot, mine: &Mine, goal: &Goal, now: Time) -> Option<Next> {
    if goal.request.allow_live {
        return None;
    }
    let ended = match users(snapshot, goal) {
        Users::Elsewhere | Users::Here | Users::Unseen => return None,
        Users::Unknown(Hindrance::Refuse(Refusal::Unread(trouble))) => Ended::Trouble(trouble),
        Users::Unknown(Hindrance::Refuse(_)) => return None,
        Users::Unknown(Hindrance::Hold(trouble)) if now.since(mine.started) < goal.limits.timeout => {
            return Some(Next::Wait(Wait::Trouble(trouble)));
        }
        Users::Unknown(Hindrance::Hold(trouble)) => Ended::TimedOut(Box::new(Waiting::Unknown(trouble))),
    };
    Some(Next::Turn(Failing::Deployment(ended), Recovery::Ours))
}

/// What a new read of the rules right before an update makes of it (invariants 6 and 11); none: it may be written.
pub(crate) fn before_update(seen: &Snapshot, goal: &Goal, run: &Run, now: Time) -> Option<Next> {
    if goal.request.allow_live || run.failing.is_some() {
        return None;
    }
    match users(seen, goal) {
        Users::Elsewhere | Users::Unseen => None,
        Users::Unknown(Hindrance::Hold(trouble)) => Some(hold(&trouble, run, goal, now)),
        Users::Unknown(Hindrance::Refuse(refusal)) => Some(Next::Refuse(refusal)),
        Users::Here => {
            let wiring = super::wiring::apart_of_snapshot(seen, goal.request.listener.as_ref());
            let wiring = wiring.and_then(Result::ok)?;
            Some(Next::Refuse(live_refusal(&wiring, goal.color)))
        }
    }
}

/// Before the first change: a trouble that may pass is waited for, until the time-out. An update without an answer may
/// have been that change.
fn hold(trouble: &Trouble, run: &Run, goal: &Goal, now: Time) -> Next {
    let trouble = trouble.clone();
    let passes = trouble.kind.passes();
    if passes && now.since(run.began) < goal.limits.timeout {
        return Next::Wait(Wait::Trouble(trouble));
    }
    if run.unanswered_update().is_none() {
        return Next::Refuse(Refusal::Unread(trouble));
    }
    let late = || Ended::TimedOut(Box::new(Waiting::Unknown(trouble.clone())));
    let ended = if passes { late() } else { Ended::Trouble(trouble.clone()) };
    Next::Turn(Failing::Deployment(ended), Recovery::Ours)
}

/// Everything up to the update of the service.
fn begin(snapshot: &Snapshot, goal: &Goal, run: &Run, now: Time) -> Next {
    let admitted = match admit(snapshot, &goal.request) {
        Ok(admitted) => admitted,
        Err(Hindrance::Hold(trouble)) => return hold(&trouble, run, goal, now),
        Err(Hindrance::Refuse(refusal)) => {
            return sent_before(snapshot, goal, run, now).unwrap_or(Next::Refuse(refusal));
        }
    };
    let Some(service) = snapshot.service(goal.color) else { return Next::Refuse(Refusal::NoDevelop) };
    for part in [answered(&service.definition), answered(&service.targets), answered(&service.tasks)] {
        match part {
            Ok(()) => {}
            Err(Hindrance::Hold(trouble) | Hindrance::Refuse(Refusal::Unread(trouble))) => {
                return hold(&trouble, run, goal, now);
            }
            Err(Hindrance::Refuse(refusal)) => return Next::Refuse(refusal),
        }
    }
    let current = match &service.definition {
        Some(Ok(revision)) => revision,
        Some(Err(_)) | None => return Next::Look(Look::WHOLE),
    };
    if let Some(unanswered) = &run.unanswered
        && now.since(unanswered.ended) < UNANSWERED
        && !shows(service, run, unanswered)
    {
        return Next::Wait(Wait::Unanswered(unanswered.trouble.clone()));
    }
    let change = match replaced(service, run) {
        None => change(snapshot, service, current, (goal, run, now)),
        Some(Replaced::Unseen) => Next::Look(Look::CLOSER),
        Some(Replaced::Unread(trouble)) => hold(&trouble, run, goal, now),
        Some(Replaced::By(follow)) => Next::Follow(follow),
    };
    match change {
        next @ (Next::Step(_) | Next::Follow(_)) => {
            managed((snapshot, service), role(goal.color, admitted.wiring.as_ref()), (goal, run, now))
                .unwrap_or(next)
        }
        next => next,
    }
}

/// What would be refused now can't be refused any more once an update without an answer had its effect: it is followed.
fn sent_before(snapshot: &Snapshot, goal: &Goal, run: &Run, now: Time) -> Option<Next> {
    let (unanswered, _) = run.unanswered_update()?;
    let service = snapshot.service(goal.color)?;
    if shows(service, run, unanswered) {
        let of_count = || Mine::of_count(service, unanswered.sent);
        let alone = || Follow { mine: of_count(), adopted: false, found: None };
        return Some(Next::Follow(arrived(service, run).unwrap_or_else(alone)));
    }
    let young = now.since(unanswered.ended) < UNANSWERED;
    young.then(|| Next::Wait(Wait::Unanswered(unanswered.trouble.clone())))
}

/// What the color is to users.
fn role(color: Color, wiring: Option<&Wiring>) -> Role {
    match wiring {
        _ if color == Color::Develop => Role::Develop,
        Some(wiring) if wiring.is_live(color) => Role::Live,
        Some(_) | None => Role::Idle,
    }
}

/// Where scaling is managed: policies and alarms, before the first change of the service, so that what can't be had is
/// known while nothing was touched. No count is moved by it.
fn managed(
    (snapshot, service): (&Snapshot, &Service),
    role: Role,
    (goal, run, now): (&Goal, &Run, Time),
) -> Option<Next> {
    let wanted = goal.managed.as_ref()?;
    match serving((&snapshot.place.cluster, service), wanted, role, Purpose::Deploy) {
        Managing::Settled => None,
        Managing::Step(step) => Some(Next::Step(step)),
        Managing::Unseen => Some(Next::Look(goal.look())),
        Managing::Trouble(trouble) => Some(hold(&trouble, run, goal, now)),
        Managing::Refused(refusal) => Some(Next::Refuse(refusal)),
    }
}

/// The bounds of a color without users, once its count stands; those of a live one are a promote's. They are no part of
/// what makes the version good: what can't be read or written now is for the next run.
fn bounded(snapshot: &Snapshot, goal: &Goal, run: &Run) -> Option<Next> {
    let (wanted, service) = (goal.managed.as_ref()?, snapshot.service(goal.color)?);
    if run.bounding >= BOUND_TRIES {
        return None;
    }
    let role = match super::wiring::of_snapshot(snapshot, goal.request.listener.as_ref()) {
        _ if goal.color == Color::Develop => Role::Develop,
        None if snapshot.balancers.is_none() => return Some(Next::Look(goal.look())),
        Some(Ok(wiring)) => role(goal.color, Some(&wiring)),
        Some(Err(_)) | None => return None,
    };
    if role == Role::Live {
        return None;
    }
    match next_step((&snapshot.place.cluster, service), wanted, role, Purpose::Deploy) {
        Managing::Step(step) => Some(Next::Step(step)),
        Managing::Unseen => Some(Next::Look(goal.look())),
        Managing::Settled | Managing::Trouble(_) | Managing::Refused(_) => None,
    }
}

/// What a verdict means for the run.
fn judged(verdict: Verdict, goal: &Goal, run: &Run) -> Next {
    match verdict {
        Verdict::Wait(waiting) => Next::Wait(Wait::Deployment(waiting)),
        Verdict::LookCloser => Next::Look(Look::why(goal.color)),
        Verdict::Failed { ended, recovery } => Next::Turn(Failing::Deployment(ended), recovery),
        Verdict::Good { healthy } => probed(healthy, goal, run),
    }
}

/// Probes go where the rules of this very look send them: rules that were not read are read first.
fn unseen_rules(snapshot: &Snapshot, mine: &Mine, (goal, run, now): (&Goal, &Run, Time)) -> Option<Next> {
    if snapshot.balancers.is_none() {
        return Some(Next::Look(goal.look()));
    }
    let counts = |service: &&Service| service.color != Color::Develop || goal.color == Color::Develop;
    let groups =
        snapshot.services.iter().filter(counts).filter_map(|service| service.group.as_ref()?.as_ref().err());
    let rules = snapshot.balancers.as_ref().and_then(|read| read.as_ref().err());
    let trouble = groups.chain(rules).next()?;
    Some(judged(on_trouble(trouble, mine, now, &goal.limits), goal, run))
}

/// Healthy is not enough where probes were asked for.
fn probed(healthy: u32, goal: &Goal, run: &Run) -> Next {
    if goal.request.probes.is_empty() {
        return Next::Done(End::Good { changed: run.changed || run.adopted || run.managed, healthy });
    }
    match &run.probes {
        Some(Ok(())) => Next::Done(End::Good { changed: run.changed || run.adopted || run.managed, healthy }),
        None => Next::Step(Step::Probe),
        Some(Err(_)) if run.probe_tries < PROBE_TRIES => Next::Wait(Wait::Probe),
        Some(Err(failure)) => Next::Turn(Failing::Probe(failure.clone()), Recovery::Ours),
    }
}

#[cfg(test)]
#[path = "deploy_tests.rs"]
mod tests;
