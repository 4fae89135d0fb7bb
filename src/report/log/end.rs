//! The last lines of a run.

use super::{cause_lines, strip_lines};
use crate::event::Report;
use crate::failure::Outcome;
use crate::plan::step::{EndStateReason, Left, RunFailure};
use crate::report::line::{Level, Line};
use crate::report::log_tail::tail_lines;
use crate::report::names::{format_duration, format_shares};
use crate::report::strip::Strip;
use crate::report::words;

/// The last lines of a run.
pub(super) fn end_lines(report: &Report, told_cause: bool) -> Vec<Line> {
    let level = match report.outcome {
        Outcome::Succeeded | Outcome::Unchanged => Level::Good,
        Outcome::Planned => Level::Plain,
        Outcome::Cancelled | Outcome::Superseded => Level::Warn,
        Outcome::Refused | Outcome::Failed => Level::Bad,
    };
    let (reason, time) = (words::outcome_reason(report), format_duration(report.duration));
    // The whole text is above, at the time of the failure.
    let above = told_cause && matches!(report.failing, Some(RunFailure::Traffic(_)));
    let what = if above { "as told above".to_owned() } else { words::end_headline(report) };
    let mut lines = Line::foreign(level, &format!("{}{reason} after {time}: {what}", report.outcome.word()));
    if above {
        lines.extend(Line::foreign(Level::Plain, &words::end_state(report).unwrap_or_default()));
    } else if let Some(failure) = words::end_failure(report) {
        lines.extend(Line::foreign(Level::Plain, &failure.hint));
        if report.failing.is_some() && !told_cause {
            lines.extend(cause_lines(&report.cause, &report.logs));
        }
    }
    lines.extend(report.log_tail.iter().flat_map(tail_lines));
    lines.extend(Line::foreign(Level::Plain, &words::undo_hint(report).unwrap_or_default()));
    if report.traffic.is_some() && report.overview.is_some() && report.left != Left::Unknown {
        lines.extend(strip_lines(&Strip::of_report(report)));
    }
    lines.extend(users_line(report));
    lines
}

/// True if users were moved during a deploy.
fn has_moved_users(because: Option<&EndStateReason>) -> bool {
    matches!(
        because,
        Some(
            EndStateReason::UsersCame
                | EndStateReason::UsersCameMeanwhile { .. }
                | EndStateReason::CountKept { .. }
        )
    )
}

/// The split at the end.
fn users_line(report: &Report) -> Option<Line> {
    if report.refusal.is_some() && report.because.is_none() {
        return None;
    }
    let text = match (&report.traffic, report.color) {
        (Some(_), _) if report.outcome == Outcome::Planned => {
            format!("users: {}", format_shares(report.split?))
        }
        // A write without an answer may still take effect.
        (Some(_), _) if report.left == Left::Unknown && !report.stale => return None,
        (Some(_), _) => words::render_users(report)?,
        (None, Some(_)) if has_moved_users(report.because.as_ref()) => {
            format!("users: {}; somebody else moved them during the deploy", format_shares(report.split?))
        }
        (None, Some(_)) if report.command == "post" => {
            format!("users: {}, as the promote left them", format_shares(report.split?))
        }
        (None, Some(_)) => format!("users: {}; a deploy does not change that", format_shares(report.split?)),
        (None, None) => return None,
    };
    Line::foreign(Level::Plain, &text).into_iter().next()
}
