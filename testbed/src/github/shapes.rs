//! The JSON of objects in many answers: users, the Actions app, repositories.

use super::ask::Ask;
use super::model::{Repository, User};
use serde_json::{Map, Value, json};

/// Addresses of every user, below the user's API address.
const USER_URLS: [(&str, &str); 9] = [
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
];

/// Addresses of every repository, below the repository's API address.
const REPOSITORY_URLS: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

/// Fields with the same value for every repository here.
fn constant() -> Value {
    json!({
        "description": null, "fork": false, "homepage": null, "language": null, "mirror_url": null,
        "license": null, "forks_count": 0, "stargazers_count": 0, "watchers_count": 0, "size": 1,
        "open_issues_count": 0, "forks": 0, "open_issues": 0, "watchers": 0, "has_issues": true,
        "has_projects": false, "has_wiki": false, "has_pages": false, "has_downloads": true,
        "has_discussions": false, "archived": false, "disabled": false, "topics": [],
        "pushed_at": "2026-01-02T03:04:05Z", "created_at": "2025-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
    })
}

/// A user or bot.
pub(super) fn user(ask: &Ask, user: &User) -> Value {
    let path = user.login.replace('[', "%5B").replace(']', "%5D");
    let html = match user.login.strip_suffix("[bot]") {
        Some(app) => format!("{}/apps/{app}", ask.html),
        None => format!("{}/{}", ask.html, user.login),
    };
    let mut value = json!({
        "login": user.login,
        "id": user.id,
        "node_id": format!("U_{}", user.id),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", user.id),
        "gravatar_id": "",
        "url": format!("{}/users/{path}", ask.api),
        "html_url": html,
        "type": if user.is_bot() { "Bot" } else { "User" },
        "site_admin": false,
    });
    for (name, rest) in USER_URLS {
        value[name] = json!(format!("{}/users/{path}{rest}", ask.api));
    }
    value
}

/// The GitHub Actions app, or null.
pub(super) fn app(ask: &Ask, is: bool) -> Value {
    if !is {
        return Value::Null;
    }
    json!({
        "id": 15368, "slug": "github-actions", "node_id": "MDM6QXBwMTUzNjg=", "name": "GitHub Actions",
        "client_id": "Iv1.05c79e9ad1f6bdfa",
        "owner": user(ask, &User::new("github")),
        "description": "Automate your workflow from idea to production",
        "external_url": "https://help.github.com/en/actions",
        "html_url": format!("{}/apps/github-actions", ask.html),
        "created_at": "2018-07-30T09:30:17Z", "updated_at": "2024-04-10T20:33:16Z",
        "permissions": { "contents": "write", "deployments": "write", "issues": "write", "metadata": "read",
            "pull_requests": "write", "statuses": "write" },
        "events": ["push", "workflow_dispatch"],
    })
}

/// The repository, with all its addresses.
pub(super) fn repository(ask: &Ask, of: &Repository) -> Value {
    let full_name = of.full_name();
    let api = format!("{}/repos/{full_name}", ask.api);
    let html = format!("{}/{full_name}", ask.html);
    let mut fields: Map<String, Value> = match json!({
        "id": of.id,
        "node_id": format!("R_{}", of.id),
        "name": of.name,
        "full_name": full_name,
        "owner": user(ask, &of.owner),
        "private": of.private,
        "visibility": if of.private { "private" } else { "public" },
        "html_url": html,
        "clone_url": format!("{html}.git"),
        "git_url": format!("git://github.com/{full_name}.git"),
        "ssh_url": format!("git@github.com:{full_name}.git"),
        "svn_url": html,
        "default_branch": of.default_branch,
    }) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, rest) in REPOSITORY_URLS {
        fields.insert(name.to_owned(), json!(format!("{api}{rest}")));
    }
    if let Value::Object(constant) = constant() {
        fields.extend(constant);
    }
    Value::Object(fields)
}

/// Base address of a repository's API.
pub(super) fn base(ask: &Ask, of: &Repository) -> String {
    format!("{}/repos/{}", ask.api, of.full_name())
}

/// Base address of a repository's pages.
pub(super) fn page(ask: &Ask, of: &Repository) -> String {
    format!("{}/{}", ask.html, of.full_name())
}
