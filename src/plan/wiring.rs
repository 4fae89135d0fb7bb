//! Which listener rules are production, which are tests, and how users are split: read from the rules alone.

use super::color::{Color, Split};
use super::snapshot::{Balancer, Rule, Snapshot};
use super::wanted::ListenerChoice;

/// Whether this rule belongs to the listener that the user named.
fn chosen(choice: &ListenerChoice, rule: &Rule) -> bool {
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
    /// Develop's, where there is one.
    pub(crate) develop: Option<String>,
}

impl Groups {
    /// The color that a group belongs to.
    fn color(&self, arn: &str) -> Option<Color> {
        if arn == self.blue {
            Some(Color::Blue)
        } else if arn == self.green {
            Some(Color::Green)
        } else {
            self.develop.as_deref().filter(|develop| *develop == arn).map(|_| Color::Develop)
        }
    }
}

/// A production rule and its split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProductionRule {
    /// The rule as it was found.
    pub(crate) rule: Rule,
    /// Its weights.
    pub(crate) split: Split,
    /// The group that day one's rule does not hold yet.
    pub(crate) lacks: Option<Color>,
}

/// Where a test or production request can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// The color that answers there.
    pub(crate) color: Color,
    /// `http` or `https`.
    pub(crate) scheme: String,
    /// The load balancer's DNS name.
    pub(crate) dns: String,
    /// The listener's port.
    pub(crate) port: u16,
    /// The `Host` that the rule asks for, without wildcards.
    pub(crate) host: Option<String>,
    /// The path that the rule asks for, up to its first wildcard.
    pub(crate) path: Option<String>,
}

impl Address {
    /// The address as a URL without a path; a default port is left out.
    pub(crate) fn url(&self) -> String {
        match (self.scheme.as_str(), self.port) {
            ("http", 80) | ("https", 443) => format!("{}://{}", self.scheme, self.dns),
            (scheme, port) => format!("{scheme}://{}:{port}", self.dns),
        }
    }
}

/// How the load balancer is wired to the colors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wiring {
    /// The target groups.
    pub(crate) groups: Groups,
    /// The production rules, in the order of listener and priority; never empty.
    pub(crate) production: Vec<ProductionRule>,
    /// Where production answers.
    pub(crate) production_address: Option<Address>,
    /// Rules that forward to one color alone.
    pub(crate) tests: Vec<Address>,
}

/// Why the wiring can't be read; words are found elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tangle {
    /// The groups belong to different load balancers.
    TwoBalancers(Vec<String>),
    /// A group belongs to no load balancer.
    Unattached(Color),
    /// Not an Application Load Balancer.
    NotApplication(String),
    /// A target type other than `ip` and `instance`.
    TargetType(Color, String),
    /// Both colors use one target group.
    SameGroup(String),
    /// No rule holds both groups and no `listener` was named; the listeners that were found.
    NoProductionRule(Vec<String>),
    /// The named `listener` does not exist, or does not forward to a color; the listeners that were found.
    NoSuchListener(Vec<String>),
    /// A production rule forwards to a third group.
    ThirdGroup {
        /// The rule.
        rule: String,
        /// The group that is not ours.
        group: String,
    },
    /// A production rule has an action of a type that is not known.
    UnknownAction {
        /// The rule.
        rule: String,
        /// The type.
        action: String,
    },
    /// The weights of a production rule sum to 0.
    NoWeight(String),
    /// Production rules that hold different splits.
    Disagree(Vec<(String, Split)>),
}

impl Wiring {
    /// The split that all production rules hold, as a ratio.
    pub(crate) fn split(&self) -> Split {
        self.production.first().map_or(Split { blue: 0, green: 0 }, |rule| rule.split)
    }

    /// Whether users reach this color through any production rule.
    pub(crate) fn is_live(&self, color: Color) -> bool {
        self.production.iter().any(|rule| rule.split.is_live(color))
    }

    /// Where a color can be tested.
    pub(crate) fn test_address(&self, color: Color) -> Option<&Address> {
        self.tests.iter().find(|address| address.color == color)
    }

    /// The color that serves no users; none when both do.
    pub(crate) fn idle(&self) -> Option<Color> {
        [Color::Blue, Color::Green].into_iter().find(|color| !self.is_live(*color))
    }
}

/// The names of a rule for people: `HTTPS:443 rule 10`, `HTTP:80 default`.
pub(crate) fn rule_name(rule: &Rule) -> String {
    match rule.priority {
        Some(priority) => format!("{}:{} rule {priority}", rule.protocol, rule.port),
        None => format!("{}:{} default", rule.protocol, rule.port),
    }
}

/// Which rules count as production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    /// Those that hold both groups; only where there is none, those of the named listener that hold one of them.
    Both,
    /// Those that hold both groups, and those of the named listener that hold one of them: a run that brings the other
    /// group in writes one rule after the other, and none of them stops being production meanwhile.
    BothAndLone,
}

/// Reads the wiring: one load balancer, the production rules that count, test rules. The rules need not agree.
fn wire(
    count: Count,
    groups: &Groups,
    balancer: &Balancer,
    listener: Option<&ListenerChoice>,
) -> Result<Wiring, Tangle> {
    if !balancer.arn.contains("loadbalancer/app/") {
        return Err(Tangle::NotApplication(balancer.arn.clone()));
    }
    let production = production_rules(count, groups, balancer, listener)?;
    let production_address = production.first().map(|first| address(Color::Blue, balancer, &first.rule));
    Ok(Wiring {
        groups: groups.clone(),
        tests: tests(groups, balancer, &production),
        production,
        production_address,
    })
}

/// The wiring, where its production rules agree.
fn agreed(wiring: Wiring) -> Result<Wiring, Tangle> {
    if agree(&wiring.production) { Ok(wiring) } else { Err(disagreement(&wiring.production)) }
}

/// Rules that disagree, each with what it holds.
pub(crate) fn disagreement(rules: &[ProductionRule]) -> Tangle {
    Tangle::Disagree(rules.iter().map(|rule| (rule_name(&rule.rule), rule.split)).collect())
}

/// Whether all rules hold the same ratio.
fn agree(rules: &[ProductionRule]) -> bool {
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
) -> Result<Vec<ProductionRule>, Tangle> {
    let holds = |rule: &Rule, group: &str| rule.forward.iter().any(|target| target.group == group);
    let held = |rule: &Rule| (holds(rule, &groups.blue), holds(rule, &groups.green));
    let wired = balancer.rules.iter().any(|rule| held(rule) == (true, true));
    let lone = |rule: &Rule| {
        (!wired || count == Count::BothAndLone) && listener.is_some_and(|choice| chosen(choice, rule))
    };
    let counts = |rule: &&Rule| match held(rule) {
        (true, true) => true,
        (false, false) => false,
        (true, false) | (false, true) => lone(rule),
    };
    let rules: Vec<&Rule> = balancer.rules.iter().filter(counts).collect();
    match (rules.is_empty(), listener) {
        (true, None) => Err(Tangle::NoProductionRule(listeners(balancer))),
        (true, Some(_)) => Err(Tangle::NoSuchListener(listeners(balancer))),
        (false, _) => rules.into_iter().map(|rule| production_rule(groups, rule)).collect(),
    }
}

/// The listeners of a load balancer for a message: `HTTP:80`.
fn listeners(balancer: &Balancer) -> Vec<String> {
    let mut all: Vec<String> =
        balancer.rules.iter().map(|rule| format!("{}:{}", rule.protocol, rule.port)).collect();
    all.sort();
    all.dedup();
    all
}

/// Action types that a rule may hold beside its forward action.
const KNOWN_ACTIONS: [&str; 6] =
    ["forward", "authenticate-oidc", "authenticate-cognito", "fixed-response", "redirect", "jwt-validation"];

/// Reads one production rule.
fn production_rule(groups: &Groups, rule: &Rule) -> Result<ProductionRule, Tangle> {
    let name = rule_name(rule);
    if let Some(action) = rule.actions.iter().find(|action| !KNOWN_ACTIONS.contains(&action.as_str())) {
        return Err(Tangle::UnknownAction { rule: name, action: action.clone() });
    }
    let ours = |group: &str| group == groups.blue || group == groups.green;
    if let Some(third) = rule.forward.iter().find(|target| !ours(&target.group)) {
        return Err(Tangle::ThirdGroup { rule: name, group: third.group.clone() });
    }
    let weight =
        |group: &str| rule.forward.iter().find(|target| target.group == group).map(|target| target.weight);
    let (blue, green) = (weight(&groups.blue), weight(&groups.green));
    let (split, lacks) = match (blue, green) {
        (Some(blue), Some(green)) => (Split { blue, green }, None),
        (Some(_), None) => (Split { blue: 100, green: 0 }, Some(Color::Green)),
        (None, Some(_)) => (Split { blue: 0, green: 100 }, Some(Color::Blue)),
        (None, None) => (Split { blue: 0, green: 0 }, None),
    };
    if split.blue + split.green == 0 {
        return Err(Tangle::NoWeight(name));
    }
    Ok(ProductionRule { rule: rule.clone(), split, lacks })
}

/// The rules outside production that forward to one color alone.
fn tests(groups: &Groups, balancer: &Balancer, production: &[ProductionRule]) -> Vec<Address> {
    let is_production = |rule: &Rule| production.iter().any(|known| known.rule.arn == rule.arn);
    balancer
        .rules
        .iter()
        .filter(|rule| !is_production(rule))
        .filter_map(|rule| match rule.forward.as_slice() {
            [only] => groups.color(&only.group).map(|color| address(color, balancer, rule)),
            _ => None,
        })
        .collect()
}

/// The address at which a rule answers.
fn address(color: Color, balancer: &Balancer, rule: &Rule) -> Address {
    let condition = |field: &str| {
        let found = rule.conditions.iter().find(|condition| condition.field == field);
        found.and_then(|condition| condition.values.first()).cloned()
    };
    Address {
        color,
        scheme: rule.protocol.to_lowercase(),
        dns: balancer.dns.clone(),
        port: rule.port,
        host: condition("host-header").filter(|host| !host.contains(['*', '?'])),
        path: condition("path-pattern")
            .map(|path| path.split(['*', '?']).next().unwrap_or_default().to_owned()),
    }
}

/// Finds the groups and the balancer in a snapshot. `None`: a part of it could not be read, or was not looked at.
pub(crate) fn of_snapshot(
    snapshot: &Snapshot,
    listener: Option<&ListenerChoice>,
) -> Option<Result<Wiring, Tangle>> {
    Some(read(snapshot, listener, Count::Both)?.and_then(agreed))
}

/// The same, whether or not the production rules agree: a change of traffic may find them half-way.
pub(crate) fn apart_of_snapshot(
    snapshot: &Snapshot,
    listener: Option<&ListenerChoice>,
) -> Option<Result<Wiring, Tangle>> {
    read(snapshot, listener, Count::Both)
}

/// The same for a run that brings groups into the rules of the named listener.
pub(crate) fn adopting_of_snapshot(
    snapshot: &Snapshot,
    listener: Option<&ListenerChoice>,
) -> Option<Result<Wiring, Tangle>> {
    read(snapshot, listener, Count::BothAndLone)
}

/// Finds the groups and the balancer, and reads the rules.
fn read(
    snapshot: &Snapshot,
    listener: Option<&ListenerChoice>,
    count: Count,
) -> Option<Result<Wiring, Tangle>> {
    let group = |color| snapshot.service(color).and_then(|service| service.group.as_ref()?.as_ref().ok());
    let (blue, green) = (group(Color::Blue)?, group(Color::Green)?);
    let develop = group(Color::Develop);
    for (color, group) in [(Color::Blue, Some(blue)), (Color::Green, Some(green)), (Color::Develop, develop)]
    {
        let Some(group) = group else { continue };
        if !["ip", "instance"].contains(&group.target_type.as_str()) {
            return Some(Err(Tangle::TargetType(color, group.target_type.clone())));
        }
    }
    if blue.arn == green.arn {
        return Some(Err(Tangle::SameGroup(blue.name.clone())));
    }
    let all = snapshot.balancers.as_ref()?.as_ref().ok()?;
    let balancer = match (blue.balancers.first(), green.balancers.first()) {
        (Some(one), Some(two)) if one != two => {
            return Some(Err(Tangle::TwoBalancers(vec![one.clone(), two.clone()])));
        }
        (None, _) => return Some(Err(Tangle::Unattached(Color::Blue))),
        (_, None) => return Some(Err(Tangle::Unattached(Color::Green))),
        (Some(arn), Some(_)) => all.iter().find(|balancer| balancer.arn == *arn)?,
    };
    let groups = Groups {
        blue: blue.arn.clone(),
        green: green.arn.clone(),
        develop: develop.map(|group| group.arn.clone()),
    };
    let mut wiring = wire(count, &groups, balancer, listener);
    if let Ok(wiring) = &mut wiring {
        add_develop(wiring, develop.map(|group| &group.balancers), all);
    }
    Some(wiring)
}

/// Develop may sit behind a load balancer of its own.
fn add_develop(wiring: &mut Wiring, balancers: Option<&Vec<String>>, all: &[Balancer]) {
    if wiring.test_address(Color::Develop).is_some() {
        return;
    }
    let of_develop = |balancer: &&Balancer| balancers.is_some_and(|arns| arns.contains(&balancer.arn));
    for balancer in all.iter().filter(of_develop) {
        let found = tests(&wiring.groups, balancer, &wiring.production);
        wiring.tests.extend(found.into_iter().filter(|address| address.color == Color::Develop));
    }
}

#[cfg(test)]
#[path = "wiring_tests.rs"]
mod tests;
