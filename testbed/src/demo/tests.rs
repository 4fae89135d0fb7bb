//! The demo can fail: its users and its verdict, when something goes wrong on purpose.

use super::checks::Checks;
use super::tally::{Answer, Expected, Outcome, Tally};
use super::users::Users;
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use testbed::sample::{self, Sample};
use testbed::{Options, Service, Testbed};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The sample stack at the pace of tests.
fn stack() -> (Arc<Testbed>, Sample) {
    let bed = Testbed::start(Options::default()).expect("a testbed");
    let sample = sample::create(&bed).expect("the sample stack");
    (Arc::new(bed), sample)
}

/// Users at work who expect one answer, while something is done; what they saw.
fn users_while(bed: &Arc<Testbed>, sample: &Sample, expected: Answer, act: impl FnOnce()) -> Tally {
    users_expecting(bed, sample, Expected::only(expected), act)
}

/// Users at work while something is done; what they saw.
fn users_expecting(bed: &Arc<Testbed>, sample: &Sample, expected: Expected, act: impl FnOnce()) -> Tally {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut users = runtime.block_on(async { Users::start(bed, sample, expected) });
    let numbers = users.numbers();
    let came = |more: u64| {
        let least = numbers().requests() + more;
        assert!(bed.wait_until(PATIENCE, |_| numbers().requests() >= least), "the users are stuck");
    };
    came(40);
    act();
    came(100);
    runtime.block_on(users.stop())
}

/// The verdict on what was seen.
fn verdict(bed: &Testbed, tally: &Tally) -> (Checks, String, ExitCode) {
    let mut checks = Checks::default();
    checks.users(tally);
    checks.watch(&bed.violations());
    let (line, code) = checks.verdict(tally);
    (checks, line, code)
}

/// Sends half of the users to green.
fn split(bed: &Testbed, sample: &Sample) {
    let groups = json!([{ "TargetGroupArn": sample.blue_group, "Weight": 50 },
        { "TargetGroupArn": sample.green_group, "Weight": 50 }]);
    let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
    let input = json!({ "ListenerArn": sample.production_listener, "DefaultActions": actions });
    bed.call(Service::Elb, "ModifyListener", input).expect("the weights");
}

/// Lets green run an image.
fn green_runs(bed: &Testbed, sample: &Sample, tag: &str) {
    let definition = sample::task_definition("web-green", &sample.image(tag), false);
    bed.call(Service::Ecs, "RegisterTaskDefinition", definition).expect("a revision");
    let input = json!({ "cluster": "shop", "service": "web-green", "taskDefinition": "web-green" });
    bed.call(Service::Ecs, "UpdateService", input).expect("the update");
    assert!(bed.wait_until(PATIENCE, |world| world.ecs.is_steady("shop", "web-green")));
}

/// Whether one of the lines holds a text.
fn one_says(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

#[test]
fn nothing_wrong_is_exit_code_0() {
    let (bed, sample) = stack();
    let tally = users_while(&bed, &sample, Answer::new("blue", "v1"), || {});
    let (checks, line, code) = verdict(&bed, &tally);
    assert_eq!((checks.surprises(), code), (0, ExitCode::SUCCESS), "{:?}", checks.lines());
    assert_eq!(line, format!("demo: {} requests, 0 failed", tally.requests()));
    assert_eq!(tally.of_color("blue"), tally.requests());
}

#[test]
fn an_emptied_group_is_exit_code_1() {
    let (bed, sample) = stack();
    let tally = users_while(&bed, &sample, Answer::new("blue", "v1"), || {
        let input = json!({ "cluster": "shop", "service": "web-blue", "desiredCount": 0 });
        bed.call(Service::Ecs, "UpdateService", input).expect("the count");
        let group = &sample.blue_group;
        assert!(bed.wait_until(PATIENCE, |world| world.elb.registered(group) == 0));
    });
    let (checks, line, code) = verdict(&bed, &tally);
    assert_eq!(code, ExitCode::FAILURE);
    assert!(one_says(&tally.failures(), "status 503 Service Unavailable"), "{:?}", tally.failures());
    assert!(line.contains(&format!("{} failed, 2 checks did not hold", tally.failed())), "{line}");
    assert!(
        one_says(
            &checks.lines(),
            "!!  no request failed that a good version should have answered; instead: "
        ),
        "{:?}",
        checks.lines()
    );
    assert!(one_says(&checks.lines(), "!!  the testbed's checker saw no unsafe state; instead: invariant"));
}

#[test]
fn another_color_or_version_is_exit_code_1() {
    let (bed, sample) = stack();
    let tally = users_while(&bed, &sample, Answer::new("blue", "v1"), || {
        split(&bed, &sample);
    });
    assert!(one_says(&tally.failures(), "v1 of green answered, v1 of blue was expected"));
    assert_eq!(verdict(&bed, &tally).2, ExitCode::FAILURE);
    let tally = users_while(&bed, &sample, Answer::new("blue", "v2"), || {});
    assert_eq!(tally.failed(), tally.requests());
}

#[test]
fn answers_of_a_bad_version_are_counted_apart_while_it_has_users_and_fail_otherwise() {
    let (bed, sample) = stack();
    green_runs(&bed, &sample, "v6-fail-users");
    let (good, bad) = (Answer::new("blue", "v1"), Answer::new("green", "v6"));
    let expected = Expected { good: vec![good.clone()], bad: Some(bad) };
    let tally = users_expecting(&bed, &sample, expected, || split(&bed, &sample));
    let (checks, line, code) = verdict(&bed, &tally);
    assert_eq!((checks.surprises(), code), (0, ExitCode::SUCCESS), "{:?}", checks.lines());
    assert_eq!(line, format!("demo: {} requests, 0 failed", tally.requests()));
    assert_eq!(tally.bad() + tally.of_color("blue"), tally.requests());
    assert!(tally.bad() > 0);
    let tally = users_while(&bed, &sample, good, || {});
    assert!(one_says(&tally.failures(), "v6 of green answered 500, v1 of blue was expected"));
    assert_eq!((tally.bad(), verdict(&bed, &tally).2), (0, ExitCode::FAILURE));
}

#[test]
fn a_closed_listener_is_exit_code_1() {
    let (bed, sample) = stack();
    let tally = users_while(&bed, &sample, Answer::new("blue", "v1"), || {
        bed.call(Service::Elb, "DeleteListener", json!({ "ListenerArn": sample.production_listener }))
            .expect("the listener is deleted");
    });
    assert!(one_says(&tally.failures(), "no connection: Connection refused"), "{:?}", tally.failures());
    assert_eq!(verdict(&bed, &tally).2, ExitCode::FAILURE);
}

#[test]
fn the_checker_alone_is_exit_code_1() {
    let (bed, sample) = stack();
    let tally = users_while(&bed, &sample, Answer::new("blue", "v1"), || {
        let input = json!({ "cluster": "shop", "service": "web-green", "desiredCount": 0 });
        bed.call(Service::Ecs, "UpdateService", input).expect("the count");
        assert!(bed.wait_until(PATIENCE, |world| !world.checker.violations().is_empty()));
    });
    let (_, line, code) = verdict(&bed, &tally);
    assert_eq!((tally.failed(), code), (0, ExitCode::FAILURE));
    assert!(line.ends_with(" requests, 0 failed, 1 check did not hold"), "{line}");
}

#[test]
fn an_expectation_that_is_not_met_is_exit_code_1() {
    let mut tally = Tally::new();
    let answer = Answer::new("blue", "v1");
    tally.count(&Expected::only(answer.clone()), Outcome::Good(answer));
    let mut checks = Checks::default();
    checks.equal("deploy v3: exit code", "0", "1");
    assert_eq!(checks.lines(), ["  !!  deploy v3: exit code is `1`; instead: `0`"]);
    assert_eq!(checks.verdict(&tally).1, ExitCode::FAILURE);
    checks.equal("deploy v3: output `left`", "restored", "restored");
    checks.equal("deploy v3: output `result`", "failed", "failed");
    checks.equal("rollback: exit code", "0", "0");
    checks.holds("the users slept", true, "");
    let lines = [
        "  ok  deploy v3: 2 checks",
        "  !!  deploy v3: exit code is `1`; instead: `0`",
        "  ok  rollback: exit code is `0`",
        "  ok  the users slept",
    ];
    assert_eq!(checks.lines(), lines);
    let idle = Tally::new();
    let mut checks = Checks::default();
    checks.users(&idle);
    assert_eq!(checks.verdict(&idle).1, ExitCode::FAILURE, "nobody asked, so nothing was shown");
}
