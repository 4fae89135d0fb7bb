//! The end of a run in one sentence, and the way back from a good one.

use super::{failure, traffic};
use crate::event::{Planned, Report};
use crate::failure::Outcome;
use crate::plan::overview::{Overview, WhyNot};
use crate::plan::traffic::Brief;
use crate::report::about::About;
use crate::report::names::{count, quoted, short_arn};

/// What the run came to.
pub(crate) fn headline(report: &Report) -> String {
    match (report.outcome, &report.traffic) {
        (Outcome::Succeeded | Outcome::Unchanged | Outcome::Planned, Some(brief)) => moved(report, brief),
        (outcome, _) => ended(report, outcome),
    }
}

/// What a run came to that did not move users, or not as it should.
fn ended(report: &Report, outcome: Outcome) -> String {
    match outcome {
        Outcome::Succeeded => good(report, "runs"),
        Outcome::Unchanged => good(report, "already runs"),
        Outcome::Planned => planned(report.plan.as_ref()),
        Outcome::Refused => format!("Not started. {}", what_failed(report)),
        Outcome::Failed | Outcome::Superseded | Outcome::Cancelled => what_failed(report),
    }
}

/// The reason in parentheses, where it says more than the outcome.
pub(crate) fn reason(report: &Report) -> String {
    let told = report.reason.map(|reason| reason.word()).filter(|reason| *reason != report.outcome.word());
    told.map(|reason| format!(" ({reason})")).unwrap_or_default()
}

/// The title of the one error: short, since GitHub shows it in one line. The sentences follow below it.
pub(crate) fn title(report: &Report) -> String {
    let command = match report.command {
        "" => "ECS Blue/Green",
        "post" if About::of(report).users.is_some() => "change of traffic",
        "post" if About::of(report).moved.is_some() => "promote",
        "post" => "deploy",
        command => command,
    };
    let to = goal(report);
    let outcome = report.outcome.word();
    let reason = report.reason.map(|reason| reason.word()).filter(|reason| *reason != outcome);
    format!("{command}{to} {outcome}: {}", reason.unwrap_or(report.left.word()))
}

/// Where to: a color for a deploy, a split for users.
pub(crate) fn goal(report: &Report) -> String {
    let split = report.traffic.as_ref().map(|brief| format!(" to {}", brief.to));
    split.or(report.color.map(|color| format!(" to {color}"))).unwrap_or_default()
}

/// What failed, or that nothing says so.
fn what_failed(report: &Report) -> String {
    failure(report).map_or_else(|| super::broken_at(None), |failure| failure.what)
}

/// A good end.
fn good(report: &Report, verb: &str) -> String {
    if report.color.is_none() && report.service.is_none() {
        return read(report.overview.as_ref());
    }
    let name = About::of(report).name();
    let version = report
        .task_definition
        .as_deref()
        .map_or("its task definition".to_owned(), |arn| quoted(short_arn(arn)));
    let healthy =
        report.healthy.map(|healthy| format!(", {} healthy", count(healthy, "target"))).unwrap_or_default();
    format!("{name} {verb} {version}{healthy}.")
}

/// What a status read, and how much of it is not as it should be.
fn read(overview: Option<&Overview>) -> String {
    let number = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
    let missing = overview.map(|overview| overview.missing.as_slice()).unwrap_or_default();
    let gone: Vec<String> = missing.iter().map(|(_, service)| quoted(service)).collect();
    let told = match (overview.map_or(0, |overview| number(overview.unread.len())), gone.as_slice()) {
        (0, []) => "Everything was read.".to_owned(),
        (0, gone) => format!("Not there: {}. Everything else was read.", gone.join(" and ")),
        (parts, []) => format!("{} could not be read; the rest is here.", count(parts, "part")),
        (parts, gone) => {
            let parts = count(parts, "part");
            format!("Not there: {}. {parts} could not be read; the rest is here.", gone.join(" and "))
        }
    };
    let drift = overview.map(|overview| overview.drift.as_slice()).unwrap_or_default();
    let dead: Vec<String> = drift.iter().filter_map(traffic::unserved).collect();
    let others = number(drift.len() - dead.len());
    let dead: String = dead.iter().map(|dead| format!(" {dead}.")).collect();
    match others {
        0 => format!("{told}{dead}"),
        _ => format!("{told}{dead} {} not as it should be.", are(others)),
    }
}

/// `1 thing is`, `2 things are`.
fn are(number: u32) -> String {
    format!("{} {}", count(number, "thing"), if number == 1 { "is" } else { "are" })
}

/// A change of traffic that went well, or would.
fn moved(report: &Report, brief: &Brief) -> String {
    let at = |split| traffic::serves(split, brief.receiver, &brief.versions);
    let healthy =
        report.healthy.map(|healthy| format!("; {} of {} healthy", count(healthy, "target"), brief.receiver));
    let healthy = healthy.unwrap_or_default();
    let kept = if report.stays_at_size { format!(" {}", traffic::kept(brief)) } else { String::new() };
    let held =
        report.stays_suspended.map(|held| format!(" {}", traffic::suspended(held))).unwrap_or_default();
    let short: String =
        report.shortfall.iter().map(|short| format!(" {}", traffic::shortfall(short))).collect();
    let unscaled: String =
        report.unscaled.iter().map(|color| format!(" {}", traffic::unscaled(*color))).collect();
    let busy = report.stays_busy.map(|color| {
        format!(" {color} stays at its size: a deployment is under way there. To shrink it, promote again once that has ended.")
    });
    let kept = kept + &busy.unwrap_or_default();
    let short = short + &unscaled + &kept + &held + &traffic::since(report, brief);
    match (report.outcome, u32::try_from(brief.steps.len()).unwrap_or(u32::MAX)) {
        (Outcome::Planned, 0) => format!("Nothing would be changed: {}.{kept}", at(brief.to)),
        (Outcome::Planned, steps) => {
            let way = traffic::way(brief);
            format!("{} planned: {way}. Nothing was written.{kept}", count(steps, "step"))
        }
        (Outcome::Unchanged, _) => format!("Nothing was changed: {} already{healthy}.{short}", at(brief.to)),
        (
            Outcome::Succeeded
            | Outcome::Refused
            | Outcome::Failed
            | Outcome::Superseded
            | Outcome::Cancelled,
            _,
        ) => format!("{}{healthy}.{short}", at(brief.to)),
    }
}

/// A plan.
fn planned(plan: Option<&Planned>) -> String {
    match plan.map(|plan| u32::try_from(plan.steps.len()).unwrap_or(u32::MAX)) {
        Some(0) => "Nothing would be changed: it runs already.".to_owned(),
        Some(steps) => format!("{} planned. Nothing was written.", count(steps, "step")),
        None => "Nothing was written.".to_owned(),
    }
}

/// How to undo a good deploy or a change of traffic: none where nothing was changed, or what ran before is not known.
pub(crate) fn undo(report: &Report) -> Option<String> {
    if About::of(report).users.is_some() {
        return traffic::undo(report);
    }
    let (color, before) = (report.color?, report.previous_task_definition.as_deref()?);
    let changed = report.outcome == Outcome::Succeeded && report.task_definition.as_deref() != Some(before);
    let about = About::of(report);
    changed.then(|| {
        format!(
            "To go back to {}, run this action with\n  command: deploy\n  color: {color}\n  task-definition: {}\nor, without GitHub:\n{}",
            quoted(short_arn(before)),
            short_arn(before),
            about.go_back()
        )
    })
}

/// Why a command is not valid now.
pub(crate) fn why_not(why: WhyNot) -> &'static str {
    match why {
        WhyNot::Live => "it serves users; `allow-live: true` would allow it",
        WhyNot::InFlight => "a deployment is in progress",
        WhyNot::Unknown => "it is not known whether it serves users",
        WhyNot::AllThere => "it has all users already",
        WhyNot::Disagree => "the production rules hold different splits; see above what settles it",
        WhyNot::Unread => "the production rules or its targets could not be read",
        WhyNot::NotAdopted => {
            "a production rule does not hold its target group; `adopt: true` would bring it in"
        }
        WhyNot::NoneHealthy => "none of its targets is healthy",
    }
}
