//! The rollback alarms of the config file.

use super::{Finding, Mistake, SetupFacts, stops};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::Refusal;

/// Rollback alarms that do not exist: a change of traffic in steps refuses them.
pub(super) fn check_alarms(snapshot: &Snapshot, facts: &SetupFacts<'_>) -> Option<Finding> {
    let known = snapshot.alarms.as_ref()?.as_ref().ok()?;
    let missing = facts.alarms.iter().filter(|name| !known.iter().any(|alarm| alarm.name == **name));
    let missing: Vec<String> = missing.cloned().collect();
    let refusal = Refusal::NoAlarm(missing.clone());
    (!missing.is_empty()).then(|| stops(Mistake::Refused { id: "alarm-missing", refusal }))
}
