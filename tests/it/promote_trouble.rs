//! `promote` that is refused, fails, is overtaken or cancelled: what is left, and that running again finishes.

use std::time::Duration;

use crate::common::Running;
use crate::common::here::{at, stack};
use crate::common::look::{until_called, wants};
use crate::common::promote::{copy, ended, sticky, swap, written};
use crate::common::traffic::{
    counts, refused, runs, scaled, sick, sicken, somebody_writes, splits, until_at,
};
use rustix::process::Signal;
use serde_json::json;
use testbed::sample::Sample;
use testbed::{Effect, Fault, Service, Testbed};

/// Green runs v2, which was tested; blue has all users.
fn tested() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    runs(&bed, &sample, "web-green", "v2", true);
    (bed, sample)
}

#[test]
fn a_swap_binds_to_what_runs_on_the_color_itself() {
    let (bed, _sample) = tested();
    for wrong in ["web-green:1", "web-blue:1"] {
        let run = swap(&bed, "green").input("expect-task-definition", wrong);
        refused(&bed, run, "other-task-definition").says("web-green:2").says(wrong);
    }
    let right = swap(&bed, "green").input("expect-task-definition", "web-green:2").run();
    right.expect(0, "succeeded", "", "changed");
}

#[test]
fn a_copy_binds_to_what_runs_on_the_color_that_was_tested() {
    let (bed, _sample) = tested();
    for wrong in ["web-green:1", "web-blue:1"] {
        let run = copy(&bed, "blue").input("expect-task-definition", wrong);
        refused(&bed, run, "other-task-definition").says("web-green:2").says(wrong);
    }
    let right = || copy(&bed, "blue").input("expect-task-definition", "web-green:2").run();
    right().expect(0, "succeeded", "", "changed");
    assert_eq!(wants(&bed, "web-blue"), "web-blue:2 × 2");
    right().expect(0, "unchanged", "", "untouched");
}

#[test]
fn invariant_16_a_sick_color_is_not_promoted() {
    for weights in [(100, 0), (80, 20), (0, 100)] {
        let (bed, sample) = at(weights.0, weights.1);
        bed.world(|world| world.checker = testbed::checker::Checker::default());
        sicken(&bed, &sample.green_group);
        refused(&bed, swap(&bed, "green"), "not-enough-targets").says("green");
        assert_eq!(counts(&bed), (2, 2));
    }
}

#[test]
fn invariant_27_with_both_colors_sick_nothing_is_changed() {
    let (bed, sample) = tested();
    bed.world(|world| world.checker = testbed::checker::Checker::default());
    sicken(&bed, &sample.green_group);
    sicken(&bed, &sample.blue_group);
    refused(&bed, swap(&bed, "green"), "not-enough-targets");
    refused(&bed, swap(&bed, "blue"), "not-enough-targets");
    refused(&bed, copy(&bed, "blue"), "not-enough-targets");
}

#[test]
fn invariant_25_a_copy_from_a_color_without_capacity_is_refused_before_anything_moves() {
    let (bed, sample) = tested();
    sicken(&bed, &sample.green_group);
    refused(&bed, copy(&bed, "blue"), "not-enough-targets").says("green");
    let (bed, _sample) = tested();
    scaled(&bed, "web-green", 1);
    let run = copy(&bed, "blue").input("scale-up", "false");
    refused(&bed, run, "not-enough-targets").says("green");
}

#[test]
fn what_is_being_replaced_is_neither_promoted_nor_copied() {
    let (bed, sample) = stack();
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    runs(&bed, &sample, "web-green", "v2", false);
    refused(&bed, swap(&bed, "green"), "in-flight").says("web-green:2");
    refused(&bed, copy(&bed, "blue"), "in-flight").says("web-green:2");
}

#[test]
fn services_and_clusters_that_are_not_there_are_refused() {
    let (bed, _sample) = stack();
    for run in [swap(&bed, "green"), copy(&bed, "blue")] {
        refused(&bed, run.input("green-service", "web-gren"), "service-missing").says("web-gren");
    }
    refused(&bed, swap(&bed, "green").input("cluster", "shpo"), "cluster-missing").says("shpo");
}

#[test]
fn invariant_25_a_copy_whose_update_is_denied_leaves_users_on_the_healthy_color() {
    let (bed, sample) = tested();
    bed.fault(Fault::on("UpdateService", Effect::Deny));
    let done = copy(&bed, "blue").run();
    let tried = ["production 0/100", "RegisterTaskDefinition web-blue", "UpdateService web-blue web-blue:2"];
    ended(&bed, &sample, &done, ("failed", "access-denied", "changed"), &tried);
    assert_eq!((done.output("traffic"), done.output("live-color")), ("green", "green"));
    done.says("ecs:UpdateService").says("users stay where they are now").says("Run again");
    bed.clear_faults();
    bed.clear_calls();
    let again = copy(&bed, "blue").run();
    let rest = ["UpdateService web-blue web-blue:2", "production 100/0", "web-green desired=1"];
    ended(&bed, &sample, &again, ("succeeded", "", "changed"), &rest);
}

#[test]
fn invariant_25_a_copy_that_does_not_become_healthy_is_put_back_with_users_on_the_other_color() {
    let (bed, sample) = tested();
    bed.call(Service::Elb, "ModifyTargetGroup", sick(&sample.blue_group)).expect("AWS takes it");
    bed.clear_calls();
    let done = copy(&bed, "blue").input("timeout", "12s").run();
    assert_eq!(
        (done.code, done.output("result"), done.output("left")),
        (1, "failed", "changed"),
        "{}",
        done.log
    );
    assert_eq!(done.output("traffic"), "green");
    assert_eq!(
        (wants(&bed, "web-blue"), splits(&bed, &sample)),
        ("web-blue:1 × 2".to_owned(), vec!["0/100".to_owned()])
    );
    assert_eq!(bed.violations(), []);
    done.says("the promote fails: ").says("users stay where they are now").says("Run again");
    done.says("To send users back to blue");
}

#[test]
fn a_swap_whose_write_is_denied_changes_nothing() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("ModifyListener", Effect::Deny));
    let done = swap(&bed, "green").run();
    ended(&bed, &sample, &done, ("failed", "access-denied", "untouched"), &["production 0/100"]);
    assert_eq!(splits(&bed, &sample), ["100/0"]);
}

#[test]
fn more_tasks_without_users_than_production_has_are_refused() {
    let (bed, _) = stack();
    refused(&bed, swap(&bed, "green").input("idle-count", "3"), "bad-input").says("`idle-count` is 3");
}

#[test]
fn invariant_22_a_swap_that_may_not_shrink_the_loser_leaves_users_at_the_winner() {
    let (bed, sample) = stack();
    bed.fault(Fault::on("UpdateService", Effect::Deny));
    let done = swap(&bed, "green").run();
    let tried = ["production 0/100", "web-blue desired=1"];
    ended(&bed, &sample, &done, ("failed", "access-denied", "changed"), &tried);
    assert_eq!((splits(&bed, &sample), counts(&bed)), (vec!["0/100".to_owned()], (2, 2)));
    done.says("ecs:UpdateService");
}

#[test]
fn invariant_35_writes_whose_answers_are_lost_are_read_and_not_sent_again() {
    for operation in ["ModifyListener", "UpdateService", "RegisterTaskDefinition"] {
        for effect in [Effect::DropAfter, Effect::DropBefore] {
            let (bed, sample) = tested();
            let after = matches!(effect, Effect::DropAfter);
            bed.fault(Fault::on(operation, effect).times(1));
            let done = copy(&bed, "blue").run();
            done.expect(0, "succeeded", "", "changed");
            assert_eq!(
                (wants(&bed, "web-blue"), counts(&bed)),
                ("web-blue:2 × 2".to_owned(), (2, 1)),
                "{operation}"
            );
            assert_eq!(splits(&bed, &sample), ["100/0"]);
            assert_eq!(bed.violations(), []);
            let sent = written(&bed, &sample).len();
            assert_eq!(sent, if after { 5 } else { 6 }, "{operation}: {:?}", written(&bed, &sample));
        }
    }
}

#[test]
fn invariant_06_somebody_elses_weights_while_it_settles_stand() {
    let (bed, sample) = stack();
    let run = swap(&bed, "green").input("settle", "10m").spawn();
    until_at(&bed, &sample, &["0/100"]);
    bed.world(|world| somebody_writes(world, &sample, &sample.production_listener, (50, 50)));
    let done = run.wait();
    ended(&bed, &sample, &done, ("superseded", "superseded", "changed"), &["production 0/100"]);
    assert_eq!((splits(&bed, &sample), counts(&bed)), (vec!["50/50".to_owned()], (2, 2)));
}

#[test]
fn invariant_06_somebody_elses_weights_while_a_copy_is_deployed_stand() {
    let (bed, sample) = tested();
    bed.world(|world| world.pace.launch = Duration::from_secs(3));
    let run = copy(&bed, "blue").spawn();
    until_called(&bed, "UpdateService", 1);
    bed.world(|world| somebody_writes(world, &sample, &sample.production_listener, (50, 50)));
    let done = run.wait();
    done.expect(1, "superseded", "live-color", "changed");
    assert_eq!(written(&bed, &sample).len(), 3, "{:?}", written(&bed, &sample));
    assert_eq!(splits(&bed, &sample), ["50/50"]);
}

/// Sends a signal and gives the end, which comes within the runner's time.
fn cancelled(run: Running) -> crate::common::Done {
    run.signal(Signal::TERM);
    let done = run.wait();
    assert_eq!((done.code, done.output("result")), (1, "cancelled"), "{}", done.log);
    done
}

#[test]
fn a_signal_while_capacity_is_waited_for_gives_the_count_back_or_leaves_it() {
    for (on_cancel, left, count) in [("restore", "restored", 2), ("leave", "changed", 4)] {
        let (bed, sample) = stack();
        scaled(&bed, "web-blue", 4);
        bed.world(|world| world.pace.launch = Duration::from_secs(60));
        let run = swap(&bed, "green").input("on-cancel", on_cancel).spawn();
        until_called(&bed, "UpdateService", 1);
        let done = cancelled(run);
        assert_eq!((done.output("left"), counts(&bed)), (left, (4, count)), "{}", done.log);
        assert_eq!(splits(&bed, &sample), ["100/0"]);
        assert_eq!(bed.violations(), []);
    }
}

#[test]
fn a_signal_while_it_settles_leaves_users_where_they_are() {
    let (bed, sample) = stack();
    let run = swap(&bed, "green").input("settle", "10m").spawn();
    until_at(&bed, &sample, &["0/100"]);
    let done = cancelled(run);
    ended(&bed, &sample, &done, ("cancelled", "cancelled", "changed"), &["production 0/100"]);
    assert_eq!(done.output("traffic"), "green");
    bed.clear_calls();
    let again = swap(&bed, "green").run();
    ended(&bed, &sample, &again, ("succeeded", "", "changed"), &["web-blue desired=1"]);
}

#[test]
fn a_signal_while_users_drain_leaves_the_loser_at_size() {
    let (bed, sample) = stack();
    sticky(&bed, &sample, (100, 0), 300);
    let run = swap(&bed, "green").input("settle", "0s").spawn();
    until_at(&bed, &sample, &["0/100"]);
    testbed::clock::pause(Duration::from_millis(500));
    let done = cancelled(run);
    ended(&bed, &sample, &done, ("cancelled", "cancelled", "changed"), &["production 0/100"]);
    assert_eq!(counts(&bed), (2, 2));
}

#[test]
fn a_signal_while_a_copy_is_deployed_puts_the_color_back_with_users_on_the_other() {
    let (bed, sample) = tested();
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    let run = copy(&bed, "blue").spawn();
    until_called(&bed, "UpdateService", 1);
    let done = cancelled(run);
    assert_eq!(done.output("left"), "changed", "{}", done.log);
    assert_eq!(
        (wants(&bed, "web-blue"), splits(&bed, &sample)),
        ("web-blue:1 × 2".to_owned(), vec!["0/100".to_owned()])
    );
    assert_eq!(bed.violations(), []);
}

#[test]
fn a_config_whose_bounds_contradict_is_refused() {
    let (bed, _sample) = stack();
    let config = json!({ "cluster": "shop", "apps": { "web": {
        "blue": "web-blue", "green": "web-green", "scaling": { "min": 4, "max": 2 } } } });
    let run = swap(&bed, "green").file(".github/blue-green.yml", &config.to_string());
    refused(&bed, run, "bad-input");
}
