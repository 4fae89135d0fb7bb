//! `promote` that goes well: by swap and by copy, from each state, with and without automatic scaling.

use crate::common::here::{at, stack};
use crate::common::traffic;

use std::time::Duration;

use crate::common::look::{counts_slowly, definition, no_deployment_is_shown, wants};
use crate::common::promote::{
    bounds, container, converged, copy, runs_as, scales, sticky, swap, titles, written,
};
use crate::common::traffic::{counts, runs, scaled, second_listener, splits, suspended};
use crate::common::users::with_users;
use serde_json::json;
use testbed::sample::{self, Sample};
use testbed::{Call, Testbed};

#[test]
fn a_swap_ends_the_same_from_each_split() {
    let moved: &[&str] = &["production 0/100", "web-blue desired=1"];
    let ways = [
        ((100, 0), "blue", moved),
        ((80, 20), "blue-80", moved),
        ((50, 50), "split", moved),
        ((0, 100), "green", &moved[1..]),
    ];
    for (weights, before, expected) in ways {
        let (bed, sample) = at(weights.0, weights.1);
        let done = converged(&bed, &sample, || swap(&bed, "green"), expected);
        assert_eq!((splits(&bed, &sample), counts(&bed)), (vec!["0/100".to_owned()], (1, 2)), "{before}");
        assert_eq!((done.output("color"), done.output("traffic")), ("green", "green"));
        assert_eq!((done.output("live-color"), done.output("previous-traffic")), ("green", before));
        assert!(
            done.output("task-definition-arn").ends_with("/web-green:1"),
            "{}",
            done.output("task-definition-arn")
        );
    }
}

#[test]
fn a_swap_back_to_blue_and_to_green_again_keeps_the_count_of_production() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 3);
    converged(
        &bed,
        &sample,
        || swap(&bed, "green"),
        &["web-green desired=3", "production 0/100", "web-blue desired=1"],
    );
    bed.clear_calls();
    converged(
        &bed,
        &sample,
        || swap(&bed, "blue"),
        &["web-blue desired=3", "production 100/0", "web-green desired=1"],
    );
    assert_eq!(counts(&bed), (3, 1));
}

#[test]
fn all_production_rules_come_before_the_loser_shrinks() {
    let (bed, sample) = stack();
    second_listener(&bed, &sample, 100, 0);
    let expected = ["production 0/100", "HTTPS 0/100", "web-blue desired=1"];
    converged(&bed, &sample, || swap(&bed, "green"), &expected);
}

/// When a write was made.
fn when(bed: &Testbed, operation: &str) -> Duration {
    let is = |call: &&Call| call.operation == operation;
    bed.writes().iter().rev().find(is).expect("it was written").at
}

#[test]
fn invariant_22_the_loser_shrinks_after_settle() {
    let (bed, _sample) = stack();
    swap(&bed, "green").input("settle", "1500ms").run().expect(0, "succeeded", "", "changed");
    let waited = when(&bed, "UpdateService") - when(&bed, "ModifyListener");
    assert!(waited >= Duration::from_millis(1500), "{waited:?}");
}

#[test]
fn invariant_22_the_loser_shrinks_after_settle_and_stickiness() {
    let (bed, sample) = stack();
    sticky(&bed, &sample, (100, 0), 2);
    let done = swap(&bed, "green").run();
    done.expect(0, "succeeded", "", "changed").says("stickiness");
    let waited = when(&bed, "UpdateService") - when(&bed, "ModifyListener");
    assert!(waited >= Duration::from_millis(2200), "{waited:?}");
}

#[test]
fn invariant_20_stickiness_beyond_max_drain_leaves_the_loser_at_size_and_says_when_to_run_again() {
    let (bed, sample) = stack();
    sticky(&bed, &sample, (100, 0), 3600);
    let done = swap(&bed, "green").run();
    done.expect(0, "succeeded", "", "changed").says("blue stays at its size").says("run again");
    assert_eq!((written(&bed, &sample), counts(&bed)), (vec!["production 0/100".to_owned()], (2, 2)));
    assert!(done.summary.contains("blue stays at its size"), "{}", done.summary);
    bed.clear_calls();
    let again = swap(&bed, "green").run();
    again.expect(0, "unchanged", "", "untouched").says("blue stays at its size");
    sticky(&bed, &sample, (0, 100), 0);
    converged(&bed, &sample, || swap(&bed, "green"), &["web-blue desired=1"]);
}

#[test]
fn idle_count_says_how_many_tasks_the_loser_keeps() {
    let (bed, sample) = stack();
    converged(&bed, &sample, || swap(&bed, "green").input("idle-count", "2"), &["production 0/100"]);
    let (bed, sample) = stack();
    bed.world(|world| world.checker.expect_empty(true));
    let none = || swap(&bed, "green").input("idle-count", "0");
    converged(&bed, &sample, none, &["production 0/100", "web-blue desired=0"]).says("Route 53");
    bed.clear_calls();
    let back = ["web-blue desired=2", "production 100/0", "web-green desired=1"];
    converged(&bed, &sample, || swap(&bed, "blue"), &back);
}

#[test]
fn invariant_19_scale_in_is_resumed_on_both_when_the_winner_has_settled() {
    let (bed, sample) = stack();
    sample::autoscaled(&bed, 2, 10).expect("it scales");
    bed.clear_calls();
    let expected = [
        "web-blue scale-in off",
        "web-green scale-in off",
        "production 0/100",
        "web-green scale-in on",
        "web-blue min=1 scale-in on",
        "web-blue desired=1",
    ];
    converged(&bed, &sample, || swap(&bed, "green"), &expected);
    assert_eq!((suspended(&bed), bounds(&bed)), ((false, false), ["1-10".to_owned(), "2-10".to_owned()]));
}

#[test]
fn invariant_23_the_winner_gets_the_min_capacity_of_production() {
    let (bed, sample) = stack();
    scales(&bed, "web-blue", 4, 10);
    scales(&bed, "web-green", 1, 8);
    let expected = [
        "web-blue scale-in off",
        "web-green scale-in off",
        "web-green desired=4",
        "production 0/100",
        "web-green scale-in on",
        "web-green min=4",
        "web-blue min=1 scale-in on",
        "web-blue desired=1",
    ];
    converged(&bed, &sample, || swap(&bed, "green"), &expected);
    assert_eq!((counts(&bed), bounds(&bed)), ((1, 4), ["1-10".to_owned(), "4-8".to_owned()]));
}

#[test]
fn a_redirect_that_went_before_leaves_the_rest_to_promote() {
    let (bed, sample) = stack();
    sample::autoscaled(&bed, 2, 10).expect("it scales");
    traffic::redirect(&bed, "green").input("settle", "100ms").run().expect(0, "succeeded", "", "changed");
    assert_eq!(suspended(&bed), (true, false));
    bed.clear_calls();
    converged(&bed, &sample, || swap(&bed, "green"), &["web-blue min=1 scale-in on", "web-blue desired=1"]);
}

#[test]
fn a_winner_with_all_users_and_too_few_tasks_gets_those_of_the_full_load_first() {
    let (bed, sample) = at(0, 100);
    scaled(&bed, "web-blue", 4);
    converged(&bed, &sample, || swap(&bed, "green"), &["web-green desired=4", "web-blue desired=1"]);
}

/// Green runs v2, which was tested.
fn tested(weights: (u32, u32)) -> (Testbed, Sample) {
    tested_on(at(weights.0, weights.1))
}

/// The same on this testbed.
fn tested_on((bed, sample): (Testbed, Sample)) -> (Testbed, Sample) {
    runs(&bed, &sample, "web-green", "v2", true);
    (bed, sample)
}

/// All writes of a copy to blue from blue.
const COPY: [&str; 5] = [
    "production 0/100",
    "RegisterTaskDefinition web-blue",
    "UpdateService web-blue web-blue:2",
    "production 100/0",
    "web-green desired=1",
];

#[test]
fn a_copy_ends_the_same_from_each_split_and_no_user_notices() {
    for weights in [(100, 0), (0, 100), (80, 20), (50, 50)] {
        let (bed, sample) = tested_on(crate::common::traffic::at(weights.0, weights.1));
        let expected = if weights == (0, 100) { &COPY[1..] } else { &COPY };
        let (done, failed) =
            with_users(sample.production_port, || converged(&bed, &sample, || copy(&bed, "blue"), expected));
        assert_eq!(failed, 0, "users notice: {weights:?}");
        assert_eq!((wants(&bed, "web-blue"), counts(&bed)), ("web-blue:2 × 2".to_owned(), (2, 1)));
        assert_eq!((done.output("color"), done.output("traffic")), ("blue", "blue"));
        assert!(done.output("task-definition-arn").ends_with("/web-blue:2"), "{}", done.log);
        assert!(done.output("previous-task-definition-arn").ends_with("/web-blue:1"), "{}", done.log);
        assert!(done.output("ecs-deployment-id").starts_with("ecs-svc/"), "{:?}", done.outputs);
        assert!(done.output("image").contains("@sha256:"), "{:?}", done.outputs);
    }
}

#[test]
fn what_was_tested_is_what_is_copied_by_digest_with_its_commit() {
    let (bed, sample) = stack();
    runs_as(&bed, &sample, "web-green", ("v2", "green"));
    let done = copy(&bed, "blue").input("per-color", "STAGE").run();
    done.expect(0, "succeeded", "", "changed");
    let (blue, green) = (definition(&bed, "web-blue"), definition(&bed, "web-green"));
    let digest = bed.world(|world| {
        let tasks = world.ecs.tasks_of("shop", "web-green");
        tasks.first().and_then(|task| task.containers.first()?.digest.clone()).expect("a digest")
    });
    assert_eq!(container(&blue)["image"], json!(format!("{}@{digest}", sample.repository)));
    assert_eq!(container(&green)["image"], json!(sample.image("v2")));
    assert_eq!(blue["taskDefinition"]["family"], "web-blue");
    assert_eq!(container(&blue)["environment"][0], json!({ "name": "LOG_LEVEL", "value": "info" }));
    assert_eq!(container(&blue)["environment"][1], json!({ "name": "STAGE", "value": "production" }));
    let tag = |key: &str| {
        let tags = blue["tags"].as_array().into_iter().flatten();
        tags.clone().find(|tag| tag["key"] == key).map(|tag| tag["value"].clone())
    };
    assert_eq!(tag("blue-green:commit"), Some(json!("fedcba9876543210")), "{}", blue["tags"]);
    assert!(!done.log.contains("STAGE=") && !done.log.contains("production\""), "{}", done.log);
}

#[test]
fn a_copy_without_per_color_takes_the_variables_too() {
    let (bed, sample) = stack();
    runs_as(&bed, &sample, "web-green", ("v2", "green"));
    converged(&bed, &sample, || copy(&bed, "blue"), &COPY);
    let blue = definition(&bed, "web-blue");
    assert_eq!(container(&blue)["environment"], container(&definition(&bed, "web-green"))["environment"]);
}

#[test]
fn invariant_14_a_copy_of_the_same_content_only_moves_users() {
    let (bed, sample) = at(0, 100);
    for service in ["web-blue", "web-green"] {
        let mut same = sample::task_definition(service, &sample.image("v2"), false);
        let digest =
            bed.world(|world| world.ecr.image("shop/web", "v2").expect("it is there").digest.clone());
        same["containerDefinitions"][0]["image"] = json!(format!("{}@{digest}", sample.repository));
        bed.call(testbed::Service::Ecs, "RegisterTaskDefinition", same).expect("registered");
        crate::common::look::ecs(
            &bed,
            "UpdateService",
            json!({ "service": service, "taskDefinition": service }),
        );
        crate::common::look::steady(&bed, service);
    }
    bed.clear_calls();
    converged(&bed, &sample, || copy(&bed, "blue"), &["production 100/0", "web-green desired=1"]);
}

#[test]
fn invariant_26_a_tested_color_without_tasks_starts_them_before_it_gets_users() {
    let (bed, sample) = tested((100, 0));
    scaled(&bed, "web-green", 0);
    let mut expected = vec!["web-green desired=2"];
    expected.extend(COPY);
    let done = copy(&bed, "blue").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(written(&bed, &sample), expected, "{}", done.log);
    assert_eq!(bed.violations(), []);
}

#[test]
fn a_copy_where_both_colors_scale_ends_with_scale_in_on_both() {
    let (bed, sample) = tested((100, 0));
    sample::autoscaled(&bed, 2, 10).expect("it scales");
    bed.clear_calls();
    let done = copy(&bed, "blue").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(bed.violations(), []);
    assert_eq!((suspended(&bed), bounds(&bed)), ((false, false), ["2-10".to_owned(), "1-10".to_owned()]));
    bed.clear_calls();
    copy(&bed, "blue").run().expect(0, "unchanged", "", "untouched");
    assert_eq!(written(&bed, &sample), [""; 0]);
}

/// Runs with `plan-only`, which writes nothing, then without.
#[track_caller]
fn planned_then_done(
    bed: &Testbed,
    sample: &Sample,
    run: impl Fn() -> crate::common::Action,
    expected: &[&str],
) {
    let plan = run().input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched");
    assert_eq!(written(bed, sample), [""; 0], "{}", plan.log);
    let done = run().run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(written(bed, sample), expected, "{}", done.log);
    assert_eq!(titles(&plan.log), titles(&done.log), "{}\n---\n{}", plan.log, done.log);
    assert_eq!(titles(&plan.log).len(), expected.len(), "{}", plan.log);
}

#[test]
fn plan_only_tells_the_writes_of_the_run_that_follows() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 3);
    let expected = ["web-green desired=3", "production 0/100", "web-blue desired=1"];
    planned_then_done(&bed, &sample, || swap(&bed, "green"), &expected);
    let (bed, sample) = tested((100, 0));
    planned_then_done(&bed, &sample, || copy(&bed, "blue"), &COPY);
}

#[test]
fn a_changed_count_that_aws_calls_in_progress_does_not_hinder_a_copy() {
    let (bed, sample) = tested((100, 0));
    counts_slowly(&bed, "web-blue", 3);
    let plan = copy(&bed, "blue").input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched");
    no_deployment_is_shown(&plan);
    copy(&bed, "blue").run().expect(0, "succeeded", "", "changed");
    counts_slowly(&bed, "web-blue", 4);
    let again = copy(&bed, "blue").run();
    assert_eq!(written(&bed, &sample), [""; 0], "blue has the version: users stay {}", again.log);
    again.expect(0, "unchanged", "", "untouched");
}

#[test]
fn the_own_change_of_a_count_is_not_reported_as_a_deployment() {
    let (bed, _sample) = stack();
    bed.world(|world| world.pace.counts_in_progress = true);
    let done = swap(&bed, "green").run();
    done.expect(0, "succeeded", "", "changed").says("1 running");
    no_deployment_is_shown(&done);
}

#[test]
fn a_copy_warns_of_old_tasks_that_drain_for_longer_than_the_run_waits() {
    let (bed, sample) = tested((100, 0));
    let slow = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "3600" }]);
    let change = json!({ "TargetGroupArn": sample.blue_group, "Attributes": slow });
    bed.call(testbed::Service::Elb, "ModifyTargetGroupAttributes", change).expect("AWS takes it");
    let plan = copy(&bed, "blue").input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched");
    plan.says("deregistration delay (1h 00m) is not shorter than `timeout` (1m 00s)");
}

#[test]
fn a_plan_of_a_copy_lists_what_changes_in_the_task_definition() {
    let (bed, _sample) = tested((100, 0));
    let plan = copy(&bed, "blue").input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched").says("containerDefinitions").says("image");
}

#[test]
fn a_swap_tells_what_production_runs_and_what_it_ran() {
    let (bed, sample) = stack();
    runs(&bed, &sample, "web-green", "v2", true);
    let done = swap(&bed, "green").run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(done.output("image"), sample.image("v2"));
    let ends = |output: &str, end: &str| assert!(done.output(output).ends_with(end), "{:?}", done.outputs);
    ends("task-definition-arn", "/web-green:2");
    ends("previous-task-definition-arn", "/web-blue:1");
}

#[test]
fn a_swap_where_users_are_there_already_tells_what_it_still_does() {
    let (bed, sample) = at(0, 100);
    let plan = swap(&bed, "green").input("plan-only", "true").run();
    plan.says("Plan: users are at green already; what still changes: the desired count of blue");
    plan.says("1 step planned: users are at green already");
    converged(&bed, &sample, || swap(&bed, "green"), &["web-blue desired=1"]).says("before anything shrinks");
    let again = swap(&bed, "green").run();
    again.says("Plan: users are at green already").says("nothing to change");
}

#[test]
fn a_plan_tells_that_stickiness_keeps_the_loser_at_its_size() {
    let (bed, sample) = stack();
    sticky(&bed, &sample, (100, 0), 3600);
    let plan = swap(&bed, "green").input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched").says("blue stays at its size").says("max-drain: 1h00m");
    sticky(&bed, &sample, (100, 0), 604_800);
    let plan = swap(&bed, "green").input("plan-only", "true").run();
    plan.says("blue stays at its size").says("run again once stickiness is off or shorter");
    assert!(!plan.log.contains("max-drain: 168h"), "no run may wait for a week: {}", plan.log);
}

#[test]
fn a_winner_that_can_not_grow_as_production_could_is_warned_of() {
    let (bed, _sample) = stack();
    scales(&bed, "web-blue", 2, 20);
    scales(&bed, "web-green", 2, 2);
    let plan = swap(&bed, "green").input("plan-only", "true").run();
    plan.says("green has MaxCapacity 2, and the other color has 20");
    let suspended = json!({ "DynamicScalingOutSuspended": true });
    let input = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/shop/web-green",
        "ScalableDimension": "ecs:service:DesiredCount", "SuspendedState": suspended,
    });
    bed.call(testbed::Service::AutoScaling, "RegisterScalableTarget", input).expect("AWS takes it");
    let done = swap(&bed, "green").run();
    done.expect(0, "succeeded", "", "changed");
    done.says("Scale-out of `web-green` (green) is suspended");
}

/// A run whose config lets a service scale from 1 to so many tasks.
fn by_config(action: crate::common::Action, max: u32) -> crate::common::Action {
    let scaling = json!({ "min": 1, "max": max, "idle-min": 1, "scale-in-after": "1m" });
    let config = json!({ "cluster": "shop", "apps": { "web": {
        "blue": "web-blue", "green": "web-green", "scaling": scaling } } });
    action.file(".github/blue-green.yml", &config.to_string())
}

#[test]
fn a_color_grows_as_far_as_the_config_says_before_it_gets_users() {
    let (bed, sample) = stack();
    scales(&bed, "web-blue", 1, 8);
    scales(&bed, "web-green", 1, 2);
    scaled(&bed, "web-blue", 4);
    bed.clear_calls();
    let few = by_config(swap(&bed, "green"), 3).run();
    few.expect(1, "refused", "not-enough-targets", "untouched").says("  scaling: { max: 4 }");
    assert_eq!(written(&bed, &sample), [""; 0]);
    let done = by_config(swap(&bed, "green"), 8).input("timeout", "30s").run();
    done.expect(0, "succeeded", "", "changed");
    let writes = written(&bed, &sample);
    let at = |write: &str| writes.iter().position(|one| one == write).unwrap_or_else(|| panic!("{writes:?}"));
    assert!(at("web-green max=8") < at("web-green desired=4"), "{writes:?}");
    assert!(at("web-green desired=4") < at("production 0/100"), "{writes:?}");
    assert_eq!(bed.violations(), []);
}
