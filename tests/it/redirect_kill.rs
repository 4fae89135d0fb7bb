//! Invariant 7: a change of traffic that was killed at any call and run again ends as one that was not disturbed, and at
//! no moment in between is an invariant broken.
//!
//! The usual test run kills at every write. `cargo test --test it redirect_kill:: -- --ignored --nocapture` kills at every
//! call, the reads included.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::Action;
use crate::common::here::stack;
use crate::common::look::steady;
use crate::common::traffic::{
    counts, moves, path_rule, redirect_with, scaled, second_listener, splits, suspended,
};
use testbed::sample::{self, Sample};
use testbed::{Effect, Fault, Testbed};

/// Cases that run at the same time; most of their time is spent waiting.
const LANES: usize = 4;

/// A change of traffic.
struct Story {
    /// What it is called in messages.
    name: &'static str,
    /// Where users go.
    traffic: &'static str,
    /// Further inputs.
    inputs: &'static [(&'static str, &'static str)],
    /// Whether both colors scale automatically.
    autoscaled: bool,
    /// The writes of an undisturbed run.
    writes: &'static [&'static str],
}

/// Three rules, and a color that has to be scaled up first.
const RULES: Story = Story {
    name: "three rules",
    traffic: "green-80",
    inputs: &[],
    autoscaled: false,
    writes: &["web-green desired=4", "rule 20/80", "production 20/80", "HTTPS 20/80"],
};

/// Scale-in is suspended, users pass through a step, and the winner scales in again.
const SCALED: Story = Story {
    name: "steps of colors that scale automatically",
    traffic: "green",
    inputs: &[("steps", "20"), ("bake-time", "100ms"), ("settle", "100ms")],
    autoscaled: true,
    writes: &[
        "web-blue scale-in off",
        "web-green scale-in off",
        "rule 80/20",
        "production 80/20",
        "HTTPS 80/20",
        // Five tasks of blue carry 80 %: six and a quarter carry all.
        "web-green desired=7",
        "rule 0/100",
        "production 0/100",
        "HTTPS 0/100",
        "web-green scale-in on",
    ],
};

/// The n-th of the matching calls, and whether it has had its effect.
type Kill = (u32, bool);

/// What invariant 7 compares: weights, counts, suspended scale-in.
type End = (Vec<String>, (u32, u32), Option<(bool, bool)>);

impl Story {
    /// A testbed of its own for one case: three production rules, five tasks of blue, two of green.
    fn stage(&self) -> (Testbed, Sample) {
        let (bed, sample) = stack();
        second_listener(&bed, &sample, 100, 0);
        path_rule(&bed, &sample, 100, 0);
        if self.autoscaled {
            sample::autoscaled(&bed, 1, 10).expect("it scales");
        }
        scaled(&bed, "web-blue", 5);
        (bed, sample)
    }

    /// The run.
    fn action(&self, bed: &Testbed) -> Action {
        redirect_with(bed, self.traffic, self.inputs)
    }

    /// What stands at the end.
    fn end(&self, bed: &Testbed, sample: &Sample) -> End {
        steady(bed, "web-green");
        (splits(bed, sample), counts(bed), self.autoscaled.then(|| suspended(bed)))
    }

    /// One undisturbed run: what it leaves, and how many calls it took.
    fn undisturbed(&self) -> (End, u32) {
        let (bed, sample) = self.stage();
        self.action(&bed).run().expect(0, "succeeded", "", "changed");
        assert_eq!(moves(&bed, &sample), self.writes, "{}", self.name);
        assert_eq!(bed.violations(), []);
        let calls = u32::try_from(bed.calls().len()).expect("few calls");
        (self.end(&bed, &sample), calls)
    }

    /// Kills one run, runs again, and compares. False: it ended before it came there.
    fn case(&self, kill: Kill, writes: bool, expected: &End) -> bool {
        let (bed, sample) = self.stage();
        let effect = || if kill.1 { Effect::KillAfter } else { Effect::KillBefore };
        if writes {
            let nth = kill.0 as usize - 1;
            let (operation, of_it) = self.operation(nth);
            bed.fault(Fault::on(operation, effect()).nth(of_it..=of_it));
        } else {
            bed.fault(Fault::nth_call(kill.0, effect()));
        }
        let run = self.action(&bed).spawn();
        run.is_victim(&bed);
        let killed = run.wait();
        bed.clear_faults();
        if killed.code != -1 {
            return false;
        }
        let what =
            format!("{}, killed {} call {}", self.name, if kill.1 { "after" } else { "before" }, kill.0);
        assert_eq!(bed.violations(), [], "{what}");
        let again = self.action(&bed).run();
        assert!(
            ["succeeded", "unchanged"].contains(&again.output("result")) && again.code == 0,
            "{what}:\n{}",
            again.log
        );
        assert_eq!(self.end(&bed, &sample), *expected, "{what}:\n{}", again.log);
        assert_eq!(bed.violations(), [], "{what}");
        true
    }

    /// The operation of a write, and which of its kind it is, counting from 1.
    fn operation(&self, write: usize) -> (&'static str, u32) {
        let of = |write: &str| match write {
            scaling if scaling.contains("scale-in") => "RegisterScalableTarget",
            count if count.contains("desired=") => "UpdateService",
            rule if rule.starts_with("rule") => "ModifyRule",
            _ => "ModifyListener",
        };
        let wanted = of(self.writes[write]);
        let so_far = self.writes[..=write].iter().filter(|write| of(write) == wanted).count();
        (wanted, u32::try_from(so_far).expect("few writes"))
    }

    /// Runs every case, several at a time; gives how many were reached.
    fn all(&self, count: u32, writes: bool, expected: &End) -> usize {
        let kills: Vec<Kill> = (1..=count).flat_map(|nth| [(nth, false), (nth, true)]).collect();
        let (began, next, reached) = (testbed::clock::now(), AtomicUsize::new(0), AtomicUsize::new(0));
        let failed: Mutex<Vec<Kill>> = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..LANES {
                scope.spawn(|| {
                    while let Some(kill) = kills.get(next.fetch_add(1, Ordering::SeqCst)) {
                        let case = || self.case(*kill, writes, expected);
                        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(case)) {
                            Ok(true) => drop(reached.fetch_add(1, Ordering::SeqCst)),
                            Ok(false) => {}
                            Err(_) => failed.lock().expect("no other panic").push(*kill),
                        }
                    }
                });
            }
        });
        let (kills, reached, time) =
            (kills.len(), reached.into_inner(), (testbed::clock::now() - began).as_secs_f64());
        println!("{}: {kills} kills, {reached} converged, {time:.1} s", self.name);
        let failed = failed.into_inner().expect("no other panic");
        assert!(failed.is_empty(), "{}: these did not converge: {failed:?}", self.name);
        reached
    }

    /// Kills at every write, before and after its effect.
    fn at_every_write(&self) {
        let (expected, _) = self.undisturbed();
        let count = u32::try_from(self.writes.len()).expect("few writes");
        assert_eq!(self.all(count, true, &expected), self.writes.len() * 2);
    }

    /// Kills at every call, before and after its effect.
    fn at_every_call(&self) {
        let (expected, calls) = self.undisturbed();
        let reached = self.all(calls, false, &expected);
        assert!(reached * 5 > calls as usize * 2 * 4, "{reached} of {} kills were in time", calls * 2);
    }
}

#[test]
fn invariant_07_three_rules_killed_at_any_write_converge() {
    RULES.at_every_write();
}

#[test]
fn invariant_07_steps_of_scaled_colors_killed_at_any_write_converge() {
    SCALED.at_every_write();
}

#[test]
#[ignore = "minutes: kills before and after every call; run with `-- --ignored --nocapture`"]
fn invariant_07_three_rules_killed_at_any_call_converge() {
    RULES.at_every_call();
}

#[test]
#[ignore = "minutes: kills before and after every call; run with `-- --ignored --nocapture`"]
fn invariant_07_steps_of_scaled_colors_killed_at_any_call_converge() {
    SCALED.at_every_call();
}
