//! A release's commits: workflows that users copy call only what can run.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_yaml::Value;

use super::{files, read};

/// Stands in for GitHub's command line, as in the rehearsal of `.ci/run release`.
const GH: &str = include_str!("../../../.ci/stand_ins/gh");

/// The script of the release's step that commits, stopped at the first failure as the runner does.
fn script() -> String {
    let workflow: Value = serde_yaml::from_str(&read(".github/workflows/release.yml")).expect("YAML");
    let steps = workflow["jobs"]["draft"]["steps"].as_sequence().expect("steps");
    let step = steps.iter().find(|step| step["id"].as_str() == Some("commit")).expect("the step");
    format!("set -eo pipefail\n{}", step["run"].as_str().expect("a script"))
}

/// Runs a command of the shell in a folder; gives its output.
fn shell(folder: &Path, script: &str, env: &[(&str, &str)]) -> String {
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(folder).envs(env.iter().copied());
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "x").env(format!("GIT_{role}_EMAIL"), "x@example.com");
    }
    let done = command.env("GIT_CONFIG_GLOBAL", "/dev/null").output().expect("bash starts");
    assert!(done.status.success(), "{script}\n{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text").trim().to_owned()
}

/// A repository with this one's workflows, examples, documents and `action.yml`.
fn repository(folder: &Path) {
    let mut names = vec!["action.yml".to_owned(), "README.md".to_owned()];
    names.extend([".github/workflows", "examples"].into_iter().flat_map(|folder| files(folder, ".yml")));
    names.extend(files("docs", ".md"));
    for name in names {
        let path = folder.join(&name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
        fs::write(path, read(&name)).expect("it is written");
    }
    shell(
        folder,
        "git init --quiet --initial-branch=main && git add --all && git commit --quiet --message start",
        &[],
    );
}

#[test]
fn each_workflow_of_a_release_names_commits_that_can_run() {
    let bed = tempfile::tempdir().expect("a folder");
    let (local, remote, bin) = (bed.path().join("local"), bed.path().join("remote"), bed.path().join("bin"));
    [&local, &bin].iter().for_each(|folder| fs::create_dir(folder).expect("it is made"));
    repository(&local);
    shell(bed.path(), "git clone --quiet local remote", &[]);
    fs::write(bin.join("gh"), GH).expect("it is written");
    shell(&bin, "chmod +x gh", &[]);
    let sha = shell(&local, "git rev-parse HEAD", &[]);
    let outputs = bed.path().join("outputs");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
    let env = [
        ("PATH", path.as_str()),
        ("REMOTE", remote.to_str().expect("text")),
        ("GH_TOKEN", "release"),
        ("VERSION", "1.2.3"),
        ("IMAGE", "ghcr.io/shop/ecs-blue-green:1.2.3@sha256:0a1b"),
        ("GITHUB_REPOSITORY", "shop/ecs-blue-green"),
        ("GITHUB_SHA", &sha),
        ("GITHUB_OUTPUT", outputs.to_str().expect("text")),
    ];
    shell(&local, &script(), &env);

    let last = shell(&remote, "git rev-parse release-1.2.3", &[]);
    assert_eq!(fs::read_to_string(&outputs).expect("outputs").trim(), format!("sha={last}"));
    let show = |object: &str| shell(&remote, &format!("git show {object}"), &[]);
    let used = shell(&remote, "git grep -hoE 'uses: shop/ecs-blue-green[^ ]*' release-1.2.3", &[]);
    assert!(used.lines().count() >= 15, "{used}");
    for used in used.lines() {
        let (action, commit) = used.split_once('@').expect("a commit");
        assert!(show(&format!("{commit}:action.yml")).contains("image: docker://ghcr.io/shop/"), "{used}");
        if let Some(called) = action.strip_prefix("uses: shop/ecs-blue-green/") {
            let called = show(&format!("{commit}:{called}"));
            assert!(!called.contains("OWNER/"), "{used} calls:\n{called}");
        }
    }
    let left = "git grep -nE 'uses: OWNER/' release-1.2.3 || true";
    assert_eq!(shell(&remote, left, &[]), "", "every file that users copy names the release");
}
