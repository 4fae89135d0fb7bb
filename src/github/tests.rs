//! The adapter by itself.

use std::time::Duration;

use super::GitHub;
use super::client::segment;
use crate::aws::tests::server::{Answer, Server};
use crate::clock;
use crate::feedback::GithubKind;

#[test]
fn a_label_is_one_part_of_a_path() {
    assert_eq!(segment("traffic: blue-80"), "traffic%3A%20blue-80");
    assert_eq!(segment("a/b?c"), "a%2Fb%3Fc");
}

#[tokio::test]
async fn invariant_40_a_list_without_an_end_is_given_up_and_never_taken_for_whole() {
    let page: Vec<_> = (1..=100).map(|id| serde_json::json!({ "id": id, "body": "hello" })).collect();
    let page = serde_json::Value::from(page).to_string();
    let server = Server::start(move |_, _| Answer::Json(200, page.clone())).await;
    let http = crate::http::client("42").unwrap();
    let github = GitHub::new(http, &server.url, "token", "octo/shop").unwrap();
    let read = clock::within(Duration::from_secs(20), github.marked_comments(7, |_| true)).await;
    let trouble = read.expect("the list is given up").expect_err("the list is not whole");
    assert_eq!((trouble.kind, server.requests().len()), (GithubKind::Odd, 30));
}
