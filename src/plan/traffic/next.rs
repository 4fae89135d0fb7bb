//! The decision: derives the next step from a snapshot, the goal and the run's memory.
//!
//! 1. An unreadable part makes the run wait. A forbidden change is refused before the first write.
//! 2. An external change of a rule ends the run.
//! 3. Towards the next step: capacity first, then one write per rule.
//! 4. At a step: hold, and watch alarms and health. At the end: settle, then allow the live color's scale-in again.
//!
//! Every failure starts a restore, in `back.rs`.

use std::time::Duration;

use super::at_target::{at_target, unserved_color};
use super::capacity::color_capacity;
use super::facts::{Facts, FactsError, read_facts};
use super::goal::Goal;
use super::lowered::{undo_lowering, undo_scaling};
use super::restore;
use super::run::{CROSSED, Run, Written};
use super::shift::shift_towards;
use super::stage::{NextSplit, next_split};
use crate::plan::aws_error::{AwsError, AwsResult};
use crate::plan::color::Split;
use crate::plan::preconditions::Blocker;
use crate::plan::snapshot::{Rollout, Service, Snapshot};
use crate::plan::step::{Next, Refusal, RunFailure, Short, TrafficFailure, Wait};
use crate::plan::time::Time;
use crate::plan::verdict::Restorer;
use crate::plan::wiring::{ProductionRule, rule_name};

/// Longest time that AWS may be unreadable after a change, before the run restores.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Longest time until AWS shows new weights, or the effect of an unanswered write.
pub(super) const SHOWN: Duration = Duration::from_secs(10);

/// Failed tasks after a scale-up at which the run gives up: ECS would retry forever.
pub(super) const FAILED: usize = 3;

/// Decides the next step.
pub(crate) fn next_traffic_action(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    if run.failing.is_some() {
        return restore::next_restore_action(seen, goal, run, now);
    }
    if run.cancelled.is_some() {
        return start_restore(RunFailure::Cancelled);
    }
    match seen {
        Err(trouble) => hold_or_restore(trouble, goal, run, now),
        Ok(snapshot) => match read_facts(snapshot, goal) {
            Ok(facts) => decide_next(&facts, goal, run, now),
            Err(FactsError::NeedsRead(look)) => Next::Read(look),
            Err(FactsError::Blocker(Blocker::Retry(trouble))) => hold_or_restore(&trouble, goal, run, now),
            Err(FactsError::Blocker(Blocker::Refuse(refusal))) => refuse_or_restore(refusal, run),
        },
    }
}

/// Starts a restore.
fn start_restore(failing: RunFailure) -> Next {
    Next::Restore(failing, Restorer::ThisRun)
}

/// Starts a restore because the change of traffic failed.
pub(super) fn restore_after(stuck: TrafficFailure) -> Next {
    start_restore(RunFailure::Traffic(stuck))
}

/// Waits while AWS does not answer, up to a limit. The limit is short once weights may have changed, because users may
/// be split between the colors.
pub(super) fn hold_or_restore(trouble: &AwsError, goal: &Goal, run: &Run, now: Time) -> Next {
    let blind = now.since(run.blind.unwrap_or(now));
    if !run.changed && run.unanswered.is_empty() {
        let patient = trouble.kind.is_transient() && blind < goal.timeout;
        return if patient {
            Next::Wait(Wait::AwsError(trouble.clone()))
        } else {
            Next::Refuse(Refusal::Unread(trouble.clone()))
        };
    }
    if trouble.kind.is_transient() && blind < PATIENCE.min(goal.timeout) {
        return Next::Wait(Wait::AwsError(trouble.clone()));
    }
    restore_after(if trouble.kind.is_transient() {
        TrafficFailure::Blind(trouble.clone())
    } else {
        TrafficFailure::AwsError(trouble.clone())
    })
}

/// A refusal before the first write; a restore after it.
pub(super) fn refuse_or_restore(refusal: Refusal, run: &Run) -> Next {
    match refusal {
        refusal if !run.changed && run.unanswered.is_empty() => Next::Refuse(refusal),
        Refusal::Unread(trouble) => restore_after(TrafficFailure::AwsError(trouble)),
        refusal => restore_after(TrafficFailure::Refused(Box::new(refusal))),
    }
}

/// A write without an answer that may still show its effect is waited for.
pub(super) fn unanswered(run: &Run, now: Time) -> Option<Wait> {
    let mut young = run.unanswered.iter().filter(|write| now.since(write.ended) < SHOWN);
    young.next().map(|write| Wait::UnansweredWrite(write.trouble.clone()))
}

/// Decides with all facts available.
fn decide_next(facts: &Facts<'_>, goal: &Goal, run: &Run, now: Time) -> Next {
    if let Some(wait) = unanswered(run, now) {
        return Next::Wait(wait);
    }
    let undo = undo_lowering(facts, run, now).or_else(|| undo_scaling(facts, goal, run));
    if let Some(next) = undo.or_else(|| changed_externally(facts, run, now)) {
        return next;
    }
    let next_split = match next_split(facts, goal, run) {
        Ok(next_split) => next_split,
        Err(refusal) => return refuse_or_restore(refusal, run),
    };
    if let Some(refusal) = receiver_refusal(facts, goal, run, &next_split) {
        return refuse_or_restore(refusal, run);
    }
    if let Some(next) = next_for_alarm(facts, goal, run, &next_split) {
        return next;
    }
    if let Some((_, trouble)) = run.throttled.as_ref().filter(|(since, _)| now.since(*since) >= goal.timeout)
    {
        return refuse_or_restore(Refusal::Unread(trouble.clone()), run);
    }
    if let Some(refusal) = no_healthy_receiver(facts, goal, run, &next_split) {
        return refuse_or_restore(refusal, run);
    }
    // All groups are added to their rules before users move: a change that AWS refuses then fails early.
    let mut rules = facts.wiring.production.iter();
    let lacking = rules.clone().find(|rule| rule.lacks.is_some() && goal.wish.adopt);
    match lacking.or_else(|| rules.find(|rule| to_write(rule, next_split.split, goal))) {
        Some(rule) => shift_towards(facts, (goal, run, now), &next_split, rule),
        None => at_target(facts, (goal, run, now), &next_split),
    }
}

/// Refuses before any change if no weight has to move and a color with users has no healthy target.
fn no_healthy_receiver(facts: &Facts<'_>, goal: &Goal, run: &Run, next_split: &NextSplit) -> Option<Refusal> {
    let moving = !facts.hold(next_split.split);
    let dead = unserved_color(facts, next_split).filter(|_| !moving && !run.changed)?;
    let load = run.load(next_split.base, facts);
    let capacity = color_capacity(dead, next_split.split, load, goal.wish.force);
    Some(Refusal::NotEnough { capacity, load: load.told(), why: Short::Unhealthy })
}

/// True if a rule needs a write: other weights, or a group to add.
fn to_write(rule: &ProductionRule, split: Split, goal: &Goal) -> bool {
    !rule.split.same_ratio(split) || (rule.lacks.is_some() && goal.wish.adopt)
}

/// An external change of a rule, or weights of this run that AWS does not show.
fn changed_externally(facts: &Facts<'_>, run: &Run, now: Time) -> Option<Next> {
    let found = run.found.as_ref()?;
    if let Some(gone) = facts.wiring.gone.first() {
        // A single look without a rule is no proof.
        let since = gone.missing.map_or_else(Duration::default, |since| now.since(since));
        return Some(if since < CROSSED {
            Next::Wait(Wait::Rule { rule: gone.name.clone() })
        } else {
            restore_after(TrafficFailure::RuleGone(gone.name.clone()))
        });
    }
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
                Some(restore_after(TrafficFailure::NotShown { rule: name(), written: written.split }))
            }
            Some(_) | None => {
                Some(restore_after(TrafficFailure::Overtaken { rule: name(), expected, found: rule.split }))
            }
        }
    })
}

/// Conditions for the color that gains users, checked at every read.
fn receiver_refusal(facts: &Facts<'_>, goal: &Goal, run: &Run, next_split: &NextSplit) -> Option<Refusal> {
    let service = facts.service(next_split.receiver);
    let missing = facts.missing_alarms(goal);
    if !missing.is_empty() {
        return Some(Refusal::NoAlarm(missing));
    }
    let moving = !facts.hold(next_split.split);
    // A run that only raised counts so far still begins: users are where they were.
    let finishes = goal.finish.is_some() && !run.changed;
    let begins = !goal.wish.force && run.written.is_empty() && (moving || finishes);
    if let Some(failed) = service.primary().filter(|primary| begins && primary.rollout == Rollout::Failed) {
        return Some(Refusal::FailedThere {
            color: next_split.receiver,
            service: service.name.clone(),
            task_definition: failed.task_definition.clone(),
        });
    }
    // If the split stays and both colors have users, no color gains any.
    let gains = moving
        || next_split.split.weight(next_split.receiver) == next_split.split.blue + next_split.split.green;
    let expected = goal.wish.expect.as_ref().filter(|_| gains);
    if let Some(expected) = expected.filter(|expected| !is_running_definition(service, expected)) {
        return Some(Refusal::OtherTaskDefinition {
            color: next_split.receiver,
            found: service.task_definition.clone(),
            expected: expected.clone(),
        });
    }
    let flying = rolling_deployment(service).filter(|_| begins)?;
    Some(Refusal::InFlight {
        service: service.name.clone(),
        id: flying.id.clone(),
        task_definition: flying.task_definition.clone(),
    })
}

/// True if a service runs only this task definition.
fn is_running_definition(service: &Service, expected: &str) -> bool {
    let is = |arn: &str| arn == expected || arn.rsplit('/').next() == Some(expected);
    let tasks = service.tasks.iter().flatten().flatten();
    is(&service.task_definition)
        && service.deployments.iter().all(|deployment| is(&deployment.task_definition))
        && tasks.filter(|task| task.status == "RUNNING").all(|task| is(&task.task_definition))
}

/// A deployment that replaces another one. A change of the count is no deployment, whatever state AWS reports.
pub(super) fn rolling_deployment(service: &Service) -> Option<&crate::plan::snapshot::Deployment> {
    let primary = service.primary().filter(|primary| primary.rollout != Rollout::Completed)?;
    let older = service.deployments.iter().any(|deployment| !deployment.primary && deployment.running > 0);
    (older && primary.rollout != Rollout::Failed).then_some(primary)
}

/// Alarms stop a run with steps: a refusal before the first write, a restore after it. A promote watches alarms until
/// the idle color starts to shrink.
fn next_for_alarm(facts: &Facts<'_>, goal: &Goal, run: &Run, next_split: &NextSplit) -> Option<Next> {
    let firing = facts.firing();
    let past_alarms =
        run.arrived.is_some() && (goal.finish.is_none() || run.finishing || run.written.is_empty());
    if goal.wish.steps.is_empty() || firing.is_empty() || past_alarms {
        return None;
    }
    let split = facts.wiring.split();
    Some(if !run.written.is_empty() || run.changed {
        restore_after(TrafficFailure::Alarm(firing))
    } else if split.is_live(next_split.receiver) {
        Next::Refuse(Refusal::AlarmAt { firing, color: next_split.receiver, split })
    } else {
        Next::Refuse(Refusal::AlarmFiring(firing))
    })
}
