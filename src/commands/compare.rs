//! The colors compared: when a run reads the load balancer's counts, and what a comparison means for the run.

use std::mem::discriminant;

use super::drive::Drive;
use super::outside::Interrupted;
use super::session::Session;
use crate::clock;
use crate::event::{CountsLook, Event, Report};
use crate::plan::aws_error::AwsResult;
use crate::plan::color::Color;
use crate::plan::compare::{CompareMode, Comparison, Minute, are_both_live, compare_snapshot};
use crate::plan::operation::CurrentPhase;
use crate::plan::snapshot::{Seen, Snapshot};
use crate::plan::step::{Next, Refusal, RunFailure, TrafficFailure};
use crate::plan::traffic::{TrafficPlan, gaining_color};
use crate::plan::verdict::Restorer;

impl Session<'_> {
    /// The look with the counts by the minute, if both colors have users and the user wants a comparison. A signal leaves
    /// the look as it is.
    pub(crate) async fn with_minutes(&self, seen: Snapshot) -> Snapshot {
        let listener = self.settings.place.listener.as_ref();
        if self.settings.compare.mode == CompareMode::Off || !are_both_live(&seen, listener) {
            return seen;
        }
        match self.outside.read(async |aws| Box::pin(aws.minutes(&seen)).await).await {
            Interrupted::No(minutes) => Snapshot { minutes, ..seen },
            Interrupted::Yes => seen,
        }
    }

    /// The comparison of the colors in a look. `tested` is the color with the new version; if none, the color with the
    /// newer deployment.
    pub(crate) fn compared(&self, seen: &Snapshot, tested: Option<Color>) -> Option<AwsResult<Comparison>> {
        let listener = self.settings.place.listener.as_ref();
        compare_snapshot(seen, (listener, tested), self.settings.compare.tolerance, clock::now())
    }

    /// The plan with the waits for the load balancer's counts, if the run waits for them.
    pub(super) fn with_wait_for_counts(&self, plan: TrafficPlan) -> Box<TrafficPlan> {
        Box::new(match self.settings.compare.mode {
            CompareMode::Back => plan.with_wait_for_counts(),
            CompareMode::Watch | CompareMode::Off => plan,
        })
    }

    /// The refusal of a change that gives more users to a color that the current split shows to be worse. The comparison is
    /// in the report's overview.
    pub(super) fn refusal_of_worse(
        &self,
        seen: &Snapshot,
        plan: &TrafficPlan,
        report: &mut Report,
    ) -> Option<Refusal> {
        let gains = gaining_color(plan.from, plan.to) == Some(plan.receiver);
        let compared = self.compared(seen, Some(plan.receiver));
        if let Some(overview) = &mut report.overview {
            overview.compared.clone_from(&compared);
        }
        let comparison = compared?.ok()?;
        (gains && comparison.is_tested_worse()).then(|| Refusal::Worse(Box::new(comparison)))
    }
}

impl Drive<'_> {
    /// The decision after a comparison of the colors, if one is due: users go back if the color that gained users is worse,
    /// and a step is held until its last minutes are complete. None if a signal came first, which is noted.
    pub(super) async fn with_comparison(&mut self, next: Next, seen: &AwsResult<Snapshot>) -> Option<Next> {
        let mode = self.session.settings.compare.mode;
        let (Ok(seen), Some(gaining)) = (seen, self.gaining()) else { return Some(next) };
        let due = self.watch.due(&next, mode, clock::now());
        if due.look {
            let read = self.session.with_minutes(seen.clone()).await;
            if self.session.signals.came().is_some() {
                self.note_signal();
                return None;
            }
            let had_requests = match &read.minutes {
                Some(Ok(minutes)) => self.watch.had_requests(minutes, gaining),
                Some(Err(_)) | None => false,
            };
            let compared = self.session.compared(&read, Some(gaining));
            if let Some(failing) = self.note_comparison(compared, read.minutes) {
                return Some(Next::Restore(failing, Restorer::ThisRun));
            }
            if due.hold.is_some() && !had_requests {
                self.watch.release();
                return Some(next);
            }
        }
        Some(due.hold.map_or(next, Next::Wait))
    }

    /// The color that gains users by the change of traffic under way. None for another operation, and after a signal.
    pub(super) fn gaining(&self) -> Option<Color> {
        let CurrentPhase::Traffic(moving) = self.operation.current() else { return None };
        if self.operation.is_cancelled() {
            return None;
        }
        gaining_color(moving.run.found.as_ref()?.split, moving.goal.wish.to)
    }

    /// Adds the run's last comparison to the report.
    pub(super) fn add_comparison(&mut self, report: &mut Report) {
        if let (Some(overview), Some(compared)) = (&mut report.overview, self.compared.take()) {
            overview.compared = Some(compared);
        }
    }

    /// Notes and reports a comparison. The failure of the run if the tested color is worse.
    fn note_comparison(
        &mut self,
        compared: Option<AwsResult<Comparison>>,
        minutes: Seen<Vec<Minute>>,
    ) -> Option<RunFailure> {
        let compared = compared?;
        let is_new = !self.compared.as_ref().is_some_and(|before| is_same_verdict(before, &compared));
        let minutes = minutes.and_then(Result::ok).unwrap_or_default();
        let look = CountsLook { read: compared.clone(), minutes, is_new };
        self.session.reporter.emit(&Event::Compared(Box::new(look)));
        self.compared = Some(compared.clone());
        let comparison = compared.ok()?;
        let goes_back =
            self.session.settings.compare.mode == CompareMode::Back && comparison.is_tested_worse();
        goes_back.then(|| RunFailure::Traffic(TrafficFailure::Worse(Box::new(comparison))))
    }
}

/// True if two comparisons have the same kind of verdict, or none.
fn is_same_verdict(one: &AwsResult<Comparison>, other: &AwsResult<Comparison>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => discriminant(&one.verdict) == discriminant(&other.verdict),
        (Err(_), Err(_)) => true,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}
