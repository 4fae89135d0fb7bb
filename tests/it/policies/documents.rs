//! docs/permissions.md against the policies: the reason for each action, the files of each role, and the command that
//! fills a file in.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::{ALL, DEPLOY, DOCTOR, READ, ROLES, SCALERS, TRAFFIC};
use crate::common::iam::{path, shipped};

/// A document.
fn read(name: &str) -> String {
    fs::read_to_string(path(name)).expect("a document")
}

/// The rows of the table that follows a line which begins so: the cells of each.
fn rows(document: &str, start: &str) -> Vec<Vec<String>> {
    let text = read(document);
    let mut lines =
        text.lines().skip_while(|line| !line.starts_with(start)).skip(1).skip_while(|line| line.is_empty());
    let table: Vec<&str> = lines.by_ref().take_while(|line| line.starts_with('|')).collect();
    let cells = |line: &&str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    assert!(table.len() > 2, "{document} has a table behind `{start}`");
    table.iter().skip(2).map(cells).collect()
}

#[test]
fn the_document_gives_a_reason_for_each_permission() {
    for (name, start) in [
        (READ, "**Read**"),
        (DEPLOY, "**Deploy**"),
        (TRAFFIC, "**Traffic**"),
        (SCALERS, "**Scaling**"),
        (DOCTOR, "**Doctor**"),
    ] {
        let told: Vec<String> =
            rows("docs/permissions.md", start).iter().map(|row| row[0].replace('`', "")).collect();
        let allowed: BTreeSet<String> =
            shipped(name).into_iter().flat_map(|statement| statement.actions).collect();
        assert_eq!(
            told.iter().cloned().collect::<BTreeSet<_>>(),
            allowed,
            "{start} has the actions of {name}"
        );
        assert_eq!(told.len(), allowed.len(), "{start} has each action once");
    }
}

/// The files that a cell links to.
fn files(cell: &str) -> Vec<String> {
    cell.split('[').skip(1).filter_map(|rest| rest.split(']').next()).map(str::to_owned).collect()
}

#[test]
fn the_roles_of_the_document_are_those_that_are_tested() {
    let mut told = Vec::new();
    for row in rows("docs/permissions.md", "## Which role takes which") {
        let without = files(&row[1]);
        let with: Vec<String> = without.iter().cloned().chain(files(&row[2])).collect();
        told.push(without.clone());
        if with != without {
            told.push(with);
        }
    }
    let tested: Vec<Vec<String>> =
        ROLES.iter().map(|(files, _)| files.iter().map(|file| (*file).to_owned()).collect()).collect();
    assert_eq!(told, tested);
}

/// Asserts that an item of docs/permissions.md names these actions and no others.
#[track_caller]
pub(crate) fn lets_do_without(item: &str, actions: &[&str]) {
    let text = read("docs/permissions.md");
    let (_, rest) = text.split_once(item).expect("the item");
    let (item, _) = rest.split_once("\n- ").expect("the next one");
    let told: BTreeSet<&str> =
        item.split('`').filter(|word| word.contains(':') && !word.contains(' ')).collect();
    assert_eq!(told, actions.iter().copied().collect());
}

/// A policy file without a part, as the document has it removed: the line, or the whole statement if the line is one of
/// its keys.
fn removed(text: &str, part: &str) -> String {
    assert!(text.contains(part), "{part}");
    let keys = ["\"Sid\":", "\"Action\":", "\"Resource\":"];
    let (mut left, mut statement) = (String::new(), Vec::new());
    for line in text.lines() {
        statement.push(line);
        let inside = statement[0] == "    {" && !line.starts_with("    }");
        if inside {
            continue;
        }
        let whole =
            statement.iter().any(|line| line.contains(part) && keys.iter().any(|key| line.contains(key)));
        let kept = statement.drain(..).filter(|line| !whole && !line.contains(part));
        left.extend(kept.map(|line| format!("{line}\n")));
    }
    left
}

/// The parts of each policy that docs/permissions.md lets a role do without.
const OPTIONAL: [(&str, &[&str]); 13] = [
    (READ, &["DEVELOP_"]),
    (READ, &["ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions"]),
    (READ, &["ecs:DescribeContainerInstances"]),
    (READ, &["application-autoscaling:DescribeScalingPolicies"]),
    (READ, &["cloudwatch:DescribeAlarms"]),
    (READ, &["cloudwatch:GetMetricData"]),
    (DEPLOY, &["DEVELOP_"]),
    (DEPLOY, &["DEVELOP_", "BLUE_"]),
    (DEPLOY, &["ecr:DescribeImages"]),
    (DEPLOY, &["logs:GetLogEvents"]),
    (DEPLOY, &["TASK_ROLE"]),
    (TRAFFIC, &["SuspendScaleInAndSetBounds", "WhatApplicationAutoScalingChecksItself"]),
    (SCALERS, &["DEVELOP_"]),
];

#[test]
fn what_is_left_of_a_policy_without_its_optional_parts_is_valid_json() {
    let document = read("docs/permissions.md");
    let valid = |name: &str, parts: &mut dyn Iterator<Item = &str>| {
        let left = parts.fold(read(&format!("infra/policies/{name}")), |text, part| removed(&text, part));
        let policy = serde_json::from_str::<serde_json::Value>(&left);
        let policy = policy.unwrap_or_else(|error| panic!("{name}: {error}\n{left}"));
        assert!(!policy["Statement"].as_array().expect("statements").is_empty());
    };
    for (name, parts) in OPTIONAL {
        for part in parts {
            assert!(document.contains(part) || *part == "TASK_ROLE", "{part}");
        }
        valid(name, &mut parts.iter().copied());
    }
    for name in ALL {
        let all: BTreeSet<&str> = OPTIONAL
            .iter()
            .filter(|(file, _)| *file == name)
            .flat_map(|(_, parts)| *parts)
            .copied()
            .collect();
        valid(name, &mut all.into_iter());
    }
}

#[test]
fn the_command_of_the_document_fills_in_every_policy() {
    let text = read("docs/permissions.md");
    let (_, rest) = text.split_once("```sh\n").expect("a command");
    let (command, _) = rest.split_once("```").expect("its end");
    let named = "infra/policies/deploy.json";
    assert!(command.contains(named), "{command}");
    for name in ALL {
        let command = command.replace(named, &format!("infra/policies/{name}"));
        let done =
            Command::new("sh").arg("-c").arg(command).current_dir(path("")).output().expect("sed runs");
        let filled = String::from_utf8(done.stdout).expect("text");
        serde_json::from_str::<serde_json::Value>(&filled).expect("JSON");
        let lines = filled.lines().filter(|line| line.contains("arn:"));
        let left: Vec<&str> = lines
            .flat_map(|line| line.split(['"', ':', '/']))
            .filter(|word| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .collect();
        assert_eq!(left, Vec::<&str>::new(), "{name}");
    }
}
