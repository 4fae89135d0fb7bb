//! What the documents promise, checked: commands, links, JSON and YAML, the inputs that they name, the words that they quote.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "a test may panic and look at the clock; its builder is shared with other tests"
)]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::{Action, stack};
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
    names.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(str::to_owned));
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

/// Workflows: the examples, and the blocks that hold jobs.
fn workflows() -> Vec<(String, Value)> {
    let parse = |name: &str, text: &str| -> Value {
        serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let mut found: Vec<(String, Value)> = files("examples", ".yml")
        .into_iter()
        .map(|name| (name.clone(), parse(&name, &read(&name))))
        .collect();
    let yaml = blocks("yaml").into_iter().map(|(name, text)| (name.clone(), parse(&name, &text)));
    found.extend(yaml.filter(|(_, value)| value.get("jobs").is_some()));
    assert_eq!(found.len(), 4, "the examples and the README's workflow");
    found
}

/// The jobs of a workflow.
fn jobs(workflow: &Value) -> Vec<&Value> {
    workflow["jobs"].as_mapping().expect("jobs").values().collect()
}

/// The steps of a workflow.
fn steps(workflow: &Value) -> Vec<&Value> {
    jobs(workflow).into_iter().flat_map(|job| job["steps"].as_sequence().expect("steps")).collect()
}

#[test]
fn the_readme_has_the_two_commands() {
    let sh: Vec<String> =
        blocks("sh").into_iter().filter(|(name, _)| name == "README.md").map(|(_, text)| text).collect();
    for command in ["cargo run -p testbed -- demo", "cargo test --workspace"] {
        assert!(sh.iter().any(|block| block == command), "`{command}` stands alone in a block");
    }
}

#[test]
fn every_command_of_the_testbed_exists() {
    let main = read("testbed/src/main.rs");
    let all = blocks("sh").into_iter().flat_map(|(name, text)| {
        text.lines().map(|line| (name.clone(), line.to_owned())).collect::<Vec<_>>()
    });
    for (name, line) in all {
        let Some(words) = line.trim().strip_prefix("cargo run -p testbed -- ") else { continue };
        let command = words.split(' ').next().unwrap_or_default();
        assert!(main.contains(&format!("[\"{command}\"")), "{name}: the testbed has no `{command}`");
    }
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
    known.extend(["apps", "branches"].map(str::to_owned));
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

#[test]
fn workflows_pin_every_action_and_give_it_inputs_that_it_has() {
    let known = inputs();
    for (name, workflow) in workflows() {
        let mut own = 0;
        for step in steps(&workflow) {
            let Some(uses) = step["uses"].as_str() else { continue };
            let (action, commit) = uses.split_once('@').unwrap_or((uses, ""));
            let pinned = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(pinned || action.starts_with("./"), "{name}: {uses} is not pinned");
            if action != "OWNER/ecs-blue-green" {
                continue;
            }
            own += 1;
            for key in step["with"].as_mapping().expect("inputs").keys() {
                let key = key.as_str().expect("a name");
                assert!(known.contains(key), "{name}: the action has no input `{key}`");
            }
            assert!(["deploy", "status"].contains(&step["with"]["command"].as_str().unwrap_or_default()));
        }
        assert_eq!(own, 1, "{name} uses the action once");
    }
}

#[test]
fn workflows_ask_for_little_and_cancel_nothing_in_progress() {
    for (name, workflow) in workflows() {
        assert_eq!(workflow["permissions"], Value::Mapping(serde_yaml::Mapping::new()), "{name}");
        for job in jobs(&workflow) {
            let granted: Value = serde_yaml::from_str("{ contents: read, id-token: write }").expect("YAML");
            assert_eq!(job["permissions"], granted, "{name}");
            let of = if job.get("concurrency").is_some() { job } else { &workflow };
            assert_eq!(of["concurrency"]["cancel-in-progress"].as_bool(), Some(false), "{name}");
            assert!(job["timeout-minutes"].as_u64().is_some(), "{name}");
        }
        let triggers = workflow["on"].as_mapping().expect("triggers");
        assert!(!triggers.contains_key("pull_request_target"), "{name}");
        if triggers.contains_key("pull_request") {
            for job in jobs(&workflow) {
                let only_own = "github.event.pull_request.head.repo.full_name == github.repository";
                assert_eq!(job["if"].as_str(), Some(only_own), "{name}: a fork's code must not reach AWS");
            }
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
fn nothing_is_promised_that_is_not_there() {
    let known = ["deploy", "redirect-traffic", "promote", "rollback", "status"];
    for (name, text) in documents() {
        for rest in text.split("command: ").skip(1) {
            let word: String = rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            assert!(known.contains(&word.as_str()), "{name}: there is no command `{word}`");
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

#[test]
fn permissions_explain_every_placeholder() {
    let text = read("docs/permissions.md");
    for name in files("infra/policies", ".json") {
        let policy = read(&name);
        let words = policy.split(|c: char| !(c.is_ascii_uppercase() || c == '_'));
        for word in words.filter(|word| word.len() > 3) {
            assert!(
                text.contains(&format!("`{word}`")),
                "docs/permissions.md does not explain {word} of {name}"
            );
        }
    }
}

#[test]
fn the_readme_shows_a_failure_as_it_is() {
    let readme = read("README.md");
    let (_, rest) = readme.split_once("<!-- failure -->\n```text\n").expect("the block");
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
