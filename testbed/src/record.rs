//! The record of every call, in the order in which they came.

use crate::wire::{ApiError, Request, Service};
use bytes::Bytes;
use serde_json::Value;
use std::time::{Duration, Instant};

/// One recorded call.
#[derive(Debug, Clone)]
pub struct Call {
    /// 1 for the first call of the testbed's life; never used twice.
    pub number: u64,
    /// When it came, since the start of the testbed.
    pub at: Duration,
    /// The service called.
    pub service: Service,
    /// The operation, such as `UpdateService`.
    pub operation: String,
    /// Its parameters.
    pub input: Value,
    /// The body as sent.
    pub body: Bytes,
    /// Whether the operation changes something.
    pub write: bool,
    /// What was answered, or the error's code; `Unanswered` while it is under way or when a fault cut it off.
    pub result: Result<Value, String>,
    /// Whether a fault cut the connection instead of answering.
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
    /// The calls kept.
    pub(crate) calls: Vec<Call>,
}

impl Recorder {
    /// An empty record that counts time from now on.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), last: 0, calls: Vec::new() }
    }

    /// Time since the start of the testbed.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Number of the last call; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Notes that a call came; gives its number.
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

    /// Notes what the call did.
    pub(crate) fn finish(&mut self, number: u64, answer: &Result<Value, ApiError>) {
        if let Some(call) = self.find(number) {
            call.result = answer.clone().map_err(|error| error.code);
        }
    }

    /// Notes that the caller got no answer.
    pub(crate) fn dropped(&mut self, number: u64) {
        if let Some(call) = self.find(number) {
            call.dropped = true;
        }
    }

    /// The call of this number, unless it was cleared away.
    fn find(&mut self, number: u64) -> Option<&mut Call> {
        self.calls.iter_mut().rev().find(|call| call.number == number)
    }
}
