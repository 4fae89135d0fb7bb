//! `testbed serve`: its output, and its input lines.

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use testbed::checker::Violation;
use testbed::github::sample as github;
use testbed::iam::{self, Statement};
use testbed::sample::{self, Sample, Stack};
use testbed::script::Script;
use testbed::{Options, Pace, Testbed};

/// The answer to other words.
pub(crate) const USAGE: &str = "usage: testbed serve [--fast] [--policies DIR] | testbed demo [compare] | testbed record --cluster NAME --services BLUE,GREEN [--write]";

/// Time between two checks for new violations.
const LOOK: Duration = Duration::from_millis(50);

/// Serves until SIGINT or SIGTERM.
///
/// Words: `--fast`, without which AWS's second is a real second; `--policies DIR`, whose IAM policies limit all
/// callers.
pub(crate) fn serve(words: &[&str]) -> io::Result<()> {
    let mut words = words.iter();
    let (mut fast, mut statements) = (false, None);
    while let Some(word) = words.next() {
        match *word {
            "--fast" => fast = true,
            "--policies" => {
                let folder = words.next().ok_or_else(|| io::Error::other(USAGE))?;
                statements = Some(iam::load(Path::new(folder))?);
            }
            _ => return Err(io::Error::other(USAGE)),
        }
    }
    run(fast, statements)
}

/// Serves the sample stack at this pace, to callers with these policies.
fn run(fast: bool, statements: Option<Vec<Statement>>) -> io::Result<()> {
    let mut pace = Pace::default();
    if !fast {
        pace.second = Duration::from_secs(1);
        pace.launch = Duration::from_secs(2);
    }
    let bed = Arc::new(Testbed::start(Options { pace, port: 0 })?);
    let sample = sample::create_with(&bed, &Stack::served())?;
    bed.world(github::create);
    if let Some(statements) = statements {
        bed.world(|world| world.iam.enforce(statements));
    }
    introduce(&bed, &sample)?;
    let over = Arc::new(AtomicBool::new(false));
    let watcher = std::thread::spawn({
        let (bed, over) = (bed.clone(), over.clone());
        move || watch(&bed, &over)
    });
    // Reading a line can't be interrupted: this thread ends with the process.
    std::thread::spawn(move || obey(&bed));
    let ended = wait_for_signal();
    over.store(true, Ordering::Relaxed);
    let _ = watcher.join();
    ended
}

/// Prints the variables that point clients here, and the addresses.
fn introduce(bed: &Testbed, sample: &Sample) -> io::Result<()> {
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
    out.flush()
}

/// Prints new violations. A line is a comment for a shell that reads the variables.
fn watch(bed: &Testbed, over: &AtomicBool) {
    let mut printed = 0;
    loop {
        let last = over.load(Ordering::Relaxed);
        let found = bed.violations();
        for violation in found.iter().skip(printed) {
            print(bed, violation);
        }
        printed = found.len();
        if last {
            return;
        }
        std::thread::sleep(LOOK);
    }
}

/// Prints one broken invariant, with the last call before the observation.
fn print(bed: &Testbed, violation: &Violation) {
    let call = bed.call_named(violation.call).unwrap_or_else(|| "no call".to_owned());
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "# invariant {} broken after {call}: {}", violation.invariant, violation.text);
    let _ = out.flush();
}

/// Carries out the lines of standard input to its end.
fn obey(bed: &Testbed) {
    let mut script = Script::default();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let answer = match script.line(bed, &line) {
            Ok(()) => format!("# done: {line}"),
            Err(why) => format!("# {why}"),
        };
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{answer}");
        let _ = out.flush();
    }
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
