//! The plan of a promote. Each phase is predicted from the result of the previous phase.

use super::{Phase, unpinned_containers};
use crate::plan::color::Color;
use crate::plan::patience::of_deploy;
use crate::plan::predict::{Plan, plan_on};
use crate::plan::snapshot::Snapshot;
use crate::plan::time::Time;
use crate::plan::traffic::{Copying, Prediction, TrafficPlan, predict_steps, stays_at_size, traffic_plan};

/// Predicts a promote. The bool is true if the idle color keeps its size, because stickiness may keep users for longer
/// than the run may wait.
pub(crate) fn predict_promote(snapshot: &Snapshot, phases: &[Phase], now: Time) -> (Prediction, bool) {
    let (mut seen, mut all) = (snapshot.clone(), Vec::new());
    for phase in phases {
        let found = match phase {
            Phase::Move(goal) => predict_steps(&mut seen, goal, now),
            Phase::Deploy(goal, _) => match plan_on(&mut seen, goal, None, now) {
                Plan::Steps(steps) => Ok(steps),
                Plan::Refuse(refusal) => Err(Prediction::Refuse(refusal)),
                Plan::Unknown(_) => Err(Prediction::Unknown),
            },
        };
        match found {
            Ok(steps) => all.extend(steps),
            Err(prediction) => return (prediction, false),
        }
    }
    let stays = matches!(phases.last(), Some(Phase::Move(goal)) if stays_at_size(&seen, goal));
    match promote_brief(snapshot, phases, now) {
        Some(traffic_plan) => (Prediction::Plan(Box::new(TrafficPlan { steps: all, ..traffic_plan })), stays),
        None => (Prediction::Unknown, stays),
    }
}

/// The brief apart from the steps. If users first move away, the capacity of that move counts: the color that takes
/// over gets more tasks only afterwards.
fn promote_brief(snapshot: &Snapshot, phases: &[Phase], now: Time) -> Option<TrafficPlan> {
    let of = |phase: &Phase| match phase {
        Phase::Move(goal) => traffic_plan(snapshot, goal, now).ok(),
        Phase::Deploy(..) => None,
    };
    let whole = of(phases.last()?)?;
    let Some(color) = phases.iter().find_map(deployed_color) else { return Some(whole) };
    let away = of(phases.first()?)?;
    let moves = !away.from.same_ratio(away.to);
    let before = snapshot.service(color)?.task_definition.clone();
    let copy = Some(Copying { color, tested: color.other(), away: moves, before });
    let (capacity, needs) = if moves { (away.capacity, away.needs) } else { (whole.capacity, whole.needs) };
    let longest = phases.iter().filter_map(|phase| match phase {
        Phase::Deploy(goal, _) => Some(of_deploy(goal.limits.timeout)),
        Phase::Move(_) => of(phase).map(|traffic_plan| traffic_plan.longest),
    });
    Some(TrafficPlan { copy, capacity, needs, longest: longest.sum(), ..whole })
}

/// The color that a phase deploys to.
fn deployed_color(phase: &Phase) -> Option<Color> {
    match phase {
        Phase::Deploy(goal, _) => goal.color.production(),
        Phase::Move(_) => None,
    }
}

/// Images in the deploys of the phases that could not be pinned.
pub(crate) fn unpinned_images(phases: &[Phase]) -> Vec<String> {
    let of = |phase: &Phase| match phase {
        Phase::Deploy(goal, _) => unpinned_containers(&goal.content),
        Phase::Move(_) => Vec::new(),
    };
    phases.iter().flat_map(of).collect()
}
