//! The demo's output: the narration on stdout, and one line of live numbers on stderr.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Columns of text before a line break.
const WIDTH: usize = 80;

/// The terminal, or two pipes.
pub(super) struct Screen {
    /// True if stderr is a terminal: the live line is renewed in place.
    in_place: bool,
    /// True if stdout accepts colors.
    pub(super) color: bool,
    /// The live line at the bottom; empty if there is none.
    live: Mutex<String>,
}

impl Screen {
    /// The screen of this process.
    pub(super) fn of_process() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            in_place: io::stderr().is_terminal(),
            color: wanted && io::stdout().is_terminal(),
            live: Mutex::default(),
        }
    }

    /// Time between updates of the live line: a terminal shows movement, a log stays short.
    pub(super) fn period(&self) -> Duration {
        if self.in_place { Duration::from_millis(200) } else { Duration::from_secs(5) }
    }

    /// Prints lines. A closed pipe does not stop the demo, whose exit code still counts.
    pub(super) fn say(&self, text: &str) {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        self.erase(&live);
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
        if self.in_place {
            draw(&live);
        }
    }

    /// Prints a paragraph of plain text, broken into lines.
    pub(super) fn tell(&self, text: &str) {
        for line in broken(text, WIDTH) {
            self.say(&line);
        }
    }

    /// Prints a paragraph in the middle of a part.
    pub(super) fn aside(&self, text: &str) {
        self.say("");
        self.tell(text);
    }

    /// Prints the heading of a part.
    pub(super) fn heading(&self, text: &str) {
        let bar = "═".repeat(WIDTH.saturating_sub(text.chars().count() + 4));
        self.say(&format!("\n{}", self.bold(&format!("══ {text} {bar}"))));
    }

    /// Bold text, if colors are accepted.
    pub(super) fn bold(&self, text: &str) -> String {
        if self.color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Renews the live line.
    pub(super) fn live(&self, text: &str) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        self.erase(&live);
        if self.in_place {
            text.clone_into(&mut live);
            draw(&live);
        } else {
            let _ = writeln!(io::stderr(), "{text}");
        }
    }

    /// Removes the live line.
    pub(super) fn clear(&self) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        self.erase(&live);
        live.clear();
    }

    /// Erases the live line, if any.
    fn erase(&self, live: &str) {
        if self.in_place && !live.is_empty() {
            let _ = write!(io::stderr(), "\r\u{1b}[2K");
        }
    }
}

/// Draws the live line; a narrow terminal cuts the line.
fn draw(live: &str) {
    if !live.is_empty() {
        let mut err = io::stderr().lock();
        let _ = write!(err, "\u{1b}[?7l\u{1b}[7m {live} \u{1b}[0m\u{1b}[?7h").and_then(|()| err.flush());
    }
}

/// Breaks a paragraph between words.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_break_between_words() {
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("unbreakable x", 4), ["unbreakable", "x"]);
        assert_eq!(broken("", 4), [""]);
    }
}
