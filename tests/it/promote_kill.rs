//! Invariant 7: a promote that is killed at any call, and then run again, ends where one undisturbed run would.
//!
//! Each case has a testbed of its own, with services that scale automatically: the run is killed at one call, before or
//! after its effect; the same run is started again; and what stands then is compared with what one undisturbed run
//! left. The normal test run kills at every write. `cargo test --test it promote_kill:: -- --ignored --nocapture
//! --test-threads 1` kills at every call, the reads included.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::Action;
use crate::common::here::at;
use crate::common::promote::{copy, scales, state, swap, written};
use crate::common::traffic::{runs, second_listener};
use serde_json::Value;
use testbed::sample::Sample;
use testbed::{Effect, Fault, Testbed};

/// Cases that run at the same time; most of their time is spent waiting.
const LANES: usize = 6;

/// A promote that goes well.
struct Story {
    /// What it is called in messages.
    name: &'static str,
    /// Weights of blue and green at first.
    weights: (u32, u32),
    /// Whether both colors scale automatically.
    scale: bool,
    /// The run.
    run: fn(&Testbed) -> Action,
    /// The writes of an undisturbed run.
    writes: &'static [&'static str],
}

/// All users to green, which grows first and gets production's bounds; then blue shrinks.
const SWAP: Story = Story {
    name: "a swap",
    weights: (100, 0),
    scale: true,
    run: |bed| swap(bed, "green"),
    writes: &[
        "web-blue scale-in off",
        "web-green scale-in off",
        "web-green desired=3",
        "production 0/100",
        "HTTPS 0/100",
        "web-green scale-in on",
        "web-green min=3",
        "web-blue min=1 scale-in on",
        "web-blue desired=1",
    ],
};

/// Users go to green, blue takes over what green runs, users come back, green shrinks.
const COPY: Story = Story {
    name: "a copy",
    weights: (100, 0),
    scale: false,
    run: |bed| copy(bed, "blue"),
    writes: &[
        "production 0/100",
        "HTTPS 0/100",
        "RegisterTaskDefinition web-blue",
        "UpdateService web-blue web-blue:2",
        "production 100/0",
        "HTTPS 100/0",
        "web-green desired=1",
    ],
};

/// The same from a split that is held.
const COPY_OF_SPLIT: Story = Story { name: "a copy from a split", weights: (80, 20), ..COPY };

/// One place to kill a run at.
#[derive(Clone, Debug)]
enum Place {
    /// The n-th call of this operation.
    Of(String, u32),
    /// The n-th call of any kind.
    Call(u32),
}

/// Where a run is killed: the place, and whether the call has had its effect.
type Kill = (Place, bool);

impl Story {
    /// A testbed of its own for one case.
    fn stage(&self) -> (Testbed, Sample) {
        let (bed, sample) = at(self.weights.0, self.weights.1);
        second_listener(&bed, &sample, self.weights.0, self.weights.1);
        runs(&bed, &sample, "web-green", "v2", true);
        if self.scale {
            scales(&bed, "web-blue", 3, 10);
            scales(&bed, "web-green", 1, 8);
        }
        bed.clear_calls();
        (bed, sample)
    }

    /// One undisturbed run: what it leaves, the operations of its writes, and how many calls it took.
    fn undisturbed(&self) -> (Value, Vec<String>, u32) {
        let (bed, sample) = self.stage();
        let done = (self.run)(&bed).run();
        assert_eq!(written(&bed, &sample), self.writes, "{}:\n{}", self.name, done.log);
        done.expect(0, "succeeded", "", "changed");
        let operations = bed.writes().into_iter().map(|call| call.operation).collect();
        let calls = u32::try_from(bed.calls().len()).expect("few calls");
        settled(&bed);
        assert_eq!(bed.violations(), []);
        (state(&bed, &sample), operations, calls)
    }

    /// Kills one run, runs again, and compares. Whether the place was reached.
    fn case(&self, kill: &Kill, expected: &Value) -> bool {
        let (bed, sample) = self.stage();
        let (place, after) = kill;
        let effect = if *after { Effect::KillAfter } else { Effect::KillBefore };
        bed.fault(match place {
            Place::Of(operation, nth) => Fault::on(operation, effect).nth(*nth..=*nth),
            Place::Call(nth) => Fault::nth_call(*nth, effect),
        });
        let running = (self.run)(&bed).spawn();
        // In time: a process takes longer to start than this call.
        running.is_victim(&bed);
        let killed = running.wait();
        bed.clear_faults();
        if killed.code != -1 {
            return false;
        }
        let what = format!("{}, killed {} {place:?}", self.name, if *after { "after" } else { "before" });
        let done = (self.run)(&bed).run();
        let log = format!("{what}:\n{}\n--- again\n{}", killed.log, done.log);
        assert!(["succeeded", "unchanged"].contains(&done.output("result")), "{log}");
        settled(&bed);
        assert_eq!(state(&bed, &sample), *expected, "{log}");
        assert_eq!(bed.violations(), [], "{log}");
        true
    }
}

/// Waits until both services are steady.
#[track_caller]
fn settled(bed: &Testbed) {
    let still = bed.wait_until(Duration::from_secs(30), |world| {
        ["web-blue", "web-green"].iter().all(|name| world.ecs.is_steady("shop", name))
    });
    assert!(still, "the services do not become steady");
}

/// Runs every case, several at a time, and tells what it came to: how many converged, and how many ended before they
/// could be killed.
fn all(story: &Story, kills: &[Kill], expected: &Value) -> (usize, usize) {
    let began = testbed::clock::now();
    let (next, again, missed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let failed: Mutex<Vec<Kill>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..LANES.min(kills.len()) {
            scope.spawn(|| {
                while let Some(kill) = kills.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let case = std::panic::AssertUnwindSafe(|| story.case(kill, expected));
                    match std::panic::catch_unwind(case) {
                        Ok(true) => again.fetch_add(1, Ordering::SeqCst),
                        Ok(false) => missed.fetch_add(1, Ordering::SeqCst),
                        Err(_) => {
                            failed.lock().expect("no other panic").push(kill.clone());
                            0
                        }
                    };
                }
            });
        }
    });
    let count = |number: &AtomicUsize| number.load(Ordering::SeqCst);
    println!(
        "{}: {} kills, {} converged, {} ended before the call, {:.1} s",
        story.name,
        kills.len(),
        count(&again),
        count(&missed),
        (testbed::clock::now() - began).as_secs_f64()
    );
    let failed = failed.into_inner().expect("no other panic");
    assert!(failed.is_empty(), "{}: these did not converge: {failed:?}", story.name);
    (count(&again), count(&missed))
}

/// Kills at every write, before and after its effect.
fn at_every_write(story: &Story) {
    let (expected, operations, _) = story.undisturbed();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut kills = Vec::new();
    for operation in &operations {
        let nth = seen.entry(operation).or_default();
        *nth += 1;
        kills.extend([false, true].map(|after| (Place::Of(operation.clone(), *nth), after)));
    }
    assert_eq!(all(story, &kills, &expected), (kills.len(), 0));
}

/// Kills at every call, before and after its effect.
fn at_every_call(story: &Story) {
    let (expected, _, calls) = story.undisturbed();
    let kills: Vec<Kill> =
        (1..=calls).flat_map(|nth| [false, true].map(|after| (Place::Call(nth), after))).collect();
    let (converged, missed) = all(story, &kills, &expected);
    assert!(missed * 4 < converged, "{missed} of {} kills came too late", kills.len());
}

#[test]
fn invariant_07_a_swap_killed_at_any_write_converges() {
    at_every_write(&SWAP);
}

#[test]
fn invariant_07_a_copy_killed_at_any_write_converges() {
    at_every_write(&COPY);
}

#[test]
fn invariant_07_a_copy_from_a_split_killed_at_any_write_converges() {
    at_every_write(&COPY_OF_SPLIT);
}

#[test]
#[ignore = "minutes: kills before and after every call; run with `-- --ignored --nocapture --test-threads 1`"]
fn invariant_07_a_swap_killed_at_any_call_converges() {
    at_every_call(&SWAP);
}

#[test]
#[ignore = "minutes: kills before and after every call; run with `-- --ignored --nocapture --test-threads 1`"]
fn invariant_07_a_copy_killed_at_any_call_converges() {
    at_every_call(&COPY);
}
