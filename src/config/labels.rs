//! The style of labels on pull requests: `apps.NAME.labels`.

use super::reader::{Node, Reader};
use crate::feedback::LabelStyle;

/// The app's labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSettings {
    /// Prefix of each name, if set in the file.
    pub(crate) prefix: Option<String>,
    /// The colors.
    pub(crate) style: LabelStyle,
}

/// The keys.
const KEYS: [&str; 6] = ["prefix", "blue", "green", "split", "develop", "failed"];

/// Reads prefix and colors; a missing value keeps its default.
pub(crate) fn read_labels(reader: &mut Reader<'_>, node: &Node) -> LabelSettings {
    let mut found = LabelSettings::default();
    for (name, node) in reader.fields(node, &KEYS) {
        if name == "prefix" {
            found.prefix = reader.parsed(&node, parse_prefix);
            continue;
        }
        let Some(color) = reader.parsed(&node, parse_label_color) else { continue };
        let style = &mut found.style;
        let place = match name.as_str() {
            "blue" => &mut style.blue,
            "green" => &mut style.green,
            "split" => &mut style.split,
            "develop" => &mut style.develop,
            _ => &mut style.failed,
        };
        *place = color;
    }
    found
}

/// Most characters of a prefix, to leave room in a label: GitHub allows 50 characters.
pub(crate) const LONGEST_PREFIX: usize = 30;

/// A prefix of allowed length.
fn parse_prefix(value: &str) -> Result<String, String> {
    if value.chars().count() <= LONGEST_PREFIX && !value.contains(|c: char| c.is_control() || c == ',') {
        return Ok(value.to_owned());
    }
    Err(format!("is not a prefix of labels: it has at most {LONGEST_PREFIX} characters, and no commas"))
}

/// Six hexadecimal digits, with or without `#`.
fn parse_label_color(value: &str) -> Result<String, String> {
    let digits = value.trim_start_matches('#');
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(digits.to_lowercase());
    }
    Err(format!(
        "{} is not a color: write six hexadecimal digits, as in `0e8a16`",
        super::kinds::quote_value(value)
    ))
}
