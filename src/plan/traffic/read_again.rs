//! A snapshot after some rules were read again.

use crate::plan::snapshot::{Rule, Snapshot};

/// A snapshot with some rules read again.
pub(crate) fn with_rules(seen: &Snapshot, anew: &[Rule]) -> Snapshot {
    let mut seen = seen.clone();
    let balancers = seen.balancers.iter_mut().flatten().flatten();
    for rule in balancers.flat_map(|balancer| &mut balancer.rules) {
        if let Some(read) = anew.iter().find(|read| read.arn == rule.arn) {
            rule.clone_from(read);
        }
    }
    seen
}
