//! The minutes that count: whole, old enough that CloudWatch has all their data, with requests of both colors that fit
//! the weights.

use std::time::Duration;

use super::sequential::{Trial, TrialMinute};
use super::{ColorPair, Counts, Evidence, Latency, Minute, MinuteOfColor};
use crate::plan::color::{Color, Split};
use crate::plan::time::Time;

/// Length of a minute.
const MINUTE: Duration = Duration::from_secs(60);

/// Time after the end of a minute in which CloudWatch may still add to it.
const COMPLETE_AFTER: Duration = Duration::from_secs(120);

/// Age of the oldest minute of the observed split: 15 whole minutes before those that are not complete.
const RECENT: Duration = Duration::from_secs(18 * 60);

/// Standard deviations by which the observed share may differ from the weight.
const CHANCE: f64 = 4.0;

/// Share of all requests by which the observed share may differ from the weight in addition: the load balancer rounds,
/// and probes of test rules count in the same group.
const ROUNDING: f64 = 0.01;

/// The minutes that count.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole {
    /// The counts, oldest minute first, with the response times.
    pub(super) minutes: Vec<(ColorPair<Counts>, ColorPair<Option<Latency>>)>,
    /// Number of minutes left out because their requests do not fit the weights.
    pub(super) left_out: usize,
    /// Requests of the last 15 whole minutes, including minutes left out.
    pub(super) recent: ColorPair<u64>,
}

/// The minutes that count. With a split, only those whose requests fit the weights.
pub(super) fn counted_minutes(evidence: &Evidence<'_>, split: Option<Split>) -> Whole {
    let mut all: Vec<&Minute> =
        evidence.minutes.iter().filter(|it| is_complete(it.start, evidence.since, evidence.now)).collect();
    all.sort_by_key(|minute| minute.start);
    let mut whole = Whole::default();
    for minute in all {
        let ColorPair { blue, green } = minute.colors;
        if minute.start.after(RECENT) >= evidence.now {
            whole.add_recent(blue, green);
        }
        let Some(counts) = both_counts(blue, green) else { continue };
        if split.is_none_or(|split| fits(counts, split)) {
            whole.minutes.push((counts, ColorPair { blue: blue.latency, green: green.latency }));
        } else {
            whole.left_out += 1;
        }
    }
    whole
}

/// When the last whole minute of a step is complete in CloudWatch. None for a step without a whole minute.
pub(super) fn last_minute_complete(began: Time, ended: Time) -> Option<Time> {
    let minute = MINUTE.as_secs() * 1_000;
    let (first, last) = (began.0.div_ceil(minute), ended.0 / minute);
    (last > first).then(|| Time(last * minute).after(COMPLETE_AFTER))
}

/// Longest time that a step is held after a bake for its last minutes: none if no whole minute fits into the bake.
pub(crate) fn longest_hold(bake: Duration) -> Duration {
    if bake < MINUTE { Duration::ZERO } else { COMPLETE_AFTER }
}

/// True if the minute lies after `since`, and CloudWatch has all of it.
fn is_complete(start: Time, since: Time, now: Time) -> bool {
    start >= since && start.after(MINUTE).after(COMPLETE_AFTER) <= now
}

/// Both colors' counts, if both have requests.
fn both_counts(blue: MinuteOfColor, green: MinuteOfColor) -> Option<ColorPair<Counts>> {
    let of = |minute: MinuteOfColor| minute.counts.filter(|counts| counts.requests > 0);
    Some(ColorPair { blue: of(blue)?, green: of(green)? })
}

/// True if the observed share differs from the weight by no more than chance and rounding.
fn fits(counts: ColorPair<Counts>, split: Split) -> bool {
    let [blue, green] = [counts.blue.requests, counts.green.requests].map(|requests| requests as f64);
    let share = f64::from(split.green) / f64::from(split.green.saturating_add(split.blue).max(1));
    let all = blue + green;
    let deviation = (all * share * (1.0 - share)).sqrt();
    (green - all * share).abs() <= CHANCE * deviation + ROUNDING * all + 1.0
}

impl Whole {
    /// Adds the requests of a minute to the observed split.
    fn add_recent(&mut self, blue: MinuteOfColor, green: MinuteOfColor) {
        let requests = |minute: MinuteOfColor| minute.counts.map_or(0, |counts| counts.requests);
        self.recent.blue = self.recent.blue.saturating_add(requests(blue));
        self.recent.green = self.recent.green.saturating_add(requests(green));
    }

    /// The counts of all minutes.
    pub(super) fn sums(&self) -> ColorPair<Counts> {
        let add = |sum: ColorPair<Counts>, counts: &ColorPair<Counts>| ColorPair {
            blue: sum.blue.plus(counts.blue),
            green: sum.green.plus(counts.green),
        };
        self.minutes.iter().map(|(counts, _)| counts).fold(ColorPair::default(), add)
    }

    /// True if no minute fits the weights, or if all together do not.
    pub(super) fn has_other_requests(&self, split: Split) -> bool {
        match self.minutes.is_empty() {
            true => self.left_out > 0,
            false => !fits(self.sums(), split),
        }
    }

    /// The trial of one count: the color against the other.
    pub(super) fn trial(&self, color: Color, count: fn(Counts) -> u64) -> Trial {
        let minute = |(counts, _): &(ColorPair<Counts>, _)| {
            let (own, other) = counts.facing(color);
            TrialMinute {
                own_requests: own.requests,
                own_failures: count(*own),
                other_requests: other.requests,
                other_failures: count(*other),
            }
        };
        Trial { minutes: self.minutes.iter().map(minute).collect() }
    }

    /// The response times of each color's median minute, for each percentile alone.
    pub(super) fn latency(&self) -> ColorPair<Option<Latency>> {
        let all = |of: fn(&ColorPair<Option<Latency>>) -> Option<Latency>| {
            median_latency(self.minutes.iter().filter_map(|(_, latency)| of(latency)).collect())
        };
        ColorPair { blue: all(|pair| pair.blue), green: all(|pair| pair.green) }
    }
}

/// The median of each percentile. None without minutes.
fn median_latency(minutes: Vec<Latency>) -> Option<Latency> {
    let median = |of: fn(&Latency) -> Duration| {
        let mut all: Vec<Duration> = minutes.iter().map(of).collect();
        all.sort();
        all.get(all.len().saturating_sub(1) / 2).copied()
    };
    Some(Latency { p50: median(|it| it.p50)?, p95: median(|it| it.p95)?, p99: median(|it| it.p99)? })
}
