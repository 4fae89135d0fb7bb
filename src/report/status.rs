//! The overview of blue, green and develop: as lines for the log, and as JSON for machines (`status-json`).

mod json;

use super::comparison::comparison_lines;
use super::line::{Level, Line};
use super::names::{format_shares, in_backticks, one_line, short_commit, short_digest, short_image};
use super::words;
use crate::plan::overview::{ColorView, Movable, Overview, WhyNot};
use crate::plan::snapshot::{Rollout, Scalable};

pub(crate) use json::status_json;

/// The overview for the log.
pub(crate) fn status_lines(overview: &Overview) -> Vec<Line> {
    let mut lines = Line::foreign(Level::Plain, &split_line(overview));
    for (rule, split) in &overview.rules {
        lines.extend(Line::foreign(Level::Dim, &format!("  {}: {}", one_line(rule), format_shares(*split))));
    }
    for view in &overview.colors {
        lines.extend(Line::foreign(Level::Plain, &color_line(view)));
        lines.extend(Line::foreign(Level::Dim, &detail_line(view)));
    }
    for (color, service) in &overview.missing {
        let text = format!("{color}: the service {} does not exist", in_backticks(service));
        lines.extend(Line::foreign(Level::Warn, &text));
    }
    for trouble in &overview.unread {
        lines.extend(Line::foreign(
            Level::Warn,
            &format!("not read: {}", words::render_aws_error(trouble).what),
        ));
    }
    for drift in &overview.drift {
        lines.extend(Line::foreign(Level::Warn, &format!("drift: {}", words::render_drift(drift))));
    }
    for line in overview.compared.iter().flat_map(comparison_lines) {
        lines.extend(Line::foreign(Level::Plain, &line));
    }
    lines.extend(possible_commands(overview).into_iter().map(|(what, why)| match why {
        None => Line::own(Level::Plain, format!("{what}: possible now")),
        Some(why) => Line::own(Level::Dim, format!("{what}: not now, {why}")),
    }));
    lines
}

/// Every command with its color, and the reason against the command; commands with the same answer share a line.
pub(crate) fn possible_commands(overview: &Overview) -> Vec<(String, Option<&'static str>)> {
    let deploys =
        overview.deployable.iter().map(|(color, valid)| (format!("deploy to {color}"), valid.err()));
    let mut all: Vec<(String, Option<WhyNot>)> = deploys.collect();
    let first = all.len();
    for Movable { command, color, valid } in &overview.movable {
        let (name, to) = (words::command_name(*command), format!(" to {color}"));
        let same = all.iter_mut().skip(first).find(|(what, why)| what.ends_with(&to) && *why == valid.err());
        match same {
            Some((what, _)) => *what = format!("{}, {name}{to}", what.trim_end_matches(&to)),
            None => all.push((format!("{name}{to}"), valid.err())),
        }
    }
    all.into_iter().map(|(what, why)| (what, why.map(words::why_not))).collect()
}

/// The split of users, or the reason for an unknown split.
pub(crate) fn split_line(overview: &Overview) -> String {
    match &overview.split {
        Some(Ok(split)) => {
            let url = overview.production_url.as_ref().map(|url| format!(", {url}")).unwrap_or_default();
            format!("traffic: {split} ({}){url}", format_shares(*split))
        }
        Some(Err(tangled)) => {
            let (what, hint) = words::render_routing_error(tangled);
            format!("traffic: not known. {what} {hint}")
        }
        None => "traffic: not known, the listener rules could not be read".to_owned(),
    }
}

/// One color: version, tasks, health.
fn color_line(view: &ColorView) -> String {
    let percent = view.percent.map(|percent| format!("{percent} %, ")).unwrap_or_default();
    let healthy = view.healthy.map_or("health not known".to_owned(), |(healthy, all)| {
        format!("{healthy} of {all} targets healthy")
    });
    let rollout = match view.rollout {
        Some(Rollout::InProgress) => ", a deployment is in progress",
        Some(Rollout::Failed) => ", the last deployment failed",
        Some(Rollout::Unknown) => ", state of the deployment not known",
        Some(Rollout::Completed) | None => "",
    };
    let runs = view.runs.as_deref().map(|runs| format!(", {} runs", in_backticks(runs))).unwrap_or_default();
    format!(
        "{}: {percent}{}, {} of {} running, {healthy}{rollout}{runs}",
        view.color,
        in_backticks(&view.revision),
        view.running,
        view.desired
    )
}

/// One color: image, commit, test address.
fn detail_line(view: &ColorView) -> String {
    let image = view.image.as_deref().map(|image| format!("image {}", short_image(image)));
    let digests = (!view.digests.is_empty())
        .then(|| view.digests.iter().map(|digest| short_digest(digest)).collect::<Vec<_>>().join(" and "));
    let commit = view.commit.as_deref().map(|commit| format!("commit {}", short_commit(commit)));
    let test = view.test_url.as_deref().map(|url| format!("test at {url}"));
    let service = Some(format!("service {}", one_line(&view.service)));
    let scaled = view.scaling.map(bounds_text);
    let parts: Vec<String> = [service, image, digests, commit, scaled, test].into_iter().flatten().collect();
    format!("  {}", parts.join(", "))
}

/// The bounds of a scalable target.
pub(crate) fn bounds_text(scaling: Scalable) -> String {
    let suspended = if scaling.in_suspended { ", scale-in suspended" } else { "" };
    format!("MinCapacity {}, MaxCapacity {}{suspended}", scaling.min, scaling.max)
}

/// The word of the output `live-color`: `blue`, `green`, `both`. Each bool is true if the color has users.
pub(crate) fn live_color(blue: bool, green: bool) -> &'static str {
    match (blue, green) {
        (true, true) => "both",
        (true, false) => "blue",
        (false, true) => "green",
        (false, false) => "",
    }
}

#[cfg(test)]
mod tests;
