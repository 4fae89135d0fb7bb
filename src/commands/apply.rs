//! Doing one step.

use std::time::Duration;

use super::drive::Drive;
use super::start::run_id;
use super::tags::tags;
use crate::action::env::Environment;
use crate::aws::Aws;
use crate::clock;
use crate::event::Event;
use crate::http::{ProbeAnswer, ProbeRequest, probe};
use crate::plan::address::Address;
use crate::plan::course::Course;
use crate::plan::definition::{Content, family, same_content, tag};
use crate::plan::probe::judge;
use crate::plan::run::Answer;
use crate::plan::snapshot::{Rule, Snapshot};
use crate::plan::step::{ProbeFailure, ProbeFailureKind, Step, Weights};
use crate::plan::trouble::{Read, Trouble, TroubleKind};
use crate::plan::wiring::apart_of_snapshot;
use crate::report::words;

/// How long a runner behind a proxy looks up where a probe's host leads.
const LOOK_UP: Duration = Duration::from_secs(3);

/// Does steps that were decided together, and brings their answers in the same order. After writes of weights also what
/// decides about the steps that follow.
pub(crate) async fn apply<C: Course>(
    drive: &Drive<'_, C>,
    aws: &Aws,
    (steps, then): (&[Step], &[Step]),
    seen: Option<&Snapshot>,
) -> (Vec<Read<Answer>>, Option<Snapshot>) {
    let writes: Option<Vec<(&Weights, &Rule)>> =
        steps.iter().map(|step| Some((weights(step)?, rule(seen?, &weights(step)?.rule)?))).collect();
    if let (Some(writes), Some(seen)) = (writes, seen) {
        let then: Vec<&Rule> = then.iter().filter_map(|step| rule(seen, &weights(step)?.rule)).collect();
        let (rules, between) = aws.set_weights(&writes, &then, seen).await;
        let answer = |rule: Read<Rule>| rule.map(|rule| Answer::Weighed(Box::new(rule)));
        return (rules.into_iter().map(answer).collect(), between);
    }
    let mut answers = Vec::new();
    for step in steps {
        answers.push(apply_other(drive, aws, step, seen).await);
    }
    (answers, None)
}

/// The weights that a step writes.
fn weights(step: &Step) -> Option<&Weights> {
    match step {
        Step::Weights(weights) => Some(weights),
        Step::Find { .. }
        | Step::Register { .. }
        | Step::Update(_)
        | Step::Probe
        | Step::Scaling(_)
        | Step::Policy(_)
        | Step::Alarm(_) => None,
    }
}

/// Does a step that writes no weights.
async fn apply_other<C: Course>(
    drive: &Drive<'_, C>,
    aws: &Aws,
    step: &Step,
    seen: Option<&Snapshot>,
) -> Read<Answer> {
    match step {
        Step::Find { family } => {
            let Some(deploying) = drive.course.deploying() else { return Err(misplaced(family)) };
            Ok(Answer::Found(holding(aws, &deploying.goal.content).await?))
        }
        Step::Register { family } => {
            let Some(deploying) = drive.course.deploying() else { return Err(misplaced(family)) };
            let mut content = deploying.goal.content.clone();
            let origin = deploying.goal.origin.as_deref();
            tag(&mut content, &tags(drive.session.context, origin));
            Ok(Answer::Registered(aws.register(&content).await?.arn))
        }
        Step::Update(update) => {
            let service = aws.update_service(&drive.session.names.place, update).await?;
            Ok(Answer::Updated(Box::new(service)))
        }
        Step::Probe => Ok(Answer::Probed(probes(drive, seen).await)),
        Step::Weights(weights) => Err(misplaced(&weights.rule)),
        Step::Scaling(scaling) => {
            let service = seen.and_then(|snapshot| snapshot.service(scaling.color));
            let found = service.and_then(|service| service.scaling.clone()?.ok()?).unwrap_or_default();
            aws.scale(&drive.session.names.place, scaling, found).await?;
            Ok(Answer::Changed)
        }
        Step::Policy(put) => {
            aws.put_policy(&drive.session.names.place, put).await?;
            Ok(Answer::Changed)
        }
        Step::Alarm(put) => {
            aws.put_alarm(put).await?;
            Ok(Answer::Changed)
        }
    }
}

/// A rule of a snapshot.
fn rule<'a>(snapshot: &'a Snapshot, arn: &str) -> Option<&'a Rule> {
    let balancers = snapshot.balancers.iter().flatten().flatten();
    balancers.flat_map(|balancer| &balancer.rules).find(|rule| rule.arn == arn)
}

/// A step that the course does not take: nothing is sent.
fn misplaced(resource: &str) -> Trouble {
    Trouble {
        kind: TroubleKind::Refused,
        action: "none",
        resource: resource.to_owned(),
        code: None,
        message: words::MISPLACED_STEP.to_owned(),
        effect_unknown: false,
    }
}

/// The newest revision of the content's family, if it holds this content.
pub(crate) async fn holding(aws: &Aws, content: &Content) -> Read<Option<String>> {
    match aws.revision(family(content)).await {
        Ok(newest) if same_content(&newest.content, content) => Ok(Some(newest.arn)),
        Ok(_) => Ok(None),
        Err(trouble) if trouble.kind == TroubleKind::Missing => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// The request of an address, sent to its load balancer. Over HTTPS the URL has the host, which the certificate is for;
/// over HTTP the load balancer's name, which a proxy can look up.
fn request(address: &Address, env: &Environment) -> ProbeRequest {
    let Address { dns, request, .. } = address;
    let secure = address.scheme == "https";
    let name = if secure { &request.host } else { dns };
    let url = format!("{}{}", address.origin(name), request.target());
    ProbeRequest {
        proxy: env.proxy(&url),
        url,
        host: (request.host != *dns).then(|| request.host.clone()),
        headers: request.headers.clone(),
        at: secure.then(|| dns.clone()),
    }
}

/// Sends the probes one after the other; the first wrong answer ends it. Each goes where the rules that were seen right
/// before lead to the color alone.
async fn probes<C: Course>(drive: &Drive<'_, C>, seen: Option<&Snapshot>) -> Result<(), ProbeFailure> {
    let settings = drive.session.settings;
    let read = seen.and_then(|snapshot| apart_of_snapshot(snapshot, settings.place.listener.as_ref()));
    let wiring = read.and_then(Result::ok);
    for wanted in settings.probes() {
        let color = drive.course.deploying().map(|deploying| deploying.goal.color);
        let address = wiring
            .as_ref()
            .zip(color)
            .and_then(|(wiring, color)| wiring.probe_address(color, &wanted.path, &settings.place.hosts));
        let Some(address) = address else {
            return Err(ProbeFailure { url: wanted.path.clone(), kind: ProbeFailureKind::NoRule });
        };
        let url = address.probe_url();
        drive.session.reporter.emit(&Event::Probing { url: url.clone(), rule: address.rule.clone() });
        let request = request(&address, drive.session.env);
        if let Some((proxy, host)) = clock::within(LOOK_UP, request.elsewhere()).await.flatten() {
            return Err(ProbeFailure { url, kind: ProbeFailureKind::Elsewhere { proxy, host } });
        }
        match probe(run_id(drive.session.context), &request).await {
            ProbeAnswer::Answered { status, body } => judge(wanted, &url, status, &body)?,
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
