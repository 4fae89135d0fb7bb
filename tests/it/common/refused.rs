//! What a run says that was refused after a look at AWS.

use testbed::Testbed;

use super::{Action, Done, writes};

/// Runs it and asserts that it is refused for this reason, and that AWS was asked but nothing written.
#[track_caller]
pub(crate) fn refused(bed: &Testbed, action: Action, reason: &str) -> Done {
    let before = bed.violations();
    let done = action.run();
    done.expect(1, "refused", reason, "untouched");
    assert_eq!(writes(bed), [""; 0]);
    assert_eq!(bed.violations(), before);
    assert!(done.summary.starts_with("### ⛔ Refused"), "{}", done.summary);
    let title = done.summary.lines().next().unwrap_or_default();
    assert!(title.contains(&format!("({reason})")), "{}", done.summary);
    done
}

/// The one titled error of a run, as GitHub shows it: what was found, and what to do.
#[track_caller]
pub(crate) fn answer(done: &Done) -> String {
    let errors: Vec<&str> = done.log.lines().filter(|line| line.starts_with("::error ")).collect();
    let [error] = errors.as_slice() else { panic!("not one error but {}:\n{}", errors.len(), done.log) };
    let (title, message) = error.trim_start_matches("::error ").split_once("::").expect("a message");
    let reason = done.output("reason");
    assert!(title.starts_with("title=") && title.ends_with(&format!("refused%3A {reason}")), "{title}");
    message.replace("%0A", "\n").replace("%25", "%")
}
