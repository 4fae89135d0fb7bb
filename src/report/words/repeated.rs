//! A repeated write that did not last.

use super::step::render_step;
use crate::plan::repeats::Unkept;
use crate::report::names::count_noun;

/// The write, its number of attempts, and the state in AWS.
pub(super) fn render_unkept_write(unkept: &Unkept) -> String {
    let Unkept { step: write, times, shown, count: now } = unkept;
    let now = now.map(|now| format!(" AWS shows {} now.", count_noun(now, "task"))).unwrap_or_default();
    let what = match shown {
        true => "each time something else changed it back",
        false => "AWS does not show it",
    };
    format!("The run wrote this {times} times, and {what}: {}.{now}", render_step(write))
}

/// Ways to find the other writer.
pub(super) const HINT: &str = "See which writer it is: CloudTrail has each write with its user. It may be another run, a schedule, a scaling policy, or infrastructure code that should ignore this setting. Then run again.";
