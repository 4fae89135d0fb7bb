//! What goes wrong on purpose, and the record.

use super::bed::{TOKEN, call, comment, get, send, start};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testbed::github::{GitHubEffect, GitHubFault, Refusal};
use testbed::{Hold, Testbed};

/// Creates a comment; an error when the connection is cut.
fn try_comment(bed: &Testbed) -> std::io::Result<super::bed::Answer> {
    let url = format!("{}/repos/octo-org/octo-repo/issues/7/comments", bed.github_url());
    send("POST", &url, TOKEN, &json!({ "body": "x" }))
}

/// How many comments there are.
fn count(bed: &Testbed) -> usize {
    bed.world(|world| world.github.repository("octo-org", "octo-repo").comments(7).len())
}

/// A fault of creating comments.
fn on_comment(effect: GitHubEffect) -> GitHubFault {
    GitHubFault::on("POST", "*/issues/*/comments", effect)
}

#[test]
fn calls_are_recorded_in_order() {
    let bed = start();
    get(&bed, "/issues/7/comments?per_page=5");
    comment(&bed, "hello");
    send("GET", &format!("{}/nope", bed.github_url()), "", &Value::Null).unwrap();
    let calls = bed.github_calls();
    assert_eq!(calls.iter().map(|call| call.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(calls[0].query, "per_page=5");
    assert_eq!(calls[1].line(), "POST /repos/octo-org/octo-repo/issues/7/comments");
    assert_eq!((calls[1].token.as_deref(), calls[1].status), (Some("deploy"), 201));
    assert_eq!((&calls[1].body["body"], &calls[1].answer["body"]), (&json!("hello"), &json!("hello")));
    assert_eq!((calls[2].token.as_deref(), calls[2].status, calls[2].agent.as_str()), (None, 404, "tests"));
    assert!(calls[0].at <= calls[1].at);
    assert_eq!(bed.github_writes().len(), 1);
    bed.clear_github_calls();
    get(&bed, "");
    assert_eq!(bed.github_calls()[0].number, 4);
}

#[test]
fn a_fault_befalls_the_nth_call_of_a_method_and_path() {
    let bed = start();
    bed.github_fault(on_comment(GitHubEffect::Html(502)).nth(2..=2));
    assert_eq!(comment(&bed, "1").status, 201);
    assert_eq!(get(&bed, "/issues/7/comments").status, 200);
    let html = comment(&bed, "2");
    assert_eq!((html.status, html.headers["content-type"].as_str()), (502, "text/html"));
    assert!(html.text.contains("<html>") && count(&bed) == 1);
    assert_eq!(comment(&bed, "3").status, 201);
    bed.github_fault(GitHubFault::always(GitHubEffect::Answer(500, json!({}))).token("another"));
    assert_eq!(comment(&bed, "4").status, 201);
}

#[test]
fn an_answer_may_lie_about_the_effect() {
    let bed = start();
    bed.github_fault(on_comment(GitHubEffect::Answer(500, json!({ "message": "Server Error" }))).times(1));
    assert_eq!((comment(&bed, "1").body["message"].clone(), count(&bed)), (json!("Server Error"), 0));
    bed.clear_github_faults();
    bed.github_fault(on_comment(GitHubEffect::AnswerAfter(503, json!({}))));
    assert_eq!((comment(&bed, "1").status, count(&bed)), (503, 1));
    bed.clear_github_faults();
    bed.github_fault(on_comment(GitHubEffect::HtmlAfter(502)));
    assert_eq!((comment(&bed, "1").status, count(&bed)), (502, 2));
    bed.clear_github_faults();
    bed.github_fault(on_comment(GitHubEffect::Refuse(Refusal::not_accessible())));
    assert_eq!((comment(&bed, "1").status, count(&bed)), (403, 2));
}

#[test]
fn connections_are_cut_before_or_after_the_effect() {
    let bed = start();
    bed.github_fault(on_comment(GitHubEffect::DropBefore).times(1));
    assert!(try_comment(&bed).is_err() && count(&bed) == 0);
    bed.clear_github_faults();
    bed.github_fault(on_comment(GitHubEffect::DropAfter).times(1));
    assert!(try_comment(&bed).is_err() && count(&bed) == 1);
    bed.clear_github_faults();
    bed.github_fault(on_comment(GitHubEffect::CutBody).times(1));
    assert!(try_comment(&bed).is_err() && count(&bed) == 2);
    let calls = bed.github_calls();
    let seen: Vec<(u16, bool)> = calls.iter().map(|call| (call.status, call.dropped)).collect();
    assert_eq!(seen, [(0, true), (201, true), (201, false)]);
    assert_eq!(comment(&bed, "x").status, 201);
}

#[test]
fn answers_may_take_their_time() {
    let bed = start();
    let time = Duration::from_millis(30);
    for effect in [GitHubEffect::Delay(time), GitHubEffect::Stall(time), GitHubEffect::SlowBody(time / 10)] {
        bed.clear_github_faults();
        bed.github_fault(on_comment(effect));
        let began = Instant::now();
        let answer = comment(&bed, "x");
        assert!(answer.status == 201 && answer.body["body"] == "x" && began.elapsed() >= time * 9 / 10);
    }
}

#[test]
fn limits_can_be_scripted() {
    let bed = start();
    bed.github_fault(on_comment(GitHubEffect::SecondaryLimit(429, Some(7))).times(1));
    let answer = comment(&bed, "x");
    assert_eq!((answer.status, answer.headers["retry-after"].as_str(), count(&bed)), (429, "7", 0));
    assert!(answer.headers.contains_key("x-ratelimit-remaining"));
    bed.clear_github_faults();
    bed.github_fault(on_comment(GitHubEffect::SecondaryLimit(403, None)).times(1));
    assert!(!comment(&bed, "x").headers.contains_key("retry-after"));
    bed.clear_github_faults();
    bed.github_fault(on_comment(GitHubEffect::PrimaryLimit(Duration::from_secs(90))).times(1));
    let answer = comment(&bed, "x");
    assert_eq!((answer.status, answer.headers["x-ratelimit-remaining"].as_str()), (403, "0"));
    assert_eq!(get(&bed, "").status, 403);
}

#[test]
fn somebody_else_acts_between_two_calls() {
    let bed = start();
    let write = |text: &'static str| {
        Box::new(move |world: &mut testbed::World| {
            world.github.repository("octo-org", "octo-repo").write_comment(7, "octocat", text);
        })
    };
    bed.github_fault(GitHubFault::nth_call(1, GitHubEffect::Then(write("between"))));
    bed.github_fault(GitHubFault::nth_call(2, GitHubEffect::Before(write("before"))));
    assert_eq!(get(&bed, "/issues/7/comments").body, json!([]));
    comment(&bed, "mine");
    let bodies = super::bed::each(&get(&bed, "/issues/7/comments").body, "body");
    assert_eq!(bodies, ["between", "before", "mine"]);
}

#[test]
fn the_victim_is_killed_at_a_call() {
    for (effect, done) in [(GitHubEffect::KillBefore, 0), (GitHubEffect::KillAfter, 1)] {
        let bed = start();
        let mut victim = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        bed.set_victim(victim.id());
        bed.github_fault(on_comment(effect));
        assert!(try_comment(&bed).is_err());
        assert!(!victim.wait().unwrap().success());
        assert_eq!(count(&bed), done);
    }
}

#[test]
fn the_whole_host_goes_down_and_comes_back() {
    let bed = start();
    bed.set_github_down(true);
    assert_eq!(try_comment(&bed).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    bed.set_github_down(false);
    assert_eq!(call(&bed, "GET", "", &Value::Null).status, 200);
}

#[test]
fn a_held_request_waits_for_its_release() {
    let bed = start();
    let hold = Hold::new();
    bed.github_fault(on_comment(GitHubEffect::Hold(hold.clone())));
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| comment(&bed, "x").status);
        assert!(hold.wait_held(Duration::from_secs(10)));
        assert!(!asked.is_finished() && count(&bed) == 0);
        hold.release();
        assert_eq!(asked.join().unwrap(), 201);
    });
    assert_eq!(count(&bed), 1);
}
