//! The sticky comment: the job summary's parts, narrow enough for a phone, below a mark that identifies the comment.
//!
//! No account ids, no values of variables, no active markup from outside. Details are dropped first at GitHub's limit.

pub(super) mod narrow;

use std::time::Duration;

use super::about::About;
use super::comparison::comparison_section;
use super::going_live::going_live_section;
use super::headline::{end_title, rollback_verdict, users_text, with_users};
use super::log_tail::tail_section;
use super::mark::{Kin, comment_mark, compare_marks};
use super::markdown::{folded, inline_code, inline_text, markdown_link, render_message};
use super::names::{clock_time, format_duration, in_backticks, short_arn, short_commit, without_accounts};
use super::strip::Strip;
use super::summary::{
    Rank, Section, command_list, drift_list, failure_details, known_account, plan_sections, seen_before,
    strip_section, undo_text, unread_list, verdict_notes,
};
use super::ways::{way_back_meanwhile, ways_section};
use super::words;
use crate::event::{Planned, Report};
use crate::plan::cause::Cause;
use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::compare::Verdict;
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
    /// The release strip.
    pub(crate) strip: Strip,
    /// Time since the start of the run.
    pub(crate) lasts: Duration,
    /// The split of users, once the run moved them and only watches.
    pub(crate) moved: Option<Split>,
    /// The commits that go live with the run.
    pub(crate) going_live: Option<Box<GoingLive>>,
}

/// The comment at the end of a run.
pub(crate) fn end_comment(report: &Report, run: &CommentRun) -> String {
    let mut parts = vec![verdict_part(end_title(report))];
    parts.push(verdict_part(render_message(&shorten_verdict(&words::end_headline(report)))));
    parts.extend(verdict_notes(report));
    parts.extend(state_parts(report, &Strip::of_report(report)));
    parts.push(Section::new(Rank::Way, ways_section(report, run)));
    parts.extend(folded_parts(report, run));
    render_comment(parts, report, (run, &format!("took {}", format_duration(report.duration))))
}

/// The comment on a run in progress.
pub(crate) fn progress_comment(now: &Working, run: &CommentRun) -> String {
    let report = report_so_far(now);
    let mut parts = vec![verdict_part(progress_title(now, &report))];
    parts.push(verdict_part(progress_sentence(now, &report)));
    parts.push(Section::new(Rank::Way, compared_sentence(&report)));
    parts.extend(state_parts(&report, &now.strip));
    if let (Some(plan), None) = (&now.traffic, &now.failing) {
        parts.push(Section::new(Rank::Way, way_back_meanwhile(plan, &report, run)));
    }
    parts.extend(folded_parts(&report, &CommentRun { button: None, ..run.clone() }));
    render_comment(parts, &report, (run, &format!("under way for {}", format_duration(now.lasts))))
}

/// A part that is never dropped.
fn verdict_part(text: String) -> Section {
    Section::new(Rank::Verdict, text)
}

/// The report of a run in progress, as far as it is known.
fn report_so_far(now: &Working) -> Report {
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
    report
}

/// The headline of a run in progress.
fn progress_title(now: &Working, report: &Report) -> String {
    let (command, to) = (now.command, words::goal_phrase(report));
    let verdict = match &now.failing {
        None => format!("⏳ {}{to}", activity_phrase(command)),
        Some((RunFailure::Cancelled, _)) => format!("🚫 Cancelled: {command}{to}"),
        Some(_) => format!("⏪ Going back: {command}{to} failed"),
    };
    let known = report.split.filter(|_| now.failing.is_none());
    let still = if now.traffic.is_none() && now.command == "deploy" { "still " } else { "" };
    format!("### {}\n\n", with_users(&verdict, known.map(|split| users_text(split, still))))
}

/// The first sentence on a run in progress.
fn progress_sentence(now: &Working, report: &Report) -> String {
    if let Some((failing, cause)) = &now.failing {
        let failure = words::render_run_failure(failing, &About::of(report), cause, None);
        return render_message(&shorten_verdict(&failure.what)) + UNDER_WAY;
    }
    let mut text = match now.moved {
        Some(_) => format!("All rules hold the split, read back from AWS. The run watches on; {FOLLOWS}\n\n"),
        None => UNDER_WAY.to_owned(),
    };
    if let Some((color, cause)) = &now.failure {
        let failed = words::task_failed(*color, cause, &About::of(report));
        text.push_str(&render_message(&shorten_verdict(&format!("⚠️ {failed}"))));
    }
    text
}

/// The verdict on the colors, if it is bad.
fn compared_sentence(report: &Report) -> String {
    let read = report.overview.as_ref().and_then(|overview| overview.compared.as_ref());
    let verdict = read.and_then(|read| read.as_ref().ok()).map(|comparison| comparison.verdict);
    match (read, verdict) {
        (Some(read), Some(Verdict::Worse { .. } | Verdict::BothFail)) => {
            render_message(&format!("⚠️ {}", words::verdict_text(read)))
        }
        _ => String::new(),
    }
}

/// The strip and the table of the colors.
fn state_parts(report: &Report, strip: &Strip) -> Vec<Section> {
    let Some(overview) = &report.overview else { return Vec::new() };
    let texts = [seen_before(report), strip_section(strip, overview), narrow::compact_table(overview)];
    texts.into_iter().map(|text| Section::new(Rank::State, text)).collect()
}

/// A part that opens at its title.
fn fold(rank: Rank, title: &str, text: &str) -> Section {
    Section::new(rank, folded(title, text))
}

/// Everything that most readers do not need at once.
fn folded_parts(report: &Report, run: &CommentRun) -> Vec<Section> {
    let overview = report.overview.as_ref();
    let compared = overview.and_then(|overview| overview.compared.as_ref()).map(comparison_section);
    let log = report.log_tail.as_ref().map(|tail| tail_section(tail, false));
    let mut parts = vec![
        fold(Rank::Way, "More about the failure", &failure_details(report)),
        Section::new(Rank::Detail, log.unwrap_or_default()),
        fold(Rank::State, "Pull requests", &going_live_section(report.going_live.as_deref())),
        fold(Rank::State, "Both colors compared", &compared.unwrap_or_default()),
        fold(Rank::State, "Drift", &overview.map(drift_list).unwrap_or_default()),
        fold(Rank::Detail, "Could not be read", &overview.map(unread_list).unwrap_or_default()),
        fold(Rank::State, "Changed version", &render_version_change(report)),
    ];
    parts.extend(plan_sections(report));
    parts.push(fold(Rank::Way, "The way back, with and without GitHub", &undo_text(report)));
    if let Some(overview) = overview {
        let commands = narrow::start_commands(overview, report.command, run);
        parts.push(fold(Rank::Way, "Commands for a terminal", &commands));
        if report.command == "status" {
            parts.push(fold(Rank::Way, "Commands now", &command_list(overview)));
        }
    }
    parts
}

/// End of the first sentences of a comment on a run in progress.
const FOLLOWS: &str = "this comment follows it.";

/// The first sentence on a run in progress.
const UNDER_WAY: &str = "The run is under way; this comment follows it.\n\n";

/// True if a comment still reports this run as in progress. The sentence counts only above what is folded: a container's
/// log may have it.
pub(crate) fn is_in_progress(text: &str, run: &CommentRun) -> bool {
    let top = text.split("<details").next().unwrap_or_default();
    top.contains(FOLLOWS) && text.contains(&render_run_link(run))
}

/// The color that a comment of the same place tells of a rollback to, if that is the last that happened there.
pub(crate) fn rolled_back_to(text: &str, run: &CommentRun) -> Option<Color> {
    let title = text.lines().nth(1).filter(|_| compare_marks(&comment_mark(run), text) != Kin::Other)?;
    let is = |color: &Color| {
        title.starts_with(&format!("### ✅ {}. ", rollback_verdict(*color)))
            // As written by 0.1.
            || title.trim_end() == format!("### ✅ Succeeded: rollback to {color}")
    };
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
            let about = About::of(report);
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

/// The link to production.
fn production_link(overview: Option<&Overview>) -> String {
    let url = overview.and_then(|overview| overview.production_url.as_ref());
    let url = url.filter(|url| url.starts_with("http"));
    url.map(|url| format!(" · {}", markdown_link("production", url))).unwrap_or_default()
}

/// The mark and the parts, as many as fit.
fn render_comment(mut parts: Vec<Section>, report: &Report, (run, lasts): (&CommentRun, &str)) -> String {
    let account = known_account(report);
    let clean = |text: &str| without_accounts(text, account);
    for part in &mut parts {
        part.text = clean(&part.text);
    }
    // The action writes the link to the run's page itself: the run's number may look like an account's.
    let production = clean(&production_link(report.overview.as_ref()));
    let last =
        format!("<sub>{}{production}{}</sub>", clean(&render_footer(run, lasts)), render_run_link(run));
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
