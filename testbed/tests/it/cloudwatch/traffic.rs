//! Metrics that the world makes of real traffic, and the sample stack's alarms on them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use testbed::Service;
use testbed::cloudwatch::State;
use testbed::sample::{self, Sample};

use super::bed::{Bed, names};

/// One request; the answer's status.
fn get(port: u16, path: &str) -> u16 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").expect("written");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// The sample stack.
fn stack() -> (Bed, Sample) {
    let bed = Bed::start();
    let sample = sample::create(&bed.0).expect("the sample stack");
    (bed, sample)
}

/// The sum over all time of a metric with these dimensions.
fn sum(bed: &Bed, namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Option<f64> {
    values(bed, (namespace, name, "Sum"), dimensions).into_iter().reduce(|one, other| one + other)
}

/// The values of a metric's statistic, newest first.
fn values(bed: &Bed, what: (&str, &str, &str), dimensions: &[(&str, &str)]) -> Vec<f64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs_f64();
    let dimensions: Vec<Value> =
        dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    let metric = json!({ "Namespace": what.0, "MetricName": what.1, "Dimensions": dimensions });
    let query = json!({ "Id": "m", "MetricStat": { "Metric": metric, "Period": 1, "Stat": what.2 } });
    let input = json!({ "MetricDataQueries": [query], "StartTime": now - 600.0, "EndTime": now + 1.0 });
    let answer = bed.ok("GetMetricData", input);
    let list = answer["MetricDataResults"][0]["Values"].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(Value::as_f64).collect()
}

/// What follows `loadbalancer/`, or the whole resource of a target group.
fn dimension(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).expect("an ARN");
    resource.strip_prefix("loadbalancer/").unwrap_or(resource)
}

/// Lets the world take in what was counted.
fn tick(bed: &Bed) {
    let second = bed.0.world(|world| world.pace.second);
    std::thread::sleep(second * 3);
}

#[test]
fn the_load_balancer_counts_by_target_group_and_alone() {
    let (bed, sample) = stack();
    let balancer = ("LoadBalancer", dimension(&sample.load_balancer));
    let of = |name: &str, group: &str| {
        sum(&bed, "AWS/ApplicationELB", name, &[balancer, ("TargetGroup", dimension(group))])
    };
    assert!(balancer.1.starts_with("app/shop/"), "{}", balancer.1);
    assert_eq!(of("RequestCount", &sample.blue_group), None, "absent without traffic");
    for _ in 0..10 {
        assert_eq!(get(sample.production_port, "/"), 200);
    }
    assert_eq!(get(sample.green_port, "/"), 200);
    tick(&bed);
    assert_eq!(of("RequestCount", &sample.blue_group), Some(10.0));
    assert_eq!(of("HTTPCode_Target_2XX_Count", &sample.blue_group), Some(10.0));
    assert_eq!(of("HTTPCode_Target_2XX_Count", &sample.green_group), Some(1.0));
    assert_eq!(of("HTTPCode_Target_5XX_Count", &sample.blue_group), None);
    assert_eq!(sum(&bed, "AWS/ApplicationELB", "RequestCount", &[balancer]), Some(11.0));
    assert_eq!(sum(&bed, "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", &[balancer]), None);
    let hosts = |name: &str| {
        let dimensions = [balancer, ("TargetGroup", dimension(&sample.blue_group))];
        values(&bed, ("AWS/ApplicationELB", name, "Average"), &dimensions).first().copied()
    };
    assert_eq!((hosts("HealthyHostCount"), hosts("UnHealthyHostCount")), (Some(2.0), Some(0.0)));
    let known =
        bed.ok("ListMetrics", json!({ "Namespace": "AWS/ApplicationELB", "MetricName": "HealthyHostCount" }));
    assert_eq!(names(&known["Metrics"], "MetricName").len(), 3, "one for each group in use");
}

#[test]
fn what_the_load_balancer_answers_by_itself_has_no_target_group() {
    let (bed, sample) = stack();
    let empty = json!({ "cluster": "shop", "service": "web-dev", "desiredCount": 0 });
    bed.0.call(Service::Ecs, "UpdateService", empty).expect("scaled down");
    bed.wait("nobody is there", |world| world.elb.registered(&sample.dev_group) == 0);
    assert_eq!(get(sample.dev_port, "/"), 503);
    tick(&bed);
    let balancer = ("LoadBalancer", dimension(&sample.load_balancer));
    let group = ("TargetGroup", dimension(&sample.dev_group));
    assert_eq!(sum(&bed, "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", &[balancer]), Some(1.0));
    assert_eq!(sum(&bed, "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", &[balancer, group]), None);
    assert_eq!(sum(&bed, "AWS/ApplicationELB", "RequestCount", &[balancer, group]), None, "503s don't count");
}

#[test]
fn services_have_cpu_and_memory_by_their_requests() {
    let (bed, sample) = stack();
    let of = |name: &str, service: &str| {
        values(&bed, ("AWS/ECS", name, "Maximum"), &[("ClusterName", "shop"), ("ServiceName", service)])
    };
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    bed.0.world(|world| world.cloudwatch.load.cpu_per_request = 20.0);
    for _ in 0..40 {
        get(sample.production_port, "/");
    }
    tick(&bed);
    assert!(most(&of("CPUUtilization", "web-blue")) >= 11.0, "{:?}", of("CPUUtilization", "web-blue"));
    assert!(of("CPUUtilization", "web-green").iter().all(|percent| (percent - 1.0).abs() < 0.01));
    assert!(most(&of("MemoryUtilization", "web-green")) >= 10.0);
    bed.0.world(|world| {
        world.cloudwatch.set_cpu("web-green", Some(93.0));
        world.cloudwatch.set_memory("web-green", Some(81.0));
    });
    tick(&bed);
    assert_eq!(of("CPUUtilization", "web-green").first(), Some(&93.0));
    assert_eq!(of("MemoryUtilization", "web-green").first(), Some(&81.0));
    let empty = json!({ "cluster": "shop", "service": "web-green", "desiredCount": 0 });
    bed.0.call(Service::Ecs, "UpdateService", empty).expect("scaled down");
    bed.wait("no task is left", |world| world.ecs.tasks_of("shop", "web-green").is_empty());
    let before = of("CPUUtilization", "web-green").len();
    tick(&bed);
    assert_eq!(of("CPUUtilization", "web-green").len(), before, "no data at 0 tasks");
}

#[test]
fn the_samples_alarm_goes_off_with_the_errors_of_either_color() {
    let (bed, sample) = stack();
    for name in ["web-5xx", "web-5xx-blue", "web-5xx-green"] {
        bed.wait_state(name, State::Ok);
    }
    let bad = sample::task_definition("web-green", &sample.image("v6-fail-users"), false);
    bed.0.call(Service::Ecs, "RegisterTaskDefinition", bad).expect("registered");
    let update = json!({ "cluster": "shop", "service": "web-green", "taskDefinition": "web-green" });
    bed.0.call(Service::Ecs, "UpdateService", update).expect("updated");
    bed.wait("green is steady", |world| world.ecs.is_steady("shop", "web-green"));
    assert_eq!(get(sample.production_port, "/"), 200);
    assert_eq!(get(sample.green_port, "/"), 500);
    bed.wait_state("web-5xx", State::Alarm);
    assert_eq!(bed.path("web-5xx-green"), [State::Ok, State::Alarm]);
    assert_eq!(bed.path("web-5xx-blue"), [State::Ok]);
    let reason = bed.alarm("web-5xx-green")["StateReason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.starts_with("Threshold Crossed: 1 out of the last 1 datapoints [1.0 ("), "{reason}");
    bed.wait_state("web-5xx", State::Ok);
    assert_eq!(bed.path("web-5xx"), [State::Ok, State::Alarm, State::Ok]);
}

#[test]
fn metrics_have_an_age_and_the_newest_period_grows() {
    let (bed, sample) = stack();
    bed.0.world(|world| world.cloudwatch.delay = 50);
    let dimensions =
        [("LoadBalancer", dimension(&sample.load_balancer)), ("TargetGroup", dimension(&sample.blue_group))];
    let requests = || sum(&bed, "AWS/ApplicationELB", "RequestCount", &dimensions);
    for _ in 0..10 {
        assert_eq!(get(sample.production_port, "/"), 200);
    }
    tick(&bed);
    assert_eq!(requests(), None, "too young");
    std::thread::sleep(bed.0.world(|world| world.pace.seconds(60)));
    assert_eq!(requests(), Some(10.0));
    assert!(values(&bed, ("AWS/ApplicationELB", "TargetResponseTime", "p99"), &dimensions)[0] < 1.0);
    bed.0.world(|world| world.cloudwatch.withheld = Some("RequestCount".to_owned()));
    assert_eq!(requests(), None, "an internal error has no values");
}
