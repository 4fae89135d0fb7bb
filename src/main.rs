//! Blue/green deployments for two long-lived Amazon ECS services behind one Application Load Balancer.

mod aws;
mod clock;
mod event;
mod failure;
mod http;
mod plan;

fn main() {}
