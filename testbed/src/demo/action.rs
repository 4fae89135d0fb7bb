//! Runs the action's binary like the runner: the environment holds only the runner's and the workflow's variables.

use super::render::Renderer;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;

/// One step of a job: the action with its inputs.
pub(super) struct Step<'a> {
    /// The binary.
    pub(super) product: &'a Path,
    /// The workflow's environment besides the inputs: credentials and region.
    pub(super) env: Vec<(String, String)>,
    /// The inputs.
    pub(super) inputs: Vec<(&'static str, String)>,
    /// True if the log has colors.
    pub(super) color: bool,
    /// The title of a log group that is shown closed.
    pub(super) folded: &'static str,
    /// Longest time of the run.
    pub(super) patience: Duration,
}

/// The results of a run.
pub(super) struct Done {
    /// The exit code; -1 after a signal.
    pub(super) code: i32,
    /// The outputs.
    pub(super) outputs: BTreeMap<String, String>,
    /// The job summary, in Markdown.
    pub(super) summary: String,
}

impl Done {
    /// An output, or an empty text.
    pub(super) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }
}

impl Step<'_> {
    /// Runs the step to its end; `show` gets each line of the log as GitHub shows the line.
    ///
    /// # Errors If the binary can't be started, or does not finish in time.
    pub(super) async fn run(&self, show: impl Fn(&str) + Send + 'static) -> io::Result<Done> {
        let folder = tempfile::tempdir()?;
        let (reader, writer) = io::pipe()?;
        let mut command = self.command(&folder)?;
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|error| io::Error::other(format!("couldn't start the action: {error}")))?;
        // The command holds the writing end too, and the log ends only when every writing end is closed.
        drop(command);
        let mut renderer = Renderer::folding(self.folded);
        let log = tokio::task::spawn_blocking(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                renderer.lines(&line).iter().for_each(|line| show(line));
            }
        });
        let status = tokio::time::timeout(self.patience, child.wait())
            .await
            .map_err(|_| io::Error::other(format!("the action wasn't done within {:?}", self.patience)))??;
        log.await.map_err(io::Error::other)?;
        Ok(Done {
            code: status.code().unwrap_or(-1),
            outputs: values(&std::fs::read_to_string(folder.path().join("output"))?),
            summary: std::fs::read_to_string(folder.path().join("summary"))?,
        })
    }

    /// The binary with the runner's environment and files.
    fn command(&self, folder: &TempDir) -> io::Result<Command> {
        let mut command = Command::new(self.product);
        command.env_clear().envs(self.env.iter().cloned()).envs(FIXED);
        for (name, file) in FILES {
            let path: PathBuf = folder.path().join(file);
            std::fs::write(&path, if file == "event.json" { "{}" } else { "" })?;
            command.env(name, path);
        }
        let workspace = folder.path().join("workspace");
        std::fs::create_dir(&workspace)?;
        command.current_dir(&workspace).env("GITHUB_WORKSPACE", &workspace).env("HOME", folder.path());
        if !self.color {
            command.env("NO_COLOR", "1");
        }
        for (name, value) in &self.inputs {
            command.env(format!("INPUT_{}", name.to_uppercase()), value);
        }
        Ok(command)
    }
}

/// The runner's files.
const FILES: [(&str, &str); 5] = [
    ("GITHUB_OUTPUT", "output"),
    ("GITHUB_STATE", "state"),
    ("GITHUB_STEP_SUMMARY", "summary"),
    ("GITHUB_ENV", "env"),
    ("GITHUB_EVENT_PATH", "event.json"),
];

/// The runner's variables for a push to `main`.
const FIXED: [(&str, &str); 13] = [
    ("CI", "true"),
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_ACTOR", "octocat"),
    ("GITHUB_EVENT_NAME", "push"),
    ("GITHUB_JOB", "deploy"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_REF_NAME", "main"),
    ("GITHUB_REPOSITORY", "shop/web"),
    ("GITHUB_RUN_ATTEMPT", "1"),
    ("GITHUB_RUN_ID", "1658821493"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_SHA", "ffac537e6cbbf934b08745a378932722df287a53"),
    ("GITHUB_WORKFLOW", "Deploy"),
];

/// Reads a file of `name<<DELIMITER` blocks like the runner.
fn values(text: &str) -> BTreeMap<String, String> {
    let mut lines = text.lines();
    let mut values = BTreeMap::new();
    while let Some(line) = lines.next() {
        let Some((name, delimiter)) = line.split_once("<<") else { continue };
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        values.insert(name.to_owned(), value.join("\n"));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_as_the_runner_reads_them() {
        let found =
            values("result<<D1\nfailed\nD1\nstatus-json<<D2\n{\na<<b\nD2\nresult<<D3\nsucceeded\nD3\n");
        let wanted = [("result", "succeeded"), ("status-json", "{\na<<b")];
        assert_eq!(found, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
}
