//! The colors compared: real traffic, the load balancer's counts by the minute with the age that CloudWatch gives them,
//! and what a run makes of them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::clock::{self, Driver};
use testbed::sample::{Sample, Stack};
use testbed::{Effect, Fault, Testbed};
use tokio::task::JoinHandle;

use crate::common::here;
use crate::common::look::redacted;
use crate::common::traffic::{arrived, elb, moves, redirect_with, refused, runs, with};
use crate::common::{Action, Done};

/// Users who ask the production listener, until this is dropped.
pub(crate) struct Users(JoinHandle<()>);

impl Users {
    /// Users from now on, with so much time between two requests.
    pub(crate) fn every(pause: Duration, bed: &Testbed, port: u16) -> Self {
        let driver: Arc<Driver> = bed.driver().expect("a testbed in this thread");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self(driver.spawn(async move {
            loop {
                let _ = testbed::send(address, ("GET", "/"), &[], Vec::new()).await;
                clock::sleep(pause).await;
            }
        }))
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The sample stack with these weights and versions, and metrics that are a minute old when they are shown.
fn versions(weights: (u32, u32), blue: &str, green: &str) -> (Testbed, Sample) {
    stage(&Stack { weights, ..Stack::default() }, blue, green)
}

/// The same for any stack.
pub(crate) fn stage(stack: &Stack, blue: &str, green: &str) -> (Testbed, Sample) {
    let (bed, sample) = here::with(stack);
    for (service, tag) in [("web-blue", blue), ("web-green", green)] {
        if tag != "v1" {
            bed.world(|world| world.ecr.push("shop/web", tag));
            runs(&bed, &sample, service, tag, true);
        }
    }
    bed.world(|world| {
        world.cloudwatch.use_real_seconds();
        world.cloudwatch.delay = 60;
        world.between_ticks = Duration::from_millis(200);
    });
    bed.clear_calls();
    (bed, sample)
}

/// A run to green that holds users at 20 % for this time.
fn held(bed: &Testbed, bake: &str) -> Action {
    let steps = [("steps", "20"), ("bake-time", bake), ("poll-interval", "10s")];
    redirect_with(bed, "green", &steps)
}

/// The output `compared`.
fn compared(done: &Done) -> Value {
    serde_json::from_str(done.output("compared")).expect("JSON")
}

/// Clients that each send 30 requests in a second, for some minutes; then `status`.
fn bursts(bed: &Testbed, port: u16) -> Done {
    for _ in 0..18 {
        let users = Users::every(Duration::from_millis(33), bed, port);
        clock::pause(Duration::from_secs(1));
        drop(users);
        clock::pause(Duration::from_secs(19));
    }
    let done = Action::new(bed, "status").run();
    done.expect(0, "succeeded", "", "untouched");
    done
}

/// How often the run looked at the counts.
fn looks(bed: &Testbed) -> usize {
    bed.calls().iter().filter(|call| call.operation == "GetMetricData").count()
}

#[test]
fn a_version_that_fails_one_request_in_fifty_is_sent_back_without_an_alarm() {
    let (bed, sample) = versions((100, 0), "v1", "v6-fail-1-in-50");
    let users = Users::every(Duration::from_millis(100), &bed, sample.production_port);
    let done = held(&bed, "15m").run();
    drop(users);
    done.expect(1, "failed", "worse", "restored");
    assert_eq!(moves(&bed, &sample), ["production 80/20", "production 100/0"], "{}", done.log);
    assert_eq!(bed.violations(), []);
    let seen = compared(&done);
    assert_eq!((&seen["verdict"], &seen["worse"]), (&json!("worse"), &json!("green")), "{seen}");
    assert!(seen["green"]["failures"].as_u64() >= Some(6) && seen["blue"]["failures"] == 0, "{seen}");
    done.says("Users go back to blue.")
        .says("If both were equal, fewer than 1 in 1,000 releases would look like this.");
    assert!(done.summary.contains("| failures | 0 (0 %) |"), "{}", done.summary);
    assert!(looks(&bed) <= 16, "one look a minute: {}", looks(&bed));
}

#[test]
fn equal_versions_are_not_accused_and_a_step_is_held_for_its_last_minutes() {
    let (bed, sample) = versions((100, 0), "v6-fail-1-in-50", "v6-fail-1-in-50");
    let users = Users::every(Duration::from_millis(250), &bed, sample.production_port);
    let done = held(&bed, "4m").run();
    drop(users);
    arrived(&bed, &done, "green");
    assert_eq!(moves(&bed, &sample), ["production 80/20", "production 0/100"]);
    done.says("until the load balancer's counts of this step are complete");
    let times: Vec<Duration> = bed.writes().iter().map(|call| call.at).collect();
    let step = times.windows(2).map(|pair| pair[1] - pair[0]).max().expect("two writes");
    assert!(step > Duration::from_secs(4 * 60) && step < Duration::from_secs(7 * 60), "{step:?}");
}

#[test]
fn if_both_versions_fail_users_stay() {
    let (bed, sample) = versions((100, 0), "v6-fail-1-in-3", "v6-fail-1-in-3");
    let users = Users::every(Duration::from_millis(500), &bed, sample.production_port);
    let done = held(&bed, "4m").run();
    drop(users);
    arrived(&bed, &done, "green");
    done.says("The new version is not the cause. Users stay.");
    assert_eq!(compared(&done)["verdict"], "both-fail", "{}", done.output("compared"));
}

#[test]
fn with_stickiness_the_comparison_is_only_shown() {
    let (bed, sample) = versions((80, 20), "v1", "v6-fail-users");
    let mut action = crate::common::traffic::forward(&sample, 80, 20);
    action["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": true, "DurationSeconds": 60 });
    elb(
        &bed,
        "ModifyListener",
        json!({ "ListenerArn": sample.production_listener, "DefaultActions": [action] }),
    );
    let users = Users::every(Duration::from_millis(500), &bed, sample.production_port);
    clock::pause(Duration::from_secs(6 * 60));
    drop(users);
    let done = Action::new(&bed, "status").run();
    done.expect(0, "succeeded", "", "untouched");
    let seen = compared(&done);
    assert_eq!((&seen["verdict"], &seen["reason"]), (&json!("not-judged"), &json!("sticky")));
    assert!(seen["green"]["failures"].as_u64() > Some(0), "{seen}");
    done.says("Not judged. Stickiness of the target groups is on");
}

#[test]
fn status_and_a_button_see_the_same_evidence_and_force_overrides_it() {
    let (bed, sample) = versions((80, 20), "v1", "v6-fail-users");
    let users = Users::every(Duration::from_millis(500), &bed, sample.production_port);
    clock::pause(Duration::from_secs(6 * 60));
    drop(users);
    let done = Action::new(&bed, "status").run();
    done.expect(0, "succeeded", "", "untouched");
    assert_eq!(compared(&done)["verdict"], "worse");
    let text = redacted(&done.log);
    let numbers: Vec<&str> =
        text.lines().filter(|line| line.contains("configured") || line.contains("fails")).collect();
    assert_eq!(numbers.len(), 3, "{text}");
    bed.clear_calls();
    let button = refused(&bed, redirect_with(&bed, "split", &[]), "worse");
    button.says("Green fails 100 % of requests").says("The change would give more users to green.");
    refused(&bed, Action::new(&bed, "promote").input("color", "green"), "worse").says("compare: off");
    let back = redirect_with(&bed, "95/5", &[]).run();
    arrived(&bed, &back, "95/5");
    let forced = redirect_with(&bed, "split", &[("force", "true")]).run();
    arrived(&bed, &forced, "split");
}

#[test]
fn bursts_of_sticky_clients_accuse_no_color() {
    let (bed, sample) = versions((80, 20), "v6-fail-1-in-50", "v6-fail-1-in-50");
    let mut action = crate::common::traffic::forward(&sample, 80, 20);
    action["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": true, "DurationSeconds": 60 });
    let input = json!({ "ListenerArn": sample.production_listener, "DefaultActions": [action] });
    elb(&bed, "ModifyListener", input);
    let done = bursts(&bed, sample.production_port);
    let seen = compared(&done);
    assert_eq!((&seen["verdict"], &seen["reason"]), (&json!("not-judged"), &json!("sticky")), "{seen}");
}

#[test]
fn requests_through_a_test_port_are_not_judged() {
    let (bed, sample) = versions((80, 20), "v1", "v6-fail-1-in-3");
    let users = Users::every(Duration::from_millis(500), &bed, sample.production_port);
    let tester = Users::every(Duration::from_millis(200), &bed, sample.green_port);
    clock::pause(Duration::from_secs(6 * 60));
    drop((users, tester));
    let done = Action::new(&bed, "status").run();
    done.expect(0, "succeeded", "", "untouched");
    let seen = compared(&done);
    assert_eq!(seen["verdict"], "not-judged", "{seen}");
    assert_eq!(seen["reason"], "other-requests", "{seen}");
}

#[test]
fn throttled_counts_are_read_again_or_left_out() {
    let (bed, sample) = versions((80, 20), "v1", "v6-fail-users");
    let users = Users::every(Duration::from_millis(500), &bed, sample.production_port);
    clock::pause(Duration::from_secs(6 * 60));
    drop(users);
    bed.fault(Fault::on("GetMetricData", Effect::Throttle).times(2));
    let done = Action::new(&bed, "status").run();
    assert_eq!(compared(&done)["verdict"], "worse", "{}", done.log);
    bed.fault(Fault::on("GetMetricData", Effect::Throttle));
    let done = Action::new(&bed, "status").run();
    done.expect(0, "succeeded", "", "untouched");
    assert_eq!(compared(&done)["verdict"], "unread", "{}", done.log);
    let button = redirect_with(&bed, "split", &[]).run();
    arrived(&bed, &button, "split");
}

#[test]
#[ignore = "minutes; `.ci/run compare` runs it"]
fn equal_versions_are_not_accused_in_200_runs() {
    let number = std::env::var("RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let next = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let run = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    if run >= number {
                        break;
                    }
                    equal_run(run);
                }
            });
        }
    });
    println!("{number} runs of equal versions, 0 accused");
}

/// One run over a split of equal versions, which fail more or less often, under more or less load.
fn equal_run(run: u32) {
    let tag = ["v6-fail-1-in-50", "v6-fail-1-in-7", "v6-fail-1-in-3", "v1"][run as usize % 4];
    let pause = Duration::from_millis(150 + 13 * u64::from(run % 37));
    let (bed, sample) = versions((100, 0), tag, tag);
    let users = Users::every(pause, &bed, sample.production_port);
    let done = held(&bed, "5m").run();
    drop(users);
    assert_eq!((done.code, done.output("reason")), (0, ""), "run {run}: {}", done.log);
}

#[test]
fn counts_that_are_denied_partial_or_missing_fail_no_run() {
    let denied = Fault::on("GetMetricData", Effect::Deny);
    let (bed, sample) = versions((80, 20), "v1", "v1");
    let users = Users::every(Duration::from_millis(500), &bed, sample.production_port);
    bed.fault(denied);
    let done = redirect_with(&bed, "split", &[]).run();
    arrived(&bed, &done, "split");
    done.says("The colors are not compared.").says("\"cloudwatch:GetMetricData\"");
    bed.clear_faults();
    bed.world(|world| world.cloudwatch.withheld = Some("HTTPCode_Target_5XX_Count".to_owned()));
    let done = Action::new(&bed, "status").run();
    done.expect(0, "succeeded", "", "untouched");
    assert_eq!(compared(&done)["verdict"], "unread");
    bed.world(|world| world.cloudwatch.withheld = None);
    bed.world(|world| world.cloudwatch.page_limit = Some(3));
    clock::pause(Duration::from_secs(5 * 60));
    drop(users);
    let done = Action::new(&bed, "status").run();
    assert_ne!(compared(&done)["verdict"], "unread", "pages are read to the end");
    assert!(compared(&done)["blue"]["requests"].as_u64() > Some(0), "{}", done.output("compared"));
    let off = Action::new(&bed, "status").input("compare", "off").run();
    assert_eq!(off.output("compared"), "");
}

/// A run to green over 20 %, by a config file with a probe of both colors.
fn probed(bed: &Testbed, path: &str, more: &[(&str, &str)]) -> Action {
    let config =
        format!("apps: {{ web: {{ blue: web-blue, green: web-green, probes: [{{ path: {path} }}] }} }}");
    let action = redirect_with(bed, "green", &[("steps", "20"), ("bake-time", "1s"), ("settle", "100ms")]);
    more.iter()
        .fold(action, |action, (name, value)| action.input(name, value))
        .file(".github/blue-green.yml", &config)
}

#[test]
fn a_color_that_fails_its_probes_gets_no_users() {
    let (bed, sample) = with(&Stack::default());
    runs(&bed, &sample, "web-green", "v6-fail-users", true);
    let done = probed(&bed, "/", &[]).run();
    done.expect(1, "failed", "probe", "untouched");
    assert_eq!(moves(&bed, &sample), [""; 0], "{}", done.log);
    done.says("Probe `/`: blue answered 200, green answered 500.");
    let watched = probed(&bed, "/", &[("compare", "watch")]).run();
    arrived(&bed, &watched, "green");
    watched.says("Probe `/`: blue answered 200, green answered 500.");
}
