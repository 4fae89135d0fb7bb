//! The way back from a change of traffic, with and without GitHub.

use serde_json::Value;

use super::super::promote::version_back;
use crate::event::Report;
use crate::failure::Outcome;
use crate::plan::color::{Color, Split};
use crate::plan::step::Left;
use crate::plan::traffic::{Brief, RuleChange};
use crate::report::about::About;
use crate::report::names::{quoted, shares};
use crate::report::paste::{arn_argument, quoted_argument};

/// The color that has fewer of the users in `to` than in `from`.
pub(super) fn loser(from: Split, to: Split) -> Option<Color> {
    let after = u64::from(to.blue) * u64::from(from.green);
    let before = u64::from(from.blue) * u64::from(to.green);
    match before.cmp(&after) {
        std::cmp::Ordering::Less => Some(Color::Green),
        std::cmp::Ordering::Greater => Some(Color::Blue),
        std::cmp::Ordering::Equal => None,
    }
}

/// How to undo a change of traffic; none where none is left.
pub(in crate::report::words) fn undo(report: &Report) -> Option<String> {
    let open = match (report.outcome, report.left) {
        // Theirs stands.
        (Outcome::Superseded, _) => false,
        (Outcome::Succeeded, _) | (_, Left::Changed | Left::Unknown) => true,
        (_, Left::Untouched | Left::Restored) => false,
    };
    let Some(brief) = &report.traffic else { return input_alone(report).filter(|_| open) };
    let users = (open && moved(brief, report)).then(|| text(brief, (report, &About::of(report))));
    let copied = brief.copy.as_ref().filter(|_| report.outcome == Outcome::Succeeded);
    let all: Vec<String> = users.into_iter().chain(copied.map(version_back)).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

/// Whether a rule holds something else than before; where that is not known, whether it was to.
fn moved(brief: &Brief, report: &Report) -> bool {
    let known = report.left != Left::Unknown;
    let seen = report.overview.as_ref().map(|overview| &overview.rules).filter(|_| known);
    brief.rules.iter().any(|rule| {
        let now = seen.and_then(|rules| rules.iter().find(|(name, _)| *name == rule.name));
        !rule.before.same_ratio(now.map_or(rule.after, |(_, split)| *split))
    })
}

/// The input to give.
fn input(from: Split) -> String {
    format!(
        "To send users back to {from}, run this action with\n  command: redirect-traffic\n  traffic: {from}"
    )
}

/// What the post step of a killed change of traffic knows of the way back.
fn input_alone(report: &Report) -> Option<String> {
    About::of(report).users?.found.map(input)
}

/// The input to give, and a call for each rule.
fn text(brief: &Brief, (report, about): (&Report, &About)) -> String {
    let calls: Vec<String> = brief.rules.iter().map(|rule| call(rule, about)).collect();
    let larger = if brief.from.blue >= brief.from.green { Color::Blue } else { Color::Green };
    let color = loser(brief.from, brief.to).unwrap_or(larger);
    // A color that gets the smaller part back has kept what it needs for it.
    let first = match tasks(color, report).filter(|_| color == larger) {
        Some(count) => format!(
            ", give {color} its tasks back first, and wait until they are healthy:\n{}\nThen, as nothing checks it:",
            about.at(color).scale(count)
        ),
        None => format!(" (it checks nothing: see first that {color} is healthy):"),
    };
    let calls = about.block(&calls);
    if !brief.agreed() {
        let held = brief.rules.iter().map(|rule| format!("{} {}", quoted(&rule.name), shares(rule.before)));
        let held = held.collect::<Vec<_>>().join("; ");
        return format!(
            "What each rule held before: {held}. No input brings that back, since all rules have to hold the same. To put it back without GitHub{first}\n{calls}"
        );
    }
    format!("{}\nor, without GitHub{first}\n{calls}", input(brief.from))
}

/// How many tasks a color needs before users go back to it, where it has fewer than the other one now.
fn tasks(color: Color, report: &Report) -> Option<u32> {
    let desired = |wanted: Color| {
        let views = &report.overview.as_ref()?.colors;
        views.iter().find(|view| view.color == wanted).map(|view| view.desired)
    };
    let other = if color == Color::Green { Color::Blue } else { Color::Green };
    let (now, other) = (desired(color)?, desired(other)?);
    (now < other).then_some(other)
}

/// The call that puts back what a rule held.
fn call(rule: &RuleChange, about: &About) -> String {
    let (call, which, actions) = match rule.undo.default {
        true => ("modify-listener", "--listener-arn", "--default-actions"),
        false => ("modify-rule", "--rule-arn", "--actions"),
    };
    let arn = &rule.undo.arn;
    let json = quoted_argument(&spaced(&rule.undo.actions), arn);
    about.aws("elbv2", call, &format!("{which} {} {actions} {json}", arn_argument(arn)))
}

/// JSON on one line with spaces, in ASCII, so that no line of the log or the summary has to cut or change it.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(all) => format!("[{}]", all.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{}: {}", text_of(name), spaced(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => text_of(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A JSON string in ASCII. What the log takes for a command of the runner, or GitHub for Markdown, is escaped too.
fn text_of(text: &str) -> String {
    let mut out = String::new();
    let mut units = [0; 2];
    for c in Value::from(text).to_string().chars() {
        if c.is_ascii() && !matches!(c, '`' | '\u{7f}') {
            out.push(c);
        } else {
            c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
        }
    }
    out.replace("##[", "#\\u0023[").replace("  ", " \\u0020")
}
