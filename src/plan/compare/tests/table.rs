//! The test statistic against `.ci/compare.py`, which computes it by products of decimals.

use super::super::sequential::TrialMinute;
use super::*;

/// The output of `.ci/compare.py`.
const TABLE: &str = include_str!("table.txt");

/// The lines of one kind, as their two sides.
fn lines(kind: &str) -> Vec<(&'static str, &'static str)> {
    TABLE.lines().filter_map(|line| line.strip_prefix(kind)?.trim().split_once(" | ")).collect()
}

/// Numbers between commas.
fn numbers(text: &str) -> Vec<u64> {
    text.split(',').map(|number| number.parse().unwrap()).collect()
}

/// A trial of green against blue, or of blue against green.
fn trial(minutes: &str, of_green: bool) -> Trial {
    let minute = |text: &str| {
        let [n, b, m, g] = numbers(text).try_into().unwrap();
        let (other, own) = if of_green { ((n, b), (m, g)) } else { ((m, g), (n, b)) };
        TrialMinute {
            own_requests: own.0,
            own_failures: own.1,
            other_requests: other.0,
            other_failures: other.1,
        }
    };
    Trial { minutes: minutes.split(' ').map(minute).collect() }
}

#[test]
fn the_ratio_is_the_one_that_decimals_give() {
    let known = lines("trial");
    assert_eq!(known.len(), 9);
    for (minutes, logs) in known {
        let (green, blue) = logs.split_once(' ').unwrap();
        for (of_green, log) in [(true, green), (false, blue)] {
            let log: f64 = log.parse().unwrap();
            let ours = trial(minutes, of_green).log_ratio();
            assert!((ours - log).abs() < 1e-9 * log.abs().max(1.0), "{minutes}: {ours} is not {log}");
        }
    }
}

#[test]
fn the_failures_of_one_color_alone_that_are_enough() {
    let known = lines("alone");
    assert_eq!(known.len(), 6);
    for (weights, enough) in known {
        let weights = numbers(weights);
        let split = Split { blue: weights[0] as u32, green: weights[1] as u32 };
        let ours = Trial::of_split(split, Color::Green).enough();
        assert_eq!(ours.to_string(), enough, "at {split}");
    }
}
