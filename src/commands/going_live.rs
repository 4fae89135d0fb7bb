//! Finds out what goes live with a run: the commits of both versions by their tags, and the commits between them by
//! GitHub. GitHub's failure stops nothing (invariant 33).

use std::time::Duration;

use super::feedback::github_client;
use super::session::Session;
use super::start::run_id;
use crate::action::settings::Command;
use crate::clock;
use crate::event::{Event, Report, Warning};
use crate::feedback::{GithubError, GithubKind};
use crate::github::{GitHub, GithubResult};
use crate::plan::color::{Color, ServiceColor};
use crate::plan::going_live::{
    Commits, GoingLive, NotCompared, VersionDifference, Versions, versions_of_deploy, versions_of_traffic,
};
use crate::plan::step::Refusal;
use crate::plan::traffic::{TrafficPlan, gaining_color};
use crate::report::words;

/// Longest wait for GitHub's answers. Without an answer the run goes on.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same for a rollback, which is urgent.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

impl Session<'_> {
    /// Finds out and reports what would go live with a deploy of this commit. The refusal, if the version lacks commits that
    /// users have, and the user refuses that.
    pub(super) async fn refusal_of_deploy(
        &self,
        color: ServiceColor,
        commit: Option<String>,
        report: &mut Report,
    ) -> Option<Refusal> {
        let versions = versions_of_deploy(report.overview.as_ref()?, color, commit)?;
        self.report_going_live(versions, report).await
    }

    /// The same for a change of traffic.
    pub(super) async fn refusal_of_traffic(
        &self,
        plan: &TrafficPlan,
        report: &mut Report,
    ) -> Option<Refusal> {
        let gaining = match &plan.copy {
            Some(copy) => Some(copy.tested),
            None => gaining_color(plan.from, plan.to),
        };
        let versions = versions_of_traffic(report.overview.as_ref()?, gaining?)?;
        self.report_going_live(versions, report).await
    }

    /// Finds out and reports what goes live with these versions.
    async fn report_going_live(&self, versions: Versions, report: &mut Report) -> Option<Refusal> {
        let going_live = Box::new(self.going_live(versions).await);
        self.reporter.emit(&Event::GoingLive(going_live.clone()));
        report.going_live = Some(going_live.clone());
        if !self.settings.refuse_takes_back {
            return None;
        }
        if let Err(reason) = going_live.difference {
            let warning = Warning::Text(words::takes_back_unchecked(reason));
            self.reporter.emit(&Event::Warning(warning));
        }
        going_live.taken_back().is_some().then(|| Refusal::TakesBack(going_live.clone()))
    }

    /// What goes live with these versions.
    async fn going_live(&self, versions: Versions) -> GoingLive {
        let patience = match self.settings.command {
            Command::Rollback(_) => SHORT_PATIENCE,
            Command::Deploy(_) | Command::Redirect(_) | Command::Promote(_) => PATIENCE,
            Command::Status | Command::Doctor(_) => Duration::ZERO,
        };
        let difference = tokio::select! {
            biased;
            difference = self.difference(&versions) => difference,
            _ = self.signals.wait() => Err(NotCompared::Unanswered),
            () = clock::sleep(patience) => Err(NotCompared::Unanswered),
        };
        GoingLive { versions, difference }
    }

    /// The difference between both commits. The same commit needs no answer from GitHub.
    async fn difference(&self, versions: &Versions) -> Result<VersionDifference, NotCompared> {
        let commit = |commit: &Option<String>, color: Color| {
            let known = commit.clone().filter(|commit| is_commit(commit));
            known.ok_or(NotCompared::NoCommit(color))
        };
        let next = commit(&versions.next_commit, versions.next)?;
        let live = commit(&versions.live_commit, versions.live)?;
        if live.eq_ignore_ascii_case(&next) {
            return Ok(VersionDifference::default());
        }
        let github = self.github().ok_or(NotCompared::NoToken)?;
        compare_commits(&github, &live, &next).await.map_err(|trouble| not_compared(&trouble))
    }

    /// GitHub's client, if the run has a token.
    fn github(&self) -> Option<GitHub> {
        let token = self.settings.github.token.as_ref()?;
        let http = crate::http::build_client(run_id(self.context)).ok()?;
        github_client(self.env, self.context, token, &http)
    }
}

/// Compares two commits. One call, if the next version has all live commits. GitHub lists only the commits that the
/// second one has, so commits that users lose take another call; and a third one tells if their pull request was squashed
/// into the next version.
async fn compare_commits(github: &GitHub, live: &str, next: &str) -> GithubResult<VersionDifference> {
    let (brings, behind) = github.compare(live, next).await?;
    if behind == 0 {
        return Ok(VersionDifference::of(&brings, &Commits::default()));
    }
    let (takes_back, _) = github.compare(next, live).await?;
    let difference = VersionDifference::of(&brings, &takes_back);
    let may_be_squashed = difference.takes_back.all.iter().any(|change| change.pull.is_none());
    if !may_be_squashed || difference.brings.pulls().is_empty() {
        return Ok(difference);
    }
    let pulls = github.pulls_of(live).await.unwrap_or_default();
    let pulls: Vec<u64> = pulls.into_iter().map(|pull| pull.number).collect();
    Ok(difference.with_squashed(&pulls))
}

/// True if this can be the id of a commit.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The meaning of GitHub's error.
fn not_compared(trouble: &GithubError) -> NotCompared {
    match trouble.kind {
        GithubKind::NotFound | GithubKind::Refused => NotCompared::Unknown,
        GithubKind::Unauthorized | GithubKind::Forbidden | GithubKind::Locked => NotCompared::Denied,
        GithubKind::Limited(_) => NotCompared::Limited,
        GithubKind::RunFailure
        | GithubKind::Slow
        | GithubKind::Down
        | GithubKind::Odd
        | GithubKind::NoTime => NotCompared::Unanswered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_33_every_error_of_github_is_only_a_reason() {
        let table = [
            (GithubKind::NotFound, NotCompared::Unknown),
            (GithubKind::Refused, NotCompared::Unknown),
            (GithubKind::Forbidden, NotCompared::Denied),
            (GithubKind::Unauthorized, NotCompared::Denied),
            (GithubKind::Limited(Some(Duration::from_secs(60))), NotCompared::Limited),
            (GithubKind::Limited(None), NotCompared::Limited),
            (GithubKind::RunFailure, NotCompared::Unanswered),
            (GithubKind::Down, NotCompared::Unanswered),
            (GithubKind::Odd, NotCompared::Unanswered),
        ];
        for (kind, reason) in table {
            assert_eq!(not_compared(&GithubError { kind, status: None, effect_unknown: false }), reason);
        }
    }
}
