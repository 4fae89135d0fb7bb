//! Observations over several looks in a row. A stale answer can explain a single look: ECS is eventually consistent.

use std::time::Duration;

use super::time::Time;

/// Number of looks in a row for a proof.
const SURE_LOOKS: u32 = 3;

/// Shortest time between the first and the last look for a proof: stale answers of ECS are seconds old.
const SURE_TIME: Duration = Duration::from_secs(5);

/// Start and number of the looks in a row that show something. None if the newest look does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sighting(Option<(Time, u32)>);

impl Sighting {
    /// Notes the result of a look.
    pub(crate) fn note(&mut self, shown: bool, now: Time) {
        let (since, looks) = self.0.unwrap_or((now, 0));
        self.0 = shown.then_some((since, looks.saturating_add(1)));
    }

    /// True if the newest look shows the observation.
    pub(crate) fn is_newest(&self) -> bool {
        self.0.is_some()
    }

    /// True after two looks in a row.
    pub(crate) fn is_repeated(&self) -> bool {
        self.0.is_some_and(|(_, looks)| looks > 1)
    }

    /// True after enough looks over enough time to exclude a stale answer.
    pub(crate) fn is_proven(&self, now: Time) -> bool {
        self.0.is_some_and(|(since, looks)| looks >= SURE_LOOKS && now.since(since) >= SURE_TIME)
    }
}
