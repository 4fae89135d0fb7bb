//! What a run leaves to the steps behind it, and what somebody sees who watches its log: no file in the workspace,
//! and no silence.

use std::time::Duration;

use crate::common::{Action, Done, stack};
use rustix::process::Signal;
use testbed::sample::{Sample, task_definition};
use testbed::{Effect, Fault, Testbed};

/// What a checkout brought.
const BROUGHT: [&str; 5] =
    [".github", ".github/blue-green.yml", "README.md", "deploy", "deploy/definition.json"];

/// A run in a workspace with these files.
fn run(bed: &Testbed, sample: &Sample, command: &str) -> Action {
    let definition = task_definition("web-green", &sample.image("v2"), false);
    Action::new(bed, command)
        .file("README.md", "")
        .file(".github/blue-green.yml", "apps: { web: { rollback-alarms: [web-5xx] } }")
        .file("deploy/definition.json", &definition.to_string())
}

/// A deploy from the file in the workspace.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    run(bed, sample, "deploy")
        .input("task-definition", "deploy/definition.json")
        .input("image", &sample.image(tag))
}

/// Asserts how a run ended, and that its workspace is as it was.
#[track_caller]
fn leaves_nothing(done: &Done, result: &str) {
    assert_eq!(done.output("result"), result, "{}", done.log);
    assert_eq!(done.workspace, BROUGHT);
}

#[test]
fn no_command_leaves_a_file_in_the_workspace() {
    let (bed, sample) = stack();
    leaves_nothing(&run(&bed, &sample, "status").run(), "succeeded");
    leaves_nothing(&deploy(&bed, &sample, "v2").input("plan-only", "true").run(), "planned");
    leaves_nothing(&deploy(&bed, &sample, "v2").run(), "succeeded");
    leaves_nothing(&deploy(&bed, &sample, "v3-crash").run(), "failed");
    leaves_nothing(&deploy(&bed, &sample, "v2").input("color", "blue").run(), "refused");
    leaves_nothing(&deploy(&bed, &sample, "v2").input("color", "red").run(), "refused");
    let traffic = run(&bed, &sample, "redirect-traffic").input("traffic", "green");
    let traffic = traffic.input("steps", "50").input("bake-time", "200ms").input("settle", "200ms");
    leaves_nothing(&traffic.run(), "succeeded");
    leaves_nothing(&run(&bed, &sample, "rollback").input("settle", "200ms").run(), "succeeded");
    for mode in ["swap", "copy"] {
        let promote = run(&bed, &sample, "promote").input("color", "green").input("mode", mode);
        leaves_nothing(&promote.input("settle", "200ms").run(), "succeeded");
    }
    assert_eq!(bed.violations(), []);
}

#[test]
fn a_cancelled_and_a_killed_run_and_the_post_step_after_them_leave_no_file_either() {
    for (signal, result) in [(Signal::INT, "cancelled"), (Signal::KILL, "")] {
        let (bed, sample) = stack();
        bed.world(|world| world.pace.launch = Duration::from_secs(60));
        let running = deploy(&bed, &sample, "v2").spawn();
        crate::common::look::until_called(&bed, "UpdateService", 1);
        assert!(bed.wait_until(Duration::from_secs(20), |world| {
            crate::common::look::wanted(world, "web-green").starts_with("web-green:2")
        }));
        running.signal(signal);
        let done = running.wait();
        leaves_nothing(&done, result);
        // The version is not good yet when the post step looks: one that is would be confirmed.
        crate::common::look::hurry_at_update(&bed);
        let post = deploy(&bed, &sample, "v2").post(&done.state).run();
        assert_eq!(post.workspace, BROUGHT, "{}", post.log);
        assert!(crate::common::look::wants(&bed, "web-green").starts_with("web-green:1"), "{}", post.log);
    }
}

#[test]
fn a_wait_in_which_nothing_changes_is_told_all_the_same() {
    let (bed, sample) = stack();
    bed.world(|world| world.pace.launch = Duration::from_secs(33));
    let done = deploy(&bed, &sample, "v2").run();
    leaves_nothing(&done, "succeeded");
    let waits: Vec<&str> = done.log.lines().filter(|line| line.contains("] green: ")).collect();
    let still = "green: 0 of 2 running, 0 healthy, 2 still starting (old tasks: 2)";
    assert!(waits.iter().any(|line| line.ends_with(still)), "{waits:?}");
    let beats: Vec<&&str> = waits.iter().filter(|line| line.ends_with("; nothing changed")).collect();
    assert_eq!(beats.len(), 1, "one in half a minute: {waits:?}");
    assert!(beats[0].contains(still), "{beats:?}");
}

/// The lines for debugging.
fn debugged(done: &Done) -> Vec<&str> {
    done.log.lines().filter_map(|line| line.strip_prefix("::debug::")).collect()
}

#[test]
fn debug_logging_tells_each_call_how_it_was_answered_and_nothing_that_was_sent() {
    let (bed, sample) = stack();
    let done = run(&bed, &sample, "status").run();
    assert_eq!(debugged(&done), [""; 0], "a job without debug logging");
    bed.clear_calls();
    bed.fault(Fault::on("DescribeServices", Effect::Throttle).times(1));
    let done = run(&bed, &sample, "status").env("RUNNER_DEBUG", "1").run();
    assert_eq!(done.output("result"), "succeeded", "{}", done.log);
    let told = debugged(&done);
    assert_eq!(told.len(), bed.calls().len(), "{told:#?}");
    for line in &told {
        let (call, rest) = line.split_once(": HTTP ").expect("a call and its answer");
        let (status, rest) = rest.split_once(" after ").expect("a status and its time");
        let (took, request) = rest.split_once(" ms, request ").expect("a time and an id");
        assert!(took.parse::<u32>().is_ok() && !request.is_empty(), "{line}");
        let throttled = call == "ECS DescribeServices" && status == "400";
        assert!(throttled || status == "200", "{line}");
    }
    let says = |call: &str| told.iter().any(|line| line.starts_with(&format!("{call}: HTTP 200 after ")));
    assert!(says("ECS DescribeServices") && says("Elastic Load Balancing v2 DescribeRules"), "{told:#?}");
    assert!(told.iter().any(|line| line.starts_with("ECS DescribeServices: HTTP 400 after ")), "{told:#?}");
    bed.fault(Fault::on("DescribeRules", Effect::DropBefore));
    let done = run(&bed, &sample, "status").env("RUNNER_DEBUG", "1").run();
    let lost = "Elastic Load Balancing v2 DescribeRules: no answer after ";
    assert!(debugged(&done).iter().any(|line| line.starts_with(lost)), "{}", done.log);
}
