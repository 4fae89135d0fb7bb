//! What is told of a failed deployment, from what AWS shows of its tasks, targets, events and itself.

use super::*;
use crate::plan::aws_error::AwsErrorKind;
use crate::plan::color::Color;
use crate::plan::sample::{arn, at, deployment, own_deployment, service, target, tasks, trouble};
use crate::plan::snapshot::{Deployment, Rollout, ServiceDeployment, ServiceDeploymentStatus};
use crate::plan::step::ProbeFailureKind;
use crate::plan::verdict::DeploymentFailure;

/// A task id as AWS writes it.
const ID: &str = "0123456789abcdef0123456789abcdef";

/// The run's own deployment of revision 2, asked for at second 10.
fn awaited() -> OwnDeployment {
    own_deployment(at(10))
}

/// Green, rolling out revision 2, with nothing that tells why it fails.
fn green() -> Service {
    let mut green = service(Color::Green);
    let own = Deployment { rollout: Rollout::InProgress, ..deployment("mine", &arn("web-green:2"), 2) };
    green.tasks = Some(Ok(tasks(&own, 2, 11)));
    green.targets = Some(Ok(vec![target(11, "initial"), target(12, "initial")]));
    green.deployments = vec![own];
    green
}

/// Green with these stopped tasks.
fn stopped(tasks: Vec<Task>) -> Service {
    Service { stopped: Some(Ok(tasks)), ..green() }
}

/// A stopped task of the run's own.
fn task(code: &str, reason: &str, containers: Vec<Container>) -> Task {
    Task {
        id: "t".to_owned(),
        started_by: "ecs-svc/mine".to_owned(),
        task_definition: arn("web-green:2"),
        status: "STOPPED".to_owned(),
        stop_code: Some(code.to_owned()),
        stopped_reason: Some(reason.to_owned()),
        stopped_at: Some(at(20)),
        containers,
        ..Task::default()
    }
}

/// A container that ended like this.
fn container(name: &str, exit_code: Option<i32>, reason: Option<&str>) -> Container {
    Container {
        name: name.to_owned(),
        image: format!("shop/{name}:v2"),
        exit_code,
        reason: reason.map(str::to_owned),
        ..Container::default()
    }
}

/// An essential container that ended like this, and its task with it.
fn crashed(exit_code: Option<i32>, reason: Option<&str>) -> Task {
    task(
        "EssentialContainerExited",
        "Essential container in task exited",
        vec![container("app", exit_code, reason)],
    )
}

/// What a failure of the deployment is told to come from.
fn cause(green: &Service) -> Cause {
    gather_cause(
        Some(green),
        Some(&awaited()),
        &[],
        &RunFailure::Deployment(DeploymentFailure::CircuitBreaker),
    )
}

/// The findings alone.
fn found(green: &Service) -> Vec<Finding> {
    cause(green).findings
}

/// A container's end with an exit code.
fn exit(name: &str, code: i32, tasks: u32) -> Finding {
    Finding::Exit { container: name.to_owned(), code, reason: None, tasks }
}

/// A task's end for another reason.
fn ended(code: &str, reason: &str, tasks: u32) -> Finding {
    Finding::Stopped { code: code.to_owned(), reason: reason.to_owned(), tasks }
}

/// An image that could not be pulled.
fn image(name: &str, reason: &str) -> Finding {
    let (container, image, reason) = (name.to_owned(), format!("shop/{name}:v2"), reason.to_owned());
    Finding::Image { container, image, reason }
}

/// A container that was killed for its memory.
fn memory(tasks: u32) -> Finding {
    Finding::OutOfMemory { container: "app".to_owned(), tasks }
}

#[test]
fn each_end_of_a_container_is_told_as_what_it_is() {
    let pull = "CannotPullContainerError: shop/app:v2: not found";
    let oom = "OutOfMemoryError: Container killed due to memory usage";
    let killed = "Killed: memory limit reached";
    let exited = "Essential container in task exited";
    for (code, reason, wanted) in [
        (None, Some(pull), image("app", pull)),
        (Some(137), Some(oom), memory(1)),
        (Some(1), Some(oom), memory(1)),
        (Some(137), Some(killed), memory(1)),
        (Some(1), None, exit("app", 1, 1)),
        (Some(139), None, exit("app", 139, 1)),
        (None, Some("CannotStartContainerError: no such file"), {
            ended("container", "app: CannotStartContainerError: no such file", 1)
        }),
        (Some(137), Some("DockerTimeoutError"), ended("container", "app: DockerTimeoutError", 1)),
        (Some(0), None, ended("EssentialContainerExited", exited, 1)),
        (Some(143), None, ended("EssentialContainerExited", exited, 1)),
        (Some(137), None, ended("EssentialContainerExited", exited, 1)),
        (None, None, ended("EssentialContainerExited", exited, 1)),
    ] {
        assert_eq!(found(&stopped(vec![crashed(code, reason)])), [wanted], "{code:?} {reason:?}");
    }
    let why = "memory map is corrupt";
    let wanted =
        Finding::Exit { container: "app".to_owned(), code: 3, reason: Some(why.to_owned()), tasks: 1 };
    assert_eq!(found(&stopped(vec![crashed(Some(3), Some(why))])), [wanted], "only 137 is a kill");
}

#[test]
fn the_container_that_ended_by_itself_is_told_and_not_those_that_were_stopped_with_it() {
    let containers = vec![
        container("envoy", Some(143), None),
        container("agent", Some(137), None),
        container("setup", Some(0), None),
        container("app", Some(1), None),
    ];
    let exited = task("EssentialContainerExited", "Essential container in task exited", containers);
    assert_eq!(found(&stopped(vec![exited])), [exit("app", 1, 1)]);
}

#[test]
fn a_task_that_can_not_pull_its_image_is_told_by_the_image() {
    let reason = "CannotPullContainerError: not found";
    let failed = task("TaskFailedToStart", reason, vec![container("app", None, None)]);
    assert_eq!(found(&stopped(vec![failed])), [image("app", reason)]);
}

#[test]
fn tasks_that_the_scheduler_stopped_tell_something_only_if_their_checks_failed() {
    let group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web-green/df89670f811dd161";
    for (code, reason, wanted) in [
        ("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/1)", None),
        (
            "ServiceSchedulerInitiated",
            &*format!("Task failed ELB health checks in (target-group {group})"),
            Some("Task failed ELB health checks in (target-group web-green)"),
        ),
        (
            "ServiceSchedulerInitiated",
            "Task failed container health checks",
            Some("Task failed container health checks"),
        ),
        ("UserInitiated", "Task stopped by user", Some("Task stopped by user")),
        ("SpotInterruption", "Your Spot Task was interrupted.", Some("Your Spot Task was interrupted.")),
    ] {
        let wanted: Vec<Finding> = wanted.map(|told| ended(code, told, 1)).into_iter().collect();
        assert_eq!(found(&stopped(vec![task(code, reason, Vec::new())])), wanted, "{reason}");
    }
}

#[test]
fn the_same_in_several_tasks_is_told_once_and_counted() {
    let pull = |why: &str| crashed(None, Some(&format!("CannotPullContainerError: {why}")));
    let oom = || crashed(Some(137), Some("OutOfMemoryError"));
    let exits = |name: &str, code: i32| {
        let containers = vec![container(name, Some(code), None)];
        task("EssentialContainerExited", "Essential container in task exited", containers)
    };
    let ends = |code: &str, reason: &str| task(code, reason, Vec::new());
    for (tasks, wanted) in [
        (vec![pull("at the first try"), pull("again")], {
            vec![image("app", "CannotPullContainerError: at the first try")]
        }),
        (vec![oom(), oom()], vec![memory(2)]),
        (vec![exits("app", 1), exits("app", 1), exits("app", 1)], vec![exit("app", 1, 3)]),
        (vec![exits("app", 1), exits("app", 2)], vec![exit("app", 1, 1), exit("app", 2, 1)]),
        (vec![exits("app", 1), exits("envoy", 1)], vec![exit("app", 1, 1), exit("envoy", 1, 1)]),
        (vec![ends("A", "x"), ends("A", "x")], vec![ended("A", "x", 2)]),
        (vec![ends("A", "x"), ends("A", "y")], vec![ended("A", "x", 1), ended("A", "y", 1)]),
        (vec![ends("A", "x"), ends("B", "x")], vec![ended("A", "x", 1), ended("B", "x", 1)]),
    ] {
        assert_eq!(found(&stopped(tasks.clone())), wanted, "{tasks:?}");
    }
}

#[test]
fn targets_are_counted_by_what_the_load_balancer_says_of_them() {
    let unhealthy =
        |number: u32, code: &str| Target { reason: Some(code.to_owned()), ..target(number, "unhealthy") };
    let told = |codes: [&str; 2]| {
        let mut service = green();
        service.targets = Some(Ok(vec![unhealthy(11, codes[0]), unhealthy(12, codes[1])]));
        let count = |finding: Finding| match finding {
            Finding::Target { code, targets, .. } => (code, targets),
            other => panic!("{other:?}"),
        };
        found(&service).into_iter().map(count).collect::<Vec<_>>()
    };
    let (timeout, codes) = ("Target.Timeout", "Target.ResponseCodeMismatch");
    assert_eq!(told([timeout, timeout]), [(timeout.to_owned(), 2)]);
    assert_eq!(told([timeout, codes]), [(timeout.to_owned(), 1), (codes.to_owned(), 1)]);
}

#[test]
fn images_and_memory_are_told_for_each_container() {
    let reason = "CannotPullContainerError: no";
    let pull = |name: &str, image: &str| {
        let pulled = Container { image: image.to_owned(), ..container(name, None, Some(reason)) };
        task("TaskFailedToStart", "Task failed to start", vec![pulled])
    };
    let all = found(&stopped(vec![pull("app", "a"), pull("envoy", "a"), pull("app", "b")]));
    assert_eq!(all.len(), 3, "{all:?}");
    let oom = |name: &str| {
        let killed = container(name, Some(137), Some("OutOfMemoryError"));
        task("EssentialContainerExited", "Essential container in task exited", vec![killed])
    };
    let all = found(&stopped(vec![oom("app"), oom("envoy")]));
    assert_eq!(all.len(), 2, "{all:?}");
}

#[test]
fn task_ids_do_not_make_two_of_the_same_reason() {
    let interrupted = |id: &str| task("UserInitiated", &format!("Task ({id}) left abc deadbeef"), Vec::new());
    let other = ID.replace('0', "f");
    let all = found(&stopped(vec![interrupted(ID), interrupted(&other)]));
    assert_eq!(all, [ended("UserInitiated", "Task left abc deadbeef", 2)]);
    let long = "the-name-of-this-one-has-more-than-32-letters";
    assert_eq!(found(&stopped(vec![task("A", long, Vec::new())])), [ended("A", long, 1)]);
}

#[test]
fn tasks_of_other_deployments_tell_nothing() {
    let theirs = Task { started_by: "ecs-svc/other".to_owned(), ..crashed(Some(1), None) };
    assert_eq!(cause(&stopped(vec![theirs])), Cause::default());
}

/// An event at this second.
fn event(seconds: u64, message: &str) -> ServiceEvent {
    ServiceEvent { at: at(seconds), message: message.to_owned() }
}

#[test]
fn the_newest_event_about_placement_since_the_start_is_told() {
    let unable = |why: &str| format!("(service web-green) was unable to place a task because {why}.");
    let mut service = green();
    service.events = vec![
        event(30, "(service web-green) has started 1 tasks."),
        event(20, &unable("no CPU is left")),
        event(10, &unable("no memory is left")),
        event(9, &unable("of an older trouble")),
    ];
    let placement = |why: &str| Finding::Placement { message: unable(why) };
    assert_eq!(found(&service), [placement("no CPU is left")]);
    service.events.remove(1);
    assert_eq!(found(&service), [placement("no memory is left")]);
    service.events.remove(1);
    assert_eq!(found(&service), []);
}

/// A service deployment of this revision, made at this second.
fn entry(revision: &str, seconds: u64, reason: &str) -> ServiceDeployment {
    ServiceDeployment {
        arn: format!("arn:service-deployment/{seconds}"),
        number: None,
        status: ServiceDeploymentStatus::Unknown,
        reason: reason.to_owned(),
        created: at(seconds),
        target: Some(arn(revision)),
        sources: Vec::new(),
        alarms: Vec::new(),
    }
}

#[test]
fn what_aws_says_of_this_deployment_is_told_and_not_of_an_earlier_one() {
    let aws = |reason: &str| vec![Finding::Aws { reason: reason.to_owned() }];
    let told = |history: Vec<ServiceDeployment>, reason: &str| {
        let mut service = green();
        service.deployments[0].reason = reason.to_owned();
        let other = Deployment {
            primary: false,
            reason: "the old one failed".to_owned(),
            ..deployment("green-old", &arn("web-green:1"), 2)
        };
        service.deployments.insert(0, other);
        service.history = Some(Ok(history));
        found(&service)
    };
    assert_eq!(told(Vec::new(), "ECS deployment ecs-svc/mine in progress."), []);
    assert_eq!(told(Vec::new(), "tasks failed to start."), aws("tasks failed to start."));
    let awaited = || entry("web-green:2", 11, "the circuit breaker tripped");
    let earlier = || entry("web-green:2", 5, "the first try failed");
    let theirs = || entry("web-green:3", 30, "something else");
    assert_eq!(told(vec![theirs(), awaited(), earlier()], "failed"), aws("the circuit breaker tripped"));
    assert_eq!(told(vec![entry("web-green:2", 11, ""), earlier()], "tasks failed"), aws("tasks failed"));
    assert_eq!(told(vec![entry("web-green:2", 11, ""), earlier()], ""), []);
}

#[test]
fn the_reason_of_a_deployment_is_that_of_its_number() {
    let mut service = green();
    service.deployments[0].id = "ecs-svc/42".to_owned();
    let numbered = |number: &str, at: u64, reason: &str| ServiceDeployment {
        number: Some(number.to_owned()),
        ..entry("web-green:2", at, reason)
    };
    let own = numbered("42", 11, "the circuit breaker tripped");
    service.history = Some(Ok(vec![numbered("43", 40, "a later one of another run"), own]));
    let awaited = OwnDeployment { id: Some("ecs-svc/42".to_owned()), ..awaited() };
    let aws = Finding::Aws { reason: "the circuit breaker tripped".to_owned() };
    for listed in [true, false] {
        service.deployments.retain(|_| listed);
        let failing = RunFailure::Deployment(DeploymentFailure::CircuitBreaker);
        let found = gather_cause(Some(&service), Some(&awaited), &[], &failing).findings;
        assert_eq!(found.last(), Some(&aws), "listed: {listed}");
    }
}

#[test]
fn the_most_telling_comes_first() {
    let mut service = stopped(vec![
        task("UserInitiated", "Task stopped by user", Vec::new()),
        crashed(Some(1), None),
        crashed(Some(137), Some("OutOfMemoryError")),
        crashed(None, Some("CannotPullContainerError: no")),
    ]);
    service.targets = Some(Ok(vec![target(11, "unhealthy")]));
    service.events = vec![event(20, "(service web-green) was unable to place a task.")];
    service.history = Some(Ok(vec![entry("web-green:2", 11, "the circuit breaker tripped")]));
    let probe = ProbeFailure {
        url: "http://shop/".to_owned(),
        kind: ProbeFailureKind::Status { found: 500, wanted: 200 },
    };
    let all = gather_cause(Some(&service), Some(&awaited()), &[], &RunFailure::Probe(probe.clone())).findings;
    let kinds: Vec<String> = all
        .iter()
        .map(|finding| format!("{finding:?}").chars().take_while(char::is_ascii_alphanumeric).collect())
        .collect();
    let order = ["Probe", "Image", "OutOfMemory", "Exit", "Target", "Stopped", "Placement", "Aws"];
    assert_eq!(kinds, order);
    let cause = gather_cause(None, None, &[], &RunFailure::Probe(probe.clone()));
    assert_eq!(cause.findings, [Finding::Probe(probe)], "a probe's answer is told whatever AWS shows");
}

#[test]
fn what_can_not_be_read_hides_nothing_else() {
    let denied = || Some(Err(trouble(AwsErrorKind::Denied)));
    let mut service = stopped(vec![crashed(Some(1), None)]);
    service.history = Some(Err(trouble(AwsErrorKind::Denied)));
    (service.tasks, service.targets) = (denied(), Some(Err(trouble(AwsErrorKind::Denied))));
    assert_eq!(found(&service), [exit("app", 1, 1)]);
}

/// A task of this id with these containers, stopped at this second.
fn logged(id: &str, seconds: u64, containers: Vec<Container>) -> Task {
    let exited = task("EssentialContainerExited", "Essential container in task exited", containers);
    Task { id: id.to_owned(), stopped_at: Some(at(seconds)), ..exited }
}

#[test]
fn the_logs_of_the_three_newest_failed_tasks_are_named() {
    let app = || vec![container("app", Some(1), None)];
    let never = Task {
        stop_code: Some("TaskFailedToStart".to_owned()),
        ..logged("never", 90, vec![container("app", None, Some("CannotPullContainerError"))])
    };
    let replaced = Task {
        stop_code: Some("ServiceSchedulerInitiated".to_owned()),
        stopped_reason: Some("Scaling activity initiated by (deployment ecs-svc/1)".to_owned()),
        ..logged("replaced", 80, app())
    };
    let all = vec![
        logged("b", 22, app()),
        logged("d", 24, app()),
        never,
        logged("a", 21, app()),
        replaced,
        logged("c", 23, app()),
    ];
    let newest = ["d", "c", "b"].map(|id| (id.to_owned(), "app".to_owned()));
    assert_eq!(cause(&stopped(all)).logs, newest);
}

#[test]
fn the_log_is_that_of_the_container_that_tells_why_else_of_the_one_with_the_traffic() {
    for (containers, wanted) in [
        (vec![container("envoy", Some(143), None), container("worker", Some(1), None)], "worker"),
        (vec![container("envoy", Some(143), None), container("app", Some(137), None)], "app"),
        (vec![container("envoy", Some(0), None), container("app", Some(0), None)], "app"),
    ] {
        let logs = cause(&stopped(vec![logged("t", 20, containers.clone())])).logs;
        assert_eq!(logs, [("t".to_owned(), wanted.to_owned())], "{containers:?}");
    }
}
