//! The record of every request to GitHub and to the runner's token endpoint.

use super::ask::{Ask, reads};
use super::{Reply, Site};
use crate::record::{MOST, expire, weigh};
use serde_json::Value;
use std::time::Duration;

/// One recorded request.
#[derive(Debug, Clone)]
pub struct GitHubCall {
    /// 1 for the first request of the testbed's life to either host; unique.
    pub number: u64,
    /// Time of arrival, since the start of the testbed; comparable with the AWS calls' time.
    pub at: Duration,
    /// Number of the last earlier AWS call.
    pub after_aws_call: u64,
    /// The host.
    pub(super) site: Site,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path as sent, without the Enterprise prefix and the query.
    pub path: String,
    /// The query as sent.
    pub query: String,
    /// The body; `Null` if missing.
    pub body: Value,
    /// The name of the token; `None` for an anonymous request or an unknown token.
    pub token: Option<String>,
    /// `User-Agent` as sent.
    pub agent: String,
    /// The status of the answer, or of the lost answer if the connection was cut after the effect; 0 without effect and
    /// answer.
    pub status: u16,
    /// The body of the answer, parsed; a text if not JSON.
    pub answer: Value,
    /// True if a fault cut the connection instead of answering.
    pub dropped: bool,
}

impl GitHubCall {
    /// True if the request changes something.
    pub fn is_write(&self) -> bool {
        !reads(&self.method, &self.path)
    }

    /// Approximate bytes of the request in memory.
    fn weight(&self) -> usize {
        self.path.len() + self.query.len() + weigh(&self.body) + weigh(&self.answer)
    }

    /// `METHOD path`, for short assertions.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// All requests so far.
#[derive(Default)]
pub(super) struct Record {
    /// Number of the last request.
    last: u64,
    /// The kept requests: the newest, about [`MOST`] bytes.
    pub(super) calls: Vec<GitHubCall>,
    /// Approximate bytes of the requests since the last count, plus the counted bytes.
    weight: usize,
}

impl Record {
    /// Number of the last request; 0 before the first.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Notes a new request; returns its number.
    pub(super) fn begin(
        &mut self,
        ask: &Ask,
        site: Site,
        token: Option<String>,
        when: (Duration, u64),
    ) -> u64 {
        self.last += 1;
        self.calls.push(GitHubCall {
            number: self.last,
            at: when.0,
            after_aws_call: when.1,
            site,
            method: ask.method.clone(),
            path: ask.path.clone(),
            query: ask.raw_query.clone(),
            body: ask.body.clone(),
            token,
            agent: ask.agent.clone(),
            status: 0,
            answer: Value::Null,
            dropped: false,
        });
        self.last
    }

    /// Notes the answer.
    pub(super) fn finish(&mut self, number: u64, reply: &Reply) {
        if let Some(call) = self.find(number) {
            call.status = reply.status;
            call.answer =
                serde_json::from_str(&reply.body).unwrap_or_else(|_| Value::String(reply.body.clone()));
            self.weight += call.weight();
        }
        expire(&mut self.calls, &mut self.weight, MOST, GitHubCall::weight);
    }

    /// Notes that the caller got no answer.
    pub(super) fn dropped(&mut self, number: u64) {
        if let Some(call) = self.find(number) {
            call.dropped = true;
        }
    }

    /// The request with this number, unless cleared.
    fn find(&mut self, number: u64) -> Option<&mut GitHubCall> {
        self.calls.iter_mut().rev().find(|call| call.number == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A request for a comment.
    fn ask() -> Ask {
        Ask {
            method: "POST".to_owned(),
            path: "/repos/shop/web/issues/7/comments".to_owned(),
            parts: Vec::new(),
            query: Vec::new(),
            raw_query: String::new(),
            body: Value::Null,
            malformed: false,
            secret: None,
            agent: "x".to_owned(),
            api: String::new(),
            html: String::new(),
        }
    }

    #[test]
    fn old_requests_expire_and_numbers_go_on() {
        let mut record = Record::default();
        let reply = Reply::json(200, &serde_json::json!({ "text": "x".repeat(1_000) }));
        for number in 1..=100 {
            assert_eq!(record.begin(&ask(), Site::Api, None, (Duration::ZERO, 0)), number);
            record.finish(number, &reply);
            expire(&mut record.calls, &mut record.weight, 20_000, GitHubCall::weight);
        }
        assert!((5..20).contains(&record.calls.len()), "{}", record.calls.len());
        assert_eq!(record.calls.last().map(|call| call.number), Some(100));
    }
}
