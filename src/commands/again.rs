//! Finds a rollback of the last hour that this one would undo. AWS keeps no history of weights, so the comment of the
//! earlier run is the source. The result is a warning, and decides nothing (invariant 1).

use std::time::Duration;

use super::feedback::github_client;
use super::session::Session;
use super::start::run_id;
use crate::clock;
use crate::plan::color::{Color, Split};
use crate::plan::overview::Overview;
use crate::report::comment::{CommentRun, rolled_back_to};
use crate::report::mark::place_sum;

/// Longest wait for GitHub's answer. Without an answer the run begins all the same (invariant 33).
const PATIENCE: Duration = Duration::from_secs(2);

/// Time for which an earlier rollback counts.
const RECENT: Duration = Duration::from_secs(3_600);

/// The answer about an earlier rollback to the color that all users leave.
pub(super) enum Earlier {
    /// A rollback sent all users to this color so long ago.
    Found(Color, Duration),
    /// No comment tells of one.
    None,
    /// Unknown: no pull request of a running version has comments that this run can read.
    Unknown(Color),
}

/// Looks for a rollback of the last hour that sent all users to the color that this one takes them away from.
pub(super) async fn find_earlier(session: &Session<'_>, seen: &Overview, to: Split) -> Earlier {
    let Some(now) = seen.known_split() else { return Earlier::None };
    let alone = |color: &Color| now.weight(*color) == now.blue + now.green && !to.is_live(*color);
    let Some(from) = Color::BOTH.into_iter().find(alone) else { return Earlier::None };
    let ago = tokio::select! {
        biased;
        ago = asked(session, seen, from) => ago,
        _ = session.signals.wait() => None,
        () = clock::sleep(PATIENCE) => None,
    };
    match ago {
        Some(Some(ago)) => Earlier::Found(from, ago),
        Some(None) => Earlier::None,
        None => Earlier::Unknown(from),
    }
}

/// Age of the comment about a rollback to this color, on the pull request of a version that runs. The outer none: no such
/// pull request was read.
async fn asked(session: &Session<'_>, seen: &Overview, from: Color) -> Option<Option<Duration>> {
    let mut is_read = false;
    let wish = &session.settings.github;
    let token = wish.token.as_ref().filter(|_| wish.wants_anything())?;
    let http = crate::http::build_client(run_id(session.context)).ok()?;
    let github = github_client(session.env, session.context, token, &http)?;
    let run = place(session);
    let commits = seen.production().map(|(_, view)| view);
    for commit in commits.filter_map(|view| view.commit.as_deref()).filter(|commit| is_plain(commit)) {
        for pull in github.pulls_of(commit).await.ok()? {
            let tells = |body: &str| rolled_back_to(body, &run) == Some(from);
            let found = github.marked_comments(pull.number, None, tells).await.ok()?;
            is_read = true;
            let ages = found.iter().filter_map(|comment| Some(clock::now().since(comment.updated()?)));
            if let Some(ago) = ages.filter(|ago| *ago < RECENT).min() {
                return Some(Some(ago));
            }
        }
    }
    is_read.then_some(None)
}

/// True if this can be the id of a commit.
fn is_plain(commit: &str) -> bool {
    !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The parts of the mark in this place's comments.
fn place(session: &Session<'_>) -> CommentRun {
    let place = &session.names.place;
    let (cluster, app) = (place.cluster.clone(), session.settings.github.app.clone());
    let sum = place_sum(Some(&place.account), &place.region, (&cluster, &app));
    CommentRun { region: place.region.clone(), cluster, app, place: sum, ..CommentRun::default() }
}
