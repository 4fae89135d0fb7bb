//! Commands that undo a change of traffic, with and without GitHub.

use serde_json::Value;

use super::super::promote::version_back;
use crate::event::Report;
use crate::failure::Outcome;
use crate::plan::color::{Color, Split};
use crate::plan::step::Left;
use crate::plan::traffic::{RuleChange, TrafficPlan};
use crate::report::about::About;
use crate::report::names::{format_shares, in_backticks};
use crate::report::paste::{arn_argument, quoted_argument};

/// The color with fewer users in `to` than in `from`.
pub(super) fn losing_color(from: Split, to: Split) -> Option<Color> {
    let after = u64::from(to.blue) * u64::from(from.green);
    let before = u64::from(from.blue) * u64::from(to.green);
    match before.cmp(&after) {
        std::cmp::Ordering::Less => Some(Color::Green),
        std::cmp::Ordering::Greater => Some(Color::Blue),
        std::cmp::Ordering::Equal => None,
    }
}

/// Commands that undo a change of traffic; none if no change is left.
pub(in crate::report::words) fn render_undo(report: &Report) -> Option<String> {
    let open = match (report.outcome, report.left) {
        // The other writer's split stays.
        (Outcome::Superseded, _) => false,
        (Outcome::Succeeded, _) | (_, Left::Changed | Left::Unknown) => true,
        (_, Left::Untouched | Left::Restored) => false,
    };
    let Some(traffic_plan) = &report.traffic else { return input_alone(report).filter(|_| open) };
    let users = (open && has_moved(traffic_plan, report))
        .then(|| undo_instructions(traffic_plan, (report, &About::of(report))));
    let copied = traffic_plan.copy.as_ref().filter(|_| report.outcome == Outcome::Succeeded);
    let all: Vec<String> = users.into_iter().chain(copied.map(version_back)).collect();
    (!all.is_empty()).then(|| all.join("\n"))
}

/// True if a rule's split differs from before; if the split is unknown, true if the plan changes the rule.
fn has_moved(traffic_plan: &TrafficPlan, report: &Report) -> bool {
    let known = report.left != Left::Unknown;
    let seen = report.overview.as_ref().map(|overview| &overview.rules).filter(|_| known);
    traffic_plan.rules.iter().any(|rule| {
        let now = seen.and_then(|rules| rules.iter().find(|(name, _)| *name == rule.name));
        !rule.before.same_ratio(now.map_or(rule.after, |(_, split)| *split))
    })
}

/// The input that restores a split.
fn redirect_input(from: Split) -> String {
    format!(
        "To send users back to {from}, run this action with\n  command: redirect-traffic\n  traffic: {from}"
    )
}

/// The input that undoes a killed change of traffic: all that its post step knows.
fn input_alone(report: &Report) -> Option<String> {
    About::of(report).users?.found.map(redirect_input)
}

/// The input, and a call for each rule.
fn undo_instructions(traffic_plan: &TrafficPlan, (report, about): (&Report, &About)) -> String {
    let calls: Vec<String> = traffic_plan.rules.iter().map(|rule| undo_call(rule, about)).collect();
    let larger = if traffic_plan.from.blue >= traffic_plan.from.green { Color::Blue } else { Color::Green };
    let color = losing_color(traffic_plan.from, traffic_plan.to).unwrap_or(larger);
    // A color that gets the smaller part back has kept enough tasks.
    let first = match needed_tasks(color, report).filter(|_| color == larger) {
        Some(count) => format!(
            ", give {color} its tasks back first, and wait until they are healthy:\n{}\nThen, as nothing checks it:",
            about.at(color).scale(count)
        ),
        None => format!(" (it checks nothing: see first that {color} is healthy):"),
    };
    let calls = about.block(&calls);
    if !traffic_plan.agreed() {
        let held = traffic_plan
            .rules
            .iter()
            .map(|rule| format!("{} {}", in_backticks(&rule.name), format_shares(rule.before)));
        let held = held.collect::<Vec<_>>().join("; ");
        return format!(
            "What each rule held before: {held}. No input brings that back, since all rules have to hold the same. To put it back without GitHub{first}\n{calls}"
        );
    }
    format!("{}\nor, without GitHub{first}\n{calls}", redirect_input(traffic_plan.from))
}

/// Number of tasks that a color needs before users return, if the color has fewer than the other color now.
fn needed_tasks(color: Color, report: &Report) -> Option<u32> {
    let desired = |wanted: Color| {
        let views = &report.overview.as_ref()?.colors;
        views.iter().find(|view| view.color == wanted).map(|view| view.desired)
    };
    let (now, other) = (desired(color)?, desired(color.other())?);
    (now < other).then_some(other)
}

/// The call that restores a rule's actions.
fn undo_call(rule: &RuleChange, about: &About) -> String {
    let (call, which, actions) = match rule.undo.default {
        true => ("modify-listener", "--listener-arn", "--default-actions"),
        false => ("modify-rule", "--rule-arn", "--actions"),
    };
    let arn = &rule.undo.arn;
    let json = quoted_argument(&spaced_json(&rule.undo.actions), arn);
    about.aws("elbv2", call, &format!("{which} {} {actions} {json}", arn_argument(arn)))
}

/// JSON on one line with spaces, in ASCII, so that the log and the summary never cut or change a line.
fn spaced_json(value: &Value) -> String {
    match value {
        Value::Array(all) => format!("[{}]", all.iter().map(spaced_json).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, &Value)| format!("{}: {}", text_of(name), spaced_json(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => text_of(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A JSON string in ASCII. Text that the log would run as a command, or GitHub would read as Markdown, is escaped too.
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
