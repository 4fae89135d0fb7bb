//! The post step: finishes what a cancelled or killed run left, or says what is left. It can't run main.

use super::drive::{Drive, Ending};
use super::session::Session;
use super::state::{Phase, State};
use crate::clock;
use crate::event::Report;
use crate::failure::{Outcome, Reason};
use crate::plan::admit::Request;
use crate::plan::color::Color;
use crate::plan::definition::Content;
use crate::plan::deploy::Goal;
use crate::plan::step::{Because, End, Failing, Left};
use crate::plan::verdict::Limits;
use crate::plan::wanted::WantedColor;

/// Whether the run that left this state has anything to be finished.
pub(crate) fn is_open(state: &State) -> bool {
    match state.phase {
        Phase::Deploying | Phase::Restoring => true,
        Phase::Done => false,
    }
}

/// Puts the color back, or finds that it is back.
pub(crate) async fn post(session: &Session<'_>, state: &State) -> Report {
    let mut report = Report::new("post");
    let color = state.color().unwrap_or(Color::Blue);
    report.color = Some(color);
    report.place = Some(session.names.place.clone());
    report.service = Some(state.service.clone());
    report.task_definition = Some(state.task_definition.clone());
    report.previous_task_definition.clone_from(&state.found_task_definition);
    report.deployment.clone_from(&state.deployment);
    let goal = Goal {
        request: Request {
            color: WantedColor::Color(color),
            allow_live: true,
            probes: false,
            listener: session.settings.place.listener.clone(),
        },
        color,
        content: Content::default(),
        revision: None,
        force: false,
        desired: None,
        limits: Limits::with_timeout(session.settings.timeout),
        restore_on_cancel: session.settings.restore_on_cancel(),
    };
    let mut drive = Drive::new(session, &goal, &state.service, state.run(clock::now()));
    let ending = drive.run_to_end().await;
    report.outcome = Outcome::Cancelled;
    report.reason = Some(Reason::Cancelled);
    report.failing = Some(Failing::Cancelled);
    (report.left, report.because) = match ending {
        Ending::End(End::Bad { left, because, .. }) => (left, Some(because)),
        Ending::End(End::Good { .. }) | Ending::Refuse(_) => (Left::Unknown, Some(Because::NotConfirmed)),
    };
    drive.save(Phase::Done);
    report
}
