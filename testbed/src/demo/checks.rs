//! The demo's expectations and results: the verdict.

use super::tally::Tally;
use super::users::LEAST_RATE;
use std::process::ExitCode;
use testbed::checker::Violation;

/// The step of a check: the text before the colon.
fn step(what: &str) -> Option<&str> {
    what.split_once(": ").map(|(step, _)| step)
}

/// All checks, in order.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// The sentence that must be true; the actual finding if false.
    made: Vec<(String, Option<String>)>,
}

impl Checks {
    /// Checks that a value is as expected.
    pub(super) fn equal(&mut self, what: &str, found: &str, expected: &str) {
        let instead = (found != expected).then(|| format!("`{found}`"));
        self.made.push((format!("{what} is `{expected}`"), instead));
    }

    /// Checks a sentence; `found` is the actual finding if the sentence is false.
    pub(super) fn holds(&mut self, sentence: &str, is_true: bool, found: &str) {
        self.made.push((sentence.to_owned(), (!is_true).then(|| found.to_owned())));
    }

    /// Checks the users' answers.
    pub(super) fn users(&mut self, tally: &Tally) {
        let (requests, failed, rate) = (tally.requests(), tally.failed(), tally.rate());
        self.holds(
            "no request failed that a good version should have answered",
            failed == 0,
            &format!("{failed} of {requests} failed"),
        );
        let enough = rate >= LEAST_RATE && requests > 0;
        let sentence = format!("the users asked at least {LEAST_RATE:.0} times a second");
        self.holds(&sentence, enough, &format!("they asked {rate:.0} times a second"));
    }

    /// Checks that the testbed's own checker found no violation.
    pub(super) fn watch(&mut self, violations: &[Violation]) {
        let told: Vec<String> = (violations.iter())
            .map(|broken| {
                format!("invariant {} after call {}: {}", broken.invariant, broken.call, broken.text)
            })
            .collect();
        self.holds("the testbed's checker saw no unsafe state", told.is_empty(), &told.join("; "));
    }

    /// One line for all successful checks of a step, and one for each failed check.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for of_step in self.made.chunk_by(|one, next| step(&one.0).is_some() && step(&one.0) == step(&next.0))
        {
            let good: Vec<&String> =
                of_step.iter().filter(|(_, instead)| instead.is_none()).map(|(what, _)| what).collect();
            match (&good[..], good.first().and_then(|what| step(what))) {
                ([_, _, ..], Some(step)) => lines.push(format!("  ok  {step}: {} checks", good.len())),
                (few, _) => lines.extend(few.iter().map(|what| format!("  ok  {what}"))),
            }
            let bad = of_step.iter().filter_map(|(what, instead)| Some((what, instead.as_ref()?)));
            lines.extend(bad.map(|(what, found)| format!("  !!  {what}; instead: {found}")));
        }
        lines
    }

    /// Number of failed expectations.
    pub(super) fn surprises(&self) -> usize {
        self.made.iter().filter(|(_, instead)| instead.is_some()).count()
    }

    /// The last line, and the exit code: 0 only if every check holds.
    pub(super) fn verdict(&self, tally: &Tally) -> (String, ExitCode) {
        let line = format!("demo: {} requests, {} failed", tally.requests(), tally.failed());
        match self.surprises() {
            0 if tally.failed() == 0 => (line, ExitCode::SUCCESS),
            1 => (format!("{line}, 1 check did not hold"), ExitCode::FAILURE),
            more => (format!("{line}, {more} checks did not hold"), ExitCode::FAILURE),
        }
    }
}
