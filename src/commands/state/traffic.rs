//! The saved state of a change of traffic.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Phase;
use crate::commands::pending_write::{self, PendingWrite};
use crate::plan::color::{Color, Split};
use crate::plan::operation::TrafficOperation;
use crate::plan::run_memory::RunMemory;
use crate::plan::step::{RunFailure, Step};
use crate::plan::time::Time;
use crate::plan::traffic::{self, Written};

/// A change of traffic in flight.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TrafficState {
    /// The run's progress.
    pub(super) phase: Phase,
    /// The wanted split.
    pub(crate) to: Split,
    /// The state at the start.
    pub(crate) found: traffic::InitialTraffic,
    /// The written weights, by rule ARN.
    #[serde(with = "crate::plan::by_arn")]
    pub(super) written: BTreeMap<String, Written>,
    /// The requested desired counts.
    counts: BTreeMap<Color, u32>,
    /// Colors whose scale-in was suspended, or allowed again.
    scaled: BTreeMap<Color, bool>,
    /// Counts and bounds that were lowered; none in the state of an older version.
    #[serde(default)]
    lowered: traffic::Lowered,
    /// True once a promote has started to shrink the idle color.
    #[serde(default)]
    finishing: bool,
    /// The writes whose answers did not come: those that were sent at the same time. An older version saved one, or null.
    #[serde(default, deserialize_with = "pending_write::one_or_several")]
    sending: Vec<PendingWrite>,
    /// Start of the run.
    began: Time,
    /// True if a cancel was to restore the users.
    #[serde(default)]
    pub(crate) restore: Option<bool>,
    /// True if the run was restoring.
    #[serde(default)]
    pub(super) turned: bool,
}

impl TrafficState {
    /// The facts of a run that is about to change something.
    pub(super) fn of(
        moving: &TrafficOperation<'_>,
        phase: Phase,
        (steps, now): (&[Step], Time),
    ) -> Option<TrafficState> {
        let run = &moving.run;
        let unanswered = run.memory.unanswered.iter().filter(|_| steps.is_empty());
        let unanswered = unanswered.map(|write| (&write.step, write.sent));
        let sending = steps.iter().map(|step| (step, now)).chain(unanswered);
        Some(TrafficState {
            phase,
            to: moving.goal.wish.to,
            found: run.found.clone()?,
            written: run.written.clone(),
            counts: run.counts.clone(),
            scaled: run.scaled.clone(),
            lowered: run.lowered.clone(),
            finishing: run.finishing || steps.iter().any(|step| run.finishes(step, moving.goal)),
            sending: sending.filter_map(|(step, at)| PendingWrite::of(step, at)).collect(),
            began: run.memory.began,
            restore: Some(moving.goal.restore_on_cancel),
            turned: run.memory.failing.is_some()
                || (run.memory.cancelled.is_some() && moving.goal.restore_on_cancel),
        })
    }

    /// The run as it has to continue: restoring.
    pub(crate) fn run(&self, now: Time) -> traffic::Run {
        let mut run = self.forward(now);
        run.start_restore(RunFailure::Cancelled, now);
        run
    }

    /// The run as it would continue towards its goal.
    pub(crate) fn forward(&self, now: Time) -> traffic::Run {
        let unanswered = self.sending.iter().map(PendingWrite::unanswered).collect();
        let run = traffic::Run::begin_changed(now);
        traffic::Run {
            memory: RunMemory { unanswered, ..run.memory },
            found: Some(self.found.clone()),
            written: self.written.clone(),
            counts: self.counts.clone(),
            scaled: self.scaled.clone(),
            lowered: self.lowered.clone(),
            finishing: self.finishing,
            ..run
        }
    }
}
