//! `promote` where the config has `scaling`: alarms, bounds and scale-in of winner and loser, in their order.

use crate::common::here::stack;
use crate::common::promote;

use crate::common::look::foreign_policy;
use crate::common::promote::{bounds, titles};
use crate::common::traffic::{counts, splits, suspended};
use crate::common::{Action, Done};
use serde_json::{Value, json};
use testbed::sample::Sample;
use testbed::{Call, Effect, Fault, Service, Testbed};

/// The config file.
const CONFIG: &str = "
cluster: shop
apps:
  web:
    blue: web-blue
    green: web-green
    scaling: { min: 2, max: 10 }
";

/// A run that settles in a moment and may not wait for the quarter of an hour that the low alarm looks back: the winner
/// ends without scale-in. How it gets it back is in `scaling_load.rs`.
fn run(bed: &Testbed, command: &str) -> Action {
    let action = Action::new(bed, command).file(".github/blue-green.yml", CONFIG);
    action.input("settle", "200ms").input("timeout", "60s")
}

/// A promote of a color by swap.
fn swap(bed: &Testbed, color: &str) -> Action {
    run(bed, "promote").input("color", color)
}

/// A promote of a color by copy.
fn copy(bed: &Testbed, color: &str) -> Action {
    swap(bed, color).input("mode", "copy")
}

/// A deploy of a version to a color, with alarms; forgets the calls.
fn deploy(bed: &Testbed, sample: &Sample, color: &str, tag: &str) {
    let deploy = Action::new(bed, "deploy").file(".github/blue-green.yml", CONFIG).input("color", color);
    let done = deploy.input("image", &sample.image(tag)).input("allow-live", "true").run();
    done.expect(0, "succeeded", "", "changed");
    bed.clear_calls();
}

/// Blue serves v1 with alarms that act, green has v2 and alarms that do not.
fn armed() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    bed.world(|world| world.checker.expect_managed_alarms(true));
    deploy(&bed, &sample, "blue", "v1");
    deploy(&bed, &sample, "green", "v2");
    (bed, sample)
}

/// The writes so far in short: `web-green/low on`, `policy web-green/out`, and else as `promote::written` has them.
fn written(bed: &Testbed, sample: &Sample) -> Vec<String> {
    let name = |call: &Call, key: &str| {
        call.input[key].as_str().map(|name| name.trim_start_matches("ecs-blue-green/shop/").to_owned())
    };
    let short = |(call, short): (Call, String)| {
        let acts = if call.input["ActionsEnabled"] == true { "on" } else { "off" };
        let alarm = name(&call, "AlarmName").map(|name| format!("{name} {acts}"));
        let policy = name(&call, "PolicyName").map(|name| format!("policy {name}"));
        alarm.or(policy).unwrap_or(short)
    };
    bed.writes().into_iter().zip(promote::written(bed, sample)).map(short).collect()
}

/// All three alarms of a service, on or off.
fn alarms(service: &str, acts: &str) -> Vec<String> {
    ["cpu-high", "memory-high", "low"].map(|what| format!("{service}/{what} {acts}")).to_vec()
}

/// Lists, one after the other.
fn all(parts: &[&[String]]) -> Vec<String> {
    parts.concat()
}

/// Texts as a list.
fn list(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

/// Both policies of a service.
fn policies(service: &str) -> Vec<String> {
    ["out", "in"].map(|what| format!("policy {service}/{what}")).to_vec()
}

/// Whether the actions of the three alarms of a service are on.
fn acting(bed: &Testbed, service: &str) -> Vec<bool> {
    let names =
        ["cpu-high", "memory-high", "low"].map(|what| format!("ecs-blue-green/shop/{service}/{what}"));
    let of = |name: &String| {
        let found = bed.call(Service::CloudWatch, "DescribeAlarms", json!({ "AlarmNames": [name] }));
        let alarm: Value = found.expect("AWS answers")["MetricAlarms"][0].clone();
        alarm["ActionsEnabled"] == true
    };
    names.iter().map(of).collect()
}

/// Asserts a good end with these writes, after which the same run is unchanged and writes nothing.
#[track_caller]
fn converged(bed: &Testbed, sample: &Sample, run: impl Fn() -> Action, expected: &[String]) -> Done {
    let done = run().run();
    assert_eq!(written(bed, sample), expected, "{}", done.log);
    done.expect(0, "succeeded", "", "changed");
    bed.clear_calls();
    let again = run().run();
    again.expect(0, "unchanged", "", "untouched");
    assert_eq!(written(bed, sample), [""; 0], "{}", again.log);
    assert_eq!(bed.violations(), []);
    done
}

/// The same, and the plan before it told these writes and made none.
#[track_caller]
fn planned_and_converged(
    bed: &Testbed,
    sample: &Sample,
    run: impl Fn() -> Action,
    expected: &[String],
) -> Done {
    let plan = run().input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched");
    assert_eq!(written(bed, sample), [""; 0], "{}", plan.log);
    let done = converged(bed, sample, run, expected);
    assert_eq!(titles(&plan.log), titles(&done.log), "{}\n---\n{}", plan.log, done.log);
    assert_eq!(titles(&plan.log).len(), expected.len(), "{}", plan.log);
    done
}

/// Bounds and alarms of a production color, and of one without users.
#[track_caller]
fn stands(bed: &Testbed, production: &str, idle: &str) {
    let of = |service| if service == "web-blue" { 0 } else { 1 };
    let (bounds, counts) = (bounds(bed), <[u32; 2]>::from(counts(bed)));
    assert_eq!((bounds[of(production)].as_str(), bounds[of(idle)].as_str()), ("2-10", "1-10"));
    assert_eq!((counts[of(production)], counts[of(idle)]), (2, 1));
    assert_eq!((acting(bed, production), acting(bed, idle)), (vec![true; 3], vec![false; 3]));
}

#[test]
fn invariants_19_23_31_a_swap_turns_alarms_on_before_weight_and_the_losers_off_before_it_shrinks() {
    let (bed, sample) = armed();
    let expected = all(&[
        &list(&["web-blue scale-in off", "web-green scale-in off"]),
        &alarms("web-green", "on"),
        &list(&["production 0/100", "web-green min=2"]),
        &alarms("web-blue", "off"),
        &list(&["web-blue min=1 scale-in on", "web-blue desired=1"]),
    ]);
    let done = planned_and_converged(&bed, &sample, || swap(&bed, "green"), &expected);
    let told = "green does not scale in yet: its low alarm looks back for 15m 00s";
    done.says(told);
    assert!(done.summary.contains(told), "{}", done.summary);
    stands(&bed, "web-green", "web-blue");
    assert_eq!(suspended(&bed), (false, true));
}

#[test]
fn a_swap_of_services_without_any_alarm_makes_those_of_both() {
    let (bed, sample) = stack();
    bed.world(|world| world.checker.expect_managed_alarms(true));
    let expected = all(&[
        &list(&["web-green min=2 max=10 scale-in off"]),
        &policies("web-green"),
        &alarms("web-green", "on"),
        &list(&["production 0/100", "web-blue min=1 max=10"]),
        &policies("web-blue"),
        &alarms("web-blue", "off"),
        &list(&["web-blue desired=1"]),
    ]);
    planned_and_converged(&bed, &sample, || swap(&bed, "green"), &expected);
    stands(&bed, "web-green", "web-blue");
}

#[test]
fn invariant_31_a_copy_turns_the_alarms_of_both_on_while_they_have_users_and_ends_with_productions() {
    let (bed, sample) = armed();
    let expected = all(&[
        &list(&["web-blue scale-in off", "web-green scale-in off"]),
        &alarms("web-green", "on"),
        &list(&[
            "production 0/100",
            "RegisterTaskDefinition web-blue",
            "UpdateService web-blue web-blue:3",
            "production 100/0",
        ]),
        &alarms("web-green", "off"),
        &list(&["web-green min=1 scale-in on", "web-green desired=1"]),
    ]);
    let done = planned_and_converged(&bed, &sample, || copy(&bed, "blue"), &expected);
    done.says("blue does not scale in yet");
    stands(&bed, "web-blue", "web-green");
    assert_eq!((splits(&bed, &sample), suspended(&bed)), (vec!["100/0".to_owned()], (true, false)));
}

#[test]
fn invariant_31_a_copy_onto_a_color_without_any_alarm_makes_them_before_it_gets_users() {
    let (bed, sample) = stack();
    bed.world(|world| world.checker.expect_managed_alarms(true));
    promote::runs_as(&bed, &sample, "web-green", ("v2", "green"));
    let expected = all(&[
        &list(&["web-green min=2 max=10 scale-in off"]),
        &policies("web-green"),
        &alarms("web-green", "on"),
        &list(&["production 0/100", "RegisterTaskDefinition web-blue", "UpdateService web-blue web-blue:2"]),
        &list(&["web-blue min=2 max=10 scale-in off"]),
        &policies("web-blue"),
        &alarms("web-blue", "on"),
        &list(&["production 100/0"]),
        &alarms("web-green", "off"),
        &list(&["web-green min=1 scale-in on", "web-green desired=1"]),
    ]);
    planned_and_converged(&bed, &sample, || copy(&bed, "blue"), &expected);
    stands(&bed, "web-blue", "web-green");
}

/// Everything that invariant 7 compares: weights, and of each color what it wants, its bounds and its alarms.
fn state(bed: &Testbed, sample: &Sample) -> String {
    let of = |service: &str| {
        crate::common::look::steady(bed, service);
        (crate::common::look::wants(bed, service), acting(bed, service))
    };
    let colors = ["web-blue", "web-green"].map(of);
    format!("{:?}", (splits(bed, sample), colors, bounds(bed), suspended(bed)))
}

/// Starts the run again and again, each time killed after its first write or before the next one, until it comes to its
/// end; gives how often it was killed, and what stands then.
fn hounded(after: bool, run: fn(&Testbed) -> Action) -> (usize, String) {
    let (bed, sample) = armed();
    for kills in 0..60 {
        let effect = if after { Effect::KillAfter } else { Effect::KillBefore };
        bed.fault(Fault::nth_write(if after || kills == 0 { 1 } else { 2 }, effect));
        let running = run(&bed).spawn();
        // In time: a process takes longer to start than this call.
        running.is_victim(&bed);
        let done = running.wait();
        bed.clear_faults();
        assert_eq!(bed.violations(), [], "{}", done.log);
        if done.code != -1 {
            assert!(
                done.code == 0 && ["succeeded", "unchanged"].contains(&done.output("result")),
                "{}",
                done.log
            );
            return (kills, state(&bed, &sample));
        }
    }
    panic!("it never comes to an end");
}

/// The end of an undisturbed run is that of one that is killed at each of its writes in turn.
#[track_caller]
fn stubborn(after: bool, run: fn(&Testbed) -> Action, writes: usize) {
    let (bed, sample) = armed();
    run(&bed).run().expect(0, "succeeded", "", "changed");
    assert_eq!(bed.writes().len(), writes);
    let end = state(&bed, &sample);
    assert_eq!(hounded(after, run), (writes, end));
}

#[test]
fn invariant_07_a_swap_that_manages_scaling_converges_when_it_is_killed_before_each_write() {
    stubborn(false, |bed| swap(bed, "green"), 12);
}

#[test]
fn invariant_07_a_copy_that_manages_scaling_converges_when_it_is_killed_after_each_write() {
    stubborn(true, |bed| copy(bed, "blue"), 14);
}

#[test]
fn invariant_29_beside_somebody_elses_policy_a_promote_adds_none_and_names_it() {
    let (bed, sample) = stack();
    foreign_policy(&bed, "web-green");
    for mode in ["swap", "copy"] {
        let done = swap(&bed, "green").input("mode", mode).input("plan-only", "true").run();
        done.expect(0, "planned", "", "untouched").says("`theirs`");
    }
    let done = swap(&bed, "green").run();
    done.expect(0, "succeeded", "", "changed").says("`theirs`");
    let ours = |line: &String| line.contains("web-green/");
    assert!(!written(&bed, &sample).iter().any(ours), "{:?}", written(&bed, &sample));
    assert_eq!(bed.violations(), []);
}
