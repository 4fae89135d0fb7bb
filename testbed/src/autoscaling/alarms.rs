//! What CloudWatch knows of policies: the alarms whose actions name them.

use super::policy::Policy;
use crate::world::World;

/// An alarm, as policies see it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alarm {
    /// Its name.
    pub(super) name: String,
    /// Its ARN.
    pub(super) arn: String,
    /// Whether its actions are on.
    pub(super) enabled: bool,
    /// While it is in ALARM and its actions are on: the metric's value and the threshold.
    pub(super) breach: Option<(f64, f64)>,
}

/// The alarms that have a policy among their alarm actions.
pub(super) fn of(_world: &World, _arn: &str) -> Vec<Alarm> {
    Vec::new()
}

/// Makes the two alarms of target tracking.
pub(super) fn follow_target(_world: &mut World, _policy: &Policy) {}

/// Removes the two alarms of target tracking.
pub(super) fn leave_target(_world: &mut World, _policy: &Policy) {}
