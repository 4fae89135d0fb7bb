//! `deploy`: looks, prepares the wanted content, announces the plan, drives to the end, and reports.

use super::drive::{Drive, Ending};
use super::prepare::{PROBLEMS, Unprepared, Wanted, prepare};
use super::session::{Session, Stop};
use super::state::Phase;
use crate::action::deploy::DeploySettings;
use crate::clock;
use crate::event::{Difference, Event, Planned, Report, Warning};
use crate::failure::{Outcome, Reason};
use crate::plan::admit::{Admitted, Hindrance, Request, admit};
use crate::plan::color::Color;
use crate::plan::definition::{difference, family, image_of, same_content};
use crate::plan::deploy::Goal;
use crate::plan::look::Look;
use crate::plan::overview::overview;
use crate::plan::predict::{Plan, plan};
use crate::plan::run::Run;
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{End, Failing, Found, Left, Refusal, Step};
use crate::plan::trouble::Trouble;
use crate::plan::verdict::{Ended, Limits};
use crate::plan::wanted::WantedColor;
use crate::report::words;

/// Runs the command to its report.
pub(crate) async fn deploy(session: &Session<'_>, wish: &DeploySettings) -> Report {
    let mut report = Report::new("deploy");
    match look_and_admit(session, wish).await {
        Err(stop) => stopped(&mut report, stop),
        Ok((snapshot, admitted)) => admitted_deploy(session, wish, (&snapshot, &admitted), &mut report).await,
    }
    report
}

/// Why a deploy was not begun.
enum NotBegun {
    /// A signal, or a trouble.
    Stop(Stop),
    /// A refusal, with what was seen.
    Refuse(Box<Refusal>),
}

/// Looks at everything, tells what stands, and decides whether the deploy may begin.
async fn look_and_admit(
    session: &Session<'_>,
    wish: &DeploySettings,
) -> Result<(Snapshot, Admitted), NotBegun> {
    let asked = request(session, wish);
    let began = clock::now();
    loop {
        let snapshot = session.patiently(|| session.look(Look::WHOLE)).await.map_err(NotBegun::Stop)?;
        match admit(&snapshot, &asked) {
            Ok(admitted) => {
                session.reporter.emit(&Event::Seen(Box::new(overview(&snapshot, asked.listener.as_ref()))));
                return Ok((snapshot, admitted));
            }
            Err(Hindrance::Refuse(refusal)) => {
                session.reporter.emit(&Event::Seen(Box::new(overview(&snapshot, asked.listener.as_ref()))));
                return Err(NotBegun::Refuse(Box::new(refusal)));
            }
            Err(Hindrance::Hold(trouble)) if clock::now().since(began) >= session.settings.timeout => {
                return Err(NotBegun::Stop(Stop::Trouble(trouble)));
            }
            Err(Hindrance::Hold(trouble)) => session.wait_out(&trouble, clock::now().since(began)).await,
        }
        if session.signals.came().is_some() {
            return Err(NotBegun::Stop(Stop::Signal));
        }
    }
}

/// What the deploy asks for.
fn request(session: &Session<'_>, wish: &DeploySettings) -> Request {
    Request {
        color: wish.color,
        allow_live: wish.allow_live,
        probes: !wish.probes.is_empty(),
        listener: session.settings.place.listener.clone(),
    }
}

/// The report of a run that was not begun.
fn stopped(report: &mut Report, why: NotBegun) {
    match why {
        NotBegun::Refuse(refusal) => refuse(report, *refusal),
        NotBegun::Stop(Stop::Signal) => {
            report.outcome = Outcome::Cancelled;
            report.reason = Some(Reason::Cancelled);
            report.failing = Some(Failing::Cancelled);
        }
        NotBegun::Stop(Stop::Trouble(trouble)) => refuse(report, Refusal::Unread(trouble)),
    }
}

/// The report of a refusal.
fn refuse(report: &mut Report, refusal: Refusal) {
    report.outcome = Outcome::Refused;
    report.reason = Some(Reason::of_refusal(&refusal));
    report.refusal = Some(refusal);
}

/// A deploy that may begin: prepares, announces, drives.
async fn admitted_deploy(
    session: &Session<'_>,
    wish: &DeploySettings,
    (snapshot, admitted): (&Snapshot, &Admitted),
    report: &mut Report,
) {
    report.overview = Some(overview(snapshot, session.settings.place.listener.as_ref()));
    let Some(service) = snapshot.service(admitted.color) else { return refuse(report, Refusal::NoDevelop) };
    report.color = Some(admitted.color);
    report.service = Some(service.name.clone());
    let wanted = match prepare(session, wish, service).await {
        Ok(wanted) => wanted,
        Err(why) => return unprepared(report, why),
    };
    let link = service.setup.links.first();
    report.image = link.and_then(|link| image_of(&wanted.content, &link.container));
    report.previous_task_definition = Some(service.task_definition.clone());
    warn(session, service, admitted, &wanted);
    let goal = goal(session, wish, admitted.color, wanted);
    if !announce(session, snapshot, service, &goal, report).await || session.settings.plan_only {
        return;
    }
    let mut drive = Drive::new(session, &goal, &service.name, Run::begin(clock::now()));
    drive.test = admitted.wiring.as_ref().and_then(|wiring| wiring.test_address(admitted.color)).cloned();
    let ending = drive.to_the_end().await;
    ended(&mut drive, ending, report);
    look_again(session, report).await;
}

/// The goal of the run: the request bound to the color that was found.
fn goal(session: &Session<'_>, wish: &DeploySettings, color: Color, wanted: Wanted) -> Goal {
    Goal {
        request: Request { color: WantedColor::Color(color), ..request(session, wish) },
        color,
        force: !wanted.unresolved.is_empty(),
        content: wanted.content,
        desired: wish.desired_count,
        limits: Limits::with_timeout(session.settings.timeout),
        restore_on_cancel: session.settings.restore_on_cancel(),
    }
}

/// The report of a deploy whose wanted content can't be made.
fn unprepared(report: &mut Report, why: Unprepared) {
    match why {
        Unprepared::Problems(problems) => {
            report.outcome = Outcome::Refused;
            report.reason = Some(PROBLEMS);
            report.problems = problems;
        }
        Unprepared::Failure(failure) => {
            report.outcome = Outcome::Refused;
            report.reason = Some(failure.reason);
            report.failure = Some(failure);
        }
        Unprepared::Stop(stop) => stopped(report, NotBegun::Stop(stop)),
    }
}

/// What is worth knowing before it begins.
fn warn(session: &Session<'_>, service: &Service, admitted: &Admitted, wanted: &Wanted) {
    let emit = |warning| session.reporter.emit(&Event::Warning(warning));
    let (grace, timeout) = (service.setup.grace, session.settings.timeout);
    if grace >= timeout {
        emit(Warning::GraceTooLong { grace, timeout });
    }
    if let Some(wiring) = admitted.wiring.as_ref().filter(|wiring| wiring.is_live(service.color)) {
        emit(Warning::LiveColor { color: service.color, split: wiring.split() });
    }
    for image in &wanted.unresolved {
        emit(Warning::UnresolvedTag { image: image.clone() });
    }
}

/// Tells the plan. False: it comes to a refusal, which is in the report then.
async fn announce(
    session: &Session<'_>,
    snapshot: &Snapshot,
    service: &Service,
    goal: &Goal,
    report: &mut Report,
) -> bool {
    let current = service.definition.as_ref().and_then(|read| read.as_ref().ok());
    let same = current.is_some_and(|current| same_content(&current.content, &goal.content));
    let found = if same { None } else { existing(session, goal).await };
    let steps = match plan(snapshot, goal, found.as_ref(), clock::now()) {
        Plan::Refuse(refusal) => {
            refuse(report, refusal);
            return false;
        }
        Plan::Steps(steps) => steps,
        Plan::Unknown(_) => Vec::new(),
    };
    let changes = current.map_or(Vec::new(), |current| differences(&current.content, &goal.content));
    let now = Found { task_definition: service.task_definition.clone(), desired: service.desired };
    let planned = Planned { color: goal.color, service: service.name.clone(), now, steps, changes };
    session.reporter.emit(&Event::Plan(Box::new(planned.clone())));
    report.outcome = Outcome::Planned;
    report.plan = Some(planned);
    true
}

/// A revision that holds the content already, for the plan; the run looks again by itself.
async fn existing(session: &Session<'_>, goal: &Goal) -> Option<String> {
    let newest = session.aws.revision(family(&goal.content)).await.ok()?;
    same_content(&newest.content, &goal.content).then_some(newest.arn)
}

/// What differs, fit to be shown.
fn differences(
    before: &crate::plan::definition::Content,
    after: &crate::plan::definition::Content,
) -> Vec<Difference> {
    let shown = |one: crate::plan::definition::Change| Difference {
        path: one.path,
        before: one.before.map(|shown| shown.to_string()),
        after: one.after.map(|shown| shown.to_string()),
    };
    difference(before, after).into_iter().map(shown).collect()
}

/// Puts the ending into the report.
fn ended(drive: &mut Drive<'_>, ending: Ending, report: &mut Report) {
    let mine = drive.run.mine.as_ref();
    report.deployment = mine.and_then(|mine| mine.id.clone());
    report.task_definition = mine.map(|mine| mine.task_definition.clone());
    if let Some(found) = &drive.run.found {
        report.previous_task_definition = Some(found.task_definition.clone());
    }
    report.cause = std::mem::take(&mut drive.cause);
    report.logs = std::mem::take(&mut drive.logs);
    match ending {
        Ending::Refuse(refusal) => refuse(report, refusal),
        Ending::End(End::Good { changed, healthy }) => {
            report.outcome = if changed { Outcome::Succeeded } else { Outcome::Unchanged };
            report.left = if changed { Left::Changed } else { Left::Untouched };
            report.healthy = Some(healthy);
        }
        Ending::End(End::Bad { failing, left, because }) => {
            report.outcome = bad_outcome(&failing);
            report.reason = Some(Reason::of_failing(&failing));
            (report.left, report.because) = (left, Some(because));
            report.failing = Some(failing);
        }
    }
    let cancelled = report.outcome == Outcome::Cancelled && report.left != Left::Untouched;
    drive.save(if cancelled { Phase::Cancelled } else { Phase::Done });
}

/// A failure, somebody else's newer wish, or a signal.
fn bad_outcome(failing: &Failing) -> Outcome {
    match failing {
        Failing::Cancelled => Outcome::Cancelled,
        Failing::Deployment(Ended::Superseded { .. }) => Outcome::Superseded,
        Failing::Deployment(_) | Failing::Probe(_) => Outcome::Failed,
    }
}

/// What stands at the end, for the summary. It decides nothing any more, so a trouble is no failure.
async fn look_again(session: &Session<'_>, report: &mut Report) {
    if session.signals.came().is_some() {
        return;
    }
    let seen: Result<Snapshot, Trouble> = session.look(Look::WHOLE).await;
    if let Ok(snapshot) = seen {
        report.overview = Some(overview(&snapshot, session.settings.place.listener.as_ref()));
    }
}

/// Whether a plan holds a write.
pub(crate) fn writes(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Register { .. } | Step::Update(_)))
}
