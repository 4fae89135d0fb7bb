//! Posts the wanted state to GitHub. Each part is read first, so that nothing is created twice.

mod comments;
mod deployments;
mod labels;
mod pulls;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::action::github::{GithubSettings, RunEvent};
use crate::clock;
use crate::feedback::{GithubError, GithubKind, Part, Posted, PullRequestView};
use crate::github::{Author, GitHub, GithubResult};
use crate::plan::time::Time;
use crate::report::comment::CommentRun;

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
    /// The author of this token's comments, once a new comment told it.
    author: Option<Author>,
    /// The parts that GitHub shows already.
    shown: PullRequestView,
    /// No request before this time, since GitHub answered with this status.
    not_before: (Time, Option<u16>),
    /// The run.
    run: CommentRun,
    /// True if the run ended before this step: posts of later runs and steps stay.
    pub(super) late: bool,
    /// True if a comment shows something newer than this run.
    overtaken: bool,
}

impl GithubPublisher {
    /// A poster without any posts yet.
    pub(super) fn new(
        github: GitHub,
        wish: &GithubSettings,
        run: &CommentRun,
        event: &RunEvent,
    ) -> GithubPublisher {
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
            author: None,
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
    async fn part(&mut self, part: Part, wanted: &PullRequestView) -> GithubResult<()> {
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
