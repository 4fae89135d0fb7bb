//! Step scaling: the step for a breach, and its effect on a count. Pure.

use super::input::{count, invalid};
use crate::wire::ApiError;
use serde_json::Value;

/// The meaning of `ScalingAdjustment` (`AdjustmentType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Adjustment {
    /// A number of tasks more or fewer.
    Change,
    /// A percentage more or fewer.
    Percent,
    /// A number of tasks.
    Exact,
}

/// One step: bounds around the alarm's threshold, none for no bound.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    /// `MetricIntervalLowerBound`.
    lower: Option<f64>,
    /// `MetricIntervalUpperBound`.
    upper: Option<f64>,
    /// `ScalingAdjustment`.
    by: i64,
}

/// `StepScalingPolicyConfiguration`, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    /// The meaning of adjustments.
    adjustment: Adjustment,
    /// The steps, lowest first.
    steps: Vec<Step>,
    /// The least change by percent, in tasks.
    magnitude: i64,
    /// `Cooldown`, in AWS's seconds; by default 300 (API reference).
    pub(super) cooldown: u64,
}

/// Most steps of a policy (quotas of Application Auto Scaling).
const MOST_STEPS: usize = 20;

impl Steps {
    /// Reads and checks a configuration.
    pub(super) fn parse(config: &Value) -> Result<Self, ApiError> {
        let adjustment = match config["AdjustmentType"].as_str() {
            Some("ChangeInCapacity") => Adjustment::Change,
            Some("PercentChangeInCapacity") => Adjustment::Percent,
            Some("ExactCapacity") => Adjustment::Exact,
            Some(_) | None => {
                return Err(invalid("Adjustment type must be specified for step scaling policies"));
            }
        };
        let list = config["StepAdjustments"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut steps = list.iter().map(Step::parse).collect::<Result<Vec<Step>, ApiError>>()?;
        steps.sort_by(|one, other| one.from().total_cmp(&other.from()));
        check(&steps, adjustment)?;
        Ok(Self {
            adjustment,
            steps,
            magnitude: count(config, "MinAdjustmentMagnitude")?.map_or(0, i64::from),
            cooldown: count(config, "Cooldown")?.map_or(300, u64::from),
        })
    }

    /// The new count after a breach, before any bound; none if no step covers the breach.
    pub(super) fn apply(&self, current: u32, metric: f64, threshold: f64) -> Option<i64> {
        let step = self.steps.iter().find(|step| step.covers(metric - threshold))?;
        let current = i64::from(current);
        Some(match self.adjustment {
            Adjustment::Change => current + step.by,
            Adjustment::Exact => step.by,
            Adjustment::Percent => current + self.part(current, step.by),
        })
    }

    /// True if a step scales out.
    pub(super) fn scales_out(&self) -> bool {
        self.adjustment == Adjustment::Exact || self.steps.iter().any(|step| step.by > 0)
    }

    /// A percentage of a count: towards 0, but at least one task, and at least the magnitude (step scaling policies,
    /// "Scaling adjustment types").
    fn part(&self, current: i64, percent: i64) -> i64 {
        if percent == 0 {
            return 0;
        }
        let least = self.magnitude.max(i64::from(current > 0));
        percent.signum() * (current * percent / 100).abs().max(least)
    }
}

impl Step {
    /// Reads one of `StepAdjustments`.
    fn parse(value: &Value) -> Result<Self, ApiError> {
        let by = value["ScalingAdjustment"].as_i64();
        let by =
            by.ok_or_else(|| invalid("Scaling adjustment must be specified for each step adjustment"))?;
        let bound = |key: &str| value[key].as_f64();
        Ok(Self { lower: bound("MetricIntervalLowerBound"), upper: bound("MetricIntervalUpperBound"), by })
    }

    /// The lower end.
    fn from(&self) -> f64 {
        self.lower.unwrap_or(f64::NEG_INFINITY)
    }

    /// The upper end.
    fn to(&self) -> f64 {
        self.upper.unwrap_or(f64::INFINITY)
    }

    /// True if the step covers a distance from the threshold. Above the threshold, the step includes the lower bound;
    /// below, the upper bound (API_StepAdjustment).
    fn covers(&self, distance: f64) -> bool {
        let above = distance >= 0.0 && self.from() <= distance && distance < self.to();
        let below = distance <= 0.0 && self.from() < distance && distance <= self.to();
        above || below
    }
}

/// The rules for step adjustments (API_StepAdjustment). `steps` are sorted.
fn check(steps: &[Step], adjustment: Adjustment) -> Result<(), ApiError> {
    if steps.is_empty() {
        return Err(invalid("At least one step adjustment must be specified for step scaling policies"));
    }
    if steps.len() > MOST_STEPS {
        let text = format!("The number of step adjustments exceeds the maximum of {MOST_STEPS}");
        return Err(ApiError::new("LimitExceededException", text));
    }
    if adjustment == Adjustment::Exact && steps.iter().any(|step| step.by < 0) {
        return Err(invalid("Scaling adjustment must be non-negative for ExactCapacity"));
    }
    for step in steps {
        if step.lower.is_none() && step.upper.is_none() {
            return Err(invalid("At least one of the step adjustment's bounds must be specified"));
        }
        if step.from() >= step.to() {
            return Err(invalid("The upper bound of a step adjustment must be greater than its lower bound"));
        }
    }
    if steps.windows(2).any(|pair| matches!(pair, [one, other] if one.to() != other.from())) {
        return Err(invalid("The ranges of step adjustments must not overlap or have a gap"));
    }
    let open = |bound: Option<f64>, is_far: bool| bound.is_some() && is_far;
    let (first, last) = (steps.first(), steps.last());
    if first.is_some_and(|step| open(step.lower, step.from() < 0.0)) {
        return Err(invalid("There must be a step adjustment with an unspecified lower bound"));
    }
    if last.is_some_and(|step| open(step.upper, step.to() > 0.0)) {
        return Err(invalid("There must be a step adjustment with an unspecified upper bound"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A configuration with these steps: lower, upper, adjustment.
    fn steps(kind: &str, list: &[(Option<i32>, Option<i32>, i32)]) -> Result<Steps, ApiError> {
        let list: Vec<Value> = (list.iter())
            .map(|(lower, upper, by)| {
                json!({
                    "MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper, "ScalingAdjustment": by,
                })
            })
            .collect();
        Steps::parse(&json!({ "AdjustmentType": kind, "StepAdjustments": list }))
    }

    #[test]
    fn a_breach_falls_into_its_step() {
        let out = steps("ChangeInCapacity", &[(Some(0), Some(10), 1), (Some(10), None, 3)]).unwrap();
        let at = |metric: f64| out.apply(4, metric, 80.0);
        assert_eq!([at(80.0), at(89.9), at(90.0), at(79.0)], [Some(5), Some(5), Some(7), None]);
        let back = steps("ChangeInCapacity", &[(None, Some(0), -1)]).unwrap();
        let at = |metric: f64| back.apply(4, metric, 40.0);
        assert_eq!([at(40.0), at(1.0), at(41.0)], [Some(3), Some(3), None]);
        assert!(out.scales_out() && !back.scales_out());
    }

    #[test]
    fn percentages_round_towards_zero_and_change_something() {
        let by = |percent: i32, magnitude: u32| Steps {
            magnitude: magnitude.into(),
            ..steps("PercentChangeInCapacity", &[(Some(0), None, percent)]).unwrap()
        };
        assert_eq!(by(25, 0).apply(10, 90.0, 80.0), Some(12));
        assert_eq!(by(25, 0).apply(2, 90.0, 80.0), Some(3));
        assert_eq!(by(-25, 0).apply(2, 90.0, 80.0), Some(1));
        assert_eq!(by(25, 2).apply(4, 90.0, 80.0), Some(6));
        assert_eq!(steps("ExactCapacity", &[(Some(0), None, 7)]).unwrap().apply(2, 90.0, 80.0), Some(7));
    }

    #[test]
    fn bad_steps_are_refused() {
        let bad = [
            steps("Nope", &[(Some(0), None, 1)]),
            steps("ChangeInCapacity", &[]),
            steps("ChangeInCapacity", &[(None, None, 1)]),
            steps("ChangeInCapacity", &[(Some(0), Some(10), 1)]),
            steps("ChangeInCapacity", &[(Some(-10), Some(0), -1)]),
            steps("ChangeInCapacity", &[(Some(0), Some(10), 1), (Some(20), None, 3)]),
            steps("ExactCapacity", &[(Some(0), None, -1)]),
        ];
        assert!(bad.iter().all(|one| one.as_ref().is_err_and(|error| error.code == "ValidationException")));
        let many: Vec<_> = (0..21).map(|n| (Some(n), (n < 20).then_some(n + 1), 1)).collect();
        assert_eq!(steps("ChangeInCapacity", &many).unwrap_err().code, "LimitExceededException");
    }
}
