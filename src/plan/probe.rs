//! Judges the answer to a probe.

use super::step::{ProbeFailure, ProbeFailureKind};
use super::wanted::Probe;

/// Compares an answer with the probe's expectation.
pub(crate) fn judge_answer(probe: &Probe, url: &str, status: u16, body: &str) -> Result<(), ProbeFailure> {
    let failure = |kind| Err(ProbeFailure { url: url.to_owned(), kind });
    if status != probe.status {
        return failure(ProbeFailureKind::Status { found: status, wanted: probe.status });
    }
    match &probe.contains {
        Some(wanted) if !body.contains(wanted.as_str()) => {
            failure(ProbeFailureKind::Body { wanted: wanted.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A probe of `/healthz` for 200 with `ok` in the body.
    fn probe() -> Probe {
        Probe { path: "/healthz".to_owned(), status: 200, contains: Some("ok".to_owned()) }
    }

    #[test]
    fn status_and_body_both_count_and_status_is_told_first() {
        let judged = |status, body| {
            judge_answer(&probe(), "http://x/healthz", status, body).map_err(|failure| failure.kind)
        };
        assert_eq!(judged(200, "all ok"), Ok(()));
        assert_eq!(judged(500, "all ok"), Err(ProbeFailureKind::Status { found: 500, wanted: 200 }));
        assert_eq!(judged(500, ""), Err(ProbeFailureKind::Status { found: 500, wanted: 200 }));
        assert_eq!(judged(200, "no"), Err(ProbeFailureKind::Body { wanted: "ok".to_owned() }));
    }
}
