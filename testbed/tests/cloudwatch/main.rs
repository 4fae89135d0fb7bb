//! CloudWatch: the wire, metrics, alarms.
#![allow(clippy::expect_used, unreachable_pub, reason = "tests may panic")]

mod alarms;
mod bed;
mod data;
mod states;
mod traffic;
mod wire;
