//! The load balancer: control plane, traffic, health.

mod certificates;
mod control;
mod quotas;
mod stack;
mod traffic;
mod watching;
