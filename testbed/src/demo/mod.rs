//! `testbed demo`: users send requests without end while the real action reads, deploys, undoes a broken deploy, moves
//! users, and promotes.
//!
//! The exit code is 0 only if no request failed that a good version should have answered, and every expectation was
//! met.

mod action;
mod build;
mod checks;
mod compare;
mod promote;
mod render;
mod screen;
mod stage;
mod story;
mod tally;
#[cfg(test)]
mod tests;
mod traffic;
mod users;

use screen::Screen;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// A chapter of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chapter {
    /// A whole release, with a broken version and an alarm.
    Release,
    /// A version that fails few requests, found by the comparison of the colors.
    Compare,
}

/// Runs a chapter to its verdict; a signal ends the demo at once.
///
/// # Errors If the stage can't be set up: no runtime, no build, no ports, no folder.
pub(crate) fn run(chapter: Chapter) -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let screen = Arc::new(Screen::of_process());
    let code = runtime.block_on(async {
        tokio::select! {
            code = story::tell(&screen, chapter) => code,
            code = signaled() => code,
        }
    });
    screen.clear();
    // The remaining tasks, such as the testbed's servers, end with the process.
    runtime.shutdown_background();
    code
}

/// Waits for SIGINT or SIGTERM; returns a shell's exit code for the signal.
async fn signaled() -> io::Result<ExitCode> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => Ok(ExitCode::from(130)),
        _ = terminate.recv() => Ok(ExitCode::from(143)),
    }
}
