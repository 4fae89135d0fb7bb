//! Application Auto Scaling, over its wire.

mod alarms;
mod bed;
mod policies;
mod scaling;
mod targets;
