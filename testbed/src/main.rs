//! `testbed serve [--fast]`: the sample stack and a repository on loopback ports, and the variables that point clients
//! of AWS and GitHub at them. It prints the invariants that break, and reads faults from standard input.
//! `testbed demo`: the action at work on it, under load.

mod demo;
mod serve;

use std::io::{self, Write};
use std::process::ExitCode;

/// What the user reads who asks for something else.
const USAGE: &str = "usage: testbed serve [--fast] | testbed demo";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve"] => serve::serve(false).map(|()| ExitCode::SUCCESS),
        ["serve", "--fast"] => serve::serve(true).map(|()| ExitCode::SUCCESS),
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
