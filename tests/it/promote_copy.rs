//! `promote` by copy: what it is refused for before anybody is moved, what it tells of the way, and what it leaves where
//! it is cut off.

use std::time::Duration;

use crate::common::Done;
use crate::common::here::at;
use crate::common::look::{ecs, until_called, wants};
use crate::common::promote::{converged, copy, ended, titles, written};
use crate::common::traffic::{counts, refused, runs, splits, until_at};
use rustix::process::Signal;
use serde_json::json;
use testbed::sample::Sample;
use testbed::{Effect, Fault, Testbed};

/// Green runs v2, which was tested.
fn tested(weights: (u32, u32)) -> (Testbed, Sample) {
    let (bed, sample) = at(weights.0, weights.1);
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
fn invariant_16_a_tested_color_that_shrinks_meanwhile_does_not_shrink_production() {
    let (bed, _sample) = tested((100, 0));
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Delay(Duration::from_secs(2))).times(1));
    let run = copy(&bed, "blue").spawn();
    until_called(&bed, "RegisterTaskDefinition", 1);
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    ecs(&bed, "UpdateService", json!({ "service": "web-green", "desiredCount": 1 }));
    let done = run.wait();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(wants(&bed, "web-blue"), "web-blue:2 × 2", "{}", done.log);
}

#[test]
fn somebody_elses_deployment_of_production_refuses_a_copy_before_users_are_sent_away() {
    let (bed, sample) = tested((100, 0));
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    runs(&bed, &sample, "web-blue", "v9", false);
    refused(&bed, copy(&bed, "blue").input("plan-only", "true"), "in-flight").says("web-blue:2");
    refused(&bed, copy(&bed, "blue"), "in-flight").says("web-blue:2");
}

#[test]
fn invariant_25_what_refuses_a_copy_in_the_middle_says_where_users_are_and_the_way_back() {
    let (bed, sample) = tested((100, 0));
    bed.fault(Fault::on("DescribeTaskDefinition", Effect::Delay(Duration::from_secs(2))));
    let run = copy(&bed, "blue").spawn();
    until_at(&bed, &sample, &["0/100"]);
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    let definition = testbed::sample::task_definition("web-blue", &sample.image("v9"), false);
    bed.call(testbed::Service::Ecs, "RegisterTaskDefinition", definition).expect("registered");
    ecs(&bed, "UpdateService", json!({ "service": "web-blue", "taskDefinition": "web-blue" }));
    let done = run.wait();
    done.expect(1, "failed", "in-flight", "changed").says("Another deployment of `web-blue` is in progress");
    done.says("Left changed: users stay where they are now").says("users: 0 % blue, 100 % green");
    done.says("To send users back to blue").says("  traffic: blue");
    assert_eq!(splits(&bed, &sample), ["0/100"]);
}

#[test]
fn invariant_14_a_copy_once_more_from_a_color_without_tasks_writes_nothing() {
    let (bed, sample) = tested((100, 0));
    bed.world(|world| world.checker.expect_empty(true));
    let none = || copy(&bed, "blue").input("idle-count", "0");
    let done = none().run();
    let writes = [&COPY[..4], &["web-green desired=0"]].concat();
    ended(&bed, &sample, &done, ("succeeded", "", "changed"), &writes);
    let image = done.output("image").to_owned();
    assert!(image.contains("@sha256:"), "{image}");
    assert!(bed.wait_until(Duration::from_secs(20), |world| world.ecs.is_steady("shop", "web-green")));
    bed.clear_calls();
    let again = refused(&bed, none(), "not-enough-targets");
    again.says("`123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v2`").says("by digest");
    again.says("there is nothing to do").says("--service web-green --desired-count 1");
    assert_eq!((splits(&bed, &sample), counts(&bed)), (vec!["100/0".to_owned()], (2, 0)));
    // The way on that it names.
    crate::common::look::scale(&bed, "web-green", 1);
    bed.clear_calls();
    none().run().expect(0, "succeeded", "", "changed");
    assert_eq!(written(&bed, &sample), ["web-green desired=0"]);
}

#[test]
fn a_name_with_a_typo_in_per_color_is_refused_and_the_nearest_is_named() {
    let (bed, _sample) = tested((100, 0));
    let wrong = refused(&bed, copy(&bed, "blue").input("per-color", "STAEG, LOG_LEVEL"), "bad-input");
    wrong.says("`per-color` names `STAEG`").says("Did you mean `STAGE`");
    let right = copy(&bed, "blue").input("per-color", "STAGE, LOG_LEVEL").run();
    right.expect(0, "succeeded", "", "changed");
}

#[test]
fn a_plan_of_a_copy_tells_the_way_and_who_serves_users_meanwhile() {
    let (bed, _sample) = tested((100, 0));
    let plan = copy(&bed, "blue").input("plan-only", "true").run();
    plan.expect(0, "planned", "", "untouched");
    plan.says("Plan: all users to green, blue takes over what green runs, all users back to blue");
    plan.says("blue -> green -> blue").says("green gets 100 % of the users: 2 healthy, 2 needed");
    plan.says("5 steps planned: all users to green");
    assert!(!plan.log.contains("blue gets 100 %") && !plan.log.contains("blue -> blue"), "{}", plan.log);
    assert_eq!(titles(&plan.log).len(), 5, "{}", plan.log);
    let (bed, _sample) = tested((0, 100));
    let plan = copy(&bed, "blue").input("plan-only", "true").run();
    plan.says("Plan: blue takes over what green runs, then all users to blue");
}

#[test]
fn a_good_copy_names_the_way_back_to_what_production_ran() {
    let (bed, sample) = tested((100, 0));
    let done = converged(&bed, &sample, || copy(&bed, "blue"), &COPY);
    done.says("blue ran `web-blue:1` before").says("  task-definition: web-blue:1").says("  color: blue");
    assert!(done.summary.contains("task-definition: web-blue:1"), "{}", done.summary);
    assert!(!done.log.contains("To send users back"), "they are where they were: {}", done.log);
}

/// The way back that a run told who was found at blue and stands at green.
#[track_caller]
fn users_can_go_back(done: &Done) {
    done.says("To send users back to blue").says("  command: redirect-traffic").says("  traffic: blue");
    assert!(done.summary.contains("To send users back to blue"), "{}", done.summary);
    assert!(!done.log.contains("web-blue:1` before"), "no new version serves users: {}", done.log);
}

#[test]
fn invariant_25_a_copy_that_fails_in_the_middle_tells_how_users_go_back() {
    let (bed, sample) = tested((100, 0));
    bed.fault(Fault::on("UpdateService", Effect::Deny));
    let done = copy(&bed, "blue").run();
    ended(&bed, &sample, &done, ("failed", "access-denied", "changed"), &COPY[..3]);
    done.says("users stay where they are now");
    users_can_go_back(&done);
}

#[test]
fn a_cancelled_copy_tells_how_users_go_back() {
    let (bed, sample) = tested((100, 0));
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    let run = copy(&bed, "blue").spawn();
    until_called(&bed, "UpdateService", 1);
    run.signal(Signal::TERM);
    let done = run.wait();
    assert_eq!((done.code, done.output("result"), done.output("left")), (1, "cancelled", "changed"));
    assert_eq!(splits(&bed, &sample), ["0/100"]);
    users_can_go_back(&done);
}

#[test]
fn invariant_13_a_copy_killed_while_it_deploys_is_put_back_by_its_post_step_whatever_on_cancel_says() {
    for on_cancel in ["leave", "restore"] {
        let (bed, sample) = tested((100, 0));
        bed.world(|world| world.pace.launch = Duration::from_secs(60));
        let promote = || copy(&bed, "blue").input("on-cancel", on_cancel);
        let run = promote().spawn();
        until_called(&bed, "UpdateService", 1);
        assert!(bed.wait_until(Duration::from_secs(10), |world| {
            crate::common::look::wanted(world, "web-blue") == "web-blue:2 × 2"
        }));
        run.signal(Signal::KILL);
        let done = run.wait();
        crate::common::look::hurry(&bed);
        let after = promote().post(&done.state).run();
        assert_eq!(wants(&bed, "web-blue"), "web-blue:1 × 2", "{on_cancel}: {}", after.log);
        assert_eq!(splits(&bed, &sample), ["0/100"]);
        after.says("Restored: this run put `web-blue` (blue) back to `web-blue:1`");
        after.says("The promote had moved users before (0 % blue, 100 % green), and they stay there.");
        after.says("users: 0 % blue, 100 % green, as the promote left them");
        assert_eq!(bed.violations(), []);
    }
}

#[test]
fn a_copy_cancelled_once_users_are_back_leaves_them_there_whatever_on_cancel_says() {
    for on_cancel in ["leave", "restore"] {
        let (bed, sample) = tested((100, 0));
        let run = copy(&bed, "blue").input("settle", "2s").input("on-cancel", on_cancel).spawn();
        until_at(&bed, &sample, &["0/100"]);
        until_at(&bed, &sample, &["100/0"]);
        run.signal(Signal::INT);
        let done = run.wait();
        ended(&bed, &sample, &done, ("cancelled", "cancelled", "changed"), &COPY[..4]);
        assert_eq!((splits(&bed, &sample), done.output("traffic")), (vec!["100/0".to_owned()], "blue"));
        bed.clear_calls();
        let again = copy(&bed, "blue").run();
        ended(&bed, &sample, &again, ("succeeded", "", "changed"), &COPY[4..]);
    }
}
