//! `rollback`: the one-word way back, by the code of `redirect-traffic`.

use crate::common::here::{at, stack};
use crate::common::traffic;

use std::process::Command;

use crate::common::Action;
use crate::common::traffic::{
    arrived, counts, default_rule, elb, moves, path_rule, redirect, refused, rules, runs, scaled,
    second_listener, sicken, splits,
};
use serde_json::{Value, json};
use testbed::{Effect, Fault, Service, Testbed};

/// A rollback with these inputs.
fn rollback(bed: &Testbed, inputs: &[(&str, &str)]) -> Action {
    inputs.iter().fold(Action::new(bed, "rollback"), |action, (name, value)| action.input(name, value))
}

#[test]
fn users_go_to_the_color_that_has_none_whichever_is_live() {
    for (weights, traffic, written) in
        [((100, 0), "green", "production 0/100"), ((0, 100), "blue", "production 100/0")]
    {
        let (bed, sample) = at(weights.0, weights.1);
        let done = rollback(&bed, &[]).run();
        arrived(&bed, &done, traffic);
        assert_eq!((done.output("color"), done.output("live-color")), (traffic, traffic));
        assert_eq!(moves(&bed, &sample), [written]);
        bed.clear_calls();
        let back = rollback(&bed, &[]).run();
        assert_eq!((back.code, back.output("previous-traffic")), (0, traffic), "and back again");
    }
}

#[test]
fn the_version_that_users_get_is_named() {
    let (bed, sample) = at(0, 100);
    runs(&bed, &sample, "web-blue", "v2", true);
    let done = rollback(&bed, &[]).run();
    arrived(&bed, &done, "blue");
    done.says("web-blue:2");
    assert!(done.output("task-definition-arn").ends_with("web-blue:2"));
    let plan = rollback(&bed, &[("plan-only", "true")]).run();
    plan.expect(0, "planned", "", "untouched").says("web-green:1");
    assert_eq!(splits(&bed, &sample), ["100/0"]);
}

#[test]
fn a_split_needs_a_color() {
    let (bed, sample) = at(80, 20);
    let done = refused(&bed, rollback(&bed, &[]), "bad-input");
    done.says("color");
    arrived(&bed, &rollback(&bed, &[("color", "blue")]).run(), "blue");
    assert_eq!(moves(&bed, &sample), ["production 100/0"]);
    let (bed, sample) = at(80, 20);
    arrived(&bed, &rollback(&bed, &[("color", "green")]).run(), "green");
    assert_eq!(moves(&bed, &sample), ["production 0/100"]);
}

#[test]
fn a_color_that_has_all_users_already_is_unchanged() {
    let (bed, sample) = stack();
    rollback(&bed, &[("color", "blue")]).run().expect(0, "unchanged", "", "untouched");
    assert_eq!(moves(&bed, &sample), [""; 0]);
}

#[test]
fn rules_that_were_left_half_way_need_a_color_and_are_all_written() {
    let (bed, sample) = at(80, 20);
    second_listener(&bed, &sample, 100, 0);
    refused(&bed, rollback(&bed, &[]), "rules-disagree");
    arrived(&bed, &rollback(&bed, &[("color", "blue")]).run(), "blue");
    assert_eq!(moves(&bed, &sample), ["production 100/0"]);
    assert_eq!(splits(&bed, &sample), ["100/0", "100/0"]);
}

#[test]
fn invariant_18_capacity_is_restored_before_weight() {
    let (bed, sample) = at(0, 100);
    scaled(&bed, "web-blue", 1);
    arrived(&bed, &rollback(&bed, &[]).run(), "blue");
    assert_eq!(moves(&bed, &sample), ["web-blue desired=2", "production 100/0"]);
    assert_eq!(counts(&bed), (2, 2));
    let (bed, _sample) = at(0, 100);
    scaled(&bed, "web-blue", 1);
    refused(&bed, rollback(&bed, &[("scale-up", "false")]), "not-enough-targets");
}

#[test]
fn invariant_27_neither_color_healthy_changes_nothing_and_fails_loudly() {
    let (bed, sample) = stack();
    sicken(&bed, &sample.blue_group);
    sicken(&bed, &sample.green_group);
    for force in ["false", "true"] {
        let done = refused(&bed, rollback(&bed, &[("force", force)]), "not-enough-targets");
        done.says("::error title=").says("green");
    }
    assert_eq!(splits(&bed, &sample), ["100/0"]);
}

#[test]
fn invariant_21_a_sick_color_is_left_at_once() {
    let (bed, sample) = at(0, 100);
    sicken(&bed, &sample.green_group);
    arrived(&bed, &rollback(&bed, &[]).run(), "blue");
    assert_eq!(moves(&bed, &sample), ["production 100/0"]);
}

#[test]
fn force_takes_what_is_there_and_scales_afterwards() {
    let (bed, sample) = at(0, 100);
    scaled(&bed, "web-blue", 1);
    bed.world(|world| world.checker.expect_force(true));
    arrived(&bed, &rollback(&bed, &[("force", "true")]).run(), "blue");
    assert_eq!(moves(&bed, &sample), ["production 100/0", "web-blue desired=2"]);
}

#[test]
fn invariant_28_a_rollback_that_is_denied_fails() {
    let (bed, sample) = at(0, 100);
    bed.fault(Fault::on("ModifyListener", Effect::Deny));
    rollback(&bed, &[]).run().expect(1, "failed", "access-denied", "untouched");
    assert_eq!(splits(&bed, &sample), ["0/100"]);
    bed.clear_calls();
    refused(&bed, rollback(&bed, &[("cluster", "shpo")]), "cluster-missing");
}

/// The calls of the AWS CLI that a log tells for the undo, as a shell makes them: the operation, and its input.
fn undo(log: &str) -> Vec<(&'static str, Value)> {
    let pasted = ["ACCOUNT_ID=$(aws ", "aws elbv2 modify-"];
    let lines = log.lines().map(str::trim).filter(|line| pasted.iter().any(|start| line.starts_with(start)));
    let commands = lines.collect::<Vec<_>>().join("\n");
    assert!(!commands.contains("123456789012"), "{commands}");
    let aws = "aws() { if [ $1 = sts ]; then echo 123456789012; else printf '%s\n' \"$@\"; fi; }";
    let done = Command::new("sh").args(["-euc", &format!("{aws}\n{commands}")]).output().expect("a shell");
    assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
    let told = String::from_utf8(done.stdout).expect("text");
    let words: Vec<&str> = told.lines().collect();
    words.chunks(8).map(operation).collect()
}

/// The operation of a call of the AWS CLI, and its input.
fn operation(call: &[&str]) -> (&'static str, Value) {
    let [_, command, _, _, arn_option, arn, actions_option, actions] = call else { panic!("{call:?}") };
    let (operation, keys, options) = match *command {
        "modify-listener" => {
            ("ModifyListener", ["ListenerArn", "DefaultActions"], ["--listener-arn", "--default-actions"])
        }
        _ => ("ModifyRule", ["RuleArn", "Actions"], ["--rule-arn", "--actions"]),
    };
    assert_eq!([*arn_option, *actions_option], options);
    let actions: Value = serde_json::from_str(actions).expect("JSON");
    (operation, json!({ keys[0]: arn, keys[1]: actions }))
}

#[test]
fn the_undo_as_calls_of_the_aws_cli_puts_every_rule_back_as_it_was() {
    let (bed, sample) = stack();
    let https = second_listener(&bed, &sample, 100, 0);
    let path = path_rule(&bed, &sample, 100, 0);
    let mut sticky = traffic::forward(&sample, 3, 1);
    sticky["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": true, "DurationSeconds": 600 });
    for (operation, input) in [
        ("ModifyRule", json!({ "RuleArn": path, "Actions": [sticky] })),
        ("ModifyListener", json!({ "ListenerArn": https, "DefaultActions": [sticky] })),
        ("ModifyListener", json!({ "ListenerArn": sample.production_listener, "DefaultActions": [sticky] })),
    ] {
        elb(&bed, operation, input);
    }
    bed.clear_calls();
    let before = [rules(&bed, &sample.production_listener), rules(&bed, &https)];
    let done = redirect(&bed, "green").run();
    arrived(&bed, &done, "green");
    assert_eq!(splits(&bed, &sample), ["0/100", "0/100", "0/100"]);
    let calls = undo(&done.log);
    assert_eq!(calls.len(), 3, "{}", done.log);
    for (operation, input) in calls {
        bed.call(Service::Elb, operation, input).expect("AWS takes it");
    }
    assert_eq!([rules(&bed, &sample.production_listener), rules(&bed, &https)], before);
    assert_eq!(default_rule(&bed, &https), before[1][0]["RuleArn"]);
}

#[test]
fn the_undo_as_an_input_leads_back() {
    let (bed, sample) = at(95, 5);
    let done = redirect(&bed, "green").run();
    done.says("command: redirect-traffic").says("traffic: 95/5");
    arrived(&bed, &redirect(&bed, "95/5").run(), "95/5");
    assert_eq!(splits(&bed, &sample), ["95/5"]);
}
