//! The sample stack: cluster `shop` with blue, green and develop (`web-…`, unless renamed) behind one load balancer,
//! guarded by the alarm `web-5xx`.

mod alarms;

use crate::checker::Color;
pub use crate::scaled::autoscaled;
use crate::testbed::Testbed;
use crate::wire::{ApiError, Service};
use crate::{clock, port};
use serde_json::{Value, json};
use std::io;
use std::net::TcpListener;
use std::time::Duration;

/// Images in the repository `shop/web` from the start; each tag names the image's behavior.
pub const IMAGES: [&str; 12] = [
    "v1",
    "v2",
    "v3-crash",
    "v3-crash-after-300ms",
    "v4-unhealthy",
    "v5-slow-200ms",
    "v6-fail-users",
    "v7-hang",
    "v8-wrong-body",
    "v9-start-300ms",
    "v10-healthy-after-3",
    "v11-no-secret",
];

/// The log group of all containers.
pub const LOG_GROUP: &str = "/ecs/shop";

/// The variable parts of the sample stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Tasks of blue and green.
    pub desired: u32,
    /// True if the circuit breaker rolls back.
    pub rollback: bool,
    /// `deploymentConfiguration`, merged over the sample's own.
    pub deployment: Value,
    /// `healthCheckGracePeriodSeconds`.
    pub grace: u32,
    /// Tasks and target groups with only IPv6 addresses.
    pub ipv6: bool,
    /// EC2 container instances with bridge networking and `instance` targets instead of Fargate.
    pub ec2: bool,
    /// Weights of blue and green on the production listener.
    pub weights: (u32, u32),
    /// Ports of production, green, blue and develop; 0 for any free port.
    pub ports: [u16; 4],
    /// Names of the services blue, green and develop, of their families and of their target groups.
    pub names: [&'static str; 3],
    /// Tag of the image that all services run. One that no image has leaves the services without tasks.
    pub image: &'static str,
}

impl Stack {
    /// The stack of `serve`: the grace period is long enough for every image of the sample that can start, at either
    /// pace. Without a grace period, three health checks of `--fast` are over before `v9-start-300ms` listens.
    pub fn served() -> Self {
        Self { grace: SERVED_GRACE, ..Self::default() }
    }
}

/// `healthCheckGracePeriodSeconds` of the stack of `serve`: 900 ms under `--fast`.
const SERVED_GRACE: u32 = 45;

impl Default for Stack {
    /// Two Fargate tasks each, blue live, a circuit breaker without rollback.
    fn default() -> Self {
        Self {
            desired: 2,
            rollback: false,
            deployment: json!({}),
            grace: 0,
            ipv6: false,
            ec2: false,
            weights: (100, 0),
            ports: [0; 4],
            names: ["web-blue", "web-green", "web-dev"],
            image: "v1",
        }
    }
}

/// The sample stack's names, ARNs and ports.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The cluster's name.
    pub cluster: String,
    /// The load balancer's ARN.
    pub load_balancer: String,
    /// ARNs of the target groups.
    pub blue_group: String,
    /// Green's target group.
    pub green_group: String,
    /// Develop's target group.
    pub dev_group: String,
    /// ARNs of the services.
    pub blue_service: String,
    /// Green's service.
    pub green_service: String,
    /// Develop's service.
    pub dev_service: String,
    /// ARN of the production listener.
    pub production_listener: String,
    /// ARN of the listener of only green.
    pub green_listener: String,
    /// ARN of the listener of only blue.
    pub blue_listener: String,
    /// ARN of the listener of develop.
    pub dev_listener: String,
    /// Port of the production listener.
    pub production_port: u16,
    /// Port of the listener of only green.
    pub green_port: u16,
    /// Port of the listener of only blue.
    pub blue_port: u16,
    /// Port of the listener of develop.
    pub dev_port: u16,
    /// The image reference without a tag.
    pub repository: String,
}

impl Sample {
    /// The image reference of a tag.
    pub fn image(&self, tag: &str) -> String {
        format!("{}:{tag}", self.repository)
    }
}

/// Creates the sample stack and waits for its steady state.
///
/// # Errors If AWS's own operations refuse a call, or the stack isn't steady within 20 seconds.
pub fn create(bed: &Testbed) -> io::Result<Sample> {
    create_with(bed, &Stack::default())
}

/// Creates a modified sample stack and waits for its steady state, if its image exists.
///
/// # Errors If AWS's own operations refuse a call, or the stack isn't steady within 20 seconds.
pub fn create_with(bed: &Testbed, stack: &Stack) -> io::Result<Sample> {
    let sample =
        build(bed, stack).map_err(|error| io::Error::other(format!("{}: {}", error.code, error.message)))?;
    let runs = IMAGES.contains(&stack.image);
    if runs
        && !bed.wait_until(Duration::from_secs(20), |world| {
            stack.names.iter().all(|name| world.ecs.is_steady("shop", name))
        })
    {
        return Err(io::Error::other("couldn't bring the sample stack to a steady state within 20 seconds"));
    }
    clock::pause(bed.world(|world| world.pace.invisible));
    let color = |service: &str, group: &str| Color { service: service.to_owned(), group: group.to_owned() };
    bed.watch(
        color(&sample.blue_service, &sample.blue_group),
        color(&sample.green_service, &sample.green_group),
    );
    Ok(sample)
}

/// Creates everything, by AWS's own operations.
fn build(bed: &Testbed, stack: &Stack) -> Result<Sample, ApiError> {
    let repository = bed.world(|world| {
        for tag in IMAGES {
            world.ecr.push("shop/web", tag);
        }
        format!("{}/shop/web", world.registry())
    });
    bed.world(|world| world.logs.create_group(LOG_GROUP));
    bed.call(Service::Ecs, "CreateCluster", json!({ "clusterName": "shop" }))?;
    if stack.ec2 {
        bed.world(|world| {
            for ec2 in ["i-0aaaaaaaaaaaaaaa1", "i-0bbbbbbbbbbbbbbb2"] {
                world.add_instance("shop", ec2, 20);
            }
        });
    }
    let load_balancer = balancer(bed)?;
    let [blue, green, develop] = stack.names;
    let [blue_group, green_group, dev_group] =
        [group(bed, blue, stack)?, group(bed, green, stack)?, group(bed, develop, stack)?];
    let production = [(blue_group.as_str(), stack.weights.0), (green_group.as_str(), stack.weights.1)];
    let (production_listener, production_port) = listener(bed, &load_balancer, &production, stack.ports[0])?;
    let (green_listener, green_port) = listener(bed, &load_balancer, &[(&green_group, 1)], stack.ports[1])?;
    let (blue_listener, blue_port) = listener(bed, &load_balancer, &[(&blue_group, 1)], stack.ports[2])?;
    let (dev_listener, dev_port) = listener(bed, &load_balancer, &[(&dev_group, 1)], stack.ports[3])?;
    alarms::create(bed, &load_balancer, &blue_group, &green_group)?;
    let image = format!("{repository}:{}", stack.image);
    for family in stack.names {
        bed.call(Service::Ecs, "RegisterTaskDefinition", task_definition(family, &image, stack.ec2))?;
    }
    Ok(Sample {
        cluster: "shop".to_owned(),
        blue_service: service(bed, blue, &blue_group, stack.desired, stack)?,
        green_service: service(bed, green, &green_group, stack.desired, stack)?,
        dev_service: service(bed, develop, &dev_group, 1, stack)?,
        load_balancer,
        blue_group,
        green_group,
        dev_group,
        production_listener,
        green_listener,
        blue_listener,
        dev_listener,
        production_port,
        green_port,
        blue_port,
        dev_port,
        repository,
    })
}

/// A text from an answer.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Creates the load balancer; returns its ARN.
fn balancer(bed: &Testbed) -> Result<String, ApiError> {
    let subnets = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"];
    let answer =
        bed.call(Service::Elb, "CreateLoadBalancer", json!({ "Name": "shop", "Subnets": subnets }))?;
    Ok(text(&answer["LoadBalancers"][0]["LoadBalancerArn"]))
}

/// Creates a target group; returns its ARN.
fn group(bed: &Testbed, name: &str, stack: &Stack) -> Result<String, ApiError> {
    let input = json!({
        "Name": name,
        "Protocol": "HTTP",
        "Port": "8080",
        "VpcId": "vpc-0a1b2c3d4e5f67890",
        "TargetType": if stack.ec2 { "instance" } else { "ip" },
        "IpAddressType": if stack.ipv6 { "ipv6" } else { "ipv4" },
        "HealthCheckPath": "/healthz",
        "HealthCheckIntervalSeconds": "5",
        "HealthCheckTimeoutSeconds": "2",
        "HealthyThresholdCount": "2",
        "UnhealthyThresholdCount": "2",
    });
    let answer = bed.call(Service::Elb, "CreateTargetGroup", input)?;
    let arn = text(&answer["TargetGroups"][0]["TargetGroupArn"]);
    let delay = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "5" }]);
    let input = json!({ "TargetGroupArn": arn, "Attributes": delay });
    bed.call(Service::Elb, "ModifyTargetGroupAttributes", input)?;
    Ok(arn)
}

/// Creates a listener that forwards to groups with weights; returns its ARN and port.
fn listener(
    bed: &Testbed,
    balancer: &str,
    groups: &[(&str, u32)],
    port: u16,
) -> Result<(String, u16), ApiError> {
    let tuples: Vec<Value> = (groups.iter())
        .map(|(group, weight)| json!({ "TargetGroupArn": group, "Weight": weight.to_string() }))
        .collect();
    let mut error = ApiError::new("InvalidConfigurationRequest", "no free port");
    // Another process may take a free port before the listener does.
    for _ in 0..5 {
        let port = if port == 0 { free_port() } else { port };
        let action = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": tuples } });
        let input = json!({
            "LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": port.to_string(), "DefaultActions": [action],
        });
        match bed.call(Service::Elb, "CreateListener", input) {
            Ok(answer) => return Ok((text(&answer["Listeners"][0]["ListenerArn"]), port)),
            Err(refused) => error = refused,
        }
    }
    Err(error)
}

/// A port that was just free; 0 if none is available.
pub fn free_port() -> u16 {
    let address = if clock::is_own() {
        port::any().and_then(|socket| socket.local_addr())
    } else {
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr())
    };
    address.map_or(0, |address| address.port())
}

/// The sample's task definition in a caller's form.
pub fn task_definition(family: &str, image: &str, ec2: bool) -> Value {
    let mapping =
        if ec2 { json!({ "containerPort": 8080, "hostPort": 0 }) } else { json!({ "containerPort": 8080 }) };
    let container = json!({
        "name": "app",
        "image": image,
        "essential": true,
        "portMappings": [mapping],
        "environment": [{ "name": "STAGE", "value": "production" }, { "name": "LOG_LEVEL", "value": "info" }],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": LOG_GROUP, "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "web",
            },
        },
    });
    json!({
        "family": family,
        "networkMode": if ec2 { "bridge" } else { "awsvpc" },
        "requiresCompatibilities": [if ec2 { "EC2" } else { "FARGATE" }],
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/shop-execution",
        "taskRoleArn": "arn:aws:iam::123456789012:role/shop-task",
        "containerDefinitions": [container],
    })
}

/// Creates a service; returns its ARN.
fn service(bed: &Testbed, name: &str, group: &str, desired: u32, stack: &Stack) -> Result<String, ApiError> {
    let mut config = json!({
        "deploymentCircuitBreaker": { "enable": true, "rollback": stack.rollback },
        "minimumHealthyPercent": 100,
        "maximumPercent": 200,
    });
    if let (Some(config), Some(more)) = (config.as_object_mut(), stack.deployment.as_object()) {
        config.extend(more.clone());
    }
    let mut input = json!({
        "cluster": "shop",
        "serviceName": name,
        "taskDefinition": name,
        "desiredCount": desired,
        "launchType": if stack.ec2 { "EC2" } else { "FARGATE" },
        "deploymentConfiguration": config,
        "healthCheckGracePeriodSeconds": stack.grace,
        "loadBalancers": [{ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }],
    });
    if !stack.ec2 {
        input["networkConfiguration"] = json!({ "awsvpcConfiguration": {
            "subnets": ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"],
            "securityGroups": ["sg-0a1b2c3d4e5f67890"],
            "assignPublicIp": "DISABLED",
        }});
    }
    Ok(text(&bed.call(Service::Ecs, "CreateService", input)?["service"]["serviceArn"]))
}
