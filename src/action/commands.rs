//! Workflow commands in the runner's format: pure functions that return lines without the line end.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// The level of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnnotationLevel {
    /// `::error`.
    Error,
    /// `::warning`.
    Warning,
    /// `::notice`.
    Notice,
}

impl AnnotationLevel {
    /// The command's name.
    fn word(self) -> &'static str {
        match self {
            AnnotationLevel::Error => "error",
            AnnotationLevel::Warning => "warning",
            AnnotationLevel::Notice => "notice",
        }
    }
}

/// The runner's limit on an annotation's message, in characters.
const MESSAGE_LIMIT: usize = 4_096;
/// The runner's limit on annotations of a level in a step.
const STEP_LIMIT: usize = 10;

/// An annotation. A message over the limit is cut, with `…` for the rest.
pub(crate) fn annotation(level: AnnotationLevel, title: &str, message: &str) -> String {
    format!(
        "::{} title={}::{}",
        level.word(),
        escape_property(&truncate_text(&without_legacy_commands(title), 200)),
        escape_data(&truncate_text(&without_legacy_commands(message), MESSAGE_LIMIT))
    )
}

/// Counts the annotations of a step, because the runner silently drops those over its limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Annotations {
    /// Number of errors, warnings and notices so far.
    made: [usize; 3],
}

impl Annotations {
    /// The next annotation, or a plain line above the runner's limit for this level.
    pub(crate) fn next(&mut self, level: AnnotationLevel, title: &str, message: &str) -> String {
        let index = match level {
            AnnotationLevel::Error => 0,
            AnnotationLevel::Warning => 1,
            AnnotationLevel::Notice => 2,
        };
        self.made[index] += 1;
        if self.made[index] <= STEP_LIMIT {
            return annotation(level, title, message);
        }
        without_commands(&format!("{}: {title}: {message}", level.word()))
    }
}

/// A line that the runner shows only with debug logging.
pub(crate) fn debug_command(text: &str) -> String {
    format!("::debug::{}", escape_data(&without_legacy_commands(&strip_control_chars(text))))
}

/// Begins a foldable group of lines.
pub(crate) fn group_command(name: &str) -> String {
    format!("::group::{}", escape_data(&without_legacy_commands(name)))
}

/// Ends the group.
pub(crate) fn endgroup_command() -> &'static str {
    "::endgroup::"
}

/// Makes the runner show `***` for a value from here on; none for a blank value, which would mask everything.
pub(crate) fn mask_command(value: &str) -> Option<String> {
    (!value.trim().is_empty()).then(|| format!("::add-mask::{}", escape_data(value)))
}

/// A line of foreign text that can't be a command: without control characters, and without the start of a command.
pub(crate) fn without_commands(text: &str) -> String {
    let line: String = without_legacy_commands(&strip_control_chars(text))
        .chars()
        .map(|c| if c == '\n' { ' ' } else { c })
        .collect();
    match line.trim_start().strip_prefix("::") {
        Some(rest) => format!(": :{rest}"),
        None => line,
    }
}

/// Text without the runner's old commands, which the runner reads anywhere in a line.
fn without_legacy_commands(text: &str) -> String {
    text.replace("##[", "# #[")
}

/// Text without control characters, except tab and line feed, and without characters that reorder text.
pub(crate) fn strip_control_chars(text: &str) -> String {
    let kept = |c: &char| match c {
        '\n' | '\t' => true,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => false,
        c => !c.is_control(),
    };
    text.replace("\r\n", "\n").chars().filter(kept).collect()
}

/// 32 unpredictable hexadecimal digits: the standard library seeds its hashers from the system's randomness.
pub(crate) fn random_token() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

/// At most `limit` characters; a cut text ends with `…`.
fn truncate_text(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit - 1).chain(['…']).collect()
}

/// Escapes the data of a command (the runner's `EscapeData`).
fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command (the runner's `EscapeProperty`).
fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the runner does to data, in its order.
    fn unescaped(text: &str) -> String {
        let text = text.replace("%3A", ":").replace("%2C", ",");
        text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    }

    #[test]
    fn commands_are_escaped() {
        let table = [
            (
                annotation(AnnotationLevel::Error, "a: b, c", "50%: x,\r\ny"),
                "::error title=a%3A b%2C c::50%25: x,%0D%0Ay",
            ),
            (annotation(AnnotationLevel::Warning, "t", "::error::x"), "::warning title=t::::error::x"),
            (group_command("a\nb"), "::group::a%0Ab"),
            (endgroup_command().to_owned(), "::endgroup::"),
        ];
        for (found, wanted) in table {
            assert_eq!(found, wanted);
        }
        assert_eq!(mask_command("p%w"), Some("::add-mask::p%25w".to_owned()));
        assert_eq!(mask_command(" \n"), None);
    }

    #[test]
    fn a_message_keeps_the_limit_of_the_runner() {
        let line = annotation(AnnotationLevel::Error, "t", &"ä".repeat(5_000));
        let message = line.strip_prefix("::error title=t::").unwrap();
        assert_eq!(message.chars().count(), 4_096);
        assert!(message.ends_with("ä…"));
    }

    #[test]
    fn the_eleventh_annotation_of_a_level_is_a_plain_line() {
        let mut annotations = Annotations::default();
        for _ in 0..10 {
            assert_eq!(annotations.next(AnnotationLevel::Warning, "t", "m"), "::warning title=t::m");
        }
        assert_eq!(annotations.next(AnnotationLevel::Warning, "t", "m\nn"), "warning: t: m n");
        assert_eq!(annotations.next(AnnotationLevel::Error, "t", "m"), "::error title=t::m");
    }

    #[test]
    fn foreign_text_can_not_command() {
        assert_eq!(without_commands(" ::set-env name=a::b\n::error::c"), ": :set-env name=a::b ::error::c");
        assert_eq!(without_commands("a ##[error]"), "a # #[error]");
        assert_eq!(strip_control_chars("a\u{202e}b\u{7}\tc"), "ab\tc");
    }

    #[test]
    fn tokens_are_long_and_differ() {
        let (one, two) = (random_token(), random_token());
        assert_ne!(one, two);
        assert!(one.len() == 32 && one.bytes().all(|b| b.is_ascii_hexdigit()));
    }

    proptest! {
        #[test]
        fn what_is_escaped_reads_back(text in "(?s)(%|%25|%3A|:|,|\r|\n|.){0,40}") {
            prop_assert_eq!(unescaped(&escape_property(&text)), text.clone());
            let one_line = !escape_data(&text).contains(['\r', '\n']);
            prop_assert!(one_line);
        }

        #[test]
        fn harmless_lines_are_never_commands(text in "(?s)(::|##\\[|#|\u{7}|\u{200e}| |\n|.){0,20}") {
            let line = without_commands(&text);
            prop_assert!(!line.trim_start().starts_with("::") && !line.contains("##[") && !line.contains('\n'));
        }
    }

    #[test]
    fn invariant_32_an_old_command_is_text_in_every_line_that_is_printed() {
        for line in [
            annotation(AnnotationLevel::Error, "a ##[b]", "c ##[error]d"),
            group_command("##[group]x"),
            without_commands("x ##[y]"),
        ] {
            assert!(!line.contains("##["), "{line}");
        }
    }
}
