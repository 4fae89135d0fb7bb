//! `redirect-traffic` and `rollback`: reads AWS, announces the changes, drives to the end, and reports.

use std::time::Duration;

use super::again::{Earlier, find_earlier};
use super::deploy::warn_unmanaged_policies;
use super::drive::Drive;
use super::ending::report_ending;
use super::last_look::last_look;
use super::session::{Session, Stop};
use crate::action::traffic::RollbackSettings;
use crate::clock;
use crate::event::{Event, Report, Warning};
use crate::failure::Outcome;
use crate::plan::color::{Color, Split};
use crate::plan::operation::TrafficOperation;
use crate::plan::preconditions::Blocker;
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::{Service, Snapshot};
use crate::plan::step::Refusal;
use crate::plan::traffic::{
    Goal, Prediction, Run, TrafficRequest, capacity_shortfall, predict_traffic, rollback_split,
    stays_suspended,
};

/// Runs `redirect-traffic` to its report.
pub(crate) async fn run_redirect(session: &Session<'_>, wish: &TrafficRequest) -> Report {
    move_users(session, "redirect-traffic", &|_| Ok(redirect_goal(session, wish))).await
}

/// Runs `rollback` to its report: without an input, the rules decide about the color.
pub(crate) async fn roll_back(session: &Session<'_>, asked: &RollbackSettings) -> Report {
    let to = |snapshot: &Snapshot| {
        let mut goal = redirect_goal(session, &way_back(asked));
        goal.wish.to = rollback_split(snapshot, &goal, asked.color)?;
        Ok(goal)
    };
    move_users(session, "rollback", &to).await
}

/// A rollback as a change of traffic with a preliminary target: at once, without steps.
pub(super) fn way_back(asked: &RollbackSettings) -> TrafficRequest {
    TrafficRequest {
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
pub(crate) fn redirect_goal(session: &Session<'_>, wish: &TrafficRequest) -> Goal {
    Goal {
        wish: wish.clone(),
        listener: session.settings.place.listener.clone(),
        timeout: session.settings.timeout,
        restore_on_cancel: session.settings.restore_on_cancel(),
        finish: None,
        has_next_phase: false,
        managed: session.settings.scaling,
    }
}

/// Derives a goal from a snapshot.
type Aim<'a> = dyn Fn(&Snapshot) -> Result<Goal, Blocker> + 'a;

/// The facts that were read, and the goal.
enum Begun {
    /// The change may start.
    Goal(Box<Snapshot>, Box<Goal>),
    /// The change may not start, or there is nothing to write; the report gives the reason.
    Over,
}

/// Reads, announces, drives, reports.
async fn move_users(session: &Session<'_>, command: &'static str, aim: &Aim<'_>) -> Report {
    let mut report = Report::new(command);
    let (snapshot, goal) = match plan_traffic(session, aim, &mut report).await {
        Ok(Begun::Goal(snapshot, goal)) => (snapshot, goal),
        Ok(Begun::Over) => return report,
        Err(Stop::Signal) => {
            report.cancel();
            return report;
        }
        Err(Stop::AwsError(trouble)) => {
            report.refuse(Refusal::of_look(trouble, &session.names.place));
            return report;
        }
    };
    if session.settings.plan_only {
        return report;
    }
    let operation = TrafficOperation { goal: &goal, run: Run::begin(clock::now()) };
    let mut drive = Drive::new(session, operation);
    let ending = drive.run_to_end(Some(*snapshot)).await;
    report_ending(&mut drive, ending, &mut report);
    tell_the_end(&mut drive, &goal, &mut report).await;
    report
}

/// Reads AWS until every deciding part was answered, and announces the current state and the plan.
async fn plan_traffic(session: &Session<'_>, aim: &Aim<'_>, report: &mut Report) -> Result<Begun, Stop> {
    let began = clock::now();
    let look = ReadScope { develop: true, scalers: session.settings.scaling.is_some(), ..ReadScope::TRAFFIC };
    loop {
        let snapshot = session.first_look(look).await?;
        let users = of_users(&snapshot);
        let predicted = match aim(&users) {
            Ok(goal) => (predict_traffic(&users, &goal, clock::now()), goal),
            Err(Blocker::Retry(trouble)) => {
                session.hold(trouble, began).await?;
                continue;
            }
            Err(Blocker::Refuse(refusal)) => {
                report_overview(session, &snapshot, report);
                report.refuse(refusal);
                return Ok(Begun::Over);
            }
        };
        let passing = users.troubles().into_iter().find(|trouble| trouble.kind.is_transient()).cloned();
        match (predicted, passing) {
            ((Prediction::Unknown, _), Some(trouble)) => session.hold(trouble, began).await?,
            ((prediction, goal), _) => {
                warn(session, &snapshot, &goal, report).await;
                let forced = goal.wish.force;
                let snapshot = if forced { snapshot } else { session.with_minutes(snapshot).await };
                return Ok(announce_traffic(session, snapshot, goal, prediction, report).await);
            }
        }
    }
}

/// Warns before a rollback that would undo one of the last hour.
async fn warn(session: &Session<'_>, snapshot: &Snapshot, goal: &Goal, report: &mut Report) {
    if report.command != "rollback" {
        return;
    }
    match find_earlier(session, &session.overview(snapshot), goal.wish.to).await {
        Earlier::Found(color, ago) => {
            report.undoes = Some((color, ago));
            session.reporter.emit(&Event::Warning(Warning::UndoesRollback { color, ago }));
        }
        Earlier::Unknown(color) => session.reporter.emit(&Event::RollbackUnchecked(color)),
        Earlier::None => {}
    }
}

/// The facts that decide about users: develop is shown, but no problem of develop keeps users from being moved.
pub(super) fn of_users(snapshot: &Snapshot) -> Snapshot {
    let mut users = snapshot.clone();
    users.services.retain(|service| service.color.production().is_some());
    users.missing.retain(|(color, _)| color.production().is_some());
    users
}

/// Announces the current state.
fn report_overview(session: &Session<'_>, snapshot: &Snapshot, report: &mut Report) {
    let seen = session.overview(snapshot);
    session.reporter.emit(&Event::Seen(Box::new(seen.clone())));
    report.see(seen);
}

/// Announces the changes.
async fn announce_traffic(
    session: &Session<'_>,
    snapshot: Snapshot,
    goal: Goal,
    prediction: Prediction,
    report: &mut Report,
) -> Begun {
    report_overview(session, &snapshot, report);
    if goal.managed.is_some() {
        snapshot.services.iter().for_each(|service| warn_unmanaged_policies(session, service));
    }
    match prediction {
        Prediction::Refuse(refusal) => {
            report.refuse(refusal);
            return Begun::Over;
        }
        Prediction::Plan(traffic_plan) => {
            if let Some(worse) = session.refusal_of_worse(&snapshot, &traffic_plan, report) {
                report.refuse(worse);
                return Begun::Over;
            }
            // Users who are failing already do not wait for GitHub.
            let refused = match goal.wish.force {
                true => None,
                false => session.refusal_of_traffic(&traffic_plan, report).await,
            };
            if let Some(refusal) = refused {
                report.refuse(refusal);
                return Begun::Over;
            }
            let traffic_plan = session.with_wait_for_counts(*traffic_plan);
            session.reporter.emit(&Event::TrafficPlan(traffic_plan.clone()));
            report.outcome = Outcome::Planned;
            report.color = Some(traffic_plan.receiver.into());
            let version = traffic_plan.versions.iter().find(|(color, _)| *color == traffic_plan.receiver);
            report.task_definition = version.map(|(_, arn)| arn.clone());
            report.traffic = Some(traffic_plan);
        }
        Prediction::Unknown => {}
    }
    Begun::Goal(Box::new(of_users(&snapshot)), Box::new(goal))
}

/// Adds the state at the end, and the open ends of a change of traffic.
async fn tell_the_end(drive: &mut Drive<'_>, goal: &Goal, report: &mut Report) {
    let Some(snapshot) = last_look(drive, report).await else { return };
    told_from(&snapshot, report);
    let traffic_plan = report.traffic.as_deref();
    if goal.wish.force && report.outcome == Outcome::Succeeded {
        report.shortfall = traffic_plan
            .map(|traffic_plan| capacity_shortfall(&snapshot, goal, traffic_plan))
            .unwrap_or_default();
    }
    report.stays_suspended = stays_suspended(&snapshot, goal);
    drive.add_comparison(report);
}

/// The versions of both colors at the last look.
pub(super) fn told_from(snapshot: &Snapshot, report: &mut Report) {
    if let Some(service) = report.color.and_then(|color| snapshot.service(color)) {
        report.task_definition = Some(service.task_definition.clone());
    }
    if let Some(traffic_plan) = &mut report.traffic {
        let of = |(color, service): (Color, &Service)| (color, service.task_definition.clone());
        traffic_plan.versions = snapshot.production().map(of).collect();
    }
}
