//! The only owner of the clock and of waiting.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::plan::time::Time;

/// The start of the process by both clocks. The wall clock is read only here, so a later change of the wall clock
/// affects no wait and no deadline (invariant 40).
static START: LazyLock<Start> = LazyLock::new(read_clocks);

/// A moment by both clocks.
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
fn read_clocks() -> Start {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Start { wall: Time::default().after(wall), monotonic: Instant::now() }
}

/// A wait that is under way.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

/// Time and waiting, as a run is given them.
pub trait Clock {
    /// Time since 1970. Never runs backwards. Comparable with AWS's timestamps.
    fn now(&self) -> Duration;

    /// Waits this long.
    fn sleep(&self, wait: Duration) -> Sleep;
}

/// The machine's: the wall clock at the start of the process, plus the monotonic time since then. As right as the wall
/// clock was at the start.
#[derive(Clone, Copy, Debug)]
pub struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "this file owns the clock")]
    fn now(&self) -> Duration {
        Duration::from_millis(START.at(Instant::now()).0)
    }

    #[expect(clippy::disallowed_methods, reason = "this file owns waiting")]
    fn sleep(&self, wait: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(wait))
    }
}

thread_local! {
    /// The clock of the runs on this thread: a run never leaves its thread.
    static CLOCK: RefCell<Arc<dyn Clock>> = RefCell::new(Arc::new(MachineClock));
}

/// Sets the clock of the runs on this thread.
pub(crate) fn go_by(clock: Arc<dyn Clock>) {
    CLOCK.set(clock);
}

/// Now.
pub(crate) fn now() -> Time {
    Time::default().after(CLOCK.with_borrow(|clock| clock.now()))
}

/// Waits this long.
pub(crate) fn sleep(wait: Duration) -> Sleep {
    CLOCK.with_borrow(|clock| clock.sleep(wait))
}

/// Waits for the work, at most this long by the monotonic clock. None if the time ran out first.
pub(crate) async fn with_timeout<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
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
