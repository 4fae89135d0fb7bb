//! Checks if a killed run had reached its goal. The run's own decision answers, from the current state in AWS, and
//! nothing is written: a goal is reached when the decision has nothing left to do.

use std::time::Duration;

use super::drive::Drive;
use super::post::deploy_goal;
use super::promote::{open_end, promote_goal, ran_before};
use super::redirect::{of_users, redirect_goal, way_back};
use super::session::{Session, Stop};
use super::state::{DeployState, State, TrafficState};
use crate::action::settings::Command;
use crate::clock;
use crate::event::{Lacks, Report};
use crate::plan::operation::{CurrentPhase, DeployOperation, TrafficOperation};
use crate::plan::preconditions::Blocker;
use crate::plan::promote::{self, Phase, plan_phases};
use crate::plan::read_scope::ReadScope;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{End, Next, Refusal, RunFailure, Step, TrafficFailure, Wait};
use crate::plan::traffic::{self, Goal, TrafficPlan, as_found, predict_steps, stays_suspended};
use crate::plan::wanted::{Mode, Promotion};

/// Longest wait for a write that AWS does not show yet, or for an answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Most looks: a decision asks at most once for another part.
const LOOKS: u32 = 400;

/// The post step's answer about a goal.
pub(super) enum Confirmed {
    /// The goal is reached: the report of the run.
    Reached(Box<Report>),
    /// The goal is not reached, or the answer is unknown; with the state in AWS, if read.
    Not(Box<Lacks>, Option<Box<Snapshot>>),
}

/// Checks in AWS if the run that left this state reached its goal. A run that was `over` may wait for its tasks; for
/// any other run, the current state decides.
pub(super) async fn confirm_goal(session: &Session<'_>, state: &State, over: bool) -> Confirmed {
    match (&session.settings.command, state) {
        // A deploy that ended before its update has nothing to confirm.
        (Command::Deploy(wish), State::Deploy(state)) if !state.task_definition.is_empty() => {
            let allow_live = over || wish.allow_live || state.was_live;
            let probes = wish.probes.iter().map(|probe| probe.path.clone()).collect();
            let goal = deploy_goal(session, state, (allow_live, probes));
            let operation =
                DeployOperation { goal: &goal, service: &state.service, run: state.forward(clock::now()) };
            let mut drive = Drive::new(session, operation);
            let found = drive.confirm(over).await;
            confirm_report(session, found, drive.seen, |_| deploy_report(state))
        }
        (Command::Redirect(wish), State::Traffic(state)) => {
            confirm_traffic(session, "redirect-traffic", (&redirect_goal(session, wish), state), over).await
        }
        (Command::Rollback(asked), State::Traffic(state)) => {
            let mut goal = redirect_goal(session, &way_back(asked));
            goal.wish.to = state.to;
            confirm_traffic(session, "rollback", (&goal, state), over).await
        }
        (Command::Promote(promotion), state) => confirm_promote(session, promotion, state, over).await,
        (
            Command::Deploy(_)
            | Command::Redirect(_)
            | Command::Rollback(_)
            | Command::Status
            | Command::Doctor(_),
            _,
        ) => Confirmed::Not(Box::new(Lacks::Unknown), None),
    }
}

/// The report of the answer.
fn confirm_report(
    session: &Session<'_>,
    found: Result<u32, Lacks>,
    seen: Option<Snapshot>,
    report: impl FnOnce(&Snapshot) -> Report,
) -> Confirmed {
    match (found, seen) {
        (Ok(healthy), Some(snapshot)) => {
            let mut report = report(&snapshot);
            record_overview(session, &snapshot, &mut report);
            report.end(End::Good { changed: true, healthy });
            Confirmed::Reached(Box::new(report))
        }
        (Ok(_), None) => Confirmed::Not(Box::new(Lacks::Unknown), None),
        (Err(lacks), seen) => Confirmed::Not(Box::new(lacks), seen.map(Box::new)),
    }
}

/// The report of a deploy that reached its goal.
fn deploy_report(state: &DeployState) -> Report {
    let mut report = Report::new("deploy");
    tell_deploy(state, &mut report);
    report
}

/// Copies the facts in a deploy's state into a report.
pub(super) fn tell_deploy(state: &DeployState, report: &mut Report) {
    report.color = Some(state.color);
    report.service = Some(state.service.clone());
    report.task_definition = Some(state.task_definition.clone()).filter(|arn| !arn.is_empty());
    report.previous_task_definition.clone_from(&state.found_task_definition);
    report.deployment.clone_from(&state.deployment);
}

/// A change of traffic.
async fn confirm_traffic(
    session: &Session<'_>,
    command: &'static str,
    (goal, state): (&Goal, &TrafficState),
    over: bool,
) -> Confirmed {
    let mut drive = Drive::new(session, TrafficOperation { goal, run: state.forward(clock::now()) });
    let found = drive.confirm(over).await;
    confirm_report(session, found, drive.seen, |snapshot| {
        let mut report = Report::new(command);
        tell_users((goal, &state.found), snapshot, &mut report);
        report
    })
}

/// A promote: plans its remaining phases. More than one phase means that a version has still to be copied.
async fn confirm_promote(session: &Session<'_>, wish: &Promotion, state: &State, over: bool) -> Confirmed {
    let goal = promote_goal(session, wish);
    let look = ReadScope { develop: true, scalers: goal.managed.is_some(), ..ReadScope::TRAFFIC };
    let last = match last_phase(session, &goal, look).await {
        Ok(last) => last,
        Err((lacks, seen)) => return Confirmed::Not(Box::new(lacks), seen.map(Box::new)),
    };
    let now = clock::now();
    let run = match state {
        State::Traffic(state) if state.to.same_ratio(last.wish.to) => state.forward(now),
        State::Traffic(_) | State::Deploy(_) => traffic::Run::begin_changed(now),
    };
    let before = run.found.clone();
    let mut drive = Drive::new(session, TrafficOperation { goal: &last, run });
    let found = drive.confirm(over).await;
    let before = before.or_else(|| drive.operation.initial_traffic().cloned());
    confirm_report(session, found, drive.seen, |snapshot| {
        let mut report = Report::new("promote");
        if let Some(before) = &before {
            tell_users((&last, before), snapshot, &mut report);
        }
        report.color = Some(wish.color.into());
        ran_before(snapshot, wish.mode, &mut report);
        open_end(snapshot, &last, &mut report);
        if wish.mode == Mode::Copy
            && let State::Deploy(state) = state
        {
            report.previous_task_definition.clone_from(&state.found_task_definition);
        }
        report
    })
}

/// The change of traffic that a promote comes down to; what it lacks if a version has still to be copied, which two looks
/// have to say: one may be old.
async fn last_phase(
    session: &Session<'_>,
    goal: &promote::Goal,
    look: ReadScope,
) -> Result<Goal, (Lacks, Option<Snapshot>)> {
    let mut lacks = (Lacks::Unknown, None);
    for again in [true, false] {
        let snapshot = match session.first_look(look).await {
            Ok(snapshot) => snapshot,
            Err(Stop::Signal) => return Err((Lacks::Unknown, None)),
            Err(Stop::AwsError(trouble)) => return Err((Lacks::Unread(trouble), None)),
        };
        lacks = match plan_phases(&snapshot, goal).as_deref() {
            Ok([Phase::Move(last)]) => return Ok(last.as_ref().clone()),
            Ok(_) => (Lacks::Copy(goal.promotion.color), Some(snapshot)),
            Err(Blocker::Retry(trouble)) => return Err((Lacks::Unread(trouble.clone()), Some(snapshot))),
            Err(Blocker::Refuse(refusal)) => (refused_goal(refusal.clone()), Some(snapshot)),
        };
        if again {
            session.pause(false).await;
        }
    }
    Err(lacks)
}

/// Adds a change of traffic to the report, seen from its start.
fn tell_users((goal, found): (&Goal, &traffic::InitialTraffic), snapshot: &Snapshot, report: &mut Report) {
    let users = of_users(snapshot);
    let before = as_found(&users, goal, found);
    report.traffic = traffic::traffic_plan(&before, goal, clock::now()).ok().map(|traffic_plan| {
        let steps = predict_steps(&mut before.clone(), goal, clock::now()).unwrap_or_default();
        Box::new(TrafficPlan { steps, ..traffic_plan })
    });
    if let Some(traffic_plan) = &report.traffic {
        report.color = Some(traffic_plan.receiver.into());
        let version = traffic_plan.versions.iter().find(|(color, _)| *color == traffic_plan.receiver);
        report.task_definition = version.map(|(_, arn)| arn.clone());
    }
    report.stays_suspended = stays_suspended(&users, goal);
}

/// A refusal, or the unreadable part.
fn refused_goal(refusal: Refusal) -> Lacks {
    match refusal {
        Refusal::Unread(trouble) => Lacks::Unread(trouble),
        refusal => Lacks::Refused(Box::new(refusal)),
    }
}

/// The current failure, or the unreadable part.
fn failing_goal(failing: RunFailure) -> Lacks {
    match failing {
        RunFailure::Traffic(TrafficFailure::AwsError(trouble) | TrafficFailure::Blind(trouble)) => {
            Lacks::Unread(trouble)
        }
        RunFailure::Traffic(TrafficFailure::Refused(refusal)) => refused_goal(*refusal),
        failing => Lacks::Fails(Box::new(failing)),
    }
}

/// True if AWS may only be behind: the wait is for the effect of a write that was sent already.
fn is_behind(wait: &Wait, over: bool) -> bool {
    match wait {
        Wait::AwsError(_)
        | Wait::UnansweredWrite(_)
        | Wait::Rule { .. }
        | Wait::Weights { .. }
        | Wait::Count { .. }
        | Wait::Repeat(_)
        | Wait::Probe => true,
        Wait::Deployment(_) | Wait::Capacity(_) => over,
        Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Bake { .. }
        | Wait::Counts { .. }
        | Wait::Drain { .. }
        | Wait::Settle { .. } => false,
    }
}

impl Drive<'_> {
    /// Follows the decision while it only reads. Returns the healthy targets of a reached goal, or the missing part.
    /// ECS is eventually consistent, so two looks in a row have to say the same, as long as there is time.
    async fn confirm(&mut self, over: bool) -> Result<u32, Lacks> {
        let began = clock::now();
        let (mut closer, mut reached_before) = (None, None);
        for _ in 0..LOOKS {
            let patient = clock::now().since(began) < PATIENCE;
            let Some(found) = self.look_once(&mut closer, (over, patient)).await else { continue };
            let unread = matches!(found, Err(Lacks::Unread(_) | Lacks::Unknown));
            if unread || !patient || reached_before == Some(found.is_ok()) {
                return found;
            }
            reached_before = Some(found.is_ok());
            self.session.pause(false).await;
        }
        Err(Lacks::Unknown)
    }

    /// One look at the goal. None: it asks for another one, as `closer` says or as before.
    async fn look_once(
        &mut self,
        closer: &mut Option<ReadScope>,
        (over, patient): (bool, bool),
    ) -> Option<Result<u32, Lacks>> {
        let look = closer.take().unwrap_or_else(|| self.whole());
        let Some(seen) = self.look(look).await else { return Some(Err(Lacks::Unknown)) };
        let now = clock::now();
        self.seen = seen.as_ref().ok().cloned().or(self.seen.take());
        if let Err(trouble) = &seen
            && (!patient || !trouble.kind.is_transient())
        {
            return Some(Err(Lacks::Unread(trouble.clone())));
        }
        let seen = seen.map(|snapshot| match self.operation.current() {
            CurrentPhase::Traffic(_) => of_users(&snapshot),
            CurrentPhase::Deploy(_) => snapshot,
        });
        match self.operation.decide(&seen, now) {
            Next::Read(look) => *closer = Some(look),
            Next::Follow(follow) => self.operation.follow(follow),
            Next::Step(step @ Step::Probe(_)) => self.step(&step, seen.ok()).await,
            Next::Step(step) => {
                let all = self.rest(seen.ok());
                return Some(Err(Lacks::Steps(if all.is_empty() { vec![step] } else { all })));
            }
            Next::Wait(wait) if patient && is_behind(&wait, over) => self.wait(wait).await,
            Next::Wait(Wait::AwsError(trouble)) => return Some(Err(Lacks::Unread(trouble))),
            Next::Wait(wait) => {
                let all = self.rest(seen.ok());
                let lacks = if all.is_empty() { Lacks::Wait(Box::new(wait)) } else { Lacks::Steps(all) };
                return Some(Err(lacks));
            }
            Next::Restore(failing, _) | Next::Done(End::Bad { failing, .. }) => {
                return Some(Err(failing_goal(failing)));
            }
            Next::Refuse(refusal) => return Some(Err(refused_goal(refusal))),
            Next::Done(End::Good { healthy, .. }) => return Some(Ok(healthy)),
        }
        None
    }

    /// The look of the decision, with all facts of a report.
    fn whole(&self) -> ReadScope {
        let look = self.operation.look();
        match self.operation.current() {
            CurrentPhase::Traffic(_) => ReadScope { develop: true, definitions: true, ..look },
            CurrentPhase::Deploy(_) => look,
        }
    }

    /// The predicted remaining steps; empty if unknown.
    fn rest(&self, seen: Option<Snapshot>) -> Vec<Step> {
        match (self.operation.current(), seen) {
            (CurrentPhase::Traffic(moving), Some(mut seen)) => {
                predict_steps(&mut seen, moving.goal, clock::now()).unwrap_or_default()
            }
            (CurrentPhase::Traffic(_) | CurrentPhase::Deploy(_), _) => Vec::new(),
        }
    }
}

/// Adds the state in AWS to a report.
pub(super) fn record_overview(session: &Session<'_>, snapshot: &Snapshot, report: &mut Report) {
    report.see(session.overview(snapshot));
}
