//! The findings of `doctor`: as lines for the log, as a section of the summary, and as JSON for machines (`findings`).

use serde::Serialize;

use super::line::{Level, Line};
use super::markdown::{inline_text, render_message};
use super::words::render_mistake;
use crate::plan::doctor::{Finding, Severity};

/// A finding in the output `findings`. New keys may be added.
#[derive(Serialize)]
struct Entry {
    /// The stable id of the mistake.
    id: &'static str,
    /// `stops` or `warns`.
    severity: &'static str,
    /// The thing: `service web-blue`.
    thing: String,
    /// The finding and the expectation: one sentence.
    message: String,
    /// The fix.
    fix: String,
}

/// The findings as JSON; one line.
pub(crate) fn findings_json(findings: &[Finding]) -> String {
    let entry = |finding: &Finding| {
        let text = render_mistake(&finding.mistake);
        Entry {
            id: finding.mistake.id(),
            severity: finding.severity.word(),
            thing: text.thing,
            message: text.what,
            fix: text.fix,
        }
    };
    serde_json::to_string(&findings.iter().map(entry).collect::<Vec<_>>()).unwrap_or_default()
}

/// The findings for the log, each with its fix.
pub(crate) fn finding_lines(findings: &[Finding]) -> Vec<Line> {
    let lines = |finding: &Finding| {
        let text = render_mistake(&finding.mistake);
        let level = match finding.severity {
            Severity::Stops => Level::Bad,
            Severity::Warns => Level::Warn,
        };
        let head = format!("{} ({}): {}", finding.severity.word(), finding.mistake.id(), text.what);
        let mut lines = Line::foreign(level, &head);
        lines.extend(Line::foreign(Level::Plain, &text.fix));
        lines
    };
    findings.iter().flat_map(lines).collect()
}

/// The findings for the summary, each with its fix.
pub(super) fn findings_section(findings: &[Finding]) -> String {
    let section = |finding: &Finding| {
        let text = render_mistake(&finding.mistake);
        let (word, id) = (finding.severity.word(), finding.mistake.id());
        let symbol = match finding.severity {
            Severity::Stops => "⛔",
            Severity::Warns => "⚠️",
        };
        let title = format!("**{symbol} {word}: {id}**, {}\n\n", inline_text(&text.thing));
        title + &render_message(&format!("{}\n{}", text.what, text.fix))
    };
    findings.iter().map(section).collect()
}
