//! The sentences: each names the thing, the finding, the expectation, and the remedy (invariant 34).
//!
//! Lines of a hint that begin with two spaces are to be pasted. Names from outside are between backticks.

mod aws_error;
mod compare;
mod doctor;
mod edge;
mod end;
mod ended;
mod finding;
mod going_live;
mod left;
mod log_tail;
mod more;
mod post;
mod promote;
mod refusal;
mod repeated;
mod sign_in;
mod statement;
mod step;
mod tangle;
mod traffic;

#[cfg(test)]
mod tests;

use super::about::About;
use crate::event::Report;
use crate::failure::Failure;
use crate::plan::step::{EndStateReason, Left, RunFailure};

pub(crate) use aws_error::{name_proxies, render_aws_error};
pub(crate) use compare::{format_count, format_rate, minutes_text, verdict_text};
pub(crate) use doctor::{findings_failure, findings_headline, not_simulated, render_mistake};
pub(crate) use edge::{file_trouble, foreign_arns, no_http_client, render_attempt, wrong_account};
pub(crate) use end::{
    chat_headline, end_headline, error_title, goal_phrase, outcome_reason, undo_hint, why_not,
};
pub(crate) use ended::{render_run_failure, task_failed};
pub(crate) use finding::render_finding;
pub(crate) use going_live::{
    MOST_NAMED, going_live_sentence, more_changes, name_change, name_changes, takes_back_unchecked,
};
pub(crate) use left::render_end_state;
pub(crate) use log_tail::{last_lines_title, log_is_empty, log_not_shown};
pub(crate) use more::{
    broken_at, empty_image, image_missing, internal_failure, no_such_definition, problems_failure,
    render_warning, rollback_unchecked, undoes_rollback, unreadable_file,
};
pub(crate) use post::{ended_unreported, not_read, not_there_now, unknown_state};
pub(crate) use refusal::render_refusal;
pub(crate) use sign_in::no_id_token;
pub(crate) use step::{diff_lines, held_up, refused_for_now, render_recount, render_step, render_wait};
pub(crate) use tangle::render_routing_error;
use traffic::foreign_targets;
pub(crate) use traffic::{
    PROPAGATION, command_name, hidden_steps, job_time, more_steps, no_steps, render_bake_steps,
    render_capacity, render_drift, render_load, render_needed, render_rule, render_silent_alarms,
    render_split_change, render_stickiness, render_users, render_versions, scaled_first, wait_title,
};

/// The state left by a started run that did not reach its goal, and the reason.
pub(crate) fn end_state(report: &Report) -> Option<String> {
    let mut about = About::of(report);
    // A deployment of a promote that was superseded: the service was changed, no rule was.
    if matches!(report.failing, Some(RunFailure::Deployment(_)))
        && report.because == Some(EndStateReason::ChangedExternally)
    {
        about.users = None;
    }
    report.because.as_ref().map(|why| render_end_state(why, report.left, &about))
}

/// The failure of a run that did not reach its goal; none if the goal was reached.
pub(crate) fn end_failure(report: &Report) -> Option<Failure> {
    let about = About::of(report);
    if let Some(failed) = &report.failing {
        let left = report.because.as_ref().map(|because| (report.left, because));
        let failure = render_run_failure(failed, &about, &report.cause, left);
        // A restored part has nothing left to do.
        let lacks = report.lacks.as_ref().filter(|_| report.left == Left::Changed);
        let rest = lacks.map(|lacks| format!("\n{}", post::left_to_do(lacks, &about))).unwrap_or_default();
        return Some(Failure { hint: format!("{}{rest}", failure.hint).trim_end().to_owned(), ..failure });
    }
    let refused = report.refusal.as_ref().map(|refused| {
        let Failure { reason, what, hint } = render_refusal(refused, &about);
        // Reason for the shortage of healthy targets, if the color's tasks report one.
        let cause = report.cause.findings.first().map(|first| format!(" {}", render_finding(first).0));
        let what = what + &cause.unwrap_or_default();
        let stays = report.because.as_ref();
        let stays = stays.map(|stays| format!("\n{}", render_end_state(stays, report.left, &about)));
        Failure { reason, what, hint: hint + &stays.unwrap_or_default() }
    });
    let wrong = (!report.problems.is_empty()).then(|| problems_failure(&report.problems));
    refused.or(wrong).or_else(|| report.failure.clone())
}
