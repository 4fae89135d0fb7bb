//! The size of a YAML document with all aliases resolved. The parser limits the number of aliases, not the resulting
//! size: a list of 50,000 with 50,000 aliases to that list is 500 KB of text and 2,500,000,000 nodes.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// The most nodes of a document. A text of 1 MiB without aliases has fewer.
const MOST_NODES: usize = 600_000;

/// The message for a document that has more.
pub(crate) const TOO_MANY: &str = "the document repeats too much by its aliases";

/// True if aliases make a document larger than allowed.
pub(crate) fn repeat_too_much(text: &str) -> bool {
    let nodes = Cell::new(0);
    if text.contains('*') && text.contains('&') {
        // The later read reports any other error.
        let _ = Counter(&nodes).deserialize(serde_yaml::Deserializer::from_str(text));
    }
    nodes.get() > MOST_NODES
}

/// Counts nodes and fails above the limit.
#[derive(Clone, Copy)]
struct Counter<'a>(&'a Cell<usize>);

impl Counter<'_> {
    /// Counts one more node.
    fn node<E: Error>(self) -> Result<(), E> {
        self.0.set(self.0.get() + 1);
        if self.0.get() > MOST_NODES { Err(E::custom(TOO_MANY)) } else { Ok(()) }
    }
}

impl<'de> DeserializeSeed<'de> for Counter<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counter<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.node()
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.node()
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.node()
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.node()
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.node()
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<(), E> {
        self.node()
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<(), E> {
        self.node()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.node()
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.node()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(self)?.is_some() {}
        self.node()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(self)?.is_some() {
            map.next_value_seed(self)?;
        }
        self.node()
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<(), A::Error> {
        tagged.variant::<IgnoredAny>()?.1.newtype_variant_seed(self)
    }
}

#[cfg(test)]
mod tests {
    use super::repeat_too_much;

    #[test]
    fn only_a_document_that_grows_by_its_aliases_is_too_large() {
        assert!(!repeat_too_much("a: &a [1, 2]\nb: *a\nc: {<<: *a}\n"));
        assert!(!repeat_too_much("a: *b"), "what is wrong otherwise is found when it is read");
        let list = |item: &str| format!("[{}]", vec![item; 2_000].join(","));
        let square = format!("a: &a {}\nb: {}\n", list("1"), list("*a"));
        assert!(repeat_too_much(&square));
        assert!(repeat_too_much(&square.replace("b: ", "b: !tag ")));
        assert!(!repeat_too_much(&square.replace("*a", "1")));
    }
}
