//! All load balancers and target groups, and the questions of other parts of the testbed.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Handle;

use super::action::Action;
use super::bucket::Bucket;
use super::counters::Counts;
use super::health::{self, Inbox};
use super::input::validation;
use super::model::{Listener, LoadBalancer, Rule, TargetGroup};
use super::plane::Table;
use super::targets::Registered;
use super::{State, Target, TargetState, TargetType};
use crate::wire::ApiError;
use crate::world::Pace;

/// All load balancers and target groups of the account and region.
#[derive(Debug)]
pub struct Elb {
    /// The runtime of proxies and health checks.
    pub(super) runtime: Handle,
    /// Load balancers, oldest first.
    pub(super) balancers: Vec<LoadBalancer>,
    /// Listeners, oldest first.
    pub(super) listeners: Vec<Listener>,
    /// Target groups, oldest first.
    pub(super) groups: Vec<TargetGroup>,
    /// Results of health checks that are not applied yet.
    pub(super) inbox: Arc<Mutex<Inbox>>,
    /// Number of the last registration of a target.
    registrations: u64,
    /// True if the data plane needs an update.
    pub(super) stale: bool,
    /// Pages hold at most this many entries, so that tests can force paging; none: AWS's own limits.
    pub page_limit: Option<usize>,
    /// The limit of `Describe*` calls of clients; none: no limit.
    pub describe_bucket: Option<Bucket>,
}

/// A rule in the control plane or the data plane.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleState {
    /// The rule's ARN.
    pub rule: String,
    /// The listener's ARN.
    pub listener: String,
    /// The actions.
    pub actions: Vec<Action>,
}

impl RuleState {
    /// A group's weight, and the sum of weights in the group's forward action; none without such an action.
    pub fn weight(&self, group_arn: &str) -> Option<(u32, u32)> {
        let forwards = self.actions.iter().filter_map(Action::forward);
        forwards
            .filter_map(|forward| forward.weight_of(group_arn).map(|weight| (weight, forward.total())))
            .next()
    }
}

/// Questions and changes by other parts of the testbed.
impl Elb {
    /// An empty account whose data plane runs on `runtime`.
    pub fn new(runtime: Handle) -> Self {
        Self {
            runtime,
            balancers: Vec::new(),
            listeners: Vec::new(),
            groups: Vec::new(),
            inbox: Arc::default(),
            registrations: 0,
            stale: false,
            page_limit: None,
            describe_bucket: None,
        }
    }

    /// Advances health checks, draining and propagation. To be called about every 10 ms.
    pub fn tick(&mut self, now: Instant, pace: &Pace) {
        self.arrive(now);
        self.forget_drained(now, pace);
        health::take_results(self, now);
        self.settle(now);
        health::start_due(self, pace, now);
    }

    /// The load balancer that uses this group through some listener or rule; none if unattached.
    pub fn load_balancer_of(&self, group_arn: &str) -> Option<String> {
        let uses = |listener: &&Listener| {
            listener.rules.iter().any(|rule| rule.groups().any(|arn| arn == group_arn))
        };
        self.listeners.iter().find(uses).map(|listener| listener.balancer.clone())
    }

    /// True if the group exists.
    pub fn group_exists(&self, group_arn: &str) -> bool {
        self.groups.iter().any(|group| group.arn == group_arn)
    }

    /// The group's target type; none if the group does not exist.
    pub fn target_type(&self, group_arn: &str) -> Option<TargetType> {
        self.group(group_arn).ok().map(|group| group.target_type)
    }

    /// True if a group's targets have IPv6 addresses.
    pub fn takes_ipv6(&self, group_arn: &str) -> bool {
        self.group(group_arn).is_ok_and(|group| group.ipv6)
    }

    /// Registers a target, or registers a draining target again. A missing group accepts nothing.
    pub fn register(&mut self, group_arn: &str, target: Target, now: Instant) {
        let zones = self.zones_of(group_arn);
        self.registrations += 1;
        let registration = self.registrations;
        let Ok(group) = self.group_mut(group_arn) else { return };
        let known = group
            .targets
            .iter()
            .position(|entry| entry.target.id == target.id && entry.target.port == target.port);
        if let Some(index) = known {
            if group.targets[index].deregistered.is_none() && group.targets[index].target == target {
                return;
            }
            group.targets.remove(index);
        }
        let health = group.first_state(&target.zone, zones.as_deref());
        let entry = Registered {
            target,
            health,
            passed: 0,
            failed: 0,
            next_check: now,
            checking: false,
            registration,
            deregistered: None,
        };
        group.targets.push(entry);
        self.stale = true;
        self.settle(now);
    }

    /// Starts draining a target, which leaves after the deregistration delay. Unknown and draining targets stay
    /// unchanged.
    pub fn deregister(&mut self, group_arn: &str, id: &str, port: u16, now: Instant) {
        let Ok(group) = self.group_mut(group_arn) else { return };
        let known = group.targets.iter_mut().find(|entry| entry.target.id == id && entry.target.port == port);
        let Some(entry) = known.filter(|entry| entry.deregistered.is_none()) else { return };
        entry.deregistered = Some(now);
        entry.health = TargetState::draining();
        self.stale = true;
        self.settle(now);
    }

    /// A target's current health; none if not registered (or drained).
    pub fn health(&self, group_arn: &str, id: &str, port: u16) -> Option<TargetState> {
        self.group(group_arn).ok()?.find(id, port).map(|entry| entry.health.clone())
    }

    /// Number of a group's targets in this state; 0 for a missing group.
    pub fn count(&self, group_arn: &str, state: State) -> usize {
        self.group(group_arn)
            .map_or(0, |group| group.targets.iter().filter(|entry| entry.health.state == state).count())
    }

    /// Number of a group's targets that are registered and not draining.
    pub fn registered(&self, group_arn: &str) -> usize {
        self.group(group_arn)
            .map_or(0, |group| group.targets.iter().filter(|entry| entry.deregistered.is_none()).count())
    }

    /// An attribute of a target group, as text.
    pub fn group_attribute(&self, group_arn: &str, key: &str) -> Option<String> {
        let group = self.group(group_arn).ok()?;
        super::model::get(&group.attributes, key).map(str::to_owned)
    }

    /// The data plane's counts for a load balancer and a target group.
    pub fn counts(&self, balancer_arn: &str, group_arn: &str) -> Counts {
        let group = self.group(group_arn).ok();
        group
            .and_then(|group| group.counters.get(balancer_arn))
            .map(|counters| counters.read())
            .unwrap_or_default()
    }

    /// Every rule in the control plane.
    pub fn rules(&self) -> Vec<RuleState> {
        self.listeners.iter().flat_map(|listener| states(listener, &listener.rules)).collect()
    }

    /// Every rule in the data plane: changes arrive after the propagation delay.
    pub fn routed_rules(&self) -> Vec<RuleState> {
        self.listeners.iter().flat_map(|listener| states(listener, &listener.routed)).collect()
    }

    /// Puts any action, also of a future type, in front of a rule's actions. Returns true if the rule exists.
    pub fn add_raw_action(&mut self, rule_arn: &str, action: serde_json::Map<String, Value>) -> bool {
        let rules = self.listeners.iter_mut().flat_map(|listener| listener.rules.iter_mut());
        let Some(rule) = rules.into_iter().find(|rule| rule.arn == rule_arn) else { return false };
        rule.actions.insert(0, Action::raw(action));
        true
    }
}

/// A listener's rules for the outside.
fn states<'a>(listener: &'a Listener, rules: &'a [Rule]) -> impl Iterator<Item = RuleState> + 'a {
    rules.iter().map(|rule| RuleState {
        rule: rule.arn.clone(),
        listener: listener.arn.clone(),
        actions: rule.actions.clone(),
    })
}

/// Look-ups, with AWS's errors.
impl Elb {
    /// A target group by ARN.
    pub(super) fn group(&self, arn: &str) -> Result<&TargetGroup, ApiError> {
        well_formed(arn, "targetgroup/", "target group")?;
        self.groups.iter().find(|group| group.arn == arn).ok_or_else(group_not_found)
    }

    /// A target group by ARN, mutable.
    pub(super) fn group_mut(&mut self, arn: &str) -> Result<&mut TargetGroup, ApiError> {
        well_formed(arn, "targetgroup/", "target group")?;
        self.groups.iter_mut().find(|group| group.arn == arn).ok_or_else(group_not_found)
    }

    /// A load balancer by ARN.
    pub(super) fn balancer(&self, arn: &str) -> Result<&LoadBalancer, ApiError> {
        well_formed(arn, "loadbalancer/", "load balancer")?;
        self.balancers.iter().find(|balancer| balancer.arn == arn).ok_or_else(|| balancer_not_found(arn))
    }

    /// A load balancer by ARN, mutable.
    pub(super) fn balancer_mut(&mut self, arn: &str) -> Result<&mut LoadBalancer, ApiError> {
        well_formed(arn, "loadbalancer/", "load balancer")?;
        self.balancers.iter_mut().find(|balancer| balancer.arn == arn).ok_or_else(|| balancer_not_found(arn))
    }

    /// A listener by ARN.
    pub(super) fn listener(&self, arn: &str) -> Result<&Listener, ApiError> {
        well_formed(arn, "listener/", "listener")?;
        self.listeners.iter().find(|listener| listener.arn == arn).ok_or_else(listener_not_found)
    }

    /// A listener by ARN, mutable.
    pub(super) fn listener_mut(&mut self, arn: &str) -> Result<&mut Listener, ApiError> {
        well_formed(arn, "listener/", "listener")?;
        self.listeners.iter_mut().find(|listener| listener.arn == arn).ok_or_else(listener_not_found)
    }

    /// A rule's listener, and the rule's position.
    pub(super) fn rule_place(&self, arn: &str) -> Result<(&Listener, usize), ApiError> {
        well_formed(arn, "listener-rule/", "listener rule")?;
        let place = |listener: &Listener| listener.rules.iter().position(|rule| rule.arn == arn);
        let found = self.listeners.iter().find_map(|listener| place(listener).map(|index| (listener, index)));
        found.ok_or_else(|| ApiError::new("RuleNotFound", "One or more rules not found"))
    }

    /// Every load balancer that uses a group: at most one, by AWS's rule.
    pub(super) fn balancers_of(&self, group_arn: &str) -> Vec<String> {
        self.load_balancer_of(group_arn).into_iter().collect()
    }

    /// The zones in which a group's load balancer has nodes; none if no load balancer uses the group.
    pub(super) fn zones_of(&self, group_arn: &str) -> Option<Vec<(String, String)>> {
        let arn = self.load_balancer_of(group_arn)?;
        self.balancers.iter().find(|balancer| balancer.arn == arn).map(|balancer| balancer.zones.clone())
    }
}

/// Updates of the data plane.
impl Elb {
    /// Sends a listener's rules on their way to the data plane.
    pub(super) fn route(&mut self, listener_arn: &str, propagation: Duration, now: Instant) {
        let Ok(listener) = self.listener_mut(listener_arn) else { return };
        let rules: Arc<[Rule]> = listener.rules.clone().into();
        listener.coming.push_back((now + propagation, rules));
        self.arrive(now);
    }

    /// Applies rules whose time has come.
    pub(super) fn arrive(&mut self, now: Instant) {
        for listener in &mut self.listeners {
            while let Some((_, rules)) = listener.coming.pop_front_if(|(due, _)| *due <= now) {
                listener.routed = rules;
                self.stale = true;
            }
        }
    }

    /// Forgets targets whose deregistration delay is over.
    pub(super) fn forget_drained(&mut self, now: Instant, pace: &Pace) {
        for group in &mut self.groups {
            let delay = group.attribute("deregistration_delay.timeout_seconds").unwrap_or(300);
            self.stale |= group.forget_drained(now, pace.seconds(delay.into()));
        }
    }

    /// Updates targets of groups that came into use or out of use, and updates the proxies.
    pub(super) fn settle(&mut self, now: Instant) {
        for index in 0..self.groups.len() {
            let zones = self.zones_of(&self.groups[index].arn);
            self.stale |= refresh_use(&mut self.groups[index], zones.as_deref(), now);
        }
        if std::mem::take(&mut self.stale) {
            self.publish();
        }
    }

    /// Publishes every proxy's table.
    fn publish(&mut self) {
        for listener in &self.listeners {
            let Some(balancer) = self.balancers.iter().find(|balancer| balancer.arn == listener.balancer)
            else {
                continue;
            };
            listener.published.set(Table::build(balancer, listener, &mut self.groups));
        }
    }
}

/// Targets are `unused` while no rule uses their group, and restart when a rule does. Returns true if anything changed.
fn refresh_use(group: &mut TargetGroup, zones: Option<&[(String, String)]>, now: Instant) -> bool {
    let mut changed = false;
    for index in 0..group.targets.len() {
        let wanted = group.first_state(&group.targets[index].target.zone, zones);
        let entry = &mut group.targets[index];
        if entry.deregistered.is_some()
            || (wanted.state == State::Unused) == (entry.health.state == State::Unused)
        {
            continue;
        }
        (entry.health, entry.passed, entry.failed, entry.next_check) = (wanted, 0, 0, now);
        changed = true;
    }
    changed
}

/// AWS distinguishes an ARN of another kind from a missing resource.
pub(super) fn well_formed(arn: &str, resource: &str, kind: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "elasticloadbalancing", _, _, rest] if rest.starts_with(resource) => Ok(()),
        _ => Err(validation(format!("'{arn}' is not a valid {kind} ARN"))),
    }
}

/// `TargetGroupNotFound`.
pub(super) fn group_not_found() -> ApiError {
    ApiError::new("TargetGroupNotFound", "One or more target groups not found")
}

/// `LoadBalancerNotFound`; `which` is the ARN or name.
pub(super) fn balancer_not_found(which: &str) -> ApiError {
    ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{which}]' not found"))
}

/// `ListenerNotFound`.
pub(super) fn listener_not_found() -> ApiError {
    ApiError::new("ListenerNotFound", "One or more listeners not found")
}
