//! The few lines of shell that workflows here have, carried out without a shell: what they push and what they output.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testbed::Testbed;

use super::event::REPOSITORY;

/// Names and values.
pub(crate) type Names = BTreeMap<String, String>;

/// What a filter of jq finds, done by hand; nothing where `--exit-status` would fail.
fn found(filter: &str, status: &Value) -> Option<Value> {
    if filter == ".traffic != null and .missing == [] and .unread == [] and .drift == []" {
        let empty = |key: &str| status[key] == json!([]);
        let good = !status["traffic"].is_null() && ["missing", "unread", "drift"].into_iter().all(empty);
        return good.then(|| json!(true));
    }
    let color = filter.strip_prefix(".colors[] | select(.color == \"");
    let color = color.and_then(|rest| rest.strip_suffix("\") | .task_definition"));
    let color = color.expect("a filter that is known here");
    let found = status["colors"].as_array()?.iter().find(|found| found["color"] == color)?;
    Some(found["task_definition"].clone()).filter(|found| !found.is_null())
}

/// Sends a message to a chat.
const TO_CHAT: &str = r#"jq --null-input --arg text "$TEXT" '{text: $text}' | curl --fail --silent --show-error --json @- "$WEBHOOK""#;

/// Carries a script out; gives what it wrote to `$GITHUB_OUTPUT`. A push brings an image into the testbed's registry.
pub(crate) fn run(bed: &Testbed, script: &str, env: &Names) -> Names {
    let (mut names, mut outputs) = (env.clone(), Names::new());
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(image) = line.strip_prefix("docker push ") {
            push(bed, &text(image, &names));
        } else if let Some(told) = line.strip_prefix("echo ") {
            let (told, to) = told.split_once(" >> ").unwrap_or((told, ""));
            let told = text(told, &names);
            if to == "\"$GITHUB_OUTPUT\"" {
                let (name, value) = told.split_once('=').expect("`name=value`");
                outputs.insert(name.to_owned(), value.to_owned());
            }
        } else if let Some((name, query)) = line.split_once("=$(jq ") {
            let value = jq(query.strip_suffix(')').expect("`)`"), &names);
            names.insert(name.to_owned(), value.as_str().expect("a text").to_owned());
        } else if line == TO_CHAT {
            let told = names.get("TEXT").expect("a text");
            let (headline, url) = told.rsplit_once(' ').expect("a headline and an address");
            assert!(headline.ends_with('.') && url.starts_with("http"), "{told}");
        } else if let Some(query) = line.strip_prefix("jq ") {
            jq(query, &names);
        } else if let Some((_, words)) = line.split_once("infra/run ") {
            infrastructure(bed, words, &names);
        } else {
            assert!(line.starts_with("docker build "), "a line that is not known here: {line}");
        }
    }
    outputs
}

/// Runs a script in bash with a `gh` that notes its words in a folder; gives the body of the comment that the script posts.
pub(crate) fn comment(script: &str, env: &Names, folder: &Path) -> String {
    let (gh, calls) = (folder.join("gh"), folder.join("calls"));
    fs::write(&gh, "#!/bin/sh\necho \"$*\" >> \"$RUNNER_TEMP/calls\"\n").expect("a file");
    fs::set_permissions(&gh, fs::Permissions::from_mode(0o755)).expect("it can run");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a PATH"));
    let mut bash = Command::new("bash");
    bash.args(["-e", "-o", "pipefail", "-c", script]).envs(env).env("PATH", path);
    bash.env("RUNNER_TEMP", folder).env("GITHUB_STEP_SUMMARY", folder.join("summary"));
    let done = bash.env("GITHUB_REPOSITORY", REPOSITORY).output().expect("bash starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let (calls, to) =
        (fs::read_to_string(calls).expect("calls"), format!("repos/{REPOSITORY}/issues/7/comments"));
    let words =
        calls.lines().last().expect("a call").strip_prefix(&format!("api --method POST {to} --field body=@"));
    let file = words.and_then(|rest| rest.split(' ').next()).unwrap_or_else(|| panic!("{calls}"));
    fs::read_to_string(file).expect("the comment")
}

/// `infra/run COMMAND DIRECTORY [NAME]`, whose own test runs it: here it must get words that it knows. A plan writes its
/// changes. In an account without a cluster, the services are there after an apply.
fn infrastructure(bed: &Testbed, words: &str, names: &Names) {
    let quoted = |word: &str| word.starts_with('"');
    let words: Vec<String> =
        words.split(' ').map(|word| if quoted(word) { text(word, names) } else { word.to_owned() }).collect();
    assert!(["plan", "apply", "destroy"].contains(&words[0].as_str()), "{words:?}");
    assert!(
        names.contains_key("AWS_SESSION_TOKEN") && names.contains_key("TF_VAR_state_bucket"),
        "{names:?}"
    );
    if words[0] == "plan" {
        return fs::write(&names["SUMMARY"], "### network\n\n- create `aws_vpc.this`\n").expect("a summary");
    }
    let clusters = bed.call(testbed::Service::Ecs, "ListClusters", json!({})).expect("AWS answers");
    if clusters["clusterArns"] == json!([]) {
        super::copied::first_apply(bed);
    }
}

/// A text in double quotes with its `$NAME`s replaced.
fn text(quoted: &str, names: &Names) -> String {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("double quotes");
    let mut parts = inner.split('$');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let length = part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(part.len());
        let name = &part[..length];
        out.push_str(names.get(name).unwrap_or_else(|| panic!("${name} is not set")));
        out.push_str(&part[length..]);
    }
    out
}

/// `OPTIONS 'FILTER' <<< "$NAME"`.
fn jq(query: &str, names: &Names) -> Value {
    let (options, rest) = query.split_once('\'').expect("a filter");
    let (filter, from) = rest.split_once("' <<< ").expect("what to read");
    assert!(options.contains("--exit-status"), "without it an empty answer would pass: {query}");
    let filter = match options.split_once("--arg color ") {
        Some((_, value)) => filter.replace("$color", &json!(text(value.trim(), names)).to_string()),
        None => filter.to_owned(),
    };
    let read: Value = serde_json::from_str(&text(from, names)).expect("JSON");
    found(&filter, &read).unwrap_or_else(|| panic!("`{filter}` finds nothing in {read}"))
}

/// Pushes `HOST/REPOSITORY:TAG`.
fn push(bed: &Testbed, image: &str) {
    let (host, rest) = image.split_once('/').expect("a registry");
    let (repository, tag) = rest.split_once(':').expect("a tag");
    assert!(tag.len() <= 128, "{tag}");
    bed.world(|world| {
        assert_eq!(host, world.registry());
        world.ecr.push(repository, tag);
    });
}
