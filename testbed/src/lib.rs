//! A small AWS on loopback ports: stateful, on real sockets, speaking the real wire protocols.
//!
//! One process holds a `World` (ECS, Application Auto Scaling, Elastic Load Balancing, ECR, STS) behind one AWS endpoint. Tasks are real
//! HTTP servers, listeners are real proxies. It imitates AWS and knows nothing of the program that talks to it.

pub mod autoscaling;
pub mod checker;
pub mod ecr;
pub mod ecs;
pub mod elb;
pub mod faults;
mod image;
mod record;
pub mod sample;
mod scaled;
mod server;
mod sts;
mod tasks;
mod testbed;
pub mod wire;
mod world;

pub use faults::{Effect, Fault};
pub use image::{Behavior, Crash};
pub use record::Call;
pub use testbed::{Options, Testbed};
pub use wire::{ApiError, Request, Service};
pub use world::{Pace, Shared, World, lock};
