//! What looks in a row show. One look proves nothing that a stale answer shows too: ECS is eventually consistent.

use std::time::Duration;

use super::time::Time;

/// How many looks in a row have to show it.
const SURE_LOOKS: u32 = 3;

/// For how long they have to: stale answers of ECS are seconds old.
const SURE_TIME: Duration = Duration::from_secs(5);

/// Since when, and at how many looks in a row, something was seen; none if the newest look does not show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sighting(Option<(Time, u32)>);

impl Sighting {
    /// Notes whether a look shows it.
    pub(crate) fn note(&mut self, shown: bool, now: Time) {
        let (since, looks) = self.0.unwrap_or((now, 0));
        self.0 = shown.then_some((since, looks.saturating_add(1)));
    }

    /// Whether the newest look shows it.
    pub(crate) fn is_newest(&self) -> bool {
        self.0.is_some()
    }

    /// Whether two looks in a row show it.
    pub(crate) fn is_repeated(&self) -> bool {
        self.0.is_some_and(|(_, looks)| looks > 1)
    }

    /// Whether it was seen often and long enough to be no stale answer.
    pub(crate) fn is_proven(&self, now: Time) -> bool {
        self.0.is_some_and(|(since, looks)| looks >= SURE_LOOKS && now.since(since) >= SURE_TIME)
    }
}
