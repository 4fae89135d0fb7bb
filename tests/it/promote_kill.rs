//! Invariant 7: a promote that is killed at any call, and then run again, ends where one undisturbed run would.
//!
//! Each case has a testbed of its own, with services that scale automatically: the run is killed at one call, before or
//! after its effect; the same run is started again; and what stands then is compared with what one undisturbed run
//! left.

use std::time::Duration;

use crate::common::Action;
use crate::common::here::at;
use crate::common::kills::{Kill, at_every_call, killed};
use crate::common::promote::{copy, scales, state, swap, written};
use crate::common::traffic::{runs, second_listener};
use serde_json::Value;
use testbed::sample::Sample;
use testbed::{Call, Testbed};

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

    /// One undisturbed run: what it leaves, and its calls.
    fn undisturbed(&self) -> (Value, Vec<Call>) {
        let (bed, sample) = self.stage();
        let done = (self.run)(&bed).run();
        assert_eq!(written(&bed, &sample), self.writes, "{}:\n{}", self.name, done.log);
        done.expect(0, "succeeded", "", "changed");
        let calls = bed.calls();
        settled(&bed);
        assert_eq!(bed.violations(), []);
        (state(&bed, &sample), calls)
    }

    /// Kills one run, runs again, and compares. Whether the place was reached.
    fn case(&self, kill: &Kill, expected: &Value) -> bool {
        let (bed, sample) = self.stage();
        let Some(killed) = killed(&bed, (self.run)(&bed), kill) else { return false };
        let what = format!("{}, {kill:?}", self.name);
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

/// Kills before and after every call.
fn every_call(story: &Story) {
    let (expected, calls) = story.undisturbed();
    at_every_call(story.name, &calls, |kill| story.case(kill, &expected));
}

#[test]
fn invariant_07_a_swap_killed_at_any_call_converges() {
    every_call(&SWAP);
}

#[test]
fn invariant_07_a_copy_killed_at_any_call_converges() {
    every_call(&COPY);
}

#[test]
fn invariant_07_a_copy_from_a_split_killed_at_any_call_converges() {
    every_call(&COPY_OF_SPLIT);
}
