//! Workflows that users copy, and those of this repository: what they use, ask for, wait for, and give the action.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::{COMMANDS, blocks, files, inputs, read};

/// Where the action itself stands in a workflow that is copied.
const OWN: &str = "OWNER/ecs-blue-green";

/// The workflows that this repository runs itself.
const OURS: [&str; 2] = [".github/workflows/ci.yml", ".github/workflows/release.yml"];

/// The workflow that has no step of the action: it plans infrastructure, which the action does not touch.
const WITHOUT: &str = "examples/infrastructure-plan.yml";

/// Workflows: the examples, the reusable ones, and the blocks that hold jobs. With their text.
fn workflows() -> Vec<(String, String, Value)> {
    let mut texts: Vec<(String, String)> =
        files("examples", ".yml").into_iter().map(|name| (name.clone(), read(&name))).collect();
    let copied = files(".github/workflows", ".yml").into_iter().filter(|name| !OURS.contains(&name.as_str()));
    texts.extend(copied.map(|name| (name.clone(), read(&name))));
    texts.extend(blocks("yaml").into_iter().filter(|(_, text)| text.contains("jobs:")));
    let parsed = texts.into_iter().map(|(name, text)| {
        let value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, text, value)
    });
    let found: Vec<_> = parsed.collect();
    assert!(found.len() >= 10, "the examples, the reusable workflow and the README's");
    found
}

/// The jobs of a workflow.
fn jobs(workflow: &Value) -> Vec<&Value> {
    workflow["jobs"].as_mapping().expect("jobs").values().collect()
}

/// The steps of a job; none where it calls a workflow.
fn steps(job: &Value) -> Vec<&Value> {
    job["steps"].as_sequence().map(|steps| steps.iter().collect()).unwrap_or_default()
}

/// The commands of the action that a job runs.
fn commands(job: &Value) -> Vec<&str> {
    let own =
        steps(job).into_iter().filter(|step| step["uses"].as_str().is_some_and(|uses| uses.starts_with(OWN)));
    own.filter_map(|step| step["with"]["command"].as_str()).collect()
}

/// The names in a mapping.
pub(super) fn keys(mapping: &Value) -> Vec<&str> {
    let mapping = mapping.as_mapping().map(|mapping| mapping.keys().collect::<Vec<_>>()).unwrap_or_default();
    mapping.into_iter().map(|key| key.as_str().expect("a name")).collect()
}

/// What a step or job uses, and the commit that it is pinned to.
#[track_caller]
fn pinned(name: &str, user: &Value) -> Option<String> {
    let uses = user["uses"].as_str()?;
    let (action, commit) = uses.split_once('@').unwrap_or((uses, ""));
    let whole = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(whole || action.starts_with("./"), "{name}: {uses} is not pinned");
    Some(action.to_owned())
}

#[test]
fn workflows_pin_every_action_and_give_it_inputs_that_it_has() {
    let known = inputs();
    for (name, _, workflow) in workflows() {
        let mut own = 0;
        for job in jobs(&workflow) {
            if let Some(called) = pinned(&name, job) {
                let file =
                    called.strip_prefix(&format!("{OWN}/")).unwrap_or_else(|| panic!("{name}: {called}"));
                let callee: Value = serde_yaml::from_str(&read(file)).expect("YAML");
                let takes = keys(&callee["on"]["workflow_call"]["inputs"]);
                for key in keys(&job["with"]) {
                    assert!(takes.contains(&key), "{name}: {file} has no input `{key}`");
                }
                own += 1;
            }
            for step in steps(job) {
                if pinned(&name, step).as_deref() != Some(OWN) {
                    continue;
                }
                own += 1;
                for key in keys(&step["with"]) {
                    assert!(known.contains(key), "{name}: the action has no input `{key}`");
                }
                let command = step["with"]["command"].as_str().unwrap_or_default();
                assert!(COMMANDS.contains(&command), "{name}: {command}");
            }
        }
        assert!(own > 0 || name == WITHOUT, "{name} uses the action");
    }
}

#[test]
fn workflows_ask_for_little_and_say_why() {
    let most = [
        "contents: read",
        "id-token: write",
        "pull-requests: write",
        "deployments: write",
        "statuses: write",
    ];
    for (name, text, workflow) in workflows() {
        assert_eq!(workflow["permissions"], Value::Mapping(serde_yaml::Mapping::new()), "{name}");
        for job in jobs(&workflow) {
            for permission in keys(&job["permissions"]) {
                let level = job["permissions"][permission].as_str().expect("a level");
                let line = format!("{permission}: {level}");
                assert!(most.contains(&line.as_str()), "{name}: {line}");
                let unexplained = text
                    .lines()
                    .filter(|found| found.trim_start().starts_with(&line))
                    .find(|found| !found.contains(" # "));
                assert_eq!(unexplained, None, "{name} says why");
            }
            if !commands(job).is_empty() {
                assert_eq!(job["permissions"]["id-token"].as_str(), Some("write"), "{name}");
            }
        }
        let triggers = keys(&workflow["on"]);
        assert!(!triggers.contains(&"pull_request_target"), "{name}");
        if triggers.contains(&"pull_request") {
            for job in jobs(&workflow) {
                let own = "github.event.pull_request.head.repo.full_name == github.repository";
                let when = job["if"].as_str().unwrap_or_default();
                let kept = when.contains(own) || when == "github.event_name == 'push'";
                assert!(
                    kept && (!when.contains("||") || when.contains("== 'push' || ")),
                    "{name}: a fork's code must not reach AWS"
                );
            }
        }
    }
}

/// What a step makes its job ask for. An own step posts a comment and labels unless told not to, except doctor; deploy and
/// promote a deployment and a commit status, too. A step that brings a version to users compares commits.
fn asked_by(step: &Value) -> Vec<&'static str> {
    let uses = step["uses"].as_str().unwrap_or_default();
    let with = &step["with"];
    let off = |input: &str| with[input].as_bool() == Some(false);
    let posts = uses.starts_with(OWN) && with["command"].as_str() != Some("doctor");
    let comments = step["run"].as_str().is_some_and(|script| script.contains("gh api"));
    let deploys = matches!(with["command"].as_str(), Some("deploy" | "promote"));
    let brings = deploys || matches!(with["command"].as_str(), Some("redirect-traffic" | "rollback"));
    let asked = [
        ("contents: read", uses.starts_with("actions/checkout@") || posts && brings),
        ("id-token: write", with.get("role-to-assume").is_some()),
        ("pull-requests: write", comments || posts && !(off("comment") && off("labels"))),
        ("deployments: write", posts && deploys && !off("deployments")),
        ("statuses: write", posts && deploys && !off("deployments")),
    ];
    asked.into_iter().filter(|(_, asked)| *asked).map(|(line, _)| line).collect()
}

#[test]
fn jobs_ask_for_exactly_what_their_steps_use() {
    for (name, _, workflow) in workflows() {
        for job in jobs(&workflow) {
            let called = job["uses"].as_str().and_then(|uses| uses.strip_prefix(&format!("{OWN}/")));
            let called = called.and_then(|uses| uses.split('@').next());
            let called: Option<Value> = called.map(|file| serde_yaml::from_str(&read(file)).expect("YAML"));
            let all: Vec<&Value> = called.as_ref().map_or_else(|| vec![job], |called| jobs(called));
            let used: BTreeSet<&str> =
                all.into_iter().flat_map(|job| steps(job)).flat_map(asked_by).collect();
            let line = |permission: &str| {
                format!("{permission}: {}", job["permissions"][permission].as_str().unwrap_or_default())
            };
            let asked: BTreeSet<String> = keys(&job["permissions"]).into_iter().map(line).collect();
            assert!(
                asked.iter().eq(&used),
                "{name}: {:?} asks for {asked:?}, and uses {used:?}",
                job["name"]
            );
        }
    }
}

#[test]
fn deploys_wait_in_line_and_none_is_dropped() {
    let mut groups = 0;
    for (name, _, workflow) in workflows() {
        for job in jobs(&workflow) {
            if !commands(job).iter().any(|command| matches!(*command, "deploy" | "promote")) {
                continue;
            }
            let of = if job.get("concurrency").is_some() { job } else { &workflow };
            assert_eq!(of["concurrency"]["queue"].as_str(), Some("max"), "{name}: {:?}", job["name"]);
            groups += 1;
        }
    }
    assert!(groups >= 10, "{groups}");
}

#[test]
fn our_own_workflows_are_pinned_and_say_what_each_permission_is_for() {
    for name in OURS {
        let text = read(name);
        let workflow: Value = serde_yaml::from_str(&text).expect("YAML");
        assert_eq!(workflow["permissions"], Value::Mapping(serde_yaml::Mapping::new()), "{name}");
        for job in jobs(&workflow) {
            assert!(job["timeout-minutes"].as_u64().is_some(), "{name}");
            steps(job).into_iter().for_each(|step| drop(pinned(name, step)));
            for permission in keys(&job["permissions"]) {
                let line = format!("{permission}: {}", job["permissions"][permission].as_str().unwrap_or(""));
                let mut lines = text.lines().filter(|found| found.trim_start().starts_with(&line));
                assert!(lines.all(|found| found.contains(" # ")), "{name} says why `{line}`");
            }
        }
    }
}

#[test]
fn a_release_takes_nothing_from_a_cache_and_waits_for_no_other_to_be_cancelled() {
    let text = read(".github/workflows/release.yml");
    let workflow: Value = serde_yaml::from_str(&text).expect("YAML");
    for word in ["actions/cache", "cache-from", "cache-to", "rust-cache", "restore-keys", "setup-"] {
        assert!(!text.contains(word), "`{word}`: what a cache holds is not what was reviewed");
    }
    assert_eq!(workflow["concurrency"]["cancel-in-progress"].as_bool(), Some(false));
    let image = jobs(&workflow).into_iter().flat_map(steps).filter_map(|step| step["run"].as_str());
    let text: String = image.collect();
    for word in ["linux/amd64", "linux/arm64", "--provenance", "--sbom", "--draft"] {
        assert!(text.contains(word), "{word}");
    }
}

/// The answer of a shell's command to this text, with the names of a release.
fn piped(command: &str, text: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::piped());
    shell.env("GITHUB_REPOSITORY", "shop/ecs-blue-green").env("named", "1".repeat(40));
    let mut child = shell.spawn().expect("bash starts");
    child.stdin.take().expect("its input").write_all(text.as_bytes()).expect("it reads");
    String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("text")
}

#[test]
fn a_release_names_an_image_that_anybody_can_pull_by_tag_and_digest() {
    let workflow: Value = serde_yaml::from_str(&read(".github/workflows/release.yml")).expect("YAML");
    let step = |job: &str, name: &str| {
        let found =
            steps(&workflow["jobs"][job]).into_iter().find(|step| step["name"].as_str() == Some(name));
        found.unwrap_or_else(|| panic!("{job}: no step `{name}`")).clone()
    };
    let names =
        step("draft", "Commit an action.yml that names the image, and workflows that name the action");
    assert_eq!(
        names["env"]["IMAGE"].as_str(),
        Some("${{ needs.image.outputs.name }}:${{ inputs.version }}@${{ needs.image.outputs.digest }}")
    );
    let script = names["run"].as_str().expect("a script");
    assert!(
        script.contains(r#"sed -i "s|^  image: Dockerfile$|  image: docker://$IMAGE|" action.yml"#),
        "{script}"
    );
    assert!(
        read("action.yml").lines().any(|line| line == "  image: Dockerfile"),
        "what is replaced is there"
    );
    // Only a commit after that of action.yml can name it, and GITHUB_TOKEN may not write workflows.
    assert_eq!(names["env"]["GH_TOKEN"].as_str(), Some("${{ secrets.RELEASE_TOKEN }}"));
    let line = |start: &str| script.lines().find(|line| line.trim().starts_with(start)).expect("a line");
    let change = line("sed -i \"s|OWNER").replace("-i ", "").replace("\"$file\"", "");
    for (name, text, _) in workflows().iter().filter(|(name, ..)| name.ends_with(".yml")) {
        let changed = piped(&change, text);
        assert!(!changed.contains("OWNER/"), "{name}: {changed}");
        assert_eq!(
            changed.matches("shop/ecs-blue-green").count(),
            text.matches("uses: OWNER/ecs-blue-green").count(),
            "{name}"
        );
    }
    let pulls = step("image", "Anybody can pull the image");
    let script = pulls["run"].as_str().expect("a script");
    let asked = script.split_once("docker logout ghcr.io").expect("nobody is logged in").1;
    assert!(asked.contains(r#"imagetools inspect "$NAME@$DIGEST""#) && asked.contains("exit 1"), "{script}");
}

#[test]
fn workflows_cancel_nothing_and_let_no_change_of_traffic_wait_for_a_deploy() {
    for (name, _, workflow) in workflows() {
        let mut deploys: BTreeSet<String> = BTreeSet::new();
        let mut moves: BTreeSet<String> = BTreeSet::new();
        for job in jobs(&workflow) {
            if job.get("uses").is_some() {
                continue;
            }
            assert!(job["timeout-minutes"].as_u64().is_some(), "{name}");
            let of = if job.get("concurrency").is_some() { job } else { &workflow };
            assert_eq!(of["concurrency"]["cancel-in-progress"].as_bool(), Some(false), "{name}");
            let group = of["concurrency"]["group"].as_str().expect("a group").to_owned();
            for command in commands(job) {
                let of = if command == "deploy" { &mut deploys } else { &mut moves };
                of.insert(group.clone());
            }
        }
        assert_eq!(deploys.intersection(&moves).collect::<Vec<_>>(), Vec::<&String>::new(), "{name}");
    }
}
