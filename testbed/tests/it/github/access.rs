//! Tokens: who may see, who may change, and how often.

use super::bed::{TOKEN, call, call_as, comment, get, send, start};
use serde_json::{Value, json};
use testbed::Testbed;
use testbed::github::{Level, Permissions};

/// Makes the repository private, or not, and a token with permissions.
fn with(private: bool, permissions: Permissions) -> Testbed {
    let bed = start();
    bed.world(|world| {
        world.github.repository("octo-org", "octo-repo").private = private;
        world.github.token("some", "ghs_some", permissions);
    });
    bed
}

/// The message of a refusal, and its status.
fn refusal(bed: &Testbed, token: &str, method: &str, path: &str, body: &Value) -> (u16, String) {
    let answer = call_as(bed, token, method, path, body);
    (answer.status, answer.body["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_token_changes_only_what_it_may() {
    let permissions = Permissions { pull_requests: Level::Write, ..Permissions::all(Level::Read) };
    let bed = with(false, permissions);
    bed.world(|world| {
        world.github.repository("octo-org", "octo-repo").issue(8);
    });
    let body = json!({ "body": "hello" });
    assert_eq!(call_as(&bed, "ghs_some", "POST", "/issues/7/comments", &body).status, 201);
    // Write access to pull requests is none to an issue that isn't one.
    let denied = (403, "Resource not accessible by integration".to_owned());
    assert_eq!(refusal(&bed, "ghs_some", "POST", "/issues/8/comments", &body), denied);
    let deployment = json!({ "ref": "main" });
    assert_eq!(refusal(&bed, "ghs_some", "POST", "/deployments", &deployment), denied);
    let answer = call_as(&bed, "ghs_some", "POST", "/deployments", &deployment);
    assert_eq!(answer.headers["x-accepted-github-permissions"], "deployments=write");
    assert!(bed.world(|world| world.github.repository("octo-org", "octo-repo").deployments.is_empty()));
}

#[test]
fn the_token_of_a_fork_changes_nothing() {
    let bed = with(false, Permissions::of_fork());
    assert_eq!(call_as(&bed, "ghs_some", "GET", "/issues/7/comments", &Value::Null).status, 200);
    let answer = call_as(&bed, "ghs_some", "POST", "/issues/7/labels", &json!(["x"]));
    assert_eq!(
        (answer.status, &answer.body["documentation_url"]),
        (403, &json!("https://docs.github.com/rest"))
    );
}

#[test]
fn a_private_repository_is_hidden_from_those_who_may_not_know_of_it() {
    let bed = with(true, Permissions { contents: Level::Read, ..Permissions::default() });
    assert_eq!(get(&bed, "/pulls/7").status, 200);
    let hidden = (404, "Not Found".to_owned());
    assert_eq!(refusal(&bed, "", "GET", "", &Value::Null), hidden);
    assert_eq!(refusal(&bed, "ghs_some", "GET", "", &Value::Null), (200, String::new()));
    let denied = (403, "Resource not accessible by integration".to_owned());
    assert_eq!(refusal(&bed, "ghs_some", "GET", "/pulls", &Value::Null), denied);
    bed.world(|world| {
        world.github.token("none", "ghs_none", Permissions::default());
        world.github.token("other", "ghs_other", Permissions::all(Level::Write)).only_for("octo-org/other");
    });
    for token in ["ghs_none", "ghs_other"] {
        assert_eq!(refusal(&bed, token, "GET", "/pulls/7", &Value::Null), hidden);
    }
}

#[test]
fn unknown_and_revoked_tokens_are_refused() {
    let bed = start();
    let bad = (401, "Bad credentials".to_owned());
    assert_eq!(refusal(&bed, "ghs_wrong", "GET", "", &Value::Null), bad);
    bed.world(|world| world.github.tokens[0].revoked = true);
    assert_eq!(refusal(&bed, TOKEN, "GET", "", &Value::Null), bad);
    assert_eq!(refusal(&bed, "", "POST", "/labels", &json!({ "name": "a" })).0, 401);
    assert_eq!(refusal(&bed, "", "GET", "/labels", &Value::Null).0, 200);
}

#[test]
fn a_persons_token_writes_in_their_name() {
    let bed = start();
    bed.world(|world| {
        world.github.token("pat", "ghp_pat", Permissions::all(Level::Write)).of_user("octocat");
    });
    let made = call_as(&bed, "ghp_pat", "POST", "/issues/7/comments", &json!({ "body": "x" })).body;
    assert_eq!((&made["user"]["login"], &made["user"]["type"]), (&json!("octocat"), &json!("User")));
    assert_eq!(made["performed_via_github_app"], Value::Null);
}

#[test]
fn every_answer_counts_against_the_hour() {
    let bed = start();
    bed.world(|world| world.github.tokens[0].limit = 3);
    let left = |answer: &super::bed::Answer| answer.headers["x-ratelimit-remaining"].clone();
    assert_eq!(left(&get(&bed, "")), "2");
    let missing = get(&bed, "/pulls/99");
    assert_eq!((left(&missing).as_str(), missing.headers["x-ratelimit-used"].as_str()), ("1", "2"));
    assert_eq!(left(&comment(&bed, "x")), "0");
    let over = comment(&bed, "y");
    assert_eq!(
        (over.status, left(&over).as_str(), over.headers["x-ratelimit-resource"].as_str()),
        (403, "0", "core")
    );
    assert!(
        over.body["message"].as_str().unwrap().starts_with("API rate limit exceeded for installation ID ")
    );
    assert!(over.headers["x-ratelimit-reset"].parse::<u64>().unwrap() > 1_600_000_000);
    let told = send("GET", &format!("{}/rate_limit", bed.github_url()), TOKEN, &Value::Null).unwrap();
    assert_eq!((told.status, &told.body["rate"]["remaining"]), (200, &json!(0)));
    bed.world(|world| world.github.tokens[0].reset = std::time::SystemTime::now());
    assert_eq!(comment(&bed, "y").status, 201);
}

#[test]
fn too_much_new_content_meets_the_secondary_limit() {
    let bed = start();
    bed.world(|world| world.github.writes_a_minute = 2);
    assert_eq!((comment(&bed, "1").status, comment(&bed, "2").status), (201, 201));
    let over = comment(&bed, "3");
    assert_eq!((over.status, over.headers["retry-after"].as_str()), (403, "60"));
    assert!(over.body["message"].as_str().unwrap().contains("secondary rate limit"));
    assert_eq!(get(&bed, "/issues/7/comments").status, 200);
}

#[test]
fn what_github_does_not_know_is_not_found() {
    let bed = start();
    assert_eq!(call(&bed, "GET", "/nope", &Value::Null).status, 404);
    let url = format!("{}/repos/octo-org/nope", bed.github_url());
    assert_eq!(send("GET", &url, TOKEN, &Value::Null).unwrap().status, 404);
}
