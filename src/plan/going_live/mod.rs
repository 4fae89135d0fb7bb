//! The commits that a change of version brings to users, and the commits that it takes from them.
//!
//! Commits are known by tags and by GitHub. They are for display; only the user's own wish can make them a reason to
//! refuse, and a missing answer never is one.

mod changes;

use std::collections::BTreeSet;

use super::color::{Color, ServiceColor};
use super::overview::{ColorView, Overview};

pub(crate) use changes::{Commit, Commits, LiveChange, LiveChanges, list_changes};

/// The versions of a run: the one that users have, and the one that they get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    /// The color that has users, and loses them.
    pub(crate) live: Color,
    /// The color that runs, or will run, the version for users.
    pub(crate) next: Color,
    /// True if the run moves users; false if it only makes the version ready.
    pub(crate) moves_users: bool,
    /// The commit that users have. None if its revision has no tag with a commit.
    pub(crate) live_commit: Option<String>,
    /// The commit that users get. None if its revision has no tag with a commit.
    pub(crate) next_commit: Option<String>,
}

/// What goes live with a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GoingLive {
    /// The two versions.
    pub(crate) versions: Versions,
    /// The difference, or the reason that it is unknown.
    pub(crate) difference: Result<VersionDifference, NotCompared>,
}

/// The difference between the commit that users have and the commit that they get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VersionDifference {
    /// New for users.
    pub(crate) brings: LiveChanges,
    /// Live now, and missing in the version that users get.
    pub(crate) takes_back: LiveChanges,
}

/// The history from the commit that users have to the commit that they get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum History {
    /// The same commits.
    Identical,
    /// Only new commits.
    Ahead,
    /// Only commits that users lose: an older version.
    Behind,
    /// New commits, and commits that users lose.
    Diverged,
}

/// Reason that two commits were not compared. None of these stops a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCompared {
    /// The color's revision has no tag with a commit.
    NoCommit(Color),
    /// The run has no token, or no repository, so GitHub is not asked.
    NoToken,
    /// GitHub does not know one of the commits, or the commits share no history.
    Unknown,
    /// The token may not read commits.
    Denied,
    /// GitHub wants no more requests for now.
    Limited,
    /// No usable answer in time.
    Unanswered,
}

impl VersionDifference {
    /// The difference between two commits, from the commits that only one of both has. A change on both sides, such as a
    /// cherry-pick, is no difference.
    pub(crate) fn of(brings: &Commits, takes_back: &Commits) -> VersionDifference {
        let (mut brings, mut takes_back) = (list_changes(brings), list_changes(takes_back));
        let ids = |changes: &LiveChanges| changes.all.iter().map(LiveChange::id).collect::<BTreeSet<_>>();
        let (new, old) = (ids(&brings), ids(&takes_back));
        brings.all.retain(|change| !old.contains(&change.id()));
        takes_back.all.retain(|change| !new.contains(&change.id()));
        VersionDifference { brings, takes_back }
    }

    /// The same without the commits of a pull request whose squashed form is among the new commits: users keep these.
    pub(crate) fn with_squashed(mut self, pulls: &[u64]) -> VersionDifference {
        if self.brings.all.iter().any(|change| change.pull.is_some_and(|pull| pulls.contains(&pull))) {
            self.takes_back.all.retain(|change| change.pull.is_some_and(|pull| !pulls.contains(&pull)));
        }
        self
    }

    /// The history.
    pub(crate) fn history(&self) -> History {
        match (self.brings.is_empty(), self.takes_back.is_empty()) {
            (true, true) => History::Identical,
            (false, true) => History::Ahead,
            (true, false) => History::Behind,
            (false, false) => History::Diverged,
        }
    }
}

impl GoingLive {
    /// The difference, if users lose commits.
    pub(crate) fn taken_back(&self) -> Option<&VersionDifference> {
        self.difference.as_ref().ok().filter(|difference| !difference.takes_back.is_empty())
    }
}

/// The color with the most users, with its view. None if no color has users, or the rules are unknown.
fn live_view(seen: &Overview) -> Option<(Color, &ColorView)> {
    let share = |(_, view): &(Color, &ColorView)| view.percent.unwrap_or_default();
    let both = Color::BOTH.into_iter().filter_map(|color| Some((color, view_of(seen, color)?)));
    both.filter(|one| share(one) > 0).max_by_key(share)
}

/// The view of a color.
fn view_of(seen: &Overview, color: Color) -> Option<&ColorView> {
    seen.colors.iter().find(|view| view.color == color)
}

/// The versions of a deploy of this commit. None for develop, and if no color has users.
pub(crate) fn versions_of_deploy(
    seen: &Overview,
    color: ServiceColor,
    commit: Option<String>,
) -> Option<Versions> {
    let color = color.production()?;
    let own = view_of(seen, color)?;
    let moves_users = own.percent.is_some_and(|percent| percent > 0);
    let (live, view) = if moves_users { (color, own) } else { live_view(seen)? };
    Some(Versions { live, next: color, moves_users, live_commit: view.commit.clone(), next_commit: commit })
}

/// The versions of a change of traffic to the color that gains users. None if that color alone has users already.
pub(crate) fn versions_of_traffic(seen: &Overview, gaining: Color) -> Option<Versions> {
    let losing = gaining.other();
    let (live, next) = (view_of(seen, losing)?, view_of(seen, gaining)?);
    live.percent.filter(|percent| *percent > 0)?;
    Some(Versions {
        live: losing,
        next: gaining,
        moves_users: true,
        live_commit: live.commit.clone(),
        next_commit: next.commit.clone(),
    })
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;
