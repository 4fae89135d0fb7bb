//! Two waits compared.

use std::mem::discriminant;

use super::Wait;
use crate::plan::verdict::Waiting;

impl Wait {
    /// True if two waits are for the same thing: passing time alone is no news.
    pub(crate) fn is_same(&self, other: &Wait) -> bool {
        match (self, other) {
            (Wait::Bake { split: a, no_data: old, .. }, Wait::Bake { split: b, no_data: new, .. }) => {
                a == b && old == new
            }
            (Wait::Counts { split: a, .. }, Wait::Counts { split: b, .. }) => a == b,
            (Wait::Settle { color: a, .. }, Wait::Settle { color: b, .. })
            | (Wait::Drain { color: a, .. }, Wait::Drain { color: b, .. }) => a == b,
            (one, other) => one == other,
        }
    }

    /// True if two waits are for the same kind of event: other numbers alone are the same wait.
    pub(crate) fn is_same_kind(&self, other: &Wait) -> bool {
        match (self, other) {
            (Wait::Deployment(one), Wait::Deployment(other)) => discriminant(one) == discriminant(other),
            (one, other) => discriminant(one) == discriminant(other),
        }
    }

    /// True if AWS did not answer.
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(self, Wait::AwsError(_) | Wait::UnansweredWrite(_) | Wait::Deployment(Waiting::Unknown(_)))
    }
}
