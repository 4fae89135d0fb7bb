//! The testbed's own API, in one test binary.
#![allow(clippy::expect_used, unreachable_pub, reason = "tests may panic")]

mod autoscaling;
mod cloudwatch;
mod ecs;
mod elb;
mod github;
mod sample;
mod serve;
mod wire;
mod wrong_drivers;
mod wrong_scalers;
