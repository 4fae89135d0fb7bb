//! `doctor`: a good stack has no findings; each planted mistake is named, with its fix; nothing is written.

use crate::common::here::{stack, with};
use crate::common::{Action, Done, writes};
use serde_json::{Value, json};
use testbed::sample::{Sample, Stack};
use testbed::{Effect, Fault, Service, Testbed};

/// Runs `doctor`, which never writes.
#[track_caller]
fn run(bed: &Testbed, action: Action) -> Done {
    bed.clear_calls();
    let done = action.run();
    assert_eq!(writes(bed), [""; 0]);
    done
}

/// The output `findings`.
fn findings(done: &Done) -> Vec<Value> {
    serde_json::from_str(done.output("findings")).expect("a JSON array")
}

/// The findings in short: `stops no-room service web-blue`.
fn short(done: &Done) -> Vec<String> {
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    let one = |one: &Value| ["severity", "id", "thing"].map(|key| text(one, key)).join(" ");
    findings(done).iter().map(one).collect()
}

/// Asserts that exactly this was found, told with this sentence and this fix, and that the run ends accordingly.
#[track_caller]
fn found(done: &Done, expected: &str, sentence: &str, fix: &str) {
    assert_eq!(short(done), [expected], "{}", done.log);
    let one = &findings(done)[0];
    assert_eq!(one["message"], sentence);
    assert!(one["fix"].as_str().is_some_and(|told| told.contains(fix)), "{one}");
    done.says(sentence).says(fix);
    let summary = done.summary.replace("&#95;", "_").replace("&#34;", "\"");
    let id = one["id"].as_str().expect("an id");
    assert!(summary.contains(id) && summary.contains(fix), "{}", done.summary);
    ends(done, expected.starts_with("stops"));
}

/// Asserts the end of a run: a failure only if a finding stops a command.
#[track_caller]
fn ends(done: &Done, stops: bool) {
    let end = if stops { (1, "failed", "findings", "untouched") } else { (0, "succeeded", "", "untouched") };
    assert_eq!(done.verdict(), end, "{}", done.log);
}

/// Carries out an operation of AWS, to plant a mistake.
fn aws(bed: &Testbed, service: Service, operation: &str, input: Value) -> Value {
    bed.call(service, operation, input).expect("AWS takes it")
}

/// Plants a mistake in the sample stack, and has `doctor` look.
fn planted(plant: impl FnOnce(&Testbed, &Sample)) -> Done {
    let (bed, sample) = stack();
    plant(&bed, &sample);
    run(&bed, Action::new(&bed, "doctor"))
}

/// Gives the services another deployment configuration.
fn deployment(config: Value) -> Done {
    let (bed, _) = with(&Stack { deployment: config, ..Stack::default() });
    run(&bed, Action::new(&bed, "doctor"))
}

#[test]
fn a_good_stack_has_no_findings() {
    let done = planted(|_, _| {});
    ends(&done, false);
    assert_eq!(done.output("findings"), "[]");
    done.says("Nothing was found: each command can start.");
}

#[test]
fn percentages_without_room_are_found() {
    // AWS refuses 100 and 100. With two tasks, 120 % rounds down to the same.
    let done = deployment(json!({ "maximumPercent": 120 }));
    let all = ["blue", "green", "dev"].map(|name| format!("stops no-room service web-{name}"));
    assert_eq!(short(&done), all);
    done.says("with 2 tasks, a minimum healthy percent of 100 and a maximum percent of 120")
        .says("deployment_maximum_percent = 200")
        .says("failed (findings) after ");
    ends(&done, true);
}

#[test]
fn a_missing_circuit_breaker_is_found() {
    let done = deployment(json!({ "deploymentCircuitBreaker": { "enable": false, "rollback": false } }));
    let all = ["blue", "green", "dev"].map(|name| format!("warns circuit-breaker service web-{name}"));
    assert_eq!(short(&done), all);
    done.says("The service `web-blue` has no deployment circuit breaker").says("enable   = true");
    ends(&done, false);
}

#[test]
fn a_missing_test_listener_is_found() {
    let done = planted(|bed, sample| {
        aws(bed, Service::Elb, "DeleteListener", json!({ "ListenerArn": sample.green_listener }));
    });
    found(
        &done,
        "warns test-listener color green",
        "No listener rule leads to green alone; a test listener shows green's version, and answers its probes, before users get it.",
        "aws elbv2 create-listener --load-balancer-arn ",
    );
}

#[test]
fn a_denied_read_is_found_with_its_statement() {
    let done = planted(|bed, _| bed.fault(Fault::on("DescribeTasks", Effect::Deny)));
    ends(&done, true);
    assert!(
        short(&done).contains(&"stops permission permission ecs:DescribeTasks".to_owned()),
        "{}",
        done.log
    );
    done.says(r#"{ "Effect": "Allow", "Action": "ecs:DescribeTasks", "Resource": "#);
}
