//! The sticky comment: the job summary's parts, narrow enough for a phone, below a mark that identifies the comment.
//!
//! No account ids, no values of variables, no active markup from outside. Details are dropped first at GitHub's limit.

pub(super) mod narrow;

use std::time::Duration;

use super::log_tail::tail_section;
use super::mark::{Kin, comment_mark, compare_marks};
use super::markdown::{inline_code, inline_text, markdown_link, render_message};
use super::names::{
    clock_time, format_duration, format_shares, in_backticks, short_arn, short_commit, without_accounts,
};
use super::summary::{Rank, Section, known_account, state_sections, status_title, verdict_sections};
use super::words;
use crate::event::{Planned, Report};
use crate::plan::cause::Cause;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::going_live::GoingLive;
use crate::plan::overview::Overview;
use crate::plan::step::{Left, RunFailure};
use crate::plan::time::Time;
use crate::plan::traffic::TrafficPlan;

/// GitHub's limit on a comment, in characters. The code counts bytes, which are never fewer.
pub(crate) const LIMIT: usize = 65_536;

/// Most characters of the verdict before escaping, which can turn one character into 12.
const MOST_VERDICT: usize = 4_000;

/// Facts about the run that the report does not hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CommentRun {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The app's name.
    pub(crate) app: String,
    /// The region's code.
    pub(crate) region: String,
    /// The short hash of account, region, cluster and app; none while the account is unknown.
    pub(crate) place: Option<String>,
    /// `owner/name`.
    pub(crate) repository: Option<String>,
    /// The user who started the run.
    pub(crate) actor: Option<String>,
    /// The branch or tag.
    pub(crate) branch: Option<String>,
    /// The commit.
    pub(crate) commit: Option<String>,
    /// The run's number, in digits.
    pub(crate) id: Option<String>,
    /// The run's page.
    pub(crate) url: Option<String>,
    /// The workflow that can be started by hand.
    pub(crate) button: Option<Button>,
    /// Time of the start.
    pub(crate) started: Option<Time>,
}

/// Users held at a step of a change of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Number of the current step and of all steps, both counted from 1, if the plan is known.
    pub(crate) step: Option<(usize, usize)>,
    /// The split that all production rules held at the last look.
    pub(crate) split: Split,
    /// The rest of the bake, and the start of the next step; none after the bake.
    pub(crate) next: Option<(Duration, Time)>,
}

/// A workflow that can be started by hand and passes its inputs on to this action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Button {
    /// The name of its file in `.github/workflows`.
    pub(crate) file: String,
    /// The names of its inputs; none if unknown, which counts as all inputs.
    pub(crate) inputs: Option<Vec<String>>,
}

/// State of a run in progress.
#[derive(Clone, Debug, Default)]
pub(crate) struct Working {
    /// `deploy`, `redirect-traffic`.
    pub(crate) command: &'static str,
    /// The overview at the start.
    pub(crate) overview: Option<Overview>,
    /// The plan.
    pub(crate) plan: Option<Planned>,
    /// The planned change of traffic.
    pub(crate) traffic: Option<Box<TrafficPlan>>,
    /// The failure, once the run restores the earlier state.
    pub(crate) failing: Option<(RunFailure, Cause)>,
    /// The first failed task: its color and the cause.
    pub(crate) failure: Option<(ServiceColor, Cause)>,
    /// The step that holds users now.
    pub(crate) held: Option<Held>,
    /// Time since the start of the run.
    pub(crate) lasts: Duration,
    /// The split of users, once the run moved them and only watches.
    pub(crate) moved: Option<Split>,
    /// The commits that go live with the run.
    pub(crate) going_live: Option<Box<GoingLive>>,
}

/// The comment at the end of a run.
pub(crate) fn end_comment(report: &Report, run: &CommentRun) -> String {
    let mut parts = vec![Section { rank: Rank::Verdict, text: status_title(report) }];
    let told = |mut section: Section| {
        if section.rank == Rank::Verdict {
            section.text = render_message(&shorten_verdict(&words::end_headline(report)));
        }
        section
    };
    parts.extend(verdict_sections(report).into_iter().map(told));
    parts.push(Section { rank: Rank::State, text: render_version_change(report) });
    parts.extend(state_sections(report, super::summary::Shape::Narrow(run)));
    let tail = report.log_tail.as_ref().map(|tail| tail_section(tail, false)).unwrap_or_default();
    parts.push(Section { rank: Rank::Detail, text: tail });
    render_comment(parts, known_account(report), (run, &format!("took {}", format_duration(report.duration))))
}

/// The comment on a run in progress.
pub(crate) fn progress_comment(now: &Working, run: &CommentRun) -> String {
    let plan = now.plan.as_ref();
    let mut report = Report::new(now.command);
    report.color = plan.map(|plan| plan.color);
    report.service = plan.map(|plan| plan.service.clone());
    report.previous_task_definition = plan.map(|plan| plan.now.task_definition.clone());
    report.plan.clone_from(&now.plan);
    report.traffic.clone_from(&now.traffic);
    report.going_live.clone_from(&now.going_live);
    if let Some(overview) = &now.overview {
        report.see(overview.clone());
    }
    let to = words::goal_phrase(&report);
    let mut parts = Vec::new();
    let text = match &now.failing {
        None => format!("### ⏳ {}{to}\n\n", activity_phrase(now.command)),
        Some((failing, cause)) => {
            let about = super::about::About::of(&report);
            let failure = words::render_run_failure(failing, &about, cause, None);
            let what = render_message(&shorten_verdict(&failure.what));
            match failing {
                RunFailure::Cancelled => format!("### 🚫 Cancelled: {}{to}\n\n{what}", now.command),
                RunFailure::Deployment(_)
                | RunFailure::Probe(_)
                | RunFailure::Traffic(_)
                | RunFailure::Repeated(_) => {
                    format!("### ⏪ Going back: {}{to} failed\n\n{what}", now.command)
                }
            }
        }
    };
    parts.push(Section { rank: Rank::Verdict, text });
    let text = match now.moved.filter(|_| now.failing.is_none()) {
        Some(split) => {
            format!("**Users are at {split}**, read back from AWS. The run watches on; {FOLLOWS}\n\n")
        }
        None => match now.held.as_ref().filter(|_| now.failing.is_none()) {
            Some(held) => format!("{} {FOLLOWS}\n\n", step_reached(held)),
            None => format!("The run is under way; {FOLLOWS}\n\n"),
        },
    };
    parts.push(Section { rank: Rank::Verdict, text });
    if let (Some((color, cause)), None) = (&now.failure, &now.failing) {
        let about = super::about::About::of(&report);
        let text = words::task_failed(*color, cause, &about);
        parts.push(Section {
            rank: Rank::Verdict,
            text: render_message(&shorten_verdict(&format!("⚠️ {text}"))),
        });
    }
    parts.extend(state_sections(
        &report,
        super::summary::Shape::Narrow(&CommentRun { button: None, ..run.clone() }),
    ));
    render_comment(
        parts,
        known_account(&report),
        (run, &format!("under way for {}", format_duration(now.lasts))),
    )
}

/// The step that holds users now, and the start of the next step.
fn step_reached(held: &Held) -> String {
    let step = held.step.map(|(at, all)| format!("Step {at} of {all}: ")).unwrap_or_default();
    let split =
        format!("**{step}users are at {}** ({}), read from AWS.", held.split, format_shares(held.split));
    match held.next {
        Some((left, next)) => {
            format!(
                "{split} {} left; the next step begins at {} UTC;",
                format_duration(left),
                clock_time(next)
            )
        }
        None => format!("{split} The next step is being prepared;"),
    }
}

/// End of the first sentences of a comment on a run in progress.
const FOLLOWS: &str = "this comment follows it.";

/// True if a comment still reports this run as in progress.
pub(crate) fn is_in_progress(text: &str, run: &CommentRun) -> bool {
    text.contains(FOLLOWS) && text.contains(&render_run_link(run))
}

/// The color that a comment of the same place tells of a rollback to, if that is the last that happened there.
pub(crate) fn rolled_back_to(text: &str, run: &CommentRun) -> Option<Color> {
    let told = text.lines().nth(1).filter(|_| compare_marks(&comment_mark(run), text) != Kin::Other)?;
    let is = |color: &Color| told.trim_end() == format!("### ✅ Succeeded: rollback to {color}");
    Color::BOTH.into_iter().find(is)
}

/// A command as an activity, for a sentence.
fn activity_phrase(command: &str) -> &str {
    match command {
        "deploy" => "Deploying",
        "redirect-traffic" => "Moving users",
        "promote" => "Promoting: moving users",
        "rollback" => "Rolling back: moving users",
        "post" => "Finishing a cancelled run",
        other => other,
    }
}

/// The run's change of the version.
fn render_version_change(report: &Report) -> String {
    match (&report.previous_task_definition, &report.task_definition) {
        (Some(before), Some(after)) if before != after => {
            let about = super::about::About::of(report);
            let (before, after) = (in_backticks(short_arn(before)), in_backticks(short_arn(after)));
            if let (Some(traffic_plan), None) = (&report.traffic, &report.plan) {
                return render_production_change(report, traffic_plan, (&before, &after));
            }
            render_message(&match report.left {
                Left::Changed => format!("{}: from {before} to {after}", about.name()),
                Left::Untouched | Left::Restored | Left::Unknown => {
                    format!("Wanted for {}: {after} instead of {before}", about.name())
                }
            })
        }
        _ => String::new(),
    }
}

/// Production's change of version in a promote by swap; the earlier version may be the other color's.
fn render_production_change(
    report: &Report,
    traffic_plan: &TrafficPlan,
    (before, after): (&str, &str),
) -> String {
    let there = report.split.is_some_and(|now| now.same_ratio(traffic_plan.to));
    match (there, report.left) {
        (true, Left::Changed) => render_message(&format!("Version of production: from {before} to {after}")),
        (true, Left::Untouched | Left::Restored) => String::new(),
        (false, _) | (_, Left::Unknown) => {
            render_message(&format!("Wanted for production: {after} instead of {before}"))
        }
    }
}

/// The actor, the branch, the commit, the place, and the duration `lasts`.
fn render_footer(run: &CommentRun, lasts: &str) -> String {
    let by = run.actor.as_deref().map(|actor| format!("by {}", inline_text(actor)));
    let branch = run.branch.as_deref().map(|branch| format!("from {}", inline_code(branch)));
    let commit = run.commit.as_deref().map(|commit| format!("at {}", inline_code(&short_commit(commit))));
    let place = format!("cluster {}, app {}", inline_code(&run.cluster), inline_code(&run.app));
    let who: Vec<String> = [by, branch, commit].into_iter().flatten().collect();
    let who = if who.is_empty() { String::new() } else { format!("{} · ", who.join(" ")) };
    let time = run.started.map(|at| format!(" · started at {} UTC, {lasts}", clock_time(at)));
    who + &place + &time.unwrap_or_default()
}

/// The link to the run.
fn render_run_link(run: &CommentRun) -> String {
    let text = run.id.as_deref().map_or("the run".to_owned(), |id| format!("run {id}"));
    run.url
        .as_deref()
        .map(|url| format!(" · {}", markdown_link(&inline_text(&text), url)))
        .unwrap_or_default()
}

/// The mark and the parts, as many as fit.
fn render_comment(
    mut parts: Vec<Section>,
    account: Option<&str>,
    (run, lasts): (&CommentRun, &str),
) -> String {
    let clean = |text: &str| without_accounts(text, account);
    for part in &mut parts {
        part.text = clean(&part.text);
    }
    // The action writes the link to the run's page itself: the run's number may look like an account's.
    let last = format!("<sub>{}{}</sub>", clean(&render_footer(run, lasts)), render_run_link(run));
    let frame = (comment_mark(run), last);
    let room = LIMIT.saturating_sub(frame.0.len() + frame.1.len() + LEFT_OUT.len() + 4);
    let cut = drop_sections(&mut parts, room);
    let body: String = parts.into_iter().map(|part| part.text).collect();
    let note = if cut { LEFT_OUT } else { "" };
    format!("{}\n{body}{note}{}\n", frame.0, frame.1)
}

/// Replaces parts that did not fit.
const LEFT_OUT: &str = "There is more than a comment can hold: the summary of the run has it.\n\n";

/// Drops parts until the rest fits: the largest of the least important rank first. The verdict stays.
fn drop_sections(parts: &mut [Section], room: usize) -> bool {
    let mut cut = false;
    while parts.iter().map(|part| part.text.len()).sum::<usize>() > room {
        let least = parts.iter_mut().filter(|part| part.rank != Rank::Verdict && !part.text.is_empty());
        let Some(part) = least.max_by_key(|part| (part.rank, part.text.len())) else { break };
        part.text.clear();
        cut = true;
    }
    cut
}

/// The beginning of a long text.
fn shorten_verdict(text: &str) -> String {
    if text.chars().count() <= MOST_VERDICT {
        return text.to_owned();
    }
    text.chars().take(MOST_VERDICT).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
