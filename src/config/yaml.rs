//! YAML as a complete tree: duplicate keys are kept, and every node can be found again in the text. (serde_yaml's own
//! maps keep the last of two equal keys, and typed reading stops at the first wrong value.)

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::fmt;

use crate::plan::aliases::{TOO_MANY, repeat_too_much};

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
}

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

/// Reads a document; an empty document is [`Tree::Null`].
pub(crate) fn parse_yaml(text: &str) -> Result<Tree, SyntaxError> {
    let blank = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.trim_start_matches('\u{feff}').lines().all(blank) {
        return Ok(Tree::Null);
    }
    if repeat_too_much(text) {
        return Err(SyntaxError { at: None, what: TOO_MANY.to_owned() });
    }
    serde_yaml::from_str::<Tree>(text).map_err(|error| {
        let at = error.location().map(|place| (place.line(), place.column()));
        let told = error.to_string();
        let what = if told.contains(TAG) { TAG } else { told.as_str() };
        SyntaxError { at, what: what.to_owned() }
    })
}

/// Message for a tag. The parser adds a path before it, with arbitrary keys.
const TAG: &str = "a tag such as `!Ref` is not supported here; text that begins with `!` must be in quotes";

/// A path from the root: the index of an entry in its mapping or list, from 0, level by level.
pub(crate) type Steps = Vec<usize>;

/// Line and column, from 1, of the node at the end of `steps`, or of its key.
pub(crate) fn locate_node(text: &str, steps: &[usize], key: bool) -> Option<(usize, usize)> {
    let error = Finder { steps, key }.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    error.location().map(|place| (place.line(), place.column()))
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Builder)
    }
}

/// Builds the tree from the parser's visits.
struct Builder;

impl<'de> Visitor<'de> for Builder {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Whole(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Whole(value.into()))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Tree, E> {
        Ok(Tree::Whole(value))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Tree, E> {
        Ok(Tree::Whole(i128::try_from(value).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Fraction(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Tree::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Tree, A::Error> {
        Err(A::Error::custom(TAG))
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
            (
                "a: !Ref b\n",
                (1, 4),
                "a tag such as `!Ref` is not supported here; text that begins with `!` must be in quotes",
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
        assert_eq!(locate_node(text, &[], false), Some((1, 1)));
        assert_eq!(locate_node(text, &[1], true), Some((2, 1)));
        assert_eq!(locate_node(text, &[1, 0, 1, 0], true), Some((4, 9)));
        assert_eq!(locate_node(text, &[1, 0, 1, 0], false), Some((4, 12)));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,60}|[a-c:\\-\\[\\]{}#&*!|>'\" \n]{0,40}") {
            let _ = parse_yaml(&text);
            let _ = (locate_node(&text, &[0, 1], true), locate_node(&text, &[2, 0], false), locate_node(&text, &[], true));
        }
    }
}
