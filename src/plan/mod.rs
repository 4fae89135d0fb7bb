//! The pure core: a snapshot and the time in, a value out. No AWS, no GitHub, no clock and no log.

pub(crate) mod address;
pub(crate) mod arn;
pub(crate) mod aws_error;
pub(crate) mod by_arn;
pub(crate) mod cause;
pub(crate) mod color;
pub(crate) mod compare;
pub(crate) mod definition;
pub(crate) mod deploy;
#[cfg(test)]
mod disturbed;
pub(crate) mod doctor;
pub(crate) mod earlier_rules;
mod failures;
pub(crate) mod going_live;
mod in_flight;
pub(crate) mod operation;
pub(crate) mod overview;
pub(crate) mod own_targets;
pub(crate) mod patience;
pub(crate) mod preconditions;
pub(crate) mod predict;
pub(crate) mod probe;
pub(crate) mod problem;
pub(crate) mod promote;
pub(crate) mod read_scope;
pub(crate) mod repeats;
pub(crate) mod restore;
pub(crate) mod route;
pub(crate) mod run;
pub(crate) mod run_memory;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod scalers;
pub(crate) mod shown_instead;
pub(crate) mod sighting;
pub(crate) mod snapshot;
pub(crate) mod step;
pub(crate) mod suggestion;
pub(crate) mod sum;
pub(crate) mod time;
pub(crate) mod traffic;
mod unanswered_write;
pub(crate) mod user_rules;
pub(crate) mod verdict;
pub(crate) mod wanted;
pub(crate) mod wiring;
