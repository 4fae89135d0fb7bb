//! The adapter by itself.

use std::time::Duration;

use super::GitHub;
use super::client::path_segment;
use crate::aws::tests::server::{Answer, Server};
use crate::clock;
use crate::feedback::GithubKind;

#[test]
fn a_label_is_one_part_of_a_path() {
    assert_eq!(path_segment("traffic: blue-80"), "traffic%3A%20blue-80");
    assert_eq!(path_segment("a/b?c"), "a%2Fb%3Fc");
}

#[tokio::test]
async fn invariant_40_a_list_without_an_end_is_given_up_and_never_taken_for_whole() {
    let page: Vec<_> = (1..=100).map(|id| serde_json::json!({ "id": id, "body": "hello" })).collect();
    let page = serde_json::Value::from(page).to_string();
    let server = Server::start(move |_, _| Answer::Json(200, page.clone())).await;
    let http = crate::http::build_client("42").unwrap();
    let github = GitHub::new(http, &server.url, "token", "octo/shop").unwrap();
    let read = clock::with_timeout(Duration::from_secs(20), github.marked_comments(7, None, |_| true)).await;
    let trouble = read.expect("the list is given up").expect_err("the list is not whole");
    assert_eq!((trouble.kind, server.requests().len()), (GithubKind::Odd, 30));
}

/// A comment of pull request 7 as GitHub lists it.
fn comment(id: u64, login: &str, kind: &str) -> serde_json::Value {
    serde_json::json!({ "id": id, "body": "marked", "user": { "login": login, "type": kind } })
}

/// A comment that an app wrote for a person.
fn by_app(comment: serde_json::Value, slug: &str) -> serde_json::Value {
    let mut comment = comment;
    comment["performed_via_github_app"] = serde_json::json!({ "slug": slug });
    comment
}

/// The ids of the comments that count as own, if GitHub answers the question who asks in this way.
async fn own(viewer: (u16, &'static str)) -> Vec<u64> {
    own_of(viewer, None).await
}

/// The same, for a token whose own comment may have told its author already.
async fn own_of(viewer: (u16, &'static str), own: Option<serde_json::Value>) -> Vec<u64> {
    let all = serde_json::json!([
        comment(1, "other-app[bot]", "Bot"),
        comment(2, "github-actions", "User"),
        comment(3, "octocat", "User"),
        by_app(comment(4, "github-actions[bot]", "Bot"), "github-actions"),
        by_app(comment(5, "octocat", "User"), "other-app"),
    ]);
    let server = Server::start(move |request, _| match request.head.contains("/graphql") {
        true => Answer::Json(viewer.0, viewer.1.to_owned()),
        false => Answer::Json(200, all.to_string()),
    })
    .await;
    let github =
        GitHub::new(crate::http::build_client("42").unwrap(), &server.url, "token", "octo/shop").unwrap();
    let known = own.map(|own| serde_json::from_value::<super::Comment>(own).unwrap().author().unwrap());
    let marked = github.marked_comments(7, known.as_ref(), |_| true).await.unwrap();
    assert_eq!(server.requests().len(), if known.is_some() { 1 } else { 2 });
    marked.iter().map(|comment| comment.id).collect()
}

#[tokio::test]
async fn a_comment_is_the_token_s_own_by_its_author_alone() {
    assert_eq!(own((200, r#"{"data":{"viewer":{"login":"github-actions[bot]"}}}"#)).await, [4]);
    assert_eq!(own((200, r#"{"data":{"viewer":{"login":"other-app[bot]"}}}"#)).await, [1]);
    assert_eq!(own((200, r#"{"data":{"viewer":{"login":"octocat"}}}"#)).await, [3]);
    assert_eq!(own((200, r#"{"data":{"viewer":{"login":"new-app[bot]"}}}"#)).await, [0; 0]);
    let unknown =
        [(200, r#"{"data":null,"errors":[{"message":"no"}]}"#), (404, r#"{"message":"Not Found"}"#)];
    for viewer in unknown {
        assert_eq!(own(viewer).await, [0; 0], "until a comment of this token tells it");
        let mine = comment(9, "github-actions[bot]", "Bot");
        assert_eq!(own_of(viewer, Some(by_app(mine, "github-actions"))).await, [4]);
        assert_eq!(own_of(viewer, Some(comment(9, "octocat", "User"))).await, [3]);
        assert_eq!(own_of(viewer, Some(by_app(comment(9, "octocat", "User"), "other-app"))).await, [5]);
    }
}

#[tokio::test]
async fn an_enterprise_server_has_graphql_beside_its_rest_api() {
    for (prefix, expected) in [("", "/graphql"), ("/api/v3", "/api/graphql"), ("/api/v3/", "/api/graphql")] {
        let server = Server::start(|_, _| Answer::Json(200, "{}".to_owned())).await;
        let (http, api) = (crate::http::build_client("42").unwrap(), format!("{}{prefix}", server.url));
        let github = GitHub::new(http, &api, "token", "octo/shop").unwrap();
        github.query::<serde_json::Value>("query { viewer { login } }").await.unwrap();
        let line = server.requests()[0].head.lines().next().unwrap().to_owned();
        assert_eq!(line, format!("POST {expected} HTTP/1.1"));
    }
}
