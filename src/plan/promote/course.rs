//! The phases one after the other, as one course.

use super::Phase;
use crate::plan::course::{Course, Deploying, Moving};
use crate::plan::look::Look;
use crate::plan::run::{self, Answer};
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{End, Failing, Follow, Next, Step};
use crate::plan::time::Time;
use crate::plan::traffic;
use crate::plan::trouble::Read;
use crate::plan::verdict::Recovery;

/// A promote on its way.
#[derive(Clone, Debug)]
pub(crate) struct Promoting<'a> {
    /// The phases.
    phases: &'a [Phase],
    /// The phase that is under way.
    at: usize,
    /// How far that is.
    current: Current<'a>,
    /// Whether an earlier phase changed something.
    pub(crate) changed: bool,
}

/// The phase that is under way.
#[derive(Clone, Debug)]
enum Current<'a> {
    /// A change of traffic.
    Move(Box<Moving<'a>>),
    /// A deploy.
    Deploy(Box<Deploying<'a>>),
}

impl<'a> Current<'a> {
    /// A phase that begins.
    fn begin(phase: &'a Phase, now: Time) -> Current<'a> {
        match phase {
            Phase::Move(goal) => Current::Move(Box::new(Moving { goal, run: traffic::Run::begin(now) })),
            Phase::Deploy(goal, service) => {
                Current::Deploy(Box::new(Deploying { goal, service, run: run::Run::begin(now) }))
            }
        }
    }
}

impl<'a> Promoting<'a> {
    /// A promote that begins. None without a phase.
    pub(crate) fn begin(phases: &'a [Phase], now: Time) -> Option<Promoting<'a>> {
        let current = Current::begin(phases.first()?, now);
        Some(Promoting { phases, at: 0, current, changed: false })
    }

    /// Whether the last phase is under way.
    pub(crate) fn is_last(&self) -> bool {
        self.at + 1 == self.phases.len()
    }

    /// The phase as a course.
    fn course(&self) -> &dyn Course {
        match &self.current {
            Current::Move(moving) => moving.as_ref(),
            Current::Deploy(deploying) => deploying.as_ref(),
        }
    }

    /// The phase as a course that goes on.
    fn course_mut(&mut self) -> &mut (dyn Course + 'a) {
        match &mut self.current {
            Current::Move(moving) => moving.as_mut(),
            Current::Deploy(deploying) => deploying.as_mut(),
        }
    }
}

impl Course for Promoting<'_> {
    fn next(&self, seen: &Read<Snapshot>, now: Time) -> Next {
        self.course().next(seen, now)
    }

    fn look(&self) -> Look {
        self.course().look()
    }

    fn saw(&mut self, seen: &Read<Snapshot>, now: Time) {
        self.course_mut().saw(seen, now);
    }

    fn before(&mut self, step: &Step, seen: &Snapshot) {
        self.course_mut().before(step, seen);
    }

    fn answered(&mut self, step: &Step, answer: Read<Answer>, sent: Time) {
        self.course_mut().answered(step, answer, sent);
    }

    fn follow(&mut self, follow: Follow) {
        self.course_mut().follow(follow);
    }

    fn turn(&mut self, failing: Failing, recovery: Recovery, at: Time) {
        self.course_mut().turn(failing, recovery, at);
    }

    fn waited(&mut self) {
        self.course_mut().waited();
    }

    fn cancel(&mut self, at: Time) {
        self.course_mut().cancel(at);
    }

    fn is_cancelled(&self) -> bool {
        self.course().is_cancelled()
    }

    fn started(&self) -> Time {
        self.course().started()
    }

    fn goes_on(&mut self, end: &End, now: Time) -> bool {
        let End::Good { changed, .. } = end else { return false };
        let Some(phase) = self.phases.get(self.at + 1) else { return false };
        self.changed |= changed;
        self.at += 1;
        self.current = Current::begin(phase, now);
        true
    }

    fn deploying(&self) -> Option<&Deploying<'_>> {
        match &self.current {
            Current::Deploy(deploying) => Some(deploying),
            Current::Move(_) => None,
        }
    }

    fn moving(&self) -> Option<&Moving<'_>> {
        match &self.current {
            Current::Move(moving) => Some(moving),
            Current::Deploy(_) => None,
        }
    }
}
