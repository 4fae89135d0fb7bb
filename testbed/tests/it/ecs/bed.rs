//! A testbed with the sample stack, and the calls that the tests make on it.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use testbed::sample::{self, Sample, Stack};
use testbed::{Options, Pace, Service, Testbed};

/// A testbed with the sample stack.
pub(super) struct Bed {
    /// The testbed.
    pub(super) bed: Testbed,
    /// Its stack.
    pub(super) sample: Sample,
    /// Whether the stack is on EC2.
    ec2: bool,
}

impl Bed {
    /// The sample stack as it is.
    pub(super) fn new() -> Self {
        Self::with(&Stack::default(), Pace::default())
    }

    /// The sample stack with differences.
    pub(super) fn with(stack: &Stack, pace: Pace) -> Self {
        let bed = Testbed::start(Options { pace, port: 0 }).unwrap();
        let sample = sample::create_with(&bed, stack).unwrap();
        Self { bed, sample, ec2: stack.ec2 }
    }

    /// An ECS operation that works.
    pub(super) fn ecs(&self, operation: &str, input: Value) -> Value {
        self.bed.call(Service::Ecs, operation, input).unwrap()
    }

    /// An ECS operation that is refused: code and message.
    pub(super) fn refused(&self, operation: &str, input: Value) -> String {
        let error = self.bed.call(Service::Ecs, operation, input).unwrap_err();
        format!("{}: {}", error.code, error.message)
    }

    /// Registers a definition with the image of a tag; gives its ARN.
    pub(super) fn register(&self, family: &str, tag: &str) -> String {
        let body = sample::task_definition(family, &self.sample.image(tag), self.ec2);
        let answer = self.ecs("RegisterTaskDefinition", body);
        answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    /// Updates web-green; gives the service.
    pub(super) fn update(&self, mut input: Value) -> Value {
        input["cluster"] = json!("shop");
        input["service"] = json!("web-green");
        self.ecs("UpdateService", input)["service"].clone()
    }

    /// Deploys the image of a tag on web-green; gives the new deployment's id.
    pub(super) fn deploy(&self, tag: &str) -> String {
        let definition = self.register("web-green", tag);
        let service = self.update(json!({ "taskDefinition": definition }));
        service["deployments"][0]["id"].as_str().unwrap().to_owned()
    }

    /// web-green as AWS describes it.
    pub(super) fn green(&self) -> Value {
        let answer = self.ecs("DescribeServices", json!({ "cluster": "shop", "services": ["web-green"] }));
        answer["services"][0].clone()
    }

    /// The newest service deployment of web-green.
    pub(super) fn newest(&self) -> Value {
        let all = self.ecs("ListServiceDeployments", json!({ "cluster": "shop", "service": "web-green" }));
        let newest =
            all["serviceDeployments"].as_array().and_then(|all| all.last()).expect("a service deployment");
        let arn = &newest["serviceDeploymentArn"];
        let answer = self.ecs("DescribeServiceDeployments", json!({ "serviceDeploymentArns": [arn] }));
        answer["serviceDeployments"][0].clone()
    }

    /// Waits until web-green looks like this.
    pub(super) fn wait(&self, what: &str, mut is: impl FnMut(&Value) -> bool) -> Value {
        for _ in 0..2000 {
            let green = self.green();
            if is(&green) {
                return green;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("web-green never became {what}: {:#}", self.green());
    }

    /// Waits until web-green has one deployment, complete and steady.
    pub(super) fn steady(&self) -> Value {
        let steady =
            self.bed.wait_until(Duration::from_secs(10), |world| world.ecs.is_steady("shop", "web-green"));
        assert!(steady, "{:#}", self.green());
        self.green()
    }

    /// The stopped tasks of web-green.
    pub(super) fn stopped(&self) -> Vec<Value> {
        let input = json!({ "cluster": "shop", "serviceName": "web-green", "desiredStatus": "STOPPED" });
        let arns = self.ecs("ListTasks", input)["taskArns"].clone();
        let answer = self.ecs("DescribeTasks", json!({ "cluster": "shop", "tasks": arns }));
        answer["tasks"].as_array().unwrap().clone()
    }

    /// Messages of web-green's events, newest first, without the service's name.
    pub(super) fn events(&self) -> Vec<String> {
        let green = self.green();
        let texts =
            green["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap());
        texts.map(|text| text.trim_start_matches("(service web-green) ").to_owned()).collect()
    }
}

/// GET over a fresh connection; the whole answer.
pub(super) fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
