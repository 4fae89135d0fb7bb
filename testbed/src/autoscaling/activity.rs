//! Scaling activities, with their causes.

use super::input::{DIMENSION, NAMESPACE, PAGE, check_namespace, page};
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Value, json};
use std::time::SystemTime;

/// Cause of a changed count, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A bound was registered.
    Bound(String),
    /// An alarm fired a policy.
    Policy(String),
}

impl Cause {
    /// AWS's words.
    fn text(&self) -> &str {
        match self {
            Self::Bound(text) | Self::Policy(text) => text,
        }
    }
}

/// A scaling activity.
#[derive(Debug, Clone)]
pub struct Activity {
    /// A UUID.
    id: String,
    /// `service/CLUSTER/SERVICE`.
    pub resource: String,
    /// The desired count before and after.
    pub change: (u32, u32),
    /// The cause.
    pub cause: Cause,
    /// ECS's refusal; none after a success.
    failure: Option<String>,
    /// Time of the activity.
    at: SystemTime,
}

impl Activity {
    /// True if the service became smaller.
    pub fn is_scale_in(&self) -> bool {
        self.failure.is_none() && self.change.1 < self.change.0
    }
}

/// Records an activity.
pub(super) fn record(
    world: &mut World,
    resource: &str,
    change: (u32, u32),
    cause: Cause,
    refused: Option<ApiError>,
) {
    let id = world.new_uuid();
    let failure = refused.map(|error| error.message);
    let resource = resource.to_owned();
    world.autoscaling.activities.push(Activity {
        id,
        resource,
        change,
        cause,
        failure,
        at: crate::clock::wall(),
    });
}

/// `DescribeScalingActivities`: newest first.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    check_namespace(input)?;
    let wanted = input["ResourceId"].as_str();
    let all = world.autoscaling.activities.iter().rev();
    let found = all.filter(|one| wanted.is_none_or(|resource| one.resource == resource)).map(activity_json);
    page(world, found.collect(), input, ("ScalingActivities", PAGE))
}

/// An activity as AWS describes it.
fn activity_json(one: &Activity) -> Value {
    let to = one.change.1;
    let (code, message) = match &one.failure {
        None => {
            let done =
                format!("Successfully set desired count to {to}. Change successfully fulfilled by ecs.");
            ("Successful", done)
        }
        Some(why) => ("Failed", format!("Failed to set desired count to {to}. Reason: {why}")),
    };
    json!({
        "ActivityId": one.id,
        "ServiceNamespace": NAMESPACE,
        "ResourceId": one.resource,
        "ScalableDimension": DIMENSION,
        "Description": format!("Setting desired count to {to}."),
        "Cause": one.cause.text(),
        "StartTime": epoch(one.at),
        "EndTime": epoch(one.at),
        "StatusCode": code,
        "StatusMessage": message,
    })
}
