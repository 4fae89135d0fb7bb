//! What a change of traffic that did not succeed left, and why.

use super::super::{left::next_time, trouble};
use crate::plan::color::Split;
use crate::plan::step::{Because, Left};
use crate::report::about::{About, Users};

/// What is left and why; ends with lines to paste where there is something to check.
pub(in crate::report::words) fn because(
    because: &Because,
    left: Left,
    (about, users): (&About, &Users),
) -> String {
    let said = why(because, users);
    match left {
        Left::Untouched => format!("Left untouched: {said}"),
        Left::Restored => format!("Restored: {said}"),
        Left::Changed => format!("Left changed: {said}"),
        Left::Unknown => {
            let known = users.found.map(|found| format!(" This run found {found}.")).unwrap_or_default();
            format!(
                "NOT KNOWN where users are: {said}{known} Check it now:\n{}{}",
                about.check_rules(),
                next_time(because)
            )
        }
    }
}

/// The sentence for each.
fn why(because: &Because, users: &Users) -> String {
    let found = users.found.map(|split: Split| format!(" ({split})")).unwrap_or_default();
    match because {
        Because::NothingChanged => "no weight, no count and no scaling was changed.".to_owned(),
        Because::PutBack => {
            format!("the production rules hold again what was found{found}, read back from AWS.")
        }
        Because::Asked => {
            "`on-cancel` is `leave`, so users stay where the run left them, and scale-in stays as it is now.".to_owned()
        }
        Because::Theirs => {
            "somebody else changed a production rule meanwhile, and theirs stands. See who, then run again if it is still wanted.".to_owned()
        }
        Because::Trouble(with) => format!("the way back failed. {}", trouble(with).what),
        Because::NotConfirmed => "the way back was not read back from AWS in time.".to_owned(),
        Because::NotEnough(short) => format!(
            "users were not sent back to what was found{found}: {} has {} of the {} healthy targets that {} % of the users need. Where users are failing now, `force: true` sends them to one healthy target.",
            short.color, short.healthy, short.needed, short.share
        ),
        Because::Midway => {
            "users stay where they are now, and what was done so far stays. Run again to go on from there.".to_owned()
        }
        Because::Arrived => {
            "users are where they were wanted, and stay there; only the watch afterwards did not come to its end, so scale-in may still be suspended. Run again to finish.".to_owned()
        }
        Because::NotServed => {
            "users are where they were wanted, and no target there is healthy. Send them back: the way is below.".to_owned()
        }
        // Ends of a deploy; said all the same.
        Because::AwsPutBack | Because::AwsElsewhere => "AWS put the service back by itself.".to_owned(),
        Because::NothingToGoBackTo | Because::SameDefinition => "there is nothing to go back to.".to_owned(),
        Because::UsersCame => {
            "users were moved meanwhile to the color that was deployed to, so its service stays as it is.".to_owned()
        }
        Because::UsersNotKnown(_) => {
            "where users are is not known, so the service that was deployed to stays as it is.".to_owned()
        }
        Because::ScalingStays => "what was written for scaling stays.".to_owned(),
    }
}
