//! The limit of calls that AWS sets by a bucket of tokens.

use std::time::Instant;

use super::state::Elb;

/// A bucket of tokens: each call takes one, and the bucket fills with time.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Most tokens.
    most: f64,
    /// Tokens added in a second.
    each_second: f64,
    /// Tokens at the last call.
    tokens: f64,
    /// Time of the last call.
    taken: Instant,
    /// Calls without a token so far.
    pub refused: usize,
}

impl Bucket {
    /// The bucket of `Describe*` in an account and region: 40 tokens, 10 more a second ("API throttling", Elastic Load
    /// Balancing).
    pub fn of_describe() -> Self {
        Self { most: 40.0, each_second: 10.0, tokens: 40.0, taken: crate::clock::now(), refused: 0 }
    }

    /// Takes a token; false if none is left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let more = now.saturating_duration_since(self.taken).as_secs_f64() * self.each_second;
        (self.tokens, self.taken) = ((self.tokens + more).min(self.most), now);
        if self.tokens < 1.0 {
            self.refused += 1;
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

impl Elb {
    /// True if a call of a client finds the bucket empty; takes a token otherwise.
    pub(crate) fn is_throttled(&mut self, operation: &str) -> bool {
        let limited = operation.starts_with("Describe");
        let bucket = self.describe_bucket.as_mut().filter(|_| limited);
        bucket.is_some_and(|bucket| !bucket.take(crate::clock::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn forty_calls_at_once_and_ten_more_each_second() {
        let mut bucket = Bucket::of_describe();
        let start = bucket.taken;
        let mut taken = |after: u64| {
            let at = start + Duration::from_secs(after);
            (0..100).filter(|_| bucket.take(at)).count()
        };
        assert_eq!([taken(0), taken(1), taken(3), taken(60)], [40, 10, 20, 40]);
        assert_eq!(bucket.refused, 290);
    }
}
