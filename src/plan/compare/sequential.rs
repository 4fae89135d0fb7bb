//! The mixture sequential probability ratio test for two Poisson processes. If the color is not worse than the other, the
//! probability that the ratio ever reaches 1,000 is at most 1 in 1,000, however often one looks (Ville's inequality).
//! Source: Lindon and Malek (2022), "Anytime-Valid Inference For Multinomial Count Data" (<https://arxiv.org/abs/2011.03567>).

use crate::plan::color::{Color, Split};

/// The ratios of failure rates that the test mixes, with equal weight.
const RATIOS: [f64; 8] = [1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// The likelihood ratio from which one signal alone shows a difference.
const LIMIT: f64 = 1_000.0;

/// More failures than this are never asked for.
const MOST_FAILURES: u64 = 1 << 52;

/// One minute of a trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrialMinute {
    /// Requests of the color in question, at least 1.
    pub(super) own_requests: u64,
    /// Failures of the color in question.
    pub(super) own_failures: u64,
    /// Requests of the other color, at least 1.
    pub(super) other_requests: u64,
    /// Failures of the other color.
    pub(super) other_failures: u64,
}

impl TrialMinute {
    /// Logarithm of the likelihood ratio that one failure of the color in question adds:
    /// `ln r + ln((n + m) / (n + r·m))` with m requests of this color, n of the other. Above 0.
    fn gain(&self, ratio: f64) -> f64 {
        -(-(self.other_requests as f64) * (1.0 - 1.0 / ratio) / self.all()).ln_1p()
    }

    /// Logarithm of the likelihood ratio that one failure of the other color adds: `ln((n + m) / (n + r·m))`. Below 0.
    fn loss(&self, ratio: f64) -> f64 {
        -((self.own_requests as f64) * (ratio - 1.0) / self.all()).ln_1p()
    }

    /// Requests of both colors.
    fn all(&self) -> f64 {
        self.own_requests as f64 + self.other_requests as f64
    }
}

/// Failures of one color against failures of the other, minute by minute.
#[derive(Clone, Debug)]
pub(super) struct Trial {
    /// The minutes.
    pub(super) minutes: Vec<TrialMinute>,
}

impl Trial {
    /// A trial without failures in which requests follow the weights.
    pub(super) fn of_split(split: Split, color: Color) -> Trial {
        let other = split.blue.saturating_add(split.green).saturating_sub(split.weight(color));
        let minute = TrialMinute {
            own_requests: u64::from(split.weight(color)),
            own_failures: 0,
            other_requests: u64::from(other),
            other_failures: 0,
        };
        Trial { minutes: vec![minute] }
    }

    /// True if the ratio reaches the limit for this number of signals.
    pub(super) fn shows_difference(&self, signals: usize) -> bool {
        self.log_ratio() >= (LIMIT * signals as f64).ln()
    }

    /// Natural logarithm of the mixture M.
    pub(super) fn log_ratio(&self) -> f64 {
        let of_ratio = |ratio: f64| {
            let minute = |it: &TrialMinute| {
                it.own_failures as f64 * it.gain(ratio) + it.other_failures as f64 * it.loss(ratio)
            };
            self.minutes.iter().map(minute).sum::<f64>()
        };
        log_mean_exp(RATIOS.map(of_ratio))
    }

    /// Fewest failures of the color in question, spread as its requests are, that reach the limit against the other
    /// color's failures.
    pub(super) fn enough(&self) -> u64 {
        let own: f64 = self.minutes.iter().map(|minute| minute.own_requests as f64).sum();
        let share = |minute: &TrialMinute| minute.own_requests as f64 / own;
        let terms = RATIOS.map(|ratio| {
            let loss: f64 = self.minutes.iter().map(|it| it.other_failures as f64 * it.loss(ratio)).sum();
            let gain: f64 = self.minutes.iter().map(|it| share(it) * it.gain(ratio)).sum();
            (loss, gain)
        });
        let reaches = |failures: u64| {
            log_mean_exp(terms.map(|(loss, gain)| loss + failures as f64 * gain)) >= LIMIT.ln()
        };
        smallest(reaches)
    }
}

/// The smallest number for which a monotonic condition holds, at most `MOST_FAILURES`.
fn smallest(holds: impl Fn(u64) -> bool) -> u64 {
    let (mut below, mut above) = (0, MOST_FAILURES);
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if holds(middle) { above = middle } else { below = middle }
    }
    above
}

/// `ln(mean(exp(x)))` without overflow.
fn log_mean_exp(logs: [f64; RATIOS.len()]) -> f64 {
    let most = logs.into_iter().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logs.into_iter().map(|log| (log - most).exp()).sum();
    most + (sum / RATIOS.len() as f64).ln()
}
