//! The production rules that a run has seen. A rule that is deleted, or that loses a color's group, is no production rule
//! any more, but its listener still has users (invariants 6 and 39).

use std::collections::BTreeMap;

use super::snapshot::Snapshot;
use super::time::Time;
use super::wanted::ListenerChoice;
use super::wiring::{apart_of_snapshot, rule_name};

/// A production rule of an earlier look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EarlierRule {
    /// The rule's ARN, or the listener's for a default action.
    pub(crate) arn: String,
    /// The listener's ARN.
    pub(crate) listener: String,
    /// The rule's name for people.
    pub(crate) name: String,
    /// Time of the first look that did not show the rule as a production rule; none if the latest look showed it.
    pub(crate) missing: Option<Time>,
}

/// The production rules of all looks so far, by ARN.
#[derive(Clone, Debug, Default)]
pub(crate) struct EarlierRules(BTreeMap<String, EarlierRule>);

impl EarlierRules {
    /// Notes a look, and adds the earlier production rules to it. A look without readable rules changes nothing.
    pub(crate) fn note(&mut self, snapshot: &mut Snapshot, listener: Option<&ListenerChoice>, now: Time) {
        if let Some(Ok(wiring)) = apart_of_snapshot(snapshot, listener) {
            for rule in self.0.values_mut() {
                rule.missing = rule.missing.or(Some(now));
            }
            for known in &wiring.production {
                let (arn, name) = (known.rule.arn.clone(), rule_name(&known.rule));
                let listener = known.rule.listener.clone();
                self.0.insert(arn.clone(), EarlierRule { arn, listener, name, missing: None });
            }
        }
        snapshot.earlier = self.0.values().cloned().collect();
    }
}
