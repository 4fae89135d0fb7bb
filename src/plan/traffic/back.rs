//! The way back of a change of traffic: every rule that still holds what this run wrote goes back to what was found, then
//! scale-in and counts. What somebody else wrote stands.

use std::time::Duration;

use super::capacity::{capacity, full_load};
use super::facts::{Facts, Lacking, facts};
use super::goal::Goal;
use super::next::{SHOWN, count, resume, write};
use super::run::{Found, Run, Written};
use crate::plan::admit::Hindrance;
use crate::plan::color::Split;
use crate::plan::run::Turned;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Because, Capacity, End, Failing, Left, Next, Purpose, Refusal, Step, Stuck, Wait};
use crate::plan::time::Time;
use crate::plan::trouble::{Read, Trouble};
use crate::plan::wiring::{ProductionRule, rule_name};

/// How long AWS is asked again when it does not answer while users have to go back.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the color that users go back to is waited for.
const CAPACITY: Duration = Duration::from_secs(120);

/// Decides what is still to do on the way back.
pub(super) fn next(seen: &Read<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    let Some(turned) = &run.failing else {
        return bad(Failing::Cancelled, Left::Unknown, Because::NotConfirmed);
    };
    let failing = turned.failing.clone();
    let Some(found) = run.found.as_ref().filter(|_| run.changed || run.unanswered.is_some()) else {
        return bad(failing, Left::Untouched, Because::NothingChanged);
    };
    if let Some(trouble) = &run.restore_trouble {
        return bad(failing, Left::Unknown, Because::Trouble(trouble.clone()));
    }
    let snapshot = match seen {
        Err(trouble) => return no_answer(trouble, turned, now),
        Ok(snapshot) => snapshot,
    };
    let decided = |part: fn(&Back<'_>) -> Option<Next>, needs: &Goal| match facts(snapshot, needs) {
        Ok(facts) => part(&Back { facts: &facts, goal, run, found, turned, now }),
        Err(Lacking::Look(look)) => Some(Next::Look(look)),
        Err(
            Lacking::Hindrance(Hindrance::Hold(trouble))
            | Lacking::Hindrance(Hindrance::Refuse(Refusal::Unread(trouble))),
        ) => Some(no_answer(&trouble, turned, now)),
        Err(Lacking::Hindrance(Hindrance::Refuse(_))) => {
            Some(bad(failing.clone(), Left::Unknown, Because::Theirs))
        }
    };
    decided(|back| back.users(), &needs(goal, false))
        .or_else(|| decided(|back| back.capacity(), &needs(goal, true)))
        .unwrap_or_else(|| bad(failing.clone(), Left::Unknown, Because::NotConfirmed))
}

/// What has to be readable: users go back without alarms, and where it can't be had without what scaling says.
fn needs(goal: &Goal, scaling: bool) -> Goal {
    let mut needs = goal.clone();
    needs.wish.alarms.clear();
    needs.wish.force |= !scaling;
    needs
}

/// Short for a bad end.
fn bad(failing: Failing, left: Left, because: Because) -> Next {
    Next::Done(End::Bad { failing, left, because })
}

/// AWS can't be asked: try again for a while, then say loudly that nothing is known.
fn no_answer(trouble: &Trouble, turned: &Turned, now: Time) -> Next {
    if trouble.kind.passes() && now.since(turned.at) < PATIENCE {
        return Next::Wait(Wait::Trouble(trouble.clone()));
    }
    bad(turned.failing.clone(), Left::Unknown, Because::Trouble(trouble.clone()))
}

/// Everything that the way back is decided by.
struct Back<'a> {
    /// What AWS shows.
    facts: &'a Facts<'a>,
    /// The goal.
    goal: &'a Goal,
    /// What the run remembers.
    run: &'a Run,
    /// What was found.
    found: &'a Found,
    /// What failed.
    turned: &'a Turned,
    /// Now.
    now: Time,
}

impl Back<'_> {
    /// Users first.
    fn users(&self) -> Option<Next> {
        if let Some(unanswered) = &self.run.unanswered
            && self.now.since(unanswered.sent) < SHOWN
            && self.run.cancelled.is_none()
        {
            return Some(Next::Wait(Wait::Unanswered(unanswered.trouble.clone())));
        }
        self.stays().or_else(|| self.rules())
    }

    /// Then scale-in and counts; there is always something to say.
    fn capacity(&self) -> Option<Next> {
        let step = || self.counts().map(Next::Step);
        Some(self.scaling().or_else(step).unwrap_or_else(|| self.end()))
    }

    /// Whether everything stays as it is: it was asked for, users are where they should be, or it is somebody else's.
    fn stays(&self) -> Option<Next> {
        let failing = &self.turned.failing;
        let halfway = self.halfway();
        let because = match failing {
            Failing::Cancelled if !self.goal.restore_on_cancel && !halfway && !self.is_back() => {
                Because::Asked
            }
            Failing::Traffic(Stuck::Overtaken { .. }) if !halfway => Because::Theirs,
            Failing::Traffic(_) if self.run.arrived.is_some() => Because::Arrived,
            Failing::Cancelled | Failing::Traffic(_) | Failing::Deployment(_) | Failing::Probe(_) => {
                return None;
            }
        };
        let settled = self.run.changed && self.run.arrived.is_some();
        let untouched = self.run.written.is_empty()
            && self.run.counts.is_empty()
            && self.run.scaled.is_empty()
            && !settled;
        if untouched {
            return Some(bad(failing.clone(), Left::Untouched, Because::NothingChanged));
        }
        Some(bad(failing.clone(), Left::Changed, because))
    }

    /// Whether the run wrote some rules of a step and not yet the others.
    fn halfway(&self) -> bool {
        let splits: Vec<Split> = self
            .found
            .splits
            .iter()
            .map(|(arn, found)| self.run.written.get(arn).map_or(*found, |written| written.split))
            .collect();
        splits.windows(2).any(|pair| pair.iter().zip(pair.iter().skip(1)).any(|(a, b)| !a.same_ratio(*b)))
    }

    /// Whether this run wrote weights and has put all of them back.
    fn is_back(&self) -> bool {
        let back = |(arn, written): (&String, &Written)| {
            self.found.splits.get(arn).is_some_and(|found| found.same_ratio(written.split))
        };
        !self.run.written.is_empty() && self.run.written.iter().all(back)
    }

    /// The next rule to put back.
    fn rules(&self) -> Option<Next> {
        self.facts.wiring.production.iter().find_map(|rule| {
            let written = self.run.written.get(&rule.rule.arn)?;
            let wanted = *self.found.splits.get(&rule.rule.arn)?;
            if rule.split.same_ratio(wanted) && written.split.same_ratio(wanted) {
                return None;
            }
            if !rule.split.same_ratio(written.split) {
                return self.not_ours(rule, written);
            }
            if let Some(short) = self.short(wanted) {
                return Some(self.wait_for(short));
            }
            Some(write(rule, wanted, self.facts, Purpose::Restore))
        })
    }

    /// A rule that does not hold what was written: not shown yet, or somebody else's.
    fn not_ours(&self, rule: &ProductionRule, written: &Written) -> Option<Next> {
        let stale = rule.split.same_ratio(written.before);
        if !stale || self.run.cancelled.is_some() {
            return None;
        }
        if self.now.since(written.at) < SHOWN {
            return Some(Next::Wait(Wait::Weights { rule: rule_name(&rule.rule) }));
        }
        None
    }

    /// A color that would get users back and can't serve them.
    fn short(&self, wanted: Split) -> Option<Capacity> {
        let now = self.facts.wiring.split();
        let load = full_load(now, &self.facts.colors);
        let live = self.facts.colors.iter().filter(|color| wanted.is_live(color.color));
        live.map(|color| capacity(color, wanted, load, self.goal.wish.force))
            .find(|capacity| capacity.healthy < capacity.needed)
    }

    /// Waits for it, for a while; weight goes to nobody who can't serve it (invariants 16 and 27).
    fn wait_for(&self, short: Capacity) -> Next {
        let patient = self.now.since(self.turned.at) < CAPACITY && self.run.cancelled.is_none();
        if patient {
            return Next::Wait(Wait::Capacity(short));
        }
        bad(self.turned.failing.clone(), Left::Changed, Because::NotEnough(short))
    }

    /// Scale-in as it was found, where one color had all users and has them again.
    fn scaling(&self) -> Option<Next> {
        let both = self.found.split.blue > 0 && self.found.split.green > 0;
        if both || self.foreign() {
            return None;
        }
        self.facts.colors.iter().find_map(|color| {
            let now = color.scaling?.in_suspended;
            let was = *self.found.suspended.get(&color.color)?;
            if !now || was || self.run.scaled.get(&color.color) != Some(&true) {
                return None;
            }
            self.settling(color.color).or_else(|| Some(Next::Step(resume(color, Purpose::Restore))))
        })
    }

    /// Where users had been moved, the color that has them again carries them for a while first.
    fn settling(&self, color: crate::plan::color::Color) -> Option<Next> {
        let last = self.run.written.values().map(|written| written.at).max()?;
        let carried = self.now.since(last);
        let settle = self.goal.wish.settle;
        if carried >= settle || self.run.cancelled.is_some() || !self.found.split.is_live(color) {
            return None;
        }
        let left = Duration::from_secs(settle.saturating_sub(carried).as_secs());
        Some(Next::Wait(Wait::Settle { color, left }))
    }

    /// The old count of a color that was scaled up, unless it serves users and would be too small for them.
    fn counts(&self) -> Option<Step> {
        if self.foreign() {
            return None;
        }
        let load = full_load(self.found.split, &self.facts.colors);
        self.facts.colors.iter().find_map(|color| {
            let asked = *self.run.counts.get(&color.color)?;
            let found = *self.found.counts.get(&color.color)?;
            let ours = color.desired == asked && found < asked;
            let serves = self.found.split.is_live(color.color)
                && found < capacity(color, self.found.split, load, false).needed;
            (ours && !serves).then(|| count(color, found, Purpose::Restore))
        })
    }

    /// Whether a rule holds what neither was found nor written by this run.
    fn foreign(&self) -> bool {
        self.facts.wiring.production.iter().any(|rule| {
            let found = self.found.splits.get(&rule.rule.arn);
            found.is_none_or(|found| !rule.split.same_ratio(*found))
        })
    }

    /// Everything that was this run's is back, or stays for a reason.
    fn end(&self) -> Next {
        let failing = self.turned.failing.clone();
        if self.foreign() {
            return bad(failing, Left::Changed, Because::Theirs);
        }
        if !self.run.changed {
            return bad(failing, Left::Untouched, Because::NothingChanged);
        }
        bad(failing, Left::Restored, Because::PutBack)
    }
}
