//! What the tests of `redirect-traffic` and `rollback` look at, and how they set the stage.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::sample::{self, Sample, Stack};
use testbed::{Call, Service, Testbed, World};

use super::{Action, Done};

/// The sample stack with these weights of blue and green on its production listener.
pub(crate) fn at(blue: u32, green: u32) -> (Testbed, Sample) {
    with(&Stack { weights: (blue, green), ..Stack::default() })
}

/// The testbed with a sample stack that differs from the usual one.
pub(crate) fn with(stack: &Stack) -> (Testbed, Sample) {
    let bed = Testbed::start(testbed::Options::default()).expect("the testbed starts");
    let sample = sample::create_with(&bed, stack).expect("the sample stack settles");
    bed.clear_calls();
    (bed, sample)
}

/// A run of `redirect-traffic` to this split.
pub(crate) fn redirect(bed: &Testbed, traffic: &str) -> Action {
    Action::new(bed, "redirect-traffic").input("traffic", traffic)
}

/// A run of `redirect-traffic` with these inputs more.
pub(crate) fn redirect_with(bed: &Testbed, traffic: &str, inputs: &[(&str, &str)]) -> Action {
    inputs.iter().fold(redirect(bed, traffic), |action, (name, value)| action.input(name, value))
}

/// Carries out an operation of Elastic Load Balancing, to set the stage.
pub(crate) fn elb(bed: &Testbed, operation: &str, input: Value) -> Value {
    bed.call(Service::Elb, operation, input).expect("AWS takes it")
}

/// A forward to both colors with these weights.
pub(crate) fn forward(sample: &Sample, blue: u32, green: u32) -> Value {
    json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": [
        { "TargetGroupArn": sample.blue_group, "Weight": blue },
        { "TargetGroupArn": sample.green_group, "Weight": green },
    ] } })
}

/// A port above another one that nobody listens at: rules are told and written in the order of their ports.
fn port_above(port: u16) -> u16 {
    if testbed::clock::is_own() {
        return sample::free_port();
    }
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (port + 1..=u16::MAX).find(free).expect("a free port")
}

/// A second listener, HTTPS, whose default action forwards to both colors; gives its ARN. It comes after production's.
pub(crate) fn second_listener(bed: &Testbed, sample: &Sample, blue: u32, green: u32) -> String {
    let certificate = bed.certificate(&["shop.example"]).expect("AWS takes it");
    let input = json!({
        "LoadBalancerArn": sample.load_balancer,
        "Protocol": "HTTPS",
        "Port": port_above(sample.production_port),
        "Certificates": [{ "CertificateArn": certificate }],
        "DefaultActions": [forward(sample, blue, green)],
    });
    let answer = elb(bed, "CreateListener", input);
    bed.clear_calls();
    answer["Listeners"][0]["ListenerArn"].as_str().expect("an ARN").to_owned()
}

/// Rule 10 of the production listener: a path that forwards to both colors; gives its ARN. It comes before the default.
pub(crate) fn path_rule(bed: &Testbed, sample: &Sample, blue: u32, green: u32) -> String {
    let path = json!({ "Field": "path-pattern", "PathPatternConfig": { "Values": ["/api/*", "/v2/*"] } });
    let input = json!({
        "ListenerArn": sample.production_listener,
        "Priority": 10,
        "Conditions": [path],
        "Actions": [forward(sample, blue, green)],
    });
    let answer = elb(bed, "CreateRule", input);
    bed.clear_calls();
    answer["Rules"][0]["RuleArn"].as_str().expect("an ARN").to_owned()
}

/// So many path rules of the production listener, all on blue.
pub(crate) fn many_rules(bed: &Testbed, sample: &Sample, count: usize) {
    for number in 0..count {
        let paths = json!({ "Values": [format!("/part-{number}/*")] });
        let input = json!({
            "ListenerArn": sample.production_listener,
            "Priority": 10 + number,
            "Conditions": [{ "Field": "path-pattern", "PathPatternConfig": paths }],
            "Actions": [forward(sample, 100, 0)],
        });
        elb(bed, "CreateRule", input);
    }
    bed.clear_calls();
}

/// The ARN of a listener's default rule.
pub(crate) fn default_rule(bed: &Testbed, listener: &str) -> String {
    let rules = elb(bed, "DescribeRules", json!({ "ListenerArn": listener }));
    let is_default = |rule: &&Value| rule["IsDefault"] == true;
    let found = rules["Rules"].as_array().into_iter().flatten().find(is_default).expect("a default rule");
    found["RuleArn"].as_str().expect("an ARN").to_owned()
}

/// All rules of a listener as AWS describes them.
pub(crate) fn rules(bed: &Testbed, listener: &str) -> Value {
    elb(bed, "DescribeRules", json!({ "ListenerArn": listener }))["Rules"].clone()
}

/// What the production rules hold, such as `80/20`, in the order of listeners and priorities.
pub(crate) fn splits(bed: &Testbed, sample: &Sample) -> Vec<String> {
    bed.world(|world| splits_in(world, sample))
}

/// The same for somebody who holds the world.
pub(crate) fn splits_in(world: &World, sample: &Sample) -> Vec<String> {
    let held = world.elb.rules().into_iter().filter_map(|rule| {
        let (blue, green) = (rule.weight(&sample.blue_group)?, rule.weight(&sample.green_group)?);
        Some(format!("{}/{}", blue.0, green.0))
    });
    held.collect()
}

/// Somebody else writes the default weights of a listener.
pub(crate) fn somebody_writes(world: &mut World, sample: &Sample, listener: &str, weights: (u32, u32)) {
    let input = json!({ "ListenerArn": listener, "DefaultActions": [forward(sample, weights.0, weights.1)] });
    world.call(Service::Elb, "ModifyListener", &input).expect("AWS takes it");
}

/// Desired counts of blue and green.
pub(crate) fn counts(bed: &Testbed) -> (u32, u32) {
    let count = |world: &World, name| world.ecs.service("shop", name).expect("a service").desired;
    bed.world(|world| (count(world, "web-blue"), count(world, "web-green")))
}

/// Whether scale-in of blue and green is suspended.
pub(crate) fn suspended(bed: &Testbed) -> (bool, bool) {
    let of = |world: &World, name| {
        let target = world.autoscaling.target(&format!("service/shop/{name}")).expect("a scalable target");
        target.suspended.scale_in
    };
    bed.world(|world| (of(world, "web-blue"), of(world, "web-green")))
}

/// Sets a service's count, with the checker's leave, and waits until it is so.
pub(crate) fn scaled(bed: &Testbed, service: &str, count: u32) {
    super::look::scale(bed, service, count);
    bed.world(|world| world.checker.expect_empty(false));
}

/// Makes the tasks of a service run another image, and waits until they do. `healthy`: and until it is steady.
pub(crate) fn runs(bed: &Testbed, sample: &Sample, service: &str, tag: &str, healthy: bool) {
    let definition = sample::task_definition(service, &sample.image(tag), false);
    bed.call(Service::Ecs, "RegisterTaskDefinition", definition).expect("registered");
    super::look::ecs(bed, "UpdateService", json!({ "service": service, "taskDefinition": service }));
    if healthy {
        super::look::steady(bed, service);
    }
    bed.clear_calls();
}

/// From now on a group asks for health checks that nobody passes, until all its targets are unhealthy.
pub(crate) fn sicken(bed: &Testbed, group: &str) {
    bed.call(Service::Elb, "ModifyTargetGroup", sick(group)).expect("AWS takes it");
    let all = |world: &mut World| world.elb.count(group, testbed::elb::State::Healthy) == 0;
    assert!(bed.wait_until(Duration::from_secs(10), all), "the targets stay healthy");
    bed.clear_calls();
}

/// A health check that nobody passes.
pub(crate) fn sick(group: &str) -> Value {
    json!({ "TargetGroupArn": group, "Matcher": { "HttpCode": "418" } })
}

/// Makes an alarm whose state only tests set; it begins without data.
pub(crate) fn alarm(bed: &Testbed, name: &str) {
    let input = json!({
        "AlarmName": name, "Namespace": "Test", "MetricName": name, "Statistic": "Sum", "Period": 86_400,
        "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "ignore",
    });
    bed.call(Service::CloudWatch, "PutMetricAlarm", input).expect("AWS takes it");
}

/// Makes a composite alarm over one that only tests set.
pub(crate) fn composite(bed: &Testbed, name: &str, child: &str) {
    let input = json!({ "AlarmName": name, "AlarmRule": format!("ALARM(\"{child}\")") });
    bed.call(Service::CloudWatch, "PutCompositeAlarm", input).expect("AWS takes it");
}

/// An input that sets an alarm's state.
pub(crate) fn state(name: &str, state: &str) -> Value {
    json!({ "AlarmName": name, "StateValue": state, "StateReason": "5 errors in 1 minute" })
}

/// Sets an alarm's state: `OK`, `ALARM`, `INSUFFICIENT_DATA`.
pub(crate) fn set_alarm(bed: &Testbed, name: &str, to: &str) {
    bed.call(Service::CloudWatch, "SetAlarmState", state(name, to)).expect("AWS takes it");
}

/// The writes so far in short: `production 80/20`, `HTTPS 80/20`, `rule 80/20`, `web-blue scale-in off`,
/// `web-blue max=4 scale-in off`, `web-green desired=4`. Rules that get the same weights are written at the same time: they
/// are in one order here.
pub(crate) fn moves(bed: &Testbed, sample: &Sample) -> Vec<String> {
    let mut all: Vec<(String, String)> =
        bed.writes().iter().map(|call| short(call, sample)).map(apart).collect();
    for same in all.chunk_by_mut(|one, two| split_of(&one.1) == split_of(&two.1)) {
        same.sort_by_key(|(rule, _)| RULES.iter().position(|name| name == rule));
    }
    all.into_iter().map(|(rule, rest)| rule + &rest).collect()
}

/// The weights at the end of a write in short.
fn split_of(told: &str) -> &str {
    told.rsplit(' ').next().unwrap_or_default()
}

/// The rules in the order that tests name them.
const RULES: [&str; 3] = ["rule", "production", "HTTPS"];

/// The rule of a write of weights, and the weights. Another write has no rule.
fn apart(told: String) -> (String, String) {
    let rule = RULES.into_iter().find(|name| told.starts_with(&format!("{name} "))).unwrap_or_default();
    let rest = told[rule.len()..].to_owned();
    (rule.to_owned(), rest)
}

/// One write in short.
fn short(call: &Call, sample: &Sample) -> String {
    let text = |key: &str| call.input[key].as_str().unwrap_or_default().to_owned();
    match call.operation.as_str() {
        "ModifyListener" if text("ListenerArn") == sample.production_listener => {
            format!("production {}", weights(&call.input["DefaultActions"], sample))
        }
        "ModifyListener" => format!("HTTPS {}", weights(&call.input["DefaultActions"], sample)),
        "ModifyRule" => format!("rule {}", weights(&call.input["Actions"], sample)),
        "UpdateService" => format!("{} desired={}", text("service"), call.input["desiredCount"]),
        "RegisterScalableTarget" => scaling(&call.input),
        other => other.to_owned(),
    }
}

/// The weights in a list of actions, and what stands before the forward.
fn weights(actions: &Value, sample: &Sample) -> String {
    let mut all = Vec::new();
    for action in actions.as_array().into_iter().flatten() {
        let groups = action["ForwardConfig"]["TargetGroups"].as_array();
        let of = |group: &str| {
            let found = groups.into_iter().flatten().find(|one| one["TargetGroupArn"] == group);
            found.map_or("-".to_owned(), |one| one["Weight"].to_string().replace('"', ""))
        };
        all.push(match action["Type"].as_str() {
            Some("forward") => format!("{}/{}", of(&sample.blue_group), of(&sample.green_group)),
            other => other.unwrap_or_default().to_owned(),
        });
    }
    all.join(" then ")
}

/// A change of a scalable target.
fn scaling(input: &Value) -> String {
    let name = input["ResourceId"].as_str().and_then(|id| id.rsplit('/').next()).unwrap_or_default();
    let mut told = name.to_owned();
    for (key, word) in [("MinCapacity", "min"), ("MaxCapacity", "max")] {
        if !input[key].is_null() {
            told.push_str(&format!(" {word}={}", input[key]));
        }
    }
    match input["SuspendedState"]["DynamicScalingInSuspended"].as_bool() {
        Some(true) => told.push_str(" scale-in off"),
        Some(false) => told.push_str(" scale-in on"),
        None => {}
    }
    told
}

/// Asserts a good end: users are there, the checker saw nothing.
#[track_caller]
pub(crate) fn arrived(bed: &Testbed, done: &Done, traffic: &str) {
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(done.output("traffic"), traffic, "{}", done.log);
    assert_eq!(bed.violations(), []);
}

/// Asserts that a run was refused for this reason and wrote nothing.
#[track_caller]
pub(crate) fn refused(bed: &Testbed, action: Action, reason: &str) -> Done {
    let done = action.run();
    done.expect(1, "refused", reason, "untouched");
    assert_eq!(super::writes(bed), [""; 0], "{}", done.log);
    assert_eq!(bed.violations(), []);
    done
}

/// Waits until the production rules hold this.
#[track_caller]
pub(crate) fn until_at(bed: &Testbed, sample: &Sample, splits: &[&str]) {
    let is = bed.wait_until(Duration::from_secs(20), |world| splits_in(world, sample) == splits);
    assert!(is, "the rules never held {splits:?}");
}
