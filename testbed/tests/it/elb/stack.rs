//! A load balancer with listeners and groups, targets that are small servers, and a plain HTTP client.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::{Options, Service, Testbed};

/// A testbed with one application load balancer.
pub struct Stack {
    /// The testbed.
    pub bed: Testbed,
    /// The load balancer's ARN.
    pub balancer: String,
}

/// A port that nobody uses right now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port()
}

impl Stack {
    /// Starts it.
    pub fn start() -> Self {
        Self::with(Options::default())
    }

    /// Starts it with options.
    pub fn with(options: Options) -> Self {
        let bed = Testbed::start(options).expect("a testbed");
        let mut stack = Self { bed, balancer: String::new() };
        let input = json!({"Name": "shop", "Subnets": ["subnet-1", "subnet-2"]});
        stack.balancer = text(&stack.ok("CreateLoadBalancer", input)["LoadBalancers"][0]["LoadBalancerArn"]);
        stack
    }

    /// A call that must work.
    pub fn ok(&self, operation: &str, input: Value) -> Value {
        self.bed.call(Service::Elb, operation, input).unwrap_or_else(|error| panic!("{operation}: {error:?}"))
    }

    /// A call that must be refused: its code and message.
    pub fn refused(&self, operation: &str, input: Value) -> (String, String) {
        match self.bed.call(Service::Elb, operation, input) {
            Ok(answer) => panic!("{operation} worked: {answer}"),
            Err(error) => (error.code, error.message),
        }
    }

    /// A target group of type `ip` that is checked every 100 ms and drains in 100 ms.
    pub fn group(&self, name: &str) -> String {
        let input = json!({"Name": name, "Protocol": "HTTP", "Port": 8080, "VpcId": "vpc-1", "TargetType": "ip",
            "HealthCheckPath": "/healthz", "HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2});
        let arn = text(&self.ok("CreateTargetGroup", input)["TargetGroups"][0]["TargetGroupArn"]);
        self.attribute(&arn, "deregistration_delay.timeout_seconds", "5");
        arn
    }

    /// Sets a target group's attribute.
    pub fn attribute(&self, group: &str, key: &str, value: &str) {
        let input = json!({"TargetGroupArn": group, "Attributes": [{"Key": key, "Value": value}]});
        self.ok("ModifyTargetGroupAttributes", input);
    }

    /// A listener with these default actions: its ARN and port.
    pub fn listener(&self, actions: Value) -> (String, u16) {
        let port = free_port();
        let input = json!({"LoadBalancerArn": self.balancer, "Port": port, "Protocol": "HTTP", "DefaultActions": actions});
        (text(&self.ok("CreateListener", input)["Listeners"][0]["ListenerArn"]), port)
    }

    /// Registers a server.
    pub fn register(&self, group: &str, server: &Server) {
        let input = json!({"TargetGroupArn": group, "Targets": [{"Id": "127.0.0.1", "Port": server.port}]});
        self.ok("RegisterTargets", input);
    }

    /// Registers a server and waits until it is healthy.
    pub fn healthy(&self, group: &str, server: &Server) {
        self.register(group, server);
        self.wait(group, server, "healthy");
    }

    /// Deregisters a server.
    pub fn deregister(&self, group: &str, server: &Server) {
        let input = json!({"TargetGroupArn": group, "Targets": [{"Id": "127.0.0.1", "Port": server.port}]});
        self.ok("DeregisterTargets", input);
    }

    /// Waits for a target's state.
    pub fn wait(&self, group: &str, server: &Server, state: &str) {
        let is = |world: &mut testbed::World| {
            let health = world.elb.health(group, "127.0.0.1", server.port);
            health.map_or(state == "gone", |health| health.state.name() == state)
        };
        assert!(self.bed.wait_until(Duration::from_secs(5), is), "never {state}: {:?}", self.health(group));
    }

    /// What DescribeTargetHealth says of each target: state and reason.
    pub fn health(&self, group: &str) -> Vec<(String, String, String)> {
        let answer = self.ok("DescribeTargetHealth", json!({"TargetGroupArn": group}));
        let list = answer["TargetHealthDescriptions"].as_array().expect("a list").clone();
        let of = |entry: &Value| {
            let health = &entry["TargetHealth"];
            (text(&health["State"]), text(&health["Reason"]), text(&health["Description"]))
        };
        list.iter().map(of).collect()
    }
}

/// A text, empty for null.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A forward to groups by weight.
pub fn forward(groups: &[(&str, u32)]) -> Value {
    let groups: Vec<Value> =
        groups.iter().map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight})).collect();
    json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])
}

/// A small HTTP server that says its name.
pub struct Server {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// The status of its answers to health checks; 0: it keeps silent.
    pub health: Arc<AtomicU16>,
    /// The status of its answers to users; 0: it keeps silent.
    pub status: Arc<AtomicU16>,
    /// Set to end it.
    stop: Arc<AtomicBool>,
}

impl Server {
    /// Starts it.
    pub fn start(name: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let server = Self { port, health: status(200), status: status(200), stop: Arc::default() };
        let (health, status, stop, name) =
            (server.health.clone(), server.status.clone(), server.stop.clone(), name.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (health, status, stop, name) =
                    (health.clone(), status.clone(), stop.clone(), name.clone());
                std::thread::spawn(move || talk(stream, &name, &health, &status, &stop));
            }
        });
        server
    }

    /// Ends it: open connections close at their next request, new ones are refused.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A status that can be changed from elsewhere.
fn status(code: u16) -> Arc<AtomicU16> {
    Arc::new(AtomicU16::new(code))
}

/// Answers requests on one connection. The body shows what arrived.
fn talk(mut stream: TcpStream, name: &str, health: &AtomicU16, status: &AtomicU16, stop: &AtomicBool) {
    let mut seen = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") {
                break String::from_utf8_lossy(&seen.drain(..end + 4).collect::<Vec<u8>>()).to_lowercase();
            }
            let mut buffer = [0; 4096];
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(length) => seen.extend_from_slice(&buffer[..length]),
            }
        };
        if stop.load(Ordering::Relaxed) {
            return;
        }
        if head.contains("upgrade: websocket") {
            return echo(stream);
        }
        let check = head.contains("user-agent: elb-healthchecker/2.0");
        let code = if check { health } else { status }.load(Ordering::Relaxed);
        if code == 0 {
            std::thread::sleep(Duration::from_secs(3));
            return;
        }
        let echo = head
            .lines()
            .filter(|line| line.starts_with("x-forwarded") || line.starts_with("get "))
            .collect::<Vec<_>>()
            .join("|");
        let answer = format!(
            "HTTP/1.1 {code} Whatever\r\ncontent-length: {}\r\nx-name: {name}\r\n\r\n{echo}",
            echo.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Changes the protocol and sends everything back.
fn echo(mut stream: TcpStream) {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n";
    let mut write = stream.write_all(answer.as_bytes());
    let mut buffer = [0; 1024];
    while let (Ok(()), Ok(length @ 1..)) = (&write, stream.read(&mut buffer)) {
        write = stream.write_all(&buffer[..length]);
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header lines, in lower case up to the colon.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// One GET on a connection of its own.
pub fn get(port: u16, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let extra: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let host = if extra.contains("host:") { "" } else { "host: shop.example.com\r\n" };
    write!(stream, "GET {path} HTTP/1.1\r\n{host}{extra}connection: close\r\n\r\n").expect("written");
    let mut all = String::new();
    stream.read_to_string(&mut all).expect("an answer");
    let (head, body) = all.split_once("\r\n\r\n").unwrap_or_else(|| panic!("not HTTP: {all:?}"));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .expect("a status");
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    Answer { status, headers: headers.collect(), body: body.to_owned() }
}

/// Who answered each of so many requests: a server's name, or the status of the load balancer's own answer.
pub fn who(port: u16, requests: usize) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for _ in 0..requests {
        let answer = get(port, "/", &[]);
        let name = answer.header("x-name").map_or_else(|| answer.status.to_string(), str::to_owned);
        *counts.entry(name).or_default() += 1;
    }
    counts
}
