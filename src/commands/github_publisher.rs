//! Posts the wanted state to GitHub. Each part is read first, so that nothing is created twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::action::github::{GithubSettings, RunEvent};
use crate::clock;
use crate::feedback::{
    Deployment, GithubError, GithubKind, Label, Labels, Part, Posted, PullRequestView, Status,
};
use crate::github::{Answer, Comment, GitHub, Pull};
use crate::plan::time::Time;
use crate::report::comment::{Run, is_in_progress};
use crate::report::labels::is_ours;
use crate::report::mark::{Kin, compare_marks};

/// Most attempts to find a comment.
const LOOKS: u32 = 4;

/// The author of posts with a job's own token, which is the default.
const JOB: &str = "github-actions[bot]";

/// Most rounds at the end.
const ROUNDS: u32 = 3;

/// The pause before a new request after a failure of GitHub.
const PAUSE: Duration = Duration::from_secs(1);

/// Posts to GitHub for one run.
pub(super) struct GithubPublisher {
    /// GitHub.
    github: GitHub,
    /// True if the run's own pull request matters for more than labels.
    needs_pull: bool,
    /// The run's pull request: none until found, or if there is none.
    pull: Option<u64>,
    /// True once the search for the pull request has an answer.
    looked: bool,
    /// True if the input or the event names the pull request.
    named: bool,
    /// Pull requests by commit.
    pulls: BTreeMap<String, Option<u64>>,
    /// The id of GitHub's deployment.
    deployment: Option<u64>,
    /// The comment's page.
    url: Option<String>,
    /// The parts that GitHub shows already.
    shown: PullRequestView,
    /// No request before this time, since GitHub answered with this status.
    not_before: (Time, Option<u16>),
    /// The run.
    run: Run,
    /// True if the run ended before this step: posts of later runs and steps stay.
    pub(super) late: bool,
    /// True if a comment shows something newer than this run.
    overtaken: bool,
}

impl GithubPublisher {
    /// A poster without any posts yet.
    pub(super) fn new(github: GitHub, wish: &GithubSettings, run: &Run, event: &RunEvent) -> GithubPublisher {
        let pull = wish.pull_request.or(event.pull_request);
        GithubPublisher {
            github,
            needs_pull: wish.comment,
            pull,
            looked: pull.is_some(),
            named: pull.is_some(),
            pulls: BTreeMap::new(),
            deployment: None,
            url: None,
            shown: PullRequestView::default(),
            not_before: (Time::default(), None),
            run: run.clone(),
            late: false,
            overtaken: false,
        }
    }

    /// Finds the run's pull request early, while AWS is read. An error returns, and is reported, at the time of need.
    pub(super) async fn find_pull_request(&mut self) {
        let _ = self.own_pull().await;
    }

    /// Posts the missing parts, and repeats within the budget if that can help.
    pub(super) async fn show(&mut self, wanted: &PullRequestView, budget: Duration) -> Posted {
        let began = clock::now();
        let left = |now: Time| budget.saturating_sub(now.since(began));
        let mut troubles = Vec::new();
        for round in 1..=ROUNDS {
            let early = self.not_before.0.since(clock::now());
            if early > left(clock::now()) {
                let kind = GithubKind::Limited(Some(early));
                let limited = GithubError { kind, status: self.not_before.1, effect_unknown: false };
                troubles = wanted_parts(wanted).into_iter().map(|part| (part, limited.clone())).collect();
                break;
            }
            clock::sleep(early).await;
            troubles = self.round(wanted).await;
            let pause = troubles.iter().filter_map(|(_, trouble)| retry_delay(trouble)).max();
            match pause {
                Some(pause) if round < ROUNDS && pause < left(clock::now()) => clock::sleep(pause).await,
                Some(_) | None => break,
            }
        }
        let no_pull_request = self.needs_pull && self.looked && self.pull.is_none() && self.url.is_none();
        let gone = |(part, trouble): &(Part, GithubError)| {
            matches!(part, Part::Comment | Part::Labels) && trouble.kind == GithubKind::NotFound
        };
        let missing_pull = self.pull.filter(|_| self.named && troubles.iter().any(gone));
        Posted { comment_url: self.url.clone(), missing_pull, no_pull_request, troubles }
    }

    /// Tries each part once. An error that would end all parts the same way also ends the remaining parts.
    async fn round(&mut self, wanted: &PullRequestView) -> Vec<(Part, GithubError)> {
        let mut troubles: Vec<(Part, GithubError)> = Vec::new();
        for part in wanted_parts(wanted) {
            if let Some((_, last)) = troubles.last()
                && last.kind.ends_all()
            {
                troubles.push((part, last.clone()));
                continue;
            }
            if let Err(trouble) = self.part(part, wanted).await {
                if let GithubKind::Limited(Some(after)) = trouble.kind {
                    self.not_before = (clock::now().after(after), trouble.status);
                }
                troubles.push((part, trouble));
            }
        }
        troubles
    }

    /// Posts one part, unless shown already.
    async fn part(&mut self, part: Part, wanted: &PullRequestView) -> Answer<()> {
        match part {
            Part::Comment if wanted.comment != self.shown.comment => {
                for pull in self.pulls_about(&wanted.about).await? {
                    if let Some(text) = &wanted.comment {
                        self.comment(pull, text).await?;
                    }
                }
                self.shown.comment.clone_from(&wanted.comment);
            }
            Part::Deployment if wanted.deployment != self.shown.deployment => {
                let told = wanted.deployment.as_ref();
                let commit = told.and_then(|told| told.commit.clone()).or_else(|| self.run.commit.clone());
                if let (Some(commit), Some(deployment)) = (commit, told) {
                    self.deployment(&commit, deployment).await?;
                }
                self.shown.deployment.clone_from(&wanted.deployment);
            }
            Part::Status if wanted.status != self.shown.status => {
                let told = wanted.status.as_ref();
                let commit = told.and_then(|told| told.commit.clone()).or_else(|| self.run.commit.clone());
                if let (Some(commit), Some(status)) = (commit, told) {
                    self.status(&commit, status).await?;
                }
                self.shown.status.clone_from(&wanted.status);
            }
            Part::Labels if wanted.labels != self.shown.labels => {
                if let Some(labels) = wanted.labels.as_ref().filter(|_| !self.overtaken) {
                    self.labels(labels).await?;
                }
                self.shown.labels.clone_from(&wanted.labels);
            }
            Part::Comment | Part::Deployment | Part::Status | Part::Labels => {}
        }
        Ok(())
    }

    /// The run's own pull request.
    async fn own_pull(&mut self) -> Answer<Option<u64>> {
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
    async fn pull_of(&mut self, commit: &str) -> Answer<Option<u64>> {
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
    async fn pulls_about(&mut self, commits: &[String]) -> Answer<Vec<u64>> {
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

    /// The comments of the same place; if there is none, the oldest adoptable comment.
    async fn comments_of(&self, pull: u64, text: &str) -> Answer<Vec<Comment>> {
        let own = |body: &str| compare_marks(text, body) != Kin::Other;
        let found = self.github.marked_comments(pull, own).await?;
        let (same, mut adoptable): (Vec<Comment>, Vec<Comment>) =
            found.into_iter().partition(|comment| compare_marks(text, &comment.body) == Kin::Same);
        adoptable.truncate(1);
        Ok(if same.is_empty() { adoptable } else { same })
    }

    /// Finds the comment, creates a missing one, removes later duplicates, and updates a changed text. A marked comment
    /// that the token may not change belongs to another app and is ignored: an app's token can't ask for its own
    /// identity.
    async fn comment(&mut self, pull: u64, text: &str) -> Answer<()> {
        let mut last = GithubError { kind: GithubKind::Odd, status: None, effect_unknown: false };
        let (mut made, mut foreign) = (false, BTreeSet::new());
        for _ in 0..LOOKS {
            let mut marked = self.comments_of(pull, text).await?;
            marked.retain(|comment| !foreign.contains(&comment_author(comment)));
            marked.sort_by_key(|comment| (comment_author(comment) != JOB, comment.id));
            let Some((first, later)) = marked.split_first() else {
                if made {
                    // GitHub's list is outdated.
                    return Ok(());
                }
                match self.github.create_comment(pull, text).await {
                    // Another run may have created a comment meanwhile, and an unknown answer has to be checked: look
                    // again.
                    Ok(new) => (made, self.url) = (true, Some(new.html_url)),
                    Err(trouble) if trouble.effect_unknown => last = trouble,
                    Err(trouble) => return Err(trouble),
                }
                continue;
            };
            let same = first.body.trim_end() == text.trim_end();
            if self.late && !same && !is_in_progress(&first.body, &self.run) {
                (self.overtaken, self.url) = (true, Some(first.html_url.clone()));
                return Ok(());
            }
            let answer =
                if same { Ok(()) } else { self.github.update_comment(first.id, text).await.map(|_| ()) };
            match answer {
                Ok(()) => {
                    self.url = Some(first.html_url.clone());
                    return self
                        .remove(later.iter().filter(|later| comment_author(later) == comment_author(first)))
                        .await;
                }
                Err(trouble) if trouble.kind == GithubKind::Forbidden => {
                    foreign.insert(comment_author(first));
                    last = trouble;
                }
                // Deleted meanwhile, or an unknown answer: look again.
                Err(trouble) if trouble.effect_unknown || trouble.kind == GithubKind::NotFound => {
                    last = trouble;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Err(last)
    }

    /// Removes later comments of the same author, created by two runs at the same moment.
    async fn remove(&self, later: impl Iterator<Item = &Comment>) -> Answer<()> {
        for comment in later {
            self.github.delete_comment(comment.id).await?;
        }
        Ok(())
    }

    /// Finds or creates the deployment, sets its state, and retires older ones after a success.
    async fn deployment(&mut self, commit: &str, wanted: &Deployment) -> Answer<()> {
        let Some(id) = self.own_deployment(commit, wanted).await? else { return Ok(()) };
        self.deployment = Some(id);
        match self.github.set_deployment(id, wanted).await {
            Err(trouble) if trouble.effect_unknown => {
                if self.github.deployment_state(id).await?.as_deref() != Some(wanted.state.as_str()) {
                    return Err(trouble);
                }
            }
            answer => answer?,
        }
        if wanted.state == "success" { self.retire(id, wanted).await } else { Ok(()) }
    }

    /// GitHub's deployment of this run; none if missing and none may be created.
    async fn own_deployment(&mut self, commit: &str, wanted: &Deployment) -> Answer<Option<u64>> {
        if self.deployment.is_some() {
            return Ok(self.deployment);
        }
        if let Some(id) = self.known_deployment(wanted).await? {
            return Ok(Some(id));
        }
        if !wanted.create {
            return Ok(None);
        }
        match self.github.create_deployment(commit, wanted).await {
            Ok(made) => Ok(Some(made.id)),
            Err(trouble) if trouble.effect_unknown => match self.known_deployment(wanted).await? {
                Some(id) => Ok(Some(id)),
                None => Err(trouble),
            },
            Err(trouble) => Err(trouble),
        }
    }

    /// The deployment that this run created earlier.
    async fn known_deployment(&self, wanted: &Deployment) -> Answer<Option<u64>> {
        let known = self.github.deployments(&wanted.environment).await?;
        Ok(known.iter().find(|one| one.key() == Some(wanted.key.as_str())).map(|one| one.id))
    }

    /// Retires the deployments before this one, the oldest first: a retired deployment means that all earlier ones are
    /// retired, too.
    async fn retire(&self, id: u64, wanted: &Deployment) -> Answer<()> {
        let known = self.github.deployments(&wanted.environment).await?;
        let mut alive = Vec::new();
        for older in known.iter().filter(|one| one.id < id && one.is_of(&wanted.place)) {
            match self.github.deployment_state(older.id).await?.as_deref() {
                Some("inactive") => break,
                Some("failure" | "error") => {}
                Some(_) | None => alive.push(older.id),
            }
        }
        for older in alive.into_iter().rev() {
            self.github.retire_deployment(older).await?;
        }
        Ok(())
    }

    /// Sets the commit status.
    async fn status(&mut self, commit: &str, wanted: &Status) -> Answer<()> {
        match self.github.set_status(commit, wanted).await {
            Err(trouble) if trouble.effect_unknown => {
                if self.github.has_status(commit, wanted).await? {
                    Ok(())
                } else {
                    Err(trouble)
                }
            }
            answer => answer,
        }
    }

    /// Gives each pull request its labels and removes outdated labels.
    async fn labels(&mut self, wanted: &Labels) -> Answer<()> {
        let mut pulls: BTreeMap<u64, Vec<Label>> = BTreeMap::new();
        for (commit, labels) in &wanted.commits {
            if let Some(pull) = self.pull_of(commit).await? {
                pulls.entry(pull).or_default().extend(labels.iter().cloned());
            }
        }
        for (pull, labels) in &pulls {
            self.relabel(*pull, labels, |name| is_ours(name, &wanted.families)).await?;
        }
        let (Some(failed), Some(failure)) = (wanted.failed, &wanted.failure) else { return Ok(()) };
        let Some(own) = self.own_pull().await? else { return Ok(()) };
        let labels = if failed { std::slice::from_ref(failure) } else { &[] };
        self.relabel(own, labels, |name| name.eq_ignore_ascii_case(&failure.name)).await
    }

    /// Replaces a pull request's labels of one kind with these.
    async fn relabel(&self, pull: u64, wanted: &[Label], of_kind: impl Fn(&str) -> bool) -> Answer<()> {
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

/// The wanted parts, the most important first.
fn wanted_parts(wanted: &PullRequestView) -> Vec<Part> {
    let all = [
        (Part::Comment, wanted.comment.is_some()),
        (Part::Status, wanted.status.is_some()),
        (Part::Deployment, wanted.deployment.is_some()),
        (Part::Labels, wanted.labels.is_some()),
    ];
    all.into_iter().filter(|(_, wanted)| *wanted).map(|(part, _)| part).collect()
}

/// The account that wrote a comment.
fn comment_author(comment: &Comment) -> String {
    comment.user.as_ref().map(|user| user.login.clone()).unwrap_or_default()
}

/// The wait before a retry; none if a retry can't help.
fn retry_delay(trouble: &GithubError) -> Option<Duration> {
    match trouble.kind {
        GithubKind::Limited(after) => after,
        GithubKind::RunFailure | GithubKind::Odd | GithubKind::Down => Some(PAUSE),
        GithubKind::Unauthorized
        | GithubKind::Forbidden
        | GithubKind::Locked
        | GithubKind::NotFound
        | GithubKind::Refused
        | GithubKind::Slow
        | GithubKind::NoTime => None,
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
