//! Two runs at once, in some schedules of every pair of commands.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test may panic")]

use std::process::Command;

/// Runs the simulation; what it printed, if it found a fault.
fn plays(arguments: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_simulation")).args(arguments).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn invariant_44_two_runs_in_any_order_leave_users_served_and_say_what_is_true() {
    plays(&["200"]);
}

#[test]
fn invariant_44_schedules_that_were_wrong_once_are_good() {
    for seed in [
        "276010", "1078023", "1312021", "103036", "100040", "714014", "298043", "89015", "310010", "117033",
        "380019", "496019", "630032", "1032022", "1939040", "67036", "11040", "2037",
    ] {
        plays(&["seed", seed]);
    }
}

#[test]
fn invariant_36_a_run_looks_at_the_rules_again_once_its_lower_count_shows() {
    plays(&["only", "36", "100"]);
}

#[test]
fn invariant_37_healthy_targets_of_no_task_let_no_run_move_users() {
    plays(&["only", "37", "100"]);
}

#[test]
fn invariant_40_equal_writes_are_few_and_apart_and_every_run_ends() {
    plays(&["only", "40", "100"]);
}

#[test]
#[ignore = "a minute: see CONTRIBUTING.md"]
fn invariant_44_every_point_at_which_a_run_can_be_overtaken_as_a_whole() {
    plays(&["overtake"]);
}
