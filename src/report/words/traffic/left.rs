//! The state after a change of traffic that did not succeed, and the reason.

use super::super::{
    left::{next_time, not_kept},
    render_aws_error,
};
use crate::event::PutBack;
use crate::plan::color::{Color, Split};
use crate::plan::step::{EndStateReason, Left};
use crate::report::about::{About, TrafficFacts};
use crate::report::names::{count_noun, join_with_and};

/// The state left in AWS and the reason; ends with lines to paste if there is something to check.
pub(in crate::report::words) fn render_traffic_end_state(
    because: &EndStateReason,
    left: Left,
    (about, users): (&About, &TrafficFacts),
) -> String {
    let said = end_reason(because, users);
    match left {
        Left::Untouched => format!("Left untouched: {said}"),
        Left::Restored => format!("Restored: {said}"),
        Left::Changed => format!("Left changed: {said}"),
        Left::Unknown => {
            let seen = users.seen.filter(|seen| users.found.is_none_or(|found| !found.same_ratio(*seen)));
            let known = match (users.found, seen) {
                (Some(found), Some(seen)) => format!(" This run found {found}, and saw {seen} last."),
                (Some(found), None) => format!(" This run found {found}."),
                (None, Some(seen)) => format!(" This run saw {seen} last."),
                (None, None) => String::new(),
            };
            // Another writer's weights were read; only this run's own write is unknown.
            let what = if *because == EndStateReason::ChangedExternally {
                "what this run left"
            } else {
                "where users are"
            };
            format!(
                "NOT KNOWN {what}: {said}{known} Check it now:\n{}{}",
                about.check_rules(),
                next_time(because)
            )
        }
    }
}

/// The restored parts, each by name.
fn put_back(what: &PutBack, found: &str) -> String {
    let names = |colors: &[Color]| join_with_and(&colors.iter().map(Color::to_string).collect::<Vec<_>>());
    let rules = what.weights.then(|| format!("the production rules hold again what was found{found}"));
    let counts = (!what.counts.is_empty())
        .then(|| format!("the desired count of {} is what it was", names(&what.counts)));
    let scaling =
        (!what.scaling.is_empty()).then(|| format!("scale-in of {} is as it was", names(&what.scaling)));
    let parts: Vec<String> = [rules, counts, scaling].into_iter().flatten().collect();
    if parts.is_empty() {
        return "everything is as it was found, read back from AWS.".to_owned();
    }
    format!("{}, read back from AWS.", join_with_and(&parts))
}

/// Counts that this run lowered and raised again, since users came back.
fn render_undone_counts(what: &PutBack) -> String {
    let one = |(color, (lowered, restored)): (&Color, &(u32, u32))| {
        format!(
            " This run had lowered {color} to {}; {color} has users now, so the run raised it to {} again.",
            count_noun(*lowered, "task"),
            count_noun(*restored, "task")
        )
    };
    what.undone.iter().map(one).collect()
}

/// Each color's number of tasks, and the colors with suspended scale-in.
fn render_sizes(users: &TrafficFacts) -> String {
    if users.sizes.is_empty() {
        return String::new();
    }
    let tasks: Vec<String> = users
        .sizes
        .iter()
        .map(|(color, desired, _)| format!("{color} has {}", count_noun(*desired, "task")))
        .collect();
    let suspended = users.sizes.iter().filter(|(_, _, suspended)| *suspended);
    let suspended: Vec<String> = suspended.map(|(color, ..)| color.to_string()).collect();
    let held = if suspended.is_empty() {
        String::new()
    } else {
        format!("; scale-in of {} is suspended", join_with_and(&suspended))
    };
    format!(": {}{held}", join_with_and(&tasks))
}

/// The sentence for each reason.
fn end_reason(because: &EndStateReason, users: &TrafficFacts) -> String {
    let found = users.found.map(|split: Split| format!(" ({split})")).unwrap_or_default();
    match because {
        EndStateReason::NothingChanged => "no weight, no count and no scaling was changed.".to_owned(),
        EndStateReason::RestoredByRun => match &users.put_back {
            Some(what) => put_back(what, &found),
            None => format!("the production rules hold again what was found{found}, read back from AWS."),
        },
        EndStateReason::Asked => format!(
            "`on-cancel` is `leave`, so users, desired counts and scale-in stay as they are now{}.",
            render_sizes(users)
        ),
        EndStateReason::ChangedExternally => format!(
            "a production rule was changed from outside meanwhile, and that change is kept.{} See who made it, then run again if this one is still wanted.",
            users.put_back.as_ref().map(render_undone_counts).unwrap_or_default()
        ),
        EndStateReason::AwsError(with) => format!("the way back failed. {}", render_aws_error(with).what),
        EndStateReason::NotConfirmed => "the way back was not read back from AWS in time.".to_owned(),
        EndStateReason::NotEnough(short) => format!(
            "users were not sent back to what was found{found}: {} has {} of the {} healthy targets that {} % of the users need. Where users are failing now, `force: true` sends them to one healthy target.",
            short.color, short.healthy, short.needed, short.share
        ),
        EndStateReason::Midway => {
            "users stay where they are now, and what was done so far stays. Run again to go on from there.".to_owned()
        }
        EndStateReason::Arrived => {
            "users are where they were wanted, and stay there; only the watch afterwards did not come to its end, so scale-in may still be suspended. Run again to finish.".to_owned()
        }
        EndStateReason::NotServed => {
            "users are where they were wanted, and no target there is healthy. Send them back: the way is below.".to_owned()
        }
        // These reasons belong to a deploy, but have a sentence here too.
        EndStateReason::RestoredByAws | EndStateReason::AwsElsewhere => "AWS put the service back by itself.".to_owned(),
        EndStateReason::OnlyDrains => "the new version is healthy and stays.".to_owned(),
        EndStateReason::NothingToGoBackTo | EndStateReason::SameDefinition => "there is nothing to go back to.".to_owned(),
        EndStateReason::CountKept { .. } => format!(
            "the production rules hold again what was found{found}; by the counts of both colors, users need the tasks that this run added{}.",
            render_sizes(users)
        ),
        EndStateReason::UsersCame | EndStateReason::UsersCameMeanwhile { .. } => {
            "users were moved meanwhile to the color that was deployed to, so its service stays as it is.".to_owned()
        }
        EndStateReason::UsersNotKnown(_) => {
            "where users are is not known, so the service that was deployed to stays as it is.".to_owned()
        }
        EndStateReason::ScalingStays => "what was written for scaling stays.".to_owned(),
        EndStateReason::Repeated(unkept) => not_kept(unkept),
    }
}
