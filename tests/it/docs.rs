//! What the documents promise, checked: commands, links, JSON and YAML, the inputs that they name, the words that they quote.

mod aws;
mod commands;
mod migrate;
mod reference;
mod release;
mod workflows;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Action, stack};
use serde_yaml::Value;

/// A path in the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// A file's text.
fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files of a folder with this ending, as paths in the repository.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(path(folder)).expect("the folder is there");
    let mut names: Vec<String> = entries
        .map(|entry| format!("{folder}/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .filter(|name| name.ends_with(ending))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{folder} has no {ending}");
    names
}

/// Every document with its text.
fn documents() -> Vec<(String, String)> {
    let mut names = files("docs", ".md");
    names.extend(
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "infra/README.md"].map(str::to_owned),
    );
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

/// The fenced blocks of a language, with the document that they are in.
fn blocks(language: &str) -> Vec<(String, String)> {
    let fence = format!("```{language}");
    let mut found = Vec::new();
    for (name, text) in documents() {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.trim() == fence {
                let block: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
                found.push((name.clone(), block.join("\n")));
            } else if line.trim().starts_with("```") {
                lines.by_ref().take_while(|line| line.trim() != "```").for_each(drop);
            }
        }
    }
    found
}

/// A document without its fenced blocks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let keep = |line: &&str| {
        let fence = line.trim().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    };
    text.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

/// The inputs of the action.
fn inputs() -> BTreeSet<String> {
    let action: Value = serde_yaml::from_str(&read("action.yml")).expect("action.yml is YAML");
    let inputs = action["inputs"].as_mapping().expect("inputs");
    inputs.keys().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// The commands.
const COMMANDS: [&str; 6] = ["deploy", "redirect-traffic", "promote", "rollback", "status", "doctor"];

#[test]
fn the_readme_has_the_two_commands() {
    let sh: Vec<String> =
        blocks("sh").into_iter().filter(|(name, _)| name == "README.md").map(|(_, text)| text).collect();
    for command in ["cargo run -p testbed -- demo", "cargo test --workspace"] {
        assert!(sh.iter().any(|block| block == command), "`{command}` stands alone in a block");
    }
}

#[test]
fn the_readme_has_room_for_a_decision_and_a_beginning_alone() {
    let lines = read("README.md").lines().count();
    assert!(lines < 220, "{lines} lines: move a part to docs/");
}

#[test]
fn the_reference_says_how_a_job_with_an_environment_makes_no_deployment_of_its_own() {
    let reference = read("docs/reference.md");
    let (_, rest) = reference.split_once("`environment: {").expect("an environment with more than a name");
    let (text, _) = rest.split_once('`').expect("its end");
    let environment: Value = serde_yaml::from_str(&format!("{{{text}")).expect("YAML");
    assert_eq!(environment["deployment"].as_bool(), Some(false), "{text}");
}

/// What the image is at the end: the lines of the last stage, without comments.
fn last_stage() -> Vec<String> {
    let text = read("Dockerfile");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let lines: Vec<String> = lines.map(str::to_owned).collect();
    let from = lines.iter().rposition(|line| line.starts_with("FROM ")).expect("a stage");
    lines[from..].to_vec()
}

#[test]
fn the_image_runs_as_root_where_the_runner_says() {
    let stage = last_stage();
    for word in ["USER", "WORKDIR"] {
        assert!(
            !stage.iter().any(|line| line.starts_with(word)),
            "{word}: the runner needs root, and says where"
        );
    }
    assert_eq!(stage.last().map(String::as_str), Some(r#"ENTRYPOINT ["/ecs-blue-green"]"#), "{stage:?}");
}

#[test]
fn json_is_json() {
    for (name, text) in blocks("json") {
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn yaml_names_inputs_or_the_keys_of_the_config_file() {
    let mut known = inputs();
    known.extend(["apps", "branches", "workflow"].map(str::to_owned));
    for (name, text) in blocks("yaml") {
        let value: Value =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        if value.get("jobs").is_some() {
            continue;
        }
        for key in value.as_mapping().expect("a mapping").keys() {
            let key = key.as_str().expect("a name");
            assert!(known.contains(key), "{name}: `{key}` is neither an input nor a key of the config file");
        }
    }
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The anchors of a document.
fn anchors(text: &str) -> Vec<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// The targets of a text's links.
fn links(text: &str) -> Vec<String> {
    let target = |rest: &str| rest.split(')').next().unwrap_or_default().to_owned();
    prose(text).split("](").skip(1).map(target).collect()
}

#[test]
fn links_inside_the_repository_lead_somewhere() {
    for (name, text) in documents() {
        let folder = path(&name).parent().expect("a folder").to_path_buf();
        for link in links(&text).iter().filter(|link| !link.contains("://")) {
            let (file, at) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path(&name) } else { folder.join(file) };
            assert!(target.exists(), "{name}: {link} leads nowhere");
            if !at.is_empty() {
                let there = fs::read_to_string(&target).expect("a document");
                assert!(
                    anchors(&there).iter().any(|anchor| anchor == at),
                    "{name}: {link} has no such heading"
                );
            }
        }
    }
}

#[test]
fn the_architecture_names_files_that_exist() {
    let text = read("docs/architecture.md");
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || "_/.".contains(letter)));
    let named: BTreeSet<&str> = words.filter(|word| word.contains('/') && word.ends_with(".rs")).collect();
    assert!(named.len() > 40, "{named:?}");
    let there = |name: &&&str| path(name).exists() || path(&format!("src/{name}")).exists();
    let missing: Vec<_> = named.iter().filter(|name| !there(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn nothing_is_promised_that_is_not_there() {
    for (name, text) in documents() {
        for rest in text.split("command: ").skip(1) {
            let word: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            assert!(COMMANDS.contains(&word.as_str()), "{name}: there is no command `{word}`");
        }
        for word in [
            "colour",
            "behaviour",
            "honour",
            "seamless",
            "blazing",
            "effortless",
            "zero-downtime",
            "zero downtime",
        ] {
            assert!(!text.to_lowercase().contains(word), "{name}: `{word}`");
        }
    }
}

/// The Rust sources of the product as one text, with continued strings joined.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            sources(&entry, into);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&entry).expect("a source");
            for line in text.lines() {
                match line.strip_suffix('\\') {
                    Some(head) => into.push_str(&format!("{} ", head.trim())),
                    None => into.push_str(&format!("{}\n", line.trim())),
                }
            }
        }
    }
}

#[test]
fn each_fact_of_aws_names_tests_that_exist() {
    let mut source = String::new();
    for folder in ["src", "tests", "testbed/src", "testbed/tests"] {
        sources(&path(folder), &mut source);
    }
    let text = read("docs/aws-semantics.md");
    let rows: Vec<&str> =
        text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| fact")).collect();
    assert!(rows.len() > 20, "{}", rows.len());
    for row in rows {
        let last = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        let tests: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        assert!(last == "the same" || !tests.is_empty(), "{row}");
        for test in tests {
            assert!(source.contains(&format!("fn {test}(")), "{test}");
        }
    }
}

#[test]
fn troubleshooting_quotes_messages_that_exist() {
    let mut source = String::new();
    sources(&path("src"), &mut source);
    let source = source.replace("  ", " ");
    let text = read("docs/troubleshooting.md");
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(headings.len() > 40, "{}", headings.len());
    for heading in headings {
        assert!(source.contains(heading), "no message says `{heading}`");
    }
}

/// The trust policy of the document, and its subjects.
fn trust_policy() -> (serde_json::Value, Vec<String>) {
    let (_, text) =
        blocks("json").into_iter().find(|(name, _)| name == "docs/trust-policy.md").expect("a policy");
    let policy: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let condition = &policy["Statement"][0]["Condition"]["StringEquals"];
    let subjects = condition["token.actions.githubusercontent.com:sub"].as_array().expect("subjects").iter();
    let subjects = subjects.map(|subject| subject.as_str().expect("a text").to_owned()).collect();
    (policy, subjects)
}

#[test]
fn the_trust_policy_lets_a_job_in_by_either_form_of_its_subject_and_nobody_else() {
    let (policy, subjects) = trust_policy();
    let statement = &policy["Statement"][0];
    assert_eq!(policy["Statement"].as_array().map(Vec::len), Some(1));
    assert_eq!(statement["Action"], "sts:AssumeRoleWithWebIdentity");
    let keys: Vec<&String> = statement["Condition"].as_object().expect("conditions").keys().collect();
    assert_eq!(keys, ["StringEquals"], "no pattern");
    let audience = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:aud"].as_str();
    let audience = audience.expect("an audience").to_owned();
    let filled: Vec<String> = subjects
        .iter()
        .map(|subject| subject.replace("OWNER_ID", "65").replace("REPO_ID", "74"))
        .map(|subject| subject.replace("OWNER", "octo-org").replace("REPO", "octo-repo"))
        .collect();
    let filled: Vec<&str> = filled.iter().map(String::as_str).collect();
    let role = "arn:aws:iam::123456789012:role/deploy-web";
    let (bed, _) = stack();
    bed.world(|world| world.sts.role(role, &audience, &filled, 3600));
    for (repository, context, with_ids, result) in [
        ("octo-org/octo-repo", "ref:refs/heads/main", false, "succeeded"),
        ("octo-org/octo-repo", "ref:refs/heads/main", true, "succeeded"),
        ("octo-org/octo-repo", "ref:refs/heads/other", false, "refused"),
        ("octo-org/octo-repo", "pull_request", true, "refused"),
        ("octo-org/other", "ref:refs/heads/main", false, "refused"),
    ] {
        bed.world(|world| {
            let job = world.oidc.run_of(repository, context);
            if with_ids {
                job.with_ids();
            }
        });
        let action = Action::new(&bed, "status").input("role-to-assume", role);
        let action =
            bed.oidc_env().into_iter().fold(action, |action, (name, value)| action.env(&name, &value));
        let done = action.run();
        assert_eq!(done.output("result"), result, "{repository} {context} {with_ids}:\n{}", done.log);
    }
}

#[test]
fn permissions_explain_every_placeholder() {
    let text = read("docs/permissions.md");
    for name in files("infra/policies", ".json") {
        let policy = read(&name);
        let words = policy.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let placeholder =
            |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        for word in words.filter(placeholder) {
            assert!(
                text.contains(&format!("`{word}`")),
                "docs/permissions.md does not explain {word} of {name}"
            );
        }
    }
}

#[test]
fn troubleshooting_shows_a_failure_as_it_is() {
    let text = read("docs/troubleshooting.md");
    let (_, rest) = text.split_once("<!-- failure -->\n```text\n").expect("the block");
    let (block, _) = rest.split_once("```\n<!-- /failure -->").expect("the end of the block");
    let (bed, sample) = stack();
    let done = Action::new(&bed, "deploy").input("image", &sample.image("v3-crash")).run();
    done.expect(1, "failed", "circuit-breaker", "restored");
    let mut log = done.log.lines();
    for line in block.lines() {
        assert!(
            log.any(|found| found.starts_with(line)),
            "the log does not go on with `{line}`:\n{}",
            done.log
        );
    }
}
