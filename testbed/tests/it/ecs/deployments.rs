//! Rolling deployments.

use super::bed::{Bed, get};
use serde_json::json;
use std::time::Duration;
use testbed::Pace;
use testbed::sample::Stack;

#[test]
fn deployment_rolls_within_its_percentages_and_completes_after_draining() {
    let bed = Bed::new();
    let before = bed.green();
    let id = bed.deploy("v2");
    let green = bed.green();
    assert_eq!(green["deployments"][0]["id"], id.as_str());
    assert_eq!(green["deployments"][0]["rolloutStateReason"], format!("ECS deployment {id} in progress."));
    assert_eq!(green["deployments"][1]["id"], before["deployments"][0]["id"]);
    assert_eq!(green["deployments"][1]["status"], "ACTIVE");
    let mut least = 99;
    let mut most = 0;
    let green = bed.wait("complete", |green| {
        let running = green["runningCount"].as_u64().unwrap();
        least = least.min(running);
        most = most.max(running);
        green["deployments"][0]["rolloutState"] == "COMPLETED"
    });
    assert!((2..=4).contains(&least) && most <= 4, "{least}..{most}");
    assert_eq!(green["deployments"].as_array().unwrap().len(), 1);
    assert!(get(bed.sample.green_port, "/").ends_with("v2"));
    assert!(get(bed.sample.production_port, "/").ends_with("v1"));
    let green = bed.steady();
    let told = bed.events();
    assert_eq!(told[0], "has reached a steady state.");
    assert_eq!(told[1], format!("(deployment {id}) deployment completed."));
    assert!(told.iter().any(|text| text == &format!("registered 2 targets in (target-group {})", bed.sample.green_group)));
    assert_eq!(green["currentServiceDeployment"], bed.newest()["serviceDeploymentArn"]);
    assert_eq!(bed.newest()["status"], "SUCCESSFUL");
}

#[test]
fn count_only_update_makes_no_deployment() {
    let bed = Bed::new();
    let before = bed.green();
    let service = bed.update(json!({ "desiredCount": 4 }));
    assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
    assert_eq!(service["deployments"][0]["id"], before["deployments"][0]["id"]);
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    let green = bed.steady();
    assert_eq!(green["runningCount"], 4);
    bed.update(json!({ "desiredCount": 0 }));
    let green = bed.steady();
    assert_eq!(green["runningCount"], 0);
}

#[test]
fn forced_deployment_at_zero_completes_with_nothing_running() {
    let bed = Bed::new();
    bed.update(json!({ "desiredCount": 0 }));
    let before = bed.steady();
    bed.update(json!({ "forceNewDeployment": true }));
    let green = bed.steady();
    assert_ne!(green["deployments"][0]["id"], before["deployments"][0]["id"]);
    assert_eq!(green["runningCount"], 0);
}

#[test]
fn same_definition_without_force_makes_no_deployment() {
    let bed = Bed::new();
    let before = bed.green();
    let service = bed.update(json!({ "taskDefinition": "web-green" }));
    assert_eq!(service["deployments"][0]["id"], before["deployments"][0]["id"]);
}

#[test]
fn no_room_between_the_percentages_never_progresses() {
    let deployment = json!({ "minimumHealthyPercent": 50, "maximumPercent": 100 });
    let bed = Bed::with(&Stack { desired: 1, deployment, ..Stack::default() }, Pace::default());
    bed.deploy("v2");
    std::thread::sleep(Duration::from_millis(400));
    let green = bed.green();
    assert_eq!(green["deployments"][0]["rolloutState"], "IN_PROGRESS");
    assert_eq!(green["deployments"][0]["runningCount"], 0);
    assert_eq!(green["deployments"][1]["runningCount"], 1);
}

#[test]
fn old_tasks_make_room_down_to_the_minimum() {
    let deployment = json!({ "minimumHealthyPercent": 50, "maximumPercent": 100 });
    let bed = Bed::with(&Stack { deployment, ..Stack::default() }, Pace::default());
    bed.deploy("v2");
    let mut most = 0;
    bed.wait("complete", |green| {
        most = most.max(green["runningCount"].as_u64().unwrap());
        green["deployments"][0]["rolloutState"] == "COMPLETED"
    });
    assert_eq!(most, 2);
}

#[test]
fn new_deployment_is_invisible_for_a_while() {
    let pace = Pace { invisible: Duration::from_millis(200), ..Pace::default() };
    let bed = Bed::with(&Stack::default(), pace);
    let before = bed.green();
    let id = bed.deploy("v2");
    assert_eq!(bed.green()["deployments"], before["deployments"]);
    assert_eq!(bed.newest()["status"], "SUCCESSFUL");
    bed.wait("visible", |green| green["deployments"][0]["id"] == id.as_str());
}

#[test]
fn superseded_deployment_ends_as_stopped() {
    let bed = Bed::new();
    let first = bed.deploy("v9-start-300ms");
    let older = bed.newest()["serviceDeploymentArn"].clone();
    bed.deploy("v2");
    let green = bed.steady();
    assert_ne!(green["deployments"][0]["id"], first.as_str());
    let input = json!({ "serviceDeploymentArns": [older] });
    assert_eq!(bed.ecs("DescribeServiceDeployments", input)["serviceDeployments"][0]["status"], "STOPPED");
}

#[test]
fn early_success_completes_before_the_old_tasks_are_gone() {
    let early = json!({ "enable": true, "healthyPercent": 100, "sourceServiceRevisionCleanup": "DEFERRED" });
    let deployment = json!({ "earlySuccessCriteria": early });
    let bed = Bed::with(&Stack { deployment, ..Stack::default() }, Pace::default());
    bed.deploy("v2");
    let green = bed.wait("complete", |green| green["deployments"][0]["rolloutState"] == "COMPLETED");
    assert_eq!(green["deployments"].as_array().unwrap().len(), 2);
    bed.steady();
}

#[test]
fn stopping_a_service_deployment_rolls_back_without_a_breaker() {
    let deployment = json!({ "deploymentCircuitBreaker": { "enable": false, "rollback": false } });
    let bed = Bed::with(&Stack { deployment, grace: 60, ..Stack::default() }, Pace::default());
    let before = bed.green();
    bed.deploy("v4-unhealthy");
    bed.ecs("StopServiceDeployment", json!({ "serviceDeploymentArn": bed.newest()["serviceDeploymentArn"] }));
    let green = bed.wait("back", |green| {
        green["taskDefinition"] == before["taskDefinition"]
            && green["deployments"][0]["rolloutState"] == "COMPLETED"
    });
    assert_ne!(green["deployments"][0]["id"], before["deployments"][0]["id"]);
    assert_eq!(bed.newest()["status"], "ROLLBACK_SUCCESSFUL");
}

#[test]
fn deleted_service_drains_and_is_then_inactive() {
    let bed = Bed::new();
    let input = json!({ "cluster": "shop", "service": "web-green" });
    let text = bed.refused("DeleteService", input.clone());
    assert_eq!(text, "InvalidParameterException: The service cannot be stopped while it is scaled above 0.");
    bed.update(json!({ "desiredCount": 0 }));
    assert_eq!(bed.ecs("DeleteService", input)["service"]["status"], "DRAINING");
    bed.wait("inactive", |green| green["status"] == "INACTIVE");
    let text = bed.refused("UpdateService", json!({ "cluster": "shop", "service": "web-green" }));
    assert_eq!(text, "ServiceNotActiveException: Service was not ACTIVE.");
}
