//! Values that YAML misreads without quotes, with the correct line. No value is shown: only its first character, and
//! the prefix of an ARN.

use super::document::{Format, SyntaxError};
use super::jargon;

/// The message for a line that begins with a tab.
pub(super) const TAB: &str = "the line is indented with a tab, and YAML takes only spaces";

/// Characters with a special meaning at the start of a YAML value.
const SPECIAL: &str = "&*%@`!|>#,?-]}\"'";

/// The problem in a sentence if the line of the error shows the cause; otherwise the parser's words.
pub(super) fn explain_syntax_error(text: &str, error: &SyntaxError) -> String {
    let line = error.at.and_then(|(line, _)| text.lines().nth(line.checked_sub(1)?));
    line.and_then(of_line).unwrap_or_else(|| jargon::explain_error(Format::Yaml, &error.what).to_owned())
}

/// The problem in an unreadable line.
fn of_line(line: &str) -> Option<String> {
    let start = line.trim_start();
    if line[..line.len() - start.len()].contains('\t') {
        return Some(TAB.to_owned());
    }
    let entry = start.strip_prefix("- ").map_or(start, str::trim_start);
    let Some((key, value)) = split_entry(entry) else {
        let special = entry.chars().next().filter(|c| "*&%@`".contains(*c))?;
        return Some(format!("text that begins with `{special}` must be in quotes in YAML"));
    };
    let first = value.chars().next()?;
    if SPECIAL.contains(first) && !"!\"'".contains(first) {
        return Some(needs_quotes_message(key, first));
    }
    let colon = value.contains(": ") || value.trim_end().ends_with(':');
    (colon && !"!\"'[{".contains(first)).then(|| {
        let form = quoted_entry(key, if value.starts_with("arn:") { "arn:…" } else { "…" });
        format!("a value with a colon before a space or at its end must be in quotes in YAML, as in {form}")
    })
}

/// The key and the value of a line `KEY: VALUE`.
fn split_entry(entry: &str) -> Option<(&str, &str)> {
    let (key, value) = entry.split_once(": ")?;
    let key = key.trim_matches(['"', '\'']);
    is_plain(key).then(|| (key, value.trim_start()))
}

/// True if a key can be shown.
fn is_plain(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= 100
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
}

/// Message for a value that begins with a special character of YAML.
fn needs_quotes_message(key: &str, first: char) -> String {
    format!(
        "a value that begins with `{first}` must be in quotes in YAML, as in {}",
        quoted_entry(key, &format!("{first}…"))
    )
}

/// The correct entry, with this text instead of the value.
fn quoted_entry(key: &str, shown: &str) -> String {
    format!("`{key}: \"{shown}\"`")
}

/// YAML's change of the value of `name`. `written` is the line after the key and its colon, if known. `read` is YAML's
/// text; none for null. `None` if the value is unchanged.
pub(crate) fn yaml_change(name: &str, written: Option<&str>, read: Option<&str>) -> Option<String> {
    let written = written.map(str::trim);
    let first = written.and_then(|written| written.chars().next());
    match (first, read) {
        (Some(first @ ('&' | '*')), _) => Some(needs_quotes_message(name, first)),
        (Some('#'), None) => Some(format!(
            "has no value, because YAML takes what begins with `#` for a comment: write {}, or {} to remove the variable",
            quoted_entry(name, "#…"),
            format_args!("`{name}: null`")
        )),
        (Some('~'), None) => Some(format!(
            "`~` means null in YAML: write {} for the text, or `{name}: null` to remove the variable",
            quoted_entry(name, "~")
        )),
        (Some(_), None) if written.is_some_and(is_null) => None,
        (_, None) => Some(format!(
            "has no value: write {} for an empty value, or `{name}: null` to remove the variable",
            quoted_entry(name, "")
        )),
        (Some(first @ ('|' | '>')), Some("")) => Some(needs_quotes_message(name, first)),
        (Some(_), Some(read)) => written.filter(|written| is_cut(written, read)).map(|_| {
            format!(
                "YAML takes the part from ` #` on for a comment: write {}, or a space after `#` if it is one",
                quoted_entry(name, "…")
            )
        }),
        (None, Some(_)) => None,
    }
}

/// True if a value is the word null, perhaps followed by other items or a comment.
fn is_null(written: &str) -> bool {
    let word = written.split([',', '}', ' ', '\t']).next().unwrap_or_default();
    ["null", "Null", "NULL"].contains(&word)
}

/// True if YAML dropped a part of an unquoted value that looks more like text than like a comment: `a #1`.
fn is_cut(written: &str, read: &str) -> bool {
    let rest = written.strip_prefix(read).map(str::trim_start).and_then(|rest| rest.strip_prefix('#'));
    !read.is_empty() && rest.is_some_and(|rest| rest.starts_with(|c: char| !c.is_whitespace() && c != '#'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::document::parse_document;

    /// The problem of a text that is no YAML.
    fn explained(text: &str) -> String {
        explain_syntax_error(text, &parse_document(text, Format::Yaml).expect_err(text))
    }

    #[test]
    fn what_yaml_can_not_read_is_told_with_the_line_to_write() {
        let begins = |first: &str| {
            format!(
                "a value that begins with `{first}` must be in quotes in YAML, as in `NAME: \"{first}…\"`"
            )
        };
        for first in ["%", "@", "`", "*"] {
            assert_eq!(explained(&format!("OTHER: 1\nNAME: {first}x\n")), begins(first));
            assert_eq!(explained(&format!("app:\n  NAME: {first}x\n")), begins(first));
        }
        assert_eq!(explained("NAME: |x\n"), begins("|"));
        assert_eq!(explained("NAME: - x\n"), begins("-"));
        let colon = "a value with a colon before a space or at its end must be in quotes in YAML, as in";
        assert_eq!(explained("NAME: a: b\n"), format!("{colon} `NAME: \"…\"`"));
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-x:password::";
        assert_eq!(explained(&format!("NAME: {arn}\n")), format!("{colon} `NAME: \"arn:…\"`"));
        assert_eq!(explained("a:\n\tb: c\n"), "the line is indented with a tab, and YAML takes only spaces");
        assert_eq!(explained("a:\n  **: b\n"), "text that begins with `*` must be in quotes in YAML");
    }

    #[test]
    fn a_value_that_yaml_changes_is_told_and_no_other() {
        let remove = "or `A: null` to remove the variable";
        let table = [
            (Some("null"), None, None),
            (Some("null # gone"), None, None),
            (Some("NULL}"), None, None),
            (Some("\"\""), Some(""), None),
            (Some("text"), Some("text"), None),
            (Some("text # why"), Some("text"), None),
            (Some("~/bin"), Some("~/bin"), None),
            (Some("a#b"), Some("a#b"), None),
            (Some("'a #b'"), Some("a #b"), None),
            (Some(""), None, Some(format!("has no value: write `A: \"\"` for an empty value, {remove}"))),
            (None, None, Some(format!("has no value: write `A: \"\"` for an empty value, {remove}"))),
            (Some("~"), None, Some(format!("`~` means null in YAML: write `A: \"~\"` for the text, {remove}"))),
            (
                Some("#fff"),
                None,
                Some(format!("has no value, because YAML takes what begins with `#` for a comment: write `A: \"#…\"`, {remove}")),
            ),
            (
                Some("&x"),
                None,
                Some("a value that begins with `&` must be in quotes in YAML, as in `A: \"&…\"`".to_owned()),
            ),
            (
                Some("&x y"),
                Some("y"),
                Some("a value that begins with `&` must be in quotes in YAML, as in `A: \"&…\"`".to_owned()),
            ),
            (
                Some(">5"),
                Some(""),
                Some("a value that begins with `>` must be in quotes in YAML, as in `A: \">…\"`".to_owned()),
            ),
            (
                Some("a #1"),
                Some("a"),
                Some("YAML takes the part from ` #` on for a comment: write `A: \"…\"`, or a space after `#` if it is one".to_owned()),
            ),
        ];
        for (written, read, wanted) in table {
            assert_eq!(yaml_change("A", written, read), wanted, "{written:?}");
        }
    }
}
