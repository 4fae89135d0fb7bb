//! Target tracking: a metric is kept near a value. Pure.

use super::input::{count, invalid};
use crate::wire::ApiError;
use serde_json::Value;

/// `TargetTrackingScalingPolicyConfiguration`, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tracking {
    /// `TargetValue`.
    pub(super) value: f64,
    /// The metric's name in `AWS/ECS`.
    pub(super) metric: &'static str,
    /// `ScaleOutCooldown`, in AWS's seconds.
    pub(super) out_cooldown: u64,
    /// `ScaleInCooldown`, in AWS's seconds.
    pub(super) in_cooldown: u64,
    /// `DisableScaleIn`.
    pub(super) only_out: bool,
}

impl Tracking {
    /// Reads a configuration; the metric is one of the two predefined metrics of ECS.
    pub(super) fn parse(config: &Value) -> Result<Self, ApiError> {
        let value = config["TargetValue"].as_f64();
        let value = value.ok_or_else(|| invalid("Target value must be specified"))?;
        let metric = match config["PredefinedMetricSpecification"]["PredefinedMetricType"].as_str() {
            Some("ECSServiceAverageCPUUtilization") => "CPUUtilization",
            Some("ECSServiceAverageMemoryUtilization") => "MemoryUtilization",
            Some(_) | None => return Err(invalid("The testbed tracks the predefined metrics of ECS only")),
        };
        let cooldown = |key: &str| Ok::<u64, ApiError>(count(config, key)?.map_or(300, u64::from));
        Ok(Self {
            value,
            metric,
            out_cooldown: cooldown("ScaleOutCooldown")?,
            in_cooldown: cooldown("ScaleInCooldown")?,
            only_out: config["DisableScaleIn"] == true,
        })
    }

    /// The count that would bring a metric to its value, before any bound; none for a scale-in if scale-in is disabled.
    /// Assumes that the metric falls in proportion to the count.
    pub(super) fn apply(&self, current: u32, metric: f64) -> Option<i64> {
        let wanted = (f64::from(current) * metric / self.value).ceil();
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and the bounds of the target follow")]
        let wanted = wanted as i64;
        (wanted >= i64::from(current) || !self.only_out).then_some(wanted)
    }
}
