//! Where users are at the end of a change of traffic, as far as that is known.

use super::super::tangle;
use crate::event::Report;
use crate::plan::color::Color;
use crate::plan::traffic::Brief;
use crate::report::names::shares;

/// From where to where: `blue -> blue-80`.
pub(crate) fn way(brief: &Brief) -> String {
    match brief.agreed() {
        true => format!("{} -> {}", brief.from, brief.to),
        false => format!("rules that disagree -> {}", brief.to),
    }
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
