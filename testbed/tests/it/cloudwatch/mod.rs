//! CloudWatch: the wire, metrics, alarms.

mod alarms;
mod bed;
mod data;
mod states;
mod traffic;
mod wire;
