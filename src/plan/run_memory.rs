//! The memory that every run has, for a deploy as for a change of traffic, and the rules of every decision.

use super::aws_error::{AwsError, AwsResult};
use super::overview::needs_history;
use super::read_scope::ReadScope;
use super::repeats::{Budget, Repeats};
use super::restore::bad_end;
use super::snapshot::{Rule, Service, Snapshot};
use super::step::{EndStateReason, Left, Next, ProbeFailure, RunFailure, Step, Wait};
use super::time::{CallTime, Time};
use super::verdict::Restorer;

/// The start of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RestoreStarted {
    /// The failure.
    pub(crate) failing: RunFailure,
    /// The actor of the restore.
    pub(crate) recovery: Restorer,
    /// Time of the failure.
    pub(crate) at: Time,
}

/// A write without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnansweredWrite {
    /// The write.
    pub(crate) step: Step,
    /// The message from AWS or the network.
    pub(crate) trouble: AwsError,
    /// Time of sending.
    pub(crate) sent: Time,
    /// End of the call without an answer: AWS is read for a while from then on.
    pub(crate) ended: Time,
}

/// The result of a step.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The revision with the content, if there is one.
    Found(Option<String>),
    /// The ARN of the new revision.
    Registered(String),
    /// The service, as UpdateService answered.
    Updated(Box<Service>),
    /// The result of the probes.
    Probed(Result<(), ProbeFailure>),
    /// AWS accepted new weights. Holds the rule as read right after.
    Weighed(Box<Rule>),
    /// AWS accepted a change. The next look shows the effect.
    Changed,
}

/// The part of a run's memory that all operations share.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunMemory {
    /// Start of the run's decisions.
    pub(crate) began: Time,
    /// True if the run changed a service or a rule.
    pub(crate) changed: bool,
    /// The writes of this run, with the number of repeats.
    pub(crate) repeats: Repeats,
    /// Since when AWS refuses every write for a reason that may pass, and its first answer.
    pub(crate) throttled: Option<(Time, AwsError)>,
    /// The failure, with time and actor of the restore.
    pub(crate) failing: Option<RestoreStarted>,
    /// AWS's refusal of a restoring write.
    pub(crate) restore_trouble: Option<AwsError>,
    /// Time of the signal to stop.
    pub(crate) cancelled: Option<Time>,
    /// Writes without an answer: one, or several that were sent at the same time.
    pub(crate) unanswered: Vec<UnansweredWrite>,
}

impl RunMemory {
    /// The memory of a run that begins now.
    pub(crate) fn begin(now: Time) -> RunMemory {
        RunMemory { began: now, ..RunMemory::default() }
    }

    /// Starts the restore.
    pub(crate) fn start_restore(&mut self, failing: RunFailure, recovery: Restorer, at: Time) {
        self.failing = Some(RestoreStarted { failing, recovery, at });
    }

    /// Notes a write without an answer.
    pub(crate) fn note_unanswered(&mut self, step: &Step, trouble: AwsError, call: CallTime) {
        let CallTime { sent, ended } = call;
        self.end_unanswered(sent);
        self.unanswered.push(UnansweredWrite { step: step.clone(), trouble, sent, ended });
    }

    /// Forgets the writes without an answer from before this time: the run waited for their effects.
    pub(crate) fn end_unanswered(&mut self, sent: Time) {
        self.unanswered.retain(|write| write.sent >= sent);
    }

    /// True if the run changed something, or may have.
    pub(crate) fn may_have_changed(&self) -> bool {
        self.changed || !self.unanswered.is_empty()
    }

    /// True if the run restores because of a cancellation.
    fn is_cancelled(&self) -> bool {
        self.failing.as_ref().is_some_and(|turned| turned.failing == RunFailure::Cancelled)
    }

    /// Applies the rules of every operation to a decision. `whole` is the look of a report.
    pub(crate) fn guard(
        &self,
        next: Next,
        (seen, now): (&AwsResult<Snapshot>, Time),
        whole: ReadScope,
    ) -> Next {
        let next = self.within_budget(next, seen.as_ref().ok(), now);
        self.on_whole_look(next, seen, whole)
    }

    /// Limits repeated writes to a budget. A restore without budget ends.
    fn within_budget(&self, next: Next, seen: Option<&Snapshot>, now: Time) -> Next {
        let Next::Step(step) = &next else { return next };
        match (self.repeats.budget(step, seen, now), &self.failing) {
            (Budget::Send, _) => next,
            (Budget::Pause, _) => Next::Wait(Wait::Repeat(Box::new(step.clone()))),
            (Budget::Spent(unkept), None) => Next::Restore(RunFailure::Repeated(unkept), Restorer::ThisRun),
            (Budget::Spent(unkept), Some(turned)) => {
                bad_end(turned.failing.clone(), Left::Unknown, EndStateReason::Repeated(unkept))
            }
        }
    }

    /// Requires a whole look for an end. The look holds all facts of the report, so that no later read contradicts the
    /// report (invariant 42): also the service deployments, if only they tell a deployment from a changed count. A
    /// cancelled run has no time for another look.
    fn on_whole_look(&self, next: Next, seen: &AwsResult<Snapshot>, whole: ReadScope) -> Next {
        let ends = matches!(next, Next::Done(_) | Next::Refuse(_));
        let is_partial = seen.as_ref().is_ok_and(|snapshot| !snapshot.is_whole());
        let causes = seen.as_ref().is_ok_and(needs_history);
        let reads = ends && (is_partial || causes) && !self.is_cancelled();
        if reads { Next::Read(ReadScope { causes: whole.causes || causes, ..whole }) } else { next }
    }
}
