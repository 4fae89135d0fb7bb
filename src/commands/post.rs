//! The post step: finishes the work of a cancelled or killed run, or reports the remaining work. It can't run main.

use std::time::Duration;

use super::confirm::{Confirmed, confirm_goal, record_overview, tell_deploy};
use super::drive::{Drive, Ending};
use super::last_look::look_again;
use super::redirect::of_users;
use super::session::Session;
use super::state::{DeployState, Phase, SavedEnd, State, TrafficState};
use crate::clock;
use crate::event::{Lacks, Report};
use crate::failure::{Outcome, Reason};
use crate::plan::color::Split;
use crate::plan::definition::Content;
use crate::plan::deploy::Goal;
use crate::plan::operation::{DeployOperation, TrafficOperation};
use crate::plan::preconditions::Request;
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{End, EndStateReason, Left, RunFailure};
use crate::plan::traffic;
use crate::plan::verdict::Limits;
use crate::plan::wanted::WantedColor;
use crate::report::words;

/// All facts of a report.
const WHOLE: ReadScope = ReadScope { develop: true, ..ReadScope::TRAFFIC };

/// Finds out the result of a killed run, and finishes its open work.
pub(crate) async fn finish_run(session: &Session<'_>, state: &State) -> Report {
    let (end, turned) = match state.phase() {
        Phase::Ended(end) if !end.is_good() => return ended_badly(session, state, end).await,
        Phase::Ended(end) => (Some(end), false),
        Phase::Deploying => (None, state.is_turned()),
        Phase::Restoring | Phase::Done => (None, true),
    };
    if turned {
        return restore_run(session, state, None).await;
    }
    match (confirm_goal(session, state, end.is_some()).await, end) {
        (Confirmed::Reached(report), end) => {
            session.close_state();
            let unchanged = end.is_some_and(|end| end.outcome == Outcome::Unchanged);
            reached_report(*report, unchanged)
        }
        (Confirmed::Not(lacks, seen), Some(_)) => {
            report_not_reached(initial_report(session, state), session, (*lacks, seen.as_deref()))
        }
        (Confirmed::Not(lacks, _), None) => restore_run(session, state, Some(lacks)).await,
    }
}

/// A reached goal; a run that started at its goal changed nothing.
fn reached_report(report: Report, unchanged: bool) -> Report {
    match unchanged {
        true => Report { outcome: Outcome::Unchanged, left: Left::Untouched, ..report },
        false => report,
    }
}

/// A report of the run that left this state.
fn initial_report(session: &Session<'_>, state: &State) -> Report {
    let mut report = Report::new(session.settings.command.name());
    report.place = Some(session.names.place.clone());
    if let (State::Deploy(state), "deploy") = (state, report.command) {
        tell_deploy(state, &mut report);
    }
    report
}

/// A run that ended without success: its end, and the current state in AWS.
async fn ended_badly(session: &Session<'_>, state: &State, end: SavedEnd) -> Report {
    let mut report = initial_report(session, state);
    (report.outcome, report.reason, report.left) = (end.outcome, end.reason, end.left);
    report.failure = Some(words::ended_unreported(end.outcome, end.reason));
    look_again(session, (WHOLE, None), &mut report).await;
    report
}

/// A run that reached its goal, which AWS no longer shows or could not be read.
fn report_not_reached(
    mut report: Report,
    session: &Session<'_>,
    (lacks, seen): (Lacks, Option<&Snapshot>),
) -> Report {
    report.outcome = match &lacks {
        Lacks::Fails(failing) => Outcome::of_failing(failing),
        Lacks::Steps(_) | Lacks::Wait(_) | Lacks::Copy(_) | Lacks::Refused(_) => Outcome::Superseded,
        Lacks::Unread(_) | Lacks::Unknown => Outcome::Cancelled,
    };
    report.left = match &lacks {
        Lacks::Unread(_) | Lacks::Unknown => Left::Unknown,
        Lacks::Fails(_) | Lacks::Steps(_) | Lacks::Wait(_) | Lacks::Copy(_) | Lacks::Refused(_) => {
            Left::Changed
        }
    };
    report.reason = Some(match &lacks {
        Lacks::Fails(failing) => Reason::of_failing(failing),
        Lacks::Refused(refusal) => Reason::of_refusal(refusal),
        Lacks::Unread(trouble) => Reason::of_trouble(trouble.kind),
        Lacks::Steps(_) | Lacks::Wait(_) | Lacks::Copy(_) => Reason::Superseded,
        Lacks::Unknown => Reason::Cancelled,
    });
    if let Some(snapshot) = seen {
        record_overview(session, snapshot, &mut report);
    }
    report.failure = Some(words::not_there_now(&lacks, &report));
    report
}

/// The report of a killed run if AWS did not answer at all: the state that the run left is unknown.
pub(crate) fn unread_report(command: &'static str, why: Report) -> Report {
    let failure = words::end_failure(&why);
    Report {
        command,
        outcome: Outcome::Cancelled,
        left: Left::Unknown,
        refusal: None,
        failure: Some(words::not_read(why.reason, failure)),
        ..why
    }
}

/// The report for an unreadable saved state: the state that the run left is unknown.
pub(crate) async fn not_understood(session: &Session<'_>) -> Report {
    let mut report = Report::new(session.settings.command.name());
    report.place = Some(session.names.place.clone());
    (report.outcome, report.reason, report.left) =
        (Outcome::Cancelled, Some(Reason::Cancelled), Left::Unknown);
    report.failure = Some(words::unknown_state());
    look_again(session, (WHOLE, None), &mut report).await;
    report
}

/// Restores everything that the run changed, or finds it restored.
async fn restore_run(session: &Session<'_>, state: &State, lacks: Option<Box<Lacks>>) -> Report {
    let mut report = Report::new("post");
    report.lacks = lacks;
    report.place = Some(session.names.place.clone());
    report.outcome = Outcome::Cancelled;
    report.reason = Some(Reason::Cancelled);
    report.failing = Some(RunFailure::Cancelled);
    let (ending, last) = match state {
        State::Deploy(state) => back_deploy(session, state, &mut report).await,
        State::Traffic(state) => back_traffic(session, state, &mut report).await,
    };
    (report.left, report.because) = match ending {
        Ending::End(End::Bad { left, because, .. }) => (left, Some(because)),
        Ending::End(End::Good { .. }) | Ending::Refuse(_) => {
            (Left::Unknown, Some(EndStateReason::NotConfirmed))
        }
    };
    session.close_state();
    // The outputs and the comment show what the restore left.
    let seen = look_again(session, (WHOLE, last), &mut report).await;
    if let State::Traffic(state) = state {
        let stays = seen.filter(|_| report.left == Left::Changed);
        report.traffic = stays.and_then(|snapshot| remaining_change(session, state, &of_users(&snapshot)));
    }
    report
}

/// The remaining change of traffic, from the split at the run's start.
fn remaining_change(
    session: &Session<'_>,
    state: &TrafficState,
    seen: &Snapshot,
) -> Option<Box<traffic::TrafficPlan>> {
    let goal = way_back(state.to, session);
    let before = traffic::as_found(seen, &goal, &state.found);
    traffic::traffic_plan(&before, &goal, clock::now()).ok().map(Box::new)
}

/// The rules with the weights of a change of traffic that was to be restored or is half done.
async fn back_traffic(
    session: &Session<'_>,
    state: &TrafficState,
    report: &mut Report,
) -> (Ending, Option<Snapshot>) {
    report.split = Some(state.found.split);
    report.rules = state.found.splits.keys().cloned().collect();
    let restore = state.restore.unwrap_or(session.settings.restore_on_cancel());
    let goal = traffic::Goal { restore_on_cancel: restore, ..way_back(state.to, session) };
    let operation = TrafficOperation { goal: &goal, run: state.run(clock::now()) };
    let mut drive = Drive::new(session, operation);
    let ending = drive.run_to_end(None).await;
    (ending, drive.seen)
}

/// The color of a deploy.
async fn back_deploy(
    session: &Session<'_>,
    state: &DeployState,
    report: &mut Report,
) -> (Ending, Option<Snapshot>) {
    tell_deploy(state, report);
    report.color = Some(state.color);
    report.split = state.users;
    let goal = deploy_goal(session, state, (true, Vec::new()));
    let operation = DeployOperation { goal: &goal, service: &state.service, run: state.run(clock::now()) };
    let mut drive = Drive::new(session, operation);
    let ending = drive.run_to_end(None).await;
    (ending, drive.seen)
}

/// The post step's goal of a deploy: `allow_live` permits users on the color, `probes` are the paths to probe.
pub(super) fn deploy_goal(
    session: &Session<'_>,
    state: &DeployState,
    (allow_live, probes): (bool, Vec<String>),
) -> Goal {
    Goal {
        request: Request {
            color: WantedColor::Color(state.color),
            allow_live,
            probes,
            listener: session.settings.place.listener.clone(),
            hosts: session.settings.place.hosts.clone(),
        },
        color: state.color,
        content: Content::default(),
        revision: None,
        origin: None,
        force: false,
        desired: None,
        limits: Limits::with_timeout(session.settings.timeout),
        // The deploy of a promote is always restored, for any `on-cancel`.
        restore_on_cancel: state.restore.unwrap_or(session.settings.restore_on_cancel()),
        managed: None,
    }
}

/// The post step's goal of a change of traffic.
fn way_back(to: Split, session: &Session<'_>) -> traffic::Goal {
    traffic::Goal {
        wish: traffic::TrafficRequest {
            to,
            steps: Vec::new(),
            bake: Duration::ZERO,
            alarms: Vec::new(),
            scale_up: true,
            force: false,
            adopt: false,
            expect: None,
            settle: Duration::ZERO,
        },
        listener: session.settings.place.listener.clone(),
        timeout: session.settings.timeout,
        restore_on_cancel: session.settings.restore_on_cancel(),
        finish: None,
        has_next_phase: false,
        managed: None,
    }
}
