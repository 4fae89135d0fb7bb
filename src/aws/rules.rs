//! Load balancers, listeners and rules.

use aws_sdk_elasticloadbalancingv2::types::{self as elb, ActionTypeEnum, Listener, RuleCondition};
use futures_util::future::join_all;

use super::actions;
use super::clients::Aws;
use super::errors::{read_error, unexpected_response};
use super::pages::all_pages;
use super::values::{to_count, to_duration, to_port, to_text};
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::snapshot::{Balancer, Condition, Pattern, QueryPair, Rule, Weighted};

/// The IAM action of DescribeLoadBalancers.
const DESCRIBE_BALANCERS: &str = "elasticloadbalancing:DescribeLoadBalancers";

/// The IAM action of DescribeListeners.
const DESCRIBE_LISTENERS: &str = "elasticloadbalancing:DescribeListeners";

/// The IAM action of DescribeRules.
pub(super) const DESCRIBE_RULES: &str = "elasticloadbalancing:DescribeRules";

impl Aws {
    /// A load balancer with every rule of every listener. Only Application Load Balancers have rules: the list is empty
    /// for another kind.
    pub(super) async fn balancer(&self, arn: &str) -> AwsResult<Balancer> {
        let (named, rules) = tokio::join!(self.balancers.get(arn, self.balancer_base(arn)), async {
            if arn.contains(":loadbalancer/app/") { self.rules(arn).await } else { Ok(Vec::new()) }
        });
        Ok(Balancer { rules: rules?, ..named? })
    }

    /// A load balancer without its rules.
    async fn balancer_base(&self, arn: &str) -> AwsResult<Balancer> {
        let asked = self.elb.describe_load_balancers().load_balancer_arns(arn).send();
        let answer = asked.await.map_err(read_error(DESCRIBE_BALANCERS, arn))?;
        let found = answer.load_balancers().first().ok_or_else(|| {
            unexpected_response(
                AwsErrorKind::Missing,
                DESCRIBE_BALANCERS,
                arn,
                "AWS's answer holds no such load balancer",
            )
        })?;
        Ok(Balancer {
            arn: arn.to_owned(),
            name: to_text(found.load_balancer_name()),
            dns: to_text(found.dns_name()),
            rules: Vec::new(),
        })
    }

    /// Every rule of every listener of a load balancer, listeners by port.
    async fn rules(&self, balancer: &str) -> AwsResult<Vec<Rule>> {
        let mut listeners = all_pages(DESCRIBE_LISTENERS, balancer, async |marker| {
            let asked = self.elb.describe_listeners().load_balancer_arn(balancer).set_marker(marker);
            let page = asked.send().await.map_err(read_error(DESCRIBE_LISTENERS, balancer))?;
            Ok((page.listeners.unwrap_or_default(), page.next_marker))
        })
        .await?;
        listeners.sort_by_key(|listener| listener.port());
        let reads = join_all(listeners.iter().map(|listener| self.listener_rules(listener))).await;
        let all: Vec<Vec<Rule>> = reads.into_iter().collect::<AwsResult<_>>()?;
        Ok(all.into_iter().flatten().collect())
    }

    /// The rules of one listener, with the default action; none of a listener that was deleted since it was listed.
    async fn listener_rules(&self, listener: &Listener) -> AwsResult<Vec<Rule>> {
        let arn = listener.listener_arn().unwrap_or_default();
        let rules = all_pages(DESCRIBE_RULES, arn, async |marker| {
            let asked = self.elb.describe_rules().listener_arn(arn).set_marker(marker);
            let page = asked.send().await.map_err(read_error(DESCRIBE_RULES, arn))?;
            Ok((page.rules.unwrap_or_default(), page.next_marker))
        })
        .await;
        let rules = match rules {
            Err(trouble)
                if trouble.code.as_deref().is_some_and(|code| code.starts_with("ListenerNotFound")) =>
            {
                return Ok(Vec::new());
            }
            rules => rules?,
        };
        let of_listener = |from: &elb::Rule| Rule {
            listener: arn.to_owned(),
            port: to_port(listener.port()),
            protocol: to_text(listener.protocol().map(|it| it.as_str())),
            ..rule_from_aws(from)
        };
        Ok(rules.iter().map(of_listener).collect())
    }
}

/// A rule without the listener's facts.
pub(super) fn rule_from_aws(from: &elb::Rule) -> Rule {
    let kind = |action: &elb::Action| action.r#type().map_or("", |it| it.as_str()).to_owned();
    let forward = from.actions().iter().find(|action| action.r#type() == Some(&ActionTypeEnum::Forward));
    let stickiness = forward
        .and_then(|action| action.forward_config()?.target_group_stickiness_config())
        .filter(|stickiness| stickiness.enabled() == Some(true));
    Rule {
        arn: to_text(from.rule_arn()),
        listener: String::new(),
        port: 0,
        protocol: String::new(),
        priority: from.priority().and_then(|priority| priority.parse().ok()),
        conditions: from.conditions().iter().map(condition_from_aws).collect(),
        forward: forward.map(forward_weights).unwrap_or_default(),
        stickiness: stickiness.map(|stickiness| to_duration(stickiness.duration_seconds())),
        actions: from.actions().iter().map(kind).collect(),
        whole: actions::actions_to_json(from.actions()).into(),
    }
}

/// The target groups of a forward action. AWS allows a lone group without a weight: this group gets all requests.
fn forward_weights(action: &elb::Action) -> Vec<Weighted> {
    let several = action.forward_config().map(|forward| forward.target_groups()).unwrap_or_default();
    if several.is_empty() {
        let lone = action.target_group_arn().map(|arn| Weighted { group: arn.to_owned(), weight: 1 });
        return lone.into_iter().collect();
    }
    let lone = several.len() == 1;
    let weighted = |group: &elb::TargetGroupTuple| Weighted {
        group: to_text(group.target_group_arn()),
        weight: to_count(group.weight().unwrap_or(i32::from(lone))),
    };
    several.iter().map(weighted).collect()
}

/// A condition with its values. An unknown field, or a field without values, is unknown.
fn condition_from_aws(from: &RuleCondition) -> Condition {
    let field = from.field().unwrap_or_default();
    let known = match field {
        "host-header" => host_condition(from),
        "path-pattern" => path_condition(from),
        "http-header" => from.http_header_config().map(|header| Condition::Header {
            name: to_text(header.http_header_name()),
            values: condition_patterns(header.values(), header.regex_values()),
        }),
        "http-request-method" => {
            from.http_request_method_config().map(|method| Condition::Method(method.values().to_vec()))
        }
        "query-string" => from
            .query_string_config()
            .map(|query| Condition::Query(query.values().iter().map(query_pair).collect())),
        "source-ip" => from.source_ip_config().map(|source| Condition::SourceIp(source.values().to_vec())),
        _ => None,
    };
    known.unwrap_or_else(|| Condition::Unknown { field: field.to_owned() })
}

/// A condition on the host. AWS repeats plain values in `Values`, and older rules have only `Values`.
fn host_condition(from: &RuleCondition) -> Option<Condition> {
    let values = match from.host_header_config() {
        Some(host) => condition_patterns(host.values(), host.regex_values()),
        None => condition_patterns(from.values(), from.regex_values()),
    };
    (!values.is_empty()).then_some(Condition::Host(values))
}

/// A condition on the path, as [`host_condition`].
fn path_condition(from: &RuleCondition) -> Option<Condition> {
    let values = match from.path_pattern_config() {
        Some(path) => condition_patterns(path.values(), path.regex_values()),
        None => condition_patterns(from.values(), from.regex_values()),
    };
    (!values.is_empty()).then_some(Condition::Path(values))
}

/// A pair of a query-string condition.
fn query_pair(from: &elb::QueryStringKeyValuePair) -> QueryPair {
    QueryPair { key: from.key().map(str::to_owned), value: to_text(from.value()) }
}

/// Values with wildcards, and regular expressions.
fn condition_patterns(plain: &[String], regex: &[String]) -> Vec<Pattern> {
    let plain = plain.iter().cloned().map(Pattern::Wildcards);
    plain.chain(regex.iter().cloned().map(Pattern::Regex)).collect()
}
