//! The last resort: a panic, or a run that can't begin, still ends with outputs, a summary and one error.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use crate::action::context::Context;
use crate::action::env::{Entry, Environment};
use crate::action::inputs::CommandName;
use crate::clock;
use crate::event::Report;
use crate::report::words;
use crate::reporter::Reporter;

/// The place of the first panic in the sources: file and line.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Runs the step. A panic ends the step as a failure with the reason `internal`. So does an error, which names the part
/// that could not start.
pub fn run_guarded(env: &Environment, run: impl FnOnce() -> Result<ExitCode, String>) -> ExitCode {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(code)) => code,
        Ok(Err(what)) => report_crash(env, &what),
        Err(_) => {
            let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner).take();
            report_crash(env, &words::broken_at(place.as_deref()))
        }
    }
}

/// Notes the place of a panic. The panic's message is never shown, since it may hold a value (invariant 32).
pub fn note_panics() {
    set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
        let mut first = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
        *first = first.take().or(place);
    }));
}

/// Reports the end of an aborted run.
fn report_crash(env: &Environment, what: &str) -> ExitCode {
    let context = Context::new(env);
    let reporter = Reporter::new(env, &context, clock::now());
    reporter.mask_credentials();
    let command = match env.entry() {
        Entry::Main => CommandName::meant(env).word(),
        Entry::Post => "post",
    };
    let mut report = Report::new(command);
    report.break_off(words::internal_failure(what));
    reporter.end(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_with_outputs_a_summary_and_what_to_check() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (output, summary) = (path("output"), path("summary"));
        let variables =
            [("INPUT_COMMAND", "deploy"), ("GITHUB_OUTPUT", &output), ("GITHUB_STEP_SUMMARY", &summary)];
        let env = Environment::new(Entry::Main, &variables);
        assert_eq!(run_guarded(&env, || panic!("PLANTED")), ExitCode::FAILURE);
        let (output, summary) =
            (std::fs::read_to_string(&output).unwrap(), std::fs::read_to_string(&summary).unwrap());
        for value in ["failed", "internal", "unknown"] {
            assert!(output.lines().any(|line| line == value), "{value}\n{output}");
        }
        assert!(summary.contains("internal") && summary.contains("status"), "{summary}");
        assert!(!output.contains("PLANTED") && !summary.contains("PLANTED"));
    }

    /// Runs in a child process of [`a_panic_of_the_process_ends_with_one_error`].
    #[test]
    #[ignore = "ends as a process that panicked"]
    fn panics() {
        note_panics();
        let env = Environment::of_process();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let code = run_guarded(&env, || runtime.block_on(async { panic!("PLANTED") }));
        assert_eq!(code, ExitCode::FAILURE);
    }

    #[test]
    fn a_panic_of_the_process_ends_with_one_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let (output, summary) = (path("output"), path("summary"));
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["commands::last_resort::tests::panics", "--exact", "--ignored", "--nocapture"])
            .env_clear()
            .envs([("INPUT_COMMAND", "deploy"), ("GITHUB_ACTIONS", "true")])
            .envs([("GITHUB_OUTPUT", &output), ("GITHUB_STEP_SUMMARY", &summary)])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
        assert!(child.status.success(), "{said}");
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("::error")).collect();
        let [error] = errors.as_slice() else { panic!("{said}") };
        assert!(
            error.contains("src/commands/last_resort.rs:") && error.contains("command: status"),
            "{error}"
        );
        let output = std::fs::read_to_string(&output).unwrap();
        for value in ["failed", "internal", "unknown"] {
            assert!(output.lines().any(|line| line == value), "{value}\n{output}");
        }
        let summary = std::fs::read_to_string(&summary).unwrap();
        assert!(summary.contains("internal"), "{summary}");
        for text in [&*said, &output, &summary] {
            assert!(!text.contains("PLANTED"), "{text}");
        }
    }

    #[test]
    fn a_run_that_can_not_begin_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let summary = folder.path().join("summary");
        let env = Environment::new(Entry::Post, &[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())]);
        assert_eq!(run_guarded(&env, || Err("No signals.".to_owned())), ExitCode::FAILURE);
        assert!(std::fs::read_to_string(&summary).unwrap().contains("No signals."));
        assert_eq!(run_guarded(&env, || Ok(ExitCode::SUCCESS)), ExitCode::SUCCESS);
    }
}
