//! What goes over the wire: what is read before and after each write, and what becomes of a write whose answer is
//! lost, late or wrong. Every list of writes is typed by hand.

use std::time::Duration;

use crate::common::here::{stack, stack_with};
use crate::common::look::{frozen, others_untouched, wants};
use crate::common::{Action, Done, writes};
use serde_json::json;
use testbed::sample::{Sample, Stack};
use testbed::{Call, Effect, Fault, Service, Testbed};

/// A good deploy's writes.
const DEPLOY: [&str; 2] = ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"];
/// A good deploy's writes, where the register had to be sent again.
const REGISTER_AGAIN: [&str; 3] = [DEPLOY[0], DEPLOY[0], DEPLOY[1]];
/// A good deploy's writes, where the update had to be sent again.
const UPDATE_AGAIN: [&str; 3] = [DEPLOY[0], DEPLOY[1], DEPLOY[1]];
/// The way back.
const BACK: &str = "ecs UpdateService web-green web-green:1";

/// The usual testbed, watched for changes of weights.
fn stage() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    frozen(&bed);
    (bed, sample)
}

/// A deploy of an image of the sample's repository.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    Action::new(bed, "deploy").input("image", &sample.image(tag)).input("timeout", "60s")
}

/// A good deploy with this fault at the first call of this operation, and the writes that it takes.
#[track_caller]
fn recovers(operation: &str, effect: Effect, expected: &[&str]) {
    let (bed, sample) = stage();
    bed.fault(Fault::on(operation, effect).times(1));
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), expected);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
    assert_eq!(revisions(&bed), ["web-green:1", "web-green:2"]);
    assert_read_around_writes(&bed.calls());
    others_untouched(&bed);
}

/// The revisions of green's family.
fn revisions(bed: &Testbed) -> Vec<String> {
    let answer = bed.call(Service::Ecs, "ListTaskDefinitions", json!({ "familyPrefix": "web-green" }));
    let answer = answer.expect("AWS answers");
    let arns = answer["taskDefinitionArns"].as_array().into_iter().flatten();
    arns.filter_map(|arn| Some(arn.as_str()?.rsplit('/').next()?.to_owned())).collect()
}

/// Whether a call reads this service.
fn reads_service(call: &Call, service: &str) -> bool {
    let named = call.input["services"].as_array().into_iter().flatten();
    call.operation == "DescribeServices"
        && named.filter_map(|name| name.as_str()).any(|name| name.ends_with(service))
}

/// Invariants 2 and 6: between two writes the service is read; before a write that can reach users, the rules too; and
/// after the last write the service is read back. A throttled write had no effect: the SDK sends it again by itself.
#[track_caller]
fn assert_read_around_writes(calls: &[Call]) {
    let mut since: Vec<&Call> = Vec::new();
    for call in calls {
        if !call.write {
            since.push(call);
            continue;
        }
        let back = call.input["taskDefinition"].as_str().is_some_and(|arn| arn.ends_with(":1"));
        assert!(
            since.iter().any(|read| reads_service(read, "web-green")),
            "{} {} was sent without a look at the service since the last write",
            call.number,
            call.operation
        );
        assert!(
            back || since.iter().any(|read| read.operation == "DescribeRules"),
            "{} {} was sent without a look at the rules since the last write",
            call.number,
            call.operation
        );
        if call.result.as_ref().is_err_and(|code| code.starts_with("Throttling")) {
            continue;
        }
        since.clear();
    }
    assert!(since.iter().any(|read| reads_service(read, "web-green")), "the last write was not read back");
}

#[test]
fn invariant_02_and_06_every_write_stands_between_reads_of_what_it_changes_and_what_decides() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), DEPLOY);
    assert_read_around_writes(&bed.calls());
}

#[test]
fn invariant_02_and_06_the_way_back_stands_between_reads_too() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v3-crash").run().expect(1, "failed", "circuit-breaker", "restored");
    assert_eq!(writes(&bed), [DEPLOY[0], DEPLOY[1], BACK]);
    assert_read_around_writes(&bed.calls());
}

#[test]
fn invariant_02_nothing_is_read_by_anything_else_than_describe_and_list() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    let verbs = ["Describe", "List", "Get", "BatchGet"];
    for call in bed.calls().iter().filter(|call| !call.write) {
        assert!(verbs.iter().any(|verb| call.operation.starts_with(verb)), "{}", call.operation);
    }
}

#[test]
fn invariant_35_a_register_dropped_before_its_effect_is_sent_again_once_that_is_certain() {
    recovers("RegisterTaskDefinition", Effect::DropBefore, &REGISTER_AGAIN);
}

#[test]
fn invariant_35_a_register_dropped_after_its_effect_is_found_and_not_sent_again() {
    recovers("RegisterTaskDefinition", Effect::DropAfter, &DEPLOY);
}

#[test]
fn invariant_35_a_register_answered_with_500_before_its_effect_is_sent_again_once_that_is_certain() {
    recovers("RegisterTaskDefinition", Effect::ServerError(500), &REGISTER_AGAIN);
}

#[test]
fn invariant_35_a_register_answered_with_500_after_its_effect_is_found_and_not_sent_again() {
    recovers("RegisterTaskDefinition", Effect::ServerErrorAfter(500), &DEPLOY);
}

#[test]
fn invariant_35_an_update_dropped_before_its_effect_is_sent_again_once_that_is_certain() {
    recovers("UpdateService", Effect::DropBefore, &UPDATE_AGAIN);
}

#[test]
fn invariant_35_an_update_dropped_after_its_effect_is_followed_and_not_sent_again() {
    recovers("UpdateService", Effect::DropAfter, &DEPLOY);
}

#[test]
fn invariant_35_an_update_answered_with_503_before_its_effect_is_sent_again_once_that_is_certain() {
    recovers("UpdateService", Effect::ServerError(503), &UPDATE_AGAIN);
}

#[test]
fn invariant_35_an_update_answered_with_500_after_its_effect_is_followed_and_not_sent_again() {
    recovers("UpdateService", Effect::ServerErrorAfter(500), &DEPLOY);
}

#[test]
fn invariant_35_an_update_whose_answer_comes_after_the_time_out_is_followed_and_not_sent_again() {
    recovers("UpdateService", Effect::Stall(Duration::from_secs(13)), &DEPLOY);
}

#[test]
fn invariant_09_a_throttled_write_had_no_effect_and_is_tried_again() {
    recovers("UpdateService", Effect::Throttle, &UPDATE_AGAIN);
}

/// A deploy that crashes, with this fault at its way back, and the writes that it takes.
#[track_caller]
fn comes_back(effect: Effect, expected: &[&str]) -> Done {
    let (bed, sample) = stack_with(&Stack {
        deployment: json!({ "deploymentCircuitBreaker": { "enable": false, "rollback": false } }),
        ..Stack::default()
    });
    bed.fault(Fault::on("UpdateService", effect).nth(2..=2));
    let done = deploy(&bed, &sample, "v3-crash").run();
    done.expect(1, "failed", "tasks-failing", "restored");
    assert_eq!(writes(&bed), expected);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    assert_read_around_writes(&bed.calls());
    others_untouched(&bed);
    done
}

#[test]
fn invariant_35_a_restore_dropped_before_its_effect_is_sent_again_once_that_is_certain() {
    comes_back(Effect::DropBefore, &[DEPLOY[0], DEPLOY[1], BACK, BACK]);
}

#[test]
fn invariant_35_a_restore_dropped_after_its_effect_is_read_back_and_not_sent_again() {
    comes_back(Effect::DropAfter, &[DEPLOY[0], DEPLOY[1], BACK]);
}

#[test]
fn invariant_35_a_restore_answered_with_500_after_its_effect_is_read_back_and_not_sent_again() {
    comes_back(Effect::ServerErrorAfter(500), &[DEPLOY[0], DEPLOY[1], BACK]);
}

#[test]
fn invariant_28_the_exit_code_is_1_even_when_the_way_back_worked() {
    let done = comes_back(Effect::Delay(Duration::ZERO), &[DEPLOY[0], DEPLOY[1], BACK]);
    assert_eq!((done.code, done.output("left")), (1, "restored"));
}

#[test]
fn invariant_10_somebody_elses_weights_are_never_written_over() {
    let (bed, sample) = stack();
    let groups = json!([
        { "TargetGroupArn": sample.blue_group, "Weight": "90" },
        { "TargetGroupArn": sample.green_group, "Weight": "10" },
    ]);
    let action = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } });
    let change = json!({ "ListenerArn": sample.production_listener, "DefaultActions": [action] });
    let act = move |world: &mut testbed::World| {
        world.call(Service::Elb, "ModifyListener", &change).expect("AWS takes it");
    };
    bed.fault(Fault::on("UpdateService", Effect::Then(Box::new(act))).times(1));
    deploy(&bed, &sample, "v2").run();
    assert_eq!(writes(&bed), DEPLOY);
    let rules = bed.world(|world| world.elb.rules());
    let weight =
        |group: &str| rules.iter().find_map(|rule| rule.weight(group).filter(|(_, all)| *all == 100));
    assert_eq!((weight(&sample.blue_group), weight(&sample.green_group)), (Some((90, 100)), Some((10, 100))));
}

#[test]
fn every_call_names_the_run_in_its_user_agent() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    let calls = bed.calls();
    assert!(calls.len() > 10);
    for call in calls {
        assert!(
            call.agent.contains("app/ecs-blue-green-run-42"),
            "{} {}: {}",
            call.service.prefix(),
            call.operation,
            call.agent
        );
    }
}

#[test]
fn every_call_goes_to_a_service_that_the_policies_know() {
    let (bed, sample) = stage();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    let mut called: Vec<String> = bed.calls().iter().map(|call| call.service.prefix().to_owned()).collect();
    called.sort();
    called.dedup();
    assert_eq!(called, ["ecr", "ecs", "elasticloadbalancing", "sts"]);
}
