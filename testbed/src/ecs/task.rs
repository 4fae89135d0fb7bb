//! Tasks, and AWS's description of tasks.

use super::definition::Definition;
use crate::image::Behavior;
use crate::tasks::Process;
use crate::world::epoch;
use serde_json::{Map, Value, json};
use std::time::{Instant, SystemTime};

/// A task's phase of life; `lastStatus` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Waiting for a network interface.
    #[default]
    Provisioning,
    /// Pulling images.
    Pending,
    /// All containers run.
    Running,
    /// Leaving its target groups.
    Deactivating,
    /// Ordered to end.
    Stopping,
    /// Ended.
    Stopped,
}

impl Phase {
    /// AWS's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
        }
    }

    /// True if the phase counts as pending.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Provisioning | Self::Pending)
    }
}

/// Reason for a task's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// `stopCode`: TaskFailedToStart, EssentialContainerExited, UserInitiated, ServiceSchedulerInitiated, …
    pub code: String,
    /// `stoppedReason`.
    pub reason: String,
}

/// A container of a task.
#[derive(Debug, Default)]
pub struct Container {
    /// The name in the task definition.
    pub name: String,
    /// The image reference in the task definition.
    pub image: String,
    /// The digest of the pulled image; `None` before the pull.
    pub digest: Option<String>,
    /// AWS's id of the container.
    pub(super) runtime_id: String,
    /// True if the task ends with this container.
    pub(super) essential: bool,
    /// The image's behavior.
    pub(super) behavior: Behavior,
    /// True if the process runs.
    pub(super) running: bool,
    /// True if the container has ended.
    pub(super) ended: bool,
    /// The process's exit code, once ended.
    pub exit_code: Option<i32>,
    /// AWS's reason, for pull errors and memory.
    pub reason: Option<String>,
    /// The ports: container port, host port, and the listening process.
    pub(super) ports: Vec<Port>,
    /// The health check, from the task definition.
    pub(super) health_check: Option<Value>,
}

/// One port of a container.
#[derive(Debug)]
pub(super) struct Port {
    /// The container's port.
    pub(super) container: u16,
    /// The host's port.
    pub(super) host: u16,
    /// The serving process.
    pub(super) process: Process,
}

/// A place in a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The target group's ARN.
    pub group: String,
    /// The target's id in the group.
    pub id: String,
    /// The target's port in the group.
    pub port: u16,
}

/// Times of a task's events.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Created.
    pub(super) created: Option<SystemTime>,
    /// The pull began.
    pub(super) pull_started: Option<SystemTime>,
    /// The pull ended.
    pub(super) pull_stopped: Option<SystemTime>,
    /// The task was RUNNING.
    pub(super) started: Option<SystemTime>,
    /// The task began to stop.
    pub(super) stopping: Option<SystemTime>,
    /// The containers ended.
    pub(super) execution_stopped: Option<SystemTime>,
    /// The task was STOPPED.
    pub(super) stopped: Option<SystemTime>,
}

/// One task.
#[derive(Debug, Default)]
pub struct Task {
    /// 32 hexadecimal digits.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// The ARN of the task's service.
    pub service: Option<String>,
    /// `service:NAME` or `family:NAME`.
    pub(super) group: String,
    /// The deployment's id for a service's task; else the value from RunTask's caller.
    pub started_by: String,
    /// The task definition's ARN.
    pub definition: String,
    /// `FARGATE` or `EC2`.
    pub(super) launch_type: String,
    /// The capacity provider, if a strategy chose one.
    pub(super) provider: Option<String>,
    /// CPU units and MiB, as in the task definition.
    pub(super) size: Map<String, Value>,
    /// The phase of life.
    pub phase: Phase,
    /// Time of creation, for the pace.
    pub(super) created: Option<Instant>,
    /// Start of the containers.
    pub(super) launched: Option<Instant>,
    /// Time of RUNNING.
    pub(super) running: Option<Instant>,
    /// Time at which the processes were ordered to end.
    pub(super) told: Option<Instant>,
    /// The network interface's address; only for awsvpc.
    pub address: Option<String>,
    /// The ARN of the container instance; only for EC2.
    pub(super) instance: Option<String>,
    /// The EC2 instance's id; only for EC2.
    pub(super) ec2: Option<String>,
    /// The availability zone.
    pub(super) zone: String,
    /// The containers.
    pub containers: Vec<Container>,
    /// The wanted target groups: ARN, container name and port.
    pub(super) wanted: Vec<super::service::LoadBalancer>,
    /// The current target groups.
    pub registrations: Vec<Registration>,
    /// Reason for the stop; `None` while the task should run.
    pub stop: Option<Stop>,
    /// True if the task was ever healthy.
    pub(super) was_healthy: bool,
    /// The reason for the end of an unhealthy task that waits for its replacement.
    pub(super) sick: Option<String>,
    /// True if the task ended because of a failure.
    pub(super) failed: bool,
    /// True if the deployment counted the failure.
    pub(super) counted: bool,
    /// True if an event reported the registration.
    pub(super) told_registered: bool,
    /// The tags, as sent.
    pub(super) tags: Vec<Value>,
    /// The times of events.
    pub(super) times: Times,
}

impl Task {
    /// True if the task should run.
    pub fn is_wanted(&self) -> bool {
        self.stop.is_none()
    }

    /// The task as AWS describes it; tags only if requested.
    pub(super) fn describe(&self, include_tags: bool) -> Value {
        let mut task = json!({
            "attachments": self.attachments(),
            "attributes": [{ "name": "ecs.cpu-architecture", "value": "x86_64" }],
            "availabilityZone": self.zone,
            "clusterArn": self.cluster,
            "containers": self.containers.iter().map(|container| self.describe_container(container)).collect::<Vec<_>>(),
            "desiredStatus": if self.is_wanted() { "RUNNING" } else { "STOPPED" },
            "enableExecuteCommand": false,
            "group": self.group,
            "healthStatus": self.health_status(),
            "lastStatus": self.phase.name(),
            "launchType": self.launch_type,
            "overrides": { "containerOverrides": [], "inferenceAcceleratorOverrides": [] },
            "tags": if include_tags { self.tags.clone() } else { Vec::new() },
            "taskArn": self.arn,
            "taskDefinitionArn": self.definition,
            "version": 1,
        });
        let fargate = self.launch_type == "FARGATE";
        let mut put = |key: &str, value: Value| {
            if !value.is_null() {
                task[key] = value;
            }
        };
        for (key, value) in &self.size {
            put(key, value.clone());
        }
        put("startedBy", if self.started_by.is_empty() { Value::Null } else { json!(self.started_by) });
        put("containerInstanceArn", json!(self.instance));
        put("capacityProviderName", json!(self.provider));
        put("platformVersion", if fargate { json!("1.4.0") } else { Value::Null });
        put("platformFamily", if fargate { json!("Linux") } else { Value::Null });
        put("ephemeralStorage", if fargate { json!({ "sizeInGiB": 20 }) } else { Value::Null });
        if let Some(stop) = &self.stop {
            put("stopCode", json!(stop.code));
            put("stoppedReason", json!(stop.reason));
        }
        if self.times.pull_started.is_some() {
            put("connectivity", json!("CONNECTED"));
        }
        let times = &self.times;
        for (key, at) in [
            ("createdAt", times.created),
            ("connectivityAt", times.pull_started),
            ("pullStartedAt", times.pull_started),
            ("pullStoppedAt", times.pull_stopped),
            ("startedAt", times.started),
            ("stoppingAt", times.stopping),
            ("executionStoppedAt", times.execution_stopped),
            ("stoppedAt", times.stopped),
        ] {
            put(key, json!(at.map(epoch)));
        }
        task
    }

    /// The network interface of an awsvpc task.
    fn attachments(&self) -> Value {
        let Some(address) = &self.address else { return json!([]) };
        let status = match self.phase {
            Phase::Provisioning => "ATTACHING",
            Phase::Pending | Phase::Running | Phase::Deactivating | Phase::Stopping => "ATTACHED",
            Phase::Stopped => "DELETED",
        };
        let eni = format!("eni-{}", &self.id[..17]);
        let dns = format!("ip-{}.eu-west-1.compute.internal", address.replace('.', "-"));
        let details = [
            ("subnetId", "subnet-0a1b2c3d4e5f60001"),
            ("networkInterfaceId", eni.as_str()),
            ("macAddress", "0a:58:a9:fe:ac:02"),
            ("privateDnsName", dns.as_str()),
            ("privateIPv4Address", address.as_str()),
        ];
        let told = details.into_iter().filter(|(name, _)| !is_ipv6(address) || !name.starts_with("private"));
        let details: Vec<Value> = told.map(|(name, value)| json!({ "name": name, "value": value })).collect();
        json!([{ "id": self.attachment_id(), "type": "ElasticNetworkInterface", "status": status, "details": details }])
    }

    /// The id of the network interface's attachment.
    fn attachment_id(&self) -> String {
        let id = &self.id;
        format!("{}-{}-{}-{}-{}", &id[24..], &id[8..12], &id[12..16], &id[16..20], &id[..12])
    }

    /// A container as AWS describes it.
    fn describe_container(&self, container: &Container) -> Value {
        let status = match (container.running, container.ended) {
            (_, true) => "STOPPED",
            (true, false) => "RUNNING",
            (false, false) => "PENDING",
        };
        let mut answer = json!({
            "containerArn": format!("{}/{}", self.arn.replace(":task/", ":container/"), container.runtime_id),
            "taskArn": self.arn,
            "name": container.name,
            "image": container.image,
            "lastStatus": status,
            "networkBindings": if self.address.is_some() { json!([]) } else { bindings(container) },
            "networkInterfaces": self.interfaces(),
            "healthStatus": self.container_health(container),
            "cpu": "0",
        });
        for (key, value) in [
            ("imageDigest", json!(container.digest)),
            ("runtimeId", if container.running { json!(container.runtime_id) } else { Value::Null }),
            ("exitCode", json!(container.exit_code)),
            ("reason", json!(container.reason)),
        ] {
            if !value.is_null() {
                answer[key] = value;
            }
        }
        answer
    }

    /// The network interface as a container sees it.
    fn interfaces(&self) -> Value {
        match &self.address {
            // ECS and the load balancer may spell an address differently (unconfirmed): here they do.
            Some(address) if is_ipv6(address) => {
                json!([{ "attachmentId": self.attachment_id(), "ipv6Address": address.to_uppercase().replace("::", ":0:0:0:0:") }])
            }
            Some(address) => json!([{ "attachmentId": self.attachment_id(), "privateIpv4Address": address }]),
            None => json!([]),
        }
    }

    /// A container's health; UNKNOWN without its own health check.
    pub(super) fn container_health(&self, container: &Container) -> &'static str {
        match (&container.health_check, self.running) {
            (Some(_), Some(_)) if container.behavior.unhealthy => "UNHEALTHY",
            (Some(_), Some(_)) => "HEALTHY",
            (Some(_), None) | (None, _) => "UNKNOWN",
        }
    }

    /// The health of the essential containers with health checks.
    pub(super) fn health_status(&self) -> &'static str {
        let healths: Vec<&str> = (self.containers.iter())
            .filter(|container| container.essential && container.health_check.is_some())
            .map(|container| self.container_health(container))
            .collect();
        if healths.contains(&"UNHEALTHY") {
            "UNHEALTHY"
        } else if !healths.is_empty() && healths.iter().all(|health| *health == "HEALTHY") {
            "HEALTHY"
        } else {
            "UNKNOWN"
        }
    }

    /// The containers of a task of this definition.
    pub(super) fn containers_of(
        definition: &Definition,
        mut runtime_id: impl FnMut() -> String,
    ) -> Vec<Container> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (definition.containers().iter())
            .map(|container| Container {
                name: text(&container["name"]),
                image: text(&container["image"]),
                essential: container["essential"] != false,
                runtime_id: runtime_id(),
                health_check: Some(&container["healthCheck"]).filter(|check| !check.is_null()).cloned(),
                ..Container::default()
            })
            .collect()
    }
}

/// True for an IPv6 address.
fn is_ipv6(address: &str) -> bool {
    address.contains(':')
}

/// The host ports of a container, for bridge and host networking.
fn bindings(container: &Container) -> Value {
    let all = container.ports.iter().map(|port| {
        json!({ "bindIP": "0.0.0.0", "containerPort": port.container, "hostPort": port.host, "protocol": "tcp" })
    });
    Value::Array(all.collect())
}
