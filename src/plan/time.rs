//! Points in time, from AWS and the clock.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Time(pub(crate) u64);

impl Time {
    /// Time passed since `earlier`. Zero if `earlier` is in the future (clocks differ).
    pub(crate) fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The point that GitHub writes as `2026-11-30T12:31:00Z`: whole seconds, UTC. None for another text.
    pub(crate) fn of_iso(text: &str) -> Option<Time> {
        let (date, clock) = text.strip_suffix('Z').filter(|rest| rest.len() == 19)?.split_once('T')?;
        let numbers = |text: &str, by: char| -> Option<[u64; 3]> {
            let all: Vec<u64> = text.split(by).map(str::parse).collect::<Result<_, _>>().ok()?;
            all.try_into().ok()
        };
        let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(clock, ':')?);
        // A year that begins in March ends with the leap day.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
        let leap_days = (year / 4 + year / 400).checked_sub(year / 100)?;
        let days = (year * 365 + leap_days + (month * 153 + 2) / 5 + day).checked_sub(DAYS_TO_EPOCH)?;
        Some(Time((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000))
    }

    /// The point this much earlier.
    pub(crate) fn before(self, time: Duration) -> Time {
        Time(self.0.saturating_sub(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The point this much later.
    pub(crate) fn after(self, wait: Duration) -> Time {
        Time(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// The times of one call. What AWS may show late is waited for from the end of the call: a call can take longer than AWS
/// needs to show a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallTime {
    /// Right before the call was sent.
    pub(crate) sent: Time,
    /// Time of the answer, or of the end without an answer.
    pub(crate) ended: Time,
}

impl From<Time> for CallTime {
    /// A call that took no time.
    fn from(at: Time) -> Self {
        CallTime { sent: at, ended: at }
    }
}

/// Days from the first of March of the year 0, counted as 1, to the Unix epoch.
const DAYS_TO_EPOCH: u64 = 719_469;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_github_writes_it() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-03-01T00:00:01Z", Some(59 * 86_400 + 1)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2026-11-30T12:31:00Z", Some(1_796_041_860)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400)),
            ("2026-11-30T12:31:00", None),
            ("2026-11-30", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(Time::of_iso(text), seconds.map(|seconds: u64| Time(seconds * 1_000)), "{text}");
        }
    }

    #[test]
    fn time_passes_and_a_clock_ahead_of_ours_takes_none_back() {
        let minute = Duration::from_secs(60);
        assert_eq!(Time(90_500).since(Time(30_500)), minute);
        assert_eq!(Time(30_500).since(Time(90_500)), Duration::ZERO);
        assert_eq!(Time(30_500).after(minute), Time(90_500));
        assert_eq!(Time(1).after(Duration::MAX), Time(u64::MAX), "the longest wait never ends");
    }
}
