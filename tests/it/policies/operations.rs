//! Which operations of AWS the product can call at all, read from its adapters. No other layer may name an SDK
//! (tests/it/layers.rs).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::common::iam::path;

/// How the adapters name their clients, with the prefix of the IAM actions.
const CLIENTS: [(&str, &str); 8] = [
    ("self.cloudwatch.", "cloudwatch"),
    ("self.ecr(region).", "ecr"),
    ("self.ecs.", "ecs"),
    ("self.elb.", "elasticloadbalancing"),
    ("self.iam.", "iam"),
    ("self.logs(region).", "logs"),
    ("self.scaling.", "application-autoscaling"),
    ("self.sts.", "sts"),
];

/// The code of every adapter without white space, by its file.
fn adapters(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().expect("a name").to_string_lossy().into_owned();
        if entry.is_dir() && name != "tests" {
            adapters(&entry, into);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&entry).expect("a source");
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            into.push((name, code.flat_map(str::split_whitespace).collect()));
        }
    }
}

/// `describe_services` as AWS writes it.
fn camel(operation: &str) -> String {
    operation.split('_').map(|part| part[..1].to_uppercase() + &part[1..]).collect()
}

/// The operations that a file's code calls, as IAM actions, once for each place.
fn calls(code: &str) -> Vec<String> {
    let of_client = |(client, prefix): &(&str, &str)| -> Vec<String> {
        let operations = code.match_indices(client).filter_map(|(at, _)| {
            let (operation, rest) = code[at + client.len()..].split_once("()")?;
            let plain = operation.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            (plain && rest.contains(".send()")).then(|| format!("{prefix}:{}", camel(operation)))
        });
        operations.collect()
    };
    CLIENTS.iter().flat_map(of_client).collect()
}

/// The operations that all adapters call, as IAM actions. Each is sent by its own `send()`: one that was not found by
/// its client fails the test.
pub(crate) fn callable() -> BTreeSet<String> {
    let mut sources = Vec::new();
    adapters(&path("src/aws"), &mut sources);
    let mut found = BTreeSet::new();
    for (file, code) in sources {
        let calls = calls(&code);
        let sent = code.matches(".send()").count();
        assert_eq!(
            calls.len(),
            sent,
            "src/aws/{file} sends something by a client of another name: {calls:?}"
        );
        found.extend(calls);
    }
    found
}
