//! Changing the split between the colors: one pure decision for `redirect-traffic`, `rollback` and `promote`.

mod at_target;
mod capacity;
mod decision;
mod facts;
mod finish;
mod goal;
mod lowered;
mod next;
mod predict;
mod progress;
mod read_again;
mod restore;
mod rewrite;
mod rollback;
mod run;
mod shift;
mod stage;
mod traffic_plan;

pub(crate) use at_target::stays_suspended;
pub(crate) use finish::{stays_at_size, stays_busy};
pub(crate) use goal::{Finish, Goal, Minima, TrafficRequest};
pub(crate) use lowered::Lowered;
pub(crate) use next::{next_traffic_action, peek_traffic_action};
pub(crate) use predict::{
    Prediction, as_found, capacity_shortfall, predict_step, predict_steps, predict_traffic, traffic_plan,
};
pub(crate) use progress::Phase;
pub(crate) use read_again::with_rules;
pub(crate) use rollback::rollback_split;
pub(crate) use run::{InitialTraffic, Run, Written};
pub(crate) use stage::gaining_color;
#[cfg(test)]
pub(crate) use traffic_plan::Undo;
pub(crate) use traffic_plan::{Copying, Load, LoadSource, RuleChange, TrafficPlan};

#[cfg(test)]
mod disturbed;
#[cfg(test)]
mod tests;
