//! Input that is too large, or no file at all: refused at once, and told in a few lines.

use crate::common::edge;

use std::fs::File;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::edge::problems;
use crate::common::{Action, Done};

/// How long a refusal may take. The tests run a build without optimizations, beside others.
const AT_ONCE: Duration = Duration::from_secs(5);

/// A refused deploy that ends at once, with a log of at most 64 KB.
#[track_caller]
fn refused(change: impl FnOnce(Action) -> Action) -> Done {
    let began = Instant::now();
    let done = edge::refused("deploy", change);
    assert!(began.elapsed() < AT_ONCE, "{:?}\n{}", began.elapsed(), done.log);
    assert!(done.log.len() + done.summary.len() < 128 * 1024, "{} bytes are told", done.log.len());
    done
}

/// Paths with this extension that are no file: a pipe that nobody writes to, a device, a socket, a folder.
fn no_files(folder: &Path, extension: &str) -> Vec<(String, &'static str)> {
    let path = |name: &str| folder.join(format!("{name}.{extension}"));
    let (pipe, device, socket, directory) = (path("pipe"), path("device"), path("socket"), path("folder"));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    std::os::unix::fs::symlink("/dev/zero", &device).expect("a link");
    drop(UnixListener::bind(&socket).expect("a socket"));
    std::fs::create_dir(&directory).expect("a folder");
    let special = "it is a pipe, a socket or a device, and a file is expected";
    let all = [(pipe, special), (device, special), (socket, special), (directory, "it is a directory")];
    all.into_iter().map(|(path, what)| (path.display().to_string(), what)).collect()
}

#[test]
fn invariant_40_what_is_no_file_is_refused_as_config_and_as_task_definition() {
    for (input, extension) in [("config", "yml"), ("task-definition", "json")] {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, what) in no_files(folder.path(), extension) {
            let done = refused(|action| action.input(input, &path));
            assert_eq!(problems(&done), [format!("input {input}: couldn't read `{path}`: {what}")]);
        }
    }
}

#[test]
fn invariant_40_an_event_that_is_no_file_says_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, _) in no_files(folder.path(), "json") {
        let done = refused(|action| action.env("GITHUB_EVENT_PATH", &path).input("color", "red"));
        assert_eq!(problems(&done).len(), 1, "{}", done.log);
    }
}

#[test]
fn invariant_40_a_file_above_its_limit_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (input, name) in [("config", "big.yml"), ("task-definition", "big.json")] {
        let path = folder.path().join(name);
        // A hole of 40 GB takes no room.
        File::create(&path).expect("a file").set_len(40_000_000_000).expect("a length");
        let path = path.display().to_string();
        let done = refused(|action| action.input(input, &path));
        assert_eq!(
            problems(&done),
            [format!("input {input}: couldn't read `{path}`: it is larger than 1 MiB")]
        );
    }
}

/// So many lines, each made from its number.
fn lines(count: u32, line: impl Fn(u32) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().join("\n")
}

/// Asserts a hundred problems, and the count of those that are not told.
#[track_caller]
fn hundred(done: &Done, more: u32) {
    let told = problems(done);
    assert_eq!(told.len(), 100, "{}", done.log);
    done.says(&format!("\n… and {more} more\n"));
}

#[test]
fn invariant_40_thousands_of_problems_are_refused_at_once_and_a_hundred_told() {
    let unknown = lines(25_000, |number| format!("colour{number}: 1"));
    hundred(&refused(|action| action.file(".github/blue-green.yml", &unknown)), 24_900);
    let apps = lines(20_000, |number| format!("  app{number}: {{ blu: x }}"));
    hundred(&refused(|action| action.file(".github/blue-green.yml", &format!("apps:\n{apps}"))), 19_900);
    let probes = lines(5_000, |_| "- { path: /, pth: x }".to_owned());
    hundred(&refused(|action| action.input("probes", &probes)), 4_900);
    let variables = lines(9_000, |number| format!("A={number}: x"));
    hundred(&refused(|action| action.input("environment", &variables)), 8_900);
    let alarms = lines(20_000, |number| format!("-{number}"));
    let bad = refused(|action| action.input("image", &alarms));
    assert!(!problems(&bad).is_empty());
}

#[test]
fn invariant_40_a_task_definition_with_thousands_of_keys_is_refused_at_once() {
    let misspelt = lines(4_000, |number| format!("\"a{number}\": {{\"name\": 1}},"));
    let unknown = lines(4_000, |number| format!("{{ \"name\": \"a{number}\", \"imgae\": 1 }},"));
    let text = format!("{{ {misspelt} \"containerDefinitions\": [{unknown} {{}}] }}");
    let done = refused(|action| action.file("task.json", &text).input("task-definition", "task.json"));
    assert_eq!(problems(&done).len(), 100, "{}", done.log);
}

#[test]
fn invariant_40_long_words_and_many_apps_are_refused_at_once() {
    let long = "x".repeat(100_000);
    let done = refused(|action| action.input("color", &long).input("traffic-x", &long));
    assert!(!problems(&done).is_empty());
    let config = format!("{}: 1", "y".repeat(1_000_000));
    refused(|action| action.file(".github/blue-green.yml", &config));
    let apps = lines(20_000, |number| format!("  app{number}: {{ blue: a, green: b }}"));
    let done = refused(|action| {
        action.file(".github/blue-green.yml", &format!("apps:\n{apps}")).input("app", "web")
    });
    assert!(done.log.contains("and 19950 more"), "{}", done.log);
}

#[test]
fn invariant_40_aliases_do_not_multiply_a_file() {
    let list = format!("a: &a [{}]\n", vec!["1"; 50_000].join(","));
    let bomb = format!("{list}b: [{}]\n", vec!["*a"; 50_000].join(","));
    for (input, name) in [("config", "bomb.yml"), ("task-definition", "bomb.yaml")] {
        let done = refused(|action| action.file(name, &bomb).input(input, name));
        assert!(done.log.contains("repeats too much by its aliases"), "{}", done.log);
    }
}
