//! The ways on from the end of a run: the next step forward first, the way back second. Each links to the workflow that
//! takes its inputs, if one is known.

use super::comment::{Button, CommentRun};
use super::links;
use super::markdown::{inline_code, inline_text, markdown_link, render_prose};
use super::names::{in_backticks, one_line, short_arn};
use super::words;
use crate::event::Report;
use crate::failure::Outcome;
use crate::plan::color::{Color, PRESETS, Split};
use crate::plan::overview::{Move, WhyNot};
use crate::plan::traffic::TrafficPlan;

/// A command that leads on, with its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Way {
    /// The effect, as an imperative.
    effect: String,
    /// The command.
    command: &'static str,
    /// The inputs.
    inputs: Vec<(&'static str, String)>,
}

impl Way {
    /// A way with one input.
    fn new(effect: String, command: &'static str, input: (&'static str, &str)) -> Way {
        Way { effect, command, inputs: vec![(input.0, input.1.to_owned())] }
    }

    /// True if this workflow can start the command with its inputs.
    fn is_startable(&self, button: &Button, own: &str) -> bool {
        let takes = |input: &str| takes_input(button, input);
        (takes("command") || self.command == own) && self.inputs.iter().all(|(input, _)| takes(input))
    }
}

/// True if the workflow passes this input on.
pub(super) fn takes_input(button: &Button, input: &str) -> bool {
    button.inputs.as_ref().is_none_or(|all| all.iter().any(|one| one == input))
}

/// The next steps forward and the way back, as Markdown.
pub(super) fn ways_section(report: &Report, run: &CommentRun) -> String {
    let next = match forward(report) {
        Ok(ways) => render_way("Next", &ways, (report, run)),
        Err((color, why)) => {
            let why = render_prose(words::why_not(why));
            format!("**Next:** users can't move to {color} now: {why}.\n\n")
        }
    };
    let back = match (words::undo_hint(report), back_ways(report).as_slice()) {
        (None, _) => String::new(),
        (Some(_), []) => "**Back:** no single command does it, see below.\n\n".to_owned(),
        (Some(_), ways) => render_way("Back", ways, (report, run)),
    };
    next + &back
}

/// The way back while a run moves users: a newer run supersedes it.
pub(super) fn way_back_meanwhile(plan: &TrafficPlan, report: &Report, run: &CommentRun) -> String {
    if !is_undone_at_once(plan) || plan.from.same_ratio(plan.to) {
        return String::new();
    }
    let mut ways = users_back(plan.from);
    // A rollback supersedes the run, and checks less.
    ways.sort_by_key(|way| way.command != "rollback");
    render_way("Back", &ways, (report, run))
}

/// The first way that the known workflow can start; otherwise the first.
fn render_way(title: &str, ways: &[Way], (report, run): (&Report, &CommentRun)) -> String {
    let startable = |way: &&Way| run.button.as_ref().is_some_and(|it| way.is_startable(it, report.command));
    let Some(way) = ways.iter().find(startable).or(ways.first()) else { return String::new() };
    let button = run.button.as_ref().filter(|_| startable(&way));
    let command = button.is_none_or(|button| takes_input(button, "command"));
    let command = [("command", way.command.to_owned())].into_iter().filter(|_| command);
    let inputs: Vec<String> = command
        .chain(way.inputs.clone())
        .map(|(name, value)| inline_code(&format!("{name}: {}", one_line(&value))))
        .collect();
    let inputs = inputs.join(", ");
    let by = match button {
        Some(button) => format!("start {} with {inputs}", workflow_link(button, run)),
        None => format!("run this action with {inputs}"),
    };
    format!("**{title}:** {} – {by}.\n\n", render_prose(&way.effect))
}

/// A link to the page that starts a workflow by hand.
fn workflow_link(button: &Button, run: &CommentRun) -> String {
    match run.url.as_deref().and_then(|url| links::workflow_page(url, &button.file)) {
        Some(url) => markdown_link(&inline_text(&button.file), &url),
        None => inline_code(&button.file),
    }
}

/// The next steps forward, the smallest first; the reason if users can't move on.
fn forward(report: &Report) -> Result<Vec<Way>, (Color, WhyNot)> {
    let (Some(color), Some(overview)) = (gaining(report), report.overview.as_ref()) else {
        return Ok(Vec::new());
    };
    let Some(split) = report.split.filter(|split| split.is_live(color.other()) && !report.stale) else {
        return Ok(Vec::new());
    };
    let answer = |command| {
        overview.movable.iter().find(|one| one.command == command && one.color == color).map(|one| one.valid)
    };
    let redirect = match answer(Move::Redirect) {
        Some(Err(why)) if why != WhyNot::AllThere => return Err((color, why)),
        Some(Ok(())) => larger_preset(split, color).map(|(preset, share)| {
            Way::new(share_effect(share, color), "redirect-traffic", ("traffic", preset))
        }),
        Some(Err(_)) | None => None,
    };
    let promote = answer(Move::Promote)
        .filter(Result::is_ok)
        .map(|_| Way::new(format!("All users to {color}"), "promote", ("color", color.word())));
    Ok(redirect.into_iter().chain(promote).collect())
}

/// The color that gets more users by the next step. None if the run did not reach its goal.
fn gaining(report: &Report) -> Option<Color> {
    if report.outcome != Outcome::Succeeded && report.outcome != Outcome::Unchanged {
        return None;
    }
    match (report.command, &report.traffic) {
        ("deploy", _) => report.color?.production(),
        ("redirect-traffic", Some(plan)) => Some(plan.receiver),
        _ => None,
    }
}

/// The preset with the next larger share of a color.
fn larger_preset(now: Split, color: Color) -> Option<(&'static str, u32)> {
    let larger = PRESETS.into_iter().map(|(name, split)| (name, split.share(color)));
    larger.filter(|(_, share)| *share > now.share(color)).min_by_key(|(_, share)| *share)
}

/// The effect of a share.
fn share_effect(share: u32, color: Color) -> String {
    if share == 100 { format!("All users to {color}") } else { format!("{share} % of users to {color}") }
}

/// The ways back of one command each.
fn back_ways(report: &Report) -> Vec<Way> {
    match &report.traffic {
        Some(plan) if is_undone_at_once(plan) => users_back(plan.from),
        Some(_) => Vec::new(),
        None => version_back(report).into_iter().collect(),
    }
}

/// True if one command brings users back to the split of before: no rule had another one, no version is copied, and the
/// inputs can say the split.
fn is_undone_at_once(plan: &TrafficPlan) -> bool {
    plan.agreed() && plan.copy.is_none() && plan.from.is_exact()
}

/// The ways to this split.
fn users_back(from: Split) -> Vec<Way> {
    let split = from.to_string();
    let all = from.color_of_all();
    let effect = || match all {
        Some(color) => format!("All users back to {color}"),
        None => format!("Users back to {split}"),
    };
    let mut ways = vec![Way::new(effect(), "redirect-traffic", ("traffic", &split))];
    for command in ["rollback", "promote"] {
        ways.extend(all.map(|color| Way::new(effect(), command, ("color", color.word()))));
    }
    ways
}

/// The way to the version before a deploy.
fn version_back(report: &Report) -> Option<Way> {
    let (color, before) = (report.color?, short_arn(report.previous_task_definition.as_deref()?));
    let mut inputs = vec![("color", color.word().to_owned()), ("task-definition", before.to_owned())];
    if report.deploys_to_users() {
        inputs.push(("allow-live", "true".to_owned()));
    }
    Some(Way { effect: format!("{} on {color} again", in_backticks(before)), command: "deploy", inputs })
}

#[cfg(test)]
mod tests;
