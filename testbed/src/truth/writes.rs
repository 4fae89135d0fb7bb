//! Writes that leave the services unchanged: a separate family and alarm, removed at the end, and each forward rule
//! written with its current actions.

use std::io;

use serde_json::{Map, Value, json};
use testbed::Service;

use super::facts::{Fact, Verdict};
use super::walk::{Record, Subject, nodes, texts};

/// The name of the family and of the alarm.
const NAME: &str = "ecs-blue-green-record";

/// The facts visible in writes.
pub(super) const WRITTEN: [Fact; 8] = [
    Fact { sentence: "The same content registered twice makes two revisions", check: revisions },
    Fact { sentence: "A container with `firelensConfiguration` gets `user: \"0\"`", check: firelens },
    Fact { sentence: "An environment entry without a value is dropped", check: environment },
    Fact { sentence: "Without `hostPort`, awsvpc shows the container port", check: host_port },
    Fact { sentence: "An empty list of tags is refused", check: empty_tags },
    Fact { sentence: "A count-only UpdateService answers with the old deployment's id", check: count_only },
    Fact { sentence: "A rule written with the actions that it shows shows them again", check: same_rule },
    Fact { sentence: "An alarm is read back as it was written", check: same_alarm },
];

/// A task definition with parts that AWS may change.
fn definition() -> Value {
    json!({
        "family": NAME,
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["EC2"],
        "containerDefinitions": [
            {
                "name": "web", "image": "public.ecr.aws/docker/library/busybox:stable", "memory": 64,
                "portMappings": [{"containerPort": 8080}],
                "environment": [{"name": "KEPT", "value": "1"}, {"name": "EMPTY"}],
            },
            {
                "name": "log", "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable",
                "memory": 64, "firelensConfiguration": {"type": "fluentbit"},
            },
        ],
    })
}

/// Writes and reads back.
///
/// # Errors If AWS is unreachable.
pub(super) async fn write(record: &mut Record<'_>, subject: &Subject) -> io::Result<()> {
    let mut written = Vec::new();
    for name in ["RegisterTaskDefinition: first", "RegisterTaskDefinition: again"] {
        let answer = record.ask(Service::Ecs, name, definition()).await?;
        written.extend(texts(&answer, "taskDefinition.taskDefinitionArn"));
    }
    let mut untagged = definition();
    untagged["tags"] = json!([]);
    let answer = record.ask(Service::Ecs, "RegisterTaskDefinition: empty tags", untagged).await?;
    written.extend(texts(&answer, "taskDefinition.taskDefinitionArn"));
    for arn in written {
        record.ask(Service::Ecs, "DeregisterTaskDefinition", json!({"taskDefinition": arn})).await?;
    }
    write_counts(record, subject).await?;
    write_rules(record).await?;
    write_alarm(record).await
}

/// Sets each service's count to its current value.
async fn write_counts(record: &mut Record<'_>, subject: &Subject) -> io::Result<()> {
    let services: Vec<Value> = record
        .results("DescribeServices")
        .into_iter()
        .flat_map(|result| nodes(result, "services").into_iter().cloned())
        .collect();
    for service in services {
        let input = json!({
            "cluster": subject.cluster,
            "service": service["serviceName"],
            "desiredCount": service["desiredCount"],
        });
        record.ask(Service::Ecs, "UpdateService", input).await?;
    }
    Ok(())
}

/// Writes each forward rule unchanged, and reads the rule again.
async fn write_rules(record: &mut Record<'_>) -> io::Result<()> {
    for rule in rules(record, "DescribeRules") {
        if rule["IsDefault"] == "true" || rule["Actions"].as_array().is_none_or(|actions| actions.len() != 1)
        {
            continue;
        }
        let action = &rule["Actions"][0];
        if action["Type"] != "forward" {
            continue;
        }
        let mut forward = Map::new();
        forward.insert("Type".to_owned(), json!("forward"));
        forward.insert("ForwardConfig".to_owned(), action["ForwardConfig"].clone());
        let arn = &rule["RuleArn"];
        let input = json!({"RuleArn": arn, "Actions": [forward]});
        record.ask(Service::Elb, "ModifyRule", input).await?;
        record.ask(Service::Elb, "DescribeRules: written", json!({"RuleArns": [arn]})).await?;
    }
    Ok(())
}

/// An alarm on a metric without data.
fn alarm() -> Value {
    json!({
        "AlarmName": NAME, "Namespace": NAME, "MetricName": "nothing", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
        "ActionsEnabled": false, "TreatMissingData": "notBreaching",
    })
}

/// Puts an alarm on a metric without data, reads the alarm, and deletes it.
async fn write_alarm(record: &mut Record<'_>) -> io::Result<()> {
    record.ask(Service::CloudWatch, "PutMetricAlarm", alarm()).await?;
    record.ask(Service::CloudWatch, "DescribeAlarms: written", json!({"AlarmNames": [NAME]})).await?;
    record.ask(Service::CloudWatch, "DeleteAlarms", json!({"AlarmNames": [NAME]})).await?;
    Ok(())
}

/// The rules in a call's answer.
fn rules(record: &Record<'_>, call: &str) -> Vec<Value> {
    let results = record.results(call).into_iter();
    results.flat_map(|result| nodes(result, "Rules").into_iter().cloned()).collect()
}

/// A container of the first registered revision.
fn container<'r>(record: &'r Record<'_>, name: &str) -> Option<&'r Value> {
    let result = record.results("RegisterTaskDefinition: first").into_iter().next()?;
    let containers = nodes(result, "taskDefinition.containerDefinitions");
    containers.into_iter().find(|container| container["name"] == name)
}

/// Holds if the value of a container is true.
fn of_container(record: &Record<'_>, name: &str, good: fn(&Value) -> bool, field: &str) -> Verdict {
    match container(record, name) {
        None => Verdict::Unseen("leave to register a task definition"),
        Some(container) if good(container) => Verdict::Holds,
        Some(container) => Verdict::Differs(container[field].to_string()),
    }
}

/// See [`WRITTEN`].
fn firelens(record: &Record<'_>) -> Verdict {
    of_container(record, "log", |container| container["user"] == "0", "user")
}

/// See [`WRITTEN`].
fn environment(record: &Record<'_>) -> Verdict {
    let one = |container: &Value| nodes(container, "environment").len() == 1;
    of_container(record, "web", one, "environment")
}

/// See [`WRITTEN`].
fn host_port(record: &Record<'_>) -> Verdict {
    let shown = |container: &Value| container["portMappings"][0]["hostPort"] == 8080;
    of_container(record, "web", shown, "portMappings")
}

/// See [`WRITTEN`].
fn revisions(record: &Record<'_>) -> Verdict {
    let number = |name: &str| {
        let results = record.results(name).into_iter();
        results.flat_map(|result| nodes(result, "taskDefinition.revision")).next().cloned()
    };
    match (number("RegisterTaskDefinition: first"), number("RegisterTaskDefinition: again")) {
        (Some(first), Some(again)) if first == again => {
            Verdict::Differs(format!("both are revision {first}"))
        }
        (Some(_), Some(_)) => Verdict::Holds,
        (None, _) | (_, None) => Verdict::Unseen("leave to register a task definition"),
    }
}

/// See [`WRITTEN`].
fn empty_tags(record: &Record<'_>) -> Verdict {
    match record.code("RegisterTaskDefinition: empty tags") {
        None => Verdict::Unseen("the call"),
        Some("accepted") => Verdict::Differs("accepted".to_owned()),
        Some(_) => Verdict::Holds,
    }
}

/// See [`WRITTEN`].
fn count_only(record: &Record<'_>) -> Verdict {
    let primary = |service: &Value| {
        let deployments = nodes(service, "deployments");
        deployments.into_iter().find(|one| one["status"] == "PRIMARY").map(|one| one["id"].clone())
    };
    let described =
        record.results("DescribeServices").into_iter().flat_map(|result| nodes(result, "services"));
    let before: Vec<_> = described.filter_map(primary).collect();
    let answers = record.results("UpdateService").into_iter().flat_map(|result| nodes(result, "service"));
    let after: Vec<_> = answers.filter_map(primary).collect();
    match after.iter().find(|id| !before.contains(id)) {
        _ if after.is_empty() => Verdict::Unseen("leave to update the services"),
        None => Verdict::Holds,
        Some(id) => Verdict::Differs(format!("{id} is new")),
    }
}

/// See [`WRITTEN`].
fn same_rule(record: &Record<'_>) -> Verdict {
    let (before, after) = (rules(record, "DescribeRules"), rules(record, "DescribeRules: written"));
    let changed = after.iter().find(|rule| {
        before.iter().any(|old| old["RuleArn"] == rule["RuleArn"] && old["Actions"] != rule["Actions"])
    });
    match changed {
        _ if after.is_empty() => {
            Verdict::Unseen("a forward rule that is not the default, and leave to modify it")
        }
        None => Verdict::Holds,
        Some(rule) => Verdict::Differs(format!("it shows {}", rule["Actions"])),
    }
}

/// See [`WRITTEN`].
fn same_alarm(record: &Record<'_>) -> Verdict {
    let results = record.results("DescribeAlarms: written").into_iter();
    let Some(shown) = results.flat_map(|result| nodes(result, "MetricAlarms")).next() else {
        return Verdict::Unseen("leave to put an alarm");
    };
    let written = alarm();
    let same = |(key, value): &(&String, &Value)| {
        shown[key.as_str()] == **value || value.is_number() && shown[key.as_str()].as_f64() == value.as_f64()
    };
    match written.as_object().into_iter().flatten().find(|field| !same(field)) {
        None => Verdict::Holds,
        Some((key, _)) => Verdict::Differs(format!("`{key}` is {}", shown[key.as_str()])),
    }
}
