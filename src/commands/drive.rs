//! The one loop behind a deploy: look, decide, do one step, look again. No decisions here; `plan::deploy::next` has them.

use std::time::Duration;

use super::apply::apply;
use super::session::{Interrupted, Session};
use super::state::{NAME, Phase, State};
use crate::action::files;
use crate::clock;
use crate::event::{Answered, Event, LogLink};
use crate::plan::cause::{Cause, gather};
use crate::plan::deploy::{Goal, next};
use crate::plan::look::Look;
use crate::plan::run::{Answer, Run};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Because, End, Failing, Left, Next, Refusal, Step, Wait};
use crate::plan::time::Time;
use crate::plan::trouble::{Read, Trouble, TroubleKind};
use crate::plan::verdict::Recovery;
use crate::plan::wiring::Address;

/// The runner kills a cancelled step 10 s after the signal: the run is out before that.
const LAST_MOMENT: Duration = Duration::from_millis(6_200);

/// How long a write that is on its way when the signal comes may still be answered.
const WRITE_GRACE: Duration = Duration::from_millis(1_500);

/// A line at least this often, so that nobody thinks the run hangs.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// How a drive ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// It came to an end.
    End(End),
    /// It was not begun.
    Refuse(Refusal),
}

/// Everything one drive works on.
pub(crate) struct Drive<'a> {
    /// The surroundings.
    pub(crate) session: &'a Session<'a>,
    /// The goal.
    pub(crate) goal: &'a Goal,
    /// The service's name.
    pub(crate) service: &'a str,
    /// Where probes are sent to.
    pub(crate) test: Option<Address>,
    /// What the run remembers.
    pub(crate) run: Run,
    /// Why it failed, where it did.
    pub(crate) cause: Cause,
    /// Logs of the tasks that failed.
    pub(crate) logs: Vec<LogLink>,
    /// What was told last of waiting, and when.
    told: Option<(Wait, Time)>,
}

impl<'a> Drive<'a> {
    /// A drive from this point of a run.
    pub(crate) fn new(session: &'a Session<'a>, goal: &'a Goal, service: &'a str, run: Run) -> Self {
        let (cause, logs) = (Cause::default(), Vec::new());
        Drive { session, goal, service, test: None, run, cause, logs, told: None }
    }

    /// Drives to the end, and is out in time after a signal.
    pub(crate) async fn run_to_end(&mut self) -> Ending {
        let signals = self.session.signals.clone();
        tokio::select! {
            ending = self.steps() => ending,
            () = signals.wait_and(LAST_MOMENT) => Ending::End(End::Bad {
                failing: Failing::Cancelled,
                left: Left::Unknown,
                because: Because::NotConfirmed,
            }),
        }
    }

    /// The loop.
    async fn steps(&mut self) -> Ending {
        let mut look = self.usual_look();
        loop {
            let Some(seen) = self.look(look).await else { continue };
            look = match next(&seen, self.goal, &self.run, clock::now()) {
                Next::Look(closer) => closer,
                Next::Wait(wait) => {
                    self.wait(wait).await;
                    self.usual_look()
                }
                Next::Step(step) => {
                    self.step(&step, seen.as_ref().ok()).await;
                    self.usual_look()
                }
                Next::Follow(follow) => {
                    if let (true, Some(id)) = (follow.adopted, &follow.mine.id) {
                        self.session.reporter.emit(&Event::Adopted { id: id.clone() });
                    }
                    let writes = follow.adopted;
                    self.run.follow(follow);
                    if writes || self.run.changed {
                        self.save(Phase::Deploying);
                    }
                    self.usual_look()
                }
                Next::Turn(failing, recovery) => {
                    self.turn(failing, recovery).await;
                    self.usual_look()
                }
                Next::Refuse(refusal) => return Ending::Refuse(refusal),
                Next::Done(end) => return Ending::End(end),
            };
        }
    }

    /// What the next decision needs: everything before a change, the one service after it.
    fn usual_look(&self) -> Look {
        if self.run.mine.is_none() && self.run.failing.is_none() {
            return Look::WHOLE;
        }
        Look::following(self.goal.color)
    }

    /// One look; none when a signal came first, which is noted.
    async fn look(&mut self, look: Look) -> Option<Read<Snapshot>> {
        let noted = self.run.cancelled.is_some();
        let seen = match self.session.unless_signalled(noted, self.session.look(look)).await {
            Interrupted::Yes => {
                self.note_signal();
                return None;
            }
            Interrupted::No(seen) => seen,
        };
        if let Ok(snapshot) = &seen {
            self.run.saw(snapshot, self.goal);
        }
        Some(seen)
    }

    /// Notes that a signal came.
    fn note_signal(&mut self) {
        if self.run.cancelled.is_none()
            && let Some(name) = self.session.signals.came()
        {
            self.run.cancelled = Some(clock::now());
            self.session.reporter.emit(&Event::Signal { name });
        }
    }

    /// Tells why the run waits, when that changed or nothing was said for a while, and waits.
    async fn wait(&mut self, wait: Wait) {
        let now = clock::now();
        let started = self.run.mine.as_ref().map_or(self.run.began, |mine| mine.started);
        let changed = self.told.as_ref().is_none_or(|(told, _)| *told != wait);
        let silent = self.told.as_ref().is_none_or(|(_, at)| now.since(*at) >= HEARTBEAT);
        if changed || silent {
            let event =
                Event::Waiting { wait: wait.clone(), elapsed: now.since(started), heartbeat: !changed };
            self.session.reporter.emit(&event);
            self.told = Some((wait, now));
        }
        self.session.pause(self.run.cancelled.is_some()).await;
        self.note_signal();
        self.run.waited();
    }

    /// Does one step and notes its answer.
    async fn step(&mut self, step: &Step, seen: Option<&Snapshot>) {
        if let Step::Update(update) = step
            && let Some(service) = seen.and_then(|snapshot| snapshot.service(self.goal.color))
        {
            self.run.before_update(service, update);
            self.save(Phase::Deploying);
        }
        self.session.reporter.emit(&Event::Step(step.clone()));
        let sent = clock::now();
        let signals = self.session.signals.clone();
        let answer = tokio::select! {
            biased;
            answer = apply(self, step) => answer,
            () = signals.wait_and(WRITE_GRACE) => Err(cut_off(step, self.service)),
        };
        let failed = answer.is_err();
        self.tell(&answer);
        self.run.answered(step, answer, sent);
        match step {
            Step::Update(_) => self.save(self.phase()),
            Step::Register { .. } | Step::Find { .. } | Step::Probe | Step::Weights(_) | Step::Scaling(_) => {
            }
        }
        if failed {
            self.session.pause(self.run.cancelled.is_some()).await;
        }
        self.note_signal();
    }

    /// Tells what a step brought.
    fn tell(&self, answer: &Read<Answer>) {
        let told = match answer {
            Ok(Answer::Found(Some(arn))) => Answered::Found(arn.clone()),
            Ok(Answer::Found(None) | Answer::Probed(Err(_)) | Answer::Weighed(_) | Answer::Changed) => return,
            Ok(Answer::Registered(arn)) => Answered::Registered(arn.clone()),
            Ok(Answer::Updated(service)) => {
                Answered::Updated(service.primary().map(|primary| primary.id.clone()))
            }
            Ok(Answer::Probed(Ok(()))) => Answered::ProbesPassed(self.session.settings.probes().len()),
            Err(trouble) => Answered::Trouble(trouble.clone()),
        };
        self.session.reporter.emit(&Event::Answered(told));
    }

    /// From forward to back: gathers the cause, tells it at once, and notes the turn.
    async fn turn(&mut self, failing: Failing, recovery: Recovery) {
        let began = self.run.mine.is_some() || self.run.unanswered.is_some();
        if began && failing != Failing::Cancelled {
            let closer = self.look(Look { definitions: true, ..Look::why(self.goal.color) }).await;
            let service = closer.as_ref().and_then(|seen| seen.as_ref().ok()?.service(self.goal.color));
            self.cause = gather(service, self.run.mine.as_ref(), &self.run.unhealthy, &failing);
            self.logs = super::logs::links(&self.cause, &self.goal.content, &self.session.names.place.region);
        }
        let (cause, logs) = (self.cause.clone(), self.logs.clone());
        self.session.reporter.emit(&Event::Failing { failing: failing.clone(), cause, logs });
        self.run.turn(failing, recovery, clock::now());
    }

    /// How far the run came, for the post step.
    pub(crate) fn phase(&self) -> Phase {
        if self.run.restoring.is_some() { Phase::Restoring } else { Phase::Deploying }
    }

    /// Leaves what the post step needs. A file that can't be written is told, and stops nothing.
    pub(crate) fn save(&self, phase: Phase) {
        let Some(state) = State::of(self.goal, self.service, &self.run, phase) else { return };
        let written = serde_json::to_string(&state).map_err(std::io::Error::from);
        let env = self.session.env;
        let saved = written.and_then(|text| files::save_state(env, NAME, &text)).and_then(|()| match &state
            .deployment
        {
            Some(id) => files::set_output(env, "ecs-deployment-id", id),
            None => Ok(()),
        });
        if let Err(error) = saved {
            self.session.reporter.file_trouble("the step's state", &error);
        }
    }
}

/// The answer of a step that a signal cut off.
fn cut_off(step: &Step, service: &str) -> Trouble {
    let action = match step {
        Step::Register { .. } => "ecs:RegisterTaskDefinition",
        Step::Update(_) => "ecs:UpdateService",
        Step::Find { .. } => "ecs:DescribeTaskDefinition",
        Step::Probe => "probe",
        Step::Weights(weights) if weights.default => "elasticloadbalancing:ModifyListener",
        Step::Weights(_) => "elasticloadbalancing:ModifyRule",
        Step::Scaling(_) => "application-autoscaling:RegisterScalableTarget",
    };
    Trouble {
        kind: TroubleKind::TimedOut,
        action,
        resource: service.to_owned(),
        code: None,
        message: "the run was cancelled before the answer came".to_owned(),
        effect_unknown: true,
    }
}
