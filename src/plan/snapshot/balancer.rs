//! A load balancer's rules, target groups and targets.

use std::sync::Arc;
use std::time::Duration;

use super::Seen;

/// A target group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TargetGroup {
    /// The ARN.
    pub(crate) arn: String,
    /// The name.
    pub(crate) name: String,
    /// `ip`, `instance`, `lambda`, `alb`.
    pub(crate) target_type: String,
    /// ARNs of the load balancers that use the group, at most one in AWS.
    pub(crate) balancers: Vec<String>,
    /// The attributes. The routing of users is known without attributes.
    pub(crate) attributes: Seen<GroupAttributes>,
}

/// The relevant attributes of a target group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupAttributes {
    /// Deregistration delay.
    pub(crate) deregistration_delay: Duration,
    /// Fewest healthy targets before the balancer fails open (`unhealthy_state_routing…count`).
    pub(crate) minimum_count: u32,
    /// The same as a percentage of the group's targets; 0 is off.
    pub(crate) minimum_percent: u32,
}

/// One registered target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// An address, or an EC2 instance's id.
    pub(crate) id: String,
    /// The port.
    pub(crate) port: u16,
    /// `initial`, `healthy`, `unhealthy`, `draining`, `unhealthy.draining`, `unused`, `unavailable`.
    pub(crate) state: String,
    /// AWS's reason code, such as `Target.ResponseCodeMismatch`.
    pub(crate) reason: Option<String>,
    /// AWS's description.
    pub(crate) description: Option<String>,
}

impl Target {
    /// True if the target is healthy for the load balancer.
    pub(crate) fn is_healthy(&self) -> bool {
        self.state == "healthy"
    }
}

/// A load balancer with all its listener rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Balancer {
    /// The ARN. An Application Load Balancer's holds `loadbalancer/app/`.
    pub(crate) arn: String,
    /// The name.
    pub(crate) name: String,
    /// The DNS name.
    pub(crate) dns: String,
    /// Every rule of every listener, including default actions.
    pub(crate) rules: Vec<Rule>,
}

/// One listener rule, or a listener's default action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The rule's ARN.
    pub(crate) arn: String,
    /// The listener's ARN.
    pub(crate) listener: String,
    /// The listener's port.
    pub(crate) port: u16,
    /// The listener's protocol: `HTTP`, `HTTPS`.
    pub(crate) protocol: String,
    /// The priority. None for the default action.
    pub(crate) priority: Option<u32>,
    /// The conditions.
    pub(crate) conditions: Vec<Condition>,
    /// The targets of a forward action, if there is one.
    pub(crate) forward: Vec<Weighted>,
    /// Duration of group stickiness, if enabled.
    pub(crate) stickiness: Option<Duration>,
    /// Types of all actions, in order.
    pub(crate) actions: Vec<String>,
    /// All actions as AWS's API writes them (`[{"Type": "forward", "ForwardConfig": …}]`), ready for a write: no field
    /// of a known action is missing. For a secret that AWS does not return, the value asks AWS to keep the secret.
    pub(crate) whole: Arc<serde_json::Value>,
}

/// A rule's condition, met by any of the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `host-header`.
    Host(Vec<Pattern>),
    /// `path-pattern`.
    Path(Vec<Pattern>),
    /// `http-request-method`: methods as written.
    Method(Vec<String>),
    /// `http-header`.
    Header {
        /// The header's name.
        name: String,
        /// The values.
        values: Vec<Pattern>,
    },
    /// `query-string`.
    Query(Vec<QueryPair>),
    /// `source-ip`: CIDR blocks.
    SourceIp(Vec<String>),
    /// An unknown field, or a field without values.
    Unknown {
        /// `Field`.
        field: String,
    },
}

/// A value of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// A text with the wildcards `*` and `?`.
    Wildcards(String),
    /// A regular expression.
    Regex(String),
}

/// A pair of a `query-string` condition. Both parts may hold wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryPair {
    /// The key. None: any key.
    pub(crate) key: Option<String>,
    /// The value.
    pub(crate) value: String,
}

/// A target group in a forward action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weighted {
    /// The group's ARN.
    pub(crate) group: String,
    /// The weight, 0–999.
    pub(crate) weight: u32,
}
