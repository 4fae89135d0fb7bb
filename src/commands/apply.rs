//! Runs one step.

use super::probes::run_probes;
use super::session::Session;
use super::tags::revision_tags;
use crate::aws::{Aws, missing_rule_error};
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::definition::{Content, add_tags, family_name, same_content};
use crate::plan::run_memory::Answer;
use crate::plan::snapshot::{Revision, Rule, Snapshot};
use crate::plan::step::{Step, Weights};

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
        answers.push(apply_alone(session, aws, step, seen).await);
    }
    (answers, None)
}

/// Runs one step alone. Weights can be written only to a rule that the newest look shows.
async fn apply_alone(
    session: &Session<'_>,
    aws: &Aws,
    step: &Step,
    seen: Option<&Snapshot>,
) -> AwsResult<Answer> {
    match step {
        Step::Find(wanted) => {
            let found = find_revision(aws, &wanted.content).await?;
            Ok(Answer::Found(found.map(|revision| revision.arn)))
        }
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
        Step::Weights(weights) => Err(missing_rule_error(&weights.rule)),
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

/// The newest revision of the content's family, if it holds this content.
pub(crate) async fn find_revision(aws: &Aws, content: &Content) -> AwsResult<Option<Revision>> {
    match aws.revision(family_name(content)).await {
        Ok(newest) if same_content(&newest.content, content) => Ok(Some(newest)),
        Ok(_) => Ok(None),
        Err(trouble) if trouble.kind == AwsErrorKind::Missing => Ok(None),
        Err(trouble) => Err(trouble),
    }
}
