//! Probes of both colors: when they are sent, and how their answers differ.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ColorPair;
use crate::plan::color::Color;
use crate::plan::step::{Next, ProbeFailure, Step, Wait};
use crate::plan::time::Time;

/// Time between two rounds of probes during a bake.
const EVERY: Duration = Duration::from_secs(60);

/// A color that takes so many times as long as the other is reported.
const SLOWER: u32 = 5;

/// Fewest tries before times are compared. One slow answer shows nothing.
const FEWEST_TRIES: u32 = 3;

/// Smallest difference in time of one try that is reported.
const LEAST_DIFFERENCE: Duration = Duration::from_millis(50);

/// The last answer of a color to a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbeTry {
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// The answer against the expectation.
    pub(crate) judged: Result<(), ProbeFailure>,
    /// Time until the answer.
    pub(crate) took: Duration,
}

/// A difference between the colors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProbeDifference {
    /// The probe's path.
    pub(crate) path: String,
    /// The kind.
    pub(crate) kind: ProbeDifferenceKind,
}

/// The kind of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProbeDifferenceKind {
    /// The statuses differ. None: no answer.
    Status(ColorPair<Option<u16>>),
    /// One color takes more than five times as long, on average over all tries.
    Time {
        /// The slower color.
        slower: Color,
        /// The average times.
        times: ColorPair<Duration>,
    },
}

/// Tries of one probe so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Tries {
    /// Number of tries.
    count: u32,
    /// Time of all tries.
    times: ColorPair<Duration>,
    /// True once other statuses were reported.
    told_status: bool,
    /// True once other times were reported.
    told_time: bool,
}

/// A run's memory of the probes of both colors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probed {
    /// Time of the last round.
    sent: Option<Time>,
    /// The tries, by path.
    tries: BTreeMap<String, Tries>,
}

impl Probed {
    /// True if the probes are due: before the first write of weights, and every minute of a bake. Notes the round.
    pub(crate) fn is_due(&mut self, next: &Next, now: Time) -> bool {
        let is_due = match next {
            Next::Step(Step::Weights(_)) => self.sent.is_none(),
            Next::Wait(Wait::Bake { .. }) => self.sent.is_none_or(|sent| now.since(sent) >= EVERY),
            Next::Step(_) | Next::Wait(_) | Next::Read(_) | Next::Follow(_) => false,
            Next::Restore(..) | Next::Refuse(_) | Next::Done(_) => false,
        };
        if is_due {
            self.sent = Some(now);
        }
        is_due
    }

    /// Notes the answers to a probe, and gives the differences that are new.
    pub(crate) fn note(&mut self, path: &str, tries: &ColorPair<ProbeTry>) -> Vec<ProbeDifference> {
        let known = self.tries.entry(path.to_owned()).or_default();
        known.count += 1;
        known.times.blue += tries.blue.took;
        known.times.green += tries.green.took;
        let statuses = ColorPair { blue: tries.blue.status, green: tries.green.status };
        let status = (statuses.blue != statuses.green).then_some(ProbeDifferenceKind::Status(statuses));
        let status = status.filter(|_| !known.told_status);
        let time = known.time_difference().filter(|_| !known.told_time);
        known.told_status |= status.is_some();
        known.told_time |= time.is_some();
        let difference = |kind| ProbeDifference { path: path.to_owned(), kind };
        status.into_iter().chain(time).map(difference).collect()
    }
}

impl Tries {
    /// The difference in time over all tries, if there are enough.
    fn time_difference(&self) -> Option<ProbeDifferenceKind> {
        let slower = if self.times.green > self.times.blue { Color::Green } else { Color::Blue };
        let (long, short) = self.times.facing(slower);
        let differs = self.count >= FEWEST_TRIES
            && *long > *short * SLOWER
            && *long - *short >= LEAST_DIFFERENCE * self.count;
        let average = |time: Duration| time / self.count.max(1);
        let times = ColorPair { blue: average(self.times.blue), green: average(self.times.green) };
        differs.then_some(ProbeDifferenceKind::Time { slower, times })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Split;

    /// An answer with this status after this time in milliseconds.
    fn answer(status: u16, took: u64) -> ProbeTry {
        ProbeTry { status: Some(status), judged: Ok(()), took: Duration::from_millis(took) }
    }

    /// The differences of each round of answers.
    fn rounds(all: &[(ProbeTry, ProbeTry)]) -> Vec<Vec<ProbeDifferenceKind>> {
        let mut probed = Probed::default();
        let round = |(blue, green): &(ProbeTry, ProbeTry)| {
            let pair = ColorPair { blue: blue.clone(), green: green.clone() };
            probed.note("/healthz", &pair).into_iter().map(|found| found.kind).collect()
        };
        all.iter().map(round).collect()
    }

    #[test]
    fn probes_are_sent_before_users_come_and_every_minute_of_a_bake() {
        let at = |seconds: u64| Time(1_000_000).after(Duration::from_secs(seconds));
        let split = Split { blue: 80, green: 20 };
        let bake = Next::Wait(Wait::Bake { split, left: EVERY, no_data: Vec::new() });
        let probe = Next::Step(Step::Probe(Color::Green.into()));
        let mut probed = Probed::default();
        assert!(!probed.is_due(&probe, at(0)));
        assert!(probed.is_due(&bake, at(0)), "a run that goes on has not sent them");
        assert!(!probed.is_due(&bake, at(59)) && probed.is_due(&bake, at(60)));
        assert!(!probed.is_due(&bake, at(119)) && probed.is_due(&bake, at(120)));
    }

    #[test]
    fn another_status_is_reported_once() {
        let other = (answer(200, 5), answer(302, 5));
        let status = ProbeDifferenceKind::Status(ColorPair { blue: Some(200), green: Some(302) });
        assert_eq!(rounds(&[other.clone(), other]), [vec![status], vec![]]);
        let no_answer = ProbeTry { status: None, ..answer(200, 5) };
        let status = ProbeDifferenceKind::Status(ColorPair { blue: Some(200), green: None });
        assert_eq!(rounds(&[(answer(200, 5), no_answer)]), [vec![status]]);
    }

    #[test]
    fn a_time_of_more_than_five_times_the_other_is_reported_after_three_tries() {
        let slow = (answer(200, 20), answer(200, 101));
        let times = ColorPair { blue: Duration::from_millis(20), green: Duration::from_millis(101) };
        let time = ProbeDifferenceKind::Time { slower: Color::Green, times };
        let found = rounds(&[slow.clone(), slow.clone(), slow.clone(), slow]);
        assert_eq!(found, [vec![], vec![], vec![time], vec![]]);
        let as_slow = (answer(200, 20), answer(200, 100));
        assert_eq!(rounds(&[as_slow.clone(), as_slow.clone(), as_slow]), [vec![], vec![], vec![]]);
        let short = (answer(200, 1), answer(200, 40));
        assert_eq!(rounds(&[short.clone(), short.clone(), short]), [vec![], vec![], vec![]]);
    }
}
