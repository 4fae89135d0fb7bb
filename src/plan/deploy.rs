//! `deploy`: one pure decision. It reads a snapshot, the goal and what the run remembers, and says what is next.
//!
//! - May it begin? Asked again on every snapshot before a write.
//! - Is the content there already: in the service, in flight, in a revision?
//! - Register, update, follow this deployment to its verdict, ask the probes.
//! - Whatever fails turns into the way back, in `plan/recover.rs`.

use std::time::Duration;

use super::admit::{Hindrance, Request, admit, answered, live_refusal};
use super::color::Color;
use super::definition::{Content, family, same_content};
use super::look::Look;
use super::lost::{Replaced, arrived, replaced, shows};
use super::recover::{self, Users, users};
use super::run::Run;
use super::scalers::{Managed, Managing, Role, next_step, serving};
use super::snapshot::{Deployment, Revision, Rollout, Service, Snapshot};
use super::step::{End, Failing, Follow, Found, Next, Purpose, Refusal, Step, Update, Wait};
use super::time::Time;
use super::trouble::{Read, Trouble};
use super::verdict::{
    Ended, Kind, Limits, Mine, Recovery, Verdict, Waiting, has_room, on_trouble, taken_away, verdict,
};
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
    let verdict = verdict(snapshot.service(goal.color), mine, now, &goal.limits);
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
    if !is_whole(snapshot) {
        return Next::Look(goal.look());
    }
    let unknown = users_unknown(snapshot, mine, goal, now);
    unknown.or_else(|| bounded(snapshot, goal, run)).unwrap_or(next)
}

/// Whether a look holds everything that the end of a run tells.
fn is_whole(snapshot: &Snapshot) -> bool {
    snapshot.balancers.is_some() && snapshot.services.iter().all(|service| service.definition.is_some())
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
        && now.since(unanswered.sent) < UNANSWERED
        && !shows(service, run, unanswered)
    {
        return Next::Wait(Wait::Unanswered(unanswered.trouble.clone()));
    }
    let change = match replaced(service, run) {
        None => change(snapshot, service, current, (goal, run)),
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
    let young = now.since(unanswered.sent) < UNANSWERED;
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

/// The change that is still needed: none, an adoption, a count, a revision, a deployment.
fn change(snapshot: &Snapshot, service: &Service, current: &Revision, (goal, run): (&Goal, &Run)) -> Next {
    let same = same_content(&current.content, &goal.content);
    if let Some(flying) = in_flight(service) {
        return if same {
            adopt(service, flying, run)
        } else {
            Next::Refuse(other_in_flight(service, flying))
        };
    }
    if let Some(follow) = arrived(service, run).filter(|_| same) {
        return Next::Follow(follow);
    }
    let desired = wanted_count(snapshot, service, goal);
    let counts = (desired != service.desired).then_some(desired);
    let failed = service.primary().is_some_and(|primary| primary.rollout == Rollout::Failed);
    if same && !goal.force && !failed {
        return match counts {
            None => Next::Follow(Follow { mine: standing(service, run), adopted: false, found: None }),
            Some(_) => update(service, None, counts, false),
        };
    }
    let setup = &service.setup;
    let moving = service.running + service.pending > 0;
    if moving && !has_room(desired, setup.minimum_percent, setup.maximum_percent) {
        return Next::Refuse(Refusal::NoRoom {
            service: service.name.clone(),
            desired,
            minimum: setup.minimum_percent,
            maximum: setup.maximum_percent,
        });
    }
    if same {
        return if failed && service.history.is_none() {
            Next::Look(Look::CLOSER)
        } else {
            update(service, None, counts, true)
        };
    }
    let family = family(&goal.content).to_owned();
    match (&goal.revision, &run.sought) {
        (Some(arn), _) | (None, Some(Some(arn))) => update(service, Some(arn.clone()), counts, false),
        (None, None) => Next::Step(Step::Find { family }),
        (None, Some(None)) => Next::Step(Step::Register { family }),
    }
}

/// The deployment in progress, if there is one.
fn in_flight(service: &Service) -> Option<&Deployment> {
    service.primary().filter(|primary| matches!(primary.rollout, Rollout::InProgress | Rollout::Unknown))
}

/// A deployment of other content is somebody else's.
fn other_in_flight(service: &Service, flying: &Deployment) -> Refusal {
    Refusal::InFlight {
        service: service.name.clone(),
        id: flying.id.clone(),
        task_definition: flying.task_definition.clone(),
    }
}

/// A deployment of the same content that is under way, perhaps by a run that was killed, becomes this run's own.
fn adopt(service: &Service, flying: &Deployment, run: &Run) -> Next {
    if service.history.is_none() {
        return Next::Look(Look::CLOSER);
    }
    let mine = Mine {
        kind: Kind::Rollout,
        id: Some(flying.id.clone()),
        task_definition: flying.task_definition.clone(),
        desired: service.desired,
        started: run.began,
        seen: true,
        before: Vec::new(),
    };
    Next::Follow(Follow { mine, adopted: true, found: before(service, &flying.task_definition) })
}

/// What the service ran before this task definition: the older deployment that is still listed, or the newest
/// service deployment that succeeded with another one.
pub(crate) fn before(service: &Service, task_definition: &str) -> Option<Found> {
    let older = service.deployments.iter().filter(|deployment| !deployment.primary);
    let listed = older.map(|deployment| &deployment.task_definition).find(|arn| *arn != task_definition);
    let history = service.history.as_ref().and_then(|read| read.as_ref().ok());
    let told = history.into_iter().flatten().find_map(|entry| {
        let succeeded = entry.status == super::snapshot::ServiceDeploymentStatus::Successful;
        entry.target.as_ref().filter(|target| succeeded && *target != task_definition)
    });
    let replaced = history.into_iter().flatten().find_map(|entry| {
        let brought = entry.target.as_deref() == Some(task_definition);
        entry.sources.iter().find(|source| brought && *source != task_definition)
    });
    let arn = listed.or(replaced).or(told)?;
    Some(Found { task_definition: arn.clone(), desired: service.desired })
}

/// What stands already: nothing to change, but it has to be healthy all the same (invariant 12).
fn standing(service: &Service, run: &Run) -> Mine {
    Mine {
        kind: Kind::Nothing,
        id: None,
        task_definition: service.task_definition.clone(),
        desired: service.desired,
        started: run.began,
        seen: true,
        before: Vec::new(),
    }
}

/// The desired count after the deploy: as asked for, or at least one. What serves users is not made smaller.
fn wanted_count(snapshot: &Snapshot, service: &Service, goal: &Goal) -> u32 {
    let wiring = super::wiring::of_snapshot(snapshot, goal.request.listener.as_ref());
    let live = wiring.is_some_and(|wired| wired.is_ok_and(|wiring| wiring.is_live(goal.color)));
    let least = if live { service.desired } else { 1 };
    asked_count(snapshot, service, goal).max(least).max(1)
}

/// The desired count that was asked for; the current one where none was.
fn asked_count(snapshot: &Snapshot, service: &Service, goal: &Goal) -> u32 {
    match goal.desired {
        Some(DesiredCount::Count(count)) => count,
        Some(DesiredCount::Match) => live_count(snapshot, goal).unwrap_or(service.desired),
        Some(DesiredCount::MatchAtLeast(least)) => live_count(snapshot, goal).unwrap_or_default().max(least),
        None => service.desired,
    }
}

/// A count lower than that of a color with users: what was asked for, and what stays.
pub(crate) fn kept_count(snapshot: &Snapshot, goal: &Goal) -> Option<(u32, u32)> {
    let service = snapshot.service(goal.color)?;
    let (asked, count) = (asked_count(snapshot, service, goal), wanted_count(snapshot, service, goal));
    (asked.max(1) < count).then_some((asked, count))
}

/// The desired count of the color that serves users beside the one that is deployed to.
fn live_count(snapshot: &Snapshot, goal: &Goal) -> Option<u32> {
    let wiring = super::wiring::of_snapshot(snapshot, goal.request.listener.as_ref())?.ok()?;
    let others = [Color::Blue, Color::Green].into_iter().filter(|color| *color != goal.color);
    let live = others.filter(|color| wiring.is_live(*color));
    live.filter_map(|color| snapshot.service(color)).map(|service| service.desired).max()
}

/// One update of the service on the way to the goal.
fn update(service: &Service, task_definition: Option<String>, desired: Option<u32>, force: bool) -> Next {
    Next::Step(Step::Update(Update {
        color: service.color,
        service: service.name.clone(),
        task_definition,
        desired,
        force,
        purpose: Purpose::Deploy,
    }))
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
