//! Where users are at the end of a change of traffic, as far as that is known.

use super::super::{promote, tangle};
use crate::event::Report;
use crate::plan::color::Color;
use crate::plan::step::Step;
use crate::plan::traffic::Brief;
use crate::report::names::{and, shares};

/// From where to where: `blue -> blue-80`; for users who are there already, what the run still does.
pub(crate) fn way(brief: &Brief) -> String {
    if let Some(copy) = &brief.copy {
        return promote::way(copy);
    }
    match brief.agreed() {
        true if brief.from.same_ratio(brief.to) => {
            format!("users are at {} already{}", brief.to, rest(brief))
        }
        true => format!("{} -> {}", brief.from, brief.to),
        false => format!("rules that disagree -> {}", brief.to),
    }
}

/// What changes beside the weights, by name. Begins with a semicolon.
fn rest(brief: &Brief) -> String {
    let rules = brief.steps.iter().any(|step| matches!(step, Step::Weights(_)));
    let scaling =
        brief.steps.iter().any(|step| matches!(step, Step::Scaling(_) | Step::Policy(_) | Step::Alarm(_)));
    let count = |color| {
        let of = |step: &Step| matches!(step, Step::Update(update) if update.color == color);
        brief.steps.iter().any(of).then(|| format!("the desired count of {color}"))
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
    if parts.is_empty() { String::new() } else { format!("; what still changes: {}", and(&parts)) }
}

/// What the look at the end found that is not what the run came to; empty where it is that. Begins with a space.
pub(in crate::report::words) fn since(report: &Report, brief: &Brief) -> String {
    let Some(overview) = &report.overview else { return String::new() };
    let theirs = "Somebody else changed the production rules since.";
    match (report.split, &overview.split) {
        _ if report.stale => {
            " AWS could not be asked again at the end: what is shown was seen just before.".to_owned()
        }
        (Some(now), _) if now.same_ratio(brief.to) => String::new(),
        (Some(now), _) => format!(" {theirs} Users now: {}.", shares(now)),
        (None, Some(Err(tangled))) => format!(" {theirs} {}", tangle(tangled).0),
        (None, Some(Ok(_)) | None) => String::new(),
    }
}

/// Where users are, for the last line of the log; none where there is nothing to say.
pub(crate) fn users(report: &Report) -> Option<String> {
    let overview = report.overview.as_ref()?;
    let before = if report.stale { ", seen before the end" } else { "" };
    match (report.split, &overview.split) {
        (Some(split), _) => Some(format!("users: {}{before}", shares(split))),
        (None, Some(Ok(split))) => Some(format!("users: not known; seen before the end: {}", shares(*split))),
        (None, Some(Err(tangled))) => Some(format!("users: not known{before}. {}", tangle(tangled).0)),
        (None, None) => Some("users: not known, the listener rules could not be read".to_owned()),
    }
}

/// Automatic scaling that a forced change could not change.
pub(in crate::report::words) fn unscaled(color: Color) -> String {
    format!(
        "Forced: the automatic scaling of {color} could not be changed, so it may scale in under its users."
    )
}
