//! One line of the log.

use super::names::one_line;

/// The kind of a line, which decides its color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A fact.
    Plain,
    /// A success.
    Good,
    /// Something to know.
    Warn,
    /// A failure.
    Bad,
    /// Of less interest.
    Dim,
    /// Begins a group with this title.
    GroupStart,
    /// Ends the group; no text.
    GroupEnd,
}

/// One line of the log, without line breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The kind.
    pub(crate) level: Level,
    /// The text.
    pub(crate) text: String,
    /// True if the line holds text from outside, which must not be read as a command of the runner.
    pub(crate) foreign: bool,
}

impl Line {
    /// A line that holds only the action's own words and numbers.
    pub(crate) fn own(level: Level, text: impl Into<String>) -> Line {
        Line { level, text: text.into(), foreign: false }
    }

    /// Lines with text from outside: one line for each line of the text, with its spaces.
    pub(crate) fn foreign(level: Level, text: &str) -> Vec<Line> {
        let clean = |line: &str| Line { level, text: plain_words(line), foreign: true };
        text.lines().map(clean).collect()
    }
}

/// The line with each word made plain; the spaces between words stay, and so does the indentation.
fn plain_words(line: &str) -> String {
    line.split(' ').map(one_line).collect::<Vec<_>>().join(" ")
}

/// The line with its color (ANSI), if colors are on.
pub(crate) fn paint_line(line: &Line, color: bool) -> String {
    let code = match line.level {
        Level::Plain | Level::GroupStart | Level::GroupEnd => None,
        Level::Good => Some("32"),
        Level::Warn => Some("33"),
        Level::Bad => Some("1;31"),
        Level::Dim => Some("2"),
    };
    match code {
        Some(code) if color && !line.text.is_empty() => format!("\u{1b}[{code}m{}\u{1b}[0m", line.text),
        Some(_) | None => line.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn colors_are_on_only_when_asked_for() {
        let line = Line::own(Level::Bad, "failed");
        assert_eq!(paint_line(&line, true), "\u{1b}[1;31mfailed\u{1b}[0m");
        assert_eq!(paint_line(&line, false), "failed");
    }

    #[test]
    fn what_is_to_be_pasted_keeps_its_indentation() {
        let lines = Line::foreign(Level::Plain, "Do this:\n  with:\n    color: idle");
        let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["Do this:", "  with:", "    color: idle"]);
    }

    proptest! {
        #[test]
        fn no_foreign_text_breaks_a_line_or_colors_it(text in "(?s).{0,200}|[\\x00-\\x7f]{0,80}") {
            for line in Line::foreign(Level::Plain, &text) {
                prop_assert!(!line.text.contains(|c: char| c.is_control()), "{:?}", line.text);
            }
        }
    }
}
