//! The job summary: Markdown from the end of a run. No account ids, no values of variables, nothing live from outside.

#[path = "summary/traffic.rs"]
mod moved;

use super::comment::{Run, narrow};
use super::markdown::{block, cell, code, inline, link, message};
use super::names::{duration, short_arn, short_commit, short_digest, short_image, without_accounts};
use super::{links, status, words};
use crate::event::{LogLink, Planned, Report};
use crate::failure::Outcome;
use crate::plan::arn::Arn;
use crate::plan::color::{Color, Split};
use crate::plan::overview::{ColorView, Overview};
use crate::plan::snapshot::Rollout;
use crate::plan::step::{Left, Refusal};

/// Most bytes of a summary; GitHub takes 1 MiB for all that a step writes.
const MOST: usize = 900_000;

/// Most findings, and most differences, that are shown.
const MOST_SHOWN: usize = 100;

/// Cells of the traffic bar.
const CELLS: u32 = 20;

/// Cells of the traffic bar in a comment.
const NARROW_CELLS: u32 = 12;

/// The same where a word stands before it.
const NARROWEST_CELLS: u32 = 8;

/// How much a part matters where there is not room for all: the last ones go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// What the run came to: always there.
    Verdict,
    /// What to do now.
    Way,
    /// How things stand.
    State,
    /// The rest.
    Detail,
}

/// One part of what the end of a run tells, as Markdown.
#[derive(Clone, Debug)]
pub(super) struct Section {
    /// How much it matters.
    pub(super) rank: Rank,
    /// Its text, which ends a paragraph; empty where there is nothing to tell.
    pub(super) text: String,
}

/// Where the text is read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'a> {
    /// The page of the run: as wide as a screen.
    Wide,
    /// A comment: narrow enough for a phone, with the commands that the run can name.
    Narrow(&'a Run),
}

/// The whole summary.
pub(crate) fn summary(report: &Report) -> String {
    let mut out = title(report);
    let parts = verdict(report).into_iter().chain(stand(report, Shape::Wide));
    out.extend(parts.map(|section| section.text));
    out.push_str(&footer(report));
    cut(without_accounts(&out, account(report)))
}

/// What the run came to: the end in words, and on failure what to do.
pub(super) fn verdict(report: &Report) -> Vec<Section> {
    let mut out = vec![Section { rank: Rank::Verdict, text: message(&words::headline(report)) }];
    if report.empty_image {
        let text = format!("> [!WARNING]\n> {}", message(words::empty_image()));
        out.push(Section { rank: Rank::Way, text });
    }
    if let Some((color, ago)) = report.undoes {
        let text = format!("> [!WARNING]\n> {}", message(&words::undoes_rollback(color, ago)));
        out.push(Section { rank: Rank::Way, text });
    }
    if let Some(failure) = words::failure(report) {
        out.push(Section { rank: Rank::Way, text: message(&failure.hint) });
        out.push(Section { rank: Rank::Detail, text: more_findings(report) });
        out.push(Section { rank: Rank::Way, text: logs(&report.logs) });
    }
    out
}

/// How things stand, what was planned, and what can be done next.
pub(super) fn stand(report: &Report, shape: Shape<'_>) -> Vec<Section> {
    let mut out = Vec::new();
    let overview = report.overview.as_ref();
    if let Some(overview) = overview {
        let text = match &report.traffic {
            Some(brief) => moved::bars(brief, report, shape),
            None => traffic(overview, report.split, shape),
        };
        out.push(Section { rank: Rank::State, text });
        out.push(Section { rank: Rank::State, text: production(overview) });
        out.push(Section { rank: Rank::State, text: seen_before(report) });
        let text = match shape {
            Shape::Wide => table(overview),
            Shape::Narrow(_) => narrow::table(overview),
        };
        out.push(Section { rank: Rank::State, text });
    }
    if let Some(brief) = &report.traffic {
        out.push(Section { rank: Rank::Way, text: moved::notes(brief, report) });
        out.push(Section {
            rank: Rank::Detail,
            text: moved::plan(brief, report.outcome == Outcome::Planned),
        });
    }
    if let Some(plan) = &report.plan {
        out.push(Section { rank: Rank::Detail, text: planned(plan, report.outcome == Outcome::Planned) });
    }
    if let Some(undo) = words::undo(report) {
        out.push(Section { rank: Rank::Way, text: message(&undo) });
    }
    if let Some(overview) = overview {
        let text = match shape {
            Shape::Wide => next(overview),
            Shape::Narrow(run) => next(overview) + &narrow::buttons(overview, report.command, run),
        };
        out.push(Section { rank: Rank::Way, text });
        out.push(Section { rank: Rank::Detail, text: unread(overview) });
    }
    out
}

/// The status line: a symbol and the word, never the color alone.
pub(super) fn title(report: &Report) -> String {
    let drift = report.overview.iter().flat_map(|overview| &overview.drift);
    let unserved = report.command == "status" && drift.filter_map(words::unserved).count() > 0;
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
    let to = words::goal(report);
    // Inputs may be so wrong that there is no command.
    let what = if report.command.is_empty() { String::new() } else { format!(": {}{to}", report.command) };
    format!("### {symbol} {word}{left}{what}{}\n\n", words::reason(report))
}

/// What was found beside the first cause.
fn more_findings(report: &Report) -> String {
    let findings = report.cause.findings.iter().skip(1).take(MOST_SHOWN);
    let told: Vec<String> =
        findings.map(|finding| format!("- {}", message(&words::finding(finding).0).trim_end())).collect();
    if told.is_empty() { String::new() } else { format!("Also seen:\n\n{}\n\n", told.join("\n")) }
}

/// Links to the logs of the tasks that failed.
fn logs(logs: &[LogLink]) -> String {
    let one = |log: &LogLink| {
        let text = format!("{} in task {}", log.container, log.task);
        format!("- {}\n", link(&inline(&text), &links::log_stream(log)))
    };
    let told: String = logs.iter().take(MOST_SHOWN).map(one).collect();
    if told.is_empty() { told } else { format!("Logs:\n\n{told}\n") }
}

/// How users are split, as a bar; or why that can't be said.
fn traffic(overview: &Overview, split: Option<Split>, shape: Shape<'_>) -> String {
    let cells = match shape {
        Shape::Wide => CELLS,
        Shape::Narrow(_) => NARROW_CELLS,
    };
    let told = match split {
        Some(split) => block("text", &[bar_of(split, cells)]),
        None => unknown(overview),
    };
    format!("{told}\n")
}

/// Why it is not known how users are split.
fn unknown(overview: &Overview) -> String {
    match &overview.split {
        Some(Err(tangled)) => {
            let (what, hint) = words::tangle(tangled);
            message(&format!("Users: not known. {what}\n{hint}"))
        }
        Some(Ok(_)) | None => "Users: not known, the listener rules could not be read.\n".to_owned(),
    }
}

/// That the table is older than the end, where it is.
fn seen_before(report: &Report) -> String {
    let told = if report.stale { "Seen before the end of the run:\n\n" } else { "" };
    told.to_owned()
}

/// Where production answers.
fn production(overview: &Overview) -> String {
    let url = overview.production_url.as_ref();
    url.map(|url| format!("Production: {}\n\n", link(&code(url), url))).unwrap_or_default()
}

/// `blue 80 % ████████████████░░░░ 20 % green`, with so many cells; a color with users has at least one.
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
fn table(overview: &Overview) -> String {
    let mut out = String::from(
        "| color | users | version | image | commit | tasks | healthy targets | test |\n|---|---|---|---|---|---|---|---|\n",
    );
    for view in &overview.colors {
        out.push_str(&row(overview, view));
    }
    for (color, service) in &overview.missing {
        out.push_str(&format!(
            "| {color} | – | service {} does not exist | – | – | – | – | – |\n",
            code(service)
        ));
    }
    out.push('\n');
    out
}

/// One color's row.
fn row(overview: &Overview, view: &ColorView) -> String {
    let unknown = || "not known".to_owned();
    let users = match (view.percent, view.color) {
        (Some(percent), _) => format!("{percent} %"),
        (None, Color::Develop) => cell(""),
        (None, Color::Blue | Color::Green) => unknown(),
    };
    let image = view.image.as_deref().map(|image| code(&short_image(image)));
    let digests = view.digests.iter().take(3).map(|digest| code(&short_digest(digest)));
    let images: Vec<String> = image.into_iter().chain(digests).collect();
    let state = match view.rollout {
        Some(Rollout::InProgress) => ", deploying",
        Some(Rollout::Failed) => ", last deployment failed",
        Some(Rollout::Unknown) => ", deployment not known",
        Some(Rollout::Completed) | None => "",
    };
    let runs = view.runs.as_deref().map(|runs| format!(", {} runs", code(runs))).unwrap_or_default();
    let cells = [
        link(view.color.word(), &links::service_page(&overview.place, &view.service)),
        users,
        code(&view.revision),
        if images.is_empty() { cell("") } else { images.join(" ") },
        view.commit.as_deref().map_or_else(|| cell(""), |commit| code(&short_commit(commit))),
        format!("{} of {}{state}{runs}{}", view.running, view.desired, bounds(view)),
        view.healthy.map_or_else(unknown, |(healthy, all)| format!("{healthy} of {all}")),
        view.test_url.as_deref().map_or_else(|| cell(""), |url| link("open", url)),
    ];
    format!("| {} |\n", cells.join(" | "))
}

/// The bounds of a color, in parentheses.
fn bounds(view: &ColorView) -> String {
    view.scaling.map(|scaling| format!(" ({})", status::bounds(scaling))).unwrap_or_default()
}

/// The plan as a difference, and its steps.
fn planned(plan: &Planned, only: bool) -> String {
    let mut lines = Vec::new();
    for difference in plan.changes.iter().take(MOST_SHOWN) {
        lines.extend(words::changed(difference));
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
        .map(|(at, step)| format!("{}. {}\n", at + 1, message(&words::step(step)).trim_end()))
        .collect();
    let title = if only { "**Plan**" } else { "<details><summary>Plan</summary>" };
    let time =
        plan.longest.filter(|_| only).map(|longest| message(&format!("{}.", words::job_time(longest))));
    let end = if only { time.unwrap_or_default() } else { "</details>\n\n".to_owned() };
    format!("{title}\n\n{}\n{steps}\n{end}", block("diff", &lines))
}

/// What is not as it should be, and which commands are possible now.
fn next(overview: &Overview) -> String {
    let one = |(what, why): (String, Option<&'static str>)| match why {
        None => format!("- {what}: possible\n"),
        Some(why) => format!("- {what}: not now, {}\n", message(why).trim_end()),
    };
    let told: String = status::possible(overview).into_iter().map(one).collect();
    let drift: String = overview
        .drift
        .iter()
        .map(|drift| format!("- {}\n", message(&words::drift(drift)).trim_end()))
        .collect();
    let drift = if drift.is_empty() { drift } else { format!("**Drift**\n\n{drift}\n") };
    if told.is_empty() { drift } else { format!("{drift}**Possible now**\n\n{told}\n") }
}

/// The parts that could not be read, each with what grants it.
fn unread(overview: &Overview) -> String {
    let one = |trouble| {
        let failure = words::trouble(trouble);
        message(&format!("{}\n{}", failure.what, failure.hint))
    };
    let told: String = overview.unread.iter().take(MOST_SHOWN).map(one).collect();
    if told.is_empty() { told } else { format!("**Could not be read**\n\n{told}") }
}

/// Where, and for how long.
fn footer(report: &Report) -> String {
    let place = report.overview.as_ref().map(|overview| &overview.place);
    let place = place
        .map(|place| format!(" · cluster {}, {}", inline(&place.cluster), inline(&place.region)))
        .unwrap_or_default();
    format!("<sub>{}{place}</sub>\n", duration(report.duration))
}

/// The account, as far as anything tells it: it is taken out of the summary wherever it stands.
pub(super) fn account(report: &Report) -> Option<&str> {
    let place = report.overview.as_ref().map(|overview| overview.place.account.as_str());
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

/// The text, or as many of its lines as there is room for.
fn cut(mut text: String) -> String {
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
