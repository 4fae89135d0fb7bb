//! The post step: finishes what a cancelled or killed run left, or says what is left. It can't run main.

use std::time::Duration;

use super::drive::{Drive, Ending};
use super::last_look::look_again;
use super::session::Session;
use super::state::{DeployState, Phase, State, TrafficState};
use crate::clock;
use crate::event::Report;
use crate::failure::{Outcome, Reason};
use crate::plan::admit::Request;
use crate::plan::color::{Color, Split};
use crate::plan::course::{Deploying, Moving};
use crate::plan::definition::Content;
use crate::plan::deploy::Goal;
use crate::plan::look::Look;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Because, End, Failing, Left};
use crate::plan::traffic;
use crate::plan::verdict::Limits;
use crate::plan::wanted::{Hosts, WantedColor};

/// Whether the run that left this state has anything to be finished.
pub(crate) fn is_open(state: &State) -> bool {
    match state.phase() {
        Phase::Deploying | Phase::Restoring => true,
        Phase::Done => false,
    }
}

/// Puts back what the run changed, or finds that it is back.
pub(crate) async fn post(session: &Session<'_>, state: &State) -> Report {
    let mut report = Report::new("post");
    report.place = Some(session.names.place.clone());
    report.outcome = Outcome::Cancelled;
    report.reason = Some(Reason::Cancelled);
    report.failing = Some(Failing::Cancelled);
    let (ending, last) = match state {
        State::Deploy(state) => (back_deploy(session, state, &mut report).await, None),
        State::Traffic(state) => back_traffic(session, state, &mut report).await,
    };
    (report.left, report.because) = match ending {
        Ending::End(End::Bad { left, because, .. }) => (left, Some(because)),
        Ending::End(End::Good { .. }) | Ending::Refuse(_) => (Left::Unknown, Some(Because::NotConfirmed)),
    };
    if let State::Traffic(_) = state {
        // Whose comment and labels are to tell of it.
        look_again(session, (Look { develop: true, ..Look::TRAFFIC }, last), &mut report).await;
    }
    report
}

/// The rules that hold what a change of traffic wrote, where it was to be put back or is half done.
async fn back_traffic(
    session: &Session<'_>,
    state: &TrafficState,
    report: &mut Report,
) -> (Ending, Option<Snapshot>) {
    report.split = Some(state.found.split);
    report.rules = state.found.splits.keys().cloned().collect();
    let restore = state.restore.unwrap_or(session.settings.restore_on_cancel());
    let goal = traffic::Goal { restore_on_cancel: restore, ..back(state.to, session) };
    let course = Moving { goal: &goal, run: state.run(clock::now()) };
    let mut drive = Drive::new(session, course);
    let ending = drive.run_to_end(None).await;
    drive.save(Phase::Done);
    (ending, drive.seen)
}

/// The color of a deploy.
async fn back_deploy(session: &Session<'_>, state: &DeployState, report: &mut Report) -> Ending {
    let color = state.color().unwrap_or(Color::Blue);
    report.color = Some(color);
    report.service = Some(state.service.clone());
    report.task_definition = Some(state.task_definition.clone());
    report.previous_task_definition.clone_from(&state.found_task_definition);
    report.deployment.clone_from(&state.deployment);
    report.split = state.users;
    let goal = Goal {
        request: Request {
            color: WantedColor::Color(color),
            allow_live: true,
            probes: Vec::new(),
            listener: session.settings.place.listener.clone(),
            hosts: Hosts::default(),
        },
        color,
        content: Content::default(),
        revision: None,
        origin: None,
        force: false,
        desired: None,
        limits: Limits::with_timeout(session.settings.timeout),
        // That of a promote is put back whatever `on-cancel` says.
        restore_on_cancel: state.restore.unwrap_or(session.settings.restore_on_cancel()),
        managed: None,
    };
    let course = Deploying { goal: &goal, service: &state.service, run: state.run(clock::now()) };
    let mut drive = Drive::new(session, course);
    let ending = drive.run_to_end(None).await;
    drive.save(Phase::Done);
    ending
}

/// What the post step has to know of the run's wish.
fn back(to: Split, session: &Session<'_>) -> traffic::Goal {
    traffic::Goal {
        wish: traffic::Wish {
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
        onward: false,
        managed: None,
    }
}
