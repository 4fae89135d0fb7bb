//! The plan as a value: the decision, repeated over snapshots that include the predicted effect of each step.

use std::time::Duration;

use super::capacity::{color_capacity, full_load};
use super::facts::{Facts, FactsError, read_facts};
use super::goal::Goal;
use super::next::next_traffic_action;
use super::rewrite::forward_weights;
use super::run::{InitialTraffic, Run};
use super::shift::weights_step;
use super::stage::{gaining_color, next_split, split_at};
use super::traffic_plan::{RuleChange, TrafficPlan, Undo};
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::own_targets::group_targets;
use crate::plan::patience::of_traffic;
use crate::plan::preconditions::Blocker;
use crate::plan::run_memory::Answer;
use crate::plan::scalers::{apply_bounds, put_alarm, put_policy};
use crate::plan::snapshot::{Service, Snapshot, Target, Task};
use crate::plan::step::{
    Capacity, End, Next, Purpose, Refusal, RunFailure, Step, TrafficFailure, Wait, Weights,
};
use crate::plan::time::Time;
use crate::plan::wiring::{ProductionRule, rule_name};

/// Turns that every plan may take; a plan with many rules and shares may take more. Beyond that, the prediction is
/// stuck in a loop.
const TURNS: usize = 400;
/// Most turns times rules: each turn reads each rule, and planning does not react to signals.
const MOST_WORK: usize = 200_000;

/// The rules of a snapshot, at least 1.
fn count_rules(seen: &Snapshot) -> usize {
    let balancers = seen.balancers.as_ref().and_then(|read| read.as_ref().ok());
    balancers.map_or(0, |all| all.iter().map(|balancer| balancer.rules.len()).sum()).max(1)
}

/// Most turns of this plan: each share is written to each rule, then held.
fn most_turns(seen: &Snapshot, goal: &Goal) -> usize {
    let rules = count_rules(seen);
    let needed = 4 * rules * (goal.wish.steps.len() + 2);
    TURNS.max(needed.min(MOST_WORK / rules))
}

/// True if a plan needs more turns than [`MOST_WORK`] allows: a write to each production rule and some waits for each
/// share.
fn is_too_long(seen: &Snapshot, goal: &Goal, production: usize) -> bool {
    let needed = (production + 4) * (goal.wish.steps.len() + 1) + 20;
    needed > TURNS.max(MOST_WORK / count_rules(seen))
}

/// Result of a prediction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prediction {
    /// The predicted change.
    Plan(Box<TrafficPlan>),
    /// The run would refuse to start.
    Refuse(Refusal),
    /// Unknown for now.
    Unknown,
}

/// Repeats the decision over predicted snapshots, bakes included, and returns the full report. A plan that is too long
/// has no steps.
pub(crate) fn predict_traffic(snapshot: &Snapshot, goal: &Goal, now: Time) -> Prediction {
    let traffic_plan = match traffic_plan(snapshot, goal, now) {
        Ok(traffic_plan) => traffic_plan,
        Err(prediction) => return prediction,
    };
    if is_too_long(snapshot, goal, traffic_plan.rules.len()) {
        return Prediction::Plan(Box::new(TrafficPlan { too_long: true, ..traffic_plan }));
    }
    match predict_steps(&mut snapshot.clone(), goal, now) {
        Ok(steps) => Prediction::Plan(Box::new(TrafficPlan { steps, ..traffic_plan })),
        Err(prediction) => prediction,
    }
}

/// The steps from this snapshot on. Each step's predicted effect is added to the snapshot.
pub(crate) fn predict_steps(seen: &mut Snapshot, goal: &Goal, now: Time) -> Result<Vec<Step>, Prediction> {
    let (mut run, mut now, mut steps) = (Run::begin(now), now, Vec::new());
    for _ in 0..most_turns(seen, goal) {
        match next_traffic_action(&Ok(seen.clone()), goal, &mut run, now) {
            Next::Step(step) => {
                run.before(&step, seen, goal);
                run.answered(&step, &Ok(Answer::Changed), goal, now);
                predict_step(seen, &step);
                steps.push(step);
            }
            Next::Wait(wait) => now = now.after(complete_wait(seen, &wait)),
            Next::Done(End::Good { .. }) => return Ok(steps),
            Next::Refuse(refusal) => return Err(Prediction::Refuse(refusal)),
            // A run that would be refused halfway is refused at once.
            Next::Restore(RunFailure::Traffic(TrafficFailure::Refused(refusal)), _) => {
                return Err(Prediction::Refuse(*refusal));
            }
            // A predicted snapshot shows a write at once, so another read would show the same.
            Next::Read(_) if run.lowered.is_new() => {}
            Next::Read(_) | Next::Follow(_) | Next::Done(End::Bad { .. }) | Next::Restore(..) => {
                return Err(Prediction::Unknown);
            }
        }
    }
    Err(Prediction::Unknown)
}

/// A snapshot with the initial weights and counts of a run: the base for a report of the run's changes.
pub(crate) fn as_found(snapshot: &Snapshot, goal: &Goal, found: &InitialTraffic) -> Snapshot {
    let mut seen = snapshot.clone();
    let Ok(facts) = read_facts(snapshot, goal) else { return seen };
    for rule in &facts.wiring.production {
        let split = found.splits.get(&rule.rule.arn).copied().unwrap_or(found.split);
        if let Next::Step(step) = weights_step(rule, split, &facts, Purpose::Restore) {
            predict_step(&mut seen, &step);
        }
    }
    for service in &mut seen.services {
        let count = service.color.production().and_then(|color| found.counts.get(&color));
        service.desired = count.copied().unwrap_or(service.desired);
    }
    seen
}

/// The report without its steps.
pub(crate) fn traffic_plan(snapshot: &Snapshot, goal: &Goal, now: Time) -> Result<TrafficPlan, Prediction> {
    let facts = read_facts(snapshot, goal).map_err(|lacking| match lacking {
        FactsError::Blocker(Blocker::Refuse(refusal)) => Prediction::Refuse(refusal),
        FactsError::Blocker(Blocker::Retry(_)) | FactsError::NeedsRead(_) => Prediction::Unknown,
    })?;
    let next_split = next_split(&facts, goal, &Run::begin(now)).map_err(Prediction::Refuse)?;
    let load = full_load(next_split.base, &facts.colors);
    let to = goal.wish.to;
    let live: Vec<_> = facts.colors.iter().filter(|color| to.is_live(color.color)).collect();
    let needs = |force: bool| live.iter().map(move |color| color_capacity(color, to, load, force));
    let mut traffic_plan = TrafficPlan {
        from: next_split.base,
        to,
        rules: facts.wiring.production.iter().map(|rule| rule_change(rule, to)).collect(),
        load: load.told(),
        capacity: needs(goal.wish.force).collect(),
        needs: needs(false).map(|capacity| (capacity.color, capacity.needed)).collect(),
        receiver: next_split.receiver,
        versions: color_versions(&facts),
        steps: Vec::new(),
        too_long: false,
        bakes: planned_bakes(&facts, goal, next_split.receiver),
        counts: Duration::ZERO,
        longest: Duration::ZERO,
        no_data: facts.no_data(),
        copy: None,
    };
    traffic_plan.longest = of_traffic(goal, &traffic_plan);
    Ok(traffic_plan)
}

/// The shares that are held on the way, each with its time. A share that the rules already hold is held again, unless a
/// rule is beyond that share.
fn planned_bakes(facts: &Facts<'_>, goal: &Goal, receiver: Color) -> Vec<(u32, Duration)> {
    let rules = &facts.wiring.production;
    if rules.iter().all(|rule| rule.split.same_ratio(goal.wish.to)) {
        return Vec::new();
    }
    let held = |share: &u32| {
        let split = split_at(receiver, *share);
        let below = rules.iter().any(|rule| gaining_color(rule.split, split) == Some(receiver));
        let beyond = rules.iter().any(|rule| gaining_color(split, rule.split) == Some(receiver));
        below || !beyond
    };
    goal.wish.steps.iter().copied().filter(held).map(|share| (share, goal.wish.bake)).collect()
}

/// The task definition of each color's service.
fn color_versions(facts: &Facts<'_>) -> Vec<(Color, String)> {
    Color::BOTH.map(|color| (color, facts.service(color).task_definition.clone())).into()
}

/// A rule before and after.
fn rule_change(rule: &ProductionRule, to: Split) -> RuleChange {
    let default = rule.rule.priority.is_none();
    RuleChange {
        name: rule_name(&rule.rule),
        before: rule.split,
        after: to,
        stickiness: rule.rule.stickiness,
        undo: Undo {
            default,
            arn: if default { rule.rule.listener.clone() } else { rule.rule.arn.clone() },
            actions: rule.rule.whole.as_ref().clone(),
        },
    }
}

/// Adds a step's predicted effect to the snapshot.
pub(crate) fn predict_step(seen: &mut Snapshot, step: &Step) {
    match step {
        Step::Weights(weights) => apply_weights(seen, weights),
        Step::Scaling(scaling) => {
            change_service(seen, scaling.color, |service| apply_bounds(service, scaling))
        }
        Step::Policy(put) => change_service(seen, put.color, |service| put_policy(service, put)),
        Step::Alarm(put) => change_service(seen, put.color, |service| put_alarm(service, put)),
        // The tasks start later.
        Step::Update(update) => change_service(seen, update.color, |service| {
            service.desired = update.desired.unwrap_or(service.desired);
        }),
        Step::Find(_) | Step::Register(_) | Step::Probe(_) => {}
    }
}

/// Sets a rule's new weights.
fn apply_weights(seen: &mut Snapshot, weights: &Weights) {
    let forward = forward_weights(&weights.actions);
    let Some(Ok(balancers)) = &mut seen.balancers else { return };
    for rule in balancers.iter_mut().flat_map(|balancer| &mut balancer.rules) {
        if rule.arn == weights.rule {
            rule.forward.clone_from(&forward);
            rule.whole = weights.actions.clone().into();
        }
    }
}

/// Changes a service of the snapshot.
fn change_service(seen: &mut Snapshot, color: ServiceColor, change: impl FnOnce(&mut Service)) {
    if let Some(service) = seen.services.iter_mut().find(|service| service.color == color) {
        change(service);
    }
}

/// Adds the predicted effect of a wait, and returns the wait's duration: every desired task runs and is healthy.
fn complete_wait(seen: &mut Snapshot, wait: &Wait) -> Duration {
    match wait {
        Wait::Bake { left, .. }
        | Wait::Counts { left, .. }
        | Wait::Settle { left, .. }
        | Wait::Drain { left, .. } => *left + Duration::from_secs(1),
        Wait::Capacity(_)
        | Wait::Count { .. }
        | Wait::Repeat(_)
        | Wait::AwsError(_)
        | Wait::UnansweredWrite(_)
        | Wait::Deployment(_)
        | Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Probe
        | Wait::Rule { .. }
        | Wait::Weights { .. } => {
            seen.services.iter_mut().for_each(make_healthy);
            Duration::from_secs(1)
        }
    }
}

/// Starts every desired task and makes each healthy.
fn make_healthy(service: &mut Service) {
    (service.running, service.pending) = (service.desired, 0);
    if let Some(Ok(targets)) = &mut service.targets {
        targets.retain(Target::is_healthy);
    }
    let have = group_targets(service).map_or(0, |split| split.healthy());
    let port = service.setup.links.first().map_or(0, |link| link.port);
    let (Some(Ok(targets)), Some(Ok(tasks))) = (&mut service.targets, &mut service.tasks) else { return };
    for number in have..service.desired {
        let id = format!("planned-{number}");
        let hosts = vec![id.clone()];
        let (task_definition, status) = (service.task_definition.clone(), "RUNNING".to_owned());
        tasks.push(Task { id: id.clone(), hosts, status, task_definition, ..Task::default() });
        targets.push(Target { id, port, state: "healthy".to_owned(), reason: None, description: None });
    }
}

/// Missing healthy targets of the colors with users, by the load before the change.
pub(crate) fn capacity_shortfall(
    snapshot: &Snapshot,
    goal: &Goal,
    traffic_plan: &TrafficPlan,
) -> Vec<Capacity> {
    let Ok(facts) = read_facts(snapshot, goal) else { return Vec::new() };
    let load = full_load(traffic_plan.from, &facts.colors);
    let now = facts.colors.iter().filter_map(|color| {
        let needed = traffic_plan.need(color.color)?;
        Some(Capacity { needed, ..color_capacity(color, traffic_plan.to, load, false) })
    });
    now.filter(|capacity| capacity.healthy < capacity.needed).collect()
}
