//! The plan as a value: the same decision, iterated over snapshots that its own steps are predicted to bring.

use std::time::Duration;

use super::brief::{Brief, RuleChange, Undo};
use super::capacity::{capacity, full_load};
use super::facts::{Facts, Lacking, facts};
use super::goal::Goal;
use super::next::next;
use super::rewrite::forwarded;
use super::run::{Found, Run};
use super::shift::write;
use super::stage::{gaining, split_at, target};
use crate::plan::admit::Hindrance;
use crate::plan::color::{Color, Split};
use crate::plan::own_targets::group_targets;
use crate::plan::patience::of_traffic;
use crate::plan::run::Answer;
use crate::plan::scalers::{put_alarm, put_policy, register};
use crate::plan::snapshot::{Service, Snapshot, Target, Task};
use crate::plan::step::{Capacity, End, Failing, Next, Purpose, Refusal, Step, Stuck, Update, Wait, Weights};
use crate::plan::time::Time;
use crate::plan::wiring::{ProductionRule, rule_name};

/// Turns that every plan may take; a plan of many rules and shares may take more. Still more means that the prediction
/// turns in a circle.
const TURNS: usize = 400;
/// Most turns times rules: each turn looks at each rule, and a signal is not heard while a plan is made.
const MOST_WORK: usize = 200_000;

/// Most turns of this plan: each share is written to each rule, and held.
fn most_turns(seen: &Snapshot, goal: &Goal) -> usize {
    let balancers = seen.balancers.as_ref().and_then(|read| read.as_ref().ok());
    let rules = balancers.map_or(0, |all| all.iter().map(|balancer| balancer.rules.len()).sum()).max(1);
    let needed = 4 * rules * (goal.wish.steps.len() + 2);
    TURNS.max(needed.min(MOST_WORK / rules))
}

/// What a plan comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prediction {
    /// It can be told.
    Brief(Box<Brief>),
    /// It would not be started.
    Refuse(Refusal),
    /// It can't be said now.
    Unknown,
}

/// Iterates the decision over predicted snapshots, bakes included, and tells all that there is to tell.
pub(crate) fn predict(snapshot: &Snapshot, goal: &Goal, now: Time) -> Prediction {
    let brief = match brief(snapshot, goal, now) {
        Ok(brief) => brief,
        Err(prediction) => return prediction,
    };
    match steps(&mut snapshot.clone(), goal, now) {
        Ok(steps) => Prediction::Brief(Box::new(Brief { steps, ..brief })),
        Err(prediction) => prediction,
    }
}

/// The steps from what is seen, which is changed to what they are predicted to bring.
pub(crate) fn steps(seen: &mut Snapshot, goal: &Goal, now: Time) -> Result<Vec<Step>, Prediction> {
    let (mut run, mut now, mut steps) = (Run::begin(now), now, Vec::new());
    for _ in 0..most_turns(seen, goal) {
        run.saw(&Ok(seen.clone()), goal, now);
        match next(&Ok(seen.clone()), goal, &run, now) {
            Next::Step(step) => {
                run.before(&step, seen, goal);
                run.answered(&step, &Ok(Answer::Changed), goal, now);
                apply(seen, &step);
                steps.push(step);
            }
            Next::Wait(wait) => now = now.after(waited(seen, &wait)),
            Next::Done(End::Good { .. }) => return Ok(steps),
            Next::Refuse(refusal) => return Err(Prediction::Refuse(refusal)),
            // What would be refused in the middle is not begun.
            Next::Turn(Failing::Traffic(Stuck::Refused(refusal)), _) => {
                return Err(Prediction::Refuse(*refusal));
            }
            // A predicted snapshot shows a write at once; looking again shows the same.
            Next::Look(_) if run.lowered.is_new() => {}
            Next::Look(_) | Next::Follow(_) | Next::Done(End::Bad { .. }) | Next::Turn(..) => {
                return Err(Prediction::Unknown);
            }
        }
    }
    Err(Prediction::Unknown)
}

/// What is seen with the weights and counts that a run found: what it did is told from there.
pub(crate) fn as_found(snapshot: &Snapshot, goal: &Goal, found: &Found) -> Snapshot {
    let mut seen = snapshot.clone();
    let Ok(facts) = facts(snapshot, goal) else { return seen };
    for rule in &facts.wiring.production {
        let split = found.splits.get(&rule.rule.arn).copied().unwrap_or(found.split);
        if let Next::Step(step) = write(rule, split, &facts, Purpose::Restore) {
            apply(&mut seen, &step);
        }
    }
    for service in &mut seen.services {
        service.desired = found.counts.get(&service.color).copied().unwrap_or(service.desired);
    }
    seen
}

/// All but the steps.
pub(crate) fn brief(snapshot: &Snapshot, goal: &Goal, now: Time) -> Result<Brief, Prediction> {
    let facts = facts(snapshot, goal).map_err(|lacking| match lacking {
        Lacking::Hindrance(Hindrance::Refuse(refusal)) => Prediction::Refuse(refusal),
        Lacking::Hindrance(Hindrance::Hold(_)) | Lacking::Look(_) => Prediction::Unknown,
    })?;
    let aim = target(&facts, goal, &Run::begin(now)).map_err(Prediction::Refuse)?;
    let load = full_load(aim.base, &facts.colors);
    let to = goal.wish.to;
    let live: Vec<_> = facts.colors.iter().filter(|color| to.is_live(color.color)).collect();
    let needs = |force: bool| live.iter().map(move |color| capacity(color, to, load, force));
    let mut brief = Brief {
        from: aim.base,
        to,
        rules: facts.wiring.production.iter().map(|rule| change(rule, to)).collect(),
        load: load.told(),
        capacity: needs(goal.wish.force).collect(),
        needs: needs(false).map(|capacity| (capacity.color, capacity.needed)).collect(),
        receiver: aim.receiver,
        versions: versions(&facts),
        steps: Vec::new(),
        bakes: bakes(&facts, goal, aim.receiver),
        longest: Duration::ZERO,
        no_data: facts.no_data(),
        copy: None,
    };
    brief.longest = of_traffic(goal, &brief);
    Ok(brief)
}

/// The shares that are held on the way, each with its time: as the run decides it, a share that is reached is held again
/// unless a rule is beyond it.
fn bakes(facts: &Facts<'_>, goal: &Goal, receiver: Color) -> Vec<(u32, Duration)> {
    let rules = &facts.wiring.production;
    if rules.iter().all(|rule| rule.split.same_ratio(goal.wish.to)) {
        return Vec::new();
    }
    let held = |share: &u32| {
        let split = split_at(receiver, *share);
        let below = rules.iter().any(|rule| gaining(rule.split, split) == Some(receiver));
        let beyond = rules.iter().any(|rule| gaining(split, rule.split) == Some(receiver));
        below || !beyond
    };
    goal.wish.steps.iter().copied().filter(held).map(|share| (share, goal.wish.bake)).collect()
}

/// The task definition that each color wants.
fn versions(facts: &Facts<'_>) -> Vec<(Color, String)> {
    let of = |service: &&Service| (service.color, service.task_definition.clone());
    facts.services.iter().map(of).collect()
}

/// One rule before and after.
fn change(rule: &ProductionRule, to: Split) -> RuleChange {
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

/// What a step is predicted to bring at once.
pub(crate) fn apply(seen: &mut Snapshot, step: &Step) {
    match step {
        Step::Weights(weights) => weighed(seen, weights),
        Step::Scaling(scaling) => scaled(seen, scaling.color, |service| register(service, scaling)),
        Step::Policy(put) => scaled(seen, put.color, |service| put_policy(service, put)),
        Step::Alarm(put) => scaled(seen, put.color, |service| put_alarm(service, put)),
        Step::Update(update) => updated(seen, update),
        Step::Find { .. } | Step::Register { .. } | Step::Probe => {}
    }
}

/// A rule with its new weights.
fn weighed(seen: &mut Snapshot, weights: &Weights) {
    let forward = forwarded(&weights.actions);
    let Some(Ok(balancers)) = &mut seen.balancers else { return };
    for rule in balancers.iter_mut().flat_map(|balancer| &mut balancer.rules) {
        if rule.arn == weights.rule {
            rule.forward.clone_from(&forward);
            rule.whole = weights.actions.clone().into();
        }
    }
}

/// A service after a change of its scaling.
fn scaled(seen: &mut Snapshot, color: Color, change: impl FnOnce(&mut Service)) {
    if let Some(service) = seen.services.iter_mut().find(|service| service.color == color) {
        change(service);
    }
}

/// A new count; its tasks are still to come.
fn updated(seen: &mut Snapshot, update: &Update) {
    let Some(service) = seen.services.iter_mut().find(|service| service.color == update.color) else {
        return;
    };
    service.desired = update.desired.unwrap_or(service.desired);
}

/// What a wait is predicted to bring, and how long it takes: all wanted tasks run and are healthy.
fn waited(seen: &mut Snapshot, wait: &Wait) -> Duration {
    match wait {
        Wait::Bake { left, .. } | Wait::Settle { left, .. } | Wait::Drain { left, .. } => {
            *left + Duration::from_secs(1)
        }
        Wait::Capacity(_)
        | Wait::Count { .. }
        | Wait::Repeat(_)
        | Wait::Trouble(_)
        | Wait::Unanswered(_)
        | Wait::Deployment(_)
        | Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Probe
        | Wait::Weights { .. } => {
            seen.services.iter_mut().for_each(healthy);
            Duration::from_secs(1)
        }
    }
}

/// Every task that is wanted runs and is healthy.
fn healthy(service: &mut Service) {
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

/// What the colors with users lack of the healthy targets that the load of before needs of them.
pub(crate) fn shortfall(snapshot: &Snapshot, goal: &Goal, brief: &Brief) -> Vec<Capacity> {
    let Ok(facts) = facts(snapshot, goal) else { return Vec::new() };
    let load = full_load(brief.from, &facts.colors);
    let now = facts.colors.iter().filter_map(|color| {
        let needed = brief.need(color.color)?;
        Some(Capacity { needed, ..capacity(color, brief.to, load, false) })
    });
    now.filter(|capacity| capacity.healthy < capacity.needed).collect()
}
