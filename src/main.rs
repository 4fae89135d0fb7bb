//! Blue/green deployments for two long-lived Amazon ECS services behind one Application Load Balancer.

mod action;
mod clock;
mod config;
mod event;
mod failure;
mod plan;

fn main() {}
