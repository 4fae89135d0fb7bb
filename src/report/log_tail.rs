//! The last lines of a failed container's log, for the job log, the summary and the comment.

use super::line::{Level, Line};
use super::markdown::{code_block, inline_code, render_message};
use super::names::in_backticks;
use super::secrets::mask_log;
use super::words;
use crate::event::LogTail;

/// Most lines.
const MOST_LINES: usize = 20;

/// Most bytes of all lines, with their line ends.
const MOST_BYTES: usize = 4_096;

/// Most characters of a line.
const LONGEST_LINE: usize = 500;

/// The last lines for the job log.
pub(super) fn tail_lines(tail: &LogTail) -> Vec<Line> {
    match last_lines(tail) {
        Ok(lines) => {
            let title = format!("{}:", words::last_lines_title(&in_backticks(&tail.container), lines.len()));
            let quoted = lines.iter().flat_map(|line| Line::foreign(Level::Dim, &format!("| {line}")));
            Line::foreign(Level::Plain, &title).into_iter().chain(quoted).collect()
        }
        Err(why) => Line::foreign(Level::Plain, &why),
    }
}

/// The last lines as a block that can be folded; `open` to show it unfolded.
pub(super) fn tail_section(tail: &LogTail, open: bool) -> String {
    match last_lines(tail) {
        Ok(lines) => {
            let title = words::last_lines_title(&inline_code(&tail.container), lines.len());
            let open = if open { " open" } else { "" };
            format!(
                "<details{open}><summary>{title}</summary>\n\n{}\n</details>\n\n",
                code_block("text", &lines)
            )
        }
        Err(why) => render_message(&why),
    }
}

/// The last lines, or the reason that there are none.
fn last_lines(tail: &LogTail) -> Result<Vec<String>, String> {
    let events = tail.events.as_ref().map_err(|trouble| words::log_not_shown(&tail.container, trouble))?;
    let lines = shown_lines(events);
    if lines.is_empty() { Err(words::log_is_empty(&tail.container)) } else { Ok(lines) }
}

/// The last lines of events: without control sequences, with values hidden, cut to a readable size from the top.
fn shown_lines(events: &[String]) -> Vec<String> {
    let text = without_escapes(&events.join("\n"));
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(MOST_LINES)..];
    // Hidden before a line is cut: the rest of a cut value would be unknown. Hidden again without control characters,
    // which can stand between the letters of a value, as in UTF-16.
    let hidden = mask_log(&last.join("\n"));
    let visible: String = hidden.chars().filter(|c| matches!(c, '\n' | '\t') || is_shown(*c)).collect();
    let hidden = mask_log(&visible);
    let (mut room, mut shown) = (MOST_BYTES, Vec::new());
    for line in hidden.lines().rev().map(plain_line) {
        let Some(left) = room.checked_sub(line.len() + 1) else { break };
        room = left;
        shown.push(line);
    }
    shown.reverse();
    shown
}

/// A line without control characters and marks that change the reading direction, cut at `LONGEST_LINE` characters.
fn plain_line(line: &str) -> String {
    let line: String = line.replace('\t', "    ").trim_end().chars().filter(|c| is_shown(*c)).collect();
    if line.chars().count() <= LONGEST_LINE {
        return line;
    }
    line.chars().take(LONGEST_LINE - 1).chain(['…']).collect()
}

/// True for a character without an effect on others.
fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

/// Text without the escape sequences of terminals (ECMA-48), and with line feeds as the only line ends.
fn without_escapes(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, escaped)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after_escape(escaped);
    }
    out.push_str(rest);
    out.replace("\r\n", "\n").replace('\r', "\n")
}

/// The text after an escape sequence, whose escape character is gone already. A sequence ends at its line.
fn after_escape(text: &str) -> &str {
    let mut letters = text.char_indices();
    let end = match letters.next() {
        // Colors and the cursor: parameters, then a final letter.
        Some((_, '[')) => letters.find(|(_, c)| !(' '..='?').contains(c)),
        // Titles and links: up to a bell or a string terminator.
        Some((_, ']' | 'P' | '_' | '^' | 'X')) => letters.find(|(_, c)| matches!(c, '\u{7}' | '\\' | '\n')),
        Some((_, '(' | ')' | '#' | '%')) => letters.next(),
        first => first,
    };
    match end {
        Some((at, '\n')) => &text[at..],
        Some((at, c)) => &text[at + c.len_utf8()..],
        None => "",
    }
}

#[cfg(test)]
mod tests;
