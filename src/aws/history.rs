//! Service deployments: what became of the newest changes of a service.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{self as ecs, ServiceDeploymentStatus as Status};

use super::clients::Aws;
use super::errors::unread;
use super::pages::all_pages;
use super::together::together;
use super::values::{text, time};
use crate::plan::snapshot::{ServiceDeployment, ServiceDeploymentStatus};
use crate::plan::trouble::Read;

/// The IAM action of ListServiceDeployments.
const LIST: &str = "ecs:ListServiceDeployments";

/// How many service deployments to look at: enough for a deployment, its rollback and somebody's next one.
const NEWEST: usize = 10;

/// How many a page of ListServiceDeployments holds at most.
const A_PAGE: i32 = 100;

/// How many ARNs DescribeServiceRevisions takes.
const AT_ONCE: usize = 20;

/// Task definitions by the ARN of a service revision.
type Revisions = BTreeMap<String, String>;

impl Aws {
    /// The newest service deployments, newest first. Without permission for the service revisions the task
    /// definitions stay unknown.
    pub(super) async fn history(&self, cluster: &str, service: &str) -> Read<Vec<ServiceDeployment>> {
        let arns = self.newest_deployments(cluster, service).await?;
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        let asked = self.ecs.describe_service_deployments().set_service_deployment_arns(Some(arns)).send();
        let answer = asked.await.map_err(unread("ecs:DescribeServiceDeployments", service))?;
        let revisions = self.service_revisions(answer.service_deployments()).await;
        let mut all: Vec<ServiceDeployment> =
            answer.service_deployments().iter().map(|from| deployment(from, &revisions)).collect();
        all.sort_by_key(|deployment| std::cmp::Reverse(deployment.created));
        Ok(all)
    }

    /// ARNs of the newest service deployments. The list has no documented order, so all pages are read; it goes back for
    /// 90 days (API_ListServiceDeployments).
    async fn newest_deployments(&self, cluster: &str, service: &str) -> Read<Vec<String>> {
        let asked = self.ecs.list_service_deployments().cluster(cluster).service(service).max_results(A_PAGE);
        let mut all = all_pages(LIST, service, async |token| {
            let page = asked.clone().set_next_token(token).send().await;
            let page = page.map_err(unread(LIST, service))?;
            Ok((page.service_deployments.unwrap_or_default(), page.next_token))
        })
        .await?;
        all.sort_by_key(|brief| std::cmp::Reverse(time(brief.created_at())));
        Ok(all.into_iter().filter_map(|brief| brief.service_deployment_arn).take(NEWEST).collect())
    }

    /// The task definitions of all service revisions that the deployments name, as far as they may be read.
    async fn service_revisions(&self, deployments: &[ecs::ServiceDeployment]) -> Revisions {
        let mut arns: Vec<String> = deployments.iter().flat_map(named_revisions).map(str::to_owned).collect();
        arns.sort();
        arns.dedup();
        let reads = together(arns.chunks(AT_ONCE).map(|chunk| {
            self.ecs.describe_service_revisions().set_service_revision_arns(Some(chunk.to_vec())).send()
        }))
        .await;
        let found =
            reads.into_iter().filter_map(Result::ok).flat_map(|it| it.service_revisions.unwrap_or_default());
        found.filter_map(|it| Some((it.service_revision_arn?, it.task_definition?))).collect()
    }
}

/// ARNs of the service revisions that a deployment brings and replaces.
fn named_revisions(from: &ecs::ServiceDeployment) -> impl Iterator<Item = &str> {
    from.target_service_revision()
        .into_iter()
        .chain(from.source_service_revisions())
        .filter_map(|it| it.arn())
}

/// What follows the last slash of an ARN.
fn last_part(arn: &str) -> Option<String> {
    arn.rsplit_once('/').map(|(_, last)| last.to_owned())
}

/// One service deployment.
fn deployment(from: &ecs::ServiceDeployment, revisions: &Revisions) -> ServiceDeployment {
    let known = |it: &ecs::ServiceRevisionSummary| it.arn().and_then(|arn| revisions.get(arn)).cloned();
    ServiceDeployment {
        arn: text(from.service_deployment_arn()),
        number: from.target_service_revision().and_then(|it| it.arn()).and_then(last_part),
        status: from.status().map_or(ServiceDeploymentStatus::Unknown, status),
        reason: text(from.status_reason()),
        created: time(from.created_at()),
        target: from.target_service_revision().and_then(known),
        sources: from.source_service_revisions().iter().filter_map(known).collect(),
        alarms: from.alarms().map(|alarms| alarms.triggered_alarm_names().to_vec()).unwrap_or_default(),
    }
}

/// Where a service deployment stands (API_ServiceDeployment). One that somebody asked to stop will not go on.
fn status(from: &Status) -> ServiceDeploymentStatus {
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
