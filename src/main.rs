//! Blue/green deployments for two long-lived Amazon ECS services behind one Application Load Balancer.

mod clock;
mod event;
mod failure;
mod plan;
mod report;

fn main() {}
