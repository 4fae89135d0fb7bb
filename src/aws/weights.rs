//! Changes of a listener rule's weights.

use aws_sdk_elasticloadbalancingv2::config::Config;
use aws_sdk_elasticloadbalancingv2::types::Action;
use futures_util::future::join_all;

use super::actions;
use super::clients::Aws;
use super::errors::{read_error, unexpected_response, write_error};
use super::observe::await_optional;
use super::retry::NoBlindRetry;
use super::rules::{DESCRIBE_RULES, rule_from_aws};
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::snapshot::{Rule, Service, Snapshot, Target};
use crate::plan::step::Weights;
use crate::plan::traffic::with_rules;

/// The IAM action of ModifyListener.
const MODIFY_LISTENER: &str = "elasticloadbalancing:ModifyListener";

/// The IAM action of ModifyRule.
const MODIFY_RULE: &str = "elasticloadbalancing:ModifyRule";

impl Aws {
    /// Writes all actions of each rule, and nothing else of it, all rules at the same time, and reads them back. A rule with
    /// its write is as it was found: what of its listener is not in the answer comes from there. When AWS took the actions
    /// and the rule can't be read back, the trouble is that of the read, and its effect is unknown.
    ///
    /// With them it reads what decides about the rules that are written `next`: these rules, and the health of the targets.
    /// None if there are none, if a write failed, or if any of it can't be read.
    pub(crate) async fn set_weights(
        &self,
        writes: &[(&Weights, &Rule)],
        next: &[&Rule],
        seen: &Snapshot,
    ) -> (Vec<AwsResult<Rule>>, Option<Snapshot>) {
        let sent = join_all(writes.iter().map(|(weights, _)| self.write_actions(weights))).await;
        let taken = sent.iter().zip(writes).filter(|(answer, _)| answer.is_ok());
        let taken: Vec<&Rule> = taken.map(|(_, (_, rule))| *rule).collect();
        let next = if taken.len() == writes.len() { next } else { &[] };
        let health = (!next.is_empty()).then(|| self.health_anew(seen));
        let ((read, all), services) = tokio::join!(self.read_written(&taken, next), await_optional(health));
        let mut read = read.into_iter();
        let answer = |(sent, (_, rule)): (AwsResult<()>, &(&Weights, &Rule))| {
            sent?;
            let rule = read.next().unwrap_or_else(|| Err(missing_rule_error(&rule.arn)));
            rule.map_err(|trouble| AwsError { effect_unknown: true, ..trouble })
        };
        let rules = sent.into_iter().zip(writes).map(answer).collect();
        let anew = |(rules, services): (Vec<Rule>, _)| Snapshot { services, ..with_rules(seen, &rules) };
        (rules, all.zip(services.flatten()).map(anew))
    }

    /// Rules that were written, each as AWS holds it now; and they and the next ones, if all could be read.
    async fn read_written(
        &self,
        written: &[&Rule],
        next: &[&Rule],
    ) -> (Vec<AwsResult<Rule>>, Option<Vec<Rule>>) {
        let all = [written, next].concat();
        if written.is_empty() {
            return (Vec::new(), None);
        }
        match self.read_rules(&all).await {
            Ok(rules) if rules.len() == all.len() => {
                (rules.iter().take(written.len()).cloned().map(Ok).collect(), Some(rules))
            }
            Err(trouble) if all.len() == 1 => (vec![Err(trouble)], None),
            // One of them is gone, or they can't be read: it tells nothing of the others.
            Ok(_) | Err(_) => (join_all(written.iter().map(|rule| self.read_back(rule))).await, None),
        }
    }

    /// The services with the health of their targets read again; none if a target group can't be read.
    async fn health_anew(&self, seen: &Snapshot) -> Option<Vec<Service>> {
        let reads = seen.services.iter().map(async |service| match &service.targets {
            Some(_) => Some(self.targets(service.setup.links.first()?.group.as_deref()?).await),
            None => None,
        });
        let reads = join_all(reads).await;
        let anew = |(service, targets): (&Service, Option<AwsResult<Vec<Target>>>)| match (
            &service.targets,
            targets,
        ) {
            (Some(_), Some(Ok(targets))) => Some(Service { targets: Some(Ok(targets)), ..service.clone() }),
            (Some(_), Some(Err(_)) | None) => None,
            (None, _) => Some(service.clone()),
        };
        seen.services.iter().zip(reads).map(anew).collect()
    }

    /// Writes all actions of a rule, and nothing else.
    async fn write_actions(&self, weights: &Weights) -> AwsResult<()> {
        let (action, written) =
            if weights.default { (MODIFY_LISTENER, &weights.listener) } else { (MODIFY_RULE, &weights.rule) };
        let actions = actions::from_json(&weights.actions).map_err(|why| {
            unexpected_response(
                AwsErrorKind::Refused,
                action,
                written,
                &format!("can't be written, nothing was sent: {why}"),
            )
        })?;
        if weights.default {
            self.modify_listener(written, actions).await
        } else {
            self.modify_rule(written, actions).await
        }
    }

    /// Replaces the default actions of a listener.
    async fn modify_listener(&self, listener: &str, actions: Vec<Action>) -> AwsResult<()> {
        let asked = self.elb.modify_listener().listener_arn(listener).set_default_actions(Some(actions));
        let asked = asked.customize().config_override(Config::builder().retry_classifier(NoBlindRetry));
        asked.send().await.map_err(write_error(MODIFY_LISTENER, listener))?;
        Ok(())
    }

    /// Replaces the actions of a rule.
    async fn modify_rule(&self, rule: &str, actions: Vec<Action>) -> AwsResult<()> {
        let asked = self.elb.modify_rule().rule_arn(rule).set_actions(Some(actions));
        let asked = asked.customize().config_override(Config::builder().retry_classifier(NoBlindRetry));
        asked.send().await.map_err(write_error(MODIFY_RULE, rule))?;
        Ok(())
    }

    /// A rule as AWS holds it now, with the listener from the last look.
    async fn read_back(&self, found: &Rule) -> AwsResult<Rule> {
        let read = self.read_rules(&[found]).await?;
        read.into_iter().next().ok_or_else(|| missing_rule_error(&found.arn))
    }

    /// Rules as AWS holds them now, with the listeners from the last look. A deleted rule is left out.
    async fn read_rules(&self, found: &[&Rule]) -> AwsResult<Vec<Rule>> {
        let arns: Vec<String> = found.iter().map(|rule| rule.arn.clone()).collect();
        let told = arns.first().cloned().unwrap_or_default();
        let asked = self.elb.describe_rules().set_rule_arns(Some(arns)).send();
        let answer = asked.await.map_err(read_error(DESCRIBE_RULES, &told))?;
        let of = |found: &&Rule| {
            let now = answer.rules().iter().find(|rule| rule.rule_arn() == Some(&found.arn))?;
            let Rule { listener, protocol, port, .. } = (*found).clone();
            Some(Rule { listener, port, protocol, ..rule_from_aws(now) })
        };
        Ok(found.iter().filter_map(of).collect())
    }
}

/// A rule missing in AWS's answer.
pub(crate) fn missing_rule_error(arn: &str) -> AwsError {
    unexpected_response(AwsErrorKind::Missing, DESCRIBE_RULES, arn, "AWS's answer holds no such rule")
}
