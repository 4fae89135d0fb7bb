//! The resources of the control plane.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};

use super::TargetType;
use super::action::Action;
use super::condition::Condition;
use super::counters::Counters;
use super::matcher::Matcher;
use super::plane::Published;
use super::proxy::Door;
use super::targets::Registered;
use super::time::iso8601;

/// Attributes or tags, in the order of arrival.
pub(super) type Pairs = Vec<(String, String)>;

/// Sets a key's value, at the old place of an existing key.
pub(super) fn put(pairs: &mut Pairs, key: &str, value: &str) {
    match pairs.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => value.clone_into(old),
        None => pairs.push((key.to_owned(), value.to_owned())),
    }
}

/// A key's value.
pub(super) fn get<'a>(pairs: &'a Pairs, key: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

/// A list of `Key` and `Value`.
pub(super) fn describe_pairs(pairs: &Pairs) -> Value {
    pairs.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The kind of a load balancer; only application load balancers have a data plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavor {
    /// `application`, ARN part `app`.
    Application,
    /// `network`, ARN part `net`.
    Network,
    /// `gateway`, ARN part `gwy`.
    Gateway,
}

impl Flavor {
    /// AWS's name and the part of the ARN.
    pub(super) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Application => ("application", "app"),
            Self::Network => ("network", "net"),
            Self::Gateway => ("gateway", "gwy"),
        }
    }
}

/// A load balancer.
#[derive(Debug)]
pub(super) struct LoadBalancer {
    /// The ARN.
    pub(super) arn: String,
    /// The name.
    pub(super) name: String,
    /// The kind.
    pub(super) flavor: Flavor,
    /// `internet-facing` or `internal`.
    pub(super) scheme: String,
    /// Availability zones, each with its subnet.
    pub(super) zones: Vec<(String, String)>,
    /// Security groups.
    pub(super) security_groups: Vec<String>,
    /// `IpAddressType`.
    pub(super) ip_address_type: String,
    /// Time of creation.
    pub(super) created: SystemTime,
    /// Attributes.
    pub(super) attributes: Pairs,
    /// Tags.
    pub(super) tags: Pairs,
}

impl LoadBalancer {
    /// The load balancer as DescribeLoadBalancers returns it. The DNS name is loopback's own address: listeners' ports
    /// are real.
    pub(super) fn describe(&self) -> Value {
        let zones: Vec<Value> = self
            .zones
            .iter()
            .map(|(zone, subnet)| json!({"ZoneName": zone, "SubnetId": subnet, "LoadBalancerAddresses": []}))
            .collect();
        json!({
            "LoadBalancerArn": self.arn, "DNSName": "127.0.0.1", "CanonicalHostedZoneId": "Z32O12XQLNTSW2",
            "CreatedTime": iso8601(self.created), "LoadBalancerName": self.name, "Scheme": self.scheme,
            "VpcId": "vpc-0a1b2c3d", "State": {"Code": "active"}, "Type": self.flavor.names().0,
            "AvailabilityZones": zones,
            "SecurityGroups": self.security_groups, "IpAddressType": self.ip_address_type,
        })
    }
}

/// A listener with its rules.
#[derive(Debug)]
pub(super) struct Listener {
    /// The ARN.
    pub(super) arn: String,
    /// The load balancer's ARN.
    pub(super) balancer: String,
    /// The port, real on loopback.
    pub(super) port: u16,
    /// `HTTP`, `HTTPS` or a network load balancer's protocol.
    pub(super) protocol: String,
    /// ARNs of the certificates, the default one first.
    pub(super) certificates: Vec<String>,
    /// `SslPolicy`.
    pub(super) ssl_policy: Option<String>,
    /// Attributes.
    pub(super) attributes: Pairs,
    /// Tags.
    pub(super) tags: Pairs,
    /// By priority, the default rule last.
    pub(super) rules: Vec<Rule>,
    /// The rules that the data plane uses.
    pub(super) routed: Arc<[Rule]>,
    /// Rules on their way to the data plane, with the time of their arrival.
    pub(super) coming: VecDeque<(Instant, Arc<[Rule]>)>,
    /// The state that the proxy reads.
    pub(super) published: Arc<Published>,
    /// The proxy; none for listeners that are data only. Dropping the proxy closes the port.
    pub(super) door: Option<Door>,
}

impl Listener {
    /// The rule that catches everything; every listener has one.
    pub(super) fn default_rule(&self) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.priority.is_none())
    }

    /// The listener as DescribeListeners returns it.
    pub(super) fn describe(&self) -> Value {
        let actions: Vec<Value> = self
            .default_rule()
            .map(|rule| rule.actions.iter().map(Action::describe).collect())
            .unwrap_or_default();
        let mut out = json!({
            "ListenerArn": self.arn, "LoadBalancerArn": self.balancer, "Port": self.port,
            "Protocol": self.protocol, "DefaultActions": actions,
        });
        if let Some(certificate) = self.certificates.first() {
            out["Certificates"] = json!([{"CertificateArn": certificate}]);
            out["MutualAuthentication"] = json!({"Mode": "off"});
        }
        if let Some(policy) = &self.ssl_policy {
            out["SslPolicy"] = json!(policy);
        }
        out
    }
}

/// A rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// The ARN.
    pub(super) arn: String,
    /// 1 to 50000; none for the default rule.
    pub(super) priority: Option<u32>,
    /// All conditions must match.
    pub(super) conditions: Vec<Condition>,
    /// In order; the last action answers.
    pub(super) actions: Vec<Action>,
    /// `Transforms`, kept as data.
    pub(super) transforms: Vec<Value>,
    /// Tags.
    pub(super) tags: Pairs,
}

impl Rule {
    /// The rule as DescribeRules returns it.
    pub(super) fn describe(&self) -> Value {
        json!({
            "RuleArn": self.arn,
            "Priority": self.priority.map_or_else(|| "default".to_owned(), |priority| priority.to_string()),
            "Conditions": self.conditions.iter().map(Condition::describe).collect::<Vec<_>>(),
            "Actions": self.actions.iter().map(Action::describe).collect::<Vec<_>>(),
            "IsDefault": self.priority.is_none(),
            "Transforms": self.transforms,
        })
    }

    /// The target groups in the rule's actions.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        let forwards = self.actions.iter().filter_map(Action::forward);
        forwards.flat_map(|forward| forward.groups.iter().map(|(arn, _)| arn.as_str()))
    }
}

/// The check of targets. Times in AWS seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HealthCheck {
    /// `HealthCheckEnabled`.
    pub(super) enabled: bool,
    /// `HealthCheckProtocol`.
    pub(super) protocol: String,
    /// `traffic-port` or a number.
    pub(super) port: String,
    /// `HealthCheckPath`; none for TCP.
    pub(super) path: Option<String>,
    /// `HealthCheckIntervalSeconds`.
    pub(super) interval: u32,
    /// `HealthCheckTimeoutSeconds`.
    pub(super) timeout: u32,
    /// `HealthyThresholdCount`.
    pub(super) healthy: u32,
    /// `UnhealthyThresholdCount`.
    pub(super) unhealthy: u32,
    /// The good answers; none for TCP.
    pub(super) matcher: Option<Matcher>,
}

/// A target group.
#[derive(Debug)]
pub(super) struct TargetGroup {
    /// The ARN.
    pub(super) arn: String,
    /// The name.
    pub(super) name: String,
    /// `Protocol`; none for Lambda.
    pub(super) protocol: Option<String>,
    /// `ProtocolVersion`; none if AWS has none.
    pub(super) protocol_version: Option<String>,
    /// `Port`; none for Lambda.
    pub(super) port: Option<u16>,
    /// `VpcId`; none for Lambda.
    pub(super) vpc: Option<String>,
    /// The kind of targets.
    pub(super) target_type: TargetType,
    /// True if the targets have IPv6 addresses (`IpAddressType`).
    pub(super) ipv6: bool,
    /// The health check.
    pub(super) health: HealthCheck,
    /// Attributes.
    pub(super) attributes: Pairs,
    /// Tags.
    pub(super) tags: Pairs,
    /// The targets.
    pub(super) targets: Vec<Registered>,
    /// The next target in turn.
    pub(super) turn: Arc<AtomicUsize>,
    /// The data plane's counts, by load balancer.
    pub(super) counters: HashMap<String, Arc<Counters>>,
}

impl TargetGroup {
    /// The group as DescribeTargetGroups returns it. `balancers` are the group's load balancers.
    pub(super) fn describe(&self, balancers: &[String]) -> Value {
        let health = &self.health;
        json!({
            "TargetGroupArn": self.arn, "TargetGroupName": self.name, "Protocol": self.protocol, "Port": self.port,
            "VpcId": self.vpc,
            "HealthCheckProtocol": health.protocol, "HealthCheckPort": health.port,
            "HealthCheckEnabled": health.enabled,
            "HealthCheckIntervalSeconds": health.interval, "HealthCheckTimeoutSeconds": health.timeout,
            "HealthyThresholdCount": health.healthy, "UnhealthyThresholdCount": health.unhealthy,
            "HealthCheckPath": health.path, "Matcher": health.matcher.as_ref().map(Matcher::describe),
            "LoadBalancerArns": balancers, "TargetType": self.target_type.name(),
            "ProtocolVersion": self.protocol_version,
            "IpAddressType": match (self.target_type, self.ipv6) {
                (TargetType::Lambda, _) => Value::Null,
                (_, true) => json!("ipv6"),
                (_, false) => json!("ipv4"),
            },
        })
    }

    /// An attribute as a number; none if `off` or absent.
    pub(super) fn attribute(&self, key: &str) -> Option<u32> {
        get(&self.attributes, key).and_then(|value| value.parse().ok())
    }

    /// True if clients stay with their target.
    pub(super) fn sticky_targets(&self) -> bool {
        get(&self.attributes, "stickiness.enabled") == Some("true")
    }
}
