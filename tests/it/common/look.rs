//! What the tests of a deploy look at, and how they set the stage.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::sample::{self, Sample, Stack};
use testbed::{Service, Testbed};

/// The testbed with a sample stack that differs from the usual one.
pub fn stack_with(stack: &Stack) -> (Testbed, Sample) {
    let bed = Testbed::start(testbed::Options::default()).expect("the testbed starts");
    let sample = sample::create_with(&bed, stack).expect("the sample stack settles");
    frozen(&bed);
    (bed, sample)
}

/// From now on any change of a weight breaks invariant 10, and nothing before counts as a call.
pub fn frozen(bed: &Testbed) {
    bed.world(|world| world.checker.expect_no_weight_change(true));
    bed.clear_calls();
}

/// What a service wants: its task definition and its desired count, such as `web-green:2 × 2`.
pub fn wants(bed: &Testbed, service: &str) -> String {
    bed.world(|world| wanted(world, service))
}

/// The same for somebody who holds the world.
pub fn wanted(world: &testbed::World, service: &str) -> String {
    let found = world.ecs.service("shop", service).expect("the service is there");
    let definition = &found.primary().expect("a deployment").revision.definition;
    format!("{} × {}", definition.rsplit('/').next().unwrap_or_default(), found.desired)
}

/// A task definition as AWS describes it.
pub fn definition(bed: &Testbed, name: &str) -> Value {
    let input = json!({ "taskDefinition": name, "include": ["TAGS"] });
    bed.call(Service::Ecs, "DescribeTaskDefinition", input).expect("the task definition is there")
}

/// Carries out an operation of ECS in cluster `shop`, to set the stage.
pub fn ecs(bed: &Testbed, operation: &str, mut input: Value) -> Value {
    input["cluster"] = json!("shop");
    bed.call(Service::Ecs, operation, input).expect("AWS takes it")
}

/// Sets a service's count and waits until it is so.
pub fn scale(bed: &Testbed, service: &str, count: u32) {
    bed.world(|world| world.checker.expect_empty(true));
    ecs(bed, "UpdateService", json!({ "service": service, "desiredCount": count }));
    steady(bed, service);
    bed.clear_calls();
}

/// Changes a service's count while new tasks take 10 s to start, on an AWS that calls such a change IN_PROGRESS.
pub fn counts_slowly(bed: &Testbed, service: &str, count: u32) {
    bed.world(|world| {
        (world.pace.counts_in_progress, world.pace.launch) = (true, Duration::from_secs(10));
    });
    ecs(bed, "UpdateService", json!({ "service": service, "desiredCount": count }));
    bed.clear_calls();
}

/// Asserts that log, summary and `status-json` of a run show no deployment in progress.
#[track_caller]
pub fn no_deployment_is_shown(done: &super::Done) {
    for text in [done.log.as_str(), &done.summary, done.output("status-json")] {
        for word in ["a deployment is in progress", "deploying", "IN_PROGRESS"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
}

/// From now on tasks start at once, also those that are on their way.
pub fn hurry(bed: &Testbed) {
    bed.world(|world| world.pace.launch = Duration::from_millis(50));
}

/// Tasks start at once from the next update of a service on, so that nothing becomes good before it.
pub fn hurry_at_update(bed: &Testbed) {
    let hurry = |world: &mut testbed::World| world.pace.launch = Duration::from_millis(50);
    bed.fault(testbed::Fault::on("UpdateService", testbed::Effect::Then(Box::new(hurry))));
}

/// Waits until an operation was called so often.
#[track_caller]
pub fn until_called(bed: &Testbed, operation: &str, times: usize) {
    let end = testbed::clock::now() + Duration::from_secs(30);
    while bed.calls().iter().filter(|call| call.operation == operation).count() < times {
        assert!(testbed::clock::now() < end, "{operation} was not called {times} times");
        testbed::clock::pause(Duration::from_millis(5));
    }
}

/// Waits until a service is steady.
#[track_caller]
pub fn steady(bed: &Testbed, service: &str) {
    let is = bed.wait_until(Duration::from_secs(20), |world| world.ecs.is_steady("shop", service));
    assert!(is, "{service} does not become steady");
}

/// Asserts that nothing but green was touched, and no invariant was broken.
#[track_caller]
pub fn others_untouched(bed: &Testbed) {
    assert_eq!(bed.violations(), []);
    assert_eq!(wants(bed, "web-blue"), "web-blue:1 × 2");
    assert_eq!(wants(bed, "web-dev"), "web-dev:1 × 1");
}

/// A text as the reader sees it, without what differs from run to run: ids, ports, digests, times, and the lines of
/// progress, of which a fast poll sees other ones each time.
pub fn redacted(text: &str) -> String {
    let shown = text.lines().filter(|line| !line.starts_with("::add-mask::") && !line.starts_with('['));
    let lines = shown.map(|line| line.split(' ').map(redacted_word).collect::<Vec<_>>().join(" "));
    let text = lines.collect::<Vec<_>>().join("\n");
    let text: Vec<String> = text.lines().map(untimed).collect();
    replaced(&text.join("\n"), " after ", "s:", " after Ns:").trim().to_owned()
}

/// A line of a comment without when the run started and how long it took.
fn untimed(line: &str) -> String {
    let Some((before, after)) = line.split_once(" · started at ") else { return line.to_owned() };
    let rest = [" · ", "</sub>"].iter().filter_map(|end| after.find(end)).min().unwrap_or(after.len());
    format!("{before}{}", &after[rest..])
}

/// What a reader sees of a failure: the text when it happens, the end, and the titled error.
pub fn told(log: &str) -> String {
    let text = redacted(log);
    let from = text.lines().position(|line| line.starts_with("the deploy fails:")).unwrap_or(0);
    let lines = text
        .lines()
        .skip(from)
        .filter(|line| !line.starts_with("::group") && !line.starts_with("::endgroup"));
    lines.map(uncounted).collect::<Vec<_>>().join("\n").replace("%0A", "\n")
}

/// A line with N for how many tasks or targets failed: one more may fail before ECS ends a deployment.
fn uncounted(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let counts = |at: usize| {
        let next =
            words.get(at + 1).is_some_and(|next| next.starts_with("task") || next.starts_with("target"));
        next && !words[at].is_empty() && words[at].bytes().all(|byte| byte.is_ascii_digit())
    };
    (0..words.len()).map(|at| if counts(at) { "N" } else { words[at] }).collect::<Vec<_>>().join(" ")
}

/// Replaces every `start` DIGITS `end`; digits may have spaces before them.
fn replaced(text: &str, start: &str, end: &str, by: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(start) {
        let after = &rest[at + start.len()..];
        let number = after.trim_start();
        let digits = number.len() - number.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        out.push_str(&rest[..at]);
        if digits > 0 && number[digits..].starts_with(end) {
            out.push_str(by);
            rest = &number[digits + end.len()..];
        } else {
            out.push_str(start);
            rest = after;
        }
    }
    out + rest
}

/// Runs of hexadecimal digits with a letter and a digit (8 and more), and of 5 and more digits, are ids.
fn redacted_word(word: &str) -> String {
    let mut out = String::new();
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        let length = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
        let run = &rest[..length];
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        let account = run == "123456789012";
        if length == 0 {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let id = !account && ((length >= 12 && digits > 0) || (digits == length && length >= 5));
        out.push_str(if id { "…" } else { run });
        rest = &rest[length..];
    }
    out
}

/// Gives a service a scalable target and a scaling policy that are somebody else's.
pub fn foreign_policy(bed: &Testbed, service: &str) {
    let target = json!({
        "ServiceNamespace": "ecs", "ResourceId": format!("service/shop/{service}"),
        "ScalableDimension": "ecs:service:DesiredCount",
    });
    let mut register = target.clone();
    (register["MinCapacity"], register["MaxCapacity"]) = (json!(1), json!(10));
    bed.call(Service::AutoScaling, "RegisterScalableTarget", register).expect("AWS takes it");
    let mut policy = target;
    policy["PolicyName"] = json!("theirs");
    policy["PolicyType"] = json!("TargetTrackingScaling");
    policy["TargetTrackingScalingPolicyConfiguration"] = json!({
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" },
    });
    bed.call(Service::AutoScaling, "PutScalingPolicy", policy).expect("AWS takes it");
    bed.clear_calls();
}
