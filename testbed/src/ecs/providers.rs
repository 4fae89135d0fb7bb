//! Capacity providers: those of Auto Scaling groups, and which of them a cluster has. Instances join a cluster by
//! `RegisterContainerInstance` alone: nothing here starts them.

use super::cluster::named;
use super::input::{client, invalid, required, texts};
use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Value, json};

/// The providers that AWS itself has.
const OF_AWS: [&str; 2] = ["FARGATE", "FARGATE_SPOT"];

/// `CreateCapacityProvider`, for an Auto Scaling group.
pub(super) fn create(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = required(input, "name")?;
    let reserved = ["aws", "ecs", "fargate"].iter().any(|word| name.to_lowercase().starts_with(word));
    if reserved || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(invalid("The specified capacity provider name is invalid."));
    }
    if world.ecs.providers.iter().any(|provider| provider["name"] == name && is_active(provider)) {
        return Err(client("The specified capacity provider already exists."));
    }
    let group = &input["autoScalingGroupProvider"];
    if group["autoScalingGroupArn"].as_str().is_none() {
        return Err(invalid("autoScalingGroupProvider.autoScalingGroupArn can not be blank."));
    }
    let provider = json!({
        "capacityProviderArn": world.arn("ecs", &format!("capacity-provider/{name}")),
        "name": name,
        "status": "ACTIVE",
        "autoScalingGroupProvider": with_defaults(group),
        "tags": input["tags"].as_array().cloned().unwrap_or_default(),
    });
    world.ecs.providers.retain(|provider| provider["name"] != name);
    world.ecs.providers.push(provider.clone());
    Ok(json!({ "capacityProvider": provider }))
}

/// False for a deleted provider, which AWS still describes by name (API_DeleteCapacityProvider).
fn is_active(provider: &Value) -> bool {
    provider["status"] == "ACTIVE"
}

/// An Auto Scaling group's settings, with AWS's own for those that a call leaves out.
fn with_defaults(group: &Value) -> Value {
    let mut settings = json!({
        "managedScaling": {
            "status": "DISABLED", "targetCapacity": 100, "minimumScalingStepSize": 1, "maximumScalingStepSize": 10_000,
            "instanceWarmupPeriod": 300,
        },
        "managedTerminationProtection": "DISABLED",
        "managedDraining": "ENABLED",
    });
    for (key, value) in group.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(parts) => parts.iter().for_each(|(part, value)| settings[key][part] = value.clone()),
            None => settings[key] = value.clone(),
        }
    }
    settings
}

/// `DescribeCapacityProviders`: all active ones, or those named by name or ARN; unknown ones are failures.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let own = world.ecs.providers.iter().cloned();
    let all: Vec<Value> = OF_AWS.iter().map(|name| of_aws(world, name)).chain(own).collect();
    let asked = texts(input, "capacityProviders");
    if asked.is_empty() {
        let active: Vec<Value> = all.into_iter().filter(is_active).collect();
        return Ok(json!({ "capacityProviders": active, "failures": [] }));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in asked {
        match all.iter().find(|one| one["name"] == name || one["capacityProviderArn"] == name) {
            Some(one) => found.push(one.clone()),
            None => failures.push(json!({ "arn": name, "reason": "MISSING" })),
        }
    }
    Ok(json!({ "capacityProviders": found, "failures": failures }))
}

/// A provider of AWS's own.
fn of_aws(world: &World, name: &str) -> Value {
    let arn = world.arn("ecs", &format!("capacity-provider/{name}"));
    json!({ "capacityProviderArn": arn, "name": name, "status": "ACTIVE", "tags": [] })
}

/// `DeleteCapacityProvider`; one that a cluster has stays.
pub(super) fn delete(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let asked = required(input, "capacityProvider")?;
    let is_asked =
        |one: &Value| is_active(one) && (one["name"] == asked || one["capacityProviderArn"] == asked);
    let at = world.ecs.providers.iter().position(is_asked);
    let at = at.ok_or_else(|| invalid("The specified capacity provider does not exist."))?;
    let name = &world.ecs.providers[at]["name"];
    let mut active = world.ecs.clusters.iter().filter(|cluster| cluster.active);
    if let Some(cluster) = active.find(|cluster| cluster.has_provider(name)) {
        return Err(client(format!(
            "The capacity provider cannot be deleted because it is associated with cluster: {}. Remove the capacity \
             provider from the cluster and try again.",
            cluster.name
        )));
    }
    let gone = &mut world.ecs.providers[at];
    gone["status"] = json!("INACTIVE");
    gone["updateStatus"] = json!("DELETE_COMPLETE");
    Ok(json!({ "capacityProvider": gone }))
}

/// `PutClusterCapacityProviders`: the whole list of a cluster. One that a service uses stays.
pub(super) fn put(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    required(input, "cluster")?;
    let arn = named(world, input)?;
    let (wanted, strategy) = (&input["capacityProviders"], &input["defaultCapacityProviderStrategy"]);
    if !wanted.is_array() || !strategy.is_array() {
        return Err(invalid("capacityProviders and defaultCapacityProviderStrategy can not be null."));
    }
    let names = texts(input, "capacityProviders");
    let is_unknown = |name: &String| {
        !OF_AWS.contains(&name.as_str())
            && world.ecs.providers.iter().all(|one| one["name"] != *name || !is_active(one))
    };
    if names.iter().any(is_unknown) {
        return Err(invalid("The specified capacity provider was not found."));
    }
    let mut items =
        strategy.as_array().into_iter().flatten().filter_map(|one| one["capacityProvider"].as_str());
    if items.any(|name| names.iter().all(|other| other != name)) {
        return Err(invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is \
                            not associated with the cluster.",
        ));
    }
    let services = world.ecs.services.iter().filter(|service| service.cluster == arn && service.is_active());
    let mut used = services.filter_map(|service| service.provider());
    if used.any(|name| names.iter().all(|other| other != name)) {
        let text = "The specified capacity provider is in use and cannot be removed.";
        return Err(ApiError::new("ResourceInUseException", text));
    }
    super::cluster::set_providers(world, &arn, input)
}
