//! Services, with deployments and events.

use serde_json::{Map, Value, json};
use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

/// A target group of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadBalancer {
    /// The target group's ARN.
    pub group: String,
    /// The container that receives the traffic.
    pub container: String,
    /// The container's port.
    pub port: u16,
}

/// A service's `status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServiceStatus {
    /// In use.
    #[default]
    Active,
    /// Deleted, with tasks that still end.
    Draining,
    /// Deleted.
    Inactive,
}

impl ServiceStatus {
    /// AWS's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// A deployment's `rolloutState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RolloutState {
    /// In progress.
    #[default]
    InProgress,
    /// Reached its steady state.
    Completed,
    /// Ended by the circuit breaker or a person.
    Failed,
}

impl RolloutState {
    /// AWS's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// The content of a deployment: a service revision.
#[derive(Debug, Clone)]
pub struct Revision {
    /// The ARN.
    pub arn: String,
    /// The task definition's ARN.
    pub definition: String,
    /// Launch type, network and platform, in AWS's field names.
    pub(super) settings: Map<String, Value>,
    /// The target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// The target groups in AWS's field names, as sent.
    pub(super) load_balancers_json: Value,
    /// Time of creation.
    pub(super) created_at: SystemTime,
}

/// A deployment as DescribeServices shows it. The first of a service is PRIMARY, the others are ACTIVE.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// `ecs-svc/…`.
    pub id: String,
    /// The revision to deploy.
    pub revision: Revision,
    /// The number of wanted tasks.
    pub desired: u32,
    /// Consecutive failures.
    pub failed: u32,
    /// The progress.
    pub rollout: RolloutState,
    /// `rolloutStateReason`.
    pub reason: String,
    /// Time of creation.
    pub(super) created_at: SystemTime,
    /// Time of the last change.
    pub(super) updated_at: SystemTime,
    /// Earliest time to start a task.
    pub(super) retry_at: Option<Instant>,
}

/// A service deployment as DescribeServiceDeployments shows it.
#[derive(Debug, Clone)]
pub struct ServiceDeployment {
    /// The ARN.
    pub arn: String,
    /// AWS's status: PENDING, IN_PROGRESS, SUCCESSFUL, STOPPED, ROLLBACK_IN_PROGRESS, …
    pub status: &'static str,
    /// `statusReason`.
    pub reason: Option<String>,
    /// The target revision.
    pub target: Revision,
    /// The earlier revisions.
    pub(super) sources: Vec<Revision>,
    /// The rollback: reason, start and revision.
    pub(super) rollback: Option<(String, SystemTime, String)>,
    /// The circuit breaker: status, failures, threshold.
    pub breaker: (&'static str, u32, u32),
    /// The alarms that ended the deployment.
    pub(super) alarms: Vec<String>,
    /// The deployment configuration at that time.
    pub(super) config: Value,
    /// Time of creation.
    pub(super) created_at: SystemTime,
    /// Time of the last change.
    pub(super) updated_at: SystemTime,
    /// Time of the end.
    pub(super) finished_at: Option<SystemTime>,
    /// Time of the stop.
    pub(super) stopped_at: Option<SystemTime>,
    /// Earliest time to be described.
    pub(super) visible_at: Instant,
}

impl ServiceDeployment {
    /// True before the end.
    pub fn is_open(&self) -> bool {
        matches!(
            self.status,
            "PENDING" | "IN_PROGRESS" | "STOP_REQUESTED" | "ROLLBACK_REQUESTED" | "ROLLBACK_IN_PROGRESS"
        )
    }

    /// Sets the status, with a reason if any.
    pub(super) fn set(&mut self, status: &'static str, reason: Option<String>) {
        self.status = status;
        self.reason = reason.or_else(|| self.reason.take());
        self.updated_at = crate::clock::wall();
        if !self.is_open() {
            self.finished_at = Some(self.updated_at);
        }
    }
}

/// A service event.
#[derive(Debug, Clone)]
pub struct Event {
    /// A UUID.
    pub(super) id: String,
    /// Time of the event.
    pub(super) at: SystemTime,
    /// AWS's words.
    pub message: String,
}

/// One service.
#[derive(Debug, Default)]
pub struct Service {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// The status.
    pub status: ServiceStatus,
    /// The number of wanted tasks.
    pub desired: u32,
    /// All other settings of a caller, in AWS's field names.
    pub settings: Map<String, Value>,
    /// The deployments, PRIMARY first.
    pub deployments: Vec<Deployment>,
    /// The service deployments, newest first.
    pub history: Vec<ServiceDeployment>,
    /// The revisions, oldest first.
    pub(super) revisions: Vec<Revision>,
    /// The last completed revision.
    pub(super) completed: Option<Revision>,
    /// Events, newest first, at most 100.
    pub events: VecDeque<Event>,
    /// The tags, as sent.
    pub(super) tags: Vec<Value>,
    /// Time of creation.
    pub(super) created_at: Option<SystemTime>,
    /// True if the steady state was reported since the last change.
    pub(super) steady: bool,
    /// The description that readers see until this time: ECS is eventually consistent.
    pub(super) shadow: Option<(Instant, Value)>,
    /// The caller's token at creation.
    pub(super) client_token: Option<String>,
}

impl Service {
    /// True if the service is ACTIVE.
    pub fn is_active(&self) -> bool {
        self.status == ServiceStatus::Active
    }

    /// The PRIMARY deployment.
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.first()
    }

    /// A number from the deployment configuration.
    fn percent(&self, key: &str, default: u64) -> u64 {
        self.settings
            .get("deploymentConfiguration")
            .and_then(|config| config[key].as_u64())
            .unwrap_or(default)
    }

    /// `minimumHealthyPercent` of the desired count, rounded up.
    pub(super) fn minimum(&self) -> u32 {
        let default = if self.is_daemon() { 0 } else { 100 };
        share(self.desired, self.percent("minimumHealthyPercent", default), u64::div_ceil)
    }

    /// `maximumPercent` of the desired count, rounded down.
    pub(super) fn maximum(&self) -> u32 {
        let default = if self.is_daemon() { 100 } else { 200 };
        share(self.desired, self.percent("maximumPercent", default), |part, whole| part / whole)
    }

    /// AWS's seconds during which unhealthy targets are ignored.
    pub(super) fn grace(&self) -> u64 {
        self.settings.get("healthCheckGracePeriodSeconds").and_then(Value::as_u64).unwrap_or(0)
    }

    /// True if the service runs one task on each container instance.
    pub(super) fn is_daemon(&self) -> bool {
        self.settings.get("schedulingStrategy").is_some_and(|strategy| strategy == "DAEMON")
    }

    /// The deployment controller: ECS, CODE_DEPLOY or EXTERNAL.
    pub(super) fn controller(&self) -> &str {
        let controller = self.settings.get("deploymentController");
        controller.and_then(|controller| controller["type"].as_str()).unwrap_or("ECS")
    }

    /// The launch type.
    pub(super) fn launch_type(&self) -> &str {
        match self.provider() {
            Some(provider) if provider.starts_with("FARGATE") => "FARGATE",
            Some(_) => "EC2",
            None => self.settings.get("launchType").and_then(Value::as_str).unwrap_or("EC2"),
        }
    }

    /// The first capacity provider in the strategy.
    pub(super) fn provider(&self) -> Option<&str> {
        self.settings.get("capacityProviderStrategy")?[0]["capacityProvider"].as_str()
    }

    /// The deployment configuration; null before the first.
    pub(super) fn config(&self) -> Value {
        self.settings.get("deploymentConfiguration").cloned().unwrap_or_default()
    }

    /// Adds an event: `(service NAME) …`.
    pub(super) fn tell(&mut self, id: String, message: &str) {
        let message = format!("(service {}) {message}", self.name);
        self.events.push_front(Event { id, at: crate::clock::wall(), message });
        self.events.truncate(100);
    }
}

/// A percentage of a count, rounded by `round`.
fn share(count: u32, percent: u64, round: fn(u64, u64) -> u64) -> u32 {
    u32::try_from(round(u64::from(count) * percent, 100)).unwrap_or(u32::MAX)
}

/// Target groups from AWS's `loadBalancers`.
pub(super) fn load_balancers(list: &Value) -> Vec<LoadBalancer> {
    (list.as_array().into_iter().flatten())
        .filter_map(|item| {
            Some(LoadBalancer {
                group: item["targetGroupArn"].as_str()?.to_owned(),
                container: item["containerName"].as_str().unwrap_or_default().to_owned(),
                port: item["containerPort"]
                    .as_u64()
                    .and_then(|port| u16::try_from(port).ok())
                    .unwrap_or_default(),
            })
        })
        .collect()
}

/// The settings of a revision: a change of one starts a deployment.
pub(super) const REVISION_SETTINGS: [&str; 8] = [
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
];

/// The settings that DescribeServices shows for the service itself.
pub(super) const SERVICE_SETTINGS: [&str; 18] = [
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "platformFamily",
    "networkConfiguration",
    "serviceRegistries",
    "deploymentConfiguration",
    "deploymentController",
    "schedulingStrategy",
    "healthCheckGracePeriodSeconds",
    "placementConstraints",
    "placementStrategy",
    "enableECSManagedTags",
    "propagateTags",
    "enableExecuteCommand",
    "availabilityZoneRebalancing",
    "roleArn",
    "loadBalancers",
];

/// An empty list for settings that AWS always returns.
pub(super) fn empty_lists() -> Map<String, Value> {
    ["serviceRegistries", "placementConstraints", "placementStrategy", "loadBalancers"]
        .iter()
        .map(|key| ((*key).to_owned(), json!([])))
        .collect()
}
