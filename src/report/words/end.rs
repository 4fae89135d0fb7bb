//! The end of a run in one sentence, and the commands that undo a successful run.

use super::{end_failure, findings_headline, traffic};
use crate::event::{Planned, Report};
use crate::failure::Outcome;
use crate::plan::overview::{Overview, WhyNot};
use crate::plan::traffic::TrafficPlan;
use crate::report::about::About;
use crate::report::names::{count_noun, in_backticks, one_line, short_arn};

/// The run's result.
pub(crate) fn end_headline(report: &Report) -> String {
    match (report.outcome, &report.traffic) {
        (Outcome::Succeeded | Outcome::Unchanged | Outcome::Planned, Some(traffic_plan)) => {
            render_traffic_end(report, traffic_plan)
        }
        (outcome, _) => render_end(report, outcome),
    }
}

/// The run's result and the users' split in one line, for a chat.
pub(crate) fn chat_headline(report: &Report) -> String {
    let users = report.split.filter(|_| report.command != "post" && !report.stale).map(|split| {
        let (blue, green) = split.percent();
        format!(" Users: {blue} % blue, {green} % green.")
    });
    one_line(&format!("{}{}", end_headline(report), users.unwrap_or_default()))
}

/// The result of a run that moved no users, or did not reach its split.
fn render_end(report: &Report, outcome: Outcome) -> String {
    match outcome {
        Outcome::Succeeded => render_good_end(report, "runs"),
        Outcome::Unchanged => render_good_end(report, "already runs"),
        Outcome::Planned => render_plan_end(report.plan.as_ref()),
        Outcome::Refused => format!("Not started. {}", what_failed(report)),
        Outcome::Failed | Outcome::Superseded | Outcome::Cancelled => what_failed(report),
    }
}

/// The reason in parentheses, if more precise than the outcome.
pub(crate) fn outcome_reason(report: &Report) -> String {
    let told = report.reason.map(|reason| reason.word()).filter(|reason| *reason != report.outcome.word());
    told.map(|reason| format!(" ({reason})")).unwrap_or_default()
}

/// The title of the error annotation: short, since GitHub shows the title in one line. The sentences follow below.
pub(crate) fn error_title(report: &Report) -> String {
    let command = match report.command {
        "" => "ECS Blue/Green",
        "post" if About::of(report).users.is_some() => "change of traffic",
        "post" if About::of(report).moved.is_some() => "promote",
        "post" => "deploy",
        command => command,
    };
    let to = goal_phrase(report);
    let outcome = report.outcome.word();
    let reason = report.reason.map(|reason| reason.word()).filter(|reason| *reason != outcome);
    format!("{command}{to} {outcome}: {}", reason.unwrap_or(report.left.word()))
}

/// The goal: a color for a deploy, a split for users.
pub(crate) fn goal_phrase(report: &Report) -> String {
    let split = report.traffic.as_ref().map(|traffic_plan| format!(" to {}", traffic_plan.to));
    split.or(report.color.map(|color| format!(" to {color}"))).unwrap_or_default()
}

/// The failure, or a sentence that the cause is unknown.
fn what_failed(report: &Report) -> String {
    end_failure(report).map_or_else(|| super::broken_at(None), |failure| failure.what)
}

/// A successful end.
fn render_good_end(report: &Report, verb: &str) -> String {
    if let Some(findings) = &report.findings {
        return findings_headline(findings);
    }
    if report.color.is_none() && report.service.is_none() {
        return render_status_end(report.overview.as_ref());
    }
    let name = About::of(report).name();
    let version = report
        .task_definition
        .as_deref()
        .map_or("its task definition".to_owned(), |arn| in_backticks(short_arn(arn)));
    let healthy = report
        .healthy
        .map(|healthy| format!(", {} healthy", count_noun(healthy, "target")))
        .unwrap_or_default();
    format!("{name} {verb} {version}{healthy}.")
}

/// The result of a status: the parts that were read, and the number of deviations.
fn render_status_end(overview: Option<&Overview>) -> String {
    let number = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
    let missing = overview.map(|overview| overview.missing.as_slice()).unwrap_or_default();
    let gone: Vec<String> = missing.iter().map(|(_, service)| in_backticks(service)).collect();
    let told = match (overview.map_or(0, |overview| number(overview.unread.len())), gone.as_slice()) {
        (0, []) => "Everything was read.".to_owned(),
        (0, gone) => format!("Not there: {}. Everything else was read.", gone.join(" and ")),
        (parts, []) => format!("{} could not be read; the rest is here.", count_noun(parts, "part")),
        (parts, gone) => {
            let parts = count_noun(parts, "part");
            format!("Not there: {}. {parts} could not be read; the rest is here.", gone.join(" and "))
        }
    };
    let drift = overview.map(|overview| overview.drift.as_slice()).unwrap_or_default();
    let dead: Vec<String> = drift.iter().filter_map(traffic::unserved_sentence).collect();
    let others = number(drift.len() - dead.len());
    let dead: String = dead.iter().map(|dead| format!(" {dead}.")).collect();
    match others {
        0 => format!("{told}{dead}"),
        _ => format!("{told}{dead} {} not as it should be.", things_are(others)),
    }
}

/// `1 thing is`, `2 things are`.
fn things_are(number: u32) -> String {
    format!("{} {}", count_noun(number, "thing"), if number == 1 { "is" } else { "are" })
}

/// A change of traffic that succeeded, or would succeed.
fn render_traffic_end(report: &Report, traffic_plan: &TrafficPlan) -> String {
    let at = |split| traffic::render_serving(split, traffic_plan.receiver, &traffic_plan.versions);
    let healthy = report
        .healthy
        .map(|healthy| format!("; {} of {} healthy", count_noun(healthy, "target"), traffic_plan.receiver));
    let healthy = healthy.unwrap_or_default();
    let kept = if report.stays_at_size {
        format!(" {}", traffic::render_kept_size(traffic_plan))
    } else {
        String::new()
    };
    let held = report
        .stays_suspended
        .map(|held| format!(" {}", traffic::render_suspended(held)))
        .unwrap_or_default();
    let short: String =
        report.shortfall.iter().map(|short| format!(" {}", traffic::render_shortfall(short))).collect();
    let unscaled: String =
        report.unscaled.iter().map(|color| format!(" {}", traffic::render_unscaled(*color))).collect();
    let busy = report.stays_busy.map(|color| {
        format!(" {color} stays at its size: a deployment is under way there. To shrink it, promote again once that has ended.")
    });
    let kept = kept + &busy.unwrap_or_default();
    let short = short + &unscaled + &kept + &held + &traffic::render_later_change(report, traffic_plan);
    match (report.outcome, u32::try_from(traffic_plan.steps.len()).unwrap_or(u32::MAX)) {
        (Outcome::Planned, 0) if traffic_plan.too_long => {
            format!("{} planned. Nothing was written.{kept}", traffic::render_split_change(traffic_plan))
        }
        (Outcome::Planned, 0) => format!("Nothing would be changed: {}.{kept}", at(traffic_plan.to)),
        (Outcome::Planned, steps) => {
            let way = traffic::render_split_change(traffic_plan);
            format!("{} planned: {way}. Nothing was written.{kept}", count_noun(steps, "step"))
        }
        (Outcome::Unchanged, _) => {
            format!("Nothing was changed: {} already{healthy}.{short}", at(traffic_plan.to))
        }
        (
            Outcome::Succeeded
            | Outcome::Refused
            | Outcome::Failed
            | Outcome::Superseded
            | Outcome::Cancelled,
            _,
        ) => format!("{}{healthy}.{short}", at(traffic_plan.to)),
    }
}

/// A plan.
fn render_plan_end(plan: Option<&Planned>) -> String {
    match plan.map(|plan| u32::try_from(plan.steps.len()).unwrap_or(u32::MAX)) {
        Some(0) => "Nothing would be changed: it runs already.".to_owned(),
        Some(steps) => format!("{} planned. Nothing was written.", count_noun(steps, "step")),
        None => "Nothing was written.".to_owned(),
    }
}

/// Commands that undo a successful deploy or a change of traffic; none if nothing changed or the earlier version is
/// unknown.
pub(crate) fn undo_hint(report: &Report) -> Option<String> {
    if About::of(report).users.is_some() {
        return traffic::render_undo(report);
    }
    let (color, before) = (report.color?, report.previous_task_definition.as_deref()?);
    let changed = report.outcome == Outcome::Succeeded && report.task_definition.as_deref() != Some(before);
    let about = About::of(report);
    let allow = if report.deploys_to_users() { "\n  allow-live: true" } else { "" };
    changed.then(|| {
        format!(
            "To go back to {}, run this action with\n  command: deploy\n  color: {color}\n  task-definition: {}{allow}\nor, without GitHub:\n{}",
            in_backticks(short_arn(before)),
            short_arn(before),
            about.go_back()
        )
    })
}

/// Reason against a command now.
pub(crate) fn why_not(why: WhyNot) -> &'static str {
    match why {
        WhyNot::Live => "it serves users; `allow-live: true` would allow it",
        WhyNot::InFlight => "a deployment is in progress",
        WhyNot::RolloutUnknown => "it is not known if a deployment is in progress",
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
