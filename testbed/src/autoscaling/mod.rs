//! Application Auto Scaling, for the desired count of ECS services.
//!
//! A changed bound reaches the service within the same call; on AWS this takes seconds.

mod act;
mod activity;
mod alarms;
mod input;
mod policy;
mod step;
mod tags;
mod target;
mod tracking;

pub use act::Breach;
pub use activity::{Activity, Cause};
pub use policy::Policy;
pub use target::{Suspended, Target};

use crate::checker::{Capacity, Scaling};
use crate::wire::ApiError;
use crate::world::World;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Instant;

/// The state of Application Auto Scaling in the account and region.
#[derive(Debug)]
pub struct AutoScaling {
    /// Scalable targets, oldest first.
    pub targets: Vec<Target>,
    /// Scaling policies, in the order of their creation.
    pub policies: Vec<Policy>,
    /// Scaling activities, oldest first.
    pub activities: Vec<Activity>,
    /// True if the account has the service-linked role `AWSServiceRoleForApplicationAutoScaling_ECSService`.
    pub linked_role: bool,
    /// True if callers may create that role (`iam:CreateServiceLinkedRole`).
    pub may_create_role: bool,
    /// True if policies are stored in another form than sent: without `MinAdjustmentMagnitude`, and with words in other
    /// letters (unconfirmed).
    pub other_form: bool,
    /// Pages hold at most this many entries, so that tests can force paging; none: AWS's own limits.
    pub page_limit: Option<usize>,
    /// Cooldowns by resource.
    cooldowns: HashMap<String, act::Cooldowns>,
}

impl Default for AutoScaling {
    /// An empty state; the role exists.
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            policies: Vec::new(),
            activities: Vec::new(),
            linked_role: true,
            may_create_role: true,
            other_form: false,
            page_limit: None,
            cooldowns: HashMap::new(),
        }
    }
}

impl AutoScaling {
    /// The scalable target of `service/CLUSTER/SERVICE`.
    pub fn target(&self, resource: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.resource == resource)
    }
}

/// The desired count of `service/CLUSTER/SERVICE`; none if no such service is active.
fn desired(world: &World, resource: &str) -> Option<u32> {
    let (cluster, name) = input::split(resource)?;
    let service = world.ecs.service(cluster, name).filter(|service| service.is_active())?;
    Some(service.desired)
}

impl World {
    /// Runs a scaling policy once, like a firing alarm.
    pub fn fire_policy(&mut self, policy_arn: &str, breach: Breach<'_>) {
        act::fire(self, policy_arn, breach, crate::clock::now());
    }
}

/// A service's size by its ARN, for the checker; none if the service does not exist.
pub(crate) fn capacity(world: &World, service: &str) -> Option<Capacity> {
    let desired = world.ecs.desired_count(service)?;
    let resource = service.splitn(6, ':').nth(5).unwrap_or_default();
    let scaling = world.autoscaling.target(resource).map(|target| scaling(world, target));
    Some(Capacity { desired, scaling, own: Some(world.ecs.targets_of(service)) })
}

/// A scalable target for the checker.
fn scaling(world: &World, target: &Target) -> Scaling {
    let activities = world.autoscaling.activities.iter();
    let shrunk = activities.filter(|one| one.resource == target.resource && one.is_scale_in());
    let (clamped, scaled_in): (Vec<_>, Vec<_>) = shrunk.partition(|one| matches!(one.cause, Cause::Bound(_)));
    let policies = world.autoscaling.policies.iter();
    let out = policies.filter(|policy| policy.resource == target.resource && policy.steps_out());
    let alarms = out.flat_map(|policy| alarms::of(world, &policy.arn));
    Scaling {
        max: target.max,
        scale_in_suspended: target.suspended.scale_in,
        clamped: clamped.len(),
        scaled_in: scaled_in.len(),
        out_alarms: alarms.map(|alarm| (alarm.name, alarm.enabled)).collect(),
    }
}

/// Lets alarms act on services.
pub(crate) fn tick(world: &mut World, now: Instant) {
    act::tick(world, now);
}

/// Answers one call of Application Auto Scaling, 2016-02-06.
///
/// # Errors AWS's own error codes. `ConcurrentUpdateException` and `FailedResourceAccessException` come only from
/// faults: calls run one after the other, and the role may always read alarms.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "RegisterScalableTarget" => target::register(world, input),
        "DescribeScalableTargets" => target::describe(world, input),
        "DeregisterScalableTarget" => target::deregister(world, input),
        "PutScalingPolicy" => policy::put(world, input),
        "DescribeScalingPolicies" => policy::describe(world, input),
        "DeleteScalingPolicy" => policy::delete(world, input),
        "DescribeScalingActivities" => activity::describe(world, input),
        "TagResource" => tags::tag(world, input),
        "UntagResource" => tags::untag(world, input),
        "ListTagsForResource" => tags::list(world, input),
        _ => Err(ApiError::new("UnknownOperationException", "")),
    }
}
