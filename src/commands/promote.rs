//! `promote`: reads AWS, plans the phases, announces the plan, drives to the end, and reports.

use super::deploy::{shown_differences, warn_of_drain, warn_unmanaged_policies};
use super::drive::{Drive, Ending};
use super::ending::put_back;
use super::last_look::last_look;
use super::logs::add_log_tail;
use super::redirect::told_from;
use super::session::{Session, Stop};
use super::state::{Phase as Saved, SavedEnd};
use crate::clock;
use crate::event::{Event, Planned, Report, Warning};
use crate::failure::Outcome;
use crate::plan::color::ServiceColor;
use crate::plan::operation::{CurrentPhase, Operation};
use crate::plan::preconditions::Blocker;
use crate::plan::promote::{Goal, Phase, find_cautions, plan_phases, predict_promote, unpinned_images};
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{End, EndStateReason, InitialService, Left, Refusal};
use crate::plan::traffic::{self, Minima, Prediction, stays_at_size, stays_busy, stays_suspended};
use crate::plan::verdict::Limits;
use crate::plan::wanted::{Mode, Promotion};

/// Runs the command to its report.
pub(crate) async fn run_promote(session: &Session<'_>, promotion: &Promotion) -> Report {
    let mut report = Report::new("promote");
    let goal = promote_goal(session, promotion);
    report.color = Some(promotion.color.into());
    match plan_promote(session, &goal, &mut report).await {
        Ok(Some((snapshot, phases))) if !session.settings.plan_only => {
            run_phases(session, (snapshot, &phases), &mut report).await;
        }
        Ok(_) => {}
        Err(Stop::Signal) => report.cancel(),
        Err(Stop::AwsError(trouble)) => {
            report.refuse(Refusal::of_look(trouble, &session.names.place));
        }
    }
    report
}

/// The goal of the run.
pub(super) fn promote_goal(session: &Session<'_>, promotion: &Promotion) -> Goal {
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

/// The facts that were read, and the phases; none if refused.
type PromotePlan = Option<(Snapshot, Vec<Phase>)>;

/// Reads AWS until every deciding part was answered, and announces the current state and the plan.
async fn plan_promote(session: &Session<'_>, goal: &Goal, report: &mut Report) -> Result<PromotePlan, Stop> {
    let began = clock::now();
    let look = ReadScope { develop: true, scalers: goal.managed.is_some(), ..ReadScope::TRAFFIC };
    loop {
        let snapshot = session.with_minutes(session.first_look(look).await?).await;
        let found = match plan_phases(&snapshot, goal) {
            Err(Blocker::Retry(trouble)) => {
                session.hold(trouble, began).await?;
                continue;
            }
            Err(Blocker::Refuse(refusal)) => Err(refusal),
            Ok(phases) => Ok((predict_promote(&snapshot, &phases, clock::now()), phases)),
        };
        let passing = snapshot.troubles().into_iter().find(|trouble| trouble.kind.is_transient()).cloned();
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
                announce_promote(session, &snapshot, (&phases, prediction), report)
                    .await
                    .then_some((snapshot, phases))
            }
            Err(refusal) => {
                report.refuse(refusal);
                None
            }
        });
    }
}

/// Announces the plan. False if the prediction ends in a refusal, which is then in the report.
async fn announce_promote(
    session: &Session<'_>,
    snapshot: &Snapshot,
    (phases, prediction): (&[Phase], Prediction),
    report: &mut Report,
) -> bool {
    if session.settings.scaling.is_some() {
        snapshot.services.iter().for_each(|service| warn_unmanaged_policies(session, service));
    }
    for image in unpinned_images(phases) {
        session.reporter.emit(&Event::Warning(Warning::UnresolvedTag { image }));
    }
    let managed = session.settings.scaling.is_some();
    let production = report.color.and_then(ServiceColor::production);
    for caution in production.map_or(Vec::new(), |color| find_cautions(snapshot, color, managed)) {
        session.reporter.emit(&Event::Warning(Warning::Promote(caution)));
    }
    announce_copies(session, snapshot, phases, report);
    match prediction {
        Prediction::Refuse(refusal) => {
            report.refuse(refusal);
            return false;
        }
        Prediction::Plan(traffic_plan) => {
            if let Some(worse) = session.refusal_of_worse(snapshot, &traffic_plan, report) {
                report.refuse(worse);
                return false;
            }
            if let Some(refusal) = session.refusal_of_traffic(&traffic_plan, report).await {
                report.refuse(refusal);
                return false;
            }
            let traffic_plan = session.with_wait_for_counts(*traffic_plan);
            session.reporter.emit(&Event::TrafficPlan(traffic_plan.clone()));
            report.outcome = Outcome::Planned;
            let version = traffic_plan.versions.iter().find(|(color, _)| Some(*color) == production);
            report.task_definition = version.map(|(_, arn)| arn.clone());
            report.traffic = Some(traffic_plan);
        }
        Prediction::Unknown => {}
    }
    true
}

/// Notes production's earlier version: in a swap, the other color's version.
pub(super) fn ran_before(snapshot: &Snapshot, mode: Mode, report: &mut Report) {
    let loser = report.color.and_then(|color| snapshot.service(color.production()?.other()));
    let before = loser.filter(|_| mode == Mode::Swap);
    report.previous_task_definition = before.map(|service| service.task_definition.clone());
}

/// Announces the changes of a copy to the color's task definition.
fn announce_copies(session: &Session<'_>, snapshot: &Snapshot, phases: &[Phase], report: &mut Report) {
    for phase in phases {
        let Phase::Deploy(goal, name) = phase else { continue };
        let Some(service) = snapshot.service(goal.color) else { continue };
        warn_of_drain(session, service);
        let current = service.definition.as_ref().and_then(|read| read.as_ref().ok());
        let changes = current.map_or(Vec::new(), |now| shown_differences(&now.content, &goal.content));
        let now =
            InitialService { task_definition: service.task_definition.clone(), desired: service.desired };
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
async fn run_phases(session: &Session<'_>, (snapshot, phases): (Snapshot, &[Phase]), report: &mut Report) {
    let Some(operation) = Operation::begin(phases, clock::now()) else { return };
    let mut drive = Drive::new(session, operation);
    let ending = drive.run_to_end(Some(snapshot)).await;
    let (changed, last) = (drive.operation.changed, drive.operation.is_last());
    report.deployment = drive.operation.deployment();
    // The values without a last look, for which a signal leaves no time.
    report.split = drive.operation.split().or(report.split);
    report.put_back = match drive.operation.current() {
        CurrentPhase::Traffic(moving) => Some(put_back(&moving.run)),
        CurrentPhase::Deploy(_) => None,
    };
    report.cause = std::mem::take(&mut drive.cause);
    report.logs = std::mem::take(&mut drive.logs);
    match ending {
        Ending::Refuse(refusal) => report.refuse(refusal),
        Ending::End(end) => report.end(overall_end(end, changed, session.settings.restore_on_cancel())),
    }
    if changed && report.outcome == Outcome::Refused {
        (report.outcome, report.left) = (Outcome::Failed, Left::Changed);
        report.because = Some(EndStateReason::Midway);
    }
    let open = report.outcome == Outcome::Cancelled && report.left == Left::Unknown;
    drive.save(if open { drive.phase() } else { Saved::Ended(SavedEnd::of(report)) });
    tell_the_end(&mut drive, phases.last().filter(|_| last), report).await;
    if let CurrentPhase::Deploy(_) = drive.operation.current() {
        add_log_tail(session, report).await;
    }
}

/// A phase's end as the end of the whole run: changes of earlier phases stay. Users who are back at the split of the
/// run's start, with the new version, stay there even with `on-cancel: restore`.
fn overall_end(end: End, changed: bool, restores: bool) -> End {
    match end {
        End::Good { changed: now, healthy } => End::Good { changed: now || changed, healthy },
        End::Bad { failing, left: Left::Untouched | Left::Restored, .. } if changed => {
            End::Bad { failing, left: Left::Changed, because: EndStateReason::Midway }
        }
        End::Bad { failing, left, because: EndStateReason::Asked } if changed && restores => {
            End::Bad { failing, left, because: EndStateReason::Midway }
        }
        end @ End::Bad { .. } => end,
    }
}

/// The open ends of a promote, by the last look.
pub(super) fn open_end(snapshot: &Snapshot, goal: &traffic::Goal, report: &mut Report) {
    report.stays_at_size = stays_at_size(snapshot, goal);
    report.stays_busy = stays_busy(snapshot, goal);
    report.stays_suspended = stays_suspended(snapshot, goal);
}

/// Adds the state at the end, and the open ends of a promote.
async fn tell_the_end(drive: &mut Drive<'_>, last: Option<&Phase>, report: &mut Report) {
    let Some(snapshot) = last_look(drive, report).await else { return };
    if let Some(Phase::Move(goal)) = last {
        open_end(&snapshot, goal, report);
    }
    told_from(&snapshot, report);
    drive.add_comparison(report);
}
