//! Application Auto Scaling, over its wire.

mod bed;
mod policies;
mod scaling;
mod targets;
