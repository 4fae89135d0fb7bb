//! Services as ECS describes them.

use aws_sdk_ecs::types::{self as ecs, DeploymentRolloutState, ThresholdType};

use super::clients::Aws;
use super::errors::{read_error, unexpected_response};
use super::values::{to_count, to_duration, to_port, to_text, to_time};
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::color::ServiceColor;
use crate::plan::snapshot::{
    Breaker, Deployment, Link, Rollout, Service, ServiceEvent, ServiceStatus, Setup, Threshold,
};

/// The IAM action of DescribeServices.
const DESCRIBE_SERVICES: &str = "ecs:DescribeServices";

/// The services found, and the missing ones.
pub(super) type DescribedServices = (Vec<Service>, Vec<(ServiceColor, String)>);

impl Aws {
    /// Describes the named services in one call (ECS accepts up to 10), in the order of the names.
    pub(super) async fn services(
        &self,
        cluster: &str,
        names: &[(ServiceColor, String)],
    ) -> AwsResult<DescribedServices> {
        let asked: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
        let told = format!("{} in cluster {cluster}", asked.join(", "));
        let answer = self
            .ecs
            .describe_services()
            .cluster(cluster)
            .set_services(Some(asked.iter().map(|name| (*name).to_owned()).collect()))
            .send()
            .await
            .map_err(read_error(DESCRIBE_SERVICES, &told))?;
        if let Some(reason) = answer.failures().iter().find_map(unexpected_failure) {
            return Err(unexpected_response(AwsErrorKind::Refused, DESCRIBE_SERVICES, &told, &reason));
        }
        let mut found: DescribedServices = (Vec::new(), Vec::new());
        for (color, name) in names {
            let same = |service: &&ecs::Service| {
                service.service_name() == Some(name) || service.service_arn() == Some(name)
            };
            match answer.services().iter().find(same) {
                Some(known) => found.0.push(service_from_aws(*color, known)),
                None => found.1.push((*color, name.clone())),
            }
        }
        Ok(found)
    }
}

/// Reason why a service could not be described, other than missing (`MISSING`).
fn unexpected_failure(failure: &ecs::Failure) -> Option<String> {
    let reason = failure.reason().unwrap_or("no reason given");
    (reason != "MISSING").then(|| format!("{}: {reason}", to_text(failure.arn())))
}

/// One service without the parts that need further calls.
pub(super) fn service_from_aws(color: ServiceColor, from: &ecs::Service) -> Service {
    Service {
        color,
        name: to_text(from.service_name()),
        status: match from.status() {
            Some("ACTIVE") => ServiceStatus::Active,
            Some("DRAINING") => ServiceStatus::Draining,
            _ => ServiceStatus::Inactive,
        },
        task_definition: to_text(from.task_definition()),
        desired: to_count(from.desired_count()),
        running: to_count(from.running_count()),
        pending: to_count(from.pending_count()),
        deployments: from.deployments().iter().map(deployment_from_aws).collect(),
        setup: service_setup(from),
        events: from.events().iter().take(100).map(event_from_aws).collect(),
        group: None,
        targets: None,
        definition: None,
        tasks: None,
        stopped: None,
        history: None,
        scaling: None,
        scalers: None,
    }
}

/// A service's setup. A missing field has the documented default (API_CreateService).
fn service_setup(from: &ecs::Service) -> Setup {
    let deployment = from.deployment_configuration();
    let alarms = deployment.and_then(|with| with.alarms()).filter(|alarms| alarms.enable());
    Setup {
        controller: from.deployment_controller().map_or("ECS", |it| it.r#type().as_str()).to_owned(),
        strategy: deployment.and_then(|with| with.strategy()).map_or("ROLLING", |it| it.as_str()).to_owned(),
        scheduling: from.scheduling_strategy().map_or("REPLICA", |it| it.as_str()).to_owned(),
        minimum_percent: to_count(deployment.and_then(|with| with.minimum_healthy_percent()).unwrap_or(100)),
        maximum_percent: to_count(deployment.and_then(|with| with.maximum_percent()).unwrap_or(200)),
        breaker: deployment.and_then(|with| with.deployment_circuit_breaker()).and_then(circuit_breaker),
        alarms: alarms.map(|alarms| alarms.alarm_names().to_vec()).unwrap_or_default(),
        alarms_roll_back: alarms.is_some_and(|alarms| alarms.rollback()),
        grace: to_duration(from.health_check_grace_period_seconds()),
        links: from.load_balancers().iter().map(load_balancer_link).collect(),
    }
}

/// The circuit breaker, if enabled.
fn circuit_breaker(from: &ecs::DeploymentCircuitBreaker) -> Option<Breaker> {
    let threshold = from.threshold_configuration().and_then(|own| match own.r#type() {
        ThresholdType::BoundedPercent => Some(Threshold::BoundedPercent(to_count(own.value()))),
        ThresholdType::UnboundedPercent => Some(Threshold::UnboundedPercent(to_count(own.value()))),
        ThresholdType::Count => Some(Threshold::Count(to_count(own.value()))),
        _ => None,
    });
    from.enable().then(|| Breaker { rollback: from.rollback(), threshold })
}

/// One entry of `loadBalancers`.
fn load_balancer_link(from: &ecs::LoadBalancer) -> Link {
    Link {
        group: from.target_group_arn().map(str::to_owned),
        container: to_text(from.container_name()),
        port: to_port(from.container_port()),
    }
}

/// One deployment.
fn deployment_from_aws(from: &ecs::Deployment) -> Deployment {
    Deployment {
        id: to_text(from.id()),
        primary: from.status() == Some("PRIMARY"),
        task_definition: to_text(from.task_definition()),
        desired: to_count(from.desired_count()),
        running: to_count(from.running_count()),
        pending: to_count(from.pending_count()),
        failed: to_count(from.failed_tasks()),
        rollout: match from.rollout_state() {
            Some(DeploymentRolloutState::InProgress) => Rollout::InProgress,
            Some(DeploymentRolloutState::Completed) => Rollout::Completed,
            Some(DeploymentRolloutState::Failed) => Rollout::Failed,
            _ => Rollout::Unknown,
        },
        reason: to_text(from.rollout_state_reason()),
        created: to_time(from.created_at()),
        updated: to_time(from.updated_at()),
    }
}

/// One event.
fn event_from_aws(from: &ecs::ServiceEvent) -> ServiceEvent {
    ServiceEvent { at: to_time(from.created_at()), message: to_text(from.message()) }
}
