//! Blue/green deployments for two long-lived Amazon ECS services behind one Application Load Balancer.

mod action;
mod aws;
mod clock;
mod commands;
mod config;
mod event;
mod failure;
mod feedback;
mod github;
mod http;
mod id_token;
mod plan;
mod report;
mod reporter;
mod signals;

use std::process::ExitCode;

use action::env::{Entry, Environment};
use signals::Signals;

/// Signals first; then the entry that this process was started as.
fn main() -> ExitCode {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return ExitCode::FAILURE;
    };
    let code = runtime.block_on(async {
        let Ok(signals) = Signals::listen() else { return ExitCode::FAILURE };
        let env = Environment::of_process();
        match env.entry() {
            Entry::Main => commands::main_step(&env, signals).await,
            Entry::Post => commands::post_step(&env, signals).await,
        }
    });
    // Dropping a runtime waits for blocked name look-ups; a cancelled run has no time for that.
    runtime.shutdown_background();
    code
}
