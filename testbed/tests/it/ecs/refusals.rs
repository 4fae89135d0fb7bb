//! What ECS refuses, in its words.

use super::bed::Bed;
use serde_json::{Value, json};
use testbed::sample;

/// CreateService of web-new on Fargate, changed as told.
fn create(bed: &Bed, change: &Value) -> String {
    let green = bed.green();
    let mut input = json!({
        "cluster": "shop", "serviceName": "web-new", "taskDefinition": "web-green", "desiredCount": 1,
        "launchType": "FARGATE", "networkConfiguration": green["networkConfiguration"],
        "loadBalancers": green["loadBalancers"],
    });
    input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    bed.refused("CreateService", input)
}

#[test]
fn services_are_checked() {
    let bed = Bed::new();
    let group = &bed.sample.green_group;
    let loose = bed.bed.call(
        testbed::Service::Elb,
        "CreateTargetGroup",
        json!({ "Name": "loose", "Protocol": "HTTP", "Port": "80", "VpcId": "vpc-1", "TargetType": "ip" }),
    );
    let loose = loose.unwrap()["TargetGroups"][0]["TargetGroupArn"].as_str().unwrap().to_owned();
    let to = |group: &str, name: &str, port: u16| json!({ "loadBalancers": [{ "targetGroupArn": group, "containerName": name, "containerPort": port }] });
    let percent =
        json!({ "deploymentConfiguration": { "minimumHealthyPercent": 100, "maximumPercent": 100 } });
    let shifting = json!({ "deploymentConfiguration": { "strategy": "BLUE_GREEN" } });
    let invalid = [
        (to(&loose, "app", 8080), format!("The target group with targetGroupArn {loose} does not have an associated load balancer.")),
        (to(group, "web", 8080), "The container web does not exist in the task definition.".to_owned()),
        (to(group, "app", 80), "The container app did not have a container port 80 defined.".to_owned()),
        (percent, "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.".to_owned()),
        (shifting, "advancedConfiguration field is required for all loadBalancers when using a BLUE_GREEN deployment.".to_owned()),
        (json!({ "serviceName": "web-green" }), "Creation of service was not idempotent.".to_owned()),
        (
            json!({ "networkConfiguration": null }),
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.".to_owned(),
        ),
    ];
    for (change, words) in invalid {
        assert_eq!(create(&bed, &change), format!("InvalidParameterException: {words}"));
    }
    assert_eq!(create(&bed, &json!({ "cluster": "nope" })), "ClusterNotFoundException: Cluster not found.");
    assert_eq!(
        create(&bed, &json!({ "taskDefinition": "nope" })),
        "ClientException: TaskDefinition not found."
    );
}

#[test]
fn task_definitions_are_checked() {
    let bed = Bed::new();
    let good = || sample::task_definition("web", &bed.sample.image("v1"), false);
    let change = |change: Value| {
        let mut body = good();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        bed.refused("RegisterTaskDefinition", body)
    };
    assert_eq!(
        change(json!({ "containerDefinitions": [] })),
        "ClientException: Container list cannot be empty."
    );
    let text = "ClientException: No Fargate configuration exists for given values: 256 CPU, 333 memory.";
    assert_eq!(change(json!({ "memory": "333" })), text);
    let text = "SerializationException: NUMBER_VALUE can not be converted to a String";
    assert_eq!(change(json!({ "cpu": 256 })), text);
    let text =
        "ClientException: Fargate requires task definition to have execution role ARN to support ECR images.";
    assert_eq!(change(json!({ "executionRoleArn": null })), text);
}

#[test]
fn task_definition_is_kept_as_sent_with_defaults() {
    let bed = Bed::new();
    let mut body = sample::task_definition("web", &bed.sample.image("v1"), false);
    body["containerDefinitions"][0]["someFutureField"] = json!({ "a": [1, 2] });
    body["containerDefinitions"][0]["firelensConfiguration"] = json!({ "type": "fluentbit" });
    body["containerDefinitions"][0]["environment"] =
        json!([{ "name": "NONE" }, { "name": "LEVEL", "value": "info" }]);
    body["revision"] = json!(77);
    body["tags"] = json!([{ "key": "commit", "value": "abc" }]);
    bed.ecs("RegisterTaskDefinition", body);
    let input = json!({ "taskDefinition": "web", "include": ["TAGS"] });
    let answer = bed.ecs("DescribeTaskDefinition", input);
    assert_eq!(answer["tags"], json!([{ "key": "commit", "value": "abc" }]));
    let definition = &answer["taskDefinition"];
    assert_eq!(definition["revision"], 1);
    let container = &definition["containerDefinitions"][0];
    assert_eq!(container["someFutureField"], json!({ "a": [1, 2] }));
    assert_eq!(
        container["portMappings"],
        json!([{ "containerPort": 8080, "protocol": "tcp", "hostPort": 8080 }])
    );
    assert_eq!(container["environment"], json!([{ "name": "LEVEL", "value": "info" }]));
    assert_eq!(container["user"], "0");
    assert_eq!(bed.ecs("DescribeTaskDefinition", json!({ "taskDefinition": "web" })).get("tags"), None);
}

#[test]
fn other_controllers_keep_their_deployments_to_themselves() {
    let bed = Bed::new();
    let green = bed.green();
    bed.ecs("CreateService", json!({
        "cluster": "shop", "serviceName": "web-deploy", "taskDefinition": "web-dev", "desiredCount": 1,
        "launchType": "FARGATE", "networkConfiguration": green["networkConfiguration"],
        "deploymentController": { "type": "CODE_DEPLOY" },
        "loadBalancers": [{ "targetGroupArn": bed.sample.dev_group, "containerName": "app", "containerPort": 8080 }],
    }));
    let answer = bed.ecs("DescribeServices", json!({ "cluster": "shop", "services": ["web-deploy"] }));
    assert_eq!(answer["services"][0]["deployments"], json!([]));
    assert_eq!(answer["services"][0]["taskSets"][0]["status"], "PRIMARY");
    let input = json!({ "cluster": "shop", "service": "web-deploy", "taskDefinition": "web-dev" });
    assert_eq!(
        bed.refused("UpdateService", input),
        "InvalidParameterException: Unable to update task definition on services with a CODE_DEPLOY deployment \
         controller. Use AWS CodeDeploy to trigger a new deployment."
    );
}

#[test]
fn eleven_services_are_too_many_and_unknown_ones_are_failures() {
    let bed = Bed::new();
    let names: Vec<String> = (0..11).map(|n| format!("s{n}")).collect();
    let text = bed.refused("DescribeServices", json!({ "cluster": "shop", "services": names }));
    assert!(text.starts_with("InvalidParameterException: "));
    let answer = bed.ecs("DescribeServices", json!({ "cluster": "shop", "services": ["web-green", "nope"] }));
    assert_eq!(
        answer["failures"],
        json!([{
            "arn": "arn:aws:ecs:eu-west-1:123456789012:service/shop/nope", "reason": "MISSING",
        }])
    );
}

#[test]
fn arns_of_another_place_are_refused() {
    let bed = Bed::new();
    let own = "arn:aws:ecs:eu-west-1:123456789012";
    let describe = |cluster: &str, service: &str| {
        bed.refused("DescribeServices", json!({ "cluster": cluster, "services": [service] }))
    };
    let elsewhere = describe("shop", &format!("{own}:service/elsewhere/web-blue"));
    let wanted = "Identifier is for cluster elsewhere. Your cluster is shop";
    assert_eq!(elsewhere, format!("InvalidParameterException: Invalid identifier: {wanted}"));
    let region = "arn:aws:ecs:us-east-1:123456789012";
    for (cluster, service) in [
        (format!("{region}:cluster/shop"), "web-blue".to_owned()),
        ("shop".to_owned(), format!("{region}:service/shop/web-blue")),
    ] {
        assert_eq!(describe(&cluster, &service), "InvalidParameterException: Invalid Region in ARN");
    }
    let foreign = "arn:aws:ecs:eu-west-1:999999999999:service/shop/web-blue";
    let update =
        bed.refused("UpdateService", json!({ "cluster": "shop", "service": foreign, "desiredCount": 1 }));
    for told in [
        update,
        describe("shop", foreign),
        describe("arn:aws:ecs:eu-west-1:999999999999:cluster/shop", "web-blue"),
    ] {
        assert!(told.starts_with("AccessDeniedException: User is not authorized"), "{told}");
    }
    let found = bed.ecs("DescribeServices", json!({ "cluster": format!("{own}:cluster/shop"), "services": [format!("{own}:service/shop/web-blue")] }));
    assert_eq!(found["services"][0]["serviceName"], "web-blue");
}
