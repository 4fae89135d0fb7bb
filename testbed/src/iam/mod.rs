//! Identity and Access Management: the calls that a caller's policies allow, and their simulation. Without policies, any
//! caller may make any call.

mod needs;
mod simulate;
mod statement;
#[cfg(test)]
mod tests;

pub use needs::{LINKED, Need, Place, first_use, known, needs};
pub use simulate::call;
pub use statement::{Statement, texts};

use crate::faults::denial;
use crate::wire::{ApiError, Request};
use serde_json::Value;
use std::fs;
use std::io;
use std::path::Path;

/// The policies of all callers.
#[derive(Debug, Default)]
pub struct Iam {
    /// All statements; `None` if no policies are enforced.
    statements: Option<Vec<Statement>>,
}

impl Iam {
    /// From now on, callers may only make calls that one of these statements allows.
    pub fn enforce(&mut self, statements: Vec<Statement>) {
        self.statements = Some(statements);
    }

    /// From now on, any caller may make any call.
    pub fn allow_everything(&mut self) {
        self.statements = None;
    }

    /// The refusal of a call, in AWS's words for the first need without an allowing statement.
    pub(crate) fn refuse(&self, request: &Request, place: &Place) -> Option<ApiError> {
        let statements = self.statements.as_ref()?;
        let action = format!("{}:{}", request.service.prefix(), request.operation);
        let needs = needs(&action, &request.input, place);
        let denied =
            needs.into_iter().find(|need| !statements.iter().any(|statement| statement.allows(need)))?;
        Some(denial(request.service, &place.account, &denied.action, Some(&denied.resource)))
    }
}

/// The statements of all policy files (`*.json`) in a folder.
///
/// # Errors If a file cannot be read, is no policy, has an element that the testbed does not evaluate, or if there is
/// no file.
pub fn load(folder: &Path) -> io::Result<Vec<Statement>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| named(folder, error))? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == "json") {
            let text = fs::read_to_string(&file).map_err(|error| named(&file, error))?;
            all.extend(parse(&text).map_err(|error| named(&file, error))?);
        }
    }
    if all.is_empty() { Err(named(folder, "no policy (*.json) in this folder")) } else { Ok(all) }
}

/// An error with its path.
fn named(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

/// The statements of one policy document.
fn parse(text: &str) -> Result<Vec<Statement>, String> {
    let policy: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match &policy["Statement"] {
        Value::Array(list) => list.iter().map(Statement::read).collect(),
        one @ Value::Object(_) => Ok(vec![Statement::read(one)?]),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err("a policy needs a Statement".to_owned())
        }
    }
}
