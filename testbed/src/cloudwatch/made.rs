//! Metrics from the world: `AWS/ApplicationELB` from the load balancers' counters, `AWS/ECS` from the requests that
//! services' tasks serve. AWS gives a datapoint a minute; here samples come every AWS second, so that short periods
//! have data.

use std::collections::HashMap;
use std::time::Instant;

use super::CloudWatch;
use super::metric::{MetricId, Samples};
use crate::ecs::Phase;
use crate::elb::{Counts, ResponseTimes, Traffic};
use crate::world::World;

/// AWS seconds that AWS's own metrics are kept here: three hours, as AWS keeps metrics of one second.
const KEPT: u64 = 3 * 3600;

/// The conversion of requests into load. A task that serves `r` requests an AWS second has `cpu_idle + r *
/// cpu_per_request` percent CPU, at most 100; likewise memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// CPU without requests, in percent.
    pub cpu_idle: f64,
    /// CPU for one request a second and task, in percent.
    pub cpu_per_request: f64,
    /// Memory without requests, in percent.
    pub memory_idle: f64,
    /// Memory for one request a second and task, in percent.
    pub memory_per_request: f64,
}

impl Default for Load {
    /// A task that is busy with 100 requests a second.
    fn default() -> Self {
        Self { cpu_idle: 1.0, cpu_per_request: 1.0, memory_idle: 10.0, memory_per_request: 0.1 }
    }
}

/// The last reading of the world's counters.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The AWS second of the last sample of states, taken once a second.
    second: u64,
    /// Counts by load balancer and target group.
    counts: HashMap<(String, String), Counts>,
    /// Number of requests served by the target groups of a service.
    served: HashMap<String, u64>,
}

impl CloudWatch {
    /// Fixes a service's CPU, in percent, independent of its requests; none returns to the requests. At 0 tasks there
    /// is no data anyway.
    pub fn set_cpu(&mut self, service: &str, percent: Option<f64>) {
        self.set.entry(service.to_owned()).or_default()[0] = percent;
    }

    /// Fixes a service's memory, like `set_cpu`.
    pub fn set_memory(&mut self, service: &str, percent: Option<f64>) {
        self.set.entry(service.to_owned()).or_default()[1] = percent;
    }
}

/// Collects the changes since the last tick.
pub(super) fn collect(world: &mut World, now: Instant) {
    let second = world.cloudwatch.clock.second(now);
    let traffic = world.elb.traffic();
    for one in &traffic {
        requests(&mut world.cloudwatch, one, second);
    }
    for taken in world.elb.take_times() {
        response_times(&mut world.cloudwatch, &taken, second);
    }
    let passed = second.saturating_sub(world.cloudwatch.seen.second);
    if passed == 0 {
        return;
    }
    world.cloudwatch.seen.second = second;
    for one in traffic.iter().filter(|one| one.in_use) {
        hosts(&mut world.cloudwatch, one, second);
    }
    services(world, &traffic, second, passed);
    world.cloudwatch.store.forget(second.saturating_sub(KEPT));
}

/// `app/NAME/ID` or `targetgroup/NAME/ID`, as in dimensions.
fn dimension(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    resource.strip_prefix("loadbalancer/").unwrap_or(resource)
}

/// The requests of a target group since the last tick. Absent without traffic; the load balancer's own answers count
/// only for the load balancer.
fn requests(watch: &mut CloudWatch, one: &Traffic, second: u64) {
    let key = (one.balancer.clone(), one.group.clone());
    let before = watch.seen.counts.insert(key, one.counts).unwrap_or_default();
    let after = one.counts;
    let both = [
        ("RequestCount", after.requests, before.requests),
        ("HTTPCode_Target_2XX_Count", after.target_2xx, before.target_2xx),
        ("HTTPCode_Target_3XX_Count", after.target_3xx, before.target_3xx),
        ("HTTPCode_Target_4XX_Count", after.target_4xx, before.target_4xx),
        ("HTTPCode_Target_5XX_Count", after.target_5xx, before.target_5xx),
        ("TargetConnectionErrorCount", after.connection_errors, before.connection_errors),
        ("UnHealthyRoutingRequestCount", after.unhealthy_routing, before.unhealthy_routing),
    ];
    let balancer = ("LoadBalancer", dimension(&one.balancer));
    let mut add = |name: &str, dimensions: &[(&str, &str)], after: u64, before: u64| {
        if let Some(more @ 1..) = after.checked_sub(before) {
            let id = MetricId::new("AWS/ApplicationELB", name, dimensions);
            watch.store.add(id, second, &Samples::of(1.0, number(more)), Some("Count"));
        }
    };
    for (name, after, before) in both {
        add(name, &[balancer], after, before);
        add(name, &[balancer, ("TargetGroup", dimension(&one.group))], after, before);
    }
    let own = |counts: Counts| counts.unavailable + counts.bad_gateway;
    add("HTTPCode_ELB_5XX_Count", &[balancer], own(after), own(before));
}

/// The response times of a target group since the last tick, in whole milliseconds.
fn response_times(watch: &mut CloudWatch, taken: &ResponseTimes, second: u64) {
    let (balancer, group) = (dimension(&taken.balancer), dimension(&taken.group));
    let id = MetricId::new(
        "AWS/ApplicationELB",
        "TargetResponseTime",
        &[("LoadBalancer", balancer), ("TargetGroup", group)],
    );
    for time in &taken.times {
        let seconds = (time.as_secs_f64() * 1000.0).round() / 1000.0;
        watch.store.add(id.clone(), second, &Samples::of(seconds, 1.0), Some("Seconds"));
    }
}

/// Number of healthy and of unhealthy targets of a group.
fn hosts(watch: &mut CloudWatch, one: &Traffic, second: u64) {
    let dimensions = [("LoadBalancer", dimension(&one.balancer)), ("TargetGroup", dimension(&one.group))];
    for (name, count) in [("HealthyHostCount", one.healthy), ("UnHealthyHostCount", one.unhealthy)] {
        let id = MetricId::new("AWS/ApplicationELB", name, &dimensions);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        watch.store.add(id, second, &Samples::of(number(count), 1.0), Some("Count"));
    }
}

/// CPU and memory of every service with running tasks, over the AWS seconds that passed.
fn services(world: &mut World, traffic: &[Traffic], second: u64, passed: u64) {
    for service in world.ecs.services.iter().filter(|service| service.is_active()) {
        let groups = service.deployments.first().map(|first| first.revision.load_balancers.as_slice());
        let groups = groups.unwrap_or_default();
        let mine = traffic.iter().filter(|one| groups.iter().any(|group| group.group == one.group));
        let served: u64 = mine.map(|one| one.counts.requests).sum();
        let watch = &mut world.cloudwatch;
        let before = watch.seen.served.insert(service.arn.clone(), served).unwrap_or(served);
        let of = |task: &&crate::ecs::Task| task.service.as_ref() == Some(&service.arn);
        let running = world.ecs.tasks.iter().filter(of).filter(|task| task.phase == Phase::Running).count();
        let Ok(tasks @ 1..) = u64::try_from(running) else { continue };
        let rate = number(served.saturating_sub(before)) / number(tasks) / number(passed);
        let cluster = service.cluster.rsplit('/').next().unwrap_or_default();
        let dimensions = [("ClusterName", cluster), ("ServiceName", service.name.as_str())];
        let load = &watch.load;
        let made = [
            ("CPUUtilization", load.cpu_idle + rate * load.cpu_per_request),
            ("MemoryUtilization", load.memory_idle + rate * load.memory_per_request),
        ];
        let set = watch.set.get(&service.name).copied().unwrap_or_default();
        for ((name, made), set) in made.into_iter().zip(set) {
            let id = MetricId::new("AWS/ECS", name, &dimensions);
            let percent = set.unwrap_or(made.min(100.0));
            watch.store.add(id, second, &Samples::of(percent, 1.0), Some("Percent"));
        }
    }
}

/// A count as a metric's value.
#[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
fn number(count: u64) -> f64 {
    count as f64
}
