//! The operations on tasks and container instances.

use super::input::{client, count, invalid, last_part, local, page, required, text, texts};
use super::place::{Instance, Start};
use super::task::{Phase, Task};
use super::{cluster, definition, find_service, lifecycle, place};
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Value, json};
use std::time::{Instant as Now, SystemTime};

/// `ListTasks`: tasks that should run, or the others with `desiredStatus`.
pub(super) fn list(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let started_by = text(input, "startedBy");
    let others = ["serviceName", "family", "containerInstance"];
    if started_by.is_some() && others.iter().any(|key| text(input, key).is_some()) {
        return Err(invalid("cannot specify startedBy with other filters."));
    }
    let service = match text(input, "serviceName") {
        Some(name) => Some(find_service(world, input, name)?.arn.clone()),
        None => None,
    };
    let family = text(input, "family").map(|family| format!("/{family}:"));
    let instance = text(input, "containerInstance").map(last_part);
    let stopped = text(input, "desiredStatus") == Some("STOPPED");
    let found = (world.ecs.tasks.iter())
        .filter(|task| task.cluster == cluster && task.is_wanted() != stopped)
        .filter(|task| started_by.is_none_or(|by| task.started_by == by))
        .filter(|task| service.is_none() || task.service == service)
        .filter(|task| family.as_ref().is_none_or(|family| task.definition.contains(family.as_str())))
        .filter(|task| text(input, "launchType").is_none_or(|kind| task.launch_type == kind))
        .filter(|task| {
            instance.is_none_or(|id| task.instance.as_deref().is_some_and(|arn| last_part(arn) == id))
        })
        .map(|task| json!(task.arn));
    page(found.collect(), input, 100, "taskArns")
}

/// `DescribeTasks`: at most 100; unknown tasks are failures.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let names = texts(input, "tasks");
    if names.is_empty() {
        return Err(invalid("Tasks cannot be empty."));
    }
    if names.len() > 100 {
        return Err(invalid("Tasks cannot contain more than 100 items."));
    }
    let tags = texts(input, "include").iter().any(|part| part == "TAGS");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let id = local(world, &name, &cluster)?;
        match world.ecs.tasks.iter().find(|task| task.id == id && task.cluster == cluster) {
            Some(task) => found.push(task.describe(tags)),
            None => {
                let path = cluster.rsplit('/').next().unwrap_or_default();
                let arn = world.arn("ecs", &format!("task/{path}/{id}"));
                failures.push(json!({ "arn": arn, "reason": "MISSING" }));
            }
        }
    }
    Ok(json!({ "tasks": found, "failures": failures }))
}

/// `StopTask`.
pub(super) fn stop(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let id = local(world, required(input, "task")?, &cluster)?;
    let index = world.ecs.tasks.iter().position(|task| task.id == id && task.cluster == cluster);
    let index = index.ok_or_else(|| invalid("The referenced task was not found."))?;
    let reason = text(input, "reason").unwrap_or("Task stopped by user");
    let mut task = std::mem::take(&mut world.ecs.tasks[index]);
    lifecycle::stop(world, &mut task, "UserInitiated", reason, Now::now());
    let answer = json!({ "task": task.describe(false) });
    world.ecs.tasks[index] = task;
    Ok(answer)
}

/// `RunTask`: tasks without a service.
pub(super) fn run(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let many = count(input, "count")?.unwrap_or(1);
    if many > 10 {
        return Err(invalid("count cannot be greater than 10."));
    }
    let definition = definition::usable(world, required(input, "taskDefinition")?)?;
    let (arn, family) = (definition.arn.clone(), definition.family.clone());
    let launch_type = text(input, "launchType").unwrap_or("EC2");
    if !definition.supports(launch_type) {
        return Err(client(format!("Task definition does not support launch_type {launch_type}.")));
    }
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for _ in 0..many {
        let order = Start {
            cluster: cluster.clone(),
            service: None,
            group: text(input, "group").map_or_else(|| format!("family:{family}"), str::to_owned),
            started_by: text(input, "startedBy").unwrap_or_default().to_owned(),
            definition: arn.clone(),
            launch_type: launch_type.to_owned(),
            provider: None,
            wanted: Vec::new(),
        };
        match place::start_one(world, order, Now::now()) {
            Ok(_) => tasks.extend(world.ecs.tasks.last().map(|task| task.describe(false))),
            Err(_) => failures.push(json!({ "reason": "RESOURCE:MEMORY" })),
        }
    }
    Ok(json!({ "tasks": tasks, "failures": failures }))
}

/// `RegisterContainerInstance`, as the agent calls it: the instance's id is in the identity document.
pub(super) fn register_instance(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let document = text(input, "instanceIdentityDocument").unwrap_or_default();
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let ec2 = text(&document, "instanceId").ok_or_else(|| client("Invalid instance identity document."))?;
    let arn = world.add_instance(last_part(&cluster), ec2, 20);
    let one = world.ecs.instances.iter().find(|one| one.arn == arn);
    Ok(json!({ "containerInstance": one.map(|one| instance(world, one)) }))
}

/// `DeregisterContainerInstance`: one with tasks goes only with `force`, and its tasks stay.
pub(super) fn deregister_instance(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let asked = text(input, "containerInstance").unwrap_or_default();
    let is_asked = |one: &Instance| one.cluster == cluster && last_part(&one.arn) == last_part(asked);
    let at = world.ecs.instances.iter().position(is_asked);
    let at = at.ok_or_else(|| invalid("Could not find the specified container instance."))?;
    let mut gone = instance(world, &world.ecs.instances[at]);
    if gone["runningTasksCount"] != json!(0) && input["force"] != json!(true) {
        return Err(invalid("Found running tasks on the instance."));
    }
    world.ecs.instances.remove(at);
    gone["status"] = json!("INACTIVE");
    Ok(json!({ "containerInstance": gone }))
}

/// `ListContainerInstances`.
pub(super) fn list_instances(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let status = text(input, "status");
    let found = (world.ecs.instances.iter())
        .filter(|one| one.cluster == cluster && status.is_none_or(|status| one.status == status))
        .map(|one| json!(one.arn));
    page(found.collect(), input, 100, "containerInstanceArns")
}

/// `DescribeContainerInstances`; unknown instances are failures.
pub(super) fn describe_instances(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let names = texts(input, "containerInstances");
    if names.is_empty() {
        return Err(client("Container instances cannot be empty."));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let wanted = |one: &&Instance| one.cluster == cluster && last_part(&one.arn) == last_part(&name);
        match world.ecs.instances.iter().find(wanted) {
            Some(one) => found.push(instance(world, one)),
            None => failures.push(json!({ "arn": name, "reason": "MISSING" })),
        }
    }
    Ok(json!({ "containerInstances": found, "failures": failures }))
}

/// A container instance as AWS describes it.
fn instance(world: &World, one: &Instance) -> Value {
    let here = || world.ecs.tasks.iter().filter(|task| task.instance.as_deref() == Some(one.arn.as_str()));
    let resources = json!([
        { "name": "CPU", "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": 2048 },
        { "name": "MEMORY", "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": 7862 },
    ]);
    json!({
        "containerInstanceArn": one.arn,
        "ec2InstanceId": one.ec2,
        "version": 1,
        "versionInfo": { "agentVersion": "1.86.0", "agentHash": "ba1b7b4c", "dockerVersion": "DockerVersion: 25.0.6" },
        "remainingResources": resources,
        "registeredResources": resources,
        "status": one.status,
        "agentConnected": true,
        "runningTasksCount": here().filter(|task| task.phase == Phase::Running).count(),
        "pendingTasksCount": here().filter(|task: &&Task| task.phase.is_pending()).count(),
        "attributes": [{ "name": "ecs.availability-zone", "value": one.zone }],
        "registeredAt": epoch(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_600)),
        "attachments": [],
        "tags": [],
    })
}

impl World {
    /// Adds a container instance with this number of slots to a cluster. Returns its ARN.
    pub fn add_instance(&mut self, cluster: &str, ec2: &str, slots: usize) -> String {
        let id = self.new_id();
        let arn = self.arn("ecs", &format!("container-instance/{cluster}/{id}"));
        let zone =
            format!("{}{}", self.region, if self.ecs.instances.len().is_multiple_of(2) { "a" } else { "b" });
        self.ecs.instances.push(Instance {
            arn: arn.clone(),
            cluster: self.arn("ecs", &format!("cluster/{cluster}")),
            ec2: ec2.to_owned(),
            zone,
            status: "ACTIVE".to_owned(),
            slots,
        });
        arn
    }
}
