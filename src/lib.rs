//! Blue/green deployments for two long-lived Amazon ECS services behind one Application Load Balancer.
//!
//! A run is a function of what it is given: its environment, a clock, a log, signals, and what reaches AWS ([`Machine`]).
//! `main` gives it those of the machine. A test gives it others, and so lets a run of half an hour pass in milliseconds,
//! in the same process as the AWS that it calls.

mod action;
mod aws;
mod clock;
mod commands;
mod config;
mod event;
mod failure;
mod feedback;
mod github;
mod http;
mod id_token;
mod plan;
mod report;
mod reporter;
mod signals;

pub use action::env::{Entry, Environment};
pub use aws::Means;
pub use clock::{Clock, MachineClock, Sleep};
pub use commands::{Machine, note_panics, run_guarded, step};
pub use reporter::Log;
pub use signals::Signals;
