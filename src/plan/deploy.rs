//! `deploy`: one pure decision. Reads a snapshot, the goal and the run's memory, and returns the next action.
//!
//! - May the deploy begin? Checked on every snapshot before a write.
//! - Is the content there already: in the service, in flight, in a revision?
//! - Register, update, follow this deployment to its verdict, ask the probes.
//! - Every failure leads to a restore, in `plan/recover.rs`.

mod change;
mod scaling;

use std::time::Duration;

use self::change::needed_change;
pub(crate) use self::change::{kept_count, previous_version};
use self::scaling::{color_role, ensure_bounds, ensure_scaling};
use super::aws_error::{AwsError, AwsResult};
use super::color::Color;
use super::definition::Content;
use super::preconditions::{Blocker, Request, check_preconditions, require_answer};
use super::read_scope::ReadScope;
use super::restore::{self, Users, find_newcomers, find_users, needed_count, raise_count};
use super::run::Run;
use super::scalers::Managed;
use super::snapshot::{Service, Snapshot};
use super::step::{End, Follow, Next, Refusal, RunFailure, Step, Wait};
use super::time::Time;
use super::unanswered_write::{Replaced, completed_update, has_taken_effect, replaced_update};
use super::verdict::{
    DeploymentFailure, Kind, Limits, OwnDeployment, Restorer, Verdict, Waiting, judge_deployment, on_trouble,
    taken_away,
};
use super::wanted::DesiredCount;

/// Time to look for the effect of an unanswered write before a new decision. ECS is eventually consistent.
const UNANSWERED: Duration = Duration::from_secs(10);

/// Number of probe attempts before a wrong answer ends the deploy. A new weight or task may take a moment.
const PROBE_TRIES: u32 = 3;

/// Time to look for the effect of a raised count before the next write.
const RAISED: Duration = Duration::from_secs(5);

/// The user's goal, fixed for the run.
#[derive(Clone, Debug)]
pub(crate) struct Goal {
    /// The request, with the resolved color.
    pub(crate) request: Request,
    /// The color to deploy to.
    pub(crate) color: Color,
    /// The content to run.
    pub(crate) content: Content,
    /// The named revision with exactly this content, if the user named a revision.
    pub(crate) revision: Option<String>,
    /// Tags of the copied revision, with the commit and branch of the content. None: the run's own tags apply.
    pub(crate) origin: Option<Vec<(String, String)>>,
    /// Starts a deployment even for the same content: the image of a tag may have moved.
    pub(crate) force: bool,
    /// The requested count, if any.
    pub(crate) desired: Option<DesiredCount>,
    /// Limits of patience.
    pub(crate) limits: Limits,
    /// `on-cancel: restore`.
    pub(crate) restore_on_cancel: bool,
    /// The service's scaling, if the config manages scaling.
    pub(crate) managed: Option<Managed>,
}

impl Goal {
    /// The parts to read for a decision to write.
    pub(crate) fn look(&self) -> ReadScope {
        let managed = self.managed.is_some();
        ReadScope { scaling: managed, scalers: managed, ..ReadScope::WHOLE }
    }

    /// The same parts, and the causes: a decision that needs both must find both in one look.
    pub(crate) fn closer_look(&self) -> ReadScope {
        ReadScope { causes: true, ..self.look() }
    }
}

/// Decides the next action.
pub(crate) fn next_deploy_action(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    if run.failing.is_some() {
        return restore::next_restore_action(seen, goal, run, now);
    }
    if run.cancelled.is_some() {
        return Next::Restore(RunFailure::Cancelled, Restorer::ThisRun);
    }
    if seen.is_ok() && run.awaited.is_none() && now.since(run.began) >= goal.limits.timeout {
        let never = DeploymentFailure::TimedOut(Box::new(Waiting::NotBegun));
        return Next::Restore(RunFailure::Deployment(never), Restorer::ThisRun);
    }
    match (seen, &run.awaited) {
        (Err(trouble), None) => hold_or_refuse(trouble, run, goal, now),
        (Err(trouble), Some(awaited)) => {
            next_for_verdict(on_trouble(trouble, awaited, now, &goal.limits), goal, run)
        }
        (Ok(snapshot), None) => begin_deploy(snapshot, goal, run, now),
        (Ok(snapshot), Some(awaited)) => follow_deployment(snapshot, awaited, (goal, run), now),
    }
}

/// The next action while the run follows the deployment. Success needs a whole look, which the run then reports.
fn follow_deployment(
    snapshot: &Snapshot,
    awaited: &OwnDeployment,
    (goal, run): (&Goal, &Run),
    now: Time,
) -> Next {
    let service = snapshot.service(goal.color);
    let verdict = run.failures.judge(judge_deployment(service, awaited, now, &goal.limits), service, awaited);
    if taken_away(&verdict, awaited) && !run.is_sure(now) {
        return Next::Wait(Wait::Deployment(Waiting::NotVisible));
    }
    if let Some(next) = users_came(snapshot, awaited, &verdict, (goal, run)) {
        return next;
    }
    if let Some(next) = restore_tasks(snapshot, awaited, (goal, run), now) {
        return next;
    }
    let next = next_for_verdict(verdict, goal, run);
    if next == Next::Step(Step::Probe) {
        return unseen_rules(snapshot, awaited, (goal, run, now)).unwrap_or(next);
    }
    if !matches!(next, Next::Done(End::Good { .. })) {
        return next;
    }
    // The rules are read once more after AWS shows a lowered count (invariant 36).
    if !snapshot.is_whole() || run.lowered_looks == 1 {
        return Next::Read(goal.look());
    }
    let unknown = users_unknown(snapshot, awaited, (goal, run), now);
    unknown.or_else(|| ensure_bounds(snapshot, goal, run)).unwrap_or(next)
}

/// Raises a count that is too small for users: one that this run lowered before more of them came (invariant 36), or
/// one of a live color that another writer lowered meanwhile (invariant 44).
fn restore_tasks(
    snapshot: &Snapshot,
    awaited: &OwnDeployment,
    (goal, run): (&Goal, &Run),
    now: Time,
) -> Option<Next> {
    let service = snapshot.service(goal.color)?;
    let own = needed_count(service, run).filter(|_| find_newcomers(snapshot, goal, run) == Users::Here);
    let count = match own {
        Some(count) => count,
        None if !is_cut(snapshot, service, awaited, goal) => return None,
        None if service.scaling.is_none() => {
            return Some(Next::Read(ReadScope { scaling: true, ..goal.look() }));
        }
        None => awaited.desired,
    };
    if run.raised.is_some_and(|written| now.since(written) < RAISED) {
        return Some(Next::Wait(Wait::Deployment(Waiting::NotVisible)));
    }
    Some(Next::Step(Step::Update(raise_count(service, count))))
}

/// True if a live color shows a smaller count than the run's change set, which is not known to be the work of automatic
/// scaling. A deploy that changes nothing has no count of its own.
pub(super) fn is_cut(snapshot: &Snapshot, service: &Service, awaited: &OwnDeployment, goal: &Goal) -> bool {
    let scales = match &service.scaling {
        Some(Ok(Some(target))) => target.min <= service.desired,
        Some(Err(_)) => true,
        Some(Ok(None)) | None => false,
    };
    let lower = awaited.seen && service.desired > 0 && service.desired < awaited.desired;
    lower && !scales && awaited.kind != Kind::Nothing && find_users(snapshot, goal) == Users::Here
}

/// Ends the run if users reached a color that had none at the update (invariant 39). A failed deployment is reported as
/// such. The restore then leaves the live color unchanged.
fn users_came(
    snapshot: &Snapshot,
    awaited: &OwnDeployment,
    verdict: &Verdict,
    (goal, run): (&Goal, &Run),
) -> Option<Next> {
    if goal.request.allow_live || find_users(snapshot, goal) != Users::Here {
        return None;
    }
    if let (Verdict::Good { .. }, Some(failure)) = (verdict, &run.wrong_probe) {
        return Some(Next::Restore(RunFailure::Probe(failure.clone()), Restorer::ThisRun));
    }
    let lacks = match verdict {
        Verdict::Wait(waiting) => Some(Box::new(waiting.clone())),
        Verdict::Good { .. } => None,
        Verdict::LookCloser | Verdict::Failed { .. } => return None,
    };
    let ended = DeploymentFailure::UsersCame { version: awaited.task_definition.clone(), lacks };
    Some(Next::Restore(RunFailure::Deployment(ended), Restorer::NoOne))
}

/// The reason that a run can't exclude users on the color: delays success, and ends the run at the time-out (invariant
/// 9).
fn users_unknown(
    snapshot: &Snapshot,
    awaited: &OwnDeployment,
    (goal, run): (&Goal, &Run),
    now: Time,
) -> Option<Next> {
    if goal.request.allow_live && run.lowered_looks == 0 {
        return None;
    }
    let ended = match find_users(snapshot, goal) {
        Users::Elsewhere | Users::Here | Users::Unseen => return None,
        Users::Unknown(Blocker::Refuse(Refusal::Unread(trouble))) => DeploymentFailure::AwsError(trouble),
        Users::Unknown(Blocker::Refuse(_)) => return None,
        Users::Unknown(Blocker::Retry(trouble)) if now.since(awaited.started) < goal.limits.timeout => {
            return Some(Next::Wait(Wait::AwsError(trouble)));
        }
        Users::Unknown(Blocker::Retry(trouble)) => {
            DeploymentFailure::TimedOut(Box::new(Waiting::Unknown(trouble)))
        }
    };
    Some(Next::Restore(RunFailure::Deployment(ended), Restorer::ThisRun))
}

/// Waits before the first change for a transient trouble to end, until the time-out. An unanswered update may have been
/// that change.
fn hold_or_refuse(trouble: &AwsError, run: &Run, goal: &Goal, now: Time) -> Next {
    let trouble = trouble.clone();
    let passes = trouble.kind.is_transient();
    if passes && now.since(run.began) < goal.limits.timeout {
        return Next::Wait(Wait::AwsError(trouble));
    }
    if run.unanswered_update().is_none() {
        return Next::Refuse(Refusal::Unread(trouble));
    }
    let late = || DeploymentFailure::TimedOut(Box::new(Waiting::Unknown(trouble.clone())));
    let ended = if passes { late() } else { DeploymentFailure::AwsError(trouble.clone()) };
    Next::Restore(RunFailure::Deployment(ended), Restorer::ThisRun)
}

/// All actions before the update of the service.
fn begin_deploy(snapshot: &Snapshot, goal: &Goal, run: &Run, now: Time) -> Next {
    let admitted = match check_preconditions(snapshot, &goal.request) {
        Ok(admitted) => admitted,
        Err(Blocker::Retry(trouble)) => return hold_or_refuse(&trouble, run, goal, now),
        Err(Blocker::Refuse(refusal)) => {
            return sent_before(snapshot, goal, run, now).unwrap_or(Next::Refuse(refusal));
        }
    };
    let Some(service) = snapshot.service(goal.color) else { return Next::Refuse(Refusal::NoDevelop) };
    for part in [
        require_answer(&service.definition),
        require_answer(&service.targets),
        require_answer(&service.tasks),
    ] {
        match part {
            Ok(()) => {}
            Err(Blocker::Retry(trouble) | Blocker::Refuse(Refusal::Unread(trouble))) => {
                return hold_or_refuse(&trouble, run, goal, now);
            }
            Err(Blocker::Refuse(refusal)) => return Next::Refuse(refusal),
        }
    }
    let current = match &service.definition {
        Some(Ok(revision)) => revision,
        Some(Err(_)) | None => return Next::Read(goal.look()),
    };
    if let Some(unanswered) = &run.unanswered
        && now.since(unanswered.ended) < UNANSWERED
        && !has_taken_effect(service, run, unanswered)
    {
        return Next::Wait(Wait::UnansweredWrite(unanswered.trouble.clone()));
    }
    let change = match replaced_update(service, run) {
        None => needed_change(snapshot, service, current, (goal, run, now)),
        Some(Replaced::Unseen) => Next::Read(goal.closer_look()),
        Some(Replaced::Unread(trouble)) => hold_or_refuse(&trouble, run, goal, now),
        Some(Replaced::By(follow)) => Next::Follow(follow),
    };
    match change {
        next @ (Next::Step(_) | Next::Follow(_)) => ensure_scaling(
            (snapshot, service),
            color_role(goal.color, admitted.wiring.as_ref()),
            (goal, run, now),
        )
        .unwrap_or(next),
        next => next,
    }
}

/// Follows an unanswered update that took effect. A refusal would now come too late.
fn sent_before(snapshot: &Snapshot, goal: &Goal, run: &Run, now: Time) -> Option<Next> {
    let (unanswered, _) = run.unanswered_update()?;
    let service = snapshot.service(goal.color)?;
    if has_taken_effect(service, run, unanswered) {
        let of_count = || OwnDeployment::of_count(service, unanswered.sent);
        let alone = || Follow { awaited: of_count(), adopted: false, found: None };
        return Some(Next::Follow(completed_update(service, run).unwrap_or_else(alone)));
    }
    let young = now.since(unanswered.ended) < UNANSWERED;
    young.then(|| Next::Wait(Wait::UnansweredWrite(unanswered.trouble.clone())))
}

/// The next action after a verdict.
fn next_for_verdict(verdict: Verdict, goal: &Goal, run: &Run) -> Next {
    match verdict {
        Verdict::Wait(waiting) => Next::Wait(Wait::Deployment(waiting)),
        Verdict::LookCloser => Next::Read(ReadScope::why(goal.color)),
        Verdict::Failed { ended, recovery } => Next::Restore(RunFailure::Deployment(ended), recovery),
        Verdict::Good { healthy } => next_for_healthy(healthy, goal, run),
    }
}

/// Reads missing rules first: the rules of the same look give the probes' addresses.
fn unseen_rules(
    snapshot: &Snapshot,
    awaited: &OwnDeployment,
    (goal, run, now): (&Goal, &Run, Time),
) -> Option<Next> {
    if snapshot.balancers.is_none() {
        return Some(Next::Read(goal.look()));
    }
    let counts = |service: &&Service| service.color != Color::Develop || goal.color == Color::Develop;
    let groups =
        snapshot.services.iter().filter(counts).filter_map(|service| service.group.as_ref()?.as_ref().err());
    let rules = snapshot.balancers.as_ref().and_then(|read| read.as_ref().err());
    let trouble = groups.chain(rules).next()?;
    Some(next_for_verdict(on_trouble(trouble, awaited, now, &goal.limits), goal, run))
}

/// Requires right probe answers in addition to healthy targets, if there are probes.
fn next_for_healthy(healthy: u32, goal: &Goal, run: &Run) -> Next {
    if goal.request.probes.is_empty() {
        return Next::Done(End::Good { changed: run.changed || run.adopted || run.managed, healthy });
    }
    match &run.probes {
        Some(Ok(())) => Next::Done(End::Good { changed: run.changed || run.adopted || run.managed, healthy }),
        None => Next::Step(Step::Probe),
        Some(Err(_)) if run.probe_tries < PROBE_TRIES => Next::Wait(Wait::Probe),
        Some(Err(failure)) => Next::Restore(RunFailure::Probe(failure.clone()), Restorer::ThisRun),
    }
}

#[cfg(test)]
#[path = "deploy_tests.rs"]
mod tests;
