//! What about traffic is not as it should be, and the commands that move users.

use crate::plan::overview::{Drift, Move};
use crate::report::names::quoted;

/// What was found, what it means, and what to do.
pub(crate) fn drift(drift: &Drift) -> String {
    match drift {
        Drift::Bounds { color, share, most, largest, needed } => format!(
            "{color} serves {share} % of the users, and its MaxCapacity {most} is lower than {needed}, that share of the largest MaxCapacity ({largest}): it can't grow as its users may need. Raise it to at least {needed} where it is defined."
        ),
        Drift::ScaleIn { color, service } => format!(
            "Both colors serve users, and scale-in of {} ({color}) is not suspended: it can shrink below what its share needs. `redirect-traffic` to the split that is held suspends it.",
            quoted(service)
        ),
    }
}

/// A command that moves users, by name.
pub(crate) fn command(command: Move) -> &'static str {
    match command {
        Move::Redirect => "redirect-traffic",
        Move::Rollback => "rollback",
        Move::Promote => "promote",
    }
}
