//! Application Auto Scaling, for the desired count of ECS services.
//!
//! A change of a bound reaches the service within the call that makes it; on AWS it takes seconds.

mod activity;
mod input;
mod tags;
mod target;

pub use activity::{Activity, Cause};
pub use target::{Suspended, Target};

use crate::wire::ApiError;
use crate::world::World;
use serde_json::Value;

/// Everything of Application Auto Scaling in the account and region.
#[derive(Debug)]
pub struct AutoScaling {
    /// Scalable targets, oldest first.
    pub targets: Vec<Target>,
    /// What was scaled, oldest first.
    pub activities: Vec<Activity>,
    /// Whether the account has the service-linked role `AWSServiceRoleForApplicationAutoScaling_ECSService`.
    pub linked_role: bool,
    /// Whether callers may create that role (`iam:CreateServiceLinkedRole`).
    pub may_create_role: bool,
    /// Pages hold at most this many entries, so that tests can force paging; none: AWS's own limits.
    pub page_limit: Option<usize>,
}

impl Default for AutoScaling {
    /// Nothing scales yet; the role is there.
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            activities: Vec::new(),
            linked_role: true,
            may_create_role: true,
            page_limit: None,
        }
    }
}

impl AutoScaling {
    /// The scalable target of `service/CLUSTER/SERVICE`.
    pub fn target(&self, resource: &str) -> Option<&Target> {
        self.targets.iter().find(|target| target.resource == resource)
    }
}

/// The desired count of `service/CLUSTER/SERVICE`; none when no such service is active.
fn desired(world: &World, resource: &str) -> Option<u32> {
    let (cluster, name) = input::split(resource)?;
    let service = world.ecs.service(cluster, name).filter(|service| service.is_active())?;
    Some(service.desired)
}

/// Removes the policies of a target that is deregistered.
fn forget_policies(_world: &mut World, _resource: &str) {}

/// Answers one call of Application Auto Scaling, 2016-02-06.
///
/// # Errors
/// AWS's own error codes. `ConcurrentUpdateException` and `FailedResourceAccessException` come from faults only:
/// calls are carried out one after the other, and the role may always read alarms.
pub fn call(world: &mut World, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "RegisterScalableTarget" => target::register(world, input),
        "DescribeScalableTargets" => target::describe(world, input),
        "DeregisterScalableTarget" => target::deregister(world, input),
        "DescribeScalingActivities" => activity::describe(world, input),
        "TagResource" => tags::tag(world, input),
        "UntagResource" => tags::untag(world, input),
        "ListTagsForResource" => tags::list(world, input),
        _ => Err(ApiError::new("UnknownOperationException", "")),
    }
}
