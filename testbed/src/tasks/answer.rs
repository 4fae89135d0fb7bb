//! A container's answers, by its image's behavior.

use crate::image::Behavior;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use std::convert::Infallible;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// A running container.
#[derive(Debug)]
pub(super) struct Container {
    /// The image's behavior.
    pub(super) behavior: Behavior,
    /// The task's id.
    task: String,
    /// Start of the container.
    started: Instant,
    /// Health checks so far.
    checks: AtomicU32,
    /// Requests of users so far.
    requests: AtomicU32,
}

impl Container {
    /// A container with this behavior in this task, started now.
    pub(super) fn new(behavior: Behavior, task: &str) -> Self {
        let (checks, requests) = (AtomicU32::new(0), AtomicU32::new(0));
        Self { behavior, task: task.to_owned(), started: crate::clock::now(), checks, requests }
    }

    /// True if the container is healthy, without regard to `healthy_after`.
    fn is_well(&self) -> bool {
        !self.behavior.unhealthy
            && self.behavior.sick_after.is_none_or(|time| crate::clock::now() - self.started < time)
    }

    /// The status of one health check; counts the check.
    fn check(&self) -> StatusCode {
        let before = self.checks.fetch_add(1, Ordering::Relaxed);
        status(self.is_well() && before >= self.behavior.healthy_after)
    }

    /// True if a request of a user succeeds; counts the request.
    fn serves_user(&self) -> bool {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        let turn = self.behavior.fail_every.is_some_and(|every| before % every == every - 1);
        !self.behavior.fail_users && !turn
    }

    /// Status and text for a user.
    fn user(&self, path: &str) -> (StatusCode, String) {
        let is_health = path.ends_with("/healthz") || path.ends_with("/health");
        let status = if is_health { status(self.is_well()) } else { status(self.serves_user()) };
        let version = &self.behavior.version;
        let text = match (&self.behavior.body, status == StatusCode::OK, is_health) {
            (_, false, _) => "broken".to_owned(),
            (Some(body), true, _) => body.clone(),
            (None, true, true) => format!("ok {version}"),
            (None, true, false) => version.clone(),
        };
        (status, text)
    }
}

/// 200 or 500.
fn status(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}

/// Answers one request. The load balancer's health checks are recognized by their `User-Agent`.
pub(super) async fn answer(
    container: std::sync::Arc<Container>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let behavior = &container.behavior;
    if behavior.hang {
        std::future::pending::<()>().await;
    }
    let agent = request.headers().get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (status, text) = if agent.starts_with("ELB-HealthChecker/2.0") {
        (container.check(), String::new())
    } else {
        if let Some(time) = behavior.slow {
            crate::clock::sleep(time).await;
        }
        container.user(request.uri().path())
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [("x-version", &behavior.version), ("x-task", &container.task)] {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    Ok(response)
}
