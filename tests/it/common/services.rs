//! A second app in the sample stack: two more services behind the same load balancer.

use serde_json::{Value, json};
use testbed::sample::{free_port, task_definition};
use testbed::{Service, Testbed};

use super::look::{ecs, steady};

/// What AWS answers to an operation of Elastic Load Balancing.
fn elb(bed: &Testbed, operation: &str, input: Value) -> Value {
    bed.call(Service::Elb, operation, input).expect("AWS takes it")
}

/// A listener that forwards to groups with these weights.
fn listener(bed: &Testbed, balancer: &Value, groups: &[(&Value, u32)]) {
    let tuples: Vec<Value> =
        (groups.iter()).map(|(group, weight)| json!({ "TargetGroupArn": group, "Weight": weight })).collect();
    let action = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": tuples } });
    let input = json!({
        "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": free_port(), "DefaultActions": [action],
    });
    elb(bed, "CreateListener", input);
}

/// Creates `NAME-blue`, which serves users, and `NAME-green`, with two tasks each on v1 of the image `shop/NAME`; its
/// repository has this tag, too.
pub(crate) fn second_app(bed: &Testbed, name: &str, tag: &str) {
    let repository = bed.world(|world| {
        for tag in ["v1", tag] {
            world.ecr.push(&format!("shop/{name}"), tag);
        }
        format!("{}/shop/{name}", world.registry())
    });
    let balancers = elb(bed, "DescribeLoadBalancers", json!({}));
    let balancer = &balancers["LoadBalancers"][0]["LoadBalancerArn"];
    let groups = ["blue", "green"].map(|color| {
        let input = json!({
            "Name": format!("{name}-{color}"), "Protocol": "HTTP", "Port": 8080, "TargetType": "ip",
            "VpcId": "vpc-0a1b2c3d4e5f67890", "HealthCheckPath": "/healthz", "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2, "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2,
        });
        elb(bed, "CreateTargetGroup", input)["TargetGroups"][0]["TargetGroupArn"].clone()
    });
    listener(bed, balancer, &[(&groups[0], 100), (&groups[1], 0)]);
    listener(bed, balancer, &[(&groups[1], 1)]);
    for (color, group) in ["blue", "green"].iter().zip(&groups) {
        let service = format!("{name}-{color}");
        let definition = task_definition(&service, &format!("{repository}:v1"), false);
        bed.call(Service::Ecs, "RegisterTaskDefinition", definition).expect("AWS takes it");
        let input = json!({
            "serviceName": service, "taskDefinition": service, "desiredCount": 2, "launchType": "FARGATE",
            "loadBalancers": [{ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }],
            "networkConfiguration": { "awsvpcConfiguration": {
                "subnets": ["subnet-0a1b2c3d4e5f60001"], "securityGroups": ["sg-0a1b2c3d4e5f67890"],
            } },
        });
        ecs(bed, "CreateService", input);
        steady(bed, &service);
    }
    bed.clear_calls();
}
