//! The ending of a run of one phase, for its report and its post step.

use super::drive::{Drive, Ending};
use super::state::{Phase, SavedEnd};
use crate::event::{PutBack, Report};
use crate::failure::Outcome;
use crate::plan::operation::CurrentPhase;
use crate::plan::run::Run;
use crate::plan::step::{EndStateReason, Left};
use crate::plan::traffic;

/// Puts the ending into the report, and saves the state for the post step: as ended, unless the post step goes on.
pub(super) fn report_ending(drive: &mut Drive<'_>, ending: Ending, report: &mut Report) {
    report.cause = std::mem::take(&mut drive.cause);
    report.logs = std::mem::take(&mut drive.logs);
    match ending {
        Ending::Refuse(refusal) => report.refuse(refusal),
        Ending::End(end) => report.end(end),
    }
    let goes_on = match drive.operation.current() {
        CurrentPhase::Traffic(moving) => report_traffic(&moving.run, report),
        CurrentPhase::Deploy(deploying) => report_deploy(&deploying.run, report),
    };
    drive.save(if goes_on { drive.phase() } else { Phase::Ended(SavedEnd::of(report)) });
}

/// Adds the facts of a change of traffic. True if the post step goes on.
fn report_traffic(run: &traffic::Run, report: &mut Report) -> bool {
    report.put_back = Some(put_back(run));
    report.unscaled.clone_from(&run.unscalable);
    report.unscaled.sort();
    report.unscaled.dedup();
    report.outcome == Outcome::Cancelled && report.left == Left::Unknown
}

/// Adds the facts of a deploy. True if the post step goes on.
fn report_deploy(run: &Run, report: &mut Report) -> bool {
    report.deployment = run.awaited().and_then(|awaited| awaited.id.clone());
    report.task_definition = run.awaited().map(|awaited| awaited.task_definition.clone());
    if let Some(found) = &run.found {
        report.previous_task_definition = Some(found.task_definition.clone());
    }
    if run.scaling.any && report.outcome == Outcome::Refused {
        // Scaling that was written before the refusal stays.
        (report.outcome, report.left) = (Outcome::Failed, Left::Changed);
        report.because = Some(EndStateReason::ScalingStays);
    }
    report.outcome == Outcome::Cancelled && report.left != Left::Untouched
}

/// The run's restored changes: everything whose last written value equals the value found.
pub(super) fn put_back(run: &traffic::Run) -> PutBack {
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
