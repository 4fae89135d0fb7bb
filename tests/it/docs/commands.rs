//! Each command line of the documents: what it names exists, be it a file, a workflow with its inputs, a test or a call.

use std::collections::BTreeSet;

use serde_json::json;
use serde_yaml::Value;
use testbed::sample::task_definition;
use testbed::{Service, Testbed};

use super::workflows::keys;
use super::{blocks, files, inputs, path, read};
use crate::common::{Action, look, stack};

/// The calls of the AWS CLI that the documents may hold, with their own options.
const AWS: &[(&str, &[&str])] = &[
    ("acm get-certificate", &["--certificate-arn"]),
    ("acm request-certificate", &["--domain-name"]),
    (
        "cloudformation deploy",
        &["--stack-name", "--template-file", "--capabilities", "--parameter-overrides"],
    ),
    ("cloudformation describe-stacks", &["--stack-name"]),
    ("ecr get-login-password", &[]),
    (
        "ecs create-service",
        &[
            "--cluster",
            "--service-name",
            "--task-definition",
            "--desired-count",
            "--launch-type",
            "--network-configuration",
            "--load-balancers",
            "--health-check-grace-period-seconds",
            "--deployment-configuration",
        ],
    ),
    ("ecs describe-services", &["--cluster", "--services"]),
    (
        "ecs update-service",
        &[
            "--cluster",
            "--service",
            "--force-new-deployment",
            "--deployment-configuration",
            "--desired-count",
        ],
    ),
    ("ecs wait services-stable", &["--cluster", "--services"]),
    ("elbv2 create-listener", &["--load-balancer-arn", "--protocol", "--port", "--default-actions"]),
    (
        "elbv2 create-target-group",
        &["--name", "--protocol", "--port", "--target-type", "--vpc-id", "--health-check-path"],
    ),
    ("elbv2 describe-listeners", &["--load-balancer-arn", "--listener-arns"]),
    ("elbv2 describe-load-balancers", &["--names"]),
    ("elbv2 describe-target-groups", &["--target-group-arns"]),
    ("elbv2 describe-target-health", &["--target-group-arn"]),
    ("elbv2 modify-listener", &["--listener-arn", "--default-actions"]),
    ("elbv2 modify-target-group-attributes", &["--target-group-arn", "--attributes"]),
    ("iam create-open-id-connect-provider", &["--url", "--client-id-list"]),
    ("iam create-role", &["--role-name", "--assume-role-policy-document"]),
    ("iam list-open-id-connect-providers", &[]),
    ("iam put-role-policy", &["--role-name", "--policy-name", "--policy-document"]),
];

/// The options that every call takes.
const GLOBAL: [&str; 3] = ["--query", "--output", "--region"];

/// The commands of all shell blocks, continued lines as one, with the document that they are in.
fn lines() -> Vec<(String, String)> {
    let whole = blocks("sh").into_iter().map(|(name, text)| (name, text.replace("\\\n", " ")));
    whole
        .flat_map(|(name, text)| {
            let commands = text.lines().flat_map(|line| single(line.trim()));
            commands.map(|command| (name.clone(), command)).collect::<Vec<_>>()
        })
        .collect()
}

/// The commands of a line: those in `$(…)`, then those between `&&` and `|`.
fn single(line: &str) -> Vec<String> {
    let mut rest = line.to_owned();
    let mut found = Vec::new();
    while let Some(start) = rest.rfind("$(") {
        let end = start + rest[start..].find(')').unwrap_or_else(|| panic!("`{line}`: no end of `$(`"));
        found.push(rest[start + 2..end].to_owned());
        rest.replace_range(start..=end, "VALUE");
    }
    found.extend(rest.split(" && ").flat_map(|part| part.split(" | ")).map(str::to_owned));
    found
}

/// The value behind an option.
fn after<'a>(words: &[&'a str], option: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| *word == option)?;
    words.get(at + 1).copied()
}

/// Whether this filter of test names is a file of tests, `policies::`, a test of a file, or the end of a test's name.
fn is_test(filter: &str) -> bool {
    let (file, test) = filter.split_once("::").unwrap_or(("", filter));
    let holds = |name: &str| read(name).lines().any(|line| line.starts_with("fn ") && line.contains(test));
    match file {
        "" => files("tests/it", ".rs").iter().any(|name| holds(name)),
        file => path(&format!("tests/it/{file}.rs")).exists() && holds(&format!("tests/it/{file}.rs")),
    }
}

/// `cargo`: a test that is named is there, and so is a command of the testbed or the simulation.
fn cargo(at: &str, words: &[&str]) {
    assert!(matches!(words.first(), Some(&("test" | "run" | "build"))), "{at}");
    if let Some(test) = after(words, "--test") {
        assert!(path(&format!("tests/{test}/main.rs")).exists(), "{at}");
        let filter =
            words.iter().skip_while(|word| **word != test).nth(1).filter(|word| !word.starts_with('-'));
        assert!(filter.is_none_or(|filter| is_test(filter)), "{at}");
    }
    if words.first() == Some(&"run") {
        let command = after(words, "--").unwrap_or_default();
        let package = after(words, "-p").unwrap_or_default();
        let known = read(&format!("{package}/src/main.rs"));
        // The simulation takes a number of schedules in place of a command.
        let is_count = package == "simulation" && command.parse::<u32>().is_ok();
        let is_command = [format!("[\"{command}\""), format!("Some(\"{command}\")")];
        assert!(is_count || is_command.iter().any(|form| known.contains(form)), "{at}");
    }
}

/// A script of `.ci`: it is there, and knows the steps and files that are named.
fn script(at: &str, name: &str, words: &[&str]) {
    let text = read(name);
    for word in words {
        let known = word.starts_with('-') || path(word).exists() || text.contains(&format!("step_{word}()"));
        assert!(known, "{at}: `{word}`");
    }
}

/// A workflow that users copy, by the name of its file: one of the repository, or a block of a document that names the file.
fn workflow(at: &str, file: &str) -> Value {
    let folder =
        [".github/workflows", "examples"].into_iter().find(|folder| path(folder).join(file).exists());
    let named = |(name, text): &(String, String)| {
        text.contains("jobs:") && read(name).contains(&format!("`.github/workflows/{file}`"))
    };
    let text = match folder {
        Some(folder) => read(&format!("{folder}/{file}")),
        None => blocks("yaml").into_iter().find(named).unwrap_or_else(|| panic!("{at}: no such workflow")).1,
    };
    serde_yaml::from_str(&text).expect("YAML")
}

/// `gh workflow run`: the workflow can be started by hand, and takes what is given.
fn button(at: &str, words: &[&str]) {
    let file = words.first().unwrap_or_else(|| panic!("{at}: no workflow"));
    let workflow = workflow(at, file);
    assert!(keys(&workflow["on"]).contains(&"workflow_dispatch"), "{at}: no button");
    let takes = &workflow["on"]["workflow_dispatch"]["inputs"];
    let mut given = BTreeSet::new();
    for (option, field) in words.iter().skip(1).zip(words.iter().skip(2)).step_by(2) {
        assert_eq!(*option, "-f", "{at}");
        let (name, value) = field.split_once('=').unwrap_or_else(|| panic!("{at}: `{field}`"));
        let input = takes.get(name).unwrap_or_else(|| panic!("{at}: {file} has no input `{name}`"));
        let fits = match input["type"].as_str() {
            Some("choice") => input["options"].as_sequence().expect("options").contains(&value.into()),
            Some("boolean") => ["true", "false"].contains(&value),
            _ => true,
        };
        assert!(fits, "{at}: {file} does not take `{field}`");
        given.insert(name);
    }
    for name in keys(takes) {
        let needed = takes[name]["required"].as_bool() == Some(true) && takes[name].get("default").is_none();
        assert!(!needed || given.contains(name), "{at}: {file} needs `{name}`");
    }
}

/// `aws`: every call in the line is known, with its options.
fn aws(at: &str, line: &str) {
    for call in line.split("aws ").skip(1) {
        let (_, options) = AWS
            .iter()
            .find(|(known, _)| call == *known || call.starts_with(&format!("{known} ")))
            .unwrap_or_else(|| panic!("{at}: a call that nobody has looked at"));
        for word in call.split(' ') {
            let known = !word.starts_with("--") || options.contains(&word) || GLOBAL.contains(&word);
            assert!(known, "{at}: `{word}`");
        }
    }
}

/// `aws cloudformation deploy`: the template is there, and has the parameters.
fn stack_of(at: &str, words: &[&str]) {
    let template = read(after(words, "--template-file").unwrap_or_else(|| panic!("{at}: no template")));
    let given = words.iter().skip_while(|word| **word != "--parameter-overrides").skip(1);
    for (name, _) in given.filter_map(|word| word.split_once('=')) {
        assert!(template.contains(&format!("\n  {name}:\n    Type: String")), "{at}: no parameter `{name}`");
    }
}

/// `infra/run`: its command and its directory exist.
fn infra(at: &str, words: &[&str]) {
    let [command, directory, ..] = words else { panic!("{at}: a command and a directory") };
    assert!(read("infra/run").contains(&format!("#   infra/run {command} ")), "{at}: `{command}`");
    let known = *directory == "all" || path(&format!("infra/terraform/{directory}/main.tf")).exists();
    assert!(known, "{at}: `{directory}`");
}

/// `export`: the region of the AWS CLI (version 1 knows the second name alone), or a variable of Terraform that exists in
/// each directory, or in the one that needs it alone.
fn export(at: &str, words: &[&str]) {
    let set = words.iter().filter_map(|word| word.split_once('='));
    for (name, _) in set.filter(|(name, _)| !["AWS_REGION", "AWS_DEFAULT_REGION"].contains(name)) {
        let variable = name.strip_prefix("TF_VAR_").unwrap_or_else(|| panic!("{at}: `{name}`"));
        let declared = read("infra/terraform/roles/variables.tf");
        assert!(declared.contains(&format!("variable \"{variable}\"")), "{at}: `{name}`");
    }
}

/// `env`: the inputs that are set exist, and the binary is what cargo builds.
fn env(at: &str, words: &[&str]) {
    let known = inputs();
    for word in words {
        match word.trim_matches('"').strip_prefix("INPUT_").and_then(|rest| rest.split_once('=')) {
            Some((name, _)) => assert!(known.contains(&name.to_lowercase()), "{at}: `{name}`"),
            None => assert_eq!(*word, "target/debug/ecs-blue-green", "{at}"),
        }
    }
}

#[test]
fn every_command_names_what_exists() {
    let mut kinds = BTreeSet::new();
    for (name, line) in lines() {
        let at = format!("{name}: `{line}`");
        let set = |word: &&str| word.split_once('=').is_some_and(|(name, _)| !name.contains(['-', '"', '/']));
        let words: Vec<&str> = line.split_whitespace().skip_while(set).collect();
        let Some((first, rest)) = words.split_first() else { continue };
        kinds.insert((*first).to_owned());
        match (*first, rest) {
            ("cargo", _) => cargo(&at, rest),
            ("gh", ["workflow", "run", rest @ ..]) => button(&at, rest),
            ("gh", ["api", ..] | ["attestation", "verify", ..] | ["pr", "create", ..]) | ("curl", _) => {}
            ("git", ["clone" | "switch" | "add" | "commit" | "push" | "pull" | "rev-parse", ..]) => {}
            ("terraform", ["plan"]) => {}
            // The test of the starter runs it.
            ("../ecs-blue-green/examples/starter/start", [_, _, _, _]) => {}
            ("aws", ["cloudformation", "deploy", ..]) => {
                aws(&at, &line);
                stack_of(&at, rest);
            }
            ("aws", _) => aws(&at, &line),
            ("export", _) => export(&at, rest),
            ("infra/run", _) => infra(&at, rest),
            ("env", _) => env(&at, rest),
            ("sed", [.., file]) => assert!(path(file).exists(), "{at}"),
            (script_name, _) if script_name.starts_with(".ci/") => script(&at, script_name, rest),
            _ => panic!("{at}: a command that nobody has looked at"),
        }
    }
    assert!(kinds.len() >= 8, "{kinds:?}");
}

/// A value as the runner passes it on.
fn passed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).expect("YAML").trim().to_owned(),
    }
}

/// The sample stack, in which blue has the variables that the recipes keep for each color.
fn stack_of_the_recipes() -> Testbed {
    let (bed, sample) = stack();
    let mut definition = task_definition("web-blue", &sample.image("v1"), false);
    let variables = ["COLOR", "QUEUE_URL"].map(|name| json!({ "name": name, "value": "blue" }));
    definition["containerDefinitions"][0]["environment"] = json!(variables);
    bed.call(Service::Ecs, "RegisterTaskDefinition", definition).expect("registered");
    look::ecs(&bed, "UpdateService", json!({ "service": "web-blue", "taskDefinition": "web-blue" }));
    look::steady(&bed, "web-blue");
    bed
}

#[test]
fn every_recipe_with_a_command_is_taken_by_the_binary() {
    let bed = stack_of_the_recipes();
    let mut commands = BTreeSet::new();
    for (name, text) in blocks("yaml") {
        let recipe: Value = serde_yaml::from_str(&text).expect("YAML");
        // What comes from another job, or needs GitHub's token endpoint, is not there.
        let Some(command) = recipe["command"].as_str() else { continue };
        if text.contains("${{") || recipe.get("role-to-assume").is_some() {
            continue;
        }
        let action = Action::new(&bed, command).input("plan-only", "true");
        let given = keys(&recipe).into_iter().filter(|key| *key != "command");
        let done = given.fold(action, |action, key| action.input(key, &passed(&recipe[key]))).run();
        assert_ne!(done.output("reason"), "bad-input", "{name}:\n{text}\n{}", done.log);
        assert!(["planned", "refused"].contains(&done.output("result")), "{name}:\n{text}\n{}", done.log);
        commands.insert(command.to_owned());
    }
    let all: Vec<&str> = commands.iter().map(String::as_str).collect();
    assert_eq!(all, ["promote", "redirect-traffic", "rollback"]);
}

#[test]
fn the_config_files_of_readme_and_reference_are_taken_by_the_binary() {
    let whole = |(name, text): &(String, String)| {
        ["README.md", "docs/reference.md"].contains(&name.as_str())
            && text.starts_with("cluster: ")
            && text.contains("apps:")
    };
    let files: Vec<_> = blocks("yaml").into_iter().filter(whole).collect();
    assert_eq!(files.len(), 2, "the smallest and the whole one");
    for (_, text) in files {
        let (bed, _) = stack();
        let status = Action::new(&bed, "status").file(".github/blue-green.yml", &text).run();
        status.expect(0, "succeeded", "", "untouched");
    }
}

#[test]
fn moving_users_has_a_row_for_each_choice_of_the_button() {
    let workflow: Value =
        serde_yaml::from_str(&read(".github/workflows/redirect-traffic.yml")).expect("YAML");
    let options = &workflow["on"]["workflow_dispatch"]["inputs"]["traffic"]["options"];
    let text = read("docs/traffic.md");
    let rows = text.lines().filter(|line| line.starts_with("| `") && line.ends_with(" % |"));
    let rows: Vec<&str> = rows.filter_map(|line| line.split('`').nth(1)).collect();
    let options: Vec<&str> =
        options.as_sequence().expect("options").iter().filter_map(Value::as_str).collect();
    assert_eq!(rows, options);
}

#[test]
fn troubleshooting_has_a_way_out_for_each_reason() {
    let reference = read("docs/reference.md");
    let (_, rest) = reference.split_once("<!-- reasons -->").expect("the reasons");
    let (table, _) = rest.split_once("<!-- /reasons -->").expect("their end");
    let reasons: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('`').nth(1))
        .collect();
    assert!(reasons.len() > 30, "{}", reasons.len());
    let text = read("docs/troubleshooting.md");
    let missing: Vec<&&str> =
        reasons.iter().filter(|reason| !text.contains(&format!("`{reason}`"))).collect();
    assert_eq!(missing, Vec::<&&str>::new());
}
