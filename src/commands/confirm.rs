//! Whether a run that was killed had reached its goal. The run's own decision answers, from what AWS shows now, and
//! nothing is written: a goal is reached when the decision has nothing left to do.

use std::time::Duration;

use super::drive::Drive;
use super::post::deploy_goal;
use super::promote::{goal as promote_goal, open_end, ran_before};
use super::redirect::{goal, of_users, way_back};
use super::session::{Session, Stop};
use super::state::{DeployState, State, TrafficState};
use crate::action::settings::Command;
use crate::clock;
use crate::event::{Lacks, Report};
use crate::plan::admit::Hindrance;
use crate::plan::course::{Course, Deploying, Moving};
use crate::plan::look::Look;
use crate::plan::promote::{self, Phase, phases};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{End, Failing, Next, Refusal, Step, Stuck, Wait};
use crate::plan::traffic::{self, Brief, Goal, as_found, stays_suspended, steps};
use crate::plan::wanted::{Mode, Promotion};

/// How long a write that AWS does not show yet, or an answer that does not come, is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// Most looks: a decision that asks for another part asks once.
const LOOKS: u32 = 400;

/// What the post step found of a goal.
pub(super) enum Confirmed {
    /// It is reached: the report of the run that reached it.
    Reached(Box<Report>),
    /// It is not, or that is not known; with what AWS shows, where it was read.
    Not(Box<Lacks>, Option<Box<Snapshot>>),
}

/// Asks AWS whether the goal of the run that left this state is reached. A run that was `over` may wait for its tasks;
/// for any other it counts what stands now.
pub(super) async fn confirm(session: &Session<'_>, state: &State, over: bool) -> Confirmed {
    match (&session.settings.command, state) {
        // A deploy that did not come to its update has nothing to be confirmed.
        (Command::Deploy(wish), State::Deploy(state)) if !state.task_definition.is_empty() => {
            let allow_live = over || wish.allow_live || state.was_live;
            let probes = wish.probes.iter().map(|probe| probe.path.clone()).collect();
            let goal = deploy_goal(session, state, (allow_live, probes));
            let course = Deploying { goal: &goal, service: &state.service, run: state.forward(clock::now()) };
            let mut drive = Drive::new(session, course);
            let found = drive.confirm(over).await;
            confirmed(session, found, drive.seen, |_| deployed(state))
        }
        (Command::Redirect(wish), State::Traffic(state)) => {
            moved(session, "redirect-traffic", (&goal(session, wish), state), over).await
        }
        (Command::Rollback(asked), State::Traffic(state)) => {
            let mut goal = goal(session, &way_back(asked));
            goal.wish.to = state.to;
            moved(session, "rollback", (&goal, state), over).await
        }
        (Command::Promote(promotion), state) => promoted(session, promotion, state, over).await,
        (Command::Deploy(_) | Command::Redirect(_) | Command::Rollback(_) | Command::Status, _) => {
            Confirmed::Not(Box::new(Lacks::Unknown), None)
        }
    }
}

/// The report of what was found.
fn confirmed(
    session: &Session<'_>,
    found: Result<u32, Lacks>,
    seen: Option<Snapshot>,
    report: impl FnOnce(&Snapshot) -> Report,
) -> Confirmed {
    match (found, seen) {
        (Ok(healthy), Some(snapshot)) => {
            let mut report = report(&snapshot);
            see(session, &snapshot, &mut report);
            report.end(End::Good { changed: true, healthy });
            Confirmed::Reached(Box::new(report))
        }
        (Ok(_), None) => Confirmed::Not(Box::new(Lacks::Unknown), None),
        (Err(lacks), seen) => Confirmed::Not(Box::new(lacks), seen.map(Box::new)),
    }
}

/// The report of a deploy that reached its goal.
fn deployed(state: &DeployState) -> Report {
    let mut report = Report::new("deploy");
    tell_deploy(state, &mut report);
    report
}

/// What the state of a deploy tells of it.
pub(super) fn tell_deploy(state: &DeployState, report: &mut Report) {
    report.color = state.color();
    report.service = Some(state.service.clone());
    report.task_definition = Some(state.task_definition.clone()).filter(|arn| !arn.is_empty());
    report.previous_task_definition.clone_from(&state.found_task_definition);
    report.deployment.clone_from(&state.deployment);
}

/// A change of traffic.
async fn moved(
    session: &Session<'_>,
    command: &'static str,
    (goal, state): (&Goal, &TrafficState),
    over: bool,
) -> Confirmed {
    let mut drive = Drive::new(session, Moving { goal, run: state.forward(clock::now()) });
    let found = drive.confirm(over).await;
    confirmed(session, found, drive.seen, |snapshot| {
        let mut report = Report::new(command);
        tell_users((goal, &state.found), snapshot, &mut report);
        report
    })
}

/// A promote: what its phases are from here. More than one means that a version has still to be copied.
async fn promoted(session: &Session<'_>, wish: &Promotion, state: &State, over: bool) -> Confirmed {
    let goal = promote_goal(session, wish);
    let look = Look { develop: true, scalers: goal.managed.is_some(), ..Look::TRAFFIC };
    let last = match last_phase(session, &goal, look).await {
        Ok(last) => last,
        Err((lacks, seen)) => return Confirmed::Not(Box::new(lacks), seen.map(Box::new)),
    };
    let now = clock::now();
    let run = match state {
        State::Traffic(state) if state.to.same_ratio(last.wish.to) => state.forward(now),
        State::Traffic(_) | State::Deploy(_) => traffic::Run { changed: true, ..traffic::Run::begin(now) },
    };
    let before = run.found.clone();
    let mut drive = Drive::new(session, Moving { goal: &last, run });
    let found = drive.confirm(over).await;
    let before = before.or_else(|| drive.course.run.found.clone());
    confirmed(session, found, drive.seen, |snapshot| {
        let mut report = Report::new("promote");
        if let Some(before) = &before {
            tell_users((&last, before), snapshot, &mut report);
        }
        report.color = Some(wish.color);
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
    look: Look,
) -> Result<Goal, (Lacks, Option<Snapshot>)> {
    let mut lacks = (Lacks::Unknown, None);
    for again in [true, false] {
        let snapshot = match session.first_look(look).await {
            Ok(snapshot) => snapshot,
            Err(Stop::Signal) => return Err((Lacks::Unknown, None)),
            Err(Stop::Trouble(trouble)) => return Err((Lacks::Unread(trouble), None)),
        };
        lacks = match phases(&snapshot, goal).as_deref() {
            Ok([Phase::Move(last)]) => return Ok(last.as_ref().clone()),
            Ok(_) => (Lacks::Copy(goal.promotion.color), Some(snapshot)),
            Err(Hindrance::Hold(trouble)) => return Err((Lacks::Unread(trouble.clone()), Some(snapshot))),
            Err(Hindrance::Refuse(refusal)) => (refused(refusal.clone()), Some(snapshot)),
        };
        if again {
            session.pause(false).await;
        }
    }
    Err(lacks)
}

/// What a change of traffic came to, told from where it began.
fn tell_users((goal, found): (&Goal, &traffic::Found), snapshot: &Snapshot, report: &mut Report) {
    let users = of_users(snapshot);
    let before = as_found(&users, goal, found);
    report.traffic = traffic::brief(&before, goal, clock::now()).ok().map(|brief| {
        let steps = steps(&mut before.clone(), goal, clock::now()).unwrap_or_default();
        Box::new(Brief { steps, ..brief })
    });
    if let Some(brief) = &report.traffic {
        report.color = Some(brief.receiver);
        let version = brief.versions.iter().find(|(color, _)| *color == brief.receiver);
        report.task_definition = version.map(|(_, arn)| arn.clone());
    }
    report.stays_suspended = stays_suspended(&users, goal);
}

/// A refusal, or what could not be read.
fn refused(refusal: Refusal) -> Lacks {
    match refusal {
        Refusal::Unread(trouble) => Lacks::Unread(trouble),
        refusal => Lacks::Refused(Box::new(refusal)),
    }
}

/// What fails now, or what could not be read.
fn fails(failing: Failing) -> Lacks {
    match failing {
        Failing::Traffic(Stuck::Trouble(trouble) | Stuck::Blind(trouble)) => Lacks::Unread(trouble),
        Failing::Traffic(Stuck::Refused(refusal)) => refused(*refusal),
        failing => Lacks::Fails(Box::new(failing)),
    }
}

/// Whether AWS may only be behind: the answer that is waited for tells of what was done already.
fn is_behind(wait: &Wait, over: bool) -> bool {
    match wait {
        Wait::Trouble(_)
        | Wait::Unanswered(_)
        | Wait::Weights { .. }
        | Wait::Count { .. }
        | Wait::Repeat(_)
        | Wait::Probe => true,
        Wait::Deployment(_) | Wait::Capacity(_) => over,
        Wait::Rollback { .. }
        | Wait::Restore { .. }
        | Wait::Bake { .. }
        | Wait::Drain { .. }
        | Wait::Settle { .. } => false,
    }
}

impl<C: Course> Drive<'_, C> {
    /// Follows the decision as long as it only reads: the healthy targets of a goal that is reached, or what it lacks.
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
        closer: &mut Option<Look>,
        (over, patient): (bool, bool),
    ) -> Option<Result<u32, Lacks>> {
        let look = closer.take().unwrap_or_else(|| self.whole());
        let Some(seen) = self.look(look).await else { return Some(Err(Lacks::Unknown)) };
        let now = clock::now();
        self.seen = seen.as_ref().ok().cloned().or(self.seen.take());
        if let Err(trouble) = &seen
            && (!patient || !trouble.kind.passes())
        {
            return Some(Err(Lacks::Unread(trouble.clone())));
        }
        let users = self.course.moving().is_some();
        let seen = seen.map(|snapshot| if users { of_users(&snapshot) } else { snapshot });
        self.course.saw(&seen, now);
        match self.course.next(&seen, now) {
            Next::Look(look) => *closer = Some(look),
            Next::Follow(follow) => self.course.follow(follow),
            Next::Step(step @ Step::Probe) => self.step(&step, seen.ok()).await,
            Next::Step(step) => {
                let all = self.rest(seen.ok());
                return Some(Err(Lacks::Steps(if all.is_empty() { vec![step] } else { all })));
            }
            Next::Wait(wait) if patient && is_behind(&wait, over) => self.wait(wait).await,
            Next::Wait(Wait::Trouble(trouble)) => return Some(Err(Lacks::Unread(trouble))),
            Next::Wait(wait) => {
                let all = self.rest(seen.ok());
                let lacks = if all.is_empty() { Lacks::Wait(Box::new(wait)) } else { Lacks::Steps(all) };
                return Some(Err(lacks));
            }
            Next::Turn(failing, _) | Next::Done(End::Bad { failing, .. }) => {
                return Some(Err(fails(failing)));
            }
            Next::Refuse(refusal) => return Some(Err(refused(refusal))),
            Next::Done(End::Good { healthy, .. }) => return Some(Ok(healthy)),
        }
        None
    }

    /// The look of the decision, with all that the report tells.
    fn whole(&self) -> Look {
        let look = self.course.look();
        match self.course.moving() {
            Some(_) => Look { develop: true, definitions: true, ..look },
            None => look,
        }
    }

    /// The steps that are predicted to be left; none where that is not known.
    fn rest(&self, seen: Option<Snapshot>) -> Vec<Step> {
        let left = self.course.moving().zip(seen);
        left.and_then(|(moving, mut seen)| steps(&mut seen, moving.goal, clock::now()).ok())
            .unwrap_or_default()
    }
}

/// What AWS shows, for a report.
pub(super) fn see(session: &Session<'_>, snapshot: &Snapshot, report: &mut Report) {
    report.see(session.overview(snapshot));
}
