//! Addresses: requests that the rules of a listener send to one color alone.

use super::color::ServiceColor;
use super::route::{Route, RoutedRequest, find_route, named_hosts};
use super::snapshot::{Balancer, Condition, Rule};
use super::wiring::rule_name;

/// A listener rule and all rules that AWS evaluates with this rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The color that the rule leads to.
    pub(crate) color: ServiceColor,
    /// The rule.
    rule: Rule,
    /// All rules of the same listener.
    listener: Vec<Rule>,
    /// The load balancer's DNS name.
    dns: String,
}

/// A request that one rule answers, and the load balancer to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// `http` or `https`.
    pub(crate) scheme: String,
    /// The load balancer's DNS name.
    pub(crate) dns: String,
    /// The listener's port.
    pub(crate) port: u16,
    /// The request.
    pub(crate) request: RoutedRequest,
    /// The name of the rule that answers.
    pub(crate) rule: String,
}

impl Address {
    /// The URL for a browser. A default port and a lone `/` are left out.
    pub(crate) fn url(&self) -> String {
        let target = self.request.target();
        let target = if target == "/" { "" } else { target.as_str() };
        format!("{}{target}", self.origin(&self.request.host))
    }

    /// The URL of a probe: like [`Address::url`], and a lone `/` stays.
    pub(crate) fn probe_url(&self) -> String {
        format!("{}{}", self.origin(&self.request.host), self.request.target())
    }

    /// Scheme, host and port; a default port is left out.
    pub(crate) fn origin(&self, host: &str) -> String {
        match (self.scheme.as_str(), self.port) {
            ("http", 80) | ("https", 443) => format!("{}://{host}", self.scheme),
            (scheme, port) => format!("{scheme}://{host}:{port}"),
        }
    }
}

impl Entry {
    /// A rule of this load balancer that leads to a color.
    pub(crate) fn new(color: ServiceColor, balancer: &Balancer, rule: &Rule) -> Entry {
        let of_listener = balancer.rules.iter().filter(|other| other.listener == rule.listener);
        Entry {
            color,
            rule: rule.clone(),
            listener: of_listener.cloned().collect(),
            dns: balancer.dns.clone(),
        }
    }

    /// True for the listener's default action.
    pub(crate) fn is_default(&self) -> bool {
        self.rule.priority.is_none()
    }

    /// The address for a probe of this path (perhaps with a query). None if another rule answers. `named` is the
    /// color's host in the config file.
    pub(crate) fn probe(&self, target: &str, named: Option<&str>) -> Option<Address> {
        self.answered(named, Some(target), self.listener.iter()).filter(|_| self.only_forwards())
    }

    /// The address that people can open without any header.
    pub(crate) fn shown(&self, named: Option<&str>) -> Option<Address> {
        self.answered(named, None, self.listener.iter())
            .filter(|found| self.only_forwards() && is_plain(found))
    }

    /// True if the rule only forwards, without a sign-in first, and every group has weight.
    fn only_forwards(&self) -> bool {
        let forwards = self.rule.actions.iter().all(|action| action == "forward");
        forwards && self.rule.forward.iter().all(|target| target.weight > 0)
    }

    /// The address of users. Users come from everywhere, so rules for a source address are left out.
    pub(crate) fn of_users(&self, named: Option<&str>) -> Option<Address> {
        let by_source = |condition: &Condition| matches!(condition, Condition::SourceIp(_));
        let rules = self.listener.iter().filter(|rule| !rule.conditions.iter().any(by_source));
        self.answered(named, None, rules).filter(is_plain)
    }

    /// The rule's listener, such as `HTTPS:443`, if only a host is missing for a request.
    pub(crate) fn lacks_host(&self, named: Option<&str>) -> Option<String> {
        let lacks = self.only_forwards() && self.hosts(named).is_empty();
        lacks.then(|| format!("{}:{}", self.rule.protocol, self.rule.port))
    }

    /// The hosts for a request to the rule, the best first: the host in the config file, then the hosts that the rule
    /// names. Without a condition on the host, plain HTTP also takes the load balancer's own name. HTTPS does not: AWS
    /// Certificate Manager issues no certificate for that name.
    fn hosts(&self, named: Option<&str>) -> Vec<String> {
        let of_rule = named_hosts(&self.rule).unwrap_or_else(|| {
            let own = (self.rule.protocol == "HTTP").then(|| self.dns.clone());
            own.into_iter().collect()
        });
        named.map(str::to_owned).into_iter().chain(of_rule).collect()
    }

    /// Tries one request for each host. Returns the first request that this rule answers.
    fn answered<'a>(
        &self,
        named: Option<&str>,
        target: Option<&str>,
        rules: impl Iterator<Item = &'a Rule> + Clone,
    ) -> Option<Address> {
        self.hosts(named).into_iter().find_map(|host| {
            let request = RoutedRequest::for_rule(&self.rule, &host, target)?;
            match find_route(rules.clone(), &request) {
                Route::Rule(found) if found.arn == self.rule.arn => Some(self.address(request)),
                Route::Rule(_) | Route::Unknown(_) | Route::Nowhere => None,
            }
        })
    }

    /// The address of a request that this rule answers.
    fn address(&self, request: RoutedRequest) -> Address {
        Address {
            scheme: self.rule.protocol.to_lowercase(),
            dns: self.dns.clone(),
            port: self.rule.port,
            rule: rule_name(&self.rule),
            request,
        }
    }
}

/// True if the request needs no header, so that a browser can send it.
fn is_plain(address: &Address) -> bool {
    address.request.headers.is_empty()
}
