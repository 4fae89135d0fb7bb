//! Secrets in the logs of containers whose values the run does not know: found by their place.

use std::collections::BTreeSet;

use super::HIDDEN;

/// The text without the values that follow one of these names: `NAME=value`, `NAME: value`, `"NAME":"value"`. A value
/// without quotes ends at white space.
pub(super) fn hide_named(text: &str, names: &BTreeSet<String>) -> String {
    names.iter().fold(text.to_owned(), |text, name| hide_one(&text, name))
}

/// The same for one name.
fn hide_one(text: &str, name: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(name).filter(|_| !name.is_empty()) {
        let (before, found) = rest.split_at(at);
        let (name, after) = found.split_at(name.len());
        out.push_str(before);
        out.push_str(name);
        rest = after;
        if out.strip_suffix(name).is_some_and(|before| before.ends_with(is_of_name)) {
            continue;
        }
        if let Some((start, length)) = value_after(after) {
            out.push_str(&after[..start]);
            out.push_str(HIDDEN);
            rest = &after[start + length..];
        }
    }
    out + rest
}

/// True for a character of a variable's name.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Start and length of the value that follows a name, if one does.
fn value_after(text: &str) -> Option<(usize, usize)> {
    let spaces = [' ', '\t', '\\', '"', '\''];
    let sign = text.trim_start_matches(spaces);
    let sign = sign
        .strip_prefix("=>")
        .or_else(|| sign.strip_prefix(['=', ':']))?
        .trim_start_matches([' ', '\t', '\\']);
    let (quote, value) = match sign.chars().next() {
        Some(quote @ ('"' | '\'')) => (Some(quote), &sign[1..]),
        _ => (None, sign),
    };
    let line = value.find('\n').unwrap_or(value.len());
    let length = match quote {
        Some(quote) => end_of_quoted(&value[..line], quote),
        None => value[..line].find(char::is_whitespace).unwrap_or(line),
    };
    (length > 0).then_some((text.len() - value.len(), length))
}

/// Length of a value up to its closing quote, or up to the end of the line.
fn end_of_quoted(value: &str, quote: char) -> usize {
    let closing = value.char_indices().find(|(at, c)| *c == quote && !is_escaped(&value[..*at]));
    closing.map_or(value.len(), |(at, _)| at)
}

/// True if an odd number of backslashes precedes.
fn is_escaped(before: &str) -> bool {
    before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// The text without private keys in PEM (RFC 7468). A key whose beginning is missing is hidden from the start of the text.
pub(super) fn hide_keys(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    loop {
        let (begin, end) = (key_mark(rest, "-----BEGIN "), key_mark(rest, "-----END "));
        let Some((start, _)) = begin.or(end) else { return out + rest };
        let start = if end.is_some_and(|(end, _)| end <= start) { 0 } else { start };
        out.push_str(&rest[..start]);
        out.push_str(HIDDEN);
        rest = key_mark(&rest[start..], "-----END ").map_or("", |(_, after)| &rest[start + after..]);
    }
}

/// Start and end of the first line of dashes that begins or ends a private key.
fn key_mark(text: &str, prefix: &str) -> Option<(usize, usize)> {
    text.match_indices(prefix).find_map(|(at, _)| {
        let label = text[at + prefix.len()..].lines().next()?.split("-----").next()?;
        let end = at + prefix.len() + label.len();
        let is_key = label.ends_with("PRIVATE KEY") && text[end..].starts_with("-----");
        is_key.then_some((at, end + 5))
    })
}

/// The text without the passwords of URLs: `scheme://user:password@host`.
pub(super) fn hide_passwords(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let word = after.find(|c: char| c.is_whitespace() || c == '"' || c == '\'').unwrap_or(after.len());
        rest = after;
        let Some(at) = after[..word].rfind('@') else { continue };
        if let Some(colon) = after[..at].find(':') {
            out.push_str(&after[..=colon]);
            out.push_str(HIDDEN);
            rest = &after[at..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text without the values of two names.
    fn hidden(text: &str) -> String {
        hide_named(text, &["DB_PASSWORD", "TOKEN"].map(str::to_owned).into())
    }

    #[test]
    fn invariant_32_a_value_after_a_secrets_name_is_hidden() {
        let table = [
            ("DB_PASSWORD=hunter2 TOKEN=a,b;c next", "DB_PASSWORD=*** TOKEN=*** next"),
            ("DB_PASSWORD: hunter2", "DB_PASSWORD: ***"),
            ("DB_PASSWORD => 'two words' end", "DB_PASSWORD => '***' end"),
            (r#"{"DB_PASSWORD":"hun\"ter2","b":1}"#, r#"{"DB_PASSWORD":"***","b":1}"#),
            (r#"{\"DB_PASSWORD\": \"hunter2\"}"#, r#"{\"DB_PASSWORD\": \"***"#),
            ("MY_TOKEN=x TOKENS=y", "MY_TOKEN=x TOKENS=y"),
            ("DB_PASSWORD is missing; TOKEN=\nnext", "DB_PASSWORD is missing; TOKEN=\nnext"),
            ("TOKEN=TOKEN=x y", "TOKEN=*** y"),
        ];
        for (text, shown) in table {
            assert_eq!(hidden(text), shown, "{text}");
        }
    }

    #[test]
    fn invariant_32_the_password_of_a_url_is_hidden() {
        let table = [
            (
                "to postgres://shop:p@ss/word@db:5432/shop failed",
                "to postgres://shop:***@db:5432/shop failed",
            ),
            ("redis://:secret@cache http://host:80/a", "redis://:***@cache http://host:80/a"),
            ("https://user@host", "https://user@host"),
        ];
        for (text, shown) in table {
            assert_eq!(hide_passwords(text), shown, "{text}");
        }
    }

    #[test]
    fn invariant_32_a_private_key_is_hidden() {
        let table = [
            ("a\n-----BEGIN PRIVATE KEY-----\nMII\nabc\n-----END PRIVATE KEY-----\nb", "a\n***\nb"),
            ("MII\n-----END RSA PRIVATE KEY-----\nb", "***\nb"),
            ("KEY=-----BEGIN EC PRIVATE KEY-----\nMII", "KEY=***"),
            (r"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY----- c", "*** c"),
            (
                "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
                "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
            ),
            ("-----BEGIN PRIVATE KEY\n-----END ", "-----BEGIN PRIVATE KEY\n-----END "),
        ];
        for (text, shown) in table {
            assert_eq!(hide_keys(text), shown, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_searched(text in "(?s)(TOKEN|=|:|\"|'|\\\\|://|@|ä|\n| |-----BEGIN |-----END |PRIVATE KEY|-----|.){0,30}") {
            let shown = hide_passwords(&hidden(&hide_keys(&text)));
            prop_assert!(shown.len() <= text.len() + 3 * text.len().max(1));
        }
    }
}
