//! Observed state in total types without AWS's types. Adapters fill the types, and every decision reads them.

mod balancer;
mod history;

use std::time::Duration;

pub(crate) use self::balancer::{
    Balancer, Condition, GroupAttributes, Pattern, QueryPair, Rule, Target, TargetGroup, Weighted,
};
pub(crate) use self::history::{ServiceDeployment, ServiceDeploymentStatus};

use super::aws_error::{AwsError, AwsResult};
use super::color::{Color, ServiceColor};
use super::compare::Minute;
use super::definition::Content;
use super::earlier_rules::EarlierRule;
use super::scalers::Scalers;
use super::time::Time;

/// A part that is read only on request. `None`: not requested.
pub(crate) type Seen<T> = Option<AwsResult<T>>;

/// The result of one look at AWS.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// The place of the services.
    pub(crate) place: Place,
    /// The services that exist, blue first.
    pub(crate) services: Vec<Service>,
    /// The services that DescribeServices did not find.
    pub(crate) missing: Vec<(ServiceColor, String)>,
    /// The load balancers of the services' target groups, with every rule.
    pub(crate) balancers: Seen<Vec<Balancer>>,
    /// The existing CloudWatch alarms among the requested names.
    pub(crate) alarms: Seen<Vec<Alarm>>,
    /// The load balancer's counts of both colors by the minute.
    pub(crate) minutes: Seen<Vec<Minute>>,
    /// The production rules that earlier looks of this run showed.
    pub(crate) earlier: Vec<EarlierRule>,
}

/// Account, region and cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// The account id of the credentials, 12 digits.
    pub(crate) account: String,
    /// The region's code.
    pub(crate) region: String,
    /// The cluster's name.
    pub(crate) cluster: String,
}

/// One ECS service with all attached resources.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// The color.
    pub(crate) color: ServiceColor,
    /// The service's name.
    pub(crate) name: String,
    /// The service's status.
    pub(crate) status: ServiceStatus,
    /// ARN of the service's current task definition.
    pub(crate) task_definition: String,
    /// Desired count of tasks.
    pub(crate) desired: u32,
    /// Running tasks of all deployments.
    pub(crate) running: u32,
    /// Pending tasks of all deployments.
    pub(crate) pending: u32,
    /// The deployments, as listed.
    pub(crate) deployments: Vec<Deployment>,
    /// The setup.
    pub(crate) setup: Setup,
    /// The newest events, newest first, at most 100.
    pub(crate) events: Vec<ServiceEvent>,
    /// The target group of the service's tasks.
    pub(crate) group: Seen<TargetGroup>,
    /// The targets registered in that group.
    pub(crate) targets: Seen<Vec<Target>>,
    /// The service's current task definition.
    pub(crate) definition: Seen<Revision>,
    /// Tasks that are not stopped.
    pub(crate) tasks: Seen<Vec<Task>>,
    /// Tasks that stopped within about the last hour.
    pub(crate) stopped: Seen<Vec<Task>>,
    /// The newest service deployments, newest first.
    pub(crate) history: Seen<Vec<ServiceDeployment>>,
    /// The scalable target. `Ok(None)`: no target exists, so the service does not scale automatically.
    pub(crate) scaling: Seen<Option<Scalable>>,
    /// The scaling policies, and alarms with names of this action.
    pub(crate) scalers: Seen<Scalers>,
}

/// A service's scalable target of Application Auto Scaling (dimension `ecs:service:DesiredCount`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scalable {
    /// MinCapacity.
    pub(crate) min: u32,
    /// MaxCapacity.
    pub(crate) max: u32,
    /// True if scale-in by policies is suspended (`DynamicScalingInSuspended`).
    pub(crate) in_suspended: bool,
    /// True if scale-out by policies is suspended (`DynamicScalingOutSuspended`).
    pub(crate) out_suspended: bool,
    /// True if scheduled scaling is suspended (`ScheduledScalingSuspended`).
    pub(crate) scheduled_suspended: bool,
}

/// A CloudWatch alarm, metric or composite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// The name.
    pub(crate) name: String,
    /// The alarm's state.
    pub(crate) state: AlarmState,
    /// AWS's reason for the state, with the numbers.
    pub(crate) reason: String,
}

/// An alarm's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlarmState {
    /// `OK`.
    Fine,
    /// `ALARM`.
    Firing,
    /// `INSUFFICIENT_DATA`, or an unknown state: neither good nor an alarm.
    NoData,
}

/// A service's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceStatus {
    /// In use.
    Active,
    /// Being deleted.
    Draining,
    /// Deleted.
    Inactive,
}

/// The parts of a service's setup that decide the possible deployments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Setup {
    /// Deployment controller: `ECS`, `CODE_DEPLOY`, `EXTERNAL`.
    pub(crate) controller: String,
    /// Deployment strategy: `ROLLING`, `BLUE_GREEN`, `LINEAR`, `CANARY`.
    pub(crate) strategy: String,
    /// Scheduling strategy: `REPLICA`, `DAEMON`.
    pub(crate) scheduling: String,
    /// Minimum healthy percent.
    pub(crate) minimum_percent: u32,
    /// Maximum percent.
    pub(crate) maximum_percent: u32,
    /// The deployment circuit breaker, if enabled.
    pub(crate) breaker: Option<Breaker>,
    /// Names of the deployment alarms, if enabled.
    pub(crate) alarms: Vec<String>,
    /// True if deployment alarms roll back.
    pub(crate) alarms_roll_back: bool,
    /// Time in which ECS ignores the health of a new task's target.
    pub(crate) grace: Duration,
    /// The service's entries of `loadBalancers`.
    pub(crate) links: Vec<Link>,
}

/// The deployment circuit breaker of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breaker {
    /// True if the breaker rolls back to the last completed deployment.
    pub(crate) rollback: bool,
    /// The service's own threshold of failed tasks, if set.
    pub(crate) threshold: Option<Threshold>,
}

/// A service's own circuit-breaker threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threshold {
    /// This percentage of the desired count, at least 3 and at most 200.
    BoundedPercent(u32),
    /// This percentage of the desired count.
    UnboundedPercent(u32),
    /// This count.
    Count(u32),
}

/// One entry of a service's `loadBalancers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The target group's ARN; none for a classic load balancer.
    pub(crate) group: Option<String>,
    /// The container with the traffic.
    pub(crate) container: String,
    /// The container port.
    pub(crate) port: u16,
}

/// One entry of a service's `deployments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployment {
    /// `ecs-svc/…`
    pub(crate) id: String,
    /// True for `PRIMARY`, the service's current deployment.
    pub(crate) primary: bool,
    /// ARN of the task definition.
    pub(crate) task_definition: String,
    /// Desired count of tasks.
    pub(crate) desired: u32,
    /// Running tasks.
    pub(crate) running: u32,
    /// Pending tasks.
    pub(crate) pending: u32,
    /// Tasks that failed in a row. A healthy task resets the count to 0.
    pub(crate) failed: u32,
    /// The state.
    pub(crate) rollout: Rollout,
    /// AWS's reason for the state.
    pub(crate) reason: String,
    /// Time of creation.
    pub(crate) created: Time,
    /// Time of the last change by AWS. Of a completed deployment, no earlier than its completion (API_Deployment).
    pub(crate) updated: Time,
}

/// A deployment's `rolloutState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// Under way.
    InProgress,
    /// New tasks are stable and old tasks gone.
    Completed,
    /// Ended by the circuit breaker or an alarm.
    Failed,
    /// No state or an unknown state from AWS: never good.
    Unknown,
}

/// One service event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceEvent {
    /// Time of the event.
    pub(crate) at: Time,
    /// AWS's words.
    pub(crate) message: String,
}

/// One task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Task {
    /// The last part of the task's ARN.
    pub(crate) id: String,
    /// The id of the deployment that started the task.
    pub(crate) started_by: String,
    /// ARN of the task definition.
    pub(crate) task_definition: String,
    /// `RUNNING`, `PENDING`, `STOPPED`, …
    pub(crate) status: String,
    /// `stopCode` of a stopped task.
    pub(crate) stop_code: Option<String>,
    /// `stoppedReason` of a stopped task.
    pub(crate) stopped_reason: Option<String>,
    /// Time of the stop.
    pub(crate) stopped_at: Option<Time>,
    /// The containers.
    pub(crate) containers: Vec<Container>,
    /// Possible ids of the task's targets: the addresses of the network interface, or the EC2 instance's id.
    pub(crate) hosts: Vec<String>,
    /// Container name and port with the assigned host port, for target type `instance`.
    pub(crate) bindings: Vec<Binding>,
}

/// One network binding of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The container's name.
    pub(crate) container: String,
    /// The container port.
    pub(crate) container_port: u16,
    /// The port on the host.
    pub(crate) host_port: u16,
}

/// One container of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Container {
    /// The name.
    pub(crate) name: String,
    /// The image, as written in the task definition.
    pub(crate) image: String,
    /// The digest of the running image: `sha256:…`.
    pub(crate) digest: Option<String>,
    /// Exit code of an ended container.
    pub(crate) exit_code: Option<i32>,
    /// AWS's reason, such as `CannotPullContainerError: …`.
    pub(crate) reason: Option<String>,
}

/// One revision of a task definition.
#[derive(Clone, Debug)]
pub(crate) struct Revision {
    /// The ARN.
    pub(crate) arn: String,
    /// The content without describe-only fields.
    pub(crate) content: Content,
    /// The tags.
    pub(crate) tags: Vec<(String, String)>,
    /// True if ACTIVE. A service can't be set to a deregistered revision.
    pub(crate) active: bool,
}

impl Snapshot {
    /// True if the snapshot holds every part for the report at the end: the rules, and the content of each task
    /// definition.
    pub(crate) fn is_whole(&self) -> bool {
        self.balancers.is_some() && self.services.iter().all(|service| service.definition.is_some())
    }

    /// The service of a color. None if the service does not exist.
    pub(crate) fn service(&self, color: impl Into<ServiceColor>) -> Option<&Service> {
        let color = color.into();
        self.services.iter().find(|service| service.color == color)
    }

    /// The services that can have users, each with its color.
    pub(crate) fn production(&self) -> impl Iterator<Item = (Color, &Service)> {
        self.services.iter().filter_map(|service| Some((service.color.production()?, service)))
    }

    /// Every part that could not be read, in a stable order.
    pub(crate) fn troubles(&self) -> Vec<&AwsError> {
        let mut all: Vec<&AwsError> = self.balancers.iter().filter_map(|part| part.as_ref().err()).collect();
        all.extend(self.alarms.iter().filter_map(|part| part.as_ref().err()));
        for service in &self.services {
            all.extend(service.troubles());
        }
        all
    }
}

impl Service {
    /// The service's current deployment.
    pub(crate) fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.primary)
    }

    /// The parts of this service that could not be read.
    pub(crate) fn troubles(&self) -> Vec<&AwsError> {
        fn of<T>(part: &Seen<T>) -> Option<&AwsError> {
            part.as_ref().and_then(|read| read.as_ref().err())
        }
        [
            of(&self.group),
            self.group.as_ref().and_then(|group| of(&group.as_ref().ok()?.attributes)),
            of(&self.targets),
            of(&self.definition),
            of(&self.tasks),
            of(&self.stopped),
            of(&self.history),
            of(&self.scaling),
            of(&self.scalers),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
