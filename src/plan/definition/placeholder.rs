//! Placeholders that a template or an example left in a task definition: `<IMAGE1_NAME>`, `${TAG}`, `{{ image }}`.

use serde_json::{Map, Value};

use super::content::Content;
use crate::plan::problem::Problem;

/// The start and end marks of templates.
const MARKS: [(&str, &str); 5] = [("{{", "}}"), ("{%", "%}"), ("<%", "%>"), ("${", "}"), ("$(", ")")];

/// The first placeholder in a text: a template's mark up to the end mark, a shell's variable at the start, or words in
/// `<…>`.
pub(crate) fn find_placeholder(text: &str) -> Option<&str> {
    let marked = MARKS.iter().find_map(|(open, close)| {
        let found = &text[text.find(open)?..];
        Some(found.find(close).map_or(found, |end| &found[..end + close.len()]))
    });
    let shell = || {
        text.strip_prefix('$')
            .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
            .map(|_| text)
    };
    marked.or_else(shell).or_else(|| in_brackets(text))
}

/// Words in angle brackets, as examples have them.
fn in_brackets(text: &str) -> Option<&str> {
    let found = &text[text.find('<')?..];
    let end = found.find('>')?;
    let words = &found[1..end];
    let word = |c: char| c.is_ascii_alphanumeric() || "_- .".contains(c);
    (!words.is_empty() && words.chars().all(word)).then(|| &found[..=end])
}

/// Names and settings of a definition that still hold a placeholder. Values of variables may hold any text.
pub(crate) fn placeholder_problems(content: &Content) -> Vec<Problem> {
    let top = ["family", "taskRoleArn", "executionRoleArn", "cpu", "memory", "networkMode"];
    let mut problems = in_keys(content.object(), &top, "");
    for (index, container) in content.containers().enumerate() {
        problems.extend(in_keys(container, &["name"], &format!("containerDefinitions[{index}].")));
    }
    problems
}

/// The keys of an object whose text holds a placeholder.
fn in_keys(object: &Map<String, Value>, keys: &[&str], place: &str) -> Vec<Problem> {
    let found = |key: &&str| {
        let left = find_placeholder(object.get(*key)?.as_str()?)?;
        Some(Problem::new(
            format!("{place}{key}"),
            format!("`{left}` is a placeholder: write the value itself"),
        ))
    };
    keys.iter().filter_map(found).collect()
}
