//! Calls that wait until a test releases them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A gate in front of calls; clones are the same gate. A fault holds each call at the gate until the test lets that
/// call pass, or opens the gate for good. A held call is carried out even if its caller has left meanwhile, as on AWS.
#[derive(Debug, Clone)]
pub struct Hold(Arc<Gate>);

/// The gate itself.
#[derive(Debug)]
struct Gate {
    /// A permit for each call that may pass; closed once all calls may.
    passes: Semaphore,
    /// Number of waiting calls.
    waiting: AtomicUsize,
    /// Number of calls so far.
    arrived: AtomicU32,
}

/// Counts a call as waiting while the call waits.
struct Waiting<'a>(&'a Gate);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Default for Hold {
    fn default() -> Self {
        Self::new()
    }
}

impl Hold {
    /// A closed gate.
    pub fn new() -> Self {
        let gate =
            Gate { passes: Semaphore::new(0), waiting: AtomicUsize::new(0), arrived: AtomicU32::new(0) };
        Self(Arc::new(gate))
    }

    /// Number of calls held now.
    pub fn held(&self) -> usize {
        self.0.waiting.load(Ordering::SeqCst)
    }

    /// Number of calls at the gate so far, held or not.
    pub fn arrived(&self) -> u32 {
        self.0.arrived.load(Ordering::SeqCst)
    }

    /// Waits until at least one call is held; false after the time-out.
    pub fn wait_held(&self, timeout: Duration) -> bool {
        let end = crate::clock::now() + timeout;
        while self.held() == 0 {
            if crate::clock::now() >= end {
                return false;
            }
            crate::clock::pause(Duration::from_millis(2));
        }
        true
    }

    /// Lets one call pass: the first held call, or the next to arrive.
    pub fn pass(&self) {
        self.0.passes.add_permits(1);
    }

    /// Opens the gate for good: all held calls continue, and later calls are not held.
    pub fn release(&self) {
        self.0.passes.close();
    }

    /// Waits at the gate. An error of the semaphore means that the gate is open.
    pub(crate) async fn wait(&self) {
        self.0.arrived.fetch_add(1, Ordering::SeqCst);
        self.0.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.0);
        if let Ok(permit) = self.0.passes.acquire().await {
            permit.forget();
        }
    }
}
