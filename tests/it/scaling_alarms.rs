//! Scaling policies and alarms where the config has `scaling`: made, kept, put back, turned on before users come, and left
//! alone where they are somebody else's.

use crate::common::here::stack;
use crate::common::traffic;

use crate::common::look::foreign_policy;
use crate::common::traffic::{arrived, suspended};
use crate::common::{Action, Done};
use serde_json::{Value, json};
use testbed::{ApiError, Call, Effect, Fault, Service, Testbed};

/// The config file.
const CONFIG: &str = "
cluster: shop
apps:
  web:
    blue: web-blue
    green: web-green
    develop: web-dev
    scaling: { min: 2, max: 10, idle-min: 1, cpu: 80, memory: 75, scale-in-below: 40 }
";

/// A run with the config file.
fn with_config(bed: &Testbed, command: &str) -> Action {
    Action::new(bed, command).file(".github/blue-green.yml", CONFIG)
}

/// A deploy of a version to green.
fn deploy(bed: &Testbed, image: &str) -> Action {
    with_config(bed, "deploy").input("color", "green").input("image", image)
}

/// The writes of scaling so far, in short.
fn scaling_writes(bed: &Testbed) -> Vec<String> {
    bed.writes().iter().filter_map(short).collect()
}

/// One write of Application Auto Scaling or CloudWatch in short; none for one of another service.
fn short(call: &Call) -> Option<String> {
    let text = |key: &str| call.input[key].as_str().unwrap_or_default();
    let last = |key: &str| text(key).rsplit('/').next().unwrap_or_default().to_owned();
    match call.operation.as_str() {
        "RegisterScalableTarget" => Some(format!(
            "{} {} to {}",
            last("ResourceId"),
            call.input["MinCapacity"],
            call.input["MaxCapacity"]
        )),
        "PutScalingPolicy" => Some(format!("policy {}", text("PolicyName"))),
        "PutMetricAlarm" => Some(format!("alarm {} {}", text("AlarmName"), call.input["ActionsEnabled"])),
        other if call.service == Service::CloudWatch => Some(other.to_owned()),
        _ => None,
    }
}

/// What a deploy writes of a service without anything yet.
fn all(service: &str, bounds: &str, acts: bool) -> Vec<String> {
    let mut lines = vec![format!("{service} {bounds}")];
    lines.extend(["out", "in"].map(|what| format!("policy ecs-blue-green/shop/{service}/{what}")));
    lines.extend(switched(service, acts));
    lines
}

/// All three alarms put with their actions on or off.
fn switched(service: &str, acts: bool) -> Vec<String> {
    let alarm = |what: &str| format!("alarm ecs-blue-green/shop/{service}/{what} {acts}");
    ["cpu-high", "memory-high", "low"].map(alarm).to_vec()
}

/// Green's alarm as CloudWatch has it.
fn alarm(bed: &Testbed, what: &str) -> Value {
    let name = format!("ecs-blue-green/shop/web-green/{what}");
    let found = bed.call(Service::CloudWatch, "DescribeAlarms", json!({ "AlarmNames": [name] }));
    found.expect("AWS answers")["MetricAlarms"][0].clone()
}

/// Deploys v2 to green with scaling, and forgets the calls.
fn deployed(bed: &Testbed, image: &str) -> Done {
    let done = deploy(bed, image).run();
    done.expect(0, "succeeded", "", "changed");
    bed.clear_calls();
    done
}

#[test]
fn a_deploy_makes_what_its_color_lacks_and_a_second_one_writes_nothing() {
    let (bed, sample) = stack();
    let done = deploy(&bed, &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(scaling_writes(&bed), all("web-green", "1 to 10", false));
    done.says("Create the alarm `ecs-blue-green/shop/web-green/cpu-high` of `web-green` (green)");
    let low = alarm(&bed, "low");
    assert_eq!((&low["Threshold"], &low["TreatMissingData"]), (&json!(40.0), &json!("notBreaching")));
    assert_eq!(low["ActionsEnabled"], json!(false));
    assert_eq!(alarm(&bed, "memory-high")["Threshold"], json!(75.0));

    bed.clear_calls();
    let again = deploy(&bed, &sample.image("v2")).run();
    again.expect(0, "unchanged", "", "untouched");
    assert_eq!(crate::common::writes(&bed), [""; 0]);
    assert_eq!(bed.violations(), []);
}

/// Makes AWS refuse the `nth` call of an operation.
fn refuses(bed: &Testbed, (operation, nth): (&str, u32), (code, message): (&str, &str)) {
    let error = ApiError::new(code, message);
    bed.fault(Fault::on(operation, Effect::Error(error)).nth(nth..=nth));
}

/// The same lines, each as often as in the other list.
fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

#[test]
fn what_aws_refuses_only_at_first_is_sent_again_and_makes_one_revision() {
    let (bed, sample) = stack();
    refuses(
        &bed,
        ("RegisterTaskDefinition", 1),
        ("ClientException", "Too many concurrent attempts to create a new revision of the specified family."),
    );
    refuses(
        &bed,
        ("RegisterScalableTarget", 1),
        (
            "FailedResourceAccessException",
            "Unable to assume IAM role: arn:aws:iam::123456789012:role/aws-service-role",
        ),
    );
    refuses(
        &bed,
        ("PutScalingPolicy", 1),
        ("ObjectNotFoundException", "No scalable target registered for service namespace: ecs"),
    );
    refuses(&bed, ("PutScalingPolicy", 2), ("FailedResourceAccessException", "Rate exceeded"));
    let done = deploy(&bed, &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    let mut expected = all("web-green", "1 to 10", false);
    expected.extend(["web-green 1 to 10".to_owned()]);
    expected.extend(["out", "out"].map(|what| format!("policy ecs-blue-green/shop/web-green/{what}")));
    assert_eq!(sorted(scaling_writes(&bed)), sorted(expected));
    let revisions =
        bed.world(|world| world.ecs.definitions.iter().filter(|one| one.family == "web-green").count());
    assert_eq!((revisions, bed.world(|world| world.autoscaling.policies.len())), (2, 2));
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_40_policies_that_aws_stores_in_another_form_are_put_once_in_each_run() {
    let (bed, sample) = stack();
    bed.world(|world| world.autoscaling.other_form = true);
    for version in ["v2", "v5-slow-200ms"] {
        bed.clear_calls();
        deploy(&bed, &sample.image(version)).input("poll-interval", "2s").run().expect(
            0,
            "succeeded",
            "",
            "changed",
        );
        let policies: Vec<String> =
            scaling_writes(&bed).into_iter().filter(|line| line.starts_with("policy")).collect();
        assert_eq!(
            policies,
            ["out", "in"].map(|what| format!("policy ecs-blue-green/shop/web-green/{what}"))
        );
    }
    assert_eq!(bed.violations(), []);
}

#[test]
fn develop_gets_alarms_that_act() {
    let (bed, sample) = stack();
    let done = deploy(&bed, &sample.image("v2")).input("color", "develop").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(scaling_writes(&bed), all("web-dev", "1 to 10", true));
}

#[test]
fn a_plan_tells_what_is_missing_and_writes_nothing() {
    let (bed, sample) = stack();
    let done = deploy(&bed, &sample.image("v2")).input("plan-only", "true").run();
    done.expect(0, "planned", "", "untouched");
    done.says("Create the scaling policy `ecs-blue-green/shop/web-green/out` of `web-green` (green)");
    done.says("Create the alarm `ecs-blue-green/shop/web-green/low` of `web-green` (green)");
    assert_eq!(crate::common::writes(&bed), [""; 0]);
}

#[test]
fn an_alarm_that_somebody_changed_is_shown_as_a_difference_and_put_back() {
    let (bed, sample) = stack();
    deployed(&bed, &sample.image("v2"));
    let before = alarm(&bed, "cpu-high");
    let mut input = before.clone();
    input["Threshold"] = json!(95.0);
    bed.call(Service::CloudWatch, "PutMetricAlarm", input).expect("AWS takes it");
    bed.clear_calls();
    let done = deploy(&bed, &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    done.says("Change the alarm `ecs-blue-green/shop/web-green/cpu-high` of `web-green` (green): Threshold 95 -> 80");
    assert_eq!(scaling_writes(&bed), ["alarm ecs-blue-green/shop/web-green/cpu-high false"]);
    assert_eq!(alarm(&bed, "cpu-high")["Threshold"], before["Threshold"]);
}

#[test]
fn beside_somebody_elses_policy_none_is_added() {
    let (bed, sample) = stack();
    foreign_policy(&bed, "web-green");
    let done = deploy(&bed, &sample.image("v2")).run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(scaling_writes(&bed), [""; 0]);
    done.says("`theirs`");
}

#[test]
fn invariant_31_alarms_act_before_their_color_gets_users() {
    let (bed, sample) = stack();
    deployed(&bed, &sample.image("v2"));
    bed.world(|world| world.checker.expect_managed_alarms(true));
    let done = with_config(&bed, "redirect-traffic").input("traffic", "split").run();
    arrived(&bed, &done, "split");
    let writes: Vec<String> = bed.writes().iter().map(|call| call.operation.clone()).collect();
    let moved = writes.iter().position(|write| write == "ModifyListener").expect("a move");
    let last = writes.iter().rposition(|write| write == "PutMetricAlarm").expect("an alarm");
    assert!(last < moved, "{writes:?}");
    assert_eq!(alarm(&bed, "cpu-high")["ActionsEnabled"], json!(true));
    assert_eq!(suspended(&bed), (true, true));

    bed.clear_calls();
    let again = with_config(&bed, "redirect-traffic").input("traffic", "split").run();
    again.expect(0, "unchanged", "", "untouched");
    assert_eq!(crate::common::writes(&bed), [""; 0]);
    assert_eq!(bed.violations(), []);
}

#[test]
fn without_scaling_in_the_config_nothing_is_managed() {
    let (bed, sample) = stack();
    let deploy = Action::new(&bed, "deploy").input("color", "green").input("image", &sample.image("v2"));
    deploy.run().expect(0, "succeeded", "", "changed");
    Action::new(&bed, "redirect-traffic").input("traffic", "split").run().expect(
        0,
        "succeeded",
        "",
        "changed",
    );
    assert_eq!(scaling_writes(&bed), [""; 0]);
    let asked = bed.calls().into_iter().filter(|call| call.operation == "DescribeScalingPolicies").count();
    assert_eq!(asked, 0);
}

#[test]
fn a_service_linked_role_that_may_not_be_made_is_named_with_its_policy_line() {
    let (bed, sample) = stack();
    bed.world(|world| {
        world.autoscaling.linked_role = false;
        world.autoscaling.may_create_role = false;
    });
    let done = deploy(&bed, &sample.image("v2")).run();
    done.expect(1, "failed", "access-denied", "untouched");
    done.says("iam:CreateServiceLinkedRole");
    done.says(r#""iam:AWSServiceName": "ecs.application-autoscaling.amazonaws.com""#);
    assert_eq!(crate::common::look::wants(&bed, "web-green"), "web-green:1 × 2");
}

#[test]
fn a_name_of_ours_on_a_composite_alarm_is_refused_before_the_first_write() {
    let (bed, sample) = stack();
    traffic::alarm(&bed, "child");
    traffic::composite(&bed, "ecs-blue-green/shop/web-green/low", "child");
    bed.clear_calls();
    let done = deploy(&bed, &sample.image("v2")).run();
    done.expect(1, "refused", "unsupported", "untouched");
    done.says("`ecs-blue-green/shop/web-green/low` is a composite alarm");
    assert_eq!(crate::common::writes(&bed), [""; 0]);
}
