//! Target groups and their targets.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{TargetGroupAttribute, TargetHealthDescription};

use super::clients::Aws;
use super::errors::{odd, unread};
use super::values::{port, text};
use crate::plan::snapshot::{Target, TargetGroup};
use crate::plan::trouble::{Read, Trouble, TroubleKind};

/// The IAM action of DescribeTargetGroups.
const DESCRIBE_GROUPS: &str = "elasticloadbalancing:DescribeTargetGroups";

/// What two calls say about a target group. Who uses it is known even where its attributes may not be read.
pub(super) struct GroupRead {
    /// The group without its attributes.
    base: Read<TargetGroup>,
    /// Its attributes.
    attributes: Read<Attributes>,
}

impl GroupRead {
    /// ARNs of the load balancers that use the group.
    pub(super) fn balancers(&self) -> Result<&[String], &Trouble> {
        self.base.as_ref().map(|group| group.balancers.as_slice())
    }

    /// The group with its attributes.
    pub(super) fn whole(self) -> Read<TargetGroup> {
        let (group, with) = (self.base?, self.attributes?);
        Ok(TargetGroup {
            deregistration_delay: with.deregistration_delay,
            minimum_count: with.minimum_count,
            minimum_percent: with.minimum_percent,
            ..group
        })
    }
}

/// The attributes of a target group that matter, with AWS's defaults (TargetGroupAttribute).
struct Attributes {
    /// `deregistration_delay.timeout_seconds`, default 300.
    deregistration_delay: Duration,
    /// `target_group_health.unhealthy_state_routing.minimum_healthy_targets.count`, default 1.
    minimum_count: u32,
    /// `target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage`, default `off`: 0.
    minimum_percent: u32,
}

impl Aws {
    /// A target group and its attributes.
    pub(super) async fn group(&self, arn: &str) -> GroupRead {
        let (base, attributes) = tokio::join!(self.group_base(arn), self.group_attributes(arn));
        GroupRead { base, attributes }
    }

    /// A target group without its attributes.
    async fn group_base(&self, arn: &str) -> Read<TargetGroup> {
        let asked = self.elb.describe_target_groups().target_group_arns(arn).send();
        let answer = asked.await.map_err(unread(DESCRIBE_GROUPS, arn))?;
        let found = answer.target_groups().first().ok_or_else(|| {
            odd(TroubleKind::Missing, DESCRIBE_GROUPS, arn, "AWS's answer holds no such target group")
        })?;
        Ok(TargetGroup {
            arn: arn.to_owned(),
            name: text(found.target_group_name()),
            target_type: text(found.target_type().map(|it| it.as_str())),
            balancers: found.load_balancer_arns().to_vec(),
            ..TargetGroup::default()
        })
    }

    /// The attributes of a target group.
    async fn group_attributes(&self, arn: &str) -> Read<Attributes> {
        let asked = self.elb.describe_target_group_attributes().target_group_arn(arn).send();
        let answer =
            asked.await.map_err(unread("elasticloadbalancing:DescribeTargetGroupAttributes", arn))?;
        Ok(attributes(answer.attributes()))
    }

    /// The registered targets of a group and their health, one call without paging.
    pub(super) async fn targets(&self, arn: &str) -> Read<Vec<Target>> {
        let asked = self.elb.describe_target_health().target_group_arn(arn).send();
        let answer = asked.await.map_err(unread("elasticloadbalancing:DescribeTargetHealth", arn))?;
        Ok(answer.target_health_descriptions().iter().map(target).collect())
    }
}

/// The attributes by their keys.
fn attributes(all: &[TargetGroupAttribute]) -> Attributes {
    let number = |key: &str| -> Option<u32> {
        let attribute = all.iter().find(|attribute| attribute.key() == Some(key));
        attribute.and_then(|attribute| attribute.value()?.parse().ok())
    };
    let minimum = |what: &str| {
        number(&format!("target_group_health.unhealthy_state_routing.minimum_healthy_targets.{what}"))
    };
    Attributes {
        deregistration_delay: Duration::from_secs(u64::from(
            number("deregistration_delay.timeout_seconds").unwrap_or(300),
        )),
        minimum_count: minimum("count").unwrap_or(1),
        minimum_percent: minimum("percentage").unwrap_or(0),
    }
}

/// One target.
fn target(from: &TargetHealthDescription) -> Target {
    let (target, health) = (from.target(), from.target_health());
    Target {
        id: text(target.and_then(|target| target.id())),
        port: port(target.and_then(|target| target.port())),
        state: text(health.and_then(|health| health.state()).map(|state| state.as_str())),
        reason: health.and_then(|health| health.reason()).map(|reason| reason.as_str().to_owned()),
        description: health.and_then(|health| health.description()).map(str::to_owned),
    }
}
