//! The way back of a change of traffic: every rule that still holds what this run wrote goes back to what was found, then
//! scale-in and counts. What somebody else wrote stands.

use std::time::Duration;

use super::capacity::{FullLoad, capacity, full_load};
use super::facts::{Facts, Lacking, facts};
use super::goal::Goal;
use super::lowered::{count_shows, undo_lowering};
use super::next::{SHOWN, unanswered};
use super::run::{Found, Run, Written};
use super::shift::{count, resume, suspend, write};
use crate::plan::admit::Hindrance;
use crate::plan::color::{Color, Split};
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
    let wrote = run.changed || !run.unanswered.is_empty() || !run.left_alone.is_empty();
    let Some(found) = run.found.as_ref().filter(|_| wrote) else {
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
        if let Some(wait) = unanswered(self.run, self.now) {
            return Some(Next::Wait(wait));
        }
        if let Some(next) = undo_lowering(self.facts, self.run, self.now) {
            return Some(self.refused().unwrap_or(next));
        }
        self.crossed().or_else(|| self.stays()).or_else(|| self.refused()).or_else(|| self.rules())
    }

    /// Then scale-in and counts; there is always something to say.
    fn capacity(&self) -> Option<Next> {
        let step = || self.counts().map(Next::Step);
        Some(self.refused().or_else(|| self.scaling()).or_else(step).unwrap_or_else(|| self.end()))
    }

    /// AWS takes no write for too long.
    fn refused(&self) -> Option<Next> {
        let (since, trouble) = self.run.throttled.as_ref()?;
        let tried = self.now.since(self.turned.at.max(*since));
        let because = Because::Trouble(trouble.clone());
        (tried >= PATIENCE).then(|| bad(self.turned.failing.clone(), Left::Unknown, because))
    }

    /// Whether everything stays as it is: it was asked for, users are where they should be, or it is somebody else's.
    fn stays(&self) -> Option<Next> {
        let failing = &self.turned.failing;
        let halfway = self.halfway();
        let whole = !halfway && (self.run.together || self.run.written.is_empty());
        let because = match failing {
            Failing::Cancelled if !self.goal.restore_on_cancel && !halfway && !self.is_back() => {
                Because::Asked
            }
            Failing::Traffic(Stuck::Overtaken { .. }) if whole && !self.is_last() => Because::Theirs,
            Failing::Traffic(Stuck::Sick(_)) if self.run.finishing => Because::NotServed,
            // The color without users is no production any more: nobody is sent back there.
            Failing::Cancelled | Failing::Traffic(_) | Failing::Repeated(_) if self.run.finishing => {
                Because::Arrived
            }
            Failing::Traffic(Stuck::Sick(_) | Stuck::Alarm(_)) => return None,
            Failing::Traffic(_) | Failing::Repeated(_) if self.run.arrived.is_some() => Because::Arrived,
            Failing::Cancelled
            | Failing::Traffic(_)
            | Failing::Repeated(_)
            | Failing::Deployment(_)
            | Failing::Probe(_) => {
                return None;
            }
        };
        if self.is_untouched() {
            return Some(bad(failing.clone(), Left::Untouched, Because::NothingChanged));
        }
        if let Some(next) = count_shows(self.run, self.goal, self.now) {
            return Some(next);
        }
        // A write without an answer, and another writer's weights over it: whether it had an effect is not known.
        let left = if self.run.changed { Left::Changed } else { Left::Unknown };
        Some(bad(failing.clone(), left, because))
    }

    /// A rule that shows another writer's weights although this run may have written last: which one is waited for.
    fn crossed(&self) -> Option<Next> {
        if !matches!(self.turned.failing, Failing::Traffic(Stuck::Overtaken { .. })) {
            return None;
        }
        let rule = self.facts.wiring.production.iter().find(|rule| {
            let written = self.run.written.get(&rule.rule.arn);
            written
                .is_some_and(|written| written.may_be_last(self.now) && !rule.split.same_ratio(written.split))
        })?;
        Some(Next::Wait(Wait::Weights { rule: rule_name(&rule.rule) }))
    }

    /// Whether every rule that this run wrote holds what it wrote: the other writer's weights were older.
    fn is_last(&self) -> bool {
        let mut rules = self.facts.wiring.production.iter();
        let ours = |rule: &ProductionRule| {
            let written = self.run.written.get(&rule.rule.arn);
            written.is_none_or(|written| rule.split.same_ratio(written.split))
        };
        !self.run.written.is_empty() && rules.all(ours)
    }

    /// Whether this run changed nothing for certain. A write without an answer may have had its effect before another
    /// writer changed the same rule.
    fn is_untouched(&self) -> bool {
        let answered = self.run.unanswered.is_empty() && self.run.left_alone.is_empty();
        let other =
            matches!(self.turned.failing, Failing::Traffic(Stuck::Refused(_) | Stuck::Overtaken { .. }));
        !self.run.changed && (answered || !(other || self.foreign()))
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

    /// The next rule to put back. No rule waits for another one that can't be written yet.
    fn rules(&self) -> Option<Next> {
        let todo: Vec<Next> =
            self.facts.wiring.production.iter().filter_map(|rule| self.rule(rule)).collect();
        let step = todo.iter().find(|next| matches!(next, Next::Step(_)));
        let split = self.served(Color::Blue) && self.served(Color::Green);
        if let Some(first) =
            step.filter(|_| split).and_then(|_| suspend(self.facts, self.run, Purpose::Restore))
        {
            return Some(Next::Step(first));
        }
        let wait = todo.iter().find(|next| matches!(next, Next::Wait(_)));
        step.or(wait).or(todo.first()).cloned()
    }

    /// What is to do with a rule, if anything.
    fn rule(&self, rule: &ProductionRule) -> Option<Next> {
        let written = self.run.written.get(&rule.rule.arn)?;
        let wanted = *self.found.splits.get(&rule.rule.arn)?;
        if rule.split.same_ratio(wanted) && written.split.same_ratio(wanted) {
            return None;
        }
        if !rule.split.same_ratio(written.split) {
            return self.not_ours(rule, written, wanted);
        }
        if let Some(short) = self.short(rule.split, wanted) {
            return Some(self.make_up(short));
        }
        Some(write(rule, wanted, self.facts, Purpose::Restore))
    }

    /// A rule that does not hold what was written: not shown yet, or somebody else's. What was taken and does not show
    /// may still show later, so the way back is written all the same.
    fn not_ours(&self, rule: &ProductionRule, written: &Written, wanted: Split) -> Option<Next> {
        if !rule.split.same_ratio(written.before) {
            return None;
        }
        if self.now.since(written.at) < SHOWN {
            return Some(Next::Wait(Wait::Weights { rule: rule_name(&rule.rule) }));
        }
        (!written.shown && rule.split.same_ratio(wanted))
            .then(|| write(rule, wanted, self.facts, Purpose::Restore))
    }

    /// A color that would get users back and can't serve them.
    fn short(&self, now: Split, wanted: Split) -> Option<Capacity> {
        let load = full_load(now, &self.facts.colors).or_smaller(self.load_before());
        let load = load.or_larger(self.found.load(self.facts));
        let live = self.facts.colors.iter().filter(|color| wanted.is_live(color.color));
        live.map(|color| capacity(color, wanted, load, self.goal.wish.force))
            .find(|capacity| capacity.healthy < capacity.needed)
    }

    /// The load by the split that was found and the counts now, without those that this run raised, or that AWS raised to
    /// MinCapacity when the run registered its scalable target: a color that carried all users and kept a part
    /// of them seems to be made for more than it was. 2 targets for 80 % read as 2.5 for all.
    fn load_before(&self) -> FullLoad {
        let mut colors = self.facts.colors.clone();
        for color in &mut colors {
            let least = color.scaling.map(|scaling| scaling.min);
            let clamped = self.run.scaled.contains_key(&color.color) && least == Some(color.desired);
            let raised = clamped || self.run.counts.get(&color.color) == Some(&color.desired);
            let found = self.found.counts.get(&color.color).filter(|_| raised);
            color.desired = found.copied().unwrap_or(color.desired);
        }
        full_load(self.found.split, &colors)
    }

    /// A count that fell below the need is raised first: one write fixes it.
    fn make_up(&self, short: Capacity) -> Next {
        let color = self.facts.force(short.color);
        let known = self.run.known_count(short.color);
        let most = if self.goal.wish.scale_up { short.needed } else { short.needed.min(known) };
        let wanted = short.most.map_or(most, |scaling| most.min(scaling));
        if short.desired < wanted {
            Next::Step(count(color, wanted, Purpose::Restore))
        } else {
            self.wait_for(short)
        }
    }

    /// Waits for it, for a while; weight goes to nobody who can't serve it (invariants 16 and 27).
    fn wait_for(&self, short: Capacity) -> Next {
        let patient =
            self.now.since(self.turned.at.max(self.run.acted)) < CAPACITY && self.run.cancelled.is_none();
        if patient {
            return Next::Wait(Wait::Capacity(short));
        }
        bad(self.turned.failing.clone(), Left::Changed, Because::NotEnough(short))
    }

    /// Scale-in as it was found, where one color had all users and has them again.
    fn scaling(&self) -> Option<Next> {
        if self.served(Color::Blue) && self.served(Color::Green) || self.foreign() {
            return None;
        }
        self.facts.colors.iter().find_map(|color| {
            let now = color.scaling?.in_suspended;
            let was = *self.found.suspended.get(&color.color)?;
            if now == was || self.run.scaled.get(&color.color) != Some(&now) {
                return None;
            }
            if was {
                return suspend(self.facts, self.run, Purpose::Restore).map(Next::Step);
            }
            self.settling().or_else(|| Some(Next::Step(resume(color, Purpose::Restore))))
        })
    }

    /// Where users had been moved, the color that has them again carries them for a while first.
    fn settling(&self) -> Option<Next> {
        let last = self.run.written.values().map(|written| written.at).max()?;
        let color = if self.served(Color::Blue) { Color::Blue } else { Color::Green };
        let carried = self.now.since(last);
        let settle = self.goal.wish.settle;
        if carried >= settle || self.run.cancelled.is_some() {
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
        // Rules that were found apart tell of several loads: none of them may be cut.
        let splits: Vec<Split> = self.found.splits.values().copied().collect();
        let loads: Vec<FullLoad> = splits.iter().map(|split| full_load(*split, &self.facts.colors)).collect();
        self.facts.colors.iter().find_map(|color| {
            let asked = *self.run.counts.get(&color.color)?;
            let found = *self.found.counts.get(&color.color)?;
            let ours = color.desired == asked && found < asked;
            let small = |split: &Split, load: &FullLoad| found < capacity(color, *split, *load, false).needed;
            let live = splits.iter().filter(|split| split.is_live(color.color));
            let serves = live.clone().any(|split| loads.iter().any(|load| small(split, load)));
            (ours && !serves).then(|| count(color, found, Purpose::Restore))
        })
    }

    /// A count that this run raised, and which users need by the load as it shows now.
    fn kept(&self) -> Option<u32> {
        self.facts.colors.iter().find_map(|color| {
            let asked = *self.run.counts.get(&color.color)?;
            let found = *self.found.counts.get(&color.color)?;
            (color.desired == asked && found < asked).then_some(asked)
        })
    }

    /// Whether users reached a color by any rule when the run began.
    fn served(&self, color: Color) -> bool {
        self.found.splits.values().any(|split| split.is_live(color))
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
        if self.is_untouched() {
            return bad(failing, Left::Untouched, Because::NothingChanged);
        }
        if let Some(next) = count_shows(self.run, self.goal, self.now) {
            return next;
        }
        if self.foreign() {
            return bad(failing, Left::Changed, Because::Theirs);
        }
        if let Some(count) = self.kept() {
            return bad(failing, Left::Changed, Because::CountKept { count });
        }
        bad(failing, Left::Restored, Because::PutBack)
    }
}
