//! Every finding, with its next step.

use crate::plan::cause::Finding;
use crate::report::words::render_finding;

/// A finding as it is read.
fn told(found: &Finding) -> String {
    let (text, next) = render_finding(found);
    format!("{text}\n  -> {next}\n")
}

#[test]
fn a_container_that_does_not_run_says_why() {
    let container = || "app".to_owned();
    let all = [
        Finding::Image {
            container: container(),
            image: "shop/web:v9".to_owned(),
            reason: "CannotPullContainerError: shop/web:v9: not found".to_owned(),
        },
        Finding::OutOfMemory { container: container(), tasks: 1 },
    ];
    insta::assert_snapshot!(all.map(|found| told(&found)).join("\n"), @r"
    Container `app` can't pull its image `shop/web:v9`: CannotPullContainerError: shop/web:v9: not found.
      -> Check that this tag exists in the registry, that the task's execution role may pull it, and that the subnets reach the registry.

    Container `app` was killed for its memory in 1 task.
      -> Raise `memory` of the container or the task, or find what takes it in the new version.
    ");
    let exits = [1, 127, 134, 139, 255]
        .map(|code| told(&Finding::Exit { container: container(), code, reason: None, tasks: 3 }));
    insta::assert_snapshot!(exits.join("\n"), @r"
    Container `app` exited with code 1 in 3 tasks.
      -> Read its log: the first error at its start is the cause more often than not.

    Container `app` exited with code 127 in 3 tasks.
      -> The command could not be started: check `command` and `entryPoint`, and that the image is built for the task's CPU architecture.

    Container `app` exited with code 134 in 3 tasks.
      -> It aborted itself (SIGABRT): read its log.

    Container `app` exited with code 139 in 3 tasks.
      -> It crashed (SIGSEGV): read its log.

    Container `app` exited with code 255 in 3 tasks.
      -> Read its log; `exec format error` there means an image for another CPU architecture.
    ");
}

#[test]
fn a_target_that_is_not_healthy_says_where_to_look() {
    let codes = [
        "Target.ResponseCodeMismatch",
        "Target.Timeout",
        "Target.FailedHealthChecks",
        "Target.NotInUse",
        "Elb.InternalError",
        "unavailable",
    ];
    let all = codes.map(|code| {
        told(&Finding::Target {
            group: "web-green".to_owned(),
            code: code.to_owned(),
            description: "Health checks failed with these codes: [503]".to_owned(),
            targets: 2,
        })
    });
    insta::assert_snapshot!(all.join("\n"), @r"
    The load balancer's health check of `web-green` got 503 from 2 targets.
      -> Compare what the health check's path answers with the codes that the target group accepts, and read the container's log.

    The load balancer finds 2 targets of `web-green` not healthy, `Target.Timeout`: Health checks failed with these codes: [503].
      -> Check that the container listens on the mapped port and answers within the health check's time-out, and that its security group lets the load balancer in.

    The load balancer finds 2 targets of `web-green` not healthy, `Target.FailedHealthChecks`: Health checks failed with these codes: [503].
      -> Check that the container listens on the mapped port at all interfaces (0.0.0.0), and that its security group lets the load balancer in.

    The load balancer finds 2 targets of `web-green` not healthy, `Target.NotInUse`: Health checks failed with these codes: [503].
      -> The load balancer does not check it: the target group has to be in a listener rule, and the load balancer has to be on in the target's zone.

    The load balancer finds 2 targets of `web-green` not healthy, `Elb.InternalError`: Health checks failed with these codes: [503].
      -> AWS has an error of its own: see the AWS Health Dashboard, then run again.

    The load balancer finds 2 targets of `web-green` not healthy, `unavailable`: Health checks failed with these codes: [503].
      -> See the health check of the target group and the container's log.
    ");
}

#[test]
fn tasks_that_stopped_say_why() {
    let all = [
        ("TaskFailedToStart", "ResourceInitializationError: unable to pull secrets"),
        ("EssentialContainerExited", "Essential container in task exited"),
        ("UserInitiated", "Task stopped by user"),
        ("SpotInterruption", ""),
        ("container", "sidecar: DockerTimeoutError"),
        ("", ""),
    ];
    let told = all.map(|(code, reason)| {
        told(&Finding::Stopped { code: code.to_owned(), reason: reason.to_owned(), tasks: 2 })
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    2 tasks stopped (TaskFailedToStart): ResourceInitializationError: unable to pull secrets.
      -> Correct what the reason names: often secrets, log group, network or the execution role.

    2 tasks stopped (EssentialContainerExited): Essential container in task exited.
      -> Read the container's log.

    2 tasks stopped (UserInitiated): Task stopped by user.
      -> Somebody stopped them: ask who, then run again.

    2 tasks stopped (SpotInterruption).
      -> AWS took the machine away, not the version's fault: run again.

    2 tasks stopped: sidecar: DockerTimeoutError.
      -> Read the container's log.

    2 tasks stopped.
      -> See the stopped tasks in the ECS console; they are listed for about an hour.
    ");
}

#[test]
fn what_aws_says_is_passed_on() {
    let all = [
        Finding::Placement { message: "(service web-green) was unable to place a task because no container instance met all of its requirements.".to_owned() },
        Finding::Aws { reason: "ECS deployment circuit breaker: tasks failed to start.".to_owned() },
    ];
    insta::assert_snapshot!(all.map(|found| told(&found)).join("\n"), @r"
    ECS can't place the new tasks: (service web-green) was unable to place a task because no container instance met all of its requirements.
      -> Make room: more container instances or a free port and enough CPU and memory on them, or smaller tasks.

    ECS says: ECS deployment circuit breaker: tasks failed to start.
      ->
    ");
}

#[test]
fn foreign_text_stays_on_its_line() {
    let text = "boom\n::error::x\u{1b}[31m\u{202e}`";
    let (told, _) = render_finding(&Finding::Exit {
        container: text.to_owned(),
        code: 1,
        reason: Some(text.to_owned()),
        tasks: 1,
    });
    assert!(!told.contains(['\n', '\u{1b}', '\u{202e}']), "{told:?}");
}
