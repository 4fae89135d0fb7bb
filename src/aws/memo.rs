//! Answers about facts that rarely change, kept for a minute: a run looks at AWS every few seconds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::plan::aws_error::AwsResult;
use crate::plan::time::Time;

/// Longest age of an answer.
const FRESH: Duration = Duration::from_secs(60);

/// Answers by ARN, each with its time. Clones share the answers.
#[derive(Clone, Debug)]
pub(super) struct Memo<T>(Arc<Mutex<BTreeMap<String, (Time, T)>>>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Memo(Arc::default())
    }
}

impl<T: Clone> Memo<T> {
    /// The answer of the last minute, or a new one. An error is not kept.
    pub(super) async fn get(&self, arn: &str, read: impl Future<Output = AwsResult<T>>) -> AwsResult<T> {
        let asked = clock::now();
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(arn).cloned();
        if let Some((_, value)) = known.filter(|(at, _)| asked.since(*at) < FRESH) {
            return Ok(value);
        }
        let value = read.await?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(arn.to_owned(), (asked, value.clone()));
        Ok(value)
    }
}
