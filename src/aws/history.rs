//! Service deployments: the outcomes of a service's newest changes.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{self as ecs, ServiceDeploymentStatus as Status};
use futures_util::future::join_all;

use super::clients::Aws;
use super::errors::read_error;
use super::pages::all_pages;
use super::values::{to_text, to_time};
use crate::plan::aws_error::AwsResult;
use crate::plan::snapshot::{ServiceDeployment, ServiceDeploymentStatus};

/// The IAM action of ListServiceDeployments.
const LIST: &str = "ecs:ListServiceDeployments";

/// Number of service deployments to read: enough for a deployment, its rollback and another writer's next deployment.
const NEWEST: usize = 10;

/// Most entries of a page of ListServiceDeployments.
const A_PAGE: i32 = 100;

/// Most ARNs that DescribeServiceRevisions accepts.
const AT_ONCE: usize = 20;

/// Task definitions by the ARN of a service revision.
type Revisions = BTreeMap<String, String>;

impl Aws {
    /// The newest service deployments, newest first. Without permission for the service revisions, the task definitions
    /// stay unknown.
    pub(super) async fn history(&self, cluster: &str, service: &str) -> AwsResult<Vec<ServiceDeployment>> {
        let arns = self.newest_deployments(cluster, service).await?;
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        let asked = self.ecs.describe_service_deployments().set_service_deployment_arns(Some(arns)).send();
        let answer = asked.await.map_err(read_error("ecs:DescribeServiceDeployments", service))?;
        let revisions = self.service_revisions(answer.service_deployments()).await;
        let mut all: Vec<ServiceDeployment> =
            answer.service_deployments().iter().map(|from| entry_from_aws(from, &revisions)).collect();
        all.sort_by_key(|deployment| std::cmp::Reverse(deployment.created));
        Ok(all)
    }

    /// ARNs of the newest service deployments. The list has no documented order, so all pages are read; the list covers
    /// 90 days (API_ListServiceDeployments).
    async fn newest_deployments(&self, cluster: &str, service: &str) -> AwsResult<Vec<String>> {
        let asked = self.ecs.list_service_deployments().cluster(cluster).service(service).max_results(A_PAGE);
        let mut all = all_pages(LIST, service, async |token| {
            let page = asked.clone().set_next_token(token).send().await;
            let page = page.map_err(read_error(LIST, service))?;
            Ok((page.service_deployments.unwrap_or_default(), page.next_token))
        })
        .await?;
        all.sort_by_key(|traffic_plan| std::cmp::Reverse(to_time(traffic_plan.created_at())));
        Ok(all
            .into_iter()
            .filter_map(|traffic_plan| traffic_plan.service_deployment_arn)
            .take(NEWEST)
            .collect())
    }

    /// The readable task definitions of all service revisions that the deployments name.
    async fn service_revisions(&self, deployments: &[ecs::ServiceDeployment]) -> Revisions {
        let mut arns: Vec<String> = deployments.iter().flat_map(named_revisions).map(str::to_owned).collect();
        arns.sort();
        arns.dedup();
        let reads = join_all(arns.chunks(AT_ONCE).map(|chunk| {
            self.ecs.describe_service_revisions().set_service_revision_arns(Some(chunk.to_vec())).send()
        }))
        .await;
        let found =
            reads.into_iter().filter_map(Result::ok).flat_map(|it| it.service_revisions.unwrap_or_default());
        found.filter_map(|it| Some((it.service_revision_arn?, it.task_definition?))).collect()
    }
}

/// ARNs of a deployment's new and old service revisions.
fn named_revisions(from: &ecs::ServiceDeployment) -> impl Iterator<Item = &str> {
    from.target_service_revision()
        .into_iter()
        .chain(from.source_service_revisions())
        .filter_map(|it| it.arn())
}

/// The part after the last slash of an ARN.
fn last_part(arn: &str) -> Option<String> {
    arn.rsplit_once('/').map(|(_, last)| last.to_owned())
}

/// One service deployment.
fn entry_from_aws(from: &ecs::ServiceDeployment, revisions: &Revisions) -> ServiceDeployment {
    let known = |it: &ecs::ServiceRevisionSummary| it.arn().and_then(|arn| revisions.get(arn)).cloned();
    ServiceDeployment {
        arn: to_text(from.service_deployment_arn()),
        number: from.target_service_revision().and_then(|it| it.arn()).and_then(last_part),
        status: from.status().map_or(ServiceDeploymentStatus::Unknown, service_deployment_status),
        reason: to_text(from.status_reason()),
        created: to_time(from.created_at()),
        target: from.target_service_revision().and_then(known),
        sources: from.source_service_revisions().iter().filter_map(known).collect(),
        alarms: from.alarms().map(|alarms| alarms.triggered_alarm_names().to_vec()).unwrap_or_default(),
    }
}

/// A service deployment's status (API_ServiceDeployment). A deployment with a requested stop will not continue.
fn service_deployment_status(from: &Status) -> ServiceDeploymentStatus {
    match from {
        Status::Pending | Status::InProgress => ServiceDeploymentStatus::InProgress,
        Status::Successful => ServiceDeploymentStatus::Successful,
        Status::StopRequested | Status::Stopped => ServiceDeploymentStatus::Stopped,
        Status::RollbackRequested | Status::RollbackInProgress => ServiceDeploymentStatus::RollingBack,
        Status::RollbackSuccessful => ServiceDeploymentStatus::RolledBack,
        Status::RollbackFailed => ServiceDeploymentStatus::RollbackFailed,
        _ => ServiceDeploymentStatus::Unknown,
    }
}
