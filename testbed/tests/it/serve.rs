//! `testbed serve`, as a user runs it.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use testbed::sample::{self, Stack};
use testbed::{Options, Service, Testbed};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running `testbed serve --fast`.
struct Served {
    /// The process.
    child: Child,
    /// Its lines.
    lines: Receiver<String>,
    /// The AWS endpoint, without `http://`.
    address: String,
}

impl Served {
    /// Starts it, and reads where its endpoint is.
    fn start() -> Self {
        Self::with(&[])
    }

    /// Starts it with more arguments, and reads where its endpoint is.
    fn with(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_testbed"));
        command.args(["serve", "--fast"]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("testbed");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut served = Self { child, lines, address: String::new() };
        let line = served.line("export AWS_ENDPOINT_URL=http://");
        served.address = line.trim_start_matches("export AWS_ENDPOINT_URL=http://").to_owned();
        served.line("# images");
        served
    }

    /// Waits for a line that begins so.
    fn line(&self, begin: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no line {begin}"));
            if line.starts_with(begin) {
                return line;
            }
        }
    }

    /// Writes a line to it, and waits until it is done.
    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("its input"), "{line}").expect("a line");
        self.line(&format!("# done: {line}"));
    }

    /// A call of ECS.
    fn ecs(&self, operation: &str, body: &str) -> Value {
        ecs(&self.address, operation, body)
    }
}

/// A call of ECS at this address.
fn ecs(address: &str, operation: &str, body: &str) -> Value {
    let mut stream = TcpStream::connect(address).expect("the endpoint");
    let signed = "authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/eu-west-1/ecs/aws4_request, \
                  SignedHeaders=host, Signature=00";
    let target = format!("x-amz-target: AmazonEC2ContainerServiceV20141113.{operation}");
    let head = format!("POST / HTTP/1.1\r\nhost: aws\r\nconnection: close\r\ncontent-length: {}", body.len());
    write!(stream, "{head}\r\n{signed}\r\n{target}\r\n\r\n{body}").expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap_or_default()).expect("JSON")
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn serve_prints_what_its_checker_finds() {
    let served = Served::start();
    served.ecs("UpdateService", r#"{"cluster":"shop","service":"web-blue","desiredCount":1}"#);
    let line = served.line("# invariant 22");
    assert!(line.contains("broken after call 1, UpdateService: blue went from 2 to 1 tasks"), "{line}");
}

#[test]
fn serve_takes_scripted_faults() {
    let mut served = Served::start();
    served.say("delay ListClusters 300ms 1");
    let began = Instant::now();
    served.ecs("ListClusters", "{}");
    assert!(began.elapsed() >= Duration::from_millis(300));
    served.say("throttle ListClusters 1");
    assert_eq!(served.ecs("ListClusters", "{}")["__type"], "ThrottlingException");
    served.say("hold ListClusters");
    served.say("deny DescribeClusters");
    std::thread::scope(|scope| {
        let address = served.address.clone();
        let held = scope.spawn(move || ecs(&address, "ListClusters", "{}"));
        let denied = served.ecs("DescribeClusters", "{}");
        assert_eq!(denied["__type"], "AccessDeniedException");
        assert!(!held.is_finished());
        let mut input = served.child.stdin.as_ref().expect("its input");
        writeln!(input, "clear").expect("a line");
        assert!(held.join().expect("the call")["clusterArns"].is_array());
    });
    writeln!(served.child.stdin.as_mut().expect("its input"), "hold").expect("a line");
    served.line("# not understood: hold; write delay OPERATION TIME");
}

/// Runs `testbed record` against a testbed: what it prints.
#[track_caller]
fn recorded(bed: &Testbed, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testbed"));
    command.args([
        "record",
        "--cluster",
        "shop",
        "--services",
        "web-blue,web-green",
        "--region",
        "eu-west-1",
    ]);
    let done = command.args(more).envs(bed.client_env()).output().expect("testbed");
    let printed = String::from_utf8_lossy(&done.stdout).into_owned();
    let all = format!("{printed}\n{}", String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{all}");
    assert!(printed.ends_with("\n0 facts differ, 0 fields are of another kind\n"), "{all}");
    printed
}

/// What the services, the rules and the alarms are, and the active revisions.
fn state(bed: &Testbed, listener: &str) -> Vec<Value> {
    let get = |service, operation: &str, input| bed.call(service, operation, input).expect("AWS answers");
    let described = json!({ "cluster": "shop", "services": ["web-blue", "web-green"] });
    let services = get(Service::Ecs, "DescribeServices", described);
    let of = |service: &Value| {
        let of = |key: &str| service[key].clone();
        json!([of("serviceName"), of("taskDefinition"), of("desiredCount"), of("deployments")[0]["id"]])
    };
    let services = services["services"].as_array().expect("services").iter().map(of).collect();
    let mut alarms = get(Service::CloudWatch, "DescribeAlarms", json!({}));
    // Time moves an alarm's state.
    for alarm in alarms["MetricAlarms"].as_array_mut().expect("alarms") {
        alarm.as_object_mut().expect("an alarm").retain(|key, _| !key.starts_with("State"));
    }
    vec![
        services,
        get(Service::Elb, "DescribeRules", json!({ "ListenerArn": listener })),
        alarms,
        get(Service::Ecs, "ListTaskDefinitions", json!({ "status": "ACTIVE" })),
    ]
}

#[test]
fn record_finds_no_difference_between_two_testbeds_and_leaves_the_services_as_they_were() {
    let bed = Testbed::start(Options::default()).expect("the testbed starts");
    let sample = sample::create_with(&bed, &Stack::served()).expect("the sample stack settles");
    let before = state(&bed, &sample.production_listener);
    bed.clear_calls();
    let printed = recorded(&bed, &[]);
    assert!(!printed.contains("An alarm is read back"), "{printed}");
    assert!(!bed.calls().is_empty());
    assert_eq!(bed.writes().iter().map(|call| call.operation.clone()).collect::<Vec<_>>(), [""; 0]);
    let printed = recorded(&bed, &["--write"]);
    assert!(printed.contains("  An alarm is read back as it was written: holds | holds\n"), "{printed}");
    assert!(!bed.writes().is_empty());
    assert_eq!(state(&bed, &sample.production_listener), before);
}

#[test]
fn serve_enforces_policies() {
    let folder = tempfile::tempdir().expect("a folder");
    let policy = r#"{ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "ecs:Describe*",
        "Resource": "arn:aws:ecs:eu-west-1:123456789012:service/shop/web-*" }] }"#;
    std::fs::write(folder.path().join("read.json"), policy).expect("a policy");
    let served = Served::with(&["--policies", folder.path().to_str().expect("a path")]);
    let described = served.ecs("DescribeServices", r#"{"cluster":"shop","services":["web-blue"]}"#);
    assert_eq!(described["services"][0]["serviceName"], "web-blue");
    let denied = served.ecs("UpdateService", r#"{"cluster":"shop","service":"web-blue","desiredCount":3}"#);
    assert_eq!(denied["__type"], "AccessDeniedException");
    assert_eq!(
        denied["message"],
        "User: arn:aws:sts::123456789012:assumed-role/deploy/ci is not authorized to perform: ecs:UpdateService on \
         resource: arn:aws:ecs:eu-west-1:123456789012:service/shop/web-blue because no identity-based policy allows \
         the ecs:UpdateService action"
    );
}
