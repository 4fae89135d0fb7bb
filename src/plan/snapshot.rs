//! What was observed: total types, free of AWS's. Adapters fill them; every decision reads them.

use std::sync::Arc;
use std::time::Duration;

use super::color::Color;
use super::definition::Content;
use super::scalers::Scalers;
use super::time::Time;
use super::trouble::{Read, Trouble};

/// A part that is read only when it is asked for: `None` was not asked.
pub(crate) type Seen<T> = Option<Read<T>>;

/// Everything that one look at AWS showed.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// Where.
    pub(crate) place: Place,
    /// The services that exist, blue first.
    pub(crate) services: Vec<Service>,
    /// The services that DescribeServices did not find.
    pub(crate) missing: Vec<(Color, String)>,
    /// The load balancers of the services' target groups, with every rule of each.
    pub(crate) balancers: Seen<Vec<Balancer>>,
    /// The CloudWatch alarms that were asked for by name, as far as they exist.
    pub(crate) alarms: Seen<Vec<Alarm>>,
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

/// One ECS service and all that hangs on it.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Which color it is.
    pub(crate) color: Color,
    /// The service's name.
    pub(crate) name: String,
    /// Its status.
    pub(crate) status: ServiceStatus,
    /// ARN of the task definition that the service wants.
    pub(crate) task_definition: String,
    /// Desired count of tasks.
    pub(crate) desired: u32,
    /// Running tasks of all deployments.
    pub(crate) running: u32,
    /// Pending tasks of all deployments.
    pub(crate) pending: u32,
    /// The deployments, as listed.
    pub(crate) deployments: Vec<Deployment>,
    /// How it is set up.
    pub(crate) setup: Setup,
    /// Its newest events, newest first, at most 100.
    pub(crate) events: Vec<Event>,
    /// The target group that the service registers its tasks in.
    pub(crate) group: Seen<TargetGroup>,
    /// The targets registered there.
    pub(crate) targets: Seen<Vec<Target>>,
    /// The task definition that the service wants.
    pub(crate) definition: Seen<Revision>,
    /// Its tasks that are not stopped.
    pub(crate) tasks: Seen<Vec<Task>>,
    /// Its tasks that stopped within about the last hour.
    pub(crate) stopped: Seen<Vec<Task>>,
    /// Its newest service deployments, newest first.
    pub(crate) history: Seen<Vec<ServiceDeployment>>,
    /// Its scalable target; `Ok(None)`: it has none, so nothing scales it automatically.
    pub(crate) scaling: Seen<Option<Scalable>>,
    /// Its scaling policies, and the alarms that bear names of ours.
    pub(crate) scalers: Seen<Scalers>,
}

/// A service's scalable target of Application Auto Scaling (dimension `ecs:service:DesiredCount`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scalable {
    /// MinCapacity.
    pub(crate) min: u32,
    /// MaxCapacity.
    pub(crate) max: u32,
    /// Whether scale-in by policies is suspended (`DynamicScalingInSuspended`).
    pub(crate) in_suspended: bool,
    /// Whether scale-out by policies is suspended (`DynamicScalingOutSuspended`).
    pub(crate) out_suspended: bool,
    /// Whether scheduled scaling is suspended (`ScheduledScalingSuspended`).
    pub(crate) scheduled_suspended: bool,
}

/// A CloudWatch alarm, metric or composite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// Its name.
    pub(crate) name: String,
    /// Its state.
    pub(crate) state: AlarmState,
    /// AWS's reason for the state: the numbers.
    pub(crate) reason: String,
}

/// An alarm's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlarmState {
    /// `OK`.
    Fine,
    /// `ALARM`.
    Firing,
    /// `INSUFFICIENT_DATA`, or a state that we do not know: neither good nor an alarm.
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

/// How a service is set up, as far as it decides what a deployment can do.
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
    /// The deployment circuit breaker, where it is on.
    pub(crate) breaker: Option<Breaker>,
    /// Names of the deployment alarms, where they are on.
    pub(crate) alarms: Vec<String>,
    /// Whether deployment alarms roll back.
    pub(crate) alarms_roll_back: bool,
    /// How long ECS ignores the health of a new task's target.
    pub(crate) grace: Duration,
    /// The service's entries of `loadBalancers`.
    pub(crate) links: Vec<Link>,
}

/// The deployment circuit breaker of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breaker {
    /// Whether it rolls back to the last completed deployment.
    pub(crate) rollback: bool,
    /// Failed tasks at which it trips, where the service sets a threshold of its own.
    pub(crate) threshold: Option<Threshold>,
}

/// A circuit-breaker threshold of a service's own.
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
    /// The container that gets the traffic.
    pub(crate) container: String,
    /// Its container port.
    pub(crate) port: u16,
}

/// One entry of a service's `deployments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployment {
    /// `ecs-svc/…`
    pub(crate) id: String,
    /// `PRIMARY`: what the service wants now.
    pub(crate) primary: bool,
    /// ARN of its task definition.
    pub(crate) task_definition: String,
    /// Tasks it should run.
    pub(crate) desired: u32,
    /// Tasks it runs.
    pub(crate) running: u32,
    /// Tasks on the way.
    pub(crate) pending: u32,
    /// Tasks that failed one after the other; back to 0 with a healthy one.
    pub(crate) failed: u32,
    /// How far it is.
    pub(crate) rollout: Rollout,
    /// AWS's reason for the state.
    pub(crate) reason: String,
    /// When it began.
    pub(crate) created: Time,
}

/// A deployment's `rolloutState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rollout {
    /// Going on.
    InProgress,
    /// New tasks are stable and old ones gone.
    Completed,
    /// Ended by the circuit breaker or an alarm.
    Failed,
    /// AWS gave no state, or one that we do not know: never good.
    Unknown,
}

/// One service event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// When.
    pub(crate) at: Time,
    /// AWS's words.
    pub(crate) message: String,
}

/// One service deployment (`ListServiceDeployments`), which tells a rollback from somebody's newer deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceDeployment {
    /// Its ARN.
    pub(crate) arn: String,
    /// The number that the ARN of its service revision ends with: that of the id `ecs-svc/NUMBER` of its deployment.
    pub(crate) number: Option<String>,
    /// Where it stands.
    pub(crate) status: ServiceDeploymentStatus,
    /// AWS's reason, names of alarms included.
    pub(crate) reason: String,
    /// When it was made.
    pub(crate) created: Time,
    /// Task definition that it brings; unknown when its service revision could not be read.
    pub(crate) target: Option<String>,
    /// Task definitions that it replaces.
    pub(crate) sources: Vec<String>,
    /// Names of deployment alarms that fired.
    pub(crate) alarms: Vec<String>,
}

/// A service deployment's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceDeploymentStatus {
    /// Waiting or running.
    InProgress,
    /// Done.
    Successful,
    /// Somebody stopped it.
    Stopped,
    /// On the way back.
    RollingBack,
    /// Back.
    RolledBack,
    /// The way back failed.
    RollbackFailed,
    /// One that we do not know.
    Unknown,
}

/// One task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Task {
    /// The last part of its ARN.
    pub(crate) id: String,
    /// The id of the deployment that started it.
    pub(crate) started_by: String,
    /// ARN of its task definition.
    pub(crate) task_definition: String,
    /// `RUNNING`, `PENDING`, `STOPPED`, …
    pub(crate) status: String,
    /// `stopCode`, for a stopped one.
    pub(crate) stop_code: Option<String>,
    /// `stoppedReason`, for a stopped one.
    pub(crate) stopped_reason: Option<String>,
    /// When it stopped.
    pub(crate) stopped_at: Option<Time>,
    /// Its containers.
    pub(crate) containers: Vec<Container>,
    /// Where its targets can be: the addresses of its network interface, or the EC2 instance's id.
    pub(crate) hosts: Vec<String>,
    /// Container name and port with the host port it got, for target type `instance`.
    pub(crate) bindings: Vec<Binding>,
}

/// One network binding of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The container's name.
    pub(crate) container: String,
    /// Its container port.
    pub(crate) container_port: u16,
    /// The port on the host.
    pub(crate) host_port: u16,
}

/// One container of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Container {
    /// Its name.
    pub(crate) name: String,
    /// The image as the task definition names it.
    pub(crate) image: String,
    /// What it really runs: `sha256:…`.
    pub(crate) digest: Option<String>,
    /// Exit code, when it ended.
    pub(crate) exit_code: Option<i32>,
    /// AWS's reason, such as `CannotPullContainerError: …`.
    pub(crate) reason: Option<String>,
}

/// One revision of a task definition.
#[derive(Clone, Debug)]
pub(crate) struct Revision {
    /// Its ARN.
    pub(crate) arn: String,
    /// What it says, free of describe-only fields.
    pub(crate) content: Content,
    /// Its tags.
    pub(crate) tags: Vec<(String, String)>,
    /// Whether it is ACTIVE; a deregistered one can't be given to a service any more.
    pub(crate) active: bool,
}

/// A target group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TargetGroup {
    /// Its ARN.
    pub(crate) arn: String,
    /// Its name.
    pub(crate) name: String,
    /// `ip`, `instance`, `lambda`, `alb`.
    pub(crate) target_type: String,
    /// ARNs of the load balancers that use it; at most one in AWS.
    pub(crate) balancers: Vec<String>,
    /// Its attributes. Who is sent where is known without them.
    pub(crate) attributes: Seen<GroupAttributes>,
}

/// The attributes of a target group that matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupAttributes {
    /// Deregistration delay.
    pub(crate) deregistration_delay: Duration,
    /// Fewest healthy targets before the balancer fails open (`unhealthy_state_routing…count`).
    pub(crate) minimum_count: u32,
    /// The same as a percentage of its targets; 0 is off.
    pub(crate) minimum_percent: u32,
}

/// One registered target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// An address, or an EC2 instance's id.
    pub(crate) id: String,
    /// Its port.
    pub(crate) port: u16,
    /// `initial`, `healthy`, `unhealthy`, `draining`, `unhealthy.draining`, `unused`, `unavailable`.
    pub(crate) state: String,
    /// AWS's reason code, such as `Target.ResponseCodeMismatch`.
    pub(crate) reason: Option<String>,
    /// AWS's description.
    pub(crate) description: Option<String>,
}

impl Target {
    /// Whether the load balancer sends it requests in good conscience.
    pub(crate) fn is_healthy(&self) -> bool {
        self.state == "healthy"
    }
}

/// A load balancer with all its listener rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Balancer {
    /// Its ARN; `loadbalancer/app/` in it says Application Load Balancer.
    pub(crate) arn: String,
    /// Its name.
    pub(crate) name: String,
    /// Its DNS name.
    pub(crate) dns: String,
    /// Every rule of every listener, the default actions included.
    pub(crate) rules: Vec<Rule>,
}

/// One listener rule, or a listener's default action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// The rule's ARN.
    pub(crate) arn: String,
    /// Its listener's ARN.
    pub(crate) listener: String,
    /// Its listener's port.
    pub(crate) port: u16,
    /// Its listener's protocol: `HTTP`, `HTTPS`.
    pub(crate) protocol: String,
    /// Its priority; none for the default action.
    pub(crate) priority: Option<u32>,
    /// Its conditions.
    pub(crate) conditions: Vec<Condition>,
    /// Where it forwards to, where it forwards.
    pub(crate) forward: Vec<Weighted>,
    /// Group stickiness, where it is on.
    pub(crate) stickiness: Option<Duration>,
    /// Types of all its actions, in order.
    pub(crate) actions: Vec<String>,
    /// All its actions as AWS's API writes them (`[{"Type": "forward", "ForwardConfig": …}]`), fit to be sent back: no
    /// field of a known action is missing. A secret that AWS does not return is asked to be kept.
    pub(crate) whole: Arc<serde_json::Value>,
}

/// A rule's condition; any of its values meets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `host-header`.
    Host(Vec<Pattern>),
    /// `path-pattern`.
    Path(Vec<Pattern>),
    /// `http-request-method`: methods as they are written.
    Method(Vec<String>),
    /// `http-header`.
    Header {
        /// The header's name.
        name: String,
        /// Its values.
        values: Vec<Pattern>,
    },
    /// `query-string`.
    Query(Vec<QueryPair>),
    /// `source-ip`: CIDR blocks.
    SourceIp(Vec<String>),
    /// A field that is not known here, or one without values.
    Unknown {
        /// `Field`.
        field: String,
    },
}

/// A value of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// A text with the wildcards `*` and `?`.
    Wildcards(String),
    /// A regular expression.
    Regex(String),
}

/// A pair of a `query-string` condition; both parts may hold wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QueryPair {
    /// The key; none: any key.
    pub(crate) key: Option<String>,
    /// The value.
    pub(crate) value: String,
}

/// A target group in a forward action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Weighted {
    /// The group's ARN.
    pub(crate) group: String,
    /// Its weight, 0–999.
    pub(crate) weight: u32,
}

impl Snapshot {
    /// Whether it holds everything that the end of a run tells: the rules, and the content of each task definition.
    pub(crate) fn is_whole(&self) -> bool {
        self.balancers.is_some() && self.services.iter().all(|service| service.definition.is_some())
    }

    /// The service of a color, where it exists.
    pub(crate) fn service(&self, color: Color) -> Option<&Service> {
        self.services.iter().find(|service| service.color == color)
    }

    /// Every part that could not be read, in a stable order.
    pub(crate) fn troubles(&self) -> Vec<&Trouble> {
        let mut all: Vec<&Trouble> = self.balancers.iter().filter_map(|part| part.as_ref().err()).collect();
        all.extend(self.alarms.iter().filter_map(|part| part.as_ref().err()));
        for service in &self.services {
            all.extend(service.troubles());
        }
        all
    }
}

impl Service {
    /// The deployment that the service wants now.
    pub(crate) fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.primary)
    }

    /// The parts of this service that could not be read.
    pub(crate) fn troubles(&self) -> Vec<&Trouble> {
        fn of<T>(part: &Seen<T>) -> Option<&Trouble> {
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
