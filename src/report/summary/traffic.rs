//! A change of traffic in the job summary.

use super::{CELLS, NARROWEST_CELLS, Shape, bar_of};
use crate::event::Report;
use crate::failure::Outcome;
use crate::plan::step::{Capacity, Left};
use crate::plan::traffic::{Brief, RuleChange};
use crate::report::markdown::{block, inline, message};
use crate::report::words;

/// How users were split, are, and shall be: as bars.
pub(super) fn bars(brief: &Brief, report: &Report, shape: Shape<'_>) -> String {
    let cells = match shape {
        Shape::Wide => CELLS,
        Shape::Narrow(_) => NARROWEST_CELLS,
    };
    let now = report.split.unwrap_or(brief.from);
    // A cancelled run does not look again.
    let old =
        report.left == Left::Unknown || (report.outcome, report.left) == (Outcome::Cancelled, Left::Changed);
    let seen = if old { "seen" } else { "now" };
    let wanted = (!now.same_ratio(brief.to)).then_some(("wanted", brief.to));
    let lines = match report.outcome {
        Outcome::Planned => vec![("now", brief.from), ("after", brief.to)],
        Outcome::Unchanged => vec![("now", now)],
        // Not begun, or under way.
        Outcome::Refused => [Some((seen, now)), wanted].into_iter().flatten().collect(),
        Outcome::Succeeded | Outcome::Failed | Outcome::Superseded | Outcome::Cancelled => {
            [Some(("before", brief.from)), Some((seen, now)), wanted].into_iter().flatten().collect()
        }
    };
    let lines: Vec<String> =
        lines.into_iter().map(|(label, split)| format!("{label:<6}  {}", bar_of(split, cells))).collect();
    format!("{}\n", block("text", &lines))
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
    out.extend(brief.rules.iter().map(rule));
    out.push_str(&format!("\n{}.\n\n", words::load(brief.load)));
    out.push_str(
        "| color | users | healthy | needed | desired count | MaxCapacity |\n|---|---|---|---|---|---|\n",
    );
    out.extend(brief.capacity.iter().map(capacity));
    out.push('\n');
    let texts = [words::scaled_first(brief), words::held(brief), words::silent(&brief.no_data)];
    for text in texts.into_iter().flatten() {
        out.push_str(&message(&format!("{}.", capital(&text))));
    }
    for (at, step) in brief.steps.iter().enumerate() {
        out.push_str(&format!("{}. {}\n", at + 1, message(&words::step(step)).trim_end()));
    }
    if brief.steps.is_empty() {
        out.push_str("Nothing to change.\n");
    }
    let (title, end) =
        if only { ("**Plan**", "") } else { ("<details><summary>Plan</summary>", "\n</details>\n") };
    format!("{title}\n\n{out}{end}\n")
}

/// One rule's row.
fn rule(rule: &RuleChange) -> String {
    format!("| {} | {} | {} |\n", inline(&rule.name), rule.before, rule.after)
}

/// One color's row.
fn capacity(capacity: &Capacity) -> String {
    let Capacity { color, share, healthy, needed, desired, most } = capacity;
    let most = most.map_or("–".to_owned(), |most| most.to_string());
    format!("| {color} | {share} % | {healthy} | {needed} | {desired} | {most} |\n")
}

/// The text with a capital at its beginning.
fn capital(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}
