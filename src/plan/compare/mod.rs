//! The two colors compared by the load balancer's counts of the same minutes: minutes in, verdict out. A split without
//! stickiness is a randomized trial, because the load balancer picks a color for each request.

mod minutes;
mod of_snapshot;
mod probes;
mod sequential;
#[cfg(test)]
mod tests;
mod watch;

use std::time::Duration;

pub(crate) use self::minutes::longest_hold;
pub(crate) use self::of_snapshot::{are_both_live, compare_snapshot};
pub(crate) use self::probes::{ProbeDifference, ProbeDifferenceKind, ProbeTry, Probed};
pub(crate) use self::watch::Watch;

use self::minutes::{Whole, counted_minutes};
use self::sequential::Trial;
use super::color::{Color, Split};
use super::time::Time;

/// The inputs `compare` and `compare-tolerance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompareSettings {
    /// The reaction to a worse color.
    pub(crate) mode: CompareMode,
    /// Smallest difference that makes a color worse, in thousandths of a percentage point.
    pub(crate) tolerance: u32,
}

impl CompareSettings {
    /// No comparison.
    pub(crate) const OFF: CompareSettings = CompareSettings { mode: CompareMode::Off, tolerance: 200 };
}

/// The reaction to a worse color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompareMode {
    /// During a bake, users go back to where the run found them.
    Back,
    /// The comparison is only reported.
    Watch,
    /// No comparison.
    Off,
}

/// One value for blue, and one for green.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ColorPair<T> {
    /// Blue's value.
    pub(crate) blue: T,
    /// Green's value.
    pub(crate) green: T,
}

impl<T> ColorPair<T> {
    /// The value of the color first, then the value of the other color.
    pub(crate) fn facing(&self, color: Color) -> (&T, &T) {
        match color {
            Color::Green => (&self.green, &self.blue),
            Color::Blue => (&self.blue, &self.green),
        }
    }
}

/// Counts of one target group, in one minute or in several.
/// Source: "CloudWatch metrics for your Application Load Balancer".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// `RequestCount`.
    pub(crate) requests: u64,
    /// `HTTPCode_Target_5XX_Count`.
    pub(crate) failed: u64,
    /// `TargetConnectionErrorCount`. The load balancer answers such a request itself, so no `failed` includes it.
    pub(crate) refused: u64,
    /// `HTTPCode_Target_4XX_Count`.
    pub(crate) client_errors: u64,
}

impl Counts {
    /// Requests without a good answer. A request whose connection failed twice counts once.
    pub(crate) fn failures(self) -> u64 {
        self.failed.saturating_add(self.refused).min(self.requests)
    }

    /// The sum of both.
    fn plus(self, other: Counts) -> Counts {
        Counts {
            requests: self.requests.saturating_add(other.requests),
            failed: self.failed.saturating_add(other.failed),
            refused: self.refused.saturating_add(other.refused),
            client_errors: self.client_errors.saturating_add(other.client_errors),
        }
    }
}

/// `TargetResponseTime` of one minute, or of the median minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Latency {
    /// p50.
    pub(crate) p50: Duration,
    /// p95.
    pub(crate) p95: Duration,
    /// p99.
    pub(crate) p99: Duration,
}

/// One color's part of a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MinuteOfColor {
    /// The counts. None without a `RequestCount`: the group got no request, or CloudWatch has no data yet.
    pub(crate) counts: Option<Counts>,
    /// The response times. None if CloudWatch has none.
    pub(crate) latency: Option<Latency>,
}

/// One minute of both colors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Minute {
    /// The start.
    pub(crate) start: Time,
    /// Both colors' part.
    pub(crate) colors: ColorPair<MinuteOfColor>,
}

/// All that a judgement takes into account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    /// The minutes, in any order, each start once.
    pub(crate) minutes: &'a [Minute],
    /// The time of the look.
    pub(crate) now: Time,
    /// When the newer of the two running deployments completed.
    pub(crate) since: Time,
    /// The configured weights, and if the comparison can be judged at all.
    pub(crate) routing: Routing,
    /// The color with the new version.
    pub(crate) tested: Color,
    /// Smallest difference that makes a color worse: `compare-tolerance` in thousandths of a percentage point.
    pub(crate) tolerance: u32,
}

/// The configured routing at the time of the look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Routing {
    /// All production rules have these weights, without stickiness of target groups.
    Split(Split),
    /// The same with stickiness of target groups: one client counts many times.
    Sticky(Split),
    /// The same while a deployment of a color is in progress: two versions of a color have users.
    Deploying(Split),
    /// The production rules have different weights.
    Apart,
}

/// The colors side by side, with a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// The color with the new version.
    pub(crate) tested: Color,
    /// The configured weights. None if the production rules disagree.
    pub(crate) configured: Option<Split>,
    /// Number of minutes in `counts`.
    pub(crate) minutes: usize,
    /// Number of whole minutes left out, because their requests do not fit the weights.
    pub(crate) left_out: usize,
    /// Requests of the last 15 whole minutes, including minutes left out: the observed split.
    pub(crate) recent: ColorPair<u64>,
    /// The counts of these minutes.
    pub(crate) counts: ColorPair<Counts>,
    /// The response times of the median minute.
    pub(crate) latency: ColorPair<Option<Latency>>,
    /// The verdict.
    pub(crate) verdict: Verdict,
}

impl Comparison {
    /// True if the color with the new version is worse.
    pub(crate) fn is_tested_worse(&self) -> bool {
        matches!(self.verdict, Verdict::Worse { color, .. } if color == self.tested)
    }
}

/// The result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// This color fails more often than the other: not by chance.
    Worse {
        /// The worse color.
        color: Color,
        /// The count that shows the difference.
        signal: Signal,
    },
    /// Both colors fail often, and neither is worse.
    BothFail,
    /// No difference, and a failure rate of `enough` ÷ requests of the tested color would have been found.
    NoDifference {
        /// Failures of the tested color that would have made it worse.
        enough: u64,
    },
    /// Too few requests for a failure rate of 5 % to be found.
    TooFew {
        /// Failures of the tested color that would have made it worse.
        enough: u64,
    },
    /// Shown, but not judged.
    NotJudged(NotJudged),
}

/// A count that shows a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Answers of 5xx and failed connections. Together they are one signal: each is a request without a good answer.
    Failures,
    /// Answers of 4xx, if they differ by 5 percentage points.
    ClientErrors,
}

/// Reasons not to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotJudged {
    /// Stickiness of target groups is on: one client counts many times.
    Sticky,
    /// The production rules disagree.
    RulesDisagree,
    /// A deployment of a color is in progress.
    Deploying,
    /// Only one color has weight.
    NoSplit,
    /// The observed share differs from the weight by more than chance: other clients reach a group.
    OtherRequests,
}

/// Fewest failures of a worse color.
const FEWEST_FAILURES: u64 = 3;

/// 5 percentage points in thousandths of a percentage point: the difference that 4xx need, the rate from which both
/// colors "fail", and the largest rate that a comparison with enough requests may leave unfound.
const FIVE_POINTS: u32 = 5_000;

/// 100 % in thousandths of a percentage point.
const WHOLE: u128 = 100_000;

/// A count for products of three: at most 2^48, so that none overflows.
fn wide(count: u64) -> u128 {
    u128::from(count.min(1 << 48))
}

/// The judgement. It depends on nothing but the evidence, and not on the order of the minutes.
pub(crate) fn compare(evidence: &Evidence<'_>) -> Comparison {
    let (configured, judged) = match evidence.routing {
        Routing::Split(split) => (Some(split), true),
        Routing::Sticky(split) | Routing::Deploying(split) => (Some(split), false),
        Routing::Apart => (None, false),
    };
    let whole = counted_minutes(evidence, configured.filter(|_| judged));
    Comparison {
        tested: evidence.tested,
        configured,
        minutes: whole.minutes.len(),
        left_out: whole.left_out,
        recent: whole.recent,
        counts: whole.sums(),
        latency: whole.latency(),
        verdict: verdict(evidence, &whole),
    }
}

/// The verdict on the whole minutes.
fn verdict(evidence: &Evidence<'_>, whole: &Whole) -> Verdict {
    let split = match evidence.routing {
        Routing::Apart => return Verdict::NotJudged(NotJudged::RulesDisagree),
        Routing::Split(split) | Routing::Sticky(split) | Routing::Deploying(split)
            if split.blue == 0 || split.green == 0 =>
        {
            return Verdict::NotJudged(NotJudged::NoSplit);
        }
        Routing::Sticky(_) => return Verdict::NotJudged(NotJudged::Sticky),
        Routing::Deploying(_) => return Verdict::NotJudged(NotJudged::Deploying),
        Routing::Split(split) => split,
    };
    if whole.has_other_requests(split) {
        return Verdict::NotJudged(NotJudged::OtherRequests);
    }
    let worse = [evidence.tested, evidence.tested.other()].into_iter().find_map(|color| {
        worse_signal(whole, color, evidence.tolerance).map(|signal| Verdict::Worse { color, signal })
    });
    worse.unwrap_or_else(|| not_worse(evidence, whole, split))
}

/// The signal by which this color is worse than the other.
fn worse_signal(whole: &Whole, color: Color, tolerance: u32) -> Option<Signal> {
    let sums = whole.sums();
    let (own, other) = sums.facing(color);
    let apart = rate_differs(own, other, Counts::client_errors_of, FIVE_POINTS)
        || rate_differs(other, own, Counts::client_errors_of, FIVE_POINTS);
    let signals: &[Signal] =
        if apart { &[Signal::Failures, Signal::ClientErrors] } else { &[Signal::Failures] };
    signals.iter().copied().find(|signal| {
        let (count, least): (fn(Counts) -> u64, u32) = match signal {
            Signal::Failures => (Counts::failures, tolerance),
            Signal::ClientErrors => (Counts::client_errors_of, tolerance.max(FIVE_POINTS)),
        };
        count(*own) >= FEWEST_FAILURES
            && rate_differs(own, other, count, least)
            && whole.trial(color, count).shows_difference(signals.len())
    })
}

/// The verdict if neither color is worse.
fn not_worse(evidence: &Evidence<'_>, whole: &Whole, split: Split) -> Verdict {
    let sums = whole.sums();
    let (own, other) = sums.facing(evidence.tested);
    let fails = |counts: &Counts| {
        counts.failures() >= FEWEST_FAILURES
            && rate_differs(counts, &Counts::ONE, Counts::failures, FIVE_POINTS)
    };
    if fails(own) && fails(other) {
        return Verdict::BothFail;
    }
    let trial = match whole.minutes.is_empty() {
        true => Trial::of_split(split, evidence.tested),
        false => whole.trial(evidence.tested, Counts::failures),
    };
    let enough = trial.enough().max(FEWEST_FAILURES).max(least_failures(own, other, evidence.tolerance));
    let found = Counts { requests: own.requests, failed: enough, ..Counts::default() };
    if own.requests == 0 || rate_exceeds(&found, FIVE_POINTS) {
        return Verdict::TooFew { enough };
    }
    Verdict::NoDifference { enough }
}

impl Counts {
    /// One good request.
    const ONE: Counts = Counts { requests: 1, failed: 0, refused: 0, client_errors: 0 };

    /// Answers of 4xx, at most one for each request.
    fn client_errors_of(self) -> u64 {
        self.client_errors.min(self.requests)
    }
}

/// True if the rate of the first color is at least this many thousandths of a point above the rate of the other.
fn rate_differs(own: &Counts, other: &Counts, count: fn(Counts) -> u64, least: u32) -> bool {
    let [n, m] = [own.requests, other.requests].map(wide);
    let [g, b] = [count(*own), count(*other)].map(wide);
    n > 0 && m > 0 && g * m * WHOLE >= b * n * WHOLE + u128::from(least) * n * m
}

/// True if `failed` of the requests are more than this many thousandths of a point.
fn rate_exceeds(counts: &Counts, most: u32) -> bool {
    wide(counts.failed) * WHOLE > u128::from(most) * wide(counts.requests)
}

/// Fewest failures of the first color that differ from the other's rate by the tolerance.
fn least_failures(own: &Counts, other: &Counts, tolerance: u32) -> u64 {
    let [n, m] = [own.requests, other.requests].map(wide);
    if m == 0 {
        return 0;
    }
    let least = wide(other.failures()) * n * WHOLE + u128::from(tolerance) * n * m;
    u64::try_from(least.div_ceil(m * WHOLE)).unwrap_or(u64::MAX)
}
