//! AWS's optional and signed values as plain values of the plan.

use std::time::Duration;

use aws_smithy_types::DateTime;

use crate::plan::time::Time;

/// A count; AWS counts in signed numbers and never below zero.
pub(super) fn to_count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// A port; 0 if AWS gives none (a lambda target).
pub(super) fn to_port(number: Option<i32>) -> u16 {
    number.and_then(|number| u16::try_from(number).ok()).unwrap_or_default()
}

/// Seconds as a duration; zero if AWS gives none.
pub(super) fn to_duration(number: Option<i32>) -> Duration {
    Duration::from_secs(u64::from(to_count(number.unwrap_or_default())))
}

/// A point in time; the epoch if AWS gives none.
pub(super) fn to_time(at: Option<&DateTime>) -> Time {
    let millis = at.and_then(|at| at.to_millis().ok()).unwrap_or_default();
    Time(u64::try_from(millis).unwrap_or_default())
}

/// A text; empty if AWS gives none.
pub(super) fn to_text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}
