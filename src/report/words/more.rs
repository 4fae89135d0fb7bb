//! Invalid input, warnings, and failures before any decision.

use std::time::Duration;

use super::refusal::serves_users;
use crate::event::Warning;
use crate::failure::{Failure, Reason};
use crate::plan::color::Color;
use crate::plan::compare::{ProbeDifference, ProbeDifferenceKind};
use crate::plan::problem::{MOST_SHOWN, Problem};
use crate::plan::snapshot::Place;

use crate::report::names::{format_duration, in_backticks, one_line};

/// All problems at once, numbered; the first 100 of many.
pub(crate) fn problems_failure(problems: &[Problem]) -> Failure {
    let said = |problem: &Problem| format!("{}: {}", one_line(&problem.place), one_line(&problem.what));
    let what = match problems {
        [only] => said(only),
        all => {
            let numbered = all.iter().take(MOST_SHOWN).enumerate();
            let mut lines: Vec<String> =
                numbered.map(|(at, problem)| format!("{}. {}", at + 1, said(problem))).collect();
            if let Some(more) = all.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
                lines.push(format!("… and {more} more"));
            }
            format!("{} problems:\n{}", all.len(), lines.join("\n"))
        }
    };
    Failure::new(Reason::BadInput, what, "Nothing was changed in AWS. Correct it, then run again.")
}

/// A fault of the action itself.
pub(crate) fn internal_failure(what: &str) -> Failure {
    let hint = "This is a fault of the action. Run `command: status` to see the colors and their traffic as AWS shows \
                them. If the run had begun to change something, its post step puts that back; check its log. Then run again, \
                and report the fault with this message.";
    Failure::new(Reason::Internal, what, hint)
}

/// Place in the code of a fault of the action.
pub(crate) fn broken_at(place: Option<&str>) -> String {
    let place = place.map_or(String::new(), |place| format!(" at {}", in_backticks(place)));
    format!("The action broke{place} and could not finish the run.")
}

/// The colors answer a probe differently.
fn probes_differ(difference: &ProbeDifference) -> String {
    let path = in_backticks(&difference.path);
    match &difference.kind {
        ProbeDifferenceKind::Status(statuses) => {
            let answer = |status: Option<u16>| {
                status.map_or("gave no answer".to_owned(), |status| format!("answered {status}"))
            };
            format!("Probe {path}: blue {}, green {}.", answer(statuses.blue), answer(statuses.green))
        }
        ProbeDifferenceKind::Time { slower, times } => {
            let (long, short) = times.facing(*slower);
            format!(
                "Probe {path}: {slower} takes {} ms on average, the other color {} ms.",
                long.as_millis(),
                short.as_millis()
            )
        }
    }
}

/// A warning, which stops nothing.
pub(crate) fn render_warning(warning: &Warning) -> String {
    match warning {
        Warning::GraceTooLong { grace, timeout } => format!(
            "The service's health-check grace period ({}) is not shorter than `timeout` ({}): a version that never gets healthy is found only by the time-out. Shorten the one or raise the other.",
            format_duration(*grace),
            format_duration(*timeout)
        ),
        Warning::DrainTooLong { delay, timeout } => format!(
            "The target group's deregistration delay ({}) is not shorter than `timeout` ({}): ECS completes the deployment only after the old tasks have drained for that long, so the run times out before. Shorten the one or raise the other.",
            format_duration(*delay),
            format_duration(*timeout)
        ),
        Warning::LiveColor { color, split, rules } => format!(
            "{} `allow-live: true` replaces its tasks under them, as a rolling update.",
            serves_users(*color, *split, rules)
        ),
        Warning::CountKept { color, asked, count } => format!(
            "{color} serves users now, so its desired count stays {count}: `desired-count` asks for {asked}, and a deploy takes no tasks away from users."
        ),
        Warning::UnresolvedTag { image } => format!(
            "{} is named by its tag, which may have moved: the deployment is started even if nothing else changed. Name the image by digest to avoid it.",
            in_backticks(image)
        ),
        Warning::EmptyImage => empty_image().to_owned(),
        Warning::UndoesRollback { color, ago } => undoes_rollback(*color, *ago),
        Warning::ForeignPolicies { service, names } => format!(
            "{} has scaling policies that are not ours: {}. None of ours is added beside them. Delete them, or remove `scaling` from the config.",
            in_backticks(service),
            names.iter().map(|name| in_backticks(name)).collect::<Vec<_>>().join(", ")
        ),
        Warning::ForeignTargets { color, service, healthy, desired, targets } => format!(
            "{color}: {} healthy of {desired} wanted; {}. {} not count for {color}.",
            healthy.map_or("unknown".to_owned(), |healthy| healthy.to_string()),
            super::foreign_targets(*color, service, targets),
            if targets.len() == 1 { "It does" } else { "They do" }
        ),
        Warning::ProbesDiffer(difference) => probes_differ(difference),
        Warning::Promote(caution) => super::promote::render_caution(caution),
        Warning::Text(text) => one_line(text),
    }
}

/// A deploy that changes nothing, perhaps because a job before it was skipped.
pub(crate) fn empty_image() -> &'static str {
    "`image` is empty and no other input changes anything, so this deploy brings no new version: it only confirms the one \
     that the color runs. If a new version was meant, look at where `image` comes from: a job that was skipped, or that set no \
     output, leaves it empty."
}

/// A rollback that would undo one of the last hour.
pub(crate) fn undoes_rollback(color: Color, ago: Duration) -> String {
    format!(
        "A rollback sent all users to {color} {} ago. This one undoes it: users get the version again that they were taken \
         away from.",
        format_duration(ago)
    )
}

/// An earlier rollback that this run could not look for.
pub(crate) fn rollback_unchecked(color: Color) -> String {
    format!(
        "Not checked: whether a rollback of the last hour sent all users to {color}. Only the comment on the pull request of a \
         running version tells this, and this run could read none."
    )
}

/// A named task definition that does not exist.
pub(crate) fn no_such_definition(which: &str, place: &Place) -> Problem {
    let what = format!(
        "{} is no active task definition in {}, account {}. See: aws ecs list-task-definition-families --status ACTIVE",
        in_backticks(which),
        one_line(&place.region),
        one_line(&place.account)
    );
    Problem::new("input task-definition", what)
}

/// A file that can't be read.
pub(crate) fn unreadable_file(name: &str, error: &str) -> String {
    format!(
        "couldn't read {}: {}. Paths are below the workspace; is there an actions/checkout step before this one?",
        in_backticks(name),
        one_line(error)
    )
}

/// An image that ECR does not have.
pub(crate) fn image_missing(container: &str, image: &str, region: &str) -> Failure {
    let what = format!(
        "The image {} of container {} does not exist in ECR in {}.",
        in_backticks(image),
        in_backticks(container),
        one_line(region)
    );
    let repository = image.split(['@', ':']).next().unwrap_or_default();
    let hint = format!(
        "Check that the build pushed it before this step, and to this account and region. The newest are:\n  aws ecr describe-images --region {region} --repository-name {repository} --query 'sort_by(imageDetails,&imagePushedAt)[-5:].imageTags'"
    );
    Failure::new(Reason::ImageMissing, what, hint)
}
