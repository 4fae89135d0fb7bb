//! Scalable targets of Application Auto Scaling.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::config::Config;
use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget, ServiceNamespace, SuspendedState,
};

use super::clients::Aws;
use super::errors::{read_error, write_error};
use super::pages::all_pages;
use super::retry::NoBlindRetry;
use super::values::to_count;
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::snapshot::{Place, Scalable, Service};
use crate::plan::step::Scaling;

/// The IAM action that creates a service-linked role.
const LINK: &str = "iam:CreateServiceLinkedRole";

/// Actions that Application Auto Scaling runs as the caller, or checks on the caller, before a change to a scalable
/// target or a policy of ECS ("Permissions validation for API calls on target resources", its user guide).
const CHECKED: [&str; 6] = [
    LINK,
    "ecs:DescribeServices",
    "ecs:UpdateService",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DeleteAlarms",
];

/// The service-linked role that scales ECS services.
const LINKED: &str =
    "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService";

/// The IAM action of DescribeScalableTargets.
const DESCRIBE_TARGETS: &str = "application-autoscaling:DescribeScalableTargets";

/// The IAM action of RegisterScalableTarget.
const REGISTER_TARGET: &str = "application-autoscaling:RegisterScalableTarget";

/// Scalable targets by the id of their resource.
pub(super) type Targets = BTreeMap<String, Scalable>;

impl Aws {
    /// The scalable targets of the services, in one call with all pages. A service without a target is left out.
    pub(super) async fn scaling(&self, cluster: &str, services: &[Service]) -> AwsResult<Targets> {
        let ids: Vec<String> = services.iter().map(|service| resource_id(cluster, &service.name)).collect();
        if ids.is_empty() {
            return Ok(Targets::new());
        }
        let told = ids.join(", ");
        let asked = self
            .scaling
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .set_resource_ids(Some(ids));
        let found = all_pages(DESCRIBE_TARGETS, &told, async |token| {
            let page = asked.clone().set_next_token(token).send().await;
            let page = page.map_err(read_error(DESCRIBE_TARGETS, &told))?;
            Ok((page.scalable_targets.unwrap_or_default(), page.next_token))
        })
        .await;
        let found = self.patience.with(DESCRIBE_TARGETS, &told, found)?;
        Ok(found.into_iter().map(|target| (target.resource_id.clone(), scalable_from_aws(&target))).collect())
    }

    /// Changes the given fields of a scalable target. Other suspensions are sent as they were found: AWS does not
    /// document if fields left out of SuspendedState stay. The answer does not show the new state.
    pub(crate) async fn scale(&self, place: &Place, scaling: &Scaling, found: Scalable) -> AwsResult<()> {
        let bound = |count: Option<u32>| count.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        let state = |suspended| {
            SuspendedState::builder()
                .dynamic_scaling_in_suspended(suspended)
                .dynamic_scaling_out_suspended(found.out_suspended)
                .scheduled_scaling_suspended(found.scheduled_suspended)
                .build()
        };
        let suspended = scaling.in_suspended.map(state);
        let resource = resource_id(&place.cluster, &scaling.service);
        let answer = self
            .scaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(&resource)
            .set_min_capacity(bound(scaling.min))
            .set_max_capacity(bound(scaling.max))
            .set_suspended_state(suspended)
            .customize()
            .config_override(Config::builder().retry_classifier(NoBlindRetry))
            .send()
            .await
            .map_err(write_error(REGISTER_TARGET, &resource))
            .map_err(|trouble| missing_permission(place, &scaling.service, trouble));
        self.patience.with(REGISTER_TARGET, &resource, answer.map(|_| ()))
    }
}

/// An account's first scalable target of ECS creates a service-linked role, with the caller's permissions, and every
/// change checks more permissions. AWS reports a missing permission as an invalid request (`ValidationException`).
pub(super) fn missing_permission(place: &Place, service: &str, trouble: AwsError) -> AwsError {
    let message = &trouble.message;
    let listed = message.contains("missing the following permissions");
    let named = |action: &&str| message.contains(action) && (listed || *action == LINK);
    let found = CHECKED.into_iter().find(named);
    let Some(action) = found.filter(|_| trouble.kind == AwsErrorKind::Refused) else { return trouble };
    let Place { partition, region, account, cluster } = place;
    let resource = match action.split_once(':') {
        Some(("iam", _)) => format!("arn:{partition}:iam::{account}:role/aws-service-role/{LINKED}"),
        Some(("ecs", _)) => format!("arn:{partition}:ecs:{region}:{account}:service/{cluster}/{service}"),
        _ => "*".to_owned(),
    };
    AwsError { kind: AwsErrorKind::Denied, action, resource, ..trouble }
}

/// A service's name in Application Auto Scaling.
pub(super) fn resource_id(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

/// One scalable target. AWS mentions only suspended parts (API_SuspendedState).
fn scalable_from_aws(from: &ScalableTarget) -> Scalable {
    let suspended = from.suspended_state();
    Scalable {
        min: to_count(from.min_capacity()),
        max: to_count(from.max_capacity()),
        in_suspended: suspended.and_then(|it| it.dynamic_scaling_in_suspended()).unwrap_or(false),
        out_suspended: suspended.and_then(|it| it.dynamic_scaling_out_suspended()).unwrap_or(false),
        scheduled_suspended: suspended.and_then(|it| it.scheduled_scaling_suspended()).unwrap_or(false),
    }
}
