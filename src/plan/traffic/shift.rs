//! Steps towards the next split: capacity first, then one write per rule. Also the writes that every change of traffic
//! uses.

use super::capacity::ColorCapacity;
use super::decision::Decision;
use super::facts::Facts;
use super::goal::Goal;
use super::next::{FAILED, restore_after};
use super::rewrite::rewrite_weights;
use super::run::Run;
use crate::plan::cause::failed_since;
use crate::plan::color::{Color, Split};
use crate::plan::scalers::{Managing, Role, next_serving_step};
use crate::plan::step::{
    Capacity, Next, Purpose, Refusal, Scaling, Short, Step, TrafficFailure, Update, Wait, Weights,
};
use crate::plan::wiring::{ProductionRule, rule_name};

impl Decision<'_> {
    /// The next step towards the next split: capacity first, then the rule.
    pub(super) fn shift_towards(&self, rule: &ProductionRule) -> Next {
        let short = self.short_colors();
        if let Some(lacks) = rule.lacks {
            if !self.goal.wish.adopt {
                return self.run.refuse(Refusal::NotAdopted { rule: rule_name(&rule.rule), lacks });
            }
            // Certain problems are refused before the first write; the health of the added group is not yet certain.
            let mut known = short
                .iter()
                .filter(|(color, capacity)| color.color != lacks || capacity.desired < capacity.needed);
            if let Some(why) = known.find_map(|(color, capacity)| self.capacity_unreachable(color, *capacity))
            {
                return self.run.refuse(why);
            }
            // The rule keeps its split: AWS checks the health of a group only once a rule uses that group.
            return weights_step(rule, rule.split, self.facts, Purpose::Traffic);
        }
        let capacity = self.ensure_capacity(&short);
        capacity.unwrap_or_else(|| weights_step(rule, self.next_split.split, self.facts, Purpose::Traffic))
    }

    /// The next step for colors with too few healthy targets, before users move there. None if every color that ends
    /// with users can serve them.
    pub(super) fn ensure_capacity(&self, short: &[(&ColorCapacity, Capacity)]) -> Option<Next> {
        let unreachable =
            |(color, capacity): &(&ColorCapacity, Capacity)| self.capacity_unreachable(color, *capacity);
        if let Some(why) = short.iter().find_map(unreachable) {
            return Some(self.run.refuse(why));
        }
        let live = Color::BOTH.into_iter().filter(|color| self.next_split.split.is_live(*color));
        let managed: Vec<Next> = live.filter_map(|color| self.ensure_scaling(color, Role::Live)).collect();
        if let Some(hindered) = managed.iter().find(|next| !matches!(next, Next::Step(_))) {
            return Some(hindered.clone());
        }
        if let Some(step) = suspend_scale_in(self.facts, self.run, Purpose::Traffic) {
            return Some(Next::Step(step));
        }
        if let Some(step) = managed.into_iter().next() {
            return Some(step);
        }
        let small = short.iter().find(|(_, capacity)| capacity.desired < capacity.needed);
        if let Some((color, capacity)) = small {
            return Some(Next::Step(count_step(color, capacity.needed, Purpose::Traffic)));
        }
        let (color, capacity) = short.first()?;
        let failed = failed_since(self.facts.service(color.color), self.run.acted);
        if self.now.since(self.run.acted) < self.goal.timeout && failed < FAILED {
            return Some(Next::Wait(Wait::Capacity(*capacity)));
        }
        Some(if self.run.memory.changed {
            restore_after(TrafficFailure::NotEnough(*capacity))
        } else {
            Next::Refuse(self.not_enough(*capacity, Short::TimedOut))
        })
    }

    /// If scaling is managed, a color that gets users has its policies, and its alarms act (invariant 31). The alarms of
    /// a color without users do not act. Bounds stay unchanged. A forced run ignores unreadable or refused scaling.
    pub(super) fn ensure_scaling(&self, color: Color, role: Role) -> Option<Next> {
        let wanted = self.goal.managed.as_ref().filter(|_| !self.run.unscalable.contains(&color))?;
        let service = (self.facts.cluster, self.facts.service(color));
        self.next_for_scaling(next_serving_step(service, wanted, role, Purpose::Traffic))
    }

    /// The next step for a service's scaling; none if nothing is left to do.
    pub(super) fn next_for_scaling(&self, managing: Managing) -> Option<Next> {
        match managing {
            Managing::Settled => None,
            Managing::Step(step) => Some(Next::Step(step)),
            Managing::Unseen => Some(Next::Read(self.goal.look())),
            Managing::AwsError(_) | Managing::Refused(_) if self.goal.wish.force => None,
            Managing::AwsError(trouble) => Some(self.run.hold(&trouble, self.goal, self.now)),
            Managing::Refused(refusal) => Some(self.run.refuse(refusal)),
        }
    }

    /// The colors that end with users and have too few healthy targets.
    fn short_colors(&self) -> Vec<(&ColorCapacity, Capacity)> {
        let live = self.live_colors().map(|color| (color, self.capacity(color)));
        live.filter(|(_, capacity)| capacity.healthy < capacity.needed).collect()
    }

    /// Reason that a color can't get enough healthy targets.
    fn capacity_unreachable(&self, color: &ColorCapacity, capacity: Capacity) -> Option<Refusal> {
        let (wish, changed) = (&self.goal.wish, self.run.memory.changed);
        let small = capacity.desired < capacity.needed;
        // Before users come, the color may grow to the config's maximum.
        let config = self.goal.managed.map(|managed| managed.max);
        let why = match color.scaling {
            Some(_) | None if small && !wish.scale_up => Short::NoScaleUp,
            Some(scaling) if small && scaling.max.max(config.unwrap_or_default()) < capacity.needed => {
                if config.is_some() {
                    Short::ConfigMax
                } else {
                    Short::MaxCapacity
                }
            }
            // More tasks of a version with only unhealthy tasks help no user.
            Some(_) | None if (!small || color.sick) && !color.coming && !changed => Short::Unhealthy,
            Some(_) | None if wish.force && !color.coming && !changed => Short::Unhealthy,
            Some(_) | None => return None,
        };
        Some(self.not_enough(capacity, why))
    }
}

/// If scaling is managed: the next write towards the policies and acting alarms of a color with users. Scaling that can't
/// be read or changed keeps no run from its end.
pub(super) fn live_alarms(facts: &Facts<'_>, goal: &Goal, color: Color, purpose: Purpose) -> Option<Step> {
    let service = (facts.cluster, facts.service(color));
    match next_serving_step(service, goal.managed.as_ref()?, Role::Live, purpose) {
        Managing::Step(step) => Some(step),
        Managing::Settled | Managing::Unseen | Managing::AwsError(_) | Managing::Refused(_) => None,
    }
}

/// Suspends scale-in on every scalable target before weight moves.
pub(super) fn suspend_scale_in(facts: &Facts<'_>, run: &Run, purpose: Purpose) -> Option<Step> {
    let held = |color: &&ColorCapacity| color.scaling.is_none_or(|scaling| scaling.in_suspended);
    let mut open = facts.colors.iter().filter(|color| !held(color) && !run.unscalable.contains(&color.color));
    open.next().map(|color| scaling_step(color, None, Some(true), purpose))
}

/// A change of a color's scalable target: MinCapacity, and whether scale-in is suspended. That call would cut a count
/// above MaxCapacity, so MaxCapacity is raised to the count first (invariant 23).
pub(super) fn scaling_step(
    color: &ColorCapacity,
    min: Option<u32>,
    in_suspended: Option<bool>,
    purpose: Purpose,
) -> Step {
    let over = color.scaling.is_some_and(|scaling| color.desired > scaling.max);
    Step::Scaling(Scaling {
        color: color.color.into(),
        service: color.service.clone(),
        min,
        max: over.then_some(color.desired),
        in_suspended,
        new: false,
        purpose,
    })
}

/// An update of the count alone.
pub(super) fn count_step(color: &ColorCapacity, desired: u32, purpose: Purpose) -> Step {
    Step::Update(Update::of_count(color.color, &color.service, desired, purpose))
}

/// The write of a rule, with all actions of the rule.
pub(super) fn weights_step(rule: &ProductionRule, split: Split, facts: &Facts<'_>, purpose: Purpose) -> Next {
    let name = rule_name(&rule.rule);
    let Some(actions) = rewrite_weights(&rule.rule.whole, &facts.wiring.groups, split) else {
        return Next::Refuse(Refusal::RoutingError(crate::plan::wiring::RoutingError::UnknownAction {
            rule: name,
            action: rule.rule.actions.join(", "),
        }));
    };
    Next::Step(Step::Weights(Box::new(Weights {
        rule: rule.rule.arn.clone(),
        listener: rule.rule.listener.clone(),
        default: rule.rule.priority.is_none(),
        name,
        before: rule.split,
        after: split,
        adopts: rule.lacks,
        actions,
        purpose,
    })))
}
