//! Files that are no task definition. One sentence for each kind says how to fix the file.

use serde_json::{Map, Value};

use crate::config::document::{Format, Tree, parse_document};
use crate::config::quoting::TAB;

/// The message for a CloudFormation template.
const CLOUD_FORMATION: &str = "the file is a CloudFormation template: write only the properties of its \
    `AWS::ECS::TaskDefinition`, with keys that begin in lower case, such as `containerDefinitions`";

/// The message for the properties of a CloudFormation resource.
const CAPITALS: &str = "the keys begin with capital letters, as in CloudFormation: begin them in lower case, such as \
    `family` and `containerDefinitions`";

/// The message for a file that still holds a template's mark.
fn template_message(mark: &str) -> String {
    format!(
        "`{mark}` is left from a template: render the template in a step before this one, or write a fixed value and \
         give the inputs `image`, `environment` and `secrets`"
    )
}

/// The kind of an unreadable text, if the whole text shows the kind: the line, if there is one, and a sentence.
pub(super) fn explain_text(text: &str, format: Format) -> Option<(Option<usize>, String)> {
    if text.contains("AWSTemplateFormatVersion") || text.contains("AWS::ECS::TaskDefinition") {
        return Some((None, CLOUD_FORMATION.to_owned()));
    }
    let template_mark = |line: &str| ["{{", "{%", "<%"].into_iter().find(|mark| line.contains(mark));
    let marked = text.lines().zip(1..).find_map(|(line, number)| Some((number, template_mark(line)?)));
    if let Some((number, mark)) = marked {
        return Some((Some(number), template_message(mark)));
    }
    let is_yaml = || matches!(parse_document(text, Format::Yaml), Ok(Tree::Map(_)));
    let bracket = text.trim_start().starts_with(['{', '[', '"']);
    (format == Format::Json && !bracket && is_yaml())
        .then(|| (None, "the file holds YAML: rename it to end in `.yml`".to_owned()))
}

/// The problem in the one line that could not be read.
pub(super) fn explain_line(line: &str, format: Format) -> Option<String> {
    let start = line.trim_start();
    if format == Format::Yaml {
        let tab = line[..line.len() - start.len()].contains('\t');
        return tab.then(|| TAB.to_owned());
    }
    let bare = outside_strings(line);
    if let Some(mark) = ["//", "/*", "#"].into_iter().find(|mark| bare.contains(mark)) {
        return Some(format!("JSON has no comments: remove `{mark}` and its text"));
    }
    if bare.contains('$') {
        return Some(template_message("$"));
    }
    bare.contains('\'').then(|| "JSON takes only double quotes".to_owned())
}

/// A line of JSON without the text in its quotes.
fn outside_strings(line: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let mut bare = String::new();
    for letter in line.chars() {
        match letter {
            '"' if !escaped => inside = !inside,
            _ if !inside => bare.push(letter),
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
    }
    bare
}

/// The kind of a document that is no task definition, in one sentence.
pub(super) fn explain_document(value: &Value) -> Option<String> {
    let object = match value {
        Value::Object(object) => object,
        Value::Array(items) if items.iter().any(|item| item.get("image").is_some()) => {
            return Some(
                "the file is a list of containers: write it below `containerDefinitions`, next to `family`"
                    .to_owned(),
            );
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return None,
    };
    if object.contains_key("containerDefinitions") {
        return None;
    }
    let has = |key: &str| object.contains_key(key);
    if has("AWSTemplateFormatVersion") || object.get("Resources").is_some_and(Value::is_object) || has("Type")
    {
        return Some(CLOUD_FORMATION.to_owned());
    }
    if has("ContainerDefinitions") || has("Family") {
        return Some(CAPITALS.to_owned());
    }
    let others = [
        ("Resources", "an AppSpec file of CodeDeploy"),
        ("services", "a Compose file"),
        ("apiVersion", "a Kubernetes manifest"),
        ("resource", "a Terraform file"),
    ];
    if let Some((_, kind)) = others.iter().find(|(key, _)| has(key)) {
        return Some(format!(
            "the file is {kind}: a task definition with `family` and `containerDefinitions` is expected"
        ));
    }
    wrapper_key(object)
        .map(|key| format!("the task definition is below `{key}`: write its keys at the top level"))
}

/// The key that wraps a task definition, if any. `taskDefinition` is AWS's own.
fn wrapper_key(object: &Map<String, Value>) -> Option<&str> {
    let plain = |key: &str| key.to_lowercase().replace(['_', '-'], "") == "taskdefinition";
    let holds = |value: &Value| {
        value.get("containerDefinitions").is_some() || value.get("container_definitions").is_some()
    };
    let found = object
        .iter()
        .find(|(key, value)| *key != "taskDefinition" && value.is_object() && (plain(key) || holds(value)));
    found.map(|(key, _)| key.as_str()).filter(|key| key.len() <= 100)
}
