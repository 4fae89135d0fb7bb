//! The reasons that the wiring can't be read.

use crate::plan::color::{ServiceColor, Split};

/// Reason that the wiring can't be read. The words are elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RoutingError {
    /// The groups belong to different load balancers.
    TwoBalancers(Vec<String>),
    /// A group belongs to no load balancer.
    Unattached(ServiceColor),
    /// Not an Application Load Balancer.
    NotApplication(String),
    /// A target type other than `ip` and `instance`.
    TargetType(ServiceColor, String),
    /// Both colors use one target group.
    SameGroup(String),
    /// No rule holds both groups, and the user named no `listener`. Holds the found listeners.
    NoProductionRule(Vec<String>),
    /// The named `listener` does not exist, or does not forward to a color. Holds the found listeners.
    NoSuchListener(Vec<String>),
    /// A production rule forwards to a third group.
    ThirdGroup {
        /// The rule.
        rule: String,
        /// The third group.
        group: String,
    },
    /// A production rule has an action of an unknown type.
    UnknownAction {
        /// The rule.
        rule: String,
        /// The type.
        action: String,
    },
    /// The weights of a production rule sum to 0.
    NoWeight(String),
    /// Production rules that hold different splits.
    Disagree(Vec<(String, Split)>),
}
