//! Drivers that do the right things in the wrong order. The testbed must notice twice: users of the production listener see failed
//! requests, and the checker speaks. A driver that does them in the right order stays unnoticed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use testbed::elb::State;
use testbed::sample::{self, Sample};
use testbed::{Options, Service, Testbed};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sample stack with users on its production listener.
struct Scene {
    /// The testbed.
    bed: Testbed,
    /// Names and ports.
    sample: Sample,
    /// The users.
    users: Users,
}

impl Scene {
    /// Blue serves the users, green has as many tasks as said.
    fn start(green: u32) -> Self {
        let bed = Testbed::start(Options::default()).expect("a testbed");
        let sample = sample::create(&bed).expect("the sample stack");
        bed.world(|world| world.checker.expect_empty(true));
        let scene = Self { users: Users::start(sample.production_port), bed, sample };
        scene.count("web-green", green);
        let group = scene.sample.green_group.clone();
        let there = |world: &mut testbed::World| world.elb.count(&group, State::Healthy) == green as usize;
        assert!(scene.bed.wait_until(PATIENCE, there), "green has not {green} tasks");
        scene.bed.world(|world| world.checker.expect_empty(false));
        scene.pause();
        assert_eq!(scene.users.failed(), 0, "nothing happened yet");
        assert_eq!(scene.bed.violations(), []);
        scene
    }

    /// Sets a service's desired count.
    fn count(&self, service: &str, count: u32) {
        let input = json!({"cluster": "shop", "service": service, "desiredCount": count});
        self.bed.call(Service::Ecs, "UpdateService", input).expect("the count");
    }

    /// Sets the weights of the production listener.
    fn weights(&self, blue: u32, green: u32) {
        let groups = json!([{"TargetGroupArn": self.sample.blue_group, "Weight": blue},
            {"TargetGroupArn": self.sample.green_group, "Weight": green}]);
        let actions = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]);
        let input = json!({"ListenerArn": self.sample.production_listener, "DefaultActions": actions});
        self.bed.call(Service::Elb, "ModifyListener", input).expect("the weights");
    }

    /// Waits until a group has so many healthy targets.
    fn healthy(&self, group: &str, count: usize) {
        let there = |world: &mut testbed::World| world.elb.count(group, State::Healthy) == count;
        assert!(self.bed.wait_until(PATIENCE, there), "{group} never had {count} healthy targets");
    }

    /// Lets the users send some requests.
    fn pause(&self) {
        let before = self.users.all.load(Ordering::Relaxed);
        assert!(self.bed.wait_until(PATIENCE, |_| self.users.all.load(Ordering::Relaxed) > before + 40));
    }

    /// Numbers of the invariants that the checker named.
    fn named(&self) -> Vec<u8> {
        self.bed.violations().iter().map(|violation| violation.invariant).collect()
    }
}

/// Users who ask without end, on fresh connections, and never try twice.
struct Users {
    /// Requests so far.
    all: Arc<AtomicU64>,
    /// Requests without a 200.
    failed: Arc<AtomicU64>,
    /// Set to send them home.
    stop: Arc<AtomicBool>,
    /// Their threads.
    threads: Vec<JoinHandle<()>>,
}

impl Users {
    /// Two users of this port.
    fn start(port: u16) -> Self {
        let (all, failed, stop) =
            (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let user = || {
            let (all, failed, stop) = (all.clone(), failed.clone(), stop.clone());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    if ask(port).is_none_or(|status| status != 200) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                    all.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let threads = vec![user(), user()];
        Self { all, failed, stop, threads }
    }

    /// Requests without a 200 so far.
    fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// One request: the status of its answer; none when there was no answer.
fn ask(port: u16) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

#[test]
fn capacity_then_weight_then_shrink_stays_unnoticed() {
    let scene = Scene::start(0);
    scene.count("web-green", 2);
    scene.healthy(&scene.sample.green_group, 2);
    scene.weights(50, 50);
    scene.pause();
    scene.weights(0, 100);
    scene.pause();
    scene.count("web-blue", 1);
    scene.healthy(&scene.sample.blue_group, 1);
    scene.pause();
    assert_eq!(scene.bed.violations(), []);
    assert_eq!(scene.users.failed(), 0);
}

#[test]
fn weight_before_healthy_is_noticed() {
    let scene = Scene::start(0);
    let family = sample::task_definition("web-green", &scene.sample.image("v9-start-300ms"), false);
    scene.bed.call(Service::Ecs, "RegisterTaskDefinition", family).expect("a revision");
    let input =
        json!({"cluster": "shop", "service": "web-green", "taskDefinition": "web-green", "desiredCount": 2});
    scene.bed.call(Service::Ecs, "UpdateService", input).expect("the update");
    let group = &scene.sample.green_group;
    assert!(scene.bed.wait_until(PATIENCE, |world| world.elb.registered(group) == 2));
    scene.weights(0, 100);
    scene.pause();
    assert!(scene.users.failed() > 0);
    assert_eq!(scene.named(), [16], "{:?}", scene.bed.violations());
}

#[test]
fn shrink_before_weight_is_noticed() {
    let scene = Scene::start(2);
    scene.count("web-blue", 0);
    let group = &scene.sample.blue_group;
    assert!(scene.bed.wait_until(PATIENCE, |world| world.elb.registered(group) == 0));
    scene.pause();
    scene.weights(0, 100);
    assert!(scene.users.failed() > 0);
    assert_eq!(scene.named(), [22, 24, 24], "{:?}", scene.bed.violations());
}

#[test]
fn an_empty_group_is_noticed() {
    let scene = Scene::start(0);
    scene.weights(80, 20);
    scene.pause();
    assert!(scene.users.failed() > 0);
    assert_eq!(scene.named(), [16], "{:?}", scene.bed.violations());
    let counts =
        scene.bed.world(|world| world.elb.counts(&scene.sample.load_balancer, &scene.sample.green_group));
    assert_eq!(counts.requests, 0);
    assert!(counts.unavailable > 0);
}

#[test]
fn invariant_36_users_on_a_color_that_another_run_has_shrunk_are_noticed() {
    let scene = Scene::start(2);
    scene.bed.world(|world| world.checker.expect_restore_within(Duration::ZERO));
    // Between the two calls no time passes: green still has two healthy targets when its count is one already.
    scene.bed.world(|world| {
        let call = |world: &mut testbed::World, service, operation, input| {
            world.call(service, operation, &input).expect(operation);
            let last = world.last_call();
            world.check(last);
        };
        let count = json!({"cluster": "shop", "service": "web-green", "desiredCount": 1});
        call(world, Service::Ecs, "UpdateService", count);
        let groups = json!([{"TargetGroupArn": scene.sample.blue_group, "Weight": 0},
            {"TargetGroupArn": scene.sample.green_group, "Weight": 100}]);
        let actions = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]);
        let input = json!({"ListenerArn": scene.sample.production_listener, "DefaultActions": actions});
        call(world, Service::Elb, "ModifyListener", input);
    });
    assert_eq!(scene.named(), [36], "{:?}", scene.bed.violations());
    assert!(scene.bed.violations()[0].text.contains("green is to have 1 tasks"));
    scene.pause();
    assert_eq!(scene.named(), [36], "it is reported once: {:?}", scene.bed.violations());
}

#[test]
fn invariant_36_a_count_that_comes_back_in_time_stays_unnoticed() {
    let scene = Scene::start(2);
    scene.bed.world(|world| world.checker.expect_two_runs(true));
    scene.count("web-blue", 1);
    scene.pause();
    scene.count("web-blue", 2);
    scene.healthy(&scene.sample.blue_group, 2);
    assert_eq!(scene.bed.violations(), []);
    scene.bed.world(|world| world.checker.expect_restore_within(Duration::from_millis(50)));
    scene.count("web-blue", 1);
    assert!(scene.bed.wait_until(PATIENCE, |world| !world.checker.violations().is_empty()));
    assert_eq!(scene.named(), [36], "{:?}", scene.bed.violations());
}

#[test]
fn invariant_44_users_without_capacity_after_the_end_are_noticed() {
    let scene = Scene::start(2);
    scene.bed.world(testbed::World::check_ended);
    assert_eq!(scene.bed.violations(), []);
    scene.bed.world(|world| world.checker.expect_two_runs(true));
    scene.count("web-blue", 1);
    scene.bed.world(testbed::World::check_ended);
    assert_eq!(scene.named(), [44], "{:?}", scene.bed.violations());
}

#[test]
fn invariant_37_a_foreign_target_is_nobodys_capacity() {
    let scene = Scene::start(0);
    let (develop, green) = (scene.sample.dev_group.clone(), scene.sample.green_group.clone());
    scene.bed.world(|world| {
        let health = world.call(Service::Elb, "DescribeTargetHealth", &json!({"TargetGroupArn": develop}));
        let target = health.expect("develop's target")["TargetHealthDescriptions"][0]["Target"].clone();
        let input = json!({"TargetGroupArn": green, "Targets": [target, target]});
        world.call(Service::Elb, "RegisterTargets", &input).expect("a foreign target");
    });
    let there = |world: &mut testbed::World| world.elb.count(&green, State::Healthy) == 1;
    assert!(scene.bed.wait_until(PATIENCE, there));
    scene.weights(80, 20);
    assert_eq!(scene.named()[..1], [16], "{:?}", scene.bed.violations());
}
