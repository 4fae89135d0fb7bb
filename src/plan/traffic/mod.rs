//! Moving users between the colors: one pure decision for `redirect-traffic`, `rollback` and `promote`.

mod at_target;
mod back;
mod brief;
mod capacity;
mod facts;
mod finish;
mod following;
mod goal;
mod lowered;
mod next;
mod predict;
mod rewrite;
mod rollback;
mod run;
mod shift;
mod stage;

pub(crate) use at_target::stays_suspended;
#[cfg(test)]
pub(crate) use brief::Undo;
pub(crate) use brief::{Brief, Copying, Load, Reckoned, RuleChange};
pub(crate) use finish::{stays_at_size, stays_busy};
pub(crate) use following::with_rules;
pub(crate) use goal::{Finish, Goal, Minima, Wish};
pub(crate) use next::next;
pub(crate) use predict::{Prediction, apply, as_found, brief, predict, shortfall, steps};
pub(crate) use rollback::rollback;
pub(crate) use run::{Found, Run, Written};

#[cfg(test)]
mod disturbed;
#[cfg(test)]
mod tests;
