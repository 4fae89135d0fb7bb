//! The sentences: each names the thing, what was found, what was expected, and what to do (invariant 34).
//!
//! A hint's lines that begin with two spaces are to be pasted. Names from outside stand between backticks.

mod edge;
mod end;
mod ended;
mod finding;
mod left;
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
mod trouble;

#[cfg(test)]
mod tests;

use super::about::About;
use crate::event::Report;
use crate::failure::Failure;
use crate::plan::step::Left;

pub(crate) use edge::{MISPLACED_STEP, attempt, file_trouble, foreign_arns, no_http_client, wrong_account};
pub(crate) use end::{goal, headline, reason, title, undo, why_not};
pub(crate) use ended::{failing, task_failed};
pub(crate) use finding::finding;
pub(crate) use left::because;
pub(crate) use more::{
    broken_at, empty_image, image_missing, internal, no_such_definition, problems, undoes_rollback,
    unreadable_file, warning,
};
pub(crate) use post::{ended_unreported, not_read, not_there_now, unknown_state};
pub(crate) use refusal::refusal;
pub(crate) use sign_in::no_id_token;
pub(crate) use step::{changed, held_up, recounted, refused_for_now, step, waiting};
pub(crate) use tangle::tangle;
use traffic::foreign_targets;
pub(crate) use traffic::{
    PROPAGATION, capacity, command, drift, held, hidden_steps, job_time, load, more_steps, needed, rule,
    scaled_first, silent, stickiness, unserved, users, versions, watched, way,
};
pub(crate) use trouble::{name_proxies, trouble};

/// What a run that was begun and did not reach its goal left, and why.
pub(crate) fn left(report: &Report) -> Option<String> {
    report.because.as_ref().map(|why| because(why, report.left, &About::of(report)))
}

/// What a run that did not reach its goal says; none when it did.
pub(crate) fn failure(report: &Report) -> Option<Failure> {
    let about = About::of(report);
    if let Some(failed) = &report.failing {
        let left = report.because.as_ref().map(|because| (report.left, because));
        let failure = failing(failed, &about, &report.cause, left);
        // What was put back lacks nothing that is still to be done.
        let lacks = report.lacks.as_ref().filter(|_| report.left == Left::Changed);
        let rest = lacks.map(|lacks| format!("\n{}", post::left_to_do(lacks, &about))).unwrap_or_default();
        return Some(Failure { hint: format!("{}{rest}", failure.hint).trim_end().to_owned(), ..failure });
    }
    let refused = report.refusal.as_ref().map(|refused| {
        let Failure { reason, what, hint } = refusal(refused, &about);
        // Why a color is short of healthy targets, where its tasks tell.
        let cause = report.cause.findings.first().map(|first| format!(" {}", finding(first).0));
        let what = what + &cause.unwrap_or_default();
        let stays = report.because.as_ref();
        let stays = stays.map(|stays| format!("\n{}", because(stays, report.left, &about)));
        Failure { reason, what, hint: hint + &stays.unwrap_or_default() }
    });
    let wrong = (!report.problems.is_empty()).then(|| problems(&report.problems));
    refused.or(wrong).or_else(|| report.failure.clone())
}
