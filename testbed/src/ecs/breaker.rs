//! The deployment circuit breaker, rollbacks, and their service deployments.

use super::deploy;
use super::scheduler::tell;
use super::service::{RolloutState, Service, ServiceDeployment};
use crate::world::World;
use serde_json::Value;

/// Number of failures that trip the breaker: half of the desired count, rounded up, at least 3 and at most 200, unless
/// the service has its own threshold (API_DeploymentCircuitBreaker, thresholdConfiguration).
pub(super) fn threshold(config: &Value, desired: u32) -> u32 {
    let own = &config["deploymentCircuitBreaker"]["thresholdConfiguration"];
    let value = own["value"].as_u64().unwrap_or(50);
    let percent = || u32::try_from((u64::from(desired) * value).div_ceil(100)).unwrap_or(u32::MAX);
    match own["type"].as_str().unwrap_or("BOUNDED_PERCENT") {
        "COUNT" => u32::try_from(value).unwrap_or(u32::MAX).max(1),
        "UNBOUNDED_PERCENT" => percent().max(1),
        _ => percent().clamp(3, 200),
    }
}

/// True if the breaker is enabled.
pub(super) fn is_enabled(config: &Value) -> bool {
    config["deploymentCircuitBreaker"]["enable"] == true
}

/// Trips the breaker after enough failures of the PRIMARY deployment, and carries out requests of users.
pub(super) fn check(world: &mut World, service: &mut Service) {
    let config = service.config();
    let Some(primary) = service.primary() else { return };
    let (failed, open) = (primary.failed, primary.rollout == RolloutState::InProgress);
    let limit = threshold(&config, service.desired);
    // A tripped breaker keeps this state to the end, even during the rollback.
    let watches = |current: &&mut ServiceDeployment| current.is_open() && current.breaker.0 != "TRIGGERED";
    if open && let Some(current) = service.history.first_mut().filter(watches) {
        let state = if is_enabled(&config) { "MONITORING" } else { "DISABLED" };
        current.breaker = (state, failed, limit);
    }
    let asked = service.history.first().map_or("", |current| current.status);
    if asked == "ROLLBACK_REQUESTED" {
        return roll_back(
            world,
            service,
            "Service deployment rolled back because StopServiceDeployment was called.",
        );
    }
    if asked == "STOP_REQUESTED" {
        return abort(service);
    }
    if open && is_enabled(&config) && failed >= limit {
        trip(world, service, &config);
    }
}

/// Ends a deployment without a rollback.
fn abort(service: &mut Service) {
    if let Some(primary) = service.deployments.first_mut() {
        primary.rollout = RolloutState::Failed;
        primary.reason = format!("ECS deployment {} stopped.", primary.id);
        primary.updated_at = crate::clock::wall();
    }
    if let Some(current) = service.history.first_mut() {
        current.set("STOPPED", Some("Service deployment stopped by StopServiceDeployment.".to_owned()));
        current.stopped_at = current.finished_at;
    }
}

/// The cause of a deployment's end.
struct Cause {
    /// The text in the event, and in the reason of the rollout's state.
    event: &'static str,
    /// The finder in the reason of the rollout's state.
    finder: &'static str,
    /// The text in the service deployment's reason.
    because: String,
    /// True if the service wants a rollback.
    rollback: bool,
}

/// The breaker trips.
fn trip(world: &mut World, service: &mut Service, config: &Value) {
    if let Some(current) = service.history.first_mut() {
        current.breaker.0 = "TRIGGERED";
    }
    let cause = Cause {
        event: "tasks failed to start.",
        finder: "ECS deployment circuit breaker",
        because: "the circuit breaker threshold was exceeded".to_owned(),
        rollback: config["deploymentCircuitBreaker"]["rollback"] == true,
    };
    fail(world, service, &cause);
}

/// Fails the deployment, and rolls back if wanted and possible.
fn fail(world: &mut World, service: &mut Service, cause: &Cause) {
    let Some(primary) = service.deployments.first_mut() else { return };
    let was_rollback =
        service.history.first().is_some_and(|current| current.status == "ROLLBACK_IN_PROGRESS");
    primary.rollout = RolloutState::Failed;
    primary.reason = format!("{}: {}", cause.finder, cause.event);
    primary.updated_at = crate::clock::wall();
    let text = format!("(deployment {}) deployment failed: {}", primary.id, cause.event);
    tell(world, service, &text);
    let because = &cause.because;
    if was_rollback {
        close(service, "ROLLBACK_FAILED", &format!("Service deployment rollback failed because {because}."));
    } else if cause.rollback && service.completed.is_some() {
        roll_back(world, service, &format!("Service deployment rolled back because {because}."));
    } else {
        close(service, "STOPPED", &format!("Service deployment stopped because {because}."));
    }
}

impl World {
    /// A CloudWatch alarm of a service's deployment configuration fires. Nothing happens without a deployment in
    /// progress or without `alarms` enabled.
    pub fn trigger_alarm(&mut self, cluster: &str, name: &str, alarm: &str) {
        let path = format!(":service/{cluster}/{name}");
        let Some(index) = self.ecs.services.iter().position(|service| service.arn.ends_with(&path)) else {
            return;
        };
        let mut service = std::mem::take(&mut self.ecs.services[index]);
        let config = service.config()["alarms"].clone();
        let open = service.primary().is_some_and(|primary| primary.rollout == RolloutState::InProgress);
        if open && config["enable"] == true {
            if let Some(current) = service.history.first_mut() {
                current.alarms.push(alarm.to_owned());
            }
            let cause = Cause {
                event: "alarm detected.",
                finder: "ECS deployment failed",
                because: format!("the alarm {alarm} was in the ALARM state"),
                rollback: config["rollback"] == true,
            };
            fail(self, &mut service, &cause);
        }
        self.ecs.services[index] = service;
    }
}

/// Ends the current service deployment.
fn close(service: &mut Service, status: &'static str, reason: &str) {
    if let Some(current) = service.history.first_mut() {
        current.set(status, Some(reason.to_owned()));
        if status == "STOPPED" {
            current.stopped_at = current.finished_at;
        }
    }
}

/// Rolls back: a new deployment of the last completed revision becomes PRIMARY.
pub(super) fn roll_back(world: &mut World, service: &mut Service, reason: &str) {
    let Some(revision) = service.completed.clone() else {
        return close(service, "ROLLBACK_FAILED", "There is no service revision to roll back to.");
    };
    let id = deploy::new_deployment_id(world);
    if let Some(failed) = service.deployments.first_mut() {
        if failed.rollout != RolloutState::Failed {
            failed.reason = format!("ECS deployment {} stopped.", failed.id);
        }
        failed.rollout = RolloutState::Failed;
        failed.desired = 0;
    }
    tell(world, service, &format!("rolling back to deployment {id}."));
    if let Some(current) = service.history.first_mut() {
        current.set("ROLLBACK_IN_PROGRESS", Some(reason.to_owned()));
        current.rollback = Some((reason.to_owned(), crate::clock::wall(), revision.arn.clone()));
    }
    service.settings.extend(revision.settings.clone());
    service.settings.insert("loadBalancers".to_owned(), revision.load_balancers_json.clone());
    let finder =
        if reason.contains("circuit breaker") { "ECS deployment circuit breaker" } else { "ECS deployment" };
    let text = format!("{finder}: rolling back to deploymentId {id}.");
    deploy::push(service, id, revision, text);
}

/// The PRIMARY deployment has completed: so has the service deployment, or its rollback.
pub(super) fn succeed(service: &mut Service) {
    let Some(current) = service.history.first_mut().filter(|current| current.is_open()) else { return };
    if current.breaker.0 == "MONITORING" {
        current.breaker.0 = "MONITORING_COMPLETE";
    }
    match current.status {
        "ROLLBACK_IN_PROGRESS" => current.set("ROLLBACK_SUCCESSFUL", None),
        _ => current.set("SUCCESSFUL", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn threshold_is_half_of_the_desired_count_between_3_and_200() {
        let none = json!({});
        let found: Vec<u32> =
            [0, 1, 6, 7, 25, 400, 401, 1000].iter().map(|count| threshold(&none, *count)).collect();
        assert_eq!(found, [3, 3, 3, 4, 13, 200, 200, 200]);
    }

    #[test]
    fn threshold_follows_the_configuration() {
        let of = |kind: &str, value: u32, desired| {
            let own = json!({ "thresholdConfiguration": { "type": kind, "value": value } });
            threshold(&json!({ "deploymentCircuitBreaker": own }), desired)
        };
        assert_eq!(of("COUNT", 1, 50), 1);
        assert_eq!(of("BOUNDED_PERCENT", 10, 50), 5);
        assert_eq!(of("BOUNDED_PERCENT", 10, 10), 3);
        assert_eq!(of("UNBOUNDED_PERCENT", 10, 10), 1);
        assert_eq!(of("UNBOUNDED_PERCENT", 200, 300), 600);
    }
}
