//! Deployments, their statuses, and commit statuses.

use super::bed::{HEAD, MAIN, call, each, get, start};
use serde_json::{Value, json};
use testbed::Testbed;

/// Creates a deployment of main in an environment; gives its path.
fn deploy(bed: &Testbed, environment: &str) -> String {
    let body =
        json!({ "ref": "main", "environment": environment, "auto_merge": false, "required_contexts": [] });
    let made = call(bed, "POST", "/deployments", &body);
    assert_eq!(made.status, 201, "{made:?}");
    format!("/deployments/{}", made.body["id"])
}

/// Sets a status.
fn set(bed: &Testbed, path: &str, body: &Value) -> u16 {
    call(bed, "POST", &format!("{path}/statuses"), body).status
}

/// The states of a deployment, newest first.
fn states(bed: &Testbed, path: &str) -> Vec<String> {
    each(&get(bed, &format!("{path}/statuses")).body, "state")
}

#[test]
fn a_deployment_is_made_of_its_ref() {
    let bed = start();
    let body =
        json!({ "ref": "topic", "environment": "staging", "description": "try", "payload": { "run": 1 } });
    let made = call(&bed, "POST", "/deployments", &body).body;
    assert_eq!(
        (&made["sha"], &made["ref"], &made["task"]),
        (&json!(HEAD), &json!("topic"), &json!("deploy"))
    );
    assert_eq!((&made["payload"], &made["production_environment"]), (&json!({ "run": 1 }), &json!(false)));
    assert_eq!(made["creator"]["login"], "github-actions[bot]");
    deploy(&bed, "production");
    let ids = |query: &str| each(&get(&bed, &format!("/deployments{query}")).body, "environment");
    assert_eq!(ids(""), ["production", "staging"]);
    assert_eq!(ids("?environment=staging"), ["staging"]);
    assert_eq!(ids("?ref=main"), ["production"]);
    assert_eq!(ids(&format!("?sha={HEAD}")), ["staging"]);
    let unknown = call(&bed, "POST", "/deployments", &json!({ "ref": "nope" }));
    assert_eq!((unknown.status, &unknown.body["message"]), (422, &json!("No ref found for: nope")));
    assert_eq!(get(&bed, "/deployments/1").status, 404);
}

#[test]
fn statuses_tell_how_it_goes() {
    let bed = start();
    let path = deploy(&bed, "staging");
    for state in ["queued", "pending", "in_progress", "failure", "error", "inactive"] {
        assert_eq!(set(&bed, &path, &json!({ "state": state })), 201);
    }
    let body = json!({ "state": "success", "log_url": "https://log", "environment_url": "https://shop", "description": "d".repeat(140) });
    let made = call(&bed, "POST", &format!("{path}/statuses"), &body).body;
    assert_eq!(
        (&made["target_url"], &made["environment_url"]),
        (&json!("https://log"), &json!("https://shop"))
    );
    assert_eq!(get(&bed, &format!("{path}/statuses/{}", made["id"])).body["state"], "success");
    let newest_first = ["success", "inactive", "error", "failure", "in_progress", "pending", "queued"];
    assert_eq!(states(&bed, &path), newest_first);
    let refused = [
        (json!({ "state": "done" }), "state"),
        (json!({ "state": "success", "description": "d".repeat(141) }), "description"),
        (json!({ "state": "success", "log_url": "log" }), "log_url"),
    ];
    for (body, field) in refused {
        let answer = call(&bed, "POST", &format!("{path}/statuses"), &body);
        assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (422, &json!(field)));
    }
}

#[test]
fn a_success_retires_earlier_ones_unless_they_are_production() {
    let bed = start();
    let done = json!({ "state": "success" });
    let (old, failed, new) = (deploy(&bed, "staging"), deploy(&bed, "staging"), deploy(&bed, "staging"));
    set(&bed, &old, &done);
    set(&bed, &failed, &json!({ "state": "failure" }));
    set(&bed, &new, &json!({ "state": "success", "auto_inactive": false }));
    assert_eq!(states(&bed, &old), ["success"]);
    set(&bed, &new, &done);
    assert_eq!((states(&bed, &old)[0].as_str(), states(&bed, &failed)[0].as_str()), ("inactive", "failure"));
    let (old, new) = (deploy(&bed, "production"), deploy(&bed, "production"));
    set(&bed, &old, &done);
    set(&bed, &new, &done);
    assert_eq!(states(&bed, &old), ["success"]);
}

#[test]
fn only_inactive_deployments_are_deleted() {
    let bed = start();
    let (one, other) = (deploy(&bed, "staging"), deploy(&bed, "staging"));
    let delete = |path: &str| call(&bed, "DELETE", path, &Value::Null).status;
    assert_eq!(delete(&one), 422);
    set(&bed, &one, &json!({ "state": "success" }));
    assert_eq!(delete(&one), 422);
    set(&bed, &one, &json!({ "state": "inactive" }));
    assert_eq!((delete(&one), delete(&other), delete(&other)), (204, 204, 404));
}

#[test]
fn a_ref_that_is_behind_is_merged_first_or_conflicts() {
    let bed = start();
    let behind = |conflicts: bool| {
        bed.world(|world| {
            world.github.repository("octo-org", "octo-repo").behind = vec![("topic".to_owned(), conflicts)];
        });
    };
    behind(true);
    let answer = call(&bed, "POST", "/deployments", &json!({ "ref": "topic" }));
    assert_eq!((answer.status, &answer.body["message"]), (409, &json!("Conflict merging main into topic.")));
    assert_eq!(
        call(&bed, "POST", "/deployments", &json!({ "ref": "topic", "auto_merge": false })).status,
        201
    );
    behind(false);
    let answer = call(&bed, "POST", "/deployments", &json!({ "ref": "topic" }));
    let text = json!("Auto-merged main into topic on deployment.");
    assert_eq!((answer.status, &answer.body["message"]), (202, &text));
    assert_eq!(call(&bed, "POST", "/deployments", &json!({ "ref": "topic" })).status, 201);
}

#[test]
fn statuses_of_the_commit_hold_a_deployment_back() {
    let bed = start();
    let path = format!("/statuses/{MAIN}");
    let status = |state: &str| json!({ "state": state, "context": "ci", "target_url": "https://ci" });
    assert_eq!(call(&bed, "POST", &path, &status("pending")).status, 201);
    let answer = call(&bed, "POST", "/deployments", &json!({ "ref": "main" }));
    assert_eq!(
        (answer.status, &answer.body["message"]),
        (409, &json!("Conflict: Commit status checks failed for main."))
    );
    let contexts = json!([{ "context": "ci", "state": "pending" }]);
    assert_eq!(answer.body["errors"][0]["contexts"], contexts);
    assert_eq!(get(&bed, "/commits/main/status").body["state"], "pending");
    call(&bed, "POST", &path, &status("success"));
    assert_eq!(call(&bed, "POST", "/deployments", &json!({ "ref": "main" })).status, 201);
    let required = json!({ "ref": "main", "required_contexts": ["ci", "more"] });
    assert_eq!(call(&bed, "POST", "/deployments", &required).status, 409);
    let combined = get(&bed, "/commits/main/status").body;
    assert_eq!((&combined["state"], &combined["total_count"]), (&json!("success"), &json!(1)));
    assert_eq!(each(&get(&bed, "/commits/main/statuses").body, "state"), ["success", "pending"]);
    let long = json!({ "state": "success", "description": "d".repeat(141) });
    assert_eq!(call(&bed, "POST", &path, &long).status, 422);
    assert_eq!(call(&bed, "POST", "/statuses/9999999", &status("success")).status, 422);
}
