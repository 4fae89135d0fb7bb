//! Everything outside of the process: AWS and the test listeners. Commands wait for these only here, and a signal ends
//! every such wait (invariant 41).

use std::time::Duration;

use crate::aws::{Access, Aws};
use crate::signals::Signals;

/// The result of interruptible work.
pub(crate) enum Interrupted<T> {
    /// The work finished.
    No(T),
    /// A signal came first.
    Yes,
}

/// The client of AWS, lent only to work that a signal can end.
pub(crate) struct Outside {
    /// AWS.
    aws: Aws,
    /// The signals.
    signals: Signals,
}

impl Outside {
    /// Creates the clients of AWS, which may read configuration files.
    pub(crate) async fn reach(access: &Access, signals: Signals) -> Interrupted<Outside> {
        match run_unless(signals.wait(), Aws::new(access)).await {
            Interrupted::No(aws) => Interrupted::No(Outside { aws, signals }),
            Interrupted::Yes => Interrupted::Yes,
        }
    }

    /// Number of calls to AWS so far, with every attempt.
    pub(crate) fn calls(&self) -> u32 {
        self.aws.calls()
    }

    /// Reads AWS until a signal comes.
    pub(crate) async fn read<T>(&self, work: impl AsyncFnOnce(&Aws) -> T) -> Interrupted<T> {
        run_unless(self.signals.wait(), work(&self.aws)).await
    }

    /// Runs work that continues for up to `longer` after a signal.
    pub(crate) async fn finish<T>(
        &self,
        longer: Duration,
        work: impl AsyncFnOnce(&Aws) -> T,
    ) -> Interrupted<T> {
        run_unless(self.signals.wait_and(longer), work(&self.aws)).await
    }
}

/// The work's result, unless `end` comes first.
pub(crate) async fn run_unless<T>(end: impl Future, work: impl Future<Output = T>) -> Interrupted<T> {
    tokio::select! {
        biased;
        _ = end => Interrupted::Yes,
        done = work => Interrupted::No(done),
    }
}
