//! Own tasks that fail while the run follows a deployment. ECS counts failures only up to COMPLETED, and then replaces
//! tasks without end. So the run keeps its own count.

use std::collections::BTreeSet;

use super::cause::{Cause, is_failure_of_version, of_one};
use super::color::ServiceColor;
use super::snapshot::{Service, Snapshot, Task};
use super::time::Time;
use super::verdict::{
    DeploymentFailure, Kind, OwnDeployment, Verdict, healthy_targets, is_own, recovery_of_failing,
};

/// Number of failed tasks in a row, without a healthy target, that ends a deployment. By default, the circuit breaker
/// of ECS needs at least as many.
const MOST: u32 = 3;

/// The failed tasks that the looks of a run have shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failures {
    /// The ids of all failed tasks.
    known: BTreeSet<String>,
    /// Number of failures since the last healthy target.
    in_row: u32,
}

impl Failures {
    /// Counts new failed tasks. A healthy target resets the count.
    pub(super) fn saw(&mut self, service: &Service, awaited: &OwnDeployment) {
        for task in failed_tasks(service, awaited) {
            if self.known.insert(task.id.clone()) {
                self.in_row = self.in_row.saturating_add(1);
            }
        }
        if healthy_targets(service, awaited).is_some_and(|healthy| healthy > 0) {
            self.in_row = 0;
        }
    }

    /// Ends a deployment whose tasks only fail, in any rollout state and with any circuit breaker. AWS may have ended
    /// the deployment at the same moment, so the run first reads the service deployments.
    pub(super) fn judge(
        &self,
        verdict: Verdict,
        service: Option<&Service>,
        awaited: &OwnDeployment,
    ) -> Verdict {
        let (Verdict::Wait(_), Some(service)) = (&verdict, service) else { return verdict };
        if self.in_row < MOST || healthy_targets(service, awaited) != Some(0) {
            return verdict;
        }
        if service.history.is_none() {
            return Verdict::LookCloser;
        }
        let ended = DeploymentFailure::TasksFailing { failed: self.in_row };
        Verdict::Failed { ended, recovery: recovery_of_failing(service, awaited, self.in_row) }
    }
}

/// The color and cause of the first failed task of a deployment, if a look shows one.
pub(super) fn first_of_deployment(
    seen: &Snapshot,
    color: ServiceColor,
    awaited: &OwnDeployment,
) -> Option<(ServiceColor, Cause)> {
    let service = seen.service(color)?;
    let task = failed_tasks(service, awaited).min_by_key(|task| task.stopped_at)?;
    Some((color, of_one(service, task)))
}

/// The first task of any color that failed since a scale-up, if a look shows one.
pub(super) fn first_of_scale_up(seen: &Snapshot, since: Time) -> Option<(ServiceColor, Cause)> {
    let of = |service: &Service| {
        first_of_deployment(seen, service.color, &OwnDeployment::of_count(service, since))
    };
    seen.services.iter().find_map(of)
}

/// The change's own tasks that stopped by a fault. The revision may have run before. So a task without the id of this
/// deployment counts only if the task stopped after the request.
fn failed_tasks<'a>(service: &'a Service, awaited: &'a OwnDeployment) -> impl Iterator<Item = &'a Task> {
    let stopped = service.stopped.iter().flatten().flatten();
    stopped.filter(|task| {
        let by_id = awaited.kind == Kind::Rollout && awaited.id.as_ref() == Some(&task.started_by);
        let since = by_id || task.stopped_at.is_some_and(|at| at >= awaited.started);
        is_own(task, awaited) && since && is_failure_of_version(task)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::aws_error::AwsErrorKind;
    use crate::plan::sample::{arn, at, deployment, own_deployment, service, target, tasks};
    use crate::plan::snapshot::{Breaker, Container, Deployment, Rollout};
    use crate::plan::verdict::{Restorer, Waiting};

    /// My deployment, asked for at the beginning.
    fn awaited() -> OwnDeployment {
        own_deployment(at(0))
    }

    /// A task of revision 2 that exited with code 3.
    fn exited(number: u32, started_by: &str) -> Task {
        let of = Deployment { id: started_by.to_owned(), ..deployment("", &arn("web-green:2"), 2) };
        let container = Container { name: "app".to_owned(), exit_code: Some(3), ..Container::default() };
        Task {
            status: "STOPPED".to_owned(),
            stop_code: Some("EssentialContainerExited".to_owned()),
            stopped_at: Some(at(5)),
            containers: vec![container],
            ..tasks(&of, 1, number).remove(0)
        }
    }

    /// Green with my deployment in this state, two running tasks, and these that stopped.
    fn green(rollout: Rollout, state: &str, stopped: Vec<Task>) -> Service {
        let mut green = service(ServiceColor::Green);
        let own = Deployment { rollout, created: at(1), ..deployment("mine", &arn("web-green:2"), 2) };
        green.task_definition = arn("web-green:2");
        green.tasks = Some(Ok(tasks(&own, 2, 11)));
        green.targets = Some(Ok(vec![target(11, state), target(12, state)]));
        green.deployments = vec![own];
        (green.stopped, green.history) = (Some(Ok(stopped)), Some(Ok(Vec::new())));
        green
    }

    /// So many failed tasks, started by this.
    fn crashes(count: u32, started_by: &str) -> Vec<Task> {
        (1..=count).map(|number| exited(number, started_by)).collect()
    }

    /// Replaces a wait by a failure, if this snapshot shows one.
    fn judged(seen: &[&Service], awaited: &OwnDeployment) -> Verdict {
        let mut failures = Failures::default();
        seen.iter().for_each(|service| failures.saw(service, awaited));
        failures.judge(Verdict::Wait(Waiting::NotVisible), seen.last().copied(), awaited)
    }

    /// The end by so many failed tasks.
    fn ends(failed: u32, recovery: Restorer) -> Verdict {
        Verdict::Failed { ended: DeploymentFailure::TasksFailing { failed }, recovery }
    }

    const WAITS: Verdict = Verdict::Wait(Waiting::NotVisible);

    #[test]
    fn three_failed_tasks_end_it_in_any_rollout_state_and_whoever_started_them() {
        for rollout in [Rollout::InProgress, Rollout::Completed, Rollout::Unknown] {
            for by in ["ecs-svc/mine", "ecs-service-scheduler", ""] {
                let two = green(rollout, "initial", crashes(2, by));
                assert_eq!(judged(&[&two], &awaited()), WAITS, "{rollout:?} {by}");
                let three = green(rollout, "initial", crashes(3, by));
                assert_eq!(judged(&[&three], &awaited()), ends(3, Restorer::ThisRun), "{rollout:?} {by}");
            }
        }
        let foreign = green(Rollout::InProgress, "initial", crashes(9, "ecs-svc/other"));
        assert_eq!(judged(&[&foreign], &awaited()), WAITS);
    }

    #[test]
    fn a_healthy_target_ends_the_row() {
        let two = green(Rollout::InProgress, "initial", crashes(2, "ecs-svc/mine"));
        let healthy = green(Rollout::InProgress, "healthy", crashes(2, "ecs-svc/mine"));
        let four = green(Rollout::InProgress, "initial", crashes(4, "ecs-svc/mine"));
        assert_eq!(judged(&[&two, &healthy, &four], &awaited()), WAITS);
        let five = green(Rollout::InProgress, "initial", crashes(5, "ecs-svc/mine"));
        assert_eq!(judged(&[&two, &healthy, &four, &five], &awaited()), ends(3, Restorer::ThisRun));
    }

    #[test]
    fn invariant_09_targets_that_are_unknown_end_nothing() {
        let mut three = green(Rollout::Completed, "initial", crashes(3, "ecs-svc/mine"));
        three.targets = Some(Err(crate::plan::sample::trouble(AwsErrorKind::Throttled)));
        assert_eq!(judged(&[&three], &awaited()), WAITS);
    }

    #[test]
    fn the_service_deployments_are_looked_at_before_the_end() {
        let mut three = green(Rollout::InProgress, "initial", crashes(3, "ecs-svc/mine"));
        three.history = None;
        assert_eq!(judged(&[&three], &awaited()), Verdict::LookCloser);
    }

    #[test]
    fn invariant_13_a_breaker_that_is_about_to_roll_back_is_waited_for() {
        let mut three = green(Rollout::InProgress, "initial", crashes(3, "ecs-svc/mine"));
        three.setup.breaker = Some(Breaker { rollback: true, threshold: None });
        assert_eq!(judged(&[&three], &awaited()), ends(3, Restorer::Aws));
        let ten = OwnDeployment { desired: 10, ..awaited() };
        assert_eq!(judged(&[&three], &ten), ends(3, Restorer::ThisRun), "its breaker trips at five");
        three.deployments[0].rollout = Rollout::Completed;
        assert_eq!(judged(&[&three], &awaited()), ends(3, Restorer::ThisRun));
    }

    #[test]
    fn tasks_that_stopped_by_no_fault_of_the_version_do_not_count() {
        for code in ["SpotInterruption", "TerminationNotice", "InfrastructureHealth", "UserInitiated"] {
            let stopped = |task: Task| Task { stop_code: Some(code.to_owned()), ..task };
            let taken: Vec<Task> = crashes(3, "ecs-svc/mine").into_iter().map(stopped).collect();
            assert_eq!(judged(&[&green(Rollout::InProgress, "initial", taken)], &awaited()), WAITS, "{code}");
        }
    }

    #[test]
    fn tasks_of_the_same_revision_that_stopped_before_do_not_count() {
        let old = |task: Task| Task { stopped_at: Some(crate::plan::time::Time(at(0).0 - 1)), ..task };
        let before: Vec<Task> = crashes(3, "").into_iter().map(old).collect();
        assert_eq!(judged(&[&green(Rollout::Completed, "initial", before)], &awaited()), WAITS);
    }
}
