//! ECS as its callers see it: deployments that roll, fail and go back.

mod bed;
mod breaker;
mod deployments;
mod ec2;
mod refusals;
mod registry;
mod tasks;
