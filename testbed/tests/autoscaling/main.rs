//! Application Auto Scaling, over its wire.

mod bed;
mod targets;
