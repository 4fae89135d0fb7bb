use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::definition::model;

fn problems(text: &str, format: Format) -> Vec<String> {
    let problems = parse_definition(text, format).expect_err(text);
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
        parse_definition(&text, Format::Json).unwrap(),
        parse_definition(&text, Format::Yaml).unwrap(),
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
        let read = read_definition_file(name, text).map(|content| content.object().len());
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
        problems("cpu: 99999999999999999999\n", Format::Yaml)[0],
        "cpu: a number of more than 64 bits can't be sent to AWS"
    );
    assert_eq!(
        problems("family: !Sub x\n8080: 1\ntrue: 1\ncpu: .nan\n[a]: 1\n", Format::Yaml),
        [
            "family: a tag such as `!Ref` is not supported here; text that begins with `!` must be in quotes",
            "(top level): the key 8080 is a number; put it in quotes: \"8080\"",
            "(top level): the key true is a boolean; put it in quotes: \"true\"",
            "cpu: infinity and not-a-number can't be sent to AWS",
            "(top level): a key is not text; put it in quotes",
        ]
    );
}

#[test]
fn values_of_variables_that_yaml_changes_are_refused_with_the_line_to_write() {
    let told = |list: &str, entry: &str| {
        let text = format!(
            "family: shop\ncontainerDefinitions:\n  - name: web\n    image: web:v1\n    {list}:\n      - name: A\n        {entry}\n"
        );
        parse_definition(&text, Format::Yaml).map(|_| ()).map_err(|problems| problems[0].to_string())
    };
    let first = |key: &str, sign: &str| {
        format!("a value that begins with `{sign}` must be in quotes in YAML, as in `{key}: \"{sign}…\"`")
    };
    let joined = |key: &str| {
        format!(
            "the value goes on in the next line, and YAML joins lines by a space: write `{key}: \"…\"` in one line, or `{key}: |` above the lines"
        )
    };
    for (list, key) in [("environment", "value"), ("secrets", "valueFrom")] {
        let place = format!("containerDefinitions[0].{list}[0].{key}");
        for (written, what) in [
            ("!!x rest", first(key, "!")),
            ("!tag", first(key, "!")),
            ("!tag rest", first(key, "!")),
            ("!<x> rest", first(key, "!")),
            ("&x rest", first(key, "&")),
            ("a\n          b", joined(key)),
            ("'a\n          b'", joined(key)),
            ("\"a\n          b\"", joined(key)),
            (
                "a #b",
                format!(
                    "YAML takes the part from ` #` on for a comment: write `{key}: \"…\"`, or a space after `#` if it is one"
                ),
            ),
            (
                "#fff",
                format!(
                    "has no value, because YAML takes what begins with `#` for a comment: write `{key}: \"#…\"`"
                ),
            ),
        ] {
            assert_eq!(
                told(list, &format!("{key}: {written}")),
                Err(format!("{place}: {what}")),
                "{written}"
            );
        }
        for written in
            ["a", "\"#fff\"", "'a b'", "a # why", "|\n          a\n          b", "&x a\n        other: *x"]
        {
            assert_eq!(told(list, &format!("{key}: {written}")), Ok(()), "{written}");
        }
    }
}

#[test]
fn anchors_and_merge_keys_are_applied() {
    let text = "x-web: &web { image: 'web:v1', essential: false }\nfamily: &f shop\ncontainerDefinitions:\n- <<: *web\n  name: *f\n  essential: true\n";
    let content = parse_definition(text, Format::Yaml).unwrap();
    let web = &content.object()["containerDefinitions"][0];
    assert_eq!(*web, json!({"image": "web:v1", "essential": true, "name": "shop"}));
    let merge = |value: &str| {
        let told = problems(&format!("a:\n  <<: {value}\n"), Format::Yaml).remove(0);
        told.strip_prefix("(top level): couldn't apply a merge key `<<`: ").unwrap().to_owned()
    };
    assert_eq!(merge("1"), "expected a mapping or list of mappings for merging, but found scalar");
    assert_eq!(merge("[1]"), "expected a mapping for merging, but found scalar");
    assert_eq!(merge("[[]]"), "expected a mapping for merging, but found sequence");
}

#[test]
fn a_file_s_name_says_its_format() {
    assert_eq!(Format::of("deploy/task.json"), Some(Format::Json));
    assert_eq!(Format::of("task.YAML"), Some(Format::Yaml));
    assert_eq!(Format::of("task.yml"), Some(Format::Yaml));
    assert_eq!(Format::of("task.txt"), None);
    assert_eq!(Format::of("task"), None);
}

proptest! {
    #[test]
    fn both_formats_read_json_alike(value in model::any_json()) {
        let text = value.to_string();
        prop_assert_eq!(&parse_value(&text, Format::Json).unwrap().0, &value);
        prop_assert_eq!(&parse_value(&text, Format::Yaml).unwrap().0, &value);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-{}\\[\\]:,\"'a-c&*!|>#\n 0-9]{0,60}") {
        let _ = parse_definition(&text, Format::Json);
        let _ = parse_definition(&text, Format::Yaml);
    }

    #[test]
    fn no_json_makes_it_panic(value in model::any_json()) {
        let _ = parse_definition(&value.to_string(), Format::Json);
    }
}
