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

/// The entry that this process was started as, guarded against everything that ends it without a word.
fn main() -> ExitCode {
    commands::note_panics();
    let env = Environment::of_process();
    let mut runtime = None;
    let code = commands::guarded(&env, || {
        let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let built = built.map_err(|why| format!("The run could not begin: {why}."))?;
        runtime.insert(built).block_on(step(&env))
    });
    // Dropping a runtime waits for blocked name look-ups; a cancelled run has no time for that.
    if let Some(runtime) = runtime {
        runtime.shutdown_background();
    }
    code
}

/// Signals first; then the step.
async fn step(env: &Environment) -> Result<ExitCode, String> {
    let signals = Signals::listen().map_err(|why| format!("The run could not listen to signals: {why}."))?;
    Ok(match env.entry() {
        Entry::Main => commands::main_step(env, signals).await,
        Entry::Post => commands::post_step(env, signals).await,
    })
}
