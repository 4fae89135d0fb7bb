//! Deliberate faults of requests to GitHub and to the runner's token endpoint.

use super::answer::Refusal;
use super::ask::Ask;
use super::{GitHub, Reply};
use crate::hold::Hold;
use crate::world::World;
use serde_json::Value;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Another party's change to the world at the moment of a request.
type Act = Box<dyn FnMut(&mut World) + Send>;

/// The effect of a fault on a request.
pub enum GitHubEffect {
    /// A JSON answer with this status; the request has no effect.
    Answer(u16, Value),
    /// A JSON answer with this status, after the request was carried out.
    AnswerAfter(u16, Value),
    /// A refusal in GitHub's error form; the request has no effect.
    Refuse(Refusal),
    /// A page of HTML with this status, like a proxy's; the request has no effect.
    Html(u16),
    /// The same after the request was carried out.
    HtmlAfter(u16),
    /// The hour's requests are used up, until this time has passed. The request has no effect.
    PrimaryLimit(Duration),
    /// The secondary limit: 403 or 429, with `retry-after` in seconds if given. The request has no effect.
    SecondaryLimit(u16, Option<u64>),
    /// The request is carried out after this time.
    Delay(Duration),
    /// The request waits until the test releases it, and is then carried out.
    Hold(Hold),
    /// The request is carried out, and its answer is delayed by this time.
    Stall(Duration),
    /// The request is carried out; its answer's body comes in ten pieces with this pause between them.
    SlowBody(Duration),
    /// The request is carried out; the connection closes in the middle of the answer's body.
    CutBody,
    /// The connection closes before the request has an effect.
    DropBefore,
    /// The request is carried out, then the connection closes without an answer.
    DropAfter,
    /// The victim is killed before the request has an effect.
    KillBefore,
    /// The request is carried out, then the victim is killed; no answer.
    KillAfter,
    /// Another party acts right before the request.
    Before(Act),
    /// Another party acts right after the request, before the answer.
    Then(Act),
}

/// A fault: its requests and its effect. All matching requests are affected, unless `nth` selects some.
pub struct GitHubFault {
    /// Only requests of this method.
    pub method: Option<String>,
    /// Requests whose path, without prefix and query, matches this pattern; `*` is any text.
    pub path: Option<String>,
    /// Only requests with the token of this name.
    pub token: Option<String>,
    /// The selected requests among all matching requests since the fault was set, counting from 1.
    pub nth: Option<RangeInclusive<u32>>,
    /// The effect.
    pub effect: GitHubEffect,
    /// Matching requests so far.
    seen: u32,
}

impl GitHubFault {
    /// Affects every request to either host.
    pub fn always(effect: GitHubEffect) -> Self {
        Self { method: None, path: None, token: None, nth: None, effect, seen: 0 }
    }

    /// Affects requests of a method whose path matches a pattern: `("POST", "*/issues/*/comments", …)`.
    pub fn on(method: &str, path: &str, effect: GitHubEffect) -> Self {
        Self { method: Some(method.to_owned()), path: Some(path.to_owned()), ..Self::always(effect) }
    }

    /// Affects the `n`th request of any kind from now on, counting from 1.
    pub fn nth_call(n: u32, effect: GitHubEffect) -> Self {
        Self::always(effect).nth(n..=n)
    }

    /// Affects only these of the matching requests, counting from 1.
    pub fn nth(self, nth: RangeInclusive<u32>) -> Self {
        Self { nth: Some(nth), ..self }
    }

    /// Affects only the first `count` matching requests.
    pub fn times(self, count: u32) -> Self {
        self.nth(1..=count)
    }

    /// Affects only requests with the token of this name.
    pub fn token(self, name: &str) -> Self {
        Self { token: Some(name.to_owned()), ..self }
    }

    /// True if the fault affects this request; counts a matching request.
    fn strikes(&mut self, ask: &Ask, token: Option<&str>) -> bool {
        let matches = self.method.as_ref().is_none_or(|method| *method == ask.method)
            && self.path.as_ref().is_none_or(|pattern| glob(pattern, &ask.path))
            && self.token.as_deref().is_none_or(|name| token == Some(name));
        if !matches {
            return false;
        }
        self.seen += 1;
        self.nth.as_ref().is_none_or(|nth| nth.contains(&self.seen))
    }
}

/// True if a text matches a pattern: `*` is any text.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| glob(rest, &text[at..]))
        }),
    }
}

/// The effects of all faults on one request.
#[derive(Default)]
pub(super) struct Strike {
    /// Time to wait before the request.
    pub(super) delay: Duration,
    /// The gates to wait at before the request.
    pub(super) holds: Vec<Hold>,
    /// The answer instead of carrying out the request.
    pub(super) reply: Option<Reply>,
    /// The answer after carrying out the request.
    pub(super) reply_after: Option<Reply>,
    /// Time to wait before the answer.
    pub(super) stall: Duration,
    /// Time between two pieces of the body.
    pub(super) gap: Duration,
    /// True if the body is cut off.
    pub(super) cut_body: bool,
    /// Cut the connection: before (`Some(false)`) or after (`Some(true)`) the effect.
    pub(super) cut_after: Option<bool>,
    /// True if the victim is killed at the cut.
    pub(super) kill: bool,
    /// Indices of faults that act before the request.
    before: Vec<usize>,
    /// Indices of faults that act after the request.
    after: Vec<usize>,
}

impl Strike {
    /// Adds the effect of one fault.
    fn add(&mut self, index: usize, effect: &GitHubEffect) {
        match effect {
            GitHubEffect::Answer(status, body) => self.reply = Some(Reply::json(*status, body)),
            GitHubEffect::AnswerAfter(status, body) => self.reply_after = Some(Reply::json(*status, body)),
            GitHubEffect::Refuse(refusal) => self.reply = Some(refusal.clone().into()),
            GitHubEffect::Html(status) => self.reply = Some(Reply::html(*status)),
            GitHubEffect::HtmlAfter(status) => self.reply_after = Some(Reply::html(*status)),
            GitHubEffect::PrimaryLimit(_) => {}
            GitHubEffect::SecondaryLimit(status, after) => {
                self.reply = Some(super::limits::secondary(*status, *after).into());
            }
            GitHubEffect::Delay(time) => self.delay += *time,
            GitHubEffect::Hold(hold) => self.holds.push(hold.clone()),
            GitHubEffect::Stall(time) => self.stall += *time,
            GitHubEffect::SlowBody(gap) => self.gap = *gap,
            GitHubEffect::CutBody => self.cut_body = true,
            GitHubEffect::Before(_) => self.before.push(index),
            GitHubEffect::Then(_) => self.after.push(index),
            GitHubEffect::DropBefore => (self.cut_after, self.kill) = (Some(false), false),
            GitHubEffect::DropAfter => (self.cut_after, self.kill) = (Some(true), false),
            GitHubEffect::KillBefore => (self.cut_after, self.kill) = (Some(false), true),
            GitHubEffect::KillAfter => (self.cut_after, self.kill) = (Some(true), true),
        }
    }
}

impl GitHub {
    /// The effects on this request.
    pub(super) fn strike(&mut self, ask: &Ask, token: Option<&str>) -> Strike {
        let mut strike = Strike::default();
        let mut faults = std::mem::take(&mut self.faults);
        for (index, fault) in faults.iter_mut().enumerate() {
            if !fault.strikes(ask, token) {
                continue;
            }
            strike.add(index, &fault.effect);
            if let GitHubEffect::PrimaryLimit(time) = &fault.effect {
                self.exhaust(token, *time);
            }
        }
        self.faults = faults;
        strike
    }
}

impl World {
    /// Runs the actions of other parties right before this request.
    pub(super) fn act_before_github(&mut self, strike: &Strike) {
        self.act_on_github(&strike.before);
    }

    /// Runs the actions of other parties right after this request.
    pub(super) fn act_after_github(&mut self, strike: &Strike) {
        self.act_on_github(&strike.after);
    }

    /// Runs the closures of these faults; a closure may change everything except the list of faults.
    fn act_on_github(&mut self, indices: &[usize]) {
        let mut list = std::mem::take(&mut self.github.faults);
        for index in indices {
            let effect = list.get_mut(*index).map(|fault| &mut fault.effect);
            if let Some(GitHubEffect::Before(act) | GitHubEffect::Then(act)) = effect {
                act(self);
            }
        }
        list.append(&mut self.github.faults);
        self.github.faults = list;
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_star_is_any_text() {
        assert!(glob("*/issues/*/comments", "/repos/a/b/issues/7/comments"));
        assert!(!glob("*/issues/*/comments", "/repos/a/b/issues/7/comments/9"));
        assert!(glob("repo:a/b:*", "repo:a/b:") && glob("*", "") && !glob("", "a") && glob("ä*", "äö"));
    }
}
