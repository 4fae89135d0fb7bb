//! `testbed serve [--fast]`: the sample stack and a repository on loopback ports, and the variables that point clients
//! of AWS and GitHub at them.
//! `testbed demo`: the action at work on it, under load.

mod demo;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;
use testbed::github::sample as github;
use testbed::{Options, Pace, Testbed, sample};

/// What the user reads who asks for something else.
const USAGE: &str = "usage: testbed serve [--fast] | testbed demo";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve"] => serve(false).map(|()| ExitCode::SUCCESS),
        ["serve", "--fast"] => serve(true).map(|()| ExitCode::SUCCESS),
        ["demo"] => demo::run(),
        _ => Err(io::Error::other(USAGE)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "testbed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until SIGINT or SIGTERM. A second of AWS's is a true one, unless fast.
fn serve(fast: bool) -> io::Result<()> {
    let mut pace = Pace::default();
    if !fast {
        pace.second = Duration::from_secs(1);
        pace.launch = Duration::from_secs(2);
    }
    let bed = Testbed::start(Options { pace, port: 0 })?;
    let sample = sample::create(&bed)?;
    bed.world(github::create);
    let mut out = io::stdout().lock();
    for (name, value) in [bed.client_env(), bed.github_env(), bed.oidc_env()].concat() {
        writeln!(out, "export {name}={value}")?;
    }
    for (name, value) in github::env() {
        writeln!(out, "export {name}={value}")?;
    }
    writeln!(out, "# production http://127.0.0.1:{}/", sample.production_port)?;
    writeln!(out, "# green      http://127.0.0.1:{}/", sample.green_port)?;
    writeln!(out, "# blue       http://127.0.0.1:{}/", sample.blue_port)?;
    writeln!(out, "# develop    http://127.0.0.1:{}/", sample.dev_port)?;
    writeln!(out, "# images     {}:{{{}}}", sample.repository, sample::IMAGES.join(","))?;
    out.flush()?;
    drop(out);
    wait_for_signal()
}

/// Waits for SIGINT or SIGTERM.
fn wait_for_signal() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    })
}
