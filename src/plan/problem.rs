//! One thing that is wrong with what a user wrote.

use std::fmt;

/// The most problems that are worked out and shown in full. The rest are counted.
pub(crate) const MOST_SHOWN: usize = 100;

/// One thing that is wrong with an input, the config file or a task-definition file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where: `input color`, `.github/blue-green.yml:7:3 apps.web.probes[0].status`.
    pub(crate) place: String,
    /// What was found and what is allowed, with the nearest match: one sentence.
    pub(crate) what: String,
}

impl Problem {
    /// A problem at a place.
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Problem { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}
