//! Two runs at once, through the product's own decisions, in very many schedules (invariant 44).
//!
//! `simulation COUNT` plays so many schedules of every pair of commands, `simulation only RULE COUNT` judges by one rule, `simulation seed N` replays one with its trace,
//! and `simulation overtake` lets one run overtake the other as a whole at every point.
// The unit tests of the decisions belong to the product.
#![cfg(not(test))]
#![allow(dead_code, unused_imports, unreachable_pub, reason = "the product uses the rest of its decisions")]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "this is a test")]

mod actor;
mod oracle;
mod pairs;
#[path = "../../src/plan/mod.rs"]
mod plan;
#[path = "../../src/plan/sample.rs"]
mod sample;
mod world;

use std::process::ExitCode;

// `sample` expects these modules next to itself.
use plan::{aws_error, color, definition, deploy, preconditions, snapshot, step, time, verdict, wanted};

/// Threads that play schedules.
const THREADS: u64 = 2;

/// Plays the schedules that the arguments name.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u64>().ok());
    let good = match (arguments.first().map(String::as_str), number(0), number(1)) {
        (Some("seed"), _, Some(seed)) => one(seed),
        (Some("overtake"), ..) => overtake(),
        (Some("only"), ..) => {
            let count = arguments.get(2).and_then(|text| text.parse().ok());
            arguments.get(1).zip(count).is_some_and(|(rule, count)| many(count, 0, rule))
        }
        (_, Some(count), from) => many(count, from.unwrap_or(0), ""),
        _ => {
            println!("simulation COUNT [FROM] | only RULE COUNT | seed N | overtake");
            false
        }
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A single schedule, with a trace.
fn one(seed: u64) -> bool {
    let outcome = pairs::replay(seed);
    println!("{}\n{:#?}", outcome.trace.join("\n"), outcome.broken);
    outcome.broken.is_empty()
}

/// So many schedules of every pair, judged by the rules whose name begins with `rule`.
fn many(count: u64, from: u64, rule: &str) -> bool {
    let parts: Vec<pairs::Found> = std::thread::scope(|scope| {
        let part = |rest: u64| move || pairs::search((from + rest..from + count).step_by(2), rule);
        let started: Vec<_> = (0..THREADS).map(|rest| scope.spawn(part(rest))).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut all = pairs::Found::new();
    for (key, (times, seed, why)) in parts.into_iter().flatten() {
        let known = all.entry(key).or_insert((0, seed, why.clone()));
        known.0 += times;
        if seed < known.1 {
            (known.1, known.2) = (seed, why);
        }
    }
    for ((pair, _), (times, seed, why)) in &all {
        println!("{pair}: {times} times, `simulation seed {seed}`: {why}");
    }
    println!("{count} schedules of every pair, {} kinds of faults", all.len());
    all.is_empty()
}

/// Every point at which one run can be overtaken as a whole.
fn overtake() -> bool {
    let (wrong, schedules, states) = pairs::overtake();
    wrong.iter().for_each(|one| println!("{one}\n"));
    println!("{schedules} schedules, {states} states with what a run did there");
    wrong.is_empty()
}
