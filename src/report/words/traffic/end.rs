//! The split at the end of a change of traffic, if known.

use super::super::{promote, render_routing_error};
use crate::event::Report;
use crate::plan::color::Color;
use crate::plan::step::Step;
use crate::plan::traffic::TrafficPlan;
use crate::report::names::{format_shares, join_with_and};

/// Both splits: `blue -> blue-80`; if the split is right already, the remaining changes.
pub(crate) fn render_split_change(traffic_plan: &TrafficPlan) -> String {
    if let Some(copy) = &traffic_plan.copy {
        return promote::render_copy_phases(copy);
    }
    match traffic_plan.agreed() {
        true if traffic_plan.from.same_ratio(traffic_plan.to) => {
            format!("users are at {} already{}", traffic_plan.to, remaining_changes(traffic_plan))
        }
        true => format!("{} -> {}", traffic_plan.from, traffic_plan.to),
        false => format!("rules that disagree -> {}", traffic_plan.to),
    }
}

/// Changes other than weights, by name. Begins with a semicolon.
fn remaining_changes(traffic_plan: &TrafficPlan) -> String {
    let rules = traffic_plan.steps.iter().any(|step| matches!(step, Step::Weights(_)));
    let scaling = traffic_plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_)));
    let count = |color| {
        let of = |step: &Step| matches!(step, Step::Update(update) if update.color == color);
        traffic_plan.steps.iter().any(of).then(|| format!("the desired count of {color}"))
    };
    let parts: Vec<String> = [
        rules.then(|| "the production rules".to_owned()),
        scaling.then(|| "automatic scaling".to_owned()),
        count(Color::Blue),
        count(Color::Green),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { String::new() } else { format!("; what still changes: {}", join_with_and(&parts)) }
}

/// The difference between the last look and the run's result; empty if there is none. Begins with a space.
pub(in crate::report::words) fn render_later_change(report: &Report, traffic_plan: &TrafficPlan) -> String {
    let Some(overview) = &report.overview else { return String::new() };
    let theirs = "Somebody else changed the production rules since.";
    match (report.split, &overview.split) {
        _ if report.stale => {
            " AWS could not be asked again at the end: what is shown was seen just before.".to_owned()
        }
        (Some(now), _) if now.same_ratio(traffic_plan.to) => String::new(),
        (Some(now), _) => format!(" {theirs} Users now: {}.", format_shares(now)),
        (None, Some(Err(tangled))) => format!(" {theirs} {}", render_routing_error(tangled).0),
        (None, Some(Ok(_)) | None) => String::new(),
    }
}

/// The split of users, for the last line of the log; none if there is nothing to say.
pub(crate) fn render_users(report: &Report) -> Option<String> {
    let overview = report.overview.as_ref()?;
    let before = if report.stale { ", seen before the end" } else { "" };
    match (report.split, &overview.split) {
        (Some(split), _) => Some(format!("users: {}{before}", format_shares(split))),
        (None, Some(Ok(split))) => {
            Some(format!("users: not known; seen before the end: {}", format_shares(*split)))
        }
        (None, Some(Err(tangled))) => {
            Some(format!("users: not known{before}. {}", render_routing_error(tangled).0))
        }
        (None, None) => Some("users: not known, the listener rules could not be read".to_owned()),
    }
}

/// Automatic scaling that a forced change could not change.
pub(in crate::report::words) fn render_unscaled(color: Color) -> String {
    format!(
        "Forced: the automatic scaling of {color} could not be changed, so it may scale in under its users."
    )
}
