//! Commit statuses.

use super::answer::{Answer, Outcome, Refusal};
use super::ask::{Ask, Caller};
use super::model::{Repository, User, date};
use super::page::{bounds, page};
use super::repos::no_commit;
use super::route::Args;
use super::shapes;
use serde_json::{Value, json};
use std::time::SystemTime;

/// GitHub's states, in the order of a combined state, worst first.
const STATES: [&str; 4] = ["error", "failure", "pending", "success"];

/// A status of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// A unique id.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// `error`, `failure`, `pending` or `success`.
    pub state: String,
    /// Distinguishes the statuses of different systems.
    pub context: String,
    /// At most 140 characters.
    pub description: Option<String>,
    /// The link of the status.
    pub target_url: Option<String>,
    /// The author.
    pub user: User,
    /// Time of the status.
    pub at: SystemTime,
}

/// `POST …/statuses/{sha}`.
pub(super) fn create(of: &mut Repository, ask: &Ask, caller: &Caller, args: Args) -> Outcome {
    let sha = of.resolve(args.first()).map(|commit| commit.sha.clone());
    let sha = sha.ok_or_else(|| no_commit(args.first()))?;
    let state = ask.text("state").filter(|state| STATES.contains(state));
    let state = state.ok_or_else(|| Refusal::invalid("Status", "state", "inclusion", ""))?.to_owned();
    let description = ask.text("description").map(str::to_owned);
    if description.as_ref().is_some_and(|text| text.chars().count() > 140) {
        let text = "description is too long (maximum is 140 characters)";
        return Err(Refusal::invalid("Status", "description", "custom", text));
    }
    let target_url = ask.text("target_url").map(str::to_owned);
    if target_url.as_ref().is_some_and(|url| !url.starts_with("http")) {
        let text = "target_url must use http(s) scheme";
        return Err(Refusal::invalid("Status", "target_url", "custom", text));
    }
    let context = ask.text("context").unwrap_or("default").to_owned();
    let (id, user, at) = (of.new_id(), caller.user(), crate::clock::wall());
    let status = Status { id, sha, state, context, description, target_url, user, at };
    of.statuses.push(status.clone());
    Ok(Answer::created(status_json(of, ask, &status, true)))
}

/// `GET …/commits/{ref}/statuses`, newest first.
pub(super) fn list(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let commit = of.resolve(args.first()).ok_or_else(|| no_commit(args.first()))?;
    let statuses = of.statuses.iter().rev().filter(|status| status.sha == commit.sha);
    Ok(page(ask, statuses.map(|status| status_json(of, ask, status, true)).collect()))
}

/// `GET …/commits/{ref}/status`: the newest status of each context, and the combined state.
pub(super) fn combined(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let sha = of.resolve(args.first()).map(|commit| commit.sha.clone());
    let sha = sha.ok_or_else(|| no_commit(args.first()))?;
    let newest = newest(of, &sha);
    let is = |state: &str| newest.iter().any(|status| status.state == state);
    let state = match (is("error") || is("failure"), newest.is_empty() || is("pending")) {
        (true, _) => "failure",
        (false, true) => "pending",
        (false, false) => "success",
    };
    let (_, size, skip) = bounds(ask);
    let shown = newest.iter().skip(skip).take(size);
    let statuses: Vec<Value> = shown.map(|status| status_json(of, ask, status, false)).collect();
    let url = format!("{}/commits/{sha}", shapes::base(ask, of));
    Ok(Answer::ok(json!({
        "state": state,
        "statuses": statuses,
        "sha": sha,
        "total_count": newest.len(),
        "repository": shapes::repository(ask, of),
        "commit_url": url,
        "url": format!("{url}/status"),
    })))
}

/// The newest status of each context of a commit, oldest context first.
pub(super) fn newest<'a>(of: &'a Repository, sha: &str) -> Vec<&'a Status> {
    let mut newest: Vec<&Status> = Vec::new();
    for status in of.statuses.iter().filter(|status| status.sha == sha) {
        match newest.iter_mut().find(|other| other.context.eq_ignore_ascii_case(&status.context)) {
            Some(place) => *place = status,
            None => newest.push(status),
        }
    }
    newest
}

/// A status; combined answers leave out the author.
fn status_json(of: &Repository, ask: &Ask, status: &Status, creator: bool) -> Value {
    let mut value = json!({
        "url": format!("{}/statuses/{}", shapes::base(ask, of), status.sha),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", status.user.id),
        "id": status.id,
        "node_id": format!("SC_{}", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": date(status.at),
        "updated_at": date(status.at),
    });
    if creator {
        value["creator"] = shapes::user(ask, &status.user);
    }
    value
}
