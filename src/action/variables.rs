//! The inputs `environment` and `secrets`: changes to the variables of containers. No value ever reaches a message.

use super::input_reader::InputReader;
use crate::config::document::Tree;
use crate::config::kinds::is_ecs_name;
use crate::config::quoting;
use crate::config::reader::{Node, Reader};
use crate::plan::arn::Arn;
use crate::plan::wanted::{EnvChange, Text};

/// The expected content, for the message about other content.
const WANTED: &str = "a mapping is expected, `NAME: text` a line";

/// The changes of `environment`.
pub(crate) fn read_environment(edge: &mut InputReader<'_>) -> Vec<EnvChange> {
    edge.yaml("environment", |reader, root| read_changes(reader, root, |_| Ok(()))).unwrap_or_default()
}

/// The changes of `secrets`.
pub(crate) fn read_secrets(edge: &mut InputReader<'_>) -> Vec<EnvChange> {
    edge.yaml("secrets", |reader, root| read_changes(reader, root, secret_source)).unwrap_or_default()
}

/// Checks for variables in both inputs: ECS refuses such a variable, and the intended value is unknown.
pub(crate) fn check_both(edge: &mut InputReader<'_>, environment: &[EnvChange], secrets: &[EnvChange]) {
    let meets = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    for secret in secrets.iter().filter(|secret| secret.value.is_some()) {
        let same = |change: &&EnvChange| change.name == secret.name && change.value.is_some();
        if environment.iter().filter(same).any(|change| meets(&change.container, &secret.container)) {
            edge.problem("secrets", format!("`{}` is set in `environment` too: keep one", secret.name));
        }
    }
}

/// Variables, or containers with their variables.
fn read_changes(
    reader: &mut Reader<'_>,
    root: &Node,
    check: fn(&str) -> Result<(), String>,
) -> Vec<EnvChange> {
    let mut found = Vec::new();
    for (name, node) in reader.entries(root, WANTED) {
        if !matches!(node.tree, Tree::Map(_)) {
            found.extend(read_change(reader, None, &name, &node, check));
            continue;
        }
        if !is_ecs_name(&name) {
            reader.problem(&node, "is not the name of a container: it has only letters, digits, `-` and `_`");
        }
        let variables = reader.entries(&node, WANTED);
        if node.tree == Tree::Map(Vec::new()) {
            let key = node.shown_key();
            let what = format!("has no variables: leave it out; for the text write `{key}: \"{{}}\"`");
            reader.problem(&node, what);
        }
        for (variable, node) in variables {
            found.extend(read_change(reader, Some(&name), &variable, &node, check));
        }
    }
    found
}

/// A variable.
fn read_change(
    reader: &mut Reader<'_>,
    container: Option<&str>,
    name: &str,
    node: &Node,
    check: fn(&str) -> Result<(), String>,
) -> Option<EnvChange> {
    if !is_name(name) {
        reader.problem(node, "is not the name of a variable: it has no `=` and no spaces");
        return None;
    }
    if let Some(what) = changed_by_yaml(reader, name, node) {
        reader.problem(node, what);
        return None;
    }
    let value = match node.tree == Tree::Null {
        true => None,
        false => Some(reader.parsed(node, |text| check(text).map(|()| Text::new(text)))?),
    };
    Some(EnvChange { container: container.map(str::to_owned), name: name.to_owned(), value })
}

/// YAML's change of a value that was meant as text, if any: only `null` removes a variable.
fn changed_by_yaml(reader: &mut Reader<'_>, name: &str, node: &Node) -> Option<String> {
    let read = match &node.tree {
        Tree::Null => None,
        Tree::Text(text) => Some(text.as_str()),
        Tree::Bool(_) | Tree::Whole(_) | Tree::Fraction(_) => return None,
        Tree::List(_) | Tree::Map(_) | Tree::Tagged(..) => return None,
    };
    quoting::yaml_change(node.shown_key(), reader.written(node, name), read)
}

/// True if a text can be the name of an environment variable.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control())
}

/// Checks a source from which ECS reads a secret (`valueFrom`): Secrets Manager by ARN, SSM by ARN, or by name in the
/// same region.
fn secret_source(value: &str) -> Result<(), String> {
    let known = match Arn::parse(value) {
        Some(arn) => match arn.service {
            "secretsmanager" => arn.resource.starts_with("secret:"),
            "ssm" => arn.resource.starts_with("parameter/"),
            _ => false,
        },
        None => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-/".contains(&b);
            !value.is_empty() && value.len() <= 1011 && value.bytes().all(plain)
        }
    };
    if known {
        return Ok(());
    }
    Err("is neither the ARN of a Secrets Manager secret or SSM parameter nor a parameter's name; \
         the secret itself does not belong here"
        .to_owned())
}
