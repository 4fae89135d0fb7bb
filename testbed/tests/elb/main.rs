//! The load balancer: control plane, traffic, health.

mod control;
mod stack;
mod traffic;
mod watching;
