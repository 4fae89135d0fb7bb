//! AWS's optional and signed values as the total ones of the plan.

use std::time::Duration;

use aws_smithy_types::DateTime;

use crate::plan::time::Time;

/// A count; AWS counts in signed numbers and never below zero.
pub(super) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// A port; 0 where AWS gives none (a lambda target).
pub(super) fn port(number: Option<i32>) -> u16 {
    number.and_then(|number| u16::try_from(number).ok()).unwrap_or_default()
}

/// Seconds as a duration; zero where AWS gives none.
pub(super) fn seconds(number: Option<i32>) -> Duration {
    Duration::from_secs(u64::from(count(number.unwrap_or_default())))
}

/// A point in time; the epoch where AWS gives none.
pub(super) fn time(at: Option<&DateTime>) -> Time {
    let millis = at.and_then(|at| at.to_millis().ok()).unwrap_or_default();
    Time(u64::try_from(millis).unwrap_or_default())
}

/// A text; empty where AWS gives none.
pub(super) fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}
