//! docs/getting-started.md: the commands that write a user's names into the workflows, run on the workflows.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_yaml::Value;

use super::{path, read};

/// The commit of the action in this test.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// The script behind `<!-- MARK -->`, with names that differ from those of the document.
fn script(mark: &str) -> String {
    let text = read("docs/getting-started.md");
    let (_, rest) = text.split_once(&format!("<!-- {mark} -->\n```sh\n")).expect("the script");
    let (script, _) = rest.split_once("```").expect("its end");
    let own = [
        ("name=shop", "name=market"),
        ("region=eu-west-1", "region=us-east-1"),
        ("account=123456789012", "account=210987654321"),
        ("action=OWNER/ecs-blue-green", "action=octo-org/colors"),
        ("$(git -C ../ecs-blue-green rev-parse HEAD)", COMMIT),
    ];
    own.into_iter().fold(script.to_owned(), |script, (from, to)| {
        assert!(script.contains(from), "{from}");
        script.replace(from, to)
    })
}

/// Runs a script on copies of these workflows; gives each with its text afterwards.
fn filled(mark: &str, files: &[&str]) -> Vec<(String, String)> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(mark.replace(' ', "-"));
    let folder = home.join(".github/workflows");
    fs::create_dir_all(&folder).expect("a folder");
    let target = |file: &str| folder.join(Path::new(file).file_name().expect("a name"));
    for file in files {
        fs::copy(path(file), target(file)).expect("a copy");
    }
    let done = Command::new("bash").args(["-euc", &script(mark)]).current_dir(&home).status();
    assert!(done.expect("bash runs").success());
    let left = fs::read_dir(&folder).expect("the folder").count();
    assert_eq!(left, files.len(), "no other file is left in {}", folder.display());
    files.iter().map(|file| ((*file).to_owned(), fs::read_to_string(target(file)).expect("a text"))).collect()
}

/// Asserts that nothing of the document's names is left, and that each role is one of infra/terraform/roles or bootstrap.yml.
fn belongs_to_the_user(name: &str, text: &str) {
    serde_yaml::from_str::<Value>(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    for word in ["OWNER", "0000000000", "shop", "eu-west-1", "123456789012", "web-blue", "web-green"] {
        assert!(!text.contains(word), "{name}: `{word}` is left");
    }
    let uses = text.lines().filter(|line| line.contains("octo-org/colors@"));
    for line in uses {
        assert!(line.trim_end().ends_with(COMMIT), "{name}: {line}");
    }
    let roles = read("infra/terraform/roles/main.tf");
    let known =
        |role: &str| roles.lines().any(|line| line.trim().starts_with(role) && line.contains("= { subject"));
    for role in text.split(":role/").skip(1).filter_map(|rest| rest.lines().next()) {
        let job = role.strip_prefix("market-").unwrap_or_else(|| panic!("{name}: {role}"));
        assert!(known(job) || ["infra-plan", "infra-apply"].contains(&job), "{name}: {role}");
    }
}

#[test]
fn the_infrastructure_workflows_are_filled_in() {
    let files =
        ["examples/infrastructure-plan.yml", "examples/infrastructure-apply.yml", "examples/doctor.yml"];
    for (name, text) in filled("fill in infrastructure", &files) {
        belongs_to_the_user(&name, &text);
        if name.ends_with("doctor.yml") {
            continue;
        }
        assert!(text.contains("TF_VAR_name: market"), "{name}");
        assert!(text.contains("TF_VAR_state_bucket: market-terraform-state-210987654321"), "{name}");
    }
}

#[test]
fn the_release_workflows_are_filled_in() {
    let files = [
        "examples/deploy-on-push.yml",
        "examples/promote-with-approval.yml",
        ".github/workflows/redirect-traffic.yml",
        ".github/workflows/rollback.yml",
    ];
    for (name, text) in filled("fill in", &files) {
        belongs_to_the_user(&name, &text);
        for word in ["cluster: market", "blue-service: market-blue", "green-service: market-green"] {
            assert!(text.contains(word), "{name}: no `{word}`");
        }
        assert!(
            !text.contains("probes") && !text.contains("healthz"),
            "{name}: the test listeners are closed"
        );
    }
}
