//! The wait between two looks, with glances after a change and near an expected event.

use super::Drive;
use crate::clock;
use crate::commands::outside::{Interrupted, run_unless};
use crate::commands::session::poll_interval;
use crate::plan::operation::CurrentPhase;
use crate::plan::pace::{Glance, Look, Pause};
use crate::plan::step::Wait;

impl Drive<'_> {
    /// Waits until the next look is due, or a signal comes. After a noted signal, for a shorter time.
    pub(super) async fn pause(&mut self, wait: &Wait) {
        let calls = std::mem::take(&mut self.calls);
        if self.operation.is_cancelled() {
            return self.session.pause(true).await;
        }
        let deploys = match self.operation.current() {
            CurrentPhase::Deploy(deploying) => Some(deploying.goal.color),
            CurrentPhase::Traffic(_) => None,
        };
        let interval = poll_interval(self.session.settings);
        self.pace.note_look(wait, Look { at: clock::now(), calls, interval }, deploys);
        loop {
            let (time, glance) = match self.pace.next(clock::now()) {
                Pause::Look(time) => (time, None),
                Pause::Glance(time, glance) => (time, Some(glance)),
            };
            let slept = run_unless(self.session.signals.wait(), clock::sleep(time)).await;
            let (Interrupted::No(()), Some(glance)) = (slept, glance) else { return };
            self.glance(glance).await;
        }
    }

    /// One glance.
    async fn glance(&mut self, glance: Glance) {
        let outside = &self.session.outside;
        let (before, names) = (outside.calls(), &self.session.names);
        let service = self.seen.as_ref().and_then(|seen| seen.service(glance.color()));
        let moved = match service {
            Some(service) => match outside.read(async |aws| aws.glance(names, service, glance).await).await {
                Interrupted::No(answer) => answer.ok().map(|glanced| glanced.has_moved(service)),
                Interrupted::Yes => None,
            },
            None => None,
        };
        self.pace.note_glance(moved, outside.calls() - before, clock::now());
    }
}
