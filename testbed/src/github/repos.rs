//! Repositories, branches and commits.

use super::answer::{Answer, Outcome, Refusal};
use super::ask::{Ask, Caller};
use super::model::{Commit, Repository, date};
use super::route::Args;
use super::shapes;
use serde_json::{Value, json};

/// `GET /repos/{owner}/{repo}`.
pub(super) fn get(of: &mut Repository, ask: &Ask, caller: &Caller, _: Args) -> Outcome {
    let mut body = shapes::repository(ask, of);
    body["subscribers_count"] = json!(0);
    body["network_count"] = json!(0);
    body["temp_clone_token"] = Value::Null;
    if caller.token.is_some() {
        body["permissions"] =
            json!({ "admin": false, "maintain": false, "push": false, "triage": false, "pull": true });
    }
    Ok(Answer::ok(body))
}

/// `GET …/commits/{ref}`.
pub(super) fn commit(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let reference = args.first();
    let commit = of.resolve(reference).ok_or_else(|| no_commit(reference))?;
    Ok(Answer::ok(commit_json(of, ask, commit)))
}

/// `GET …/branches/{branch}`.
pub(super) fn branch(of: &mut Repository, ask: &Ask, _: &Caller, args: Args) -> Outcome {
    let name = args.first();
    let missing = || Refusal::new(404, "Branch not found");
    let (_, sha) = of.branches.iter().find(|(branch, _)| branch == name).ok_or_else(missing)?;
    let commit = of.resolve(sha).ok_or_else(missing)?;
    let url = format!("{}/branches/{name}", shapes::base(ask, of));
    Ok(Answer::ok(json!({
        "name": name,
        "commit": commit_json(of, ask, commit),
        "_links": { "self": url, "html": format!("{}/tree/{name}", shapes::page(ask, of)) },
        "protected": false,
        "protection": { "enabled": false,
            "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] } },
        "protection_url": format!("{url}/protection"),
    })))
}

/// 422 for a missing commit.
pub(super) fn no_commit(reference: &str) -> Refusal {
    Refusal::new(422, format!("No commit found for SHA: {reference}"))
}

/// A commit without its files.
fn commit_json(of: &Repository, ask: &Ask, commit: &Commit) -> Value {
    let mut value = listed_commit(of, ask, commit);
    value["stats"] = json!({ "additions": 1, "deletions": 1, "total": 2 });
    value["files"] = json!([]);
    value
}

/// A commit as lists show it.
pub(super) fn listed_commit(of: &Repository, ask: &Ask, commit: &Commit) -> Value {
    let parent = |sha: &String| {
        json!({ "sha": sha, "url": format!("{}/commits/{sha}", shapes::base(ask, of)),
            "html_url": format!("{}/commit/{sha}", shapes::page(ask, of)) })
    };
    let (base, page) = (shapes::base(ask, of), shapes::page(ask, of));
    let sha = &commit.sha;
    let person = json!({
        "name": commit.author.login,
        "email": format!("{}@users.noreply.github.com", commit.author.login),
        "date": date(commit.at),
    });
    let user = shapes::user(ask, &commit.author);
    json!({
        "sha": sha,
        "node_id": format!("C_{sha}"),
        "url": format!("{base}/commits/{sha}"),
        "html_url": format!("{page}/commit/{sha}"),
        "comments_url": format!("{base}/commits/{sha}/comments"),
        "commit": {
            "url": format!("{base}/git/commits/{sha}"),
            "author": person,
            "committer": person,
            "message": commit.message,
            "comment_count": 0,
            "tree": { "sha": sha, "url": format!("{base}/git/trees/{sha}") },
            "verification": { "verified": false, "reason": "unsigned", "signature": null, "payload": null,
                "verified_at": null },
        },
        "author": user,
        "committer": user,
        "parents": commit.parents.iter().map(parent).collect::<Vec<Value>>(),
    })
}
