//! `deploy` while others act: users who are moved to the color, counts that are changed, rules that can't be read any more.

use std::time::Duration;

use crate::common::here::stack_with;
use crate::common::look::{ecs, hurry, others_untouched, redacted, told, wanted, wants};
use crate::common::{Action, writes};
use serde_json::json;
use testbed::sample::{Sample, Stack, task_definition};
use testbed::{Effect, Fault, Service, Testbed};

/// What a deploy writes that puts nothing back.
const THERE: [&str; 2] = ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"];

/// The same with the way back.
const THERE_AND_BACK: [&str; 3] = [THERE[0], THERE[1], "ecs UpdateService web-green web-green:1"];

/// A deploy to green of an image of the sample's repository.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    Action::new(bed, "deploy")
        .input("color", "green")
        .input("image", &sample.image(tag))
        .input("timeout", "20s")
}

/// Waits until green wants the new revision, and does something then.
fn once_updated(bed: &Testbed, act: impl FnOnce(&Testbed)) {
    let updated = bed
        .wait_until(Duration::from_secs(20), |world| wanted(world, "web-green").starts_with("web-green:2"));
    assert!(updated, "the service was not updated");
    act(bed);
}

/// Sets green's desired count as somebody else.
fn recount(bed: &Testbed, count: u32) {
    ecs(bed, "UpdateService", json!({ "service": "web-green", "desiredCount": count }));
}

/// Whether green's new version runs with two healthy targets.
fn is_good(world: &mut testbed::World, group: &str) -> bool {
    if !wanted(world, "web-green").starts_with("web-green:2") || !world.ecs.is_steady("shop", "web-green") {
        return false;
    }
    let seen = world.call(Service::Elb, "DescribeTargetHealth", &json!({ "TargetGroupArn": group }));
    seen.expect("AWS answers").to_string().matches("\"healthy\"").count() >= 2
}

/// A stack in which green serves all users.
fn green_live(desired: u32, rollback: bool) -> (Testbed, Sample) {
    stack_with(&Stack { desired, rollback, weights: (0, 100), ..Stack::default() })
}

#[test]
fn invariants_11_and_16_a_color_that_users_came_to_during_the_probes_is_not_put_back_under_them() {
    let (bed, sample) = crate::common::look::stack_with(&Stack::default());
    let run = deploy(&bed, &sample, "v6-fail-users").input("probes", "[{ path: /, status: 200 }]").spawn();
    let (listener, blue, green) =
        (sample.production_listener.clone(), sample.blue_group.clone(), sample.green_group.clone());
    let mut good = 0;
    let shift = move |world: &mut testbed::World| {
        if !is_good(world, &green) {
            return;
        }
        // The first look that finds it good asks the probes, the second one waits to ask them again.
        good += 1;
        if good != 3 {
            return;
        }
        world.checker.expect_no_weight_change(false);
        let weight = |group: &String, weight| json!({ "TargetGroupArn": group, "Weight": weight });
        let groups = [weight(&blue, "0"), weight(&green, "100")];
        let forward = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } });
        let input = json!({ "ListenerArn": listener, "DefaultActions": [forward] });
        world.call(Service::Elb, "ModifyListener", &input).expect("users are moved");
    };
    bed.fault(Fault::on("DescribeServices", Effect::Then(Box::new(shift))));
    let done = run.wait();
    done.expect(1, "failed", "probe", "changed");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
    others_untouched(&bed);
    insta::assert_snapshot!(told(&done.log), @r"
    the deploy fails: The new version of `web-green` (green) did not pass. The probe `http://127.0.0.1:…/` was answered with status 500 instead of 200.
    The version runs but answers wrongly: read its log, or correct the probe.
    failed (probe) after Ns: The new version of `web-green` (green) did not pass. The probe `http://127.0.0.1:…/` was answered with status 500 instead of 200.
    The version runs but answers wrongly: read its log, or correct the probe.
    Left changed: users were moved to `web-green` (green) while it was deployed to, and it serves them now. So nothing was put back: it stays as it is. Move users away from it:
      command: rollback
      color: blue
    or bring a version that works, under them:
      command: deploy
      color: green
      allow-live: true
      task-definition: web-green:1
    users: 0 % blue, 100 % green; somebody else moved them during the deploy
    ::error title=deploy to green failed%3A probe::The new version of `web-green` (green) did not pass. The probe `http://127.0.0.1:…/` was answered with status 500 instead of 200.
    The version runs but answers wrongly: read its log, or correct the probe.
    Left changed: users were moved to `web-green` (green) while it was deployed to, and it serves them now. So nothing was put back: it stays as it is. Move users away from it:
      command: rollback
      color: blue
    or bring a version that works, under them:
      command: deploy
      color: green
      allow-live: true
      task-definition: web-green:1
    ");
}

/// Moves all users to green, as somebody else.
fn move_users(bed: &Testbed, sample: &Sample) {
    bed.world(|world| world.checker.expect_no_weight_change(false));
    let weight = |group: &String, weight| json!({ "TargetGroupArn": group, "Weight": weight });
    let groups = [weight(&sample.blue_group, "0"), weight(&sample.green_group, "100")];
    let forward = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } });
    let input = json!({ "ListenerArn": sample.production_listener, "DefaultActions": [forward] });
    bed.call(Service::Elb, "ModifyListener", input).expect("users are moved");
}

#[test]
fn invariant_16_the_post_step_of_a_killed_deploy_does_not_put_back_a_color_that_users_came_to() {
    for moved in [true, false] {
        let (bed, sample) = stack_with(&Stack::default());
        let run = deploy(&bed, &sample, "v2").input("poll-interval", "60s").spawn();
        until("the service is updated", || writes(&bed).len() == 2);
        until("the new tasks are there", || bed.world(|world| world.ecs.is_steady("shop", "web-green")));
        run.signal(rustix::process::Signal::KILL);
        let state = run.wait().state;
        if moved {
            move_users(&bed, &sample);
        }
        let done = Action::new(&bed, "deploy").input("image", &sample.image("v2")).post(&state).run();
        assert_eq!(writes(&bed), THERE);
        others_untouched(&bed);
        if moved {
            done.expect(1, "cancelled", "cancelled", "changed");
            done.says("users were moved to `web-green` (green) while it was deployed to");
        } else {
            // The deployment was complete before the kill: its goal was reached.
            done.expect(0, "succeeded", "", "changed");
        }
    }
}

#[test]
fn invariant_09_rules_that_can_not_be_read_any_more_leave_the_color_as_it_is() {
    let (bed, sample) = stack_with(&Stack::default());
    let run = deploy(&bed, &sample, "v3-crash").spawn();
    once_updated(&bed, |bed| bed.fault(Fault::on("DescribeRules", Effect::Deny)));
    let done = run.wait();
    done.expect(1, "failed", "circuit-breaker", "changed");
    assert_eq!(writes(&bed), THERE);
    others_untouched(&bed);
    done.says("Left changed: whether users were moved to `web-green` (green) meanwhile is not known, so nothing was put back");
    done.says("AWS denied `elasticloadbalancing:DescribeRules`");
    done.says("To put `web-green:1` back, once you know that no users are there:");
}

#[test]
fn invariant_09_rules_that_can_not_be_read_for_a_moment_are_read_again_before_the_way_back() {
    let (bed, sample) = stack_with(&Stack::default());
    let run = deploy(&bed, &sample, "v3-crash").spawn();
    once_updated(&bed, |bed| bed.fault(Fault::on("DescribeRules", Effect::ServerError(503)).times(5)));
    run.wait().expect(1, "failed", "circuit-breaker", "restored");
    assert_eq!(writes(&bed), THERE_AND_BACK);
    others_untouched(&bed);
}

#[test]
fn invariants_13_and_22_a_live_color_that_scaled_out_meanwhile_keeps_its_tasks() {
    for (rollback, written) in [(false, &THERE_AND_BACK[..]), (true, &THERE[..])] {
        let (bed, sample) = green_live(2, rollback);
        let run = deploy(&bed, &sample, "v3-crash").input("allow-live", "true").spawn();
        once_updated(&bed, |bed| recount(bed, 6));
        let done = run.wait();
        done.expect(1, "failed", "circuit-breaker", "restored");
        assert_eq!(writes(&bed), written, "{rollback}");
        assert_eq!(wants(&bed, "web-green"), "web-green:1 × 6");
        others_untouched(&bed);
        done.says("somebody else set the desired count of `web-green` (green) to 6 meanwhile");
    }
}

#[test]
fn invariant_12_a_count_that_somebody_else_lowers_meanwhile_is_enough() {
    let (bed, sample) = stack_with(&Stack::default());
    bed.world(|world| world.pace.launch = Duration::from_secs(2));
    let run = deploy(&bed, &sample, "v2").spawn();
    once_updated(&bed, |bed| {
        testbed::clock::pause(Duration::from_millis(500));
        recount(bed, 1);
        hurry(bed);
    });
    let done = run.wait();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 1");
    others_untouched(&bed);
    let says = "somebody else set the desired count of `web-green` (green) to 1 meanwhile";
    assert_eq!(done.log.matches(says).count(), 1, "{}", done.log);
    done.says("runs `web-green:2`, 1 target healthy");
}

#[test]
fn invariant_22_a_live_color_gets_no_fewer_tasks_than_it_has() {
    let (bed, sample) = green_live(3, false);
    let live = deploy(&bed, &sample, "v2").input("allow-live", "true").input("desired-count", "2");
    let done = live.run();
    done.expect(0, "succeeded", "", "changed");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 3");
    done.says("green serves users now, so its desired count stays 3: `desired-count` asks for 2");
}

#[test]
fn scaling_that_can_not_be_written_says_that_nothing_was_begun_and_what_stays() {
    let config = "
cluster: shop
apps:
  web:
    blue: web-blue
    green: web-green
    develop: web-dev
    scaling: { min: 2, max: 10, idle-min: 1, cpu: 80, memory: 75, scale-in-below: 40 }
";
    for (denied, first, left) in [
        ("RegisterScalableTarget", "application-autoscaling:RegisterScalableTarget", "untouched"),
        ("PutScalingPolicy", "application-autoscaling:PutScalingPolicy", "changed"),
        ("PutMetricAlarm", "cloudwatch:PutMetricAlarm", "changed"),
    ] {
        let (bed, sample) = stack_with(&Stack::default());
        bed.fault(Fault::on(denied, Effect::Deny));
        let done = deploy(&bed, &sample, "v2").file(".github/blue-green.yml", config).run();
        done.expect(1, "failed", "access-denied", left);
        done.says("The deployment of `web-green` (green) could not be begun.");
        done.says(&format!("AWS denied `{first}`"));
        assert!(!writes(&bed).iter().any(|write| write.contains("UpdateService")), "{:?}", writes(&bed));
        assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
        if left == "changed" {
            done.says("Left changed: `web-green` (green) itself was not changed; what this run wrote for its scaling");
        }
    }
}

/// Waits until something is so.
#[track_caller]
fn until(what: &str, is: impl Fn() -> bool) {
    let end = testbed::clock::now() + Duration::from_secs(20);
    while !is() {
        assert!(testbed::clock::now() < end, "not in time: {what}");
        testbed::clock::pause(Duration::from_millis(20));
    }
}

#[test]
fn after_a_failed_deployment_status_shows_what_runs() {
    let (bed, sample) = crate::common::look::stack_with(&Stack::default());
    let crash = task_definition("web-green", &sample.image("v3-crash"), false);
    ecs(&bed, "RegisterTaskDefinition", crash);
    ecs(&bed, "UpdateService", json!({ "service": "web-green", "taskDefinition": "web-green:2" }));
    let state = || {
        let seen = ecs(&bed, "DescribeServices", json!({ "services": ["web-green"] }));
        let health =
            bed.call(Service::Elb, "DescribeTargetHealth", json!({ "TargetGroupArn": sample.green_group }));
        let targets = health.expect("an answer")["TargetHealthDescriptions"].as_array().map_or(0, Vec::len);
        (seen["services"][0]["deployments"][0]["rolloutState"].clone(), targets)
    };
    until("the circuit breaker ends it, and its targets are gone", || state() == (json!("FAILED"), 2));
    let done = Action::new(&bed, "status").run();
    let log = redacted(&done.log);
    let green: Vec<&str> = log.lines().skip_while(|line| !line.starts_with("green:")).take(2).collect();
    insta::assert_snapshot!(green.join("\n"), @r"
    green: 0 %, `web-green:2`, 2 of 2 running, 2 of 2 targets healthy, the last deployment failed, `web-green:1` runs
      service web-green, image shop/web:v1, sha256:…, test at http://127.0.0.1:…
    ");
}

/// The call that moves all users to green, for somebody who holds the world.
fn users_to_green(sample: &Sample) -> impl FnMut(&mut testbed::World) + Send + 'static {
    let (listener, blue, green) =
        (sample.production_listener.clone(), sample.blue_group.clone(), sample.green_group.clone());
    move |world: &mut testbed::World| {
        world.checker.expect_no_weight_change(false);
        let weight = |group: &String, weight| json!({ "TargetGroupArn": group, "Weight": weight });
        let groups = [weight(&blue, "0"), weight(&green, "100")];
        let forward = json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } });
        let input = json!({ "ListenerArn": listener, "DefaultActions": [forward] });
        world.call(Service::Elb, "ModifyListener", &input).expect("users are moved");
    }
}

#[test]
fn invariants_06_and_11_a_color_that_gets_users_after_the_look_that_decided_is_not_updated() {
    let (bed, sample) = stack_with(&Stack::default());
    // The run looks four times until its update, at the rules of four listeners each time.
    let shift = Effect::Then(Box::new(users_to_green(&sample)));
    bed.fault(Fault::on("DescribeRules", shift).nth(16..=16));
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(1, "refused", "live-color", "untouched");
    assert_eq!(writes(&bed), THERE[..1]);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    others_untouched(&bed);
    done.says("green serves users now (0 % blue, 100 % green)");
    assert_eq!(done.output("live-color"), "green");
}

#[test]
fn invariant_39_a_color_that_users_come_to_after_the_update_ends_the_deploy_loudly() {
    let (bed, sample) = stack_with(&Stack::default());
    bed.world(|world| world.pace.launch = Duration::from_secs(3));
    let run = deploy(&bed, &sample, "v2").spawn();
    once_updated(&bed, |bed| move_users(bed, &sample));
    let done = run.wait();
    done.expect(1, "superseded", "live-color", "changed");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
    assert_eq!(
        (done.output("live-color"), done.output("task-definition-arn").rsplit('/').next()),
        ("green", Some("web-green:2"))
    );
    others_untouched(&bed);
    done.says("Users were moved to `web-green` (green) while this run deployed `web-green:2` to it.");
    done.says("send them back now, and deploy again after that:\n  command: rollback\n  color: blue");
    done.says("  command: deploy\n  color: green\n  allow-live: true\n  task-definition: web-green:2");
    done.says("users: 0 % blue, 100 % green; somebody else moved them during the deploy");
}

#[test]
fn invariant_42_a_deployment_that_takes_over_before_the_last_look_is_no_success() {
    let (bed, sample) = stack_with(&Stack::default());
    let group = sample.green_group.clone();
    let mut done = false;
    let act = move |world: &mut testbed::World| {
        if !done && is_good(world, &group) {
            let input = json!({ "cluster": "shop", "service": "web-green", "taskDefinition": "web-green:1" });
            world.call(Service::Ecs, "UpdateService", &input).expect("somebody deploys");
            done = true;
        }
    };
    bed.fault(Fault::on("DescribeServices", Effect::Then(Box::new(act))));
    let done = deploy(&bed, &sample, "v2").run();
    done.expect(1, "superseded", "superseded", "changed");
    others_untouched(&bed);
    done.says("Another deployment took over `web-green` (green), which now wants `web-green:1`");
}
