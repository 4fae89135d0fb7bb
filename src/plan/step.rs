//! The values of a decision: the next action, a refusal, and the end of a run.

mod write;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::aws_error::AwsError;
use super::color::{Color, Split};
use super::problem::Problem;
use super::read_scope::ReadScope;
use super::repeats::Unkept;
use super::scalers;
use super::snapshot::Place;
use super::traffic::Load;
use super::verdict::{DeploymentFailure, OwnDeployment, Restorer, Waiting};
use super::wiring::RoutingError;

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
    Find {
        /// The family to search.
        family: String,
    },
    /// Register the wanted content as a new revision.
    Register {
        /// The revision's family.
        family: String,
    },
    /// Update the service.
    Update(Update),
    /// Ask the probes through the test listener. Reads only.
    Probe,
    /// Change the weights of one production rule, and read the rule back.
    Weights(Box<Weights>),
    /// Change or create a scalable target.
    Scaling(Scaling),
    /// Write a scaling policy of this action.
    Policy(Box<Put>),
    /// Write an alarm of this action.
    Alarm(Box<Put>),
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
    pub(crate) color: Color,
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
    pub(crate) color: Color,
    /// The service's name.
    pub(crate) service: String,
    /// The name of the policy or alarm.
    pub(crate) name: String,
    /// True if the policy or alarm does not exist yet.
    pub(crate) new: bool,
    /// `StepScalingPolicyConfiguration`, or the arguments of PutMetricAlarm without the name, as AWS's API writes them.
    pub(crate) content: serde_json::Value,
    /// The differences from AWS's current state.
    pub(crate) changes: Vec<scalers::Change>,
    /// The purpose.
    pub(crate) purpose: Purpose,
}

/// One UpdateService call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    /// The service's color.
    pub(crate) color: Color,
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
        color: Color,
        /// The count.
        asked: u32,
    },
    /// The same write was sent a moment ago, and AWS does not show the effect, or no longer does.
    Repeat(Box<Step>),
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

/// The failure of a deployment or a change of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RunFailure {
    /// The deployment itself.
    Deployment(DeploymentFailure),
    /// A probe got a wrong answer or none.
    Probe(ProbeFailure),
    /// A signal ended the run.
    Cancelled,
    /// A change of traffic.
    Traffic(TrafficFailure),
    /// A write did not last, even after repeats.
    Repeated(Box<Unkept>),
}

/// The failure of a change of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TrafficFailure {
    /// Rollback alarms fired during a bake. Each has the name and AWS's reason.
    Alarm(Vec<(String, String)>),
    /// The color that gained users lost healthy targets during a bake.
    Sick(Capacity),
    /// A color did not become healthy enough for the coming share in time.
    NotEnough(Capacity),
    /// AWS was unreachable for too long to continue safely.
    Blind(AwsError),
    /// Another user changed a production rule meanwhile.
    Overtaken {
        /// The rule's name for people.
        rule: String,
        /// The expected split.
        expected: Split,
        /// The found split.
        found: Split,
    },
    /// A rule does not show the written split, although AWS accepted the write.
    NotShown {
        /// The rule's name for people.
        rule: String,
        /// The written split.
        written: Split,
    },
    /// AWS refused a write.
    AwsError(AwsError),
    /// The current state would have been refused at the start.
    Refused(Box<Refusal>),
}

/// A probe's wrong answer. Holds no body: a body may hold anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbeFailure {
    /// The whole URL of the probe.
    pub(crate) url: String,
    /// The kind of failure.
    pub(crate) kind: ProbeFailureKind,
}

/// The kinds of probe failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeFailureKind {
    /// No rule sends the probe to the color alone any more. The probe was not sent.
    NoRule,
    /// Another status code.
    Status {
        /// The found value.
        found: u16,
        /// The status code that passes.
        wanted: u16,
    },
    /// The body lacks a text.
    Body {
        /// The text.
        wanted: String,
    },
    /// The listener's certificate is for other names. No request was sent.
    Certificate {
        /// The names in the certificate.
        names: Vec<String>,
        /// The requested host.
        host: String,
    },
    /// Not sent: the proxy on the way looks the host up itself, and the host does not lead to the load balancer.
    Elsewhere {
        /// The proxy by host and port.
        proxy: String,
        /// The host.
        host: String,
    },
    /// No answer at all: the cause is more often the network between runner and load balancer than the version.
    Unreachable {
        /// The error chain.
        why: String,
    },
}

/// The state in AWS after a run without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Left {
    /// No service was changed. (A registered, unused revision may exist.)
    Untouched,
    /// Every change is restored to the found state, as read back from AWS.
    Restored,
    /// Deliberately left changed, as the message explains.
    Changed,
    /// Unknown. The message gives the check to make.
    Unknown,
}

impl Left {
    /// The word in the output `left`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Left::Untouched => "untouched",
            Left::Restored => "restored",
            Left::Changed => "changed",
            Left::Unknown => "unknown",
        }
    }
}

/// Reason for the state that a run leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EndStateReason {
    /// Nothing was changed.
    NothingChanged,
    /// This run restored the color.
    RestoredByRun,
    /// AWS restored the color.
    RestoredByAws,
    /// AWS rolled back to another task definition than the found one: the last that AWS saw complete.
    AwsElsewhere,
    /// `on-cancel: leave`.
    Asked,
    /// Another user changed the service meanwhile. That change stays.
    ChangedExternally,
    /// The service already had this version at the start, and the earlier version is unknown.
    NothingToGoBackTo,
    /// The same task definition was rolled out again (an image tag that moved), so there is no other version to
    /// restore.
    SameDefinition,
    /// The new version is healthy. Only old tasks still drain.
    OnlyDrains,
    /// Users were moved to the color during the deploy. The restore does not remove capacity in use.
    UsersCame,
    /// Users were moved to the color during a deployment without fault. AWS continues the deployment.
    UsersCameMeanwhile {
        /// ARN of the new task definition.
        version: String,
    },
    /// The version was restored. Users arrived meanwhile, so the color keeps the larger count.
    CountKept {
        /// The desired count.
        count: u32,
    },
    /// The reason that the run can't exclude users on the color.
    UsersNotKnown(Box<Refusal>),
    /// The service was not changed. Scaling policies and alarms were.
    ScalingStays,
    /// AWS refused the restore, or did not answer.
    AwsError(AwsError),
    /// The restore was requested and not confirmed in time.
    NotConfirmed,
    /// The color to restore users to has too few healthy targets.
    NotEnough(Capacity),
    /// A promote of several phases: changes of earlier phases stay, and users stay on the current color.
    Midway,
    /// All users were moved as wanted. Only the watch afterwards did not finish.
    Arrived,
    /// Users are on the wanted color, which has no healthy target.
    NotServed,
    /// The restore did not last, even after repeats.
    Repeated(Box<Unkept>),
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The goal is reached.
    Good {
        /// True if this run changed something, or adopted a change that was under way.
        changed: bool,
        /// Healthy targets of the color's own tasks. For traffic: of the color that gained users.
        healthy: u32,
    },
    /// The goal is not reached.
    Bad {
        /// The failure.
        failing: RunFailure,
        /// The state that the run leaves.
        left: Left,
        /// Reason for that state.
        because: EndStateReason,
    },
}

/// Reason to refuse a run, reported before the first write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The cluster is not in this account and region.
    NoCluster(Place),
    /// The cluster lacks services.
    Missing {
        /// Each by color and name.
        services: Vec<(Color, String)>,
        /// The searched place.
        place: Place,
    },
    /// A service is being deleted, or was deleted.
    NotActive {
        /// The service's name.
        service: String,
        /// `DRAINING` or `INACTIVE`.
        status: &'static str,
    },
    /// A service has a setup that this action does not handle.
    Setup {
        /// The service's name.
        service: String,
        /// The unsupported part.
        part: SetupPart,
        /// The found value.
        found: String,
    },
    /// The load balancer's rules can't be read as blue and green.
    RoutingError(RoutingError),
    /// `color: develop` without a develop service.
    NoDevelop,
    /// The color serves users.
    LiveColor {
        /// The color.
        color: Color,
        /// The split.
        split: Split,
        /// The rules outside the split that send users there, by name.
        rules: Vec<String>,
    },
    /// A promote would shrink or change a color while rules outside the split send users there.
    UserRules {
        /// The color.
        color: Color,
        /// The rules by name.
        rules: Vec<String>,
        /// The split.
        split: Split,
    },
    /// Both colors serve users.
    NoIdleColor(Split),
    /// Another deployment is in progress.
    InFlight {
        /// The service.
        service: String,
        /// The deployment's id.
        id: String,
        /// The new task definition.
        task_definition: String,
    },
    /// Minimum and maximum percent leave no room.
    NoRoom {
        /// The service.
        service: String,
        /// Desired count.
        desired: u32,
        /// Minimum healthy percent.
        minimum: u32,
        /// Maximum percent.
        maximum: u32,
    },
    /// No rule sends a probe to this color alone.
    NoTestAddress {
        /// The color.
        color: Color,
        /// The path of the probe.
        path: String,
        /// The color's host in the config file.
        host: Option<String>,
    },
    /// Only a host is missing to send the probes: no certificate has the load balancer's own name.
    NoHost {
        /// The color.
        color: Color,
        /// The listener that leads to the color alone, such as `HTTPS:8443`.
        listener: String,
    },
    /// No rule uses the color's target group, so the load balancer does not check the color's health.
    NotChecked(Color),
    /// AWS refuses a read permanently.
    Unread(AwsError),
    /// A color has too few healthy targets for the coming share, without a remedy.
    NotEnough {
        /// The numbers.
        capacity: Capacity,
        /// The full load.
        load: Load,
        /// Reason that there is no remedy.
        why: Short,
    },
    /// A production rule holds one color alone, and `adopt: true` is not set.
    NotAdopted {
        /// The rule's name for people.
        rule: String,
        /// The color that the rule lacks.
        lacks: Color,
    },
    /// The color does not run the approved task definition.
    OtherTaskDefinition {
        /// The color.
        color: Color,
        /// The current task definition.
        found: String,
        /// The expected task definition.
        expected: String,
    },
    /// Rollback alarms that do not exist.
    NoAlarm(Vec<String>),
    /// Rollback alarms that fire before the first step: name and AWS's reason.
    AlarmFiring(Vec<(String, String)>),
    /// Rollback alarms that fire at the split of an earlier run: name and AWS's reason.
    AlarmAt {
        /// The alarms.
        firing: Vec<(String, String)>,
        /// The color that gains users, and already has some.
        color: Color,
        /// The split now.
        split: Split,
    },
    /// The deployment of the color that gains users failed: the next new task would run the failed version.
    FailedThere {
        /// The color.
        color: Color,
        /// The color's service.
        service: String,
        /// The failed task definition.
        task_definition: String,
    },
    /// A step goes beyond the target.
    StepBeyond {
        /// The step, percent.
        step: u32,
        /// The color that gains users.
        color: Color,
        /// The color's final share, percent.
        target: u32,
    },
    /// `idle-count` is above production's limit.
    IdleAbove {
        /// The color that would be idle.
        color: Color,
        /// The requested count.
        idle: u32,
        /// Highest possible count of production.
        production: u32,
    },
    /// Per-color variables that neither color has, each with the nearest existing name.
    NoVariable(Vec<(String, Option<String>)>),
    /// A copy from a color without a task: the digest behind a tag is unknown, and production's image is by digest.
    NoDigest {
        /// The color that was tested.
        color: Color,
        /// The color's images.
        images: Vec<String>,
    },
    /// A copy whose images no registry can have.
    Images {
        /// The color that was tested.
        color: Color,
        /// The problem of each image.
        problems: Vec<Problem>,
    },
    /// A foreign object, or an object of another kind, has the name of a scaling policy or alarm of this action.
    NameTaken {
        /// The service.
        service: String,
        /// The name.
        name: String,
        /// The found object.
        found: String,
        /// The expected object.
        wanted: &'static str,
    },
    /// A rollback from a split without a named color.
    WhichColor(Split),
}

/// Reason that too few healthy targets have no remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// `scale-up: false`.
    NoScaleUp,
    /// MaxCapacity is lower than the needed count.
    MaxCapacity,
    /// The config's `scaling.max` and MaxCapacity are lower than the needed count.
    ConfigMax,
    /// The tasks exist, are not healthy, and no task is starting.
    Unhealthy,
    /// No target became healthy before the time-out. Nothing had been written.
    TimedOut,
}

impl Refusal {
    /// The refusal after a failed look at this place. DescribeServices reports a missing cluster by error code.
    pub(crate) fn of_look(trouble: AwsError, place: &Place) -> Refusal {
        if trouble.code.as_deref() == Some("ClusterNotFoundException") {
            return Refusal::NoCluster(place.clone());
        }
        Refusal::Unread(trouble)
    }
}

/// The parts of a service's setup that can be unsupported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetupPart {
    /// `deploymentController`.
    Controller,
    /// `deploymentConfiguration.strategy`.
    Strategy,
    /// `schedulingStrategy`.
    Scheduling,
    /// `loadBalancers`: not exactly one target group.
    TargetGroups,
    /// `loadBalancers`: a classic load balancer.
    ClassicBalancer,
}
