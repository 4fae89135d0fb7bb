//! Task definitions that a deploy refuses: a file that is wrong by itself before AWS is asked, one that does not fit
//! the service before anything is written.

use crate::common::refused::{answer, refused};
use crate::common::{Action, Done, stack, writes};
use serde_json::{Value, json};
use testbed::Testbed;
use testbed::sample::{Sample, task_definition};

/// A deploy to the sample stack.
fn deploy(bed: &Testbed) -> Action {
    Action::new(bed, "deploy")
}

/// The words of a bad input.
fn bad(what: &str) -> String {
    format!("{what}\nNothing was changed in AWS. Correct it, then run again.")
}

#[test]
fn a_container_that_is_not_there_is_named_with_those_that_are() {
    let (bed, sample) = stack();
    let image = format!("web: {}", sample.image("v2"));
    let done = refused(&bed, deploy(&bed).input("image", &image), "bad-input");
    assert_eq!(answer(&done), bad("input image: the task definition has no container `web`, it has `app`"));
    let action = deploy(&bed).input("environment", "ap:\n  A: b").input("secrets", "sidecar:\n  C: name");
    let done = refused(&bed, action, "bad-input");
    assert_eq!(
        answer(&done),
        bad("2 problems:\n\
             1. input environment: the task definition has no container `ap`, it has `app`\n\
             2. input secrets: the task definition has no container `sidecar`, it has `app`")
    );
}

/// The sample's task definition for green, changed.
fn definition(sample: &Sample, change: impl FnOnce(&mut Value)) -> String {
    let mut definition = task_definition("web-green", &sample.image("v2"), false);
    change(&mut definition);
    definition.to_string()
}

/// A deploy from a task-definition file that is refused as bad input, for what it is by itself.
#[track_caller]
fn from_file(name: &str, text: &str) -> Done {
    let bed = Testbed::start(testbed::Options::default()).expect("the testbed starts");
    let action = deploy(&bed).file(name, text).input("task-definition", name);
    let done = refused(&bed, action, "bad-input");
    assert!(bed.calls().is_empty(), "AWS was asked: {:?}", bed.calls());
    done
}

#[test]
fn typos_and_wrong_types_in_a_task_definition_are_all_named() {
    let (_, sample) = stack();
    let text = definition(&sample, |definition| {
        definition["netwrokMode"] = json!("awsvpc");
        definition["cpu"] = json!(256);
        definition["containerDefinitions"][0]["enviroment"] = json!([{ "name": "A", "value": "PLANTED" }]);
        definition["containerDefinitions"][0]["essential"] = json!("yes");
        definition["containerDefinitions"][0]["portMappings"][0]["containerPort"] = json!("8080");
        definition["containerDefinitions"][0]["environment"][0]["value"] = json!(1.10);
        definition["somethingThatAwsInventsLater"] = json!({ "a": 1 });
    });
    let done = from_file("task.json", &text);
    assert_eq!(
        answer(&done),
        bad("6 problems:\n\
             1. task.json: cpu: must be text, found a number; write the task's cpu in quotes: \"256\"\n\
             2. task.json: containerDefinitions[0].essential: must be true or false, found text; write true without quotes\n\
             3. task.json: containerDefinitions[0].portMappings[0].containerPort: must be a whole number, found text; remove the quotes\n\
             4. task.json: containerDefinitions[0].environment[0].value: must be text, found a number; put the value in quotes\n\
             5. task.json: containerDefinitions[0].enviroment: unknown key; did you mean `environment`?\n\
             6. task.json: netwrokMode: unknown key; did you mean `networkMode`?")
    );
    assert!(!done.log.contains("PLANTED"));
}

#[test]
fn a_task_definition_in_yaml_keeps_its_text() {
    let text = "family: web-green\ncpu: 256\nmemory: 512\ncontainerDefinitions:\n  - name: app\n    image: nginx\n    environment:\n      - { name: VERSION, value: 1.10 }\n";
    let done = from_file("task.yml", text);
    assert_eq!(
        answer(&done),
        bad("3 problems:\n\
             1. task.yml: cpu: must be text, found a number; write the task's cpu in quotes: \"256\"\n\
             2. task.yml: memory: must be text, found a number; write the task's memory in quotes: \"512\"\n\
             3. task.yml: containerDefinitions[0].environment[0].value: must be text, found a number; put the value in quotes")
    );
}

#[test]
fn a_task_definition_file_with_wrong_syntax_has_line_and_column() {
    let done = from_file("task.json", "{\n  \"family\": \"web\",\n}\n");
    assert_eq!(answer(&done), bad("task.json: line 3, column 1: the comma before a closing bracket must go"));
    let done = from_file("task.yml", "family: web\ncontainerDefinitions: [\n");
    assert_eq!(
        answer(&done),
        bad("task.yml: line 3, column 1: a value is missing, or a bracket is not closed")
    );
    let done = from_file("twice.json", "{ \"family\": \"a\", \"family\": \"b\" }");
    assert_eq!(answer(&done), bad("twice.json: line 1, column 25: the key `family` is given twice"));
    let done = from_file("list.yml", "- a\n");
    assert_eq!(answer(&done), bad("list.yml: (top level): must be an object, found a list"));
}

#[test]
fn a_task_definition_without_what_the_service_needs_is_refused() {
    let (bed, sample) = stack();
    let with = |text: &str| deploy(&bed).file("task.json", text).input("task-definition", "task.json");
    let renamed =
        definition(&sample, |definition| definition["containerDefinitions"][0]["name"] = json!("web"));
    let done = refused(&bed, with(&renamed), "bad-input");
    assert_eq!(
        answer(&done),
        bad(
            "container app: the service's load balancer sends to it, and the task definition has no container `app`, it has `web`"
        )
    );
    let port = definition(&sample, |definition| {
        definition["containerDefinitions"][0]["portMappings"][0]["containerPort"] = json!(9090);
    });
    let done = refused(&bed, with(&port), "bad-input");
    assert_eq!(
        answer(&done),
        bad("container app: the service's load balancer sends to its port 8080, and it maps 9090")
    );
}

#[test]
fn a_task_definition_that_does_not_exist_is_named() {
    let (bed, _) = stack();
    let see = "See: aws ecs list-task-definition-families --status ACTIVE";
    for which in ["web-gren", "web-green:99"] {
        let done = refused(&bed, deploy(&bed).input("task-definition", which), "bad-input");
        let what = format!(
            "input task-definition: `{which}` is no active task definition in eu-west-1, account 123456789012. {see}"
        );
        assert_eq!(answer(&done), bad(&what));
    }
    let done = refused(&bed, deploy(&bed).input("task-definition", "deploy/task.json"), "bad-input");
    assert_eq!(
        answer(&done),
        bad(
            "input task-definition: `deploy/task.json` does not exist: is actions/checkout among the steps before?"
        )
    );
}

/// Places in a task-definition file with a value that AWS alone refuses, and its words.
const REFUSED_BY_AWS: [(&str, &str, &str); 5] = [
    (
        "/containerDefinitions/0/healthCheck",
        r#"{ "command": ["CMD", "true"], "interval": 1 }"#,
        "Container.healthCheck.interval must be a value between 5 and 300.",
    ),
    (
        "/containerDefinitions/0/dependsOn",
        r#"[{ "containerName": "db", "condition": "START" }]"#,
        "Cannot depend on container + 'db' because it does not exist",
    ),
    (
        "/containerDefinitions/0/mountPoints",
        r#"[{ "sourceVolume": "data", "containerPath": "/data" }]"#,
        "Unknown volume 'data'.",
    ),
    ("/networkMode", r#""vpc""#, "Network mode 'vpc' is not valid."),
    ("/memory", r#""768""#, "No Fargate configuration exists for given values: 256 CPU, 768 memory."),
];

#[test]
fn a_task_definition_that_aws_refuses_leaves_everything_untouched_and_says_why() {
    let (bed, sample) = stack();
    for (place, value, words) in REFUSED_BY_AWS {
        bed.clear_calls();
        let text = definition(&sample, |definition| {
            let (parent, key) = place.rsplit_once('/').unwrap();
            definition.pointer_mut(parent).unwrap()[key] = serde_json::from_str(value).unwrap();
        });
        let done = deploy(&bed).file("task.json", &text).input("task-definition", "task.json").run();
        done.expect(1, "failed", "aws", "untouched");
        let refusal = "AWS refused `ecs:RegisterTaskDefinition` on `web-green` (ClientException): ";
        let errors: Vec<&str> = done.log.lines().filter(|line| line.starts_with("::error ")).collect();
        assert!(errors.len() == 1 && errors[0].contains(&format!("{refusal}{words}")), "{errors:#?}");
        assert!(errors[0].contains("Correct what AWS names, then run again."), "{errors:#?}");
        assert_eq!(writes(&bed), ["ecs RegisterTaskDefinition web-green"]);
    }
}

#[test]
fn a_placeholder_in_the_current_revision_is_refused_when_no_input_sets_the_image() {
    let (bed, sample) = stack();
    bed.world(|world| {
        for definition in world.ecs.definitions.iter_mut().filter(|one| one.family == "web-green") {
            definition.body["containerDefinitions"][0]["image"] = json!("<IMAGE1_NAME>");
        }
    });
    let done = refused(&bed, deploy(&bed).input("environment", "A: b"), "bad-input");
    assert!(answer(&done).contains("`<IMAGE1_NAME>` is a placeholder"), "{}", answer(&done));
    deploy(&bed).input("image", &sample.image("v2")).run().expect(0, "succeeded", "", "changed");
}
