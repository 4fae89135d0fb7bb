//! Changes of a service.

use aws_sdk_ecs::config::Config;

use super::clients::Aws;
use super::errors::{unexpected_response, write_error};
use super::retry::NoBlindRetry;
use super::services::service_from_aws;
use crate::plan::aws_error::{AwsError, AwsErrorKind, AwsResult};
use crate::plan::snapshot::{Place, Service};
use crate::plan::step::Update;

/// The IAM action of UpdateService.
const UPDATE_SERVICE: &str = "ecs:UpdateService";

impl Aws {
    /// Updates a service. The answer is the service's new state in AWS, without the parts that need further calls; the
    /// new deployment may not be listed yet.
    pub(crate) async fn update_service(&self, place: &Place, update: &Update) -> AwsResult<Service> {
        let desired = update.desired.map(|count| i32::try_from(count).unwrap_or(i32::MAX));
        let answer = self
            .ecs
            .update_service()
            .cluster(&place.cluster)
            .service(&update.service)
            .set_task_definition(update.task_definition.clone())
            .set_desired_count(desired)
            .set_force_new_deployment(update.force.then_some(true))
            .customize()
            .config_override(Config::builder().retry_classifier(NoBlindRetry))
            .send()
            .await
            .map_err(write_error(UPDATE_SERVICE, &update.service))?;
        answer.service().map(|found| service_from_aws(update.color, found)).ok_or_else(|| AwsError {
            effect_unknown: true,
            ..unexpected_response(
                AwsErrorKind::Unreachable,
                UPDATE_SERVICE,
                &update.service,
                "AWS's answer holds no service",
            )
        })
    }
}
