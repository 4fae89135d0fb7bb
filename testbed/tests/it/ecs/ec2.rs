//! The EC2 launch type: container instances, dynamic ports, placement.

use super::bed::{Bed, get};
use serde_json::json;
use testbed::sample::Stack;
use testbed::{Pace, Service};

/// The sample stack on two container instances.
fn on_ec2() -> Bed {
    Bed::with(&Stack { ec2: true, ..Stack::default() }, Pace::default())
}

#[test]
fn targets_are_instances_with_dynamic_ports() {
    let bed = on_ec2();
    assert!(get(bed.sample.green_port, "/").ends_with("v1"));
    let arns =
        bed.ecs("ListTasks", json!({ "cluster": "shop", "serviceName": "web-green" }))["taskArns"].clone();
    let task = bed.ecs("DescribeTasks", json!({ "cluster": "shop", "tasks": arns }))["tasks"][0].clone();
    let input = json!({ "cluster": "shop", "containerInstances": [task["containerInstanceArn"]] });
    let instance = bed.ecs("DescribeContainerInstances", input)["containerInstances"][0].clone();
    let binding = task["containers"][0]["networkBindings"][0].clone();
    assert_eq!(binding["containerPort"], 8080);
    let host = binding["hostPort"].to_string();
    let input = json!({ "TargetGroupArn": bed.sample.green_group });
    let health = bed.bed.call(Service::Elb, "DescribeTargetHealth", input).unwrap();
    let targets = health["TargetHealthDescriptions"].as_array().unwrap();
    let is_task = |target: &serde_json::Value| {
        let port = target["Target"]["Port"].to_string();
        target["Target"]["Id"] == instance["ec2InstanceId"] && *port.trim_matches('"') == *host
    };
    assert!(targets.iter().any(is_task), "{targets:#?} {binding}");
    bed.deploy("v2");
    bed.steady();
    assert!(get(bed.sample.green_port, "/").ends_with("v2"));
}

#[test]
fn no_instance_no_place() {
    let bed = on_ec2();
    bed.bed.world(|world| world.ecs.instances.iter_mut().for_each(|one| one.status = "DRAINING".to_owned()));
    bed.deploy("v2");
    let words = "was unable to place a task because no container instance met all of its requirements. Reason: No \
                 Container Instances were found in your cluster.";
    bed.wait("unplaced", |green| green["events"][0]["message"].as_str().unwrap().contains(words));
}

#[test]
fn full_instances_are_named() {
    let bed = on_ec2();
    bed.bed.world(|world| world.ecs.instances.iter_mut().for_each(|one| one.slots = 0));
    bed.deploy("v2");
    let green = bed.wait("unplaced", |green| {
        green["events"][0]["message"].as_str().unwrap().contains("has insufficient memory available")
    });
    assert!(
        green["events"][0]["message"].as_str().unwrap().contains("The closest matching (container-instance ")
    );
}

#[test]
fn fargate_without_capacity_says_so() {
    let bed = Bed::new();
    bed.bed.world(|world| world.ecs.fargate_slots = Some(0));
    bed.deploy("v2");
    bed.wait("unplaced", |green| {
        green["events"][0]["message"]
            .as_str()
            .unwrap()
            .contains("Reason: Capacity is unavailable at this time.")
    });
}

#[test]
fn daemon_runs_one_task_on_each_instance() {
    let bed = on_ec2();
    let mut input = json!({
        "cluster": "shop", "serviceName": "agent", "taskDefinition": bed.register("agent", "v1"),
        "launchType": "EC2", "schedulingStrategy": "DAEMON", "desiredCount": 1,
    });
    let text = bed.refused("CreateService", input.clone());
    assert!(text.starts_with(
        "InvalidParameterException: The daemon scheduling strategy does not support a desired count"
    ));
    input.as_object_mut().unwrap().remove("desiredCount");
    bed.ecs("CreateService", input);
    let steady =
        bed.bed.wait_until(std::time::Duration::from_secs(5), |world| world.ecs.is_steady("shop", "agent"));
    assert!(steady);
    let agent = bed.ecs("DescribeServices", json!({ "cluster": "shop", "services": ["agent"] }))["services"]
        [0]
    .clone();
    assert_eq!((agent["desiredCount"].as_u64(), agent["runningCount"].as_u64()), (Some(2), Some(2)));
}
