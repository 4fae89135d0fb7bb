//! Thin adapters: the only place that names an AWS SDK. The SDK's shapes become the plan's types; no decisions here.

mod actions;
mod alarms;
mod call_count;
mod clients;
mod definitions;
mod elb;
mod errors;
mod history;
mod identity;
mod images;
mod json;
mod logs;
mod memo;
mod metrics;
mod observe;
mod pages;
mod patience;
mod refused_keys;
mod retry;
mod rules;
mod scalers;
mod scaling;
mod services;
mod simulation;
mod tasks;
mod trace;
mod values;
mod web_identity;
mod weights;
mod writes;

#[cfg(test)]
pub(crate) mod tests;

pub use clients::Means;
pub(crate) use clients::{Access, Aws};
pub(crate) use identity::{Caller, GET_CALLER_IDENTITY};
pub(crate) use observe::Names;
pub(crate) use trace::Attempt;
pub(crate) use web_identity::SignIn;
pub(crate) use weights::missing_rule_error;
