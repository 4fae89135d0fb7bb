//! Tasks: their life, their addresses, and what makes them go.

use super::bed::{Bed, get};
use serde_json::{Value, json};
use std::time::Duration;
use testbed::Pace;
use testbed::sample::Stack;

/// The running tasks of web-green.
fn running(bed: &Bed) -> Vec<Value> {
    let arns =
        bed.ecs("ListTasks", json!({ "cluster": "shop", "serviceName": "web-green" }))["taskArns"].clone();
    let answer = bed.ecs("DescribeTasks", json!({ "cluster": "shop", "tasks": arns }));
    answer["tasks"].as_array().unwrap().clone()
}

#[test]
fn running_task_names_its_deployment_address_and_digest() {
    let bed = Bed::new();
    let green = bed.green();
    let tasks = running(&bed);
    assert_eq!(tasks.len(), 2);
    let task = &tasks[0];
    assert_eq!(task["startedBy"], green["deployments"][0]["id"]);
    assert_eq!(task["lastStatus"], "RUNNING");
    assert_eq!(task["group"], "service:web-green");
    let details = task["attachments"][0]["details"].as_array().unwrap();
    let address = details.iter().find(|detail| detail["name"] == "privateIPv4Address").unwrap();
    assert!(address["value"].as_str().unwrap().starts_with("10.0."));
    assert_eq!(task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"], address["value"]);
    assert!(task["containers"][0]["imageDigest"].as_str().unwrap().starts_with("sha256:"));
    let by_deployment = bed.ecs("ListTasks", json!({ "cluster": "shop", "startedBy": task["startedBy"] }));
    assert_eq!(by_deployment["taskArns"].as_array().unwrap().len(), 2);
    let both = json!({ "cluster": "shop", "startedBy": "x", "serviceName": "web-green" });
    let text = bed.refused("ListTasks", both);
    assert_eq!(text, "InvalidParameterException: cannot specify startedBy with other filters.");
}

#[test]
fn stopped_task_is_drained_and_replaced() {
    let bed = Bed::new();
    let task = running(&bed)[0]["taskArn"].clone();
    let input = json!({ "cluster": "shop", "task": task, "reason": "by hand" });
    let answer = bed.ecs("StopTask", input);
    assert_eq!(answer["task"]["lastStatus"], "DEACTIVATING");
    assert_eq!(answer["task"]["desiredStatus"], "STOPPED");
    let is_replaced = |green: &Value| green["runningCount"] == 2;
    bed.wait("replaced", is_replaced);
    let gone = || bed.stopped().into_iter().find(|one| one["taskArn"] == task).unwrap();
    bed.wait("stopped", |_| gone()["lastStatus"] == "STOPPED");
    assert_eq!(gone()["stopCode"], "UserInitiated");
    assert_eq!(gone()["stoppedReason"], "by hand");
    assert_eq!(bed.green()["deployments"][0]["failedTasks"], 0);
}

#[test]
fn task_that_sickens_gets_its_replacement_first() {
    let bed = Bed::new();
    bed.bed.world(|world| world.ecr.push("shop/web", "v4-sick-after-600ms"));
    bed.deploy("v4-sick-after-600ms");
    bed.wait("complete", |green| green["deployments"][0]["rolloutState"] == "COMPLETED");
    let mut least = 99;
    bed.wait("replacing", |green| {
        least = least.min(green["runningCount"].as_u64().unwrap());
        green["runningCount"].as_u64().unwrap() > 2
    });
    assert_eq!(least, 2);
}

#[test]
fn sidecar_that_exits_does_not_stop_its_task() {
    let bed = Bed::new();
    let mut body = testbed::sample::task_definition("web-green", &bed.sample.image("v2"), false);
    let sidecar = json!({ "name": "init", "image": bed.sample.image("v3-crash"), "essential": false });
    body["containerDefinitions"].as_array_mut().unwrap().push(sidecar);
    bed.ecs("RegisterTaskDefinition", body);
    bed.update(json!({ "taskDefinition": "web-green" }));
    bed.steady();
    let task = &running(&bed)[0];
    assert_eq!(task["lastStatus"], "RUNNING");
    assert_eq!(task["containers"][1]["lastStatus"], "STOPPED");
    assert_eq!(task["containers"][1]["exitCode"], 1);
}

#[test]
fn container_health_check_is_told_and_decides() {
    let bed = Bed::new();
    let check = json!({ "command": ["CMD-SHELL", "curl -f localhost"] });
    for (tag, state) in [("v2", "COMPLETED"), ("v4-unhealthy", "FAILED")] {
        let mut body = testbed::sample::task_definition("web-green", &bed.sample.image(tag), false);
        body["containerDefinitions"][0]["healthCheck"] = check.clone();
        bed.ecs("RegisterTaskDefinition", body);
        bed.update(json!({ "taskDefinition": "web-green" }));
        bed.wait(state, |green| green["deployments"][0]["rolloutState"] == state);
    }
    let reason = "Task failed container health checks";
    assert!(
        bed.stopped()
            .iter()
            .any(|task| task["stoppedReason"] == reason && task["healthStatus"] == "UNHEALTHY")
    );
}

#[test]
fn a_moved_tag_does_not_change_a_running_deployment() {
    let bed = Bed::new();
    bed.deploy("v2");
    bed.steady();
    let digest = running(&bed)[0]["containers"][0]["imageDigest"].clone();
    bed.bed.world(|world| world.ecr.push_behavior("shop/web", "v2", testbed::Behavior::good("moved")));
    bed.update(json!({ "desiredCount": 3 }));
    bed.steady();
    assert!(running(&bed).iter().all(|task| task["containers"][0]["imageDigest"] == digest));
    bed.update(json!({ "forceNewDeployment": true }));
    bed.steady();
    assert!(running(&bed).iter().all(|task| task["containers"][0]["imageDigest"] != digest));
    assert!(get(bed.sample.green_port, "/").ends_with("moved"));
}

#[test]
fn behaviors_show_in_the_answers() {
    let bed = Bed::with(&Stack { desired: 1, grace: 60, ..Stack::default() }, Pace::default());
    for (tag, path, status, text) in [
        ("v6-fail-users", "/", "500", "broken"),
        ("v6-fail-users", "/healthz", "200", "ok v6"),
        ("v8-wrong-body", "/", "200", "something else entirely"),
        ("v10-healthy-after-3", "/", "200", "v10"),
        ("v5-slow-200ms", "/", "200", "v5"),
    ] {
        bed.deploy(tag);
        bed.steady();
        let answer = get(bed.sample.green_port, path);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.ends_with(text),
            "{tag}: {answer}"
        );
    }
}

#[test]
fn run_task_belongs_to_no_service() {
    let bed = Bed::new();
    let input = json!({
        "cluster": "shop", "taskDefinition": "web-green", "launchType": "FARGATE", "startedBy": "a person",
    });
    let answer = bed.ecs("RunTask", input);
    assert_eq!(answer["tasks"][0]["group"], "family:web-green");
    let list = || bed.ecs("ListTasks", json!({ "cluster": "shop", "startedBy": "a person" }));
    assert_eq!(list()["taskArns"].as_array().unwrap().len(), 1);
    assert!(bed.bed.wait_until(Duration::from_secs(2), |world| {
        world
            .ecs
            .tasks
            .iter()
            .any(|task| task.started_by == "a person" && task.phase == testbed::ecs::Phase::Running)
    }));
}
