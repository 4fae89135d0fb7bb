//! Tasks of a service.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{self as ecs, DesiredStatus};

use super::clients::Aws;
use super::errors::unread;
use super::pages::all_pages;
use super::together::together;
use super::values::{port, text, time};
use crate::plan::snapshot::{Binding, Container, Task};
use crate::plan::trouble::Read;

/// How many ARNs DescribeTasks and DescribeContainerInstances take.
const AT_ONCE: usize = 100;

/// The IAM action of ListTasks.
const LIST_TASKS: &str = "ecs:ListTasks";

/// Which tasks to list.
#[derive(Clone, Copy)]
pub(super) enum Desired {
    /// Those that are to run, whether they do yet or not.
    Running,
    /// Those that are to stop or have stopped; ECS keeps them for about an hour.
    Stopped,
}

impl Aws {
    /// Tasks of a service; those that vanish between listing and describing are left out.
    pub(super) async fn tasks(&self, cluster: &str, service: &str, desired: Desired) -> Read<Vec<Task>> {
        let arns = self.task_arns(cluster, service, desired).await?;
        let chunks =
            together(arns.chunks(AT_ONCE).map(|chunk| self.described(cluster, service, chunk))).await;
        let chunks: Vec<Vec<ecs::Task>> = chunks.into_iter().collect::<Read<_>>()?;
        let found: Vec<ecs::Task> = chunks.into_iter().flatten().collect();
        let hosts = match desired {
            Desired::Running => self.instances(cluster, &found).await?,
            Desired::Stopped => BTreeMap::new(),
        };
        Ok(found.iter().map(|from| task(from, &hosts)).collect())
    }

    /// ARNs of a service's tasks, all pages.
    async fn task_arns(&self, cluster: &str, service: &str, desired: Desired) -> Read<Vec<String>> {
        let status = match desired {
            Desired::Running => DesiredStatus::Running,
            Desired::Stopped => DesiredStatus::Stopped,
        };
        let asked = self.ecs.list_tasks().cluster(cluster).service_name(service).desired_status(status);
        all_pages(LIST_TASKS, service, async |token| {
            let answer = asked.clone().set_next_token(token).send().await;
            let page = answer.map_err(unread(LIST_TASKS, service))?;
            Ok((page.task_arns.unwrap_or_default(), page.next_token))
        })
        .await
    }

    /// Up to 100 tasks by their ARNs.
    async fn described(&self, cluster: &str, service: &str, arns: &[String]) -> Read<Vec<ecs::Task>> {
        let asked = self.ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns.to_vec())).send();
        let answer = asked.await.map_err(unread("ecs:DescribeTasks", service))?;
        Ok(answer.tasks.unwrap_or_default())
    }

    /// EC2 ids by container-instance ARN, for the tasks that have no address of their own.
    async fn instances(&self, cluster: &str, tasks: &[ecs::Task]) -> Read<BTreeMap<String, String>> {
        let on_hosts = tasks.iter().filter(|task| addresses(task).is_empty());
        let mut arns: Vec<String> =
            on_hosts.filter_map(|task| task.container_instance_arn().map(str::to_owned)).collect();
        arns.sort();
        arns.dedup();
        let reads = together(arns.chunks(AT_ONCE).map(|chunk| async {
            let asked = self.ecs.describe_container_instances().cluster(cluster);
            let asked = asked.set_container_instances(Some(chunk.to_vec())).send();
            let answer = asked.await.map_err(unread("ecs:DescribeContainerInstances", cluster))?;
            Ok(answer.container_instances.unwrap_or_default())
        }))
        .await;
        let found: Vec<Vec<ecs::ContainerInstance>> = reads.into_iter().collect::<Read<_>>()?;
        let pair = |it: ecs::ContainerInstance| Some((it.container_instance_arn?, it.ec2_instance_id?));
        Ok(found.into_iter().flatten().filter_map(pair).collect())
    }
}

/// One task; `hosts` are EC2 ids by container-instance ARN.
fn task(from: &ecs::Task, hosts: &BTreeMap<String, String>) -> Task {
    let instance = from.container_instance_arn().and_then(|arn| hosts.get(arn)).cloned();
    let own = addresses(from);
    Task {
        id: text(from.task_arn().and_then(|arn| arn.rsplit('/').next())),
        started_by: text(from.started_by()),
        task_definition: text(from.task_definition_arn()),
        status: text(from.last_status()),
        stop_code: from.stop_code().map(|code| code.as_str().to_owned()),
        stopped_reason: from.stopped_reason().map(str::to_owned),
        stopped_at: from.stopped_at().map(|at| time(Some(at))),
        containers: from.containers().iter().map(container).collect(),
        hosts: if own.is_empty() { instance.into_iter().collect() } else { own },
        bindings: from.containers().iter().flat_map(bindings).collect(),
    }
}

/// All addresses of a task with a network interface of its own (network mode `awsvpc`), IPv4 and IPv6. A task in an
/// IPv6-only subnet has no IPv4 address (API_NetworkInterface).
fn addresses(task: &ecs::Task) -> Vec<String> {
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
fn container(from: &ecs::Container) -> Container {
    Container {
        name: text(from.name()),
        image: text(from.image()),
        digest: from.image_digest().map(str::to_owned),
        exit_code: from.exit_code(),
        reason: from.reason().map(str::to_owned),
    }
}

/// The network bindings of a container; ranges of ports have no single one and are left out.
fn bindings(container: &ecs::Container) -> impl Iterator<Item = Binding> {
    let single = container
        .network_bindings()
        .iter()
        .filter(|it| it.container_port().is_some() && it.host_port().is_some());
    single.map(|it| Binding {
        container: text(container.name()),
        container_port: port(it.container_port()),
        host_port: port(it.host_port()),
    })
}
