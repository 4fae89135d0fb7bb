//! The only owner of the clock and of waiting.
#![expect(clippy::disallowed_methods, reason = "this file owns the clock")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::plan::time::Time;

/// Now, by the machine's clock.
pub(crate) fn now() -> Time {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::default().after(passed)
}

/// Waits this long.
pub(crate) async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
