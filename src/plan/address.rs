//! Addresses: requests that the rules of a listener send to one color alone.

use super::color::Color;
use super::route::{Request, Route, route};
use super::snapshot::{Balancer, Condition, Rule};
use super::wiring::rule_name;

/// A listener rule, and the rules that are evaluated with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The color that the rule leads to.
    pub(crate) color: Color,
    /// The rule.
    rule: Rule,
    /// All rules of its listener.
    listener: Vec<Rule>,
    /// The load balancer's DNS name.
    dns: String,
}

/// A request that one rule answers, and where to send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// `http` or `https`.
    pub(crate) scheme: String,
    /// The load balancer's DNS name.
    pub(crate) dns: String,
    /// The listener's port.
    pub(crate) port: u16,
    /// The request.
    pub(crate) request: Request,
    /// The name of the rule that answers.
    pub(crate) rule: String,
}

impl Address {
    /// The URL that a browser would be given; a default port and a lone `/` are left out.
    pub(crate) fn url(&self) -> String {
        let target = self.request.target();
        let target = if target == "/" { "" } else { target.as_str() };
        format!("{}{target}", self.origin(&self.request.host))
    }

    /// The URL of a probe: as [`Address::url`] with every path.
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
    pub(crate) fn new(color: Color, balancer: &Balancer, rule: &Rule) -> Entry {
        let of_listener = balancer.rules.iter().filter(|other| other.listener == rule.listener);
        Entry {
            color,
            rule: rule.clone(),
            listener: of_listener.cloned().collect(),
            dns: balancer.dns.clone(),
        }
    }

    /// Whether the rule is its listener's default action.
    pub(crate) fn is_default(&self) -> bool {
        self.rule.priority.is_none()
    }

    /// The address of a probe of this path (perhaps with a query), if the rule answers it.
    pub(crate) fn probe(&self, target: &str) -> Option<Address> {
        let request = Request::for_rule(&self.rule, &self.dns, Some(target))?;
        self.answered(request, self.listener.iter()).filter(|_| self.only_forwards())
    }

    /// The address that people can open: no header is needed.
    pub(crate) fn shown(&self) -> Option<Address> {
        self.answered(self.plain()?, self.listener.iter()).filter(|_| self.only_forwards())
    }

    /// Whether whoever meets the rule reaches its group: nobody has to sign in first, and the group has weight.
    fn only_forwards(&self) -> bool {
        let forwards = self.rule.actions.iter().all(|action| action == "forward");
        forwards && self.rule.forward.iter().all(|target| target.weight > 0)
    }

    /// The address of users. They come from everywhere, so rules for some sources are not theirs.
    pub(crate) fn of_users(&self) -> Option<Address> {
        let by_source = |condition: &Condition| matches!(condition, Condition::SourceIp(_));
        let rules = self.listener.iter().filter(|rule| !rule.conditions.iter().any(by_source));
        self.answered(self.plain()?, rules)
    }

    /// A request for the rule without headers.
    fn plain(&self) -> Option<Request> {
        Request::for_rule(&self.rule, &self.dns, None).filter(|request| request.headers.is_empty())
    }

    /// The request as an address, if this rule answers it.
    fn answered<'a>(&self, request: Request, rules: impl Iterator<Item = &'a Rule>) -> Option<Address> {
        match route(rules, &request) {
            Route::Rule(found) if found.arn == self.rule.arn => Some(Address {
                scheme: self.rule.protocol.to_lowercase(),
                dns: self.dns.clone(),
                port: self.rule.port,
                rule: rule_name(&self.rule),
                request,
            }),
            Route::Rule(_) | Route::Unknown(_) | Route::Nowhere => None,
        }
    }
}
