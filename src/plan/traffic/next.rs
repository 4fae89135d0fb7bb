//! The decision: derives the next step from a snapshot, the goal and the run's memory.
//!
//! 1. An unreadable part makes the run wait. A forbidden change is refused before the first write.
//! 2. An external change of a rule ends the run.
//! 3. Towards the next step: capacity first, then one write per rule.
//! 4. At a step: hold, and watch alarms and health. At the end: settle, then allow the live color's scale-in again.
//!
//! Every failure starts a restore, in `restore.rs`.

use std::time::Duration;

use super::decision::{Decision, Situation};
use super::facts::{Facts, FactsError, facts_of_look};
use super::goal::Goal;
use super::restore;
use super::run::{CROSSED, Run};
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

/// Notes a look in the run's memory, and decides the next step. The facts of the look are read once.
pub(crate) fn next_traffic_action(seen: &AwsResult<Snapshot>, goal: &Goal, run: &mut Run, now: Time) -> Next {
    let situation = run.saw(seen, goal, now);
    decide(&situation, seen, goal, run, now)
}

/// Decides the next step without a note in the run's memory.
pub(crate) fn peek_traffic_action(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    let situation = facts_of_look(seen, goal).map(|facts| Situation::of(facts, goal, run));
    decide(&situation, seen, goal, run, now)
}

/// Decides the next step in this situation.
fn decide(
    situation: &Result<Situation<'_>, FactsError>,
    seen: &AwsResult<Snapshot>,
    goal: &Goal,
    run: &Run,
    now: Time,
) -> Next {
    if run.memory.failing.is_some() {
        return restore::next_restore_action(seen, goal, run, now);
    }
    if run.memory.cancelled.is_some() {
        return start_restore(RunFailure::Cancelled);
    }
    match situation {
        Ok(situation) => decide_next(situation, goal, run, now),
        Err(FactsError::NeedsRead(look)) => Next::Read(*look),
        Err(FactsError::Blocker(Blocker::Retry(trouble))) => run.hold(trouble, goal, now),
        Err(FactsError::Blocker(Blocker::Refuse(refusal))) => run.refuse(refusal.clone()),
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

impl Run {
    /// True if this run changed something, or may have.
    fn may_have_changed(&self) -> bool {
        self.memory.may_have_changed()
    }

    /// Waits while AWS does not answer, up to a limit. The limit is short once weights may have changed, because users
    /// may be split between the colors.
    pub(super) fn hold(&self, trouble: &AwsError, goal: &Goal, now: Time) -> Next {
        let blind = now.since(self.blind.unwrap_or(now));
        let passes = trouble.kind.is_transient();
        let limit = if self.may_have_changed() { PATIENCE.min(goal.timeout) } else { goal.timeout };
        if passes && blind < limit {
            return Next::Wait(Wait::AwsError(trouble.clone()));
        }
        if passes && self.may_have_changed() {
            return restore_after(TrafficFailure::Blind(trouble.clone()));
        }
        self.refuse(Refusal::Unread(trouble.clone()))
    }

    /// A refusal before the first write; a restore after it.
    pub(super) fn refuse(&self, refusal: Refusal) -> Next {
        match refusal {
            refusal if !self.may_have_changed() => Next::Refuse(refusal),
            Refusal::Unread(trouble) => restore_after(TrafficFailure::AwsError(trouble)),
            refusal => restore_after(TrafficFailure::Refused(Box::new(refusal))),
        }
    }

    /// A write without an answer that may still show its effect is waited for.
    pub(super) fn unanswered_wait(&self, now: Time) -> Option<Wait> {
        let mut young = self.memory.unanswered.iter().filter(|write| now.since(write.ended) < SHOWN);
        young.next().map(|write| Wait::UnansweredWrite(write.trouble.clone()))
    }

    /// An external change of a rule, or weights of this run that AWS does not show.
    fn changed_externally(&self, facts: &Facts<'_>, now: Time) -> Option<Next> {
        let found = self.found.as_ref()?;
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
            let written = self.written.get(arn);
            let of_found = || found.splits.get(arn).copied().unwrap_or(found.split);
            let expected = written.map_or_else(of_found, |written| written.split);
            if rule.split.same_ratio(expected) {
                return None;
            }
            Some(match written.filter(|written| rule.split.same_ratio(written.before)) {
                Some(written) if now.since(written.at) < SHOWN => Next::Wait(Wait::Weights { rule: name() }),
                Some(written) if !written.shown => {
                    restore_after(TrafficFailure::NotShown { rule: name(), written: written.split })
                }
                Some(_) | None => {
                    restore_after(TrafficFailure::Overtaken { rule: name(), expected, found: rule.split })
                }
            })
        })
    }
}

/// Decides with all facts available.
fn decide_next(situation: &Situation<'_>, goal: &Goal, run: &Run, now: Time) -> Next {
    if let Some(wait) = run.unanswered_wait(now) {
        return Next::Wait(wait);
    }
    let facts = &situation.facts;
    let undo = run.undo_lowering(facts, now).or_else(|| run.undo_scaling(facts, goal));
    if let Some(next) = undo.or_else(|| run.changed_externally(facts, now)) {
        return next;
    }
    match &situation.next_split {
        Ok(next_split) => Decision { facts, next_split: *next_split, goal, run, now }.next(),
        Err(refusal) => run.refuse(refusal.clone()),
    }
}

/// True if a rule needs a write: other weights, or a group to add.
fn to_write(rule: &ProductionRule, split: Split, goal: &Goal) -> bool {
    !rule.split.same_ratio(split) || (rule.lacks.is_some() && goal.wish.adopt)
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

impl Decision<'_> {
    /// The next step towards the next split, or at that split.
    fn next(&self) -> Next {
        if let Some(refusal) = self.receiver_refusal() {
            return self.run.refuse(refusal);
        }
        if let Some(next) = self.next_for_alarm() {
            return next;
        }
        let throttled = self.run.memory.throttled.as_ref();
        if let Some((_, trouble)) = throttled.filter(|(since, _)| self.now.since(*since) >= self.goal.timeout)
        {
            return self.run.refuse(Refusal::Unread(trouble.clone()));
        }
        if let Some(refusal) = self.no_healthy_receiver() {
            return self.run.refuse(refusal);
        }
        // All groups are added to their rules before users move: a change that AWS refuses then fails early.
        let mut rules = self.facts.wiring.production.iter();
        let lacking = rules.clone().find(|rule| rule.lacks.is_some() && self.goal.wish.adopt);
        match lacking.or_else(|| rules.find(|rule| to_write(rule, self.next_split.split, self.goal))) {
            Some(rule) => self.shift_towards(rule),
            None => self.at_target(),
        }
    }

    /// Refuses before any change if no weight has to move and a color with users has no healthy target.
    fn no_healthy_receiver(&self) -> Option<Refusal> {
        let unserved = self.unserved_color().filter(|_| !self.moves() && !self.run.memory.changed)?;
        Some(self.not_enough(self.capacity(unserved), Short::Unhealthy))
    }

    /// Conditions for the color that gains users, checked at every read.
    fn receiver_refusal(&self) -> Option<Refusal> {
        let (wish, split, receiver) = (&self.goal.wish, self.next_split.split, self.next_split.receiver);
        let service = self.facts.service(receiver);
        let missing = self.facts.missing_alarms(self.goal);
        if !missing.is_empty() {
            return Some(Refusal::NoAlarm(missing));
        }
        // A run that only raised counts so far still begins: users are where they were.
        let finishes = self.goal.finish.is_some() && !self.run.memory.changed;
        let begins = !wish.force && self.run.written.is_empty() && (self.moves() || finishes);
        if let Some(failed) = service.primary().filter(|primary| begins && primary.rollout == Rollout::Failed)
        {
            return Some(Refusal::FailedThere {
                color: receiver,
                service: service.name.clone(),
                task_definition: failed.task_definition.clone(),
            });
        }
        // If the split stays and both colors have users, no color gains any.
        let gains = self.moves() || split.weight(receiver) == split.blue + split.green;
        let expected = wish.expect.as_ref().filter(|_| gains);
        if let Some(expected) = expected.filter(|expected| !is_running_definition(service, expected)) {
            return Some(Refusal::OtherTaskDefinition {
                color: receiver,
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

    /// Alarms stop a run with steps: a refusal before the first write, a restore after it. A promote watches alarms
    /// until the idle color starts to shrink.
    fn next_for_alarm(&self) -> Option<Next> {
        let (goal, run, firing) = (self.goal, self.run, self.facts.firing());
        let past_alarms = run.progress.arrived().is_some()
            && (goal.finish.is_none() || run.finishing || run.written.is_empty());
        if goal.wish.steps.is_empty() || firing.is_empty() || past_alarms {
            return None;
        }
        let (split, color) = (self.facts.wiring.split(), self.next_split.receiver);
        Some(if !run.written.is_empty() || run.memory.changed {
            restore_after(TrafficFailure::Alarm(firing))
        } else if split.is_live(color) {
            Next::Refuse(Refusal::AlarmAt { firing, color, split })
        } else {
            Next::Refuse(Refusal::AlarmFiring(firing))
        })
    }
}
