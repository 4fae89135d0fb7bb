//! Sends probes: those of a deploy, and those that compare the colors.

use std::time::Duration;

use super::drive::Drive;
use super::outside::{Interrupted, run_unless};
use super::session::Session;
use super::start::run_id;
use crate::action::env::Environment;
use crate::clock;
use crate::event::{Event, Warning};
use crate::http::{ProbeAnswer, ProbeRequest, send_probe};
use crate::plan::address::Address;
use crate::plan::aws_error::AwsResult;
use crate::plan::color::{Color, ServiceColor};
use crate::plan::compare::{ColorPair, CompareMode, ProbeTry};
use crate::plan::probe::judge_answer;
use crate::plan::snapshot::Snapshot;
use crate::plan::step::{Next, ProbeFailure, ProbeFailureKind, RunFailure};
use crate::plan::verdict::Restorer;
use crate::plan::wanted::Probe;
use crate::plan::wiring::{Wiring, apart_of_snapshot};

/// Longest lookup of a probe's host by a runner behind a proxy.
const LOOK_UP: Duration = Duration::from_secs(3);

/// Number of times that a wrong answer is tried again. A new weight or task may take a moment.
const MORE_TRIES: u32 = 2;

/// Time before a wrong answer is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// The request of an address, sent to its load balancer. Over HTTPS the URL has the certificate's host; over HTTP the
/// load balancer's name, unless a proxy is on the way: a proxy replaces `Host` by the URL's host (RFC 9112, 3.2.2).
fn probe_request(address: &Address, env: &Environment) -> ProbeRequest {
    let Address { dns, request, .. } = address;
    let url_of = |name: &str| format!("{}{}", address.origin(name), request.target());
    let other_host = request.host != *dns;
    let by_host = address.scheme == "https" || (other_host && env.proxy(&url_of(dns)).is_some());
    let url = url_of(if by_host { &request.host } else { dns });
    ProbeRequest {
        proxy: env.proxy(&url),
        url,
        host: other_host.then(|| request.host.clone()),
        headers: request.headers.clone(),
        at: by_host.then(|| dns.clone()),
    }
}

/// The answer to one probe, judged.
async fn answer_of(
    session: &Session<'_>,
    address: &Address,
    wanted: &Probe,
) -> (Option<u16>, Result<(), ProbeFailure>) {
    let url = address.probe_url();
    let failed = |kind| Err(ProbeFailure { url: url.clone(), kind });
    let request = probe_request(address, session.env);
    // A lookup without an end shows nothing.
    let elsewhere = clock::with_timeout(LOOK_UP, request.elsewhere()).await;
    if let Some((proxy, host)) = elsewhere.unwrap_or_else(|| request.by_proxy()) {
        return (None, failed(ProbeFailureKind::Elsewhere { proxy, host }));
    }
    match send_probe(run_id(session.context), &request).await {
        ProbeAnswer::Answered { status, body } => (Some(status), judge_answer(wanted, &url, status, &body)),
        ProbeAnswer::OtherCertificate { names } => {
            let host = address.request.host.clone();
            (None, failed(ProbeFailureKind::Certificate { names, host }))
        }
        ProbeAnswer::Unreachable { why } => (None, failed(ProbeFailureKind::Unreachable { why })),
    }
}

/// The wiring of a look.
fn wiring_of(session: &Session<'_>, seen: &Snapshot) -> Option<Wiring> {
    apart_of_snapshot(seen, session.settings.place.listener.as_ref())?.ok()
}

/// Sends the probes one after the other and stops at the first wrong answer. Each probe uses an address that leads only
/// to the color, by the rules read right before.
pub(super) async fn run_probes(
    session: &Session<'_>,
    color: ServiceColor,
    seen: Option<&Snapshot>,
) -> Result<(), ProbeFailure> {
    let wiring = seen.and_then(|snapshot| wiring_of(session, snapshot));
    for wanted in session.settings.probes() {
        let hosts = &session.settings.place.hosts;
        let address = wiring.as_ref().and_then(|wiring| wiring.probe_address(color, &wanted.path, hosts));
        let Some(address) = address else {
            return Err(ProbeFailure { url: wanted.path.clone(), kind: ProbeFailureKind::NoRule });
        };
        let (url, rule) = (address.probe_url(), address.rule.clone());
        session.reporter.emit(&Event::Probing { url, rule });
        answer_of(session, &address, wanted).await.1?;
    }
    Ok(())
}

/// Sends one probe to a color, and again after a wrong answer. Gives the last answer.
async fn try_probe(session: &Session<'_>, address: &Address, wanted: &Probe) -> ProbeTry {
    let mut tries = 0;
    loop {
        let began = clock::now();
        let (status, judged) = answer_of(session, address, wanted).await;
        let took = clock::now().since(began);
        if judged.is_ok() || tries == MORE_TRIES {
            return ProbeTry { status, judged, took };
        }
        tries += 1;
        clock::sleep(PAUSE).await;
    }
}

/// The probes that both colors get, each with its two addresses. Empty unless every probe has both.
fn addresses<'a>(session: &'a Session<'_>, wiring: &Wiring) -> Vec<(&'a Probe, ColorPair<Address>)> {
    let hosts = &session.settings.place.hosts;
    let both = |probe: &'a Probe| {
        let of = |color: Color| wiring.probe_address(color, &probe.path, hosts);
        Some((probe, ColorPair { blue: of(Color::Blue)?, green: of(Color::Green)? }))
    };
    session.settings.split_probes.iter().map(both).collect::<Option<_>>().unwrap_or_default()
}

impl Drive<'_> {
    /// The decision after the probes of both colors, if they are due: users go back, or stay, if the color that gains users
    /// answers wrong. None if a new look has to decide: after a signal, which is noted, and before a write, because the probes
    /// took time.
    pub(super) async fn with_probes(&mut self, next: Next, seen: &AwsResult<Snapshot>) -> Option<Next> {
        let (Ok(seen), Some(gaining)) = (seen, self.gaining()) else { return Some(next) };
        if self.session.settings.split_probes.is_empty() || !self.probed.is_due(&next, clock::now()) {
            return Some(next);
        }
        let Some(wiring) = wiring_of(self.session, seen) else { return Some(next) };
        let mut failing = None;
        for (probe, addresses) in addresses(self.session, &wiring) {
            let session = self.session;
            let both = async {
                let blue = try_probe(session, &addresses.blue, probe).await;
                let green = try_probe(session, &addresses.green, probe).await;
                ColorPair { blue, green }
            };
            let Interrupted::No(tries) = run_unless(session.signals.wait(), both).await else {
                self.note_signal();
                return None;
            };
            let differences = self.probed.note(&probe.path, &tries);
            for difference in differences {
                session.reporter.emit(&Event::Warning(Warning::ProbesDiffer(difference)));
            }
            failing = failing.or_else(|| tries.facing(gaining).0.judged.clone().err());
        }
        let goes_back = self.session.settings.compare.mode == CompareMode::Back;
        let restore = |failure| Next::Restore(RunFailure::Probe(failure), Restorer::ThisRun);
        match failing.filter(|_| goes_back) {
            Some(failure) => Some(restore(failure)),
            None => Some(next).filter(|next| !matches!(next, Next::Step(_))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::env::Entry;
    use crate::plan::route::RoutedRequest;

    #[test]
    fn invariant_38_a_proxy_gets_the_host_of_the_rule_in_the_url() {
        let sent = |scheme: &str, host: &str, variables: &[(&str, &str)]| {
            let request = RoutedRequest { path: "/healthz".to_owned(), ..RoutedRequest::to(host) };
            let (scheme, dns) = (scheme.to_owned(), "alb.example".to_owned());
            let address = Address { scheme, dns, port: 8080, request, rule: "HTTP:8080 rule 10".to_owned() };
            let sent = probe_request(&address, &Environment::new(Entry::Main, variables));
            [Some(sent.url), sent.host, sent.at, sent.proxy].map(Option::unwrap_or_default)
        };
        let (dns, host) = ("http://alb.example:8080/healthz", "http://green.shop:8080/healthz");
        let (alb, green, secure) = ("alb.example", "green.shop", "https://green.shop:8080/healthz");
        let (proxy, by) = (("HTTP_PROXY", "http://proxy:3128"), "proxy:3128");
        assert_eq!(sent("http", alb, &[]), [dns, "", "", ""]);
        assert_eq!(sent("http", green, &[]), [dns, green, "", ""]);
        assert_eq!(sent("http", alb, &[proxy]), [dns, "", "", by]);
        assert_eq!(sent("http", green, &[proxy]), [host, green, alb, by]);
        assert_eq!(sent("http", green, &[proxy, ("NO_PROXY", alb)]), [dns, green, "", ""]);
        assert_eq!(sent("http", green, &[proxy, ("NO_PROXY", green)]), [host, green, alb, ""]);
        assert_eq!(sent("https", green, &[proxy]), [secure, green, alb, ""]);
        assert_eq!(sent("https", green, &[("HTTPS_PROXY", "http://proxy:3128")]), [secure, green, alb, by]);
    }
}
