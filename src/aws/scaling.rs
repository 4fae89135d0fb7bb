//! Scalable targets of Application Auto Scaling.

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::config::Config;
use aws_sdk_applicationautoscaling::types::{
    ScalableDimension, ScalableTarget, ServiceNamespace, SuspendedState,
};

use super::clients::Aws;
use super::errors::{unread, unwritten};
use super::pages::all_pages;
use super::retry::NoBlindRetry;
use super::values::count;
use crate::plan::snapshot::{Place, Scalable, Service};
use crate::plan::step::Scaling;
use crate::plan::trouble::{Read, Trouble, TroubleKind};

/// The IAM action that makes a service-linked role.
const LINK: &str = "iam:CreateServiceLinkedRole";

/// What Application Auto Scaling does in the caller's name, or makes sure that the caller could do, before it changes a
/// scalable target or a policy of ECS ("Permissions validation for API calls on target resources", its user guide).
const CHECKED: [&str; 6] = [
    LINK,
    "ecs:DescribeServices",
    "ecs:UpdateService",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:DeleteAlarms",
];

/// The service-linked role by which ECS services are scaled.
const LINKED: &str =
    "ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService";

/// The IAM action of DescribeScalableTargets.
const DESCRIBE_TARGETS: &str = "application-autoscaling:DescribeScalableTargets";

/// The IAM action of RegisterScalableTarget.
const REGISTER_TARGET: &str = "application-autoscaling:RegisterScalableTarget";

/// Scalable targets by the id of their resource.
pub(super) type Targets = BTreeMap<String, Scalable>;

impl Aws {
    /// The scalable targets of the services, in one call and its pages. A service without one is not in it.
    pub(super) async fn scaling(&self, cluster: &str, services: &[Service]) -> Read<Targets> {
        let ids: Vec<String> = services.iter().map(|service| resource(cluster, &service.name)).collect();
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
            let page = page.map_err(unread(DESCRIBE_TARGETS, &told))?;
            Ok((page.scalable_targets.unwrap_or_default(), page.next_token))
        })
        .await;
        let found = self.patience.with(DESCRIBE_TARGETS, &told, found)?;
        Ok(found.into_iter().map(|target| (target.resource_id.clone(), scalable(&target))).collect())
    }

    /// Changes a scalable target that was found so, in what is given. What else is suspended is sent as it was found:
    /// AWS does not say whether what is left out of SuspendedState stays. It does not tell what AWS holds afterwards.
    pub(crate) async fn scale(&self, place: &Place, scaling: &Scaling, found: Scalable) -> Read<()> {
        let bound = |count: Option<u32>| count.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        let state = |suspended| {
            SuspendedState::builder()
                .dynamic_scaling_in_suspended(suspended)
                .dynamic_scaling_out_suspended(found.out_suspended)
                .scheduled_scaling_suspended(found.scheduled_suspended)
                .build()
        };
        let suspended = scaling.in_suspended.map(state);
        let resource = resource(&place.cluster, &scaling.service);
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
            .map_err(unwritten(REGISTER_TARGET, &resource))
            .map_err(|trouble| unpermitted(place, &scaling.service, trouble));
        self.patience.with(REGISTER_TARGET, &resource, answer.map(|_| ()))
    }
}

/// The first scalable target of ECS in an account makes a service-linked role, with the caller's permissions, and every
/// change makes sure of some more. AWS tells of a missing one as of a wrong request (`ValidationException`).
pub(super) fn unpermitted(place: &Place, service: &str, trouble: Trouble) -> Trouble {
    let message = &trouble.message;
    let listed = message.contains("missing the following permissions");
    let named = |action: &&str| message.contains(action) && (listed || *action == LINK);
    let found = CHECKED.into_iter().find(named);
    let Some(action) = found.filter(|_| trouble.kind == TroubleKind::Refused) else { return trouble };
    let Place { partition, region, account, cluster } = place;
    let resource = match action.split_once(':') {
        Some(("iam", _)) => format!("arn:{partition}:iam::{account}:role/aws-service-role/{LINKED}"),
        Some(("ecs", _)) => format!("arn:{partition}:ecs:{region}:{account}:service/{cluster}/{service}"),
        _ => "*".to_owned(),
    };
    Trouble { kind: TroubleKind::Denied, action, resource, ..trouble }
}

/// A service's name in Application Auto Scaling.
pub(super) fn resource(cluster: &str, service: &str) -> String {
    format!("service/{cluster}/{service}")
}

/// One scalable target. What is not suspended is not mentioned (API_SuspendedState).
fn scalable(from: &ScalableTarget) -> Scalable {
    let suspended = from.suspended_state();
    Scalable {
        min: count(from.min_capacity()),
        max: count(from.max_capacity()),
        in_suspended: suspended.and_then(|it| it.dynamic_scaling_in_suspended()).unwrap_or(false),
        out_suspended: suspended.and_then(|it| it.dynamic_scaling_out_suspended()).unwrap_or(false),
        scheduled_suspended: suspended.and_then(|it| it.scheduled_scaling_suspended()).unwrap_or(false),
    }
}
