//! A step of this action, as the runner starts it: the inputs of the file, the defaults of `action.yml` for the rest, the
//! job's token and id token, the event, and what a checkout brought.

use serde_json::Value;

use super::expression::{filled, shown};
use super::script::Names;
use super::workflow::{Job, Runner, parsed, read};
use super::{Action, Done};

/// What a command waits for DNS, for people, and between two looks, shortened. Everything else is as the file says.
fn waits(command: &str) -> &'static [(&'static str, &'static str)] {
    let all = &[("poll-interval", "100ms"), ("settle", "200ms"), ("bake-time", "200ms")];
    match command {
        "promote" | "redirect-traffic" => all,
        "rollback" => &all[..2],
        _ => &all[..1],
    }
}

/// One step that ran.
pub(crate) struct Ran {
    /// The file, the job's key, and the step's place in it, from 0.
    pub(crate) place: (String, String, usize),
    /// Its input `command`.
    pub(crate) command: String,
    /// What its plan left: a run with the file's own inputs, waits too, and `plan-only`.
    pub(crate) planned: Done,
    /// What it left.
    pub(crate) done: Done,
    /// What its post step left.
    pub(crate) post: Done,
}

/// Runs a step: its plan, itself, and its post step. Gives its outputs.
pub(crate) fn run(runner: &mut Runner<'_>, job: &Job<'_>, at: usize, with: &Value) -> Names {
    let command = shown(&with["command"]);
    let planned = action(runner, job, with).input("plan-only", "true").run();
    fits(job, &planned.log);
    let shortened = if runner.hurried { waits(&command) } else { &[] };
    let hurried =
        |action: Action| shortened.iter().fold(action, |action, (name, value)| action.input(name, value));
    let done = hurried(action(runner, job, with)).run();
    let post = hurried(action(runner, job, with)).post(&done.state).run();
    let outputs = done.outputs.clone();
    runner.ran.push(Ran {
        place: (job.file.to_owned(), job.id.to_owned(), at),
        command,
        planned,
        done,
        post,
    });
    outputs
}

/// Asserts that a job gives a run the `timeout-minutes` that the run's plan asks for.
#[track_caller]
fn fits(job: &Job<'_>, log: &str) {
    for asked in log.split("set `timeout-minutes: ").skip(1) {
        let asked = asked.split('`').next().and_then(|minutes| minutes.parse::<u64>().ok());
        let asked = asked.unwrap_or_else(|| panic!("minutes\n{log}"));
        let Job { file, id, minutes, .. } = job;
        assert!(asked <= *minutes, "{file}: `{id}` has {minutes} minutes, and its run needs {asked}");
    }
}

/// The binary with the environment of a step.
fn action(runner: &Runner<'_>, job: &Job<'_>, with: &Value) -> Action {
    let declared = parsed("action.yml", &read("action.yml"));
    let mut action = Action::bare().recorded(runner.bed).event(&runner.event.payload.to_string());
    let known = ["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED"];
    let bed = runner.bed.client_env().into_iter().filter(|(name, _)| known.contains(&name.as_str()));
    let mut env: Vec<(String, String)> = bed.chain(job.env.clone()).collect();
    env.extend(runner.event.env(runner.bed, job.file));
    if job.permissions.contains("id-token: write") {
        env.extend(runner.bed.oidc_env());
    }
    for (name, value) in env {
        action = action.env(&name, &value);
    }
    for (name, input) in declared["inputs"].as_object().expect("inputs") {
        let default = filled(input["default"].as_str().unwrap_or_default(), &job.contexts);
        action = action.input(name, &with.get(name).map_or(default, shown));
    }
    match &job.config {
        Some(config) => action.file(".github/blue-green.yml", config),
        None => action,
    }
}
