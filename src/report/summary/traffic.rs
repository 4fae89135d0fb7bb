//! A change of traffic in the job summary.

use super::{CELLS, NARROWEST_CELLS, Shape, bar_of, unknown};
use crate::event::Report;
use crate::failure::Outcome;
use crate::plan::color::Split;
use crate::plan::step::{Capacity, Left};
use crate::plan::traffic::{Brief, RuleChange};
use crate::report::markdown::{block, inline, message};
use crate::report::names::change;
use crate::report::words;

/// How users were split, are, and shall be: as bars.
pub(super) fn bars(brief: &Brief, report: &Report, shape: Shape<'_>) -> String {
    let cells = match shape {
        Shape::Wide => CELLS,
        Shape::Narrow(_) => NARROWEST_CELLS,
    };
    let overview = report.overview.as_ref();
    let known = report.split.or_else(|| overview.filter(|_| report.stale)?.known_split());
    let now = known.map(|split| (if report.stale { "seen" } else { "now" }, split));
    let wanted = known.is_none_or(|now| !now.same_ratio(brief.to)).then_some(("wanted", brief.to));
    let before = brief.agreed().then_some(("before", brief.from));
    let lines = match report.outcome {
        Outcome::Planned => [now, Some(("after", brief.to)), None],
        Outcome::Unchanged => [now, None, None],
        // Not begun, or under way.
        Outcome::Refused => [now, wanted, None],
        Outcome::Succeeded | Outcome::Failed | Outcome::Superseded | Outcome::Cancelled => {
            [before, now, wanted]
        }
    };
    let lines: Vec<(&str, Split)> = lines.into_iter().flatten().collect();
    let unknown = overview.filter(|_| known.is_none()).map(unknown).unwrap_or_default();
    let lines: Vec<String> =
        lines.into_iter().map(|(label, split)| format!("{label:<6}  {}", bar_of(split, cells))).collect();
    let bars = if lines.is_empty() { String::new() } else { block("text", &lines) };
    format!("{bars}{unknown}\n")
}

/// What users have to know after it, or before it: weights take their time, and clients may stay.
pub(super) fn notes(brief: &Brief, report: &Report) -> String {
    let told = match (report.outcome, report.left) {
        (Outcome::Succeeded | Outcome::Planned, _) | (_, Left::Changed | Left::Unknown) => true,
        (_, Left::Untouched | Left::Restored) => false,
    };
    if !told || brief.from.same_ratio(brief.to) {
        return String::new();
    }
    let stay = words::stickiness(brief).unwrap_or_default();
    message(&format!("{}\n{stay}", words::PROPAGATION))
}

/// The plan: rules, capacity, steps.
pub(super) fn plan(brief: &Brief, only: bool) -> String {
    let mut out = String::from("| listener rule | before | after |\n|---|---|---|\n");
    out.extend(brief.rules.iter().map(|one| rule(one, brief)));
    out.push_str(&format!("\n{}.\n\n", words::load(brief.load)));
    out.push_str(
        "| color | users | healthy | needed | desired count | MaxCapacity |\n|---|---|---|---|---|---|\n",
    );
    out.extend(brief.capacity.iter().map(|color| capacity(color, brief)));
    out.push('\n');
    let texts = [words::scaled_first(brief), words::held(brief), words::silent(&brief.no_data)];
    for text in texts.into_iter().flatten() {
        out.push_str(&message(&format!("{}.", capital(&text))));
    }
    let hidden = words::hidden_steps(brief.steps.len());
    for (at, step) in brief.steps.iter().enumerate() {
        if at == hidden.start && !hidden.is_empty() {
            out.push_str(&format!("\n{}\n\n", message(&words::more_steps(&hidden)).trim_end()));
        }
        if hidden.contains(&at) {
            continue;
        }
        out.push_str(&format!("{}. {}\n", at + 1, message(&words::step(step)).trim_end()));
    }
    if brief.steps.is_empty() {
        out.push_str("Nothing to change.\n");
    }
    if only {
        out.push('\n');
        out.push_str(&message(&format!("{}.", words::job_time(brief.longest))));
    }
    let (title, end) =
        if only { ("**Plan**", "") } else { ("<details><summary>Plan</summary>", "\n</details>\n") };
    format!("{title}\n\n{out}{end}\n")
}

/// One rule's row.
fn rule(rule: &RuleChange, brief: &Brief) -> String {
    let told = change(rule.before, rule.after);
    let (before, after) = told.split_once(" -> ").unwrap_or((&told, ""));
    let away = brief.copy.as_ref().filter(|copy| copy.away);
    let away = away.map(|copy| format!("{}, then ", copy.tested)).unwrap_or_default();
    format!("| {} | {before} | {away}{after} |\n", inline(&rule.name))
}

/// One color's row.
fn capacity(capacity: &Capacity, brief: &Brief) -> String {
    let Capacity { color, share, healthy, desired, most, .. } = capacity;
    let needed = words::needed(capacity, brief.need(*color).unwrap_or_default());
    let most = most.map_or("–".to_owned(), |most| most.to_string());
    format!("| {color} | {share} % | {healthy} | {needed} | {desired} | {most} |\n")
}

/// The text with a capital at its beginning.
fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}
