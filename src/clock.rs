//! The only owner of the clock and of waiting.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::plan::time::Time;

/// The start of the process by both clocks. The wall clock is read here and nowhere else, so a wall clock that is set
/// during a run changes no wait and no deadline (invariant 40).
static START: LazyLock<Start> = LazyLock::new(start);

/// One moment by both clocks.
struct Start {
    /// The wall clock.
    wall: Time,
    /// The monotonic clock.
    monotonic: Instant,
}

impl Start {
    /// The time at a later moment of the monotonic clock.
    fn at(&self, moment: Instant) -> Time {
        self.wall.after(moment.saturating_duration_since(self.monotonic))
    }
}

/// Reads both clocks.
#[expect(clippy::disallowed_methods, reason = "this file owns the clock")]
fn start() -> Start {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Start { wall: Time::default().after(wall), monotonic: Instant::now() }
}

/// Now: the wall clock at the start of the process, plus the monotonic time since then. Comparable with AWS's
/// timestamps as well as the machine's clock was right at the start.
#[expect(clippy::disallowed_methods, reason = "this file owns the clock")]
pub(crate) fn now() -> Time {
    START.at(Instant::now())
}

/// Waits this long, by the monotonic clock.
#[expect(clippy::disallowed_methods, reason = "this file owns waiting")]
pub(crate) async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}

/// Waits for the work, at most this long by the monotonic clock. None when the time was over first.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = sleep(limit) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_40_time_passes_by_the_monotonic_clock_alone() {
        let moment = START.monotonic;
        let start = Start { wall: Time(1_700_000_000_000), monotonic: moment };
        assert_eq!(start.at(moment), Time(1_700_000_000_000));
        assert_eq!(start.at(moment + Duration::from_millis(1500)), Time(1_700_000_001_500));
        let earlier = moment.checked_sub(Duration::from_secs(1)).unwrap();
        assert_eq!(start.at(earlier), start.wall, "never before the start");
    }
}
