//! The sample stack, seen from outside.

use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use testbed::{Options, Service, Testbed, sample};

/// GET over a fresh connection; status line and body.
fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn sample_stack_serves_v1_and_rolls_to_v2() {
    let start = Instant::now();
    let bed = Testbed::start(Options::default()).unwrap();
    let sample = sample::create(&bed).unwrap();
    eprintln!("steady after {:?}", start.elapsed());
    assert!(get(sample.production_port, "/").ends_with("v1"));
    let definition = sample::task_definition("web-green", &sample.image("v2"), false);
    bed.call(Service::Ecs, "RegisterTaskDefinition", definition).unwrap();
    let input = json!({ "cluster": "shop", "service": "web-green", "taskDefinition": "web-green" });
    bed.call(Service::Ecs, "UpdateService", input).unwrap();
    let start = Instant::now();
    assert!(bed.wait_until(Duration::from_secs(5), |world| world.ecs.is_steady("shop", "web-green")));
    eprintln!("rolled after {:?}", start.elapsed());
    assert!(get(sample.green_port, "/").ends_with("v2"));
    assert!(get(sample.production_port, "/").ends_with("v1"));
    bed.world(|world| {
        for event in &world.ecs.service("shop", "web-green").unwrap().events {
            eprintln!("{}", event.message);
        }
    });
}
