//! The writes that a killed run had under way: AWS alone knows whether they had their effect.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::plan::aws_error::{AwsError, AwsErrorKind};
use crate::plan::color::{ServiceColor, Split};
use crate::plan::run_memory::UnansweredWrite;
use crate::plan::step::{Purpose, Scaling, Step, Update, Weights};
use crate::plan::time::Time;

/// A write without an answer: the facts that identify its effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PendingWrite {
    /// Time of sending.
    at: Time,
    /// The change.
    change: Change,
}

/// The change of a write.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    /// The weights of a rule.
    Weights {
        /// The rule's ARN.
        rule: String,
        /// The split before.
        before: Split,
        /// The split after.
        after: Split,
    },
    /// A color's scalable target. A field that is none stays unchanged.
    Scaling {
        /// The color.
        color: ServiceColor,
        /// MinCapacity.
        min: Option<u32>,
        /// MaxCapacity.
        max: Option<u32>,
        /// True if dynamic scale-in is suspended.
        in_suspended: Option<bool>,
    },
    /// A color's desired count.
    Count {
        /// The color.
        color: ServiceColor,
        /// The count.
        desired: u32,
    },
    /// The version of a color, its count, or both: a deploy's update. What is none stays.
    Version {
        /// The color.
        color: ServiceColor,
        /// ARN of the task definition.
        task_definition: Option<String>,
        /// The count.
        desired: Option<u32>,
        /// True if a deployment starts even if the content is the same.
        force: bool,
    },
}

impl PendingWrite {
    /// The record of a step about to be sent; none for a step that a restore does not undo.
    pub(super) fn of(step: &Step, at: Time) -> Option<PendingWrite> {
        let change = match step {
            Step::Weights(weights) => {
                let Weights { rule, before, after, .. } = weights.as_ref();
                Change::Weights { rule: rule.clone(), before: *before, after: *after }
            }
            Step::Scaling(Scaling { color, min, max, in_suspended, .. }) => {
                Change::Scaling { color: *color, min: *min, max: *max, in_suspended: *in_suspended }
            }
            Step::Update(update) if update.purpose == Purpose::Deploy => Change::Version {
                color: update.color,
                task_definition: update.task_definition.clone(),
                desired: update.desired,
                force: update.force,
            },
            Step::Update(update) => Change::Count { color: update.color, desired: update.desired? },
            Step::Find(_) | Step::Register(_) | Step::Probe(_) | Step::Policy(_) | Step::Alarm(_) => {
                return None;
            }
        };
        Some(PendingWrite { at, change })
    }

    /// The write as a continued run needs it. The run looks for it in AWS, and never sends it again.
    pub(super) fn unanswered(&self) -> UnansweredWrite {
        let trouble = AwsError {
            kind: AwsErrorKind::TimedOut,
            action: self.action(),
            resource: self.resource(),
            code: None,
            message: "the run was killed before the answer came".to_owned(),
            effect_unknown: true,
        };
        UnansweredWrite { step: self.step(), trouble, sent: self.at, ended: self.at }
    }

    /// The step, with the fields that identify its effect.
    fn step(&self) -> Step {
        match &self.change {
            Change::Weights { rule, before, after } => Step::Weights(Box::new(Weights {
                rule: rule.clone(),
                listener: String::new(),
                default: false,
                name: String::new(),
                before: *before,
                after: *after,
                adopts: None,
                actions: Value::Null,
                purpose: Purpose::Traffic,
            })),
            Change::Scaling { color, min, max, in_suspended } => Step::Scaling(Scaling {
                color: *color,
                service: String::new(),
                min: *min,
                max: *max,
                in_suspended: *in_suspended,
                new: false,
                purpose: Purpose::Traffic,
            }),
            Change::Count { color, desired } => Step::Update(Update {
                color: *color,
                service: String::new(),
                task_definition: None,
                desired: Some(*desired),
                force: false,
                purpose: Purpose::Traffic,
            }),
            Change::Version { color, task_definition, desired, force } => Step::Update(Update {
                color: *color,
                service: String::new(),
                task_definition: task_definition.clone(),
                desired: *desired,
                force: *force,
                purpose: Purpose::Deploy,
            }),
        }
    }

    /// The IAM action of the call.
    fn action(&self) -> &'static str {
        match self.change {
            Change::Weights { .. } => "elasticloadbalancing:ModifyRule",
            Change::Scaling { .. } => "application-autoscaling:RegisterScalableTarget",
            Change::Count { .. } | Change::Version { .. } => "ecs:UpdateService",
        }
    }

    /// The resource of the call.
    fn resource(&self) -> String {
        match &self.change {
            Change::Weights { rule, .. } => rule.clone(),
            Change::Scaling { color, .. } | Change::Count { color, .. } | Change::Version { color, .. } => {
                color.word().to_owned()
            }
        }
    }
}

/// Reads several writes, or what an older version saved: one, or null.
pub(super) fn one_or_several<'de, D: Deserializer<'de>>(saved: D) -> Result<Vec<PendingWrite>, D::Error> {
    /// The forms of a saved value.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Saved {
        /// As this version saves it.
        Several(Vec<PendingWrite>),
        /// As an older version did.
        One(Option<PendingWrite>),
    }
    Ok(match Saved::deserialize(saved)? {
        Saved::Several(all) => all,
        Saved::One(one) => one.into_iter().collect(),
    })
}
