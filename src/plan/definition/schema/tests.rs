use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::definition::model;

fn told(value: Value) -> Vec<String> {
    let problems = schema_problems(&Content::from_described(value).unwrap());
    problems.iter().map(Problem::to_string).collect()
}

/// A file with this container and these lines at the top, as YAML.
fn yaml(container: &str, top: &str) -> Vec<String> {
    let text = format!("family: shop\ncontainerDefinitions:\n- {{ name: web, {container} }}\n{top}");
    told(serde_yaml::from_str(&text).unwrap())
}

#[test]
fn a_key_within_two_letters_of_a_known_one_is_a_typo() {
    assert_eq!(
        yaml("enviroment: []", ""),
        ["containerDefinitions[0].enviroment: unknown key; did you mean `environment`?"]
    );
    assert_eq!(yaml("Image: x", ""), ["containerDefinitions[0].Image: unknown key; did you mean `image`?"]);
    assert_eq!(
        yaml("healthCheck: { retires: 2 }", "network_mode: host\nruntimePlatform: { cpuArchitectur: ARM64 }"),
        [
            "containerDefinitions[0].healthCheck.retires: unknown key; did you mean `retries`?",
            "network_mode: unknown key; did you mean `networkMode`?",
            "runtimePlatform.cpuArchitectur: unknown key; did you mean `cpuArchitecture`?",
        ]
    );
    assert_eq!(
        yaml("portMappings: [{ containerPort: 1 }, { containerport: 2 }]", ""),
        ["containerDefinitions[0].portMappings[1].containerport: unknown key; did you mean `containerPort`?"]
    );
    assert_eq!(
        yaml("image: a", "volumes: [{ efsVolumeConfiguration: { authorizationConfig: { imam: x } } }]"),
        ["volumes[0].efsVolumeConfiguration.authorizationConfig.imam: unknown key; did you mean `iam`?"]
    );
}

#[test]
fn new_fields_and_free_keys_pass() {
    let text = json!({
        "family": "shop", "futureField": {"nmae": 1}, "tags": [{"key": "nmae", "value": "x"}], "pidMode": null,
        "containerDefinitions": [{
            "name": "web", "quantumBits": 3, "command": null, "cpu": -1, "memory": u64::MAX,
            "dockerLabels": {"nmae": "x", "enviroment": "y", "gone": null},
            "logConfiguration": {"logDriver": "splunk", "options": {"Options": "x"}},
        }],
    });
    assert_eq!(told(text), [""; 0]);
}

#[test]
fn a_number_where_text_is_meant_is_refused() {
    assert_eq!(
        yaml("image: a", "cpu: 256\nmemory: 512\n"),
        [
            "cpu: must be text, found a number; write the task's cpu in quotes: \"256\"",
            "memory: must be text, found a number; write the task's memory in quotes: \"512\"",
        ]
    );
    assert_eq!(
        yaml("image: 1.10", ""),
        ["containerDefinitions[0].image: must be text, found a number; put the value in quotes"]
    );
    assert_eq!(
        told(json!({"family": "f", "cpu": 256, "containerDefinitions": [{"name": "web"}]})),
        ["cpu: must be text, found a number; write the task's cpu in quotes: \"256\""]
    );
    assert_eq!(
        yaml("environment: [{ name: A, value: true }], logConfiguration: { options: { max-file: 3 } }", ""),
        [
            "containerDefinitions[0].environment[0].value: must be text, found a boolean; put the value in quotes",
            "containerDefinitions[0].logConfiguration.options.max-file: must be text, found a number; put the value in quotes",
        ]
    );
}

#[test]
fn other_wrong_kinds_are_refused() {
    let web = |key: &str, what: &str| vec![format!("containerDefinitions[0].{key}: must be {what}")];
    assert_eq!(yaml("command: npm start", ""), web("command", "a list, found text"));
    assert_eq!(yaml("command: [a, [b]]", ""), web("command[1]", "text, found a list"));
    assert_eq!(yaml("environment: { A: b }", ""), web("environment", "a list, found an object"));
    assert_eq!(yaml("environment: [A=b]", ""), web("environment[0]", "an object, found text"));
    assert_eq!(yaml("environment: [null]", ""), web("environment[0]", "an object, found null"));
    assert_eq!(yaml("healthCheck: []", ""), web("healthCheck", "an object, found a list"));
    assert_eq!(yaml("dockerLabels: []", ""), web("dockerLabels", "an object, found a list"));
    assert_eq!(yaml("cpu: '256'", ""), web("cpu", "a whole number, found text; remove the quotes"));
    assert_eq!(yaml("cpu: 1 vCPU", ""), web("cpu", "a whole number, found text"));
    assert_eq!(yaml("cpu: 1.5", ""), web("cpu", "a whole number, found a fraction"));
    assert_eq!(
        yaml("essential: yes", ""),
        web("essential", "true or false, found text; write true without quotes")
    );
    assert_eq!(
        yaml("essential: Off", ""),
        web("essential", "true or false, found text; write false without quotes")
    );
    assert_eq!(yaml("essential: 1", ""), web("essential", "true or false, found a number"));
    assert_eq!(
        told(json!({"family": 1, "containerDefinitions": {}})),
        [
            "family: must be text, found a number; put the value in quotes",
            "containerDefinitions: must be a list, found an object",
        ]
    );
}

#[test]
fn invariant_32_a_problem_holds_no_value() {
    let told = yaml(
        "environment: [{ name: A, value: 31337 }], secrets: [{ name: B, valueFrom: [31337] }], command: [31337], \
         dockerLabels: { x: 31337 }, essential: '31337', stopTimeout: 31337.5",
        "x31337: 1",
    );
    assert_eq!(told.len(), 6);
    assert!(!told.join("\n").contains("31337"), "{told:?}");
}

/// A value of the kind, with every key of every structure.
fn whole(kind: ValueKind) -> Value {
    match kind {
        ValueKind::Text | ValueKind::Word => json!("x"),
        ValueKind::Integer => json!(1),
        ValueKind::Boolean => json!(true),
        ValueKind::List(kind) => json!([whole(*kind)]),
        ValueKind::Struct(keys) => keys.iter().map(|(key, kind)| ((*key).to_owned(), whole(*kind))).collect(),
        ValueKind::Map => json!({"cpus": "x"}),
    }
}

#[test]
fn known_keys_are_never_typos() {
    let content = Content::from_described(whole(ValueKind::Struct(keys::TASK_DEFINITION))).unwrap();
    assert_eq!(schema_problems(&content), []);
}

proptest! {
    #[test]
    fn definitions_as_aws_knows_them_pass(value in model::definition()) {
        prop_assert_eq!(schema_problems(&Content::from_described(value).unwrap()), []);
    }

    #[test]
    fn no_json_makes_it_panic(value in model::any_json()) {
        if let Ok(content) = Content::from_described(value) {
            let _ = schema_problems(&content);
        }
    }
}
