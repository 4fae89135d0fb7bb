//! The one decision: it reads a snapshot, the goal and what the run remembers, and says what is next.
//!
//! 1. What can't be read holds; what must not be done is refused before the first write.
//! 2. Somebody else's change of a rule ends the run.
//! 3. Towards the next step: capacity first, then one write per rule.
//! 4. At a step: hold, and watch alarms and health. At the end: settle, then let the winner scale in again.
//!
//! Whatever fails turns into the way back, in `back.rs`.

use std::time::Duration;

use super::back::{self, undo_lowering};
use super::capacity::{Force, FullLoad, capacity, full_load};
use super::facts::{Facts, Lacking, facts};
use super::finish::finish;
use super::goal::Goal;
use super::rewrite::rewrite;
use super::run::{Run, Written};
use super::stage::{Target, target};
use crate::plan::admit::Hindrance;
use crate::plan::cause::failed_since;
use crate::plan::color::{Color, Split};
use crate::plan::promote::other;
use crate::plan::scalers::{Managing, Role, serving};
use crate::plan::snapshot::{Rollout, Service, Snapshot};
use crate::plan::step::{
    Capacity, End, Failing, Next, Purpose, Refusal, Scaling, Short, Step, Stuck, Update, Wait, Weights,
};
use crate::plan::time::Time;
use crate::plan::trouble::{Read, Trouble};
use crate::plan::verdict::Recovery;
use crate::plan::wiring::{ProductionRule, rule_name};

/// How long AWS may be unreadable once something was changed, before the run goes back.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long new weights may take to show in what AWS answers, and an unanswered write to show its effect.
pub(super) const SHOWN: Duration = Duration::from_secs(10);

/// Tasks that failed since a scale-up, at which it is given up: ECS would go on trying for ever.
const FAILED: usize = 3;

/// Decides.
pub(crate) fn next(seen: &Read<Snapshot>, goal: &Goal, run: &Run, now: Time) -> Next {
    if run.failing.is_some() {
        return back::next(seen, goal, run, now);
    }
    if run.cancelled.is_some() {
        return turn(Failing::Cancelled);
    }
    match seen {
        Err(trouble) => hold(trouble, goal, run, now),
        Ok(snapshot) => match facts(snapshot, goal) {
            Ok(facts) => decide(&facts, goal, run, now),
            Err(Lacking::Look(look)) => Next::Look(look),
            Err(Lacking::Hindrance(Hindrance::Hold(trouble))) => hold(&trouble, goal, run, now),
            Err(Lacking::Hindrance(Hindrance::Refuse(refusal))) => refuse(refusal, run),
        },
    }
}

/// From forward to back.
fn turn(failing: Failing) -> Next {
    Next::Turn(failing, Recovery::Ours)
}

/// The same for a change of traffic that is stuck.
fn stuck(stuck: Stuck) -> Next {
    turn(Failing::Traffic(stuck))
}

/// AWS does not answer: wait, but neither for ever nor blindly with users between the colors, as a write without an
/// answer may have left them.
fn hold(trouble: &Trouble, goal: &Goal, run: &Run, now: Time) -> Next {
    let blind = now.since(run.blind.unwrap_or(now));
    if !run.changed && run.unanswered.is_none() {
        let patient = trouble.kind.passes() && blind < goal.timeout;
        return if patient {
            Next::Wait(Wait::Trouble(trouble.clone()))
        } else {
            Next::Refuse(Refusal::Unread(trouble.clone()))
        };
    }
    if trouble.kind.passes() && blind < PATIENCE.min(goal.timeout) {
        return Next::Wait(Wait::Trouble(trouble.clone()));
    }
    stuck(if trouble.kind.passes() { Stuck::Blind(trouble.clone()) } else { Stuck::Trouble(trouble.clone()) })
}

/// Before the first write a refusal, after it the way back.
fn refuse(refusal: Refusal, run: &Run) -> Next {
    match refusal {
        refusal if !run.changed && run.unanswered.is_none() => Next::Refuse(refusal),
        Refusal::Unread(trouble) => stuck(Stuck::Trouble(trouble)),
        refusal => stuck(Stuck::Refused(Box::new(refusal))),
    }
}

/// With all facts at hand.
fn decide(facts: &Facts<'_>, goal: &Goal, run: &Run, now: Time) -> Next {
    if let Some(unanswered) = &run.unanswered
        && now.since(unanswered.sent) < SHOWN
    {
        return Next::Wait(Wait::Unanswered(unanswered.trouble.clone()));
    }
    if let Some(next) = undo_lowering(facts, run, now).or_else(|| overtaken(facts, run, now)) {
        return next;
    }
    let aim = match target(facts, goal, run) {
        Ok(aim) => aim,
        Err(refusal) => return refuse(refusal, run),
    };
    if let Some(refusal) = unfit(facts, goal, run, &aim) {
        return refuse(refusal, run);
    }
    if let Some(next) = alarmed(facts, goal, run, &aim) {
        return next;
    }
    if let Some((_, trouble)) = run.throttled.as_ref().filter(|(since, _)| now.since(*since) >= goal.timeout)
    {
        return refuse(Refusal::Unread(trouble.clone()), run);
    }
    if let Some(refusal) = lifeless(facts, goal, run, &aim) {
        return refuse(refusal, run);
    }
    // Groups are brought in first, into every rule: what may not be had is known before anybody is moved.
    let mut rules = facts.wiring.production.iter();
    let lacking = rules.clone().find(|rule| rule.lacks.is_some() && goal.wish.adopt);
    match lacking.or_else(|| rules.find(|rule| to_write(rule, aim.split, goal))) {
        Some(rule) => towards(facts, (goal, run, now), &aim, rule),
        None => there(facts, (goal, run, now), &aim),
    }
}

/// No weight is to move, and a color with users has nobody to serve them: nothing is begun with it.
fn lifeless(facts: &Facts<'_>, goal: &Goal, run: &Run, aim: &Target) -> Option<Refusal> {
    let moving = !facts.hold(aim.split);
    let dead = dead(facts, aim).filter(|_| !moving && !run.changed)?;
    let load = run.load(aim.base, facts);
    let capacity = capacity(dead, aim.split, load, goal.wish.force);
    Some(Refusal::NotEnough { capacity, load: load.told(), why: Short::Unhealthy })
}

/// Whether a rule has to be written: other weights, or a group to bring in.
fn to_write(rule: &ProductionRule, split: Split, goal: &Goal) -> bool {
    !rule.split.same_ratio(split) || (rule.lacks.is_some() && goal.wish.adopt)
}

/// Somebody else's change of a rule, or weights of ours that do not show.
fn overtaken(facts: &Facts<'_>, run: &Run, now: Time) -> Option<Next> {
    let found = run.found.as_ref()?;
    facts.wiring.production.iter().find_map(|rule| {
        let arn = &rule.rule.arn;
        let name = || rule_name(&rule.rule);
        let (expected, written) = match (run.written.get(arn), found.splits.get(arn)) {
            (Some(written), _) => (written.split, Some(written)),
            (None, Some(split)) => (*split, None),
            (None, None) => (found.split, None),
        };
        if rule.split.same_ratio(expected) {
            return None;
        }
        let stale = |written: &&Written| rule.split.same_ratio(written.before);
        match written.filter(stale) {
            Some(written) if now.since(written.at) < SHOWN => {
                Some(Next::Wait(Wait::Weights { rule: name() }))
            }
            Some(written) if !written.shown => {
                Some(stuck(Stuck::NotShown { rule: name(), written: written.split }))
            }
            Some(_) | None => Some(stuck(Stuck::Overtaken { rule: name(), expected, found: rule.split })),
        }
    })
}

/// What must hold for the color that gains users, at every look.
fn unfit(facts: &Facts<'_>, goal: &Goal, run: &Run, aim: &Target) -> Option<Refusal> {
    let service = facts.service(aim.receiver);
    let missing = facts.missing_alarms(goal);
    if !missing.is_empty() {
        return Some(Refusal::NoAlarm(missing));
    }
    let moving = !facts.hold(aim.split);
    let begins = !goal.wish.force && !run.changed && (moving || goal.finish.is_some());
    if let Some(failed) = service.primary().filter(|primary| begins && primary.rollout == Rollout::Failed) {
        return Some(Refusal::FailedThere {
            color: aim.receiver,
            service: service.name.clone(),
            task_definition: failed.task_definition.clone(),
        });
    }
    // Of a split that stands and stays, nobody gains users.
    let gains = moving || aim.split.weight(aim.receiver) == aim.split.blue + aim.split.green;
    let expected = goal.wish.expect.as_ref().filter(|_| gains);
    if let Some(expected) = expected.filter(|expected| !runs(service, expected)) {
        return Some(Refusal::OtherTaskDefinition {
            color: aim.receiver,
            found: service.task_definition.clone(),
            expected: expected.clone(),
        });
    }
    let flying = rolling(service).filter(|_| begins)?;
    Some(Refusal::InFlight {
        service: service.name.clone(),
        id: flying.id.clone(),
        task_definition: flying.task_definition.clone(),
    })
}

/// Whether a service runs this task definition and no other.
fn runs(service: &Service, expected: &str) -> bool {
    let is = |arn: &str| arn == expected || arn.rsplit('/').next() == Some(expected);
    let tasks = service.tasks.iter().flatten().flatten();
    is(&service.task_definition)
        && service.deployments.iter().all(|deployment| is(&deployment.task_definition))
        && tasks.filter(|task| task.status == "RUNNING").all(|task| is(&task.task_definition))
}

/// A deployment that replaces another one. A change of the count alone is none, whatever its state is called.
pub(super) fn rolling(service: &Service) -> Option<&crate::plan::snapshot::Deployment> {
    let primary = service.primary().filter(|primary| primary.rollout != Rollout::Completed)?;
    let older = service.deployments.iter().any(|deployment| !deployment.primary && deployment.running > 0);
    (older && primary.rollout != Rollout::Failed).then_some(primary)
}

/// Alarms stop a run with steps: before its first write as a refusal, then as the way back. A promote listens to them
/// until it takes the way back away.
fn alarmed(facts: &Facts<'_>, goal: &Goal, run: &Run, aim: &Target) -> Option<Next> {
    let firing = facts.firing();
    let deaf = run.arrived.is_some() && (goal.finish.is_none() || run.finishing || run.written.is_empty());
    if goal.wish.steps.is_empty() || firing.is_empty() || deaf {
        return None;
    }
    let split = facts.wiring.split();
    Some(if !run.written.is_empty() || run.changed {
        stuck(Stuck::Alarm(firing))
    } else if split.is_live(aim.receiver) {
        Next::Refuse(Refusal::AlarmAt { firing, color: aim.receiver, split })
    } else {
        Next::Refuse(Refusal::AlarmFiring(firing))
    })
}

/// On the way to the next split: capacity first, then the rule.
fn towards(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target, rule: &ProductionRule) -> Next {
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
fn raise(
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

/// Every rule holds the next split.
fn there(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target) -> Next {
    let (goal, run, now) = at;
    if let Some(share) = aim.hold {
        return bake(facts, (goal, run, now), aim, share);
    }
    if let Some(next) = unserved(facts, (goal, run, now), aim) {
        return next;
    }
    if let Some(step) = short_of_load(facts, goal, run, aim) {
        return Next::Step(step);
    }
    if aim.split.blue > 0 && aim.split.green > 0 {
        if let Some(step) = suspend(facts, run, Purpose::Traffic) {
            return Next::Step(step);
        }
    } else if let Some(next) = alone(facts, at, aim) {
        return next;
    }
    if run.lowered.is_new() {
        return Next::Look(goal.look());
    }
    Next::Done(End::Good { changed: run.changed, healthy: facts.force(aim.receiver).healthy })
}

/// Users were moved to a color that can't serve them after all: that is no success, though it is what was asked for.
fn unserved(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target) -> Option<Next> {
    let (goal, run, now) = at;
    let load = run.load(aim.base, facts);
    let live = facts.colors.iter().filter(|color| aim.split.is_live(color.color));
    if let Some(next) = live.clone().find_map(|color| refill(facts, at, color, run.need(color, facts, aim))) {
        return Some(next);
    }
    if let Some(dead) = dead(facts, aim) {
        return Some(stuck(Stuck::Sick(capacity(dead, aim.split, load, true))));
    }
    let (since, arrived) = (run.lacking?, run.arrived?);
    let (color, needed) = run.needs.iter().find(|(color, needed)| facts.force(**color).healthy < **needed)?;
    let numbers = capacity(facts.force(*color), aim.split, load, goal.wish.force);
    let lacking = Capacity { needed: *needed, ..numbers };
    // A task that is replaced later on, while only scale-in is waited for, is no reason to move everybody.
    let late = since.since(arrived) > goal.wish.settle;
    let patience = if late { goal.timeout } else { PATIENCE.min(goal.timeout) };
    Some(match now.since(since) < patience {
        true => Next::Wait(Wait::Capacity(lacking)),
        false if late => stuck(Stuck::NotEnough(lacking)),
        false => stuck(Stuck::Sick(lacking)),
    })
}

/// A count of a color with users that fell below the need: one write fixes it, and then its tasks are waited for. None
/// where that is not the fault, or did not help.
fn refill(facts: &Facts<'_>, at: (&Goal, &Run, Time), color: &Force, needed: u32) -> Option<Next> {
    let (goal, run, now) = at;
    if color.healthy >= needed {
        return None;
    }
    let most = if goal.wish.scale_up { needed } else { needed.min(run.known_count(color.color)) };
    let wanted = color.scaling.map_or(most, |scaling| most.min(scaling.max));
    if color.desired < wanted {
        return Some(Next::Step(count(color, wanted, Purpose::Traffic)));
    }
    let since = *run.refilled.get(&color.color)?;
    let failed = failed_since(facts.service(color.color), since);
    let helps = color.coming && failed < FAILED && now.since(since) < goal.timeout;
    helps.then(|| {
        let load = full_load(facts.wiring.split(), &facts.colors);
        let numbers = capacity(color, facts.wiring.split(), load, false);
        Next::Wait(Wait::Capacity(Capacity { needed, ..numbers }))
    })
}

/// A color that has users and nobody to serve them.
fn dead<'a>(facts: &'a Facts<'_>, aim: &Target) -> Option<&'a Force> {
    facts.colors.iter().find(|color| aim.split.is_live(color.color) && color.healthy == 0)
}

/// Users are held at a step while alarms and the receiver's health are watched.
fn bake(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target, share: u32) -> Next {
    let (goal, run, now) = at;
    let stage = run.stage.filter(|stage| stage.share == share);
    let color = facts.force(aim.receiver);
    let other = facts.force(other(aim.receiver));
    if let Some(next) = refill(facts, at, other, run.need(other, facts, aim)) {
        return next;
    }
    if let Some(stage) = stage.filter(|stage| color.healthy < stage.needed) {
        let load = run.load(aim.base, facts);
        let numbers = capacity(color, aim.split, load, goal.wish.force);
        let capacity = Capacity { needed: stage.needed, ..numbers };
        // Users were here already, and capacity for them may be on its way: a run that was killed had asked for it.
        let helped = run.written.is_empty() && (color.coming || color.desired < stage.needed);
        let help = match helped {
            true => raise(facts, at, aim, &[(color, capacity)], load),
            false => refill(facts, at, color, stage.needed),
        };
        return help.unwrap_or_else(|| {
            if run.changed || run.unanswered.is_some() {
                return stuck(Stuck::Sick(capacity));
            }
            Next::Refuse(Refusal::NotEnough { capacity, load: load.told(), why: Short::Unhealthy })
        });
    }
    if let Some(step) = suspend(facts, run, Purpose::Traffic) {
        return Next::Step(step);
    }
    let held = now.since(stage.map_or(now, |stage| stage.since));
    let left = Duration::from_secs(goal.wish.bake.saturating_sub(held).as_secs());
    Next::Wait(Wait::Bake { split: aim.split, left, no_data: facts.no_data() })
}

/// A forced run scales up after the weight has moved.
fn short_of_load(facts: &Facts<'_>, goal: &Goal, run: &Run, aim: &Target) -> Option<Step> {
    if !goal.wish.force || !goal.wish.scale_up {
        return None;
    }
    // A run that was killed before it came to this goes on here, where counts alone tell the load.
    if !run.changed && facts.colors.iter().any(|color| color.scaling.is_some()) {
        return None;
    }
    let load = run.load(run.found.as_ref().map_or(aim.base, |found| found.split), facts);
    facts.colors.iter().filter(|color| aim.split.is_live(color.color)).find_map(|color| {
        let needs = capacity(color, aim.split, load, false);
        let wanted = needs.most.map_or(needs.needed, |most| needs.needed.min(most));
        (color.desired < wanted).then(|| count(color, wanted, Purpose::Traffic))
    })
}

/// A color has all users: it settles, and a promote settles capacity. Once it has carried them for long enough, it may
/// scale in again; what a promote does does not wait for that.
fn alone(facts: &Facts<'_>, at: (&Goal, &Run, Time), aim: &Target) -> Option<Next> {
    let (goal, run, _) = at;
    let winner = if aim.split.blue > 0 { Color::Blue } else { Color::Green };
    let color = facts.force(winner);
    let held = color.scaling.filter(|scaling| scaling.in_suspended && !run.unscalable.contains(&winner));
    if held.is_none() {
        return finish(facts, at, aim);
    }
    let resumed = || Next::Step(resume(color, Purpose::Traffic));
    let settled = settling(at, winner);
    if goal.onward {
        return settled;
    }
    let carried = goal.carries().map(|time| carrying(at, winner, time));
    match (settled, carried) {
        (Some(wait), _) => Some(wait),
        (None, Some(None)) => Some(resumed()),
        (None, carried) => finish(facts, at, aim).or(carried.flatten()),
    }
}

/// The color alone at 100 that stays without scale-in, because its low alarm looks back for longer than the run may
/// wait, and how long that is.
pub(crate) fn stays_suspended(snapshot: &Snapshot, goal: &Goal) -> Option<(Color, Duration)> {
    let window = goal.managed.filter(|_| goal.carries().is_none())?.scale_in_after;
    let facts = facts(snapshot, goal).ok()?;
    let split = facts.wiring.split();
    let alone = |color: &&Force| split.weight(color.color) == split.blue + split.green;
    let color = facts.colors.iter().find(alone)?;
    color.scaling.filter(|scaling| scaling.in_suspended).map(|_| (color.color, window))
}

/// Until the winner has carried all users for `settle`.
pub(super) fn settling(at: (&Goal, &Run, Time), winner: Color) -> Option<Next> {
    carrying(at, winner, at.0.wish.settle)
}

/// Until the winner has carried all users for so long.
fn carrying(at: (&Goal, &Run, Time), winner: Color, time: Duration) -> Option<Next> {
    let (_, run, now) = at;
    let left = time.saturating_sub(now.since(run.arrived.unwrap_or(now)));
    let told = Duration::from_secs(left.as_secs());
    (!left.is_zero()).then_some(Next::Wait(Wait::Settle { color: winner, left: told }))
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
