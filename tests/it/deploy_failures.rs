//! `deploy` where the new version is not good: every cause as a reader sees it, and what is left.

use std::time::Duration;

use crate::common::here::stack_with;
use crate::common::look::{ecs, hurry, others_untouched, scale, steady, told, until_called, wants};
use crate::common::{Action, Done, writes};
use serde_json::{Value, json};
use testbed::sample::{Sample, Stack, task_definition};
use testbed::{Effect, Fault, Service, Testbed};

/// What a deploy writes that fails and puts the color back by itself.
const THERE_AND_BACK: [&str; 3] = [
    "ecs RegisterTaskDefinition web-green",
    "ecs UpdateService web-green web-green:2",
    "ecs UpdateService web-green web-green:1",
];

/// The same where nothing has to be put back.
const THERE: [&str; 2] = ["ecs RegisterTaskDefinition web-green", "ecs UpdateService web-green web-green:2"];

/// A stack with this deployment configuration.
fn stage(deployment: Value) -> (Testbed, Sample) {
    stack_with(&Stack { deployment, ..Stack::default() })
}

/// The usual stack, with a breaker that does not roll back.
fn usual() -> (Testbed, Sample) {
    stage(json!({}))
}

/// The same outside of this process: probes go through the ports of the load balancer.
fn usual_with_ports() -> (Testbed, Sample) {
    crate::common::look::stack_with(&Stack::default())
}

/// A stack without a circuit breaker.
fn no_breaker() -> (Testbed, Sample) {
    stage(json!({ "deploymentCircuitBreaker": { "enable": false, "rollback": false } }))
}

/// A deploy of an image that is pushed with this tag.
fn deploy(bed: &Testbed, sample: &Sample, tag: &str) -> Action {
    bed.world(|world| world.ecr.push("shop/web", tag));
    Action::new(bed, "deploy").input("image", &sample.image(tag)).input("timeout", "20s")
}

/// Asserts a failure after which the run itself put green back.
#[track_caller]
fn put_back(bed: &Testbed, done: &Done, reason: &str) {
    done.expect(1, "failed", reason, "restored");
    assert_eq!(writes(bed), THERE_AND_BACK);
    assert_eq!(wants(bed, "web-green"), "web-green:1 × 2");
    others_untouched(bed);
    // Invariant 42: outputs and status tell of one look.
    let status: Value = serde_json::from_str(done.output("status-json")).expect("JSON");
    let green = &status["colors"][1];
    assert_eq!(green["task_definition"], "web-green:1", "{}", done.log);
    assert!(done.output("task-definition-arn").ends_with("/web-green:1"), "{:?}", done.outputs);
    assert_eq!(green["image"], done.output("image"));
}

/// Waits until green wants the new revision, and does something then.
fn once_updated(bed: &Testbed, act: impl FnOnce(&Testbed)) {
    let updated = bed.wait_until(Duration::from_secs(20), |world| {
        crate::common::look::wanted(world, "web-green").starts_with("web-green:2")
    });
    assert!(updated, "the service was not updated");
    act(bed);
}

#[test]
fn invariant_28_a_crash_with_a_breaker_is_put_back_and_fails() {
    let (bed, sample) = usual();
    let done = deploy(&bed, &sample, "v3-crash").run();
    put_back(&bed, &done, "circuit-breaker");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in N tasks.
    Read its log: the first error at its start is the cause more often than not.
    also: ECS says: Service deployment stopped because the circuit breaker threshold was exceeded.
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    updated; the deployment is `ecs-svc/…`
    failed (circuit-breaker) after Ns: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in N tasks.
    Read its log: the first error at its start is the cause more often than not.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    The last 2 lines of the log of `app`:
    | listening on port 8080
    | fatal: no answer from database:5432
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A circuit-breaker::The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in N tasks.
    Read its log: the first error at its start is the cause more often than not.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn a_crash_without_a_breaker_is_seen_all_the_same() {
    let (bed, sample) = no_breaker();
    let done = deploy(&bed, &sample, "v3-crash").run();
    put_back(&bed, &done, "tasks-failing");
    done.says(
        "The first task of `web-green` (green) failed. ECS starts others. Container `app` exited with code 1",
    );
    done.says("keep failing: ")
        .says(" in a row, and none is healthy")
        .says("Container `app` exited with code 1 in");
}

#[test]
fn invariant_13_a_rollback_by_aws_is_waited_for_and_not_done_twice() {
    let (bed, sample) = stack_with(&Stack { rollback: true, ..Stack::default() });
    let done = deploy(&bed, &sample, "v3-crash").run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    others_untouched(&bed);
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in N tasks.
    Read its log: the first error at its start is the cause more often than not.
    also: ECS says: Service deployment rolled back because the circuit breaker threshold was exceeded.
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    failed (circuit-breaker) after Ns: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in N tasks.
    Read its log: the first error at its start is the cause more often than not.
    Restored: AWS put `web-green` (green) back to `web-green:1`; this run read it back.
    The last 2 lines of the log of `app`:
    | listening on port 8080
    | fatal: no answer from database:5432
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A circuit-breaker::The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` exited with code 1 in N tasks.
    Read its log: the first error at its start is the cause more often than not.
    Restored: AWS put `web-green` (green) back to `web-green:1`; this run read it back.
    "#);
}

#[test]
#[ignore = "waits 30 s for a rollback that never begins"]
fn invariant_13_a_rollback_that_has_nowhere_to_go_is_done_by_the_run() {
    let (bed, sample) = stack_with(&Stack { rollback: true, ..Stack::default() });
    let mut green =
        ecs(&bed, "DescribeServices", json!({ "services": ["web-green"] }))["services"][0].clone();
    let crash = bed.world(|world| world.ecr.push("shop/web", "v3-crash"));
    assert!(crash.starts_with("sha256:"));
    let first = task_definition("web-first", &sample.image("v3-crash"), false);
    bed.call(Service::Ecs, "RegisterTaskDefinition", first).expect("registered");
    ecs(&bed, "DeleteService", json!({ "service": "web-green", "force": true }));
    let gone = bed.wait_until(Duration::from_secs(20), |world| {
        world.ecs.service("shop", "web-green").is_some_and(|green| green.deployments.is_empty())
    });
    assert!(gone, "web-green is not gone");
    let kept =
        ["desiredCount", "launchType", "loadBalancers", "networkConfiguration", "deploymentConfiguration"];
    let input =
        kept.iter().map(|key| ((*key).to_owned(), green[*key].take())).collect::<serde_json::Map<_, _>>();
    let mut input = Value::Object(input);
    (input["serviceName"], input["taskDefinition"]) = (json!("web-green"), json!("web-first"));
    ecs(&bed, "CreateService", input);
    let failed = bed.wait_until(Duration::from_secs(20), |world| {
        let green = world.ecs.services.iter().rfind(|service| service.name == "web-green");
        green
            .and_then(|green| green.primary())
            .is_some_and(|one| one.rollout == testbed::ecs::RolloutState::Failed)
    });
    assert!(failed, "the first deployment does not fail");
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v3-oom").input("timeout", "2m").run();
    done.expect(1, "failed", "circuit-breaker", "restored");
}

#[test]
fn an_image_that_can_not_be_pulled_is_named() {
    let (bed, sample) = usual();
    let gone = Effect::Then(Box::new(|world| world.ecr.delete_tag("shop/web", "v2")));
    bed.fault(Fault::on("RegisterTaskDefinition", gone));
    let done = deploy(&bed, &sample, "v2").input("pin-digest", "false").run();
    put_back(&bed, &done, "circuit-breaker");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` can't pull its image `123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v2`: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v2: not found.
    Check that this tag exists in the registry, that the task's execution role may pull it, and that the subnets reach the registry.
    also: ECS says: Service deployment stopped because the circuit breaker threshold was exceeded.
    updated; the deployment is `ecs-svc/…`
    failed (circuit-breaker) after Ns: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` can't pull its image `123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v2`: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v2: not found.
    Check that this tag exists in the registry, that the task's execution role may pull it, and that the subnets reach the registry.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A circuit-breaker::The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` can't pull its image `123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v2`: CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v2: not found.
    Check that this tag exists in the registry, that the task's execution role may pull it, and that the subnets reach the registry.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn a_container_that_is_killed_for_its_memory_is_named() {
    let (bed, sample) = usual();
    let done = deploy(&bed, &sample, "v3-oom").run();
    put_back(&bed, &done, "circuit-breaker");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` was killed for its memory in N tasks.
    Raise `memory` of the container or the task, or find what takes it in the new version.
    also: ECS says: Service deployment stopped because the circuit breaker threshold was exceeded.
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    updated; the deployment is `ecs-svc/…`
    failed (circuit-breaker) after Ns: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` was killed for its memory in N tasks.
    Raise `memory` of the container or the task, or find what takes it in the new version.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    The last 2 lines of the log of `app`:
    | listening on port 8080
    | fatal: no answer from database:5432
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A circuit-breaker::The deployment circuit breaker of ECS ended the deployment of `web-green` (green). Container `app` was killed for its memory in N tasks.
    Raise `memory` of the container or the task, or find what takes it in the new version.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn a_secret_that_is_missing_is_named() {
    let (bed, sample) = usual();
    let done = deploy(&bed, &sample, "v11-no-secret").run();
    put_back(&bed, &done, "circuit-breaker");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). N tasks stopped (TaskFailedToStart): ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): ResourceNotFoundException: Secrets Manager can't find the specified secret.
    Correct what the reason names: often secrets, log group, network or the execution role.
    also: ECS says: Service deployment stopped because the circuit breaker threshold was exceeded.
    updated; the deployment is `ecs-svc/…`
    failed (circuit-breaker) after Ns: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). N tasks stopped (TaskFailedToStart): ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): ResourceNotFoundException: Secrets Manager can't find the specified secret.
    Correct what the reason names: often secrets, log group, network or the execution role.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A circuit-breaker::The deployment circuit breaker of ECS ended the deployment of `web-green` (green). N tasks stopped (TaskFailedToStart): ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): ResourceNotFoundException: Secrets Manager can't find the specified secret.
    Correct what the reason names: often secrets, log group, network or the execution role.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn unhealthy_targets_tell_what_the_load_balancer_got() {
    let (bed, sample) = usual();
    let done = deploy(&bed, &sample, "v4-unhealthy").run();
    put_back(&bed, &done, "circuit-breaker");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). The load balancer's health check of `web-green` got 500 from N targets.
    Compare what the health check's path answers with the codes that the target group accepts, and read the container's log.
    also: N tasks stopped (ServiceSchedulerInitiated): Task failed ELB health checks in (target-group web-green).
    also: ECS says: Service deployment stopped because the circuit breaker threshold was exceeded.
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    log of `app` in task …: https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fecs$252Fshop/log-events/web$252Fapp$…
    updated; the deployment is `ecs-svc/…`
    failed (circuit-breaker) after Ns: The deployment circuit breaker of ECS ended the deployment of `web-green` (green). The load balancer's health check of `web-green` got 500 from N targets.
    Compare what the health check's path answers with the codes that the target group accepts, and read the container's log.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    The log of `app` is empty.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A circuit-breaker::The deployment circuit breaker of ECS ended the deployment of `web-green` (green). The load balancer's health check of `web-green` got 500 from N targets.
    Compare what the health check's path answers with the codes that the target group accepts, and read the container's log.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn unhealthy_targets_without_a_breaker_are_told_the_same() {
    let (bed, sample) = no_breaker();
    let done = deploy(&bed, &sample, "v4-unhealthy").run();
    put_back(&bed, &done, "tasks-failing");
    done.says("The load balancer's health check of `web-green` got 500 from");
}

#[test]
fn a_version_that_hangs_is_told() {
    let (bed, sample) = usual();
    let done = deploy(&bed, &sample, "v7-hang").run();
    put_back(&bed, &done, "circuit-breaker");
    done.says("`Target.Timeout`: Request timed out.");
}

#[test]
fn a_grace_period_longer_than_the_time_out_is_warned_of_and_a_slow_start_ends_in_time() {
    let (bed, sample) = stack_with(&Stack { grace: 3000, ..Stack::default() });
    let done = deploy(&bed, &sample, "v9-start-60s").input("timeout", "6s").run();
    put_back(&bed, &done, "unhealthy-targets");
    done.says("::warning");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The time-out passed before `web-green` (green) was good; last seen: 2 of 2 running, 0 healthy, 0 still starting (old tasks: 2). The load balancer finds N targets of `web-green` not healthy, `Target.FailedHealthChecks`: Health checks failed.
    Check that the container listens on the mapped port at all interfaces (0.0.0.0), and that its security group lets the load balancer in.
    If the version only needs longer to start, raise `timeout`.
    updated; the deployment is `ecs-svc/…`
    failed (unhealthy-targets) after Ns: The time-out passed before `web-green` (green) was good; last seen: 2 of 2 running, 0 healthy, 0 still starting (old tasks: 2). The load balancer finds N targets of `web-green` not healthy, `Target.FailedHealthChecks`: Health checks failed.
    Check that the container listens on the mapped port at all interfaces (0.0.0.0), and that its security group lets the load balancer in.
    If the version only needs longer to start, raise `timeout`.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A unhealthy-targets::The time-out passed before `web-green` (green) was good; last seen: 2 of 2 running, 0 healthy, 0 still starting (old tasks: 2). The load balancer finds N targets of `web-green` not healthy, `Target.FailedHealthChecks`: Health checks failed.
    Check that the container listens on the mapped port at all interfaces (0.0.0.0), and that its security group lets the load balancer in.
    If the version only needs longer to start, raise `timeout`.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn the_time_out_ends_a_deployment_that_does_not_move() {
    let (bed, sample) = usual();
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    let run = deploy(&bed, &sample, "v2").input("timeout", "6s").spawn();
    until_called(&bed, "UpdateService", 2);
    hurry(&bed);
    let done = run.wait();
    put_back(&bed, &done, "timed-out");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The time-out passed before `web-green` (green) was good; last seen: 0 of 2 running, 0 healthy, 2 still starting (old tasks: 2).
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    If the version only needs longer to start, raise `timeout`.
    updated; the deployment is `ecs-svc/…`
    failed (timed-out) after Ns: The time-out passed before `web-green` (green) was good; last seen: 0 of 2 running, 0 healthy, 2 still starting (old tasks: 2).
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    If the version only needs longer to start, raise `timeout`.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A timed-out::The time-out passed before `web-green` (green) was good; last seen: 0 of 2 running, 0 healthy, 2 still starting (old tasks: 2).
    AWS names no cause yet. See the service's events:
      aws ecs describe-services --region eu-west-1 --cluster shop --services web-green --query 'services[0].events[:10].message'
    If the version only needs longer to start, raise `timeout`.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn a_healthy_version_stays_when_the_old_tasks_drain_for_too_long() {
    let (bed, sample) = usual();
    let slow = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "3600" }]);
    let change = json!({ "TargetGroupArn": sample.green_group, "Attributes": slow });
    bed.call(Service::Elb, "ModifyTargetGroupAttributes", change).expect("AWS takes it");
    bed.clear_calls();
    let done = deploy(&bed, &sample, "v2").input("timeout", "8s").run();
    done.expect(1, "failed", "timed-out", "changed");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
    done.says("deregistration delay (1h 00m) is not shorter than `timeout` (8s)");
    done.says("all 2 new targets healthy; 2 old tasks to drain (deregistration delay 1h 00m)");
    done.says("the new version of `web-green` (green) is healthy and stays");
    others_untouched(&bed);
}

#[test]
fn a_probe_with_a_wrong_status_fails_the_deploy() {
    let (bed, sample) = usual_with_ports();
    let done = deploy(&bed, &sample, "v6-fail-users").input("probes", "[{ path: /, status: 200 }]").run();
    put_back(&bed, &done, "probe");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The new version of `web-green` (green) did not pass. The probe `http://127.0.0.1:…/` was answered with status 500 instead of 200.
    The version runs but answers wrongly: read its log, or correct the probe.
    updated; the deployment is `ecs-svc/…`
    failed (probe) after Ns: The new version of `web-green` (green) did not pass. The probe `http://127.0.0.1:…/` was answered with status 500 instead of 200.
    The version runs but answers wrongly: read its log, or correct the probe.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A probe::The new version of `web-green` (green) did not pass. The probe `http://127.0.0.1:…/` was answered with status 500 instead of 200.
    The version runs but answers wrongly: read its log, or correct the probe.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn a_probe_with_a_wrong_body_fails_the_deploy() {
    let (bed, sample) = usual_with_ports();
    let done = deploy(&bed, &sample, "v8-wrong-body").input("probes", "[{ path: /, contains: v8 }]").run();
    put_back(&bed, &done, "probe");
    done.says("does not contain `v8`");
    assert!(!done.log.contains("something else entirely"), "the body was told");
}

#[test]
fn a_test_listener_that_goes_away_is_told_apart() {
    let (bed, sample) = usual_with_ports();
    let listener = sample.green_listener.clone();
    let delete = move |world: &mut testbed::World| {
        world.call(Service::Elb, "DeleteListener", &json!({ "ListenerArn": listener })).expect("it goes");
    };
    bed.fault(Fault::on("RegisterTaskDefinition", Effect::Before(Box::new(delete))));
    let update = "ecs UpdateService web-green web-green:2";
    let done = deploy(&bed, &sample, "v2").input("probes", "[{ path: / }]").run();
    // The rule is gone: whether it is told before the update or after depends on when the run looks.
    assert!(["probe-unreachable", "bad-input"].contains(&done.output("reason")), "{}", done.log);
    if done.output("reason") == "probe-unreachable" {
        assert!(writes(&bed).contains(&update.to_owned()));
    }
    let (bed, sample) = usual_with_ports();
    let listener = sample.green_listener.clone();
    let delete = move |world: &mut testbed::World| {
        let _ = world.call(Service::Elb, "DeleteListener", &json!({ "ListenerArn": listener }));
    };
    bed.fault(Fault::on("UpdateService", Effect::Then(Box::new(delete))));
    let done = deploy(&bed, &sample, "v2").input("probes", "[{ path: / }]").run();
    put_back(&bed, &done, "probe-unreachable");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: The new version of `web-green` (green) did not pass. The probe `/` was not sent: no listener rule leads it to the color alone any more.
    A listener or a rule was changed while this run went on: see who did. Add a test listener for the color, or remove `probes`.
    updated; the deployment is `ecs-svc/…`
    failed (probe-unreachable) after Ns: The new version of `web-green` (green) did not pass. The probe `/` was not sent: no listener rule leads it to the color alone any more.
    A listener or a rule was changed while this run went on: see who did. Add a test listener for the color, or remove `probes`.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A probe-unreachable::The new version of `web-green` (green) did not pass. The probe `/` was not sent: no listener rule leads it to the color alone any more.
    A listener or a rule was changed while this run went on: see who did. Add a test listener for the color, or remove `probes`.
    Restored: this run put `web-green` (green) back to `web-green:1`, and read it back from AWS.
    "#);
}

#[test]
fn another_writer_supersedes_the_run_and_stands() {
    let (bed, sample) = usual();
    let other = task_definition("web-other", &sample.image("v5-slow-200ms"), false);
    bed.call(Service::Ecs, "RegisterTaskDefinition", other).expect("registered");
    bed.world(|world| world.pace.launch = Duration::from_millis(500));
    let run = deploy(&bed, &sample, "v2").spawn();
    once_updated(&bed, |bed| {
        testbed::clock::pause(Duration::from_millis(200));
        ecs(bed, "UpdateService", json!({ "service": "web-green", "taskDefinition": "web-other" }));
    });
    let done = run.wait();
    done.expect(1, "superseded", "superseded", "changed");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-other:1 × 2");
    others_untouched(&bed);
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: Another deployment took over `web-green` (green), which now wants `web-other:1`. ECS says: Service deployment stopped because a newer service deployment was started.
    Let one workflow at a time deploy to a service: give the job a `concurrency` group.
    superseded after Ns: Another deployment took over `web-green` (green), which now wants `web-other:1`. ECS says: Service deployment stopped because a newer service deployment was started.
    Let one workflow at a time deploy to a service: give the job a `concurrency` group.
    Left changed: someone else changed `web-green` (green) meanwhile, and that change is kept. See who made it, then run again if this one is still wanted.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green superseded%3A changed::Another deployment took over `web-green` (green), which now wants `web-other:1`. ECS says: Service deployment stopped because a newer service deployment was started.
    Let one workflow at a time deploy to a service: give the job a `concurrency` group.
    Left changed: someone else changed `web-green` (green) meanwhile, and that change is kept. See who made it, then run again if this one is still wanted.
    "#);
}

/// Stops green's deployment as somebody at the console would.
fn stop(bed: &Testbed, how: &str) {
    let arn =
        bed.world(|world| world.ecs.service("shop", "web-green").map(|green| green.history[0].arn.clone()));
    ecs(bed, "StopServiceDeployment", json!({ "serviceDeploymentArn": arn, "stopType": how }));
}

#[test]
fn a_deployment_that_somebody_stops_with_a_rollback_is_told_so() {
    let (bed, sample) = usual();
    bed.world(|world| world.pace.launch = Duration::from_secs(1));
    let run = deploy(&bed, &sample, "v2").spawn();
    once_updated(&bed, |bed| stop(bed, "ROLLBACK"));
    let done = run.wait();
    done.expect(1, "failed", "stopped", "restored");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 2");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: Somebody stopped the deployment of `web-green` (green) while it was in progress. ECS says: Service deployment rolled back because StopServiceDeployment was called.
    Ask who stopped it (CloudTrail has the call `StopServiceDeployment`), then run again.
    failed (stopped) after Ns: Somebody stopped the deployment of `web-green` (green) while it was in progress. ECS says: Service deployment rolled back because StopServiceDeployment was called.
    Ask who stopped it (CloudTrail has the call `StopServiceDeployment`), then run again.
    Restored: AWS put `web-green` (green) back to `web-green:1`; this run read it back.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A stopped::Somebody stopped the deployment of `web-green` (green) while it was in progress. ECS says: Service deployment rolled back because StopServiceDeployment was called.
    Ask who stopped it (CloudTrail has the call `StopServiceDeployment`), then run again.
    Restored: AWS put `web-green` (green) back to `web-green:1`; this run read it back.
    "#);
}

#[test]
fn a_deployment_that_somebody_aborts_is_put_back() {
    let (bed, sample) = usual();
    bed.world(|world| world.pace.launch = Duration::from_secs(1));
    let run = deploy(&bed, &sample, "v2").spawn();
    once_updated(&bed, |bed| stop(bed, "ABORT"));
    put_back(&bed, &run.wait(), "stopped");
}

#[test]
fn a_service_that_somebody_sets_to_no_tasks_is_left_to_them() {
    let (bed, sample) = usual();
    bed.world(|world| {
        world.pace.launch = Duration::from_secs(1);
        world.checker.expect_empty(true);
    });
    let run = deploy(&bed, &sample, "v2").spawn();
    once_updated(&bed, |bed| {
        ecs(bed, "UpdateService", json!({ "service": "web-green", "desiredCount": 0 }));
    });
    let done = run.wait();
    done.expect(1, "failed", "drained", "changed");
    assert_eq!(writes(&bed), THERE);
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 0");
    insta::assert_snapshot!(told(&done.log), @r#"
    the deploy fails: `web-green` (green) was set to no tasks, or deleted, during the deploy.
    See who changed it (CloudTrail has `UpdateService` and `DeleteService`), then run again.
    failed (drained) after Ns: `web-green` (green) was set to no tasks, or deleted, during the deploy.
    See who changed it (CloudTrail has `UpdateService` and `DeleteService`), then run again.
    Left changed: someone else changed `web-green` (green) meanwhile, and that change is kept. See who made it, then run again if this one is still wanted.
    users: 100 % blue, 0 % green; a deploy does not change that
    ::error title=deploy to green failed%3A drained::`web-green` (green) was set to no tasks, or deleted, during the deploy.
    See who changed it (CloudTrail has `UpdateService` and `DeleteService`), then run again.
    Left changed: someone else changed `web-green` (green) meanwhile, and that change is kept. See who made it, then run again if this one is still wanted.
    "#);
}

#[test]
fn a_service_that_somebody_deletes_is_left_to_them() {
    let (bed, sample) = usual();
    bed.world(|world| world.pace.launch = Duration::from_secs(1));
    let run = deploy(&bed, &sample, "v2").spawn();
    once_updated(&bed, |bed| {
        ecs(bed, "DeleteService", json!({ "service": "web-green", "force": true }));
    });
    run.wait().expect(1, "failed", "drained", "changed");
    assert_eq!(writes(&bed), THERE);
}

#[test]
fn a_deployment_alarm_is_named() {
    let alarms = json!({ "alarms": { "enable": true, "rollback": false, "alarmNames": ["web-5xx"] } });
    let (bed, sample) = stage(alarms);
    bed.world(|world| world.pace.launch = Duration::from_secs(1));
    let run = deploy(&bed, &sample, "v2").spawn();
    once_updated(&bed, |bed| bed.world(|world| world.trigger_alarm("shop", "web-green", "web-5xx")));
    let done = run.wait();
    put_back(&bed, &done, "alarm");
    done.says("The CloudWatch alarm `web-5xx` ended the deployment");
}

#[test]
fn invariant_13_a_count_of_0_is_put_back_too() {
    let (bed, sample) = usual();
    scale(&bed, "web-green", 0);
    let done = deploy(&bed, &sample, "v3-crash").run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    let there = "ecs UpdateService web-green web-green:2 desired=1";
    let back = "ecs UpdateService web-green web-green:1 desired=0";
    assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green", there, back]);
    assert_eq!(wants(&bed, "web-green"), "web-green:1 × 0");
    others_untouched(&bed);
}

#[test]
fn invariant_13_a_count_alone_that_fails_is_put_back() {
    let (bed, sample) = usual();
    deploy(&bed, &sample, "v2").run().expect(0, "succeeded", "", "changed");
    steady(&bed, "web-green");
    bed.clear_calls();
    bed.world(|world| world.pace.launch = Duration::from_secs(60));
    let done = Action::new(&bed, "deploy").input("desired-count", "4").input("timeout", "6s").run();
    done.expect(1, "failed", "timed-out", "restored");
    assert_eq!(
        writes(&bed),
        ["ecs UpdateService web-green desired=4", "ecs UpdateService web-green desired=2"]
    );
    assert_eq!(wants(&bed, "web-green"), "web-green:2 × 2");
}

#[test]
fn the_same_task_definition_again_has_nothing_to_go_back_to() {
    let (bed, sample) = usual();
    bed.world(|world| {
        world.ecr.push_behavior(
            "shop/web",
            "v1",
            testbed::Behavior { unhealthy: true, ..testbed::Behavior::good("v1b") },
        )
    });
    let done =
        Action::new(&bed, "deploy").input("image", &sample.image("v1")).input("pin-digest", "false").run();
    done.expect(1, "failed", "circuit-breaker", "changed");
    assert_eq!(writes(&bed), ["ecs UpdateService web-green force"]);
    done.says("there is no other one to go back to");
}
