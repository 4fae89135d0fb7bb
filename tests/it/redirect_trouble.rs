//! `redirect-traffic` when something goes wrong: capacity that does not come, AWS that denies, throttles or does not
//! answer, somebody else who writes, users who fail already.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::here::{at, stack};
use crate::common::look::{ecs, steady};
use crate::common::traffic::{
    arrived, counts, elb, many_rules, moves, path_rule, redirect, redirect_with, refused, scaled,
    second_listener, sick, sicken, somebody_writes, splits, suspended,
};
use crate::common::{Action, Done};
use serde_json::json;
use testbed::sample::{self, Sample};
use testbed::{Effect, Fault, Service, Testbed};

/// The sample stack, both colors of which scale automatically between these bounds.
fn autoscaled(weights: (u32, u32), min: u32, max: u32) -> (Testbed, Sample) {
    let (bed, sample) = at(weights.0, weights.1);
    sample::autoscaled(&bed, min, max).expect("it scales");
    bed.clear_calls();
    (bed, sample)
}

/// Asserts that a run failed for this reason, left this, wrote this, and broke no invariant.
#[track_caller]
fn failed(bed: &Testbed, sample: &Sample, done: &Done, end: (&str, &str), written: &[&str]) {
    done.expect(1, "failed", end.0, end.1);
    assert_eq!(moves(bed, sample), written, "{}", done.log);
    assert_eq!(bed.violations(), []);
}

/// From now on tasks take too long to start.
fn no_more_tasks(bed: &Testbed) {
    bed.world(|world| world.pace.launch = Duration::from_secs(600));
}

#[test]
fn invariant_18_a_scale_up_that_never_gets_healthy_gives_the_count_back() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 4);
    no_more_tasks(&bed);
    let done = redirect_with(&bed, "green", &[("timeout", "1s")]).run();
    failed(
        &bed,
        &sample,
        &done,
        ("not-enough-targets", "restored"),
        &["web-green desired=4", "web-green desired=2"],
    );
    assert_eq!((counts(&bed), splits(&bed, &sample)), ((4, 2), vec!["100/0".to_owned()]));
}

#[test]
fn invariant_18_and_19_a_failed_scale_up_gives_scale_in_back_too() {
    let (bed, sample) = autoscaled((100, 0), 1, 10);
    scaled(&bed, "web-blue", 4);
    no_more_tasks(&bed);
    let done = redirect_with(&bed, "green", &[("timeout", "1s")]).run();
    let written = [
        "web-blue scale-in off",
        "web-green scale-in off",
        "web-green desired=4",
        "web-blue scale-in on",
        "web-green scale-in on",
        "web-green desired=2",
    ];
    failed(&bed, &sample, &done, ("not-enough-targets", "restored"), &written);
    assert_eq!((suspended(&bed), counts(&bed)), ((false, false), (4, 2)));
}

#[test]
fn a_max_capacity_below_what_is_needed_is_refused_with_the_numbers() {
    let (bed, _sample) = stack();
    for (name, max) in [("web-blue", 10), ("web-green", 3)] {
        let input = json!({ "ServiceNamespace": "ecs", "ResourceId": format!("service/shop/{name}"),
            "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": max });
        bed.call(Service::AutoScaling, "RegisterScalableTarget", input).expect("it scales");
    }
    scaled(&bed, "web-blue", 5);
    let done = refused(&bed, redirect(&bed, "green"), "not-enough-targets");
    done.says("5").says("MaxCapacity");
    arrived(&bed, &redirect_with(&bed, "split", &[]).run(), "split");
    assert_eq!(counts(&bed), (5, 3));
}

#[test]
fn invariant_37_targets_of_no_task_are_named_in_a_refusal_and_in_an_unchanged_end() {
    let (bed, sample) = stack();
    let stray =
        json!({ "TargetGroupArn": sample.green_group, "Targets": [{ "Id": "127.0.9.9", "Port": "8080" }] });
    elb(&bed, "RegisterTargets", stray);
    sicken(&bed, &sample.green_group);
    let named = "1 more target in green's target group belongs to no task of `web-green`: 127.0.9.9:8080.";
    refused(&bed, redirect(&bed, "green"), "not-enough-targets").says(named);
    let done = redirect(&bed, "blue").run();
    done.expect(0, "unchanged", "", "untouched");
    done.says(named);
}

#[test]
fn invariant_19_scale_in_is_suspended_before_weight_moves_and_allowed_again_after_settle() {
    let (bed, sample) = autoscaled((100, 0), 1, 10);
    arrived(&bed, &redirect_with(&bed, "green", &[("settle", "500ms")]).run(), "green");
    let written =
        ["web-blue scale-in off", "web-green scale-in off", "production 0/100", "web-green scale-in on"];
    assert_eq!(moves(&bed, &sample), written);
    let calls = bed.writes();
    assert!(calls[3].at - calls[2].at >= Duration::from_millis(500), "too early");
    assert_eq!(suspended(&bed), (true, false), "the way back stays warm");
}

#[test]
fn invariant_19_a_held_split_keeps_scale_in_suspended() {
    let (bed, sample) = autoscaled((100, 0), 1, 10);
    arrived(&bed, &redirect(&bed, "blue-80").run(), "blue-80");
    assert_eq!(moves(&bed, &sample), ["web-blue scale-in off", "web-green scale-in off", "production 80/20"]);
    assert_eq!(suspended(&bed), (true, true));
    bed.clear_calls();
    redirect(&bed, "blue-80").run().expect(0, "unchanged", "", "untouched");
    assert_eq!(moves(&bed, &sample), [""; 0]);
}

#[test]
fn invariant_19_a_split_that_somebody_made_is_suspended_though_the_weights_are_right() {
    let (bed, sample) = autoscaled((80, 20), 1, 10);
    redirect(&bed, "blue-80").run().expect(0, "succeeded", "", "changed");
    assert_eq!(moves(&bed, &sample), ["web-blue scale-in off", "web-green scale-in off"]);
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_16_the_load_of_a_held_split_that_scales_is_told_by_its_shares() {
    // Ten tasks carried all; now four carry 80 % and one 20 %, so five carry all.
    let (bed, sample) = autoscaled((80, 20), 1, 10);
    scaled(&bed, "web-blue", 4);
    scaled(&bed, "web-green", 1);
    arrived(&bed, &redirect_with(&bed, "green", &[("settle", "0s")]).run(), "green");
    let written = [
        "web-blue scale-in off",
        "web-green scale-in off",
        "web-green desired=5",
        "production 0/100",
        "web-green scale-in on",
    ];
    assert_eq!(moves(&bed, &sample), written);
}

#[test]
fn invariant_23_a_count_above_max_capacity_is_not_cut_by_the_suspension() {
    let (bed, sample) = autoscaled((100, 0), 1, 4);
    scaled(&bed, "web-blue", 6);
    let done = redirect_with(&bed, "blue-80", &[]).run();
    arrived(&bed, &done, "blue-80");
    assert_eq!(
        moves(&bed, &sample),
        ["web-blue max=6 scale-in off", "web-green scale-in off", "production 80/20"]
    );
    assert_eq!(counts(&bed), (6, 2));
}

#[test]
fn scaling_that_can_not_be_read_or_suspended_refuses_unless_forced() {
    let (bed, sample) = autoscaled((100, 0), 1, 10);
    bed.fault(Fault::on("DescribeScalableTargets", Effect::Deny));
    refused(&bed, redirect(&bed, "green"), "access-denied").says("DescribeScalableTargets");
    let (bed, _sample) = (bed, sample);
    arrived(&bed, &redirect_with(&bed, "green", &[("force", "true")]).run(), "green");
    let (bed, sample) = autoscaled((100, 0), 1, 10);
    bed.fault(Fault::on("RegisterScalableTarget", Effect::Deny));
    let done = redirect(&bed, "green").run();
    failed(&bed, &sample, &done, ("access-denied", "untouched"), &["web-blue scale-in off"]);
    assert_eq!(splits(&bed, &sample), ["100/0"]);
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    arrived(&bed, &redirect_with(&bed, "green", &[("force", "true")]).run(), "green");
}

#[test]
fn an_update_that_is_denied_leaves_everything_untouched() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 4);
    bed.fault(Fault::on("UpdateService", Effect::Deny));
    let done = redirect(&bed, "green").run();
    failed(&bed, &sample, &done, ("access-denied", "untouched"), &["web-green desired=4"]);
    done.says("ecs:UpdateService");
    assert_eq!((counts(&bed), splits(&bed, &sample)), ((4, 2), vec!["100/0".to_owned()]));
}

#[test]
fn a_first_rule_that_is_denied_leaves_everything_untouched() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("ModifyListener", Effect::Deny));
    let done = redirect(&bed, "green").run();
    failed(&bed, &sample, &done, ("access-denied", "untouched"), &["production 0/100"]);
    done.says("elasticloadbalancing:ModifyListener");
    assert_eq!(splits(&bed, &sample), ["100/0"]);
}

#[test]
fn invariant_08_a_denied_second_rule_puts_the_first_one_back() {
    let (bed, sample) = stack();
    path_rule(&bed, &sample, 100, 0);
    bed.fault(Fault::on("ModifyListener", Effect::Deny));
    let done = redirect(&bed, "split").run();
    let written = ["rule 50/50", "production 50/50", "rule 100/0"];
    failed(&bed, &sample, &done, ("access-denied", "restored"), &written);
    assert_eq!(splits(&bed, &sample), ["100/0", "100/0"]);
    let (bed, sample) = stack();
    second_listener(&bed, &sample, 100, 0);
    let rule = path_rule(&bed, &sample, 100, 0);
    bed.fault(
        Fault::on("ModifyListener", Effect::Error(testbed::ApiError::new("TooManyTargets", "no"))).nth(2..=2),
    );
    let done = redirect(&bed, "split").run();
    done.expect(1, "failed", "aws", "restored");
    let written = moves(&bed, &sample);
    assert_eq!(written[..4], ["rule 50/50", "production 50/50", "HTTPS 50/50", "rule 100/0"]);
    // Which of the two default rules came second is open.
    assert!(["production 100/0", "HTTPS 100/0"].contains(&written[4].as_str()), "{written:?}");
    assert_eq!(splits(&bed, &sample), ["100/0", "100/0", "100/0"], "{rule}");
}

#[test]
fn a_way_back_that_is_denied_is_not_known_and_says_how_to_look() {
    let (bed, sample) = stack();
    path_rule(&bed, &sample, 100, 0);
    bed.fault(Fault::on("ModifyListener", Effect::Deny));
    bed.fault(Fault::on("ModifyRule", Effect::Deny).nth(2..=2));
    let done = redirect(&bed, "split").run();
    let written = ["rule 50/50", "production 50/50", "rule 100/0"];
    failed(&bed, &sample, &done, ("access-denied", "unknown"), &written);
    done.says("NOT KNOWN").says("aws elbv2 describe-rules");
    assert_eq!(splits(&bed, &sample), ["50/50", "100/0"]);
}

#[test]
fn invariant_06_somebody_elses_change_between_two_rules_ends_superseded() {
    let (bed, sample) = stack();
    // Five rules are written at once; the default rule is not among the first.
    many_rules(&bed, &sample, 6);
    let (other, listener) = (sample.clone(), sample.production_listener.clone());
    let act = Box::new(move |world: &mut testbed::World| somebody_writes(world, &other, &listener, (60, 40)));
    bed.fault(Fault::on("ModifyRule", Effect::Then(act)).times(1));
    let done = redirect(&bed, "blue-80").run();
    done.expect(1, "superseded", "superseded", "changed");
    let there_and_back = ["rule 80/20", "rule 100/0"].map(|told| vec![told; 5]).concat();
    assert_eq!(moves(&bed, &sample), there_and_back);
    let mut held = splits(&bed, &sample);
    held.sort();
    assert_eq!(held[..6], ["100/0"; 6], "ours is put back");
    assert_eq!(held[6..], ["60/40"], "theirs stands");
    assert_eq!(bed.violations(), []);
}

#[test]
fn invariant_06_somebody_elses_change_right_before_the_write_shows_in_what_is_read_back() {
    let (bed, sample) = stack();
    let (other, listener) = (sample.clone(), sample.production_listener.clone());
    bed.fault(
        Fault::on(
            "ModifyListener",
            Effect::Then(Box::new(move |world| somebody_writes(world, &other, &listener, (60, 40)))),
        )
        .times(1),
    );
    let done = redirect(&bed, "blue-80").run();
    done.expect(1, "superseded", "superseded", "changed");
    assert_eq!(moves(&bed, &sample), ["production 80/20"]);
    assert_eq!((splits(&bed, &sample), done.output("traffic")), (vec!["60/40".to_owned()], "60/40"));
}

#[test]
fn invariant_35_an_answer_that_is_lost_after_the_effect_is_not_sent_for_again() {
    for effect in [Effect::DropAfter, Effect::ServerErrorAfter(503)] {
        let (bed, sample) = stack();
        bed.fault(Fault::on("ModifyListener", effect).times(1));
        arrived(&bed, &redirect(&bed, "blue-80").run(), "blue-80");
        assert_eq!(moves(&bed, &sample), ["production 80/20"]);
    }
}

#[test]
fn invariant_35_an_answer_that_is_lost_before_the_effect_is_looked_for_before_the_write_is_repeated() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("ModifyListener", Effect::DropBefore).times(1));
    arrived(&bed, &redirect(&bed, "blue-80").run(), "blue-80");
    assert_eq!(moves(&bed, &sample), ["production 80/20", "production 80/20"]);
    let calls = bed.calls();
    let place = |nth: usize| {
        let all: Vec<usize> =
            (0..calls.len()).filter(|at| calls[*at].operation == "ModifyListener").collect();
        all[nth]
    };
    let between = &calls[place(0)..place(1)];
    assert!(between.iter().any(|call| call.operation == "DescribeRules"), "it was read in between");
}

#[test]
fn an_unanswered_scale_up_is_looked_for_too() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 4);
    bed.fault(Fault::on("UpdateService", Effect::DropAfter).times(1));
    arrived(&bed, &redirect(&bed, "green").run(), "green");
    assert_eq!(moves(&bed, &sample), ["web-green desired=4", "production 0/100"]);
}

#[test]
fn a_rule_that_can_not_be_read_back_at_once_is_read_with_the_next_look() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("DescribeRules", Effect::Deny).resource("RuleArns"));
    arrived(&bed, &redirect(&bed, "blue-80").run(), "blue-80");
    assert_eq!(moves(&bed, &sample), ["production 80/20"]);
}

#[test]
fn weights_that_aws_takes_and_does_not_keep_are_told() {
    let (bed, sample) = stack();
    let (other, listener) = (sample.clone(), sample.production_listener.clone());
    bed.fault(Fault::on(
        "ModifyListener",
        Effect::Then(Box::new(move |world| somebody_writes(world, &other, &listener, (100, 0)))),
    ));
    let done = redirect_with(&bed, "blue-80", &[("poll-interval", "500ms")]).run();
    failed(&bed, &sample, &done, ("not-shown", "restored"), &["production 80/20", "production 100/0"]);
}

#[test]
fn throttled_writes_are_tried_again_until_the_time_out() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("ModifyListener", Effect::Throttle).times(5));
    arrived(&bed, &redirect(&bed, "blue-80").run(), "blue-80");
    assert_eq!(splits(&bed, &sample), ["80/20"]);
    bed.fault(Fault::on("ModifyListener", Effect::Throttle));
    let done = redirect_with(&bed, "green", &[("timeout", "1s")]).run();
    assert_eq!((done.code, done.output("reason"), done.output("left")), (1, "unreachable", "untouched"));
    assert_eq!(splits(&bed, &sample), ["80/20"]);
    assert_eq!(bed.violations(), []);
}

#[test]
fn credentials_that_expired_are_refused_before_the_first_write_and_cost_one_call() {
    let (bed, sample) = stack();
    bed.fault(Fault::always(Effect::Expire));
    let to_green = |command| Action::new(&bed, command).input("color", "green");
    let deploy = Action::new(&bed, "deploy").input("image", &sample.image("v2"));
    let copy = to_green("promote").input("mode", "copy");
    for action in [redirect(&bed, "green"), to_green("rollback"), to_green("promote"), copy, deploy] {
        bed.clear_calls();
        let done = refused(&bed, action, "credentials-expired");
        assert_eq!(bed.calls().len(), 1, "{}", done.log);
    }
    for command in ["status", "doctor"] {
        bed.clear_calls();
        Action::new(&bed, command).run().expect(1, "refused", "credentials-expired", "untouched");
        assert_eq!(bed.calls().len(), 1, "{command}");
    }
}

/// A command, and a run of it.
type Command = (&'static str, fn(&Testbed, &Sample) -> Action);

/// Every command, on a stage of its own.
const COMMANDS: [Command; 7] = [
    ("deploy", |bed, sample| Action::new(bed, "deploy").input("image", &sample.image("v2"))),
    ("redirect-traffic", |bed, _| redirect(bed, "green")),
    ("promote", |bed, _| Action::new(bed, "promote").input("color", "green")),
    ("promote copy", |bed, _| Action::new(bed, "promote").input("color", "green").input("mode", "copy")),
    ("rollback", |bed, _| Action::new(bed, "rollback").input("color", "green")),
    ("status", |bed, _| Action::new(bed, "status")),
    ("doctor", |bed, _| Action::new(bed, "doctor")),
];

#[test]
fn no_call_is_sent_after_one_came_back_expired_in_the_middle_of_a_run() {
    const ANSWER: Duration = Duration::from_millis(100);
    for (command, action) in COMMANDS {
        let mut struck = 0;
        for number in (1..60).step_by(4) {
            let (bed, sample) = stack();
            let arrivals = Arc::new(Mutex::new(Vec::new()));
            let seen = Arc::clone(&arrivals);
            let arrive = Effect::Before(Box::new(move |_| seen.lock().unwrap().push(testbed::clock::wall())));
            bed.fault(Fault::always(arrive));
            // The refusal comes at once, and the answers of all others later.
            bed.fault(Fault::always(Effect::Stall(ANSWER)).nth(1..=number - 1));
            bed.fault(Fault::always(Effect::Stall(ANSWER)).nth(number + 1..=u32::MAX));
            bed.fault(Fault::nth_call(number, Effect::Expire));
            let done = action(&bed, &sample).run();
            let arrivals = arrivals.lock().unwrap();
            let Some(expired) = arrivals.get(number as usize - 1) else { break };
            struck += 1;
            let late = arrivals.iter().filter(|at| *at > expired);
            assert_eq!(late.count(), 0, "{command}, call {number}: {}", done.log);
        }
        assert!(struck >= 3, "{command} has too few calls");
    }
}

#[test]
fn credentials_that_expire_between_two_rules_leave_what_is_not_known() {
    let (bed, sample) = stack();
    path_rule(&bed, &sample, 100, 0);
    // All writes but the first one of the rule.
    bed.fault(Fault::on("ModifyListener", Effect::Expire));
    bed.fault(Fault::on("ModifyRule", Effect::Expire).nth(2..=100));
    let done = redirect(&bed, "blue-80").run();
    // AWS refused the credentials: no restore is sent with them.
    let written = ["rule 80/20", "production 80/20"];
    failed(&bed, &sample, &done, ("credentials-expired", "unknown"), &written);
    done.says("NOT KNOWN");
}

#[test]
fn reads_that_fail_until_the_time_out_are_refused() {
    let (bed, _sample) = stack();
    bed.fault(Fault::on("DescribeTargetHealth", Effect::ServerError(500)));
    refused(&bed, redirect_with(&bed, "green", &[("timeout", "1s")]), "unreachable");
    bed.clear_faults();
    bed.fault(Fault::on("DescribeRules", Effect::Deny));
    refused(&bed, redirect(&bed, "green"), "access-denied").says("elasticloadbalancing:DescribeRules");
}

/// Green has one healthy target of the two or more that are needed, and gets no more.
fn one_healthy(bed: &Testbed) {
    scaled(bed, "web-green", 1);
    scaled(bed, "web-blue", 4);
    no_more_tasks(bed);
    bed.world(|world| world.checker.expect_force(true));
}

#[test]
fn invariant_16_force_goes_down_to_one_healthy_target_scales_afterwards_and_states_the_shortfall() {
    let (bed, sample) = stack();
    one_healthy(&bed);
    let done = redirect_with(&bed, "green", &[("force", "true")]).run();
    arrived(&bed, &done, "green");
    assert_eq!(moves(&bed, &sample), ["production 0/100", "web-green desired=4"]);
    done.says("1 of the 4 healthy targets");
    assert!(done.summary.contains("1 of the 4"), "{}", done.summary);
}

#[test]
fn force_without_scale_up_moves_users_and_nothing_else() {
    let (bed, sample) = stack();
    one_healthy(&bed);
    let done = redirect_with(&bed, "green", &[("force", "true"), ("scale-up", "false")]).run();
    arrived(&bed, &done, "green");
    assert_eq!(moves(&bed, &sample), ["production 0/100"]);
}

#[test]
fn a_forced_run_whose_scale_up_fails_leaves_users_where_they_should_be() {
    let (bed, sample) = stack();
    one_healthy(&bed);
    bed.fault(Fault::on("UpdateService", Effect::Deny));
    let done = redirect_with(&bed, "green", &[("force", "true")]).run();
    failed(&bed, &sample, &done, ("access-denied", "changed"), &["production 0/100", "web-green desired=4"]);
    assert_eq!(splits(&bed, &sample), ["0/100"]);
}

#[test]
fn invariant_27_force_without_one_healthy_target_is_refused() {
    let (bed, sample) = stack();
    sicken(&bed, &sample.green_group);
    for inputs in [&[("force", "true")][..], &[]] {
        refused(&bed, redirect_with(&bed, "green", inputs), "not-enough-targets");
    }
    sicken(&bed, &sample.blue_group);
    refused(&bed, redirect_with(&bed, "green", &[("force", "true")]), "not-enough-targets");
}

#[test]
fn an_empty_color_is_filled_first_and_is_nothing_for_a_forced_run() {
    let (bed, sample) = stack();
    scaled(&bed, "web-green", 0);
    refused(&bed, redirect_with(&bed, "green", &[("force", "true")]), "not-enough-targets");
    arrived(&bed, &redirect(&bed, "green").run(), "green");
    assert_eq!(moves(&bed, &sample), ["web-green desired=2", "production 0/100"]);
}

#[test]
fn a_target_that_sickens_while_capacity_comes_keeps_users_where_they_are() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 4);
    let group = sample.green_group.clone();
    bed.fault(
        Fault::on(
            "UpdateService",
            Effect::Then(Box::new(move |world| {
                world.call(Service::Elb, "ModifyTargetGroup", &sick(&group)).expect("AWS takes it");
            })),
        )
        .times(1),
    );
    let done = redirect_with(&bed, "green", &[("timeout", "2s")]).run();
    let end = (done.code, done.output("reason"), done.output("left"));
    assert_eq!(end, (1, "not-enough-targets", "restored"), "{}", done.log);
    assert_eq!(splits(&bed, &sample), ["100/0"]);
    assert_eq!(bed.violations(), []);
}

#[test]
fn somebody_who_deploys_to_the_receiver_meanwhile_breaks_what_was_expected() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 4);
    let definition = sample::task_definition("web-green", &sample.image("v2"), false);
    bed.call(Service::Ecs, "RegisterTaskDefinition", definition).expect("registered");
    bed.clear_calls();
    bed.fault(
        Fault::on(
            "UpdateService",
            Effect::Then(Box::new(|world| {
                let input =
                    json!({ "cluster": "shop", "service": "web-green", "taskDefinition": "web-green:2" });
                world.call(Service::Ecs, "UpdateService", &input).expect("AWS takes it");
            })),
        )
        .times(1),
    );
    let done = redirect_with(&bed, "green", &[("expect-task-definition", "web-green:1")]).run();
    let written = ["web-green desired=4", "web-green desired=2"];
    failed(&bed, &sample, &done, ("other-task-definition", "restored"), &written);
    steady(&bed, "web-green");
    let _ = ecs(&bed, "DescribeServices", json!({ "services": ["web-green"] }));
    assert_eq!(splits(&bed, &sample), ["100/0"]);
}
