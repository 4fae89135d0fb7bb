//! Load that passes 80 % CPU: the alarm, the growth, a redirect and a promote that respect the grown count; then quiet,
//! and scale-in that waits for its time.
//!
//! An AWS second lasts 20 ms here: CloudWatch's minute passes in 1.2 s, while the minute of `scale-in-after` that a run
//! waits is a true one.

use crate::common::traffic;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::traffic::{counts, splits, suspended};
use crate::common::users::Users;
use crate::common::{Action, stack};
use testbed::cloudwatch::State;
use testbed::sample::Sample;
use testbed::{Effect, Fault, Testbed, World};

/// The config file: five tasks at most, and scale-in after one quiet minute.
const CONFIG: &str = "
cluster: shop
apps:
  web:
    blue: web-blue
    green: web-green
    scaling: { min: 2, max: 5, cpu: 80, memory: 80, scale-in-below: 40, scale-in-after: 1m }
";

/// Requests a second at which four tasks are at 100 % CPU.
const RUSH: u32 = 300;
/// Requests a second at which five tasks are at about 58 % CPU.
const USUAL: u32 = 100;
/// Requests a second at which one task is all but idle.
const QUIET: u32 = 2;

/// CPU of one request an AWS second and task, in percent.
const CPU: f64 = 145.0;

/// A run with the config file that settles in a moment.
fn run(bed: &Testbed, command: &str) -> Action {
    Action::new(bed, command).file(".github/blue-green.yml", CONFIG)
}

/// A deploy of a version to a color, with alarms.
fn deploy(bed: &Testbed, sample: &Sample, color: &str, tag: &str) {
    let deploy = run(bed, "deploy").input("color", color).input("image", &sample.image(tag));
    deploy.input("allow-live", "true").run().expect(0, "succeeded", "", "changed");
}

/// A redirect that may not wait for a minute.
fn redirect(bed: &Testbed, traffic: &str) -> Action {
    run(bed, "redirect-traffic").input("traffic", traffic).input("settle", "200ms").input("timeout", "45s")
}

/// A promote that may.
fn promote_green(bed: &Testbed) -> Action {
    run(bed, "promote").input("color", "green").input("settle", "200ms").input("timeout", "90s")
}

/// The writes so far in short, alarms with their names.
fn written(bed: &Testbed, sample: &Sample) -> Vec<String> {
    let named = |(call, short): (testbed::Call, String)| match call.input["AlarmName"].as_str() {
        Some(name) => {
            let name = name.trim_start_matches("ecs-blue-green/shop/");
            format!("{name} {}", if call.input["ActionsEnabled"] == true { "on" } else { "off" })
        }
        None => short,
    };
    bed.writes().into_iter().zip(traffic::moves(bed, sample)).map(named).collect()
}

/// The state of an alarm of ours.
fn state(world: &World, name: &str) -> State {
    world.cloudwatch.alarm(&format!("ecs-blue-green/shop/{name}")).expect("an alarm").state
}

/// Waits until something is so.
#[track_caller]
fn until(bed: &Testbed, what: &str, is: impl FnMut(&mut World) -> bool) {
    assert!(bed.wait_until(Duration::from_secs(60), is), "{what}");
}

/// Desired count and healthy targets of a color.
fn size(world: &World, service: &str, group: &str) -> (u32, usize) {
    let desired = world.ecs.service("shop", service).expect("a service").desired;
    (desired, world.elb.count(group, testbed::elb::State::Healthy))
}

/// Blue with alarms that act, green with v2 and alarms that do not; the checker knows of them.
fn armed() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| {
        world.cloudwatch.load.cpu_per_request = CPU;
        world.checker.expect_managed_alarms(true);
    });
    deploy(&bed, &sample, "blue", "v1");
    deploy(&bed, &sample, "green", "v2");
    bed.clear_calls();
    (bed, sample)
}

/// Users come in masses until blue has all the tasks that it may have, and then as usual.
fn rush(bed: &Testbed, sample: &Sample, users: &Users) {
    users.rate(RUSH);
    until(bed, "blue grows", |world| size(world, "web-blue", &sample.blue_group) == (5, 5));
    let fired = |world: &mut World| {
        let of = |name: &str| format!("ecs-blue-green/shop/{name}");
        let went = |name: &str| {
            let mut changes = world.cloudwatch.history().iter();
            changes.any(|change| change.alarm == of(name) && change.to == State::Alarm)
        };
        (went("web-blue/cpu-high"), went("web-blue/memory-high"), went("web-green/cpu-high"))
    };
    assert_eq!(bed.world(fired), (true, false, false), "CPU of blue alone fires");
    assert_eq!(crate::common::writes(bed), [""; 0], "blue grew by itself");
    users.rate(USUAL);
    until(bed, "the rush is over", |world| state(world, "web-blue/cpu-high") == State::Ok);
}

/// Half of the users, and then all, go to green, which gets the tasks that blue had to grow to.
fn redirected(bed: &Testbed, sample: &Sample) {
    let done = redirect(bed, "split").run();
    traffic::arrived(bed, &done, "split");
    let half = [
        "web-blue scale-in off",
        "web-green scale-in off",
        "web-green/cpu-high on",
        "web-green/memory-high on",
        "web-green/low on",
        "web-green desired=3",
        "production 50/50",
    ];
    assert_eq!(written(bed, sample), half, "{}", done.log);

    until(bed, "half of the users are little for five tasks", |world| {
        state(world, "web-blue/low") == State::Alarm
    });
    bed.clear_calls();
    let done = redirect(bed, "green").run();
    traffic::arrived(bed, &done, "green");
    assert_eq!(written(bed, sample), ["web-green desired=5", "production 0/100"], "{}", done.log);
    assert_eq!((counts(bed), suspended(bed)), ((5, 5), (true, true)));
    done.says("green does not scale in yet: its low alarm looks back for 1m 00s");
    done.says("run again with `timeout: 1m00s` or more");
    let again = redirect(bed, "green").run();
    again.expect(0, "unchanged", "", "untouched").says("green does not scale in yet");
}

/// What stood right before a scalable target was written: green's count, and its low alarm.
type Before = Arc<Mutex<Vec<(u32, State)>>>;

/// Notes it from now on.
fn noted(bed: &Testbed) -> Before {
    let seen = Before::default();
    let notes = seen.clone();
    let note = Box::new(move |world: &mut World| {
        let desired = world.ecs.service("shop", "web-green").expect("green").desired;
        notes.lock().expect("no panic").push((desired, state(world, "web-green/low")));
    });
    bed.fault(Fault::on("RegisterScalableTarget", Effect::Before(note)));
    seen
}

/// Green becomes production with its tasks while nearly all users leave; it scales in only after a minute.
fn promoted(bed: &Testbed, sample: &Sample, users: &Users) {
    // The alarm may still be low from the time when green had half of the users.
    until(bed, "green is busy", |world| state(world, "web-green/low") == State::Ok);
    users.rate(QUIET);
    until(bed, "it is quiet", |world| state(world, "web-green/low") == State::Alarm);
    bed.clear_calls();
    let seen = noted(bed);
    let done = promote_green(bed).run();
    bed.clear_faults();
    done.expect(0, "succeeded", "", "changed");
    let wanted = [
        "web-green min=2",
        "web-blue/cpu-high off",
        "web-blue/memory-high off",
        "web-blue/low off",
        "web-blue min=1 scale-in on",
        "web-blue desired=1",
        "web-green scale-in on",
    ];
    assert_eq!(written(bed, sample), wanted, "{}", done.log);
    let before = seen.lock().expect("no panic").clone();
    assert_eq!(before, [(5, State::Alarm); 3], "green keeps its tasks, although its alarm is low");
    let calls = bed.calls();
    let (first, resumed) = (&calls[0], bed.writes().pop().expect("a write"));
    assert!(resumed.at - first.at >= Duration::from_secs(60), "{:?}", resumed.at - first.at);
    assert_eq!(suspended(bed), (false, false));
}

#[test]
fn invariants_16_18_19_load_grows_a_color_and_a_redirect_and_a_promote_keep_to_what_it_grew_to() {
    let (bed, sample) = armed();
    let all = |users: &Users| {
        rush(&bed, &sample, users);
        redirected(&bed, &sample);
        promoted(&bed, &sample, users);
        until(&bed, "green scales in", |world| size(world, "web-green", &sample.green_group).0 <= 4);
        bed.clear_calls();
        let again = promote_green(&bed).run();
        again.expect(0, "unchanged", "", "untouched");
        assert_eq!(crate::common::writes(&bed), [""; 0], "{}", again.log);
    };
    let ((), asked, failed) = Users::while_doing(sample.production_port, USUAL, all);
    println!("{asked} requests, {} failed", failed.len());
    assert_eq!(failed, [""; 0]);
    assert_eq!((splits(&bed, &sample), counts(&bed).0), (vec!["0/100".to_owned()], 1));
    assert_eq!(bed.violations(), []);
}
