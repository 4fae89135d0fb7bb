//! The operation of a method and a path, and the required permission.

use super::access::{Area, Level, Token};
use super::answer::{Outcome, Refusal};
use super::ask::{Ask, Caller};
use super::model::Repository;
use super::{comments, compare, deployments, labels, pulls, repos, statuses};

/// The variable parts of a path, decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Args<'a>(pub(super) [&'a str; 2]);

impl<'a> Args<'a> {
    /// The first part.
    pub(super) fn first(&self) -> &'a str {
        self.0[0]
    }

    /// The second part.
    pub(super) fn second(&self) -> &'a str {
        self.0[1]
    }
}

/// An operation on a repository.
type Operation = fn(&mut Repository, &Ask, &Caller, Args) -> Outcome;

/// An operation, with its arguments and required permission.
pub(super) struct Route<'a> {
    /// Any of these areas is enough.
    pub(super) areas: &'static [Area],
    /// The required level in one of the areas.
    pub(super) level: Level,
    /// The operation.
    pub(super) operation: Operation,
    /// The variable parts of the path.
    pub(super) args: Args<'a>,
}

/// Issues or pull requests: the areas of comments and labels.
const TALK: &[Area] = &[Area::Issues, Area::PullRequests];
/// Only contents.
const CONTENTS: &[Area] = &[Area::Contents];
/// Only deployments.
const DEPLOYMENTS: &[Area] = &[Area::Deployments];
/// Only commit statuses.
const STATUSES: &[Area] = &[Area::Statuses];

/// The route of a path below `/repos/{owner}/{repo}`.
pub(super) fn route<'a>(method: &str, rest: &[&'a str]) -> Option<Route<'a>> {
    let level = if method == "GET" { Level::Read } else { Level::Write };
    let (areas, operation, args): (&'static [Area], Operation, [&'a str; 2]) = match (method, rest) {
        ("GET", []) => (&[Area::Metadata], repos::get, ["", ""]),
        ("GET", ["pulls"]) => (&[Area::PullRequests], pulls::list, ["", ""]),
        ("GET", ["pulls", number]) => (&[Area::PullRequests], pulls::get, [number, ""]),
        ("GET", ["commits", sha, "pulls"]) => {
            (&[Area::PullRequests, Area::Contents], pulls::of_commit, [sha, ""])
        }
        ("GET", ["commits", sha, "status"]) => (STATUSES, statuses::combined, [sha, ""]),
        ("GET", ["commits", sha, "statuses"]) => (STATUSES, statuses::list, [sha, ""]),
        ("GET", ["compare", basehead]) => (CONTENTS, compare::compare, [basehead, ""]),
        ("GET", ["commits", sha]) => (CONTENTS, repos::commit, [sha, ""]),
        ("GET", ["branches", name]) => (CONTENTS, repos::branch, [name, ""]),
        ("POST", ["statuses", sha]) => (STATUSES, statuses::create, [sha, ""]),
        ("GET", ["labels"]) => (TALK, labels::list, ["", ""]),
        ("POST", ["labels"]) => (TALK, labels::create, ["", ""]),
        ("GET", ["labels", name]) => (TALK, labels::get, [name, ""]),
        ("PATCH", ["labels", name]) => (TALK, labels::update, [name, ""]),
        ("DELETE", ["labels", name]) => (TALK, labels::delete, [name, ""]),
        _ => issue_route(method, rest).or_else(|| deployment_route(method, rest))?,
    };
    Some(Route { areas, level, operation, args: Args(args) })
}

/// The parts of a route.
type Made<'a> = (&'static [Area], Operation, [&'a str; 2]);

/// The routes of comments and labels on issues.
fn issue_route<'a>(method: &str, rest: &[&'a str]) -> Option<Made<'a>> {
    Some(match (method, rest) {
        ("GET", ["issues", "comments", id]) => (TALK, comments::get, [id, ""]),
        ("PATCH", ["issues", "comments", id]) => (TALK, comments::update, [id, ""]),
        ("DELETE", ["issues", "comments", id]) => (TALK, comments::delete, [id, ""]),
        ("GET", ["issues", number, "comments"]) => (TALK, comments::list, [number, ""]),
        ("POST", ["issues", number, "comments"]) => (TALK, comments::create, [number, ""]),
        ("GET", ["issues", number, "labels"]) => (TALK, labels::on_issue, [number, ""]),
        ("POST", ["issues", number, "labels"]) => (TALK, labels::add, [number, ""]),
        ("PUT", ["issues", number, "labels"]) => (TALK, labels::set, [number, ""]),
        ("DELETE", ["issues", number, "labels"]) => (TALK, labels::clear, [number, ""]),
        ("DELETE", ["issues", number, "labels", name]) => (TALK, labels::remove, [number, name]),
        _ => return None,
    })
}

/// The routes of deployments.
fn deployment_route<'a>(method: &str, rest: &[&'a str]) -> Option<Made<'a>> {
    Some(match (method, rest) {
        ("GET", ["deployments"]) => (DEPLOYMENTS, deployments::list, ["", ""]),
        ("POST", ["deployments"]) => (DEPLOYMENTS, deployments::create, ["", ""]),
        ("GET", ["deployments", id]) => (DEPLOYMENTS, deployments::get, [id, ""]),
        ("DELETE", ["deployments", id]) => (DEPLOYMENTS, deployments::delete, [id, ""]),
        ("GET", ["deployments", id, "statuses"]) => (DEPLOYMENTS, deployments::statuses, [id, ""]),
        ("POST", ["deployments", id, "statuses"]) => (DEPLOYMENTS, deployments::create_status, [id, ""]),
        ("GET", ["deployments", id, "statuses", status]) => {
            (DEPLOYMENTS, deployments::get_status, [id, status])
        }
        _ => return None,
    })
}

impl Route<'_> {
    /// Checks that a token may use this route in a repository. Pull-request permissions are enough for the issue of a
    /// pull request, but not for a plain issue.
    pub(super) fn check(&self, of: &Repository, token: Option<&Token>) -> Result<(), Refusal> {
        let Some(token) = token else {
            return if self.level == Level::Write {
                Err(Refusal::new(401, "Requires authentication"))
            } else {
                Ok(())
            };
        };
        if self.level == Level::Read && !of.private {
            return Ok(());
        }
        let issue = self.args.first().parse().ok().and_then(|number| of.find_issue(number));
        let plain = self.areas == TALK && issue.is_some_and(|issue| issue.pull.is_none());
        let counts = |area: &Area| !(plain && *area == Area::PullRequests);
        let mut areas = self.areas.iter().filter(|area| counts(area));
        if areas.any(|area| token.permissions.level(*area) >= self.level) {
            return Ok(());
        }
        let word = if self.level == Level::Write { "write" } else { "read" };
        let accepted: Vec<String> = self.areas.iter().map(|area| format!("{}={word}", area.name())).collect();
        let text = if token.app { "integration" } else { "personal access token" };
        Err(Refusal::new(403, format!("Resource not accessible by {text}"))
            .header("x-accepted-github-permissions", accepted.join("; ")))
    }
}
