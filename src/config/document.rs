//! YAML and JSON as a complete tree: duplicate keys are kept, and every node can be found again in the text. (The
//! parsers' own maps keep the last of two equal keys, and typed reading stops at the first wrong value.)

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// The language of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 8259, without comments.
    Json,
    /// YAML 1.2 (`yes` and `on` are text), with anchors.
    Yaml,
}

impl Format {
    /// The format by a file's extension. `None` for any other extension.
    pub(crate) fn of(path: &str) -> Option<Format> {
        match path.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "json" => Some(Format::Json),
            "yaml" | "yml" => Some(Format::Yaml),
            _ => None,
        }
    }
}

/// A node of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    /// Empty, `null` or `~`.
    Null,
    /// `true` or `false` and their capitals; `yes` and `on` are text.
    Bool(bool),
    /// A whole number.
    Whole(i128),
    /// Any other number. Its spelling is lost: `1.10` became 1.1.
    Fraction(f64),
    /// Text, quoted or not.
    Text(String),
    /// A list.
    List(Vec<Tree>),
    /// A mapping in the order of the document, including duplicates.
    Map(Vec<(Tree, Tree)>),
    /// A value with a tag of YAML, such as `!Ref`. The tag has no `!`.
    Tagged(String, Box<Tree>),
}

/// A path from the root: the index of an entry in its mapping or list, from 0, level by level.
pub(crate) type Steps = Vec<usize>;

impl Tree {
    /// The kind of node, with an article, for messages; never the content.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Tree::Null => "empty",
            Tree::Bool(_) => "a boolean",
            Tree::Whole(_) | Tree::Fraction(_) => "a number",
            Tree::Text(_) => "text",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a mapping",
            Tree::Tagged(..) => "a value with a tag",
        }
    }

    /// The first node, in the order of the document, that `test` has an answer for: its path and the answer.
    pub(crate) fn first<T>(&self, test: &impl Fn(&Tree) -> Option<T>) -> Option<(Steps, T)> {
        if let Some(found) = test(self) {
            return Some((Vec::new(), found));
        }
        let below = |(index, child): (usize, &Tree)| {
            let (mut steps, found) = child.first(test)?;
            steps.insert(0, index);
            Some((steps, found))
        };
        match self {
            Tree::List(list) => list.iter().enumerate().find_map(below),
            Tree::Map(map) => map.iter().map(|(_, value)| value).enumerate().find_map(below),
            Tree::Tagged(_, value) => value.first(test),
            Tree::Null | Tree::Bool(_) | Tree::Whole(_) | Tree::Fraction(_) | Tree::Text(_) => None,
        }
    }
}

/// Reason that a document is unreadable, without any content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// Line and column, from 1, if the parser knows both.
    pub(crate) at: Option<(usize, usize)>,
    /// The parser's message.
    pub(crate) what: String,
}

/// The most nodes of a document that has aliases. A text of 1 MiB without aliases has fewer. The parser limits the
/// number of aliases, not the resulting size: a list of 50,000 with 50,000 aliases to that list is 500 KB of text and
/// 2,500,000,000 nodes.
const MOST_NODES: usize = 600_000;

/// Reads a document; YAML without content is [`Tree::Null`].
pub(crate) fn parse_document(text: &str, format: Format) -> Result<Tree, SyntaxError> {
    match format {
        Format::Json => parse_json(text),
        Format::Yaml => parse_yaml(text),
    }
}

/// Reads JSON.
fn parse_json(text: &str) -> Result<Tree, SyntaxError> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let nodes = Cell::new(usize::MAX);
    let tree = Builder(&nodes).deserialize(&mut parser);
    tree.and_then(|tree| parser.end().map(|()| tree)).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = error.to_string();
        let what = what.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&what);
        SyntaxError { at: Some((line, column)), what: what.to_owned() }
    })
}

/// Reads YAML.
fn parse_yaml(text: &str) -> Result<Tree, SyntaxError> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.trim_start_matches('\u{feff}').lines().all(blank) {
        return Ok(Tree::Null);
    }
    let has_aliases = text.contains('*') && text.contains('&');
    let nodes = Cell::new(if has_aliases { MOST_NODES } else { usize::MAX });
    Builder(&nodes).deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| {
        if nodes.get() == 0 {
            return SyntaxError { at: None, what: "the document repeats too much by its aliases".to_owned() };
        }
        let at = error.location().map(|place| (place.line(), place.column()));
        SyntaxError { at, what: error.to_string() }
    })
}

/// Line and column, from 1, of the node at the end of `steps`, or of its key (in JSON: after the key).
pub(crate) fn locate_node(text: &str, format: Format, steps: &[usize], key: bool) -> Option<(usize, usize)> {
    let finder = Finder { steps, key };
    match format {
        Format::Json => {
            let error = finder.deserialize(&mut serde_json::Deserializer::from_str(text)).err()?;
            Some((error.line(), error.column()))
        }
        Format::Yaml => {
            let error = finder.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
            error.location().map(|place| (place.line(), place.column()))
        }
    }
}

/// The YAML text after the key and colon of the node at the end of `steps`, as written. None if not found.
pub(crate) fn written_value<'a>(text: &'a str, steps: &[usize], key: &str) -> Option<&'a str> {
    let (line, column) = locate_node(text, Format::Yaml, steps, true)?;
    let text = text.trim_start_matches('\u{feff}');
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let line = &text[start..];
    let start = line.char_indices().nth(column.checked_sub(1)?)?.0;
    let rest = line[start..].trim_start_matches(['"', '\'']).strip_prefix(key)?;
    rest.trim_start_matches(['"', '\'']).trim_start_matches([' ', '\t']).strip_prefix(':')
}

/// Builds the tree from the parser's visits. The number is that of nodes that may still follow.
#[derive(Clone, Copy)]
struct Builder<'a>(&'a Cell<usize>);

impl Builder<'_> {
    /// Counts a node, and fails above the limit.
    fn node<E: Error>(self, tree: Tree) -> Result<Tree, E> {
        let left = self.0.get().saturating_sub(1);
        self.0.set(left);
        if left == 0 { Err(E::custom("too many nodes")) } else { Ok(tree) }
    }
}

impl<'de> DeserializeSeed<'de> for Builder<'_> {
    type Value = Tree;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Builder<'_> {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML or JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        self.node(Tree::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Tree, E> {
        self.node(Tree::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        self.node(Tree::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        self.node(Tree::Whole(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        self.node(Tree::Whole(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Tree, E> {
        self.node(Tree::Whole(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Tree, E> {
        self.node(Tree::Whole(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        self.node(Tree::Fraction(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        self.node(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self)? {
            nodes.push(node);
        }
        self.node(Tree::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry_seed(self, self)? {
            entries.push(entry);
        }
        self.node(Tree::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Tree, A::Error> {
        let (tag, value) = tagged.variant::<String>()?;
        Ok(Tree::Tagged(tag, Box::new(value.newtype_variant_seed(self)?)))
    }
}

/// Walks to a node and fails there, because the parser adds line and column to errors.
struct Finder<'a> {
    /// The rest of the path.
    steps: &'a [usize],
    /// True to find the key of the last step, false to find its value.
    key: bool,
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The error that stands for "found".
fn stop_search<E: Error>() -> Result<(), E> {
    Err(E::custom("found"))
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("found")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((&index, steps)) = self.steps.split_first() else { return stop_search() };
        for _ in 0..index {
            if list.next_element::<IgnoredAny>()?.is_none() {
                return stop_search();
            }
        }
        list.next_element_seed(Finder { steps, key: self.key })?;
        stop_search()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((&index, steps)) = self.steps.split_first() else { return stop_search() };
        for _ in 0..index {
            if map.next_entry::<IgnoredAny, IgnoredAny>()?.is_none() {
                return stop_search();
            }
        }
        if self.key && steps.is_empty() {
            map.next_key_seed(Finder { steps, key: false })?;
        } else if map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(Finder { steps, key: self.key })?;
        }
        stop_search()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tree_keeps_duplicates_order_and_kinds() {
        let tree = parse_yaml("b: 1\na: [yes, true, ~, 1.10]\nb: {c: '2'}\n").unwrap();
        let text = |t: &str| Tree::Text(t.to_owned());
        let list = Tree::List(vec![text("yes"), Tree::Bool(true), Tree::Null, Tree::Fraction(1.1)]);
        let inner = Tree::Map(vec![(text("c"), text("2"))]);
        assert_eq!(tree, Tree::Map(vec![(text("b"), Tree::Whole(1)), (text("a"), list), (text("b"), inner)]));
    }

    #[test]
    fn nothing_but_comments_is_empty() {
        for text in ["", "\n \n", "# only this\n", "\u{feff}# bom\r\n", "---\n"] {
            assert_eq!(parse_yaml(text), Ok(Tree::Null), "{text:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_windows_line_ends_are_read() {
        let tree = Tree::Map(vec![(Tree::Text("a".to_owned()), Tree::Text("b".to_owned()))]);
        assert_eq!(parse_yaml("\u{feff}a: b\r\n"), Ok(tree));
    }

    #[test]
    fn a_syntax_error_has_its_line_and_column() {
        let table = [
            (
                "a:\n  b: [c\n  d: 1\n",
                (3, 4),
                "did not find expected ',' or ']' at line 3 column 4, while parsing a flow sequence at line 2 column 6",
            ),
            (
                "a:\n\tb: 1\n",
                (2, 1),
                "found character that cannot start any token at line 2 column 1, while scanning for the next token",
            ),
        ];
        for (text, at, what) in table {
            assert_eq!(
                parse_yaml(text),
                Err(SyntaxError { at: Some(at), what: what.to_owned() }),
                "{text:?}"
            );
        }
        let two = parse_yaml("a: 1\n---\nb: 1\n").unwrap_err();
        assert_eq!(two.what, "deserializing from YAML containing more than one document is not supported");
    }

    #[test]
    fn a_node_and_its_key_are_found_again() {
        let text = "a: 1\nb:\n  - x: 1\n    y: {z: 3}\n";
        assert_eq!(locate_node(text, Format::Yaml, &[], false), Some((1, 1)));
        assert_eq!(locate_node(text, Format::Yaml, &[1], true), Some((2, 1)));
        assert_eq!(locate_node(text, Format::Yaml, &[1, 0, 1, 0], true), Some((4, 9)));
        assert_eq!(locate_node(text, Format::Yaml, &[1, 0, 1, 0], false), Some((4, 12)));
        let text = "{\"a\": 1,\n \"b\": [{\"x\": 1}]}";
        assert_eq!(locate_node(text, Format::Json, &[1], true), Some((2, 4)));
    }

    #[test]
    fn only_a_document_that_grows_by_its_aliases_is_too_large() {
        let too_large = |text: &str| match parse_yaml(text) {
            Ok(_) => false,
            Err(error) => error.what == "the document repeats too much by its aliases",
        };
        assert!(!too_large("a: &a [1, 2]\nb: *a\nc: {<<: *a}\n") && !too_large("a: *b"));
        let list = |item: &str| format!("[{}]", vec![item; 2_000].join(","));
        let square = format!("a: &a {}\nb: {}\n", list("1"), list("*a"));
        assert!(too_large(&square) && too_large(&square.replace("b: ", "b: !tag ")));
        assert!(!too_large(&square.replace("*a", "1")));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,60}|[a-c:\\-\\[\\]{}#&*!|>'\" \n]{0,40}") {
            for format in [Format::Yaml, Format::Json] {
                let _ = parse_document(&text, format);
                for (steps, key) in [([0, 1].as_slice(), true), (&[2, 0], false), (&[], true)] {
                    let _ = locate_node(&text, format, steps, key);
                }
            }
        }
    }
}
