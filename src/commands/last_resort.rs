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

/// Runs the step. A panic ends it as a failure with the reason `internal`, and so does an error, which says in words what
/// could not begin.
pub(crate) fn guarded(env: &Environment, run: impl FnOnce() -> Result<ExitCode, String>) -> ExitCode {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(code)) => code,
        Ok(Err(what)) => end(env, &what),
        Err(_) => {
            let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner).take();
            end(env, &words::broken_at(place.as_deref()))
        }
    }
}

/// Notes where a panic is. Its message is never shown: it may hold a value (invariant 32).
pub(crate) fn note_panics() {
    set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
        let mut first = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
        *first = first.take().or(place);
    }));
}

/// Tells the end of a run that broke off.
fn end(env: &Environment, what: &str) -> ExitCode {
    let context = Context::new(env);
    let reporter = Reporter::new(env, &context, clock::now());
    reporter.mask_credentials();
    let command = match env.entry() {
        Entry::Main => CommandName::meant(env).word(),
        Entry::Post => "post",
    };
    let mut report = Report::new(command);
    report.break_off(words::internal(what));
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
        assert_eq!(guarded(&env, || panic!("PLANTED")), ExitCode::FAILURE);
        let (output, summary) =
            (std::fs::read_to_string(&output).unwrap(), std::fs::read_to_string(&summary).unwrap());
        for value in ["failed", "internal", "unknown"] {
            assert!(output.lines().any(|line| line == value), "{value}\n{output}");
        }
        assert!(summary.contains("internal") && summary.contains("status"), "{summary}");
        assert!(!output.contains("PLANTED") && !summary.contains("PLANTED"));
    }

    #[test]
    fn a_run_that_can_not_begin_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let summary = folder.path().join("summary");
        let env = Environment::new(Entry::Post, &[("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())]);
        assert_eq!(guarded(&env, || Err("No signals.".to_owned())), ExitCode::FAILURE);
        assert!(std::fs::read_to_string(&summary).unwrap().contains("No signals."));
        assert_eq!(guarded(&env, || Ok(ExitCode::SUCCESS)), ExitCode::SUCCESS);
    }
}
