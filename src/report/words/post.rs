//! The post step of a killed run: the run's result, from the state in AWS.

use super::{render_aws_error, render_refusal, render_run_failure, render_step, render_wait};
use crate::event::{Lacks, Report};
use crate::failure::{Failure, Outcome, Reason};
use crate::plan::cause::Cause;
use crate::plan::overview::{ColorView, Overview};
use crate::report::about::About;
use crate::report::names::{count_noun, format_shares, join_with_and};

/// Most steps that are listed.
const MOST: usize = 20;

/// The remedy if nothing is known about the end.
const STATUS: &str = "Run the command `status`: it shows where users are and what each color runs. Running this command again goes on from there.";

/// The saved state is of another version, or damaged.
pub(crate) fn unknown_state() -> Failure {
    let what = "The run was killed, and the state that it saved is not understood: another version of this action wrote it, or it is damaged. Nothing was put back.";
    Failure::new(Reason::Cancelled, what, STATUS)
}

/// A run that ended without success, and was killed before its report.
pub(crate) fn ended_unreported(outcome: Outcome, reason: Option<Reason>) -> Failure {
    let why = reason.map(Reason::word).filter(|word| *word != outcome.word());
    let why = why.map(|word| format!(" ({word})")).unwrap_or_default();
    let what = format!("The run ended {}{why}, and was killed before it reported that.", outcome.word());
    Failure::new(reason.unwrap_or(Reason::Cancelled), what, "The log of the step says why.")
}

/// A killed run for which nothing could be read from AWS.
pub(crate) fn not_read(reason: Option<Reason>, why: Option<Failure>) -> Failure {
    let (what, hint) = why.map_or((String::new(), String::new()), |why| (why.what, why.hint));
    let what = format!("The run was killed, and what it left is not known: could not read AWS: {what}");
    Failure::new(reason.unwrap_or(Reason::Unreachable), what, format!("{hint}\n{STATUS}"))
}

/// A run that reached its goal, which AWS no longer shows.
pub(crate) fn not_there_now(lacks: &Lacks, report: &Report) -> Failure {
    let reason = report.reason.unwrap_or(Reason::Cancelled);
    let begin = "The run reached its goal and was killed before it reported that.";
    if let Lacks::Unread(with) = lacks {
        let failure = render_aws_error(with);
        let what = format!(
            "{begin} Whether the goal still stands is not known: could not read AWS: {}",
            failure.what
        );
        return Failure::new(reason, what, format!("{}\n{STATUS}", failure.hint));
    }
    let now = report.overview.as_ref().map(render_current_state).unwrap_or_default();
    let what = format!("{begin} The goal is not reached any more.{now}");
    let left = left_to_do(lacks, &About::of(report));
    Failure::new(reason, what, format!("{left}Run it again to go on from there."))
}

/// The missing parts of a goal, as lines; empty if unknown.
pub(super) fn left_to_do(lacks: &Lacks, about: &About) -> String {
    match lacks {
        Lacks::Steps(steps) => {
            let lines: Vec<String> =
                steps.iter().take(MOST).map(|one| format!("- {}", render_step(one))).collect();
            format!("Left to do:\n{}\n", lines.join("\n"))
        }
        Lacks::Wait(wait) => format!("Still to come: {}.\n", render_wait(wait)),
        Lacks::Copy(color) => format!("Left to do: {color} does not run the version to be promoted yet.\n"),
        Lacks::Refused(refused) => format!("In the way: {}\n", render_refusal(refused, about).what),
        Lacks::Fails(fails) => {
            format!("In the way: {}\n", render_run_failure(fails, about, &Cause::default(), None).what)
        }
        Lacks::Unread(with) => format!("Could not read AWS: {}\n", render_aws_error(with).what),
        Lacks::Unknown => String::new(),
    }
}

/// The split of users, and each color's number of tasks. Begins with a space.
fn render_current_state(overview: &Overview) -> String {
    let users =
        overview.known_split().map(format_shares).map(|users| format!("{users}; ")).unwrap_or_default();
    let tasks: Vec<String> = overview.production().map(|(_, view)| render_tasks(view)).collect();
    format!(" AWS shows now: {users}{}.", join_with_and(&tasks))
}

/// `green has 2 tasks of 4, 2 targets healthy`
fn render_tasks(view: &ColorView) -> String {
    let healthy = view.healthy.map(|(healthy, _)| format!(", {} healthy", count_noun(healthy, "target")));
    let tasks = count_noun(view.running, "task");
    format!("{} runs {tasks} of {}{}", view.color, view.desired, healthy.unwrap_or_default())
}
