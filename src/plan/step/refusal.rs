//! The reasons to refuse a run.

use super::Capacity;
use crate::plan::aws_error::AwsError;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::compare::Comparison;
use crate::plan::going_live::GoingLive;
use crate::plan::problem::Problem;
use crate::plan::snapshot::Place;
use crate::plan::traffic::Load;
use crate::plan::wiring::RoutingError;

/// Reason to refuse a run, reported before the first write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The cluster is not in this account and region.
    NoCluster(Place),
    /// The color that would gain users fails more often than the other in the same minutes.
    Worse(Box<Comparison>),
    /// The version lacks commits that users have, and the user refuses such a version.
    TakesBack(Box<GoingLive>),
    /// The cluster lacks services.
    Missing {
        /// Each by color and name.
        services: Vec<(ServiceColor, String)>,
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
        color: ServiceColor,
        /// The path of the probe.
        path: String,
        /// The color's host in the config file.
        host: Option<String>,
    },
    /// Only a host is missing to send the probes: no certificate has the load balancer's own name.
    NoHost {
        /// The color.
        color: ServiceColor,
        /// The listener that leads to the color alone, such as `HTTPS:8443`.
        listener: String,
    },
    /// No rule uses the color's target group, so the load balancer does not check the color's health.
    NotChecked(ServiceColor),
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
