//! The tags of a revision: for display only, never for a decision.

use crate::action::context::Context;
use crate::plan::overview::COMMIT_TAG;

/// The tag that names the branch.
const BRANCH_TAG: &str = "blue-green:branch";

/// Commit, branch and run, if the runner gave these. Copied content keeps the commit and branch of its `origin`.
pub(crate) fn revision_tags(
    context: &Context,
    origin: Option<&[(String, String)]>,
) -> Vec<(&'static str, String)> {
    let of_run = || (context.commit().map(str::to_owned), context.branch().map(str::to_owned));
    let of = |tags: &[(String, String)], key: &str| {
        tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone())
    };
    let (commit, branch) = origin.map_or_else(of_run, |tags| (of(tags, COMMIT_TAG), of(tags, BRANCH_TAG)));
    [(COMMIT_TAG, commit), (BRANCH_TAG, branch), ("blue-green:run", context.run_url())]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
}
