//! The circuit breaker, with and without rollback.

use super::bed::{Bed, get};
use serde_json::{Value, json};
use testbed::Pace;
use testbed::sample::Stack;

/// The sample stack whose breaker rolls back.
fn with_rollback() -> Bed {
    Bed::with(&Stack { rollback: true, ..Stack::default() }, Pace::default())
}

/// Waits until PRIMARY has failed.
fn failed(bed: &Bed) -> Value {
    bed.wait("failed", |green| green["deployments"][0]["rolloutState"] == "FAILED")
}

#[test]
fn crash_without_rollback_stays_as_failed_primary_beside_the_old_one() {
    let bed = Bed::new();
    let before = bed.green();
    let id = bed.deploy("v3-crash");
    let green = failed(&bed);
    let deployments = &green["deployments"];
    assert_eq!(deployments[0]["id"], id.as_str());
    assert_eq!(deployments[0]["status"], "PRIMARY");
    assert_eq!(
        deployments[0]["rolloutStateReason"],
        "ECS deployment circuit breaker: tasks failed to start."
    );
    assert!(deployments[0]["failedTasks"].as_u64().unwrap() >= 3);
    assert_eq!(deployments[1]["id"], before["deployments"][0]["id"]);
    assert_eq!(deployments[1]["runningCount"], 2);
    let task = bed.stopped().pop().unwrap();
    assert_eq!(task["stopCode"], "EssentialContainerExited");
    assert_eq!(task["stoppedReason"], "Essential container in task exited");
    assert_eq!(task["containers"][0]["exitCode"], 1);
    assert_eq!(task["startedBy"], id.as_str());
    assert!(bed.events().contains(&format!("(deployment {id}) deployment failed: tasks failed to start.")));
    assert_eq!(bed.newest()["status"], "STOPPED");
    assert_eq!(bed.newest()["deploymentCircuitBreaker"]["status"], "TRIGGERED");
    assert!(get(bed.sample.green_port, "/").ends_with("v1"));
}

#[test]
fn rollback_is_a_new_deployment_and_the_failed_id_disappears() {
    let bed = with_rollback();
    let before = bed.green();
    let id = bed.deploy("v3-crash");
    let green = bed.wait("rolling back", |green| {
        let reason = green["deployments"][0]["rolloutStateReason"].as_str().unwrap();
        reason.starts_with("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/")
    });
    let new = green["deployments"][0]["id"].clone();
    assert!(new != before["deployments"][0]["id"] && new != id.as_str());
    assert_eq!(bed.newest()["status"], "ROLLBACK_IN_PROGRESS");
    let green = bed.steady();
    assert_eq!(green["taskDefinition"], before["taskDefinition"]);
    assert_eq!(green["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(green["deployments"][0]["id"], new);
    assert_eq!(green["deployments"][0]["rolloutState"], "COMPLETED");
    let newest = bed.newest();
    assert_eq!(newest["status"], "ROLLBACK_SUCCESSFUL");
    assert_eq!(newest["rollback"]["serviceRevisionArn"], newest["sourceServiceRevisions"][0]["arn"]);
    assert_eq!(newest["deploymentCircuitBreaker"]["threshold"], 3);
    assert!(bed.events().contains(&format!("rolling back to deployment {}.", new.as_str().unwrap())));
}

#[test]
fn first_deployment_that_fails_has_nothing_to_go_back_to() {
    let bed = with_rollback();
    let definition = bed.register("web-new", "v3-crash");
    let group = json!({
        "targetGroupArn": bed.sample.green_group, "containerName": "app", "containerPort": 8080,
    });
    let green = bed.green();
    bed.ecs(
        "CreateService",
        json!({
            "cluster": "shop", "serviceName": "web-new", "taskDefinition": definition, "desiredCount": 1,
            "launchType": "FARGATE", "networkConfiguration": green["networkConfiguration"],
            "deploymentConfiguration": green["deploymentConfiguration"], "loadBalancers": [group],
        }),
    );
    let describe = || bed.ecs("DescribeServices", json!({ "cluster": "shop", "services": ["web-new"] }));
    let failed = bed.bed.wait_until(std::time::Duration::from_secs(5), |world| {
        let service = world.ecs.service("shop", "web-new").unwrap();
        service.deployments[0].rollout == testbed::ecs::RolloutState::Failed
    });
    assert!(failed, "{:#}", describe());
    assert_eq!(describe()["services"][0]["deployments"].as_array().unwrap().len(), 1);
}

#[test]
fn unhealthy_targets_trip_the_breaker_after_the_grace_period() {
    let bed = Bed::with(&Stack { grace: 10, ..Stack::default() }, Pace::default());
    bed.deploy("v4-unhealthy");
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(bed.green()["deployments"][0]["failedTasks"], 0);
    failed(&bed);
    let group = &bed.sample.green_group;
    let reason = format!("Task failed ELB health checks in (target-group {group})");
    let task = bed.stopped().into_iter().find(|task| task["stoppedReason"] == reason.as_str()).unwrap();
    assert_eq!(task["stopCode"], "ServiceSchedulerInitiated");
    let told = format!(
        "is unhealthy in (target-group {group}) due to (reason Health checks failed with these codes: [500])"
    );
    assert!(bed.events().iter().any(|text| text.ends_with(&told)), "{:#?}", bed.events());
}

#[test]
fn missing_image_and_missing_secret_fail_to_start() {
    let bed = with_rollback();
    for (tag, words) in
        [("v99", "CannotPullContainerError: "), ("v11-no-secret", "ResourceInitializationError: ")]
    {
        let id = bed.deploy(tag);
        bed.wait("over", |green| {
            green["deployments"].as_array().unwrap().iter().all(|one| one["id"] != id.as_str())
        });
        let task = bed.stopped().into_iter().find(|task| task["startedBy"] == id.as_str()).unwrap();
        assert_eq!(task["stopCode"], "TaskFailedToStart");
        assert!(task["stoppedReason"].as_str().unwrap().starts_with(words));
        bed.steady();
    }
}

#[test]
fn out_of_memory_names_itself() {
    let bed = Bed::new();
    bed.bed.world(|world| world.ecr.push("shop/web", "v3-oom"));
    bed.deploy("v3-oom");
    failed(&bed);
    let task = bed.stopped().pop().unwrap();
    assert_eq!(task["containers"][0]["exitCode"], 137);
    assert_eq!(task["containers"][0]["reason"], "OutOfMemoryError: Container killed due to memory usage");
}

#[test]
fn own_threshold_trips_at_the_first_failure() {
    let threshold = json!({ "type": "COUNT", "value": 1 });
    let breaker = json!({ "enable": true, "rollback": false, "thresholdConfiguration": threshold });
    let stack =
        Stack { desired: 1, deployment: json!({ "deploymentCircuitBreaker": breaker }), ..Stack::default() };
    let bed = Bed::with(&stack, Pace::default());
    bed.deploy("v3-crash");
    assert_eq!(failed(&bed)["deployments"][0]["failedTasks"], 1);
    assert_eq!(bed.newest()["deploymentCircuitBreaker"]["threshold"], 1);
}

#[test]
fn alarm_fails_a_deployment() {
    let alarms = json!({ "enable": true, "rollback": true, "alarmNames": ["web-5xx"] });
    let bed =
        Bed::with(&Stack { deployment: json!({ "alarms": alarms }), ..Stack::default() }, Pace::default());
    let before = bed.green();
    bed.deploy("v9-start-300ms");
    bed.bed.world(|world| world.trigger_alarm("shop", "web-green", "web-5xx"));
    let green = bed.steady();
    assert_eq!(green["taskDefinition"], before["taskDefinition"]);
    let newest = bed.newest();
    assert_eq!(newest["status"], "ROLLBACK_SUCCESSFUL");
    assert_eq!(newest["alarms"]["triggeredAlarmNames"], json!(["web-5xx"]));
    assert!(bed.events().iter().any(|text| text.ends_with("deployment failed: alarm detected.")));
}

#[test]
fn without_a_breaker_a_crashing_deployment_goes_on_failing() {
    let deployment = json!({ "deploymentCircuitBreaker": { "enable": false, "rollback": false } });
    let bed = Bed::with(&Stack { deployment, ..Stack::default() }, Pace::default());
    bed.deploy("v3-crash");
    let green = bed.wait("failing", |green| green["deployments"][0]["failedTasks"].as_u64().unwrap() >= 5);
    assert_eq!(green["deployments"][0]["rolloutState"], "IN_PROGRESS");
}
