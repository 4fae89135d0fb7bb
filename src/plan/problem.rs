//! A problem in user input.

use std::fmt;

/// Most problems that are worked out and shown in full. The rest are counted.
pub(crate) const MOST_SHOWN: usize = 100;

/// A problem in an input, the config file or a task-definition file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The place: `input color`, `.github/blue-green.yml:7:3 apps.web.probes[0].status`.
    pub(crate) place: String,
    /// The found and the allowed value, with the nearest match: one sentence.
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
