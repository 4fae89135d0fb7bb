//! Values that text of others may repeat, and the one way in which such text is shown: with these values hidden.
//!
//! They are hidden when text is shown, not when it is read: so a value that is learned late is hidden in what was read
//! before it, and plans see what AWS said.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::names::one_line;

/// Fewest characters of a value that is hidden: shorter ones are in too many words.
pub(crate) const SHORTEST: usize = 4;

/// Fewest characters of a value's beginning that is hidden where the text simply ends, without a mark that it was cut.
const SHORTEST_BEGINNING: usize = 8;

/// Replaces a value.
const HIDDEN: &str = "***";

thread_local! {
    /// The values that the run on this thread knows, in each form in which AWS repeats them. A run never leaves its thread.
    static VALUES: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Forgets all values, at the start of a run.
pub(crate) fn forget() {
    VALUES.take();
}

/// Has values hidden from here on, whole and line by line.
pub(crate) fn hide<'a>(values: impl IntoIterator<Item = &'a str>) {
    for value in values {
        let forms = std::iter::once(value).chain(lines(value)).flat_map(forms);
        VALUES.with_borrow_mut(|known| known.extend(forms));
    }
}

/// The lines of a value that are long enough to be hidden, without the space around them.
pub(crate) fn lines(value: &str) -> impl Iterator<Item = &str> {
    value.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST)
}

/// Text of others with the known values hidden. Each message, reason, code and description of AWS, and each error of a
/// probe, passes here before a word of it is shown (invariant 32). Words of ours do not: a value may be `true`.
pub(crate) fn masked(text: &str) -> String {
    VALUES.with_borrow(|known| hidden(text, known))
}

/// The same on one line.
pub(crate) fn foreign(text: &str) -> String {
    one_line(&masked(text))
}

/// A value as it is, and as JSON, JSON in JSON, and URLs write it.
fn forms(value: &str) -> Vec<String> {
    let (json, url) = (json(value), encoded(value));
    let all =
        [value.to_owned(), one_line(value), self::json(&json), json, url.to_lowercase(), plus(&url), url];
    all.into_iter().filter(|form| form.chars().count() >= SHORTEST).collect()
}

/// The text with each value replaced; values that overlap are replaced together.
fn hidden(text: &str, values: &BTreeSet<String>) -> String {
    let (mut shown, mut until) = (String::new(), 0);
    for (at, letter) in text.char_indices() {
        let rest = &text[at..];
        let length = values.iter().filter_map(|value| repeated(rest, value)).max().unwrap_or_default();
        if length > 0 && at >= until {
            shown.push_str(HIDDEN);
        }
        until = until.max(at + length);
        if at >= until {
            shown.push(letter);
        }
    }
    shown
}

/// How many bytes of the value the text begins with: all, or a beginning that the text was cut after.
fn repeated(text: &str, value: &str) -> Option<usize> {
    if text.starts_with(value) {
        return Some(value.len());
    }
    let same = text.chars().zip(value.chars()).take_while(|(one, other)| one == other);
    let (count, length) = same.fold((0, 0), |(count, length), (one, _)| (count + 1, length + one.len_utf8()));
    let rest = &text[length..];
    let shortest =
        if rest.starts_with("...") || rest.starts_with('…') { SHORTEST } else { SHORTEST_BEGINNING };
    let is_cut = shortest == SHORTEST || rest.trim_end_matches(['.', ' ', '"', '\'', ')']).is_empty();
    (is_cut && count >= shortest).then_some(length)
}

/// A value inside a JSON string.
fn json(value: &str) -> String {
    let text = serde_json::Value::from(value).to_string();
    text.get(1..text.len() - 1).unwrap_or_default().to_owned()
}

/// A value inside a URL (RFC 3986).
fn encoded(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(one).collect()
}

/// A value of a form, which writes a space as `+`.
fn plus(url: &str) -> String {
    url.replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text with these values hidden.
    fn without(values: &[&str], text: &str) -> String {
        let known = values.iter().flat_map(|value| std::iter::once(*value).chain(lines(value)));
        hidden(text, &known.flat_map(forms).collect())
    }

    #[test]
    fn invariant_32_a_value_is_hidden_in_each_form() {
        let values = ["p4ss \"x\"/y", "abc", "line-one\n  line-two\nabc", "true"];
        let table = [
            ("bad p4ss \"x\"/y!", "bad ***!"),
            (r#"{"v":"p4ss \"x\"/y"}"#, r#"{"v":"***"}"#),
            (r#""{\"v\":\"p4ss \\\"x\\\"/y\"}""#, r#""{\"v\":\"***\"}""#),
            ("?v=p4ss%20%22x%22%2Fy&", "?v=***&"),
            ("?v=p4ss%20%22x%22%2fy&", "?v=***&"),
            ("?v=p4ss+%22x%22%2Fy&", "?v=***&"),
            ("abc stays", "abc stays"),
            ("line-two alone", "*** alone"),
            ("it is true", "it is ***"),
        ];
        for (text, shown) in table {
            assert_eq!(without(&values, text), shown, "{text}");
        }
    }

    #[test]
    fn invariant_32_values_that_overlap_or_hold_another_are_hidden_whole() {
        assert_eq!(without(&["hunter", "hunter22"], "hunter22 hunter"), "*** ***");
        assert_eq!(without(&["abcdef", "defghi"], "abcdefghi"), "***");
        assert_eq!(without(&["aaaa"], "aaaaaa"), "***");
    }

    #[test]
    fn invariant_32_a_value_that_is_cut_is_hidden() {
        let values = ["Zsecret-value-1"];
        let table = [
            ("'Zsec...' is wrong", "'***...' is wrong"),
            ("Zsecret-val… and more", "***… and more"),
            ("ends in Zsecret-va", "ends in ***"),
            ("ends in Zsec", "ends in Zsec"),
            ("Zsecret-other", "Zsecret-other"),
        ];
        for (text, shown) in table {
            assert_eq!(without(&values, text), shown, "{text}");
        }
    }

    proptest! {
        #[test]
        fn invariant_32_no_value_survives(value in "\\PC{4,12}", before in "[a-z]{0,5}", after in "[A-Z]{0,5}") {
            let told = without(&[&value], &format!("{before}{value}{after}"));
            let looks_hidden = HIDDEN.contains(value.trim()) || value.chars().all(|letter| letter == '*');
            prop_assert!(!told.contains(&value) || looks_hidden, "{}", told);
        }
    }
}
