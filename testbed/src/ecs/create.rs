//! CreateService.

use super::definition;
use super::input::{count, invalid, required, text};
use super::service::{SERVICE_SETTINGS, Service, ServiceStatus};
use super::{cluster, deploy, describe, validate};
use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Map, Value, json};

/// `CreateService`.
pub(super) fn create(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let name = required(input, "serviceName")?.to_owned();
    if name.len() > 255 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(invalid(
            "Invalid service name. Must contain only alphanumeric characters, hyphens, and underscores.",
        ));
    }
    if let Some(answer) = existing(world, input, &cluster, &name)? {
        return Ok(answer);
    }
    let desired = desired(input)?;
    let settings = settings(input);
    let controller = settings["deploymentController"]["type"].as_str().unwrap_or("ECS").to_owned();
    let definition = match text(input, "taskDefinition") {
        Some(wanted) => Some(definition::usable(world, wanted)?),
        None if controller == "EXTERNAL" => None,
        None => return Err(invalid("TaskDefinition can not be blank.")),
    };
    if let Some(definition) = definition {
        let all = Value::Object(settings.clone());
        validate::check(world, &validate::Wanted { settings: &all, definition })?;
    }
    if controller == "CODE_DEPLOY" && settings["loadBalancers"].as_array().is_none_or(Vec::is_empty) {
        return Err(invalid(
            "Load balancers must be specified for services using the CODE_DEPLOY deployment controller.",
        ));
    }
    let definition = definition.map(|definition| definition.arn.clone());
    let path = cluster.rsplit('/').next().unwrap_or_default();
    let mut service = Service {
        arn: world.arn("ecs", &format!("service/{path}/{name}")),
        name,
        cluster,
        desired,
        settings,
        tags: input["tags"].as_array().cloned().unwrap_or_default(),
        created_at: Some(crate::clock::wall()),
        client_token: text(input, "clientToken").map(str::to_owned),
        ..Service::default()
    };
    if let Some(definition) = definition {
        deploy::start(world, &mut service, &definition);
    }
    let answer = json!({ "service": describe::one(world, &service) });
    world.ecs.services.retain(|other| other.arn != service.arn);
    world.ecs.services.push(service);
    Ok(answer)
}

/// The effect of an existing service with this name on the call: an answer for the same token, an error for a service
/// in use, nothing for a deleted service.
fn existing(world: &World, input: &Value, cluster: &str, name: &str) -> Result<Option<Value>, ApiError> {
    let mut services = world.ecs.services.iter();
    let Some(service) = services.find(|service| service.cluster == cluster && service.name == name) else {
        return Ok(None);
    };
    match service.status {
        ServiceStatus::Active => {
            let token = text(input, "clientToken");
            if token.is_some() && token == service.client_token.as_deref() {
                return Ok(Some(json!({ "service": describe::one(world, service) })));
            }
            Err(invalid("Creation of service was not idempotent."))
        }
        ServiceStatus::Draining => Err(invalid("Unable to Start a service that is still Draining.")),
        ServiceStatus::Inactive => Ok(None),
    }
}

/// The desired count; DAEMON accepts none.
fn desired(input: &Value) -> Result<u32, ApiError> {
    let given = count(input, "desiredCount")?;
    if input["schedulingStrategy"] != "DAEMON" {
        return Ok(given.unwrap_or(1));
    }
    if given.is_some() {
        return Err(invalid(
            "The daemon scheduling strategy does not support a desired count for services. Remove the desired count \
             value and try again",
        ));
    }
    if input["launchType"] == "FARGATE" {
        return Err(invalid("The daemon scheduling strategy is not supported by the FARGATE launch type."));
    }
    Ok(0)
}

/// The settings of a new service, with AWS's defaults.
fn settings(input: &Value) -> Map<String, Value> {
    let daemon = input["schedulingStrategy"] == "DAEMON";
    let fargate = input["launchType"] == "FARGATE";
    let mut settings = Map::new();
    let more = ["serviceConnectConfiguration", "volumeConfigurations"];
    for key in SERVICE_SETTINGS.iter().chain(&more).filter(|key| !input[**key].is_null()) {
        settings.insert((*key).to_owned(), input[*key].clone());
    }
    if input["capacityProviderStrategy"].is_null() {
        settings.entry("launchType").or_insert(json!("EC2"));
    }
    if fargate {
        let version = settings.entry("platformVersion").or_insert(json!("LATEST"));
        if version == "LATEST" {
            *version = json!("1.4.0");
        }
        settings.insert("platformFamily".to_owned(), json!("Linux"));
    }
    settings.entry("schedulingStrategy").or_insert(json!("REPLICA"));
    settings.entry("deploymentController").or_insert(json!({ "type": "ECS" }));
    settings.entry("enableECSManagedTags").or_insert(json!(false));
    settings.entry("propagateTags").or_insert(json!("NONE"));
    settings.entry("enableExecuteCommand").or_insert(json!(false));
    settings.entry("availabilityZoneRebalancing").or_insert(json!(if daemon {
        "DISABLED"
    } else {
        "ENABLED"
    }));
    if !input["loadBalancers"].as_array().is_none_or(Vec::is_empty) {
        settings.entry("healthCheckGracePeriodSeconds").or_insert(json!(0));
    }
    let config = settings.entry("deploymentConfiguration").or_insert(json!({}));
    fill_configuration(config, daemon);
    settings
}

/// AWS's defaults of a deployment configuration.
pub(super) fn fill_configuration(config: &mut Value, daemon: bool) {
    let Some(config) = config.as_object_mut() else { return };
    config.entry("deploymentCircuitBreaker").or_insert(json!({ "enable": false, "rollback": false }));
    config.entry("maximumPercent").or_insert(json!(if daemon { 100 } else { 200 }));
    config.entry("minimumHealthyPercent").or_insert(json!(if daemon { 0 } else { 100 }));
    config.entry("strategy").or_insert(json!("ROLLING"));
    config.entry("bakeTimeInMinutes").or_insert(json!(0));
}
