//! A run that is killed at any call (invariant 7). One harness for every command.
//!
//! A testbed with a time of its own does the same each time, and a read changes nothing. So two kills between the same two
//! writes, at the same moment, leave the same world and the same saved state: one of them is enough.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Action, Done};
use testbed::{Call, Effect, Fault, Testbed};

/// Cases that run at the same time.
const LANES: usize = 2;

/// The call that a run is killed at.
#[derive(Clone, Debug)]
pub struct Kill {
    /// Its operation, if only those calls are counted.
    operation: Option<&'static str>,
    /// Its number among the calls, from 1.
    nth: u32,
    /// Whether the call has had its effect.
    pub after: bool,
}

impl Kill {
    /// At the nth call of this operation.
    pub fn of(operation: &'static str, nth: u32, after: bool) -> Self {
        Self { operation: Some(operation), nth, after }
    }

    /// The fault that kills there.
    fn fault(&self) -> Fault {
        let effect = if self.after { Effect::KillAfter } else { Effect::KillBefore };
        match self.operation {
            Some(operation) => Fault::on(operation, effect).nth(self.nth..=self.nth),
            None => Fault::nth_call(self.nth, effect),
        }
    }
}

/// A run that is killed there. None: the run ended before.
pub fn killed(bed: &Testbed, action: Action, kill: &Kill) -> Option<Done> {
    bed.fault(kill.fault());
    let running = action.spawn();
    running.is_victim(bed);
    let done = running.wait();
    bed.clear_faults();
    (done.code == -1).then_some(done)
}

/// A kill for each moment of a run: before and after every call, the reads included.
fn moments(calls: &[Call]) -> Vec<Kill> {
    let (mut seen, mut kills, mut writes) = (BTreeSet::new(), Vec::new(), 0);
    for (nth, call) in (1..).zip(calls) {
        // Before a write, the run has saved what its post step needs.
        if seen.insert((writes, call.at, call.write)) {
            kills.push(Kill { operation: None, nth, after: false });
        }
        writes += u32::from(call.write);
        if seen.insert((writes, call.at, false)) {
            kills.push(Kill { operation: None, nth, after: true });
        }
    }
    kills
}

/// Tries a kill for each moment of an undisturbed run with these calls. `case` kills a run there, runs it again and compares;
/// it gives false if the run ended before.
#[track_caller]
pub fn at_every_call(name: &str, calls: &[Call], case: impl Fn(&Kill) -> bool + Sync) {
    let kills = moments(calls);
    println!("{name}: {} kills at {} calls, {} of them different", calls.len() * 2, calls.len(), kills.len());
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                while let Some(kill) = kills.get(next.fetch_add(1, Ordering::SeqCst)) {
                    match catch_unwind(AssertUnwindSafe(|| case(kill))) {
                        Ok(true) => {}
                        Ok(false) => wrong.lock().expect("no panic").push(format!("not reached: {kill:?}")),
                        Err(_) => wrong.lock().expect("no panic").push(format!("did not converge: {kill:?}")),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{name}: {wrong:#?}");
}
