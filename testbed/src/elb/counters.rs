//! The data plane's counts per load balancer and target group.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Elb, State};

/// Running totals, written by the proxies.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Requests for which a target was chosen (`RequestCount`).
    pub(super) requests: AtomicU64,
    /// Answers of targets with a status from 200 to 299 (`HTTPCode_Target_2XX_Count`).
    pub(super) target_2xx: AtomicU64,
    /// Answers of targets with a status from 300 to 399 (`HTTPCode_Target_3XX_Count`).
    pub(super) target_3xx: AtomicU64,
    /// Answers of targets with a status from 400 to 499 (`HTTPCode_Target_4XX_Count`).
    pub(super) target_4xx: AtomicU64,
    /// Answers of targets with a status of 500 or more (`HTTPCode_Target_5XX_Count`).
    pub(super) target_5xx: AtomicU64,
    /// Connections to targets that failed (`TargetConnectionErrorCount`).
    pub(super) connection_errors: AtomicU64,
    /// Requests routed although too few targets were healthy (`UnhealthyRoutingRequestCount`).
    pub(super) unhealthy_routing: AtomicU64,
    /// Requests that the load balancer answered with 503, because the group had no target.
    pub(super) unavailable: AtomicU64,
    /// Requests that the load balancer answered with 502 or 504, because the chosen target failed.
    pub(super) bad_gateway: AtomicU64,
    /// Time of each answer of a target since the last reading (`TargetResponseTime`).
    times: Mutex<Vec<Duration>>,
}

/// The totals at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests for which a target was chosen (`RequestCount`; excludes 503s).
    pub requests: u64,
    /// Answers of targets with a status from 200 to 299 (`HTTPCode_Target_2XX_Count`).
    pub target_2xx: u64,
    /// Answers of targets with a status from 300 to 399 (`HTTPCode_Target_3XX_Count`).
    pub target_3xx: u64,
    /// Answers of targets with a status from 400 to 499 (`HTTPCode_Target_4XX_Count`).
    pub target_4xx: u64,
    /// Answers of targets with a status of 500 or more (`HTTPCode_Target_5XX_Count`).
    pub target_5xx: u64,
    /// Connections to targets that failed (`TargetConnectionErrorCount`).
    pub connection_errors: u64,
    /// Requests routed although too few targets were healthy (`UnhealthyRoutingRequestCount`).
    pub unhealthy_routing: u64,
    /// Requests that the load balancer answered with 503, because the group had no target.
    pub unavailable: u64,
    /// Requests that the load balancer answered with 502 or 504, because the chosen target failed.
    pub bad_gateway: u64,
}

/// The relation between a load balancer and a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traffic {
    /// The load balancer's ARN.
    pub balancer: String,
    /// The target group's ARN.
    pub group: String,
    /// The data plane's counts so far.
    pub counts: Counts,
    /// True if a rule of the load balancer uses the group now.
    pub in_use: bool,
    /// Healthy targets of the group.
    pub healthy: usize,
    /// Unhealthy targets of the group.
    pub unhealthy: usize,
}

impl Elb {
    /// The response times since the last call, for one reader: CloudWatch.
    pub(crate) fn take_times(&self) -> Vec<ResponseTimes> {
        let of_group = |group: &super::model::TargetGroup| {
            let taken = group.counters.iter().map(|(balancer, counters)| ResponseTimes {
                balancer: balancer.clone(),
                group: group.arn.clone(),
                times: std::mem::take(&mut *counters.times.lock().unwrap_or_else(PoisonError::into_inner)),
            });
            taken.filter(|taken| !taken.times.is_empty()).collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(of_group).collect()
    }

    /// The traffic of every pair of application load balancer and target group so far.
    pub fn traffic(&self) -> Vec<Traffic> {
        let mut all = Vec::new();
        for group in &self.groups {
            let user = self.load_balancer_of(&group.arn);
            let known = group.counters.iter().filter(|(balancer, _)| balancer.contains(":loadbalancer/app/"));
            all.extend(known.map(|(balancer, counters)| Traffic {
                balancer: balancer.clone(),
                group: group.arn.clone(),
                counts: counters.read(),
                in_use: user.as_ref() == Some(balancer),
                healthy: self.count(&group.arn, State::Healthy),
                unhealthy: self.count(&group.arn, State::Unhealthy),
            }));
        }
        all
    }
}

/// The response times of a target group behind a load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResponseTimes {
    /// The load balancer's ARN.
    pub(crate) balancer: String,
    /// The target group's ARN.
    pub(crate) group: String,
    /// The times.
    pub(crate) times: Vec<Duration>,
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// Notes the time of a target's answer.
    pub(super) fn took(&self, time: Duration) {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).push(time);
    }

    /// Counts the status of a target's answer.
    pub(super) fn answered(&self, status: u16) {
        match status {
            200..=299 => count(&self.target_2xx),
            300..=399 => count(&self.target_3xx),
            400..=499 => count(&self.target_4xx),
            500.. => count(&self.target_5xx),
            _ => {}
        }
    }

    /// The totals now.
    pub(super) fn read(&self) -> Counts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            requests: get(&self.requests),
            target_2xx: get(&self.target_2xx),
            target_3xx: get(&self.target_3xx),
            target_4xx: get(&self.target_4xx),
            target_5xx: get(&self.target_5xx),
            connection_errors: get(&self.connection_errors),
            unhealthy_routing: get(&self.unhealthy_routing),
            unavailable: get(&self.unavailable),
            bad_gateway: get(&self.bad_gateway),
        }
    }
}
