//! Reads a YAML tree field by field and collects every problem, each with its line, column and path.

use std::collections::BTreeSet;

use super::document::{Format, Steps, SyntaxError, Tree, locate_node, parse_document, written_value};
use super::jargon::TAG;
use super::quoting;
use crate::plan::problem::{MOST_SHOWN, Problem};
use crate::plan::suggestion::nearest_word;

/// Most bytes to read again for the lines of problems: the lines of about a hundred problems in a usual file, of a few
/// in a large file.
const REREADS: usize = 1024 * 1024;
/// Most bytes to read again for the written form of values: enough for thousands of values of a usual input.
const LOOKUPS: usize = 64 * 1024 * 1024;

/// A document being read.
pub(crate) struct Reader<'a> {
    /// The document's name in problems: a file's path, or `input probes`.
    place: &'a str,
    /// The text, to find lines and columns again.
    text: &'a str,
    /// Problems so far.
    problems: Vec<Problem>,
    /// Bytes that may still be read again for the lines of problems.
    rereads: usize,
    /// Bytes that may still be read again for the written form of values.
    lookups: usize,
}

/// A node, with its path.
#[derive(Clone)]
pub(crate) struct Node {
    /// The node.
    pub(crate) tree: Tree,
    /// The path in numbers, for the text.
    steps: Steps,
    /// The path in words: `apps.web.probes[0]`.
    path: String,
    /// The key alone, if the node has a key that can be shown.
    key: Option<String>,
}

impl Node {
    /// The key for an example of a line to write: `NAME` instead of a key that can't be shown.
    pub(crate) fn shown_key(&self) -> &str {
        self.key.as_deref().unwrap_or("NAME")
    }

    /// The child node at entry `index`, called `name`.
    fn below(&self, index: usize, name: &str, tree: Tree) -> Node {
        let mut steps = self.steps.clone();
        steps.push(index);
        let dot = if self.path.is_empty() || name.starts_with('[') { "" } else { "." };
        let key = (is_plain(name) && !name.starts_with('[')).then(|| name.to_owned());
        let name = if is_plain(name) { name.to_owned() } else { format!("(key {})", index + 1) };
        Node { tree, steps, path: format!("{}{dot}{name}", self.path), key }
    }
}

/// True if a key can be shown unchanged. A key with `=` may contain a secret value.
fn is_plain(key: &str) -> bool {
    key.len() <= 100 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./*[]".contains(&b))
}

/// Reads YAML without tags.
fn parse_untagged(text: &str) -> Result<Tree, SyntaxError> {
    let tree = parse_document(text, Format::Yaml)?;
    match tree.first(&|tree| matches!(tree, Tree::Tagged(..)).then_some(())) {
        None => Ok(tree),
        Some((steps, ())) => {
            Err(SyntaxError { at: locate_node(text, Format::Yaml, &steps, false), what: TAG.to_owned() })
        }
    }
}

impl<'a> Reader<'a> {
    /// Parses a document. Without a root, the only problem is the syntax.
    pub(crate) fn open(place: &'a str, text: &'a str) -> (Self, Option<Node>) {
        let mut reader = Reader { place, text, problems: Vec::new(), rereads: REREADS, lookups: LOOKUPS };
        match parse_untagged(text) {
            Ok(tree) => (reader, Some(Node { tree, steps: Vec::new(), path: String::new(), key: None })),
            Err(error) => {
                let at = error.at.map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
                reader.problems.push(Problem::new(
                    format!("{place}{at}"),
                    format!("couldn't be read as YAML: {}", quoting::explain_syntax_error(text, &error)),
                ));
                (reader, None)
            }
        }
    }

    /// All problems, in the order of finding.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Notes a problem with a node.
    pub(crate) fn problem(&mut self, node: &Node, what: impl Into<String>) {
        self.note(node, false, what.into());
    }

    /// Notes a problem with a node, or with its key.
    fn note(&mut self, node: &Node, key: bool, what: String) {
        let at = self.locate(node, key);
        let at = at.map_or(String::new(), |(line, column)| format!(":{line}:{column}"));
        let path = if node.path.is_empty() { String::new() } else { format!(" {}", node.path) };
        self.problems.push(Problem::new(format!("{}{at}{path}", self.place), what));
    }

    /// Line and column of a node, or of its key. Each search reads the text again, so only the first problems have a
    /// position.
    fn locate(&mut self, node: &Node, key: bool) -> Option<(usize, usize)> {
        self.rereads = self.rereads.checked_sub(self.text.len())?;
        locate_node(self.text, Format::Yaml, &node.steps, key)
    }

    /// The document after a node's key and colon, as written. None if not found.
    pub(crate) fn written(&mut self, node: &Node, key: &str) -> Option<&'a str> {
        self.lookups = self.lookups.checked_sub(self.text.len())?;
        written_value(self.text, &node.steps, key)
    }

    /// The entries of a mapping with keys chosen by the user; an empty node counts as an empty mapping. `wanted`
    /// describes the expected mapping, for the message about other content.
    pub(crate) fn entries(&mut self, node: &Node, wanted: &str) -> Vec<(String, Node)> {
        let map = match &node.tree {
            Tree::Map(map) => map,
            Tree::Null => return Vec::new(),
            other => {
                self.problem(node, format!("is {}: {wanted}", other.kind()));
                return Vec::new();
            }
        };
        let mut seen = BTreeSet::new();
        let mut entries = Vec::new();
        for (index, (key, value)) in map.iter().enumerate() {
            let Tree::Text(name) = key else {
                let place = node.below(index, " ", Tree::Null);
                self.note(&place, true, format!("the key is {}: write it in quotes", key.kind()));
                continue;
            };
            let entry = node.below(index, name, value.clone());
            if seen.insert(name) {
                entries.push((name.clone(), entry));
            } else {
                self.note(&entry, true, "the key is there twice".to_owned());
            }
        }
        entries
    }

    /// The entries of a mapping with fixed keys. Unknown keys are problems; empty values are left out, unless the line
    /// holds a value that YAML takes for a comment.
    pub(crate) fn fields(&mut self, node: &Node, allowed: &[&str]) -> Vec<(String, Node)> {
        let wanted = format!("a mapping with the keys {} is expected", allowed.join(", "));
        let mut known = Vec::new();
        for (name, entry) in self.entries(node, &wanted) {
            if allowed.contains(&name.as_str()) {
                known.push((name, entry));
                continue;
            }
            let many = self.problems.len() >= MOST_SHOWN;
            let what = match nearest_word(&name, allowed.iter().copied().filter(|_| !many)) {
                Some(suggestion) => format!("unknown key; did you mean `{suggestion}`?"),
                None => format!("unknown key; the keys here are {}", allowed.join(", ")),
            };
            self.note(&entry, true, what);
        }
        known.retain(|(name, entry)| entry.tree != Tree::Null || self.note_comment(entry, name));
        known
    }

    /// Notes a problem if YAML takes the value of an empty node for a comment: `contains: #ok`. Returns false.
    fn note_comment(&mut self, node: &Node, key: &str) -> bool {
        let written = self.written(node, key).unwrap_or_default();
        if quoting::is_comment(written) {
            self.problem(node, quoting::comment_message(node.shown_key()));
        }
        false
    }

    /// Any text, of which YAML changed nothing.
    pub(crate) fn unchanged(&mut self, node: &Node, key: &str) -> Option<String> {
        let text = self.text(node)?;
        match quoting::text_change(node.shown_key(), self.written(node, key), &text) {
            None => Some(text),
            Some(what) => {
                self.problem(node, what);
                None
            }
        }
    }

    /// The elements of a list; an empty node counts as an empty list.
    pub(crate) fn list(&mut self, node: &Node) -> Vec<Node> {
        match &node.tree {
            Tree::List(list) => {
                let below =
                    |(index, tree): (usize, &Tree)| node.below(index, &format!("[{index}]"), tree.clone());
                list.iter().enumerate().map(below).collect()
            }
            Tree::Null => Vec::new(),
            other => {
                self.problem(node, format!("is {}: a list is expected", other.kind()));
                Vec::new()
            }
        }
    }

    /// Text; a number or a boolean is refused, because the original spelling is lost.
    pub(crate) fn text(&mut self, node: &Node) -> Option<String> {
        let what = match &node.tree {
            Tree::Text(text) => return Some(text.clone()),
            Tree::Bool(_) | Tree::Whole(_) | Tree::Fraction(_) => {
                let form = node.key.as_ref().map_or(String::new(), |key| format!(", as in `{key}: \"…\"`"));
                format!("is {} where text is expected: write it in quotes{form}", node.tree.kind())
            }
            Tree::Null | Tree::List(_) | Tree::Map(_) | Tree::Tagged(..) => {
                format!("is {} where text is expected", node.tree.kind())
            }
        };
        self.problem(node, what);
        None
    }

    /// Text of a kind; `parse` returns the problem.
    pub(crate) fn parsed<T>(
        &mut self,
        node: &Node,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(node)?;
        parse(&text).map_err(|what| self.problem(node, what)).ok()
    }

    /// A whole number from `low` to `high`.
    pub(crate) fn whole(&mut self, node: &Node, low: u32, high: u32) -> Option<u32> {
        let what = match node.tree {
            Tree::Whole(number) => match u32::try_from(number) {
                Ok(number) if (low..=high).contains(&number) => return Some(number),
                Ok(_) | Err(_) => format!("{number} is out of range: {low} to {high}"),
            },
            Tree::Text(_) => {
                format!("is text where a number is expected: write {low} to {high} without quotes")
            }
            Tree::Null
            | Tree::Bool(_)
            | Tree::Fraction(_)
            | Tree::List(_)
            | Tree::Map(_)
            | Tree::Tagged(..) => {
                format!("is {} where a whole number is expected: {low} to {high}", node.tree.kind())
            }
        };
        self.problem(node, what);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_40_ten_times_the_unknown_keys_bring_no_more_than_ten_times_the_work() {
        for count in [3_000, 30_000] {
            let text: String = (0..count).map(|number| format!("color{number}: 1\n")).collect();
            let (mut reader, root) = Reader::open("x.yml", &text);
            assert!(reader.fields(&root.unwrap(), &["color"]).is_empty());
            let compared = reader.problems.iter().filter(|problem| problem.what.contains("did you mean"));
            assert_eq!((reader.problems.len(), compared.count()), (count, MOST_SHOWN));
            // The text itself is read once; positions read it again within a fixed number of bytes.
            assert!(REREADS - reader.rereads <= REREADS && reader.rereads < text.len());
        }
    }
}
