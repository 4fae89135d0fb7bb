//! The plan of a promote: its phases, each predicted from what the one before is predicted to bring.

use super::{Phase, mutable, other};
use crate::plan::color::Color;
use crate::plan::patience::of_deploy;
use crate::plan::predict::{Plan, plan_on};
use crate::plan::snapshot::Snapshot;
use crate::plan::time::Time;
use crate::plan::traffic::{Brief, Copying, Prediction, brief, stays_at_size, steps};

/// What a promote comes to, and whether the color without users stays at its size then, because stickiness may keep them
/// for longer than the run may wait.
pub(crate) fn predict(snapshot: &Snapshot, phases: &[Phase], now: Time) -> (Prediction, bool) {
    let (mut seen, mut all) = (snapshot.clone(), Vec::new());
    for phase in phases {
        let found = match phase {
            Phase::Move(goal) => steps(&mut seen, goal, now),
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
    match told(snapshot, phases, now) {
        Some(brief) => (Prediction::Brief(Box::new(Brief { steps: all, ..brief })), stays),
        None => (Prediction::Unknown, stays),
    }
}

/// All that there is to tell beside the steps. Where users are sent away first, what counts is whether they can be served
/// there: the color that takes over gets tasks of its own after that.
fn told(snapshot: &Snapshot, phases: &[Phase], now: Time) -> Option<Brief> {
    let of = |phase: &Phase| match phase {
        Phase::Move(goal) => brief(snapshot, goal, now).ok(),
        Phase::Deploy(..) => None,
    };
    let whole = of(phases.last()?)?;
    let Some(color) = phases.iter().find_map(deployed) else { return Some(whole) };
    let away = of(phases.first()?)?;
    let moves = !away.from.same_ratio(away.to);
    let before = snapshot.service(color)?.task_definition.clone();
    let copy = Some(Copying { color, tested: other(color), away: moves, before });
    let (capacity, needs) = if moves { (away.capacity, away.needs) } else { (whole.capacity, whole.needs) };
    let longest = phases.iter().filter_map(|phase| match phase {
        Phase::Deploy(goal, _) => Some(of_deploy(goal.limits.timeout)),
        Phase::Move(_) => of(phase).map(|brief| brief.longest),
    });
    Some(Brief { copy, capacity, needs, longest: longest.sum(), ..whole })
}

/// The color that a phase deploys to.
fn deployed(phase: &Phase) -> Option<Color> {
    match phase {
        Phase::Deploy(goal, _) => Some(goal.color),
        Phase::Move(_) => None,
    }
}

/// Images of the deploys among the phases that could not be pinned.
pub(crate) fn loose(phases: &[Phase]) -> Vec<String> {
    let of = |phase: &Phase| match phase {
        Phase::Deploy(goal, _) => mutable(&goal.content),
        Phase::Move(_) => Vec::new(),
    };
    phases.iter().flat_map(of).collect()
}
