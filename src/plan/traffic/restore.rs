//! The restore of a change of traffic: first the split of every rule that still holds this run's weights, then scale-in
//! and counts. Changes by other writers are kept.

use std::time::Duration;

use super::capacity::{FullLoad, color_capacity, full_load};
use super::facts::{Facts, FactsError, facts_of_look};
use super::goal::Goal;
use super::next::SHOWN;
use super::run::{InitialTraffic, Run, Written};
use super::shift::{count_step, scaling_step, suspend_scale_in, weights_step};
use crate::plan::aws_error::AwsResult;
use crate::plan::color::{Color, Split};
use crate::plan::preconditions::Blocker;
use crate::plan::restore::{PATIENCE, bad_end, no_answer};
use crate::plan::run_memory::RestoreStarted;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{
    Capacity, EndStateReason, Left, Next, Purpose, Refusal, RunFailure, Step, TrafficFailure, Wait,
};
use crate::plan::time::Time;
use crate::plan::wiring::{ProductionRule, rule_name};

/// Longest wait for the capacity of the color that users return to.
const CAPACITY: Duration = Duration::from_secs(120);

/// Decides the next step of a restore.
pub(super) fn next_restore_action(seen: &AwsResult<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    let Some(turned) = &run.memory.failing else {
        return bad_end(RunFailure::Cancelled, Left::Unknown, EndStateReason::NotConfirmed);
    };
    let end = |left, because| bad_end(turned.failing.clone(), left, because);
    let wrote = run.memory.may_have_changed() || !run.left_alone.is_empty();
    let Some(found) = run.found.as_ref().filter(|_| wrote) else {
        return end(Left::Untouched, EndStateReason::NothingChanged);
    };
    if let Some(trouble) = &run.memory.restore_trouble {
        return end(Left::Unknown, EndStateReason::AwsError(trouble.clone()));
    }
    let decided = |part: fn(&Restore<'_>) -> Option<Next>, needs: &Goal| match facts_of_look(seen, needs) {
        Ok(facts) => part(&Restore { facts: &facts, goal, run, found, turned, now }),
        Err(FactsError::NeedsRead(look)) => Some(Next::Read(look)),
        Err(
            FactsError::Blocker(Blocker::Retry(trouble))
            | FactsError::Blocker(Blocker::Refuse(Refusal::Unread(trouble))),
        ) => Some(no_answer(&trouble, turned, now)),
        Err(FactsError::Blocker(Blocker::Refuse(_))) => {
            Some(end(Left::Unknown, EndStateReason::ChangedExternally))
        }
    };
    decided(|back| back.users(), &restore_goal(goal, false))
        .or_else(|| decided(|back| back.capacity(), &restore_goal(goal, true)))
        .unwrap_or_else(|| end(Left::Unknown, EndStateReason::NotConfirmed))
}

/// The parts that a restore must read. Users return without a check of alarms, and without scaling if that is
/// unreadable.
fn restore_goal(goal: &Goal, scaling: bool) -> Goal {
    let mut needs = goal.clone();
    needs.wish.alarms.clear();
    needs.wish.force |= !scaling;
    needs
}

/// All inputs of a restore decision.
struct Restore<'a> {
    /// The facts in the snapshot.
    facts: &'a Facts<'a>,
    /// The goal.
    goal: &'a Goal,
    /// The memory of the run.
    run: &'a Run,
    /// The initial state.
    found: &'a InitialTraffic,
    /// The failure.
    turned: &'a RestoreStarted,
    /// The current time.
    now: Time,
}

impl Restore<'_> {
    /// A bad end by this failure.
    fn end_as(&self, left: Left, because: EndStateReason) -> Next {
        bad_end(self.turned.failing.clone(), left, because)
    }

    /// Restores the split first.
    fn users(&self) -> Option<Next> {
        if let Some(wait) = self.run.unanswered_wait(self.now) {
            return Some(Next::Wait(wait));
        }
        if let Some(next) = self.run.undo_lowering(self.facts, self.now) {
            return Some(self.refused().unwrap_or(next));
        }
        self.crossed().or_else(|| self.stays()).or_else(|| self.refused()).or_else(|| self.rules())
    }

    /// Restores scale-in and counts next; always returns an answer.
    fn capacity(&self) -> Option<Next> {
        let step = || self.counts().map(Next::Step);
        Some(self.refused().or_else(|| self.scaling()).or_else(step).unwrap_or_else(|| self.end()))
    }

    /// Ends after AWS has refused writes for too long.
    fn refused(&self) -> Option<Next> {
        let (since, trouble) = self.run.memory.throttled.as_ref()?;
        let tried = self.now.since(self.turned.at.max(*since));
        let because = EndStateReason::AwsError(trouble.clone());
        (tried >= PATIENCE).then(|| self.end_as(Left::Unknown, because))
    }

    /// Ends without a restore if the user asked for that, if users are on the right color, or if another writer took
    /// over.
    fn stays(&self) -> Option<Next> {
        let failing = &self.turned.failing;
        let halfway = self.halfway();
        let whole = !halfway && (self.run.progress.together || self.run.written.is_empty());
        let because = match failing {
            RunFailure::Cancelled if !self.goal.restore_on_cancel && !halfway && !self.is_back() => {
                EndStateReason::Asked
            }
            RunFailure::Traffic(TrafficFailure::Overtaken { .. } | TrafficFailure::RuleGone(_))
                if whole && !self.is_last() =>
            {
                EndStateReason::ChangedExternally
            }
            RunFailure::Traffic(TrafficFailure::Sick(_)) if self.run.finishing => EndStateReason::NotServed,
            // The idle color no longer has production capacity, so users do not return there.
            RunFailure::Cancelled | RunFailure::Traffic(_) | RunFailure::Repeated(_)
                if self.run.finishing =>
            {
                EndStateReason::Arrived
            }
            RunFailure::Traffic(TrafficFailure::Sick(_) | TrafficFailure::Alarm(_)) => return None,
            RunFailure::Traffic(_) | RunFailure::Repeated(_) if self.run.progress.arrived().is_some() => {
                EndStateReason::Arrived
            }
            RunFailure::Cancelled
            | RunFailure::Traffic(_)
            | RunFailure::Repeated(_)
            | RunFailure::Deployment(_)
            | RunFailure::Probe(_) => {
                return None;
            }
        };
        if self.is_untouched() {
            return Some(self.end_as(Left::Untouched, EndStateReason::NothingChanged));
        }
        if let Some(next) = self.run.count_shows(self.goal, self.now) {
            return Some(next);
        }
        Some(self.end_as(self.left(), because))
    }

    /// The state that stays. Another writer's weights hide an unanswered write: the effect of that write is unknown.
    fn left(&self) -> Left {
        if self.run.memory.changed { Left::Changed } else { Left::Unknown }
    }

    /// Waits for a rule that shows another writer's weights although this run may have written last.
    fn crossed(&self) -> Option<Next> {
        if !matches!(self.turned.failing, RunFailure::Traffic(TrafficFailure::Overtaken { .. })) {
            return None;
        }
        let rule = self.facts.wiring.production.iter().find(|rule| {
            let written = self.run.written.get(&rule.rule.arn);
            written
                .is_some_and(|written| written.may_be_last(self.now) && !rule.split.same_ratio(written.split))
        })?;
        Some(Next::Wait(Wait::Weights { rule: rule_name(&rule.rule) }))
    }

    /// True if every rule holds the weights that this run wrote: the other writer's weights were older.
    fn is_last(&self) -> bool {
        let rules = &self.facts.wiring.production;
        let holds = |(arn, written): (&String, &Written)| {
            rules.iter().any(|rule| rule.rule.arn == *arn && rule.split.same_ratio(written.split))
        };
        !self.run.written.is_empty() && self.run.written.iter().all(holds)
    }

    /// True if this run certainly changed nothing. An unanswered write may have taken effect before another writer
    /// changed the same rule.
    fn is_untouched(&self) -> bool {
        let answered = self.run.memory.unanswered.is_empty() && self.run.left_alone.is_empty();
        let other = matches!(
            self.turned.failing,
            RunFailure::Traffic(
                TrafficFailure::Refused(_) | TrafficFailure::Overtaken { .. } | TrafficFailure::RuleGone(_)
            )
        );
        !self.run.memory.changed && (answered || !(other || self.foreign()))
    }

    /// True if the run wrote only some rules of a step.
    fn halfway(&self) -> bool {
        let of_rule = |(arn, found): (&String, &Split)| {
            self.run.written.get(arn).map_or(*found, |written| written.split)
        };
        let mut splits = self.found.splits.iter().map(of_rule);
        splits.next().is_some_and(|first| splits.any(|split| !split.same_ratio(first)))
    }

    /// True if this run wrote weights and has restored all of them.
    fn is_back(&self) -> bool {
        let back = |(arn, written): (&String, &Written)| {
            self.found.splits.get(arn).is_some_and(|found| found.same_ratio(written.split))
        };
        !self.run.written.is_empty() && self.run.written.iter().all(back)
    }

    /// The next rule to restore. A rule that must wait does not block other rules.
    fn rules(&self) -> Option<Next> {
        let todo: Vec<Next> =
            self.facts.wiring.production.iter().filter_map(|rule| self.rule(rule)).collect();
        let step = todo.iter().find(|next| matches!(next, Next::Step(_)));
        let split = self.served(Color::Blue) && self.served(Color::Green);
        if let Some(first) =
            step.filter(|_| split).and_then(|_| suspend_scale_in(self.facts, self.run, Purpose::Restore))
        {
            return Some(Next::Step(first));
        }
        let wait = todo.iter().find(|next| matches!(next, Next::Wait(_)));
        step.or(wait).or(todo.first()).cloned()
    }

    /// The next step for a rule, if any.
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
        Some(weights_step(rule, wanted, self.facts, Purpose::Restore))
    }

    /// A rule without this run's weights: the write is not visible yet, or another writer changed the rule. An accepted
    /// write may become visible later, so the restore is written anyway.
    fn not_ours(&self, rule: &ProductionRule, written: &Written, wanted: Split) -> Option<Next> {
        if !rule.split.same_ratio(written.before) {
            return None;
        }
        if self.now.since(written.at) < SHOWN {
            return Some(Next::Wait(Wait::Weights { rule: rule_name(&rule.rule) }));
        }
        (!written.shown && rule.split.same_ratio(wanted))
            .then(|| weights_step(rule, wanted, self.facts, Purpose::Restore))
    }

    /// A color that would get users back without enough healthy targets.
    fn short(&self, now: Split, wanted: Split) -> Option<Capacity> {
        let load = full_load(now, &self.facts.colors).or_smaller(self.load_before());
        let load = load.or_larger(self.found.load(self.facts));
        let live = self.facts.colors.iter().filter(|color| wanted.is_live(color.color));
        live.map(|color| color_capacity(color, wanted, load, self.goal.wish.force))
            .find(|capacity| capacity.healthy < capacity.needed)
    }

    /// The load by the initial split and the current counts. Counts that this run raised are replaced by the initial
    /// counts. The same applies to a count that AWS raised to MinCapacity when the run registered the scalable target.
    /// Otherwise a color that carried all users and kept some would imply too large a load: 2 targets for 80 % would
    /// mean 2.5 for all.
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

    /// Raises a count that fell below the need: one write fixes this.
    fn make_up(&self, short: Capacity) -> Next {
        let color = self.facts.capacity_of(short.color);
        let known = self.run.known_count(short.color);
        let most = if self.goal.wish.scale_up { short.needed } else { short.needed.min(known) };
        let wanted = short.most.map_or(most, |scaling| most.min(scaling));
        if short.desired < wanted {
            Next::Step(count_step(color, wanted, Purpose::Restore))
        } else {
            self.wait_for(short)
        }
    }

    /// Waits for a while. No weight goes to a color that can't serve the users (invariants 16 and 27).
    fn wait_for(&self, short: Capacity) -> Next {
        let patient = self.now.since(self.turned.at.max(self.run.acted)) < CAPACITY
            && self.run.memory.cancelled.is_none();
        if patient {
            return Next::Wait(Wait::Capacity(short));
        }
        self.end_as(Left::Changed, EndStateReason::NotEnough(short))
    }

    /// Restores scale-in, if one color had all users and has all of them again.
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
                return suspend_scale_in(self.facts, self.run, Purpose::Restore).map(Next::Step);
            }
            self.settling()
                .or_else(|| Some(Next::Step(scaling_step(color, None, Some(false), Purpose::Restore))))
        })
    }

    /// If users had moved, their old color first carries all of them for `settle`.
    fn settling(&self) -> Option<Next> {
        let last = self.run.written.values().map(|written| written.at).max()?;
        let color = if self.served(Color::Blue) { Color::Blue } else { Color::Green };
        let carried = self.now.since(last);
        let settle = self.goal.wish.settle;
        if carried >= settle || self.run.memory.cancelled.is_some() {
            return None;
        }
        let left = Duration::from_secs(settle.saturating_sub(carried).as_secs());
        Some(Next::Wait(Wait::Settle { color, left }))
    }

    /// Restores the count of a color that was scaled up, unless the color has users who need the larger count.
    fn counts(&self) -> Option<Step> {
        if self.foreign() {
            return None;
        }
        // Rules with different splits imply several loads: the count must suffice for all of them.
        let splits: Vec<Split> = self.found.splits.values().copied().collect();
        let loads: Vec<FullLoad> = splits.iter().map(|split| full_load(*split, &self.facts.colors)).collect();
        self.facts.colors.iter().find_map(|color| {
            let asked = *self.run.counts.get(&color.color)?;
            let found = *self.found.counts.get(&color.color)?;
            let ours = color.desired == asked && found < asked;
            let small =
                |split: &Split, load: &FullLoad| found < color_capacity(color, *split, *load, false).needed;
            let live = splits.iter().filter(|split| split.is_live(color.color));
            let serves = live.clone().any(|split| loads.iter().any(|load| small(split, load)));
            (ours && !serves).then(|| count_step(color, found, Purpose::Restore))
        })
    }

    /// A count that this run raised and that users need, by the current load.
    fn kept(&self) -> Option<u32> {
        self.facts.colors.iter().find_map(|color| {
            let asked = *self.run.counts.get(&color.color)?;
            let found = *self.found.counts.get(&color.color)?;
            (color.desired == asked && found < asked).then_some(asked)
        })
    }

    /// True if any rule sent users to a color when the run began.
    fn served(&self, color: Color) -> bool {
        self.found.splits.values().any(|split| split.is_live(color))
    }

    /// True if a rule is new or gone, or holds a split other than the initial one.
    fn foreign(&self) -> bool {
        let rules = &self.facts.wiring.production;
        let changed = rules.iter().any(|rule| {
            let found = self.found.splits.get(&rule.rule.arn);
            found.is_none_or(|found| !rule.split.same_ratio(*found))
        });
        changed || self.found.splits.keys().any(|arn| !rules.iter().any(|rule| rule.rule.arn == *arn))
    }

    /// The end: all of this run's changes are restored, or stay for a reason.
    fn end(&self) -> Next {
        if self.is_untouched() {
            return self.end_as(Left::Untouched, EndStateReason::NothingChanged);
        }
        if let Some(next) = self.run.count_shows(self.goal, self.now) {
            return next;
        }
        if self.foreign() {
            return self.end_as(self.left(), EndStateReason::ChangedExternally);
        }
        if let Some(count) = self.kept() {
            return self.end_as(Left::Changed, EndStateReason::CountKept { count });
        }
        self.end_as(Left::Restored, EndStateReason::RestoredByRun)
    }
}
