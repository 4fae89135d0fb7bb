//! The wanted content of a service's policies and alarms, in the format of AWS's API.
//!
//! - Out: 25 % more tasks, at least 1; 50 % more from 15 points above the threshold on, because the metric may be cut
//!   off at 100 % and hide the missing capacity. AWS repeats this each minute while an alarm lasts (cooldown 60 s).
//! - In: 1 task fewer, then none for 5 minutes: too many tasks cost money, too few cost users.
//! - High alarms look back 2 minutes, to ignore one busy minute; the low alarm as long as the config says, 15 minutes
//!   by default.
//! - The low alarm uses the larger of CPU and memory. Two low alarms on one policy would mean "either is low".
//! - Missing data never scales a service: a color at count 0 has no data.

use std::time::Duration;

use serde_json::{Value, json};

use super::Managed;

/// The length of a period in seconds: AWS/ECS has one value per minute.
const PERIOD: u32 = 60;
/// Periods above a threshold before more tasks are started.
const HIGH_PERIODS: u32 = 2;

/// The configuration of the policy that scales out.
pub(super) fn scale_out_policy() -> Value {
    json!({
        "AdjustmentType": "PercentChangeInCapacity",
        "StepAdjustments": [
            { "MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 15.0, "ScalingAdjustment": 25 },
            { "MetricIntervalLowerBound": 15.0, "ScalingAdjustment": 50 },
        ],
        "MinAdjustmentMagnitude": 1,
        "Cooldown": 60,
        "MetricAggregationType": "Average",
    })
}

/// The configuration of the policy that scales in.
pub(super) fn scale_in_policy() -> Value {
    json!({
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{ "MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -1 }],
        "Cooldown": 300,
        "MetricAggregationType": "Average",
    })
}

/// Number of periods in this time, at least 1.
fn period_count(long: Duration) -> u32 {
    u32::try_from(long.as_secs() / u64::from(PERIOD)).unwrap_or(u32::MAX).max(1)
}

/// The environment of an alarm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Of<'a> {
    /// The cluster's name.
    pub(super) cluster: &'a str,
    /// The service's name.
    pub(super) service: &'a str,
    /// True if the alarm's actions are enabled.
    pub(super) acts: bool,
    /// The ARN of the policy that the alarm starts.
    pub(super) policy: &'a str,
}

impl Of<'_> {
    /// The alarm above a percentage of one metric of AWS/ECS.
    pub(super) fn high(self, metric: &str, percent: u32) -> Value {
        let what = metric.trim_end_matches("Utilization");
        let mut alarm = self.alarm(
            &format!("{what} above {percent} % scales {} out", self.service),
            ("GreaterThanThreshold", percent),
            HIGH_PERIODS,
        );
        if let Some(fields) = alarm.as_object_mut() {
            fields.insert("Namespace".to_owned(), json!("AWS/ECS"));
            fields.insert("MetricName".to_owned(), json!(metric));
            fields.insert("Dimensions".to_owned(), self.dimensions());
            fields.insert("Statistic".to_owned(), json!("Average"));
            fields.insert("Period".to_owned(), json!(PERIOD));
        }
        alarm
    }

    /// The alarm below a percentage of the larger of CPU and memory.
    pub(super) fn low(self, managed: &Managed) -> Value {
        let percent = managed.scale_in_below;
        let mut alarm = self.alarm(
            &format!("CPU and memory below {percent} % scale {} in", self.service),
            ("LessThanThreshold", percent),
            period_count(managed.scale_in_after),
        );
        let metric = |id: &str, name: &str| {
            json!({
                "Id": id,
                "MetricStat": {
                    "Metric": { "Namespace": "AWS/ECS", "MetricName": name, "Dimensions": self.dimensions() },
                    "Period": PERIOD,
                    "Stat": "Average",
                },
                "ReturnData": false,
            })
        };
        let larger = json!({
            "Id": "larger",
            "Expression": "MAX([cpu, memory])",
            "Label": "the larger of CPU and memory",
            "ReturnData": true,
        });
        if let Some(fields) = alarm.as_object_mut() {
            let metrics = [metric("cpu", "CPUUtilization"), metric("memory", "MemoryUtilization"), larger];
            fields.insert("Metrics".to_owned(), metrics.into_iter().collect());
        }
        alarm
    }

    /// The common part of all alarms. Every alarm sets `ActionsEnabled` and the meaning of missing data (invariant 29).
    fn alarm(self, description: &str, (comparison, percent): (&str, u32), periods: u32) -> Value {
        json!({
            "AlarmDescription": description,
            "ActionsEnabled": self.acts,
            "AlarmActions": [self.policy],
            "EvaluationPeriods": periods,
            "DatapointsToAlarm": periods,
            "Threshold": f64::from(percent),
            "ComparisonOperator": comparison,
            "TreatMissingData": "notBreaching",
        })
    }

    /// The service's dimensions in AWS/ECS.
    fn dimensions(self) -> Value {
        json!([
            { "Name": "ClusterName", "Value": self.cluster },
            { "Name": "ServiceName", "Value": self.service },
        ])
    }
}
