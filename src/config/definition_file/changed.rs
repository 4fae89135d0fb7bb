//! Values of variables in a YAML file that YAML changes: the file says other text than ECS would get. No message holds a
//! value.

use crate::config::document::{Steps, Tree, written_value};
use crate::config::quoting::{comment_message, is_comment, text_change};
use crate::plan::definition::schema::child_path;
use crate::plan::problem::Problem;

/// Most bytes to read again for the written form of values: enough for a thousand values of a usual file.
const LOOKUPS: usize = 64 * 1024 * 1024;

/// The lists of a container's variables, and the key of a value in each.
const LISTS: [(&str, &str); 2] = [("environment", "value"), ("secrets", "valueFrom")];

/// The problem of each value of `environment` and `secrets` that YAML changes. A value whose line is not found, as in an
/// alias, counts as unchanged.
pub(super) fn changed_values(text: &str, document: &Tree) -> Vec<Problem> {
    let mut search = Search { text, lookups: LOOKUPS, problems: Vec::new() };
    search.below("", &[], document);
    search.problems
}

/// A search under way.
struct Search<'a> {
    /// The text of the file.
    text: &'a str,
    /// Bytes that may still be read again.
    lookups: usize,
    /// Problems so far, in the order of the file.
    problems: Vec<Problem>,
}

impl Search<'_> {
    /// Searches a node and everything below the node.
    fn below(&mut self, place: &str, steps: &[usize], tree: &Tree) {
        match tree {
            Tree::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(&format!("{place}[{index}]"), &step(steps, index), item);
                }
            }
            Tree::Map(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    let Tree::Text(key) = key else { continue };
                    let (place, steps) = (child_path(place, key), step(steps, index));
                    let list = LISTS.iter().find(|(list, _)| list == key);
                    match (list, value) {
                        (Some((_, field)), Tree::List(items)) => self.variables(&place, &steps, items, field),
                        (Some(_) | None, _) => self.below(&place, &steps, value),
                    }
                }
            }
            Tree::Tagged(_, value) => self.below(place, steps, value),
            Tree::Null | Tree::Bool(_) | Tree::Whole(_) | Tree::Fraction(_) | Tree::Text(_) => {}
        }
    }

    /// Checks the field `field` of each variable in a list.
    fn variables(&mut self, place: &str, steps: &[usize], items: &[Tree], field: &str) {
        for (number, item) in items.iter().enumerate() {
            let Tree::Map(entries) = item else { continue };
            let named = |(key, _): &(Tree, Tree)| matches!(key, Tree::Text(key) if key == field);
            let Some(index) = entries.iter().position(named) else { continue };
            let steps = step(&step(steps, number), index);
            if let Some(what) = self.change(&steps, field, &entries[index].1) {
                self.problems.push(Problem::new(format!("{place}[{number}].{field}"), what));
            }
        }
    }

    /// The change of one value, if any.
    fn change(&mut self, steps: &[usize], field: &str, value: &Tree) -> Option<String> {
        self.lookups = self.lookups.checked_sub(self.text.len())?;
        let written = written_value(self.text, steps, field)?;
        match value {
            Tree::Text(read) if !self.is_reference(written) => text_change(field, Some(written), read),
            Tree::Tagged(..) => text_change(field, Some(written), ""),
            Tree::Null if is_comment(written) => Some(comment_message(field)),
            Tree::Text(_) | Tree::Null | Tree::Bool(_) | Tree::Whole(_) => None,
            Tree::Fraction(_) | Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// True if a value is an alias, or an anchor that an alias names: YAML's own means to write a value once.
    fn is_reference(&self, written: &str) -> bool {
        let value = written.trim_start();
        let name = || value[1..].split_whitespace().next().unwrap_or_default();
        value.starts_with('*') || value.starts_with('&') && self.text.contains(&format!("*{}", name()))
    }
}

/// The path to a child.
fn step(steps: &[usize], index: usize) -> Steps {
    [steps, &[index]].concat()
}
