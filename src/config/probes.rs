//! Probes in the format of the config file and the input `probes`.

use super::document::Tree;
use super::kinds::quote_value;
use super::reader::{Node, Reader};
use crate::plan::wanted::Probe;

/// The keys of a probe.
const KEYS: [&str; 3] = ["path", "status", "contains"];

/// A list of probes; wrong probes are noted and left out.
pub(crate) fn read_probes(reader: &mut Reader<'_>, node: &Node) -> Vec<Probe> {
    let list = reader.list(node);
    list.iter().filter_map(|node| read_probe(reader, node)).collect()
}

/// A probe: `{ path: /healthz, status: 200, contains: ok }`.
fn read_probe(reader: &mut Reader<'_>, node: &Node) -> Option<Probe> {
    let fields = reader.fields(node, &KEYS);
    let (mut path, mut status, mut contains) = (None, Some(200), None);
    for (name, field) in &fields {
        match name.as_str() {
            "path" => path = reader.parsed(field, self::parse_path),
            "status" => status = reader.whole(field, 200, 599),
            "contains" => contains = read_contains(reader, field),
            _ => {}
        }
    }
    let Tree::Map(entries) = &node.tree else { return None };
    if entries.contains(&(Tree::Text("contains".to_owned()), Tree::Null)) {
        reader.problem(node, "has an empty `contains`: write the text in quotes, or leave the key out");
    }
    if !fields.iter().any(|(name, _)| name == "path") {
        reader.problem(node, "has no `path`: a probe needs one, such as `/healthz`");
    }
    Some(Probe { path: path?, status: u16::try_from(status?).ok()?, contains })
}

/// The characters that a URL does not keep in a path or a query (WHATWG URL): they are escaped or, as `\\`, replaced.
const REWRITTEN: [char; 9] = ['"', '\'', '<', '>', '\\', '^', '`', '{', '}'];

/// A path with an optional query, sent as written: the listener's rules are looked up for this text.
fn parse_path(value: &str) -> Result<String, String> {
    let plain = value.bytes().all(|b| b.is_ascii_graphic()) && !value.contains('#');
    if value.starts_with('/') && plain {
        if has_dot_segment(value) || value.contains(REWRITTEN) {
            return Err(format!(
                "{} would be sent as another path: leave out `.` and `..` between slashes, also as `%2e`, and write `%22` for `\"`, `%27` for `'`, \
                 `%3C` for `<`, `%3E` for `>`, `%5C` for `\\`, `%5E` for `^`, `%60` for a backtick, `%7B` for `{{`, `%7D` for `}}`",
                quote_value(value)
            ));
        }
        return Ok(value.to_owned());
    }
    Err(format!(
        "{} is not a path: begin with `/`, without spaces and `#`, and escape what is not ASCII",
        quote_value(value)
    ))
}

/// True if the path has a part `.` or `..`, perhaps escaped, which a URL resolves.
fn has_dot_segment(value: &str) -> bool {
    let path = value.split('?').next().unwrap_or_default();
    let is_dots = |part: &str| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    path.split('/').any(is_dots)
}

/// A text that a body can contain, as written.
fn read_contains(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let text = reader.unchanged(node, "contains")?;
    if text.is_empty() {
        reader.problem(node, "is empty: every body holds it");
        return None;
    }
    Some(text)
}
