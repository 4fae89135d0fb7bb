//! The job summary: Markdown from the end of a run. No account ids, no values of variables, no active markup from
//! outside.

#[path = "summary/traffic.rs"]
mod moved;

use super::comment::CommentRun;
use super::comparison::comparison_section;
use super::findings::findings_section;
use super::going_live::going_live_section;
use super::headline::end_title;
use super::log_tail::tail_section;
use super::markdown::{
    code_block, folded, inline_code, inline_text, markdown_link, render_message, render_prose, table_cell,
};
use super::names::{format_duration, short_arn, short_commit, short_digest, short_image, without_accounts};
use super::strip::Strip;
use super::timeline::Timeline;
use super::ways::ways_section;
use super::{links, status, words};
use crate::event::{LogLink, Planned, Report};
use crate::failure::Outcome;
use crate::plan::arn::Arn;
use crate::plan::color::ServiceColor;
use crate::plan::overview::{ColorView, Overview};
use crate::plan::snapshot::Rollout;
use crate::plan::step::Refusal;

/// Most bytes of a summary; GitHub accepts 1 MiB for everything that a step writes.
const MOST: usize = 900_000;

/// Most findings, and most differences, in the summary.
const MOST_SHOWN: usize = 100;

/// Importance of a part if not everything fits: the last rank is dropped first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The run's result: never dropped.
    Verdict,
    /// The next step for the user.
    Way,
    /// The current state.
    State,
    /// The rest.
    Detail,
}

/// One part of the end of a run, as Markdown.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// The importance.
    pub(super) rank: Rank,
    /// The text, which ends a paragraph; empty if there is nothing to report.
    pub(super) text: String,
}

impl Section {
    /// A part.
    pub(super) fn new(rank: Rank, text: String) -> Section {
        Section { rank, text }
    }
}

/// The whole summary.
pub(crate) fn render_summary(report: &Report, timeline: &Timeline) -> String {
    let mut out = end_title(report);
    out.push_str(&render_message(&words::end_headline(report)));
    let tail = report.log_tail.as_ref().map(|tail| tail_section(tail, true)).unwrap_or_default();
    let failure = [Section::new(Rank::Way, failure_details(report)), Section::new(Rank::Way, tail)];
    let parts = verdict_notes(report).into_iter().chain(failure);
    out.extend(parts.chain(state_sections(report)).map(|section| section.text));
    out.push_str(&timeline.section());
    out.push_str(&render_footer(report));
    truncate_summary(without_accounts(&out, known_account(report)))
}

/// The warnings, and the remedy after a failure.
pub(super) fn verdict_notes(report: &Report) -> Vec<Section> {
    let warnings = [
        report.empty_image.then(|| words::empty_image().to_owned()),
        report.undoes.map(|(color, ago)| words::undoes_rollback(color, ago)),
    ];
    let mut texts: Vec<String> = warnings
        .into_iter()
        .flatten()
        .map(|text| format!("> [!WARNING]\n> {}", render_message(&text)))
        .collect();
    texts.push(findings_section(report.findings.as_deref().unwrap_or_default()));
    texts.extend(words::end_failure(report).map(|failure| render_message(&failure.hint)));
    texts.into_iter().map(|text| Section::new(Rank::Way, text)).collect()
}

/// The findings after the first, and links to the logs.
pub(super) fn failure_details(report: &Report) -> String {
    if words::end_failure(report).is_none() {
        return String::new();
    }
    more_findings(report) + &render_logs(&report.logs)
}

/// The current state, the plan, and the ways on.
fn state_sections(report: &Report) -> Vec<Section> {
    let overview = report.overview.as_ref();
    let state: Vec<String> = match overview {
        Some(overview) => vec![
            seen_before(report),
            strip_section(&Strip::of_report(report), overview),
            render_production_url(overview),
            render_color_table(overview),
            overview.compared.as_ref().map(comparison_section).unwrap_or_default(),
        ],
        None => Vec::new(),
    };
    let mut out: Vec<Section> = state.into_iter().map(|text| Section::new(Rank::State, text)).collect();
    out.push(Section::new(Rank::State, going_live_section(report.going_live.as_deref())));
    out.extend(plan_sections(report));
    out.push(Section::new(Rank::Way, ways_section(report, &CommentRun::default())));
    out.push(Section::new(Rank::Way, folded("The way back, with and without GitHub", &undo_text(report))));
    if let Some(overview) = overview {
        let drift = drift_list(overview);
        let drift = if drift.is_empty() { drift } else { format!("**Drift**\n\n{drift}\n") };
        out.push(Section::new(Rank::Way, drift));
        let commands = if report.command == "status" { command_list(overview) } else { String::new() };
        out.push(Section::new(Rank::Way, folded("Commands now", &commands)));
        let unread = unread_list(overview);
        let unread = if unread.is_empty() { unread } else { format!("**Could not be read**\n\n{unread}") };
        out.push(Section::new(Rank::Detail, unread));
    }
    out
}

/// The strip, and the reason if the split is unknown.
pub(super) fn strip_section(strip: &Strip, overview: &Overview) -> String {
    let lines: Vec<String> = strip.lines().iter().map(|line| render_prose(line)).collect();
    let reason =
        if overview.known_split().is_none() { render_unknown_split(overview) } else { String::new() };
    // A backslash at a line's end is a line break everywhere on GitHub.
    format!("{}\n\n{reason}", lines.join("\\\n"))
}

/// The notes on a change of traffic, and the plan: open if there is nothing else, otherwise folded.
pub(super) fn plan_sections(report: &Report) -> Vec<Section> {
    let only = report.outcome == Outcome::Planned;
    let mut out = Vec::new();
    if let Some(traffic_plan) = &report.traffic {
        let notes = moved::traffic_notes(traffic_plan, report);
        out.push(Section::new(Rank::Way, folded("When the new weights apply", &notes)));
        out.push(Section::new(Rank::Detail, moved::plan_section(traffic_plan, only)));
    }
    out.extend(report.plan.as_ref().map(|plan| Section::new(Rank::Detail, render_plan(plan, only))));
    out
}

/// The commands that undo the run.
pub(super) fn undo_text(report: &Report) -> String {
    words::undo_hint(report).map(|undo| render_message(&undo)).unwrap_or_default()
}

/// The findings after the first cause.
fn more_findings(report: &Report) -> String {
    let findings = report.cause.findings.iter().skip(1).take(MOST_SHOWN);
    let told: Vec<String> = findings
        .map(|finding| format!("- {}", render_message(&words::render_finding(finding).0).trim_end()))
        .collect();
    if told.is_empty() { String::new() } else { format!("Also seen:\n\n{}\n\n", told.join("\n")) }
}

/// Links to the logs of the tasks that failed.
fn render_logs(logs: &[LogLink]) -> String {
    let one = |log: &LogLink| {
        let text = format!("{} in task {}", log.container, log.task);
        format!("- {}\n", markdown_link(&inline_text(&text), &links::log_stream(log)))
    };
    let told: String = logs.iter().take(MOST_SHOWN).map(one).collect();
    if told.is_empty() { told } else { format!("Logs:\n\n{told}\n") }
}

/// Reason for an unknown split.
fn render_unknown_split(overview: &Overview) -> String {
    match &overview.split {
        Some(Err(tangled)) => {
            let (what, hint) = words::render_routing_error(tangled);
            render_message(&format!("Users: not known. {what}\n{hint}"))
        }
        Some(Ok(_)) | None => "Users: not known, the listener rules could not be read.\n".to_owned(),
    }
}

/// A note that the table is older than the end, if so.
pub(super) fn seen_before(report: &Report) -> String {
    let told = if report.stale { "Seen before the end of the run:\n\n" } else { "" };
    told.to_owned()
}

/// Address of production.
fn render_production_url(overview: &Overview) -> String {
    let url = overview.production_url.as_ref();
    url.map(|url| format!("Production: {}\n\n", markdown_link(&inline_code(url), url))).unwrap_or_default()
}

/// The table of the colors.
fn render_color_table(overview: &Overview) -> String {
    let mut out = String::from(
        "| color | users | version | image | commit | tasks | healthy targets | test |\n|---|---|---|---|---|---|---|---|\n",
    );
    for view in &overview.colors {
        out.push_str(&render_color_row(overview, view));
    }
    for (color, service) in &overview.missing {
        out.push_str(&format!(
            "| {color} | – | service {} does not exist | – | – | – | – | – |\n",
            inline_code(service)
        ));
    }
    out.push('\n');
    out
}

/// One color's row.
fn render_color_row(overview: &Overview, view: &ColorView) -> String {
    let unknown = || "not known".to_owned();
    let users = match (view.percent, view.color) {
        (Some(percent), _) => format!("{percent} %"),
        (None, ServiceColor::Develop) => table_cell(""),
        (None, ServiceColor::Blue | ServiceColor::Green) => unknown(),
    };
    let image = view.image.as_deref().map(|image| inline_code(&short_image(image)));
    let digests = view.digests.iter().take(3).map(|digest| inline_code(&short_digest(digest)));
    let images: Vec<String> = image.into_iter().chain(digests).collect();
    let state = match view.rollout {
        Some(Rollout::InProgress) => ", deploying",
        Some(Rollout::Failed) => ", last deployment failed",
        Some(Rollout::Unknown) => ", deployment not known",
        Some(Rollout::Completed) | None => "",
    };
    let runs = view.runs.as_deref().map(|runs| format!(", {} runs", inline_code(runs))).unwrap_or_default();
    let cells = [
        markdown_link(view.color.word(), &links::service_page(&overview.place, &view.service)),
        users,
        inline_code(&view.revision),
        if images.is_empty() { table_cell("") } else { images.join(" ") },
        view.commit.as_deref().map_or_else(|| table_cell(""), |commit| inline_code(&short_commit(commit))),
        format!("{} of {}{state}{runs}{}", view.running, view.desired, render_bounds(view)),
        view.healthy.map_or_else(unknown, |(healthy, all)| format!("{healthy} of {all}")),
        view.test_url.as_deref().map_or_else(|| table_cell(""), |url| markdown_link("open", url)),
    ];
    format!("| {} |\n", cells.join(" | "))
}

/// The bounds of a color, in parentheses.
fn render_bounds(view: &ColorView) -> String {
    view.scaling.map(|scaling| format!(" ({})", status::bounds_text(scaling))).unwrap_or_default()
}

/// The plan as a difference, and its steps.
fn render_plan(plan: &Planned, only: bool) -> String {
    let mut lines = Vec::new();
    for difference in plan.changes.iter().take(MOST_SHOWN) {
        lines.extend(words::diff_lines(difference));
    }
    let hidden = plan.changes.len().saturating_sub(MOST_SHOWN);
    if hidden > 0 {
        lines.push(format!("# and {hidden} more"));
    }
    if lines.is_empty() {
        lines.push(format!("  no difference to {}", short_arn(&plan.now.task_definition)));
    }
    let steps: String = plan
        .steps
        .iter()
        .enumerate()
        .map(|(at, step)| format!("{}. {}\n", at + 1, render_message(&words::render_step(step)).trim_end()))
        .collect();
    let title = if only { "**Plan**" } else { "<details><summary>Plan</summary>" };
    let time = plan
        .longest
        .filter(|_| only)
        .map(|longest| render_message(&format!("{}.", words::job_time(longest))));
    let end = if only { time.unwrap_or_default() } else { "</details>\n\n".to_owned() };
    format!("{title}\n\n{}\n{steps}\n{end}", code_block("diff", &lines))
}

/// Every command with its answer now.
pub(super) fn command_list(overview: &Overview) -> String {
    let one = |(what, why): (String, Option<&'static str>)| match why {
        None => format!("- {what}: possible\n"),
        Some(why) => format!("- {what}: not now, {}\n", render_message(why).trim_end()),
    };
    status::possible_commands(overview).into_iter().map(one).collect()
}

/// Differences between the expected and the actual traffic setup.
pub(super) fn drift_list(overview: &Overview) -> String {
    let one = |drift| format!("- {}\n", render_message(&words::render_drift(drift)).trim_end());
    overview.drift.iter().map(one).collect()
}

/// The unreadable parts, each with the statement that grants access.
pub(super) fn unread_list(overview: &Overview) -> String {
    let one = |trouble| {
        let failure = words::render_aws_error(trouble);
        render_message(&format!("{}\n{}", failure.what, failure.hint))
    };
    overview.unread.iter().take(MOST_SHOWN).map(one).collect()
}

/// The place and the duration.
fn render_footer(report: &Report) -> String {
    let place = report.overview.as_ref().map(|overview| &overview.place).or(report.place.as_ref());
    let place = place
        .map(|place| format!(" · cluster {}, {}", inline_text(&place.cluster), inline_text(&place.region)))
        .unwrap_or_default();
    format!("<sub>{}{place}</sub>\n", format_duration(report.duration))
}

/// The account, if known from any source. The summary never shows this id.
pub(super) fn known_account(report: &Report) -> Option<&str> {
    let place = report.overview.as_ref().map(|overview| &overview.place).or(report.place.as_ref());
    let place = place.map(|place| place.account.as_str());
    let arns = [&report.task_definition, &report.previous_task_definition];
    let named = arns.into_iter().flatten().find_map(|arn| Arn::parse(arn).map(|arn| arn.account));
    place.filter(|account| !account.is_empty()).or(named).or_else(|| of_role(report))
}

/// The account of the role that could not be assumed.
fn of_role(report: &Report) -> Option<&str> {
    let Some(Refusal::Unread(trouble)) = &report.refusal else { return None };
    let role = trouble.resource.strip_prefix("arn:")?;
    role.split(':').nth(3).filter(|account| account.len() == 12)
}

/// The text, or as many of its lines as fit.
fn truncate_summary(mut text: String) -> String {
    if text.len() <= MOST {
        return text;
    }
    let room = text.get(..=MOST).map_or_else(|| text.floor_char_boundary(MOST), |_| MOST);
    let end = text.get(..room).and_then(|kept| kept.rfind('\n')).unwrap_or_default();
    text.truncate(end);
    text + "\n\nThe summary is cut here; the job log has the rest.\n"
}

#[cfg(test)]
mod tests;
