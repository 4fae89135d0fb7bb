//! The proxies' state: a table per listener, replaced as a whole, and the decision for each request.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, UNIX_EPOCH};

use hyper::http::request::Parts;
use tokio_rustls::TlsAcceptor;

use super::State;
use super::action::{Forward, Kind};
use super::counters::{Counters, count};
use super::model::{Listener, LoadBalancer, Rule, TargetGroup, get};
use super::time::http_date;

/// A listener's table, read by its proxy.
#[derive(Default)]
pub(super) struct Published {
    /// The current table.
    table: RwLock<Arc<Table>>,
    /// The TLS acceptor; none for HTTP.
    tls: RwLock<Option<TlsAcceptor>>,
    /// Number of requests split by weight.
    splits: AtomicU64,
}

impl fmt::Debug for Published {
    /// Only the table: an acceptor shows nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Published {
    /// Replaces the table.
    pub(super) fn set(&self, table: Table) {
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
    }

    /// The current table.
    pub(super) fn get(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the TLS acceptor; none for HTTP.
    pub(super) fn set_tls(&self, acceptor: Option<TlsAcceptor>) {
        *self.tls.write().unwrap_or_else(PoisonError::into_inner) = acceptor;
    }

    /// The TLS acceptor for the next connection; none for HTTP.
    pub(super) fn tls(&self) -> Option<TlsAcceptor> {
        self.tls.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A point in 0..total. Multiples of the golden ratio spread evenly, so that even few requests show the
    /// weights.
    fn point(&self, total: u32) -> u32 {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let turn = self.splits.fetch_add(1, Ordering::Relaxed);
        let fraction = turn.wrapping_mul(GOLDEN) >> 32;
        u32::try_from((fraction * u64::from(total)) >> 32).unwrap_or(0)
    }
}

/// A proxy's state for answering requests.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Rules in order of evaluation.
    rules: Arc<[Rule]>,
    /// The groups in the rules, by ARN.
    groups: HashMap<String, Group>,
    /// The zones of the load balancer.
    zones: Vec<String>,
    /// Longest silence of a target.
    pub(super) idle: Duration,
    /// The listener's protocol, in lower case.
    pub(super) protocol: String,
    /// The listener's port.
    pub(super) port: u16,
}

/// A target group from a proxy's point of view.
#[derive(Debug)]
struct Group {
    /// The id at the end of the ARN, used in cookies.
    id: String,
    /// The targets, except draining and unused ones.
    targets: Vec<Candidate>,
    /// With fewer healthy targets, all targets get requests.
    least_healthy: u32,
    /// The same as a percentage of all targets.
    least_percent: u32,
    /// True if a node sends requests to other zones.
    cross_zone: bool,
    /// Duration of target stickiness, in seconds; none if off.
    sticky: Option<u64>,
    /// The next target in turn.
    turn: Arc<AtomicUsize>,
    /// Counts.
    counters: Arc<Counters>,
}

/// A target that may get requests.
#[derive(Debug, Clone)]
struct Candidate {
    /// The name in a stickiness cookie.
    name: String,
    /// The destination of requests.
    address: SocketAddr,
    /// The zone.
    zone: String,
    /// True if the target passes its checks.
    healthy: bool,
}

/// The decision about a request.
#[derive(Debug)]
pub(super) enum Decision {
    /// Forward the request and add the cookies to the answer.
    Forward(Chosen),
    /// No target: 503.
    Unavailable,
    /// Answer directly.
    Fixed {
        /// HTTP status.
        status: u16,
        /// `Content-Type`.
        content_type: Option<String>,
        /// The body.
        body: Option<String>,
    },
    /// Redirect the client: `RedirectConfig`.
    Redirect(serde_json::Value),
}

/// The target of a request.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The destination of the request.
    pub(super) address: SocketAddr,
    /// `Set-Cookie` headers for the answer.
    pub(super) cookies: Vec<String>,
    /// Counts of the group.
    pub(super) counters: Arc<Counters>,
}

impl Table {
    /// The table of a listener, from the rules that have reached the data plane and the current targets.
    pub(super) fn build(balancer: &LoadBalancer, listener: &Listener, groups: &mut [TargetGroup]) -> Self {
        let mut known = HashMap::new();
        for group in groups.iter_mut() {
            if listener.routed.iter().any(|rule| rule.groups().any(|arn| arn == group.arn)) {
                known.insert(group.arn.clone(), Group::build(balancer, group));
            }
        }
        let idle =
            get(&balancer.attributes, "idle_timeout.timeout_seconds").and_then(|text| text.parse().ok());
        Self {
            rules: Arc::clone(&listener.routed),
            groups: known,
            zones: balancer.zones.iter().map(|(zone, _)| zone.clone()).collect(),
            idle: Duration::from_secs(idle.unwrap_or(60)),
            protocol: listener.protocol.to_ascii_lowercase(),
            port: listener.port,
        }
    }

    /// Finds the matching rule and returns the decision by its last action.
    pub(super) fn decide(&self, published: &Published, parts: &Parts, client: IpAddr) -> Decision {
        let matches = |rule: &&Rule| rule.conditions.iter().all(|condition| condition.matches(parts, client));
        let action = self.rules.iter().find(matches).and_then(|rule| rule.actions.last());
        match action.map(|action| &action.kind) {
            Some(Kind::Forward(forward)) => self.forward(published, forward, parts),
            Some(Kind::FixedResponse { status, content_type, body }) => {
                Decision::Fixed { status: *status, content_type: content_type.clone(), body: body.clone() }
            }
            Some(Kind::Redirect(config)) => Decision::Redirect(config.clone()),
            Some(Kind::Other { .. }) | None => Decision::Unavailable,
        }
    }

    /// Chooses a group, by cookie before weight, and a target in the group. Other groups do not help a group without
    /// targets.
    fn forward(&self, published: &Published, forward: &Forward, parts: &Parts) -> Decision {
        let mut cookies = Vec::new();
        let stuck = if forward.sticky { self.stuck_group(forward, parts) } else { None };
        let Some(arn) = stuck.or_else(|| by_weight(published, forward)) else { return Decision::Unavailable };
        let Some(group) = self.groups.get(arn) else { return Decision::Unavailable };
        if let (true, Some(seconds)) = (forward.sticky, forward.sticky_seconds) {
            cookies.extend(cookie("AWSALBTG", &group.id, u64::from(seconds)));
        }
        match group.choose(&self.zones, parts) {
            Some(target) => {
                if let Some(seconds) = group.sticky {
                    cookies.extend(cookie("AWSALB", &target.name, seconds));
                }
                count(&group.counters.requests);
                Decision::Forward(Chosen {
                    address: target.address,
                    cookies,
                    counters: Arc::clone(&group.counters),
                })
            }
            None => {
                count(&group.counters.unavailable);
                Decision::Unavailable
            }
        }
    }

    /// The group in the client's cookie, at any current weight (unconfirmed on AWS, the careful reading).
    fn stuck_group<'a>(&self, forward: &'a Forward, parts: &Parts) -> Option<&'a str> {
        let id = cookie_value(parts, "AWSALBTG")?;
        let named = |arn: &str| self.groups.get(arn).is_some_and(|group| group.id == id);
        forward.groups.iter().map(|(arn, _)| arn.as_str()).find(|arn| named(arn))
    }
}

/// A group by its share of the weights; none if all weights are 0.
fn by_weight<'a>(published: &Published, forward: &'a Forward) -> Option<&'a str> {
    let mut point = published.point(forward.total());
    for (arn, weight) in &forward.groups {
        if point < *weight {
            return Some(arn);
        }
        point -= weight;
    }
    None
}

impl Group {
    /// A group's state for the proxies.
    fn build(balancer: &LoadBalancer, group: &mut TargetGroup) -> Self {
        const ROUTING: &str = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
        let counters = Arc::clone(group.counters.entry(balancer.arn.clone()).or_default());
        let sticky_key = format!(
            "stickiness.{}.duration_seconds",
            get(&group.attributes, "stickiness.type").unwrap_or_default()
        );
        let candidates = group.targets.iter().filter(|entry| match entry.health.state {
            State::Initial | State::Healthy | State::Unhealthy | State::Unavailable => true,
            State::Draining | State::UnhealthyDraining | State::Unused => false,
        });
        Self {
            id: group.arn.rsplit('/').next().unwrap_or_default().to_owned(),
            targets: candidates
                .map(|entry| Candidate {
                    name: format!("{}:{}", entry.target.id, entry.target.port),
                    address: entry.target.address,
                    zone: entry.target.zone.clone(),
                    healthy: matches!(entry.health.state, State::Healthy | State::Unavailable),
                })
                .collect(),
            least_healthy: group.attribute(&format!("{ROUTING}.count")).unwrap_or(1),
            least_percent: group.attribute(&format!("{ROUTING}.percentage")).unwrap_or(0),
            cross_zone: get(&group.attributes, "load_balancing.cross_zone.enabled") != Some("false"),
            sticky: group.sticky_targets().then(|| group.attribute(&sticky_key)).flatten().map(u64::from),
            turn: Arc::clone(&group.turn),
            counters,
        }
    }

    /// Chooses a target: the client's own, if any, or the next in turn. With too few healthy targets, all count
    /// (fail-open).
    fn choose(&self, zones: &[String], parts: &Parts) -> Option<&Candidate> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        // A node knows only its own zone's targets if cross-zone is off; requests come to the nodes in turn.
        let (zone, turn) = match zones.len() {
            0 => (None, turn),
            nodes if !self.cross_zone => (zones.get(turn % nodes), turn / nodes),
            _ => (None, turn),
        };
        let here = |target: &&Candidate| zone.is_none_or(|zone| target.zone == *zone || target.zone == "all");
        let all: Vec<&Candidate> = self.targets.iter().filter(here).collect();
        let healthy: Vec<&Candidate> = all.iter().copied().filter(|target| target.healthy).collect();
        let open = self.fails_open(healthy.len(), all.len());
        if open && !all.is_empty() {
            count(&self.counters.unhealthy_routing);
        }
        let usable = if open { all } else { healthy };
        let own = self.sticky.and_then(|_| cookie_value(parts, "AWSALB"));
        let stuck = own.and_then(|name| usable.iter().copied().find(|target| target.name == name));
        stuck.or_else(|| usable.get(turn % usable.len().max(1)).copied())
    }

    /// True if too few targets are healthy (Target group health: unhealthy state routing).
    fn fails_open(&self, healthy: usize, all: usize) -> bool {
        let least = usize::try_from(self.least_healthy).unwrap_or(usize::MAX);
        let percent = usize::try_from(self.least_percent).unwrap_or(0);
        healthy < least || healthy * 100 < percent * all
    }
}

/// Seconds since 1970.
fn unix_now() -> u64 {
    crate::clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The pair of stickiness cookies that AWS sets, valid for this number of seconds. The value names the client's target
/// or group.
fn cookie(name: &str, whom: &str, seconds: u64) -> [String; 2] {
    let expires = http_date(crate::clock::wall() + Duration::from_secs(seconds));
    let value = format!("{}.{}", whom.replace([';', ' '], ""), unix_now() + seconds);
    [
        format!("{name}={value}; Expires={expires}; Path=/"),
        format!("{name}CORS={value}; Expires={expires}; Path=/; SameSite=None"),
    ]
}

/// The target or group in a stickiness cookie, if present and not expired.
fn cookie_value(parts: &Parts, name: &str) -> Option<String> {
    let headers = parts.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        headers.flat_map(|header| header.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    let (whom, expires) = value.rsplit_once('.')?;
    expires.parse::<u64>().ok().filter(|expires| *expires > unix_now()).map(|_| whom.to_owned())
}
