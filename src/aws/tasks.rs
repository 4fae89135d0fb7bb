//! Tasks of a service.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{self as ecs, DesiredStatus};
use futures_util::future::join_all;

use super::clients::Aws;
use super::errors::read_error;
use super::pages::all_pages;
use super::values::{to_port, to_text, to_time};
use crate::plan::aws_error::AwsResult;
use crate::plan::snapshot::{Binding, Container, Task};

/// Most ARNs that DescribeTasks and DescribeContainerInstances accept.
const AT_ONCE: usize = 100;

/// The IAM action of ListTasks.
const LIST_TASKS: &str = "ecs:ListTasks";

/// The tasks to list.
#[derive(Clone, Copy)]
pub(super) enum Desired {
    /// Tasks that should run, started or not.
    Running,
    /// Tasks that should stop or have stopped; ECS keeps stopped tasks for about an hour.
    Stopped,
}

impl Aws {
    /// Tasks of a service; a task that vanishes between listing and describing is left out.
    pub(super) async fn tasks(&self, cluster: &str, service: &str, desired: Desired) -> AwsResult<Vec<Task>> {
        let arns = self.task_arns(cluster, service, desired).await?;
        let chunks =
            join_all(arns.chunks(AT_ONCE).map(|chunk| self.described(cluster, service, chunk))).await;
        let chunks: Vec<Vec<ecs::Task>> = chunks.into_iter().collect::<AwsResult<_>>()?;
        let found: Vec<ecs::Task> = chunks.into_iter().flatten().collect();
        let hosts = match desired {
            Desired::Running => self.instances(cluster, &found).await?,
            Desired::Stopped => BTreeMap::new(),
        };
        Ok(found.iter().map(|from| task_from_aws(from, &hosts)).collect())
    }

    /// ARNs of a service's tasks, all pages.
    async fn task_arns(&self, cluster: &str, service: &str, desired: Desired) -> AwsResult<Vec<String>> {
        let status = match desired {
            Desired::Running => DesiredStatus::Running,
            Desired::Stopped => DesiredStatus::Stopped,
        };
        let asked = self.ecs.list_tasks().cluster(cluster).service_name(service).desired_status(status);
        all_pages(LIST_TASKS, service, async |token| {
            let answer = asked.clone().set_next_token(token).send().await;
            let page = answer.map_err(read_error(LIST_TASKS, service))?;
            Ok((page.task_arns.unwrap_or_default(), page.next_token))
        })
        .await
    }

    /// Up to 100 tasks by ARN.
    async fn described(&self, cluster: &str, service: &str, arns: &[String]) -> AwsResult<Vec<ecs::Task>> {
        let asked = self.ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec())).send();
        let answer = asked.await.map_err(read_error("ecs:DescribeTasks", service))?;
        Ok(answer.tasks.unwrap_or_default())
    }

    /// EC2 ids by container-instance ARN, for tasks without an own address.
    async fn instances(&self, cluster: &str, tasks: &[ecs::Task]) -> AwsResult<BTreeMap<String, String>> {
        let on_hosts = tasks.iter().filter(|task| task_addresses(task).is_empty());
        let mut arns: Vec<String> =
            on_hosts.filter_map(|task| task.container_instance_arn().map(str::to_owned)).collect();
        arns.sort();
        arns.dedup();
        let reads = join_all(arns.chunks(AT_ONCE).map(|chunk| async {
            let asked = self.ecs.describe_container_instances().cluster(cluster);
            let asked = asked.set_container_instances(Some(chunk.to_vec())).send();
            let answer = asked.await.map_err(read_error("ecs:DescribeContainerInstances", cluster))?;
            Ok(answer.container_instances.unwrap_or_default())
        }))
        .await;
        let found: Vec<Vec<ecs::ContainerInstance>> = reads.into_iter().collect::<AwsResult<_>>()?;
        let pair = |it: ecs::ContainerInstance| Some((it.container_instance_arn?, it.ec2_instance_id?));
        Ok(found.into_iter().flatten().filter_map(pair).collect())
    }
}

/// One task; `hosts` are EC2 ids by container-instance ARN.
fn task_from_aws(from: &ecs::Task, hosts: &BTreeMap<String, String>) -> Task {
    let instance = from.container_instance_arn().and_then(|arn| hosts.get(arn)).cloned();
    let own = task_addresses(from);
    Task {
        id: to_text(from.task_arn().and_then(|arn| arn.rsplit('/').next())),
        started_by: to_text(from.started_by()),
        task_definition: to_text(from.task_definition_arn()),
        status: to_text(from.last_status()),
        stop_code: from.stop_code().map(|code| code.as_str().to_owned()),
        stopped_reason: from.stopped_reason().map(str::to_owned),
        stopped_at: from.stopped_at().map(|at| to_time(Some(at))),
        containers: from.containers().iter().map(container_from_aws).collect(),
        hosts: if own.is_empty() { instance.into_iter().collect() } else { own },
        bindings: from.containers().iter().flat_map(port_bindings).collect(),
    }
}

/// All addresses of a task with its own network interface (network mode `awsvpc`), IPv4 and IPv6. A task in an
/// IPv6-only subnet has no IPv4 address (API_NetworkInterface).
fn task_addresses(task: &ecs::Task) -> Vec<String> {
    let details = task.attachments().iter().flat_map(|attachment| attachment.details());
    let attached = details
        .filter(|detail| matches!(detail.name(), Some("privateIPv4Address" | "privateIPv6Address")))
        .filter_map(|detail| detail.value());
    let interfaces = task.containers().iter().flat_map(|container| container.network_interfaces());
    let seen = interfaces.flat_map(|it| [it.private_ipv4_address(), it.ipv6_address()]).flatten();
    let mut all: Vec<String> = attached.chain(seen).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

/// One container.
fn container_from_aws(from: &ecs::Container) -> Container {
    Container {
        name: to_text(from.name()),
        image: to_text(from.image()),
        digest: from.image_digest().map(str::to_owned),
        exit_code: from.exit_code(),
        reason: from.reason().map(str::to_owned),
    }
}

/// The network bindings of a container; port ranges have no single port and are left out.
fn port_bindings(container: &ecs::Container) -> impl Iterator<Item = Binding> {
    let single = container
        .network_bindings()
        .iter()
        .filter(|it| it.container_port().is_some() && it.host_port().is_some());
    single.map(|it| Binding {
        container: to_text(container.name()),
        container_port: to_port(it.container_port()),
        host_port: to_port(it.host_port()),
    })
}
