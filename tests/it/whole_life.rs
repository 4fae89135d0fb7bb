//! Invariant 7: a whole life of a service, killed at any call and gone on with, ends as an undisturbed one, and users
//! notice nothing.
//!
//! The life: deploy, a redirect in steps, promote by swap, deploy, promote by copy, rollback, each by the built binary
//! while users ask the production port.
//!
//! The normal test run lives it three times: undisturbed; with each run killed before its next write and started again,
//! until it comes to its end; and the same with each run killed after its first write. So each write of the life is a
//! place to be killed at, twice.
//!
//! `cargo test --test it life_killed_at_any_call -- --ignored --nocapture` does the same with each call, the reads included: a
//! run is killed before, or after, its first call, then its second, and so on, until one of them has written something;
//! then from the first call on again. So in each state that the life passes through, every call of the run that goes on
//! from there is a place to be killed at. `any_write` lives once for each write, before and after its effect: one run is
//! killed there, its post step runs or does not, the same run is started again, and life goes on undisturbed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::common::life::{LIFE, Step, stage};
use crate::common::look::steady;
use crate::common::promote::{state, written};
use crate::common::users::Users;
use serde_json::Value;
use testbed::sample::Sample;
use testbed::{Call, Effect, Fault, Testbed};

/// Lives at the same time; most of their time is spent waiting.
const LANES: usize = 4;

/// Requests a second in each life.
const RATE: u32 = 20;

/// How a life is disturbed.
#[derive(Clone, Copy, Debug)]
enum Trial {
    /// Not at all.
    Peace,
    /// Each run is killed again and again; `after`: after its first write, else before the next one.
    Hounded { after: bool },
    /// Each run is killed at each of its calls in turn, from the first again once something was written.
    Haunted { after: bool },
    /// One run is killed once.
    Once(Kill),
}

/// Where a run is killed once.
#[derive(Clone, Copy, Debug)]
struct Kill {
    /// The step.
    step: usize,
    /// The n-th write of the step's run, from 1.
    nth: u32,
    /// Whether the write has had its effect.
    after: bool,
    /// Whether the post step runs before the next run.
    post: bool,
}

/// The effect of a kill.
fn deadly(after: bool) -> Effect {
    if after { Effect::KillAfter } else { Effect::KillBefore }
}

/// What a life came to.
struct Lived {
    /// What stands at its end.
    end: Value,
    /// Requests of its users, all of them answered.
    asked: usize,
    /// Writes of each step's last run.
    writes: Vec<u32>,
    /// How often a run was killed.
    kills: usize,
}

/// A life.
fn live(trial: Trial) -> Lived {
    let (bed, sample) = stage();
    let (mut writes, mut kills) = (Vec::new(), 0);
    let work = |_: &Users| {
        for (at, step) in LIFE.iter().enumerate() {
            bed.clear_calls();
            let stage = (&bed, &sample);
            match trial {
                Trial::Hounded { after } => kills += hounded(stage, step, after),
                Trial::Haunted { after } => kills += haunted(stage, step, after),
                Trial::Once(kill) if kill.step == at => kills += once(stage, step, kill),
                Trial::Peace | Trial::Once(_) => undisturbed(stage, step, matches!(trial, Trial::Peace)),
            }
            writes.push(u32::try_from(bed.writes().len()).expect("few writes"));
            ["web-blue", "web-green"].iter().for_each(|service| steady(&bed, service));
        }
    };
    let ((), asked, failed) = Users::while_doing(sample.production_port, RATE, work);
    assert_eq!(failed, [""; 0], "users notice: {trial:?}");
    assert_eq!(bed.violations(), [], "{trial:?}");
    Lived { end: state(&bed, &sample), asked, writes, kills }
}

/// A step that nobody disturbs. `known`: so was the life before, and the writes are known.
fn undisturbed((bed, sample): (&Testbed, &Sample), step: &Step, known: bool) {
    let done = (step.run)(bed, sample).run();
    assert_eq!((done.code, done.output("result")), (0, "succeeded"), "{}:\n{}", step.name, done.log);
    if known {
        assert_eq!(written(bed, sample), step.writes, "{}:\n{}", step.name, done.log);
    }
}

/// A run under a fault that kills it; whether it came to that. It signs with a key of its own: a late call of the run
/// before does not draw the fault upon it.
fn run_under((bed, sample): (&Testbed, &Sample), step: &Step, fault: Fault) -> (crate::common::Done, bool) {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let key = format!("AKIA{:016}", RUNS.fetch_add(1, Ordering::SeqCst));
    bed.fault(fault.access_key(&key));
    let running = (step.run)(bed, sample).env("AWS_ACCESS_KEY_ID", &key).spawn();
    // In time: a process takes longer to start than this call.
    running.is_victim(bed);
    let done = running.wait();
    bed.clear_faults();
    let killed = done.code == -1;
    (done, killed)
}

/// Whether a run came to a good end.
fn good(done: &crate::common::Done) -> bool {
    done.code == 0 && ["succeeded", "unchanged"].contains(&done.output("result"))
}

/// A step whose run is killed and started again until it comes to its end; gives how often it was killed.
fn hounded(stage: (&Testbed, &Sample), step: &Step, after: bool) -> usize {
    let mut log = String::new();
    for kills in 0..=step.writes.len() * 2 {
        // Before the first write of all, and then each time one write further.
        let next = if after || kills == 0 { 1 } else { 2 };
        let (done, killed) = run_under(stage, step, Fault::nth_write(next, deadly(after)));
        log = format!("{log}\n--- {} {kills}, after: {after}\n{}", step.name, done.log);
        assert_eq!(stage.0.violations(), [], "{log}");
        if !killed {
            assert!(good(&done) && kills >= step.writes.len(), "{log}");
            return kills;
        }
    }
    panic!("{} never comes to an end:\n{log}", step.name);
}

/// A step whose run is killed at each of its calls in turn; gives how often it was killed. What it prints: for each state
/// between two writes, at how many calls.
fn haunted((bed, sample): (&Testbed, &Sample), step: &Step, after: bool) -> usize {
    let (mut nth, mut kills) = (1, vec![0]);
    loop {
        bed.clear_calls();
        let (done, killed) = run_under((bed, sample), step, Fault::nth_call(nth, deadly(after)));
        let all: usize = kills.iter().sum();
        let log = format!("{} at call {nth}, after: {after}, kill {all}\n{}", step.name, done.log);
        assert_eq!(bed.violations(), [], "{log}");
        if !killed {
            assert!(good(&done), "{log}");
            println!("{}, after: {after}: {all} kills {kills:?}", step.name);
            return all;
        }
        assert!(all < 5_000, "{log}\nnever comes to an end");
        *kills.last_mut().expect("a state") += 1;
        nth += 1;
        if bed.writes().iter().any(|write| had_effect(write, after)) {
            kills.push(0);
            nth = 1;
        }
    }
}

/// Whether a write of a run had its effect, where one was killed at it.
fn had_effect(write: &Call, after: bool) -> bool {
    write.result.is_ok() || (after && write.dropped)
}

/// A step whose run is killed once, and done again; gives how often it was killed, which is not at all when it ended
/// before the call.
fn once((bed, sample): (&Testbed, &Sample), step: &Step, kill: Kill) -> usize {
    let fault = Fault::nth_write(kill.nth, deadly(kill.after));
    let (first, killed) = run_under((bed, sample), step, fault);
    let mut log = format!("{}, {kill:?}:\n{}", step.name, first.log);
    if !killed {
        assert!(good(&first), "{log}");
        return 0;
    }
    if kill.post {
        let post = (step.run)(bed, sample).post(&first.state).run();
        log = format!("{log}\n--- post\n{}", post.log);
    }
    let again = (step.run)(bed, sample).run();
    log = format!("{log}\n--- again\n{}", again.log);
    assert!(good(&again), "{log}");
    assert_eq!(bed.violations(), [], "{log}");
    1
}

/// What many lives came to.
#[derive(Default)]
struct Sum {
    /// Lives in which a run was killed, and which ended as they should.
    converged: AtomicUsize,
    /// Lives whose run ended before the call.
    missed: AtomicUsize,
    /// Requests in all.
    asked: AtomicUsize,
    /// The kills after which something was wrong.
    failed: Mutex<Vec<Kill>>,
}

/// Lives with these kills, several at a time; gives how many converged, and how many runs ended before the call.
fn all(kills: &[Kill], expected: &Value) -> (usize, usize) {
    let (began, next, sum) = (Instant::now(), AtomicUsize::new(0), Sum::default());
    let one = |kill: Kill| {
        let lived = live(Trial::Once(kill));
        assert_eq!(lived.end, *expected, "{kill:?}");
        sum.asked.fetch_add(lived.asked, Ordering::SeqCst);
        if lived.kills > 0 { &sum.converged } else { &sum.missed }.fetch_add(1, Ordering::SeqCst);
    };
    std::thread::scope(|scope| {
        for _ in 0..LANES.min(kills.len()) {
            scope.spawn(|| {
                while let Some(kill) = kills.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let life = std::panic::AssertUnwindSafe(|| one(*kill));
                    if std::panic::catch_unwind(life).is_err() {
                        sum.failed.lock().expect("no other panic").push(*kill);
                    }
                }
            });
        }
    });
    let (converged, missed) = (sum.converged.into_inner(), sum.missed.into_inner());
    let failed = sum.failed.into_inner().expect("no other panic");
    println!(
        "whole lives: {} kills, {converged} converged, {missed} ended before the call, {} did not converge; {} requests in those that converged, 0 failed; {:.1} s",
        kills.len(),
        failed.len(),
        sum.asked.into_inner(),
        began.elapsed().as_secs_f64()
    );
    assert!(failed.is_empty(), "these did not converge: {failed:?}");
    (converged, missed)
}

/// One undisturbed life.
fn peaceful() -> Lived {
    let began = Instant::now();
    let lived = live(Trial::Peace);
    for (step, writes) in LIFE.iter().zip(&lived.writes) {
        println!("{}: {writes} writes", step.name);
    }
    println!("undisturbed: {} requests, 0 failed, {:.1} s", lived.asked, began.elapsed().as_secs_f64());
    lived
}

/// Kills before and after each write of each step; every other one is followed by the post step.
fn kills(lived: &Lived) -> Vec<Kill> {
    let of = |(step, writes): (usize, &u32)| {
        let both = move |nth: u32| {
            [false, true].map(|after| Kill { step, nth, after, post: nth.is_multiple_of(2) != after })
        };
        (1..=*writes).flat_map(both)
    };
    lived.writes.iter().enumerate().flat_map(of).collect()
}

/// Lives in peace, and twice in the same trouble at the same time; all three have to end alike.
fn three_lives(trials: [Trial; 3]) {
    let began = Instant::now();
    let [peace, before, after] = std::thread::scope(|scope| {
        let life = |trial| scope.spawn(move || live(trial));
        trials.map(life).map(|life| life.join().expect("a life without a failure"))
    });
    let writes: usize = LIFE.iter().map(|step| step.writes.len()).sum();
    println!(
        "a whole life with {writes} writes: {} kills before a call and {} after one, {} requests, 0 failed, {:.1} s",
        before.kills,
        after.kills,
        peace.asked + before.asked + after.asked,
        began.elapsed().as_secs_f64()
    );
    assert_eq!(before.end, peace.end, "killed before");
    assert_eq!(after.end, peace.end, "killed after");
}

#[test]
fn invariant_07_a_life_killed_at_each_write_in_turn_ends_as_an_undisturbed_one() {
    three_lives([Trial::Peace, Trial::Hounded { after: false }, Trial::Hounded { after: true }]);
}

#[test]
#[ignore = "minutes: each run is killed at each call; run with `any_call -- --ignored --nocapture`"]
fn invariant_07_a_life_killed_at_any_call_ends_as_an_undisturbed_one() {
    three_lives([Trial::Peace, Trial::Haunted { after: false }, Trial::Haunted { after: true }]);
}

#[test]
#[ignore = "minutes: a life for each write; run with `any_write -- --ignored --nocapture`"]
fn invariant_07_a_life_killed_once_at_any_write_ends_as_an_undisturbed_one() {
    let peace = peaceful();
    let kills = kills(&peace);
    assert_eq!(all(&kills, &peace.end), (kills.len(), 0));
}
