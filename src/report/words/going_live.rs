//! The sentences about the commits that go live.

use crate::plan::going_live::{GoingLive, History, LiveChange, LiveChanges, NotCompared, VersionDifference};
use crate::report::names::{count_noun, in_backticks, join_with_and, short_commit};

/// Most pull requests and commits that a sentence or a list names.
pub(crate) const MOST_NAMED: usize = 20;

/// The one sentence about a run: what goes live, or why that is unknown.
pub(crate) fn going_live_sentence(going_live: &GoingLive) -> String {
    match &going_live.difference {
        Ok(difference) => {
            let sentences = [brings_sentence(going_live, difference), takes_back_sentence(going_live)];
            sentences.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        Err(reason) => not_compared_sentence(*reason),
    }
}

/// The new changes. None if users only lose commits.
fn brings_sentence(going_live: &GoingLive, difference: &VersionDifference) -> Option<String> {
    let versions = &going_live.versions;
    let next = versions.next;
    match difference.history() {
        History::Behind => None,
        History::Identical => {
            let commit = versions.next_commit.as_deref().map(short_commit).unwrap_or_default();
            Some(format!("No new commit for users: they have all of {}.", in_backticks(&commit)))
        }
        History::Ahead | History::Diverged => {
            let (brings, one) = (count_changes(&difference.brings), is_one(&difference.brings));
            Some(match (versions.moves_users, one) {
                (true, true) => format!("{brings} goes live with {next}."),
                (true, false) => format!("{brings} go live with {next}."),
                (false, _) => format!("{brings} would go live with {next}."),
            })
        }
    }
}

/// The changes that users lose. None if users lose none.
pub(crate) fn takes_back_sentence(going_live: &GoingLive) -> Option<String> {
    let difference = going_live.taken_back()?;
    let (versions, is_older) = (&going_live.versions, difference.history() == History::Behind);
    let (names, next) = (name_changes(&difference.takes_back, MOST_NAMED), versions.next);
    Some(match (versions.moves_users, is_older) {
        (true, true) => format!("Takes back {names}, live now: {next} runs an older version."),
        (true, false) => format!("Takes back {names}, live now and missing in the version of {next}."),
        (false, _) => format!("The version for {next} lacks {names}, live now on {}.", versions.live),
    })
}

/// The refusal of a version that lacks live commits.
pub(super) fn takes_back_refusal(going_live: &GoingLive) -> (String, String) {
    let what = takes_back_sentence(going_live).unwrap_or_default();
    let live = going_live.versions.live_commit.as_deref().map(short_commit).unwrap_or_default();
    let hint = format!(
        "Deploy a version that has all of {}, for example after a merge of the default branch. To take these commits back on purpose, use `command: rollback`, or write:\n  refuse-takes-back: false",
        in_backticks(&live)
    );
    (format!("{what} `refuse-takes-back: true` refuses such a version."), hint)
}

/// The warning if the commits are unknown and the user refuses a version that lacks live commits.
pub(crate) fn takes_back_unchecked(reason: NotCompared) -> String {
    format!(
        "`refuse-takes-back` could not be checked, and the run goes on. {}",
        not_compared_sentence(reason)
    )
}

/// Why two commits were not compared.
fn not_compared_sentence(reason: NotCompared) -> String {
    let why = match reason {
        NotCompared::NoCommit(color) => {
            return format!(
                "It is unknown which pull requests go live: the task definition of {color} has no tag with its commit. A deploy by this action adds the tag."
            );
        }
        NotCompared::NoToken => "the input `token` is empty, so GitHub was not asked",
        NotCompared::Unknown => {
            "GitHub does not know both commits in this repository, or they share no history"
        }
        NotCompared::Denied => "the token may not read commits, which needs the permission `contents: read`",
        NotCompared::Limited => "GitHub takes no more requests for now",
        NotCompared::Unanswered => "GitHub did not answer in time",
    };
    format!("It is unknown which pull requests go live: {why}.")
}

/// `3 pull requests and 1 commit`; `at least` if GitHub lists no more.
fn count_changes(changes: &LiveChanges) -> String {
    let pulls = changes.pulls().len();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let parts = [(pulls, "pull request"), (changes.all.len() - pulls, "commit")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, noun)| count_noun(number(count), noun)).collect();
    let counted = if parts.is_empty() { "Some commits".to_owned() } else { join_with_and(&parts) };
    if changes.is_complete || parts.is_empty() { counted } else { format!("At least {counted}") }
}

/// True for a single change.
fn is_one(changes: &LiveChanges) -> bool {
    changes.all.len() == 1 && changes.is_complete
}

/// `#41, #43`: at most so many names, and the number of the rest.
pub(crate) fn name_changes(changes: &LiveChanges, most: usize) -> String {
    let mut names: Vec<String> = changes.all.iter().take(most).map(name_change).collect();
    names.extend(more_changes(changes, most));
    join_with_and(&names)
}

/// `#41`, or a short commit.
pub(crate) fn name_change(change: &LiveChange) -> String {
    change.pull.map_or_else(|| in_backticks(&short_commit(&change.sha)), |pull| format!("#{pull}"))
}

/// `7 more`. None if all changes are named.
pub(crate) fn more_changes(changes: &LiveChanges, most: usize) -> Option<String> {
    let more = changes.all.len().saturating_sub(most);
    match (changes.is_complete, more) {
        (true, 0) => None,
        (true, more) => Some(format!("{more} more")),
        (false, 0) => Some("more".to_owned()),
        (false, more) => Some(format!("at least {more} more")),
    }
}
