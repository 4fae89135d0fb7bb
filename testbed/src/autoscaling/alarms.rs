//! CloudWatch's alarms for policies: alarms with a policy among their actions, and the alarms of target tracking.

use super::policy::{Policy, Rule};
use super::tracking::Tracking;
use crate::cloudwatch::{self, State};
use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Value, json};

/// An alarm, from a policy's point of view.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alarm {
    /// The name.
    pub(super) name: String,
    /// The ARN.
    pub(super) arn: String,
    /// True if its actions are enabled.
    pub(super) enabled: bool,
}

/// The alarms that have a policy among their alarm actions.
pub(super) fn of(world: &World, policy_arn: &str) -> Vec<Alarm> {
    let all = world.cloudwatch.alarms().iter();
    let fires = all.filter(|alarm| alarm.actions_of(State::Alarm).iter().any(|action| action == policy_arn));
    fires
        .map(|alarm| Alarm {
            name: alarm.name.clone(),
            arn: alarm.arn.clone(),
            enabled: alarm.actions_enabled,
        })
        .collect()
}

/// Creates the two alarms of target tracking: above the value for 3 minutes, and below nine tenths of the value for 15
/// (target tracking for ECS; the names are AWS's). The alarms of the earlier policy are removed.
pub(super) fn follow_target(world: &mut World, policy: &Policy) -> Result<(), ApiError> {
    let Rule::Tracking(tracking) = &policy.rule else { return Ok(()) };
    leave_target(world, policy);
    let high = ("High", "GreaterThanThreshold", tracking.value, 3);
    put(world, policy, tracking, high)?;
    if tracking.only_out {
        return Ok(());
    }
    put(world, policy, tracking, ("Low", "LessThanThreshold", tracking.value * 0.9, 15))
}

/// Puts one alarm: the suffix of its name, the comparison, the threshold, and the number of minutes.
fn put(
    world: &mut World,
    policy: &Policy,
    tracking: &Tracking,
    of: (&str, &str, f64, u32),
) -> Result<(), ApiError> {
    let (side, comparison, threshold, minutes) = of;
    let id = world.new_uuid();
    let (cluster, service) = super::input::split(&policy.resource).unwrap_or_default();
    let input = json!({
        "AlarmName": format!("TargetTracking-{}-Alarm{side}-{id}", policy.resource),
        "AlarmDescription": format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {}.", policy.arn),
        "ActionsEnabled": true,
        "AlarmActions": [policy.arn],
        "Namespace": "AWS/ECS",
        "MetricName": tracking.metric,
        "Dimensions": [
            { "Name": "ClusterName", "Value": cluster },
            { "Name": "ServiceName", "Value": service },
        ],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": minutes,
        "Threshold": threshold,
        "ComparisonOperator": comparison,
    });
    cloudwatch::call(world, "PutMetricAlarm", &input).map(drop)
}

/// Removes the alarms of target tracking.
pub(super) fn leave_target(world: &mut World, policy: &Policy) {
    let ours = of(world, &policy.arn).into_iter().map(|alarm| alarm.name);
    let ours: Vec<Value> = ours.filter(|name| name.starts_with("TargetTracking-")).map(Value::from).collect();
    if !ours.is_empty() {
        // Existing alarms can always be deleted.
        let _ = cloudwatch::call(world, "DeleteAlarms", &json!({ "AlarmNames": ours }));
    }
}
