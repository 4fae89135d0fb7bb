//! Rate limits: requests an hour for a token, and new content a minute.

use super::GitHub;
use super::access::Token;
use super::answer::Refusal;
use super::ask::{Ask, reads};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The limits in the headers of every answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    /// Requests an hour.
    limit: u32,
    /// Requests in this hour.
    used: u32,
    /// End of the hour.
    reset: SystemTime,
}

impl Limit {
    /// The limits of an anonymous request.
    pub(super) fn anonymous() -> Self {
        Self { limit: 60, used: 1, reset: crate::clock::wall() + Duration::from_secs(3600) }
    }

    /// The limits of a token.
    pub(super) fn of(token: &Token) -> Self {
        Self { limit: token.limit, used: token.used.min(token.limit), reset: token.reset }
    }

    /// The headers.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("x-ratelimit-limit", self.limit.to_string()),
            ("x-ratelimit-remaining", (self.limit - self.used).to_string()),
            ("x-ratelimit-reset", self.epoch().to_string()),
            ("x-ratelimit-used", self.used.to_string()),
            ("x-ratelimit-resource", "core".to_owned()),
        ]
    }

    /// `GET /rate_limit`, which doesn't count.
    pub(super) fn json(&self) -> Value {
        let core = json!({ "limit": self.limit, "used": self.used, "remaining": self.limit - self.used,
            "reset": self.epoch() });
        json!({ "resources": { "core": core, "search": core }, "rate": core })
    }

    /// The end of the hour, in seconds since the epoch.
    fn epoch(&self) -> u64 {
        self.reset.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }
}

/// The refusal by the secondary limit.
pub(super) fn secondary(status: u16, after: Option<u64>) -> Refusal {
    let text = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    let refusal = Refusal::new(status, text);
    match after {
        Some(seconds) => refusal.header("retry-after", seconds.to_string()),
        None => refusal,
    }
}

impl GitHub {
    /// Uses up a token's hour, which ends after this time.
    pub(super) fn exhaust(&mut self, name: Option<&str>, time: Duration) {
        for token in self.tokens.iter_mut().filter(|token| Some(token.name.as_str()) == name) {
            token.used = token.limit;
            token.reset = crate::clock::wall() + time;
        }
    }

    /// Counts a request of a token, and refuses too many requests.
    pub(super) fn count(&mut self, secret: &str, ask: &Ask) -> Result<(), Refusal> {
        let writes_a_minute = self.writes_a_minute;
        let Some(token) = self.tokens.iter_mut().find(|token| token.secret == secret) else { return Ok(()) };
        let now = crate::clock::wall();
        if now >= token.reset {
            token.used = 0;
            token.reset = now + Duration::from_secs(3600);
        }
        if token.used >= token.limit {
            let whose = if token.app { "installation" } else { "user" };
            let text = format!("API rate limit exceeded for {whose} ID {}.", token.user.id);
            return Err(Refusal::new(403, text));
        }
        token.used += 1;
        if reads(&ask.method, &ask.path) {
            return Ok(());
        }
        token.writes.retain(|at| crate::clock::now() - *at < Duration::from_secs(60));
        if token.writes.len() >= writes_a_minute {
            return Err(secondary(403, Some(60)));
        }
        token.writes.push(crate::clock::now());
        Ok(())
    }
}
