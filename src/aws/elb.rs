//! Target groups and targets.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{TargetGroupAttribute, TargetHealthDescription};

use super::clients::Aws;
use super::errors::{read_error, unexpected_response};
use super::values::{to_port, to_text};
use crate::plan::aws_error::{AwsErrorKind, AwsResult};
use crate::plan::snapshot::{GroupAttributes, Target, TargetGroup};

/// The IAM action of DescribeTargetGroups.
const DESCRIBE_GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";

impl Aws {
    /// A target group and its attributes, which may be missing.
    pub(super) async fn group(&self, arn: &str) -> AwsResult<TargetGroup> {
        let (base, attributes) =
            tokio::join!(self.group_base(arn), self.attributes.get(arn, self.group_attributes(arn)));
        Ok(TargetGroup { attributes: Some(attributes), ..base? })
    }

    /// A target group without its attributes.
    async fn group_base(&self, arn: &str) -> AwsResult<TargetGroup> {
        let asked = self.elb.describe_target_groups().target_group_arns(arn).send();
        let answer = asked.await.map_err(read_error(DESCRIBE_GROUPS, arn))?;
        let found = answer.target_groups().first().ok_or_else(|| {
            unexpected_response(
                AwsErrorKind::Missing,
                DESCRIBE_GROUPS,
                arn,
                "AWS's answer holds no such target group",
            )
        })?;
        Ok(TargetGroup {
            arn: arn.to_owned(),
            name: to_text(found.target_group_name()),
            target_type: to_text(found.target_type().map(|it| it.as_str())),
            balancers: found.load_balancer_arns().to_vec(),
            ..TargetGroup::default()
        })
    }

    /// The attributes of a target group.
    async fn group_attributes(&self, arn: &str) -> AwsResult<GroupAttributes> {
        let asked = self.elb.describe_target_group_attributes().target_group_arn(arn).send();
        let answer =
            asked.await.map_err(read_error("elasticloadbalancing:DescribeTargetGroupAttributes", arn))?;
        Ok(attributes_from_aws(answer.attributes()))
    }

    /// The registered targets of a group and their health, one call without paging.
    pub(super) async fn targets(&self, arn: &str) -> AwsResult<Vec<Target>> {
        let asked = self.elb.describe_target_health().target_group_arn(arn).send();
        let answer = asked.await.map_err(read_error("elasticloadbalancing:DescribeTargetHealth", arn))?;
        Ok(answer.target_health_descriptions().iter().map(target_from_aws).collect())
    }
}

/// The attributes by key. A missing attribute has the documented default (API_TargetGroupAttribute).
fn attributes_from_aws(all: &[TargetGroupAttribute]) -> GroupAttributes {
    let number = |key: &str| -> Option<u32> {
        let attribute = all.iter().find(|attribute| attribute.key() == Some(key));
        attribute.and_then(|attribute| attribute.value()?.parse().ok())
    };
    let minimum = |what: &str| {
        number(&format!("target_group_health.unhealthy_state_routing.minimum_healthy_targets.{what}"))
    };
    GroupAttributes {
        deregistration_delay: Duration::from_secs(u64::from(
            number("deregistration_delay.timeout_seconds").unwrap_or(300),
        )),
        minimum_count: minimum("count").unwrap_or(1),
        minimum_percent: minimum("percentage").unwrap_or(0),
    }
}

/// One target.
fn target_from_aws(from: &TargetHealthDescription) -> Target {
    let (target, health) = (from.target(), from.target_health());
    Target {
        id: to_text(target.and_then(|target| target.id())),
        port: to_port(target.and_then(|target| target.port())),
        state: to_text(health.and_then(|health| health.state()).map(|state| state.as_str())),
        reason: health.and_then(|health| health.reason()).map(|reason| reason.as_str().to_owned()),
        description: health.and_then(|health| health.description()).map(str::to_owned),
    }
}
