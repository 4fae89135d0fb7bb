//! A small AWS of values: two services behind one load balancer, with tasks that start, sicken and heal, scalable targets
//! that clamp, and a rule that holds what was written last.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::plan::color::{Color, ServiceColor, Split};
use crate::plan::sample::{rule, snapshot, target, tasks};
use crate::plan::snapshot::{Alarm, AlarmState, GroupAttributes, Rule, Scalable, Service, Snapshot};
use crate::plan::step::{Scaling, Step, Update, Weights};
use crate::plan::time::Time;

/// What becomes of a color's new tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Healthy after so many seconds.
    Good(u8),
    /// They run and never become healthy.
    Sick,
    /// They never run.
    TrafficFailure,
}

/// One color.
#[derive(Clone)]
pub(super) struct Tier {
    /// Desired count.
    pub(super) desired: u32,
    /// Tasks with a healthy target.
    pub(super) healthy: u32,
    /// Tasks with an unhealthy target.
    pub(super) sick: u32,
    /// Targets that leave.
    pub(super) draining: u32,
    /// Tasks on the way: when each has its target healthy; none for never.
    pub(super) starting: Vec<Option<Time>>,
    /// What becomes of new tasks.
    pub(super) fate: Fault,
    /// The group's own minimum: a count, and a percentage of its targets.
    pub(super) minimum: (u32, u32),
    /// The scalable target.
    pub(super) scaling: Option<Scalable>,
}

impl Tier {
    /// As many tasks as are wanted.
    fn schedule(&mut self, now: Time) {
        let has =
            |tier: &Tier| tier.healthy + tier.sick + u32::try_from(tier.starting.len()).unwrap_or(u32::MAX);
        while has(self) < self.desired {
            match self.fate {
                Fault::Good(after) => {
                    self.starting.push(Some(now.after(Duration::from_secs(u64::from(after)))));
                }
                Fault::Sick => self.sick += 1,
                Fault::TrafficFailure => self.starting.push(None),
            }
        }
        while has(self) > self.desired {
            if self.starting.pop().is_none() {
                if self.sick > 0 { self.sick -= 1 } else { self.healthy -= 1 }
            }
        }
    }

    /// Time passes.
    fn tick(&mut self, now: Time, heals: bool) {
        let before = self.starting.len();
        self.starting.retain(|ready| ready.is_none_or(|ready| ready > now));
        self.healthy += u32::try_from(before - self.starting.len()).unwrap_or_default();
        if heals {
            self.healthy += std::mem::take(&mut self.sick);
        }
    }

    /// What shows of it.
    fn show(&self, service: &mut Service) {
        let starting = u32::try_from(self.starting.len()).unwrap_or_default();
        service.desired = self.desired;
        (service.running, service.pending) = (self.healthy + self.sick, starting);
        let states = [
            ("healthy", self.healthy),
            ("unhealthy", self.sick),
            ("initial", starting),
            ("draining", self.draining),
        ];
        let all = states.iter().flat_map(|(state, count)| (0..*count).map(move |_| *state));
        service.targets = Some(Ok((1..).zip(all).map(|(number, state)| target(number, state)).collect()));
        let own = self.healthy + self.sick + starting;
        service.tasks = Some(Ok(tasks(&service.deployments[0], own, 1)));
        service.scaling = Some(Ok(self.scaling));
        if let Some(Ok(group)) = &mut service.group {
            group.attributes = Some(Ok(GroupAttributes {
                deregistration_delay: Duration::from_secs(300),
                minimum_count: self.minimum.0,
                minimum_percent: self.minimum.1,
            }));
        }
    }
}

/// A production rule: what AWS holds, and for a while still shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Held {
    /// The rule.
    pub(super) rule: Rule,
    /// What is shown instead, and until when.
    pub(super) shown: Option<(Rule, Time)>,
}

/// All of it.
#[derive(Clone)]
pub(super) struct World {
    /// Blue, then green.
    pub(super) tiers: [Tier; 2],
    /// The production rules.
    pub(super) rules: Vec<Held>,
    /// Whether the alarm fires.
    pub(super) firing: bool,
    /// Whether sick tasks are replaced.
    pub(super) heals: bool,
    /// How long what was written does not show.
    pub(super) lag: Duration,
    /// The time.
    pub(super) now: Time,
}

/// In few words: a counterexample is read by people.
impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules: Vec<String> = self
            .rules
            .iter()
            .map(|held| {
                let (now, lone) = (split(&held.rule), held.rule.forward.len() == 1);
                format!("{}/{}{}", now.blue, now.green, if lone { " alone" } else { "" })
            })
            .collect();
        let [blue, green] = &self.tiers;
        write!(f, "{rules:?} lag {:?} firing {} blue {blue:?} green {green:?}", self.lag, self.firing)
    }
}

impl fmt::Debug for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tier { desired, healthy, sick, draining, fate, minimum, .. } = self;
        let scales = self.scaling.map(|target| (target.min, target.max, target.in_suspended));
        write!(f, "({healthy} healthy of {desired}, {sick} sick, {draining} draining, {fate:?}, ")?;
        write!(f, "minimum {minimum:?}, scales {scales:?})")
    }
}

/// The position of a color.
pub(super) fn index(color: impl Into<ServiceColor>) -> usize {
    usize::from(color.into() == Color::Green)
}

/// The production rule with this number: HTTP:80, HTTPS:443, HTTP:80 rule 10. The second one has people log in, the
/// first one is sticky. `lone`: it holds this color alone.
pub(super) fn production(number: usize, split: Split, lone: Option<Color>) -> Rule {
    let (port, priority) = [(80, None), (443, None), (80, Some(10))][number];
    let groups: Vec<(&str, u32)> = match lone {
        None => vec![("tg-blue", split.blue), ("tg-green", split.green)],
        Some(Color::Green) => vec![("tg-green", 1)],
        Some(Color::Blue) => vec![("tg-blue", 1)],
    };
    let listed: Vec<Value> =
        groups.iter().map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight})).collect();
    let forward = match (lone, number) {
        (Some(_), _) => json!({"Type": "forward", "Order": 2, "TargetGroupArn": groups[0].0}),
        (None, 0) => json!({"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": listed,
            "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 60}}}),
        (None, _) => json!({"Type": "forward", "Order": 2, "ForwardConfig": {"TargetGroups": listed}}),
    };
    let whole = match number {
        1 => {
            json!([{"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {"ClientId": "c"}}, forward])
        }
        _ => json!([forward]),
    };
    Rule { whole: whole.into(), ..rule(port, priority, &groups) }
}

/// The weights of a rule's actions, as AWS takes them.
pub(super) fn weights(actions: &Value) -> Vec<(String, u32)> {
    let Some(forward) = actions.as_array().unwrap().iter().find(|action| action["Type"] == "forward") else {
        return Vec::new();
    };
    let of = |group: &Value| {
        let weight = u32::try_from(group["Weight"].as_u64().unwrap()).unwrap();
        (group["TargetGroupArn"].as_str().unwrap().to_owned(), weight)
    };
    forward["ForwardConfig"]["TargetGroups"].as_array().unwrap().iter().map(of).collect()
}

/// The split that a rule holds.
pub(super) fn split(rule: &Rule) -> Split {
    let weight = |group: &str| rule.forward.iter().find(|one| one.group == group).map_or(0, |one| one.weight);
    Split { blue: weight("tg-blue"), green: weight("tg-green") }
}

impl World {
    /// What a look shows.
    pub(super) fn show(&self) -> Snapshot {
        let mut seen = snapshot();
        for service in &mut seen.services {
            self.tiers[index(service.color)].show(service);
        }
        let rules = &mut seen.balancers.as_mut().unwrap().as_mut().unwrap()[0].rules;
        rules.remove(0);
        rules.splice(0..0, self.rules.iter().map(|held| self.shown(held)));
        let state = if self.firing { AlarmState::Firing } else { AlarmState::Fine };
        let alarm = Alarm { name: "web-5xx".to_owned(), state, reason: "5 over 1".to_owned() };
        seen.alarms = Some(Ok(vec![alarm]));
        seen
    }

    /// The same with its rules as they show.
    pub(super) fn as_shown(&self) -> World {
        let rules = self.rules.iter().map(|held| Held { rule: self.shown(held), shown: None }).collect();
        World { rules, ..self.clone() }
    }

    /// What shows of a rule.
    pub(super) fn shown(&self, held: &Held) -> Rule {
        let shown = held.shown.as_ref().filter(|(_, until)| *until > self.now);
        shown.map_or(&held.rule, |(rule, _)| rule).clone()
    }

    /// Whether all users are at one color, and at which.
    pub(super) fn alone(&self) -> Option<Color> {
        let all = |color: Color| self.rules.iter().all(|held| split(&held.rule).weight(color) == 0);
        if all(Color::Green) { Some(Color::Blue) } else { all(Color::Blue).then_some(Color::Green) }
    }

    /// So many seconds pass.
    pub(super) fn tick(&mut self, seconds: u64) {
        self.now = self.now.after(Duration::from_secs(seconds));
        let (now, heals) = (self.now, self.heals);
        for tier in &mut self.tiers {
            tier.tick(now, heals);
            tier.schedule(now);
        }
    }

    /// The effect of a write.
    pub(super) fn effect(&mut self, step: &Step) {
        match step {
            Step::Weights(weights) => self.weigh(weights),
            Step::Scaling(scaling) => self.scale(scaling),
            Step::Update(Update { color, desired, .. }) => {
                let tier = &mut self.tiers[index(*color)];
                tier.desired = desired.unwrap();
            }
            Step::Find(_) | Step::Register(_) | Step::Probe(_) | Step::Policy(_) | Step::Alarm(_) => {
                unreachable!("no step of traffic")
            }
        }
        let now = self.now;
        self.tiers.iter_mut().for_each(|tier| tier.schedule(now));
    }

    /// ModifyListener and ModifyRule replace all actions.
    fn weigh(&mut self, written: &Weights) {
        let until = self.now.after(self.lag);
        let held = self.rules.iter_mut().find(|held| held.rule.arn == written.rule).unwrap();
        held.shown = Some((held.rule.clone(), until));
        held.rule.whole = written.actions.clone().into();
        let named: Vec<_> = weights(&written.actions);
        let forward: Vec<(&str, u32)> =
            named.iter().map(|(group, weight)| (group.as_str(), *weight)).collect();
        held.rule.forward = rule(held.rule.port, None, &forward).forward;
    }

    /// RegisterScalableTarget moves the count into its bounds, at every call.
    fn scale(&mut self, scaling: &Scaling) {
        let tier = &mut self.tiers[index(scaling.color)];
        let bounds = tier.scaling.as_mut().unwrap();
        bounds.min = scaling.min.unwrap_or(bounds.min);
        bounds.max = scaling.max.unwrap_or(bounds.max);
        bounds.in_suspended = scaling.in_suspended.unwrap_or(bounds.in_suspended);
        if tier.desired > bounds.max {
            tier.desired = bounds.max;
        }
        if tier.desired < bounds.min {
            tier.desired = bounds.min;
        }
    }
}
