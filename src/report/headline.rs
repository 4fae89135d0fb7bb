//! The headline of a run: the verdict, then the users' state. A version without users never reads as live.

use super::words;
use crate::event::Report;
use crate::failure::Outcome;
use crate::plan::color::{Color, Split};
use crate::plan::overview::Overview;
use crate::plan::step::Left;

/// The headline at the end of a run: a symbol and words, never the symbol alone.
pub(super) fn end_title(report: &Report) -> String {
    if let Some((overview, split)) = status_facts(report) {
        return format!("### {}\n\n", status_title(overview, split));
    }
    let (symbol, word) = match report.outcome {
        Outcome::Succeeded => ("✅", "Succeeded"),
        Outcome::Unchanged => ("✅", "Unchanged"),
        Outcome::Planned => ("📝", "Planned"),
        Outcome::Refused => ("⛔", "Refused"),
        Outcome::Failed => ("❌", "Failed"),
        Outcome::Superseded => ("⏩", "Superseded"),
        Outcome::Cancelled => ("🚫", "Cancelled"),
    };
    let verdict = good_verdict(report).unwrap_or_else(|| plain_verdict(report, word));
    format!("### {}\n\n", with_users(&format!("{symbol} {verdict}"), end_users(report)))
}

/// The first part of the headline of a rollback that succeeded. A later run reads it.
pub(super) fn rollback_verdict(color: Color) -> String {
    format!("Rolled back to {color}")
}

/// The headline with the users' state, if that is known.
pub(super) fn with_users(verdict: &str, users: Option<String>) -> String {
    users.map_or_else(|| verdict.to_owned(), |users| format!("{verdict}. {users}"))
}

/// The verdict of a command that reached its goal. None for other commands and outcomes.
fn good_verdict(report: &Report) -> Option<String> {
    if report.outcome != Outcome::Succeeded && report.outcome != Outcome::Unchanged {
        return None;
    }
    let verdict = match (report.command, &report.traffic) {
        ("deploy", _) => deploy_verdict(report)?,
        (_, _) if report.outcome == Outcome::Unchanged => return None,
        ("redirect-traffic", Some(plan)) => format!("Redirected to {}", plan.to),
        ("promote", Some(plan)) => format!("Promoted to {}", plan.to),
        ("rollback", Some(plan)) => match plan.to.color_of_all() {
            Some(color) => rollback_verdict(color),
            None => format!("Rolled back to {}", plan.to),
        },
        _ => return None,
    };
    let unchanged = if report.outcome == Outcome::Unchanged { ", nothing changed" } else { "" };
    Some(verdict + unchanged)
}

/// The verdict of a good deploy: `Ready` only if the color has no users.
fn deploy_verdict(report: &Report) -> Option<String> {
    let color = report.color?;
    let is_known = report.split.is_some() && !report.stale;
    if report.overview.is_some() && color.production().is_none() {
        return Some(format!("Ready on {color}"));
    }
    Some(match (report.deploys_to_users(), is_known && report.overview.is_some()) {
        (true, _) => format!("Deployed to {color}, which has users"),
        (false, true) => format!("Ready on {color}"),
        (false, false) => format!("Deployed to {color}"),
    })
}

/// `Failed: deploy to green (circuit-breaker)`.
fn plain_verdict(report: &Report, word: &str) -> String {
    let left = match report.left {
        Left::Untouched | Left::Restored | Left::Changed => "",
        Left::Unknown => ", and it is NOT KNOWN what is left",
    };
    let to = words::goal_phrase(report);
    // Invalid inputs can leave the command unknown.
    let command = if report.command.is_empty() { String::new() } else { format!(": {}{to}", report.command) };
    format!("{word}{left}{command}{}", words::outcome_reason(report))
}

/// What a `status` saw of users. None for other commands, and if users are not known.
fn status_facts(report: &Report) -> Option<(&Overview, Split)> {
    let is_status = report.command == "status" && report.outcome == Outcome::Succeeded;
    report.overview.as_ref().filter(|_| is_status && !report.stale).zip(report.split)
}

/// The headline of a `status`: who serves users, and if users are served.
fn status_title(overview: &Overview, split: Split) -> String {
    let live: Vec<(Color, Option<u32>)> = overview
        .production()
        .filter(|(color, _)| split.is_live(*color))
        .map(|(color, view)| (color, view.healthy.map(|(healthy, _)| healthy)))
        .collect();
    let unserved = live.iter().find(|(_, healthy)| *healthy == Some(0)).map(|(color, _)| *color);
    let is_known = live.iter().all(|(_, healthy)| healthy.is_some());
    let (symbol, served) = match (unserved, live.as_slice()) {
        (Some(_), [_]) => ("⚠️", "No healthy target serves them.".to_owned()),
        (Some(color), _) => ("⚠️", format!("No healthy target serves the users on {color}.")),
        (None, []) => ("⚠️", "No color serves them.".to_owned()),
        (None, _) if !is_known => ("⚠️", "It is not known if they are served.".to_owned()),
        (None, [(_, Some(1))]) => ("✅", "1 healthy target serves them.".to_owned()),
        (None, [(_, Some(healthy))]) => ("✅", format!("{healthy} healthy targets serve them.")),
        (None, _) => ("✅", "Healthy targets of both serve them.".to_owned()),
    };
    format!("{symbol} {} {served}", users_text(split, ""))
}

/// The users' state at the end. None if no look shows the users.
fn end_users(report: &Report) -> Option<String> {
    if matches!(report.command, "status" | "doctor" | "post" | "") {
        return None;
    }
    let overview = report.overview.as_ref()?;
    if report.stale {
        return overview.known_split().map(last_seen_text);
    }
    let Some(split) = report.split else { return Some(unknown_users(overview)) };
    Some(users_text(split, if keeps_users(report, split) { "still " } else { "" }))
}

/// True if the run did not touch users: a deploy to a color without users, or a run that was not begun.
fn keeps_users(report: &Report, split: Split) -> bool {
    let deployed = report.color.and_then(|color| color.production());
    match report.outcome {
        Outcome::Refused | Outcome::Failed | Outcome::Cancelled if report.left == Left::Untouched => true,
        _ if report.left == Left::Unknown => false,
        _ => report.traffic.is_none() && deployed.is_some_and(|color| !split.is_live(color)),
    }
}

/// The sentence if the rules differ, or could not be read.
fn unknown_users(overview: &Overview) -> String {
    match &overview.split {
        Some(Err(_)) if overview.rules.len() > 1 => "Users: the production rules differ.".to_owned(),
        Some(_) | None => "Users: not known.".to_owned(),
    }
}

/// `All users are on green`, `Users are still on blue`, `Users: 80 % on blue, 20 % on green`.
pub(super) fn users_text(split: Split, still: &str) -> String {
    match split.color_of_all() {
        Some(color) if still.is_empty() => format!("All users are on {color}."),
        Some(color) => format!("Users are {still}on {color}."),
        None => {
            let (blue, green) = split.percent();
            format!("Users: {blue} % on blue, {green} % on green.")
        }
    }
}

/// The same for a look before the end.
fn last_seen_text(split: Split) -> String {
    match split.color_of_all() {
        Some(color) => format!("At the last look all users were on {color}."),
        None => {
            let (blue, green) = split.percent();
            format!("Users at the last look: {blue} % on blue, {green} % on green.")
        }
    }
}

#[cfg(test)]
mod tests;
