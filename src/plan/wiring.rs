//! Finds production rules, test rules, and the split of users, from the rules alone.

mod routing_error;

use std::collections::BTreeSet;

pub(crate) use self::routing_error::RoutingError;
use super::address::{Address, Entry};
use super::color::{Color, ServiceColor, Split};
use super::earlier_rules::EarlierRule;
use super::snapshot::{Balancer, Rule, Snapshot};
use super::user_rules::{UserRule, user_rules};
use super::wanted::{Hosts, ListenerChoice};

/// True if this rule belongs to the listener that the user named.
fn is_chosen(choice: &ListenerChoice, rule: &Rule) -> bool {
    match choice {
        ListenerChoice::Arn(arn) => rule.listener == *arn,
        ListenerChoice::Port { protocol, port } => {
            rule.port == *port && protocol.is_none_or(|wanted| rule.protocol == wanted.word())
        }
    }
}

/// The target group ARN of each color.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    /// Blue's.
    pub(crate) blue: String,
    /// Green's.
    pub(crate) green: String,
    /// Develop's, if there is one.
    pub(crate) develop: Option<String>,
}

impl Groups {
    /// The color of a target group.
    pub(crate) fn color(&self, arn: &str) -> Option<ServiceColor> {
        if arn == self.blue {
            Some(ServiceColor::Blue)
        } else if arn == self.green {
            Some(ServiceColor::Green)
        } else {
            self.develop.as_deref().filter(|develop| *develop == arn).map(|_| ServiceColor::Develop)
        }
    }
}

/// All users of one rule, in millionths.
const WHOLE: u64 = 1_000_000;

/// A production rule with the split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProductionRule {
    /// The rule as found.
    pub(crate) rule: Rule,
    /// The weights.
    pub(crate) split: Split,
    /// The color that the rule still lacks on day one.
    pub(crate) lacks: Option<Color>,
}

/// The connection of the load balancer to the colors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wiring {
    /// The target groups.
    pub(crate) groups: Groups,
    /// The production rules, in the order of listener and priority; never empty.
    pub(crate) production: Vec<ProductionRule>,
    /// The production rules as sources of addresses for users.
    entries: Vec<Entry>,
    /// Rules outside production that forward to one color alone, default actions first.
    pub(crate) tests: Vec<Entry>,
    /// Rules outside the split that send users to a color.
    pub(crate) user_rules: Vec<UserRule>,
    /// Rules that an earlier look of this run showed as production rules, and that are none any more.
    pub(crate) gone: Vec<EarlierRule>,
}

impl Wiring {
    /// The common split of all production rules, as a ratio.
    pub(crate) fn split(&self) -> Split {
        self.production.first().map_or(Split { blue: 0, green: 0 }, |rule| rule.split)
    }

    /// True if a production rule holds this color's target group, with or without weight.
    pub(crate) fn is_in_production(&self, color: ServiceColor) -> bool {
        let held = |color| self.production.iter().any(|rule| rule.lacks != Some(color));
        color.production().is_some_and(held)
    }

    /// True if any production rule sends users to this color.
    pub(crate) fn split_reaches(&self, color: Color) -> bool {
        self.production.iter().any(|rule| rule.split.is_live(color))
    }

    /// True if users reach this color through any rule of a production listener (invariant 39).
    pub(crate) fn is_live(&self, color: Color) -> bool {
        self.split_reaches(color) || !self.user_rules_of(color).is_empty()
    }

    /// The color's share of users in millionths, summed over the production rules. Each rule outside the split that sends
    /// users to the color counts as one whole. A larger sum means more users.
    pub(crate) fn user_share(&self, color: Color) -> u64 {
        let share = |split: Split| {
            let sum = u64::from(split.blue) + u64::from(split.green);
            (u64::from(split.weight(color)) * WHOLE).checked_div(sum).unwrap_or_default()
        };
        let outside: u64 = self.user_rules.iter().filter(|rule| rule.color == color).map(|_| WHOLE).sum();
        self.production.iter().map(|rule| share(rule.split)).sum::<u64>() + outside
    }

    /// The names of the rules outside the split that send users to this color.
    pub(crate) fn user_rules_of(&self, color: Color) -> Vec<String> {
        let own = self.user_rules.iter().filter(|rule| rule.color == color);
        own.map(|rule| rule.rule.clone()).collect()
    }

    /// The address of production for users.
    pub(crate) fn production_address(&self, hosts: &Hosts) -> Option<Address> {
        self.entries.iter().find_map(|entry| entry.of_users(hosts.production.as_deref()))
    }

    /// The address of a color alone for people.
    pub(crate) fn test_address(&self, color: impl Into<ServiceColor>, hosts: &Hosts) -> Option<Address> {
        let color = color.into();
        self.tests_of(color).find_map(|entry| entry.shown(hosts.of(color)))
    }

    /// The address for a probe of this path (perhaps with a query) to a color alone.
    pub(crate) fn probe_address(
        &self,
        color: impl Into<ServiceColor>,
        target: &str,
        hosts: &Hosts,
    ) -> Option<Address> {
        let color = color.into();
        self.tests_of(color).find_map(|entry| entry.probe(target, hosts.of(color)))
    }

    /// The HTTPS listener that leads to a color alone but lacks a known host.
    pub(crate) fn hostless_listener(&self, color: impl Into<ServiceColor>, hosts: &Hosts) -> Option<String> {
        let color = color.into();
        self.tests_of(color).find_map(|entry| entry.lacks_host(hosts.of(color)))
    }

    /// The rules that forward to this color alone.
    pub(crate) fn tests_of(&self, color: impl Into<ServiceColor>) -> impl Iterator<Item = &Entry> {
        let color = color.into();
        self.tests.iter().filter(move |entry| entry.color == color)
    }

    /// The color without users. None if both have users.
    pub(crate) fn idle(&self) -> Option<Color> {
        Color::BOTH.into_iter().find(|color| !self.is_live(*color))
    }
}

/// The name of a rule for people: `HTTPS:443 rule 10`, `HTTP:80 default`.
pub(crate) fn rule_name(rule: &Rule) -> String {
    match rule.priority {
        Some(priority) => format!("{}:{} rule {priority}", rule.protocol, rule.port),
        None => format!("{}:{} default", rule.protocol, rule.port),
    }
}

/// The rules that count as production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    /// Rules with both groups. Without any, rules of the named listener with one of the groups.
    Both,
    /// Rules with both groups, and rules of the named listener with one of the groups. A run that adds the other group
    /// writes the rules in sequence. Meanwhile every rule must stay production.
    BothAndLone,
}

/// Reads the wiring: one load balancer, the production rules that count, test rules. The splits may disagree.
fn build_wiring(
    count: Count,
    groups: &Groups,
    balancer: &Balancer,
    (listener, earlier): (Option<&ListenerChoice>, &[EarlierRule]),
) -> Result<Wiring, RoutingError> {
    if !balancer.arn.contains("loadbalancer/app/") {
        return Err(RoutingError::NotApplication(balancer.arn.clone()));
    }
    let production = production_rules(count, groups, balancer, listener)?;
    let is_gone = |earlier: &&EarlierRule| !production.iter().any(|known| known.rule.arn == earlier.arn);
    let listeners = production.iter().map(|known| &known.rule.listener);
    let listeners: BTreeSet<&String> =
        listeners.chain(earlier.iter().map(|earlier| &earlier.listener)).collect();
    let entries =
        production.iter().map(|known| Entry::new(ServiceColor::Blue, balancer, &known.rule)).collect();
    Ok(Wiring {
        groups: groups.clone(),
        entries: defaults_first(entries),
        tests: test_entries(groups, balancer, &production),
        user_rules: user_rules(groups, &balancer.rules, (&production, &listeners)),
        gone: earlier.iter().filter(is_gone).cloned().collect(),
        production,
    })
}

/// The wiring in a snapshot. None: a needed part was not read, or the read failed.
pub(crate) type Wired = Option<Result<Wiring, RoutingError>>;

/// The wiring, if all production rules hold the same split.
pub(crate) fn agreed_wiring(wired: &Wired) -> Option<Result<&Wiring, RoutingError>> {
    Some(match wired.as_ref()? {
        Ok(wiring) if !rules_agree(&wiring.production) => Err(disagreement_error(&wiring.production)),
        Ok(wiring) => Ok(wiring),
        Err(tangle) => Err(tangle.clone()),
    })
}

/// The error for rules that disagree, each with the split.
pub(crate) fn disagreement_error(rules: &[ProductionRule]) -> RoutingError {
    RoutingError::Disagree(rules.iter().map(|rule| (rule_name(&rule.rule), rule.split)).collect())
}

/// True if all rules hold the same ratio.
fn rules_agree(rules: &[ProductionRule]) -> bool {
    rules
        .windows(2)
        .all(|pair| pair.iter().zip(pair.iter().skip(1)).all(|(a, b)| a.split.same_ratio(b.split)))
}

/// The rules that hold both groups, and day one's rules of the named listener.
fn production_rules(
    count: Count,
    groups: &Groups,
    balancer: &Balancer,
    listener: Option<&ListenerChoice>,
) -> Result<Vec<ProductionRule>, RoutingError> {
    let holds = |rule: &Rule, group: &str| rule.forward.iter().any(|target| target.group == group);
    let held = |rule: &Rule| (holds(rule, &groups.blue), holds(rule, &groups.green));
    let wired = balancer.rules.iter().any(|rule| held(rule) == (true, true));
    let lone = |rule: &Rule| {
        (!wired || count == Count::BothAndLone) && listener.is_some_and(|choice| is_chosen(choice, rule))
    };
    let counts = |rule: &&Rule| match held(rule) {
        (true, true) => true,
        (false, false) => false,
        (true, false) | (false, true) => lone(rule),
    };
    let rules: Vec<&Rule> = balancer.rules.iter().filter(counts).collect();
    match (rules.is_empty(), listener) {
        (true, None) => Err(RoutingError::NoProductionRule(listener_names(balancer))),
        (true, Some(_)) => Err(RoutingError::NoSuchListener(listener_names(balancer))),
        (false, _) => rules.into_iter().map(|rule| production_rule(groups, rule)).collect(),
    }
}

/// The listeners of a load balancer for a message: `HTTP:80`.
fn listener_names(balancer: &Balancer) -> Vec<String> {
    let mut all: Vec<String> =
        balancer.rules.iter().map(|rule| format!("{}:{}", rule.protocol, rule.port)).collect();
    all.sort();
    all.dedup();
    all
}

/// Action types that a production rule may hold.
const KNOWN_ACTIONS: [&str; 6] =
    ["forward", "authenticate-oidc", "authenticate-cognito", "fixed-response", "redirect", "jwt-validation"];

/// Reads one production rule.
fn production_rule(groups: &Groups, rule: &Rule) -> Result<ProductionRule, RoutingError> {
    let name = rule_name(rule);
    if let Some(action) = rule.actions.iter().find(|action| !KNOWN_ACTIONS.contains(&action.as_str())) {
        return Err(RoutingError::UnknownAction { rule: name, action: action.clone() });
    }
    let ours = |group: &str| group == groups.blue || group == groups.green;
    if let Some(third) = rule.forward.iter().find(|target| !ours(&target.group)) {
        return Err(RoutingError::ThirdGroup { rule: name, group: third.group.clone() });
    }
    let weight =
        |group: &str| rule.forward.iter().find(|target| target.group == group).map(|target| target.weight);
    let (blue, green) = (weight(&groups.blue), weight(&groups.green));
    let (split, lacks) = match (blue, green) {
        (Some(blue), Some(green)) => (Split { blue, green }, None),
        (Some(_), None) => (Split::all_on(Color::Blue), Some(Color::Green)),
        (None, Some(_)) => (Split::all_on(Color::Green), Some(Color::Blue)),
        (None, None) => (Split { blue: 0, green: 0 }, None),
    };
    if split.blue + split.green == 0 {
        return Err(RoutingError::NoWeight(name));
    }
    Ok(ProductionRule { rule: rule.clone(), split, lacks })
}

/// The rules outside production that forward to one color alone.
fn test_entries(groups: &Groups, balancer: &Balancer, production: &[ProductionRule]) -> Vec<Entry> {
    let is_production = |rule: &Rule| production.iter().any(|known| known.rule.arn == rule.arn);
    let entry = |rule: &Rule| match rule.forward.as_slice() {
        [only] => groups.color(&only.group).map(|color| Entry::new(color, balancer, rule)),
        _ => None,
    };
    let rules = balancer.rules.iter().filter(|rule| !is_production(rule));
    defaults_first(rules.filter_map(entry).collect())
}

/// Default actions of listeners first: they have no other condition.
fn defaults_first(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| !entry.is_default());
    entries
}

/// Finds the groups and the load balancer in a snapshot. `None`: a needed part was not read, or the read failed.
pub(crate) fn of_snapshot(snapshot: &Snapshot, listener: Option<&ListenerChoice>) -> Wired {
    let wired = read_wiring(snapshot, listener, Count::Both);
    Some(agreed_wiring(&wired)?.cloned())
}

/// The same, even if the production rules disagree: a change of traffic may be half done.
pub(crate) fn apart_of_snapshot(snapshot: &Snapshot, listener: Option<&ListenerChoice>) -> Wired {
    read_wiring(snapshot, listener, Count::Both)
}

/// The same for a run that adds groups to the rules of the named listener.
pub(crate) fn adopting_of_snapshot(snapshot: &Snapshot, listener: Option<&ListenerChoice>) -> Wired {
    read_wiring(snapshot, listener, Count::BothAndLone)
}

/// Finds the groups and the load balancer, and reads the rules.
fn read_wiring(snapshot: &Snapshot, listener: Option<&ListenerChoice>, count: Count) -> Wired {
    let group = |color: ServiceColor| {
        snapshot.service(color).and_then(|service| service.group.as_ref()?.as_ref().ok())
    };
    let (blue, green) = (group(ServiceColor::Blue)?, group(ServiceColor::Green)?);
    let develop = group(ServiceColor::Develop);
    for (color, group) in [
        (ServiceColor::Blue, Some(blue)),
        (ServiceColor::Green, Some(green)),
        (ServiceColor::Develop, develop),
    ] {
        let Some(group) = group else { continue };
        if !["ip", "instance"].contains(&group.target_type.as_str()) {
            return Some(Err(RoutingError::TargetType(color, group.target_type.clone())));
        }
    }
    if blue.arn == green.arn {
        return Some(Err(RoutingError::SameGroup(blue.name.clone())));
    }
    let all = snapshot.balancers.as_ref()?.as_ref().ok()?;
    let balancer = match (blue.balancers.first(), green.balancers.first()) {
        (Some(one), Some(two)) if one != two => {
            return Some(Err(RoutingError::TwoBalancers(vec![one.clone(), two.clone()])));
        }
        (None, _) => return Some(Err(RoutingError::Unattached(ServiceColor::Blue))),
        (_, None) => return Some(Err(RoutingError::Unattached(ServiceColor::Green))),
        (Some(arn), Some(_)) => all.iter().find(|balancer| balancer.arn == *arn)?,
    };
    let groups = Groups {
        blue: blue.arn.clone(),
        green: green.arn.clone(),
        develop: develop.map(|group| group.arn.clone()),
    };
    let mut wiring = build_wiring(count, &groups, balancer, (listener, &snapshot.earlier));
    if let Ok(wiring) = &mut wiring {
        add_develop(wiring, develop.map(|group| &group.balancers), all);
    }
    Some(wiring)
}

/// Adds test rules of develop's own load balancer, if develop has one.
fn add_develop(wiring: &mut Wiring, balancers: Option<&Vec<String>>, all: &[Balancer]) {
    if wiring.tests_of(ServiceColor::Develop).next().is_some() {
        return;
    }
    let of_develop = |balancer: &&Balancer| balancers.is_some_and(|arns| arns.contains(&balancer.arn));
    for balancer in all.iter().filter(of_develop) {
        let found = test_entries(&wiring.groups, balancer, &wiring.production);
        wiring.tests.extend(found.into_iter().filter(|entry| entry.color == ServiceColor::Develop));
    }
}

#[cfg(test)]
#[path = "wiring_tests.rs"]
mod test_entries;
