//! A write that did not last, however often it was repeated.

use super::step::step;
use crate::plan::repeats::Unkept;
use crate::report::names::count;

/// The write, how often it was sent, and what AWS shows.
pub(super) fn unkept(unkept: &Unkept) -> String {
    let Unkept { step: write, times, shown, count: now } = unkept;
    let now = now.map(|now| format!(" AWS shows {} now.", count(now, "task"))).unwrap_or_default();
    let what = match shown {
        true => "each time something else changed it back",
        false => "AWS does not show it",
    };
    format!("The run wrote this {times} times, and {what}: {}.{now}", step(write))
}

/// Where to look for the other writer.
pub(super) const HINT: &str = "See which writer it is: CloudTrail has each write with its user. It may be another run, a schedule, a scaling policy, or infrastructure code that should ignore this setting. Then run again.";
