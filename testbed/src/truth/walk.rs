//! The calls that read one pair of services, starting with the names of the services.

use std::io;

use serde_json::{Value, json};
use testbed::Service;

use super::wire::{Answer, Endpoint};

/// A name without any resource.
const UNKNOWN: &str = "ecs-blue-green-record-unknown";

/// The pair of services to read.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// The cluster's name.
    pub(super) cluster: String,
    /// The names of the services.
    pub(super) services: Vec<String>,
}

/// One call and its answer.
#[derive(Debug)]
pub(super) struct Call {
    /// The operation, and the case after a colon: `DescribeServices: unknown cluster`.
    pub(super) name: String,
    /// The answer.
    pub(super) answer: Answer,
}

/// All calls to one AWS, in order.
pub(super) struct Record<'a> {
    /// The AWS.
    pub(super) endpoint: &'a Endpoint,
    /// The calls so far.
    pub(super) calls: Vec<Call>,
}

impl<'a> Record<'a> {
    /// A record without calls.
    pub(super) fn new(endpoint: &'a Endpoint) -> Self {
        Self { endpoint, calls: Vec::new() }
    }

    /// Sends one call; returns the result, or null if AWS refused.
    pub(super) async fn ask(&mut self, service: Service, name: &str, input: Value) -> io::Result<Value> {
        let operation = name.split(':').next().unwrap_or(name);
        let answer = self.endpoint.call(service, operation, &input).await?;
        let result = if answer.code.is_none() { answer.body.clone() } else { Value::Null };
        self.calls.push(Call { name: name.to_owned(), answer });
        Ok(result)
    }

    /// The results of all calls of a name that AWS accepted.
    pub(super) fn results(&self, name: &str) -> Vec<&Value> {
        let named = self.calls.iter().filter(|call| call.name == name && call.answer.code.is_none());
        named.map(|call| &call.answer.body).collect()
    }

    /// The error code of a call by name, if sent: `accepted` for a success.
    pub(super) fn code(&self, name: &str) -> Option<&str> {
        let call = self.calls.iter().find(|call| call.name == name)?;
        Some(call.answer.code.as_deref().unwrap_or("accepted"))
    }
}

/// Every text at a path of fields through all lists: `texts(v, "services.loadBalancers.targetGroupArn")`.
pub(super) fn texts(value: &Value, path: &str) -> Vec<String> {
    nodes(value, path).into_iter().filter_map(|node| node.as_str().map(str::to_owned)).collect()
}

/// Every value at a path of fields through all lists.
pub(super) fn nodes<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![value];
    for field in path.split('.').filter(|field| !field.is_empty()) {
        found = found.into_iter().flat_map(items).filter_map(|node| node.get(field)).collect();
    }
    found.into_iter().flat_map(items).collect()
}

/// The items of a list, or the value itself.
fn items(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |list| list.iter().collect())
}

/// Reads everything about the services, then the answers to unknown names.
///
/// # Errors If AWS is unreachable, or the services are missing.
pub(super) async fn read(record: &mut Record<'_>, subject: &Subject) -> io::Result<()> {
    record.ask(Service::Sts, "GetCallerIdentity", json!({})).await?;
    let input = json!({"cluster": subject.cluster, "services": subject.services, "include": ["TAGS"]});
    let services = record.ask(Service::Ecs, "DescribeServices", input).await?;
    let found = texts(&services, "services.serviceArn");
    if found.len() != subject.services.len() {
        let code = record.code("DescribeServices").unwrap_or_default().to_owned();
        return Err(io::Error::other(format!(
            "DescribeServices found {} of the {} services {} in cluster {}: {code}",
            found.len(),
            subject.services.len(),
            subject.services.join(", "),
            subject.cluster,
        )));
    }
    read_definitions(record, &services).await?;
    read_tasks(record, subject).await?;
    read_history(record, subject).await?;
    let listeners = read_balancer(record, &services).await?;
    read_scaling(record, subject).await?;
    read_unknown(record, subject, &listeners).await
}

/// The task definitions of the services, with and without tags, and the image of the first.
async fn read_definitions(record: &mut Record<'_>, services: &Value) -> io::Result<()> {
    for arn in texts(services, "services.taskDefinition") {
        let input = json!({"taskDefinition": arn, "include": ["TAGS"]});
        let definition = record.ask(Service::Ecs, "DescribeTaskDefinition", input).await?;
        record
            .ask(Service::Ecs, "DescribeTaskDefinition: without tags", json!({"taskDefinition": arn}))
            .await?;
        for image in texts(&definition, "taskDefinition.containerDefinitions.image") {
            if let Some(input) = ecr_image(&image) {
                record.ask(Service::Ecr, "DescribeImages", input).await?;
            }
        }
    }
    Ok(())
}

/// The parameters of DescribeImages for an image in ECR; none for an external image.
fn ecr_image(image: &str) -> Option<Value> {
    let (host, rest) = image.split_once('/')?;
    let account = host.split_once(".dkr.ecr.")?.0;
    let (repository, id) = match rest.split_once('@') {
        Some((repository, digest)) => (repository, json!({"imageDigest": digest})),
        None => {
            let (repository, tag) = rest.rsplit_once(':').unwrap_or((rest, "latest"));
            (repository, json!({"imageTag": tag}))
        }
    };
    Some(json!({"registryId": account, "repositoryName": repository, "imageIds": [id]}))
}

/// The tasks of each service, running and stopped.
async fn read_tasks(record: &mut Record<'_>, subject: &Subject) -> io::Result<()> {
    for service in &subject.services {
        for status in ["RUNNING", "STOPPED"] {
            let input = json!({"cluster": subject.cluster, "serviceName": service, "desiredStatus": status});
            let listed = record.ask(Service::Ecs, "ListTasks", input).await?;
            let tasks = texts(&listed, "taskArns");
            if !tasks.is_empty() {
                let tasks: Vec<_> = tasks.into_iter().take(100).collect();
                let name = format!("DescribeTasks: {}", status.to_lowercase());
                record.ask(Service::Ecs, &name, json!({"cluster": subject.cluster, "tasks": tasks})).await?;
            }
        }
    }
    Ok(())
}

/// The newest deployments of each service and their revisions.
async fn read_history(record: &mut Record<'_>, subject: &Subject) -> io::Result<()> {
    for service in &subject.services {
        let input = json!({"cluster": subject.cluster, "service": service});
        let listed = record.ask(Service::Ecs, "ListServiceDeployments", input).await?;
        let deployments = texts(&listed, "serviceDeployments.serviceDeploymentArn");
        let revisions = texts(&listed, "serviceDeployments.targetServiceRevisionArn");
        if !deployments.is_empty() {
            let first: Vec<_> = deployments.into_iter().take(20).collect();
            let input = json!({"serviceDeploymentArns": first});
            record.ask(Service::Ecs, "DescribeServiceDeployments", input).await?;
        }
        if !revisions.is_empty() {
            let first: Vec<_> = revisions.into_iter().take(20).collect();
            record
                .ask(Service::Ecs, "DescribeServiceRevisions", json!({"serviceRevisionArns": first}))
                .await?;
        }
    }
    Ok(())
}

/// The target groups of the services, their load balancers, listeners and rules; returns the listeners.
async fn read_balancer(record: &mut Record<'_>, services: &Value) -> io::Result<Vec<String>> {
    let groups = texts(services, "services.loadBalancers.targetGroupArn");
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let input = json!({"TargetGroupArns": groups});
    let described = record.ask(Service::Elb, "DescribeTargetGroups", input).await?;
    for group in &groups {
        record.ask(Service::Elb, "DescribeTargetGroupAttributes", json!({"TargetGroupArn": group})).await?;
        record.ask(Service::Elb, "DescribeTargetHealth", json!({"TargetGroupArn": group})).await?;
    }
    let mut balancers = texts(&described, "TargetGroups.LoadBalancerArns");
    balancers.sort();
    balancers.dedup();
    let mut listeners = Vec::new();
    for balancer in &balancers {
        let input = json!({"LoadBalancerArns": [balancer]});
        record.ask(Service::Elb, "DescribeLoadBalancers", input).await?;
        let input = json!({"LoadBalancerArn": balancer});
        let described = record.ask(Service::Elb, "DescribeListeners", input).await?;
        listeners.extend(texts(&described, "Listeners.ListenerArn"));
    }
    for listener in &listeners {
        record.ask(Service::Elb, "DescribeRules", json!({"ListenerArn": listener})).await?;
    }
    Ok(listeners)
}

/// The scalable targets, policies and alarms.
async fn read_scaling(record: &mut Record<'_>, subject: &Subject) -> io::Result<()> {
    for service in &subject.services {
        let id = format!("service/{}/{service}", subject.cluster);
        let input = json!({"ServiceNamespace": "ecs", "ResourceIds": [id]});
        record.ask(Service::AutoScaling, "DescribeScalableTargets", input).await?;
        let input = json!({"ServiceNamespace": "ecs", "ResourceId": id});
        record.ask(Service::AutoScaling, "DescribeScalingPolicies", input).await?;
    }
    record.ask(Service::CloudWatch, "DescribeAlarms", json!({"MaxRecords": 20})).await?;
    Ok(())
}

/// The same reads for unknown names.
async fn read_unknown(record: &mut Record<'_>, subject: &Subject, listeners: &[String]) -> io::Result<()> {
    let Subject { cluster, .. } = subject;
    let input = json!({"cluster": cluster, "services": [UNKNOWN]});
    record.ask(Service::Ecs, "DescribeServices: unknown service", input).await?;
    let input = json!({"cluster": UNKNOWN, "services": [UNKNOWN]});
    record.ask(Service::Ecs, "DescribeServices: unknown cluster", input).await?;
    let input = json!({"taskDefinition": format!("{UNKNOWN}:1")});
    record.ask(Service::Ecs, "DescribeTaskDefinition: unknown family", input).await?;
    let input = json!({"cluster": cluster, "serviceName": UNKNOWN});
    record.ask(Service::Ecs, "ListTasks: unknown service", input).await?;
    let input = json!({"cluster": cluster, "service": UNKNOWN});
    record.ask(Service::Ecs, "ListServiceDeployments: unknown service", input).await?;
    if let Some(listener) = listeners.first() {
        // The last part of a listener's ARN is its id.
        let unknown = format!("{}0000000000000000", &listener[..listener.len().saturating_sub(16)]);
        record.ask(Service::Elb, "DescribeRules: unknown listener", json!({"ListenerArn": unknown})).await?;
        let input = json!({"ListenerArns": [unknown]});
        record.ask(Service::Elb, "DescribeListeners: unknown listener", input).await?;
    }
    record
        .ask(Service::Elb, "DescribeTargetGroups: unknown name", json!({"Names": ["ecs-blue-green-none"]}))
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_through_lists() {
        let value = json!({"services": [{"a": [{"b": "1"}, {"c": 2}]}, {"a": [{"b": "3"}]}]});
        assert_eq!(texts(&value, "services.a.b"), ["1", "3"]);
    }

    #[test]
    fn only_images_in_ecr_are_looked_up() {
        assert_eq!(ecr_image("public.ecr.aws/nginx/nginx:1"), None);
        let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1";
        let expected = json!({
            "registryId": "123456789012", "repositoryName": "shop/web", "imageIds": [{"imageTag": "v1"}],
        });
        assert_eq!(ecr_image(image), Some(expected));
    }
}
