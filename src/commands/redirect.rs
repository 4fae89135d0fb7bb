//! `redirect-traffic` and `rollback`: looks, announces what will change, drives to the end, and reports.

use std::time::Duration;

use super::again::undone;
use super::deploy::strangers;
use super::drive::{Drive, Ending};
use super::last_look::last_look;
use super::session::{Session, Stop};
use super::state::{Phase, SavedEnd};
use crate::action::traffic::RollbackSettings;
use crate::clock;
use crate::event::{Event, PutBack, Report, Warning};
use crate::failure::Outcome;
use crate::plan::admit::Hindrance;
use crate::plan::color::{Color, Split};
use crate::plan::course::Moving;
use crate::plan::look::Look;
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::{Left, Refusal};
use crate::plan::traffic::{Goal, Prediction, Run, Wish, predict, rollback, shortfall, stays_suspended};

/// Runs `redirect-traffic` to its report.
pub(crate) async fn redirect(session: &Session<'_>, wish: &Wish) -> Report {
    move_users(session, "redirect-traffic", &|_| Ok(goal(session, wish))).await
}

/// Runs `rollback` to its report: where to is read from the rules, where it was not said.
pub(crate) async fn roll_back(session: &Session<'_>, asked: &RollbackSettings) -> Report {
    let to = |snapshot: &Snapshot| {
        let mut goal = goal(session, &way_back(asked));
        goal.wish.to = rollback(snapshot, &goal, asked.color)?;
        Ok(goal)
    };
    move_users(session, "rollback", &to).await
}

/// A rollback as a change of traffic, before it is known where to: without steps, at once.
pub(super) fn way_back(asked: &RollbackSettings) -> Wish {
    Wish {
        to: Split { blue: 100, green: 0 },
        steps: Vec::new(),
        bake: Duration::ZERO,
        alarms: Vec::new(),
        scale_up: asked.scale_up,
        force: asked.force,
        adopt: asked.adopt,
        expect: None,
        settle: asked.settle,
    }
}

/// The goal of the run.
pub(crate) fn goal(session: &Session<'_>, wish: &Wish) -> Goal {
    Goal {
        wish: wish.clone(),
        listener: session.settings.place.listener.clone(),
        timeout: session.settings.timeout,
        restore_on_cancel: session.settings.restore_on_cancel(),
        finish: None,
        onward: false,
        managed: session.settings.scaling,
    }
}

/// How a goal is made of what is seen.
type Aim<'a> = dyn Fn(&Snapshot) -> Result<Goal, Hindrance> + 'a;

/// What was seen, and what it is for.
enum Begun {
    /// It may begin.
    Goal(Box<Snapshot>, Box<Goal>),
    /// It may not, or there is nothing to write; the report says why.
    Over,
}

/// Looks, announces, drives, reports.
async fn move_users(session: &Session<'_>, command: &'static str, aim: &Aim<'_>) -> Report {
    let mut report = Report::new(command);
    let (snapshot, goal) = match begin(session, aim, &mut report).await {
        Ok(Begun::Goal(snapshot, goal)) => (snapshot, goal),
        Ok(Begun::Over) => return report,
        Err(Stop::Signal) => {
            report.cancel();
            return report;
        }
        Err(Stop::Trouble(trouble)) => {
            report.refuse(Refusal::of_look(trouble, &session.names.place));
            return report;
        }
    };
    if session.settings.plan_only {
        return report;
    }
    let course = Moving { goal: &goal, run: Run::begin(clock::now()) };
    let mut drive = Drive::new(session, course);
    let ending = drive.run_to_end(Some(*snapshot)).await;
    ended(&mut drive, ending, &mut report);
    tell_the_end(&mut drive, &mut report).await;
    report
}

/// Looks until all that decides was answered, and tells what stands and what will change.
async fn begin(session: &Session<'_>, aim: &Aim<'_>, report: &mut Report) -> Result<Begun, Stop> {
    let began = clock::now();
    let look = Look { develop: true, scalers: session.settings.scaling.is_some(), ..Look::TRAFFIC };
    loop {
        let snapshot = session.first_look(look).await?;
        let users = of_users(&snapshot);
        let predicted = match aim(&users) {
            Ok(goal) => (predict(&users, &goal, clock::now()), goal),
            Err(Hindrance::Hold(trouble)) => {
                session.hold(trouble, began).await?;
                continue;
            }
            Err(Hindrance::Refuse(refusal)) => {
                tell(session, &snapshot, report);
                report.refuse(refusal);
                return Ok(Begun::Over);
            }
        };
        let passing = users.troubles().into_iter().find(|trouble| trouble.kind.passes()).cloned();
        match (predicted, passing) {
            ((Prediction::Unknown, _), Some(trouble)) => session.hold(trouble, began).await?,
            ((prediction, goal), _) => {
                warn(session, &snapshot, &goal, report).await;
                return Ok(announce(session, snapshot, goal, prediction, report));
            }
        }
    }
}

/// Warns before a rollback that would undo one of the last hour.
async fn warn(session: &Session<'_>, snapshot: &Snapshot, goal: &Goal, report: &mut Report) {
    if report.command != "rollback" {
        return;
    }
    report.undoes = undone(session, &session.overview(snapshot), goal.wish.to).await;
    if let Some((color, ago)) = report.undoes {
        session.reporter.emit(&Event::Warning(Warning::UndoesRollback { color, ago }));
    }
}

/// What decides about users: develop is shown, and whatever is wrong with it, it keeps nobody from being moved.
pub(super) fn of_users(snapshot: &Snapshot) -> Snapshot {
    let mut users = snapshot.clone();
    users.services.retain(|service| service.color != Color::Develop);
    users.missing.retain(|(color, _)| *color != Color::Develop);
    users
}

/// Tells what stands.
fn tell(session: &Session<'_>, snapshot: &Snapshot, report: &mut Report) {
    let seen = session.overview(snapshot);
    session.reporter.emit(&Event::Seen(Box::new(seen.clone())));
    report.see(seen);
}

/// Tells what will change.
fn announce(
    session: &Session<'_>,
    snapshot: Snapshot,
    goal: Goal,
    prediction: Prediction,
    report: &mut Report,
) -> Begun {
    tell(session, &snapshot, report);
    if goal.managed.is_some() {
        snapshot.services.iter().for_each(|service| strangers(session, service));
    }
    match prediction {
        Prediction::Refuse(refusal) => {
            report.refuse(refusal);
            return Begun::Over;
        }
        Prediction::Brief(brief) => {
            session.reporter.emit(&Event::Moving(brief.clone()));
            report.outcome = Outcome::Planned;
            report.color = Some(brief.receiver);
            let version = brief.versions.iter().find(|(color, _)| *color == brief.receiver);
            report.task_definition = version.map(|(_, arn)| arn.clone());
            report.traffic = Some(brief);
        }
        Prediction::Unknown => {}
    }
    Begun::Goal(Box::new(of_users(&snapshot)), Box::new(goal))
}

/// Puts the ending into the report.
fn ended(drive: &mut Drive<'_, Moving<'_>>, ending: Ending, report: &mut Report) {
    report.cause = std::mem::take(&mut drive.cause);
    report.logs = std::mem::take(&mut drive.logs);
    match ending {
        Ending::Refuse(refusal) => report.refuse(refusal),
        Ending::End(end) => report.end(end),
    }
    let run = &drive.course.run;
    report.put_back = Some(put_back(run));
    report.unscaled.clone_from(&run.unscalable);
    report.unscaled.sort();
    report.unscaled.dedup();
    let open = report.outcome == Outcome::Cancelled && report.left == Left::Unknown;
    drive.save(if open { drive.phase() } else { Phase::Ended(SavedEnd::of(report)) });
}

/// What the run put back of what it had changed: the last that it wrote is what it had found.
pub(super) fn put_back(run: &Run) -> PutBack {
    let Some(found) = &run.found else { return PutBack::default() };
    let counts = run.counts.iter().filter(|(color, count)| found.counts.get(color) == Some(count));
    let scaling = run.scaled.iter().filter(|(color, held)| found.suspended.get(color) == Some(held));
    PutBack {
        weights: !run.written.is_empty(),
        counts: counts.map(|(color, _)| *color).collect(),
        scaling: scaling.map(|(color, _)| *color).collect(),
        undone: run.lowered.undone.clone(),
    }
}

/// What stands at the end, and what a change of traffic left open.
async fn tell_the_end(drive: &mut Drive<'_, Moving<'_>>, report: &mut Report) {
    let Some(snapshot) = last_look(drive, report).await else { return };
    let goal = drive.course.goal;
    told_from(&snapshot, report);
    let brief = report.traffic.as_deref();
    if goal.wish.force && report.outcome == Outcome::Succeeded {
        report.shortfall = brief.map(|brief| shortfall(&snapshot, goal, brief)).unwrap_or_default();
    }
    report.stays_suspended = stays_suspended(&snapshot, goal);
}

/// The versions of both colors, as the last look shows them.
pub(super) fn told_from(snapshot: &Snapshot, report: &mut Report) {
    if let Some(service) = report.color.and_then(|color| snapshot.service(color)) {
        report.task_definition = Some(service.task_definition.clone());
    }
    if let Some(brief) = &mut report.traffic {
        let of = |service: &Service| (service.color, service.task_definition.clone());
        let of_users = snapshot.services.iter().filter(|service| service.color != Color::Develop);
        brief.versions = of_users.map(of).collect();
    }
}
