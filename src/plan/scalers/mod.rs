//! Scaling policies and their alarms, if the config has `scaling`: the wanted content, the differences, and the next
//! write. Only policies and alarms with the action's own names are ever written (invariants 29 to 31).

mod change;
mod content;
mod names;
mod next;
mod predict;

pub(crate) use change::{FieldChange, field_differences, is_other_form};
pub(crate) use names::ScalingNames;
pub(crate) use next::{Managing, next_serving_step, next_step, unmanaged_policies};
pub(crate) use predict::{apply_bounds, put_alarm, put_policy};

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::Value;

/// Bounds in tasks and thresholds in percent, from the config file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Managed {
    /// MinCapacity of a live color.
    pub(crate) min: u32,
    /// MaxCapacity.
    pub(crate) max: u32,
    /// MinCapacity of an idle color.
    pub(crate) idle_min: u32,
    /// CPU above this scales out.
    pub(crate) cpu: u32,
    /// Memory above this scales out.
    pub(crate) memory: u32,
    /// The larger of CPU and memory below this scales in.
    pub(crate) scale_in_below: u32,
    /// Time below that threshold before a task is stopped: whole minutes.
    pub(crate) scale_in_after: Duration,
}

/// Default of `scale-in-after`: the window of target tracking.
pub(crate) const SCALE_IN_AFTER: Duration = Duration::from_secs(15 * 60);

impl Managed {
    /// Values that contradict each other, each in words; every percentage must be 1 to 100.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.min > self.max {
            found.push(format!("`min` {} is above `max` {}", self.min, self.max));
        }
        if self.idle_min > self.min {
            found.push(format!("`idle-min` {} is above `min` {}", self.idle_min, self.min));
        }
        for (name, percent) in
            [("cpu", self.cpu), ("memory", self.memory), ("scale-in-below", self.scale_in_below)]
        {
            if !(1..=100).contains(&percent) {
                found.push(format!("`{name}` {percent} is not a percentage: 1 to 100"));
            }
        }
        if self.scale_in_below >= self.cpu.min(self.memory) {
            let below = self.scale_in_below;
            found.push(format!(
                "`scale-in-below` {below} is not below `cpu` {} and `memory` {}",
                self.cpu, self.memory
            ));
        }
        found
    }
}

/// A service's role, which decides the service's scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The service has users: all alarms act.
    Live,
    /// The service has no users: no alarm acts.
    Idle,
    /// The service never takes production traffic, but scales all the same.
    Develop,
}

impl Role {
    /// True if alarms act.
    fn acts(self) -> bool {
        match self {
            Role::Live | Role::Develop => true,
            Role::Idle => false,
        }
    }
}

/// All scaling policies of a service, and its alarms with the action's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scalers {
    /// The policies, no matter who made them.
    pub(crate) policies: Vec<Policy>,
    /// The alarms with the action's names.
    pub(crate) alarms: Vec<ScalingAlarm>,
}

impl Scalers {
    /// The policy with this name.
    pub(crate) fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The alarm with this name.
    pub(crate) fn alarm(&self, name: &str) -> Option<&ScalingAlarm> {
        self.alarms.iter().find(|alarm| alarm.name == name)
    }
}

/// A scaling policy of Application Auto Scaling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The name.
    pub(crate) name: String,
    /// The policy's ARN, for use in an alarm's actions.
    pub(crate) arn: String,
    /// `PolicyType`: `StepScaling`, `TargetTrackingScaling`, `PredictiveScaling`.
    pub(crate) kind: String,
    /// `StepScalingPolicyConfiguration` in the format of AWS's API; null for another type.
    pub(crate) content: Value,
}

/// A CloudWatch alarm with one of the action's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScalingAlarm {
    /// The name.
    pub(crate) name: String,
    /// True for a composite alarm, which can't scale a service.
    pub(crate) composite: bool,
    /// Arguments of PutMetricAlarm without the name, in the format of AWS's API; null for a composite alarm.
    pub(crate) content: Value,
}

/// The type of the action's policies.
pub(crate) const STEP_SCALING: &str = "StepScaling";

/// Placeholder in a plan for the ARN of a policy that does not exist yet.
pub(crate) const NEW_POLICY: &str = "(new scaling policy)";
