//! What the users saw, counted.

use std::collections::BTreeMap;
use std::time::Instant;

/// How many kinds of failures are told apart; all failures are counted.
const KEPT: usize = 10;

/// Who answered a user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answer {
    /// `blue`, `green`, or `nobody` when no task of theirs answered.
    pub(super) color: String,
    /// The version that the user read.
    pub(super) version: String,
}

impl Answer {
    /// An answer of this color and version.
    pub(super) fn new(color: &str, version: &str) -> Self {
        Self { color: color.to_owned(), version: version.to_owned() }
    }
}

/// Failures in which users saw the same.
#[derive(Debug, Clone)]
struct Kind {
    /// What they saw.
    text: String,
    /// How often.
    count: u64,
    /// When first, in seconds since the first user came.
    first: f64,
}

/// Every request so far, each counted once. Nothing is sent again, so nothing is forgiven.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    /// The answer that all users must get.
    expected: Answer,
    /// When the first user came.
    began: Instant,
    /// Good answers by who gave them.
    good: BTreeMap<Answer, u64>,
    /// Requests that failed.
    failed: u64,
    /// Their kinds, in the order in which they came.
    failures: Vec<Kind>,
    /// Requests that ended in each second since the first user came.
    seconds: Vec<u64>,
}

impl Tally {
    /// Nothing so far.
    pub(super) fn new(expected: Answer) -> Self {
        let began = Instant::now();
        Self { expected, began, good: BTreeMap::new(), failed: 0, failures: Vec::new(), seconds: Vec::new() }
    }

    /// Counts one request: who answered with 200, or what went wrong.
    pub(super) fn count(&mut self, outcome: Result<Answer, String>) {
        let time = self.began.elapsed();
        let second = usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
        if self.seconds.len() <= second {
            self.seconds.resize(second + 1, 0);
        }
        self.seconds[second] += 1;
        let wrong = match outcome {
            Ok(answer) if answer == self.expected => {
                *self.good.entry(answer).or_default() += 1;
                return;
            }
            Ok(Answer { color, version }) => format!(
                "{} of {color} answered, {} of {} was expected",
                version, self.expected.version, self.expected.color
            ),
            Err(wrong) => wrong,
        };
        self.failed += 1;
        let room = self.failures.len() < KEPT;
        match self.failures.iter_mut().find(|kind| kind.text == wrong) {
            Some(kind) => kind.count += 1,
            None if room => {
                self.failures.push(Kind { text: wrong, count: 1, first: time.as_secs_f64() });
            }
            None => {}
        }
    }

    /// All requests.
    pub(super) fn requests(&self) -> u64 {
        self.good.values().sum::<u64>() + self.failed
    }

    /// Requests that failed.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    /// What went wrong, in one line a kind: `40 times, first at 6.2 s: status 503`.
    pub(super) fn failures(&self) -> Vec<String> {
        let line =
            |Kind { text, count, first }: &Kind| format!("{count} times, first at {first:.1} s: {text}");
        self.failures.iter().map(line).collect()
    }

    /// Requests a second, from the first to now.
    pub(super) fn rate(&self) -> f64 {
        self.requests() as f64 / self.began.elapsed().as_secs_f64().max(0.001)
    }

    /// Good answers of a color.
    pub(super) fn of_color(&self, color: &str) -> u64 {
        self.good.iter().filter(|(answer, _)| answer.color == color).map(|(_, count)| count).sum()
    }

    /// The numbers in one line.
    pub(super) fn line(&self) -> String {
        let last = self.seconds.iter().rev().nth(1).copied().unwrap_or(0);
        let mut parts = vec![format!("users: {} requests, {last}/s", grouped(self.requests()))];
        for (Answer { color, version }, count) in &self.good {
            parts.push(format!("{color} {version}: {}", grouped(*count)));
        }
        let silent = ["blue", "green"].into_iter().filter(|color| self.of_color(color) == 0);
        parts.extend(silent.map(|color| format!("{color}: 0")));
        parts.push(format!("failed: {}", grouped(self.failed)));
        parts.join(" │ ")
    }
}

/// A number with commas.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_expected_answer_is_a_failure() {
        let mut tally = Tally::new(Answer::new("blue", "v1"));
        for outcome in [
            Ok(Answer::new("blue", "v1")),
            Ok(Answer::new("green", "v1")),
            Ok(Answer::new("blue", "v2")),
            Err("status 503".to_owned()),
            Err("status 503".to_owned()),
        ] {
            tally.count(outcome);
        }
        assert_eq!((tally.requests(), tally.failed(), tally.of_color("blue")), (5, 4, 1));
        assert_eq!(
            tally.failures(),
            [
                "1 times, first at 0.0 s: v1 of green answered, v1 of blue was expected",
                "1 times, first at 0.0 s: v2 of blue answered, v1 of blue was expected",
                "2 times, first at 0.0 s: status 503"
            ]
        );
        assert_eq!(tally.line(), "users: 5 requests, 0/s │ blue v1: 1 │ green: 0 │ failed: 4");
    }

    #[test]
    fn failures_are_all_counted_though_few_kinds_are_told() {
        let mut tally = Tally::new(Answer::new("blue", "v1"));
        (0..1234).for_each(|number| tally.count(Err(format!("no answer to {number}"))));
        assert_eq!((tally.failed(), tally.failures().len()), (1234, KEPT));
        assert!(tally.line().ends_with("failed: 1,234"));
    }
}
