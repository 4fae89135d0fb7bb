//! Elastic Load Balancing v2: control plane, health checks, and a data plane of real proxies.
//!
//! A listener's port is a real port on 127.0.0.1, with TLS on HTTPS listeners. Authentication actions let everyone
//! pass, transforms are kept as data, regular expressions in conditions match nothing. Network load balancers are data
//! only.

pub mod action;
mod attributes;
mod balancers;
mod bucket;
mod certificates;
pub mod condition;
mod counters;
mod groups;
mod health;
mod input;
mod listeners;
mod matcher;
mod model;
mod paging;
mod plane;
mod pool;
mod proxy;
mod rules;
mod state;
mod tags;
mod targets;
mod tls;

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::Value;

use crate::wire::ApiError;
use crate::world::World;
use input::Input;

pub(crate) use crate::wire::time;
pub use bucket::Bucket;
pub(crate) use counters::ResponseTimes;
pub use counters::{Counts, Traffic};
pub use state::{Elb, RuleState};

/// The kind of a target group's targets (`TargetType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetType {
    /// EC2 instance ids.
    Instance,
    /// Addresses of network interfaces.
    Ip,
    /// One Lambda function; data only.
    Lambda,
    /// One load balancer behind another; data only.
    Alb,
}

impl TargetType {
    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Ip => "ip",
            Self::Lambda => "lambda",
            Self::Alb => "alb",
        }
    }
}

/// A target as ECS or a caller registers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// An address of a network interface such as `10.0.1.17`, or an EC2 instance id.
    pub id: String,
    /// The port in AWS.
    pub port: u16,
    /// The real destination of the traffic, on loopback.
    pub address: SocketAddr,
    /// The availability zone.
    pub zone: String,
}

/// The states of `TargetHealth.State`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Registered, no check has passed yet.
    Initial,
    /// Passing its checks.
    Healthy,
    /// Failing its checks.
    Unhealthy,
    /// Deregistered, before the end of the delay.
    Draining,
    /// Unhealthy, with connections that still end (network load balancers).
    UnhealthyDraining,
    /// Not checked, because no rule uses the group.
    Unused,
    /// Health checks are off.
    Unavailable,
}

/// A target's health with AWS's reason and description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetState {
    /// The state.
    pub state: State,
    /// AWS's reason code; none if healthy.
    pub reason: Option<String>,
    /// AWS's description; none if healthy.
    pub description: Option<String>,
}

/// Answers one call of the Elastic Load Balancing v2 API (`elasticloadbalancing`, 2015-12-01). Numbers and
/// flags may be JSON or text.
///
/// # Errors
/// AWS's own error codes and messages.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let text = input::as_text(input);
    let now = crate::clock::now();
    let answer = dispatch(world, operation, Input(&text), now);
    world.elb.settle(now);
    answer
}

/// Finds the operation.
fn dispatch(world: &mut World, operation: &str, input: Input<'_>, now: Instant) -> Result<Value, ApiError> {
    match operation {
        "CreateLoadBalancer" => balancers::create(world, input),
        "DescribeLoadBalancers" => balancers::describe(&world.elb, input),
        "DeleteLoadBalancer" => balancers::delete(&mut world.elb, input),
        "SetSecurityGroups" => balancers::set_security_groups(&mut world.elb, input),
        "SetSubnets" => balancers::set_subnets(&mut world.elb, input),
        "SetIpAddressType" => balancers::set_ip_address_type(&mut world.elb, input),
        "CreateListener" => listeners::create(world, input, now),
        "DescribeListeners" => listeners::describe(&world.elb, input),
        "ModifyListener" => listeners::modify(world, input, now),
        "DeleteListener" => listeners::delete(&mut world.elb, input),
        "DescribeListenerCertificates" => certificates::describe(&world.elb, input),
        "AddListenerCertificates" => certificates::add(world, input),
        "RemoveListenerCertificates" => certificates::remove(world, input),
        "CreateRule" => rules::create(world, input, now),
        "DescribeRules" => rules::describe(&world.elb, input),
        "ModifyRule" => rules::modify(world, input, now),
        "DeleteRule" => rules::delete(world, input, now),
        "SetRulePriorities" => rules::set_priorities(world, input, now),
        "CreateTargetGroup" => groups::create(world, input),
        "DescribeTargetGroups" => groups::describe(&world.elb, input),
        "ModifyTargetGroup" => groups::modify(&mut world.elb, input),
        "DeleteTargetGroup" => groups::delete(&mut world.elb, input),
        "RegisterTargets" => targets::register(&mut world.elb, input, now),
        "DeregisterTargets" => targets::deregister(&mut world.elb, input, now),
        "DescribeTargetHealth" => targets::describe_health(&world.elb, input),
        "AddTags" => tags::add(&mut world.elb, input),
        "RemoveTags" => tags::remove(&mut world.elb, input),
        "DescribeTags" => tags::describe(&world.elb, input),
        other => attributes::call(&mut world.elb, other, input),
    }
}
