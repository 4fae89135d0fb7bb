//! - `testbed serve [--fast] [--policies DIR]`: the sample stack and a repository on loopback ports, and the variables
//!   that point clients of AWS and GitHub there. Prints broken invariants, and reads faults from standard input.
//! - `testbed demo [compare]`: the action at work on this stack, under load; `compare` is the chapter about a version that
//!   fails few requests.
//! - `testbed record`: the testbed's answers next to those of AWS in the user's own account.

mod demo;
mod serve;
mod truth;

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve", words @ ..] => serve::serve(words).map(|()| ExitCode::SUCCESS),
        ["demo"] => demo::run(demo::Chapter::Release),
        ["demo", "compare"] => demo::run(demo::Chapter::Compare),
        ["record", words @ ..] => truth::run(words),
        _ => Err(io::Error::other(serve::USAGE)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "testbed: {error}");
            ExitCode::FAILURE
        }
    }
}
