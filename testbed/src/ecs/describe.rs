//! AWS's descriptions of services.

use super::input::{invalid, local, page, text, texts};
use super::service::{Deployment, RolloutState, SERVICE_SETTINGS, Service, ServiceStatus, empty_lists};
use super::task::{Phase, Task};
use super::{cluster, scheduler};
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Value, json};

/// `DescribeServices`: at most 10; unknown services are failures.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let names = texts(input, "services");
    if names.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if names.len() > 10 {
        return Err(invalid("Services cannot contain more than 10 items."));
    }
    let tags = texts(input, "include").iter().any(|part| part == "TAGS");
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        let name = local(world, &name, &cluster)?;
        let mut services = world.ecs.services.iter();
        match services.find(|service| service.cluster == cluster && service.name == name) {
            Some(service) => found.push(as_seen(world, service, tags)),
            None => {
                let path = cluster.rsplit('/').next().unwrap_or_default();
                let arn = world.arn("ecs", &format!("service/{path}/{name}"));
                failures.push(json!({ "arn": arn, "reason": "MISSING" }));
            }
        }
    }
    Ok(json!({ "services": found, "failures": failures }))
}

/// A service as a reader sees it now: while a change is still invisible, the state before.
fn as_seen(world: &World, service: &Service, tags: bool) -> Value {
    let now = crate::clock::now();
    let mut answer = match &service.shadow {
        Some((until, before)) if *until > now => before.clone(),
        Some(_) | None => one(world, service),
    };
    if !tags && let Some(map) = answer.as_object_mut() {
        map.shift_remove("tags");
    }
    answer
}

/// Number of RUNNING and of pending tasks that match.
pub(super) fn counts(world: &World, service: &Service, like: impl Fn(&Task) -> bool) -> (usize, usize) {
    let of = |is: fn(Phase) -> bool| {
        scheduler::tasks(world, service)
            .filter(|task| like(task) && task.is_wanted() && is(task.phase))
            .count()
    };
    (of(|phase| phase == Phase::Running), of(Phase::is_pending))
}

/// A service's true state, with its tags.
pub(super) fn one(world: &World, service: &Service) -> Value {
    let (running, pending) = counts(world, service, |_| true);
    let mut answer = json!({
        "serviceArn": service.arn,
        "serviceName": service.name,
        "clusterArn": service.cluster,
        "status": service.status.name(),
        "desiredCount": service.desired,
        "runningCount": running,
        "pendingCount": pending,
        "events": service.events.iter().map(|event| {
            json!({ "id": event.id, "createdAt": epoch(event.at), "message": event.message })
        }).collect::<Vec<_>>(),
        "createdBy": format!("arn:aws:iam::{}:role/deploy", world.account),
        "tags": service.tags,
    });
    if let Some(primary) = service.primary() {
        answer["taskDefinition"] = json!(primary.revision.definition);
    }
    if let Some(at) = service.created_at {
        answer["createdAt"] = json!(epoch(at));
    }
    let mut settings = empty_lists();
    settings.extend(
        service.settings.iter().filter(|(key, _)| SERVICE_SETTINGS.contains(&key.as_str())).map(owned),
    );
    if let Some(map) = answer.as_object_mut() {
        map.extend(settings);
    }
    if service.controller() == "ECS" {
        answer["deployments"] = deployments(world, service);
        put_current(world, service, &mut answer);
    } else {
        answer["deployments"] = json!([]);
        answer["taskSets"] = task_sets(world, service);
    }
    answer
}

/// A copy of an entry.
fn owned((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

/// The current service deployment and revisions.
fn put_current(world: &World, service: &Service, answer: &mut Value) {
    if let Some(current) = service.history.first() {
        answer["currentServiceDeployment"] = json!(current.arn);
    }
    let revisions = service.deployments.iter().map(|deployment| {
        let (running, pending) = counts(world, service, |task| task.started_by == deployment.id);
        json!({
            "arn": deployment.revision.arn,
            "requestedTaskCount": deployment.desired,
            "runningTaskCount": running,
            "pendingTaskCount": pending,
        })
    });
    answer["currentServiceRevisions"] = Value::Array(revisions.collect());
}

/// The deployments, PRIMARY first.
fn deployments(world: &World, service: &Service) -> Value {
    let all = service.deployments.iter().enumerate();
    Value::Array(
        all.map(|(index, deployment)| deployment_json(world, service, deployment, index == 0)).collect(),
    )
}

/// A deployment as AWS describes it.
fn deployment_json(world: &World, service: &Service, deployment: &Deployment, primary: bool) -> Value {
    let (running, pending) = counts(world, service, |task| task.started_by == deployment.id);
    let counting = world.pace.counts_in_progress
        && deployment.rollout == RolloutState::Completed
        && running != deployment.desired as usize;
    let mut answer = json!({
        "id": deployment.id,
        "status": if primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": deployment.revision.definition,
        "desiredCount": deployment.desired,
        "pendingCount": pending,
        "runningCount": running,
        "failedTasks": deployment.failed,
        "createdAt": epoch(deployment.created_at),
        "updatedAt": epoch(deployment.updated_at),
        "rolloutState": if counting { RolloutState::InProgress.name() } else { deployment.rollout.name() },
        "rolloutStateReason": deployment.reason,
    });
    for (key, value) in &deployment.revision.settings {
        if key != "serviceRegistries" {
            answer[key] = value.clone();
        }
    }
    answer
}

/// The task set of a service with an external deployment controller (CODE_DEPLOY, EXTERNAL).
fn task_sets(world: &World, service: &Service) -> Value {
    let all = service.deployments.iter().take(1).map(|deployment| {
        let (running, pending) = counts(world, service, |task| task.started_by == deployment.id);
        let steady = running == deployment.desired as usize;
        let mut set = json!({
            "id": deployment.id,
            "taskSetArn": format!("{}/{}", service.arn.replace(":service/", ":task-set/"), deployment.id),
            "serviceArn": service.arn,
            "clusterArn": service.cluster,
            "status": "PRIMARY",
            "taskDefinition": deployment.revision.definition,
            "computedDesiredCount": deployment.desired,
            "pendingCount": pending,
            "runningCount": running,
            "createdAt": epoch(deployment.created_at),
            "updatedAt": epoch(deployment.updated_at),
            "loadBalancers": deployment.revision.load_balancers_json,
            "serviceRegistries": [],
            "scale": { "value": 100.0, "unit": "PERCENT" },
            "stabilityStatus": if steady { "STEADY_STATE" } else { "STABILIZING" },
            "stabilityStatusAt": epoch(deployment.updated_at),
            "tags": [],
        });
        for key in ["launchType", "networkConfiguration", "platformVersion", "platformFamily"] {
            if let Some(value) = deployment.revision.settings.get(key) {
                set[key] = value.clone();
            }
        }
        set
    });
    Value::Array(all.collect())
}

/// `ListServices`; 10 a page by default.
pub(super) fn list(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let cluster = cluster::named(world, input)?;
    let launch_type = text(input, "launchType");
    let strategy = text(input, "schedulingStrategy");
    let found = (world.ecs.services.iter())
        .filter(|service| service.cluster == cluster && service.status != ServiceStatus::Inactive)
        .filter(|service| launch_type.is_none_or(|kind| service.launch_type() == kind))
        .filter(|service| strategy.is_none_or(|kind| service.is_daemon() == (kind == "DAEMON")))
        .map(|service| json!(service.arn));
    page(found.collect(), input, 10, "serviceArns")
}
