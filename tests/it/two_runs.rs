//! Two runs at once (invariants 36 and 44): when both have ended, users have the tasks that they need, and at least one run
//! reports the other's change.

use std::time::Duration;

use crate::common::promote::swap;
use crate::common::traffic::{counts, moves, scaled, splits, until_at};
use crate::common::{Action, look, stack};
use testbed::sample::Sample;
use testbed::{Effect, Fault, Testbed};

/// Four tasks on each color, and blue live.
fn four_each() -> (Testbed, Sample) {
    let (bed, sample) = stack();
    for service in ["web-blue", "web-green"] {
        scaled(&bed, service, 4);
    }
    bed.clear_calls();
    (bed, sample)
}

/// A run of `rollback` to a color.
fn rollback(bed: &Testbed, color: &str) -> Action {
    Action::new(bed, "rollback").input("color", color).input("timeout", "60s")
}

/// Waits until both services are steady.
fn settled(bed: &Testbed) {
    for service in ["web-blue", "web-green"] {
        look::steady(bed, service);
    }
}

/// The promote's write of blue's count takes this long.
fn slow_shrink(bed: &Testbed, service: &str, time: Duration) {
    bed.fault(Fault::on("UpdateService", Effect::Delay(time)).resource(service).times(1));
}

#[test]
fn invariant_36_a_promote_that_shrinks_the_color_a_rollback_just_gave_the_users_restores_it() {
    let (bed, sample) = four_each();
    slow_shrink(&bed, "web-blue", Duration::from_secs(5));
    let promote = swap(&bed, "green").spawn();
    until_at(&bed, &sample, &["0/100"]);
    std::thread::sleep(Duration::from_millis(900));
    let back = rollback(&bed, "blue").run();
    back.expect(0, "succeeded", "", "changed");
    assert_eq!(back.output("traffic"), "blue");
    let done = promote.wait();
    done.expect(1, "superseded", "superseded", "changed")
        .says("blue has users now, so the run raised it to 4 tasks again");
    assert_eq!(counts(&bed), (4, 4), "{}", done.log);
    assert_eq!(splits(&bed, &sample), ["100/0"]);
    // The held write of blue's count was sent before users came back, and takes effect after it.
    let written = ["production 0/100", "web-blue desired=1", "production 100/0", "web-blue desired=4"];
    assert_eq!(moves(&bed, &sample), written);
}

#[test]
fn invariant_36_a_rollback_under_way_keeps_users_on_a_color_that_a_promote_shrinks() {
    let (bed, sample) = four_each();
    slow_shrink(&bed, "web-blue", Duration::from_secs(3));
    let promote = swap(&bed, "green").spawn();
    until_at(&bed, &sample, &["0/100"]);
    std::thread::sleep(Duration::from_millis(900));
    // The rollback looks often enough at what it has reached to see the cut.
    bed.fault(Fault::on("DescribeServices", Effect::Delay(Duration::from_millis(700))));
    let back = rollback(&bed, "blue").input("settle", "4s").spawn();
    let done = promote.wait();
    let back = back.wait();
    back.expect(0, "succeeded", "", "changed");
    done.expect(1, "superseded", "superseded", "changed");
    settled(&bed);
    assert_eq!(counts(&bed), (4, 4), "{}\n{}", done.log, back.log);
    assert_eq!(splits(&bed, &sample), ["100/0"], "nobody is sent back to the color that they fled");
}

#[test]
fn invariant_44_two_promotes_one_per_color_leave_users_the_tasks_that_they_need() {
    let (bed, sample) = four_each();
    slow_shrink(&bed, "web-green", Duration::from_secs(3));
    // Blue is live: its promote has nothing to move, and shrinks green while green gets the users.
    let blue = swap(&bed, "blue").spawn();
    std::thread::sleep(Duration::from_millis(1500));
    let green = swap(&bed, "green").input("settle", "3s").run();
    let blue = blue.wait();
    settled(&bed);
    let logs = format!("{}\n{}", blue.log, green.log);
    assert!(blue.code != 0 || green.code != 0, "one of them reports the other's change: {logs}");
    let (users, tasks) = (splits(&bed, &sample), counts(&bed));
    let live = if users == ["0/100"] { tasks.1 } else { tasks.0 };
    assert!(live >= 4, "{users:?} {tasks:?} {logs}");
}
