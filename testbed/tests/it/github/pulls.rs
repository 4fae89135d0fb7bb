//! Pull requests, commits and branches.

use super::bed::{HEAD, MAIN, each, get, start};
use serde_json::{Value, json};

/// A commit that a merge made.
const MERGE: &str = "3333333333333333333333333333333333333333";

#[test]
fn pull_requests_are_listed_by_state_head_and_base() {
    let bed = start();
    bed.world(|world| {
        let of = world.github.repository("octo-org", "octo-repo");
        of.pull(8, HEAD, "topic", "develop").from_fork("mallory");
        of.pull(9, HEAD, "old", "main").close();
    });
    let numbers = |query: &str| each(&get(&bed, &format!("/pulls{query}")).body, "number");
    assert_eq!(numbers(""), ["8", "7"]);
    assert_eq!(numbers("?direction=asc"), ["7", "8"]);
    assert_eq!(numbers("?state=all&per_page=2"), ["9", "8"]);
    assert_eq!(numbers("?state=closed"), ["9"]);
    assert_eq!(numbers("?head=octo-org:topic"), ["7"]);
    assert_eq!(numbers("?head=mallory:topic"), ["8"]);
    assert_eq!(numbers("?base=develop"), ["8"]);
    assert_eq!(numbers("?sort=updated&direction=desc"), ["8", "7"]);
}

#[test]
fn a_pull_request_tells_where_its_head_is() {
    let bed = start();
    bed.world(|world| {
        world.github.repository("octo-org", "octo-repo").pull(8, HEAD, "topic", "main").from_fork("mallory");
    });
    let own = get(&bed, "/pulls/7").body;
    assert_eq!(
        (&own["state"], &own["merged"], &own["head"]["sha"]),
        (&json!("open"), &json!(false), &json!(HEAD))
    );
    assert_eq!(
        (&own["head"]["repo"]["full_name"], &own["base"]["sha"]),
        (&json!("octo-org/octo-repo"), &json!(MAIN))
    );
    let foreign = get(&bed, "/pulls/8").body;
    assert_eq!(foreign["head"]["label"], "mallory:topic");
    assert_eq!(
        (&foreign["head"]["repo"]["fork"], &foreign["head"]["repo"]["full_name"]),
        (&json!(true), &json!("mallory/octo-repo"))
    );
    assert_eq!(get(&bed, "/pulls/99").status, 404);
    assert_eq!(get(&bed, "/pulls/x").status, 404);
}

#[test]
fn a_commit_knows_its_pull_requests() {
    let bed = start();
    let numbers = |sha: &str| each(&get(&bed, &format!("/commits/{sha}/pulls")).body, "number");
    assert_eq!(numbers(HEAD), ["7"]);
    assert_eq!(numbers(MAIN), [""; 0]);
    bed.world(|world| {
        let of = world.github.repository("octo-org", "octo-repo");
        of.find_issue_mut(7).unwrap().merge(MERGE);
        of.branch("main", MERGE);
        of.pull(8, MERGE, "next", "main");
    });
    assert_eq!(numbers(MERGE), ["7"]);
    assert_eq!(numbers(HEAD), ["7"]);
    let merged = get(&bed, "/pulls/7").body;
    assert_eq!(
        (&merged["merged"], &merged["state"], &merged["merge_commit_sha"]),
        (&json!(true), &json!("closed"), &json!(MERGE))
    );
    assert_ne!(merged["merged_at"], Value::Null);
    let unknown = get(&bed, "/commits/9999999/pulls");
    assert_eq!((unknown.status, &unknown.body["message"]), (422, &json!("No commit found for SHA: 9999999")));
}

#[test]
fn repository_branches_and_commits_are_there() {
    let bed = start();
    let of = get(&bed, "");
    assert_eq!((of.status, &of.body["default_branch"]), (200, &json!("main")));
    assert_eq!(get(&bed, "/branches/main").body["commit"]["sha"], MAIN);
    assert_eq!(get(&bed, "/branches/nope").body["message"], "Branch not found");
    for reference in [HEAD, "1111111", "topic", "heads%2Ftopic"] {
        assert_eq!(get(&bed, &format!("/commits/{reference}")).body["sha"], HEAD, "{reference}");
    }
    assert_eq!(get(&bed, "/commits/nope").status, 422);
}
