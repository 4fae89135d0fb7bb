//! Twenty git histories: what users get and lose between two commits.

use std::collections::BTreeSet;

use super::*;

/// A history, one commit a word: `ID<PARENT+PARENT=MESSAGE`, with `_` for a space and `|` for a line break.
fn history(text: &str) -> Vec<Commit> {
    let commit = |word: &str| {
        let (head, message) = word.split_once('=').unwrap();
        let (sha, parents) = head.split_once('<').unwrap_or((head, ""));
        let parents = parents.split('+').filter(|parent| !parent.is_empty()).map(str::to_owned).collect();
        let message = message.replace('_', " ").replace('|', "\n");
        // A copy, such as `b2` of `b`, keeps the time of writing.
        Commit { sha: sha.to_owned(), parents, message, written: sha.chars().take(1).collect() }
    };
    text.split_whitespace().map(commit).collect()
}

/// A commit with its ancestors.
fn ancestors(all: &[Commit], sha: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = vec![sha.to_owned()];
    while let Some(sha) = next.pop() {
        let commit = all.iter().find(|commit| commit.sha == sha).unwrap();
        next.extend(commit.parents.iter().cloned());
        found.insert(sha);
    }
    found
}

/// The commits that the second one has and the first one lacks, as `git log FIRST..SECOND`.
fn between(all: &[Commit], first: &str, second: &str) -> Commits {
    let (without, with) = (ancestors(all, first), ancestors(all, second));
    let is_new = |commit: &&Commit| with.contains(&commit.sha) && !without.contains(&commit.sha);
    let listed: Vec<Commit> = all.iter().filter(is_new).cloned().collect();
    Commits { total: listed.len() as u64, listed }
}

/// The names of changes: a number, or a commit.
fn names(changes: &LiveChanges) -> String {
    let name =
        |change: &LiveChange| change.pull.map_or_else(|| change.sha.clone(), |pull| format!("#{pull}"));
    changes.all.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// Squashed pull requests on `main`.
const SQUASHED: &str = "a=First b<a=Two_(#2) c<b=Three_(#3) d<c=Four_(#4)";
/// A branch next to `main`.
const BRANCH: &str = "a=First b<a=Two_(#2) c<b=Three_(#3) x<a=wip y<x=more";
/// A merged pull request.
const MERGED: &str = "a=First x<a=wip y<x=more b<a=Two_(#2) m<b+y=Merge_pull_request_#7_from_o/x||Cart";
/// A branch that was brought up to date.
const UPDATED: &str = "a=First b<a=Two_(#2) x<a=wip u<x+b=Merge_branch_'main'_into_x y<u=more";
/// Git flow: a release of several pull requests.
const RELEASE: &str = "a=First b<a=Two_(#2) c<b=Three_(#3) m<a+c=Merge_pull_request_#9_from_o/develop||Release h<m=Hotfix_(#10)";
/// A branch that was rebased and pushed by force.
const REBASED: &str = "a=First x<a=wip y<x=more b<a=Two_(#2) x2<b=wip y2<x2=more z<y2=new";
/// A cherry-pick of one pull request into an older release.
const PICKED: &str = "a=First b<a=Two_(#2) c<b=Three_(#3) c2<a=Three_(#3)";

#[test]
fn twenty_histories_say_what_users_get_and_lose() {
    let table = [
        (SQUASHED, "d", "d", "", "", History::Identical),
        (SQUASHED, "a", "d", "#4 #3 #2", "", History::Ahead),
        (SQUASHED, "c", "d", "#4", "", History::Ahead),
        (SQUASHED, "d", "b", "", "#4 #3", History::Behind),
        (SQUASHED, "d", "a", "", "#4 #3 #2", History::Behind),
        (BRANCH, "a", "y", "y x", "", History::Ahead),
        (BRANCH, "c", "y", "y x", "#3 #2", History::Diverged),
        (BRANCH, "y", "c", "#3 #2", "y x", History::Diverged),
        (MERGED, "a", "m", "#7 #2", "", History::Ahead),
        (MERGED, "b", "m", "#7", "", History::Ahead),
        (MERGED, "y", "m", "#7 #2", "", History::Ahead),
        (MERGED, "m", "b", "", "#7", History::Behind),
        (UPDATED, "b", "y", "y x", "", History::Ahead),
        (UPDATED, "x", "y", "y #2", "", History::Ahead),
        (RELEASE, "a", "h", "#10 #9 #3 #2", "", History::Ahead),
        (RELEASE, "h", "c", "", "#10 #9", History::Behind),
        (REBASED, "y", "y2", "#2", "", History::Ahead),
        (REBASED, "y", "z", "z #2", "", History::Ahead),
        (REBASED, "z", "y", "", "z #2", History::Behind),
        (PICKED, "c2", "c", "#2", "", History::Ahead),
    ];
    for (text, live, next, brings, takes_back, kind) in table {
        let all = history(text);
        let found = VersionDifference::of(&between(&all, live, next), &between(&all, next, live));
        let told = (names(&found.brings), names(&found.takes_back), found.history());
        assert_eq!(told, (brings.to_owned(), takes_back.to_owned(), kind), "{live} -> {next} in {text}");
    }
}
