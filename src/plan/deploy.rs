//! `deploy`: one pure decision. Reads a snapshot, the goal and the run's memory, and returns the next action.
//!
//! - May the deploy begin? Checked on every snapshot before a write.
//! - Is the content there already: in the service, in flight, in a revision?
//! - Register, update, follow this deployment to its verdict, ask the probes.
//! - Every failure leads to a restore, in `plan/restore.rs`.

mod change;
mod scaling;
mod situation;

use std::time::Duration;

pub(crate) use self::change::{kept_count, previous_version};
pub(crate) use self::situation::Situation;
pub(super) use self::situation::Users;
use super::aws_error::AwsError;
use super::color::ServiceColor;
use super::definition::Content;
use super::preconditions::{Blocker, Request, check_wired, require_answer};
use super::read_scope::ReadScope;
use super::restore::Restore;
use super::run::{Followed, Run};
use super::scalers::Managed;
use super::snapshot::Service;
use super::step::{End, Follow, Next, Purpose, Refusal, RunFailure, Step, Update, Wait, WantedRevision};
use super::time::Time;
use super::unanswered_write::{Replaced, completed_update, has_taken_effect, replaced_update};
use super::verdict::{
    DeploymentFailure, Limits, OwnDeployment, Restorer, Verdict, Waiting, judge_deployment, on_trouble,
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
    pub(crate) color: ServiceColor,
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

    /// The revision to look for or to register.
    fn wanted_revision(&self) -> Box<WantedRevision> {
        Box::new(WantedRevision { content: self.content.clone(), origin: self.origin.clone() })
    }

    /// The same parts, and the causes: a decision that needs both must find both in one look.
    pub(crate) fn closer_look(&self) -> ReadScope {
        ReadScope { causes: true, ..self.look() }
    }
}

/// Decides the next action.
pub(crate) fn next_deploy_action(
    look: &Result<Situation<'_>, &AwsError>,
    goal: &Goal,
    run: &Run,
    now: Time,
) -> Next {
    if let Some(turned) = &run.memory.failing {
        return Restore { goal, run, turned, now }.next(look);
    }
    if run.memory.cancelled.is_some() {
        return Next::Restore(RunFailure::Cancelled, Restorer::ThisRun);
    }
    if look.is_ok() && run.awaited().is_none() && now.since(run.memory.began) >= goal.limits.timeout {
        let never = DeploymentFailure::TimedOut(Box::new(Waiting::NotBegun));
        return restore_after(never, Restorer::ThisRun);
    }
    match (look, run.followed()) {
        (Err(trouble), None) => hold_or_refuse(trouble, goal, run, now),
        (Err(trouble), Some(followed)) => {
            next_for_verdict(on_trouble(trouble, &followed.awaited, now, &goal.limits), goal, (run, followed))
        }
        (Ok(situation), None) => Decision { situation, goal, run, now }.begin_deploy(),
        (Ok(situation), Some(followed)) => Decision { situation, goal, run, now }.follow_deployment(followed),
    }
}

/// Starts a restore because the deployment failed.
fn restore_after(ended: DeploymentFailure, recovery: Restorer) -> Next {
    Next::Restore(RunFailure::Deployment(ended), recovery)
}

/// Waits before the first change for a transient trouble to end, until the time-out. An unanswered update may have been
/// that change.
fn hold_or_refuse(trouble: &AwsError, goal: &Goal, run: &Run, now: Time) -> Next {
    let trouble = trouble.clone();
    let passes = trouble.kind.is_transient();
    if passes && now.since(run.memory.began) < goal.limits.timeout {
        return Next::Wait(Wait::AwsError(trouble));
    }
    if run.unanswered_update().is_none() {
        return Next::Refuse(Refusal::Unread(trouble));
    }
    let late = |trouble| DeploymentFailure::TimedOut(Box::new(Waiting::Unknown(trouble)));
    let ended = if passes { late(trouble) } else { DeploymentFailure::AwsError(trouble) };
    restore_after(ended, Restorer::ThisRun)
}

/// The next action after a verdict.
fn next_for_verdict(verdict: Verdict, goal: &Goal, memory: (&Run, &Followed)) -> Next {
    match verdict {
        Verdict::Wait(waiting) => Next::Wait(Wait::Deployment(waiting)),
        Verdict::LookCloser => Next::Read(ReadScope::why(goal.color)),
        Verdict::Failed { ended, recovery } => restore_after(ended, recovery),
        Verdict::Good { healthy } => next_for_healthy(healthy, goal, memory),
    }
}

/// Requires right probe answers in addition to healthy targets, if there are probes.
fn next_for_healthy(healthy: u32, goal: &Goal, (run, followed): (&Run, &Followed)) -> Next {
    let (changed, probes) = (run.memory.changed || followed.adopted || run.scaling.any, &followed.probes);
    let good = || Next::Done(End::Good { changed, healthy });
    match &probes.answer {
        _ if goal.request.probes.is_empty() => good(),
        Some(Ok(())) => good(),
        None => Next::Step(Step::Probe(goal.color)),
        Some(Err(_)) if probes.is_due => Next::Step(Step::Probe(goal.color)),
        Some(Err(_)) if probes.tries < PROBE_TRIES => Next::Wait(Wait::Probe),
        Some(Err(failure)) => Next::Restore(RunFailure::Probe(failure.clone()), Restorer::ThisRun),
    }
}

/// One decision at a look that AWS answered.
#[derive(Clone, Copy)]
struct Decision<'a> {
    /// The facts of the look.
    situation: &'a Situation<'a>,
    /// The goal.
    goal: &'a Goal,
    /// The run's memory.
    run: &'a Run,
    /// The current time.
    now: Time,
}

impl Decision<'_> {
    /// Waits before the first change for a transient trouble to end, until the time-out.
    fn hold(&self, trouble: &AwsError) -> Next {
        hold_or_refuse(trouble, self.goal, self.run, self.now)
    }

    /// The next action while the run follows the deployment. Success needs a whole look, which the run then reports.
    fn follow_deployment(&self, followed: &Followed) -> Next {
        let (service, run, awaited) = (self.situation.service, self.run, &followed.awaited);
        let verdict = judge_deployment(service, awaited, self.now, &self.goal.limits);
        let verdict = followed.failures.judge(verdict, service, awaited);
        if taken_away(&verdict, awaited) && !run.is_sure(self.now) {
            return Next::Wait(Wait::Deployment(Waiting::NotVisible));
        }
        if let Some(next) = self.users_came(followed, &verdict) {
            return next;
        }
        if let Some(next) = self.restore_tasks(awaited) {
            return next;
        }
        let next = next_for_verdict(verdict, self.goal, (run, followed));
        if matches!(next, Next::Step(Step::Probe(_))) {
            return self.unseen_rules(followed).unwrap_or(next);
        }
        if !matches!(next, Next::Done(End::Good { .. })) {
            return next;
        }
        // The rules are read once more after AWS shows a lowered count (invariant 36).
        if !self.situation.snapshot.is_whole() || run.count.lowered_looks == 1 {
            return Next::Read(self.goal.look());
        }
        self.users_unknown(awaited).or_else(|| self.ensure_bounds()).unwrap_or(next)
    }

    /// Raises a count that is too small for users: one that this run lowered before more of them came (invariant 36), or
    /// one of a live color that another writer lowered meanwhile (invariant 44).
    fn restore_tasks(&self, awaited: &OwnDeployment) -> Option<Next> {
        let (situation, run) = (self.situation, self.run);
        let service = situation.service?;
        let own = run.needed_count(service).filter(|_| situation.newcomers(run) == Users::Here);
        let count = match own {
            Some(count) => count,
            None if !situation.is_cut(service, awaited) => return None,
            None if service.scaling.is_none() => {
                return Some(Next::Read(ReadScope { scaling: true, ..self.goal.look() }));
            }
            None => awaited.desired,
        };
        if run.count.raised.is_some_and(|written| self.now.since(written) < RAISED) {
            return Some(Next::Wait(Wait::Deployment(Waiting::NotVisible)));
        }
        let raised = Update::of_count(service.color, &service.name, count, Purpose::Traffic);
        Some(Next::Step(Step::Update(raised)))
    }

    /// Ends the run if users reached a color that had none at the update (invariant 39). A failed deployment is reported
    /// as such. The restore then leaves the live color unchanged.
    fn users_came(&self, followed: &Followed, verdict: &Verdict) -> Option<Next> {
        if self.goal.request.allow_live || self.situation.users() != Users::Here {
            return None;
        }
        if let (Verdict::Good { .. }, Some(failure)) = (verdict, followed.probes.wrong()) {
            return Some(Next::Restore(RunFailure::Probe(failure.clone()), Restorer::ThisRun));
        }
        let lacks = match verdict {
            Verdict::Wait(waiting) => Some(Box::new(waiting.clone())),
            Verdict::Good { .. } => None,
            Verdict::LookCloser | Verdict::Failed { .. } => return None,
        };
        let ended = DeploymentFailure::UsersCame { version: followed.awaited.task_definition.clone(), lacks };
        Some(restore_after(ended, Restorer::NoOne))
    }

    /// The reason that a run can't exclude users on the color: delays success, and ends the run at the time-out
    /// (invariant 9).
    fn users_unknown(&self, awaited: &OwnDeployment) -> Option<Next> {
        if self.goal.request.allow_live && self.run.count.lowered_looks == 0 {
            return None;
        }
        let ended = match self.situation.users() {
            Users::Elsewhere | Users::Here | Users::Unseen => return None,
            Users::Unknown(Blocker::Refuse(Refusal::Unread(trouble))) => DeploymentFailure::AwsError(trouble),
            Users::Unknown(Blocker::Refuse(_)) => return None,
            Users::Unknown(Blocker::Retry(trouble))
                if self.now.since(awaited.started) < self.goal.limits.timeout =>
            {
                return Some(Next::Wait(Wait::AwsError(trouble)));
            }
            Users::Unknown(Blocker::Retry(trouble)) => {
                DeploymentFailure::TimedOut(Box::new(Waiting::Unknown(trouble)))
            }
        };
        Some(restore_after(ended, Restorer::ThisRun))
    }

    /// All actions before the update of the service.
    fn begin_deploy(&self) -> Next {
        let Decision { situation, goal, run, now } = *self;
        match check_wired(situation.snapshot, &goal.request, &situation.wired) {
            Ok(_) => {}
            Err(Blocker::Retry(trouble)) => return self.hold(&trouble),
            Err(Blocker::Refuse(refusal)) => {
                return self.sent_before().unwrap_or(Next::Refuse(refusal));
            }
        }
        let Some(service) = situation.service else { return Next::Refuse(Refusal::NoDevelop) };
        let parts = [
            require_answer(&service.definition),
            require_answer(&service.targets),
            require_answer(&service.tasks),
        ];
        let unread = parts.into_iter().find_map(Result::err);
        if let Some(Blocker::Retry(trouble) | Blocker::Refuse(Refusal::Unread(trouble))) = unread {
            return self.hold(&trouble);
        }
        let current = match &service.definition {
            Some(Ok(revision)) => revision,
            Some(Err(_)) | None => return Next::Read(goal.look()),
        };
        if let Some(unanswered) = run.unanswered()
            && now.since(unanswered.ended) < UNANSWERED
            && !has_taken_effect(service, run, unanswered)
        {
            return Next::Wait(Wait::UnansweredWrite(unanswered.trouble.clone()));
        }
        let change = match replaced_update(service, run) {
            None => self.needed_change(service, current),
            Some(Replaced::Unseen) => Next::Read(goal.closer_look()),
            Some(Replaced::Unread(trouble)) => self.hold(&trouble),
            Some(Replaced::By(follow)) => Next::Follow(follow),
        };
        match change {
            next @ (Next::Step(_) | Next::Follow(_)) => self.ensure_scaling(service).unwrap_or(next),
            next => next,
        }
    }

    /// Follows an unanswered update that took effect. A refusal would now come too late.
    fn sent_before(&self) -> Option<Next> {
        let (unanswered, _) = self.run.unanswered_update()?;
        let service = self.situation.service?;
        if has_taken_effect(service, self.run, unanswered) {
            let of_count = || OwnDeployment::of_count(service, unanswered.sent);
            let alone = || Follow { awaited: of_count(), adopted: false, found: None };
            return Some(Next::Follow(completed_update(service, self.run).unwrap_or_else(alone)));
        }
        let young = self.now.since(unanswered.ended) < UNANSWERED;
        young.then(|| Next::Wait(Wait::UnansweredWrite(unanswered.trouble.clone())))
    }

    /// Reads missing rules first: the rules of the same look give the probes' addresses.
    fn unseen_rules(&self, followed: &Followed) -> Option<Next> {
        let (snapshot, color) = (self.situation.snapshot, self.goal.color);
        if snapshot.balancers.is_none() {
            return Some(Next::Read(self.goal.look()));
        }
        let counts = |service: &&Service| service.color.production().is_some() || color == service.color;
        let services = snapshot.services.iter().filter(counts);
        let groups = services.filter_map(|service| service.group.as_ref()?.as_ref().err());
        let rules = snapshot.balancers.as_ref().and_then(|read| read.as_ref().err());
        let trouble = groups.chain(rules).next()?;
        let verdict = on_trouble(trouble, &followed.awaited, self.now, &self.goal.limits);
        Some(next_for_verdict(verdict, self.goal, (self.run, followed)))
    }
}

#[cfg(test)]
#[path = "deploy_tests.rs"]
mod tests;
