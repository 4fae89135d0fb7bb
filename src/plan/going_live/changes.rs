//! From commits to pull requests.

use std::collections::{BTreeMap, BTreeSet};

/// A commit as GitHub lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The id.
    pub(crate) sha: String,
    /// The ids of its parents; the first is the branch that a merge went into.
    pub(crate) parents: Vec<String>,
    /// The message.
    pub(crate) message: String,
    /// Time of writing, in ISO 8601. A rebase and a cherry-pick keep it.
    pub(crate) written: String,
}

/// The commits that one version has and another lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Commits {
    /// Their number.
    pub(crate) total: u64,
    /// The commits that GitHub lists, oldest first; fewer than `total` if these are too many for one answer.
    pub(crate) listed: Vec<Commit>,
}

/// A pull request, or a commit without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LiveChange {
    /// The number of the pull request.
    pub(crate) pull: Option<u64>,
    /// The commit, or the commit that merged the pull request.
    pub(crate) sha: String,
    /// The title; foreign text.
    pub(crate) title: String,
    /// Time of writing of the commit, in ISO 8601.
    written: String,
}

/// Identifies a change on both sides of a comparison: by the number, or by title and time of writing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ChangeId {
    /// A pull request.
    Pull(u64),
    /// A commit.
    Commit(String, String),
}

impl LiveChange {
    /// A change without the commit's time of writing.
    #[cfg(test)]
    pub(crate) fn sample(pull: Option<u64>, sha: &str, title: &str) -> LiveChange {
        LiveChange { pull, sha: sha.to_owned(), title: title.to_owned(), written: String::new() }
    }

    /// The identity.
    pub(super) fn id(&self) -> ChangeId {
        self.pull.map_or_else(|| ChangeId::Commit(self.title.clone(), self.written.clone()), ChangeId::Pull)
    }
}

/// Changes, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LiveChanges {
    /// The known changes.
    pub(crate) all: Vec<LiveChange>,
    /// False if there are more commits than GitHub lists in one answer.
    pub(crate) is_complete: bool,
}

impl Default for LiveChanges {
    /// No changes.
    fn default() -> Self {
        LiveChanges { all: Vec::new(), is_complete: true }
    }
}

impl LiveChanges {
    /// True if there is no change at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.is_complete
    }

    /// The numbers of the pull requests.
    pub(crate) fn pulls(&self) -> Vec<u64> {
        self.all.iter().filter_map(|change| change.pull).collect()
    }
}

/// The changes of these commits. The merge of a pull request stands for the commits that it brought, except other pull
/// requests. Any other merge is no change.
pub(crate) fn list_changes(commits: &Commits) -> LiveChanges {
    let merged = merged_commits(&commits.listed);
    let mut known = BTreeSet::new();
    let change = |commit: &Commit| change_of(commit, merged.contains(commit.sha.as_str()));
    let changes = commits.listed.iter().rev().filter_map(change);
    let all = changes.filter(|change| known.insert(change.id())).collect();
    let listed = u64::try_from(commits.listed.len()).unwrap_or(u64::MAX);
    LiveChanges { all, is_complete: listed >= commits.total }
}

/// The change that a commit brings. None for a commit that a merge stands for, and for a merge of a branch.
fn change_of(commit: &Commit, merged: bool) -> Option<LiveChange> {
    let made = |pull: Option<u64>, title: &str| LiveChange {
        pull,
        sha: commit.sha.clone(),
        title: title.to_owned(),
        written: commit.written.clone(),
    };
    if let Some((pull, title)) = merge_of(commit) {
        return Some(made(Some(pull), title));
    }
    let title = commit.message.lines().next().unwrap_or_default().trim();
    if commit.parents.len() > 1 {
        return None;
    }
    match squash_of(title) {
        Some((pull, title)) => Some(made(Some(pull), title)),
        None => (!merged).then(|| made(None, title)),
    }
}

/// The pull request of a merge commit, with its title: GitHub writes `Merge pull request #41 from owner/branch`, an empty
/// line, and the title.
fn merge_of(commit: &Commit) -> Option<(u64, &str)> {
    let mut lines = commit.message.lines().map(str::trim);
    let rest = lines.next()?.strip_prefix("Merge pull request #")?;
    let (number, source) = rest.split_once(' ')?;
    let source = source.strip_prefix("from ").filter(|_| commit.parents.len() > 1)?;
    Some((parse_number(number)?, lines.find(|line| !line.is_empty()).unwrap_or(source)))
}

/// The pull request of a squashed commit, with its title: GitHub writes `Title (#41)`.
fn squash_of(title: &str) -> Option<(u64, &str)> {
    let (title, number) = title.strip_suffix(')')?.rsplit_once("(#")?;
    Some((parse_number(number)?, title.trim_end()))
}

/// A number of a pull request.
fn parse_number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && *number > 0)
}

/// The commits that merges of pull requests brought: those that only the merged side leads to.
fn merged_commits(listed: &[Commit]) -> BTreeSet<&str> {
    let known: BTreeMap<&str, &Commit> = listed.iter().map(|commit| (commit.sha.as_str(), commit)).collect();
    let mut merged = BTreeSet::new();
    for commit in listed.iter().filter(|commit| merge_of(commit).is_some()) {
        let Some((first, others)) = commit.parents.split_first() else { continue };
        let kept = reachable(&known, std::slice::from_ref(first));
        merged.extend(reachable(&known, others).difference(&kept));
    }
    merged
}

/// The known commits that these lead to, with themselves.
fn reachable<'a>(known: &BTreeMap<&'a str, &'a Commit>, from: &[String]) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&str> = from.iter().map(String::as_str).collect();
    while let Some(sha) = next.pop() {
        let Some((sha, commit)) = known.get_key_value(sha) else { continue };
        if found.insert(*sha) {
            next.extend(commit.parents.iter().map(String::as_str));
        }
    }
    found
}
