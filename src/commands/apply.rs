//! Runs one step.

use std::time::Duration;

use super::session::Session;
use super::start::run_id;
use super::tags::revision_tags;
use crate::action::env::Environment;
use crate::aws::Aws;
use crate::clock;
use crate::event::Event;
use crate::http::{ProbeAnswer, ProbeRequest, send_probe};
use crate::plan::address::Address;
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::color::Color;
use crate::plan::definition::{Content, add_tags, family_name, same_content};
use crate::plan::probe::judge_answer;
use crate::plan::run_memory::Answer;
use crate::plan::snapshot::{Rule, Snapshot};
use crate::plan::step::{ProbeFailure, ProbeFailureKind, Step, Weights};
use crate::plan::wiring::apart_of_snapshot;
use crate::report::words;

/// Longest lookup of a probe's host by a runner behind a proxy.
const LOOK_UP: Duration = Duration::from_secs(3);

/// Does steps that were decided together, and brings their answers in the same order. After writes of weights also what
/// decides about the steps that follow.
pub(crate) async fn apply_step(
    session: &Session<'_>,
    aws: &Aws,
    (steps, then): (&[Step], &[Step]),
    seen: Option<&Snapshot>,
) -> (Vec<AwsResult<Answer>>, Option<Snapshot>) {
    let writes: Option<Vec<(&Weights, &Rule)>> =
        steps.iter().map(|step| Some((step.weights()?, find_rule(seen?, &step.weights()?.rule)?))).collect();
    if let (Some(writes), Some(seen)) = (writes, seen) {
        let then: Vec<&Rule> =
            then.iter().filter_map(|step| find_rule(seen, &step.weights()?.rule)).collect();
        let (rules, between) = aws.set_weights(&writes, &then, seen).await;
        let answer = |rule: AwsResult<Rule>| rule.map(|rule| Answer::Weighed(Box::new(rule)));
        return (rules.into_iter().map(answer).collect(), between);
    }
    let mut answers = Vec::new();
    for step in steps {
        answers.push(apply_other(session, aws, step, seen).await);
    }
    (answers, None)
}

/// Runs a step that writes no weights.
async fn apply_other(
    session: &Session<'_>,
    aws: &Aws,
    step: &Step,
    seen: Option<&Snapshot>,
) -> AwsResult<Answer> {
    match step {
        Step::Find(wanted) => Ok(Answer::Found(find_revision(aws, &wanted.content).await?)),
        Step::Register(wanted) => {
            let mut content = wanted.content.clone();
            add_tags(&mut content, &revision_tags(session.context, wanted.origin.as_deref()));
            Ok(Answer::Registered(aws.register(&content).await?.arn))
        }
        Step::Update(update) => {
            let service = aws.update_service(&session.names.place, update).await?;
            Ok(Answer::Updated(Box::new(service)))
        }
        Step::Probe(color) => Ok(Answer::Probed(run_probes(session, *color, seen).await)),
        Step::Weights(weights) => Err(misplaced_step(&weights.rule)),
        Step::Scaling(scaling) => {
            let service = seen.and_then(|snapshot| snapshot.service(scaling.color));
            let found = service.and_then(|service| service.scaling.clone()?.ok()?).unwrap_or_default();
            aws.scale(&session.names.place, scaling, found).await?;
            Ok(Answer::Changed)
        }
        Step::Policy(put) => {
            aws.put_policy(&session.names.place, put).await?;
            Ok(Answer::Changed)
        }
        Step::Alarm(put) => {
            aws.put_alarm(put).await?;
            Ok(Answer::Changed)
        }
    }
}

/// A rule of a snapshot.
fn find_rule<'a>(snapshot: &'a Snapshot, arn: &str) -> Option<&'a Rule> {
    let balancers = snapshot.balancers.iter().flatten().flatten();
    balancers.flat_map(|balancer| &balancer.rules).find(|rule| rule.arn == arn)
}

/// A step that does not belong to the course: nothing is sent.
fn misplaced_step(resource: &str) -> AwsError {
    AwsError {
        kind: AwsErrorKind::Refused,
        action: "none",
        resource: resource.to_owned(),
        code: None,
        message: words::MISPLACED_STEP.to_owned(),
        effect_unknown: false,
    }
}

/// The newest revision of the content's family, if it holds this content.
pub(crate) async fn find_revision(aws: &Aws, content: &Content) -> AwsResult<Option<String>> {
    match aws.revision(family_name(content)).await {
        Ok(newest) if same_content(&newest.content, content) => Ok(Some(newest.arn)),
        Ok(_) => Ok(None),
        Err(trouble) if trouble.kind == AwsErrorKind::Missing => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

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

/// Sends the probes one after the other and stops at the first wrong answer. Each probe uses an address that leads only
/// to the color, by the rules read right before.
async fn run_probes(
    session: &Session<'_>,
    color: Color,
    seen: Option<&Snapshot>,
) -> Result<(), ProbeFailure> {
    let settings = session.settings;
    let read = seen.and_then(|snapshot| apart_of_snapshot(snapshot, settings.place.listener.as_ref()));
    let wiring = read.and_then(Result::ok);
    for wanted in settings.probes() {
        let hosts = &settings.place.hosts;
        let address = wiring.as_ref().and_then(|wiring| wiring.probe_address(color, &wanted.path, hosts));
        let Some(address) = address else {
            return Err(ProbeFailure { url: wanted.path.clone(), kind: ProbeFailureKind::NoRule });
        };
        let url = address.probe_url();
        session.reporter.emit(&Event::Probing { url: url.clone(), rule: address.rule.clone() });
        let request = probe_request(&address, session.env);
        // A lookup without an end shows nothing.
        let elsewhere = clock::with_timeout(LOOK_UP, request.elsewhere()).await;
        if let Some((proxy, host)) = elsewhere.unwrap_or_else(|| request.by_proxy()) {
            return Err(ProbeFailure { url, kind: ProbeFailureKind::Elsewhere { proxy, host } });
        }
        match send_probe(run_id(session.context), &request).await {
            ProbeAnswer::Answered { status, body } => judge_answer(wanted, &url, status, &body)?,
            ProbeAnswer::OtherCertificate { names } => {
                let kind = ProbeFailureKind::Certificate { names, host: address.request.host };
                return Err(ProbeFailure { url, kind });
            }
            ProbeAnswer::Unreachable { why } => {
                return Err(ProbeFailure { url, kind: ProbeFailureKind::Unreachable { why } });
            }
        }
    }
    Ok(())
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
