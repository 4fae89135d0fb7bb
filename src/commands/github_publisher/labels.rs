//! The labels of pull requests.

use std::collections::{BTreeMap, BTreeSet};

use super::GithubPublisher;
use crate::feedback::{GithubKind, Label, Labels};
use crate::github::GithubResult;
use crate::report::labels::is_ours;

impl GithubPublisher {
    /// Gives each pull request its labels and removes outdated labels.
    pub(super) async fn labels(&mut self, wanted: &Labels) -> GithubResult<()> {
        let mut pulls: BTreeMap<u64, Vec<Label>> = BTreeMap::new();
        for (commit, labels) in &wanted.commits {
            if let Some(pull) = self.pull_of(commit).await? {
                pulls.entry(pull).or_default().extend(labels.iter().cloned());
            }
        }
        let mut lost = BTreeSet::new();
        for commit in &wanted.lost {
            lost.extend(self.pull_of(commit).await?);
        }
        let live = wanted.live.as_ref().map(|label| label.name.as_str()).unwrap_or_default();
        for (pull, labels) in &pulls {
            let is_lost = |name: &str| lost.contains(pull) && name.eq_ignore_ascii_case(live);
            self.relabel(*pull, labels, |name| is_ours(name, &wanted.families) || is_lost(name)).await?;
        }
        for (pull, live) in &wanted.live_pulls {
            self.mark_live(*pull, *live, wanted.live.as_ref()).await?;
        }
        let (Some(failed), Some(failure)) = (wanted.failed, &wanted.failure) else { return Ok(()) };
        let Some(own) = self.own_pull().await? else { return Ok(()) };
        let labels = if failed { std::slice::from_ref(failure) } else { &[] };
        self.relabel(own, labels, |name| name.eq_ignore_ascii_case(&failure.name)).await
    }

    /// Adds the label of live commits to a merged pull request, or removes the label. A number in a commit's title can be
    /// unknown, an issue, or a pull request that the commit only mentions: nothing is added then.
    async fn mark_live(&self, pull: u64, live: bool, label: Option<&Label>) -> GithubResult<()> {
        let Some(label) = label else { return Ok(()) };
        let found = match self.github.pull(pull).await {
            Err(trouble) if trouble.kind == GithubKind::NotFound => return Ok(()),
            found => found?,
        };
        if live && !found.merged {
            return Ok(());
        }
        let wanted = if live { std::slice::from_ref(label) } else { &[] };
        self.relabel(pull, wanted, |name| name.eq_ignore_ascii_case(&label.name)).await
    }

    /// Replaces a pull request's labels of one kind with these.
    async fn relabel(&self, pull: u64, wanted: &[Label], of_kind: impl Fn(&str) -> bool) -> GithubResult<()> {
        let there = self.github.labels(pull).await?;
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        for name in there.iter().filter(|name| of_kind(name)) {
            if !wanted.iter().any(|label| same(&label.name, name)) {
                self.github.remove_label(pull, name).await?;
            }
        }
        let mut missing: Vec<&str> = Vec::new();
        for label in wanted {
            let known = there.iter().any(|name| same(name, &label.name));
            if !known && !missing.contains(&label.name.as_str()) {
                self.github.provide_label(label).await?;
                missing.push(&label.name);
            }
        }
        if missing.is_empty() { Ok(()) } else { self.github.add_labels(pull, &missing).await }
    }
}
