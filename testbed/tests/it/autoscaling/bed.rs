//! The sample stack, and calls of Application Auto Scaling over a real socket.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use testbed::autoscaling::Breach;
use testbed::{Options, Service, Testbed, sample};

/// The blue service as Application Auto Scaling names it.
pub(super) const BLUE: &str = "service/shop/web-blue";

/// A testbed with the sample stack.
pub(super) struct Bed {
    /// The testbed.
    pub(super) bed: Testbed,
}

impl Bed {
    /// The sample stack, two tasks each, without scaling.
    pub(super) fn new() -> Self {
        let bed = Testbed::start(Options::default()).unwrap();
        sample::create(&bed).unwrap();
        Self { bed }
    }

    /// A call as it goes over the wire: HTTP status and JSON body.
    fn send(&self, operation: &str, input: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.bed.endpoint().trim_start_matches("http://")).unwrap();
        let body = input.to_string();
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: aws\r\nconnection: close\r\ncontent-length: {}\r\ncontent-type: \
             application/x-amz-json-1.1\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=AKIAEXAMPLE/20260101/eu-west-1/application-autoscaling/aws4_request, SignedHeaders=host, \
             Signature=00\r\nx-amz-target: AnyScaleFrontendService.{operation}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    /// A call that works, about any resource.
    pub(super) fn ok(&self, operation: &str, input: Value) -> Value {
        let (status, body) = self.send(operation, &with_namespace(input));
        assert_eq!(status, 200, "{operation}: {body}");
        body
    }

    /// A call that is refused: code and message.
    pub(super) fn refused(&self, operation: &str, input: Value) -> String {
        let (status, body) = self.send(operation, &with_namespace(input));
        assert_eq!(status, 400, "{operation}: {body}");
        format!("{}: {}", body["__type"].as_str().unwrap(), body["message"].as_str().unwrap())
    }

    /// Registers blue, or changes what is given of it.
    pub(super) fn register(&self, change: Value) -> Value {
        self.ok("RegisterScalableTarget", about(BLUE, change))
    }

    /// Blue's scalable target as AWS describes it.
    pub(super) fn target(&self) -> Value {
        self.ok("DescribeScalableTargets", json!({ "ResourceIds": [BLUE] }))["ScalableTargets"][0].clone()
    }

    /// Puts a step policy on blue that changes the count by `by` on its side of the threshold; gives its ARN.
    pub(super) fn step(&self, name: &str, by: i32, cooldown: u32) -> String {
        let bound = if by > 0 { "MetricIntervalLowerBound" } else { "MetricIntervalUpperBound" };
        let config = json!({
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{ bound: 0, "ScalingAdjustment": by }],
            "Cooldown": cooldown,
        });
        self.put(name, json!({ "StepScalingPolicyConfiguration": config }))
    }

    /// Puts a policy on blue; gives its ARN.
    pub(super) fn put(&self, name: &str, mut input: Value) -> String {
        input["PolicyName"] = json!(name);
        let answer = self.ok("PutScalingPolicy", about(BLUE, input));
        answer["PolicyARN"].as_str().unwrap().to_owned()
    }

    /// Fires a policy with this metric, as an alarm with threshold 80 would; gives blue's desired count after it.
    pub(super) fn fire(&self, policy: &str, metric: f64) -> u64 {
        let breach = Breach { alarm: "web-blue-cpu", metric, threshold: 80.0 };
        self.bed.world(|world| world.fire_policy(policy, breach));
        self.desired()
    }

    /// Sets blue's desired count by UpdateService.
    pub(super) fn count(&self, desired: u32) {
        let input = json!({ "cluster": "shop", "service": "web-blue", "desiredCount": desired });
        self.bed.call(Service::Ecs, "UpdateService", input).unwrap();
    }

    /// Blue's desired count as ECS describes it.
    pub(super) fn desired(&self) -> u64 {
        let input = json!({ "cluster": "shop", "services": ["web-blue"] });
        let answer = self.bed.call(Service::Ecs, "DescribeServices", input).unwrap();
        answer["services"][0]["desiredCount"].as_u64().unwrap()
    }

    /// Blue's activities, newest first: cause and description.
    pub(super) fn activities(&self) -> Vec<(String, String)> {
        let answer = self.ok("DescribeScalingActivities", json!({ "ResourceId": BLUE }));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = answer["ScalingActivities"].as_array().unwrap();
        list.iter().map(|one| (text(&one["Cause"]), text(&one["Description"]))).collect()
    }
}

/// The parameters of a call about one resource.
pub(super) fn about(resource: &str, mut input: Value) -> Value {
    input["ResourceId"] = json!(resource);
    input["ScalableDimension"] = json!("ecs:service:DesiredCount");
    input
}

/// The namespace where none is given.
fn with_namespace(mut input: Value) -> Value {
    if input.get("ServiceNamespace").is_none() && input.get("ResourceARN").is_none() {
        input["ServiceNamespace"] = json!("ecs");
    }
    input
}
