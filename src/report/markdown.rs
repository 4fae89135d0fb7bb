//! GitHub Markdown from foreign text: the result is always inert.

use super::names::one_line;

/// Longest line of a block; a summary has room for 1 MiB.
const LONGEST_LINE: usize = 10_000;

/// A space without width: GitHub then sees plain text instead of a mention or a reference.
const BREAK: &str = "&#8203;";

/// Text for the middle of a line or a cell: no HTML, no markup, no mention, no reference, no link, no line break.
pub(crate) fn inline_text(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let before = rest;
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        push_escaped(&mut out, c);
        let link = before.starts_with("://") || (c == 'w' && rest.starts_with('.'));
        let issue = c == '-' && ends_with_gh(&out);
        if matches!(c, '@' | '#') || link || issue {
            out.push_str(BREAK);
        }
    }
    out
}

/// True if the text ends with `GH-`: a number behind `GH-` would be a reference.
fn ends_with_gh(text: &str) -> bool {
    text.len() >= 3 && text.get(text.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case("gh-"))
}

/// Text for a table's cell; an empty text becomes a dash.
pub(crate) fn table_cell(text: &str) -> String {
    let text = inline_text(text);
    if text.is_empty() { "–".to_owned() } else { text }
}

/// Text in fixed width, fit for a line or a cell. An address can be copied and is no link: `<wbr>` splits everything
/// that GitHub would link, and does not appear in copied text.
pub(crate) fn inline_code(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in one_line(text).chars() {
        if c == '@' {
            out.push_str("<wbr>");
        }
        push_escaped(&mut out, c);
        if c == '@' {
            out.push_str("<wbr>");
        }
    }
    let parted = ["www.", "WWW.", "Www."]
        .iter()
        .fold(out, |out, start| out.replace(start, &start.replace('.', "<wbr>.")));
    parted.replace("://", "&#58;<wbr>//") + "</code>"
}

/// One character, as an entity if Markdown or HTML gives the character a meaning.
fn push_escaped(out: &mut String, c: char) {
    if matches!(c, '&' | '<' | '>' | '`' | '*' | '_' | '[' | ']' | '|' | '\\' | '~' | '$' | '@' | '#') {
        out.push_str(&format!("&#{};", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// A sentence of the action: text between backticks becomes code, other text is made inert.
pub(crate) fn render_prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let whole = parts.len() % 2 == 1;
    let render = |(at, part): (usize, &&str)| match (at % 2 == 1 && whole, part.is_empty()) {
        (_, true) => String::new(),
        (true, false) => inline_code(part),
        (false, false) => inline_with_spaces(part),
    };
    parts.iter().enumerate().map(render).collect()
}

/// Inert text that keeps the space at its ends.
fn inline_with_spaces(text: &str) -> String {
    let start = if text.starts_with(' ') { " " } else { "" };
    let end = if text.ends_with(' ') && !text.trim().is_empty() { " " } else { "" };
    format!("{start}{}{end}", inline_text(text))
}

/// A block of unchanged lines, with a fence that no line can close.
pub(crate) fn code_block(language: &str, lines: &[String]) -> String {
    let plain: Vec<String> = lines.iter().map(|line| plain_line(line)).collect();
    let longest = plain.iter().map(|line| longest_run(line)).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", plain.join("\n"))
}

/// A line without control characters, cut at `LONGEST_LINE` characters, with its spaces.
fn plain_line(line: &str) -> String {
    line.split(' ').map(one_line).collect::<Vec<_>>().join(" ").chars().take(LONGEST_LINE).collect()
}

/// The longest run of backticks.
fn longest_run(line: &str) -> usize {
    line.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Markdown below a title that opens it. Empty without text.
pub(crate) fn folded(title: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("<details><summary>{title}</summary>\n\n{}\n\n</details>\n\n", text.trim_end())
}

/// A link with a text that is Markdown already; an unusable address becomes code.
pub(crate) fn markdown_link(text: &str, url: &str) -> String {
    let plain = url.bytes().all(|b| {
        b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b'<' | b'>' | b'|' | b'"' | b'\\' | b'`')
    });
    if plain && (url.starts_with("https://") || url.starts_with("http://")) {
        format!("[{text}]({url})")
    } else {
        inline_code(url)
    }
}

/// Sentences and lines to paste: each line that begins with two spaces goes into a block.
pub(crate) fn render_message(text: &str) -> String {
    let mut out = String::new();
    let mut paste: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("  ") {
            paste.push(line.to_owned());
            continue;
        }
        flush_block(&mut out, &mut paste);
        out.push_str(&render_prose(line));
        out.push_str("\n\n");
    }
    flush_block(&mut out, &mut paste);
    out
}

/// Writes the pending lines to paste.
fn flush_block(out: &mut String, paste: &mut Vec<String>) {
    if !paste.is_empty() {
        out.push_str(&code_block("", paste));
        out.push('\n');
        paste.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn foreign_text_is_inert() {
        let table = [
            ("a | b", "a &#124; b"),
            ("<b>x</b>", "&#60;b&#62;x&#60;/b&#62;"),
            ("@octocat #12", "&#64;&#8203;octocat &#35;&#8203;12"),
            ("GH-12 **x**\ny", "GH-&#8203;12 &#42;&#42;x&#42;&#42; y"),
            ("https://x/y www.z", "https:&#8203;//x/y www&#8203;.z"),
            ("`x`", "&#96;x&#96;"),
        ];
        for (foreign, told) in table {
            assert_eq!(inline_text(foreign), told);
        }
        assert_eq!(table_cell(" "), "–");
        assert_eq!(inline_code("a`|<b>"), "<code>a&#96;&#124;&#60;b&#62;</code>");
    }

    #[test]
    fn our_sentences_keep_their_code() {
        assert_eq!(
            render_prose("The service `web-green` is <gone>."),
            "The service <code>web&#45;green</code> is &#60;gone&#62;.".replace("&#45;", "-")
        );
        assert_eq!(render_prose("one ` alone"), "one  alone");
        assert_eq!(
            render_message("Do this:\n  color: idle\nor not."),
            "Do this:\n\n```\ncolor: idle\n```\n\nor not.\n\n"
        );
    }

    #[test]
    fn a_fence_can_not_be_closed_from_inside() {
        assert_eq!(code_block("diff", &["+ ````".to_owned()]), "`````diff\n+ ````\n`````\n");
        assert_eq!(markdown_link("x", "javascript:alert(1)"), "<code>javascript:alert(1)</code>");
    }

    /// The text with its entities decoded, as a browser reads it.
    fn decoded(text: &str) -> String {
        let mut parts = text.split("&#");
        let mut out = parts.next().unwrap().to_owned();
        for part in parts {
            let (number, rest) = part.split_once(';').unwrap();
            out.push(char::from_u32(number.parse().unwrap()).unwrap());
            out.push_str(rest);
        }
        out
    }

    proptest! {
        #[test]
        fn no_text_is_lost(text in "\\PC{0,80}") {
            let read = decoded(&inline_text(&text)).replace('\u{200B}', "");
            prop_assert_eq!(read, one_line(&text));
        }

        #[test]
        fn no_foreign_text_has_a_meaning(text in "(?s).{0,80}|[@#|<>`a-z0-9\\n\\\\_*:/-]{0,60}") {
            for told in [inline_text(&text), table_cell(&text), render_prose(&text)] {
                let outside = told.replace("<wbr>", "").replace("<code>", "").replace("</code>", "");
                prop_assert!(!outside.contains(['\n', '\r', '|', '<', '>', '`', '*', '_', '[', '@', '\\']), "{told:?}");

            }
            // GitHub looks for mentions and references after the entities are decoded.
            let read = decoded(&inline_text(&text));
            for mark in ['@', '#'] {
                prop_assert!(read.split(mark).skip(1).all(|after| after.starts_with('\u{200B}')), "{read:?}");
            }
        }

        #[test]
        fn a_block_has_no_line_that_closes_it(lines in prop::collection::vec("[`~ a-z\\n]{0,20}", 0..5)) {
            let told = code_block("", &lines);
            let fence = told.lines().next().unwrap().to_owned();
            prop_assert_eq!(told.lines().filter(|line| line.trim().starts_with(&fence)).count(), 2);
            prop_assert_eq!(told.lines().count(), lines.len().max(1) + 2);
        }
    }
}
