//! The verdict over every state, each typed by hand.

use std::time::Duration;

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::Color;
use crate::plan::sample::{arn, at, deployment, own_deployment, service, target, tasks, trouble};
use crate::plan::snapshot::*;
use crate::plan::time::Time;

/// My deployment, asked for at the beginning.
fn awaited() -> OwnDeployment {
    own_deployment(at(0))
}

/// Green while my deployment rolls out beside the old one.
fn rolling(running: u32, pending: u32, rollout: Rollout) -> Service {
    let mut green = service(Color::Green);
    let own = Deployment {
        running,
        pending,
        rollout,
        created: at(1),
        ..deployment("mine", &arn("web-green:2"), 2)
    };
    let old = Deployment { primary: false, ..deployment("green-old", &arn("web-green:1"), 2) };
    green.task_definition = arn("web-green:2");
    green.tasks = Some(Ok(tasks(&own, running, 11)));
    green.targets = Some(Ok((11..11 + running).map(|number| target(number, "initial")).collect()));
    (green.running, green.pending) = (running + 2, pending);
    green.deployments = vec![own, old];
    green
}

/// Green with my deployment complete, its targets in this state, the old one gone.
fn complete(state: &str) -> Service {
    let mut green = rolling(2, 0, Rollout::Completed);
    green.deployments.truncate(1);
    green.running = 2;
    green.targets = Some(Ok(vec![target(11, state), target(12, state)]));
    green
}

/// Green after AWS or somebody put another deployment in place of mine.
fn replaced(by: &str, created: Time) -> Service {
    let mut green = service(Color::Green);
    green.task_definition = arn(by);
    green.deployments = vec![Deployment { created, ..deployment("other", &arn(by), 2) }];
    green
}

/// A service deployment of revision 2 with this status.
fn entry(status: ServiceDeploymentStatus, reason: &str) -> ServiceDeployment {
    ServiceDeployment {
        arn: "arn:service-deployment/1".to_owned(),
        number: None,
        status,
        reason: reason.to_owned(),
        created: at(1),
        target: Some(arn("web-green:2")),
        sources: vec![arn("web-green:1")],
        alarms: Vec::new(),
    }
}

/// The service with this history.
fn told(mut green: Service, history: Vec<ServiceDeployment>) -> Service {
    green.history = Some(Ok(history));
    green
}

/// The breaker, on.
fn breaker(rollback: bool) -> Option<Breaker> {
    Some(Breaker { rollback, threshold: None })
}

/// The verdict 60 s after the start, with a time-out of 10 minutes.
fn judge(green: &Service) -> Verdict {
    judge_deployment(Some(green), &awaited(), at(60), &Limits::with_timeout(Duration::from_secs(600)))
}

/// The verdict at the time-out.
fn judge_late(green: &Service) -> Verdict {
    judge_deployment(Some(green), &awaited(), at(600), &Limits::with_timeout(Duration::from_secs(600)))
}

/// Short for a failed verdict.
fn failed(ended: DeploymentFailure, recovery: Restorer) -> Verdict {
    Verdict::Failed { ended, recovery }
}

/// The rolling-out state of `rolling(running, pending, …)` with nothing healthy.
fn rolling_out(running: u32, pending: u32) -> Waiting {
    Waiting::RollingOut { running, pending, healthy: Some(0), desired: 2, failed: 0, old: 2 }
}

#[test]
fn not_visible_yet_is_waited_for_and_only_so_long() {
    let green = service(Color::Green);
    let unseen = OwnDeployment { seen: false, ..awaited() };
    let limits = Limits::with_timeout(Duration::from_secs(600));
    assert_eq!(judge_deployment(Some(&green), &unseen, at(5), &limits), Verdict::Wait(Waiting::NotVisible));
    assert_eq!(judge_deployment(Some(&green), &unseen, at(31), &limits), Verdict::LookCloser);
    let green = told(green, Vec::new());
    assert_eq!(judge_deployment(Some(&green), &unseen, at(31), &limits), Verdict::Wait(Waiting::NotVisible));
    let never = failed(DeploymentFailure::TimedOut(Box::new(Waiting::NotVisible)), Restorer::ThisRun);
    assert_eq!(judge_deployment(Some(&green), &unseen, at(600), &limits), never);
}

#[test]
fn in_progress_waits_with_its_numbers() {
    assert_eq!(judge(&rolling(1, 1, Rollout::InProgress)), Verdict::Wait(rolling_out(1, 1)));
    assert_eq!(judge(&rolling(1, 1, Rollout::Unknown)), Verdict::Wait(rolling_out(1, 1)));
}

#[test]
fn invariant_12_complete_with_targets_not_healthy_is_no_success() {
    for state in ["initial", "unhealthy", "draining", "unused", "unavailable", "unhealthy.draining"] {
        let waiting = Waiting::Unhealthy { healthy: 0, needed: 2 };
        assert_eq!(judge(&complete(state)), Verdict::Wait(waiting), "{state}");
    }
    let mut half = complete("healthy");
    half.targets = Some(Ok(vec![target(11, "healthy"), target(12, "initial")]));
    assert_eq!(judge(&half), Verdict::Wait(Waiting::Unhealthy { healthy: 1, needed: 2 }));
}

#[test]
fn invariant_12_targets_of_other_tasks_do_not_count() {
    let mut green = complete("healthy");
    green.targets = Some(Ok(vec![target(1, "healthy"), target(2, "healthy")]));
    assert_eq!(judge(&green), Verdict::Wait(Waiting::Unhealthy { healthy: 0, needed: 2 }));
}

#[test]
fn invariant_12_an_empty_group_is_not_healthy_even_at_desired_count_0() {
    let mut green = complete("healthy");
    green.targets = Some(Ok(Vec::new()));
    green.tasks = Some(Ok(Vec::new()));
    let none = OwnDeployment { desired: 0, ..awaited() };
    let limits = Limits::with_timeout(Duration::from_secs(600));
    let waiting = Waiting::Unhealthy { healthy: 0, needed: 1 };
    assert_eq!(judge_deployment(Some(&green), &none, at(60), &limits), Verdict::Wait(waiting));
}

#[test]
fn complete_and_healthy_is_good_early_success_included() {
    assert_eq!(judge(&complete("healthy")), Verdict::Good { healthy: 2 });
    let mut early = rolling(2, 0, Rollout::Completed);
    early.targets = Some(Ok(vec![target(11, "healthy"), target(12, "healthy"), target(1, "draining")]));
    assert_eq!(judge(&early), Verdict::Good { healthy: 2 }, "the old tasks may still be there");
}

#[test]
fn targets_of_instances_are_found_by_host_port() {
    let mut green = complete("healthy");
    let mut own = tasks(&green.deployments[0], 2, 11);
    for (index, task) in own.iter_mut().enumerate() {
        task.hosts = vec!["i-1".to_owned()];
        let host_port = 32_768 + u16::try_from(index).unwrap();
        task.bindings = vec![Binding { container: "app".to_owned(), container_port: 8080, host_port }];
    }
    green.tasks = Some(Ok(own));
    let on = |port| Target { id: "i-1".to_owned(), port, ..target(0, "healthy") };
    green.targets = Some(Ok(vec![on(32_768), on(40_000)]));
    assert_eq!(judge(&green), Verdict::Wait(Waiting::Unhealthy { healthy: 1, needed: 2 }));
    green.targets = Some(Ok(vec![on(32_768), on(32_769)]));
    assert_eq!(judge(&green), Verdict::Good { healthy: 2 });
}

#[test]
fn failed_by_the_breaker_with_and_without_rollback() {
    let mut green = rolling(0, 0, Rollout::Failed);
    green.setup.breaker = breaker(false);
    assert_eq!(judge(&green), failed(DeploymentFailure::CircuitBreaker, Restorer::ThisRun));
    green.setup.breaker = breaker(true);
    assert_eq!(
        judge(&green),
        failed(DeploymentFailure::CircuitBreaker, Restorer::Aws),
        "it may still stall: the way back knows"
    );
}

#[test]
fn failed_by_an_alarm_names_the_alarms() {
    let mut green = rolling(0, 0, Rollout::Failed);
    green.deployments[0].reason = "ECS deployment failed: alarm(s) detected.".to_owned();
    green.setup.alarms = vec!["web-5xx".to_owned()];
    assert_eq!(
        judge(&green),
        failed(DeploymentFailure::Alarm(vec!["web-5xx".to_owned()]), Restorer::ThisRun)
    );
}

#[test]
fn aborted_by_a_person_is_no_circuit_breaker() {
    let mut green = rolling(0, 0, Rollout::Failed);
    green.setup.breaker = breaker(true);
    green.deployments[0].reason = "ECS deployment ecs-svc/2 stopped.".to_owned();
    assert_eq!(judge(&green), Verdict::LookCloser);
    let reason = "Service deployment stopped by StopServiceDeployment.";
    let aborted = told(green.clone(), vec![entry(ServiceDeploymentStatus::Stopped, reason)]);
    assert_eq!(judge(&aborted), failed(DeploymentFailure::Stopped, Restorer::ThisRun));
    let silent = told(green, Vec::new());
    assert_eq!(judge(&silent), failed(DeploymentFailure::CircuitBreaker, Restorer::Aws));
}

#[test]
fn failing_tasks_without_a_breaker_end_it_at_the_breakers_default_threshold() {
    let mut green = rolling(0, 1, Rollout::InProgress);
    green.deployments[0].failed = 2;
    assert!(matches!(judge(&green), Verdict::Wait(_)));
    green.deployments[0].failed = 3;
    assert_eq!(judge(&green), failed(DeploymentFailure::TasksFailing { failed: 3 }, Restorer::ThisRun));
    green.setup.breaker = breaker(false);
    assert!(matches!(judge(&green), Verdict::Wait(_)), "with a breaker on, AWS says when");
}

#[test]
fn rolled_back_by_aws_is_told_from_superseded_by_history_alone() {
    let rolled_back = replaced("web-green:1", at(30));
    assert_eq!(judge(&rolled_back), Verdict::LookCloser);
    let by = |status, reason: &str| judge(&told(rolled_back.clone(), vec![entry(status, reason)]));
    use ServiceDeploymentStatus::*;
    let breaker_reason = "Service deployment rolled back because the circuit breaker threshold was exceeded.";
    for status in [RolledBack, RollingBack, RollbackFailed] {
        assert_eq!(by(status, breaker_reason), failed(DeploymentFailure::CircuitBreaker, Restorer::Aws));
    }
    assert_eq!(
        by(RolledBack, "rolled back because of alarm"),
        failed(DeploymentFailure::Alarm(Vec::new()), Restorer::Aws)
    );
    assert_eq!(
        by(RolledBack, "Rollback requested by the user."),
        failed(DeploymentFailure::Stopped, Restorer::Aws)
    );
    let newer = DeploymentFailure::Superseded { by: arn("web-green:1") };
    assert_eq!(by(Stopped, "a new deployment"), failed(newer.clone(), Restorer::NoOne));
    assert_eq!(by(InProgress, ""), failed(newer.clone(), Restorer::NoOne));
    assert_eq!(by(Unknown, ""), failed(newer.clone(), Restorer::NoOne));
    assert_eq!(by(Successful, ""), failed(newer, Restorer::NoOne));
}

#[test]
fn an_alarm_in_the_history_is_named() {
    let rolled_back = replaced("web-green:1", at(30));
    let history = ServiceDeployment {
        alarms: vec!["web-5xx".to_owned()],
        ..entry(ServiceDeploymentStatus::RolledBack, "")
    };
    let alarm = DeploymentFailure::Alarm(vec!["web-5xx".to_owned()]);
    assert_eq!(judge(&told(rolled_back, vec![history])), failed(alarm, Restorer::Aws));
}

#[test]
fn stopped_by_a_person_without_a_newer_deployment() {
    let mut green = service(Color::Green);
    green.history = Some(Ok(vec![entry(ServiceDeploymentStatus::Stopped, "stopped by user")]));
    assert_eq!(judge(&green), failed(DeploymentFailure::Stopped, Restorer::ThisRun));
}

#[test]
fn superseded_by_a_newer_deployment_of_another_revision() {
    let green = told(replaced("web-green:3", at(30)), Vec::new());
    assert_eq!(
        judge(&green),
        failed(DeploymentFailure::Superseded { by: arn("web-green:3") }, Restorer::NoOne)
    );
}

#[test]
fn without_the_permission_for_history_the_own_failed_entry_or_the_event_tells() {
    let mut green = replaced("web-green:1", at(30));
    green.history = Some(Err(trouble(AwsErrorKind::Denied)));
    let superseded = failed(DeploymentFailure::Superseded { by: arn("web-green:1") }, Restorer::NoOne);
    assert_eq!(judge(&green), superseded);
    green.events = vec![ServiceEvent {
        at: at(29),
        message: "(service web-green) (deployment ecs-svc/mine) deployment failed: tasks failed to start."
            .to_owned(),
    }];
    assert_eq!(judge(&green), failed(DeploymentFailure::CircuitBreaker, Restorer::Aws));
    green.events.clear();
    let own =
        Deployment { primary: false, rollout: Rollout::Failed, ..deployment("mine", &arn("web-green:2"), 2) };
    green.deployments.push(own);
    assert_eq!(judge(&green), failed(DeploymentFailure::CircuitBreaker, Restorer::Aws));
}

#[test]
fn history_of_an_earlier_deployment_of_the_same_revision_is_not_mine() {
    let old = ServiceDeployment {
        created: Time(at(0).0 - 60_000),
        ..entry(ServiceDeploymentStatus::RolledBack, "")
    };
    let green = told(replaced("web-green:3", at(30)), vec![old]);
    assert_eq!(
        judge(&green),
        failed(DeploymentFailure::Superseded { by: arn("web-green:3") }, Restorer::NoOne)
    );
}

#[test]
fn an_entry_is_found_by_its_number_before_its_time() {
    use ServiceDeploymentStatus::{RolledBack, Successful};
    let late = |number: &str, status| ServiceDeployment {
        number: Some(number.to_owned()),
        // The runner's clock is an hour ahead of AWS's.
        created: Time(at(0).0 - 3_600_000),
        ..entry(status, "")
    };
    let green =
        told(replaced("web-green:1", at(30)), vec![late("other", Successful), late("mine", RolledBack)]);
    assert_eq!(judge(&green), failed(DeploymentFailure::CircuitBreaker, Restorer::Aws));
}

#[test]
fn a_scheduler_that_has_no_room_ends_it_and_one_with_room_does_not() {
    let mut green = rolling(0, 0, Rollout::InProgress);
    (green.setup.minimum_percent, green.setup.maximum_percent) = (100, 100);
    assert_eq!(judge(&green), failed(DeploymentFailure::NoRoom, Restorer::ThisRun));
    green.setup.maximum_percent = 150;
    assert!(matches!(judge(&green), Verdict::Wait(_)));
}

#[test]
fn drained_or_deleted_ends_it_and_nothing_is_put_back() {
    let drained = failed(DeploymentFailure::Drained, Restorer::NoOne);
    let limits = Limits::with_timeout(Duration::from_secs(600));
    assert_eq!(judge_deployment(None, &awaited(), at(60), &limits), drained);
    let mut green = rolling(1, 1, Rollout::InProgress);
    green.desired = 0;
    assert_eq!(judge(&green), drained);
    green.desired = 2;
    for status in [ServiceStatus::Draining, ServiceStatus::Inactive] {
        green.status = status;
        assert_eq!(judge(&green), drained);
    }
}

#[test]
fn a_count_only_change_has_no_deployment_and_succeeds_on_healthy_targets() {
    let counted =
        OwnDeployment { kind: Kind::CountOnly, id: None, task_definition: arn("web-green:1"), ..awaited() };
    let limits = Limits::with_timeout(Duration::from_secs(600));
    let mut green = service(Color::Green);
    assert_eq!(judge_deployment(Some(&green), &counted, at(1), &limits), Verdict::Good { healthy: 2 });
    green.running = 1;
    assert!(matches!(
        judge_deployment(Some(&green), &counted, at(1), &limits),
        Verdict::Wait(Waiting::RollingOut { .. })
    ));
    green.task_definition = arn("web-green:9");
    let theirs = failed(DeploymentFailure::Superseded { by: arn("web-green:9") }, Restorer::NoOne);
    assert_eq!(judge_deployment(Some(&green), &counted, at(1), &limits), theirs);
}

#[test]
fn nothing_to_change_still_needs_healthy_targets() {
    let standing =
        OwnDeployment { kind: Kind::Nothing, id: None, task_definition: arn("web-green:1"), ..awaited() };
    let limits = Limits::with_timeout(Duration::from_secs(600));
    let mut green = service(Color::Green);
    assert_eq!(judge_deployment(Some(&green), &standing, at(1), &limits), Verdict::Good { healthy: 2 });
    green.targets = Some(Ok(vec![target(1, "unhealthy"), target(2, "healthy")]));
    let waiting = Waiting::Unhealthy { healthy: 1, needed: 2 };
    assert_eq!(judge_deployment(Some(&green), &standing, at(1), &limits), Verdict::Wait(waiting));
}

#[test]
fn the_time_out_tells_what_was_waited_for() {
    let timed_out = |waiting| failed(DeploymentFailure::TimedOut(Box::new(waiting)), Restorer::ThisRun);
    assert_eq!(judge_late(&rolling(1, 1, Rollout::InProgress)), timed_out(rolling_out(1, 1)));
    assert_eq!(judge_late(&complete("unhealthy")), timed_out(Waiting::Unhealthy { healthy: 0, needed: 2 }));
    assert_eq!(
        judge_late(&complete("healthy")),
        Verdict::Good { healthy: 2 },
        "good at the last moment is good"
    );
}

#[test]
fn a_grace_period_longer_than_the_time_out_still_ends_at_the_time_out() {
    let mut green = complete("unhealthy");
    green.setup.grace = Duration::from_secs(3_600);
    assert!(matches!(judge_late(&green), Verdict::Failed { ended: DeploymentFailure::TimedOut(_), .. }));
}

#[test]
fn invariant_09_what_is_unknown_holds_and_what_is_final_ends() {
    let limits = Limits::with_timeout(Duration::from_secs(600));
    for kind in [AwsErrorKind::Throttled, AwsErrorKind::Unreachable, AwsErrorKind::TimedOut] {
        let waiting = Waiting::Unknown(trouble(kind));
        assert_eq!(on_trouble(&trouble(kind), &awaited(), at(60), &limits), Verdict::Wait(waiting.clone()));
        let late = failed(DeploymentFailure::TimedOut(Box::new(waiting.clone())), Restorer::ThisRun);
        assert_eq!(on_trouble(&trouble(kind), &awaited(), at(600), &limits), late);
        let mut green = complete("healthy");
        green.targets = Some(Err(trouble(kind)));
        assert_eq!(judge(&green), Verdict::Wait(waiting.clone()));
        let mut green = complete("healthy");
        green.tasks = Some(Err(trouble(kind)));
        assert_eq!(judge(&green), Verdict::Wait(waiting));
    }
    for kind in
        [AwsErrorKind::Denied, AwsErrorKind::Expired, AwsErrorKind::NoCredentials, AwsErrorKind::Refused]
    {
        let ended = failed(DeploymentFailure::AwsError(trouble(kind)), Restorer::ThisRun);
        assert_eq!(on_trouble(&trouble(kind), &awaited(), at(60), &limits), ended);
        let mut green = complete("healthy");
        green.targets = Some(Err(trouble(kind)));
        assert_eq!(judge(&green), ended);
    }
}

#[test]
fn parts_that_were_not_looked_at_never_pass() {
    let mut green = complete("healthy");
    green.targets = None;
    assert_eq!(judge(&green), Verdict::Wait(Waiting::NotVisible));
}

#[test]
fn the_breakers_threshold_follows_awss_rule() {
    let of = |threshold, desired| {
        let mut green = service(Color::Green);
        green.setup.breaker = Some(Breaker { rollback: false, threshold });
        super::breaker_threshold(&green, desired)
    };
    assert_eq!([of(None, 1), of(None, 6), of(None, 7), of(None, 25), of(None, 1_000)], [3, 3, 4, 13, 200]);
    assert_eq!(of(Some(Threshold::BoundedPercent(10)), 20), 3);
    assert_eq!(of(Some(Threshold::UnboundedPercent(10)), 20), 2);
    assert_eq!(of(Some(Threshold::Count(7)), 20), 7);
}

#[test]
fn room_follows_awss_rounding() {
    assert!(!has_room(1, 50, 100), "one task: the minimum rounds up to one, the maximum is one");
    assert!(!has_room(2, 100, 100));
    assert!(has_room(2, 50, 100));
    assert!(has_room(1, 100, 200));
    assert!(!has_room(1, 100, 150), "the maximum rounds down to one");
    assert!(has_room(1, 0, 100));
    assert!(has_room(0, 100, 100));
}

#[test]
fn a_deploy_of_nothing_is_not_drained() {
    let mut green = complete("healthy");
    green.desired = 0;
    let none = OwnDeployment { desired: 0, ..awaited() };
    let limits = Limits::with_timeout(Duration::from_secs(600));
    assert_eq!(judge_deployment(Some(&green), &none, at(60), &limits), Verdict::Good { healthy: 2 });
}

#[test]
fn a_primary_of_the_same_moment_is_not_newer() {
    let mut green = replaced("web-green:3", at(0));
    green.history = Some(Ok(Vec::new()));
    assert_eq!(judge(&green), Verdict::Wait(Waiting::NotVisible));
}

#[test]
fn a_scheduler_with_no_room_is_given_up_only_when_nothing_of_mine_moves_and_old_tasks_stand_in_the_way() {
    let tight = |mut green: Service| {
        (green.setup.minimum_percent, green.setup.maximum_percent) = (100, 100);
        green
    };
    let waits = |green: &Service| assert!(matches!(judge(green), Verdict::Wait(_)), "{:?}", judge(green));
    waits(&tight(rolling(1, 0, Rollout::InProgress)));
    waits(&tight(rolling(0, 1, Rollout::InProgress)));
    let mut failing = tight(rolling(0, 0, Rollout::InProgress));
    failing.deployments[0].failed = 1;
    waits(&failing);
    let mut alone = tight(rolling(0, 0, Rollout::InProgress));
    alone.deployments[1].running = 0;
    waits(&alone);
}

#[test]
fn a_history_that_is_throttled_holds() {
    let mut green = replaced("web-green:1", at(30));
    green.history = Some(Err(trouble(AwsErrorKind::Throttled)));
    assert_eq!(judge(&green), Verdict::Wait(Waiting::Unknown(trouble(AwsErrorKind::Throttled))));
}

#[test]
fn stopped_with_no_newer_deployment_is_not_superseded() {
    let mut green = service(Color::Green);
    for status in [ServiceDeploymentStatus::Successful, ServiceDeploymentStatus::InProgress] {
        green.history = Some(Ok(vec![entry(status, "")]));
        assert_eq!(
            judge(&green),
            Verdict::Wait(Waiting::NotVisible),
            "{status:?}: a stale answer, not a newer wish"
        );
    }
}

#[test]
fn an_event_tells_a_rollback_only_when_it_names_my_deployment_and_says_that_it_failed() {
    let mut green = replaced("web-green:1", at(30));
    green.history = Some(Err(trouble(AwsErrorKind::Denied)));
    let superseded = failed(DeploymentFailure::Superseded { by: arn("web-green:1") }, Restorer::NoOne);
    for message in ["(deployment ecs-svc/mine) completed.", "(deployment ecs-svc/other) deployment failed: x"]
    {
        green.events = vec![ServiceEvent { at: at(29), message: message.to_owned() }];
        assert_eq!(judge(&green), superseded, "{message}");
    }
}

#[test]
fn a_healthy_target_counts_only_at_the_port_that_the_service_registers() {
    let mut green = complete("healthy");
    let at_port = |number, port| Target { port, ..target(number, "healthy") };
    green.targets = Some(Ok(vec![at_port(11, 9090), at_port(12, 9090)]));
    assert_eq!(judge(&green), Verdict::Wait(Waiting::Unhealthy { healthy: 0, needed: 2 }));
    let mut own = tasks(&green.deployments[0], 2, 11);
    for (task, container) in own.iter_mut().zip(["app", "sidecar"]) {
        task.bindings =
            vec![Binding { container: container.to_owned(), container_port: 8080, host_port: 32_768 }];
    }
    green.tasks = Some(Ok(own));
    green.targets = Some(Ok(vec![at_port(11, 32_768), at_port(12, 32_768)]));
    assert_eq!(
        judge(&green),
        Verdict::Wait(Waiting::Unhealthy { healthy: 1, needed: 2 }),
        "not the sidecar's port"
    );
}

#[test]
fn a_healthy_version_whose_old_tasks_drain_is_not_gone_back_from() {
    let delay = Duration::from_secs(900);
    let attributes = GroupAttributes { deregistration_delay: delay, minimum_count: 1, minimum_percent: 0 };
    let healthy = vec![target(11, "healthy"), target(12, "healthy")];
    let mut green = rolling(2, 0, Rollout::InProgress);
    green.targets = Some(Ok(healthy.clone()));
    green.group.as_mut().unwrap().as_mut().unwrap().attributes = Some(Ok(attributes));
    let waits = |old| Waiting::Draining { healthy: 2, old, delay: Some(delay) };
    assert_eq!(judge(&green), Verdict::Wait(waits(2)));
    // ECS may not count tasks whose targets drain as running.
    green.running = 2;
    green.targets = Some(Ok([healthy, vec![target(1, "draining")]].concat()));
    assert_eq!(judge(&green), Verdict::Wait(waits(1)));
    let late = judge_deployment(
        Some(&green),
        &awaited(),
        at(100_000),
        &Limits::with_timeout(Duration::from_secs(600)),
    );
    assert_eq!(late, failed(DeploymentFailure::TimedOut(Box::new(waits(1))), Restorer::ThisRun));
}

#[test]
fn a_healthy_version_whose_old_tasks_are_stopping_is_not_gone_back_from() {
    let mut green = rolling(2, 0, Rollout::InProgress);
    green.running = 2;
    green.targets = Some(Ok(vec![target(11, "healthy"), target(12, "healthy")]));
    let old = |status: &str| Task {
        started_by: "ecs-svc/green-old".to_owned(),
        task_definition: arn("web-green:1"),
        status: status.to_owned(),
        ..Task::default()
    };
    for status in ["DEACTIVATING", "STOPPING", "DEPROVISIONING"] {
        green.stopped = Some(Ok(vec![old(status), old("STOPPED")]));
        let waits = Waiting::Draining { healthy: 2, old: 1, delay: None };
        assert_eq!(judge(&green), Verdict::Wait(waits.clone()), "{status}");
        let late = failed(DeploymentFailure::TimedOut(Box::new(waits)), Restorer::ThisRun);
        assert_eq!(judge_late(&green), late, "{status}");
    }
    green.stopped = Some(Ok(vec![old("STOPPED")]));
    assert!(matches!(judge(&green), Verdict::Wait(Waiting::RollingOut { old: 0, .. })));
    let own = Task { status: "STOPPING".to_owned(), ..tasks(&green.deployments[0], 1, 13).remove(0) };
    green.stopped = Some(Ok(vec![own]));
    assert!(matches!(judge(&green), Verdict::Wait(Waiting::RollingOut { .. })), "a task of its own");
}
