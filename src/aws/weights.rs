//! Changes of a listener rule's weights.

use aws_sdk_elasticloadbalancingv2::config::Config;
use aws_sdk_elasticloadbalancingv2::types::Action;

use super::actions;
use super::clients::Aws;
use super::errors::{odd, unread, unwritten};
use super::retry::NoBlindRetry;
use super::rules::{DESCRIBE_RULES, rule};
use crate::plan::snapshot::Rule;
use crate::plan::step::Weights;
use crate::plan::trouble::{Read, Trouble, TroubleKind};

/// The IAM action of ModifyListener.
const MODIFY_LISTENER: &str = "elasticloadbalancing:ModifyListener";

/// The IAM action of ModifyRule.
const MODIFY_RULE: &str = "elasticloadbalancing:ModifyRule";

impl Aws {
    /// Writes all actions of a rule, and nothing else of it, and reads the rule back. `found` is the rule as it was
    /// found: what of its listener is not in the answer comes from there. When AWS took the actions and the rule can't
    /// be read back, the trouble is that of the read, and its effect is unknown.
    pub(crate) async fn set_weights(&self, weights: &Weights, found: &Rule) -> Read<Rule> {
        let (action, written) =
            if weights.default { (MODIFY_LISTENER, &weights.listener) } else { (MODIFY_RULE, &weights.rule) };
        let actions = actions::from_json(&weights.actions).map_err(|why| {
            odd(TroubleKind::Refused, action, written, &format!("can't be written, nothing was sent: {why}"))
        })?;
        if weights.default {
            self.modify_listener(written, actions).await?;
        } else {
            self.modify_rule(written, actions).await?;
        }
        let read = self.read_back(&weights.rule, found).await;
        read.map_err(|trouble| Trouble { effect_unknown: true, ..trouble })
    }

    /// Replaces the default actions of a listener.
    async fn modify_listener(&self, listener: &str, actions: Vec<Action>) -> Read<()> {
        let asked = self.elb.modify_listener().listener_arn(listener).set_default_actions(Some(actions));
        let asked = asked.customize().config_override(Config::builder().retry_classifier(NoBlindRetry));
        asked.send().await.map_err(unwritten(MODIFY_LISTENER, listener))?;
        Ok(())
    }

    /// Replaces the actions of a rule.
    async fn modify_rule(&self, rule: &str, actions: Vec<Action>) -> Read<()> {
        let asked = self.elb.modify_rule().rule_arn(rule).set_actions(Some(actions));
        let asked = asked.customize().config_override(Config::builder().retry_classifier(NoBlindRetry));
        asked.send().await.map_err(unwritten(MODIFY_RULE, rule))?;
        Ok(())
    }

    /// One rule as AWS holds it now, with its listener as it was found.
    async fn read_back(&self, arn: &str, found: &Rule) -> Read<Rule> {
        let asked = self.elb.describe_rules().rule_arns(arn).send();
        let answer = asked.await.map_err(unread(DESCRIBE_RULES, arn))?;
        let now = answer.rules().iter().find(|rule| rule.rule_arn() == Some(arn)).ok_or_else(|| {
            odd(TroubleKind::Missing, DESCRIBE_RULES, arn, "AWS's answer holds no such rule")
        })?;
        let Rule { listener, protocol, port, .. } = found.clone();
        Ok(Rule { listener, port, protocol, ..rule(now) })
    }
}
