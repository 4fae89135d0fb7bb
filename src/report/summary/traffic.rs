//! A change of traffic in the job summary.

use crate::event::Report;
use crate::failure::Outcome;
use crate::plan::step::{Capacity, Left};
use crate::plan::traffic::{RuleChange, TrafficPlan};
use crate::report::markdown::{inline_text, render_message};
use crate::report::names::format_change;
use crate::report::words;

/// Notes for users of the action: weights need time to apply, and sticky clients may stay.
pub(super) fn traffic_notes(traffic_plan: &TrafficPlan, report: &Report) -> String {
    let told = match (report.outcome, report.left) {
        (Outcome::Succeeded | Outcome::Planned, _) | (_, Left::Changed | Left::Unknown) => true,
        (_, Left::Untouched | Left::Restored) => false,
    };
    if !told || traffic_plan.from.same_ratio(traffic_plan.to) {
        return String::new();
    }
    let stay = words::render_stickiness(traffic_plan).unwrap_or_default();
    render_message(&format!("{}\n{stay}", words::PROPAGATION))
}

/// The plan: rules, capacity, steps.
pub(super) fn plan_section(traffic_plan: &TrafficPlan, only: bool) -> String {
    let mut out = String::from("| listener rule | before | after |\n|---|---|---|\n");
    out.extend(traffic_plan.rules.iter().map(|one| rule_row(one, traffic_plan)));
    out.push_str(&format!("\n{}.\n\n", words::render_load(traffic_plan.load)));
    out.push_str(
        "| color | users | healthy | needed | desired count | MaxCapacity |\n|---|---|---|---|---|---|\n",
    );
    out.extend(traffic_plan.capacity.iter().map(|color| capacity_row(color, traffic_plan)));
    out.push('\n');
    let texts = [
        words::scaled_first(traffic_plan),
        words::render_bake_steps(traffic_plan),
        words::render_silent_alarms(&traffic_plan.no_data),
    ];
    for text in texts.into_iter().flatten() {
        out.push_str(&render_message(&format!("{}.", capitalize_first(&text))));
    }
    let hidden = words::hidden_steps(traffic_plan.steps.len());
    for (at, step) in traffic_plan.steps.iter().enumerate() {
        if at == hidden.start && !hidden.is_empty() {
            out.push_str(&format!("\n{}\n\n", render_message(&words::more_steps(&hidden)).trim_end()));
        }
        if hidden.contains(&at) {
            continue;
        }
        out.push_str(&format!("{}. {}\n", at + 1, render_message(&words::render_step(step)).trim_end()));
    }
    if traffic_plan.too_long {
        out.push_str(&format!("{}.\n", capitalize_first(&words::no_steps(traffic_plan))));
    } else if traffic_plan.steps.is_empty() {
        out.push_str("Nothing to change.\n");
    }
    if only {
        out.push('\n');
        out.push_str(&render_message(&format!("{}.", words::job_time(traffic_plan.longest))));
    }
    let (title, end) =
        if only { ("**Plan**", "") } else { ("<details><summary>Plan</summary>", "\n</details>\n") };
    format!("{title}\n\n{out}{end}\n")
}

/// One rule's row.
fn rule_row(rule: &RuleChange, traffic_plan: &TrafficPlan) -> String {
    let told = format_change(rule.before, rule.after);
    let (before, after) = told.split_once(" -> ").unwrap_or((&told, ""));
    let away = traffic_plan.copy.as_ref().filter(|copy| copy.away);
    let away = away.map(|copy| format!("{}, then ", copy.tested)).unwrap_or_default();
    format!("| {} | {before} | {away}{after} |\n", inline_text(&rule.name))
}

/// One color's row.
fn capacity_row(capacity: &Capacity, traffic_plan: &TrafficPlan) -> String {
    let Capacity { color, share, healthy, desired, most, .. } = capacity;
    let needed = words::render_needed(capacity, traffic_plan.need(*color).unwrap_or_default());
    let most = most.map_or("–".to_owned(), |most| most.to_string());
    format!("| {color} | {share} % | {healthy} | {needed} | {desired} | {most} |\n")
}

/// The text with a capital first letter.
fn capitalize_first(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}
