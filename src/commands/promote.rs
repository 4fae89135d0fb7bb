//! `promote`: looks, finds the phases, announces them, drives them to the end, and reports.

use super::deploy::{differences, strangers, warn_of_drain};
use super::drive::{Drive, Ending};
use super::last_look::last_look;
use super::redirect::{put_back, told_from};
use super::session::{Session, Stop};
use super::state::{Phase as Saved, SavedEnd};
use crate::clock;
use crate::event::{Event, Planned, Report, Warning};
use crate::failure::Outcome;
use crate::plan::admit::Hindrance;
use crate::plan::course::Course;
use crate::plan::look::Look;
use crate::plan::promote::{Goal, Phase, Promoting, cautions, loose, other, phases, predict};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Because, End, Found, Left, Refusal};
use crate::plan::traffic::{self, Minima, Prediction, stays_at_size, stays_busy, stays_suspended};
use crate::plan::verdict::Limits;
use crate::plan::wanted::{Mode, Promotion};

/// Runs the command to its report.
pub(crate) async fn promote(session: &Session<'_>, promotion: &Promotion) -> Report {
    let mut report = Report::new("promote");
    let goal = goal(session, promotion);
    report.color = Some(promotion.color);
    match begin(session, &goal, &mut report).await {
        Ok(Some((snapshot, phases))) if !session.settings.plan_only => {
            drive(session, (snapshot, &phases), &mut report).await;
        }
        Ok(_) => {}
        Err(Stop::Signal) => report.cancel(),
        Err(Stop::Trouble(trouble)) => {
            report.refuse(Refusal::of_look(trouble, &session.names.place));
        }
    }
    report
}

/// The goal of the run.
pub(super) fn goal(session: &Session<'_>, promotion: &Promotion) -> Goal {
    let settings = session.settings;
    Goal {
        promotion: promotion.clone(),
        listener: settings.place.listener.clone(),
        bounds: settings.scaling.as_ref().map(|wanted| Minima { live: wanted.min, idle: wanted.idle_min }),
        managed: settings.scaling,
        limits: Limits::with_timeout(settings.timeout),
        restore_on_cancel: settings.restore_on_cancel(),
    }
}

/// What was seen, and the phases from there; none when it is refused.
type Begun = Option<(Snapshot, Vec<Phase>)>;

/// Looks until all that decides was answered, and tells what stands and what will change.
async fn begin(session: &Session<'_>, goal: &Goal, report: &mut Report) -> Result<Begun, Stop> {
    let began = clock::now();
    let look = Look { develop: true, scalers: goal.managed.is_some(), ..Look::TRAFFIC };
    loop {
        let snapshot = session.first_look(look).await?;
        let found = match phases(&snapshot, goal) {
            Err(Hindrance::Hold(trouble)) => {
                session.hold(trouble, began).await?;
                continue;
            }
            Err(Hindrance::Refuse(refusal)) => Err(refusal),
            Ok(phases) => Ok((predict(&snapshot, &phases, clock::now()), phases)),
        };
        let passing = snapshot.troubles().into_iter().find(|trouble| trouble.kind.passes()).cloned();
        if let (Ok(((Prediction::Unknown, _), _)), Some(trouble)) = (&found, passing) {
            session.hold(trouble, began).await?;
            continue;
        }
        let seen = session.overview(&snapshot);
        session.reporter.emit(&Event::Seen(Box::new(seen.clone())));
        report.see(seen);
        return Ok(match found {
            Ok(((prediction, stays), phases)) => {
                report.stays_at_size = stays;
                ran_before(&snapshot, goal.promotion.mode, report);
                announce(session, &snapshot, (&phases, prediction), report).then_some((snapshot, phases))
            }
            Err(refusal) => {
                report.refuse(refusal);
                None
            }
        });
    }
}

/// Tells what will change. False: it comes to a refusal, which is in the report then.
fn announce(
    session: &Session<'_>,
    snapshot: &Snapshot,
    (phases, prediction): (&[Phase], Prediction),
    report: &mut Report,
) -> bool {
    if session.settings.scaling.is_some() {
        snapshot.services.iter().for_each(|service| strangers(session, service));
    }
    for image in loose(phases) {
        session.reporter.emit(&Event::Warning(Warning::UnresolvedTag { image }));
    }
    let managed = session.settings.scaling.is_some();
    for caution in report.color.map_or(Vec::new(), |color| cautions(snapshot, color, managed)) {
        session.reporter.emit(&Event::Warning(Warning::Promote(caution)));
    }
    copies(session, snapshot, phases, report);
    match prediction {
        Prediction::Refuse(refusal) => {
            report.refuse(refusal);
            return false;
        }
        Prediction::Brief(brief) => {
            session.reporter.emit(&Event::Moving(brief.clone()));
            report.outcome = Outcome::Planned;
            let version = brief.versions.iter().find(|(color, _)| Some(*color) == report.color);
            report.task_definition = version.map(|(_, arn)| arn.clone());
            report.traffic = Some(brief);
        }
        Prediction::Unknown => {}
    }
    true
}

/// Notes what production ran before: in a swap that is the other color's.
pub(super) fn ran_before(snapshot: &Snapshot, mode: Mode, report: &mut Report) {
    let loser = report.color.map(other).and_then(|color| snapshot.service(color));
    let before = loser.filter(|_| mode == Mode::Swap);
    report.previous_task_definition = before.map(|service| service.task_definition.clone());
}

/// Tells what a copy changes in the color's task definition.
fn copies(session: &Session<'_>, snapshot: &Snapshot, phases: &[Phase], report: &mut Report) {
    for phase in phases {
        let Phase::Deploy(goal, name) = phase else { continue };
        let Some(service) = snapshot.service(goal.color) else { continue };
        warn_of_drain(session, service);
        let current = service.definition.as_ref().and_then(|read| read.as_ref().ok());
        let changes = current.map_or(Vec::new(), |now| differences(&now.content, &goal.content));
        let now = Found { task_definition: service.task_definition.clone(), desired: service.desired };
        let planned = Planned {
            color: goal.color,
            service: name.clone(),
            now,
            steps: Vec::new(),
            changes,
            longest: None,
        };
        session.reporter.emit(&Event::Plan(Box::new(planned.clone())));
        report.previous_task_definition = Some(service.task_definition.clone());
        report.service = Some(name.clone());
        report.plan = Some(planned);
    }
}

/// Drives the phases to the end.
async fn drive(session: &Session<'_>, (snapshot, phases): (Snapshot, &[Phase]), report: &mut Report) {
    let Some(course) = Promoting::begin(phases, clock::now()) else { return };
    let mut drive = Drive::new(session, course);
    let ending = drive.run_to_end(Some(snapshot)).await;
    let (changed, last) = (drive.course.changed, drive.course.is_last());
    report.deployment = drive.course.deployment();
    // Without a look at the end, which a signal leaves no time for.
    report.split = drive.course.split().or(report.split);
    report.put_back = drive.course.moving().map(|moving| put_back(&moving.run));
    report.cause = std::mem::take(&mut drive.cause);
    report.logs = std::mem::take(&mut drive.logs);
    match ending {
        Ending::Refuse(refusal) => report.refuse(refusal),
        Ending::End(end) => report.end(whole(end, changed, session.settings.restore_on_cancel())),
    }
    if changed && report.outcome == Outcome::Refused {
        (report.outcome, report.left) = (Outcome::Failed, Left::Changed);
        report.because = Some(Because::Midway);
    }
    let open = report.outcome == Outcome::Cancelled && report.left == Left::Unknown;
    drive.save(if open { drive.phase() } else { Saved::Ended(SavedEnd::of(report)) });
    tell_the_end(&mut drive, phases.last().filter(|_| last), report).await;
}

/// The end of a phase as the end of the whole: what earlier phases changed stays changed. Users who are back where the
/// run found them, with the new version, stay there by `on-cancel: restore` too.
fn whole(end: End, changed: bool, restores: bool) -> End {
    match end {
        End::Good { changed: now, healthy } => End::Good { changed: now || changed, healthy },
        End::Bad { failing, left: Left::Untouched | Left::Restored, .. } if changed => {
            End::Bad { failing, left: Left::Changed, because: Because::Midway }
        }
        End::Bad { failing, left, because: Because::Asked } if changed && restores => {
            End::Bad { failing, left, because: Because::Midway }
        }
        end @ End::Bad { .. } => end,
    }
}

/// What a promote leaves open, by what is seen.
pub(super) fn open_end(snapshot: &Snapshot, goal: &traffic::Goal, report: &mut Report) {
    report.stays_at_size = stays_at_size(snapshot, goal);
    report.stays_busy = stays_busy(snapshot, goal);
    report.stays_suspended = stays_suspended(snapshot, goal);
}

/// What stands at the end, and what a promote left open.
async fn tell_the_end(drive: &mut Drive<'_, Promoting<'_>>, last: Option<&Phase>, report: &mut Report) {
    let Some(snapshot) = last_look(drive, report).await else { return };
    if let Some(Phase::Move(goal)) = last {
        open_end(&snapshot, goal, report);
    }
    told_from(&snapshot, report);
}
