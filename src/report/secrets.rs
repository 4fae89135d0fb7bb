//! Values that foreign text may repeat, and the only way to show such text: with these values hidden.
//!
//! Values are hidden on output, not on input: a value learned late is hidden in text read earlier, and plans see AWS's
//! original text.

mod logged;

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::names::one_line;
use crate::plan::definition::Content;

/// Fewest characters of a hidden value: shorter values occur in too many words.
pub(crate) const SHORTEST: usize = 4;

/// Fewest characters of a value's beginning that is hidden if the text ends there without a mark of a cut.
const SHORTEST_BEGINNING: usize = 8;

/// Replaces a value.
const HIDDEN: &str = "***";

thread_local! {
    /// The names of variables whose values only ECS knows.
    static NAMES: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
    /// The values that the run on this thread knows, in each form in which AWS repeats them. A run never leaves its thread.
    static VALUES: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

/// Forgets all values, at the start of a run.
pub(crate) fn forget() {
    VALUES.take();
    NAMES.take();
}

/// Hides values from now on, whole and line by line.
pub(crate) fn register_secrets<'a>(values: impl IntoIterator<Item = &'a str>) {
    for value in values {
        let forms = std::iter::once(value).chain(secret_lines(value)).flat_map(value_forms);
        VALUES.with_borrow_mut(|known| known.extend(forms));
    }
}

/// Hides the values of a task definition from now on.
pub(crate) fn register_definition(content: &Content) {
    register_secrets(content.environment_values());
    register_secret_names(content.secret_names());
}

/// Hides the values of these variables in logs from now on: ECS reads them from Secrets Manager or Parameter Store, and the
/// run never does.
pub(super) fn register_secret_names<'a>(names: impl IntoIterator<Item = &'a str>) {
    NAMES.with_borrow_mut(|known| known.extend(names.into_iter().map(str::to_owned)));
}

/// The lines of a value that are long enough to be hidden, without surrounding space.
pub(crate) fn secret_lines(value: &str) -> impl Iterator<Item = &str> {
    value.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST)
}

/// Foreign text with the known values hidden. Each message, reason, code and description of AWS, and each error of a
/// probe, passes here before any output (invariant 32). The action's own words do not: a value may be `true`.
pub(crate) fn mask_secrets(text: &str) -> String {
    VALUES.with_borrow(|known| replace_values(text, known))
}

/// The same on one line.
pub(crate) fn mask_line(text: &str) -> String {
    one_line(&mask_secrets(text))
}

/// A log with the known values hidden, and with the values that follow a secret's name, private keys, and the passwords of
/// URLs.
pub(crate) fn mask_log(text: &str) -> String {
    let text = logged::hide_keys(&mask_secrets(text));
    let text = NAMES.with_borrow(|names| logged::hide_named(&text, names));
    logged::hide_passwords(&text)
}

/// A value unchanged, and in its forms in JSON, in JSON inside JSON, and in URLs.
fn value_forms(value: &str) -> Vec<String> {
    let (json, url) = (json_form(value), url_form(value));
    let all = [
        value.to_owned(),
        one_line(value),
        self::json_form(&json),
        json,
        url.to_lowercase(),
        form_encoding(&url),
        url,
    ];
    all.into_iter().filter(|form| form.chars().count() >= SHORTEST).collect()
}

/// The text with each value replaced; overlapping values are replaced together.
fn replace_values(text: &str, values: &BTreeSet<String>) -> String {
    let (mut shown, mut until) = (String::new(), 0);
    for (at, letter) in text.char_indices() {
        let rest = &text[at..];
        let length = values.iter().filter_map(|value| matching_length(rest, value)).max().unwrap_or_default();
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

/// Number of bytes of the value that the text begins with: all, or a beginning that ends at a cut of the text.
fn matching_length(text: &str, value: &str) -> Option<usize> {
    if text.starts_with(value) {
        return Some(value.len());
    }
    let same = text.chars().zip(value.chars()).take_while(|(one, other)| one == other);
    let (count, length) = same.fold((0, 0), |(count, length), (one, _)| (count + 1, length + one.len_utf8()));
    let rest = &text[length..];
    let shortest =
        if rest.starts_with("...") || rest.starts_with('…') { SHORTEST } else { SHORTEST_BEGINNING };
    // The rest of a long text is searched only behind a beginning.
    let is_cut = || shortest == SHORTEST || rest.trim_end_matches(['.', ' ', '"', '\'', ')']).is_empty();
    (count >= shortest && is_cut()).then_some(length)
}

/// A value inside a JSON string.
fn json_form(value: &str) -> String {
    let text = serde_json::Value::from(value).to_string();
    text.get(1..text.len() - 1).unwrap_or_default().to_owned()
}

/// A value inside a URL (RFC 3986).
fn url_form(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    value.bytes().map(one).collect()
}

/// A form's value, which writes a space as `+`.
fn form_encoding(url: &str) -> String {
    url.replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text with these values hidden.
    fn without(values: &[&str], text: &str) -> String {
        let known = values.iter().flat_map(|value| std::iter::once(*value).chain(secret_lines(value)));
        replace_values(text, &known.flat_map(value_forms).collect())
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
