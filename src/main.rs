//! The run of this process: its environment, the clock of the machine, and standard output.

use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use ecs_blue_green::{Environment, Machine, MachineClock, Means, Signals, note_panics, run_guarded, step};

/// Runs the entry that this process was started as. A guard reports every crash.
fn main() -> ExitCode {
    note_panics();
    let environment = Environment::of_process();
    let log = Arc::new(Mutex::new(io::stdout()));
    let machine = Machine { environment, clock: Arc::new(MachineClock), log, aws: Means::default() };
    let mut runtime = None;
    let code = run_guarded(&machine.environment, || {
        let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let built = built.map_err(|why| format!("The run could not begin: {why}."))?;
        runtime.insert(built).block_on(run(&machine))
    });
    // Dropping a runtime waits for blocked DNS queries; a cancelled run has no time for that.
    if let Some(runtime) = runtime {
        runtime.shutdown_background();
    }
    code
}

/// Listens to signals first, then runs the step.
async fn run(machine: &Machine) -> Result<ExitCode, String> {
    let signals = Signals::listen().map_err(|why| format!("The run could not listen to signals: {why}."))?;
    Ok(step(machine, signals).await)
}
