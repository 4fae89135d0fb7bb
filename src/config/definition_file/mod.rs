//! Task-definition files: JSON or YAML text, read strictly, to the content of a task definition.

mod changed;
mod json;
mod mistaken;

use std::collections::HashSet;

use serde_json::Value;

use super::document::{Format, SyntaxError, Tree, locate_node, parse_document};
use super::jargon;
use crate::plan::definition::schema::TOP;
use crate::plan::definition::{Content, missing_fields, placeholder_problems, schema_problems, shared_names};
use crate::plan::problem::Problem;

/// The content of a file. The extension of the name decides the format. Every problem begins with the name.
pub(crate) fn read_definition_file(name: &str, text: &str) -> Result<Content, Vec<Problem>> {
    let Some(format) = Format::of(name) else {
        let what = format!("`{name}` is no .json, .yml or .yaml file");
        return Err(vec![Problem::new("input task-definition", what)]);
    };
    parse_definition(text, format).map_err(|problems| in_file(name, problems))
}

/// Problems of a definition that was read from a file of this name.
pub(crate) fn in_file(name: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let named = |problem: Problem| Problem::new(format!("{name}: {}", problem.place), problem.what);
    problems.into_iter().map(named).collect()
}

/// Reads a task definition: the input of `aws ecs register-task-definition --cli-input-json`, or the output of
/// `aws ecs describe-task-definition`, whose describe-only keys are dropped. The place of a problem is a path in the
/// definition, or the line and column of a syntax error.
fn parse_definition(text: &str, format: Format) -> Result<Content, Vec<Problem>> {
    let (value, changed) = parse_value(text, format)?;
    if let Some(what) = mistaken::explain_document(&value) {
        return Err(vec![Problem::new(TOP, what)]);
    }
    let content = Content::from_described(value).map_err(|problem| vec![problem])?;
    let mut problems = beside_changes(changed, schema_problems(&content));
    problems.extend(shared_names(&content));
    problems.extend(missing_fields(&content));
    problems.extend(placeholder_problems(&content));
    if problems.is_empty() { Ok(content) } else { Err(problems) }
}

/// The problems of values that YAML changes, and all other problems: the value that was read is not the one that was
/// written, so nothing else is said of it.
fn beside_changes(changed: Vec<Problem>, others: Vec<Problem>) -> Vec<Problem> {
    let places: HashSet<String> = changed.iter().map(|problem| problem.place.clone()).collect();
    let others = others.into_iter().filter(|problem| !places.contains(&problem.place));
    changed.into_iter().chain(others).collect()
}

/// Reads a text as JSON or YAML, with the problems of values that YAML changes. A leading byte order mark is ignored.
fn parse_value(text: &str, format: Format) -> Result<(Value, Vec<Problem>), Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(syntax_problem(None, "the file is empty"));
    }
    let document = parse_document(text, format).map_err(|error| unreadable_text(text, format, &error))?;
    if let Some((steps, (index, key))) = document.first(&duplicate_key) {
        let at = match format {
            Format::Json => locate_node(text, format, &[steps, vec![index]].concat(), true),
            Format::Yaml => locate_node(text, format, &steps, false),
        };
        return Err(syntax_problem(at, &format!("the key `{key}` is given twice")));
    }
    let changed = match format {
        Format::Yaml => changed::changed_values(text, &document),
        Format::Json => Vec::new(),
    };
    match json::to_json(document, format) {
        Ok(value) => Ok((value, changed)),
        Err(problems) => Err(mistaken::explain_text(text, format).map_or_else(
            || beside_changes(changed, problems),
            |(line, what)| vec![line_problem(line, what)],
        )),
    }
}

/// The index and the text of a mapping's first key that an earlier entry has, too.
fn duplicate_key(tree: &Tree) -> Option<(usize, String)> {
    let Tree::Map(entries) = tree else { return None };
    let mut seen = HashSet::new();
    let keys = entries.iter().enumerate().filter_map(|(index, (key, _))| match key {
        Tree::Text(key) => Some((index, key)),
        Tree::Null | Tree::Bool(_) | Tree::Whole(_) | Tree::Fraction(_) => None,
        Tree::List(_) | Tree::Map(_) | Tree::Tagged(..) => None,
    });
    keys.filter(|(_, key)| !seen.insert(*key)).map(|(index, key)| (index, key.clone())).next()
}

/// A problem in a line, or in the whole text.
fn line_problem(line: Option<usize>, what: String) -> Problem {
    Problem::new(line.map_or_else(|| TOP.to_owned(), |line| format!("line {line}")), what)
}

/// A syntax error at this line and column, both counted from 1.
fn syntax_problem(at: Option<(usize, usize)>, what: &str) -> Vec<Problem> {
    let place = at.map_or_else(|| TOP.to_owned(), |(line, column)| format!("line {line}, column {column}"));
    vec![Problem::new(place, what)]
}

/// The problem of an unreadable text: the actual kind of the file, the fault in the line, or the parser's message.
fn unreadable_text(text: &str, format: Format, error: &SyntaxError) -> Vec<Problem> {
    if let Some((line, what)) = mistaken::explain_text(text, format) {
        return vec![line_problem(line, what)];
    }
    let line = error.at.and_then(|(line, _)| text.lines().nth(line.checked_sub(1)?));
    let of_line = line.and_then(|line| mistaken::explain_line(line, format));
    let plain = jargon::explain_error(format, &error.what);
    // An unknown message is `PATH: WHAT at line …, while …`. The path adds nothing to the line.
    let what = if plain == error.what { plain.split(" at line ").next().unwrap_or(plain) } else { plain };
    let what = if plain == error.what { what.rsplit(": ").next().unwrap_or(what) } else { what };
    syntax_problem(error.at, of_line.as_deref().unwrap_or(what))
}

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
