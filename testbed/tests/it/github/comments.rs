//! Comments: their life, their pages, their limits.

use super::bed::{call, comment, each, get, send, start};
use serde_json::{Value, json};

#[test]
fn a_comment_lives_and_ends() {
    let bed = start();
    let made = comment(&bed, "hello");
    assert_eq!((made.status, &made.body["body"]), (201, &json!("hello")), "{made:?}");
    assert_eq!(made.body["user"]["login"], "github-actions[bot]");
    assert_eq!((&made.body["user"]["type"], &made.body["user"]["id"]), (&json!("Bot"), &json!(41_898_282)));
    assert_eq!(made.body["performed_via_github_app"]["slug"], "github-actions");
    let url = made.body["html_url"].as_str().unwrap();
    let id = made.body["id"].as_u64().unwrap();
    assert_eq!(url, format!("{}/octo-org/octo-repo/pull/7#issuecomment-{id}", bed.github_server_url()));
    assert_eq!(made.headers["location"], made.body["url"]);
    let path = format!("/issues/comments/{id}");
    let edited = call(&bed, "PATCH", &path, &json!({ "body": "new" }));
    assert_eq!((edited.status, &edited.body["body"]), (200, &json!("new")));
    assert_eq!(get(&bed, &path).body["body"], "new");
    assert_eq!(bed.world(|world| world.github.repository("octo-org", "octo-repo").comments(7).len()), 1);
    let gone = call(&bed, "DELETE", &path, &Value::Null);
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    for method in ["GET", "DELETE"] {
        let answer = call(&bed, method, &path, &Value::Null);
        assert_eq!((answer.status, &answer.body["message"]), (404, &json!("Not Found")));
    }
    assert_eq!(call(&bed, "PATCH", &path, &json!({ "body": "x" })).status, 404);
}

#[test]
fn comments_come_in_pages_that_link_to_each_other() {
    let bed = start();
    bed.world(|world| {
        let of = world.github.repository("octo-org", "octo-repo");
        for number in 1..=65 {
            of.write_comment(7, "octocat", &format!("comment {number}"));
        }
        of.issue(8);
        of.write_comment(8, "octocat", "elsewhere");
    });
    let first = get(&bed, "/issues/7/comments");
    assert_eq!(first.body.as_array().unwrap().len(), 30);
    assert_eq!(first.body[0]["body"], "comment 1");
    assert_eq!(first.body[0]["performed_via_github_app"], Value::Null);
    let at = format!("{}/repos/octo-org/octo-repo/issues/7/comments", bed.github_url());
    let link = format!("<{at}?page=2>; rel=\"next\", <{at}?page=3>; rel=\"last\"");
    assert_eq!(first.headers["link"], link);
    let second = get(&bed, "/issues/7/comments?per_page=20&page=2");
    assert_eq!(each(&second.body, "body")[0], "comment 21");
    let to = |page: u32, rel: &str| format!("<{at}?per_page=20&page={page}>; rel=\"{rel}\"");
    let links = [to(1, "prev"), to(3, "next"), to(4, "last"), to(1, "first")];
    assert_eq!(second.headers["link"], links.join(", "));
    let last = get(&bed, "/issues/7/comments?per_page=20&page=4");
    assert_eq!((last.body.as_array().unwrap().len(), last.headers["link"].contains("next")), (5, false));
    let all = get(&bed, "/issues/7/comments?per_page=1000");
    assert_eq!((all.body.as_array().unwrap().len(), all.headers.contains_key("link")), (65, false));
    assert_eq!(get(&bed, "/issues/7/comments?page=9").body, json!([]));
    assert_eq!(get(&bed, "/issues/9/comments").status, 404);
}

#[test]
fn both_forms_of_the_address_answer_with_links_of_their_own() {
    let bed = start();
    bed.world(|world| {
        let of = world.github.repository("octo-org", "octo-repo");
        of.write_comment(7, "octocat", "one");
        of.write_comment(7, "octocat", "two");
    });
    for base in [bed.github_url(), bed.github_server_url()] {
        let url = format!("{base}/repos/octo-org/octo-repo/issues/7/comments?per_page=1");
        let answer = send("GET", &url, super::bed::TOKEN, &Value::Null).unwrap();
        assert_eq!(answer.status, 200);
        assert!(answer.headers["link"].starts_with(&format!("<{base}/repos/")), "{:?}", answer.headers);
    }
}

#[test]
fn texts_are_checked() {
    let bed = start();
    let longest = "ä".repeat(65_536);
    assert_eq!(comment(&bed, &longest).status, 201);
    let refused = comment(&bed, &(longest + "x"));
    assert_eq!(refused.status, 422);
    let error = json!([{ "resource": "IssueComment", "code": "unprocessable", "field": "data",
        "message": "Body is too long (maximum is 65536 characters)" }]);
    assert_eq!((&refused.body["message"], &refused.body["errors"]), (&json!("Validation Failed"), &error));
    assert_eq!((&refused.body["status"], refused.headers.contains_key("link")), (&json!("422"), false));
    assert_eq!(comment(&bed, " ").body["errors"][0]["message"], "Body cannot be blank");
    assert_eq!(call(&bed, "POST", "/issues/7/comments", &json!({})).status, 422);
    assert_eq!(call(&bed, "POST", "/issues/9/comments", &json!({ "body": "x" })).status, 404);
}

#[test]
fn a_locked_conversation_takes_no_comments() {
    let bed = start();
    bed.world(|world| {
        let of = world.github.repository("octo-org", "octo-repo");
        of.find_issue_mut(7).unwrap().locked = true;
    });
    let refused = comment(&bed, "hello");
    let text = json!("Unable to create comment because issue is locked.");
    assert_eq!((refused.status, &refused.body["message"]), (403, &text));
}
