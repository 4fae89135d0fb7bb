//! The logs of the tasks that failed: links, and the last lines of one container.

use super::outside::Interrupted;
use super::session::Session;
use crate::event::{LogLink, LogTail, Report};
use crate::plan::cause::Cause;
use crate::plan::definition::{Content, log_groups};

/// Most events to read.
const MOST_EVENTS: i32 = 20;

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

/// Adds the last lines of the newest failed container to the report of a failed deploy, unless the run is for a pull
/// request from a fork. Called after the end is decided and saved, so nothing waits for the log; and by then the driver
/// has sent the last lines. A signal ends the read.
pub(super) async fn add_log_tail(session: &Session<'_>, report: &mut Report) {
    let wanted = session.settings.failure_logs && !session.context.is_fork;
    let Some(link) = report.logs.first().filter(|_| wanted) else { return };
    let stream = (link.group.as_str(), link.stream.as_str(), link.region.as_str());
    let read = session.outside.read(async |aws| Box::pin(aws.newest_events(stream, MOST_EVENTS)).await);
    if let Interrupted::No(events) = read.await {
        report.log_tail = Some(LogTail { container: link.container.clone(), events });
    }
}
