//! Clusters.

use super::input::{invalid, last_part, local, page, text, texts};
use super::task::Phase;
use crate::wire::ApiError;
use crate::world::World;
use serde_json::{Map, Value, json};

/// One cluster.
#[derive(Debug, Default)]
pub struct Cluster {
    /// The ARN.
    pub arn: String,
    /// The name.
    pub name: String,
    /// False once deleted; the cluster is then INACTIVE.
    pub active: bool,
    /// The tags, as sent.
    pub(super) tags: Vec<Value>,
    /// Settings, configuration and capacity providers, as sent.
    extra: Map<String, Value>,
}

impl Cluster {
    /// Whether a capacity provider of this name is associated with it.
    pub(super) fn has_provider(&self, name: &Value) -> bool {
        let list = self.extra.get("capacityProviders").and_then(Value::as_array);
        list.is_some_and(|list| list.contains(name))
    }
}

/// AWS's `ClusterNotFoundException`.
fn not_found() -> ApiError {
    ApiError::new("ClusterNotFoundException", "Cluster not found.")
}

/// The ARN of the active cluster in a call; `default` if the call names none.
pub(super) fn named(world: &World, input: &Value) -> Result<String, ApiError> {
    let name = local(world, text(input, "cluster").unwrap_or("default"), "")?;
    let mut clusters = world.ecs.clusters.iter();
    clusters
        .find(|cluster| cluster.active && cluster.name == name)
        .map(|cluster| cluster.arn.clone())
        .ok_or_else(not_found)
}

/// `CreateCluster`; an active cluster of this name is returned unchanged.
pub(super) fn create(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "clusterName").unwrap_or("default").to_owned();
    if name.len() > 255 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        return Err(invalid(
            "Identifiers must contain only alphanumeric characters, hyphens, and underscores.",
        ));
    }
    let arn = world.arn("ecs", &format!("cluster/{name}"));
    if let Some(cluster) = world.ecs.clusters.iter().find(|cluster| cluster.active && cluster.name == name) {
        return Ok(json!({ "cluster": describe_one(world, cluster, &["TAGS".to_owned()]) }));
    }
    world.ecs.clusters.retain(|cluster| cluster.name != name);
    let keys = [
        "settings",
        "configuration",
        "capacityProviders",
        "defaultCapacityProviderStrategy",
        "serviceConnectDefaults",
    ];
    let extra =
        keys.iter().filter(|key| !input[**key].is_null()).map(|key| ((*key).to_owned(), input[*key].clone()));
    let tags = input["tags"].as_array().cloned().unwrap_or_default();
    world.ecs.clusters.push(Cluster { arn, name, active: true, tags, extra: extra.collect() });
    let cluster = world.ecs.clusters.last().map(|cluster| describe_one(world, cluster, &["TAGS".to_owned()]));
    Ok(json!({ "cluster": cluster }))
}

/// `DescribeClusters`; unknown clusters are failures.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let mut names = texts(input, "clusters");
    if names.is_empty() {
        names.push("default".to_owned());
    }
    let include = texts(input, "include");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let asked = local(world, &name, "")?;
        match world.ecs.clusters.iter().find(|cluster| cluster.name == asked) {
            Some(cluster) => found.push(describe_one(world, cluster, &include)),
            None => failures.push(json!({
                "arn": world.arn("ecs", &format!("cluster/{}", last_part(&name))), "reason": "MISSING",
            })),
        }
    }
    Ok(json!({ "clusters": found, "failures": failures }))
}

/// A cluster as AWS describes it.
fn describe_one(world: &World, cluster: &Cluster, include: &[String]) -> Value {
    let tasks = || world.ecs.tasks.iter().filter(|task| task.cluster == cluster.arn);
    let services = world.ecs.services.iter();
    let instances = world.ecs.instances.iter().filter(|instance| instance.cluster == cluster.arn);
    let mut answer = json!({
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": if cluster.active { "ACTIVE" } else { "INACTIVE" },
        "registeredContainerInstancesCount": instances.count(),
        "runningTasksCount": tasks().filter(|task| task.phase == Phase::Running).count(),
        "pendingTasksCount": tasks().filter(|task| task.phase.is_pending()).count(),
        "activeServicesCount": services.filter(|service| service.cluster == cluster.arn && service.is_active()).count(),
        "statistics": [],
        "tags": if include.iter().any(|part| part == "TAGS") { cluster.tags.clone() } else { Vec::new() },
        "settings": cluster.extra.get("settings").cloned().unwrap_or(json!([])),
        "capacityProviders": cluster.extra.get("capacityProviders").cloned().unwrap_or(json!([])),
        "defaultCapacityProviderStrategy":
            cluster.extra.get("defaultCapacityProviderStrategy").cloned().unwrap_or(json!([])),
    });
    for key in ["configuration", "serviceConnectDefaults"] {
        if let Some(value) = cluster.extra.get(key) {
            answer[key] = value.clone();
        }
    }
    answer
}

/// Gives a cluster the capacity providers and the default strategy of a call.
pub(super) fn set_providers(world: &mut World, arn: &str, input: &Value) -> Result<Value, ApiError> {
    let cluster = world.ecs.clusters.iter_mut().find(|cluster| cluster.arn == arn).ok_or_else(not_found)?;
    for key in ["capacityProviders", "defaultCapacityProviderStrategy"] {
        cluster.extra.insert(key.to_owned(), input[key].clone());
    }
    let cluster = world.ecs.clusters.iter().find(|cluster| cluster.arn == arn);
    Ok(json!({ "cluster": cluster.map(|cluster| describe_one(world, cluster, &["TAGS".to_owned()])) }))
}

/// `ListClusters`.
pub(super) fn list(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let active = world.ecs.clusters.iter().filter(|cluster| cluster.active);
    page(active.map(|cluster| json!(cluster.arn)).collect(), input, 100, "clusterArns")
}

/// `DeleteCluster`; a cluster with services, tasks or instances stays.
pub(super) fn delete(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let arn = named(world, input)?;
    let refuse = |code: &str, text: &str| Err(ApiError::new(code, text));
    if world.ecs.services.iter().any(|service| service.cluster == arn && service.is_active()) {
        return refuse(
            "ClusterContainsServicesException",
            "The Cluster cannot be deleted while Services are active.",
        );
    }
    if world.ecs.tasks.iter().any(|task| task.cluster == arn && task.phase != Phase::Stopped) {
        return refuse(
            "ClusterContainsTasksException",
            "The Cluster cannot be deleted while Tasks are active.",
        );
    }
    if world.ecs.instances.iter().any(|instance| instance.cluster == arn) {
        let text = "The Cluster cannot be deleted while Container Instances are active or draining.";
        return refuse("ClusterContainsContainerInstancesException", text);
    }
    for cluster in &mut world.ecs.clusters {
        cluster.active &= cluster.arn != arn;
    }
    let cluster = world.ecs.clusters.iter().find(|cluster| cluster.arn == arn);
    Ok(json!({ "cluster": cluster.map(|cluster| describe_one(world, cluster, &[])) }))
}
