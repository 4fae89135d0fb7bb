//! Steps towards the next split: capacity first, then one write per rule. Also the writes that every change of traffic
//! uses.

use super::capacity::{ColorCapacity, FullLoad, color_capacity};
use super::facts::Facts;
use super::goal::Goal;
use super::next::{FAILED, hold_or_restore, refuse_or_restore, restore_after};
use super::rewrite::rewrite_weights;
use super::run::Run;
use super::stage::NextSplit;
use crate::plan::cause::failed_since;
use crate::plan::color::{Color, Split};
use crate::plan::scalers::{Managing, Role, next_serving_step};
use crate::plan::step::{
    Capacity, Next, Purpose, Refusal, Scaling, Short, Step, TrafficFailure, Update, Wait, Weights,
};
use crate::plan::time::Time;
use crate::plan::wiring::{ProductionRule, rule_name};

/// The next step towards the next split: capacity first, then the rule.
pub(super) fn shift_towards(
    facts: &Facts<'_>,
    at: (&Goal, &Run, Time),
    next_split: &NextSplit,
    rule: &ProductionRule,
) -> Next {
    let (goal, run, _) = at;
    let load = run.load(next_split.base, facts);
    if let Some(lacks) = rule.lacks {
        if !goal.wish.adopt {
            return refuse_or_restore(Refusal::NotAdopted { rule: rule_name(&rule.rule), lacks }, run);
        }
        // Certain problems are refused before the first write; the health of the added group is not yet certain.
        let known = |color: &ColorCapacity, capacity: &Capacity| {
            color.color != lacks || capacity.desired < capacity.needed
        };
        if let Some(why) = short_colors(facts, goal, next_split, load)
            .iter()
            .filter(|(color, capacity)| known(color, capacity))
            .find_map(|(color, capacity)| capacity_unreachable(color, *capacity, load, (goal, run)))
        {
            return refuse_or_restore(why, run);
        }
        // The rule keeps its split: AWS checks the health of a group only once a rule uses that group.
        return weights_step(rule, rule.split, facts, Purpose::Traffic);
    }
    match prepare_shift(facts, at, next_split, load) {
        Some(next) => next,
        None => weights_step(rule, next_split.split, facts, Purpose::Traffic),
    }
}

/// The next step before weight moves; none if every color that ends with users can serve them.
fn prepare_shift(
    facts: &Facts<'_>,
    at: (&Goal, &Run, Time),
    next_split: &NextSplit,
    load: FullLoad,
) -> Option<Next> {
    let short = short_colors(facts, at.0, next_split, load);
    ensure_capacity(facts, at, next_split, &short, load)
}

/// The next step for colors with too few healthy targets, before users move there.
pub(super) fn ensure_capacity(
    facts: &Facts<'_>,
    at: (&Goal, &Run, Time),
    next_split: &NextSplit,
    short: &[(&ColorCapacity, Capacity)],
    load: FullLoad,
) -> Option<Next> {
    let (goal, run, now) = at;
    if let Some(why) =
        short.iter().find_map(|(color, capacity)| capacity_unreachable(color, *capacity, load, (goal, run)))
    {
        return Some(refuse_or_restore(why, run));
    }
    let live = [Color::Blue, Color::Green].into_iter().filter(|color| next_split.split.is_live(*color));
    let managed: Vec<Next> =
        live.filter_map(|color| ensure_scaling(facts, at, (color, Role::Live))).collect();
    if let Some(hindered) = managed.iter().find(|next| !matches!(next, Next::Step(_))) {
        return Some(hindered.clone());
    }
    if let Some(step) = suspend_scale_in(facts, run, Purpose::Traffic) {
        return Some(Next::Step(step));
    }
    if let Some(step) = managed.into_iter().next() {
        return Some(step);
    }
    let small = short.iter().find(|(_, capacity)| capacity.desired < capacity.needed);
    if let Some((color, capacity)) = small {
        return Some(Next::Step(count_step(color, capacity.needed, Purpose::Traffic)));
    }
    let (_, waited_for) = short.first()?;
    let failed = failed_since(facts.service(waited_for.color), run.acted);
    if now.since(run.acted) < goal.timeout && failed < FAILED {
        return Some(Next::Wait(Wait::Capacity(*waited_for)));
    }
    Some(if run.changed {
        restore_after(TrafficFailure::NotEnough(*waited_for))
    } else {
        Next::Refuse(Refusal::NotEnough { capacity: *waited_for, load: load.told(), why: Short::TimedOut })
    })
}

/// If scaling is managed, a color that gets users has its policies, and its alarms act (invariant 31). The alarms of a
/// color without users do not act. Bounds stay unchanged. A forced run ignores unreadable or refused scaling.
pub(super) fn ensure_scaling(facts: &Facts<'_>, at: (&Goal, &Run, Time), of: (Color, Role)) -> Option<Next> {
    let (goal, run, _) = at;
    let (wanted, (color, role)) = (goal.managed.as_ref()?, of);
    if run.unscalable.contains(&color) {
        return None;
    }
    let service = (facts.cluster, facts.service(color));
    next_for_scaling(next_serving_step(service, wanted, role, Purpose::Traffic), at)
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

/// The next step for a service's scaling; none if nothing is left to do.
pub(super) fn next_for_scaling(stands: Managing, (goal, run, now): (&Goal, &Run, Time)) -> Option<Next> {
    match stands {
        Managing::Settled => None,
        Managing::Step(step) => Some(Next::Step(step)),
        Managing::Unseen => Some(Next::Read(goal.look())),
        Managing::AwsError(_) | Managing::Refused(_) if goal.wish.force => None,
        Managing::AwsError(trouble) => Some(hold_or_restore(&trouble, goal, run, now)),
        Managing::Refused(refusal) => Some(refuse_or_restore(refusal, run)),
    }
}

/// The colors that end with users and have too few healthy targets.
fn short_colors<'a>(
    facts: &'a Facts<'_>,
    goal: &Goal,
    next_split: &NextSplit,
    load: FullLoad,
) -> Vec<(&'a ColorCapacity, Capacity)> {
    let live = facts.colors.iter().filter(|color| next_split.split.is_live(color.color));
    live.map(|color| (color, color_capacity(color, next_split.split, load, goal.wish.force)))
        .filter(|(_, capacity)| capacity.healthy < capacity.needed)
        .collect()
}

/// Reason that a color can't get enough healthy targets.
fn capacity_unreachable(
    color: &ColorCapacity,
    capacity: Capacity,
    load: FullLoad,
    at: (&Goal, &Run),
) -> Option<Refusal> {
    let (goal, run) = at;
    let small = capacity.desired < capacity.needed;
    // Before users come, the color may grow to the config's maximum.
    let config = goal.managed.map(|managed| managed.max);
    let why = match color.scaling {
        Some(_) | None if small && !goal.wish.scale_up => Short::NoScaleUp,
        Some(scaling) if small && scaling.max.max(config.unwrap_or_default()) < capacity.needed => {
            if config.is_some() { Short::ConfigMax } else { Short::MaxCapacity }
        }
        // More tasks of a version with only unhealthy tasks help no user.
        Some(_) | None if (!small || color.sick) && !color.coming && !run.changed => Short::Unhealthy,
        Some(_) | None if goal.wish.force && !color.coming && !run.changed => Short::Unhealthy,
        Some(_) | None => return None,
    };
    Some(Refusal::NotEnough { capacity, load: load.told(), why })
}

/// Suspends scale-in on every scalable target before weight moves. That call would cut a count above MaxCapacity, so
/// MaxCapacity is raised to the count first (invariant 23).
pub(super) fn suspend_scale_in(facts: &Facts<'_>, run: &Run, purpose: Purpose) -> Option<Step> {
    facts.colors.iter().find_map(|color| {
        let scaling = color.scaling.filter(|scaling| !scaling.in_suspended)?;
        (!run.unscalable.contains(&color.color)).then(|| {
            Step::Scaling(Scaling {
                color: color.color,
                service: color.service.clone(),
                min: None,
                max: (color.desired > scaling.max).then_some(color.desired),
                in_suspended: Some(true),
                new: false,
                purpose,
            })
        })
    })
}

/// An update of the count alone.
pub(super) fn count_step(color: &ColorCapacity, desired: u32, purpose: Purpose) -> Step {
    Step::Update(Update {
        color: color.color,
        service: color.service.clone(),
        task_definition: None,
        desired: Some(desired),
        force: false,
        purpose,
    })
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

/// Allows scale-in again.
pub(super) fn resume_scale_in(color: &ColorCapacity, purpose: Purpose) -> Step {
    let over = color.scaling.is_some_and(|scaling| color.desired > scaling.max);
    Step::Scaling(Scaling {
        color: color.color,
        service: color.service.clone(),
        min: None,
        max: over.then_some(color.desired),
        in_suspended: Some(false),
        new: false,
        purpose,
    })
}
