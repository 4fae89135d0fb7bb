//! One budget for writes that a run repeats (invariant 40). A pause separates equal writes, and after a few of them the
//! run ends. Another writer may undo this run's write, or AWS may show the write late or store another form. A form
//! that AWS goes on to show after one write is taken for the run's own.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::aws_error::AwsResult;
use super::scalers::{Scalers, is_other_form};
use super::shown_instead::{ShownInstead, shown_instead};
use super::snapshot::Snapshot;
use super::step::{Put, Scaling, Step, Update};
use super::time::Time;

/// The time between two equal writes.
const PAUSE: Duration = Duration::from_secs(5);

/// Time that AWS must show another form of a write before this form counts as AWS's own.
const STEADY: Duration = Duration::from_secs(4);

/// Most times that a run sends the same write.
const MOST: u32 = 5;

/// The writes of a run, each with the number of times sent.
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
    /// Number of times sent.
    times: u32,
    /// Time of the last attempt.
    last: Time,
    /// True if AWS has shown the write's effect since the first attempt.
    shown: bool,
    /// The content that AWS shows instead, and since when: of a policy or an alarm.
    other: Option<(Value, Time)>,
}

/// A write without lasting effect whose budget is spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unkept {
    /// The write.
    pub(crate) step: Step,
    /// Number of times that AWS accepted the write.
    pub(crate) times: u32,
    /// True if AWS showed the effect in between: another writer then reverted the change.
    pub(crate) shown: bool,
    /// The state that AWS shows instead. None if unread.
    pub(crate) instead: Option<ShownInstead>,
}

/// Permission to send a write now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// Granted.
    Send,
    /// Later: the same write was sent a moment ago.
    Pause,
    /// Denied: the write was sent too often.
    Spent(Box<Unkept>),
}

impl Repeats {
    /// Decides if this write may be sent now.
    pub(crate) fn budget(&self, step: &Step, seen: Option<&Snapshot>, now: Time) -> Budget {
        let Some(sent) = self.sent.iter().find(|sent| same_write(&sent.step, step)) else {
            return Budget::Send;
        };
        if sent.times < MOST {
            return if now.since(sent.last) < PAUSE { Budget::Pause } else { Budget::Send };
        }
        let Sent { step, times, shown, .. } = sent.clone();
        let instead = seen.and_then(|seen| shown_instead(&step, seen));
        Budget::Spent(Box::new(Unkept { step, times, shown, instead }))
    }

    /// Number of times that this write was sent.
    pub(crate) fn times(&self, step: &Step) -> u32 {
        self.sent.iter().find(|sent| same_write(&sent.step, step)).map_or(0, |sent| sent.times)
    }

    /// Notes a write that AWS accepted, or may have accepted.
    pub(crate) fn sent(&mut self, step: &Step, at: Time) {
        if !step.is_write() {
            return;
        }
        match self.sent.iter_mut().find(|sent| same_write(&sent.step, step)) {
            Some(sent) => (sent.times, sent.last) = (sent.times + 1, at),
            None => {
                self.sent.push(Sent { step: step.clone(), times: 1, last: at, shown: false, other: None })
            }
        }
    }

    /// Notes the content that AWS shows of each policy and alarm that was written. A look without scaling tells nothing.
    pub(crate) fn saw_forms(&mut self, seen: &Snapshot, now: Time) {
        for sent in &mut self.sent {
            let Some(put) = sent.step.put() else { continue };
            let Some(scalers) = scalers_of(seen, put) else { continue };
            let shown = content_of(scalers, put).filter(|content| !content.is_null());
            let same = |(known, _): &(Value, Time)| Some(known) == shown;
            if !sent.other.as_ref().is_some_and(same) {
                sent.other = shown.map(|content| (content.clone(), now));
            }
        }
    }

    /// A snapshot with the written content in place of the other form that AWS has shown for a while.
    pub(crate) fn with_own_forms<'a>(
        &self,
        seen: &'a AwsResult<Snapshot>,
        now: Time,
    ) -> Cow<'a, AwsResult<Snapshot>> {
        let settled = |sent: &&Sent| {
            let other = sent.other.as_ref().filter(|(_, since)| now.since(*since) >= STEADY);
            let put = sent.step.put();
            put.zip(other).is_some_and(|(put, (content, _))| is_other_form(content, &put.content))
        };
        let forms: Vec<&Put> = self.sent.iter().filter(settled).filter_map(|sent| sent.step.put()).collect();
        let mut seen = Cow::Borrowed(seen);
        if forms.is_empty() {
            return seen;
        }
        if let Ok(snapshot) = seen.to_mut() {
            forms.iter().for_each(|put| replace(snapshot, put));
        }
        seen
    }

    /// Notes the writes that AWS shows.
    pub(crate) fn saw(&mut self, shows: impl Fn(&Step) -> bool) {
        for sent in self.sent.iter_mut().filter(|sent| !sent.shown) {
            sent.shown = shows(&sent.step);
        }
    }
}

/// The policies and alarms of the service that a write is for; none if a look left these out.
fn scalers_of<'a>(seen: &'a Snapshot, put: &Put) -> Option<&'a Scalers> {
    seen.service(put.color)?.scalers.as_ref()?.as_ref().ok()
}

/// The content that AWS shows of a policy or an alarm. The names of the two kinds are never the same.
pub(super) fn content_of<'a>(scalers: &'a Scalers, put: &Put) -> Option<&'a Value> {
    let policy = scalers.policy(&put.name).map(|policy| &policy.content);
    policy.or_else(|| scalers.alarm(&put.name).map(|alarm| &alarm.content))
}

/// Puts the written content in the place of the one that AWS shows.
fn replace(seen: &mut Snapshot, put: &Put) {
    let service = seen.services.iter_mut().find(|service| service.color == put.color);
    let Some(Some(Ok(scalers))) = service.map(|service| &mut service.scalers) else { return };
    let policies = scalers.policies.iter_mut().map(|policy| (&policy.name, &mut policy.content));
    let alarms = scalers.alarms.iter_mut().map(|alarm| (&alarm.name, &mut alarm.content));
    for (_, content) in policies.chain(alarms).filter(|(name, _)| **name == put.name) {
        content.clone_from(&put.content);
    }
}

/// True if two writes request the same from AWS.
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

/// The parts of a scalable target's change that make the write distinct. MaxCapacity follows the count, so MaxCapacity
/// is left out.
fn wanted_bounds(scaling: &Scaling) -> impl PartialEq {
    (scaling.color, scaling.min, scaling.in_suspended, scaling.purpose)
}

/// The parts of a service's update that make the write distinct.
fn wanted_service(update: &Update) -> impl PartialEq {
    (update.color, update.task_definition.clone(), update.desired, update.force, update.purpose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::sample::{at, snapshot, update};
    use crate::plan::step::Purpose;

    /// A count-only update of green.
    fn count(desired: u32) -> Step {
        Step::Update(update(None, Some(desired), Purpose::Traffic))
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
                        instead: Some(ShownInstead::Count(2))
                    })),
                    _ => Budget::Pause,
                }
            );
            assert_eq!(repeats.budget(&count(3), Some(&seen), at(round * 5)), Budget::Send, "another write");
        }
        repeats.saw(|step| *step == count(4));
        let instead = Some(ShownInstead::Count(2));
        let spent = Unkept { step: count(4), times: 5, shown: true, instead };
        assert_eq!(repeats.budget(&count(4), Some(&seen), at(900)), Budget::Spent(Box::new(spent)));
    }
}
