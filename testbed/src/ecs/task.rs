//! Tasks: what one is, and how AWS describes it.

use super::definition::Definition;
use crate::image::Behavior;
use crate::tasks::Process;
use crate::world::epoch;
use serde_json::{Map, Value, json};
use std::time::{Instant, SystemTime};

/// Where a task is in its life; `lastStatus` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Getting its network interface.
    #[default]
    Provisioning,
    /// Pulling images.
    Pending,
    /// All containers run.
    Running,
    /// Being taken out of its target groups.
    Deactivating,
    /// Told to end.
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

    /// Whether it counts as pending.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Provisioning | Self::Pending)
    }
}

/// Why a task stops.
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
    /// Its name in the task definition.
    pub name: String,
    /// The image reference in the task definition.
    pub image: String,
    /// The digest that was pulled; `None` before.
    pub digest: Option<String>,
    /// AWS's id of it.
    pub(super) runtime_id: String,
    /// Whether the task ends with it.
    pub(super) essential: bool,
    /// What its image does.
    pub(super) behavior: Behavior,
    /// Whether its process runs.
    pub(super) running: bool,
    /// Whether it has ended.
    pub(super) ended: bool,
    /// The process's exit code, once it ended.
    pub exit_code: Option<i32>,
    /// AWS's reason, for pull errors and memory.
    pub reason: Option<String>,
    /// Its ports: container port, host port, and the process that listens.
    pub(super) ports: Vec<Port>,
    /// Its health check, from the task definition.
    pub(super) health_check: Option<Value>,
}

/// One port of a container.
#[derive(Debug)]
pub(super) struct Port {
    /// As the container sees it.
    pub(super) container: u16,
    /// As the host sees it.
    pub(super) host: u16,
    /// Serves it.
    pub(super) process: Process,
}

/// A place in a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The target group's ARN.
    pub group: String,
    /// The target's id there.
    pub id: String,
    /// The target's port there.
    pub port: u16,
}

/// When things happened to a task.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Created.
    pub(super) created: Option<SystemTime>,
    /// The pull began.
    pub(super) pull_started: Option<SystemTime>,
    /// The pull ended.
    pub(super) pull_stopped: Option<SystemTime>,
    /// It was RUNNING.
    pub(super) started: Option<SystemTime>,
    /// It began to stop.
    pub(super) stopping: Option<SystemTime>,
    /// Its containers ended.
    pub(super) execution_stopped: Option<SystemTime>,
    /// It was STOPPED.
    pub(super) stopped: Option<SystemTime>,
}

/// One task.
#[derive(Debug, Default)]
pub struct Task {
    /// 32 hexadecimal digits.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// The ARN of the service that it belongs to.
    pub service: Option<String>,
    /// `service:NAME` or `family:NAME`.
    pub(super) group: String,
    /// The deployment's id for tasks of services; what RunTask's caller said for others.
    pub started_by: String,
    /// The task definition's ARN.
    pub definition: String,
    /// `FARGATE` or `EC2`.
    pub(super) launch_type: String,
    /// The capacity provider, where a strategy chose one.
    pub(super) provider: Option<String>,
    /// CPU units and MiB, as in the task definition.
    pub(super) size: Map<String, Value>,
    /// Where it is in its life.
    pub phase: Phase,
    /// When it came into being, for the pace.
    pub(super) created: Option<Instant>,
    /// When its containers started.
    pub(super) launched: Option<Instant>,
    /// When it was RUNNING.
    pub(super) running: Option<Instant>,
    /// When its processes were told to end.
    pub(super) told: Option<Instant>,
    /// Its network interface's address; for awsvpc only.
    pub address: Option<String>,
    /// The ARN of the container instance; for EC2 only.
    pub(super) instance: Option<String>,
    /// The EC2 instance's id; for EC2 only.
    pub(super) ec2: Option<String>,
    /// Its availability zone.
    pub(super) zone: String,
    /// Its containers.
    pub containers: Vec<Container>,
    /// The target groups that it is to be in: ARN, container name and port.
    pub(super) wanted: Vec<super::service::LoadBalancer>,
    /// The target groups that it is in.
    pub registrations: Vec<Registration>,
    /// Why it stops; `None` while it is to run.
    pub stop: Option<Stop>,
    /// Whether it was healthy at some time.
    pub(super) was_healthy: bool,
    /// It is unhealthy now and waits for its replacement: the reason of its end.
    pub(super) sick: Option<String>,
    /// It ended, or was ended, because something is wrong with it.
    pub(super) failed: bool,
    /// The failure was counted by its deployment.
    pub(super) counted: bool,
    /// Its registration was told in an event.
    pub(super) told_registered: bool,
    /// Its tags, as sent.
    pub(super) tags: Vec<Value>,
    /// When things happened.
    pub(super) times: Times,
}

impl Task {
    /// Whether it is meant to run.
    pub fn is_wanted(&self) -> bool {
        self.stop.is_none()
    }

    /// As AWS describes it; tags only when asked for.
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
            // Whether ECS and the load balancer spell an address alike is unconfirmed: here they do not.
            Some(address) if is_ipv6(address) => {
                json!([{ "attachmentId": self.attachment_id(), "ipv6Address": address.to_uppercase().replace("::", ":0:0:0:0:") }])
            }
            Some(address) => json!([{ "attachmentId": self.attachment_id(), "privateIpv4Address": address }]),
            None => json!([]),
        }
    }

    /// A container's health; UNKNOWN without a health check of its own.
    pub(super) fn container_health(&self, container: &Container) -> &'static str {
        match (&container.health_check, self.running) {
            (Some(_), Some(_)) if container.behavior.unhealthy => "UNHEALTHY",
            (Some(_), Some(_)) => "HEALTHY",
            (Some(_), None) | (None, _) => "UNKNOWN",
        }
    }

    /// The task's health: that of its essential containers with health checks.
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

    /// The containers that a task of this definition will have.
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

/// Whether an address is an IPv6 address.
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
