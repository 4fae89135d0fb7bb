//! The one decision: it reads a snapshot, the goal and what the run remembers, and says what is next.
//!
//! 1. What can't be read holds; what must not be done is refused before the first write.
//! 2. Somebody else's change of a rule ends the run.
//! 3. Towards the next step: capacity first, then one write per rule.
//! 4. At a step: hold, and watch alarms and health. At the end: settle, then let the winner scale in again.
//!
//! Whatever fails turns into the way back, in `back.rs`.

use std::time::Duration;

use super::at_target::{at_target, dead};
use super::back;
use super::capacity::capacity;
use super::facts::{Facts, Lacking, facts};
use super::goal::Goal;
use super::lowered::undo_lowering;
use super::run::{Run, Written};
use super::shift::shift_towards;
use super::stage::{Target, target};
use crate::plan::admit::Hindrance;
use crate::plan::color::Split;
use crate::plan::snapshot::{Rollout, Service, Snapshot};
use crate::plan::step::{Failing, Next, Refusal, Short, Stuck, Wait};
use crate::plan::time::Time;
use crate::plan::trouble::{Read, Trouble};
use crate::plan::verdict::Recovery;
use crate::plan::wiring::{ProductionRule, rule_name};

/// How long AWS may be unreadable once something was changed, before the run goes back.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long new weights may take to show in what AWS answers, and an unanswered write to show its effect.
pub(super) const SHOWN: Duration = Duration::from_secs(10);

/// Tasks that failed since a scale-up, at which it is given up: ECS would go on trying for ever.
pub(super) const FAILED: usize = 3;

/// Decides.
pub(crate) fn next(seen: &Read<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    if run.failing.is_some() {
        return back::next(seen, goal, run, now);
    }
    if run.cancelled.is_some() {
        return turn(Failing::Cancelled);
    }
    match seen {
        Err(trouble) => hold(trouble, goal, run, now),
        Ok(snapshot) => match facts(snapshot, goal) {
            Ok(facts) => decide(&facts, goal, run, now),
            Err(Lacking::Look(look)) => Next::Look(look),
            Err(Lacking::Hindrance(Hindrance::Hold(trouble))) => hold(&trouble, goal, run, now),
            Err(Lacking::Hindrance(Hindrance::Refuse(refusal))) => refuse(refusal, run),
        },
    }
}

/// From forward to back.
fn turn(failing: Failing) -> Next {
    Next::Turn(failing, Recovery::Ours)
}

/// The same for a change of traffic that is stuck.
pub(super) fn stuck(stuck: Stuck) -> Next {
    turn(Failing::Traffic(stuck))
}

/// AWS does not answer: wait, but neither for ever nor blindly with users between the colors, as a write without an
/// answer may have left them.
pub(super) fn hold(trouble: &Trouble, goal: &Goal, run: &Run, now: Time) -> Next {
    let blind = now.since(run.blind.unwrap_or(now));
    if !run.changed && run.unanswered.is_empty() {
        let patient = trouble.kind.passes() && blind < goal.timeout;
        return if patient {
            Next::Wait(Wait::Trouble(trouble.clone()))
        } else {
            Next::Refuse(Refusal::Unread(trouble.clone()))
        };
    }
    if trouble.kind.passes() && blind < PATIENCE.min(goal.timeout) {
        return Next::Wait(Wait::Trouble(trouble.clone()));
    }
    stuck(if trouble.kind.passes() { Stuck::Blind(trouble.clone()) } else { Stuck::Trouble(trouble.clone()) })
}

/// Before the first write a refusal, after it the way back.
pub(super) fn refuse(refusal: Refusal, run: &Run) -> Next {
    match refusal {
        refusal if !run.changed && run.unanswered.is_empty() => Next::Refuse(refusal),
        Refusal::Unread(trouble) => stuck(Stuck::Trouble(trouble)),
        refusal => stuck(Stuck::Refused(Box::new(refusal))),
    }
}

/// A write without an answer that may still show its effect is waited for.
pub(super) fn unanswered(run: &Run, now: Time) -> Option<Wait> {
    let mut young = run.unanswered.iter().filter(|write| now.since(write.ended) < SHOWN);
    young.next().map(|write| Wait::Unanswered(write.trouble.clone()))
}

/// With all facts at hand.
fn decide(facts: &Facts<'_>, goal: &Goal, run: &Run, now: Time) -> Next {
    if let Some(wait) = unanswered(run, now) {
        return Next::Wait(wait);
    }
    if let Some(next) = undo_lowering(facts, run, now).or_else(|| overtaken(facts, run, now)) {
        return next;
    }
    let aim = match target(facts, goal, run) {
        Ok(aim) => aim,
        Err(refusal) => return refuse(refusal, run),
    };
    if let Some(refusal) = unfit(facts, goal, run, &aim) {
        return refuse(refusal, run);
    }
    if let Some(next) = alarmed(facts, goal, run, &aim) {
        return next;
    }
    if let Some((_, trouble)) = run.throttled.as_ref().filter(|(since, _)| now.since(*since) >= goal.timeout)
    {
        return refuse(Refusal::Unread(trouble.clone()), run);
    }
    if let Some(refusal) = lifeless(facts, goal, run, &aim) {
        return refuse(refusal, run);
    }
    // Groups are brought in first, into every rule: what may not be had is known before anybody is moved.
    let mut rules = facts.wiring.production.iter();
    let lacking = rules.clone().find(|rule| rule.lacks.is_some() && goal.wish.adopt);
    match lacking.or_else(|| rules.find(|rule| to_write(rule, aim.split, goal))) {
        Some(rule) => shift_towards(facts, (goal, run, now), &aim, rule),
        None => at_target(facts, (goal, run, now), &aim),
    }
}

/// No weight is to move, and a color with users has nobody to serve them: nothing is begun with it.
fn lifeless(facts: &Facts<'_>, goal: &Goal, run: &Run, aim: &Target) -> Option<Refusal> {
    let moving = !facts.hold(aim.split);
    let dead = dead(facts, aim).filter(|_| !moving && !run.changed)?;
    let load = run.load(aim.base, facts);
    let capacity = capacity(dead, aim.split, load, goal.wish.force);
    Some(Refusal::NotEnough { capacity, load: load.told(), why: Short::Unhealthy })
}

/// Whether a rule has to be written: other weights, or a group to bring in.
fn to_write(rule: &ProductionRule, split: Split, goal: &Goal) -> bool {
    !rule.split.same_ratio(split) || (rule.lacks.is_some() && goal.wish.adopt)
}

/// Somebody else's change of a rule, or weights of ours that do not show.
fn overtaken(facts: &Facts<'_>, run: &Run, now: Time) -> Option<Next> {
    let found = run.found.as_ref()?;
    facts.wiring.production.iter().find_map(|rule| {
        let arn = &rule.rule.arn;
        let name = || rule_name(&rule.rule);
        let (expected, written) = match (run.written.get(arn), found.splits.get(arn)) {
            (Some(written), _) => (written.split, Some(written)),
            (None, Some(split)) => (*split, None),
            (None, None) => (found.split, None),
        };
        if rule.split.same_ratio(expected) {
            return None;
        }
        let stale = |written: &&Written| rule.split.same_ratio(written.before);
        match written.filter(stale) {
            Some(written) if now.since(written.at) < SHOWN => {
                Some(Next::Wait(Wait::Weights { rule: name() }))
            }
            Some(written) if !written.shown => {
                Some(stuck(Stuck::NotShown { rule: name(), written: written.split }))
            }
            Some(_) | None => Some(stuck(Stuck::Overtaken { rule: name(), expected, found: rule.split })),
        }
    })
}

/// What must hold for the color that gains users, at every look.
fn unfit(facts: &Facts<'_>, goal: &Goal, run: &Run, aim: &Target) -> Option<Refusal> {
    let service = facts.service(aim.receiver);
    let missing = facts.missing_alarms(goal);
    if !missing.is_empty() {
        return Some(Refusal::NoAlarm(missing));
    }
    let moving = !facts.hold(aim.split);
    let begins = !goal.wish.force && !run.changed && (moving || goal.finish.is_some());
    if let Some(failed) = service.primary().filter(|primary| begins && primary.rollout == Rollout::Failed) {
        return Some(Refusal::FailedThere {
            color: aim.receiver,
            service: service.name.clone(),
            task_definition: failed.task_definition.clone(),
        });
    }
    // Of a split that stands and stays, nobody gains users.
    let gains = moving || aim.split.weight(aim.receiver) == aim.split.blue + aim.split.green;
    let expected = goal.wish.expect.as_ref().filter(|_| gains);
    if let Some(expected) = expected.filter(|expected| !runs(service, expected)) {
        return Some(Refusal::OtherTaskDefinition {
            color: aim.receiver,
            found: service.task_definition.clone(),
            expected: expected.clone(),
        });
    }
    let flying = rolling(service).filter(|_| begins)?;
    Some(Refusal::InFlight {
        service: service.name.clone(),
        id: flying.id.clone(),
        task_definition: flying.task_definition.clone(),
    })
}

/// Whether a service runs this task definition and no other.
fn runs(service: &Service, expected: &str) -> bool {
    let is = |arn: &str| arn == expected || arn.rsplit('/').next() == Some(expected);
    let tasks = service.tasks.iter().flatten().flatten();
    is(&service.task_definition)
        && service.deployments.iter().all(|deployment| is(&deployment.task_definition))
        && tasks.filter(|task| task.status == "RUNNING").all(|task| is(&task.task_definition))
}

/// A deployment that replaces another one. A change of the count alone is none, whatever its state is called.
pub(super) fn rolling(service: &Service) -> Option<&crate::plan::snapshot::Deployment> {
    let primary = service.primary().filter(|primary| primary.rollout != Rollout::Completed)?;
    let older = service.deployments.iter().any(|deployment| !deployment.primary && deployment.running > 0);
    (older && primary.rollout != Rollout::Failed).then_some(primary)
}

/// Alarms stop a run with steps: before its first write as a refusal, then as the way back. A promote listens to them
/// until it takes the way back away.
fn alarmed(facts: &Facts<'_>, goal: &Goal, run: &Run, aim: &Target) -> Option<Next> {
    let firing = facts.firing();
    let deaf = run.arrived.is_some() && (goal.finish.is_none() || run.finishing || run.written.is_empty());
    if goal.wish.steps.is_empty() || firing.is_empty() || deaf {
        return None;
    }
    let split = facts.wiring.split();
    Some(if !run.written.is_empty() || run.changed {
        stuck(Stuck::Alarm(firing))
    } else if split.is_live(aim.receiver) {
        Next::Refuse(Refusal::AlarmAt { firing, color: aim.receiver, split })
    } else {
        Next::Refuse(Refusal::AlarmFiring(firing))
    })
}
