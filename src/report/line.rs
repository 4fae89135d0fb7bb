//! One line of the log.

use super::names::one_line;

/// What a line is, for its color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// A fact.
    Plain,
    /// It went well.
    Good,
    /// To know.
    Warn,
    /// It went wrong.
    Bad,
    /// Of less interest.
    Dim,
    /// Begins a group with this title.
    GroupStart,
    /// Ends the group; no text.
    GroupEnd,
}

/// One line of the log: no line break in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it is.
    pub(crate) level: Level,
    /// Its text.
    pub(crate) text: String,
    /// Whether text from outside is in it, which must not be read as a command of the runner.
    pub(crate) foreign: bool,
}

impl Line {
    /// A line of words and numbers of ours alone.
    pub(crate) fn own(level: Level, text: impl Into<String>) -> Line {
        Line { level, text: text.into(), foreign: false }
    }

    /// Lines with text from outside: one for each line of the text, its spaces kept.
    pub(crate) fn foreign(level: Level, text: &str) -> Vec<Line> {
        let clean = |line: &str| Line { level, text: plain(line), foreign: true };
        text.lines().map(clean).collect()
    }
}

/// The line with each of its words made plain; the spaces between them stay, and with them the indentation.
fn plain(line: &str) -> String {
    line.split(' ').map(one_line).collect::<Vec<_>>().join(" ")
}

/// The line with its color (ANSI), if colors are on.
pub(crate) fn paint(line: &Line, color: bool) -> String {
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
        assert_eq!(paint(&line, true), "\u{1b}[1;31mfailed\u{1b}[0m");
        assert_eq!(paint(&line, false), "failed");
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
