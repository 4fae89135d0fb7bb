//! Comments on issues and pull requests.

use super::answer::{Answer, Outcome, Refusal};
use super::ask::{Ask, Caller, number};
use super::model::{Comment, Issue, Repository, date};
use super::page::page;
use super::route::Args;
use super::shapes;
use serde_json::{Value, json};
use std::time::SystemTime;

/// Most characters of a comment.
const LONGEST: usize = 65_536;

/// `GET …/issues/{number}/comments`, oldest first; `since` leaves out comments updated earlier.
pub(super) fn list(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let issue = find(of, args.first())?.number;
    let since = ask.param("since").unwrap_or_default();
    let comments = of.comments.iter().filter(|comment| comment.issue == issue);
    let comments = comments.filter(|comment| date(comment.updated_at).as_str() >= since);
    Ok(page(ask, comments.map(|comment| comment_json(of, ask, comment)).collect()))
}

/// `POST …/issues/{number}/comments`.
pub(super) fn create(of: &mut Repository, ask: &Ask, caller: &Caller, args: Args) -> Outcome {
    let issue = find(of, args.first())?;
    // Only people with write access may continue a locked conversation; an Actions token may not.
    if issue.locked {
        return Err(Refusal::new(403, "Unable to create comment because issue is locked."));
    }
    let issue = issue.number;
    let body = body(ask)?;
    let (id, now) = (of.new_id(), crate::clock::wall());
    let (user, by_app) = (caller.user(), caller.app());
    of.comments.push(Comment { id, issue, body, user, by_app, created_at: now, updated_at: now });
    touch(of, issue, now);
    let comment = of.comments.last().ok_or_else(Refusal::not_found)?;
    Ok(Answer::created(comment_json(of, ask, comment)))
}

/// `GET …/issues/comments/{id}`.
pub(super) fn get(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let comment = &of.comments[position(of, args.first())?];
    Ok(Answer::ok(comment_json(of, ask, comment)))
}

/// `PATCH …/issues/comments/{id}`. Author and app stay.
pub(super) fn update(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let at = position(of, args.first())?;
    let body = body(ask)?;
    let now = crate::clock::wall();
    let comment = &mut of.comments[at];
    comment.body = body;
    comment.updated_at = now;
    let comment = &of.comments[at];
    Ok(Answer::ok(comment_json(of, ask, comment)))
}

/// `DELETE …/issues/comments/{id}`.
pub(super) fn delete(of: &mut Repository, _: &Ask, _: &Caller, args: Args) -> Outcome {
    let at = position(of, args.first())?;
    of.comments.remove(at);
    Ok(Answer::none())
}

/// The issue of this number.
fn find<'a>(of: &'a Repository, text: &str) -> Result<&'a Issue, Refusal> {
    let wanted = number(text)?;
    of.find_issue(wanted).ok_or_else(Refusal::not_found)
}

/// The position of the comment with this id.
fn position(of: &Repository, text: &str) -> Result<usize, Refusal> {
    let id = number(text)?;
    of.comments.iter().position(|comment| comment.id == id).ok_or_else(Refusal::not_found)
}

/// The text to write: not blank, and not too long.
fn body(ask: &Ask) -> Result<String, Refusal> {
    let body =
        ask.text("body").ok_or_else(|| Refusal::new(422, "Invalid request.\n\n\"body\" wasn't supplied."))?;
    if body.trim().is_empty() {
        return Err(Refusal::invalid("IssueComment", "data", "unprocessable", "Body cannot be blank"));
    }
    if body.chars().count() > LONGEST {
        let text = format!("Body is too long (maximum is {LONGEST} characters)");
        return Err(Refusal::invalid("IssueComment", "data", "unprocessable", &text));
    }
    Ok(body.to_owned())
}

/// Notes that an issue changed.
fn touch(of: &mut Repository, number: u64, now: SystemTime) {
    if let Some(issue) = of.find_issue_mut(number) {
        issue.updated_at = now;
    }
}

/// A comment.
fn comment_json(of: &Repository, ask: &Ask, comment: &Comment) -> Value {
    let base = shapes::base(ask, of);
    let url = format!("{base}/issues/comments/{}", comment.id);
    let kind = of
        .find_issue(comment.issue)
        .map_or("issues", |issue| if issue.pull.is_some() { "pull" } else { "issues" });
    json!({
        "url": url,
        "html_url": format!("{}/{kind}/{}#issuecomment-{}", shapes::page(ask, of), comment.issue, comment.id),
        "issue_url": format!("{base}/issues/{}", comment.issue),
        "id": comment.id,
        "node_id": format!("IC_{}", comment.id),
        "user": shapes::user(ask, &comment.user),
        "created_at": date(comment.created_at),
        "updated_at": date(comment.updated_at),
        "author_association": if comment.user.is_bot() { "NONE" } else { "CONTRIBUTOR" },
        "body": comment.body,
        "reactions": {
            "url": format!("{url}/reactions"), "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0,
            "confused": 0, "heart": 0, "rocket": 0, "eyes": 0,
        },
        "performed_via_github_app": shapes::app(ask, comment.by_app),
    })
}
