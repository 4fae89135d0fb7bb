//! The time of metrics: whole AWS seconds since 1970, at the pace of the world.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Converts between real time and AWS seconds. The pace is the world's pace at the start.
#[derive(Debug)]
pub(super) struct Clock {
    /// A moment on both clocks.
    base: (Instant, SystemTime),
    /// Duration of one AWS second, in nanoseconds; never 0.
    second: u128,
}

impl Clock {
    /// A clock with this duration of an AWS second.
    pub(super) fn new(second: Duration) -> Self {
        Self { base: (crate::clock::now(), crate::clock::wall()), second: second.as_nanos().max(1) }
    }

    /// The calendar's time at a moment.
    pub(super) fn wall(&self, at: Instant) -> SystemTime {
        self.base.1 + at.saturating_duration_since(self.base.0)
    }

    /// The AWS second at a moment.
    pub(super) fn second(&self, at: Instant) -> u64 {
        let since = self.wall(at).duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_nanos() / self.second).unwrap_or(u64::MAX)
    }

    /// The AWS second of a time on the wire, in seconds since 1970.
    pub(super) fn of_wire(&self, time: f64) -> u64 {
        // Microseconds: finer than the wire, coarser than the rounding of a double.
        let microseconds = (Duration::try_from_secs_f64(time).unwrap_or_default().as_nanos() + 500) / 1000;
        u64::try_from(microseconds * 1000 / self.second).unwrap_or(u64::MAX)
    }

    /// The calendar's time at the start of an AWS second.
    pub(super) fn starts(&self, second: u64) -> SystemTime {
        UNIX_EPOCH + self.lasts(second)
    }

    /// Duration of this number of AWS seconds.
    pub(super) fn lasts(&self, seconds: u64) -> Duration {
        Duration::from_nanos(u64::try_from(u128::from(seconds) * self.second).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::epoch;

    #[test]
    fn a_second_begins_where_it_says() {
        for second in [Duration::from_millis(20), Duration::from_secs(1), Duration::from_millis(3)] {
            let clock = Clock::new(second);
            let now = clock.second(crate::clock::now());
            for index in now..now + 200 {
                assert_eq!(clock.of_wire(epoch(clock.starts(index))), index);
            }
        }
    }
}
