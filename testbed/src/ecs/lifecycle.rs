//! The life of tasks: from PROVISIONING over RUNNING to STOPPED.

use super::task::{Container, Phase, Port, Registration, Stop, Task};
use super::{awslogs, definition, task};
use crate::ecr::Found;
use crate::elb::{State, Target};
use crate::tasks::Process;
use crate::world::World;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Advances every task.
pub(super) fn advance(world: &mut World, now: Instant) {
    for index in 0..world.ecs.tasks.len() {
        let mut task = std::mem::take(&mut world.ecs.tasks[index]);
        advance_one(world, &mut task, now);
        world.ecs.tasks[index] = task;
    }
    forget(world, now);
}

/// Most STOPPED tasks that are kept.
const MOST_STOPPED: usize = 1_000;

/// Drops tasks that have been STOPPED for an hour of AWS's time, and all but the newest thousand.
fn forget(world: &mut World, now: Instant) {
    let keep = world.pace.seconds(3600).max(Duration::from_secs(60));
    expire(&mut world.ecs.tasks, now, keep);
}

/// Drops STOPPED tasks: tasks older than `keep`, and the oldest of too many. Tasks are in the order of their creation.
fn expire(tasks: &mut Vec<Task>, now: Instant, keep: Duration) {
    let stopped = tasks.iter().filter(|task| task.phase == Phase::Stopped).count();
    let mut surplus = stopped.saturating_sub(MOST_STOPPED);
    tasks.retain(|task| {
        if task.phase != Phase::Stopped {
            return true;
        }
        let is_surplus = surplus > 0;
        surplus = surplus.saturating_sub(1);
        !is_surplus && task.told.is_none_or(|told| now.duration_since(told) < keep)
    });
}

/// Advances one task.
fn advance_one(world: &mut World, task: &mut Task, now: Instant) {
    let age = task.created.map_or(Duration::ZERO, |created| now.duration_since(created));
    match task.phase {
        Phase::Provisioning if task.stop.is_some() => end_processes(task, now),
        Phase::Provisioning if age >= world.pace.launch / 3 => task.phase = Phase::Pending,
        Phase::Pending if task.stop.is_some() => end_processes(task, now),
        Phase::Pending if task.launched.is_none() && age >= world.pace.launch / 2 => launch(world, task, now),
        Phase::Pending if task.launched.is_some() && age >= world.pace.launch => run(world, task, now),
        Phase::Running => look_for_crash(world, task, now),
        Phase::Deactivating => {
            look_for_crash(world, task, now);
            if task.phase == Phase::Deactivating && is_drained(world, task) {
                end_processes(task, now);
            }
        }
        Phase::Stopping if task.told.is_none_or(|told| now.duration_since(told) >= world.pace.stop) => {
            task.phase = Phase::Stopped;
            task.times.stopped = Some(crate::clock::wall());
        }
        Phase::Provisioning | Phase::Pending | Phase::Stopping | Phase::Stopped => {}
    }
}

/// Pulls the images and starts the containers.
fn launch(world: &mut World, task: &mut Task, now: Instant) {
    task.times.pull_started = Some(crate::clock::wall());
    let registry = world.registry();
    for index in 0..task.containers.len() {
        let reference = pinned(world, task, index);
        match world.ecr.find(&reference, &registry) {
            Found::Runs { digest, behavior } => {
                if let Some(reason) = behavior.start_error.clone() {
                    return fail_to_start(task, now, reason, None);
                }
                task.containers[index].digest = Some(digest);
                task.containers[index].behavior = behavior;
            }
            Found::Missing(reason) => return fail_to_start(task, now, reason.clone(), Some((index, reason))),
        }
    }
    task.times.pull_stopped = Some(crate::clock::wall());
    task.launched = Some(now);
    start_containers(world, task, now);
    awslogs::open(world, task);
}

/// The image reference to pull: by the digest that the deployment's first task resolved (version consistency), else as
/// written.
fn pinned(world: &World, task: &Task, index: usize) -> String {
    let container = &task.containers[index];
    let body = definition::find(world, &task.definition).and_then(|one| one.container(&container.name));
    let pins = body.is_none_or(|body| body["versionConsistency"] != "disabled");
    let mut others = world.ecs.tasks.iter().filter(|other| other.service.is_some());
    let digest = others.find_map(|other| {
        let same = pins && other.service == task.service && other.started_by == task.started_by;
        let twin = other.containers.get(index).filter(|twin| same && twin.image == container.image)?;
        twin.digest.clone()
    });
    match digest {
        Some(digest) if container.image.contains(".dkr.ecr.") => {
            let name = container.image.split('@').next().unwrap_or_default();
            format!("{name}@{digest}")
        }
        Some(_) | None => container.image.clone(),
    }
}

/// Starts every container's process, one for each port.
fn start_containers(world: &mut World, task: &mut Task, now: Instant) {
    let Some(definition) = definition::find(world, &task.definition) else { return };
    let awsvpc = definition.network_mode() == "awsvpc";
    for container in &mut task.containers {
        let mappings = definition.container(&container.name).map(|body| body["portMappings"].clone());
        for mapping in mappings.as_ref().and_then(Value::as_array).into_iter().flatten() {
            match open_port(world, container, mapping, awsvpc, &task.id) {
                Ok(port) => container.ports.push(port),
                Err(error) => {
                    let reason = format!("CannotStartContainerError: {error}");
                    return fail_to_start(task, now, reason, None);
                }
            }
        }
        container.running = true;
    }
}

/// Starts the process of one port mapping. The host's port is the container's for awsvpc, the requested one, or the
/// real loopback port as the dynamic one.
fn open_port(
    world: &World,
    container: &Container,
    mapping: &Value,
    awsvpc: bool,
    task: &str,
) -> std::io::Result<Port> {
    let number = |key: &str| mapping[key].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(0);
    let process = Process::start(&world.runtime, container.behavior.clone(), task)?;
    let inside = number("containerPort");
    let host = match (awsvpc, number("hostPort")) {
        (true, _) => inside,
        (false, 0) => process.address.port(),
        (false, fixed) => fixed,
    };
    Ok(Port { container: inside, host, process })
}

/// Ends a task that can't start.
fn fail_to_start(task: &mut Task, now: Instant, reason: String, container: Option<(usize, String)>) {
    if let Some((index, reason)) = container {
        task.containers[index].reason = Some(reason);
    }
    task.failed = true;
    begin_stop(task, "TaskFailedToStart", &reason);
    end_processes(task, now);
}

/// Makes a task RUNNING and puts it into its target groups.
fn run(world: &mut World, task: &mut Task, now: Instant) {
    task.phase = Phase::Running;
    task.running = Some(now);
    task.times.started = Some(crate::clock::wall());
    for wanted in task.wanted.clone() {
        let container = task.containers.iter().find(|container| container.name == wanted.container);
        let port =
            container.and_then(|container| container.ports.iter().find(|port| port.container == wanted.port));
        let Some(port) = port else { continue };
        let (id, at) = match (&task.address, &task.ec2) {
            (Some(address), _) if uses_addresses(world, &wanted.group) => (address.clone(), port.container),
            (_, Some(ec2)) => (ec2.clone(), port.host),
            (Some(address), None) => (address.clone(), port.container),
            (None, None) => continue,
        };
        let target =
            Target { id: id.clone(), port: at, address: port.process.address, zone: task.zone.clone() };
        world.elb.register(&wanted.group, target, now);
        task.registrations.push(Registration { group: wanted.group, id, port: at });
    }
}

/// True if a group's targets are addresses.
fn uses_addresses(world: &World, group: &str) -> bool {
    world.elb.target_type(group) != Some(crate::elb::TargetType::Instance)
}

/// Ends containers whose crash is due, and the task of an essential container.
fn look_for_crash(world: &mut World, task: &mut Task, now: Instant) {
    let Some(launched) = task.launched else { return };
    let (mut essential, mut crashed) = (false, Vec::new());
    for (index, container) in task.containers.iter_mut().enumerate() {
        if !container.running || container.ended {
            continue;
        }
        let Some(crash) = container.behavior.crash.clone() else { continue };
        if now.duration_since(launched) < crash.after {
            continue;
        }
        container.ended = true;
        container.exit_code = Some(crash.exit_code);
        container.reason = crash.reason;
        container.ports.iter().for_each(|port| port.process.kill());
        essential |= container.essential;
        crashed.push(index);
    }
    awslogs::write_last_words(world, task, &crashed);
    if essential {
        task.failed |= task.is_wanted();
        leave_groups(world, task, now);
        if task.is_wanted() {
            begin_stop(task, "EssentialContainerExited", "Essential container in task exited");
        }
        end_processes(task, now);
    }
}

/// Notes that a task has to stop, with the reason; the first reason stays.
fn begin_stop(task: &mut Task, code: &str, reason: &str) {
    if task.stop.is_none() {
        task.stop = Some(Stop { code: code.to_owned(), reason: reason.to_owned() });
        task.times.stopping = Some(crate::clock::wall());
    }
}

/// Stops a task in order: out of its target groups, drained, SIGTERM, STOPPED.
pub(super) fn stop(world: &mut World, task: &mut Task, code: &str, reason: &str, now: Instant) {
    if task.stop.is_some() || task.phase == Phase::Stopped {
        return;
    }
    begin_stop(task, code, reason);
    if task.phase == Phase::Running {
        leave_groups(world, task, now);
        task.phase = Phase::Deactivating;
    }
}

/// Starts draining a task's targets.
fn leave_groups(world: &mut World, task: &Task, now: Instant) {
    for registration in &task.registrations {
        world.elb.deregister(&registration.group, &registration.id, registration.port, now);
    }
}

/// True if all of a task's targets have left their groups.
fn is_drained(world: &World, task: &Task) -> bool {
    task.registrations.iter().all(|at| match world.elb.health(&at.group, &at.id, at.port) {
        None => true,
        Some(health) => health.state == State::Unused,
    })
}

/// Sends SIGTERM to the running processes.
fn end_processes(task: &mut Task, now: Instant) {
    task.phase = Phase::Stopping;
    task.told = Some(now);
    task.times.execution_stopped = Some(crate::clock::wall());
    for container in task.containers.iter_mut().filter(|container| container.running && !container.ended) {
        container.ended = true;
        // A hanging process ignores SIGTERM and is killed after the stop timeout: 128 + 9.
        container.exit_code = Some(if container.behavior.hang { 137 } else { 0 });
        for port in &container.ports {
            if container.behavior.hang { port.process.kill() } else { port.process.terminate() }
        }
    }
    for container in &mut task.containers {
        container.ended = true;
    }
}

/// The load balancer's verdict on a task.
pub(super) enum Verdict {
    /// Healthy in every target group and by its own health check.
    Healthy,
    /// Not known yet.
    Waiting,
    /// Unhealthy: the words for the task's end, and for the event.
    Unhealthy(String, String),
}

/// Time that a task without any health check must run to count as healthy, in AWS's seconds.
const STABLE: u64 = 3;

/// Judges a task.
pub(super) fn judge(world: &World, task: &task::Task, now: Instant) -> Verdict {
    let (Phase::Running, Some(running)) = (task.phase, task.running) else { return Verdict::Waiting };
    if task.health_status() == "UNHEALTHY" {
        let event = format!("(task {}) failed container health checks.", task.id);
        return Verdict::Unhealthy("Task failed container health checks".to_owned(), event);
    }
    let mut healthy = true;
    for at in &task.registrations {
        let Some(health) = world.elb.health(&at.group, &at.id, at.port) else { return Verdict::Waiting };
        if health.state == State::Unhealthy {
            let why = health.description.unwrap_or_else(|| "Health checks failed".to_owned());
            let event = format!(
                "(task {}) (port {}) is unhealthy in (target-group {}) due to (reason {why})",
                task.id, at.port, at.group
            );
            return Verdict::Unhealthy(
                format!("Task failed ELB health checks in (target-group {})", at.group),
                event,
            );
        }
        healthy &= matches!(health.state, State::Healthy | State::Unavailable);
    }
    if task.registrations.is_empty() && now.duration_since(running) < world.pace.seconds(STABLE) {
        healthy = false;
    }
    if healthy { Verdict::Healthy } else { Verdict::Waiting }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stopped_tasks_expire_by_number_and_by_age() {
        let now = crate::clock::now();
        let task = |number: usize| {
            let phase = if number.is_multiple_of(2) { Phase::Stopped } else { Phase::Running };
            Task { id: number.to_string(), phase, told: Some(now), ..Task::default() }
        };
        let mut tasks: Vec<Task> = (0..3_000).map(task).collect();
        expire(&mut tasks, now, Duration::from_secs(60));
        let stopped: Vec<&Task> = tasks.iter().filter(|task| task.phase == Phase::Stopped).collect();
        assert_eq!((tasks.len(), stopped.len(), stopped[0].id.as_str()), (2_500, 1_000, "1000"));
        expire(&mut tasks, now + Duration::from_secs(60), Duration::from_secs(60));
        assert_eq!(tasks.len(), 1_500);
    }
}
