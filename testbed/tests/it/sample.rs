//! The sample stack, seen from outside.

use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testbed::sample::{self, Stack};
use testbed::{Options, Service, Testbed, World};

/// GET over a fresh connection; the whole answer.
fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn rolling_update_of_the_live_service_fails_no_request() {
    let bed = Testbed::start(Options::default()).unwrap();
    let sample = sample::create(&bed).unwrap();
    let done = AtomicBool::new(false);
    let answers: Vec<String> = std::thread::scope(|scope| {
        let user = scope.spawn(|| {
            let mut answers = Vec::new();
            while !done.load(Ordering::Relaxed) {
                answers.push(get(sample.production_port, "/"));
            }
            answers.push(get(sample.production_port, "/"));
            answers
        });
        let definition = sample::task_definition("web-blue", &sample.image("v2"), false);
        bed.call(Service::Ecs, "RegisterTaskDefinition", definition).unwrap();
        let input = json!({ "cluster": "shop", "service": "web-blue", "taskDefinition": "web-blue" });
        bed.call(Service::Ecs, "UpdateService", input).unwrap();
        let steady = bed.wait_until(Duration::from_secs(5), |world| world.ecs.is_steady("shop", "web-blue"));
        done.store(true, Ordering::Relaxed);
        assert!(steady);
        user.join().unwrap()
    });
    assert!(answers.len() > 20);
    let bad: Vec<&String> = answers.iter().filter(|answer| !answer.starts_with("HTTP/1.1 200 ")).collect();
    assert_eq!(bad, Vec::<&String>::new());
    assert!(answers[0].ends_with("v1") && answers.last().unwrap().ends_with("v2"));
}

#[test]
fn slow_starters_of_the_served_stack_do_not_trip_the_circuit_breaker() {
    let bed = Testbed::start(Options::default()).unwrap();
    let sample = sample::create_with(&bed, &Stack::served()).unwrap();
    for tag in ["v9-start-300ms", "v10-healthy-after-3"] {
        let definition = sample::task_definition("web-green", &sample.image(tag), false);
        bed.call(Service::Ecs, "RegisterTaskDefinition", definition).unwrap();
        let input = json!({ "cluster": "shop", "service": "web-green", "taskDefinition": "web-green" });
        bed.call(Service::Ecs, "UpdateService", input).unwrap();
        let ended = |world: &mut World| world.ecs.is_steady("shop", "web-green");
        bed.wait_until(Duration::from_secs(10), ended);
        let input = json!({ "cluster": "shop", "services": ["web-green"] });
        let service = &bed.call(Service::Ecs, "DescribeServices", input).unwrap()["services"][0];
        let primary = &service["deployments"][0];
        assert_eq!(
            (&primary["rolloutState"], &primary["failedTasks"]),
            (&json!("COMPLETED"), &json!(0)),
            "{tag}"
        );
    }
}

#[test]
fn every_listener_of_the_sample_answers() {
    let bed = Testbed::start(Options::default()).unwrap();
    let sample = sample::create(&bed).unwrap();
    for port in [sample.production_port, sample.green_port, sample.blue_port, sample.dev_port] {
        assert!(get(port, "/").ends_with("v1"));
        assert!(get(port, "/healthz").ends_with("ok v1"));
    }
    assert_eq!(bed.violations(), []);
}
