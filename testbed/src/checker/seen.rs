//! The checker's view of the state, and the arithmetic of invariants 16 and 17.

use std::collections::BTreeMap;

use super::{Capacity, Color};
use crate::elb::{Elb, RuleState, State};

/// A weight and the sum of weights, per color; none if the rule doesn't name the color's group.
pub(super) type Split = [Option<(u32, u32)>; 2];

/// The checker's view of the state at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    /// The split of each production rule, by ARN.
    pub(super) rules: BTreeMap<String, Split>,
    /// The same in the data plane.
    pub(super) routed: BTreeMap<String, Split>,
    /// The services' sizes; none for a missing service.
    pub(super) capacity: [Option<Capacity>; 2],
    /// Healthy targets of the color's own tasks (invariant 37).
    pub(super) healthy: [u32; 2],
    /// The minimum of healthy targets in each group's own attributes.
    pub(super) minimum: [u32; 2],
    /// Registered targets that are not draining.
    pub(super) registered: [u32; 2],
    /// True for each existing group.
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
    /// A whole number of targets.
    fn whole(count: u32) -> Self {
        Self { count: count.into(), of: 1 }
    }

    /// True if this load is smaller than the other.
    pub(super) fn is_below(self, other: Self) -> bool {
        u128::from(self.count) * u128::from(other.of) < u128::from(other.count) * u128::from(self.of)
    }

    /// The smaller load.
    fn min(self, other: Self) -> Self {
        if other.is_below(self) { other } else { self }
    }

    /// Healthy targets for a share of the load: `max(1, ceil(w × N))`.
    pub(super) fn targets_for(self, (weight, total): (u32, u32)) -> u32 {
        let whole = u128::from(total.max(1)) * u128::from(self.of);
        let needed = (u128::from(weight) * u128::from(self.count)).div_ceil(whole);
        u32::try_from(needed).unwrap_or(u32::MAX).max(1)
    }
}

impl Seen {
    /// Reads the whole state.
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

    /// A color's desired count; none if there is no such service.
    pub(super) fn desired(&self, color: usize) -> Option<u32> {
        self.capacity[color].as_ref().map(|capacity| capacity.desired)
    }

    /// The load that the live colors can carry: the smallest of desired count ÷ share over all rules, and at most the
    /// largest desired count of the live colors if one of these does not scale. None: no color is live, or a service is
    /// gone.
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

    /// The full load (invariant 16): the smallest load by any production rule.
    ///
    /// Rules differ while a run changes one after the other. The smallest load then belongs to the state before the
    /// first write: the unchanged rules still show that load, and a color with enough targets for its new share shows
    /// no smaller load. `larger` is the larger desired count, which is the load if nothing scales.
    pub(super) fn full_load(&self, larger: Load) -> Load {
        let loads = self.rules.values().map(|split| self.scaled_load(split).unwrap_or(larger));
        loads.reduce(Load::min).unwrap_or(larger)
    }

    /// The load by a rule whose live colors all scale automatically: the smallest of desired count ÷ share, at most the
    /// largest MaxCapacity of the live colors. None: no color is live, or one does not scale.
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

    /// True if a color has weight on some production rule, in the control plane or still in the data plane.
    pub(super) fn is_live(&self, color: usize) -> bool {
        self.shares(color).next().is_some()
    }

    /// True if a color has weight on some production rule in the control plane.
    pub(super) fn has_weight(&self, color: usize) -> bool {
        self.rules.values().any(|split| split[color].is_some_and(|(weight, _)| weight > 0))
    }

    /// The largest number of targets that a color's weight needs on any rule, in the control plane or still in the data
    /// plane. None without any weight.
    pub(super) fn needed(&self, color: usize, full: Load) -> Option<u32> {
        self.shares(color).map(|share| full.targets_for(share)).max()
    }
}

/// The production rules with their splits: all rules that name both groups.
fn splits(colors: &[Color; 2], rules: Vec<RuleState>) -> BTreeMap<String, Split> {
    let of = |rule: RuleState| {
        let split = [rule.weight(&colors[0].group), rule.weight(&colors[1].group)];
        split.iter().all(Option::is_some).then_some((rule.rule, split))
    };
    rules.into_iter().filter_map(of).collect()
}

/// Healthy targets of a group that belong to the service's own tasks.
fn own_healthy(elb: &Elb, group: &str, capacity: Option<&Capacity>) -> u32 {
    let Some(own) = capacity.and_then(|capacity| capacity.own.as_ref()) else {
        return small(elb.count(group, State::Healthy));
    };
    let is_healthy =
        |id: &str, port| elb.health(group, id, port).is_some_and(|at| at.state == State::Healthy);
    small(own.iter().filter(|(id, port)| is_healthy(id, *port)).count())
}

/// The minimum that a group's own minimum-healthy attributes require for its number of targets.
fn own_minimum(elb: &Elb, group: &str) -> u32 {
    let all = small(elb.registered(group));
    let number = |area: &str, unit: &str| {
        let key = format!("target_group_health.{area}.minimum_healthy_targets.{unit}");
        elb.group_attribute(group, &key).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0)
    };
    let of = |area| number(area, "count").max((number(area, "percentage") * all).div_ceil(100));
    of("unhealthy_state_routing").max(of("dns_failover"))
}

/// A count of targets, always small.
fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A split in words.
pub(super) fn say(split: &Split) -> String {
    let weight = |color: usize| split[color].map_or_else(|| "-".to_owned(), |(weight, _)| weight.to_string());
    format!("{}/{}", weight(0), weight(1))
}
