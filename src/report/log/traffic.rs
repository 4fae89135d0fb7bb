//! A change of traffic before it begins: what changes, what it needs, and what the run does.

use crate::plan::traffic::Brief;
use crate::report::line::{Level, Line};
use crate::report::words;

/// The lines of the plan.
pub(super) fn plan(brief: &Brief) -> Vec<Line> {
    let mut lines: Vec<Line> =
        brief.rules.iter().flat_map(|rule| Line::foreign(Level::Plain, &words::rule(rule, brief))).collect();
    lines.extend(Line::foreign(Level::Plain, &words::versions(brief)));
    lines.extend(Line::foreign(Level::Plain, &words::load(brief.load)));
    for capacity in &brief.capacity {
        let needs = brief.need(capacity.color).unwrap_or(capacity.needed);
        let level = if capacity.healthy < needs { Level::Warn } else { Level::Plain };
        lines.push(Line::own(level, format!("  {}", words::capacity(capacity, needs))));
    }
    for text in [words::scaled_first(brief), words::held(brief)].into_iter().flatten() {
        lines.extend(Line::foreign(Level::Plain, &text));
    }
    lines.extend(Line::foreign(Level::Warn, &words::silent(&brief.no_data).unwrap_or_default()));
    lines.extend(Line::foreign(Level::Plain, &words::stickiness(brief).unwrap_or_default()));
    lines.extend(steps(brief));
    lines.push(Line::own(Level::Plain, words::job_time(brief.longest)));
    lines
}

/// The steps, numbered.
fn steps(brief: &Brief) -> Vec<Line> {
    if brief.steps.is_empty() {
        return vec![Line::own(Level::Plain, "nothing to change; capacity and health are confirmed")];
    }
    let one = |(at, step)| Line::foreign(Level::Plain, &format!("{}. {}", at + 1, words::step(step)));
    let hidden = words::hidden_steps(brief.steps.len());
    let numbered = || brief.steps.iter().enumerate();
    let mut lines: Vec<Line> = numbered().take(hidden.start).flat_map(one).collect();
    if !hidden.is_empty() {
        lines.push(Line::own(Level::Dim, words::more_steps(&hidden)));
    }
    lines.extend(numbered().skip(hidden.end).flat_map(one));
    lines
}
