//! Limits that a service's own settings put on a deployment.

use crate::plan::snapshot::{Breaker, Service, Threshold};

/// Failed tasks at which the circuit breaker trips (or would trip): by default half the desired count, at least 3, at
/// most 200. Source: Amazon ECS, "How the deployment circuit breaker detects failures".
pub(crate) fn breaker_threshold(service: &Service, desired: u32) -> u32 {
    let percent = |percent: u32| (desired.saturating_mul(percent)).div_ceil(100);
    match service.setup.breaker.and_then(|breaker: Breaker| breaker.threshold) {
        Some(Threshold::Count(count)) => count.max(1),
        Some(Threshold::UnboundedPercent(share)) => percent(share).max(1),
        Some(Threshold::BoundedPercent(share)) => percent(share).clamp(3, 200),
        None => percent(50).clamp(3, 200),
    }
}

/// True if a rolling update can proceed at all: one task may start above the desired count, or stop below that count.
/// Source: API_DeploymentConfiguration: the maximum rounds down, the minimum up.
pub(crate) fn has_room(desired: u32, minimum_percent: u32, maximum_percent: u32) -> bool {
    let upper = desired.saturating_mul(maximum_percent) / 100;
    let lower = desired.saturating_mul(minimum_percent).div_ceil(100);
    desired == 0 || upper > desired || lower < desired
}
