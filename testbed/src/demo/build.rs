//! Builds the action with cargo, and finds its binary.

use serde_json::Value;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::Command;

/// The name of the action's binary.
const NAME: &str = "ecs-blue-green";

/// Builds the workspace's binaries; cargo's own progress goes to stderr. Returns the path of the action's binary.
///
/// # Errors If cargo can't be started, fails, or builds no such binary.
pub(super) async fn product() -> io::Result<PathBuf> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The whole workspace, like `cargo test`: a single package would have other features and be rebuilt each time.
    cargo.args(["build", "--workspace", "--bins", "--message-format", "json-render-diagnostics"]);
    cargo.args(["--manifest-path", manifest]);
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_of_run(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    // Not `output()`, which would capture stderr.
    cargo.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let child = cargo.spawn().map_err(|error| failed(&error.to_string()))?;
    let done = child.wait_with_output().await.map_err(|error| failed(&error.to_string()))?;
    if !done.status.success() {
        return Err(failed(&format!("cargo ended with {}", done.status)));
    }
    executable(&String::from_utf8_lossy(&done.stdout)).ok_or_else(|| failed("cargo built no such binary"))
}

/// Reason for a missing binary.
fn failed(why: &str) -> io::Error {
    io::Error::other(format!("couldn't build {NAME}: {why}"))
}

/// True if `cargo run` sets this variable only for this package; a build script that watches the variable would run
/// again.
fn is_of_run(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// The binary's path in cargo's messages, one JSON object a line.
fn executable(messages: &str) -> Option<PathBuf> {
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut paths = artifacts.filter(|message| message["target"]["name"] == NAME);
    paths.find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_found_among_the_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"testbed"},"executable":"/t/testbed"}
{"reason":"compiler-artifact","target":{"name":"ecs-blue-green"},"executable":null}
not JSON
{"reason":"compiler-artifact","target":{"name":"ecs-blue-green"},"executable":"/t/ecs-blue-green"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages), Some(PathBuf::from("/t/ecs-blue-green")));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
