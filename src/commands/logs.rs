//! Links to the logs of the tasks that failed.

use crate::event::LogLink;
use crate::plan::cause::Cause;
use crate::plan::definition::{Content, log_groups};

/// One link for each failed task whose container logs to CloudWatch Logs with a stream prefix. The stream is
/// `PREFIX/CONTAINER/TASK`. Source: Amazon ECS, "Using the awslogs log driver".
pub(crate) fn log_links(cause: &Cause, content: &Content, region: &str) -> Vec<LogLink> {
    let groups = log_groups(content);
    let of = |container: &str| groups.iter().find(|group| group.container == container);
    cause
        .logs
        .iter()
        .filter_map(|(task, container)| {
            let group = of(container)?;
            let prefix = group.stream_prefix.as_ref()?;
            Some(LogLink {
                task: task.clone(),
                container: container.clone(),
                group: group.group.clone(),
                stream: format!("{prefix}/{container}/{task}"),
                region: group.region.clone().unwrap_or_else(|| region.to_owned()),
            })
        })
        .collect()
}
