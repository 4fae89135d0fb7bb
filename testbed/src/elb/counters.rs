//! What the data plane counts per load balancer and target group.

use std::sync::atomic::{AtomicU64, Ordering};

/// Running totals, written by the proxies.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Requests for which a target was chosen (`RequestCount`).
    pub(super) requests: AtomicU64,
    /// Answers of targets with a status of 500 or more (`HTTPCode_Target_5XX_Count`).
    pub(super) target_5xx: AtomicU64,
    /// Connections to targets that failed (`TargetConnectionErrorCount`).
    pub(super) connection_errors: AtomicU64,
    /// Requests routed although too few targets were healthy (`UnhealthyRoutingRequestCount`).
    pub(super) unhealthy_routing: AtomicU64,
    /// Requests that the load balancer answered with 503, because the group had nobody to send them to.
    pub(super) unavailable: AtomicU64,
    /// Requests that the load balancer answered with 502 or 504, because the chosen target failed.
    pub(super) bad_gateway: AtomicU64,
}

/// The totals at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests for which a target was chosen (`RequestCount`; excludes 503s).
    pub requests: u64,
    /// Answers of targets with a status of 500 or more (`HTTPCode_Target_5XX_Count`).
    pub target_5xx: u64,
    /// Connections to targets that failed (`TargetConnectionErrorCount`).
    pub connection_errors: u64,
    /// Requests routed although too few targets were healthy (`UnhealthyRoutingRequestCount`).
    pub unhealthy_routing: u64,
    /// Requests that the load balancer answered with 503, because the group had nobody to send them to.
    pub unavailable: u64,
    /// Requests that the load balancer answered with 502 or 504, because the chosen target failed.
    pub bad_gateway: u64,
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// The totals now.
    pub(super) fn read(&self) -> Counts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            requests: get(&self.requests),
            target_5xx: get(&self.target_5xx),
            connection_errors: get(&self.connection_errors),
            unhealthy_routing: get(&self.unhealthy_routing),
            unavailable: get(&self.unavailable),
            bad_gateway: get(&self.bad_gateway),
        }
    }
}
