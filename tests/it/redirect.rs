//! `redirect-traffic` that goes well: presets and free splits, several rules, what a rule holds beside weights, pages,
//! day one, capacity first.

use crate::common::here::{at, stack};
use crate::common::look::{counts_slowly, no_deployment_is_shown};
use crate::common::traffic::{
    arrived, counts, default_rule, elb, forward, moves, path_rule, redirect, redirect_with, refused, rules,
    runs, scaled, second_listener, sicken, splits,
};
use crate::common::writes;
use serde_json::{Value, json};
use testbed::{Effect, Fault};

#[test]
fn every_preset_and_a_free_split_are_one_write() {
    let (bed, sample) = stack();
    let way = [
        ("blue-80", "80/20", "both"),
        ("split", "50/50", "both"),
        ("green-80", "20/80", "both"),
        ("green", "0/100", "green"),
        ("95/5", "95/5", "both"),
        ("blue", "100/0", "blue"),
    ];
    let mut before = "blue".to_owned();
    for (traffic, weights, live) in way {
        bed.clear_calls();
        let done = redirect(&bed, traffic).run();
        arrived(&bed, &done, traffic);
        assert_eq!(moves(&bed, &sample), [format!("production {weights}")]);
        assert_eq!(splits(&bed, &sample), [weights]);
        assert_eq!((done.output("live-color"), done.output("previous-traffic")), (live, before.as_str()));
        traffic.clone_into(&mut before);
    }
}

#[test]
fn the_color_that_gains_users_is_the_output_color() {
    let (bed, _sample) = stack();
    for (traffic, color, revision) in [
        ("blue-80", "green", "web-green:1"),
        ("95/5", "blue", "web-blue:1"),
        ("green", "green", "web-green:1"),
    ] {
        let done = redirect(&bed, traffic).run();
        assert_eq!(done.output("color"), color, "{traffic}");
        assert!(
            done.output("task-definition-arn").ends_with(revision),
            "{}",
            done.output("task-definition-arn")
        );
    }
}

#[test]
fn the_same_ratio_is_unchanged_without_a_write() {
    for (weights, traffic) in [((100, 0), "blue"), ((4, 1), "blue-80"), ((1, 1), "split"), ((0, 7), "green")]
    {
        let (bed, sample) = at(weights.0, weights.1);
        let done = redirect(&bed, traffic).run();
        done.expect(0, "unchanged", "", "untouched");
        assert_eq!((done.output("traffic"), done.output("previous-traffic")), (traffic, traffic));
        assert_eq!(moves(&bed, &sample), [""; 0]);
        assert_eq!(splits(&bed, &sample), [format!("{}/{}", weights.0, weights.1)]);
    }
}

#[test]
fn a_changed_count_that_aws_calls_in_progress_is_not_reported_as_a_deployment() {
    let (bed, _sample) = stack();
    counts_slowly(&bed, "web-green", 3);
    let done = redirect(&bed, "blue-80").run();
    arrived(&bed, &done, "blue-80");
    done.says("2 of 3 running");
    no_deployment_is_shown(&done);
}

#[test]
fn unchanged_needs_a_healthy_target_wherever_users_are() {
    let (bed, sample) = stack();
    sicken(&bed, &sample.blue_group);
    refused(&bed, redirect(&bed, "blue"), "not-enough-targets");
}

/// Runs with `plan-only`, which writes nothing, then without.
fn planned_then_done(traffic: &str, inputs: &[(&str, &str)], expected: &[&str]) {
    let (bed, sample) = stack();
    second_listener(&bed, &sample, 100, 0);
    scaled(&bed, "web-blue", 4);
    let plan = redirect_with(&bed, traffic, inputs).input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched");
    assert_eq!(moves(&bed, &sample), [""; 0]);
    assert_eq!(plan.output("traffic"), "blue");
    let done = redirect_with(&bed, traffic, inputs).run();
    arrived(&bed, &done, traffic);
    assert_eq!(moves(&bed, &sample), expected);
    assert_eq!(
        titles(&plan.log),
        titles(&done.log),
        "the plan is what is done:\n{}\n---\n{}",
        plan.log,
        done.log
    );
    assert_eq!(titles(&plan.log).len(), expected.len(), "{}", plan.log);
}

/// The steps that a log lists in its plan.
fn titles(log: &str) -> Vec<&str> {
    let numbered = |line: &&str| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < line.len() && rest.starts_with(". ")
    };
    log.lines().map(str::trim).filter(numbered).collect()
}

#[test]
fn plan_only_tells_the_writes_of_the_run_that_follows() {
    planned_then_done("blue-80", &[], &["production 80/20", "HTTPS 80/20"]);
    planned_then_done("green", &[], &["web-green desired=4", "production 0/100", "HTTPS 0/100"]);
    planned_then_done(
        "green",
        &[("steps", "20, 50"), ("bake-time", "200ms")],
        &[
            "production 80/20",
            "HTTPS 80/20",
            "production 50/50",
            "HTTPS 50/50",
            "web-green desired=4",
            "production 0/100",
            "HTTPS 0/100",
        ],
    );
}

#[test]
fn all_production_rules_change_default_or_not_each_by_one_write_and_one_read() {
    let (bed, sample) = stack();
    let https = second_listener(&bed, &sample, 100, 0);
    let path = path_rule(&bed, &sample, 100, 0);
    let done = redirect(&bed, "blue-80").run();
    arrived(&bed, &done, "blue-80");
    assert_eq!(moves(&bed, &sample), ["rule 80/20", "production 80/20", "HTTPS 80/20"]);
    assert_eq!(splits(&bed, &sample), ["80/20", "80/20", "80/20"]);
    let arns = [path, default_rule(&bed, &sample.production_listener), default_rule(&bed, &https)];
    let calls = bed.calls();
    for arn in arns {
        // Rules that are written at the same time are read back by one call.
        let named = |call: &&testbed::Call| {
            call.input["RuleArns"].as_array().is_some_and(|all| all.contains(&json!(arn)))
        };
        assert_eq!(calls.iter().filter(named).count(), 1, "{arn} is read back once");
    }
}

#[test]
fn invariant_03_a_rule_changes_by_one_call_that_carries_both_groups_and_writes_0_out() {
    let (bed, sample) = at(80, 20);
    redirect(&bed, "green").run().expect(0, "succeeded", "", "changed");
    let [call] = &bed.writes()[..] else { panic!("one write: {:?}", bed.writes()) };
    let groups = call.input["DefaultActions"][0]["ForwardConfig"]["TargetGroups"].as_array().expect("groups");
    let held: Vec<(String, String)> = groups
        .iter()
        .map(|group| {
            (group["TargetGroupArn"].as_str().unwrap_or_default().to_owned(), group["Weight"].to_string())
        })
        .map(|(group, weight)| (group, weight.replace('"', "")))
        .collect();
    let wanted =
        [(sample.blue_group.clone(), "0".to_owned()), (sample.green_group.clone(), "100".to_owned())];
    assert_eq!(held, wanted);
}

#[test]
fn invariant_02_every_weight_is_read_back_after_it_was_written() {
    let (bed, _sample) = stack();
    redirect(&bed, "split").run().expect(0, "succeeded", "", "changed");
    let calls: Vec<String> = bed.calls().into_iter().map(|call| call.operation).collect();
    let write = calls.iter().position(|operation| operation == "ModifyListener").expect("a write");
    assert_eq!(calls[write + 1], "DescribeRules", "{calls:?}");
}

/// The authentication that stands before the forward.
fn authentication() -> Value {
    json!({
        "Type": "authenticate-oidc",
        "Order": 1,
        "AuthenticateOidcConfig": {
            "Issuer": "https://id.example",
            "AuthorizationEndpoint": "https://id.example/authorize",
            "TokenEndpoint": "https://id.example/token",
            "UserInfoEndpoint": "https://id.example/me",
            "ClientId": "shop",
            "ClientSecret": "hunter2hunter2",
            "SessionCookieName": "ShopSession",
            "Scope": "openid email",
            "SessionTimeout": 3600,
            "OnUnauthenticatedRequest": "deny",
            "AuthenticationRequestExtraParams": { "entry": [{ "key": "prompt", "value": "login" }] },
        },
    })
}

/// The rules with each forward's weights taken out.
fn without_weights(mut rules: Value) -> Value {
    for rule in rules.as_array_mut().into_iter().flatten() {
        for action in rule["Actions"].as_array_mut().into_iter().flatten() {
            for group in action["ForwardConfig"]["TargetGroups"].as_array_mut().into_iter().flatten() {
                group["Weight"] = Value::Null;
            }
        }
    }
    rules
}

#[test]
fn authentication_stickiness_and_conditions_are_kept_field_for_field() {
    let (bed, sample) = stack();
    let https = second_listener(&bed, &sample, 100, 0);
    let mut sticky = forward(&sample, 100, 0);
    sticky["Order"] = json!(2);
    sticky["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": true, "DurationSeconds": 600 });
    let header = json!({ "Field": "http-header",
        "HttpHeaderConfig": { "HttpHeaderName": "X-Shop", "Values": ["one", "t*o"] } });
    let query = json!({ "Field": "query-string",
        "QueryStringConfig": { "Values": [{ "Key": "version", "Value": "2" }, { "Value": "beta" }] } });
    let rule = json!({ "ListenerArn": https, "Priority": 7, "Conditions": [header, query],
        "Actions": [authentication(), sticky] });
    elb(&bed, "CreateRule", rule);
    let fixed = json!({ "Type": "fixed-response",
        "FixedResponseConfig": { "StatusCode": "404", "ContentType": "text/plain", "MessageBody": "no" } });
    let closed = json!({ "Field": "path-pattern", "PathPatternConfig": { "Values": ["/closed"] } });
    let rule = json!({ "ListenerArn": https, "Priority": 8, "Conditions": [closed], "Actions": [fixed] });
    elb(&bed, "CreateRule", rule);
    bed.clear_calls();
    let before = without_weights(rules(&bed, &https));
    let done = redirect(&bed, "blue-80").run();
    arrived(&bed, &done, "blue-80");
    assert_eq!(
        moves(&bed, &sample),
        ["rule authenticate-oidc then 80/20", "production 80/20", "HTTPS 80/20"]
    );
    assert_eq!(without_weights(rules(&bed, &https)), before);
    assert!(!done.log.contains("hunter2"), "{}", done.log);
    let writes = bed.writes();
    let asked = &writes.iter().find(|call| call.operation == "ModifyRule").expect("a rule").input;
    assert!(asked["Conditions"].is_null() && asked["Transforms"].is_null(), "{asked}");
}

#[test]
fn answers_in_pages_are_read_to_their_end() {
    let (bed, sample) = stack();
    path_rule(&bed, &sample, 100, 0);
    bed.world(|world| {
        world.elb.page_limit = Some(1);
        world.cloudwatch.page_limit = Some(1);
        world.autoscaling.page_limit = Some(1);
    });
    let done = redirect_with(&bed, "split", &[("rollback-alarms", "web-5xx, web-5xx-blue")]).run();
    arrived(&bed, &done, "split");
    assert_eq!(moves(&bed, &sample), ["rule 50/50", "production 50/50"]);
}

#[test]
fn invariant_09_throttled_and_failing_reads_hold_and_then_go_on() {
    let (bed, sample) = stack();
    for operation in ["DescribeRules", "DescribeTargetHealth", "DescribeListeners", "DescribeServices"] {
        bed.fault(Fault::on(operation, Effect::Throttle).times(6));
    }
    bed.fault(Fault::on("DescribeTargetGroups", Effect::ServerError(503)).times(5));
    let done = redirect(&bed, "blue-80").run();
    arrived(&bed, &done, "blue-80");
    assert_eq!(moves(&bed, &sample), ["production 80/20"]);
}

/// Day one: production holds blue alone.
fn day_one() -> (testbed::Testbed, testbed::sample::Sample) {
    let (bed, sample) = stack();
    let alone = json!([{ "Type": "forward", "TargetGroupArn": sample.blue_group }]);
    let input = json!({ "ListenerArn": sample.production_listener, "DefaultActions": alone });
    elb(&bed, "ModifyListener", input);
    bed.clear_calls();
    (bed, sample)
}

#[test]
fn day_one_is_refused_without_a_listener_and_without_adopt() {
    let (bed, sample) = day_one();
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    refused(&bed, redirect(&bed, "green"), "no-production-rule");
    let port = sample.production_port.to_string();
    refused(&bed, redirect_with(&bed, "green", &[("listener", &port)]), "not-adopted");
    refused(
        &bed,
        redirect_with(&bed, "green", &[("listener", "9"), ("adopt", "true")]),
        "no-production-rule",
    );
}

#[test]
fn day_one_with_listener_and_adopt_brings_the_other_group_in_without_users_first() {
    let (bed, sample) = day_one();
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    let port = sample.production_port.to_string();
    let done = redirect_with(&bed, "blue-80", &[("listener", &port), ("adopt", "true")]).run();
    arrived(&bed, &done, "blue-80");
    assert_eq!(moves(&bed, &sample), ["production 100/0", "production 80/20"]);
    assert_eq!(splits(&bed, &sample), ["80/20"]);
    bed.clear_calls();
    let done = redirect(&bed, "green").run();
    arrived(&bed, &done, "green");
    assert_eq!(moves(&bed, &sample), ["production 0/100"], "and needs neither afterwards");
}

#[test]
fn day_one_brings_the_other_group_into_every_rule_of_the_listener_even_when_killed_between_two() {
    let run = |bed: &testbed::Testbed, port: u16| {
        redirect_with(bed, "green", &[("listener", &port.to_string()), ("adopt", "true")])
    };
    let expected = ["rule 100/0", "production 100/0", "rule 0/100", "production 0/100"];
    for killed_at in [None, Some("ModifyRule"), Some("ModifyListener")] {
        let (bed, sample) = day_one();
        let alone = json!([{ "Type": "forward", "TargetGroupArn": sample.blue_group }]);
        let path = json!([{ "Field": "path-pattern", "Values": ["/api/*"] }]);
        let rule = json!({
            "ListenerArn": sample.production_listener, "Priority": 10, "Conditions": path, "Actions": alone,
        });
        elb(&bed, "CreateRule", rule);
        bed.clear_calls();
        bed.world(|world| world.checker = testbed::checker::Checker::default());
        if let Some(operation) = killed_at {
            bed.fault(Fault::on(operation, Effect::KillAfter));
            let running = run(&bed, sample.production_port).spawn();
            running.is_victim(&bed);
            assert_eq!(running.wait().code, -1, "killed");
        }
        let done = run(&bed, sample.production_port).run();
        arrived(&bed, &done, "green");
        assert_eq!(moves(&bed, &sample), expected, "{killed_at:?}");
        assert_eq!(splits(&bed, &sample), ["0/100", "0/100"]);
    }
}

#[test]
fn invariant_05_rules_that_disagree_are_refused_and_shown_or_gone_on_with() {
    let (bed, sample) = at(80, 20);
    second_listener(&bed, &sample, 50, 50);
    let done = refused(&bed, redirect(&bed, "green"), "rules-disagree");
    done.says("blue-80").says("split").says("HTTPS:");
    for (traffic, written) in [("blue-80", "HTTPS 80/20"), ("split", "production 50/50")] {
        let (bed, sample) = at(80, 20);
        second_listener(&bed, &sample, 50, 50);
        let done = redirect(&bed, traffic).run();
        arrived(&bed, &done, traffic);
        assert_eq!(moves(&bed, &sample), [written]);
    }
}

#[test]
fn invariant_04_a_rule_with_a_third_group_without_weight_or_with_an_unknown_action_is_refused() {
    let (bed, sample) = stack();
    let group = |arn: &str, weight: u32| json!({ "TargetGroupArn": arn, "Weight": weight });
    let three = [group(&sample.blue_group, 1), group(&sample.green_group, 0), group(&sample.dev_group, 1)];
    let none = [group(&sample.blue_group, 0), group(&sample.green_group, 0)];
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    for groups in [json!(three), json!(none)] {
        let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
        let input = json!({ "ListenerArn": sample.production_listener, "DefaultActions": actions });
        elb(&bed, "ModifyListener", input);
        bed.clear_calls();
        refused(&bed, redirect(&bed, "green"), "unsupported");
    }
    let (bed, sample) = stack();
    let rule = path_rule(&bed, &sample, 100, 0);
    let action = json!({ "Type": "teleport", "Order": 1, "TeleportConfig": { "To": "mars" } });
    let fields = action.as_object().cloned().expect("an object");
    assert!(bed.world(|world| world.elb.add_raw_action(&rule, fields)));
    refused(&bed, redirect(&bed, "green"), "unsupported").says("teleport");
}

#[test]
fn invariant_18_a_color_that_is_too_small_is_scaled_up_first() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 5);
    let done = redirect(&bed, "green-80").run();
    arrived(&bed, &done, "green-80");
    assert_eq!(moves(&bed, &sample), ["web-green desired=4", "production 20/80"]);
    assert_eq!(counts(&bed), (5, 4));
}

#[test]
fn invariant_17_both_directions_have_their_capacity_first() {
    let (bed, sample) = at(0, 100);
    scaled(&bed, "web-green", 6);
    arrived(&bed, &redirect(&bed, "split").run(), "split");
    assert_eq!(moves(&bed, &sample), ["web-blue desired=3", "production 50/50"]);
}

#[test]
fn invariant_16_the_targets_that_a_share_needs_are_rounded_up_and_at_least_one() {
    for (traffic, writes) in [
        ("99/1", vec!["production 99/1"]),
        ("65/35", vec!["production 65/35"]),
        ("60/40", vec!["production 60/40"]),
    ] {
        let (bed, sample) = stack();
        scaled(&bed, "web-blue", 5);
        arrived(&bed, &redirect(&bed, traffic).run(), traffic);
        assert_eq!(moves(&bed, &sample), writes, "2 of 5 targets carry 40 %");
    }
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 5);
    arrived(&bed, &redirect(&bed, "59/41").run(), "59/41");
    assert_eq!(moves(&bed, &sample), ["web-green desired=3", "production 59/41"], "41 % of 5 are 3");
}

#[test]
fn scale_up_false_refuses_with_the_numbers() {
    let (bed, _sample) = stack();
    scaled(&bed, "web-blue", 5);
    let done = refused(&bed, redirect_with(&bed, "green", &[("scale-up", "false")]), "not-enough-targets");
    done.says("green").says("5");
    let (bed, _sample) = stack();
    arrived(&bed, &redirect_with(&bed, "green", &[("scale-up", "false")]).run(), "green");
}

#[test]
fn invariant_21_leaving_a_sick_color_requires_nothing_of_it() {
    let (bed, sample) = stack();
    sicken(&bed, &sample.blue_group);
    arrived(&bed, &redirect(&bed, "green").run(), "green");
    assert_eq!(moves(&bed, &sample), ["production 0/100"]);
}

#[test]
fn a_receiver_whose_tasks_are_there_and_sick_is_refused() {
    let (bed, sample) = stack();
    sicken(&bed, &sample.green_group);
    refused(&bed, redirect(&bed, "blue-80"), "not-enough-targets")
        .says("green has no healthy target, and 20 % of the users need at least one.");
}

#[test]
fn expect_task_definition_has_to_be_what_runs_there() {
    let (bed, sample) = stack();
    let wrong = refused(
        &bed,
        redirect_with(&bed, "green", &[("expect-task-definition", "web-green:2")]),
        "other-task-definition",
    );
    wrong.says("web-green:2").says("web-green:1");
    refused(
        &bed,
        redirect_with(&bed, "green", &[("expect-task-definition", "web-blue:1")]),
        "other-task-definition",
    );
    let right = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web-green:1";
    arrived(&bed, &redirect_with(&bed, "blue-80", &[("expect-task-definition", right)]).run(), "blue-80");
    arrived(&bed, &redirect_with(&bed, "green", &[("expect-task-definition", "web-green:1")]).run(), "green");
    bed.clear_calls();
    let back = redirect_with(&bed, "blue", &[("expect-task-definition", "web-blue:1")]).run();
    arrived(&bed, &back, "blue");
    assert_eq!(moves(&bed, &sample), ["production 100/0"]);
}

#[test]
fn a_receiver_in_the_middle_of_a_deployment_is_refused() {
    let (bed, sample) = stack();
    bed.world(|world| world.pace.launch = std::time::Duration::from_secs(60));
    runs(&bed, &sample, "web-green", "v2", false);
    refused(&bed, redirect(&bed, "green"), "in-flight").says("web-green:2");
    arrived(&bed, &redirect_with(&bed, "green", &[("force", "true")]).run(), "green");
}

#[test]
fn services_that_are_not_there_are_refused() {
    let (bed, _sample) = stack();
    refused(&bed, redirect_with(&bed, "green", &[("green-service", "web-gren")]), "service-missing");
    refused(&bed, redirect_with(&bed, "green", &[("cluster", "shpo")]), "cluster-missing");
    assert_eq!(writes(&bed), [""; 0]);
}
