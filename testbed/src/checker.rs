//! Watches invariants 10, 16, 22 and 24 with its own arithmetic, from the state of ECS and ELB alone.
//!
//! It compares what it sees after a call with what it saw before, so each breach is told once. A production
//! rule is one that names the target groups of both colors.

use std::collections::BTreeMap;

use crate::elb::{Elb, RuleState, State};

/// A color: its ECS service and its target group, by ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Color {
    /// The service's ARN.
    pub service: String,
    /// The target group's ARN.
    pub group: String,
}

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's number.
    pub invariant: u8,
    /// What was seen.
    pub text: String,
    /// The last call before it was seen.
    pub call: u64,
}

/// Remembers what it saw last and what was wrong.
#[derive(Debug, Default)]
pub struct Checker {
    /// What was wrong so far, in order.
    violations: Vec<Violation>,
    /// Blue and green; none: nothing is watched.
    colors: Option<[Color; 2]>,
    /// What was seen last.
    seen: Option<Seen>,
    /// Whether a deploy is running.
    frozen: bool,
    /// Whether users are failing already and somebody said `force`.
    forced: bool,
    /// Whether somebody said that a color may be emptied.
    may_empty: bool,
}

/// A weight as a part of a sum, per color; none: the rule doesn't name the color's group.
type Split = [Option<(u32, u32)>; 2];

/// What the checker looks at, at one moment.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    /// The split of each production rule, by ARN.
    rules: BTreeMap<String, Split>,
    /// The same as the data plane has it.
    routed: BTreeMap<String, Split>,
    /// Desired counts; none: there is no such service.
    desired: [Option<u32>; 2],
    /// Healthy targets.
    healthy: [u32; 2],
    /// The least number of healthy targets that each group asks for by its own attributes.
    minimum: [u32; 2],
    /// Targets that are registered and not draining.
    registered: [u32; 2],
    /// Whether the groups exist.
    exists: [bool; 2],
}

/// What the colors are called in texts.
const NAMES: [&str; 2] = ["blue", "green"];

impl Checker {
    /// Starts to watch two colors, from the state that the next check finds.
    pub fn watch(&mut self, blue: Color, green: Color) {
        self.colors = Some([blue, green]);
        self.seen = None;
    }

    /// While on, any change of a production weight breaks invariant 10: a deploy is running.
    pub fn expect_no_weight_change(&mut self, on: bool) {
        self.frozen = on;
    }

    /// While on, one healthy target is enough for any weight: somebody said `force` (invariant 16).
    pub fn expect_force(&mut self, on: bool) {
        self.forced = on;
    }

    /// While on, a color may be emptied: somebody said so (invariant 24).
    pub fn expect_empty(&mut self, on: bool) {
        self.may_empty = on;
    }

    /// What was wrong so far, in order.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Compares with what was seen last. `desired` is a service's desired count by ARN, none when it does not
    /// exist.
    pub fn check(&mut self, elb: &Elb, desired: &dyn Fn(&str) -> Option<u32>, call: u64) {
        let Some(colors) = &self.colors else { return };
        let now = Seen::look(colors, elb, desired);
        if let Some(before) = self.seen.take()
            && before != now
        {
            let mut found = Vec::new();
            weights_kept(self.frozen, &before, &now, &mut found);
            enough_for_weight(self.forced, &before, &now, &mut found);
            shrinks_last(&before, &now, &mut found);
            nothing_lost(self.may_empty, &before, &now, &mut found);
            self.violations.extend(found.into_iter().map(|(invariant, text)| Violation {
                invariant,
                text,
                call,
            }));
        }
        self.seen = Some(now);
    }
}

impl Seen {
    /// Takes everything down.
    fn look(colors: &[Color; 2], elb: &Elb, desired: &dyn Fn(&str) -> Option<u32>) -> Self {
        let each = |of: &dyn Fn(&str) -> u32| [of(&colors[0].group), of(&colors[1].group)];
        Self {
            rules: splits(colors, elb.rules()),
            routed: splits(colors, elb.routed_rules()),
            desired: [desired(&colors[0].service), desired(&colors[1].service)],
            healthy: each(&|group| small(elb.count(group, State::Healthy))),
            minimum: each(&|group| own_minimum(elb, group)),
            registered: each(&|group| small(elb.registered(group))),
            exists: [elb.group_exists(&colors[0].group), elb.group_exists(&colors[1].group)],
        }
    }

    /// The full load in targets, where nothing scales automatically: the larger desired count (invariant 16).
    fn full_load(&self) -> u32 {
        self.desired.iter().flatten().copied().max().unwrap_or(0)
    }

    /// The largest number of targets that a color's weight asks for on any rule, in the control plane or
    /// still in the data plane. None: it has no weight anywhere.
    fn needed(&self, color: usize, full: u32) -> Option<u32> {
        let splits = self.rules.values().chain(self.routed.values());
        let shares = splits.filter_map(|split| split[color]).filter(|(weight, _)| *weight > 0);
        shares.map(|share| targets_for(share, full)).max()
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

/// Healthy targets that a share of the full load needs: `max(1, ceil(w × N))`.
fn targets_for((weight, total): (u32, u32), full: u32) -> u32 {
    (weight * full).div_ceil(total.max(1)).max(1)
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
fn say(split: &Split) -> String {
    let weight = |color: usize| split[color].map_or_else(|| "-".to_owned(), |(weight, _)| weight.to_string());
    format!("{}/{}", weight(0), weight(1))
}

/// Invariant 10: a deploy never changes a production weight.
fn weights_kept(frozen: bool, before: &Seen, now: &Seen, found: &mut Vec<(u8, String)>) {
    if !frozen {
        return;
    }
    for (rule, old) in &before.rules {
        let new = now.rules.get(rule);
        if new != Some(old) {
            let new = new.map_or_else(|| "nothing".to_owned(), say);
            found.push((
                10,
                format!("a deploy is running and the weights of {rule} went from {} to {new}", say(old)),
            ));
        }
    }
}

/// Invariants 16 and 17: whoever ends with weight after a change has the healthy targets for it.
fn enough_for_weight(forced: bool, before: &Seen, now: &Seen, found: &mut Vec<(u8, String)>) {
    for (rule, split) in now.rules.iter().filter(|(rule, split)| before.rules.get(*rule) != Some(*split)) {
        for (color, name) in NAMES.iter().enumerate() {
            let Some(share) = split[color].filter(|(weight, _)| *weight > 0) else { continue };
            let needed = targets_for(share, now.full_load()).max(now.minimum[color]);
            let needed = if forced { 1 } else { needed };
            let healthy = now.healthy[color];
            if healthy < needed {
                let what = format!("{name} got weight on {rule} ({})", say(split));
                found.push((16, format!("{what} with {healthy} healthy targets; it needs {needed}")));
            }
        }
    }
}

/// Invariant 22: a color with weight keeps the size for it; it shrinks below only when no production rule
/// sends it anybody any more.
fn shrinks_last(before: &Seen, now: &Seen, found: &mut Vec<(u8, String)>) {
    for (color, name) in NAMES.iter().enumerate() {
        let (Some(old), Some(new)) = (before.desired[color], now.desired[color]) else { continue };
        let Some(needed) = now.needed(color, before.full_load()).filter(|needed| new < old && new < *needed)
        else {
            continue;
        };
        let what = format!("{name} went from {old} to {new} tasks while a production rule sends it users");
        found.push((22, format!("{what}; it needs {needed}")));
    }
}

/// Invariant 24: nothing is deleted, and no color is emptied unless somebody said so.
fn nothing_lost(may_empty: bool, before: &Seen, now: &Seen, found: &mut Vec<(u8, String)>) {
    for rule in before.rules.keys().filter(|rule| !now.rules.contains_key(*rule)) {
        found.push((24, format!("the production rule {rule} is gone, or lost a color")));
    }
    for (color, name) in NAMES.iter().enumerate() {
        if before.exists[color] && !now.exists[color] {
            found.push((24, format!("the target group of {name} was deleted")));
        }
        if before.desired[color].is_some() && now.desired[color].is_none() {
            found.push((24, format!("the service of {name} was deleted")));
        }
        if may_empty {
            continue;
        }
        if before.desired[color].is_some_and(|old| old > 0) && now.desired[color] == Some(0) {
            found.push((24, format!("{name} was scaled to 0")));
        }
        let live = now.needed(color, 1).is_some();
        if live && before.registered[color] > 0 && now.registered[color] == 0 {
            found.push((
                24,
                format!("the target group of {name} is empty while a production rule sends it users"),
            ));
        }
    }
}
