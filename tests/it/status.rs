//! `status`: what it shows, what it asks AWS, and what is left of it when a part may not be read.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::common::here::{stack, stack_with};
use crate::common::look::{ecs, redacted};
use crate::common::{Action, Done, writes};
use serde_json::{Value, json};
use testbed::sample::{Sample, Stack};
use testbed::{Effect, Fault, Service, Testbed};

/// Runs `status`, which never writes.
#[track_caller]
fn run(action: Action, bed: &Testbed) -> Done {
    let done = action.run();
    assert_eq!(writes(bed), [""; 0]);
    assert_eq!(bed.violations(), []);
    done
}

/// Runs `status`, which finds everything that it may read.
#[track_caller]
fn status(bed: &Testbed) -> Done {
    let done = run(Action::new(bed, "status"), bed);
    done.expect(0, "succeeded", "", "untouched");
    done
}

/// The output `status-json`.
fn seen(done: &Done) -> Value {
    serde_json::from_str(done.output("status-json")).expect("JSON")
}

/// One color of `status-json`: blue 0, green 1, develop 2.
fn color(done: &Done, index: usize) -> Value {
    seen(done)["colors"][index].clone()
}

/// What could not be read: action and reason, each pair once.
fn unread(done: &Done) -> Vec<String> {
    let seen = seen(done);
    let one = |part: &Value| {
        format!(
            "{} {}",
            part["action"].as_str().expect("an action"),
            part["reason"].as_str().expect("a reason")
        )
    };
    let mut all: Vec<String> = seen["unread"].as_array().expect("a list").iter().map(one).collect();
    all.dedup();
    all
}

/// How often each operation was called.
fn calls(bed: &Testbed) -> Vec<String> {
    let mut counted: BTreeMap<String, u32> = BTreeMap::new();
    for call in bed.calls() {
        *counted.entry(format!("{}:{}", call.service.prefix(), call.operation)).or_default() += 1;
    }
    counted.into_iter().map(|(name, count)| format!("{count} {name}")).collect()
}

/// Carries out an operation of Elastic Load Balancing, to set the stage.
fn elb(bed: &Testbed, operation: &str, input: Value) {
    bed.call(Service::Elb, operation, input).expect("AWS takes it");
}

/// Gives the production listener these groups and weights.
fn production(bed: &Testbed, sample: &Sample, groups: &[(&str, u32)]) {
    let tuple = |(arn, weight): &(&str, u32)| json!({ "TargetGroupArn": arn, "Weight": weight.to_string() });
    let tuples: Vec<Value> = groups.iter().map(tuple).collect();
    let action = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": tuples } }]);
    elb(
        bed,
        "ModifyListener",
        json!({ "ListenerArn": sample.production_listener, "DefaultActions": action }),
    );
}

#[test]
fn the_log_shows_both_colors_and_develop() {
    let (bed, _) = stack();
    insta::assert_snapshot!(redacted(&status(&bed).log), @r"
    status in cluster `shop`, eu-west-1
    GitHub: no `token`, so nothing is posted there; the summary of the run has it all
    traffic: blue (100 % blue, 0 % green), http://127.0.0.1:…
      HTTP:… default: 100 % blue, 0 % green
    blue: 100 %, `web-blue:1`, 2 of 2 running, 2 of 2 targets healthy
      service web-blue, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    green: 0 %, `web-green:1`, 2 of 2 running, 2 of 2 targets healthy
      service web-green, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    develop: `web-dev:1`, 1 of 1 running, 1 of 1 targets healthy
      service web-dev, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    deploy to blue: not now, it serves users; `allow-live: true` would allow it
    deploy to green: possible now
    deploy to develop: possible now
    redirect-traffic, rollback to blue: not now, it has all users already
    promote to blue: possible now
    redirect-traffic, rollback, promote to green: possible now
    succeeded after Ns: Everything was read.
    ");
}

#[test]
fn the_summary_shows_both_colors_and_develop() {
    let (bed, _) = stack();
    let summary = status(&bed).summary;
    let (text, footer) = summary.rsplit_once("<sub>").expect("a footer");
    assert!(footer.trim_end().ends_with("s · cluster shop, eu-west-1</sub>"), "{footer}");
    insta::assert_snapshot!(redacted(text), @"
    ### ✅ All users are on blue. 2 healthy targets serve them.

    Everything was read.

    🟦🟦🟦🟦🟦🟦🟦🟦🟦🟦 all users on blue

    Production: [<code>http&#58;<wbr>//127.0.0.1:…</code>](http://127.0.0.1:…)

    | color | users | version | image | commit | tasks | healthy targets | test |
    |---|---|---|---|---|---|---|---|
    | [blue](https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/shop/services/web-blue/health?region=eu-west-1) | 100 % | <code>web-blue:1</code> | <code>shop/web:v1</code> <code>sha256:…</code> | – | 2 of 2 | 2 of 2 | [open](http://127.0.0.1:…) |
    | [green](https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/shop/services/web-green/health?region=eu-west-1) | 0 % | <code>web-green:1</code> | <code>shop/web:v1</code> <code>sha256:…</code> | – | 2 of 2 | 2 of 2 | [open](http://127.0.0.1:…) |
    | [develop](https://eu-west-1.console.aws.amazon.com/ecs/v2/clusters/shop/services/web-dev/health?region=eu-west-1) | – | <code>web-dev:1</code> | <code>shop/web:v1</code> <code>sha256:…</code> | – | 1 of 1 | 1 of 1 | [open](http://127.0.0.1:…) |

    <details><summary>Commands now</summary>

    - deploy to blue: not now, it serves users; <code>allow-live: true</code> would allow it
    - deploy to green: possible
    - deploy to develop: possible
    - redirect-traffic, rollback to blue: not now, it has all users already
    - promote to blue: possible
    - redirect-traffic, rollback, promote to green: possible

    </details>
    ");
}

#[test]
fn status_json_and_the_outputs_hold_the_same() {
    let (bed, sample) = stack();
    let done = status(&bed);
    let digest = bed.world(|world| world.ecr.image("shop/web", "v1").expect("pushed").digest.clone());
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let one = |name: &str, service: &str, count: u32, percent: Option<u32>, port: u16| {
        json!({
            "color": name, "service": service, "task_definition": format!("{service}:1"), "runs": null,
            "image": sample.image("v1"), "digests": [digest], "commit": null,
            "running": count, "desired": count, "healthy": count, "registered": count, "foreign_targets": [],
            "percent": percent, "test_url": url(port), "rollout": "COMPLETED",
            "min_capacity": null, "max_capacity": null, "scale_in_suspended": null,
        })
    };
    let live = "it serves users; `allow-live: true` would allow it";
    let there = "it has all users already";
    let valid = |command: &str, color: &str| json!({ "command": command, "color": color, "valid": true, "reason": null, "message": null });
    let expected = json!({
        "version": 1, "cluster": "shop", "region": "eu-west-1",
        "traffic": { "split": "blue", "live_color": "blue", "blue": 100, "green": 0 },
        "traffic_problem": null,
        "production_url": url(sample.production_port),
        "rules": [{ "name": format!("HTTP:{} default", sample.production_port), "blue": 100, "green": 0 }],
        "colors": [
            one("blue", "web-blue", 2, Some(100), sample.blue_port),
            one("green", "web-green", 2, Some(0), sample.green_port),
            one("develop", "web-dev", 1, None, sample.dev_port),
        ],
        "missing": [], "unread": [], "drift": [], "compared": null,
        "commands": [
            { "command": "deploy", "color": "blue", "valid": false, "reason": "live-color", "message": live },
            valid("deploy", "green"),
            valid("deploy", "develop"),
            { "command": "redirect-traffic", "color": "blue", "valid": false, "reason": "all-there", "message": there },
            { "command": "rollback", "color": "blue", "valid": false, "reason": "all-there", "message": there },
            valid("promote", "blue"),
            valid("redirect-traffic", "green"),
            valid("rollback", "green"),
            valid("promote", "green"),
        ],
    });
    assert_eq!(seen(&done), expected);
    let outputs = [("live-color", "blue"), ("traffic", "blue"), ("result", "succeeded"), ("reason", "")];
    for (name, value) in outputs {
        assert_eq!(done.output(name), value, "{name}");
    }
    assert_eq!(done.output("production-url"), url(sample.production_port));
}

#[test]
fn the_calls_are_those_of_the_read_policy() {
    let (bed, _) = stack();
    status(&bed);
    assert_eq!(
        calls(&bed),
        [
            "1 application-autoscaling:DescribeScalableTargets",
            "1 ecs:DescribeServices",
            "3 ecs:DescribeTaskDefinition",
            "3 ecs:DescribeTasks",
            "3 ecs:ListTasks",
            "1 elasticloadbalancing:DescribeListeners",
            "1 elasticloadbalancing:DescribeLoadBalancers",
            "4 elasticloadbalancing:DescribeRules",
            "3 elasticloadbalancing:DescribeTargetGroupAttributes",
            "3 elasticloadbalancing:DescribeTargetGroups",
            "3 elasticloadbalancing:DescribeTargetHealth",
            "1 sts:GetCallerIdentity",
        ]
    );
}

/// What is still known when an operation is denied.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    /// How users are split.
    traffic: bool,
    /// Healthy targets.
    health: bool,
    /// The image of the task definition.
    image: bool,
    /// What the tasks run.
    digests: bool,
}

/// What a status knows of blue.
fn known(done: &Done) -> Known {
    let blue = color(done, 0);
    Known {
        traffic: seen(done)["traffic"]["blue"] == 100 && blue["percent"] == 100,
        health: blue["healthy"] == 2,
        image: blue["image"].is_string(),
        digests: blue["digests"].as_array().is_some_and(|all| all.len() == 1),
    }
}

/// Denies one operation and asserts that it is named, and that the rest is there.
#[track_caller]
fn denied(stack: &Stack, operation: &str, service: Service, rest: Known) {
    let (bed, _) = stack_with(stack);
    bed.fault(Fault::on(operation, Effect::Deny).service(service));
    let done = status(&bed);
    let action = format!("{}:{operation}", service.prefix());
    assert_eq!(unread(&done), [format!("{action} access-denied")]);
    done.says(&format!("not read: AWS denied `{action}` on `"));
    let statement = format!("\"Action\": \"{action}\"");
    let shown = done.summary.replace("&#34;", "\"").replace("&quot;", "\"");
    assert!(shown.contains(&statement), "no {statement} in:\n{}", done.summary);
    assert_eq!(known(&done), rest, "{operation}\n{}", done.log);
    for (index, (running, desired)) in [(2, 2), (2, 2), (1, 1)].into_iter().enumerate() {
        let color = color(&done, index);
        assert_eq!((&color["running"], &color["desired"]), (&json!(running), &json!(desired)));
        assert_eq!(color["rollout"], "COMPLETED");
    }
    assert!(done.summary.contains("| [blue]("), "{}", done.summary);
}

/// Everything is known.
const ALL: Known = Known { traffic: true, health: true, image: true, digests: true };

/// Without the tasks it is unknown which targets are the color's own.
const UNKNOWN_TASKS: Known = Known { digests: false, health: false, ..ALL };

#[test]
fn a_denied_task_definition_is_named_and_the_rest_is_there() {
    denied(&Stack::default(), "DescribeTaskDefinition", Service::Ecs, Known { image: false, ..ALL });
}

#[test]
fn denied_tasks_are_named_and_the_rest_is_there() {
    for operation in ["ListTasks", "DescribeTasks"] {
        denied(&Stack::default(), operation, Service::Ecs, UNKNOWN_TASKS);
    }
}

#[test]
fn denied_container_instances_are_named_and_the_rest_is_there() {
    let stack = Stack { ec2: true, ..Stack::default() };
    denied(&stack, "DescribeContainerInstances", Service::Ecs, UNKNOWN_TASKS);
}

#[test]
fn denied_target_health_is_named_and_the_rest_is_there() {
    denied(&Stack::default(), "DescribeTargetHealth", Service::Elb, Known { health: false, ..ALL });
}

#[test]
fn denied_target_groups_are_named_and_the_rest_is_there() {
    denied(&Stack::default(), "DescribeTargetGroups", Service::Elb, Known { traffic: false, ..ALL });
}

#[test]
fn denied_attributes_of_target_groups_are_named_and_the_rest_is_there() {
    denied(&Stack::default(), "DescribeTargetGroupAttributes", Service::Elb, ALL);
}

#[test]
fn a_denied_load_balancer_is_named_and_the_rest_is_there() {
    for operation in ["DescribeLoadBalancers", "DescribeListeners", "DescribeRules"] {
        denied(&Stack::default(), operation, Service::Elb, Known { traffic: false, ..ALL });
    }
}

#[test]
fn denied_scalable_targets_are_named_and_the_rest_is_there() {
    denied(&Stack::default(), "DescribeScalableTargets", Service::AutoScaling, ALL);
}

#[test]
fn invariant_37_targets_of_no_task_of_a_color_are_named() {
    let (bed, sample) = stack();
    let stray =
        json!({ "TargetGroupArn": sample.blue_group, "Targets": [{ "Id": "127.0.9.9", "Port": "8080" }] });
    elb(&bed, "RegisterTargets", stray);
    let done = status(&bed);
    let blue = color(&done, 0);
    assert_eq!((&blue["healthy"], &blue["registered"]), (&json!(2), &json!(2)));
    assert_eq!(blue["foreign_targets"], json!(["127.0.9.9:8080"]));
    let named = "1 more target in blue's target group belongs to no task of `web-blue`: 127.0.9.9:8080.";
    done.says(named);
    assert!(seen(&done)["drift"][0].as_str().expect("a sentence").starts_with(named), "{:?}", seen(&done));
    assert!(done.summary.contains("127.0.9.9:8080"), "{}", done.summary);
}

#[test]
fn invariant_19_bounds_and_what_may_scale_in_under_users_are_shown() {
    let (bed, _) = stack_with(&Stack { weights: (50, 50), ..Stack::default() });
    for (service, most) in [("web-blue", 10), ("web-green", 2)] {
        let target = json!({
            "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": format!("service/shop/{service}"), "MinCapacity": 1, "MaxCapacity": most,
            "SuspendedState": { "DynamicScalingInSuspended": service == "web-blue" },
        });
        bed.call(Service::AutoScaling, "RegisterScalableTarget", target).expect("AWS takes it");
    }
    bed.clear_calls();
    let done = status(&bed);
    done.says("MinCapacity 1, MaxCapacity 10, scale-in suspended")
        .says("drift: green serves 50 % of the users, and its MaxCapacity 2 is lower than 5")
        .says("drift: Both colors serve users, and scale-in of `web-green` (green) is not suspended");
    let blue = color(&done, 0);
    let bounds = (&blue["min_capacity"], &blue["max_capacity"], &blue["scale_in_suspended"]);
    assert_eq!(bounds, (&json!(1), &json!(10), &json!(true)));
    assert!(done.summary.contains("**Drift**"), "{}", done.summary);
}

#[test]
fn denied_services_fail_with_the_statement_to_add() {
    let (bed, _) = stack();
    bed.fault(Fault::on("DescribeServices", Effect::Deny));
    let done = run(Action::new(&bed, "status"), &bed);
    done.expect(1, "failed", "access-denied", "untouched");
    done.says("AWS denied `ecs:DescribeServices` on `")
        .says("Add this statement to the role's policy:")
        .says("{ \"Effect\": \"Allow\", \"Action\": \"ecs:DescribeServices\", \"Resource\": ");
}

#[test]
fn expired_credentials_are_said_wherever_they_expire() {
    for (operation, result) in [("GetCallerIdentity", "refused"), ("DescribeServices", "failed")] {
        let (bed, _) = stack();
        bed.fault(Fault::on(operation, Effect::Expire));
        let done = run(Action::new(&bed, "status"), &bed);
        done.expect(1, result, "credentials-expired", "untouched");
        done.says("The AWS credentials have expired or are not valid").says("role-duration-seconds: 7200");
    }
    let (bed, _) = stack();
    bed.fault(Fault::on("DescribeTargetHealth", Effect::Expire));
    let unread = unread(&status(&bed));
    // Reads that were under way were answered; those that would have come after the refusal were not sent.
    assert!(unread.contains(&"elasticloadbalancing:DescribeTargetHealth credentials-expired".to_owned()));
    assert!(unread.iter().all(|one| one.ends_with(" credentials-expired")), "{unread:?}");
}

#[test]
fn throttled_reads_are_tried_again_and_then_named() {
    let (bed, _) = stack();
    bed.fault(Fault::on("DescribeListeners", Effect::Throttle).times(2));
    let done = status(&bed);
    assert_eq!((unread(&done), known(&done)), (vec![], ALL));

    bed.clear_faults();
    bed.fault(Fault::on("DescribeTargetHealth", Effect::Throttle));
    let done = status(&bed);
    assert_eq!(unread(&done), ["elasticloadbalancing:DescribeTargetHealth unreachable"]);
    assert_eq!(known(&done), Known { health: false, ..ALL });
    done.says("not read: AWS throttled `elasticloadbalancing:DescribeTargetHealth` on `");

    bed.clear_faults();
    bed.fault(Fault::on("DescribeServices", Effect::Throttle));
    let done = run(Action::new(&bed, "status"), &bed);
    done.expect(1, "failed", "unreachable", "untouched").says("AWS throttled `ecs:DescribeServices`");
}

#[test]
fn a_deployment_in_flight_is_shown() {
    let (bed, sample) = stack_with(&Stack { grace: 3600, ..Stack::default() });
    let other = testbed::sample::task_definition("web-green", &sample.image("v4-unhealthy"), false);
    ecs(&bed, "RegisterTaskDefinition", other);
    ecs(&bed, "UpdateService", json!({ "service": "web-green", "taskDefinition": "web-green" }));
    bed.clear_calls();
    let done = status(&bed);
    done.says("`web-green:2`")
        .says(", a deployment is in progress")
        .says("deploy to green: not now, a deployment is in progress");
    assert_eq!(color(&done, 1)["rollout"], "IN_PROGRESS");
    assert_eq!(seen(&done)["commands"][1]["reason"], "in-flight");
    // The tasks that run are the older revision's still.
    assert!(done.summary.contains(", deploying"), "{}", done.summary);
}

#[test]
fn a_change_of_the_count_alone_is_no_deployment_in_flight() {
    let (bed, _) = stack();
    bed.world(|world| (world.pace.counts_in_progress, world.pace.launch) = (true, Duration::from_secs(600)));
    ecs(&bed, "UpdateService", json!({ "service": "web-green", "desiredCount": 3 }));
    bed.clear_calls();
    let done = status(&bed);
    done.says("2 of 3 running").says("deploy to green: possible");
    assert_eq!(color(&done, 1)["rollout"], "COMPLETED");
    assert!(!done.log.contains("in progress") && !done.summary.contains("deploying"), "{}", done.log);
}

#[test]
fn invariant_05_rules_that_disagree_are_shown_as_drift() {
    let (bed, sample) = stack();
    let tuples = json!([
        { "TargetGroupArn": sample.blue_group, "Weight": "80" },
        { "TargetGroupArn": sample.green_group, "Weight": "20" },
    ]);
    let rule = json!({
        "ListenerArn": sample.production_listener, "Priority": "10",
        "Actions": [{ "Type": "forward", "ForwardConfig": { "TargetGroups": tuples } }],
        "Conditions": [{ "Field": "path-pattern", "Values": ["/api/*"] }],
    });
    elb(&bed, "CreateRule", rule);
    let done = status(&bed);
    let name = format!("HTTP:{}", sample.production_port);
    done.says("traffic: not known. The production rules hold different splits: ")
        .says(&format!("  {name} rule 10: 80 % blue, 20 % green"))
        .says(&format!("  {name} default: 100 % blue, 0 % green"));
    let seen = seen(&done);
    assert_eq!(seen["traffic"], Value::Null);
    let rules = json!([
        { "name": format!("{name} rule 10"), "blue": 80, "green": 20 },
        { "name": format!("{name} default"), "blue": 100, "green": 0 },
    ]);
    assert_eq!(seen["rules"], rules);
    assert!(done.summary.contains("hold different splits"), "{}", done.summary);
}

#[test]
fn both_colors_live_are_shown_with_their_shares() {
    let (bed, _) = stack_with(&Stack { weights: (80, 20), ..Stack::default() });
    let done = status(&bed);
    done.says("traffic: blue-80 (80 % blue, 20 % green), http://127.0.0.1:")
        .says("blue: 80 %, `web-blue:1`")
        .says("green: 20 %, `web-green:1`")
        .says("deploy to green: not now, it serves users");
    assert_eq!((done.output("live-color"), done.output("traffic")), ("both", "blue-80"));
    assert!(
        done.summary.contains("🟦🟦🟦🟦🟦🟦🟦🟦🟩🟩 set 20 % green · no whole minute seen yet\n"),
        "{}",
        done.summary
    );
}

#[test]
fn day_one_is_read_through_the_named_listener() {
    let (bed, sample) = stack();
    // The test takes green out of the rule, not the action: the checker watches from then on.
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    production(&bed, &sample, &[(&sample.blue_group, 1)]);
    let done = status(&bed);
    done.says(
        "traffic: not known. No listener rule forwards to both blue and green, and no `listener` was named.",
    );
    assert_eq!(color(&done, 0)["healthy"], 2);
    assert_eq!(done.output("live-color"), "");
    let named = Action::new(&bed, "status").input("listener", &format!("HTTP:{}", sample.production_port));
    let done = run(named, &bed);
    done.expect(0, "succeeded", "", "untouched").says("traffic: blue (100 % blue, 0 % green)");
    assert_eq!(done.output("live-color"), "blue");
}

#[test]
fn instances_and_their_ports_are_read_on_ec2() {
    let (bed, _) = stack_with(&Stack { ec2: true, ..Stack::default() });
    let done = status(&bed);
    assert_eq!(known(&done), ALL);
    let asked = calls(&bed);
    assert!(asked.iter().any(|call| call.ends_with(" ecs:DescribeContainerInstances")), "{asked:?}");
}

#[test]
fn a_missing_service_is_named_and_the_rest_is_there() {
    let (bed, _) = stack();
    let done = run(Action::new(&bed, "status").input("develop-service", "web-devel"), &bed);
    done.expect(0, "succeeded", "", "untouched").says("develop: the service `web-devel` does not exist");
    done.says("Not there: `web-devel`. Everything else was read.");
    assert_eq!(seen(&done)["missing"], json!([{ "color": "develop", "service": "web-devel" }]));
    assert_eq!(known(&done), ALL);
    assert!(done.summary.contains("service <code>web-devel</code> does not exist"), "{}", done.summary);

    let done = run(Action::new(&bed, "status").input("cluster", "shp"), &bed);
    done.expect(1, "failed", "cluster-missing", "untouched");
    done.says("The cluster `shp` does not exist in eu-west-1, account 123456789012.");
}
