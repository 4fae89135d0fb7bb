//! A repeated write that did not last.

use super::step::render_step;
use crate::plan::repeats::Unkept;
use crate::plan::shown_instead::ShownInstead;
use crate::report::names::{count_noun, format_shares, in_backticks, join_with_and, short_arn};

/// The write, its number of attempts, and the state in AWS.
pub(super) fn render_unkept_write(unkept: &Unkept) -> String {
    let Unkept { step: write, times, shown, instead } = unkept;
    let now = instead.as_ref().map(render_instead).unwrap_or_default();
    let what = match shown {
        true => "each time something else changed it back",
        false => "AWS does not show it",
    };
    format!("The run wrote this {times} times, and {what}: {}.{now}", render_step(write))
}

/// The state that AWS shows in place of the write, after a space.
fn render_instead(instead: &ShownInstead) -> String {
    let now = match instead {
        ShownInstead::Count(count) => count_noun(*count, "task"),
        ShownInstead::TaskDefinition(arn) => in_backticks(short_arn(arn)),
        ShownInstead::Split(split) => format!("{split} ({})", format_shares(*split)),
        ShownInstead::Scaling(target) => {
            let scale_in = if target.in_suspended { "suspended" } else { "allowed" };
            format!("MinCapacity {}, MaxCapacity {} and scale-in {scale_in}", target.min, target.max)
        }
        ShownInstead::Fields(paths) if paths.is_empty() => return String::new(),
        ShownInstead::Fields(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| in_backticks(path)).collect();
            format!("other values of {}", join_with_and(&paths))
        }
        ShownInstead::Nothing => return " AWS does not have it now.".to_owned(),
    };
    format!(" AWS shows {now} now.")
}

/// Ways to find the other writer.
pub(super) const HINT: &str = "See which writer it is: CloudTrail has each write with its user. It may be another run, a schedule, a scaling policy, or infrastructure code that should ignore this setting. Then run again.";
