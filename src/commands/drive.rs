//! The one loop behind every command that writes: look, decide, do one step, look again. No decisions here; the course
//! has them.

mod cut_off;
mod tell;

use std::time::Duration;

use self::cut_off::cut_off;
use self::tell::{HeldUp, same};
use super::apply::apply;
use super::outside::Interrupted;
use super::session::{HEARTBEAT, LAST_MOMENT, Session};
use super::state::{Phase, State};
use crate::clock;
use crate::event::{Event, LogLink};
use crate::plan::cause::{Cause, gather};
use crate::plan::color::Color;
use crate::plan::course::{Course, Deploying};
use crate::plan::look::Look;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Because, End, Failing, Follow, Left, Next, Refusal, Step, Stuck, Wait};
use crate::plan::time::{CallTime, Time};
use crate::plan::trouble::Read;
use crate::plan::verdict::{Mine, Recovery};

/// How long a write that is on its way when the signal comes may still be answered.
const WRITE_GRACE: Duration = Duration::from_millis(1_500);

/// Most rules that are written at the same time. A change that turns out wrong has reached no more rules than these.
const AT_ONCE: usize = 5;

/// How long a whole look holds for the rules of one change. Each rule and the health of targets are read with every write.
const WHOLE_LOOK: Duration = Duration::from_secs(15);

/// How a drive ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// It came to an end.
    End(End),
    /// It was not begun.
    Refuse(Refusal),
}

/// Everything one drive works on.
pub(crate) struct Drive<'a, C> {
    /// The surroundings.
    pub(crate) session: &'a Session<'a>,
    /// The goal, and how far it is.
    pub(crate) course: C,
    /// Why it failed, where it did.
    pub(crate) cause: Cause,
    /// Logs of the tasks that failed.
    pub(crate) logs: Vec<LogLink>,
    /// The newest look: what stands when a signal leaves no time for another one.
    pub(crate) seen: Option<Snapshot>,
    /// The look that decided the end, if it holds all that a report tells.
    pub(crate) at_end: Option<Snapshot>,
    /// What was told last of waiting, and when.
    told: Option<(Wait, Time)>,
    /// Whether it was told that all users are where they should be.
    told_moved: bool,
    /// Whether the first failed task was reported.
    told_failure: bool,
    /// The foreign targets that were told.
    told_foreign: Vec<String>,
    /// The writes that AWS does not take for now.
    held_up: Vec<HeldUp>,
    /// What was read with the last write of weights.
    between: Option<Snapshot>,
    /// When the last whole look began.
    looked: Time,
}

impl<'a, C: Course> Drive<'a, C> {
    /// A drive from this point of a run.
    pub(crate) fn new(session: &'a Session<'a>, course: C) -> Self {
        let (cause, logs) = (Cause::default(), Vec::new());
        Drive {
            session,
            course,
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
        }
    }

    /// Drives to the end, and is out in time after a signal. `first` is what was seen just before, where it was.
    pub(crate) async fn run_to_end(&mut self, first: Option<Snapshot>) -> Ending {
        let signals = self.session.signals.clone();
        tokio::select! {
            ending = self.steps(first) => ending,
            () = signals.wait_and(LAST_MOMENT) => Ending::End(End::Bad {
                failing: Failing::Cancelled,
                left: Left::Unknown,
                because: Because::NotConfirmed,
            }),
        }
    }

    /// The loop.
    async fn steps(&mut self, first: Option<Snapshot>) -> Ending {
        let mut look = self.course.look();
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
            let count = self.recounted();
            self.course.saw(&seen, now);
            self.tell_count(count);
            self.tell_arrival();
            self.tell_failure(&seen);
            self.tell_foreign(&seen);
            self.seen = seen.as_ref().ok().cloned().or(self.seen.take());
            let next = self.course.next(&seen, now);
            let Some(next) = self.with_new_rules(next, &mut seen).await else { continue };
            if let Next::Look(closer) = next {
                look = closer;
                continue;
            }
            match next {
                Next::Wait(wait) => self.wait(wait).await,
                Next::Step(step) => self.step(&step, seen.ok()).await,
                Next::Follow(follow) => self.follow(follow),
                Next::Turn(failing, recovery) => self.turn(failing, recovery).await,
                Next::Refuse(refusal) => {
                    if let Refusal::NotEnough { capacity, .. } = &refusal {
                        self.gather_of(capacity.color, &Failing::Traffic(Stuck::NotEnough(*capacity))).await;
                    }
                    self.at_end = seen.ok().filter(Snapshot::is_whole);
                    return Ending::Refuse(refusal);
                }
                Next::Done(end) if self.course.goes_on(&end, clock::now()) => {
                    (self.told_moved, self.told_failure) = (false, false);
                }
                Next::Done(end) => {
                    self.at_end = seen.ok().filter(Snapshot::is_whole);
                    return Ending::End(end);
                }
                Next::Look(_) => {}
            }
            look = self.course.look();
        }
    }

    /// Right before a step that has to hold for the rules as they are now: what a new read of them makes of it.
    /// None if a signal came first, which is noted.
    async fn with_new_rules(&mut self, next: Next, seen: &mut Read<Snapshot>) -> Option<Next> {
        let (Next::Step(step), Ok(snapshot)) = (&next, &*seen) else { return Some(next) };
        if !self.course.is_bound_to_rules(step) {
            return Some(next);
        }
        match self.session.outside.read(async |aws| aws.rules_anew(snapshot).await).await {
            Interrupted::Yes => {
                self.note_signal();
                None
            }
            Interrupted::No(anew) => {
                let stopped = self.course.stopped_by_rules(&anew, clock::now());
                *seen = Ok(anew);
                Some(stopped.unwrap_or(next))
            }
        }
    }

    /// From now on this deployment is the run's own.
    fn follow(&mut self, follow: Follow) {
        if let (true, Some(id)) = (follow.adopted, &follow.mine.id) {
            self.session.reporter.emit(&Event::Adopted { id: id.clone() });
        }
        let adopted = follow.adopted;
        self.course.follow(follow);
        if adopted || self.course.deploying().is_some_and(|deploying| deploying.run.changed) {
            self.save(Phase::Deploying);
        }
    }

    /// What was read with a write of weights, if the next step is another one of the same change: it holds all that
    /// decides about that rule, and the rest of a look that is still new. A whole look would be 18 calls for each rule.
    fn between_rules(&mut self) -> Option<Snapshot> {
        let now = clock::now();
        let fresh = now.since(self.looked) < WHOLE_LOOK && !self.course.is_cancelled();
        let seen = Ok(self.between.take().filter(|_| fresh)?);
        let goes_on = matches!(self.course.next(&seen, now), Next::Step(Step::Weights(_)));
        seen.ok().filter(|_| goes_on)
    }

    /// One look; none when a signal came first, which is noted.
    pub(super) async fn look(&mut self, look: Look) -> Option<Read<Snapshot>> {
        self.looked = clock::now();
        let noted = self.course.is_cancelled();
        let seen = if noted { self.session.last_look(look).await } else { self.session.look(look).await };
        match seen {
            Interrupted::Yes => {
                self.note_signal();
                None
            }
            Interrupted::No(seen) => Some(seen),
        }
    }

    /// Notes that a signal came.
    fn note_signal(&mut self) {
        if !self.course.is_cancelled()
            && let Some(name) = self.session.signals.came()
        {
            self.course.cancel(clock::now());
            self.save_again();
            self.session.reporter.emit(&Event::Signal { name });
        }
    }

    /// Tells why the run waits, when that changed or nothing was said for a while, and waits.
    pub(super) async fn wait(&mut self, wait: Wait) {
        let now = clock::now();
        let started = self.course.started();
        let changed = self.told.as_ref().is_none_or(|(told, _)| !same(told, &wait));
        let silent = self.told.as_ref().is_none_or(|(_, at)| now.since(*at) >= HEARTBEAT);
        if changed || silent {
            let event =
                Event::Waiting { wait: wait.clone(), elapsed: now.since(started), heartbeat: !changed };
            self.session.reporter.emit(&event);
            self.told = Some((wait, now));
        }
        self.session.pause(self.course.is_cancelled()).await;
        self.note_signal();
        self.course.waited();
    }

    /// Does a step, and with it what may be done at the same time, and notes the answers. What comes next is decided by a
    /// new look (invariant 6).
    pub(super) async fn step(&mut self, step: &Step, seen: Option<Snapshot>) {
        let ahead = |seen| self.course.ahead(step, seen, (2 * AT_ONCE, clock::now()));
        let mut steps = seen.as_ref().map_or_else(|| vec![step.clone()], ahead);
        let then = steps.split_off(steps.len().min(AT_ONCE));
        if step.is_write()
            && let Some(snapshot) = &seen
        {
            steps.iter().for_each(|step| self.course.before(step, snapshot));
            self.save_with(self.phase(), &steps);
        }
        self.tell_steps(&steps);
        let sent = clock::now();
        let work = async |aws: &_| apply(self, aws, (&steps, &then), seen.as_ref()).await;
        let (answers, between) = match self.session.outside.finish(WRITE_GRACE, work).await {
            Interrupted::No(answered) => answered,
            Interrupted::Yes => (steps.iter().map(|step| Err(cut_off(step))).collect(), None),
        };
        self.between = between;
        let failed = answers.iter().any(Result::is_err);
        let call = CallTime { sent, ended: clock::now() };
        for (step, answer) in steps.iter().zip(answers) {
            self.tell(step, &answer);
            self.course.answered(step, answer, call);
        }
        if step.is_write() {
            self.save(self.phase());
        }
        if failed {
            self.session.pause(self.course.is_cancelled()).await;
        }
        self.note_signal();
    }

    /// From forward to back: gathers the cause, tells it at once, and notes the turn.
    async fn turn(&mut self, failing: Failing, recovery: Recovery) {
        if failing != Failing::Cancelled {
            self.gather(&failing).await;
        }
        let (cause, logs) = (self.cause.clone(), self.logs.clone());
        self.session.reporter.emit(&Event::Failing { failing: failing.clone(), cause, logs });
        self.course.turn(failing, recovery, clock::now());
        self.save_again();
    }

    /// Looks for what made a deployment, or the tasks of a scale-up, fail.
    async fn gather(&mut self, failing: &Failing) {
        if let Failing::Traffic(Stuck::NotEnough(short) | Stuck::Sick(short)) = failing {
            return self.gather_of(short.color, failing).await;
        }
        let begun = |deploying: &Deploying<'_>| {
            (deploying.run.mine.is_some() || deploying.run.unanswered.is_some())
                .then_some(deploying.goal.color)
        };
        let Some(color) = self.course.deploying().and_then(begun) else { return };
        let closer = self.look(Look { definitions: true, wiring: false, ..Look::why(color) }).await;
        let Some(deploying) = self.course.deploying() else { return };
        let service = closer.as_ref().and_then(|seen| seen.as_ref().ok()?.service(color));
        let run = &deploying.run;
        let cause = gather(service, run.mine.as_ref(), &run.unhealthy, failing);
        let logs = super::logs::links(&cause, &deploying.goal.content, &self.session.names.place.region);
        (self.cause, self.logs) = (cause, logs);
    }

    /// Looks for what keeps a color's tasks from being healthy.
    async fn gather_of(&mut self, color: Color, failing: &Failing) {
        let Some(since) = self.course.moving().map(|moving| moving.run.acted) else { return };
        let closer = self.look(Look { definitions: true, wiring: false, ..Look::why(color) }).await;
        let Some(service) = closer.as_ref().and_then(|seen| seen.as_ref().ok()?.service(color)) else {
            return;
        };
        let mine = Mine::of_count(service, since);
        let cause = gather(Some(service), Some(&mine), &[], failing);
        if let Some(Ok(revision)) = &service.definition {
            self.logs = super::logs::links(&cause, &revision.content, &self.session.names.place.region);
        }
        self.cause = cause;
    }

    /// How far the run came, for the post step.
    pub(crate) fn phase(&self) -> Phase {
        let restoring = self.course.deploying().is_some_and(|deploying| deploying.run.restoring.is_some());
        if restoring { Phase::Restoring } else { Phase::Deploying }
    }

    /// Keeps a state that was saved up to date; a run that changed nothing has none.
    fn save_again(&self) {
        if self.session.has_state() {
            self.save(self.phase());
        }
    }

    /// Leaves what the post step needs. A file that can't be written is told, and stops nothing.
    pub(crate) fn save(&self, phase: Phase) {
        self.save_with(phase, &[]);
    }

    /// The same, with the writes that are about to be sent.
    fn save_with(&self, phase: Phase, sending: &[Step]) {
        let Some(state) = State::of(&self.course, phase, (sending, clock::now())) else { return };
        self.session.save_state(&state);
    }
}
