//! The one loop behind every command that writes: read, decide, run one step, read again. All decisions are in the
//! operation.

mod cut_off;
mod pause;
mod tell;

use std::time::Duration;

use self::cut_off::cut_off;
use self::tell::HeldUp;
use super::apply::apply_step;
use super::logs::log_links;
use super::outside::Interrupted;
use super::session::{HEARTBEAT, LAST_MOMENT, Session};
use super::state::{Phase, State};
use crate::clock;
use crate::event::{Event, LogLink};
use crate::plan::aws_error::AwsResult;
use crate::plan::cause::Cause;
use crate::plan::compare::{Comparison, Probed, Watch};
use crate::plan::operation::{CurrentPhase, Operation};
use crate::plan::pace::Pace;
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{
    End, EndStateReason, Follow, Left, Next, Refusal, RunFailure, Step, TrafficFailure, Wait,
};
use crate::plan::time::{CallTime, Time};
use crate::plan::verdict::Restorer;

/// Longest time that a write may still be answered after a signal.
const WRITE_GRACE: Duration = Duration::from_millis(1_500);

/// Most rules that are written at the same time. A change that turns out wrong has reached no more rules than these.
const AT_ONCE: usize = 5;

/// Longest time that a whole look serves the rules of one change. Every write also reads its rules and targets' health.
const WHOLE_LOOK: Duration = Duration::from_secs(15);

/// The ending of a drive.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// The run ended.
    End(End),
    /// The run was not started.
    Refuse(Refusal),
}

/// The state of one drive.
pub(crate) struct Drive<'a> {
    /// The surroundings.
    pub(crate) session: &'a Session<'a>,
    /// The goal and the progress.
    pub(crate) operation: Operation<'a>,
    /// Reason for the failure, if any.
    pub(crate) cause: Cause,
    /// Logs of the tasks that failed.
    pub(crate) logs: Vec<LogLink>,
    /// The newest look: used if a signal leaves no time for another look.
    pub(crate) seen: Option<Snapshot>,
    /// The look that decided the end, if complete enough for a report.
    pub(crate) at_end: Option<Snapshot>,
    /// The last reported wait, and its time.
    told: Option<(Wait, Time)>,
    /// True once the arrival of all users was reported.
    told_moved: bool,
    /// True once the first failed task was reported.
    told_failure: bool,
    /// The reported foreign targets.
    told_foreign: Vec<String>,
    /// The writes that AWS does not take for now.
    held_up: Vec<HeldUp>,
    /// The facts that were read with the last write of weights.
    between: Option<Snapshot>,
    /// Start of the last whole look.
    looked: Time,
    /// The pace of the looks while the run waits.
    pace: Pace,
    /// Calls of the looks since the last wait or step.
    calls: u32,
    /// The looks at the load balancer's counts.
    pub(super) watch: Watch,
    /// The last comparison of the colors.
    pub(super) compared: Option<AwsResult<Comparison>>,
    /// The probes of both colors.
    pub(super) probed: Probed,
}

impl<'a> Drive<'a> {
    /// A drive from this point of a run.
    pub(crate) fn new(session: &'a Session<'a>, operation: impl Into<Operation<'a>>) -> Self {
        let (operation, cause, logs) = (operation.into(), Cause::default(), Vec::new());
        Drive {
            session,
            operation,
            cause,
            logs,
            seen: None,
            at_end: None,
            told: None,
            told_moved: false,
            told_failure: false,
            told_foreign: Vec::new(),
            held_up: Vec::new(),
            between: None,
            looked: clock::now(),
            pace: Pace::begin(session.settings.poll_interval, clock::now()),
            calls: 0,
            watch: Watch::default(),
            compared: None,
            probed: Probed::default(),
        }
    }

    /// Drives to the end, and stops in time after a signal. `first` is a look from just before, if there is one.
    pub(crate) async fn run_to_end(&mut self, first: Option<Snapshot>) -> Ending {
        let signals = self.session.signals.clone();
        tokio::select! {
            ending = self.steps(first) => ending,
            () = signals.wait_and(LAST_MOMENT) => Ending::End(End::Bad {
                failing: RunFailure::Cancelled,
                left: Left::Unknown,
                because: EndStateReason::NotConfirmed,
            }),
        }
    }

    /// The loop.
    async fn steps(&mut self, first: Option<Snapshot>) -> Ending {
        let mut look = self.operation.look();
        let mut first = first;
        loop {
            let mut seen = match first.take() {
                Some(snapshot) => Ok(snapshot),
                None => match self.between_rules() {
                    Some(snapshot) => Ok(snapshot),
                    None => match self.look(look).await {
                        Some(seen) => seen,
                        None => continue,
                    },
                },
            };
            let now = clock::now();
            let count = self.operation.recounted();
            let next = self.operation.decide(&seen, now);
            self.tell_count(count);
            self.tell_arrival();
            self.tell_failure(&seen);
            self.tell_foreign(&seen);
            self.seen = seen.as_ref().ok().cloned().or(self.seen.take());
            let Some(next) = Box::pin(self.with_comparison(next, &seen)).await else { continue };
            let Some(next) = Box::pin(self.with_probes(next, &seen)).await else { continue };
            let Some(next) = self.with_new_rules(next, &mut seen).await else { continue };
            if let Next::Read(closer) = next {
                look = closer;
                continue;
            }
            match next {
                Next::Wait(wait) => self.wait(wait).await,
                Next::Step(step) => self.step(&step, seen.ok()).await,
                Next::Follow(follow) => self.follow(follow),
                Next::Restore(failing, recovery) => self.start_restore(failing, recovery).await,
                Next::Refuse(refusal) => {
                    if let Refusal::NotEnough { capacity, .. } = &refusal {
                        self.gather(&RunFailure::Traffic(TrafficFailure::NotEnough(*capacity))).await;
                    }
                    self.at_end = seen.ok().filter(Snapshot::is_whole);
                    return Ending::Refuse(refusal);
                }
                Next::Done(end) if self.operation.goes_on(&end, clock::now()) => {
                    (self.told_moved, self.told_failure) = (false, false);
                }
                Next::Done(end) => {
                    self.at_end = seen.ok().filter(Snapshot::is_whole);
                    return Ending::End(end);
                }
                Next::Read(_) => {}
            }
            look = self.operation.look();
        }
    }

    /// Right before a step that depends on the current rules: reads the rules again and decides again. None if a signal
    /// came first, which is noted.
    async fn with_new_rules(&mut self, next: Next, seen: &mut AwsResult<Snapshot>) -> Option<Next> {
        let (Next::Step(step), Ok(snapshot)) = (&next, &*seen) else { return Some(next) };
        if !self.operation.is_bound_to_rules(step) {
            return Some(next);
        }
        match self.session.outside.read(async |aws| aws.rules_anew(snapshot).await).await {
            Interrupted::Yes => {
                self.note_signal();
                None
            }
            Interrupted::No(anew) => {
                let stopped = self.operation.stopped_by_rules(&anew, clock::now());
                *seen = Ok(anew);
                Some(stopped.unwrap_or(next))
            }
        }
    }

    /// Makes this deployment the run's own.
    fn follow(&mut self, follow: Follow) {
        if let (true, Some(id)) = (follow.adopted, &follow.awaited.id) {
            self.session.reporter.emit(&Event::Adopted { id: id.clone() });
        }
        let adopted = follow.adopted;
        self.operation.follow(follow);
        if adopted || self.operation.has_changed() {
            self.save(Phase::Deploying);
        }
    }

    /// The facts read with a write of weights, if the next step is another write of the same change: these facts decide
    /// about that rule, and the rest of the last look is still fresh. A whole look would cost 18 calls for each rule.
    fn between_rules(&mut self) -> Option<Snapshot> {
        let now = clock::now();
        let fresh = now.since(self.looked) < WHOLE_LOOK && !self.operation.is_cancelled();
        let seen = Ok(self.between.take().filter(|_| fresh)?);
        let goes_on = self.operation.goes_on_with_weights(&seen, now);
        seen.ok().filter(|_| goes_on)
    }

    /// One look; none if a signal came first, which is noted.
    pub(super) async fn look(&mut self, look: ReadScope) -> Option<AwsResult<Snapshot>> {
        self.looked = clock::now();
        let (noted, before) = (self.operation.is_cancelled(), self.session.outside.calls());
        let seen = if noted { self.session.last_look(look).await } else { self.session.look(look).await };
        self.calls += self.session.outside.calls() - before;
        match seen {
            Interrupted::Yes => {
                self.note_signal();
                None
            }
            Interrupted::No(seen) => Some(seen),
        }
    }

    /// Notes a signal.
    pub(super) fn note_signal(&mut self) {
        if !self.operation.is_cancelled()
            && let Some(name) = self.session.signals.came()
        {
            self.operation.cancel(clock::now());
            self.save_again();
            self.session.reporter.emit(&Event::Signal { name });
        }
    }

    /// Reports a wait if the reason changed or a heartbeat is due, and waits.
    pub(super) async fn wait(&mut self, wait: Wait) {
        let now = clock::now();
        let started = self.operation.started();
        let changed = self.told.as_ref().is_none_or(|(told, _)| !told.is_same(&wait));
        let silent = self.told.as_ref().is_none_or(|(_, at)| now.since(*at) >= HEARTBEAT);
        if changed || silent {
            let event =
                Event::Waiting { wait: wait.clone(), elapsed: now.since(started), heartbeat: !changed };
            self.session.reporter.emit(&event);
            self.told = Some((wait.clone(), now));
        }
        self.pause(&wait).await;
        self.note_signal();
        self.operation.waited();
    }

    /// Does a step, and with it what may be done at the same time, and notes the answers. What comes next is decided by a
    /// new look (invariant 6).
    pub(super) async fn step(&mut self, step: &Step, seen: Option<Snapshot>) {
        let ahead = |seen| self.operation.ahead(step, seen, (2 * AT_ONCE, clock::now()));
        let mut steps = seen.as_ref().map_or_else(|| vec![step.clone()], ahead);
        let then = steps.split_off(steps.len().min(AT_ONCE));
        if step.is_write()
            && let Some(snapshot) = &seen
        {
            steps.iter().for_each(|step| self.operation.before(step, snapshot));
            self.save_with(self.phase(), &steps);
        }
        self.tell_steps(&steps);
        let sent = clock::now();
        let work = async |aws: &_| apply_step(self.session, aws, (&steps, &then), seen.as_ref()).await;
        let (answers, between) = match self.session.outside.finish(WRITE_GRACE, work).await {
            Interrupted::No(answered) => answered,
            Interrupted::Yes => (steps.iter().map(|step| Err(cut_off(step))).collect(), None),
        };
        self.between = between;
        let failed = answers.iter().any(Result::is_err);
        let call = CallTime { sent, ended: clock::now() };
        for (step, answer) in steps.iter().zip(answers) {
            self.tell(step, &answer);
            self.operation.answered(step, answer, call);
        }
        if step.is_write() {
            self.pace.note_change(clock::now());
            self.save(self.phase());
        }
        self.calls = 0;
        if failed {
            self.session.pause(self.operation.is_cancelled()).await;
        }
        self.note_signal();
    }

    /// From forward to restore: gathers the cause, reports the failure at once, and notes the change.
    async fn start_restore(&mut self, failing: RunFailure, recovery: Restorer) {
        self.watch.release();
        if failing != RunFailure::Cancelled {
            self.gather(&failing).await;
        }
        let (cause, logs) = (self.cause.clone(), self.logs.clone());
        self.session.reporter.emit(&Event::RunFailure { failing: failing.clone(), cause, logs });
        self.operation.start_restore(failing, recovery, clock::now());
        self.save_again();
    }

    /// Looks for the cause of a failed deployment, or of the failed tasks of a scale-up.
    async fn gather(&mut self, failing: &RunFailure) {
        let Some(color) = self.operation.failed_color(failing) else { return };
        let closer = self.look(ReadScope { definitions: true, wiring: false, ..ReadScope::why(color) }).await;
        let service = closer.as_ref().and_then(|seen| seen.as_ref().ok()?.service(color));
        let Some((cause, content)) = self.operation.cause(service, failing) else { return };
        if let Some(content) = content {
            self.logs = log_links(&cause, content, &self.session.names.place.region);
        }
        self.cause = cause;
    }

    /// The run's progress, for the post step.
    pub(crate) fn phase(&self) -> Phase {
        match self.operation.current() {
            CurrentPhase::Deploy(deploying) if deploying.run.restore.written.is_some() => Phase::Restoring,
            CurrentPhase::Deploy(_) | CurrentPhase::Traffic(_) => Phase::Deploying,
        }
    }

    /// Updates a saved state; a run that changed nothing has none.
    fn save_again(&self) {
        if self.session.has_state() {
            self.save(self.phase());
        }
    }

    /// Saves the state for the post step. An unwritable file is reported, and stops nothing.
    pub(crate) fn save(&self, phase: Phase) {
        self.save_with(phase, &[]);
    }

    /// The same, with the writes that are about to be sent.
    fn save_with(&self, phase: Phase, sending: &[Step]) {
        let Some(state) = State::of(&self.operation, phase, (sending, clock::now())) else { return };
        self.session.save_state(&state);
    }
}
