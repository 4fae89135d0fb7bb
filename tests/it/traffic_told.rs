//! What a change of traffic says of where users are, whom it waits for, and what it left: never more than it knows.

use crate::common::here::{at, stack};
use crate::common::traffic;

use std::time::Duration;

use crate::common::traffic::{
    arrived, counts, moves, redirect, redirect_with, refused, scaled, second_listener, sicken,
    somebody_writes, splits,
};
use crate::common::{Action, Done, writes};
use rustix::process::Signal;
use serde_json::{Value, json};
use testbed::wire::ApiError;
use testbed::{Effect, Fault, Service, Testbed};

/// How many looks a change from blue to green takes on a stack like this.
fn looks(prepare: impl Fn(&Testbed)) -> u32 {
    let (bed, _sample) = at(100, 0);
    prepare(&bed);
    bed.clear_calls();
    redirect(&bed, "green").run().expect(0, "succeeded", "", "changed");
    let calls = bed.calls();
    u32::try_from(calls.iter().filter(|call| call.operation == "DescribeServices").count()).expect("few")
}

/// `status-json`.
fn seen(done: &Done) -> Value {
    serde_json::from_str(done.output("status-json")).expect("JSON")
}

#[test]
fn a_last_look_that_fails_leaves_what_was_read_back_and_says_that_it_is_older() {
    let last = looks(|_| ());
    let (bed, sample) = at(100, 0);
    bed.fault(Fault::on("DescribeServices", Effect::Deny).nth(last..=9999));
    let done = redirect(&bed, "green").run();
    // The last look decides: without it, no success is claimed.
    done.expect(1, "failed", "access-denied", "unknown");
    assert_eq!(done.output("previous-traffic"), "blue");
    assert_eq!(splits(&bed, &sample), ["0/100"]);
    done.says("users: not known; seen before the end: 0 % blue, 100 % green");
    let seen = "Seen before the end of the run:\n\n🟩🟩🟩🟩🟩🟩🟩🟩🟩🟩 all users on green\n";
    assert!(done.summary.contains(seen), "{}", done.summary);
    assert!(done.summary.contains("| [develop]("), "{}", done.summary);
}

#[test]
fn rules_that_are_apart_at_the_end_have_no_split() {
    let last = looks(|_| ());
    let (bed, sample) = at(100, 0);
    let other = second_listener(&bed, &sample, 100, 0);
    bed.clear_calls();
    let theirs = sample.clone();
    let write = move |world: &mut testbed::World| somebody_writes(world, &theirs, &other, (70, 30));
    bed.fault(Fault::on("DescribeServices", Effect::Before(Box::new(write))).nth(last..=last));
    let done = redirect(&bed, "green").run();
    assert_eq!(splits(&bed, &sample), ["0/100", "70/30"], "{}", done.log);
    assert_eq!((done.output("traffic"), done.output("live-color")), ("", "both"));
    assert_eq!(seen(&done)["traffic"], Value::Null);
    done.expect(1, "superseded", "superseded", "changed");
    done.says("Somebody else changed the production rule `HTTPS:")
        .says("users: not known. The production rules hold different splits: ");
    assert!(!done.summary.contains("now     blue"), "{}", done.summary);
    assert!(done.summary.contains("Users: not known."), "{}", done.summary);
}

#[test]
fn nothing_of_develop_keeps_users_where_they_fail() {
    for force in ["false", "true"] {
        let (bed, sample) = at(100, 0);
        let gone = || ApiError::new("TargetGroupNotFound", "One or more target groups not found");
        for operation in ["DescribeTargetGroups", "DescribeTargetHealth", "DescribeTargetGroupAttributes"] {
            bed.fault(Fault::on(operation, Effect::Error(gone())).resource("web-dev"));
        }
        bed.fault(Fault::on("ListTasks", Effect::Throttle).resource("web-dev"));
        let done = Action::new(&bed, "rollback").input("force", force).run();
        arrived(&bed, &done, "green");
        assert_eq!(splits(&bed, &sample), ["0/100"]);
        done.says("not read: AWS does not find ");
        let status = Action::new(&bed, "status").run();
        assert_eq!((status.code, status.output("traffic")), (0, "green"), "{}", status.log);
    }
}

#[test]
fn whose_credentials_these_are_is_asked_until_aws_says_it() {
    for effect in [Effect::Throttle, Effect::ServerError(503)] {
        let (bed, _sample) = at(0, 100);
        bed.fault(Fault::on("GetCallerIdentity", effect).times(7));
        let done = Action::new(&bed, "rollback").input("force", "true").run();
        arrived(&bed, &done, "blue");
        done.says("AWS does not answer `sts:GetCallerIdentity`").says(", asking again");
    }
    let (bed, _sample) = stack();
    bed.fault(Fault::on("GetCallerIdentity", Effect::Throttle));
    let done = refused(&bed, redirect_with(&bed, "green", &[("timeout", "1s")]), "unreachable");
    done.says("AWS throttled `sts:GetCallerIdentity`");
}

#[test]
fn a_write_that_aws_throttles_is_told_once() {
    let (bed, _sample) = stack();
    bed.fault(Fault::on("ModifyListener", Effect::Throttle).times(30));
    let done = redirect(&bed, "green").run();
    arrived(&bed, &done, "green");
    let lines = |text: &str| done.log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines("::group::Set the weights of "), 1, "{}", done.log);
    assert_eq!(lines("AWS throttles `elasticloadbalancing:ModifyListener` (Throttling), trying again"), 1);
    assert_eq!(lines("until the time was up"), 0, "{}", done.log);
}

#[test]
fn rules_that_disagreed_are_put_back_each_for_itself() {
    let (bed, sample) = at(100, 0);
    second_listener(&bed, &sample, 0, 100);
    bed.clear_calls();
    let done = redirect(&bed, "green").run();
    arrived(&bed, &done, "green");
    assert_eq!(done.output("previous-traffic"), "");
    done.says("What each rule held before: ");
    assert!(!done.log.contains("To send users back to"), "{}", done.log);
    assert!(!done.summary.contains("before  blue"), "{}", done.summary);
}

#[test]
fn rules_that_disagree_are_settled_by_what_can_be_said_and_is_taken() {
    // Two splits, one of thirds: the other one can be said.
    let (bed, sample) = at(1, 2);
    second_listener(&bed, &sample, 100, 0);
    bed.clear_calls();
    let done = Action::new(&bed, "status").run();
    done.says("  command: rollback\n  color: blue\n").says("rollback to blue: possible now");
    assert!(!done.log.contains("33/67\n") && !done.log.contains("traffic: 33"), "{}", done.log);
    arrived(&bed, &Action::new(&bed, "rollback").input("color", "blue").run(), "blue");
    // Three: what one of them holds, or all users at one color.
    let three = || {
        let (bed, sample) = at(100, 0);
        second_listener(&bed, &sample, 70, 30);
        traffic::path_rule(&bed, &sample, 20, 80);
        bed.clear_calls();
        (bed, sample)
    };
    for (command, input, value) in [("rollback", "color", "green"), ("redirect-traffic", "traffic", "70/30")]
    {
        let (bed, _sample) = three();
        let status = Action::new(&bed, "status").run();
        status.says(&format!("  command: {command}\n  {input}: {value}\n"));
        status.says("redirect-traffic, rollback to green: possible now");
        arrived(&bed, &Action::new(&bed, command).input(input, value).run(), value);
    }
    let (bed, _sample) = three();
    refused(&bed, redirect(&bed, "split"), "rules-disagree").says("Settle it with one of these:");
}

#[test]
fn a_forced_run_says_what_the_load_needed_beside_what_it_took() {
    let (bed, _sample) = at(100, 0);
    scaled(&bed, "web-blue", 6);
    scaled(&bed, "web-green", 1);
    bed.clear_calls();
    bed.world(|world| world.checker.expect_force(true));
    let inputs = [("force", "true"), ("scale-up", "false")];
    let done = redirect_with(&bed, "green", &inputs).run();
    arrived(&bed, &done, "green");
    assert_eq!(counts(&bed), (6, 1));
    done.says("green gets 100 % of the users: 1 healthy, 1 of 6 needed, desired count 1")
        .says("Forced: green serves 100 % of the users with 1 of the 6 healthy targets that they need.");
}

#[test]
fn a_run_that_is_cancelled_before_anybody_moved_has_nothing_to_undo() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 4);
    bed.clear_calls();
    bed.world(|world| world.pace.launch = Duration::from_secs(600));
    let run = redirect(&bed, "green").spawn();
    let up = bed.wait_until(Duration::from_secs(20), |world| {
        world.ecs.service("shop", "web-green").is_some_and(|service| service.desired == 4)
    });
    assert!(up, "green was never scaled up");
    testbed::clock::pause(Duration::from_millis(300));
    run.signal(Signal::INT);
    let done = run.wait();
    done.expect(1, "cancelled", "cancelled", "changed");
    assert_eq!(moves(&bed, &sample), ["web-green desired=4"]);
    done.says("desired counts and scale-in stay as they are now: blue has 4 tasks and green has 4 tasks");
    assert!(!done.log.contains("To send users back to"), "{}", done.log);
}

#[test]
fn a_count_that_went_back_is_not_called_a_rule() {
    let (bed, sample) = stack();
    scaled(&bed, "web-blue", 4);
    bed.clear_calls();
    bed.world(|world| world.pace.launch = Duration::from_secs(600));
    let done = redirect_with(&bed, "green", &[("timeout", "1s")]).run();
    done.expect(1, "failed", "not-enough-targets", "restored");
    assert_eq!(moves(&bed, &sample), ["web-green desired=4", "web-green desired=2"]);
    done.says("Restored: the desired count of green is what it was, read back from AWS.");
}

#[test]
fn a_live_color_without_a_healthy_target_is_the_first_thing_a_status_says() {
    let (bed, sample) = stack();
    sicken(&bed, &sample.blue_group);
    let done = Action::new(&bed, "status").run();
    done.expect(0, "succeeded", "", "untouched")
        .says("drift: blue has 100 % of the users and no healthy target (")
        .says("Everything was read. blue has 100 % of the users and no healthy target.")
        .says("promote to blue: not now, none of its targets is healthy");
    let title = "### ⚠️ All users are on blue. No healthy target serves them.\n";
    assert!(done.summary.starts_with(title), "{}", done.summary);
    let told = seen(&done);
    assert!(told["drift"][0].as_str().is_some_and(|text| text.contains("`command: rollback`")), "{told}");
    assert_eq!(writes(&bed), [""; 0]);
}

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

/// A `status` with scaling in the config.
fn managed(bed: &Testbed) -> Done {
    let done = Action::new(bed, "status").file(".github/blue-green.yml", CONFIG).run();
    done.expect(0, "succeeded", "", "untouched");
    done
}

#[test]
fn alarms_that_somebody_changed_are_drift() {
    let (bed, _sample) = stack();
    let done = managed(&bed);
    done.says("drift: blue has users, and `web-blue` has no scalable target")
        .says("the alarm `ecs-blue-green/shop/web-blue/cpu-high` does not exist");
    let move_to = |color: &str| {
        let action = redirect(&bed, color).file(".github/blue-green.yml", CONFIG);
        action.input("settle", "0s").input("timeout", "2s").run()
    };
    move_to("split").expect(0, "succeeded", "", "changed");
    let quiet = managed(&bed);
    assert!(!quiet.log.contains("ecs-blue-green/shop"), "{}", quiet.log);

    let name = "ecs-blue-green/shop/web-green/cpu-high";
    let found =
        bed.call(Service::CloudWatch, "DescribeAlarms", json!({ "AlarmNames": [name] })).expect("told");
    let mut alarm = found["MetricAlarms"][0].clone();
    (alarm["Threshold"], alarm["ActionsEnabled"]) = (70.0.into(), false.into());
    bed.call(Service::CloudWatch, "PutMetricAlarm", alarm).expect("AWS takes it");
    let told = managed(&bed);
    told.says(&format!(
        "drift: The alarm `{name}` of green is not what `scaling` in the config asks for: its actions are off while green has users; Threshold 70, the config says 80."
    ));
    bed.fault(Fault::on("DescribeScalingPolicies", Effect::Deny));
    let denied = managed(&bed);
    denied.says("not read: AWS denied `application-autoscaling:DescribeScalingPolicies`");
    assert_eq!(denied.output("traffic"), "split");
}
