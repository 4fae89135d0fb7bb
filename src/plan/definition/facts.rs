//! The facts of a definition that other parts of the program read.

use serde_json::{Map, Value};

use super::content::Content;
use crate::plan::problem::Problem;
use crate::plan::suggestion::nearest_word;

/// The log group of a container with the driver `awslogs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogGroup {
    /// The container's name.
    pub(crate) container: String,
    /// The CloudWatch log group.
    pub(crate) group: String,
    /// The group's region. `None`: the task's own region.
    pub(crate) region: Option<String>,
    /// The prefix of the stream's name: `PREFIX/CONTAINER/TASK-ID` (awslogs log driver). Without a prefix, streams are
    /// named by container ids and can't be linked.
    pub(crate) stream_prefix: Option<String>,
}

/// The family. Empty if the definition has none.
pub(crate) fn family_name(content: &Content) -> &str {
    content.object().get("family").and_then(Value::as_str).unwrap_or_default()
}

/// ARNs of the execution role and the task role, as far as the definition has them.
pub(crate) fn role_arns(content: &Content) -> Vec<&str> {
    ["executionRoleArn", "taskRoleArn"]
        .iter()
        .filter_map(|key| content.object().get(*key)?.as_str())
        .collect()
}

/// The image of a container, as written in the definition.
pub(crate) fn image_of(content: &Content, container: &str) -> Option<String> {
    content.container(container).and_then(|found| text_field(found, "image")).map(str::to_owned)
}

/// The containers' names, in the definition's order.
pub(crate) fn container_names(content: &Content) -> Vec<&str> {
    content.containers().filter_map(|container| text_field(container, "name")).collect()
}

/// The ports that a container maps, in order. Ranges are left out: a load balancer can't name a range.
pub(crate) fn container_ports(content: &Content, container: &str) -> Vec<u64> {
    let mappings = content.container(container).and_then(|c| c.get("portMappings")).and_then(Value::as_array);
    mappings.into_iter().flatten().filter_map(|mapping| mapping["containerPort"].as_u64()).collect()
}

/// The log group of each container with the driver `awslogs`, for links.
pub(crate) fn log_groups(content: &Content) -> Vec<LogGroup> {
    content.containers().filter_map(log_group).collect()
}

/// The problem if the definition lacks the container or port of the service's load balancer. UpdateService would refuse
/// such a definition.
pub(crate) fn load_balancer_problem(content: &Content, container: &str, port: u64) -> Option<Problem> {
    if content.container(container).is_none() {
        let what =
            format!("the service's load balancer sends to it, and {}", missing_container(content, container));
        return Some(Problem::new(format!("container {container}"), what));
    }
    let ports = container_ports(content, container);
    if ports.contains(&port) {
        return None;
    }
    let has = match ports.as_slice() {
        [] => "it maps none".to_owned(),
        ports => format!("it maps {}", ports.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    };
    let what = format!("the service's load balancer sends to its port {port}, and {has}");
    Some(Problem::new(format!("container {container}"), what))
}

/// The clause that lists the existing containers and the nearest name.
pub(super) fn missing_container(content: &Content, name: &str) -> String {
    let names = container_names(content);
    let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match nearest_word(name, names.iter().copied()) {
        Some(suggestion) if names.len() > 1 => {
            format!(
                "the task definition has no container `{name}`, it has {list}; did you mean `{suggestion}`?"
            )
        }
        Some(_) | None if names.is_empty() => {
            format!("the task definition has no container `{name}`, it has none")
        }
        Some(_) | None => format!("the task definition has no container `{name}`, it has {list}"),
    }
}

/// A container's log group, if its driver is `awslogs`.
fn log_group(container: &Map<String, Value>) -> Option<LogGroup> {
    let log = container.get("logConfiguration")?;
    if log["logDriver"].as_str() != Some("awslogs") {
        return None;
    }
    let option = |key: &str| log["options"][key].as_str().map(str::to_owned);
    Some(LogGroup {
        container: text_field(container, "name")?.to_owned(),
        group: option("awslogs-group")?,
        region: option("awslogs-region"),
        stream_prefix: option("awslogs-stream-prefix"),
    })
}

/// The text of a key.
fn text_field<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn content() -> Content {
        Content::from_described(json!({"family": "shop", "containerDefinitions": [
            {"name": "web", "portMappings": [{"containerPort": 8080}, {"containerPortRange": "1-2"}],
             "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "web"}}},
            {"name": "envoy", "essential": false,
             "logConfiguration": {"logDriver": "splunk", "options": {"awslogs-group": "x"}}},
        ]}))
        .unwrap()
    }

    #[test]
    fn facts_are_read_from_the_definition() {
        let content = content();
        assert_eq!(family_name(&content), "shop");
        assert_eq!(container_names(&content), ["web", "envoy"]);
        assert_eq!(container_ports(&content, "web"), [8080]);
        assert_eq!(container_ports(&content, "nobody"), [0; 0]);
        let log = LogGroup {
            container: "web".into(),
            group: "/ecs/web".into(),
            region: Some("eu-west-1".into()),
            stream_prefix: Some("web".into()),
        };
        assert_eq!(log_groups(&content), [log]);
    }

    #[test]
    fn a_definition_that_the_load_balancer_can_not_use_is_told() {
        let told = |container, port| {
            load_balancer_problem(&content(), container, port).map(|problem| problem.to_string())
        };
        assert_eq!(told("web", 8080), None);
        assert_eq!(
            told("web", 80).unwrap(),
            "container web: the service's load balancer sends to its port 80, and it maps 8080"
        );
        assert_eq!(
            told("envoy", 80).unwrap(),
            "container envoy: the service's load balancer sends to its port 80, and it maps none"
        );
        assert_eq!(
            told("wen", 80).unwrap(),
            "container wen: the service's load balancer sends to it, and the task definition has no container `wen`, \
             it has `web`, `envoy`; did you mean `web`?"
        );
    }

    #[test]
    fn a_container_that_is_not_there_is_told_with_those_that_are() {
        let told = |names: &[&str], wanted: &str| {
            let containers: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
            let content = Content::from_described(json!({"containerDefinitions": containers})).unwrap();
            missing_container(&content, wanted)
        };
        let none = "the task definition has no container";
        assert_eq!(told(&[], "wen"), format!("{none} `wen`, it has none"));
        assert_eq!(
            told(&["web"], "wen"),
            format!("{none} `wen`, it has `web`"),
            "the only one needs no guess"
        );
        let two = format!("{none} `wen`, it has `web`, `envoy`; did you mean `web`?");
        assert_eq!(told(&["web", "envoy"], "wen"), two);
        assert_eq!(told(&["web", "envoy"], "database"), format!("{none} `database`, it has `web`, `envoy`"));
    }
}
