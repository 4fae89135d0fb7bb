//! Causes of a failed deployment, deduplicated, the most telling first.

use super::arn::Arn;
use super::snapshot::{Container, Seen, Service, ServiceDeployment, ServiceEvent, Target, Task};
use super::step::{ProbeFailure, RunFailure};
use super::time::Time;
use super::verdict::{OwnDeployment, entry_by_number, own_tasks};

mod targets;

/// One observed cause of a failure. Earlier variants tell more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A probe got a wrong answer, or none.
    Probe(ProbeFailure),
    /// An image that can't be pulled.
    Image {
        /// The container.
        container: String,
        /// The image.
        image: String,
        /// AWS's reason.
        reason: String,
    },
    /// A container that was killed for its memory.
    OutOfMemory {
        /// The container.
        container: String,
        /// Number of tasks.
        tasks: u32,
    },
    /// A container that exited with an error.
    Exit {
        /// The container.
        container: String,
        /// The exit code.
        code: i32,
        /// AWS's reason, if there is one.
        reason: Option<String>,
        /// Number of tasks.
        tasks: u32,
    },
    /// The load balancer does not find targets healthy.
    Target {
        /// The target group's name.
        group: String,
        /// AWS's reason code.
        code: String,
        /// AWS's description.
        description: String,
        /// Number of targets.
        targets: u32,
    },
    /// Tasks that stopped for another reason.
    Stopped {
        /// `stopCode`.
        code: String,
        /// `stoppedReason`.
        reason: String,
        /// Number of tasks.
        tasks: u32,
    },
    /// An event about tasks that can't be placed.
    Placement {
        /// AWS's words.
        message: String,
    },
    /// AWS's reason for the end of the deployment.
    Aws {
        /// The reason.
        reason: String,
    },
}

/// All findings, and the containers whose logs tell more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cause {
    /// The most telling first.
    pub(crate) findings: Vec<Finding>,
    /// The tasks that failed, newest first, for the links to their logs: task id and container.
    pub(crate) logs: Vec<(String, String)>,
}

/// Most log links in a report.
const LOGS: usize = 3;

/// Gathers the cause of a failure. `unhealthy` are the run's own targets that earlier looks saw unhealthy.
pub(crate) fn gather_cause(
    service: Option<&Service>,
    awaited: Option<&OwnDeployment>,
    unhealthy: &[Target],
    failing: &RunFailure,
) -> Cause {
    let mut findings = Vec::new();
    if let RunFailure::Probe(failure) = failing {
        findings.push(Finding::Probe(failure.clone()));
    }
    let (Some(service), Some(awaited)) = (service, awaited) else {
        return Cause { findings, logs: Vec::new() };
    };
    let stopped: Vec<&Task> =
        known_value(&service.stopped).map(|tasks| own_tasks(tasks, awaited).collect()).unwrap_or_default();
    for task in stopped.iter().filter(|task| is_failure(task)) {
        for finding in of_task(task) {
            add_finding(&mut findings, finding);
        }
    }
    for finding in targets::of_targets(service, awaited, unhealthy, &stopped) {
        add_finding(&mut findings, finding);
    }
    findings.extend(placement_finding(&service.events, awaited.started));
    findings.extend(of_aws(service, awaited));
    findings.sort_by_key(finding_rank);
    Cause { findings, logs: failed_task_logs(service, &stopped) }
}

/// The value of a part, if the read succeeded.
fn known_value<T>(part: &Seen<T>) -> Option<&T> {
    part.as_ref().and_then(|read| read.as_ref().ok())
}

/// Number of a service's tasks that failed since then; 0 if the stopped tasks were not read.
pub(crate) fn failed_since(service: &Service, since: Time) -> usize {
    let stopped = known_value(&service.stopped).map_or(&[][..], Vec::as_slice);
    let after = |task: &&Task| task.stopped_at.is_some_and(|at| at >= since);
    stopped.iter().filter(after).filter(|task| is_failure(task)).count()
}

/// True for a failed task. A task that the scheduler stopped while a deployment moved on or was restored is no failure,
/// unless the health checks of the task failed.
fn is_failure(task: &Task) -> bool {
    let reason = task.stopped_reason.as_deref().unwrap_or_default();
    let by_scheduler = task.stop_code.as_deref() == Some("ServiceSchedulerInitiated");
    !by_scheduler || reason.contains("failed")
}

/// True if the version may be at fault for a stopped task: AWS took no machine away, and no user stopped the task.
pub(crate) fn is_failure_of_version(task: &Task) -> bool {
    let taken = ["SpotInterruption", "TerminationNotice", "InfrastructureHealth", "UserInitiated"];
    is_failure(task) && !task.stop_code.as_deref().is_some_and(|code| taken.contains(&code))
}

/// The findings from one failed task, and the container whose log to read.
pub(crate) fn of_one(service: &Service, task: &Task) -> Cause {
    let mut findings = of_task(task);
    findings.sort_by_key(finding_rank);
    Cause { findings, logs: failed_task_logs(service, &[task]) }
}

/// The findings from one stopped task.
fn of_task(task: &Task) -> Vec<Finding> {
    let told: Vec<Finding> = task.containers.iter().filter_map(of_container).collect();
    if !told.is_empty() {
        return told;
    }
    let reason = task.stopped_reason.clone().unwrap_or_default();
    if reason.contains("CannotPull") {
        let container = task.containers.first().cloned().unwrap_or_default();
        return vec![Finding::Image { container: container.name, image: container.image, reason }];
    }
    vec![Finding::Stopped {
        code: task.stop_code.clone().unwrap_or_default(),
        reason: without_ids(&reason),
        tasks: 1,
    }]
}

/// The finding from one container.
fn of_container(container: &Container) -> Option<Finding> {
    let name = container.name.clone();
    let reason = container.reason.clone();
    let told = reason.as_deref().unwrap_or_default();
    if told.contains("CannotPull") {
        return Some(Finding::Image {
            container: name,
            image: container.image.clone(),
            reason: told.to_owned(),
        });
    }
    if told.contains("OutOfMemory")
        || container.exit_code == Some(137) && told.to_lowercase().contains("memory")
    {
        return Some(Finding::OutOfMemory { container: name, tasks: 1 });
    }
    match container.exit_code {
        Some(code) if code != 0 && !(code == 143 || code == 137) => {
            Some(Finding::Exit { container: name, code, reason, tasks: 1 })
        }
        _ if !told.is_empty() => Some(Finding::Stopped {
            code: "container".to_owned(),
            reason: format!("{name}: {told}"),
            tasks: 1,
        }),
        Some(_) | None => None,
    }
}

/// Adds a finding, or adds to the count of an equal finding.
fn add_finding(findings: &mut Vec<Finding>, new: Finding) {
    for known in findings.iter_mut() {
        if merge_finding(known, &new) {
            return;
        }
    }
    findings.push(new);
}

/// True if `new` equals `known`. The count of `known` then grows.
fn merge_finding(known: &mut Finding, new: &Finding) -> bool {
    match (known, new) {
        (Finding::Image { container, image, .. }, Finding::Image { container: c, image: i, .. }) => {
            container == c && image == i
        }
        (Finding::OutOfMemory { container, tasks }, Finding::OutOfMemory { container: c, tasks: more }) => {
            add_if_same(container == c, tasks, *more)
        }
        (
            Finding::Exit { container, code, tasks, .. },
            Finding::Exit { container: other, code: exit, tasks: more, .. },
        ) => add_if_same(container == other && code == exit, tasks, *more),
        (Finding::Target { code, targets, .. }, Finding::Target { code: c, targets: more, .. }) => {
            add_if_same(code == c, targets, *more)
        }
        (Finding::Stopped { code, reason, tasks }, Finding::Stopped { code: c, reason: r, tasks: more }) => {
            add_if_same(code == c && reason == r, tasks, *more)
        }
        (known, new) => known == new,
    }
}

/// Adds to the count if both are the same.
fn add_if_same(same: bool, count: &mut u32, more: u32) -> bool {
    if same {
        *count += more;
    }
    same
}

/// The newest event since the start about tasks that can't be placed.
fn placement_finding(events: &[ServiceEvent], since: Time) -> Option<Finding> {
    let told = |event: &&ServiceEvent| event.at >= since && event.message.contains("unable to place a task");
    events.iter().find(told).map(|event| Finding::Placement { message: event.message.clone() })
}

/// AWS's reason for the deployment's end. The number of the deployment names the service deployment. Without that
/// number, the newest of this task definition is the run's own: the reason of an earlier one is no cause of this failure.
fn of_aws(service: &Service, awaited: &OwnDeployment) -> Option<Finding> {
    let own = service.deployments.iter().find(|deployment| Some(&deployment.id) == awaited.id.as_ref());
    let told = own.map(|deployment| deployment.reason.clone()).filter(|reason| reason.contains("fail"));
    let history = known_value(&service.history).map_or(&[][..], Vec::as_slice);
    let of_version = |entry: &&ServiceDeployment| entry.target.as_deref() == Some(&awaited.task_definition);
    let numbered = awaited.id.as_ref().and_then(|id| entry_by_number(history, id));
    let entry = numbered
        .or_else(|| history.iter().filter(of_version).max_by_key(|entry| entry.created))
        .map(|entry| entry.reason.clone())
        .filter(|reason| !reason.is_empty());
    entry.or(told).map(|reason| Finding::Aws { reason })
}

/// A reason without task ids, so that the same reason of two tasks is equal. Target groups appear by name.
fn without_ids(reason: &str) -> String {
    let named = |word: &str| {
        let (arn, end) = word.strip_suffix(')').map_or((word, ""), |arn| (arn, ")"));
        Arn::parse(arn).map_or_else(|| word.to_owned(), |_| format!("{}{end}", targets::group_name(arn)))
    };
    let is_id = |word: &str| {
        let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        core.len() >= 32 && core.chars().all(|c| c.is_ascii_hexdigit())
    };
    reason.split(' ').filter(|word| !is_id(word)).map(named).collect::<Vec<_>>().join(" ")
}

/// The order of findings: the fault itself before its consequences.
fn finding_rank(finding: &Finding) -> u8 {
    match finding {
        Finding::Probe(_) => 0,
        Finding::Image { .. } => 1,
        Finding::OutOfMemory { .. } => 2,
        Finding::Exit { .. } => 3,
        Finding::Target { .. } => 4,
        Finding::Stopped { .. } => 5,
        Finding::Placement { .. } => 6,
        Finding::Aws { .. } => 7,
    }
}

/// The newest failed tasks, each with the container whose log to read: the container with a finding, else the container
/// that the load balancer sends to. A task that never started has no log.
fn failed_task_logs(service: &Service, stopped: &[&Task]) -> Vec<(String, String)> {
    let started = |task: &&&Task| task.stop_code.as_deref() != Some("TaskFailedToStart");
    let mut failed: Vec<&&Task> = stopped.iter().filter(|task| is_failure(task)).filter(started).collect();
    failed.sort_by_key(|task| std::cmp::Reverse(task.stopped_at));
    let served = service.setup.links.first().map(|link| &link.container);
    let culprit = |task: &Task| {
        let telling = task.containers.iter().find(|container| of_container(container).is_some());
        telling.map(|container| container.name.clone()).or_else(|| served.cloned())
    };
    failed.into_iter().filter_map(|task| Some((task.id.clone(), culprit(task)?))).take(LOGS).collect()
}

#[cfg(test)]
mod tests;
