//! A small AWS and a small GitHub on loopback ports: stateful, on real sockets, with the real wire protocols.
//!
//! One process holds a `World` (ECS, Application Auto Scaling, Elastic Load Balancing, ECR, STS, Certificate Manager,
//! CloudWatch, CloudWatch Logs) behind one AWS endpoint, and GitHub behind another. Tasks are real HTTP servers, listeners are real proxies. The
//! testbed imitates AWS and GitHub and knows nothing of its client.

pub mod acm;
pub mod autoscaling;
pub mod checker;
mod client;
pub mod clock;
pub mod cloudwatch;
pub mod ecr;
pub mod ecs;
pub mod elb;
pub mod faults;
pub mod github;
mod hold;
pub mod iam;
mod image;
pub mod logs;
mod network;
mod oidc;
mod port;
mod record;
pub mod sample;
mod scaled;
pub mod script;
mod server;
mod sts;
mod tasks;
mod testbed;
pub mod wire;
mod world;

pub use client::{Answer, send};
pub use faults::{Effect, Fault};
pub use hold::Hold;
pub use image::{Behavior, Crash};
pub use network::Network;
pub use oidc::Oidc;
pub use record::Call;
pub use sts::Sts;
pub use testbed::{Calls, Options, Testbed};
pub use wire::{ApiError, Request, Service};
pub use world::{Pace, Shared, World, lock};
