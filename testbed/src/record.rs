//! The record of every call, in order of arrival.

use crate::wire::{ApiError, Request, Service};
use bytes::Bytes;
use serde_json::Value;
use std::time::{Duration, Instant};

/// One recorded call.
#[derive(Debug, Clone)]
pub struct Call {
    /// 1 for the first call of the testbed's life; unique.
    pub number: u64,
    /// Time of arrival, since the start of the testbed.
    pub at: Duration,
    /// The service called.
    pub service: Service,
    /// The operation, such as `UpdateService`.
    pub operation: String,
    /// The parameters.
    pub input: Value,
    /// The body as sent.
    pub body: Bytes,
    /// True if the operation changes something.
    pub write: bool,
    /// The answer, or the error's code; `Unanswered` while in progress or after a fault cut the call off.
    pub result: Result<Value, String>,
    /// True if a fault cut the connection instead of answering.
    pub dropped: bool,
    /// `User-Agent` as sent.
    pub agent: String,
}

/// All calls so far.
pub(crate) struct Recorder {
    /// Start of the testbed.
    started: Instant,
    /// Number of the last call.
    last: u64,
    /// The kept calls: the newest, about [`MOST`] bytes.
    pub(crate) calls: Vec<Call>,
    /// Approximate bytes of the calls since the last count, plus the counted bytes.
    weight: usize,
}

/// Approximate limit of each record in bytes; above, the older half expires. No test comes near.
pub(crate) const MOST: usize = 256 << 20;

/// Approximate own bytes of one value of an answer: its tag, its pointers, the allocator's part.
const VALUE: usize = 80;

/// Drops the older half of the entries while the record exceeds this number of bytes.
pub(crate) fn expire<T>(entries: &mut Vec<T>, weight: &mut usize, most: usize, weigh: impl Fn(&T) -> usize) {
    while *weight > most && !entries.is_empty() {
        entries.drain(..entries.len().div_ceil(2));
        *weight = entries.iter().map(&weigh).sum();
    }
}

/// Approximate bytes of a value in memory.
pub(crate) fn weigh(value: &Value) -> usize {
    VALUE
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(weigh).sum(),
            Value::Object(map) => map.iter().map(|(key, value)| VALUE + key.len() + weigh(value)).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

impl Call {
    /// Approximate bytes of the call in memory.
    fn weight(&self) -> usize {
        let result = self.result.as_ref().map_or(VALUE, weigh);
        VALUE * 4 + self.body.len() + weigh(&self.input) + result
    }
}

impl Recorder {
    /// An empty record, with time starting now.
    pub(crate) fn new() -> Self {
        Self { started: crate::clock::now(), last: 0, calls: Vec::new(), weight: 0 }
    }

    /// Time since the start of the testbed.
    pub(crate) fn age(&self) -> Duration {
        crate::clock::now() - self.started
    }

    /// Number of the last call; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Notes a new call; returns its number.
    pub(crate) fn begin(&mut self, request: &Request) -> u64 {
        self.last += 1;
        self.calls.push(Call {
            number: self.last,
            at: self.age(),
            service: request.service,
            operation: request.operation.clone(),
            input: request.input.clone(),
            body: request.body.clone(),
            write: request.is_write(),
            result: Err("Unanswered".to_owned()),
            dropped: false,
            agent: request.agent.clone(),
        });
        self.last
    }

    /// Notes the result of the call.
    pub(crate) fn finish(&mut self, number: u64, answer: &Result<Value, ApiError>) {
        if let Some(call) = self.find(number) {
            call.result = answer.clone().map_err(|error| error.code);
            self.weight += call.weight();
        }
        expire(&mut self.calls, &mut self.weight, MOST, Call::weight);
    }

    /// Notes that the caller got no answer.
    pub(crate) fn dropped(&mut self, number: u64) {
        if let Some(call) = self.find(number) {
            call.dropped = true;
        }
    }

    /// The call with this number, unless cleared.
    fn find(&mut self, number: u64) -> Option<&mut Call> {
        self.calls.iter_mut().rev().find(|call| call.number == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn old_calls_expire_and_numbers_go_on() {
        let mut recorder = Recorder::new();
        let request = Request {
            service: Service::Ecs,
            operation: "ListClusters".to_owned(),
            input: json!({}),
            body: Bytes::new(),
            credential: None,
            agent: String::new(),
            protocol: crate::wire::Protocol::Json11,
            query_mode: false,
        };
        for number in 1..=100 {
            assert_eq!(recorder.begin(&request), number);
            recorder.finish(number, &Ok(json!({ "text": "x".repeat(1_000) })));
            expire(&mut recorder.calls, &mut recorder.weight, 20_000, Call::weight);
        }
        assert!(
            recorder.weight <= 20_000 && (5..20).contains(&recorder.calls.len()),
            "{}",
            recorder.calls.len()
        );
        assert_eq!(recorder.calls.last().map(|call| call.number), Some(100));
        assert!(
            recorder.calls.iter().zip(recorder.calls.iter().skip(1)).all(|(a, b)| a.number + 1 == b.number)
        );
    }
}
