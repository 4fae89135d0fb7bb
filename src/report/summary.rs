//! The job summary: Markdown from the end of a run. No account ids, no values of variables, no active markup from
//! outside.

#[path = "summary/traffic.rs"]
mod moved;

use super::comment::{CommentRun, narrow};
use super::comparison::comparison_section;
use super::findings::findings_section;
use super::going_live::going_live_section;
use super::log_tail::tail_section;
use super::markdown::{code_block, inline_code, inline_text, markdown_link, render_message, table_cell};
use super::names::{format_duration, short_arn, short_commit, short_digest, short_image, without_accounts};
use super::{links, status, words};
use crate::event::{LogLink, Planned, Report};
use crate::failure::Outcome;
use crate::plan::arn::Arn;
use crate::plan::color::{ServiceColor, Split};
use crate::plan::overview::{ColorView, Overview};
use crate::plan::snapshot::Rollout;
use crate::plan::step::{Left, Refusal};

/// Most bytes of a summary; GitHub accepts 1 MiB for everything that a step writes.
const MOST: usize = 900_000;

/// Most findings, and most differences, in the summary.
const MOST_SHOWN: usize = 100;

/// Cells of the traffic bar.
const CELLS: u32 = 20;

/// Cells of the traffic bar in a comment.
const NARROW_CELLS: u32 = 12;

/// Cells of the traffic bar behind a word.
const NARROWEST_CELLS: u32 = 8;

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

/// The place of the text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// The run's page: as wide as a screen.
    Wide,
    /// A comment: narrow enough for a phone, with the commands that the run can name.
    Narrow(&'a CommentRun),
}

/// The whole summary.
pub(crate) fn render_summary(report: &Report) -> String {
    let mut out = status_title(report);
    out.extend(verdict_sections(report).into_iter().map(|section| section.text));
    out.extend(report.log_tail.iter().map(|tail| tail_section(tail, true)));
    out.extend(state_sections(report, Shape::Wide).into_iter().map(|section| section.text));
    out.push_str(&render_footer(report));
    truncate_summary(without_accounts(&out, known_account(report)))
}

/// The run's result in words, and the remedy after a failure.
pub(super) fn verdict_sections(report: &Report) -> Vec<Section> {
    let mut out = vec![Section { rank: Rank::Verdict, text: render_message(&words::end_headline(report)) }];
    if report.empty_image {
        let text = format!("> [!WARNING]\n> {}", render_message(words::empty_image()));
        out.push(Section { rank: Rank::Way, text });
    }
    if let Some((color, ago)) = report.undoes {
        let text = format!("> [!WARNING]\n> {}", render_message(&words::undoes_rollback(color, ago)));
        out.push(Section { rank: Rank::Way, text });
    }
    let findings = report.findings.as_deref().unwrap_or_default();
    out.push(Section { rank: Rank::Way, text: findings_section(findings) });
    if let Some(failure) = words::end_failure(report) {
        out.push(Section { rank: Rank::Way, text: render_message(&failure.hint) });
        out.push(Section { rank: Rank::Detail, text: more_findings(report) });
        out.push(Section { rank: Rank::Way, text: render_logs(&report.logs) });
    }
    out
}

/// The current state, the plan, and the next possible commands.
pub(super) fn state_sections(report: &Report, shape: Shape<'_>) -> Vec<Section> {
    let mut out = Vec::new();
    let overview = report.overview.as_ref();
    if let Some(overview) = overview {
        let text = match &report.traffic {
            Some(traffic_plan) => moved::split_bars(traffic_plan, report, shape),
            None => render_split(overview, report.split, shape),
        };
        out.push(Section { rank: Rank::State, text });
        out.push(Section { rank: Rank::State, text: render_production_url(overview) });
        out.push(Section { rank: Rank::State, text: seen_before(report) });
        let text = match shape {
            Shape::Wide => render_color_table(overview),
            Shape::Narrow(_) => narrow::compact_table(overview),
        };
        out.push(Section { rank: Rank::State, text });
        let text = overview.compared.as_ref().map(comparison_section).unwrap_or_default();
        out.push(Section { rank: Rank::State, text });
    }
    out.push(Section { rank: Rank::State, text: going_live_section(report.going_live.as_deref()) });
    if let Some(traffic_plan) = &report.traffic {
        out.push(Section { rank: Rank::Way, text: moved::traffic_notes(traffic_plan, report) });
        out.push(Section {
            rank: Rank::Detail,
            text: moved::plan_section(traffic_plan, report.outcome == Outcome::Planned),
        });
    }
    if let Some(plan) = &report.plan {
        out.push(Section { rank: Rank::Detail, text: render_plan(plan, report.outcome == Outcome::Planned) });
    }
    if let Some(undo) = words::undo_hint(report) {
        out.push(Section { rank: Rank::Way, text: render_message(&undo) });
    }
    if let Some(overview) = overview {
        let text = match shape {
            Shape::Wide => render_next_steps(overview),
            Shape::Narrow(run) => {
                render_next_steps(overview) + &narrow::start_commands(overview, report.command, run)
            }
        };
        out.push(Section { rank: Rank::Way, text });
        out.push(Section { rank: Rank::Detail, text: render_unread_parts(overview) });
    }
    out
}

/// The status line: a symbol and the word, never the color alone.
pub(super) fn status_title(report: &Report) -> String {
    let drift = report.overview.iter().flat_map(|overview| &overview.drift);
    let unserved = report.command == "status" && drift.filter_map(words::unserved_sentence).count() > 0;
    let (symbol, word) = match report.outcome {
        Outcome::Succeeded if unserved => ("⚠️", "Succeeded"),
        Outcome::Succeeded => ("✅", "Succeeded"),
        Outcome::Unchanged => ("✅", "Unchanged"),
        Outcome::Planned => ("📝", "Planned"),
        Outcome::Refused => ("⛔", "Refused"),
        Outcome::Failed => ("❌", "Failed"),
        Outcome::Superseded => ("⏩", "Superseded"),
        Outcome::Cancelled => ("🚫", "Cancelled"),
    };
    let left = match report.left {
        Left::Untouched | Left::Restored | Left::Changed => "",
        Left::Unknown => ", and it is NOT KNOWN what is left",
    };
    let to = words::goal_phrase(report);
    // Invalid inputs can leave the command unknown.
    let what = if report.command.is_empty() { String::new() } else { format!(": {}{to}", report.command) };
    format!("### {symbol} {word}{left}{what}{}\n\n", words::outcome_reason(report))
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

/// The split of users as a bar, or the reason for an unknown split.
fn render_split(overview: &Overview, split: Option<Split>, shape: Shape<'_>) -> String {
    let cells = match shape {
        Shape::Wide => CELLS,
        Shape::Narrow(_) => NARROW_CELLS,
    };
    let told = match split {
        Some(split) => code_block("text", &[bar_of(split, cells)]),
        None => render_unknown_split(overview),
    };
    format!("{told}\n")
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
fn seen_before(report: &Report) -> String {
    let told = if report.stale { "Seen before the end of the run:\n\n" } else { "" };
    told.to_owned()
}

/// Address of production.
fn render_production_url(overview: &Overview) -> String {
    let url = overview.production_url.as_ref();
    url.map(|url| format!("Production: {}\n\n", markdown_link(&inline_code(url), url))).unwrap_or_default()
}

/// `blue 80 % ████████████████░░░░ 20 % green`, with `all` cells; a color with users has at least one cell.
fn bar_of(split: Split, all: u32) -> String {
    let (blue, green) = split.percent();
    let cells = match (blue, green) {
        (_, 0) => all,
        (0, _) => 0,
        _ => (blue * all / 100).clamp(1, all - 1),
    };
    let run = |c: &str, number: u32| c.repeat(usize::try_from(number).unwrap_or_default());
    format!("blue {blue} % {}{} {green} % green", run("█", cells), run("░", all - cells))
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

/// Deviations, and the commands that are possible now.
fn render_next_steps(overview: &Overview) -> String {
    let one = |(what, why): (String, Option<&'static str>)| match why {
        None => format!("- {what}: possible\n"),
        Some(why) => format!("- {what}: not now, {}\n", render_message(why).trim_end()),
    };
    let told: String = status::possible_commands(overview).into_iter().map(one).collect();
    let drift: String = overview
        .drift
        .iter()
        .map(|drift| format!("- {}\n", render_message(&words::render_drift(drift)).trim_end()))
        .collect();
    let drift = if drift.is_empty() { drift } else { format!("**Drift**\n\n{drift}\n") };
    if told.is_empty() { drift } else { format!("{drift}**Possible now**\n\n{told}\n") }
}

/// The unreadable parts, each with the statement that grants access.
fn render_unread_parts(overview: &Overview) -> String {
    let one = |trouble| {
        let failure = words::render_aws_error(trouble);
        render_message(&format!("{}\n{}", failure.what, failure.hint))
    };
    let told: String = overview.unread.iter().take(MOST_SHOWN).map(one).collect();
    if told.is_empty() { told } else { format!("**Could not be read**\n\n{told}") }
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
