//! What the checker looks at, and the arithmetic of invariants 16 and 17.

use std::collections::BTreeMap;

use super::{Capacity, Color};
use crate::elb::{Elb, RuleState, State};

/// A weight and the sum that it is a part of, per color; none: the rule doesn't name the color's group.
pub(super) type Split = [Option<(u32, u32)>; 2];

/// What the checker looks at, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// The split of each production rule, by ARN.
    pub(super) rules: BTreeMap<String, Split>,
    /// The same as the data plane has it.
    pub(super) routed: BTreeMap<String, Split>,
    /// The services' sizes; none: there is no such service.
    pub(super) capacity: [Option<Capacity>; 2],
    /// Healthy targets of the color's own tasks (invariant 37).
    pub(super) healthy: [u32; 2],
    /// The least number of healthy targets that each group asks for by its own attributes.
    pub(super) minimum: [u32; 2],
    /// Targets that are registered and not draining.
    pub(super) registered: [u32; 2],
    /// Whether the groups exist.
    pub(super) exists: [bool; 2],
}

/// A load in targets, as a fraction: `count` ÷ `of`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// The numerator.
    count: u64,
    /// The denominator, above 0.
    of: u64,
}

impl Load {
    /// So many targets.
    fn whole(count: u32) -> Self {
        Self { count: count.into(), of: 1 }
    }

    /// Whether it is less than another one.
    pub(super) fn is_below(self, other: Self) -> bool {
        u128::from(self.count) * u128::from(other.of) < u128::from(other.count) * u128::from(self.of)
    }

    /// The smaller one.
    fn min(self, other: Self) -> Self {
        if other.is_below(self) { other } else { self }
    }

    /// Healthy targets that a share of it needs: `max(1, ceil(w × N))`.
    pub(super) fn targets_for(self, (weight, total): (u32, u32)) -> u32 {
        let whole = u128::from(total.max(1)) * u128::from(self.of);
        let needed = (u128::from(weight) * u128::from(self.count)).div_ceil(whole);
        u32::try_from(needed).unwrap_or(u32::MAX).max(1)
    }
}

impl Seen {
    /// Takes everything down.
    pub(super) fn look(colors: &[Color; 2], elb: &Elb, capacity: &dyn Fn(&str) -> Option<Capacity>) -> Self {
        let each = |of: &dyn Fn(&str) -> u32| [of(&colors[0].group), of(&colors[1].group)];
        let capacity = [capacity(&colors[0].service), capacity(&colors[1].service)];
        let healthy = |color: usize| own_healthy(elb, &colors[color].group, capacity[color].as_ref());
        Self {
            rules: splits(colors, elb.rules()),
            routed: splits(colors, elb.routed_rules()),
            healthy: [healthy(0), healthy(1)],
            capacity,
            minimum: each(&|group| own_minimum(elb, group)),
            registered: each(&|group| small(elb.registered(group))),
            exists: [elb.group_exists(&colors[0].group), elb.group_exists(&colors[1].group)],
        }
    }

    /// A color's desired count; none when there is no such service.
    pub(super) fn desired(&self, color: usize) -> Option<u32> {
        self.capacity[color].as_ref().map(|capacity| capacity.desired)
    }

    /// The load that the live colors can carry: the smallest of desired count ÷ share over all rules, and at most the
    /// largest desired count of theirs where one does not scale. None: no color is live, or a service is gone.
    pub(super) fn served_load(&self) -> Option<Load> {
        let mut load: Option<Load> = None;
        let (mut largest, mut scales) = (0, true);
        for (share, capacity) in self.rules.values().flat_map(|split| split.iter().zip(&self.capacity)) {
            let Some((weight, total)) = share.filter(|(weight, _)| *weight > 0) else { continue };
            let capacity = capacity.as_ref()?;
            largest = largest.max(capacity.desired);
            scales &= capacity.scaling.is_some();
            let count = u64::from(capacity.desired) * u64::from(total);
            let reading = Load { count, of: weight.into() };
            load = Some(load.map_or(reading, |load| load.min(reading)));
        }
        load.map(|load| if scales { load } else { load.min(Load::whole(largest)) })
    }

    /// The desired count of a color that has all users, in the control plane and in the data plane.
    pub(super) fn alone_load(&self) -> Option<Load> {
        match [self.is_live(0), self.is_live(1)] {
            [true, false] => self.desired(0).map(Load::whole),
            [false, true] => self.desired(1).map(Load::whole),
            [true, true] | [false, false] => None,
        }
    }

    /// The larger desired count.
    pub(super) fn larger_count(&self) -> Load {
        Load::whole(self.capacity.iter().flatten().map(|capacity| capacity.desired).max().unwrap_or(0))
    }

    /// The full load (invariant 16), the smallest that any production rule tells of.
    ///
    /// Rules differ while a run changes one after the other. The smallest load is then the one of the state before its
    /// first write: the rules that are still to change tell of that load, and a color that has the targets for its new
    /// share of it tells of none that is smaller. `larger` is the larger desired count, which is the load where
    /// nothing scales.
    pub(super) fn full_load(&self, larger: Load) -> Load {
        let loads = self.rules.values().map(|split| self.scaled_load(split).unwrap_or(larger));
        loads.reduce(Load::min).unwrap_or(larger)
    }

    /// The load by a rule whose live colors all scale automatically: the smallest of desired count ÷ share, at most
    /// the largest MaxCapacity of the live colors. None: no color is live, or one does not scale.
    fn scaled_load(&self, split: &Split) -> Option<Load> {
        let mut load: Option<Load> = None;
        let mut most = 0;
        for (share, capacity) in split.iter().zip(&self.capacity) {
            let Some((weight, total)) = share.filter(|(weight, _)| *weight > 0) else { continue };
            let capacity = capacity.as_ref()?;
            most = most.max(capacity.scaling.as_ref()?.max);
            let count = u64::from(capacity.desired) * u64::from(total);
            let reading = Load { count, of: weight.into() };
            load = Some(load.map_or(reading, |load| load.min(reading)));
        }
        load.map(|load| load.min(Load::whole(most)))
    }

    /// A color's shares above 0, in the control plane and in the data plane.
    fn shares(&self, color: usize) -> impl Iterator<Item = (u32, u32)> {
        let splits = self.rules.values().chain(self.routed.values());
        splits.filter_map(move |split| split[color]).filter(|(weight, _)| *weight > 0)
    }

    /// Whether a color has weight on some production rule, in the control plane or still in the data plane.
    pub(super) fn is_live(&self, color: usize) -> bool {
        self.shares(color).next().is_some()
    }

    /// Whether a color has weight on some production rule in the control plane.
    pub(super) fn has_weight(&self, color: usize) -> bool {
        self.rules.values().any(|split| split[color].is_some_and(|(weight, _)| weight > 0))
    }

    /// The largest number of targets that a color's weight asks for on any rule, in the control plane or
    /// still in the data plane. None: it has no weight anywhere.
    pub(super) fn needed(&self, color: usize, full: Load) -> Option<u32> {
        self.shares(color).map(|share| full.targets_for(share)).max()
    }
}

/// The production rules with their splits: those that name both groups.
fn splits(colors: &[Color; 2], rules: Vec<RuleState>) -> BTreeMap<String, Split> {
    let of = |rule: RuleState| {
        let split = [rule.weight(&colors[0].group), rule.weight(&colors[1].group)];
        split.iter().all(Option::is_some).then_some((rule.rule, split))
    };
    rules.into_iter().filter_map(of).collect()
}

/// Healthy targets of a group that the service's own tasks put there.
fn own_healthy(elb: &Elb, group: &str, capacity: Option<&Capacity>) -> u32 {
    let Some(own) = capacity.and_then(|capacity| capacity.own.as_ref()) else {
        return small(elb.count(group, State::Healthy));
    };
    let is_healthy =
        |id: &str, port| elb.health(group, id, port).is_some_and(|at| at.state == State::Healthy);
    small(own.iter().filter(|(id, port)| is_healthy(id, *port)).count())
}

/// What a group's own minimum-healthy attributes ask for, of the targets that it has.
fn own_minimum(elb: &Elb, group: &str) -> u32 {
    let all = small(elb.registered(group));
    let number = |area: &str, unit: &str| {
        let key = format!("target_group_health.{area}.minimum_healthy_targets.{unit}");
        elb.group_attribute(group, &key).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0)
    };
    let of = |area| number(area, "count").max((number(area, "percentage") * all).div_ceil(100));
    of("unhealthy_state_routing").max(of("dns_failover"))
}

/// A count of targets; there are never many.
fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A split in words.
pub(super) fn say(split: &Split) -> String {
    let weight = |color: usize| split[color].map_or_else(|| "-".to_owned(), |(weight, _)| weight.to_string());
    format!("{}/{}", weight(0), weight(1))
}
