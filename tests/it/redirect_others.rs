//! `redirect-traffic` and `rollback` while somebody or something else gets in the way.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::common::here::{at, stack};
use crate::common::look::{ecs, until_called};
use crate::common::traffic::{
    arrived, counts, many_rules, moves, path_rule, redirect, redirect_with, runs, scaled, second_listener,
    sick, somebody_writes, splits, until_at,
};
use crate::common::{Action, Done};
use serde_json::json;
use testbed::checker::{Checker, Color};
use testbed::elb::Bucket;
use testbed::sample::{self, Sample};
use testbed::{Effect, Fault, Service, Testbed};

/// Scalable targets for both services.
fn autoscaled(bed: &Testbed) {
    sample::autoscaled(bed, 1, 10).expect("it scales");
    bed.clear_calls();
}

/// Asserts an end, what was written, and that the checker saw nothing.
#[track_caller]
fn ended(bed: &Testbed, sample: &Sample, done: &Done, end: (&str, &str, &str), written: &[&str]) {
    done.expect(1, end.0, end.1, end.2);
    assert_eq!(moves(bed, sample), written, "{}", done.log);
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_06_what_somebody_writes_while_tasks_are_waited_for_stands() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 4);
    let (listener, copy) = (sample.production_listener.clone(), sample.clone());
    let act = Box::new(move |world: &mut testbed::World| somebody_writes(world, &copy, &listener, (95, 5)));
    bed.fault(Fault::on("UpdateService", Effect::Then(act)));
    let done = redirect(&bed, "green").run();
    ended(&bed, &sample, &done, ("superseded", "superseded", "changed"), &["web-green desired=4"]);
    assert_eq!(splits(&bed, &sample), ["95/5"]);
}

#[test]
fn invariant_06_what_somebody_writes_while_a_run_only_watches_stands() {
    let (bed, sample) = at(0, 100);
    autoscaled(&bed);
    for name in ["web-blue", "web-green"] {
        let suspended = json!({ "ServiceNamespace": "ecs", "ResourceId": format!("service/shop/{name}"),
            "ScalableDimension": "ecs:service:DesiredCount",
            "SuspendedState": { "DynamicScalingInSuspended": true } });
        bed.call(Service::AutoScaling, "RegisterScalableTarget", suspended).expect("AWS takes it");
    }
    bed.clear_calls();
    let run = redirect_with(&bed, "green", &[("settle", "10m")]).spawn();
    until_called(&bed, "DescribeRules", 12);
    bed.world(|world| somebody_writes(world, &sample, &sample.production_listener, (50, 50)));
    let done = run.wait();
    ended(&bed, &sample, &done, ("superseded", "superseded", "untouched"), &[]);
    assert_eq!(splits(&bed, &sample), ["50/50"]);
}

#[test]
fn invariant_06_what_somebody_writes_in_the_bake_of_a_run_that_goes_on_stands() {
    let (bed, sample) = at(80, 20);
    let run = redirect_with(&bed, "green", &[("steps", "20, 50"), ("bake-time", "10m")]).spawn();
    until_called(&bed, "DescribeRules", 12);
    bed.world(|world| somebody_writes(world, &sample, &sample.production_listener, (100, 0)));
    let done = run.wait();
    ended(&bed, &sample, &done, ("superseded", "superseded", "untouched"), &[]);
    assert_eq!(splits(&bed, &sample), ["100/0"]);
}

#[test]
fn invariant_08_a_rule_that_somebody_adds_in_a_bake_goes_there_and_back_with_the_others() {
    let (bed, sample) = stack();
    let run = redirect_with(&bed, "green", &[("steps", "20"), ("bake-time", "10m")]).spawn();
    until_at(&bed, &sample, &["80/20"]);
    let rule = path_rule(&bed, &sample, 100, 0);
    until_at(&bed, &sample, &["80/20", "80/20"]);
    bed.call(Service::Elb, "ModifyTargetGroup", sick(&sample.green_group)).expect("AWS takes it");
    let done = run.wait();
    done.expect(1, "failed", "unhealthy-targets", "restored");
    assert_eq!(splits(&bed, &sample), ["100/0", "100/0"], "{rule}: {}", done.log);
}

/// Deletes a listener between the two reads of one look: it was listed, and its rules are asked for next.
fn deleted_meanwhile(bed: &Testbed, listener: &str, look: u32) {
    let input = json!({ "ListenerArn": listener });
    let act = Box::new(move |world: &mut testbed::World| {
        drop(world.call(Service::Elb, "DeleteListener", &input).expect("AWS takes it"));
    });
    bed.fault(Fault::on("DescribeRules", Effect::Before(act)).resource(listener).nth(look..=look));
}

#[test]
fn a_test_listener_that_goes_between_two_reads_of_one_look_stops_no_run() {
    for look in 1..=3 {
        let (bed, sample) = stack();
        deleted_meanwhile(&bed, &sample.dev_listener, look);
        arrived(&bed, &redirect(&bed, "green").run(), "green");
        let (bed, sample) = stack();
        deleted_meanwhile(&bed, &sample.green_listener, look);
        let promote = Action::new(&bed, "promote").input("color", "green").input("settle", "10s");
        promote.run().expect(0, "succeeded", "", "changed");
        let (bed, sample) = stack();
        deleted_meanwhile(&bed, &sample.dev_listener, look);
        let deploy = Action::new(&bed, "deploy").input("image", &sample.image("v2"));
        deploy.run().expect(0, "succeeded", "", "changed");
    }
}

#[test]
fn invariant_44_a_production_listener_that_goes_between_two_reads_of_one_look_is_said() {
    let (bed, sample) = stack();
    deleted_meanwhile(&bed, &sample.production_listener, 1);
    let done = redirect(&bed, "green").run();
    done.expect(1, "refused", "no-production-rule", "untouched");
    let (bed, sample) = stack();
    let second = second_listener(&bed, &sample, 100, 0);
    deleted_meanwhile(&bed, &second, 3);
    let done = redirect_with(&bed, "green", &[("steps", "20"), ("bake-time", "1m")]).run();
    done.expect(1, "superseded", "superseded", "changed");
    done.says("Someone deleted the production rule `HTTPS:").says(" default` during the run");
}

#[test]
fn invariant_08_a_rule_goes_back_when_the_one_before_it_became_somebody_elses() {
    let (bed, sample) = stack();
    second_listener(&bed, &sample, 100, 0);
    let (listener, copy) = (sample.production_listener.clone(), sample.clone());
    let act = Box::new(move |world: &mut testbed::World| somebody_writes(world, &copy, &listener, (50, 50)));
    bed.fault(Fault::on("ModifyListener", Effect::Then(act)).nth(2..=2));
    let done = redirect(&bed, "green").run();
    ended(
        &bed,
        &sample,
        &done,
        ("superseded", "superseded", "changed"),
        &["production 0/100", "HTTPS 0/100", "HTTPS 100/0"],
    );
}

#[test]
fn a_change_of_sixty_rules_costs_four_calls_for_each_rule_in_all() {
    const RULES: usize = 60;
    let (bed, sample) = stack();
    many_rules(&bed, &sample, RULES - 1);
    let done = redirect_with(&bed, "split", &[("settle", "0s")]).run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(splits(&bed, &sample), vec!["50/50"; RULES]);
    assert_eq!(bed.violations(), []);
    let calls = bed.calls();
    let writes = calls.iter().filter(|call| call.write).count();
    println!("{} calls, {writes} of them writes", calls.len());
    assert_eq!(writes, RULES);
    assert!(calls.len() <= 4 * RULES, "{} calls", calls.len());
}

#[test]
fn a_change_of_sixty_rules_ends_under_awss_limit_of_describe_calls() {
    const RULES: usize = 60;
    let (bed, sample) = stack();
    many_rules(&bed, &sample, RULES - 1);
    bed.world(|world| world.elb.describe_bucket = Some(Bucket::of_describe()));
    let done = redirect_with(&bed, "split", &[("settle", "0s"), ("poll-interval", "10s")]).run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(splits(&bed, &sample), vec!["50/50"; RULES]);
    assert_eq!(bed.violations(), []);
    assert_eq!(bed.writes().len(), RULES);
    let refused = bed.world(|world| world.elb.describe_bucket.as_ref().map(|bucket| bucket.refused));
    assert!(refused.is_some_and(|refused| refused > 0), "the limit was never reached");
}

#[test]
fn invariant_06_a_rule_that_somebody_writes_in_the_middle_of_a_change_stands() {
    let (bed, sample) = stack();
    many_rules(&bed, &sample, 9);
    let (listener, copy) = (sample.production_listener.clone(), sample.clone());
    let act = Box::new(move |world: &mut testbed::World| somebody_writes(world, &copy, &listener, (95, 5)));
    bed.fault(Fault::on("ModifyRule", Effect::Then(act)).nth(4..=4));
    let done = redirect(&bed, "green").run();
    done.expect(1, "superseded", "superseded", "changed");
    let held = splits(&bed, &sample);
    assert_eq!(held.iter().filter(|split| *split == "95/5").count(), 1, "{held:?}");
    assert_eq!(held.iter().filter(|split| *split == "100/0").count(), 9, "{held:?}");
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_16_targets_that_fall_ill_in_the_middle_of_a_change_stop_it() {
    let (bed, sample) = stack();
    many_rules(&bed, &sample, 9);
    let group = sample.green_group.clone();
    let ill = Box::new(move |world: &mut testbed::World| {
        world.call(Service::Elb, "ModifyTargetGroup", &sick(&group)).expect("AWS takes it");
    });
    bed.fault(Fault::on("ModifyRule", Effect::Then(ill)).nth(3..=3));
    bed.fault(Fault::on("ModifyRule", Effect::Delay(Duration::from_millis(1500))).nth(4..=4));
    let done = redirect_with(&bed, "green", &[("timeout", "5s")]).run();
    assert_eq!(done.output("result"), "failed");
    assert_eq!(splits(&bed, &sample), vec!["100/0"; 10], "{}", done.log);
}

#[test]
fn a_write_that_is_never_answered_ends_with_the_time_out() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("ModifyListener", Effect::ServerError(503)));
    let done = redirect(&bed, "green").input("timeout", "3s").run();
    done.expect(1, "failed", "unreachable", "untouched").says("ModifyListener");
    assert_eq!(splits(&bed, &sample), ["100/0"]);
    assert!(bed.writes().len() <= 8, "{:?}", moves(&bed, &sample));
}

#[test]
fn force_waits_for_no_automatic_scaling() {
    for effect in [Effect::Throttle, Effect::ServerError(503), Effect::DropBefore] {
        let (bed, sample) = stack();
        autoscaled(&bed);
        bed.fault(Fault::on("RegisterScalableTarget", effect));
        let done = redirect_with(&bed, "green", &[("force", "true"), ("settle", "0s")]).run();
        done.expect(0, "succeeded", "", "changed");
        assert_eq!(splits(&bed, &sample), ["0/100"], "{}", done.log);
    }
}

#[test]
fn invariant_21_users_leave_a_service_that_is_gone() {
    let (bed, sample) = at(0, 100);
    // The test deletes the service, not the action: the checker watches from then on.
    bed.world(|world| world.checker = Checker::default());
    ecs(&bed, "DeleteService", json!({ "service": "web-green", "force": true }));
    let color = |service: &str, group: &str| Color { service: service.to_owned(), group: group.to_owned() };
    bed.watch(
        color(&sample.blue_service, &sample.blue_group),
        color(&sample.green_service, &sample.green_group),
    );
    bed.world(|world| world.checker.expect_empty(true));
    bed.clear_calls();
    let done = Action::new(&bed, "rollback").run();
    arrived(&bed, &done, "blue");
    assert_eq!(moves(&bed, &sample), ["production 100/0"]);
}

#[test]
fn a_color_whose_deployment_failed_gets_users_by_force_alone() {
    let (bed, sample) = stack();
    runs(&bed, &sample, "web-green", "v3-crash", false);
    let failed = || {
        let answer = ecs(&bed, "DescribeServices", json!({ "services": ["web-green"] }));
        answer["services"][0]["deployments"][0]["rolloutState"] == "FAILED"
    };
    while !failed() {
        testbed::clock::pause(Duration::from_millis(50));
    }
    bed.clear_calls();
    let done = redirect(&bed, "green").run();
    ended(&bed, &sample, &done, ("refused", "tasks-failing", "untouched"), &[]);
    done.says("`web-green:2`").says("force: true");
    arrived(&bed, &redirect_with(&bed, "green", &[("force", "true")]).run(), "green");
    assert_eq!(counts(&bed), (2, 2));
}

#[test]
fn users_go_back_from_a_color_that_dies_while_it_settles() {
    let (bed, sample) = stack();
    autoscaled(&bed);
    let run = redirect_with(&bed, "green", &[("settle", "4s")]).spawn();
    until_at(&bed, &sample, &["0/100"]);
    bed.call(Service::Elb, "ModifyTargetGroup", sick(&sample.green_group)).expect("AWS takes it");
    let done = run.wait();
    done.expect(1, "failed", "unhealthy-targets", "restored");
    assert_eq!(splits(&bed, &sample), ["100/0"], "{}", done.log);
}

/// Once weights were written, somebody else moves users to both colors at the next look that reads task definitions:
/// the one that is told.
fn contradict_the_last_look(bed: &Testbed, sample: &Sample) {
    let (moved, seen) = (Arc::new(AtomicBool::new(false)), sample.clone());
    let written = Arc::clone(&moved);
    bed.fault(
        Fault::on("ModifyListener", Effect::Then(Box::new(move |_| written.store(true, SeqCst)))).times(1),
    );
    let act = move |world: &mut testbed::World| {
        if moved.swap(false, SeqCst) {
            somebody_writes(world, &seen, &seen.production_listener, (50, 50));
        }
    };
    bed.fault(Fault::on("DescribeTaskDefinition", Effect::Before(Box::new(act))));
}

#[test]
fn invariant_42_users_who_are_moved_before_the_last_look_are_no_success() {
    let promoted = [("color", "green"), ("idle-count", "2"), ("settle", "0s")];
    let moves_all: [(&str, &[(&str, &str)]); 3] = [
        ("redirect-traffic", &[("traffic", "green"), ("settle", "0s")]),
        ("rollback", &[("color", "green"), ("settle", "0s")]),
        ("promote", &promoted),
    ];
    for (command, inputs) in moves_all {
        let (bed, sample) = stack();
        contradict_the_last_look(&bed, &sample);
        let run = inputs.iter().fold(Action::new(&bed, command), |run, (name, value)| run.input(name, value));
        let done = run.input("timeout", "20s").run();
        done.expect(1, "superseded", "superseded", "changed");
        assert_eq!((done.output("traffic"), done.output("live-color")), ("split", "both"), "{command}");
        assert_eq!(splits(&bed, &sample), ["50/50"], "{command}: {}", done.log);
        assert!(!done.summary.contains("All users are on green"), "{command}: {}", done.summary);
    }
}
