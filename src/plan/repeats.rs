//! One budget for writes that a run repeats (invariant 40): equal writes are apart by a pause, and after a few of them
//! the run ends. Another writer may undo what this run writes, AWS may show it late, or store another form of it.

use std::time::Duration;

use super::snapshot::Snapshot;
use super::step::{Scaling, Step, Update};
use super::time::Time;

/// The time between two equal writes.
const PAUSE: Duration = Duration::from_secs(5);

/// How often a run sends the same write.
const MOST: u32 = 5;

/// The writes of a run, and how often each was sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeats {
    /// Each write once.
    sent: Vec<Sent>,
}

/// A write that was sent.
#[derive(Clone, Debug)]
struct Sent {
    /// The write.
    step: Step,
    /// How often.
    times: u32,
    /// When it was sent last.
    last: Time,
    /// Whether AWS showed it since the first time.
    shown: bool,
}

/// A write that does not last: the budget for it is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unkept {
    /// The write.
    pub(crate) step: Step,
    /// How often AWS took it.
    pub(crate) times: u32,
    /// Whether AWS showed it in between: then something else changed it back.
    pub(crate) shown: bool,
    /// The desired count that AWS shows instead, for an update of a service.
    pub(crate) count: Option<u32>,
}

/// Whether a write may be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// It may.
    Send,
    /// The same write was sent a moment ago.
    Pause,
    /// It was sent too often.
    Spent(Box<Unkept>),
}

impl Repeats {
    /// Whether this write may be sent now.
    pub(crate) fn budget(&self, step: &Step, seen: Option<&Snapshot>, now: Time) -> Budget {
        let Some(sent) = self.sent.iter().find(|sent| same_write(&sent.step, step)) else {
            return Budget::Send;
        };
        if sent.times < MOST {
            return if now.since(sent.last) < PAUSE { Budget::Pause } else { Budget::Send };
        }
        let Sent { step, times, shown, .. } = sent.clone();
        let updated = step.update().and_then(|update| seen?.service(update.color));
        let count = updated.map(|service| service.desired);
        Budget::Spent(Box::new(Unkept { step, times, shown, count }))
    }

    /// Notes a write that AWS took, or may have taken.
    pub(crate) fn sent(&mut self, step: &Step, at: Time) {
        if !step.is_write() {
            return;
        }
        match self.sent.iter_mut().find(|sent| same_write(&sent.step, step)) {
            Some(sent) => (sent.times, sent.last) = (sent.times + 1, at),
            None => self.sent.push(Sent { step: step.clone(), times: 1, last: at, shown: false }),
        }
    }

    /// Notes the writes that AWS shows.
    pub(crate) fn saw(&mut self, shows: impl Fn(&Step) -> bool) {
        for sent in self.sent.iter_mut().filter(|sent| !sent.shown) {
            sent.shown = shows(&sent.step);
        }
    }
}

/// Whether two writes ask AWS for the same.
fn same_write(one: &Step, other: &Step) -> bool {
    match (one, other) {
        (Step::Weights(one), Step::Weights(other)) => {
            (&one.rule, one.after, one.purpose) == (&other.rule, other.after, other.purpose)
        }
        (Step::Scaling(one), Step::Scaling(other)) => wanted_bounds(one) == wanted_bounds(other),
        (Step::Update(one), Step::Update(other)) => wanted_service(one) == wanted_service(other),
        (Step::Policy(one), Step::Policy(other)) | (Step::Alarm(one), Step::Alarm(other)) => {
            (&one.name, &one.content, one.purpose) == (&other.name, &other.content, other.purpose)
        }
        (one, other) => one == other,
    }
}

/// All that a change of a scalable target asks for. MaxCapacity follows the count, so it makes no other write.
fn wanted_bounds(scaling: &Scaling) -> impl PartialEq {
    (scaling.color, scaling.min, scaling.in_suspended, scaling.purpose)
}

/// All that an update of a service asks for.
fn wanted_service(update: &Update) -> impl PartialEq {
    (update.color, update.task_definition.clone(), update.desired, update.force, update.purpose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::color::Color;
    use crate::plan::sample::{at, snapshot};
    use crate::plan::step::Purpose;

    /// A count-only update of green.
    fn count(desired: u32) -> Step {
        Step::Update(Update {
            color: Color::Green,
            service: "web-green".to_owned(),
            task_definition: None,
            desired: Some(desired),
            force: false,
            purpose: Purpose::Traffic,
        })
    }

    #[test]
    fn invariant_40_equal_writes_are_apart_by_a_pause_and_end_after_five() {
        let (mut repeats, seen) = (Repeats::default(), snapshot());
        for round in 0..5 {
            assert_eq!(repeats.budget(&count(4), Some(&seen), at(round * 5)), Budget::Send, "{round}");
            repeats.sent(&count(4), at(round * 5));
            assert_eq!(
                repeats.budget(&count(4), Some(&seen), at(round * 5 + 4)),
                match round {
                    4 => Budget::Spent(Box::new(Unkept {
                        step: count(4),
                        times: 5,
                        shown: false,
                        count: Some(2)
                    })),
                    _ => Budget::Pause,
                }
            );
            assert_eq!(repeats.budget(&count(3), Some(&seen), at(round * 5)), Budget::Send, "another write");
        }
        repeats.saw(|step| *step == count(4));
        let spent = Unkept { step: count(4), times: 5, shown: true, count: Some(2) };
        assert_eq!(repeats.budget(&count(4), Some(&seen), at(900)), Budget::Spent(Box::new(spent)));
    }
}
