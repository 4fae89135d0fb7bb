//! Pull requests: lists, one, and the pull requests of a commit.

use super::answer::{Answer, Outcome, Refusal};
use super::ask::{Ask, Caller, number};
use super::labels;
use super::model::{Branches, Issue, Repository, User, date};
use super::page::page;
use super::repos::no_commit;
use super::route::Args;
use super::shapes;
use serde_json::{Value, json};

/// `GET …/pulls`: `state` (open by default), `head` (`owner:branch`), `base`, `sort`, `direction`.
pub(super) fn list(of: &mut Repository, ask: &Ask, _: &Caller, _: Args) -> Outcome {
    let state = ask.param("state").unwrap_or("open");
    let owner = of.owner.login.clone();
    let mut found: Vec<(&Issue, &Branches)> = pulls(of)
        .filter(|(issue, _)| match state {
            "closed" => !issue.open,
            "all" => true,
            _ => issue.open,
        })
        .filter(|(_, pull)| ask.param("base").is_none_or(|base| base == pull.base))
        // GitHub ignores a head without an owner.
        .filter(|(_, pull)| {
            ask.param("head").is_none_or(|head| !head.contains(':') || head_is(head, pull, &owner))
        })
        .collect();
    let sort = ask.param("sort").unwrap_or("created");
    match sort {
        "updated" => found.sort_by_key(|(issue, _)| (issue.updated_at, issue.number)),
        _ => found.sort_by_key(|(issue, _)| (issue.created_at, issue.number)),
    }
    let default = if sort == "created" { "desc" } else { "asc" };
    if ask.param("direction").unwrap_or(default) == "desc" {
        found.reverse();
    }
    Ok(page(ask, found.iter().map(|(issue, pull)| simple(of, ask, issue, pull)).collect()))
}

/// `GET …/pulls/{number}`.
pub(super) fn get(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let wanted = number(args.first())?;
    let (issue, pull) = pulls(of).find(|(issue, _)| issue.number == wanted).ok_or_else(Refusal::not_found)?;
    let mut body = simple(of, ask, issue, pull);
    let comments = of.comments.iter().filter(|comment| comment.issue == wanted).count();
    let more = json!({
        "merged": pull.merged.is_some(),
        "mergeable": if issue.open { json!(true) } else { Value::Null },
        "rebaseable": if issue.open { json!(true) } else { Value::Null },
        "mergeable_state": if issue.open { "clean" } else { "unknown" },
        "merged_by": if pull.merged.is_some() { shapes::user(ask, &issue.user) } else { Value::Null },
        "comments": comments,
        "review_comments": 0,
        "maintainer_can_modify": false,
        "commits": 1 + pull.commits.len(),
        "additions": 1,
        "deletions": 1,
        "changed_files": 1,
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    Ok(Answer::ok(body))
}

/// `GET …/commits/{sha}/pulls`: for a commit of the default branch, the merged pull request that brought it; for any
/// other commit, the open and merged pull requests that contain it.
pub(super) fn of_commit(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let commit = of.resolve(args.first()).ok_or_else(|| no_commit(args.first()))?;
    let found = pulls(of).filter(|(issue, pull)| {
        let made = pull.merged.as_ref().is_some_and(|(sha, _)| *sha == commit.sha);
        let contains = made || pull.head_sha == commit.sha || pull.commits.contains(&commit.sha);
        contains && (pull.merged.is_some() || (issue.open && !commit.on_default_branch))
    });
    Ok(page(ask, found.map(|(issue, pull)| simple(of, ask, issue, pull)).collect()))
}

/// All pull requests.
fn pulls(of: &Repository) -> impl Iterator<Item = (&Issue, &Branches)> {
    of.issues.iter().filter_map(|issue| issue.pull.as_ref().map(|pull| (issue, pull)))
}

/// True if `owner:branch` is the head of a pull request.
fn head_is(head: &str, pull: &Branches, owner: &str) -> bool {
    head.split_once(':').is_some_and(|(user, branch)| {
        user.eq_ignore_ascii_case(pull.fork.as_deref().unwrap_or(owner)) && branch == pull.head_ref
    })
}

/// One end of a pull request.
fn end(ask: &Ask, of: &Repository, owner: &User, reference: &str, sha: &str) -> Value {
    json!({
        "label": format!("{}:{reference}", owner.login),
        "ref": reference,
        "sha": sha,
        "user": shapes::user(ask, owner),
        "repo": shapes::repository(ask, of),
    })
}

/// The head's repository.
fn head_repository(of: &Repository, pull: &Branches) -> (Repository, bool) {
    match &pull.fork {
        Some(owner) => (Repository::new(owner, &of.name, of.id + 500_000), true),
        None => (Repository::new(&of.owner.login, &of.name, of.id), false),
    }
}

/// A pull request as in lists.
fn simple(of: &Repository, ask: &Ask, issue: &Issue, pull: &Branches) -> Value {
    let number = issue.number;
    let (base, html) = (shapes::base(ask, of), format!("{}/pull/{number}", shapes::page(ask, of)));
    let url = format!("{base}/pulls/{number}");
    let issue_url = format!("{base}/issues/{number}");
    let statuses = format!("{base}/statuses/{}", pull.head_sha);
    let base_sha = of.resolve(&pull.base).map_or_else(|| "0".repeat(40), |commit| commit.sha.clone());
    let (mut head_of, forked) = head_repository(of, pull);
    head_of.private = of.private;
    let mut head = end(ask, &head_of, &head_of.owner, &pull.head_ref, &pull.head_sha);
    head["repo"]["fork"] = json!(forked);
    let closed_at = if issue.open { Value::Null } else { json!(date(issue.updated_at)) };
    json!({
        "url": url,
        "id": issue.id,
        "node_id": format!("PR_{}", issue.id),
        "html_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue_url,
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{base}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue_url}/comments"),
        "statuses_url": statuses,
        "number": number,
        "state": if issue.open { "open" } else { "closed" },
        "locked": issue.locked,
        "title": issue.title,
        "user": shapes::user(ask, &issue.user),
        "body": issue.body,
        "labels": labels::of_issue(of, ask, issue),
        "milestone": null,
        "created_at": date(issue.created_at),
        "updated_at": date(issue.updated_at),
        "closed_at": closed_at,
        "merged_at": pull.merged.as_ref().map(|(_, at)| date(*at)),
        "merge_commit_sha": pull.merged.as_ref().map(|(sha, _)| sha),
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": head,
        "base": end(ask, of, &of.owner, &pull.base, &base_sha),
        "_links": {
            "self": { "href": url },
            "html": { "href": html },
            "issue": { "href": issue_url },
            "comments": { "href": format!("{issue_url}/comments") },
            "review_comments": { "href": format!("{url}/comments") },
            "review_comment": { "href": format!("{base}/pulls/comments{{/number}}") },
            "commits": { "href": format!("{url}/commits") },
            "statuses": { "href": statuses },
        },
        "author_association": if pull.fork.is_some() { "NONE" } else { "MEMBER" },
        "auto_merge": null,
        "active_lock_reason": null,
        "draft": pull.draft,
    })
}
