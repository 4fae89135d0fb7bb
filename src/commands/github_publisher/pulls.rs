//! The pull requests of a run and of commits.

use super::GithubPublisher;
use crate::github::{GithubResult, Pull};

impl GithubPublisher {
    /// The run's own pull request.
    pub(super) async fn own_pull(&mut self) -> GithubResult<Option<u64>> {
        if !self.looked {
            if let Some(commit) = self.run.commit.clone() {
                let found = self.github.pulls_of(&commit).await?;
                self.pull = choose_pull_request(&found, &commit, self.run.branch.as_deref());
            }
            self.looked = true;
        }
        Ok(self.pull)
    }

    /// The pull request of a commit in a revision's tags.
    pub(super) async fn pull_of(&mut self, commit: &str) -> GithubResult<Option<u64>> {
        if self.run.commit.as_deref() == Some(commit) {
            return self.own_pull().await;
        }
        if let Some(known) = self.pulls.get(commit) {
            return Ok(*known);
        }
        let plain = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let found = if plain { self.github.pulls_of(commit).await? } else { Vec::new() };
        let chosen = choose_pull_request(&found, commit, None);
        self.pulls.insert(commit.to_owned(), chosen);
        Ok(chosen)
    }

    /// The pull requests for the comment: the named one, else those of these commits, else the run's.
    pub(super) async fn pulls_about(&mut self, commits: &[String]) -> GithubResult<Vec<u64>> {
        let mut found = Vec::new();
        let commits = if self.named { &[] } else { commits };
        for commit in commits {
            match self.pull_of(commit).await? {
                Some(pull) if !found.contains(&pull) => found.push(pull),
                Some(_) | None => {}
            }
        }
        if found.is_empty() {
            found.extend(self.own_pull().await?);
        }
        Ok(found)
    }
}

/// The pull request of a commit, in this order: open with this newest commit, from this branch, merged as this commit,
/// closed with this last commit, any open, any.
fn choose_pull_request(pulls: &[Pull], commit: &str, branch: Option<&str>) -> Option<u64> {
    let open = |pull: &&Pull| pull.state == "open";
    let head = |pull: &&Pull| pull.head.as_ref().is_some_and(|head| head.sha == commit);
    let from = |pull: &&Pull| {
        pull.head.as_ref().is_some_and(|head| branch.is_some_and(|branch| head.branch == branch))
    };
    let merged = |pull: &&Pull| pull.merge_commit_sha.as_deref() == Some(commit);
    let found = pulls.iter().find(|pull| open(pull) && head(pull));
    found
        .or_else(|| pulls.iter().find(|pull| open(pull) && from(pull)))
        .or_else(|| pulls.iter().find(merged))
        // Before an open pull request that only contains the commit, such as a release's.
        .or_else(|| pulls.iter().find(head))
        .or_else(|| pulls.iter().find(open))
        .or_else(|| pulls.first())
        .map(|pull| pull.number)
}
