//! UpdateService and DeleteService.

use super::input::{count, invalid, required, text};
use super::service::{REVISION_SETTINGS, Service, ServiceStatus};
use super::{create, definition, deploy, describe, find_service, validate};
use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Map, Value, json};

/// The settings that UpdateService can change.
const CHANGEABLE: [&str; 14] = [
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "availabilityZoneRebalancing",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "loadBalancers",
    "propagateTags",
    "serviceRegistries",
    "serviceConnectConfiguration",
];

/// `UpdateService`. A change to a revision's content, or force, starts a deployment; a change to only the count does
/// not.
pub(super) fn update(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let service = find_service(world, input, required(input, "service")?)?;
    if !service.is_active() {
        return Err(ApiError::new("ServiceNotActiveException", "Service was not ACTIVE."));
    }
    check_controller(service, input)?;
    let desired = count(input, "desiredCount")?;
    if service.is_daemon() && desired.is_some() {
        return Err(invalid(
            "The daemon scheduling strategy does not support a desired count for services. Remove the desired count \
             value and try again",
        ));
    }
    let settings = changed(service, input);
    let current = service.primary().map(|primary| primary.revision.definition.clone());
    let wanted = match text(input, "taskDefinition") {
        Some(name) => Some(definition::usable(world, name)?.arn.clone()),
        None => current.clone(),
    };
    if let Some(definition) = wanted.as_ref().and_then(|arn| definition::find(world, arn)) {
        let all = Value::Object(settings.clone());
        validate::check(world, &validate::Wanted { settings: &all, definition })?;
    }
    let deploys = input["forceNewDeployment"] == true
        || wanted != current
        || REVISION_SETTINGS
            .iter()
            .chain(&["loadBalancers"])
            .any(|key| settings.get(*key) != service.settings.get(*key));
    let arn = service.arn.clone();
    Ok(apply(world, &arn, Change { settings, desired, deploy: wanted.filter(|_| deploys) }))
}

/// The wanted state of a service.
struct Change {
    /// All settings.
    settings: Map<String, Value>,
    /// A new desired count.
    desired: Option<u32>,
    /// The task definition to deploy; `None` for no deployment.
    deploy: Option<String>,
}

/// Carries out an update; returns the answer.
fn apply(world: &mut World, arn: &str, change: Change) -> Value {
    let Some(index) = world.ecs.services.iter().position(|service| service.arn == arn) else {
        return json!({});
    };
    let mut service = std::mem::take(&mut world.ecs.services[index]);
    if change.deploy.is_some() && !world.pace.invisible.is_zero() && service.shadow.is_none() {
        service.shadow = Some((crate::clock::now() + world.pace.invisible, describe::one(world, &service)));
    }
    service.settings = change.settings;
    service.steady &= change.desired.is_none_or(|desired| desired == service.desired);
    service.desired = change.desired.unwrap_or(service.desired);
    match change.deploy {
        Some(definition) => deploy::start(world, &mut service, &definition),
        None => {
            if let Some(primary) =
                service.deployments.first_mut().filter(|one| one.desired != service.desired)
            {
                primary.desired = service.desired;
                primary.updated_at = crate::clock::wall();
            }
        }
    }
    let answer = json!({ "service": describe::one(world, &service) });
    world.ecs.services[index] = service;
    answer
}

/// The settings after an update.
fn changed(service: &Service, input: &Value) -> Map<String, Value> {
    let mut settings = service.settings.clone();
    for key in CHANGEABLE.iter().filter(|key| !input[**key].is_null()) {
        let mut value = input[*key].clone();
        if *key == "deploymentConfiguration" {
            let mut merged = service.config();
            if let (Some(old), Some(new)) = (merged.as_object_mut(), value.as_object()) {
                old.extend(new.clone());
            }
            create::fill_configuration(&mut merged, service.is_daemon());
            value = merged;
        }
        if *key == "platformVersion" && value == "LATEST" {
            value = json!("1.4.0");
        }
        settings.insert((*key).to_owned(), value);
    }
    // A service has a strategy or a launch type, never both.
    if settings.get("capacityProviderStrategy").is_some_and(|strategy| strategy.get(0).is_some()) {
        settings.remove("launchType");
    }
    settings
}

/// AWS's checks for services with an external deployment controller.
fn check_controller(service: &Service, input: &Value) -> Result<(), ApiError> {
    let given = |key: &str| !input[key].is_null();
    match service.controller() {
        "CODE_DEPLOY" => {
            if given("taskDefinition") {
                return Err(invalid(
                    "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS \
                     CodeDeploy to trigger a new deployment.",
                ));
            }
            if input["forceNewDeployment"] == true {
                return Err(invalid(
                    "Cannot force a new deployment on services with a CODE_DEPLOY deployment controller. Use AWS \
                     CodeDeploy to trigger a new deployment.",
                ));
            }
            Ok(())
        }
        "EXTERNAL" if given("taskDefinition") || input["forceNewDeployment"] == true => Err(invalid(
            "Unable to update task definition on services with an EXTERNAL deployment controller.",
        )),
        _ => Ok(()),
    }
}

/// `DeleteService`: only at 0, unless forced; the service drains, then becomes INACTIVE.
pub(super) fn delete(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let service = find_service(world, input, required(input, "service")?)?;
    if service.status == ServiceStatus::Inactive {
        return Err(ApiError::new("ServiceNotFoundException", "Service not found."));
    }
    if service.desired > 0 && !service.is_daemon() && input["force"] != true {
        return Err(invalid("The service cannot be stopped while it is scaled above 0."));
    }
    let arn = service.arn.clone();
    if let Some(service) = world.ecs.services.iter_mut().find(|service| service.arn == arn) {
        service.status = ServiceStatus::Draining;
        service.desired = 0;
        service.shadow = None;
    }
    let service = world.ecs.services.iter().find(|service| service.arn == arn);
    Ok(json!({ "service": service.map(|service| describe::one(world, service)) }))
}
