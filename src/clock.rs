//! The only owner of the clock and of waiting.
#![expect(clippy::disallowed_methods, reason = "this file owns the clock")]

use std::future::Future;
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

/// The work's output, or none when it takes longer than `limit`; it is dropped then.
pub(crate) async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
