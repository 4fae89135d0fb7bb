//! Service deployments and service revisions: the record that ECS keeps for 90 days.

use super::input::{invalid, page, required, text, texts};
use super::service::{Revision, Service};
use super::{deploy, find_service};
use crate::ecr::Found;
use crate::wire::ApiError;
use crate::world::{World, epoch};
use serde_json::{Value, json};

/// `ListServiceDeployments`, oldest first: AWS documents no order. `status` and `createdAt` filter.
pub(super) fn list(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let service = find_service(world, input, required(input, "service")?)?;
    let statuses = texts(input, "status");
    let bound = |key: &str| input["createdAt"][key].as_f64();
    let now = crate::clock::now();
    let found = (service.history.iter().rev())
        .filter(|one| one.visible_at <= now)
        .filter(|one| statuses.is_empty() || statuses.iter().any(|status| status == one.status))
        .filter(|one| bound("after").is_none_or(|after| epoch(one.created_at) >= after))
        .filter(|one| bound("before").is_none_or(|before| epoch(one.created_at) <= before))
        .map(|one| deploy::brief(service, one));
    page(found.collect(), input, 20, "serviceDeployments")
}

/// `DescribeServiceDeployments`; unknown deployments are failures.
pub(super) fn describe(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let arns = texts(input, "serviceDeploymentArns");
    if arns.is_empty() || arns.len() > 20 {
        return Err(invalid("serviceDeploymentArns must contain between 1 and 20 service deployment ARNs."));
    }
    let now = crate::clock::now();
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns {
        let mut services = world.ecs.services.iter();
        let one = services.find_map(|service| {
            let one = service.history.iter().find(|one| one.arn == arn && one.visible_at <= now)?;
            Some(deploy::describe(world, service, one))
        });
        match one {
            Some(one) => found.push(one),
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    Ok(json!({ "serviceDeployments": found, "failures": failures }))
}

/// `StopServiceDeployment`: ROLLBACK (the default) or ABORT, before the deployment's end.
pub(super) fn stop(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let arn = required(input, "serviceDeploymentArn")?.to_owned();
    let missing =
        || ApiError::new("ServiceDeploymentNotFoundException", "The service deployment was not found.");
    let mut services = world.ecs.services.iter_mut();
    let service =
        services.find(|service| service.history.iter().any(|one| one.arn == arn)).ok_or_else(missing)?;
    let can_go_back = service.completed.is_some();
    let one = service.history.iter_mut().find(|one| one.arn == arn).ok_or_else(missing)?;
    if !one.is_open() {
        let text = format!("The service deployment is in the {} state and cannot be stopped.", one.status);
        return Err(ApiError::new("ConflictException", text));
    }
    let abort = text(input, "stopType") == Some("ABORT");
    if matches!(one.status, "PENDING" | "IN_PROGRESS") {
        if !abort && !can_go_back {
            return Err(invalid(
                "The service deployment cannot be rolled back: there is no earlier service revision.",
            ));
        }
        one.set(if abort { "STOP_REQUESTED" } else { "ROLLBACK_REQUESTED" }, None);
    }
    Ok(json!({ "serviceDeploymentArn": arn }))
}

/// `DescribeServiceRevisions`; unknown revisions are failures.
pub(super) fn describe_revisions(world: &mut World, input: &Value) -> Result<Value, ApiError> {
    let arns = texts(input, "serviceRevisionArns");
    if arns.is_empty() || arns.len() > 20 {
        return Err(invalid("serviceRevisionArns must contain between 1 and 20 service revision ARNs."));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns {
        let mut services = world.ecs.services.iter();
        let one = services.find_map(|service| {
            let revision = service.revisions.iter().find(|revision| revision.arn == arn)?;
            Some(describe_revision(world, service, revision))
        });
        match one {
            Some(one) => found.push(one),
            None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
        }
    }
    Ok(json!({ "serviceRevisions": found, "failures": failures }))
}

/// A revision as AWS describes it.
fn describe_revision(world: &World, service: &Service, revision: &Revision) -> Value {
    let mut answer = json!({
        "serviceRevisionArn": revision.arn,
        "serviceArn": service.arn,
        "clusterArn": service.cluster,
        "taskDefinition": revision.definition,
        "loadBalancers": revision.load_balancers_json,
        "containerImages": images(world, &revision.definition),
        "guardDutyEnabled": false,
        "createdAt": epoch(revision.created_at),
    });
    for (key, value) in &revision.settings {
        answer[key] = value.clone();
    }
    answer
}

/// The images of a task definition, with digests known to the registry.
fn images(world: &World, definition: &str) -> Vec<Value> {
    let Some(definition) = super::definition::find(world, definition) else { return Vec::new() };
    (definition.containers().iter())
        .map(|container| {
            let reference = container["image"].as_str().unwrap_or_default();
            let mut image = json!({ "containerName": container["name"], "image": reference });
            if let Found::Runs { digest, .. } = world.ecr.find(reference, &world.registry()) {
                image["imageDigest"] = json!(digest);
            }
            image
        })
        .collect()
}
