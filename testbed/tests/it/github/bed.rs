//! A testbed with one repository and its tokens, and a plain HTTP client.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use testbed::github::{Level, Permissions};
use testbed::{Options, Testbed};

/// The head of the pull request in the repository.
pub(super) const HEAD: &str = "1111111111111111111111111111111111111111";
/// The commit of the default branch.
pub(super) const MAIN: &str = "2222222222222222222222222222222222222222";
/// The token that may do everything.
pub(super) const TOKEN: &str = "ghs_everything";

/// An answer, parsed.
#[derive(Debug)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// Headers, names in lower case.
    pub(super) headers: HashMap<String, String>,
    /// The body as sent.
    pub(super) text: String,
    /// The body as JSON; null when it isn't.
    pub(super) body: Value,
}

/// A testbed with the public repository `octo-org/octo-repo`, its branch `main`, and pull request 7.
pub(super) fn start() -> Testbed {
    let bed = Testbed::start(Options::default()).unwrap();
    bed.world(|world| {
        let of = world.github.repository("octo-org", "octo-repo");
        of.branch("main", MAIN);
        of.pull(7, HEAD, "topic", "main");
        world.github.token("deploy", TOKEN, Permissions::all(Level::Write));
    });
    bed
}

/// Sends a request to an address with a token; fails when the connection is cut.
pub(super) fn send(method: &str, url: &str, token: &str, body: &Value) -> io::Result<Answer> {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = TcpStream::connect(host)?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let authorization =
        if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let length = body.len();
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\nuser-agent: tests\r\nconnection: close\r\n\
         content-length: {length}\r\n{authorization}\r\n"
    );
    stream.write_all((head + &body).as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&String::from_utf8(answer).unwrap())
}

/// Reads an answer; its body must be as long as its head says.
fn parse(text: &str) -> io::Result<Answer> {
    let broken = || io::Error::other("the connection was cut");
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    if body.len() != length {
        return Err(broken());
    }
    let value = serde_json::from_str(body).unwrap_or(Value::Null);
    Ok(Answer { status, headers, text: body.to_owned(), body: value })
}

/// Calls the API of the repository with the token that may do everything.
pub(super) fn call(bed: &Testbed, method: &str, path: &str, body: &Value) -> Answer {
    call_as(bed, TOKEN, method, path, body)
}

/// Calls the API of the repository with a token.
pub(super) fn call_as(bed: &Testbed, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    send(method, &format!("{}/repos/octo-org/octo-repo{path}", bed.github_url()), token, body).unwrap()
}

/// GET without a body.
pub(super) fn get(bed: &Testbed, path: &str) -> Answer {
    call(bed, "GET", path, &Value::Null)
}

/// Adds a comment to pull request 7; gives the answer.
pub(super) fn comment(bed: &Testbed, text: &str) -> Answer {
    call(bed, "POST", "/issues/7/comments", &json!({ "body": text }))
}

/// One field of every entry of a list.
pub(super) fn each(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().unwrap().iter();
    entries.map(|entry| entry[field].to_string().trim_matches('"').to_owned()).collect()
}
