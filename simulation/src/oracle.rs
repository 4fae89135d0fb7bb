//! Judges every write by its run's look, and every end by the needs of users, with independent arithmetic.

use std::time::Duration;

use crate::actor::{Command, brief, same, writes};
use crate::plan::color::{Color, Split};
use crate::plan::snapshot::{Rule, Service, Snapshot};
use crate::plan::step::{Purpose, Scaling, Step, Update, Weights};
use crate::plan::time::Time;
use crate::world::{BOTH, Start, World, index, named, split};

/// MaxCapacity of every scalable target.
const MOST: u32 = 12;

/// Healthy targets that a share of the users needs (invariant 16), by the state before either run.
pub(crate) fn need_of(start: &Start, share: u32, sum: u32) -> u32 {
    // The full load as a fraction.
    let whole = start.split.blue + start.split.green;
    let live = BOTH.into_iter().filter(|color| start.split.weight(*color) > 0);
    let load = match start.scaling {
        None => (start.counts[0].max(start.counts[1]), 1),
        Some(_) => live
            .map(|color| (start.counts[index(color)] * whole, start.split.weight(color)))
            .chain([(MOST, 1)])
            .min_by(|one, two| (one.0 * two.1).cmp(&(two.0 * one.1)))
            .unwrap(),
    };
    (share * load.0).div_ceil(sum * load.1).max(1)
}

/// Healthy targets of a service's tasks, or of one deployment's tasks.
pub(crate) fn healthy_of(service: &Service, deployment: Option<&str>) -> u32 {
    let targets = service.targets.as_ref().unwrap().as_ref().unwrap();
    let tasks = service.tasks.as_ref().unwrap().as_ref().unwrap();
    let healthy = tasks.iter().filter(|task| {
        let named = deployment.is_none_or(|id| task.started_by == id);
        named && targets.iter().any(|target| task.is_at(&target.id) && target.state == "healthy")
    });
    u32::try_from(healthy.count()).unwrap()
}

/// Healthy targets of a service's group, whoever they belong to.
pub(crate) fn healthy_in_group(service: &Service) -> u32 {
    let targets = service.targets.as_ref().unwrap().as_ref().unwrap();
    u32::try_from(targets.iter().filter(|target| target.state == "healthy").count()).unwrap()
}

/// The production rules of a look.
fn rules(seen: &Snapshot) -> Vec<&Rule> {
    let all = seen.balancers.iter().flatten().flatten().flat_map(|balancer| &balancer.rules);
    all.filter(|rule| rule.forward.len() == 2).collect()
}

/// True if users reach a color by any rule of a look.
fn is_live(seen: &Snapshot, color: Color) -> bool {
    rules(seen).iter().any(|rule| split(rule).weight(color) > 0)
}

/// The invariants that a write breaks by its run's look right before, each with the reason.
pub(crate) fn judge(seen: &Snapshot, step: &Step, world: &World, command: Command) -> Vec<String> {
    match step {
        Step::Weights(weights) => weigh(seen, weights, world, command),
        Step::Scaling(scaling) => scale(seen, scaling),
        Step::Update(update) => count(seen, update, world),
        Step::Find(_) | Step::Register(_) => Vec::new(),
        Step::Probe(_) | Step::Policy(_) | Step::Alarm(_) => vec!["no step of these runs".to_owned()],
    }
}

/// Invariants 3, 4, 10, 16, 17 and 19.
fn weigh(seen: &Snapshot, written: &Weights, world: &World, command: Command) -> Vec<String> {
    let mut broken = Vec::new();
    if command == Command::Deploy {
        broken.push("10: a deploy writes weights".to_owned());
    }
    let after = written.after;
    let groups = [("tg-blue".to_owned(), after.blue), ("tg-green".to_owned(), after.green)];
    if named(written) != groups || after.blue + after.green == 0 {
        broken.push(format!("4: {:?} for {after:?}", written.actions));
    }
    let rule = rules(seen).into_iter().find(|rule| rule.arn == written.rule).unwrap();
    if same(split(rule), after) {
        return broken;
    }
    // A run that restores a forced run's split acts for the forced run's user.
    let back = written.purpose == Purpose::Restore;
    let forced_there =
        world.forced.iter().any(|(rule, split, _)| *rule == written.rule && same(*split, after));
    let forced = command == Command::ColorCapacity || back && forced_there;
    for color in BOTH.into_iter().filter(|color| after.weight(*color) > 0) {
        let healthy = healthy_of(seen.service(color).unwrap(), None);
        let by_start = need_of(&world.start, after.weight(color), after.blue + after.green);
        // A run that began later, or whose reads lie apart, judges by the own look.
        let counts = BOTH.map(|color| seen.service(color).unwrap().desired);
        let now = Start { split: split(rule), counts, ..world.start };
        let by_seen = need_of(&now, after.weight(color), after.blue + after.green);
        let need = if forced { 1 } else { by_start.min(by_seen) };
        if healthy < need {
            // Enough in the group: targets of no task were counted.
            let invariant = if healthy_in_group(seen.service(color).unwrap()) < need { 16 } else { 37 };
            broken.push(format!(
                "{invariant}: {color} gets {after:?} with {healthy} healthy targets of its own, needs {need}"
            ));
        }
    }
    let open = |color: &Color| {
        let scaling = seen.service(*color).unwrap().scaling.as_ref().unwrap().as_ref().unwrap();
        scaling.is_some_and(|bounds| !bounds.in_suspended)
    };
    let both = after.blue > 0 && after.green > 0;
    if let Some(color) = BOTH.iter().find(|color| open(color)).filter(|_| both && !forced) {
        broken.push(format!("19: {color} may scale in while both are live"));
    }
    broken
}

/// Invariants 19 and 23.
fn scale(seen: &Snapshot, scaling: &Scaling) -> Vec<String> {
    let service = seen.service(scaling.color).unwrap();
    let mut broken = Vec::new();
    if scaling.max.is_some_and(|max| service.desired > max) {
        broken.push(format!("23: {} has {} tasks: {scaling:?}", scaling.color, service.desired));
    }
    if scaling.in_suspended == Some(false) && BOTH.into_iter().all(|color| is_live(seen, color)) {
        broken.push(format!("19: {} may scale in while both are live", scaling.color));
    }
    broken
}

/// Invariants 11, 22 and 23, and 22 of a color with users.
fn count(seen: &Snapshot, update: &Update, world: &World) -> Vec<String> {
    let color = update.color.production().unwrap();
    let service = seen.service(color).unwrap();
    let mut broken = Vec::new();
    let forward = update.purpose == crate::plan::step::Purpose::Deploy;
    if update.rolls() && forward && seen.balancers.is_some() && is_live(seen, color) {
        broken.push(format!("11: {color} has users and is deployed to"));
    }
    let Some(count) = update.desired else { return broken };
    let bounds = service.scaling.as_ref().and_then(|read| read.as_ref().ok()).copied().flatten();
    if count > service.desired && bounds.is_some_and(|bounds| count > bounds.max) {
        broken.push(format!("23: {color} to {count} with {bounds:?}"));
    }
    for rule in rules(seen).into_iter().filter(|_| count < service.desired) {
        let now = split(rule);
        let weight = now.weight(color);
        if weight > 0 && count < need_of(&world.start, weight, now.blue + now.green) {
            broken.push(format!("22: {color} with {now:?} from {} to {count}", service.desired));
        }
    }
    broken
}

/// Invariant 44: after both runs, every color has the healthy targets that users need. One is enough only for a split that
/// a forced run wrote. Whoever moves users on from there knows the load by the counts of that time.
pub(crate) fn served(world: &World) -> Vec<String> {
    let mut broken = Vec::new();
    for rule in &world.rules {
        let now: Split = split(&rule.now);
        let forced = world.forced.iter().any(|(arn, split, _)| *arn == rule.now.arn && same(*split, now));
        let starts = world.forced.iter().map(|(_, split, counts)| Start {
            split: *split,
            counts: *counts,
            ..world.start
        });
        let starts: Vec<Start> = starts.chain([world.start]).collect();
        for color in BOTH.into_iter().filter(|color| now.weight(*color) > 0) {
            let needs = starts.iter().map(|start| need_of(start, now.weight(color), now.blue + now.green));
            let needed = if forced { 1 } else { needs.min().unwrap_or(1) };
            let healthy = world.tiers[index(color)].now.healthy(world.now);
            if healthy < needed {
                broken.push(format!("44 served: {color} has {now:?} with {healthy} of {needed}"));
            }
        }
    }
    broken
}

/// A count that a run lowered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lowered {
    /// The color.
    pub(crate) color: Color,
    /// The count.
    pub(crate) count: u32,
    /// From when on AWS shows it.
    pub(crate) shows: Time,
}

/// Invariant 36, when a run ends by what it sees at this time: it has looked at the rules since its lower counts show, and
/// leaves no color with users below their need by a count of its own.
pub(crate) fn lowered(
    name: char,
    all: &[Lowered],
    (seen, at): (&Snapshot, Time),
    world: &World,
) -> Vec<String> {
    let mut broken = Vec::new();
    for Lowered { color, count, shows } in all {
        let desired = seen.service(*color).unwrap().desired;
        if at < *shows && desired != *count {
            broken.push(format!("36: {name} ends before its lower count of {color} shows"));
        }
        let own = world.sized_by[index(*color)] == Some(name);
        for now in rules(seen).into_iter().map(split).filter(|now| own && now.weight(*color) > 0) {
            let need = need_of(&world.start, now.weight(*color), now.blue + now.green);
            if desired < need {
                broken.push(format!("36: {name} leaves {color} with {now:?} and {desired} of {need} tasks"));
            }
        }
    }
    broken
}

/// The most equal writes of one run, and the least time between two of them.
const EQUAL: (usize, Duration) = (5, Duration::from_secs(5));

/// Invariant 40: equal writes of a run are few, and apart.
pub(crate) fn repeats(name: char, sent: &[(Time, Step)]) -> Vec<String> {
    let mut broken = Vec::new();
    for (at, (time, step)) in sent.iter().enumerate() {
        let earlier: Vec<Time> =
            sent[..at].iter().filter(|(_, one)| wants_same(one, step)).map(|(time, _)| *time).collect();
        if earlier.len() >= EQUAL.0 {
            broken.push(format!("40: {name} writes {} {} times", brief(step), earlier.len() + 1));
        }
        if earlier.last().is_some_and(|last| time.since(*last) < EQUAL.1) {
            broken.push(format!("40: {name} writes {} again within five seconds", brief(step)));
        }
    }
    broken
}

/// Whether two writes of one run ask for the same.
fn wants_same(one: &Step, other: &Step) -> bool {
    match (one, other) {
        (Step::Weights(one), Step::Weights(other)) => {
            (&one.rule, one.after, one.purpose) == (&other.rule, other.after, other.purpose)
        }
        (Step::Update(one), Step::Update(other)) => one == other,
        (Step::Scaling(one), Step::Scaling(other)) => one == other,
        (one, other) => writes(one) && one == other,
    }
}
