//! Points in time, as AWS and the clock give them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Time(pub(crate) u64);

impl Time {
    /// How long `earlier` is ago; zero when it lies in the future (clocks differ).
    pub(crate) fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
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
    /// When its answer came, or when none came any more.
    pub(crate) ended: Time,
}

impl From<Time> for CallTime {
    /// A call that took no time.
    fn from(at: Time) -> Self {
        CallTime { sent: at, ended: at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_and_a_clock_ahead_of_ours_takes_none_back() {
        let minute = Duration::from_secs(60);
        assert_eq!(Time(90_500).since(Time(30_500)), minute);
        assert_eq!(Time(30_500).since(Time(90_500)), Duration::ZERO);
        assert_eq!(Time(30_500).after(minute), Time(90_500));
        assert_eq!(Time(1).after(Duration::MAX), Time(u64::MAX), "the longest wait never ends");
    }
}
