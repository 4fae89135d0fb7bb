//! Two runs at once (invariants 36 and 44): when both have ended, users have the tasks that they need, and at least one run
//! reports the other's change.

use std::time::Duration;

use crate::common::promote::swap;
use crate::common::traffic::{counts, moves, redirect, redirect_with, scaled, splits, until_at};
use crate::common::users::Users;
use crate::common::{Action, Done, look, stack};
use testbed::sample::{self, Sample};
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

/// Pseudo-random numbers from a seed (xorshift).
struct Random(u64);

impl Random {
    /// One of so many.
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// One run of a random pair.
fn any_run(bed: &Testbed, sample: &Sample, random: &mut Random) -> (String, Action) {
    let (name, action) = match random.below(8) {
        0 => ("redirect green", redirect(bed, "green")),
        1 => ("redirect blue", redirect(bed, "blue")),
        2 => ("redirect split", redirect(bed, "split")),
        3 => ("steps to green", redirect_with(bed, "green", &[("steps", "20, 50"), ("bake-time", "1s")])),
        4 => ("promote green", swap(bed, "green")),
        5 => ("promote blue", swap(bed, "blue")),
        6 => ("rollback blue", rollback(bed, "blue")),
        _ => ("deploy", Action::new(bed, "deploy").input("image", &sample.image("v2"))),
    };
    (name.to_owned(), action.input("timeout", "30s"))
}

/// What a pair came to, if it is wrong.
fn wrong(bed: &Testbed, sample: &Sample, ends: &[(String, Done)]) -> Option<String> {
    settled(bed);
    let (users, tasks) = (splits(bed, sample), counts(bed));
    let (blue, green): (u32, u32) = {
        let (blue, green) = users.first()?.split_once('/')?;
        (blue.parse().ok()?, green.parse().ok()?)
    };
    // Four tasks carry all users, whoever moved them.
    let need = |weight: u32| if weight == 0 { 0 } else { (4 * weight).div_ceil(blue + green).max(1) };
    let short = tasks.0 < need(blue) || tasks.1 < need(green);
    let untold =
        ends.iter().any(|(_, done)| done.log.contains("panicked") || done.output("result").is_empty());
    (short || untold).then(|| {
        let logs: Vec<String> = ends.iter().map(|(name, done)| format!("--- {name}\n{}", done.log)).collect();
        format!("{users:?} with {tasks:?} tasks\n{}", logs.join("\n"))
    })
}

/// One random pair under load, by its seed.
fn pair(seed: u64) -> Option<String> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (bed, sample) = four_each();
    if random.below(2) == 0 {
        sample::autoscaled(&bed, 1, 10).expect("it scales");
    }
    let slow =
        ["UpdateService", "ModifyListener", "DescribeServices", "DescribeRules", "RegisterScalableTarget"];
    for _ in 0..random.below(4) {
        let index = usize::try_from(random.below(5)).expect("small");
        let time = Duration::from_millis(40 + random.below(1500));
        bed.fault(
            Fault::on(slow[index], Effect::Delay(time))
                .times(u32::try_from(1 + random.below(3)).expect("small")),
        );
    }
    let ((first, one), (second, two)) =
        (any_run(&bed, &sample, &mut random), any_run(&bed, &sample, &mut random));
    let later = Duration::from_millis(random.below(2500));
    let (ends, asked, _) = Users::while_doing(sample.production_port, 20, |_| {
        let one = one.spawn();
        std::thread::sleep(later);
        let two = two.run();
        vec![(first, one.wait()), (second, two)]
    });
    assert!(asked > 0);
    let names: Vec<&str> = ends.iter().map(|(name, _)| name.as_str()).collect();
    let told = names.join(" and ");
    wrong(&bed, &sample, &ends).map(|what| format!("seed {seed}: {told}: {what}"))
}

#[test]
#[ignore = "minutes; `.ci/run pairs` runs it"]
fn invariant_44_random_pairs_under_load() {
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (from, most) = (number("PAIRS_SEED", 1), number("PAIRS", 200));
    let next = std::sync::atomic::AtomicU64::new(from);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    if seed >= from + most {
                        break;
                    }
                    println!("pair with seed {seed}");
                    if let Some(what) = pair(seed) {
                        failures.lock().expect("no panic").push(what);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    println!("{most} pairs from seed {from}: {} wrong", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
