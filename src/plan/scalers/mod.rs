//! Scaling policies and their alarms, where the config has `scaling`: what a service shall have, how it differs from what
//! it has, and what is written next. Only what bears names of ours is ever written (invariants 29 to 31).

mod change;
mod content;
mod names;
mod next;
mod predict;

pub(crate) use change::{Change, differences, is_other_form};
pub(crate) use names::Names;
pub(crate) use next::{Managing, foreign, next_step, serving};
pub(crate) use predict::{put_alarm, put_policy, register};

#[cfg(test)]
mod tests;

use std::time::Duration;

use serde_json::Value;

/// Bounds in tasks and thresholds in percent, as the config file has them.
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
    /// For how long it has to be below before a task is stopped: whole minutes.
    pub(crate) scale_in_after: Duration,
}

/// `scale-in-after` where the config does not say it: as long as target tracking looks back.
pub(crate) const SCALE_IN_AFTER: Duration = Duration::from_secs(15 * 60);

impl Managed {
    /// Values that are wrong together, each in words; percentages are 1 to 100 each for itself.
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

/// What a service is to its users, as far as it decides how it scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It has users: all alarms act.
    Live,
    /// It has none: no alarm acts.
    Idle,
    /// It never takes production traffic, and scales by itself all the same.
    Develop,
}

impl Role {
    /// Whether alarms act.
    fn acts(self) -> bool {
        match self {
            Role::Live | Role::Develop => true,
            Role::Idle => false,
        }
    }
}

/// All scaling policies of a service, and those alarms that bear names of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scalers {
    /// The policies, whoever made them.
    pub(crate) policies: Vec<Policy>,
    /// The alarms with names of ours.
    pub(crate) alarms: Vec<Alarm>,
}

impl Scalers {
    /// The policy with this name.
    pub(crate) fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// The alarm with this name.
    pub(crate) fn alarm(&self, name: &str) -> Option<&Alarm> {
        self.alarms.iter().find(|alarm| alarm.name == name)
    }
}

/// A scaling policy of Application Auto Scaling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Its name.
    pub(crate) name: String,
    /// Its ARN, which is what an alarm's action names.
    pub(crate) arn: String,
    /// `PolicyType`: `StepScaling`, `TargetTrackingScaling`, `PredictiveScaling`.
    pub(crate) kind: String,
    /// `StepScalingPolicyConfiguration` as AWS's API writes it; null for another type.
    pub(crate) content: Value,
}

/// A CloudWatch alarm with a name of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// Its name.
    pub(crate) name: String,
    /// Whether it is a composite alarm, which can't scale anything.
    pub(crate) composite: bool,
    /// What PutMetricAlarm takes, without the name, as AWS's API writes it; null for a composite alarm.
    pub(crate) content: Value,
}

/// The type of our policies.
pub(crate) const STEP_SCALING: &str = "StepScaling";

/// Stands in a plan for the ARN of a policy that does not exist yet.
pub(crate) const NEW_POLICY: &str = "(new scaling policy)";
