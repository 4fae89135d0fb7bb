//! What the tests of `promote` look at, and how they set the stage.

use serde_json::{Value, json};
use testbed::sample::{self, Sample};
use testbed::{Service, Testbed};

use super::look::{definition, wants};
use super::traffic::{forward, moves, splits};
use super::{Action, Done, look, writes};

/// A run of `promote` by swap that settles in a moment.
pub(crate) fn swap(bed: &Testbed, color: &str) -> Action {
    Action::new(bed, "promote").input("color", color).input("settle", "200ms").input("timeout", "60s")
}

/// A run of `promote` by copy that settles in a moment.
pub(crate) fn copy(bed: &Testbed, color: &str) -> Action {
    swap(bed, color).input("mode", "copy")
}

/// The writes so far: as `moves` tells them, and those of a deploy with their task definition.
pub(crate) fn written(bed: &Testbed, sample: &Sample) -> Vec<String> {
    let deploys = |line: &String| line.contains("RegisterTaskDefinition") || line.contains(":");
    let pairs = moves(bed, sample).into_iter().zip(writes(bed));
    pairs
        .map(
            |(moved, whole)| {
                if deploys(&whole) { whole.trim_start_matches("ecs ").to_owned() } else { moved }
            },
        )
        .collect()
}

/// Asserts a good end with these writes, after which the same run is unchanged and writes nothing.
#[track_caller]
pub(crate) fn converged(bed: &Testbed, sample: &Sample, run: impl Fn() -> Action, expected: &[&str]) -> Done {
    let done = run().run();
    assert_eq!(written(bed, sample), expected, "{}", done.log);
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(bed.violations(), []);
    bed.clear_calls();
    let again = run().run();
    again.expect(0, "unchanged", "", "untouched");
    assert_eq!(written(bed, sample), [""; 0], "{}", again.log);
    assert_eq!(bed.violations(), []);
    done
}

/// Asserts how a run ended and what it wrote.
#[track_caller]
pub(crate) fn ended(bed: &Testbed, sample: &Sample, done: &Done, end: (&str, &str, &str), expected: &[&str]) {
    let (result, reason, left) = end;
    let code = i32::from(!["succeeded", "unchanged", "planned"].contains(&result));
    done.expect(code, result, reason, left);
    assert_eq!(written(bed, sample), expected, "{}", done.log);
    assert_eq!(bed.violations(), []);
}

/// Group stickiness of so many seconds on the production listener.
pub(crate) fn sticky(bed: &Testbed, sample: &Sample, weights: (u32, u32), seconds: u32) {
    let mut action = forward(sample, weights.0, weights.1);
    action["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": seconds > 0, "DurationSeconds": seconds.max(1) });
    let input = json!({ "ListenerArn": sample.production_listener, "DefaultActions": [action] });
    bed.call(Service::Elb, "ModifyListener", input).expect("AWS takes it");
    bed.clear_calls();
}

/// Makes a service run another image with this value of STAGE, and waits until it does.
pub(crate) fn runs_as(bed: &Testbed, sample: &Sample, service: &str, (tag, stage): (&str, &str)) {
    let mut definition = sample::task_definition(service, &sample.image(tag), false);
    definition["containerDefinitions"][0]["environment"][0]["value"] = json!(stage);
    definition["tags"] = json!([{ "key": "blue-green:commit", "value": "fedcba9876543210" }]);
    bed.call(Service::Ecs, "RegisterTaskDefinition", definition).expect("registered");
    look::ecs(bed, "UpdateService", json!({ "service": service, "taskDefinition": service }));
    look::steady(bed, service);
    bed.clear_calls();
}

/// A scalable target of a service with these bounds.
pub(crate) fn scales(bed: &Testbed, service: &str, min: u32, max: u32) {
    let input = json!({
        "ServiceNamespace": "ecs", "ResourceId": format!("service/shop/{service}"),
        "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": min, "MaxCapacity": max,
    });
    bed.call(Service::AutoScaling, "RegisterScalableTarget", input).expect("AWS takes it");
    look::steady(bed, service);
    bed.clear_calls();
}

/// Bounds of blue and green, such as `2-10`.
pub(crate) fn bounds(bed: &Testbed) -> [String; 2] {
    ["web-blue", "web-green"].map(|name| {
        bed.world(|world| {
            let target =
                world.autoscaling.target(&format!("service/shop/{name}")).expect("a scalable target");
            format!("{}-{}", target.min, target.max)
        })
    })
}

/// The one container of a task definition.
pub(crate) fn container(definition: &Value) -> &Value {
    &definition["taskDefinition"]["containerDefinitions"][0]
}

/// The steps that a log lists in its plan.
pub(crate) fn titles(log: &str) -> Vec<&str> {
    let numbered = |line: &&str| {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < line.len() && rest.starts_with(". ")
    };
    log.lines().map(str::trim).filter(numbered).collect()
}

/// Everything that invariant 7 compares: weights, and of each color the task definition with its content, the count,
/// its family's revisions, and bounds with what is suspended.
pub(crate) fn state(bed: &Testbed, sample: &Sample) -> Value {
    let of = |name: &str| {
        let wanted = wants(bed, name);
        let revision = wanted.split(' ').next().unwrap_or_default();
        let content = container(&definition(bed, revision)).clone();
        let revisions = bed
            .call(Service::Ecs, "ListTaskDefinitions", json!({ "familyPrefix": name }))
            .expect("AWS answers")["taskDefinitionArns"]
            .clone();
        let scaling = bed.world(|world| {
            let target = world.autoscaling.target(&format!("service/shop/{name}"))?;
            Some((target.min, target.max, target.suspended.scale_in))
        });
        json!({ "wants": wanted, "content": content, "revisions": revisions, "scaling": format!("{scaling:?}") })
    };
    json!({ "splits": splits(bed, sample), "blue": of("web-blue"), "green": of("web-green") })
}
