//! On the way to the next split: capacity first, then one write per rule; and the writes that all of traffic is made of.

use super::capacity::{Force, FullLoad, capacity};
use super::facts::Facts;
use super::goal::Goal;
use super::next::{FAILED, hold, refuse, stuck};
use super::rewrite::rewrite;
use super::run::Run;
use super::stage::Target;
use crate::plan::cause::failed_since;
use crate::plan::color::{Color, Split};
use crate::plan::scalers::{Managing, Role, serving};
use crate::plan::step::{
    Capacity, Next, Purpose, Refusal, Scaling, Short, Step, Stuck, Update, Wait, Weights,
};
use crate::plan::time::Time;
use crate::plan::wiring::{ProductionRule, rule_name};

/// On the way to the next split: capacity first, then the rule.
pub(super) fn shift_towards(
    facts: &Facts<'_>,
    at: (&Goal, &Run, Time),
    aim: &Target,
    rule: &ProductionRule,
) -> Next {
    let (goal, run, _) = at;
    let load = run.load(aim.base, facts);
    if let Some(lacks) = rule.lacks {
        if !goal.wish.adopt {
            return refuse(Refusal::NotAdopted { rule: rule_name(&rule.rule), lacks }, run);
        }
        // Refused before the first write is what is certain already; the health of the group that is lacked is not.
        let known =
            |color: &Force, capacity: &Capacity| color.color != lacks || capacity.desired < capacity.needed;
        if let Some(why) = short(facts, goal, aim, load)
            .iter()
            .filter(|(color, capacity)| known(color, capacity))
            .find_map(|(color, capacity)| hopeless(color, *capacity, load, (goal, run)))
        {
            return refuse(why, run);
        }
        // With the split that it has: a group is checked for health only once a rule uses it.
        return write(rule, rule.split, facts, Purpose::Traffic);
    }
    match ready(facts, at, aim, load) {
        Some(next) => next,
        None => write(rule, aim.split, facts, Purpose::Traffic),
    }
}

/// What is still to do before weight moves; none when every color that ends with users can serve them.
fn ready(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target, load: FullLoad) -> Option<Next> {
    let short = short(facts, at.0, aim, load);
    raise(facts, at, aim, &short, load)
}

/// What is still to do for colors that are short of healthy targets, before they get users.
pub(super) fn raise(
    facts: &Facts<'_>,
    at: (&Goal, &Run, Time),
    aim: &Target,
    short: &[(&Force, Capacity)],
    load: FullLoad,
) -> Option<Next> {
    let (goal, run, now) = at;
    if let Some(why) =
        short.iter().find_map(|(color, capacity)| hopeless(color, *capacity, load, (goal, run)))
    {
        return Some(refuse(why, run));
    }
    let live = [Color::Blue, Color::Green].into_iter().filter(|color| aim.split.is_live(*color));
    let managed: Vec<Next> = live.filter_map(|color| managed(facts, at, (color, Role::Live))).collect();
    if let Some(hindered) = managed.iter().find(|next| !matches!(next, Next::Step(_))) {
        return Some(hindered.clone());
    }
    if let Some(step) = suspend(facts, run, Purpose::Traffic) {
        return Some(Next::Step(step));
    }
    if let Some(step) = managed.into_iter().next() {
        return Some(step);
    }
    let small = short.iter().find(|(_, capacity)| capacity.desired < capacity.needed);
    if let Some((color, capacity)) = small {
        return Some(Next::Step(count(color, capacity.needed, Purpose::Traffic)));
    }
    let (_, waited_for) = short.first()?;
    let failed = failed_since(facts.service(waited_for.color), run.acted);
    if now.since(run.acted) < goal.timeout && failed < FAILED {
        return Some(Next::Wait(Wait::Capacity(*waited_for)));
    }
    Some(if run.changed {
        stuck(Stuck::NotEnough(*waited_for))
    } else {
        Next::Refuse(Refusal::NotEnough { capacity: *waited_for, load: load.told(), why: Short::TimedOut })
    })
}

/// Where scaling is managed, a color that gets users has its policies, and its alarms act (invariant 31); one without
/// users has alarms that do not. Bounds stay as they are. A forced run goes on without what can't be had.
pub(super) fn managed(facts: &Facts<'_>, at: (&Goal, &Run, Time), of: (Color, Role)) -> Option<Next> {
    let (goal, run, _) = at;
    let (wanted, (color, role)) = (goal.managed.as_ref()?, of);
    if run.unscalable.contains(&color) {
        return None;
    }
    let service = (facts.cluster, facts.service(color));
    managing(serving(service, wanted, role, Purpose::Traffic), at)
}

/// What it means for the run how a service's scaling stands; none where nothing is to do.
pub(super) fn managing(stands: Managing, (goal, run, now): (&Goal, &Run, Time)) -> Option<Next> {
    match stands {
        Managing::Settled => None,
        Managing::Step(step) => Some(Next::Step(step)),
        Managing::Unseen => Some(Next::Look(goal.look())),
        Managing::Trouble(_) | Managing::Refused(_) if goal.wish.force => None,
        Managing::Trouble(trouble) => Some(hold(&trouble, goal, run, now)),
        Managing::Refused(refusal) => Some(refuse(refusal, run)),
    }
}

/// The colors that end with users and have too few healthy targets for them.
fn short<'a>(facts: &'a Facts<'_>, goal: &Goal, aim: &Target, load: FullLoad) -> Vec<(&'a Force, Capacity)> {
    let live = facts.colors.iter().filter(|color| aim.split.is_live(color.color));
    live.map(|color| (color, capacity(color, aim.split, load, goal.wish.force)))
        .filter(|(_, capacity)| capacity.healthy < capacity.needed)
        .collect()
}

/// Why a color that is short of healthy targets can't be helped.
fn hopeless(color: &Force, capacity: Capacity, load: FullLoad, at: (&Goal, &Run)) -> Option<Refusal> {
    let (goal, run) = at;
    let small = capacity.desired < capacity.needed;
    // Before it gets users, it may grow as far as the config says.
    let config = goal.managed.map(|managed| managed.max);
    let why = match color.scaling {
        Some(_) | None if small && !goal.wish.scale_up => Short::NoScaleUp,
        Some(scaling) if small && scaling.max.max(config.unwrap_or_default()) < capacity.needed => {
            if config.is_some() { Short::ConfigMax } else { Short::MaxCapacity }
        }
        // More tasks of a version whose tasks are all sick help nobody.
        Some(_) | None if (!small || color.sick) && !color.coming && !run.changed => Short::Unhealthy,
        Some(_) | None if goal.wish.force && !color.coming && !run.changed => Short::Unhealthy,
        Some(_) | None => return None,
    };
    Some(Refusal::NotEnough { capacity, load: load.told(), why })
}

/// Scale-in is suspended on every scalable target before weight moves. A count above MaxCapacity would be cut by that
/// very call, so MaxCapacity is raised to it first (invariant 23).
pub(super) fn suspend(facts: &Facts<'_>, run: &Run, purpose: Purpose) -> Option<Step> {
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

/// A count-only update.
pub(super) fn count(color: &Force, desired: u32, purpose: Purpose) -> Step {
    Step::Update(Update {
        color: color.color,
        service: color.service.clone(),
        task_definition: None,
        desired: Some(desired),
        force: false,
        purpose,
    })
}

/// One write of a rule, with all its actions.
pub(super) fn write(rule: &ProductionRule, split: Split, facts: &Facts<'_>, purpose: Purpose) -> Next {
    let name = rule_name(&rule.rule);
    let Some(actions) = rewrite(&rule.rule.whole, &facts.wiring.groups, split) else {
        return Next::Refuse(Refusal::Tangle(crate::plan::wiring::Tangle::UnknownAction {
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

/// Scale-in is allowed again.
pub(super) fn resume(color: &Force, purpose: Purpose) -> Step {
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
