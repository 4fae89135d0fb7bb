//! Health checks: real requests to the targets, and the resulting states.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::Request;
use hyper_util::rt::TokioIo;

use super::model::{HealthCheck, TargetGroup};
use super::targets::Registered;
use super::{Elb, State, TargetState};
use crate::clock;
use crate::port;
use crate::world::Pace;

/// Shortest time that a target has to answer, at any pace of the world: its machine is real.
const LEAST_TIMEOUT: Duration = Duration::from_millis(500);

/// Results that are not applied yet.
pub(super) type Inbox = Vec<(u64, Outcome)>;

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The target answered with this status.
    Status(u16),
    /// The target accepted a connection; TCP checks need no more.
    Connected,
    /// The target did not answer in time.
    TimedOut,
    /// The target refused the connection, or gave an invalid answer.
    Failed,
}

/// Applies the results since the last call.
pub(super) fn take_results(elb: &mut Elb, now: Instant) {
    let results = std::mem::take(&mut *elb.inbox.lock().unwrap_or_else(PoisonError::into_inner));
    for (registration, outcome) in results {
        for group in &mut elb.groups {
            let TargetGroup { targets, health, .. } = group;
            let Some(entry) = targets.iter_mut().find(|entry| entry.registration == registration) else {
                continue;
            };
            entry.checking = false;
            // The interval counts from the start of the check, but a slow target is not checked again at once.
            entry.next_check = entry.next_check.max(now);
            elb.stale |= judge(entry, health, outcome);
        }
    }
}

/// Counts one result. A new target is healthy after one passed check, an unhealthy one after the healthy threshold;
/// both become unhealthy after the unhealthy threshold. Returns true if the state changed.
fn judge(entry: &mut Registered, check: &HealthCheck, outcome: Outcome) -> bool {
    let before = entry.health.clone();
    let failure = match outcome {
        Outcome::Connected => None,
        Outcome::Status(status) if check.matcher.as_ref().is_none_or(|matcher| matcher.accepts(status)) => {
            None
        }
        Outcome::Status(status) => Some(TargetState::wrong_code(status)),
        Outcome::TimedOut => Some(TargetState::timed_out()),
        Outcome::Failed => Some(TargetState::unreachable()),
    };
    (entry.passed, entry.failed) =
        if failure.is_some() { (0, entry.failed + 1) } else { (entry.passed + 1, 0) };
    match (entry.health.state, failure) {
        (State::Initial, None) => entry.health = TargetState::healthy(),
        (State::Unhealthy, None) if entry.passed >= check.healthy => entry.health = TargetState::healthy(),
        (State::Initial | State::Healthy, Some(why)) if entry.failed >= check.unhealthy => entry.health = why,
        (State::Unhealthy, Some(why)) => entry.health = why,
        (State::Initial, Some(_)) => entry.health = TargetState::first_checks(),
        (
            State::Healthy
            | State::Unhealthy
            | State::Draining
            | State::UnhealthyDraining
            | State::Unused
            | State::Unavailable,
            _,
        ) => {}
    }
    before != entry.health
}

/// Starts the checks that are due.
pub(super) fn start_due(elb: &mut Elb, pace: &Pace, now: Instant) {
    let inbox = Arc::clone(&elb.inbox);
    let runtime = &elb.runtime;
    for TargetGroup { targets, health, .. } in &mut elb.groups {
        for entry in targets {
            let checked = matches!(entry.health.state, State::Initial | State::Healthy | State::Unhealthy);
            if !checked || entry.checking || entry.next_check > now {
                continue;
            }
            if entry.health.state == State::Initial {
                entry.health = TargetState::first_checks();
            }
            entry.checking = true;
            entry.next_check = now + pace.seconds(health.interval.into());
            let timeout = pace.seconds(health.timeout.into()).max(LEAST_TIMEOUT);
            runtime.spawn(run(Arc::clone(&inbox), entry.registration, Probe::new(entry, health), timeout));
        }
    }
}

/// A check to run.
struct Probe {
    /// The address.
    address: SocketAddr,
    /// The request's `Host`.
    host: String,
    /// The path; none: only connect.
    path: Option<String>,
}

impl Probe {
    /// The check of a target. A separate health check port is a port of the same machine.
    fn new(entry: &Registered, check: &HealthCheck) -> Self {
        let mut address = entry.target.address;
        match check.port.parse() {
            Ok(port) if port != entry.target.port => address.set_port(port),
            Ok(_) | Err(_) => {}
        }
        Self { address, host: format!("{}:{}", entry.target.id, entry.target.port), path: check.path.clone() }
    }
}

/// Runs one check and puts the result into the inbox.
async fn run(inbox: Arc<Mutex<Inbox>>, registration: u64, probe: Probe, timeout: Duration) {
    let outcome = clock::within(timeout, ask(probe)).await.unwrap_or(Outcome::TimedOut);
    inbox.lock().unwrap_or_else(PoisonError::into_inner).push((registration, outcome));
}

/// Sends a request to a target, on a separate connection like AWS.
async fn ask(probe: Probe) -> Outcome {
    let Ok(stream) = port::connect(probe.address).await else { return Outcome::Failed };
    let Some(path) = probe.path else { return Outcome::Connected };
    let Ok((mut sender, connection)) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await
    else {
        return Outcome::Failed;
    };
    let request = Request::get(path)
        .header("host", probe.host)
        .header("user-agent", "ELB-HealthChecker/2.0")
        .header("accept-encoding", "gzip, compressed")
        .header("connection", "close")
        .body(Empty::<Bytes>::new());
    let Ok(request) = request else { return Outcome::Failed };
    let driver = tokio::spawn(connection);
    let outcome = match sender.send_request(request).await {
        Ok(response) => Outcome::Status(response.status().as_u16()),
        Err(_) => Outcome::Failed,
    };
    driver.abort();
    outcome
}
