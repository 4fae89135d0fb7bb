//! Scalable targets: the services that scale, with bounds and suspensions.

use super::activity::{self, Cause};
use super::input::{
    DIMENSION, NAMESPACE, PAGE, check_namespace, count, invalid, named, not_found, page, resource, split,
    texts,
};
use crate::ecs;
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The suspended parts of a scalable target (`SuspendedState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Suspended {
    /// No policy scales in.
    pub scale_in: bool,
    /// No policy scales out.
    pub scale_out: bool,
    /// No scheduled action runs.
    pub scheduled: bool,
}

/// A scalable target.
#[derive(Debug, Clone)]
pub struct Target {
    /// The ARN.
    pub arn: String,
    /// `service/CLUSTER/SERVICE`.
    pub resource: String,
    /// The smallest desired count.
    pub min: u32,
    /// The largest desired count.
    pub max: u32,
    /// The suspended parts.
    pub suspended: Suspended,
    /// Time of the first registration.
    created_at: SystemTime,
    /// The tags, in order.
    pub(super) tags: Vec<(String, String)>,
}

/// Reads `SuspendedState`; a missing member keeps its value.
fn suspended(input: &Value, old: Suspended) -> Suspended {
    let state = &input["SuspendedState"];
    let flag = |key: &str, old: bool| state[key].as_bool().unwrap_or(old);
    Suspended {
        scale_in: flag("DynamicScalingInSuspended", old.scale_in),
        scale_out: flag("DynamicScalingOutSuspended", old.scale_out),
        scheduled: flag("ScheduledScalingSuspended", old.scheduled),
    }
}

/// `RegisterScalableTarget`: creates a target or changes its given parts. Every call moves the desired count into the
/// bounds, even a call without bounds (API reference).
pub(super) fn register(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let resource = resource(input)?.to_owned();
    let (min, max) = (count(input, "MinCapacity")?, count(input, "MaxCapacity")?);
    let old = world.autoscaling.target(&resource).cloned();
    let bounds = min.or(old.as_ref().map(|old| old.min)).zip(max.or(old.as_ref().map(|old| old.max)));
    let Some((min, max)) = bounds else {
        return Err(invalid(
            "Minimum capacity and maximum capacity must be provided for a new scalable target",
        ));
    };
    if min > max {
        return Err(invalid("Maximum capacity cannot be less than minimum capacity"));
    }
    check_service(world, &resource)?;
    linked_role(world)?;
    let made = match old {
        Some(old) => old,
        None => Target {
            arn: new_arn(world),
            resource: resource.clone(),
            min,
            max,
            suspended: Suspended::default(),
            created_at: crate::clock::wall(),
            tags: super::tags::read(&input["Tags"])?,
        },
    };
    let target = Target { min, max, suspended: suspended(input, made.suspended), ..made };
    let arn = target.arn.clone();
    match world.autoscaling.targets.iter_mut().find(|known| known.resource == resource) {
        Some(known) => *known = target,
        None => world.autoscaling.targets.push(target),
    }
    clamp(world, &resource, min, max);
    Ok(json!({ "ScalableTargetARN": arn }))
}

/// A new target's ARN, in AWS's form.
fn new_arn(world: &mut World) -> String {
    let id = format!("{}{}", world.new_id(), &world.new_id()[..4]);
    world.arn("application-autoscaling", &format!("scalable-target/{id}"))
}

/// Requires that the service exists.
fn check_service(world: &World, resource: &str) -> Result<(), ApiError> {
    match super::desired(world, resource) {
        Some(_) => Ok(()),
        None => Err(invalid(format!("ECS service doesn't exist: {resource}"))),
    }
}

/// The first use creates the service-linked role, with the caller's permissions.
fn linked_role(world: &mut World) -> Result<(), ApiError> {
    let scaling = &mut world.autoscaling;
    if !scaling.linked_role && !scaling.may_create_role {
        return Err(invalid("User is missing the following permissions: iam:CreateServiceLinkedRole"));
    }
    scaling.linked_role = true;
    Ok(())
}

/// Moves a service's desired count into its bounds.
fn clamp(world: &mut World, resource: &str, min: u32, max: u32) {
    let Some(current) = super::desired(world, resource) else { return };
    let wanted = current.clamp(min, max);
    if wanted == current {
        return;
    }
    let cause = if wanted > current {
        Cause::Bound(format!("minimum capacity was set to {min}"))
    } else {
        Cause::Bound(format!("maximum capacity was set to {max}"))
    };
    set_count(world, resource, wanted, cause);
}

/// Sets a service's desired count through the code of UpdateService, and records the activity.
pub(super) fn set_count(world: &mut World, resource: &str, count: u32, cause: Cause) {
    let Some((cluster, service)) = split(resource) else { return };
    let before = super::desired(world, resource).unwrap_or_default();
    let input = json!({ "cluster": cluster, "service": service, "desiredCount": count });
    let answer = ecs::call(world, "UpdateService", &input);
    activity::record(world, resource, (before, count), cause, answer.err());
}

/// `DescribeScalableTargets`.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    check_namespace(input)?;
    let wanted = texts(input, "ResourceIds");
    let role = role(world);
    let found = world.autoscaling.targets.iter();
    let found =
        found.filter(|target| wanted.as_ref().is_none_or(|ids| ids.contains(&target.resource.as_str())));
    let all = found.map(|target| target_json(target, &role)).collect();
    page(world, all, input, ("ScalableTargets", PAGE))
}

/// The ARN of the service-linked role.
fn role(world: &World) -> String {
    let name = "AWSServiceRoleForApplicationAutoScaling_ECSService";
    let path = "aws-service-role/ecs.application-autoscaling.amazonaws.com";
    format!("arn:aws:iam::{}:role/{path}/{name}", world.account)
}

/// A target as AWS describes it.
fn target_json(target: &Target, role: &str) -> Value {
    json!({
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource,
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.min,
        "MaxCapacity": target.max,
        "RoleARN": role,
        "CreationTime": epoch(target.created_at),
        "SuspendedState": {
            "DynamicScalingInSuspended": target.suspended.scale_in,
            "DynamicScalingOutSuspended": target.suspended.scale_out,
            "ScheduledScalingSuspended": target.suspended.scheduled,
        },
        "ScalableTargetARN": target.arn,
    })
}

/// `DeregisterScalableTarget`: removes the target and its policies; the desired count stays.
pub(super) fn deregister(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let resource = resource(input)?.to_owned();
    if world.autoscaling.target(&resource).is_none() {
        return Err(not_found(format!("No scalable target found for {}", named(&resource))));
    }
    world.autoscaling.targets.retain(|target| target.resource != resource);
    super::policy::forget_all(world, &resource);
    world.autoscaling.cooldowns.remove(&resource);
    Ok(json!({}))
}
