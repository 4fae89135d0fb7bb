//! Snapshots for the tests of the pure core: two colors behind one load balancer, blue live, green idle.

use std::time::Duration;

use serde_json::json;

use super::aws_error::{AwsError, AwsErrorKind};
use super::color::{Color, ServiceColor};
use super::definition::Content;
use super::deploy::Goal;
use super::preconditions::Request;
use super::snapshot::*;
use super::step::{Purpose, Update};
use super::time::Time;
use super::verdict::{Kind, Limits, OwnDeployment};
use super::wanted::{Hosts, WantedColor};
use crate::plan::run::Run;
use crate::plan::run_memory::UnansweredWrite;

/// When every test begins.
pub(crate) const T0: Time = Time(1_000_000_000);

/// A point this many seconds after the beginning.
pub(crate) fn at(seconds: u64) -> Time {
    T0.after(Duration::from_secs(seconds))
}

/// The ARN of a revision.
pub(crate) fn arn(revision: &str) -> String {
    format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/{revision}")
}

/// The run's own deployment of revision 2 to green, two tasks wanted.
pub(crate) fn own_deployment(started: Time) -> OwnDeployment {
    OwnDeployment {
        kind: Kind::Rollout,
        id: Some("ecs-svc/mine".to_owned()),
        task_definition: arn("web-green:2"),
        desired: 2,
        started,
        seen: true,
        before: Vec::new(),
    }
}

/// A task definition's content that differs by its image alone.
pub(crate) fn content(family: &str, version: &str) -> Content {
    let described = json!({
        "family": family,
        "containerDefinitions": [{
            "name": "app",
            "image": format!("123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:{version}"),
            "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        }],
    });
    Content::from_described(described).unwrap()
}

/// A deployment that is done.
pub(crate) fn deployment(id: &str, task_definition: &str, desired: u32) -> Deployment {
    Deployment {
        id: format!("ecs-svc/{id}"),
        primary: true,
        task_definition: task_definition.to_owned(),
        desired,
        running: desired,
        pending: 0,
        failed: 0,
        rollout: Rollout::Completed,
        reason: String::new(),
        created: Time(T0.0 - 3_600_000),
        updated: Time(T0.0 - 3_500_000),
    }
}

/// Running tasks of a deployment, with a target each at `10.0.0.N:8080`.
pub(crate) fn tasks(deployment: &Deployment, count: u32, from: u32) -> Vec<Task> {
    (from..from + count)
        .map(|number| Task {
            id: format!("task{number}"),
            started_by: deployment.id.clone(),
            task_definition: deployment.task_definition.clone(),
            status: "RUNNING".to_owned(),
            hosts: vec![format!("10.0.0.{number}")],
            ..Task::default()
        })
        .collect()
}

/// A target of the task with this number.
pub(crate) fn target(number: u32, state: &str) -> Target {
    Target {
        id: format!("10.0.0.{number}"),
        port: 8080,
        state: state.to_owned(),
        reason: None,
        description: None,
    }
}

/// A trouble of this kind.
pub(crate) fn trouble(kind: AwsErrorKind) -> AwsError {
    AwsError {
        kind,
        action: "ecs:DescribeServices",
        resource: "web-green".to_owned(),
        code: None,
        message: "no".to_owned(),
        effect_unknown: false,
    }
}

/// A service with two healthy tasks.
pub(crate) fn service(color: impl Into<ServiceColor>) -> Service {
    let color = color.into();
    let family = format!("web-{color}");
    let running = deployment(&format!("{color}-old"), &arn(&format!("{family}:1")), 2);
    let setup = Setup {
        controller: "ECS".to_owned(),
        strategy: "ROLLING".to_owned(),
        scheduling: "REPLICA".to_owned(),
        minimum_percent: 100,
        maximum_percent: 200,
        links: vec![Link { group: Some(format!("tg-{color}")), container: "app".to_owned(), port: 8080 }],
        ..Setup::default()
    };
    let group = TargetGroup {
        arn: format!("tg-{color}"),
        name: family.clone(),
        target_type: "ip".to_owned(),
        balancers: vec!["arn:loadbalancer/app/shop/1".to_owned()],
        ..TargetGroup::default()
    };
    Service {
        color,
        name: family.clone(),
        status: ServiceStatus::Active,
        task_definition: running.task_definition.clone(),
        desired: 2,
        running: 2,
        pending: 0,
        tasks: Some(Ok(tasks(&running, 2, 1))),
        targets: Some(Ok(vec![target(1, "healthy"), target(2, "healthy")])),
        definition: Some(Ok(Revision {
            arn: running.task_definition.clone(),
            content: content(&family, "v1"),
            tags: Vec::new(),
            active: true,
        })),
        deployments: vec![running],
        setup,
        events: Vec::new(),
        group: Some(Ok(group)),
        stopped: None,
        history: None,
        scaling: None,
        scalers: None,
    }
}

/// A rule that forwards with these weights.
pub(crate) fn rule(port: u16, priority: Option<u32>, forward: &[(&str, u32)]) -> Rule {
    Rule {
        arn: format!("rule-{port}-{}", priority.unwrap_or_default()),
        listener: format!("listener-{port}"),
        port,
        protocol: "HTTP".to_owned(),
        priority,
        conditions: Vec::new(),
        forward: forward
            .iter()
            .map(|(group, weight)| Weighted { group: (*group).to_owned(), weight: *weight })
            .collect(),
        stickiness: None,
        actions: vec!["forward".to_owned()],
        whole: serde_json::Value::Null.into(),
    }
}

/// Production on port 80 with this split, tests of blue on 8081 and green on 8080.
pub(crate) fn balancer(blue: u32, green: u32) -> Balancer {
    Balancer {
        arn: "arn:loadbalancer/app/shop/1".to_owned(),
        name: "shop".to_owned(),
        dns: "shop.example.com".to_owned(),
        rules: vec![
            rule(80, None, &[("tg-blue", blue), ("tg-green", green)]),
            rule(8080, None, &[("tg-green", 1)]),
            rule(8081, None, &[("tg-blue", 1)]),
        ],
    }
}

/// An update of green, such as to `web-green:2`.
pub(crate) fn update(revision: Option<&str>, desired: Option<u32>, purpose: Purpose) -> Update {
    Update {
        color: ServiceColor::Green,
        service: "web-green".to_owned(),
        task_definition: revision.map(arn),
        desired,
        force: false,
        purpose,
    }
}

/// Everything: blue live at 100, green idle.
pub(crate) fn snapshot() -> Snapshot {
    Snapshot {
        place: Place {
            partition: "aws".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            cluster: "shop".to_owned(),
        },
        services: vec![service(Color::Blue), service(Color::Green)],
        missing: Vec::new(),
        balancers: Some(Ok(vec![balancer(100, 0)])),
        alarms: None,
        minutes: None,
        earlier: Vec::new(),
    }
}

/// A deploy of v2 to green.
pub(crate) fn goal() -> Goal {
    Goal {
        request: Request {
            color: WantedColor::Color(ServiceColor::Green),
            allow_live: false,
            probes: Vec::new(),
            listener: None,
            hosts: Hosts::default(),
        },
        color: ServiceColor::Green,
        content: content("web-green", "v2"),
        revision: None,
        origin: None,
        force: false,
        desired: None,
        limits: Limits::with_timeout(Duration::from_secs(600)),
        restore_on_cancel: true,
        managed: None,
    }
}

/// The run with a write that AWS did not answer.
pub(crate) fn without_answer(write: UnansweredWrite, mut run: Run) -> Run {
    run.memory.unanswered = vec![write];
    run
}
