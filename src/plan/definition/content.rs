//! A task definition's content: the registered keys, without the keys that AWS adds to the description of a revision.

use std::collections::HashSet;
use std::fmt;

use serde_json::{Map, Value};

pub(crate) use super::text::Format;
use super::text::{TOP, read_text};
use super::{facts, mistaken, placeholder, schema};
use crate::plan::problem::Problem;

/// Keys that DescribeTaskDefinition returns and RegisterTaskDefinition does not take (both in the API model
/// of ECS).
const DESCRIBE_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// The registrable content of a task definition as a raw JSON object. The content holds environment values, so there is
/// no `Display`, and `Debug` shows the family alone.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Content(Map<String, Value>);

impl Content {
    /// The content of a described revision. The input is the task definition itself, or DescribeTaskDefinition's whole
    /// answer, whose tags are then kept.
    pub(crate) fn from_described(value: Value) -> Result<Content, Problem> {
        match value {
            Value::Object(object) => Ok(Content(without_describe_keys(unwrap_description(object)))),
            other => {
                Err(Problem::new(TOP, format!("must be an object, found {}", schema::value_kind(&other))))
            }
        }
    }

    /// Reads a task-definition file: the input of `aws ecs register-task-definition --cli-input-json`, or the output of
    /// `aws ecs describe-task-definition`, whose describe-only keys are dropped. The place of a problem is a path in
    /// the definition, or the line and column of a syntax error. The caller adds the file's name.
    pub(crate) fn from_text(text: &str, format: Format) -> Result<Content, Vec<Problem>> {
        let value = read_text(text, format)?;
        if let Some(what) = mistaken::explain_document(&value) {
            return Err(vec![Problem::new(TOP, what)]);
        }
        let content = Content::from_described(value).map_err(|problem| vec![problem])?;
        let mut problems = schema::schema_problems(&content);
        problems.extend(missing_fields(&content));
        problems.extend(placeholder::placeholder_problems(&content));
        if problems.is_empty() { Ok(content) } else { Err(problems) }
    }

    /// The content of a file. The extension of the name decides the format. Every problem begins with the name.
    pub(crate) fn of_file(name: &str, text: &str) -> Result<Content, Vec<Problem>> {
        let Some(format) = Format::of(name) else {
            let what = format!("`{name}` is no .json, .yml or .yaml file");
            return Err(vec![Problem::new("input task-definition", what)]);
        };
        Content::from_text(text, format).map_err(|problems| in_file(name, problems))
    }

    /// The object to send to RegisterTaskDefinition.
    pub(crate) fn object(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The same, mutable.
    pub(crate) fn object_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// The container definitions that are objects, in order.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let list = self.0.get("containerDefinitions").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_object)
    }

    /// The values of the environment variables of all containers, secret or not.
    pub(crate) fn environment_values(&self) -> impl Iterator<Item = &str> {
        let variables = self.containers().filter_map(|container| container.get("environment")?.as_array());
        variables.flatten().filter_map(|variable| variable.get("value")?.as_str())
    }

    /// The container definitions, mutable.
    pub(super) fn containers_mut(&mut self) -> impl Iterator<Item = &mut Map<String, Value>> {
        let list = self.0.get_mut("containerDefinitions").and_then(Value::as_array_mut);
        list.into_iter().flatten().filter_map(Value::as_object_mut)
    }

    /// The container definition of this name.
    pub(super) fn container(&self, name: &str) -> Option<&Map<String, Value>> {
        self.containers().find(|container| is_named(container, name))
    }

    /// The same, mutable.
    pub(super) fn container_mut(&mut self, name: &str) -> Option<&mut Map<String, Value>> {
        self.containers_mut().find(|container| is_named(container, name))
    }
}

/// The family alone: a panic or a log line must not show environment values.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({})", facts::family_name(self))
    }
}

/// Problems of a definition that was read from a file of this name.
pub(crate) fn in_file(name: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let named = |problem: Problem| Problem::new(format!("{name}: {}", problem.place), problem.what);
    problems.into_iter().map(named).collect()
}

/// True if a container definition has this name.
fn is_named(container: &Map<String, Value>, name: &str) -> bool {
    container.get("name").and_then(Value::as_str) == Some(name)
}

/// The task definition inside DescribeTaskDefinition's answer, `{"taskDefinition": {…}, "tags": […]}`, with the tags
/// that may be registered again: AWS reserves the prefix `aws:` (API_Tag). Any other object is returned unchanged.
fn unwrap_description(mut object: Map<String, Value>) -> Map<String, Value> {
    if object.contains_key("containerDefinitions")
        || !object.get("taskDefinition").is_some_and(Value::is_object)
    {
        return object;
    }
    let tags = object.shift_remove("tags");
    let Some(Value::Object(mut inner)) = object.shift_remove("taskDefinition") else { return object };
    if let Some(Value::Array(mut tags)) = tags {
        let reserved = |tag: &Value| tag["key"].as_str().is_some_and(|key| key.starts_with("aws:"));
        tags.retain(|tag| !reserved(tag));
        if !tags.is_empty() {
            inner.insert("tags".to_owned(), Value::Array(tags));
        }
    }
    inner
}

/// The object without the describe-only keys; the others keep their order.
fn without_describe_keys(mut object: Map<String, Value>) -> Map<String, Value> {
    object.retain(|key, _| !DESCRIBE_ONLY.contains(&key.as_str()));
    object
}

/// Missing required parts: the family, containers, and a unique name for each container.
fn missing_fields(content: &Content) -> Vec<Problem> {
    let mut problems = Vec::new();
    match content.0.get("family") {
        None | Some(Value::Null) => {
            problems.push(Problem::new("family", "is missing; it names the task definition"))
        }
        Some(Value::String(family)) if family.is_empty() => {
            problems.push(Problem::new("family", "is empty; it names the task definition"));
        }
        // The schema's check reports a wrong kind.
        Some(_) => {}
    }
    match content.0.get("containerDefinitions") {
        None | Some(Value::Null) => {
            problems.push(Problem::new(
                "containerDefinitions",
                "is missing; a task needs at least one container",
            ));
        }
        Some(Value::Array(list)) if list.is_empty() => {
            problems
                .push(Problem::new("containerDefinitions", "is empty; a task needs at least one container"));
        }
        Some(Value::Array(list)) => problems.extend(unnamed_containers(list)),
        Some(_) => {}
    }
    problems
}

/// Containers without a name, or with the name of an earlier container.
fn unnamed_containers(containers: &[Value]) -> Vec<Problem> {
    let mut seen = HashSet::new();
    let mut problems = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        let Some(container) = container.as_object() else { continue };
        let place = format!("containerDefinitions[{i}].name");
        match container.get("name") {
            None | Some(Value::Null) => {
                problems.push(Problem::new(place, "is missing; each container has one"))
            }
            Some(Value::String(name)) if !seen.insert(name) => {
                problems
                    .push(Problem::new(place, format!("`{name}` is the name of an earlier container, too")));
            }
            Some(_) => {}
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::plan::definition::model;

    fn problems(text: &str, format: Format) -> Vec<String> {
        let problems = Content::from_text(text, format).expect_err(text);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn describe_output_is_read_without_what_aws_added() {
        let described = json!({"taskDefinition": {
            "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:7", "revision": 7,
            "status": "ACTIVE", "requiresAttributes": [], "compatibilities": ["EC2"], "registeredAt": 1.0,
            "registeredBy": "x", "deregisteredAt": 1.0, "deleteRequestedAt": 1.0,
            "family": "shop", "fieldOfNextYear": {"a": [1, 2.50]},
            "containerDefinitions": [{"name": "web", "image": "web:v1"}],
        }, "tags": [{"key": "aws:cloudformation:stack-id", "value": "x"}, {"key": "team", "value": "shop"}]});
        let expected = r#"{"family":"shop","fieldOfNextYear":{"a":[1,2.5]},"containerDefinitions":[{"name":"web","image":"web:v1"}],"tags":[{"key":"team","value":"shop"}]}"#;
        let text = described.to_string();
        for content in [
            Content::from_described(described).unwrap(),
            Content::from_text(&text, Format::Json).unwrap(),
            Content::from_text(&text, Format::Yaml).unwrap(),
        ] {
            assert_eq!(serde_json::to_string(content.object()).unwrap(), expected);
        }
    }

    #[test]
    fn a_definition_must_name_itself_and_its_containers() {
        assert_eq!(problems("[]", Format::Json), ["(top level): must be an object, found a list"]);
        assert_eq!(problems("# nothing\n", Format::Yaml), ["(top level): must be an object, found null"]);
        assert_eq!(problems(" \n", Format::Yaml), ["(top level): the file is empty"]);
        assert_eq!(problems("\u{feff}", Format::Json), ["(top level): the file is empty"]);
        assert_eq!(
            problems("{}", Format::Json),
            [
                "family: is missing; it names the task definition",
                "containerDefinitions: is missing; a task needs at least one container"
            ]
        );
        assert_eq!(
            problems("family: ''\ncontainerDefinitions: []", Format::Yaml),
            [
                "family: is empty; it names the task definition",
                "containerDefinitions: is empty; a task needs at least one container"
            ]
        );
        assert_eq!(
            problems("family: f\ncontainerDefinitions:\n- image: a\n- name: b\n- name: b", Format::Yaml),
            [
                "containerDefinitions[0].name: is missing; each container has one",
                "containerDefinitions[2].name: `b` is the name of an earlier container, too"
            ]
        );
    }

    #[test]
    fn every_problem_of_a_file_begins_with_its_name() {
        let told = |name: &str, text: &str| {
            let read = Content::of_file(name, text).map(|content| content.object().len());
            read.map_err(|problems| problems.iter().map(Problem::to_string).collect::<Vec<_>>())
        };
        let fine = "family: shop\ncontainerDefinitions: [{ name: web }]";
        assert_eq!(told("deploy/task.yml", fine), Ok(2));
        let both = [
            "task.json: family: is missing; it names the task definition",
            "task.json: containerDefinitions: is missing; a task needs at least one container",
        ];
        assert_eq!(told("task.json", "{}"), Err(both.map(str::to_owned).to_vec()));
        let what = "input task-definition: `task.txt` is no .json, .yml or .yaml file";
        assert_eq!(told("task.txt", fine), Err(vec![what.to_owned()]));
    }

    #[test]
    fn syntax_errors_have_a_line_and_a_column() {
        let json = |text: &str| problems(text, Format::Json);
        assert_eq!(
            json("{\"family\": "),
            ["line 1, column 11: the file ends too early: a bracket or a quotation mark is not closed"]
        );
        assert_eq!(
            json("{\"family\": \"f\",\n}"),
            ["line 2, column 1: the comma before a closing bracket must go"]
        );
        assert_eq!(json("{}{}"), ["line 1, column 3: the definition has ended, and more text follows"]);
        assert_eq!(
            json("{\"family\": \"f\",\n \"family\": \"g\"}"),
            ["line 2, column 9: the key `family` is given twice"]
        );
        let yaml = |text: &str| problems(text, Format::Yaml);
        assert_eq!(yaml("family: f\nfamily: g\n"), ["line 1, column 1: the key `family` is given twice"]);
        assert_eq!(yaml("'a: b': 1\n'a: b': 1"), ["line 1, column 1: the key `a: b` is given twice"]);
        assert_eq!(
            yaml("containerDefinitions:\n- environment:\n  - name: A\n    name: B\n"),
            ["line 3, column 5: the key `name` is given twice"]
        );
        assert_eq!(yaml("a: [b\nc: d\n"), ["line 2, column 2: a comma or the closing `]` is missing"]);
        assert_eq!(
            yaml("a:\n\tb: 1\n"),
            ["line 2, column 1: the line is indented with a tab, and YAML takes only spaces"]
        );
        assert_eq!(
            yaml("a: 1\n---\nb: 1\n"),
            ["(top level): there are several documents with `---` between them: keep one"]
        );
        assert_eq!(yaml("a: *x\n"), ["line 1, column 4: text that begins with `*` must be in quotes"]);
    }

    #[test]
    fn yaml_that_json_can_not_say_is_refused() {
        assert_eq!(
            problems("family: !Sub x\n8080: 1\ntrue: 1\ncpu: .nan\n[a]: 1\n", Format::Yaml),
            [
                "family: the tag `!Sub` has no meaning here; write the value itself",
                "(top level): the key 8080 is a number; put it in quotes: \"8080\"",
                "(top level): the key true is a boolean; put it in quotes: \"true\"",
                "cpu: infinity and not-a-number can't be sent to AWS",
                "(top level): a key is not text; put it in quotes",
            ]
        );
    }

    #[test]
    fn anchors_and_merge_keys_are_applied() {
        let text = "x-web: &web { image: 'web:v1', essential: false }\nfamily: &f shop\ncontainerDefinitions:\n- <<: *web\n  name: *f\n  essential: true\n";
        let content = Content::from_text(text, Format::Yaml).unwrap();
        let web = Value::Object(content.container("shop").unwrap().clone());
        assert_eq!(web, json!({"image": "web:v1", "essential": true, "name": "shop"}));
        assert_eq!(
            problems("a:\n  <<: 1\n", Format::Yaml),
            [
                "(top level): couldn't apply a merge key `<<`: expected a mapping or list of mappings for merging, but found scalar"
            ]
        );
    }

    #[test]
    fn a_file_s_name_says_its_format() {
        assert_eq!(Format::of("deploy/task.json"), Some(Format::Json));
        assert_eq!(Format::of("task.YAML"), Some(Format::Yaml));
        assert_eq!(Format::of("task.yml"), Some(Format::Yaml));
        assert_eq!(Format::of("task.txt"), None);
        assert_eq!(Format::of("task"), None);
    }

    #[test]
    fn invariant_32_debug_shows_no_value() {
        let definition =
            json!({"family": "shop", "containerDefinitions": [{"environment": [{"value": "hunter2"}]}]});
        assert_eq!(format!("{:?}", Content::from_described(definition).unwrap()), "Content(shop)");
    }

    proptest! {
        #[test]
        fn both_formats_read_json_alike(value in model::any_json()) {
            let text = value.to_string();
            prop_assert_eq!(&read_text(&text, Format::Json).unwrap(), &value);
            prop_assert_eq!(&read_text(&text, Format::Yaml).unwrap(), &value);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-{}\\[\\]:,\"'a-c&*!|>#\n 0-9]{0,60}") {
            let _ = Content::from_text(&text, Format::Json);
            let _ = Content::from_text(&text, Format::Yaml);
        }

        #[test]
        fn no_json_makes_it_panic(value in model::any_json()) {
            let _ = Content::from_text(&value.to_string(), Format::Json);
            let _ = Content::from_described(value);
        }
    }
}
