//! Scaling policies: PutScalingPolicy, DescribeScalingPolicies, DeleteScalingPolicy.

use super::alarms;
use super::input::{
    DIMENSION, NAMESPACE, check_namespace, invalid, named, not_found, page, required, resource, texts,
};
use super::step::Steps;
use super::tracking::Tracking;
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Value, json};
use std::time::SystemTime;

/// Default entries of a page of policies (API reference).
const PAGE: usize = 10;

/// Most policies of one scalable target (quotas of Application Auto Scaling).
const MOST: usize = 50;

/// The kind of a policy.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// Step scaling.
    Steps(Steps),
    /// Target tracking.
    Tracking(Tracking),
}

/// A scaling policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The ARN, named in an alarm's action.
    pub arn: String,
    /// The name.
    pub name: String,
    /// `service/CLUSTER/SERVICE`.
    pub resource: String,
    /// The kind.
    pub(super) rule: Rule,
    /// The configuration, as sent.
    config: Value,
    /// Time of creation.
    created_at: SystemTime,
}

impl Policy {
    /// `PolicyType`.
    fn kind(&self) -> &'static str {
        match self.rule {
            Rule::Steps(_) => "StepScaling",
            Rule::Tracking(_) => "TargetTrackingScaling",
        }
    }

    /// True for a step policy that scales out.
    pub fn steps_out(&self) -> bool {
        matches!(&self.rule, Rule::Steps(steps) if steps.scales_out())
    }
}

/// The parameter that holds a kind's configuration.
fn config_key(kind: &str) -> Result<&'static str, ApiError> {
    match kind {
        "StepScaling" => Ok("StepScalingPolicyConfiguration"),
        "TargetTrackingScaling" => Ok("TargetTrackingScalingPolicyConfiguration"),
        other => Err(invalid(format!("Unsupported policy type {other} for service namespace {NAMESPACE}"))),
    }
}

/// `PutScalingPolicy`: creates a policy, or changes the given parts of an existing policy.
pub(super) fn put(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = required(input, "PolicyName")?.to_owned();
    let resource = resource(input)?.to_owned();
    if world.autoscaling.target(&resource).is_none() {
        return Err(not_found(format!("No scalable target registered for {}", named(&resource))));
    }
    let old = find(world, &resource, &name).cloned();
    let kind = input["PolicyType"].as_str().or(old.as_ref().map(Policy::kind)).unwrap_or("StepScaling");
    if old.as_ref().is_some_and(|old| old.kind() != kind) {
        return Err(invalid("The type of an existing policy cannot be changed"));
    }
    let key = config_key(kind)?;
    let config = match (&input[key], &old) {
        (Value::Null, Some(old)) => old.config.clone(),
        (Value::Null, None) => {
            return Err(invalid(format!("{key} must be specified for policy type {kind}")));
        }
        (given, _) => given.clone(),
    };
    let rule = match kind {
        "StepScaling" => Rule::Steps(Steps::parse(&config)?),
        _ => Rule::Tracking(Tracking::parse(&config)?),
    };
    let policies = world.autoscaling.policies.iter().filter(|policy| policy.resource == resource);
    if old.is_none() && policies.count() >= MOST {
        let text =
            format!("The number of scaling policies of a scalable target exceeds the maximum of {MOST}");
        return Err(ApiError::new("LimitExceededException", text));
    }
    let arn = old.as_ref().map_or_else(|| new_arn(world, &resource, &name), |old| old.arn.clone());
    let created_at = old.map_or_else(crate::clock::wall, |old| old.created_at);
    let config = if world.autoscaling.other_form { in_other_form(config) } else { config };
    let policy = Policy { arn: arn.clone(), name, resource, rule, config, created_at };
    world.autoscaling.policies.retain(|known| known.arn != arn);
    world.autoscaling.policies.push(policy.clone());
    alarms::follow_target(world, &policy)?;
    Ok(json!({ "PolicyARN": arn, "Alarms": alarms_json(world, &arn) }))
}

/// The same policy as AWS may store it.
fn in_other_form(mut config: Value) -> Value {
    if let Some(fields) = config.as_object_mut() {
        fields.remove("MinAdjustmentMagnitude");
        fields.insert("MetricAggregationType".to_owned(), json!("AVERAGE"));
    }
    config
}

/// A new policy's ARN, in AWS's form.
fn new_arn(world: &mut World, resource: &str, name: &str) -> String {
    let id = world.new_uuid();
    world.arn("autoscaling", &format!("scalingPolicy:{id}:resource/{NAMESPACE}/{resource}:policyName/{name}"))
}

/// A resource's policy by name.
fn find<'a>(world: &'a World, resource: &str, name: &str) -> Option<&'a Policy> {
    world.autoscaling.policies.iter().find(|policy| policy.resource == resource && policy.name == name)
}

/// The alarms whose actions name a policy.
fn alarms_json(world: &World, arn: &str) -> Value {
    let all = alarms::of(world, arn).into_iter();
    all.map(|alarm| json!({ "AlarmName": alarm.name, "AlarmARN": alarm.arn })).collect()
}

/// `DescribeScalingPolicies`.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    check_namespace(input)?;
    let (names, wanted) = (texts(input, "PolicyNames"), input["ResourceId"].as_str());
    let policies = world.autoscaling.policies.iter();
    let found = policies
        .filter(|policy| wanted.is_none_or(|resource| policy.resource == resource))
        .filter(|policy| names.as_ref().is_none_or(|names| names.contains(&policy.name.as_str())));
    let all = found.map(|policy| policy_json(world, policy)).collect();
    page(world, all, input, ("ScalingPolicies", PAGE))
}

/// A policy as AWS describes it.
fn policy_json(world: &World, policy: &Policy) -> Value {
    let key = config_key(policy.kind()).unwrap_or_default();
    json!({
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": policy.resource,
        "ScalableDimension": DIMENSION,
        "PolicyType": policy.kind(),
        key: policy.config,
        "Alarms": alarms_json(world, &policy.arn),
        "CreationTime": epoch(policy.created_at),
    })
}

/// `DeleteScalingPolicy`: alarms of step scaling stay, alarms of target tracking are deleted.
pub(super) fn delete(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = required(input, "PolicyName")?;
    let resource = resource(input)?;
    let Some(policy) = find(world, resource, name).cloned() else {
        let text = format!("No scaling policy found for {}, policy name: {name}", named(resource));
        return Err(not_found(text));
    };
    forget(world, &policy);
    Ok(json!({}))
}

/// Removes a policy.
fn forget(world: &mut World, policy: &Policy) {
    alarms::leave_target(world, policy);
    world.autoscaling.policies.retain(|known| known.arn != policy.arn);
}

/// Removes the policies of a target that is deregistered.
pub(super) fn forget_all(world: &mut World, resource: &str) {
    let gone = world.autoscaling.policies.iter().filter(|policy| policy.resource == resource);
    for policy in gone.cloned().collect::<Vec<_>>() {
        forget(world, &policy);
    }
}
