//! The tags of a revision: for display only, never for a decision.

use crate::action::context::Context;
use crate::plan::overview::COMMIT_TAG;

/// Commit, branch and run, as far as the runner told them.
pub(crate) fn tags(context: &Context) -> Vec<(String, String)> {
    let run = context.run_url();
    [
        (COMMIT_TAG, context.sha.as_deref()),
        ("blue-green:branch", context.branch()),
        ("blue-green:run", run.as_deref()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), allowed(value?))))
    .collect()
}

/// A tag value takes letters, digits, spaces and `+ - = . _ : / @`, 256 characters at most.
/// Source: Amazon ECS, "Tagging your resources".
fn allowed(value: &str) -> String {
    let fits = |letter: char| letter.is_alphanumeric() || " +-=._:/@".contains(letter);
    value.chars().map(|letter| if fits(letter) { letter } else { '_' }).take(256).collect()
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn a_branch_with_a_hash_becomes_a_tag_value_that_aws_takes() {
        assert_eq!(allowed("fix/#12 now!"), "fix/_12 now_");
        assert_eq!(allowed(&"x".repeat(300)).len(), 256);
    }
}
