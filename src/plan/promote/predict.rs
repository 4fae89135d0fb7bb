//! The plan of a promote: its phases, each predicted from what the one before is predicted to bring.

use super::{Phase, mutable};
use crate::plan::predict::{Plan, plan_on};
use crate::plan::snapshot::{Rollout, Snapshot};
use crate::plan::time::Time;
use crate::plan::traffic::{Brief, Prediction, brief, steps};

/// Iterates the phases over predicted snapshots.
pub(crate) fn predict(snapshot: &Snapshot, phases: &[Phase], now: Time) -> Prediction {
    let (mut seen, mut all, mut told) = (snapshot.clone(), Vec::new(), None);
    for phase in phases {
        let found = match phase {
            Phase::Move(goal) => {
                told = brief(snapshot, goal, now).ok().or(told);
                steps(&mut seen, goal, now)
            }
            Phase::Deploy(goal, _) => match plan_on(&mut seen, goal, None, now) {
                Plan::Steps(steps) => Ok(steps),
                Plan::Refuse(refusal) => Err(Prediction::Refuse(refusal)),
                Plan::Unknown(_) => Err(Prediction::Unknown),
            },
        };
        match found {
            Ok(steps) => all.extend(steps),
            Err(prediction) => return prediction,
        }
        deployed(&mut seen);
    }
    match told {
        Some(brief) => Prediction::Brief(Box::new(Brief { steps: all, ..brief })),
        None => Prediction::Unknown,
    }
}

/// Nothing is on its way any more between two phases.
fn deployed(seen: &mut Snapshot) {
    for deployment in seen.services.iter_mut().flat_map(|service| &mut service.deployments) {
        if deployment.primary && deployment.rollout == Rollout::InProgress {
            deployment.rollout = Rollout::Completed;
        }
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
