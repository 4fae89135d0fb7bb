//! The driver `awslogs`: what containers write to CloudWatch Logs.

use super::definition;
use super::task::{Container, Task};
use crate::world::World;

/// The log group and stream of a container with the driver `awslogs`: `PREFIX/CONTAINER/TASK`, or the container's id
/// without a prefix ("Using the awslogs log driver").
fn stream(world: &World, task: &Task, container: &Container) -> Option<(String, String)> {
    let log = &definition::find(world, &task.definition)?.container(&container.name)?["logConfiguration"];
    let group = log["options"]["awslogs-group"].as_str().filter(|_| log["logDriver"] == "awslogs")?;
    let stream = match log["options"]["awslogs-stream-prefix"].as_str() {
        Some(prefix) => format!("{prefix}/{}/{}", container.name, task.id),
        None => container.runtime_id.clone(),
    };
    Some((group.to_owned(), stream))
}

/// Opens the streams of a task's containers. In contrast to AWS, a task whose group is missing starts all the same.
pub(super) fn open(world: &mut World, task: &Task) {
    task.containers.iter().for_each(|container| write(world, task, container, &[]));
}

/// Writes the last lines of the containers of a task that have crashed.
pub(super) fn write_last_words(world: &mut World, task: &Task, crashed: &[usize]) {
    let lines = world.logs.last_words.clone();
    for container in crashed.iter().filter_map(|index| task.containers.get(*index)) {
        write(world, task, container, &lines);
    }
}

/// Writes lines of a container.
fn write(world: &mut World, task: &Task, container: &Container, lines: &[String]) {
    if let Some((group, stream)) = stream(world, task, container) {
        world.logs.write((&group, &stream), lines);
    }
}
