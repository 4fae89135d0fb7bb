//! Scaling by the config: the scalable targets.

use super::{Finding, Mistake, SetupFacts, warns};
use crate::plan::snapshot::Snapshot;

/// Services without a scalable target, if the config has `scaling`. A run makes a missing target once the color needs one.
pub(super) fn check_scaling(snapshot: &Snapshot, facts: &SetupFacts<'_>) -> Vec<Finding> {
    let Some(managed) = facts.scaling else { return Vec::new() };
    let lacks = snapshot.services.iter().filter(|service| matches!(service.scaling, Some(Ok(None))));
    lacks
        .map(|service| {
            warns(Mistake::ScalableTarget {
                service: service.name.clone(),
                bounds: (managed.min, managed.max),
                place: snapshot.place.clone(),
            })
        })
        .collect()
}
