//! The tags of a revision: for display only, never for a decision.

use crate::action::context::Context;
use crate::plan::overview::COMMIT_TAG;

/// Commit, branch and run, as far as the runner told them.
pub(crate) fn tags(context: &Context) -> Vec<(&'static str, String)> {
    let commit = context.sha.clone();
    let branch = context.branch().map(str::to_owned);
    [(COMMIT_TAG, commit), ("blue-green:branch", branch), ("blue-green:run", context.run_url())]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
}
