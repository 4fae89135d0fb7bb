//! AWS's checks on services.

use super::definition::Definition;
use super::input::{invalid, text};
use super::service::load_balancers;
use crate::elb::TargetType;
use crate::wire::ApiError;
use crate::world::World;
use serde_json::Value;

/// The wanted state of a service: its settings after the call, in AWS's field names.
pub(super) struct Wanted<'a> {
    /// All settings.
    pub(super) settings: &'a Value,
    /// The task definition.
    pub(super) definition: &'a Definition,
}

/// Checks launch type, network, target groups, percentages and grace period against each other.
pub(super) fn check(world: &World, wanted: &Wanted<'_>) -> Result<(), ApiError> {
    let settings = wanted.settings;
    let provider = settings["capacityProviderStrategy"][0]["capacityProvider"].as_str();
    let launch_type = match provider {
        Some(provider) if provider.starts_with("FARGATE") => "FARGATE",
        Some(_) => "EC2",
        None => text(settings, "launchType").unwrap_or("EC2"),
    };
    if !wanted.definition.supports(launch_type) {
        return Err(invalid(format!("Task definition does not support launch_type {launch_type}.")));
    }
    check_network(wanted)?;
    check_load_balancers(world, wanted)?;
    check_configuration(settings)?;
    let has_group = settings["loadBalancers"].as_array().is_some_and(|list| !list.is_empty());
    if !has_group && settings["healthCheckGracePeriodSeconds"].as_u64().is_some_and(|grace| grace > 0) {
        return Err(invalid(
            "Health check grace period is only valid for services configured to use load balancers",
        ));
    }
    Ok(())
}

/// awsvpc needs a network configuration, other modes accept none.
fn check_network(wanted: &Wanted<'_>) -> Result<(), ApiError> {
    let given = !wanted.settings["networkConfiguration"].is_null();
    match (wanted.definition.network_mode() == "awsvpc", given) {
        (true, false) => {
            Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."))
        }
        (false, true) => Err(invalid(
            "Network Configuration is not valid for the given networkMode of this task definition.",
        )),
        (true, true) | (false, false) => Ok(()),
    }
}

/// Target groups exist, are used by a load balancer, fit the network mode, and name a container and its port.
fn check_load_balancers(world: &World, wanted: &Wanted<'_>) -> Result<(), ApiError> {
    let list = &wanted.settings["loadBalancers"];
    if list.as_array().is_some_and(|list| list.len() > 5) {
        return Err(invalid("load balancers can have at most 5 items."));
    }
    for one in load_balancers(list) {
        let group = &one.group;
        if !world.elb.group_exists(group) {
            return Err(invalid(format!("The target group with targetGroupArn {group} does not exist.")));
        }
        if world.elb.load_balancer_of(group).is_none() {
            return Err(invalid(format!(
                "The target group with targetGroupArn {group} does not have an associated load balancer."
            )));
        }
        check_container(wanted.definition, &one.container, one.port)?;
        let awsvpc = wanted.definition.network_mode() == "awsvpc";
        let (is, mode) = match (world.elb.target_type(group), awsvpc) {
            (Some(TargetType::Instance), true) => ("instance", "awsvpc"),
            (Some(TargetType::Ip), false) => ("ip", wanted.definition.network_mode()),
            (Some(_) | None, _) => continue,
        };
        return Err(invalid(format!(
            "The provided target group {group} has target type {is}, which is incompatible with the {mode} network \
             mode specified in the task definition."
        )));
    }
    Ok(())
}

/// The container and port exist in the task definition.
fn check_container(definition: &Definition, name: &str, port: u16) -> Result<(), ApiError> {
    let Some(container) = definition.container(name) else {
        return Err(invalid(format!("The container {name} does not exist in the task definition.")));
    };
    let mut mappings = container["portMappings"].as_array().into_iter().flatten();
    if mappings.any(|mapping| mapping["containerPort"] == port) {
        return Ok(());
    }
    Err(invalid(format!("The container {name} did not have a container port {port} defined.")))
}

/// Percentages, circuit breaker and strategy.
fn check_configuration(settings: &Value) -> Result<(), ApiError> {
    let config = &settings["deploymentConfiguration"];
    let daemon = settings["schedulingStrategy"] == "DAEMON";
    let minimum = config["minimumHealthyPercent"].as_i64().unwrap_or(if daemon { 0 } else { 100 });
    let maximum = config["maximumPercent"].as_i64().unwrap_or(if daemon { 100 } else { 200 });
    if minimum == 100 && maximum == 100 && !daemon {
        return Err(invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.",
        ));
    }
    if minimum < 0 || maximum < 0 || minimum > maximum {
        return Err(invalid("maximumPercent cannot be less than minimumHealthyPercent."));
    }
    let controller = settings["deploymentController"]["type"].as_str().unwrap_or("ECS");
    if controller != "ECS" && config["deploymentCircuitBreaker"]["enable"] == true {
        return Err(invalid(
            "Deployment circuit breaker feature can only be configured with ECS deployment controller.",
        ));
    }
    check_breaker(&config["deploymentCircuitBreaker"])?;
    check_strategy(settings, controller)
}

/// The breaker's threshold.
fn check_breaker(breaker: &Value) -> Result<(), ApiError> {
    let own = &breaker["thresholdConfiguration"];
    if own.is_null() {
        return Ok(());
    }
    let kinds = ["BOUNDED_PERCENT", "UNBOUNDED_PERCENT", "COUNT"];
    if !own["type"].as_str().is_some_and(|kind| kinds.contains(&kind)) {
        return Err(invalid(
            "thresholdConfiguration.type must be one of BOUNDED_PERCENT, UNBOUNDED_PERCENT, COUNT.",
        ));
    }
    if own["value"].as_i64().is_some_and(|value| value > 0) {
        return Ok(());
    }
    Err(invalid("thresholdConfiguration.value must be greater than 0."))
}

/// The deployment strategy: traffic-shifting strategies need the ECS controller and a second target group.
fn check_strategy(settings: &Value, controller: &str) -> Result<(), ApiError> {
    let config = &settings["deploymentConfiguration"];
    let strategy = config["strategy"].as_str().unwrap_or("ROLLING");
    if !["ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"].contains(&strategy) {
        return Err(invalid(format!("Unknown deployment strategy {strategy}.")));
    }
    if strategy == "ROLLING" {
        return Ok(());
    }
    if controller != "ECS" {
        return Err(invalid(format!(
            "The {strategy} deployment strategy requires the ECS deployment controller."
        )));
    }
    if config["earlySuccessCriteria"]["enable"] == true {
        return Err(invalid("Early success criteria can only be used with the ROLLING deployment strategy."));
    }
    let mut groups = settings["loadBalancers"].as_array().into_iter().flatten();
    if groups.any(|group| group["advancedConfiguration"].is_null()) {
        return Err(invalid(format!(
            "advancedConfiguration field is required for all loadBalancers when using a {strategy} deployment."
        )));
    }
    Ok(())
}
