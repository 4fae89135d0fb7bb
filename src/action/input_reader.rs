//! The edge between the runner's text and the action's types: reads inputs one by one and collects all problems.

use std::fmt;
use std::io;
use std::path::Path;

use super::env::{Environment, PREFIX};
use super::identity::GivenArn;
use super::inputs::{self, CommandName};
use super::other_tools;
use crate::config::reader::{Node, Reader};
use crate::plan::problem::Problem;

/// Reads a file as text. Provided by the caller, so this layer does no I/O.
pub(crate) type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// A note that does not stop the run, in the form of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputWarning(pub(crate) Problem);

impl fmt::Display for InputWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The inputs being read.
pub(crate) struct InputReader<'a> {
    /// Source of inputs and variables.
    pub(crate) env: &'a Environment,
    /// The command, which decides the defaults.
    pub(crate) command: CommandName,
    /// Source of files.
    pub(crate) read_file: ReadFile<'a>,
    /// Problems so far.
    pub(crate) problems: Vec<Problem>,
    /// Warnings so far.
    pub(crate) warnings: Vec<InputWarning>,
    /// ARNs so far: all must belong to one place.
    pub(crate) arns: Vec<GivenArn>,
}

impl<'a> InputReader<'a> {
    /// Checks the names of all inputs first: unknown inputs, non-text values, and missing inputs.
    pub(crate) fn new(env: &'a Environment, read_file: ReadFile<'a>) -> Self {
        let command = CommandName::meant(env);
        let (mut problems, strange) = inputs::unknown_inputs(env, command);
        for variable in env.undecodable_inputs() {
            let name = variable.trim_start_matches(PREFIX).to_lowercase();
            problems.push(Problem::new(format!("input {name}"), "is not UTF-8 text"));
        }
        problems.extend(inputs::missing_inputs(env, command));
        let warnings = strange.into_iter().map(InputWarning).collect();
        InputReader { env, command, read_file, problems, warnings, arns: Vec::new() }
    }

    /// Warns about inputs with an unused value.
    pub(crate) fn warn_unused(&mut self, command: CommandName) {
        self.warnings.extend(inputs::unused_inputs(self.env, command).into_iter().map(InputWarning));
    }

    /// Notes a problem with an input.
    pub(crate) fn problem(&mut self, input: &str, what: impl Into<String>) {
        self.problems.push(Problem::new(format!("input {input}"), what));
    }

    /// Notes a value that may be an ARN.
    pub(crate) fn note_arn(&mut self, place: impl Into<String>, value: &str) {
        self.arns.extend(GivenArn::read(place, value));
    }

    /// Notes a warning about an input.
    pub(crate) fn warning(&mut self, input: &str, what: impl Into<String>) {
        self.warnings.push(InputWarning(Problem::new(format!("input {input}"), what)));
    }

    /// An input's value or default, if any.
    pub(crate) fn value(&self, input: &str) -> Option<&'a str> {
        self.named_value(input).map(|(_, value)| value)
    }

    /// An input's value or default, with its written name. Another tool's name wins over the default, because the
    /// runner passes the default like a written value.
    fn named_value(&self, input: &str) -> Option<(String, &'a str)> {
        let default = inputs::default_value(input, self.command);
        let own = |value: &'a str| (input.to_owned(), value);
        let written = self.env.input(input);
        let other = || other_tools::aliased_value(self.env, input);
        let default_value = || written.or(Some(default).filter(|default| !default.is_empty())).map(own);
        written.filter(|value| *value != default).map(own).or_else(other).or_else(default_value)
    }

    /// An input as a type. None if unset or wrong; a wrong value is noted.
    pub(crate) fn parsed<T>(
        &mut self,
        input: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let (name, value) = self.named_value(input)?;
        parse(value).map_err(|what| self.problem(&name, what)).ok()
    }

    /// An input with YAML. None if unset, or no YAML, which is noted.
    pub(crate) fn yaml<T>(
        &mut self,
        input: &str,
        read: impl FnOnce(&mut Reader<'_>, &Node) -> T,
    ) -> Option<T> {
        let text = self.env.raw_input(input)?;
        let place = format!("input {input}");
        let (mut reader, root) = Reader::open(&place, text);
        let found = root.map(|root| read(&mut reader, &root));
        self.problems.extend(reader.into_problems());
        found
    }

    /// An input with a list: YAML if the text begins like YAML, or else items between commas or line ends. None if
    /// unset; wrong items are noted and left out.
    pub(crate) fn list<T>(
        &mut self,
        input: &str,
        node: impl Fn(&mut Reader<'_>, &Node) -> Option<T>,
        word: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let text = self.value(input)?;
        if text.starts_with(['[', '{']) || text == "-" || text.starts_with("- ") {
            return self.yaml(input, |reader, root| {
                reader.list(root).iter().filter_map(|item| node(reader, item)).collect()
            });
        }
        let words = text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty());
        let mut found = Vec::new();
        for text in words {
            match word(text) {
                Ok(item) => found.push(item),
                Err(what) => self.problem(input, what),
            }
        }
        Some(found)
    }
}
