//! The messages of the YAML and JSON parsers in plain words, without any text of the document.

use super::document::Format;

/// The words for a tag of YAML, such as `!Ref` or `!!int`. They hold no part of the tag: a secret may begin with `!`.
pub(super) const TAG: &str =
    "a tag such as `!Ref` is not supported here; text that begins with `!` must be in quotes";

/// The start of each message of the YAML parser, and the plain words.
const YAML: [(&str, &str); 10] = [
    // Only a value with a tag such as `!!int` can be invalid. The message holds the value.
    ("invalid value: ", TAG),
    ("did not find expected ',' or ']'", "a comma or the closing `]` is missing"),
    ("did not find expected ',' or '}'", "a comma or the closing `}` is missing"),
    ("did not find expected node content", "a value is missing, or a bracket is not closed"),
    (
        "did not find expected key",
        "the line does not begin as far to the right as the lines that belong to it",
    ),
    (
        "mapping values are not allowed",
        "a value with a colon must be in quotes, or the line begins too far to the right",
    ),
    ("could not find expected ':'", "a colon with a space after it is missing here or in the line before"),
    ("found character that cannot start any token", "text that begins with this character must be in quotes"),
    ("unknown anchor", "text that begins with `*` must be in quotes"),
    (
        "deserializing from YAML containing more than one document",
        "there are several documents with `---` between them: keep one",
    ),
];

/// The start of each message of the JSON parser, and the plain words.
const JSON: [(&str, &str); 8] = [
    ("EOF while parsing", "the file ends too early: a bracket or a quotation mark is not closed"),
    ("trailing comma", "the comma before a closing bracket must go"),
    ("trailing characters", "the definition has ended, and more text follows"),
    ("key must be a string", "a key in double quotes is expected"),
    ("expected value", "a value is expected, and text must be in double quotes"),
    ("expected `:`", "a colon is missing after a key"),
    ("expected `,` or", "a comma or a closing bracket is missing"),
    ("control character", "text holds a line break or a tab: write `\\n` or `\\t`"),
];

/// The plain words for the first known message in a parser's text; the parser may put a path before the message. An
/// unknown message stays.
pub(super) fn explain_error(format: Format, message: &str) -> &str {
    let known = match format {
        Format::Json => JSON.as_slice(),
        Format::Yaml => YAML.as_slice(),
    };
    let plain = known.iter().find(|(begin, _)| message.contains(begin));
    plain.map_or(message, |(_, words)| *words)
}
