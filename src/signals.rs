//! SIGINT and SIGTERM. PID 1 ignores a signal without a handler, so both get a handler before anything else.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::clock;

/// Listens from its creation on.
#[derive(Clone, Debug)]
pub struct Signals {
    /// The first signal's name, once a signal arrived.
    first: watch::Receiver<Option<&'static str>>,
}

impl Signals {
    /// Installs the handlers. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// If the system refuses the handlers.
    pub fn listen() -> io::Result<Self> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let (tell, first) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let name = tokio::select! {
                    _ = interrupt.recv() => "SIGINT",
                    _ = terminate.recv() => "SIGTERM",
                };
                tell.send_if_modified(|told| {
                    let new = told.is_none();
                    *told = told.or(Some(name));
                    new
                });
            }
        });
        Ok(Signals { first })
    }

    /// The first signal as someone else tells it.
    pub fn told(first: watch::Receiver<Option<&'static str>>) -> Self {
        Signals { first }
    }

    /// The signal that arrived, if any.
    pub(crate) fn came(&self) -> Option<&'static str> {
        *self.first.borrow()
    }

    /// Resolves after a signal; at once if a signal already arrived.
    pub(crate) async fn wait(&self) -> &'static str {
        let mut first = self.first.clone();
        loop {
            if let Some(name) = *first.borrow_and_update() {
                return name;
            }
            if first.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Resolves this long after a signal.
    pub(crate) async fn wait_and(&self, longer: Duration) {
        self.wait().await;
        clock::sleep(longer).await;
    }
}
