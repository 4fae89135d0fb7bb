//! What is said on GitHub beside the comment, and what is said of GitHub: short sentences.

use super::comment::Run;
use super::names::{one_line, without_accounts};
use super::summary::account;
use super::words;
use crate::event::Report;
use crate::failure::Outcome;
use crate::feedback::{Deployment, GithubKind, GithubTrouble, Part, Posted, Status};
use crate::plan::color::Color;
use crate::plan::overview::Overview;
use crate::plan::promote::other;

/// Most characters of a description (GitHub's limit).
const LONGEST: usize = 140;

/// What the log says once where no token was given.
pub(crate) const NO_TOKEN: &str =
    "GitHub: no `token`, so nothing is posted there; the summary of the run has it all";

/// What the log says once where a token or an address can't be one.
pub(crate) const NO_CLIENT: &str = "GitHub: nothing is posted there, because `token`, GITHUB_API_URL or GITHUB_REPOSITORY can't be right; the summary of the run has it all";

/// The deployment of GitHub's while the run is under way: of a color, or by `promote` of production, which `copies` the
/// other color's version or not.
pub(crate) fn begun(
    command: &str,
    (color, copies): (Color, bool),
    overview: Option<&Overview>,
    run: &Run,
) -> Deployment {
    let production = command == "promote";
    let (place, doing) = if production {
        ("production".to_owned(), format!("Promoting {color}"))
    } else {
        (color.to_string(), format!("Deploying to {color}"))
    };
    let source = if production && copies { other(color) } else { color };
    let view = overview.and_then(|overview| overview.colors.iter().find(|view| view.color == source));
    Deployment {
        environment: format!("{}-{place}", run.app),
        production,
        commit: view.filter(|_| production).and_then(|view| view.commit.clone()).filter(|sha| whole(sha)),
        key: String::new(),
        place: run.place.clone().unwrap_or_default(),
        state: "in_progress".to_owned(),
        description: fitting(&doing),
        url: None,
        log_url: run.url.clone(),
        create: true,
    }
}

/// Whether this is the whole id of a commit.
fn whole(sha: &str) -> bool {
    sha.len() == 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The deployment of GitHub's at the end. None where no color is known.
pub(crate) fn over(report: &Report, run: &Run, begun_before: bool) -> Option<Deployment> {
    let color = report.color?;
    let state = match report.outcome {
        Outcome::Succeeded | Outcome::Unchanged => "success",
        // Not `inactive` where it was overtaken: that is what is retired, and all before it was.
        Outcome::Planned | Outcome::Refused | Outcome::Failed | Outcome::Superseded | Outcome::Cancelled => {
            "failure"
        }
    };
    let overview = report.overview.as_ref();
    Some(Deployment {
        state: state.to_owned(),
        description: sentence(report),
        url: overview.and_then(|overview| address(overview, color)),
        create: begun_before,
        ..begun(report.command, (color, report.plan.is_some()), overview, run)
    })
}

/// Where a color answers: where users reach it, or where it is tested.
fn address(overview: &Overview, color: Color) -> Option<String> {
    let view = overview.colors.iter().find(|view| view.color == color)?;
    let live = view.percent.is_some_and(|percent| percent > 0);
    if live { overview.production_url.clone() } else { view.test_url.clone() }
}

/// The commit status while the run is under way.
pub(crate) fn pending(run: &Run, doing: &str) -> Status {
    status(run, "pending", fitting(&format!("{doing} is running")))
}

/// The commit status at the end.
pub(crate) fn verdict(report: &Report, run: &Run) -> Status {
    let state = match report.outcome {
        Outcome::Succeeded | Outcome::Unchanged | Outcome::Planned => "success",
        Outcome::Refused | Outcome::Failed => "failure",
        Outcome::Superseded | Outcome::Cancelled => "error",
    };
    status(run, state, sentence(report))
}

/// A commit status with its stable name.
fn status(run: &Run, state: &str, description: String) -> Status {
    let place = run.place.as_deref().unwrap_or_default();
    let context = format!("ecs-blue-green/{} {} {place}", run.app, run.region).trim_end().to_owned();
    Status { commit: None, context, state: state.to_owned(), description, url: run.url.clone() }
}

/// The end of the run in one line. Shown as plain text there, so it holds no marks of ours.
fn sentence(report: &Report) -> String {
    let told = words::headline(report);
    let first = told.lines().next().unwrap_or_default().replace('`', "");
    fitting(&without_accounts(&first, account(report)))
}

/// Text within GitHub's limit, on one line.
fn fitting(text: &str) -> String {
    let text = one_line(text);
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// The one notice of what was not posted: what, why, and what to do. None where all was posted.
pub(crate) fn notice(posted: &Posted, fork: bool) -> Option<String> {
    let (_, first) = posted.troubles.first()?;
    let mut reasons: Vec<(String, Vec<Part>)> = Vec::new();
    for (part, trouble) in &posted.troubles {
        let why = why(trouble);
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, parts)) => parts.push(*part),
            None => reasons.push((why, vec![*part])),
        }
    }
    let said: Vec<String> = reasons
        .iter()
        .map(|(why, parts)| {
            let names: Vec<&str> = parts.iter().map(|part| name(*part)).collect();
            format!("{}: {why}", names.join(", "))
        })
        .collect();
    let denied = posted
        .troubles
        .iter()
        .filter(|(_, trouble)| matches!(trouble.kind, GithubKind::Forbidden | GithubKind::NotFound));
    let mut wanted: Vec<&str> = denied.map(|(part, _)| permission(*part)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let hint = match (first.kind, wanted.as_slice()) {
        (_, [_, ..]) if fork => {
            "The run is for a pull request from a fork, whose token may only read; that is GitHub's rule. "
                .to_owned()
        }
        (_, [_, ..]) => format!(
            "Add to the job:\n  permissions:\n{}",
            wanted.iter().map(|line| format!("    {line}\n")).collect::<String>()
        ),
        (GithubKind::Unauthorized, []) => {
            "Check the input `token`; by default it is the job's own. ".to_owned()
        }
        _ => String::new(),
    };
    let said = said.join("; ");
    if let Some(number) = posted.missing_pull {
        return Some(format!(
            "Not posted on GitHub: {said}. GitHub shows no pull request {number} in this repository. AWS is not affected, and the summary of the run has it all.\nCheck the input `pull-request`; if the number is right, the token may not read it."
        ));
    }
    Some(format!("Not posted on GitHub: {said}. AWS is not affected, and the summary of the run has it all.\n{hint}").trim_end().to_owned())
}

/// A part in words.
fn name(part: Part) -> &'static str {
    match part {
        Part::Comment => "the comment",
        Part::Labels => "the labels",
        Part::Deployment => "the deployment",
        Part::Status => "the commit status",
    }
}

/// The permission that a part takes, as a line of a workflow.
fn permission(part: Part) -> &'static str {
    match part {
        Part::Comment | Part::Labels => "pull-requests: write",
        Part::Deployment => "deployments: write",
        Part::Status => "statuses: write",
    }
}

/// Why, in words of ours alone.
fn why(trouble: &GithubTrouble) -> String {
    let answered = trouble.status.map(|status| format!("GitHub answered {status}")).unwrap_or_default();
    match trouble.kind {
        GithubKind::Unauthorized => format!("{answered}, the token is wrong or has expired"),
        GithubKind::Forbidden => format!("{answered}, the token may not do it"),
        GithubKind::Locked => {
            format!("{answered}, the conversation is locked or the repository archived")
        }
        GithubKind::NotFound => format!("{answered}, it is not there or the token may not see it"),
        GithubKind::Refused => format!("{answered}, it does not take what was sent"),
        GithubKind::Limited(Some(after)) => {
            format!("{answered}, too many requests; it takes the next in {} s", after.as_secs())
        }
        GithubKind::Limited(None) => format!("{answered}, too many requests"),
        GithubKind::Failing => format!("{answered}, it fails by itself"),
        GithubKind::Slow => "GitHub did not answer in time".to_owned(),
        GithubKind::Down => "GitHub could not be reached".to_owned(),
        GithubKind::Odd => "GitHub's answer could not be read".to_owned(),
        GithubKind::NoTime => "there was no time left for it".to_owned(),
    }
}

/// What the log says once where no pull request belongs to the run.
pub(crate) const NO_PULL_REQUEST: &str = "GitHub: no pull request belongs to this run, so there is no comment; the summary of the run has it all. The input `pull-request` can name one";

/// The notice as a paragraph of the summary.
pub(crate) fn note(notice: &str) -> String {
    super::markdown::message(notice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_stays_within_what_github_takes() {
        let told = pending(&Run::default(), &"ä".repeat(500)).description;
        assert_eq!(told.chars().count(), 140);
        assert!(told.ends_with("ä…"), "{told}");
        assert_eq!(pending(&Run::default(), "deploy").description, "deploy is running");
    }
}
