//! Short texts for GitHub besides the comment, and for the log about GitHub.

use super::comment::CommentRun;
use super::going_live::with_going_live;
use super::names::{one_line, without_accounts};
use super::summary::known_account;
use super::words;
use crate::event::Report;
use crate::failure::Outcome;
use crate::feedback::{GithubDeployment, GithubError, GithubKind, Part, Posted, Status};
use crate::plan::color::ServiceColor;
use crate::plan::going_live::GoingLive;
use crate::plan::overview::Overview;

/// Most characters of a description (GitHub's limit).
const LONGEST: usize = 140;

/// Logged once if there is no token.
pub(crate) const NO_TOKEN: &str =
    "GitHub: no `token`, so nothing is posted there; the summary of the run has it all";

/// Logged once if the token or an address is invalid.
pub(crate) const NO_CLIENT: &str = "GitHub: nothing is posted there, because `token`, GITHUB_API_URL or GITHUB_REPOSITORY can't be right; the summary of the run has it all";

/// GitHub's deployment of a run in progress: for a color, or for production in a `promote`. `copies` is true if the
/// promote copies the other color's version.
pub(crate) fn started_deployment(
    command: &str,
    (color, copies): (ServiceColor, bool),
    overview: Option<&Overview>,
    run: &CommentRun,
    going_live: Option<&GoingLive>,
) -> GithubDeployment {
    let production = command == "promote";
    let (place, doing) = if production {
        ("production".to_owned(), format!("Promoting {color}"))
    } else {
        (color.to_string(), format!("Deploying to {color}"))
    };
    let tested = color.production().filter(|_| production && copies).map(|color| color.other().into());
    let source = tested.unwrap_or(color);
    let view = overview.and_then(|overview| overview.colors.iter().find(|view| view.color == source));
    GithubDeployment {
        environment: format!("{}-{place}", run.app),
        production,
        commit: view
            .filter(|_| production)
            .and_then(|view| view.commit.clone())
            .filter(|sha| is_full_sha(sha)),
        key: String::new(),
        place: run.place.clone().unwrap_or_default(),
        state: "in_progress".to_owned(),
        description: with_going_live(&fit_description(&doing), going_live, LONGEST),
        url: None,
        log_url: run.url.clone(),
        create: true,
    }
}

/// True if this is the full id of a commit.
fn is_full_sha(sha: &str) -> bool {
    sha.len() == 40 && sha.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// GitHub's deployment at the end. None if no color is known.
pub(crate) fn ended_deployment(
    report: &Report,
    run: &CommentRun,
    begun_before: bool,
) -> Option<GithubDeployment> {
    let color = report.color?;
    let state = match report.outcome {
        Outcome::Succeeded | Outcome::Unchanged => "success",
        // Not `inactive` for a superseded run: `inactive` marks a retired deployment, and means that earlier ones are
        // retired.
        Outcome::Planned | Outcome::Refused | Outcome::Failed | Outcome::Superseded | Outcome::Cancelled => {
            "failure"
        }
    };
    let overview = report.overview.as_ref();
    let going_live = report.going_live.as_deref();
    let description =
        with_going_live(&end_sentence(report), going_live.filter(|_| state == "success"), LONGEST);
    Some(GithubDeployment {
        state: state.to_owned(),
        description,
        url: overview.and_then(|overview| color_address(overview, color)),
        create: begun_before,
        ..started_deployment(report.command, (color, report.plan.is_some()), overview, run, going_live)
    })
}

/// A color's address: production if the color has users, else the test address.
fn color_address(overview: &Overview, color: ServiceColor) -> Option<String> {
    let view = overview.colors.iter().find(|view| view.color == color)?;
    let live = view.percent.is_some_and(|percent| percent > 0);
    if live { overview.production_url.clone() } else { view.test_url.clone() }
}

/// The commit status of a run in progress.
pub(crate) fn pending_status(run: &CommentRun, doing: &str) -> Status {
    commit_status(run, "pending", fit_description(&format!("{doing} is running")))
}

/// The commit status at the end.
pub(crate) fn end_status(report: &Report, run: &CommentRun) -> Status {
    let state = match report.outcome {
        Outcome::Succeeded | Outcome::Unchanged | Outcome::Planned => "success",
        Outcome::Refused | Outcome::Failed => "failure",
        Outcome::Superseded | Outcome::Cancelled => "error",
    };
    commit_status(run, state, end_sentence(report))
}

/// A commit status with its stable name.
fn commit_status(run: &CommentRun, state: &str, description: String) -> Status {
    let place = run.place.as_deref().unwrap_or_default();
    let context = format!("ecs-blue-green/{} {} {place}", run.app, run.region).trim_end().to_owned();
    Status { commit: None, context, state: state.to_owned(), description, url: run.url.clone() }
}

/// The end of the run in one line. GitHub shows plain text here, so the line has no backticks.
fn end_sentence(report: &Report) -> String {
    let told = words::end_headline(report);
    let first = told.lines().next().unwrap_or_default().replace('`', "");
    fit_description(&without_accounts(&first, known_account(report)))
}

/// Text within GitHub's limit, on one line.
fn fit_description(text: &str) -> String {
    let text = one_line(text);
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

/// The one notice about everything that was not posted: parts, reason and remedy. None if everything was posted.
pub(crate) fn unposted_notice(posted: &Posted, fork: bool) -> Option<String> {
    let (_, first) = posted.troubles.first()?;
    let mut reasons: Vec<(String, Vec<Part>)> = Vec::new();
    for (part, trouble) in &posted.troubles {
        let why = error_reason(trouble);
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, parts)) => parts.push(*part),
            None => reasons.push((why, vec![*part])),
        }
    }
    let said: Vec<String> = reasons
        .iter()
        .map(|(why, parts)| {
            let names: Vec<&str> = parts.iter().map(|part| part_name(*part)).collect();
            format!("{}: {why}", names.join(", "))
        })
        .collect();
    let denied = posted
        .troubles
        .iter()
        .filter(|(_, trouble)| matches!(trouble.kind, GithubKind::Forbidden | GithubKind::NotFound));
    let mut wanted: Vec<&str> = denied.map(|(part, _)| part_permission(*part)).collect();
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
fn part_name(part: Part) -> &'static str {
    match part {
        Part::Comment => "the comment",
        Part::Labels => "the labels",
        Part::Deployment => "the deployment",
        Part::Status => "the commit status",
    }
}

/// A part's permission, as a line of a workflow.
fn part_permission(part: Part) -> &'static str {
    match part {
        Part::Comment | Part::Labels => "pull-requests: write",
        Part::Deployment => "deployments: write",
        Part::Status => "statuses: write",
    }
}

/// The reason, only in the action's own words.
fn error_reason(trouble: &GithubError) -> String {
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
        GithubKind::RunFailure => format!("{answered}, it fails by itself"),
        GithubKind::Slow => "GitHub did not answer in time".to_owned(),
        GithubKind::Down => "GitHub could not be reached".to_owned(),
        GithubKind::Odd => "GitHub's answer could not be read".to_owned(),
        GithubKind::NoTime => "there was no time left for it".to_owned(),
    }
}

/// Logged once if no pull request belongs to the run.
pub(crate) const NO_PULL_REQUEST: &str = "GitHub: no pull request belongs to this run, so there is no comment; the summary of the run has it all. The input `pull-request` can name one";

/// The notice as a paragraph of the summary.
pub(crate) fn notice_paragraph(notice: &str) -> String {
    super::markdown::render_message(notice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_stays_within_what_github_takes() {
        let told = pending_status(&CommentRun::default(), &"ä".repeat(500)).description;
        assert_eq!(told.chars().count(), 140);
        assert!(told.ends_with("ä…"), "{told}");
        assert_eq!(pending_status(&CommentRun::default(), "deploy").description, "deploy is running");
    }
}
