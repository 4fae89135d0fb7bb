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

/// YAML's change of the value of a key, which the message shows as `key`. `written` is the document after the key's
/// colon, if known. `read` is YAML's text; none for null. `None` if the value is unchanged.
pub(crate) fn yaml_change(key: &str, written: Option<&str>, read: Option<&str>) -> Option<String> {
    match read {
        Some(read) => text_change(key, written, read),
        None => null_change(key, written.unwrap_or_default()),
    }
}

/// The change of a text; see [`yaml_change`].
pub(super) fn text_change(key: &str, written: Option<&str>, read: &str) -> Option<String> {
    let Some(value) = written.map(value_line) else {
        return Some(format!(
            "YAML may have changed the value: write the line as {}",
            quoted_entry(key, "…")
        ));
    };
    match value.chars().next()? {
        first @ ('&' | '*' | '!') => Some(needs_quotes_message(key, first)),
        first @ ('|' | '>') => read.is_empty().then(|| needs_quotes_message(key, first)),
        quote @ ('"' | '\'') => (!is_closed(&value[1..], quote)).then(|| joined_message(key)),
        _ => plain_change(key, value, read),
    }
}

/// The change of a null: only the word `null` is meant as one.
fn null_change(key: &str, written: &str) -> Option<String> {
    if is_null(value_line(written)) {
        return None;
    }
    let line = written.lines().next().unwrap_or_default().trim_start();
    Some(match line.chars().next() {
        Some(first @ ('&' | '*' | '!')) => needs_quotes_message(key, first),
        Some('#') => format!("{}, or `{key}: null` to remove the variable", comment_message(key)),
        Some('~') => format!(
            "`~` means null in YAML: write {} for the text, or `{key}: null` to remove the variable",
            quoted_entry(key, "~")
        ),
        Some(_) | None => format!(
            "has no value: write {} for an empty value, or `{key}: null` to remove the variable",
            quoted_entry(key, "")
        ),
    })
}

/// The change of a value without quotes: the line must hold all that was read, and nothing else but a comment.
fn plain_change(key: &str, value: &str, read: &str) -> Option<String> {
    let Some(rest) = value.strip_prefix(read).map(|rest| rest.trim_start_matches([' ', '\t'])) else {
        return Some(joined_message(key));
    };
    match rest.strip_prefix('#') {
        Some(comment) if looks_like_value(comment) => Some(format!(
            "YAML takes the part from ` #` on for a comment: write {}, or a space after `#` if it is one",
            quoted_entry(key, "…")
        )),
        Some(_) => None,
        None => (!rest.is_empty() && !rest.starts_with([',', '}', ']'])).then(|| joined_message(key)),
    }
}

/// The line on which a value begins, from its first character, without the line end.
fn value_line(written: &str) -> &str {
    let lines = written.lines().map(|line| line.trim_start_matches([' ', '\t']));
    lines.into_iter().find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default()
}

/// True if a value in quotes ends on its first line. `value` begins after the quote.
fn is_closed(value: &str, quote: char) -> bool {
    let mut signs = value.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '\\' if quote == '"' => drop(signs.next()),
            _ if sign == quote => return true,
            _ => {}
        }
    }
    false
}

/// Message for a value whose lines YAML joins.
fn joined_message(key: &str) -> String {
    format!(
        "the value goes on in the next line, and YAML joins lines by a space: write {} in one line, or `{key}: |` above the lines",
        quoted_entry(key, "…")
    )
}

/// True if the line of an empty value holds a comment that looks like a value: `#ok`.
pub(super) fn is_comment(written: &str) -> bool {
    let line = written.lines().next().unwrap_or_default().trim_start();
    line.strip_prefix('#').is_some_and(looks_like_value)
}

/// True if the text of a comment, after its `#`, looks more like a part of a value.
fn looks_like_value(comment: &str) -> bool {
    comment.starts_with(|c: char| !c.is_whitespace() && c != '#')
}

/// Message for a value that is a comment to YAML.
pub(super) fn comment_message(key: &str) -> String {
    format!(
        "has no value, because YAML takes what begins with `#` for a comment: write {}",
        quoted_entry(key, "#…")
    )
}

/// True if a value is the word null, perhaps followed by other items or a comment.
fn is_null(written: &str) -> bool {
    let word = written.split([',', '}', ' ', '\t']).next().unwrap_or_default();
    ["null", "Null", "NULL"].contains(&word)
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
