//! Labels of the repository, and on issues.

use super::bed::{call, each, get, start};
use serde_json::{Value, json};

#[test]
fn a_repository_has_labels() {
    let bed = start();
    let label = json!({ "name": "deploy: blue/green", "color": "0052cc", "description": "live" });
    let made = call(&bed, "POST", "/labels", &label);
    assert_eq!((made.status, &made.body["color"]), (201, &json!("0052cc")), "{made:?}");
    let again = call(&bed, "POST", "/labels", &json!({ "name": "Deploy: Blue/Green" }));
    let error = json!([{ "resource": "Label", "code": "already_exists", "field": "name" }]);
    assert_eq!((again.status, &again.body["errors"]), (422, &error));
    let path = "/labels/deploy:%20blue%2Fgreen";
    assert_eq!(get(&bed, path).body["description"], "live");
    assert_eq!(
        made.body["url"],
        format!("{}/repos/octo-org/octo-repo/labels/deploy%3A%20blue%2Fgreen", bed.github_url())
    );
    let changed = call(&bed, "PATCH", path, &json!({ "new_name": "color: blue", "color": "1d76db" }));
    assert_eq!(
        (&changed.body["name"], &changed.body["description"]),
        (&json!("color: blue"), &json!("live"))
    );
    assert_eq!(each(&get(&bed, "/labels").body, "name"), ["color: blue"]);
    assert_eq!(get(&bed, path).status, 404);
    assert_eq!(call(&bed, "DELETE", "/labels/color:%20blue", &Value::Null).status, 204);
    assert_eq!(get(&bed, "/labels").body, json!([]));
}

#[test]
fn labels_are_checked() {
    let bed = start();
    let refused = [
        (json!({}), "missing_field"),
        (json!({ "name": "a", "color": "#0052cc" }), "invalid"),
        (json!({ "name": "a".repeat(51) }), "custom"),
        (json!({ "name": "a", "description": "b".repeat(101) }), "custom"),
    ];
    for (body, code) in refused {
        let answer = call(&bed, "POST", "/labels", &body);
        assert_eq!((answer.status, &answer.body["errors"][0]["code"]), (422, &json!(code)), "{body}");
    }
}

#[test]
fn an_issue_has_labels() {
    let bed = start();
    let added = call(&bed, "POST", "/issues/7/labels", &json!({ "labels": ["live: blue", "bug"] }));
    assert_eq!(
        (added.status, each(&added.body, "name")),
        (200, vec!["live: blue".to_owned(), "bug".to_owned()])
    );
    assert_eq!(added.body[0]["color"], "ededed");
    let added = call(&bed, "POST", "/issues/7/labels", &json!(["BUG", "new"]));
    assert_eq!(each(&added.body, "name"), ["live: blue", "bug", "new"]);
    let left = call(&bed, "DELETE", "/issues/7/labels/live:%20blue", &Value::Null);
    assert_eq!((left.status, each(&left.body, "name")), (200, vec!["bug".to_owned(), "new".to_owned()]));
    let gone = call(&bed, "DELETE", "/issues/7/labels/live:%20blue", &Value::Null);
    assert_eq!((gone.status, &gone.body["message"]), (404, &json!("Label does not exist")));
    assert_eq!(each(&get(&bed, "/issues/7/labels").body, "name"), ["bug", "new"]);
    let set = call(&bed, "PUT", "/issues/7/labels", &json!({ "labels": ["only"] }));
    assert_eq!(each(&set.body, "name"), ["only"]);
    let names = bed.world(|world| world.github.repository("octo-org", "octo-repo").labels_of(7));
    assert_eq!(names, ["only"]);
    assert_eq!(each(&get(&bed, "/pulls/7").body["labels"], "name"), ["only"]);
    assert_eq!(call(&bed, "DELETE", "/issues/7/labels", &Value::Null).status, 204);
    assert_eq!(get(&bed, "/issues/7/labels").body, json!([]));
    assert_eq!(call(&bed, "POST", "/issues/9/labels", &json!(["x"])).status, 404);
}
