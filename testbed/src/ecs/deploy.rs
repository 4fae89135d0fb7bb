//! Creation of deployments: revisions, deployments and service deployments.

use super::breaker;
use super::service::{
    Deployment, REVISION_SETTINGS, Revision, RolloutState, Service, ServiceDeployment, load_balancers,
};
use crate::world::World;
use serde_json::{Value, json};

/// A new deployment's id, in AWS's form.
pub(super) fn new_deployment_id(world: &mut World) -> String {
    format!("ecs-svc/{}", number(world))
}

/// A number of 19 digits, never twice.
fn number(world: &mut World) -> u64 {
    let id = world.new_id();
    1_000_000_000_000_000_000
        + u64::from_str_radix(&id[..15], 16).unwrap_or_default() % 8_000_000_000_000_000_000
}

/// `CLUSTER/SERVICE`, as in the ARNs of a service's parts.
fn path(service: &Service) -> &str {
    service.arn.split_once(":service/").map_or("", |(_, path)| path)
}

/// Creates a revision of a service's current state with this task definition.
fn new_revision(world: &mut World, service: &mut Service, definition: &str) -> Revision {
    let number = number(world);
    let keys = REVISION_SETTINGS
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), service.settings.get(*key)?.clone())));
    let list = service.settings.get("loadBalancers").cloned().unwrap_or(json!([]));
    let revision = Revision {
        arn: world.arn("ecs", &format!("service-revision/{}/{number}", path(service))),
        definition: definition.to_owned(),
        settings: keys.collect(),
        load_balancers: load_balancers(&list),
        load_balancers_json: list,
        created_at: crate::clock::wall(),
    };
    service.revisions.push(revision.clone());
    revision
}

/// Starts a deployment of a task definition with the service's settings.
pub(super) fn start(world: &mut World, service: &mut Service, definition: &str) {
    let sources: Vec<Revision> =
        service.deployments.iter().filter(|one| one.desired > 0).map(|one| one.revision.clone()).collect();
    let revision = new_revision(world, service, definition);
    // The number of the service revision; undocumented.
    let id = format!("ecs-svc/{}", revision.arn.rsplit('/').next().unwrap_or_default());
    let reason = format!("ECS deployment {id} in progress.");
    supersede(service);
    let serial = world.new_id();
    let config = service.config();
    let state = if breaker::is_enabled(&config) { "MONITORING" } else { "DISABLED" };
    let now = crate::clock::wall();
    service.history.insert(
        0,
        ServiceDeployment {
            arn: world.arn("ecs", &format!("service-deployment/{}/{}", path(service), &serial[..22])),
            status: "IN_PROGRESS",
            reason: None,
            target: revision.clone(),
            sources,
            rollback: None,
            alarms: Vec::new(),
            breaker: (state, 0, breaker::threshold(&config, service.desired)),
            config,
            created_at: now,
            updated_at: now,
            finished_at: None,
            stopped_at: None,
            visible_at: crate::clock::now() + world.pace.invisible,
        },
    );
    push(service, id, revision, reason);
}

/// Ends the service deployment that a new one supersedes.
fn supersede(service: &mut Service) {
    if let Some(current) = service.history.first_mut().filter(|current| current.is_open()) {
        let reason = "Service deployment stopped because a newer service deployment was started.";
        current.set("STOPPED", Some(reason.to_owned()));
        current.stopped_at = current.finished_at;
    }
}

/// Puts a deployment in front as PRIMARY; the earlier one becomes ACTIVE with its current tasks.
pub(super) fn push(service: &mut Service, id: String, revision: Revision, reason: String) {
    let now = crate::clock::wall();
    service.deployments.insert(
        0,
        Deployment {
            id,
            revision,
            desired: service.desired,
            failed: 0,
            rollout: RolloutState::InProgress,
            reason,
            created_at: now,
            updated_at: now,
            retry_at: None,
        },
    );
    service.steady = false;
}

/// A service deployment as AWS describes it.
pub(super) fn describe(world: &World, service: &Service, one: &ServiceDeployment) -> Value {
    let summary = |revision: &Revision, requested: bool| {
        let (running, pending) = super::describe::counts(world, service, |task| {
            service.deployments.iter().any(|d| d.id == task.started_by && d.revision.arn == revision.arn)
        });
        json!({
            "arn": revision.arn,
            "requestedTaskCount": if requested { service.desired as usize } else { running + pending },
            "runningTaskCount": running,
            "pendingTaskCount": pending,
        })
    };
    let current = service.history.first().is_some_and(|first| first.arn == one.arn);
    let mut answer = json!({
        "serviceDeploymentArn": one.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster,
        "sourceServiceRevisions": one.sources.iter().map(|source| summary(source, false)).collect::<Vec<_>>(),
        "targetServiceRevision": summary(&one.target, current && !one.status.starts_with("ROLLBACK")),
        "status": one.status,
        "deploymentConfiguration": one.config,
        "deploymentCircuitBreaker":
            { "status": one.breaker.0, "failureCount": one.breaker.1, "threshold": one.breaker.2 },
        "alarms": alarms(one),
    });
    if let Some(reason) = &one.reason {
        answer["statusReason"] = json!(reason);
    }
    if let Some((reason, at, revision)) = &one.rollback {
        let started = crate::world::epoch(*at);
        answer["rollback"] =
            json!({ "reason": reason, "startedAt": started, "serviceRevisionArn": revision });
    }
    put_times(&mut answer, one);
    answer
}

/// The alarms that watch a service deployment.
fn alarms(one: &ServiceDeployment) -> Value {
    let config = &one.config["alarms"];
    let status = match (config["enable"] == true, one.alarms.is_empty(), one.is_open()) {
        (false, true, _) => "DISABLED",
        (_, false, _) => "TRIGGERED",
        (true, true, true) => "MONITORING",
        (true, true, false) => "MONITORING_COMPLETE",
    };
    let names = config["alarmNames"].as_array().cloned().unwrap_or_default();
    json!({ "status": status, "alarmNames": names, "triggeredAlarmNames": one.alarms })
}

/// Puts a service deployment's times into an answer.
fn put_times(answer: &mut Value, one: &ServiceDeployment) {
    for (key, at) in [
        ("createdAt", Some(one.created_at)),
        ("startedAt", Some(one.created_at)),
        ("updatedAt", Some(one.updated_at)),
        ("finishedAt", one.finished_at),
        ("stoppedAt", one.stopped_at),
    ] {
        if let Some(at) = at {
            answer[key] = json!(crate::world::epoch(at));
        }
    }
}

/// A service deployment as ListServiceDeployments shows it.
pub(super) fn brief(service: &Service, one: &ServiceDeployment) -> Value {
    let mut answer = json!({
        "serviceDeploymentArn": one.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster,
        "targetServiceRevisionArn": one.target.arn,
        "status": one.status,
    });
    if let Some(reason) = &one.reason {
        answer["statusReason"] = json!(reason);
    }
    put_times(&mut answer, one);
    if let Some(map) = answer.as_object_mut() {
        map.shift_remove("updatedAt");
        map.shift_remove("stoppedAt");
    }
    answer
}
