//! Moving users between the colors: one pure decision for `redirect-traffic`, `rollback` and `promote`.

mod brief;
mod goal;
mod run;

pub(crate) use brief::{Brief, Load, Reckoned, RuleChange, Undo};
pub(crate) use goal::{Goal, Wish};
pub(crate) use run::{Found, Run, Stage};
