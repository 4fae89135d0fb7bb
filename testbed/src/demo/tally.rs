//! The users' answers, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

/// Most kinds of failures that are kept apart; all failures are counted.
const KEPT: usize = 10;

/// The task that answered a user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answer {
    /// `blue`, `green`, or `nobody` if no task of either color answered.
    pub(super) color: String,
    /// The version that answered.
    pub(super) version: String,
}

impl Answer {
    /// An answer of this color and version.
    pub(super) fn new(color: &str, version: &str) -> Self {
        Self { color: color.to_owned(), version: version.to_owned() }
    }
}

/// `v1 of blue`.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.version, self.color)
    }
}

/// The result of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer with status 200.
    Good(Answer),
    /// An answer with status 500, which a task gave itself.
    Bad(Answer),
    /// No answer, or an answer without a task: the error.
    Lost(String),
}

/// The tasks that may answer a request, fixed at the time of sending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// The correct good answers.
    pub(super) good: Vec<Answer>,
    /// The task that may answer 500: a bad version that has users for a while.
    pub(super) bad: Option<Answer>,
}

impl Expected {
    /// Good answers of one color and version.
    pub(super) fn only(answer: Answer) -> Self {
        Self { good: vec![answer], bad: None }
    }
}

/// `v1 of blue or v2 of green`.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.good.iter().chain(&self.bad).map(Answer::to_string).collect();
        f.write_str(&all.join(" or "))
    }
}

/// Failures with the same text for users.
#[derive(Debug, Clone)]
struct Kind {
    /// The text.
    text: String,
    /// The number.
    count: u64,
    /// Time of the first, in seconds since the first user.
    first: f64,
}

/// Every request so far, each counted once. Nothing is retried, so nothing is forgiven.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    /// Time of the first user.
    began: Instant,
    /// Good answers, by answering task.
    good: BTreeMap<Answer, u64>,
    /// Answers with 500 of a version that was known to be bad, by answering task.
    bad: BTreeMap<Answer, u64>,
    /// Requests that failed, and that a good version should have answered.
    failed: u64,
    /// The kinds of failures, in order of appearance.
    failures: Vec<Kind>,
    /// Requests that ended in each second since the first user.
    seconds: Vec<u64>,
}

impl Tally {
    /// An empty tally.
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            good: BTreeMap::new(),
            bad: BTreeMap::new(),
            failed: 0,
            failures: Vec::new(),
            seconds: Vec::new(),
        }
    }

    /// Counts one request.
    pub(super) fn count(&mut self, expected: &Expected, outcome: Outcome) {
        let time = self.began.elapsed();
        let second = usize::try_from(time.as_secs()).unwrap_or(usize::MAX);
        if self.seconds.len() <= second {
            self.seconds.resize(second + 1, 0);
        }
        self.seconds[second] += 1;
        let wrong = match outcome {
            Outcome::Good(answer) if expected.good.contains(&answer) => {
                *self.good.entry(answer).or_default() += 1;
                return;
            }
            Outcome::Bad(answer) if expected.bad.as_ref() == Some(&answer) => {
                *self.bad.entry(answer).or_default() += 1;
                return;
            }
            Outcome::Good(answer) => format!("{answer} answered, {expected} was expected"),
            Outcome::Bad(answer) => format!("{answer} answered 500, {expected} was expected"),
            Outcome::Lost(wrong) => wrong,
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
        self.good.values().sum::<u64>() + self.bad() + self.failed
    }

    /// Requests that failed, and that a good version should have answered.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    /// Requests that a bad version answered with 500 itself, while it was known to have users.
    pub(super) fn bad(&self) -> u64 {
        self.bad.values().sum()
    }

    /// The failures, one line a kind: `40 times, first at 6.2 s: status 503`.
    pub(super) fn failures(&self) -> Vec<String> {
        let line =
            |Kind { text, count, first }: &Kind| format!("{count} times, first at {first:.1} s: {text}");
        self.failures.iter().map(line).collect()
    }

    /// Requests a second, from the first to now.
    pub(super) fn rate(&self) -> f64 {
        self.requests() as f64 / self.began.elapsed().as_secs_f64().max(0.001)
    }

    /// Answers of a color, including those of a bad version.
    pub(super) fn of_color(&self, color: &str) -> u64 {
        let all = self.good.iter().chain(&self.bad);
        all.filter(|(answer, _)| answer.color == color).map(|(_, count)| count).sum()
    }

    /// Percentage of users that a color answered since an earlier count; none without answers.
    pub(super) fn share(&self, earlier: &Tally, color: &str) -> Option<f64> {
        let more = |color| self.of_color(color).saturating_sub(earlier.of_color(color));
        let all = more("blue") + more("green");
        (all > 0).then(|| more(color) as f64 * 100.0 / all as f64)
    }

    /// The numbers in one line.
    pub(super) fn line(&self) -> String {
        let last = self.seconds.iter().rev().nth(1).copied().unwrap_or(0);
        let mut parts = vec![format!("users: {} requests, {last}/s", grouped(self.requests()))];
        for (Answer { color, version }, count) in &self.good {
            parts.push(format!("{color} {version}: {}", grouped(*count)));
        }
        for (Answer { color, version }, count) in &self.bad {
            parts.push(format!("500 of {color} {version}: {}", grouped(*count)));
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

    /// A good answer.
    fn good(color: &str, version: &str) -> Outcome {
        Outcome::Good(Answer::new(color, version))
    }

    /// An answer with 500.
    fn bad(color: &str, version: &str) -> Outcome {
        Outcome::Bad(Answer::new(color, version))
    }

    /// A request without an answer.
    fn lost(why: &str) -> Outcome {
        Outcome::Lost(why.to_owned())
    }

    #[test]
    fn everything_but_the_expected_answer_is_a_failure() {
        let mut tally = Tally::new();
        let expected = Expected::only(Answer::new("blue", "v1"));
        for outcome in [
            good("blue", "v1"),
            good("green", "v1"),
            good("blue", "v2"),
            bad("blue", "v1"),
            lost("status 503"),
            lost("status 503"),
        ] {
            tally.count(&expected, outcome);
        }
        assert_eq!((tally.requests(), tally.failed(), tally.of_color("blue")), (6, 5, 1));
        assert_eq!(
            tally.failures(),
            [
                "1 times, first at 0.0 s: v1 of green answered, v1 of blue was expected",
                "1 times, first at 0.0 s: v2 of blue answered, v1 of blue was expected",
                "1 times, first at 0.0 s: v1 of blue answered 500, v1 of blue was expected",
                "2 times, first at 0.0 s: status 503"
            ]
        );
        assert_eq!(tally.line(), "users: 6 requests, 0/s │ blue v1: 1 │ green: 0 │ failed: 5");
    }

    #[test]
    fn during_a_shift_both_colors_may_answer_and_afterwards_the_winner_alone() {
        let mut tally = Tally::new();
        let both = Expected { good: vec![Answer::new("blue", "v1"), Answer::new("green", "v2")], bad: None };
        tally.count(&both, good("blue", "v1"));
        let earlier = tally.clone();
        (0..3).for_each(|_| tally.count(&both, good("green", "v2")));
        tally.count(&both, good("blue", "v1"));
        assert_eq!((tally.failed(), tally.share(&earlier, "green")), (0, Some(75.0)));
        tally.count(&both, good("green", "v1"));
        tally.count(&Expected::only(Answer::new("green", "v2")), good("blue", "v1"));
        assert_eq!(
            tally.failures(),
            [
                "1 times, first at 0.0 s: v1 of green answered, v1 of blue or v2 of green was expected",
                "1 times, first at 0.0 s: v1 of blue answered, v2 of green was expected"
            ]
        );
        assert_eq!(tally.share(&tally, "green"), None);
    }

    #[test]
    fn a_bad_version_is_counted_apart_and_for_nothing_but_its_own_answers() {
        let mut tally = Tally::new();
        let expected =
            Expected { good: vec![Answer::new("green", "v2")], bad: Some(Answer::new("blue", "v4")) };
        tally.count(&expected, bad("blue", "v4"));
        assert_eq!((tally.bad(), tally.failed(), tally.requests()), (1, 0, 1));
        assert_eq!(tally.line(), "users: 1 requests, 0/s │ 500 of blue v4: 1 │ green: 0 │ failed: 0");
        for outcome in [bad("green", "v2"), bad("blue", "v1"), good("blue", "v4"), lost("status 502")] {
            tally.count(&expected, outcome);
        }
        tally.count(&Expected::only(Answer::new("green", "v2")), bad("blue", "v4"));
        assert_eq!((tally.bad(), tally.failed()), (1, 5));
        assert!(tally.failures().contains(
            &"1 times, first at 0.0 s: v4 of blue answered 500, v2 of green was expected".to_owned()
        ));
    }

    #[test]
    fn failures_are_all_counted_though_few_kinds_are_told() {
        let mut tally = Tally::new();
        let expected = Expected::default();
        (0..1234).for_each(|number| tally.count(&expected, lost(&format!("no answer to {number}"))));
        assert_eq!((tally.failed(), tally.failures().len()), (1234, KEPT));
        assert!(tally.line().ends_with("failed: 1,234"));
    }
}
