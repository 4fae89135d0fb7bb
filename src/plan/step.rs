//! The values of a decision: the next action and its steps.

mod end;
mod refusal;
mod wait;
mod write;

use std::time::Duration;

pub(crate) use self::end::{
    End, EndStateReason, Left, ProbeFailure, ProbeFailureKind, RunFailure, TrafficFailure,
};
pub(crate) use self::refusal::{Refusal, SetupPart, Short};
use super::aws_error::AwsError;
use super::color::{Color, ServiceColor, Split};
use super::definition::{Content, family_name};
use super::read_scope::ReadScope;
use super::scalers;
use super::verdict::{OwnDeployment, Restorer, Waiting};

/// The next action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Apply this step, and look again.
    Step(Step),
    /// Look again after the poll interval.
    Wait(Wait),
    /// Look again now, including these parts.
    Read(ReadScope),
    /// Make this deployment the run's own.
    Follow(Follow),
    /// Report the failure at once, gather the cause, then restore.
    Restore(RunFailure, Restorer),
    /// Refuse the run.
    Refuse(Refusal),
    /// The end.
    Done(End),
}

/// A deployment that becomes the run's own without a write: nothing to change, or a change already under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Follow {
    /// The deployment to wait for.
    pub(crate) awaited: OwnDeployment,
    /// True if the deployment was already under way.
    pub(crate) adopted: bool,
    /// The color's earlier state, if known.
    pub(crate) found: Option<InitialService>,
}

/// A color's state before the run's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InitialService {
    /// ARN of the task definition.
    pub(crate) task_definition: String,
    /// The desired count.
    pub(crate) desired: u32,
}

/// One step of a run: a write, or a question to the outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Look for an existing revision with the wanted content. Reads only.
    Find(Box<WantedRevision>),
    /// Register the wanted content as a new revision.
    Register(Box<WantedRevision>),
    /// Update the service.
    Update(Update),
    /// Ask the probes of this color through the test listener. Reads only.
    Probe(ServiceColor),
    /// Change the weights of one production rule, and read the rule back.
    Weights(Box<Weights>),
    /// Change or create a scalable target.
    Scaling(Scaling),
    /// Write a scaling policy of this action.
    Policy(Box<Put>),
    /// Write an alarm of this action.
    Alarm(Box<Put>),
}

/// A revision to look for or to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedRevision {
    /// The content.
    pub(crate) content: Content,
    /// Tags of the copied revision, with the commit and branch of the content. None: the run's own tags apply.
    pub(crate) origin: Option<Vec<(String, String)>>,
}

impl WantedRevision {
    /// The revision's family.
    pub(crate) fn family(&self) -> &str {
        family_name(&self.content)
    }
}

/// One ModifyListener or ModifyRule call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weights {
    /// The rule's ARN.
    pub(crate) rule: String,
    /// The listener's ARN.
    pub(crate) listener: String,
    /// True for the listener's default action, which changes by ModifyListener.
    pub(crate) default: bool,
    /// The rule's name for people: `HTTPS:443 rule 10`.
    pub(crate) name: String,
    /// The current split.
    pub(crate) before: Split,
    /// The new split.
    pub(crate) after: Split,
    /// The color to add to a rule that lacks the color.
    pub(crate) adopts: Option<Color>,
    /// All actions of the rule with the new weights, as sent to AWS's API.
    pub(crate) actions: serde_json::Value,
    /// The purpose.
    pub(crate) purpose: Purpose,
}

/// One RegisterScalableTarget call. A field with none stays unchanged. A new scalable target gets both bounds. AWS
/// moves the desired count into the bounds at every such call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scaling {
    /// The service's color.
    pub(crate) color: ServiceColor,
    /// The service's name.
    pub(crate) service: String,
    /// MinCapacity.
    pub(crate) min: Option<u32>,
    /// MaxCapacity.
    pub(crate) max: Option<u32>,
    /// True to suspend dynamic scale-in.
    pub(crate) in_suspended: Option<bool>,
    /// True if no scalable target exists yet.
    pub(crate) new: bool,
    /// The purpose.
    pub(crate) purpose: Purpose,
}

/// One PutScalingPolicy or PutMetricAlarm call, which writes the whole object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    /// The service's color.
    pub(crate) color: ServiceColor,
    /// The service's name.
    pub(crate) service: String,
    /// The name of the policy or alarm.
    pub(crate) name: String,
    /// True if the policy or alarm does not exist yet.
    pub(crate) new: bool,
    /// `StepScalingPolicyConfiguration`, or the arguments of PutMetricAlarm without the name, as AWS's API writes them.
    pub(crate) content: serde_json::Value,
    /// The differences from AWS's current state.
    pub(crate) changes: Vec<scalers::FieldChange>,
    /// The purpose.
    pub(crate) purpose: Purpose,
}

/// One UpdateService call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    /// The service's color.
    pub(crate) color: ServiceColor,
    /// The service's name.
    pub(crate) service: String,
    /// The new task definition's ARN, if changed (a placeholder in a plan).
    pub(crate) task_definition: Option<String>,
    /// The new desired count, if changed.
    pub(crate) desired: Option<u32>,
    /// True to start a deployment without a change.
    pub(crate) force: bool,
    /// The purpose.
    pub(crate) purpose: Purpose,
}

impl Update {
    /// An update of the count alone.
    pub(crate) fn of_count(
        color: impl Into<ServiceColor>,
        service: &str,
        desired: u32,
        purpose: Purpose,
    ) -> Update {
        let (color, service) = (color.into(), service.to_owned());
        let (task_definition, desired) = (None, Some(desired));
        Update { color, service, task_definition, desired, force: false, purpose }
    }

    /// True if the update starts a deployment. A change of the count alone does not.
    pub(crate) fn rolls(&self) -> bool {
        self.force || self.task_definition.is_some()
    }
}

/// The purpose of an update of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The new version.
    Deploy,
    /// Users: weights and capacity.
    Traffic,
    /// The restore of the found state.
    Restore,
}

/// Reason that the run waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// AWS did not answer. The unknown state blocks progress.
    AwsError(AwsError),
    /// A write was not answered. The run reads AWS until the effect shows, or is certain to be missing.
    UnansweredWrite(AwsError),
    /// The deployment.
    Deployment(Waiting),
    /// AWS's own rollback.
    Rollback {
        /// Tasks that run again.
        running: u32,
        /// Desired count of tasks.
        desired: u32,
    },
    /// This run's restore.
    Restore {
        /// Tasks that run again.
        running: u32,
        /// Desired count of tasks.
        desired: u32,
    },
    /// The next attempt of the probes.
    Probe,
    /// Healthy targets of a color that will get users.
    Capacity(Capacity),
    /// A desired count that AWS accepted and does not show yet.
    Count {
        /// The color.
        color: ServiceColor,
        /// The count.
        asked: u32,
    },
    /// The same write was sent a moment ago, and AWS does not show the effect, or no longer does.
    Repeat(Box<Step>),
    /// A look lacks a production rule that an earlier look showed.
    Rule {
        /// The rule's name for people.
        rule: String,
    },
    /// AWS does not show the new weights yet.
    Weights {
        /// The rule's name for people.
        rule: String,
    },
    /// A bake: the split stays while the run watches alarms and health.
    Bake {
        /// The split.
        split: Split,
        /// Remaining time, in whole seconds.
        left: Duration,
        /// Alarms without data.
        no_data: Vec<String>,
    },
    /// A bake is over, and the load balancer's counts of its last minutes are not complete.
    Counts {
        /// The split.
        split: Split,
        /// Remaining time, in whole seconds.
        left: Duration,
    },
    /// Stickiness keeps users on a color without weight.
    Drain {
        /// The color.
        color: Color,
        /// Remaining time, in whole seconds.
        left: Duration,
    },
    /// All users are on one color. Scale-in is allowed again after the color has carried the users for a while.
    Settle {
        /// The color.
        color: Color,
        /// Remaining time, in whole seconds.
        left: Duration,
    },
}

/// The actual and needed capacity of a color for the coming share of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// The color.
    pub(crate) color: Color,
    /// The coming share in percent.
    pub(crate) share: u32,
    /// Number of healthy targets.
    pub(crate) healthy: u32,
    /// Number of healthy targets that the color needs.
    pub(crate) needed: u32,
    /// The desired count.
    pub(crate) desired: u32,
    /// MaxCapacity of the scalable target, if there is one.
    pub(crate) most: Option<u32>,
}
