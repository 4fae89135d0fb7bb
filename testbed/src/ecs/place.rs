//! Placement: starts tasks on instances with free slots.

use super::definition;
use super::scheduler::tell;
use super::service::{Deployment, LoadBalancer, Service};
use super::task::{Container, Task, Times};
use crate::world::World;
use std::time::Instant;

/// A container instance.
#[derive(Debug)]
pub struct Instance {
    /// The ARN.
    pub arn: String,
    /// The cluster's ARN.
    pub cluster: String,
    /// The EC2 instance's id.
    pub ec2: String,
    /// The availability zone.
    pub zone: String,
    /// ACTIVE or DRAINING.
    pub status: String,
    /// Number of tasks that fit on the instance.
    pub slots: usize,
}

/// The order for a new task.
pub(super) struct Start {
    /// The cluster's ARN.
    pub(super) cluster: String,
    /// The service's ARN.
    pub(super) service: Option<String>,
    /// `service:NAME` or `family:NAME`.
    pub(super) group: String,
    /// `startedBy`.
    pub(super) started_by: String,
    /// The task definition's ARN.
    pub(super) definition: String,
    /// FARGATE or EC2.
    pub(super) launch_type: String,
    /// The capacity provider, if a strategy chose one.
    pub(super) provider: Option<String>,
    /// The target groups for the task.
    pub(super) wanted: Vec<LoadBalancer>,
}

/// Number of a cluster's container instances that accept tasks.
pub(super) fn instances(world: &World, cluster: &str) -> u32 {
    let active = world.ecs.instances.iter().filter(|one| one.cluster == cluster && one.status == "ACTIVE");
    u32::try_from(active.count()).unwrap_or(u32::MAX)
}

/// Starts a number of tasks of a deployment, unless the deployment waits after failures; adds events.
pub(super) fn start(
    world: &mut World,
    service: &mut Service,
    deployment: &Deployment,
    many: u32,
    now: Instant,
) {
    if many == 0 || deployment.retry_at.is_some_and(|at| at > now) {
        return;
    }
    let mut started = Vec::new();
    for _ in 0..many {
        let order = Start {
            cluster: service.cluster.clone(),
            service: Some(service.arn.clone()),
            group: format!("service:{}", service.name),
            started_by: deployment.id.clone(),
            definition: deployment.revision.definition.clone(),
            launch_type: service.launch_type().to_owned(),
            provider: service.provider().map(str::to_owned),
            wanted: deployment.revision.load_balancers.clone(),
        };
        match start_one(world, order, now) {
            Ok(id) => started.push(format!("(task {id})")),
            Err(why) => {
                unable(world, service, &deployment.id, &why, now);
                break;
            }
        }
    }
    if !started.is_empty() {
        service.steady = false;
        tell(world, service, &format!("has started {} tasks: {}.", started.len(), started.join(" ")));
    }
}

/// Notes that a task found no place: an event, a failure, and a pause.
fn unable(world: &mut World, service: &mut Service, deployment: &str, why: &str, now: Instant) {
    tell(world, service, &format!("was unable to place a task{why}"));
    let pause = world.pace.seconds(5);
    if let Some(deployment) = service.deployments.iter_mut().find(|one| one.id == deployment) {
        deployment.failed += 1;
        deployment.updated_at = crate::clock::wall();
        deployment.retry_at = Some(now + pause);
    }
}

/// The address of a task's network interface: IPv4, or only IPv6 for a task in an IPv6-only subnet.
fn address(number: u64, ipv6: bool) -> String {
    if ipv6 {
        format!("2001:db8:{:x}::{:x}", 1 + number / 0xffff % 0xff, 0xa000 + number % 0xffff)
    } else {
        format!("10.0.{}.{}", 1 + number / 250 % 250, 4 + number % 250)
    }
}

/// Starts one task. Returns its id, or the reason for having no place.
pub(super) fn start_one(world: &mut World, order: Start, now: Instant) -> Result<String, String> {
    let place = if order.launch_type == "EC2" { Some(choose_instance(world, &order)?) } else { None };
    if place.is_none() && world.ecs.fargate_slots.is_some_and(|slots| running(world, |_| true) >= slots) {
        let text = ". Reason: Capacity is unavailable at this time. Please try again later or in a different \
                    availability zone.";
        return Err(text.to_owned());
    }
    let id = world.new_id();
    let number = world.new_number();
    let containers = containers(world, &order.definition);
    let Some(definition) = definition::find(world, &order.definition) else {
        return Err(" because the task definition is gone.".to_owned());
    };
    let name = order.cluster.rsplit('/').next().unwrap_or_default();
    let (instance, ec2, zone) = match place {
        Some((instance, ec2, zone)) => (Some(instance), Some(ec2), zone),
        None => (None, None, format!("{}{}", world.region, if number.is_multiple_of(2) { "a" } else { "b" })),
    };
    let awsvpc = definition.network_mode() == "awsvpc";
    let size = ["cpu", "memory"]
        .iter()
        .filter_map(|key| Some(((*key).to_owned(), definition.body.get(*key)?.clone())));
    let ipv6 = order.wanted.iter().any(|wanted| world.elb.takes_ipv6(&wanted.group));
    let task = Task {
        arn: world.arn("ecs", &format!("task/{name}/{id}")),
        id: id.clone(),
        cluster: order.cluster,
        service: order.service,
        group: order.group,
        started_by: order.started_by,
        definition: order.definition,
        launch_type: order.launch_type,
        provider: order.provider,
        size: size.collect(),
        created: Some(now),
        address: awsvpc.then(|| address(number, ipv6)),
        instance,
        ec2,
        zone,
        containers,
        wanted: order.wanted,
        times: Times { created: Some(crate::clock::wall()), ..Times::default() },
        ..Task::default()
    };
    world.ecs.tasks.push(task);
    Ok(id)
}

/// The containers of a task definition, each with a new id.
fn containers(world: &mut World, arn: &str) -> Vec<Container> {
    let ids: Vec<String> = (0..10).map(|_| world.new_uuid()).collect();
    let mut ids = ids.into_iter();
    let definition = definition::find(world, arn);
    definition.map(|one| Task::containers_of(one, || ids.next().unwrap_or_default())).unwrap_or_default()
}

/// Number of matching tasks that run or should run.
fn running(world: &World, like: impl Fn(&Task) -> bool) -> usize {
    world.ecs.tasks.iter().filter(|task| task.is_wanted() && like(task)).count()
}

/// The container instance with the fewest tasks and a free slot: its ARN, EC2 id and zone.
fn choose_instance(world: &World, order: &Start) -> Result<(String, String, String), String> {
    let no_match = " because no container instance met all of its requirements.";
    let guide = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
    let mut active: Vec<(usize, &Instance)> = (world.ecs.instances.iter())
        .filter(|one| one.cluster == order.cluster && one.status == "ACTIVE")
        .map(|one| (running(world, |task| task.instance.as_deref() == Some(one.arn.as_str())), one))
        .collect();
    if active.is_empty() {
        return Err(format!("{no_match} Reason: No Container Instances were found in your cluster. {guide}"));
    }
    active.sort_by_key(|(tasks, _)| *tasks);
    let ports = fixed_ports(world, &order.definition);
    let mut why = "has insufficient memory available";
    for (tasks, one) in &active {
        if *tasks >= one.slots {
            continue;
        }
        if uses_port(world, one, &ports) {
            why = "is already using a port required by your task";
            continue;
        }
        return Ok((one.arn.clone(), one.ec2.clone(), one.zone.clone()));
    }
    let id = active.first().and_then(|(_, one)| one.arn.rsplit('/').next()).unwrap_or_default();
    Err(format!("{no_match} The closest matching (container-instance {id}) {why}. {guide}"))
}

/// The fixed host ports of a task definition, for bridge and host networking.
fn fixed_ports(world: &World, arn: &str) -> Vec<u16> {
    let Some(definition) = definition::find(world, arn).filter(|one| one.network_mode() != "awsvpc") else {
        return Vec::new();
    };
    (definition.containers().iter())
        .flat_map(|container| container["portMappings"].as_array().into_iter().flatten())
        .filter_map(|mapping| mapping["hostPort"].as_u64().and_then(|port| u16::try_from(port).ok()))
        .filter(|port| *port != 0)
        .collect()
}

/// True if a task on this instance holds one of these host ports.
fn uses_port(world: &World, instance: &Instance, ports: &[u16]) -> bool {
    if ports.is_empty() {
        return false;
    }
    let here = |task: &&Task| task.instance.as_deref() == Some(instance.arn.as_str());
    let alive = |task: &&Task| task.phase != super::task::Phase::Stopped;
    let mut tasks = world.ecs.tasks.iter().filter(here).filter(alive);
    tasks.any(|task| fixed_ports(world, &task.definition).iter().any(|port| ports.contains(port)))
}
