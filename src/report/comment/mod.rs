//! The sticky comment: the job summary's parts, narrow enough for a phone, below a mark that finds it again.
//!
//! No account ids, no values of variables, and nothing live from outside. Details go first where GitHub's limit is met.

pub(super) mod narrow;

use std::time::Duration;

use super::mark::{Kin, kin, mark};
use super::markdown::{code, inline, link, message};
use super::names::{clock_time, duration, quoted, shares, short_arn, short_commit, without_accounts};
use super::summary::{Rank, Section, account, stand, title, verdict};
use super::words;
use crate::event::{Planned, Report};
use crate::plan::cause::Cause;
use crate::plan::color::{Color, Split};
use crate::plan::overview::Overview;
use crate::plan::step::{Failing, Left};
use crate::plan::time::Time;
use crate::plan::traffic::Brief;

/// GitHub's limit on a comment, in characters. Counted in bytes here, which are never fewer.
pub(crate) const LIMIT: usize = 65_536;

/// Most characters of the verdict before it is made inert, which may make 12 of one.
const MOST_VERDICT: usize = 4_000;

/// What the comment has to know of the run beside its report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The app's name.
    pub(crate) app: String,
    /// The region's code.
    pub(crate) region: String,
    /// The short sum of account, region, cluster and app; none while the account is not known.
    pub(crate) place: Option<String>,
    /// `owner/name`.
    pub(crate) repository: Option<String>,
    /// Who started the run.
    pub(crate) actor: Option<String>,
    /// The branch or tag.
    pub(crate) branch: Option<String>,
    /// The commit.
    pub(crate) commit: Option<String>,
    /// The run's number, in digits.
    pub(crate) id: Option<String>,
    /// The run's page.
    pub(crate) url: Option<String>,
    /// The workflow that can be started by hand.
    pub(crate) button: Option<Button>,
    /// When it began.
    pub(crate) started: Option<Time>,
}

/// Users held at a step of a change of traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// Which step of how many, both from 1, if the plan tells.
    pub(crate) step: Option<(usize, usize)>,
    /// The split that all production rules held at the last look.
    pub(crate) split: Split,
    /// The rest of the bake, and when the next step begins; none once it is over.
    pub(crate) next: Option<(Duration, Time)>,
}

/// A workflow that can be started by hand and passes its inputs on to this action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Button {
    /// The name of its file in `.github/workflows`.
    pub(crate) file: String,
    /// The names of its inputs, as far as they are known; where they are not, it is taken to have all.
    pub(crate) inputs: Option<Vec<String>>,
}

/// What a run that is under way has told so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Working {
    /// `deploy`, `redirect-traffic`.
    pub(crate) command: &'static str,
    /// What was found.
    pub(crate) overview: Option<Overview>,
    /// What is planned.
    pub(crate) plan: Option<Planned>,
    /// How users are being moved.
    pub(crate) traffic: Option<Box<Brief>>,
    /// What failed, once the run goes back.
    pub(crate) failing: Option<(Failing, Cause)>,
    /// The first failed task: its color and the cause.
    pub(crate) failure: Option<(Color, Cause)>,
    /// The step that users are held at.
    pub(crate) held: Option<Held>,
    /// How long the run has been under way.
    pub(crate) lasts: Duration,
    /// Where users are, once the run moved them and only watches.
    pub(crate) moved: Option<Split>,
}

/// The comment at the end of a run.
pub(crate) fn ended(report: &Report, run: &Run) -> String {
    let mut parts = vec![Section { rank: Rank::Verdict, text: title(report) }];
    let told = |mut section: Section| {
        if section.rank == Rank::Verdict {
            section.text = message(&shortened(&words::headline(report)));
        }
        section
    };
    parts.extend(verdict(report).into_iter().map(told));
    parts.push(Section { rank: Rank::State, text: changed(report) });
    parts.extend(stand(report, super::summary::Shape::Narrow(run)));
    whole(parts, account(report), (run, &format!("took {}", duration(report.duration))))
}

/// The comment while a run is under way.
pub(crate) fn working(now: &Working, run: &Run) -> String {
    let plan = now.plan.as_ref();
    let mut report = Report::new(now.command);
    report.color = plan.map(|plan| plan.color);
    report.service = plan.map(|plan| plan.service.clone());
    report.previous_task_definition = plan.map(|plan| plan.now.task_definition.clone());
    report.plan.clone_from(&now.plan);
    report.traffic.clone_from(&now.traffic);
    if let Some(overview) = &now.overview {
        report.see(overview.clone());
    }
    let to = words::goal(&report);
    let mut parts = Vec::new();
    let text = match &now.failing {
        None => format!("### ⏳ {}{to}\n\n", doing(now.command)),
        Some((failing, cause)) => {
            let about = super::about::About::of(&report);
            let failure = words::failing(failing, &about, cause, None);
            let what = message(&shortened(&failure.what));
            match failing {
                Failing::Cancelled => format!("### 🚫 Cancelled: {}{to}\n\n{what}", now.command),
                Failing::Deployment(_) | Failing::Probe(_) | Failing::Traffic(_) | Failing::Repeated(_) => {
                    format!("### ⏪ Going back: {}{to} failed\n\n{what}", now.command)
                }
            }
        }
    };
    parts.push(Section { rank: Rank::Verdict, text });
    let text = match now.moved.filter(|_| now.failing.is_none()) {
        Some(split) => {
            format!("**Users are at {split}**, read back from AWS. The run watches on; {FOLLOWS}\n\n")
        }
        None => match now.held.as_ref().filter(|_| now.failing.is_none()) {
            Some(held) => format!("{} {FOLLOWS}\n\n", step_reached(held)),
            None => format!("The run is under way; {FOLLOWS}\n\n"),
        },
    };
    parts.push(Section { rank: Rank::Verdict, text });
    if let (Some((color, cause)), None) = (&now.failure, &now.failing) {
        let about = super::about::About::of(&report);
        let text = words::task_failed(*color, cause, &about);
        parts.push(Section { rank: Rank::Verdict, text: message(&shortened(&format!("⚠️ {text}"))) });
    }
    parts.extend(stand(&report, super::summary::Shape::Narrow(&Run { button: None, ..run.clone() })));
    whole(parts, account(&report), (run, &format!("under way for {}", duration(now.lasts))))
}

/// The step that users are held at, and when the next one begins.
fn step_reached(held: &Held) -> String {
    let step = held.step.map(|(at, all)| format!("Step {at} of {all}: ")).unwrap_or_default();
    let split = format!("**{step}users are at {}** ({}), read from AWS.", held.split, shares(held.split));
    match held.next {
        Some((left, next)) => {
            format!("{split} {} left; the next step begins at {} UTC;", duration(left), clock_time(next))
        }
        None => format!("{split} The next step is being prepared;"),
    }
}

/// What ends the first sentences of a comment on a run that is under way.
const FOLLOWS: &str = "this comment follows it.";

/// Whether a comment still says that this run is under way.
pub(crate) fn follows(text: &str, run: &Run) -> bool {
    text.contains(FOLLOWS) && text.contains(&page(run))
}

/// The color that a comment of the same place tells of a rollback to, if that is the last that happened there.
pub(crate) fn rolled_back_to(text: &str, run: &Run) -> Option<Color> {
    let told = text.lines().nth(1).filter(|_| kin(&mark(run), text) != Kin::Other)?;
    let is = |color: &Color| told.trim_end() == format!("### ✅ Succeeded: rollback to {color}");
    [Color::Blue, Color::Green].into_iter().find(is)
}

/// A command as what is being done.
fn doing(command: &str) -> &str {
    match command {
        "deploy" => "Deploying",
        "redirect-traffic" => "Moving users",
        "promote" => "Promoting: moving users",
        "rollback" => "Rolling back: moving users",
        "post" => "Finishing a cancelled run",
        other => other,
    }
}

/// What the run changed of the version.
fn changed(report: &Report) -> String {
    match (&report.previous_task_definition, &report.task_definition) {
        (Some(before), Some(after)) if before != after => {
            let about = super::about::About::of(report);
            let (before, after) = (quoted(short_arn(before)), quoted(short_arn(after)));
            if let (Some(brief), None) = (&report.traffic, &report.plan) {
                return became(report, brief, (&before, &after));
            }
            message(&match report.left {
                Left::Changed => format!("{}: from {before} to {after}", about.name()),
                Left::Untouched | Left::Restored | Left::Unknown => {
                    format!("Wanted for {}: {after} instead of {before}", about.name())
                }
            })
        }
        _ => String::new(),
    }
}

/// What a promote by swap changed of production, which another color's version may have been.
fn became(report: &Report, brief: &Brief, (before, after): (&str, &str)) -> String {
    let there = report.split.is_some_and(|now| now.same_ratio(brief.to));
    match (there, report.left) {
        (true, Left::Changed) => message(&format!("Version of production: from {before} to {after}")),
        (true, Left::Untouched | Left::Restored) => String::new(),
        (false, _) | (_, Left::Unknown) => {
            message(&format!("Wanted for production: {after} instead of {before}"))
        }
    }
}

/// Who did it, from where, when, and how long it `lasts`.
fn footer(run: &Run, lasts: &str) -> String {
    let by = run.actor.as_deref().map(|actor| format!("by {}", inline(actor)));
    let branch = run.branch.as_deref().map(|branch| format!("from {}", code(branch)));
    let commit = run.commit.as_deref().map(|commit| format!("at {}", code(&short_commit(commit))));
    let place = format!("cluster {}, app {}", code(&run.cluster), code(&run.app));
    let who: Vec<String> = [by, branch, commit].into_iter().flatten().collect();
    let who = if who.is_empty() { String::new() } else { format!("{} · ", who.join(" ")) };
    let time = run.started.map(|at| format!(" · started at {} UTC, {lasts}", clock_time(at)));
    who + &place + &time.unwrap_or_default()
}

/// The link to the run.
fn page(run: &Run) -> String {
    let text = run.id.as_deref().map_or("the run".to_owned(), |id| format!("run {id}"));
    run.url.as_deref().map(|url| format!(" · {}", link(&inline(&text), url))).unwrap_or_default()
}

/// The parts below their mark, as many as there is room for.
fn whole(mut parts: Vec<Section>, account: Option<&str>, (run, lasts): (&Run, &str)) -> String {
    let clean = |text: &str| without_accounts(text, account);
    for part in &mut parts {
        part.text = clean(&part.text);
    }
    // The run's page is ours: its number may look like an account's.
    let last = format!("<sub>{}{}</sub>", clean(&footer(run, lasts)), page(run));
    let frame = (mark(run), last);
    let room = LIMIT.saturating_sub(frame.0.len() + frame.1.len() + LEFT_OUT.len() + 4);
    let cut = shrink(&mut parts, room);
    let body: String = parts.into_iter().map(|part| part.text).collect();
    let note = if cut { LEFT_OUT } else { "" };
    format!("{}\n{body}{note}{}\n", frame.0, frame.1)
}

/// What stands in the place of parts that there was no room for.
const LEFT_OUT: &str = "There is more than a comment can hold: the summary of the run has it.\n\n";

/// Takes parts away until the rest fits: of the least that matter the largest first. The verdict stays.
fn shrink(parts: &mut [Section], room: usize) -> bool {
    let mut cut = false;
    while parts.iter().map(|part| part.text.len()).sum::<usize>() > room {
        let least = parts.iter_mut().filter(|part| part.rank != Rank::Verdict && !part.text.is_empty());
        let Some(part) = least.max_by_key(|part| (part.rank, part.text.len())) else { break };
        part.text.clear();
        cut = true;
    }
    cut
}

/// The first of a long text.
fn shortened(text: &str) -> String {
    if text.chars().count() <= MOST_VERDICT {
        return text.to_owned();
    }
    text.chars().take(MOST_VERDICT).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
